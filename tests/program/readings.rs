//! First and repeated runs under every reading that the vendor's page leaves open, compared record
//! by record.

use crate::archive;
use crate::cloud::{Cloud, later, now, small_world};
use crate::program::Home;
use crate::truth;
use clap::ValueEnum;
use fastrand::Rng;
use fgarchive::domain::Timestamp;
use fgarchive::emulator::{
    Bounds, CappedCount, Count, ErrorForm, Filter, LastMarker, Lookup, MarkerForm, OpenTime, Order,
    OverLimit, Readings, Times, WaitStart, WorldSpec,
};
use std::collections::{BTreeSet, HashSet};
use std::sync::Mutex;
use std::time::Duration;

/// Tests at once within a table of cases.
const AT_ONCE: usize = 3;

const DAY: i64 = 86_400;

type Set = Box<dyn Fn(&mut Readings) + Send + Sync>;

fn each<T>(name: &str, set: fn(&mut Readings, T)) -> Vec<(String, Set)>
where
    T: ValueEnum + Copy + Send + Sync + std::fmt::Debug + 'static,
{
    let case = |&value: &T| -> (String, Set) {
        (format!("{name} {value:?}"), Box::new(move |readings| set(readings, value)))
    };
    T::value_variants().iter().map(case).collect()
}

fn days(days: u64) -> humantime::Duration {
    Duration::from_secs(days * 86_400).into()
}

/// Every value of every switch, by switch.
fn switches() -> Vec<Vec<(String, Set)>> {
    let caps =
        |name: &'static str, values: &[u64], set: fn(&mut Readings, u64)| -> Vec<(String, Set)> {
            let case = |&value: &u64| -> (String, Set) {
                (format!("{name} {value}"), Box::new(move |readings| set(readings, value)))
            };
            values.iter().map(case).collect()
        };
    vec![
        each::<Order>("order", |readings, value| readings.order = value),
        each::<Bounds>("bounds", |readings, value| readings.bounds = value),
        each::<Filter>("filter", |readings, value| readings.filter = value),
        each::<Count>("count", |readings, value| readings.count = value),
        each::<LastMarker>("last marker", |readings, value| readings.last_marker = value),
        each::<MarkerForm>("marker form", |readings, value| readings.marker_form = value),
        each::<ErrorForm>("error form", |readings, value| readings.error_form = value),
        each::<OpenTime>("open time", |readings, value| readings.open_time = value),
        each::<WaitStart>("wait start", |readings, value| readings.wait_start = value),
        each::<Lookup>("lookup", |readings, value| readings.lookup = value),
        each::<OverLimit>("over limit", |readings, value| readings.over_limit = value),
        each::<Times>("times", |readings, value| readings.times = value),
        each::<CappedCount>("capped count", |readings, value| {
            (readings.capped_count, readings.result_cap) = (value, Some(5_000));
        }),
        caps("page cap", &[50, 100, 499, 500, 1_000], |readings, cap| {
            readings.page_cap = Some(cap);
        }),
        caps("result cap", &[5_000, 10_000], |readings, cap| readings.result_cap = Some(cap)),
        caps("days of the longest window", &[1, 7, 30], |readings, value| {
            readings.max_window = Some(days(value));
        }),
        caps("one odd of", &[3, 50], |readings, one_of| readings.odd = Some(one_of)),
        caps("functions a page", &[1, 2], |readings, cap| readings.function_page_cap = Some(cap)),
    ]
}

/// Runs the cases side by side, and names every one that fails.
fn all_hold(cases: Vec<(String, Readings)>, check: impl Fn(&Readings) + Sync) {
    let cases = Mutex::new(cases.into_iter());
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some((name, readings)) = cases.lock().unwrap().next() else { return };
                    let caught =
                        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&readings)));
                    if caught.is_err() {
                        failed.lock().unwrap().push(format!("{name}: {readings:?}"));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} readings fail:\n{}", failed.len(), failed.join("\n"));
}

/// A first run, complete and right; a second that changes nothing.
fn holds(readings: &Readings) {
    let spec = small_world();
    let (since, home, cloud) =
        (later(spec.anchor, -4 * 86_400), Home::new(), Cloud::reading(spec, readings.clone()));
    let first = || home.sync_since(&cloud, &since.to_string());
    // What may be a record and cannot be read keeps its time unproven.
    let exit = if truth::rejects(&cloud, cloud.now()) > 0 { 3 } else { 0 };
    first().exits(exit);
    truth::assert_whole(&cloud, &home.db());
    truth::assert_settled(&cloud, &home.db(), since);
    let before = everything_kept(&home);
    first().args(["--open-recheck", "0s"]).exits(exit);
    let changed: Vec<_> =
        everything_kept(&home).into_iter().filter(|row| !before.contains(row)).collect();
    assert!(
        changed.is_empty(),
        "the second run changed {} rows: {:?}",
        changed.len(),
        &changed[..changed.len().min(3)]
    );
    truth::assert_settled(&cloud, &home.db(), since);
    home.run(["check"]).exits(0);
}

fn everything_kept(home: &Home) -> HashSet<String> {
    let tables = [
        "SELECT * FROM invocations ORDER BY request_id",
        "SELECT * FROM status_changes",
        "SELECT * FROM rejects",
    ];
    tables.iter().flat_map(|sql| archive::rows(&home.db(), sql)).collect()
}

#[test]
fn every_switch_alone() {
    let case = |(name, set): (String, Set)| {
        let mut readings = Readings::default();
        set(&mut readings);
        (name, readings)
    };
    all_hold(switches().into_iter().flatten().map(case).collect(), holds);
}

/// So dense that every boundary between two windows falls on a second with records.
#[test]
fn no_record_is_lost_between_windows() {
    let spec = WorldSpec {
        records: 20_000,
        functions: 1,
        span: 3_600,
        ..WorldSpec::new(later(now(), -DAY))
    };
    for &bounds in Bounds::value_variants() {
        for &filter in Filter::value_variants() {
            for order in [Order::OldestFirst, Order::NewestFirst] {
                let readings = Readings { bounds, filter, order, ..Readings::default() };
                let (home, cloud) = (Home::new(), Cloud::reading(spec.clone(), readings));
                home.sync_since(&cloud, "3d").exits(0);
                truth::assert_whole(&cloud, &home.db());
            }
        }
    }
}

/// Pages so small that a burst takes many, which only a stable order lets a run prove.
#[test]
fn tiny_pages() {
    let case =
        |cap| (format!("page cap {cap}"), Readings { page_cap: Some(cap), ..Readings::default() });
    all_hold([2, 3, 7].map(case).into(), holds);
}

/// Pages that can share no record are joined by asking twice for what lies on both sides.
#[test]
fn pages_of_one_record() {
    let spec = WorldSpec { records: 300, functions: 1, burst_size: 5, ..small_world() };
    let (home, cloud) =
        (Home::new(), Cloud::reading(spec, Readings { page_cap: Some(1), ..Readings::default() }));
    home.sync_since(&cloud, "4d").exits(0);
    assert!(truth::unproven(&home.db(), &cloud.functions()[0]).is_empty());
    assert_eq!(archive::records(&home.db()), truth::records(&cloud, cloud.now()));
}

#[test]
fn switches_in_any_combination() {
    let switches = switches();
    let case = |seed: u64| {
        let (mut rng, mut readings) = (Rng::with_seed(seed), Readings::default());
        for switch in &switches {
            let (_, set) = &switch[rng.usize(..switch.len())];
            set(&mut readings);
        }
        // The last switch of all would otherwise be on everywhere.
        for cap in [&mut readings.page_cap, &mut readings.result_cap, &mut readings.odd] {
            *cap = cap.filter(|_| rng.bool());
        }
        readings.max_window = readings.max_window.filter(|_| rng.bool());
        if readings.order == Order::UnstableTies {
            // What cannot be read is narrowed down to windows that end within a burst, whose
            // records trade places: those are not proven either.
            readings.odd = None;
        }
        (format!("seed {seed}"), readings)
    };
    all_hold((0..60).map(case).collect(), holds);
}

/// A burst that fills more than a page, and one that reaches the cap of a query.
fn bursting(burst_size: u64) -> WorldSpec {
    WorldSpec {
        records: 2 * burst_size + 2_000,
        functions: 1,
        bursts: 2,
        burst_size,
        ..small_world()
    }
}

/// The seconds with at least so many records, each of which makes the seconds beside it as hard to
/// walk: neighbouring windows share their boundary.
fn crowded(cloud: &Cloud, least: usize) -> BTreeSet<Timestamp> {
    let starts: Vec<_> =
        cloud.emulator.world().shown(0, cloud.now()).map(|shown| shown.start).collect();
    let crowds = starts.chunk_by(|one, other| one == other).filter(|second| second.len() >= least);
    crowds.flat_map(|second| (-1..=1).map(|beside| later(second[0], beside))).collect()
}

#[test]
fn a_burst_of_several_pages_is_proven_in_any_stable_order() {
    for order in [Order::OldestFirst, Order::NewestFirst, Order::ById] {
        for count in Count::value_variants() {
            let readings =
                Readings { order, count: *count, result_cap: Some(5_000), ..Readings::default() };
            let (home, cloud) = (Home::new(), Cloud::reading(bursting(3_000), readings));
            home.sync_since(&cloud, "4d").exits(0);
            truth::assert_whole(&cloud, &home.db());
        }
    }
}

/// Where a proof is impossible, exactly the seconds that forbid it are left unproven.
#[track_caller]
fn only_crowds_are_unproven(readings: Readings, burst_size: u64) -> (Home, Cloud) {
    let (home, cloud) = (Home::new(), Cloud::reading(bursting(burst_size), readings));
    home.sync_since(&cloud, "4d").exits(3).says("could not be proven complete");
    let unproven = truth::unproven(&home.db(), &cloud.functions()[0]);
    let crowds = crowded(&cloud, usize::try_from(burst_size).unwrap());
    let seconds: BTreeSet<_> = unproven
        .iter()
        .flat_map(|window| (window.begin.unix()..window.end.unix()).map(Timestamp::from_unix))
        .collect();
    assert!(seconds.is_superset(&crowds), "{seconds:?}");
    // A second beside them that shows nothing may hold what they hide.
    let beside =
        |second: &Timestamp| (-1..=1).any(|distance| crowds.contains(&later(*second, distance)));
    assert!(seconds.iter().all(beside), "{seconds:?}");
    (home, cloud)
}

#[test]
fn a_burst_in_an_unstable_order_is_called_unproven() {
    let readings = Readings { order: Order::UnstableTies, ..Readings::default() };
    let (home, cloud) = only_crowds_are_unproven(readings, 900);
    // Every record outside of the bursts is there, and none is there that is not in the world.
    let (mut world, archived) = (truth::records(&cloud, cloud.now()), archive::records(&home.db()));
    let crowds: Vec<_> = crowded(&cloud, 900).iter().map(ToString::to_string).collect();
    world.retain(|id, record| {
        archived.contains_key(id) || !crowds.contains(record[4].as_ref().unwrap())
    });
    truth::assert_same(&world, &archived);
}

#[test]
fn a_burst_beyond_the_cap_is_called_unproven() {
    for capped_count in [CappedCount::True, CappedCount::Capped] {
        for count in Count::value_variants() {
            let readings = Readings {
                count: *count,
                result_cap: Some(5_000),
                capped_count,
                ..Readings::default()
            };
            let (home, cloud) = only_crowds_are_unproven(readings, 5_600);
            let archived = archive::records(&home.db());
            assert_eq!(archived.len(), truth::records(&cloud, cloud.now()).len() - 2 * 600);
        }
    }
}
