//! A world that moves: statuses change between runs, records come late, and expire while they are
//! paged.

use crate::archive::{self, Records};
use crate::cloud::{Cloud, later};
use crate::live::{ANCHOR, Live, Settings, going_on};
use crate::truth;
use clap::ValueEnum;
use fgarchive::clock::Clock;
use fgarchive::domain::Timestamp;
use fgarchive::emulator::{
    Count, Filter, Lookup, OpenTime, Order, Phase, Readings, RecordId, WaitStart, WorldSpec,
};
use std::time::Duration;

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

fn phase(live: &Live, id: &str, at: Timestamp) -> Option<Phase> {
    let world = live.cloud.emulator.world();
    let place = world.locate(RecordId::parse(id).unwrap()).unwrap();
    world.state_at(place, at).map(|shown| shown.phase)
}

/// A FAIL that is being tried again stays a FAIL in the archive until its new end is known.
fn with_retries_standing(world: Records, archived: &Records) -> Records {
    let status = |record: &archive::Record| record[1].clone();
    let standing = |(id, record): (String, archive::Record)| match archived.get(&id) {
        Some(kept)
            if status(kept).as_deref() == Some("FAIL")
                && status(&record).as_deref() == Some("RUNNING") =>
        {
            (id, kept.clone())
        }
        _ => (id, record),
    };
    world.into_iter().map(standing).collect()
}

/// Every change that was archived happened after the one moment and by the other.
#[track_caller]
fn assert_history(live: &Live) -> usize {
    let changes = archive::rows(
        &live.db(),
        "SELECT request_id, from_status, to_status, after_time, by_time, accepted
             FROM status_changes ORDER BY id",
    );
    let mut retried = std::collections::HashSet::new();
    for change in &changes {
        let [id, from, to, after, by, accepted] = change.split('|').collect::<Vec<_>>()[..] else {
            panic!("{change}")
        };
        let (after, by): (Timestamp, Timestamp) = (after.parse().unwrap(), by.parse().unwrap());
        let (before, then) = (phase(live, id, after), phase(live, id, by));
        assert!(after < by, "{change}");
        assert_eq!(then.map(Phase::as_str), Some(to), "{change}");
        if accepted == "0" {
            retried.insert(id.to_owned());
        }
        let was = before.map(Phase::as_str);
        assert!(
            was == Some(from) || (retried.contains(id) && was == Some("RUNNING")),
            "{change}: it was {was:?}"
        );
    }
    changes.len()
}

/// Runs at these moments; after each the archive is the world, but for what no run can know yet.
fn follow(spec: WorldSpec, readings: Readings, moments: &[i64]) -> Live {
    let live = Live::amid(spec, readings);
    for &moment in moments {
        live.complete_at(moment);
        let archived = live.records();
        let world = with_retries_standing(truth::records(&live.cloud, live.cloud.now()), &archived);
        let known = |id: &String| {
            !is_young_fail(&live, id, &archived) && !waits_without_a_start(id, &archived)
        };
        let (mut world, mut archived) = (world, archived.clone());
        world.retain(|id, _| known(id));
        archived.retain(|id, _| world.contains_key(id));
        truth::assert_same(&world, &archived);
    }
    live
}

/// It is taken to have begun when it was first seen, and left to the walk of that time, while it is
/// filed under another.
fn waits_without_a_start(id: &str, archived: &Records) -> bool {
    archived
        .get(id)
        .is_some_and(|record| record[1].as_deref() == Some("WAIT") && record[4].is_none())
}

/// A FAIL is asked for again once it is an hour old; until then a retry may have changed it unseen.
fn is_young_fail(live: &Live, id: &str, archived: &Records) -> bool {
    let Some([_, Some(status), _, _, _, Some(end), _]) = archived.get(id) else { return false };
    let Ok(end) = end.parse::<Timestamp>() else { return false };
    status == "FAIL" && live.cloud.now() < later(end, HOUR)
}

/// Every half minute for a while, then further and further apart.
fn moments() -> Vec<i64> {
    (0..30).map(|nth| nth * 30).chain([1_200, 5_000, 9 * HOUR, 5 * DAY]).collect()
}

#[test]
fn statuses_change_between_runs_and_the_history_bounds_each_change() {
    let live = follow(going_on(), Readings::default(), &moments());
    let changes = assert_history(&live);
    assert!(changes > 60, "{changes}");
    let kinds = archive::rows(
        &live.db(),
        "SELECT DISTINCT from_status || ' ' || to_status || ' ' || accepted FROM status_changes",
    );
    for kind in [
        "WAIT RUNNING 1",
        "RUNNING SUCCESS 1",
        "RUNNING FAIL 1",
        "WAIT DISCARD 1",
        "FAIL RUNNING 0",
        "FAIL SUCCESS 1",
    ] {
        assert!(kinds.iter().any(|found| found == kind), "{kind} is not among {kinds:?}");
    }
    // After five days, everything has ended.
    live.assert_whole();
    assert_eq!(archive::number(&live.db(), "SELECT count(*) FROM open_records"), 0);
}

#[test]
fn statuses_change_under_every_reading_that_a_change_touches() {
    let times = [
        (OpenTime::Empty, WaitStart::Known, Order::OldestFirst),
        (OpenTime::YearOne, WaitStart::Open, Order::UnstableTies),
        (OpenTime::Start, WaitStart::Open, Order::NewestFirst),
        (OpenTime::Absent, WaitStart::Open, Order::ById),
    ];
    for &filter in Filter::value_variants() {
        for &lookup in Lookup::value_variants() {
            for (open_time, wait_start, order) in times {
                let readings = Readings {
                    filter,
                    lookup,
                    open_time,
                    wait_start,
                    order,
                    ..Readings::default()
                };
                let shown = format!("{readings:?}");
                let held =
                    || follow(going_on(), readings, &[0, 1_200, 5_000, 5 * DAY]).assert_whole();
                assert!(std::panic::catch_unwind(held).is_ok(), "{shown}");
            }
        }
    }
}

#[test]
fn records_that_come_late_are_found_and_counted() {
    let live = follow(WorldSpec { lateness: 900, ..going_on() }, Readings::default(), &[0, 1_000]);
    let late = archive::rows(&live.db(), "SELECT request_id, missed_at, seen_at FROM late_records");
    assert!(late.len() > 2, "{}", late.len());
    for record in late {
        let [id, missed, seen] = record.split('|').collect::<Vec<_>>()[..] else {
            panic!("{record}")
        };
        assert_eq!(phase(&live, id, missed.parse().unwrap()), None, "{record} was listed already");
        assert!(phase(&live, id, seen.parse().unwrap()).is_some(), "{record}");
    }
}

#[test]
fn later_records_need_a_longer_settle_delay() {
    let spec = WorldSpec { lateness: 2 * 3_600, ..going_on() };
    let live = Live::amid(spec, Readings::default());
    let began = live.cloud.now();
    let patient = Settings { settle_delay: Duration::from_hours(2), ..live.settings() };
    for moment in [0, 3_000, 2 * DAY, 5 * DAY] {
        live.cloud.clock.set(later(began, moment));
        assert!(live.sync_with(&patient).failure_kind().is_none());
    }
    live.assert_whole();
}

#[test]
fn a_record_without_an_end_is_given_up_after_fourteen_days() {
    // What is still running expires from the listing before it ends.
    let spec = WorldSpec { retention: Some(12 * 3_600), slow: 50_000, ..going_on() };
    let live = Live::new(spec, Readings::default());
    live.complete_at(0);
    // The service forgets faster than these runs come, which they say; what is asked here is
    // something else.
    let run_on = |day: i64| {
        live.cloud.clock.set(later(live.cloud.emulator.world().spec().anchor, day * DAY));
        assert!(
            live.sync_with(&live.settings()).functions().all(|function| function.failure.is_none())
        );
    };
    let unfinished =
        "SELECT request_id FROM invocations WHERE status IN ('RUNNING', 'WAIT') ORDER BY 1";
    for day in [1, 13] {
        run_on(day);
        assert_eq!(
            archive::number(&live.db(), "SELECT count(given_up_at) FROM invocations"),
            0,
            "day {day}"
        );
        let waited_for = "SELECT request_id FROM open_records JOIN invocations USING (request_id)
                              WHERE status <> 'FAIL' ORDER BY 1";
        assert_eq!(
            archive::rows(&live.db(), waited_for),
            archive::rows(&live.db(), unfinished),
            "day {day}"
        );
    }
    run_on(15);
    let given_up = "SELECT request_id FROM invocations WHERE given_up_at IS NOT NULL
                        AND status IN ('RUNNING', 'WAIT') ORDER BY 1";
    let given_up = archive::rows(&live.db(), given_up);
    assert!(given_up.len() > 5, "{}", given_up.len());
    assert_eq!(given_up, archive::rows(&live.db(), unfinished));
}

/// Every request takes seconds, and every second the oldest records expire: pages move while they
/// are walked.
#[test]
fn records_that_expire_while_paged_take_no_other_with_them() {
    let orders = [Order::OldestFirst, Order::NewestFirst, Order::ById];
    // Where the service gives no total, the seams alone can tell that a page has moved.
    let cases =
        Count::value_variants().iter().flat_map(|&count| orders.map(|order| (order, count)));
    for (seed, (order, count)) in (1..).zip(cases) {
        let spec = WorldSpec {
            seed,
            records: 12_000,
            span: 27 * 3_600,
            // A day is the least that a service keeps.
            retention: Some(26 * 3_600),
            slow: 0,
            retried: 0,
            functions: 1,
            ..WorldSpec::new(Timestamp::from_unix(ANCHOR))
        };
        let clock = Clock::fixed(spec.anchor);
        let shared = clock.clone();
        let ticking = move || {
            shared.set(later(shared.now(), 5));
            shared.now()
        };
        let live = Live::of(Cloud::on(
            spec,
            Readings { order, count, ..Readings::default() },
            clock,
            ticking,
        ));
        let before = truth::records(&live.cloud, live.cloud.now());
        live.complete();
        let after = truth::records(&live.cloud, live.cloud.now());
        assert!(before.len() > after.len() + 20, "nothing expired meanwhile");
        let archived = live.records();
        let missing: Vec<_> = before
            .keys()
            .filter(|id| after.contains_key(*id) && !archived.contains_key(*id))
            .collect();
        assert!(
            missing.is_empty(),
            "{order:?} {count:?} seed {seed}: {} of {} are missing",
            missing.len(),
            after.len()
        );
    }
}
