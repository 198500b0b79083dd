//! A run that asks several services: each is asked as if it were alone, whatever becomes of the
//! others.

use crate::dice::{Draw, dice};
use crate::functions::Naming;
use crate::play::scratch;
use crate::readings::{Down, Faults, Readings};
use crate::schedule::Planned;
use crate::service::{InMemory, Service};
use crate::world::{EPOCH, World};
use fgarchive::domain::Timestamp;
use fgarchive::store::file::Archive;
use fgarchive::sync::{RunPlan, RunReport, RunSource, Settings, Task, Unwatched, run};
use pretty_assertions::assert_eq;
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const SEEDS: u64 = 60;

/// Far enough apart that a run is over when the next one begins.
const PAUSE: i64 = 6 * 3_600;

const RUNS: usize = 4;

/// One service, and what goes wrong with it in each run but the last two.
struct Side {
    name: &'static str,
    service: Arc<Service>,
    settings: Settings,
    faults: Faults,
}

impl Side {
    fn new(seed: u64, name: &'static str) -> Self {
        let world = World::new(seed).in_region(name);
        let readings = Readings::new(seed, &world);
        let mut dice = dice(seed, "side");
        let mut faults = Faults::new(seed);
        faults.down_from = dice.percent(30.0).then(|| {
            (dice.usize(0..20), dice.pick(&[Down::Refuses, Down::Unavailable, Down::Silent]))
        });
        // A list of functions may fail or hang while the other service is asked for records.
        let all_functions = dice.bool();
        let named = world.functions.iter().cloned().map(Into::into).filter(|_| !all_functions);
        let settings = Settings {
            functions: named.collect(),
            all_functions,
            since: Some(Timestamp::from_unix(EPOCH - 10)),
            open_recheck: Duration::ZERO,
            concurrency: dice.pick(&[1, 4]),
            seed,
            ..Settings::default()
        };
        Self {
            name,
            service: Arc::new(Service::new(world, readings, Naming::PLAIN, seed)),
            settings,
            faults,
        }
    }

    /// What the archive holds of it.
    fn content(&self, archive: &Connection) -> Vec<String> {
        let of = |sql: &str| -> Vec<String> {
            let mut select = archive.prepare(sql).expect("a statement");
            let rows = select.query_map([self.name], |row| row.get(0)).expect("rows");
            rows.collect::<Result<_, _>>().expect("texts")
        };
        let records =
            of("SELECT request_id || ' ' || status || ' ' || coalesce(start_time, '') || ' '
                    || coalesce(end_time, '')
                            FROM invocations JOIN functions f ON f.id = function_id
                                WHERE region = ?1 ORDER BY 1");
        let windows =
            of("SELECT urn || ' ' || begin_time || ' ' || end_time || ' ' || state || ' '
                              || distinct_count
                            FROM windows JOIN functions f ON f.id = function_id WHERE region = ?1
                                ORDER BY 1");
        records.into_iter().chain(windows).collect()
    }
}

/// Plays the runs of some services in one archive; of each service its calls, how each run ended
/// for it, and what is archived.
fn play(sides: &[Side], moments: &[i64]) -> Vec<(Vec<String>, Vec<u8>, Vec<String>)> {
    let directory = scratch();
    let path = directory.path().join("a.db");
    let mut exits = vec![Vec::new(); sides.len()];
    for (number, &at) in moments.iter().enumerate() {
        let report = run_once(sides, number, at, &path);
        exits
            .iter_mut()
            .zip(&report.sources)
            .for_each(|(exits, source)| exits.push(source.exit_code()));
    }
    let archive = Connection::open(&path).expect("the archive");
    let told = sides.iter().zip(exits).map(|(side, exits)| {
        let calls = side.service.take_log().0.iter().map(ToString::to_string).collect();
        (calls, exits, side.content(&archive))
    });
    told.collect()
}

fn run_once(sides: &[Side], number: usize, at: i64, path: &Path) -> RunReport {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut archive = Archive::open(path).expect("an archive");
        let begin = |side: &Side| {
            let faults = if number < RUNS - 2 { side.faults.clone() } else { Faults::NONE };
            side.service.begin(number, &Planned { faults, ..Planned::at(at) })
        };
        let sessions: Vec<_> = sides.iter().map(begin).collect();
        let source = |side: &Side| RunSource {
            name: side.name.into(),
            source: InMemory(Arc::clone(&side.service)),
            settings: side.settings.clone(),
        };
        // The share for verifying is one for all sources, and so is what they leave of it.
        let task = Task::Sync { verify_share: 0.0 };
        let plan =
            RunPlan { task, sources: sides.iter().map(source).collect(), max_duration: None };
        let (clock, cancel) = &sessions[0];
        run(&mut archive, plan, clock, cancel, &mut Unwatched).await.expect("a report")
    })
}

#[test]
fn each_service_is_asked_as_if_it_were_alone() {
    let mut unlike = 0;
    for seed in 0..SEEDS {
        let sides = || [Side::new(2 * seed, "cn-north-4"), Side::new(2 * seed + 1, "cn-east-3")];
        let span = sides().iter().map(|side| side.service.world.span).max().unwrap_or(0);
        let moment = |number| EPOCH + span / 2 + number * PAUSE.max(span / 4);
        let moments: Vec<i64> = (0..).map(moment).take(RUNS).collect();
        let together = play(&sides(), &moments);
        for (side, together) in sides().into_iter().zip(&together) {
            let name = side.name;
            let (calls, exits, content) = play(&[side], &moments).remove(0);
            let unlike =
                calls.iter().zip(&together.0).position(|(alone, together)| alone != together);
            let at = unlike.unwrap_or(calls.len().min(together.0.len()));
            let [alone, among] =
                [&calls, &together.0].map(|calls| calls.get(at).cloned().unwrap_or_default());
            assert_eq!(alone, among, "seed {seed}: call {at} of {name}");
            assert_eq!(
                (exits, content),
                (together.1.clone(), together.2.clone()),
                "seed {seed}: what came of {name}"
            );
        }
        unlike += u64::from(together[0].1 != together[1].1);
    }
    assert!(unlike > SEEDS / 10, "the services of {unlike} seeds ended unlike each other");
}

#[test]
fn a_list_that_fails_or_hangs_keeps_no_other_service_waiting() {
    for down in [Down::Refuses, Down::Unavailable, Down::Silent] {
        let listed = |seed, name, down_from| {
            let mut side = Side::new(seed, name);
            side.settings.functions.clear();
            side.settings.all_functions = true;
            side.faults = Faults { down_from, ..Faults::NONE };
            side
        };
        let healthy = || listed(1, "cn-east-3", None);
        let at = [EPOCH + healthy().service.world.span];
        let both = play(&[listed(0, "cn-north-4", Some((0, down))), healthy()], &at);
        let alone = play(&[healthy()], &at);
        assert_eq!(both[1], alone[0], "{down:?}");
        assert!(!alone[0].2.is_empty(), "something is archived");
        assert_ne!(both[0].1, [0], "{down:?}");
    }
}
