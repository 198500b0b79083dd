//! Hunts for a lost record: the real `plan`, `sync` and `store` on worlds, services, faults,
//! crashes and clocks that a seed decides. Nothing is mocked but the service and time, and nothing
//! sleeps.
//!
//! `cargo test --test simulation` plays [`DEFAULT_SEEDS`] schedules. `FGARCHIVE_SIM_SEEDS=100000`
//! or `=5000..9000` plays others, `FGARCHIVE_SIM_SEED=17` one of them, with its log of calls (add
//! `-- --nocapture`).
#![expect(clippy::expect_used, reason = "a test ends where something is not as it should be")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the numbers of a small world"
)]

mod archive;
mod asking;
mod checks;
mod dice;
mod functions;
mod naive;
mod named;
mod play;
mod readings;
mod schedule;
mod service;
mod showing;
mod sources;
mod statuses;
mod world;

use play::{Counts, Played, play, with_template};
use std::collections::BTreeMap;
use std::env;
use std::ops::Range;
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// How many schedules a plain `cargo test` plays: what two cores do in a minute. The mutations are
/// judged by 2,000.
const DEFAULT_SEEDS: u64 = 600;

/// So many failing seeds of one invariant are described; more of them would tell no more.
const DESCRIBED: usize = 4;

fn seeds() -> Range<u64> {
    if let Some(seed) = env::var("FGARCHIVE_SIM_SEED").ok().filter(|text| !text.is_empty()) {
        let seed = seed.parse().expect("FGARCHIVE_SIM_SEED is a number");
        return seed..seed + 1;
    }
    let Some(text) = env::var("FGARCHIVE_SIM_SEEDS").ok().filter(|text| !text.is_empty()) else {
        return 0..DEFAULT_SEEDS;
    };
    let number = |text: &str| {
        text.parse().expect("FGARCHIVE_SIM_SEEDS is a number, or a range such as 10..20")
    };
    text.split_once("..").map_or_else(|| 0..number(&text), |(from, to)| number(from)..number(to))
}

/// How a seed failed, and how to see it again.
fn describe(seed: u64, played: &Played) -> String {
    let findings = played
        .findings
        .iter()
        .take(3)
        .map(|finding| format!("    {}: {}\n", finding.invariant, finding.what));
    let again = format!(
        "seed {seed}: FGARCHIVE_SIM_SEED={seed} cargo test --test simulation -- --nocapture\n"
    );
    [again].into_iter().chain(findings).collect()
}

/// Failing seeds by the invariant that each breaks first.
type Failures = BTreeMap<&'static str, Vec<(u64, String)>>;

/// Plays seeds on all cores; what they met, and the failures.
fn play_all(seeds: Range<u64>, template: &Path) -> (Counts, Failures) {
    let next = AtomicU64::new(seeds.start);
    let results = Mutex::new((Counts::default(), Failures::new()));
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    let played = catch_unwind(|| play(seed, template))
                        .unwrap_or_else(|_| Played::panicked());
                    let mut results = results.lock().expect("results");
                    results.0.add(&played.counts);
                    if let Some(first) = played.findings.first() {
                        results
                            .1
                            .entry(first.invariant)
                            .or_default()
                            .push((seed, describe(seed, &played)));
                    }
                }
            });
        }
    });
    results.into_inner().expect("results")
}

/// How often each invariant fails, with a few seeds of each.
fn summarize(failures: &Failures) -> String {
    let mut text = String::new();
    for (invariant, seeds) in failures {
        text += &seeds.len().to_string();
        text += " seeds: ";
        text += invariant;
        text += "\n";
        seeds.iter().take(DESCRIBED).for_each(|(_, described)| text.push_str(described));
    }
    text
}

#[test]
fn no_schedule_loses_a_record() {
    let seeds = seeds();
    with_template(|template| {
        if seeds.end == seeds.start + 1 {
            let played = play(seeds.start, template);
            played.calls.iter().for_each(|call| println!("{call}"));
            println!("{:?}", played.counts);
            assert!(played.findings.is_empty(), "{}", describe(seeds.start, &played));
            return;
        }
        let (counts, failures) = play_all(seeds.clone(), template);
        println!("{} schedules: {counts:?}", seeds.end - seeds.start);
        assert!(failures.is_empty(), "some seeds fail\n{}", summarize(&failures));
        assert!(
            counts.killed > 0 && counts.late > 0,
            "schedules without kills and late records test little: {counts:?}"
        );
    });
}

/// The same seed asks the same questions at the same moments: a failure can be seen again.
#[test]
fn the_same_seed_makes_the_same_calls() {
    with_template(|template| {
        for seed in 0..40 {
            let [one, other] = [play(seed, template), play(seed, template)];
            let log =
                |played: &Played| played.calls.iter().map(ToString::to_string).collect::<Vec<_>>();
            assert_eq!(log(&one), log(&other), "seed {seed}");
        }
    });
}
