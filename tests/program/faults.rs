//! The presets of faults, one request of five or so: the archive equals the world, or says that it
//! does not, and the next run makes it so.

use crate::cloud::{Cloud, small_world};
use crate::live;
use crate::program::Home;
use crate::truth;
use fgarchive::emulator::{Fault, Faults, Rule, WorldSpec};

/// More requests than a small world takes, so that every kind of fault strikes.
fn world(seed: u64) -> WorldSpec {
    WorldSpec { seed, records: 12_000, functions: 4, ..small_world() }
}

fn small(seed: u64) -> WorldSpec {
    WorldSpec { seed, records: 3_000, functions: 4, ..small_world() }
}

/// A script by its name, with waits that a test has time for. `Slid` hides a record that the world
/// still has, so what it hides is no longer comparable: `moving` lets records expire in earnest.
fn preset(name: &str, seed: u64) -> Faults {
    let mut faults = Faults::preset(name).unwrap();
    faults.seed = seed;
    for fault in faults.rules.iter_mut().flat_map(|rule| &mut rule.faults) {
        match fault {
            Fault::Throttled { retry_after: Some(seconds) } => *seconds = 0,
            Fault::Slow { ms } | Fault::Latency { ms } => *ms = (*ms / 20).max(1),
            _ => {}
        }
    }
    faults
        .rules
        .iter_mut()
        .for_each(|rule| rule.faults.retain(|fault| !matches!(fault, Fault::Slid { .. })));
    faults.rules.retain(|rule: &Rule| !rule.faults.is_empty());
    faults
}

#[test]
fn the_archive_equals_the_world_under_every_preset() {
    for name in Faults::presets() {
        let (home, cloud) = (Home::new(), Cloud::new(world(1)).with_faults(preset(name, 1)));
        // Nobody asks a signature for a token, and a token that the user fetched cannot be renewed.
        let expiring = name == "expiring";
        let run = || {
            if expiring {
                home.sync_since(&cloud, "5d").with_token()
            } else {
                home.sync_since(&cloud, "5d")
            }
        };
        let said = run().output();
        let expected: &[i32] = if expiring { &[4] } else { &[0, 3] };
        assert!(expected.contains(&said.code()), "{name}: {}", said.stderr);
        assert_eq!(cloud.journal().faults() > 0, name != "none", "{name}");
        if said.code() != 0 {
            cloud.emulator.set_faults(Faults::none());
            run().exits(0);
        }
        truth::assert_whole(&cloud, &home.db());
        home.run(["check"]).exits(0);
    }
}

/// The same with many seeds and short patience, in this process.
#[test]
fn an_incomplete_run_is_completed_by_a_clean_one() {
    let mut incomplete = 0;
    for seed in 0..30 {
        let name = ["flaky", "hostile", "throttled"][usize::try_from(seed % 3).unwrap()];
        let live = live::Live::new(small(seed), fgarchive::emulator::Readings::default());
        live.cloud.emulator.set_faults(preset(name, seed));
        let settings = live::Settings { patience: live::impatience(1), ..live.settings() };
        let report = live.sync_with(&settings);
        if report.failure_kind().is_some() {
            incomplete += 1;
            live.cloud.emulator.set_faults(Faults::none());
            live.complete();
        }
        live.assert_whole();
    }
    assert!(
        incomplete > 5,
        "with one try a request, only {incomplete} of 30 runs were left incomplete"
    );
}

/// Records that slide away while they are paged cost walks, and are all that may be missing.
#[test]
fn what_slides_away_is_all_that_is_missing() {
    for seed in 0..10 {
        let live = live::Live::new(small(seed), fgarchive::emulator::Readings::default());
        let slid = Rule { share: Some(0.2), ..Rule::from(Fault::Slid { records: 2 }) };
        live.cloud.emulator.set_faults(Faults { seed, rules: vec![slid] });
        // Where a window counted more than its parts hold, the run says so, and a clean one goes
        // on.
        if live.sync_with(&live.settings()).failure_kind().is_some() {
            live.cloud.emulator.set_faults(Faults::none());
            live.complete();
        }
        let (world, archived) = (truth::records(&live.cloud, live.cloud.now()), live.records());
        assert!(archived.iter().all(|(id, record)| world.get(id) == Some(record)));
        let most = usize::try_from(2 * live.cloud.journal().faults()).unwrap();
        assert!(
            world.len() - archived.len() <= most,
            "{} of {} missing",
            world.len() - archived.len(),
            world.len()
        );
    }
}
