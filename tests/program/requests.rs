//! What a run costs: requests are metered, so their number is a promise.

use crate::archive;
use crate::cloud::{Cloud, later, now, settled_world};
use crate::live::{ANCHOR, Live, Settings};
use crate::program::Home;
use fgarchive::domain::Timestamp;
use fgarchive::emulator::{LastMarker, Readings, WorldSpec};

/// The most requests that a first run of so many records may cost: 5 % more than full pages, and
/// two for each function.
fn most(records: u64, functions: usize) -> u64 {
    records.div_ceil(500) * 105 / 100 + 2 * functions as u64
}

/// The same where `next_marker` points on from the last page: one for each window more, which hold
/// some 4,200 records, to see that nothing follows.
fn most_pointing_on(records: u64, functions: usize) -> u64 {
    most(records, functions) + records.div_ceil(4_000)
}

/// In this process, one request at a time and on a clock that stands still: the order of the
/// answers and the round numbers among them, which windows are chosen by, are then the same on
/// every machine and day.
fn first_run_costs_little(spec: &WorldSpec) {
    first_run_costs(spec, LastMarker::Zero, most);
    first_run_costs(spec, LastMarker::Total, most_pointing_on);
}

fn first_run_costs(spec: &WorldSpec, last_marker: LastMarker, most: impl Fn(u64, usize) -> u64) {
    let live = Live::new(spec.clone(), Readings { last_marker, ..Readings::default() });
    let report = live.sync_with(&Settings { concurrency: 1, since: None, ..live.settings() });
    assert!(report.failure_kind().is_none());
    let archived = archive::number(&live.db(), "SELECT count(*) FROM invocations").unsigned_abs();
    assert!(archived > spec.records * 99 / 100, "{archived} of {}", spec.records);
    let (asked, most) = (live.cloud.listings(), most(archived, spec.functions));
    assert!(
        asked <= most,
        "seed {}: {asked} requests for {archived} records, {most} are allowed",
        spec.seed
    );
}

fn world() -> WorldSpec {
    WorldSpec::new(Timestamp::from_unix(ANCHOR))
}

#[test]
fn a_first_run_of_twenty_thousand_records() {
    for seed in 1..=5 {
        first_run_costs_little(&WorldSpec { seed, ..world() });
    }
}

#[test]
fn a_first_run_of_two_hundred_thousand_records() {
    for seed in 1..=3 {
        first_run_costs_little(&WorldSpec { seed, records: 200_000, ..world() });
    }
}

/// Side by side on a busy machine, an answer that comes late can cost a window that is cut too
/// short.
#[test]
fn a_first_run_side_by_side_costs_hardly_more() {
    let (home, cloud) =
        (Home::new(), Cloud::new(WorldSpec { records: 100_000, ..WorldSpec::new(now()) }));
    home.sync(&cloud).args(["--concurrency", "8"]).exits(0);
    let most = most_pointing_on(100_000, 3) * 105 / 100;
    assert!(cloud.listings() <= most, "{} requests, {most} are allowed", cloud.listings());
}

#[test]
fn a_first_run_of_many_small_functions() {
    first_run_costs_little(&WorldSpec { records: 3_000, functions: 30, ..world() });
}

#[test]
fn a_run_with_nothing_new_asks_little_and_writes_no_record() {
    let (home, cloud) = (Home::new(), Cloud::new(WorldSpec { records: 20_000, ..settled_world() }));
    home.sync(&cloud).exits(0);
    let records = || archive::rows(&home.db(), "SELECT * FROM invocations ORDER BY request_id");
    let before = records();
    for hours in [0, 1, 24] {
        cloud.emulator.forget();
        let report = home.sync(&cloud).args(["--json"]).exits(0).json();
        assert_eq!(
            (report["records_new"].as_u64(), report["records_changed"].as_u64()),
            (Some(0), Some(0))
        );
        let asked = cloud.listings();
        assert!((1..=3 * 3).contains(&asked), "{asked} requests after {hours} hours");
        assert_eq!(records(), before);
    }
}

#[test]
fn a_run_after_a_quiet_day_asks_little() {
    let (home, cloud) = (Home::new(), Cloud::new(WorldSpec { records: 20_000, ..settled_world() }));
    let until = later(cloud.now(), -3_600).to_string();
    home.sync(&cloud).args(["--until", &until]).exits(0);
    cloud.emulator.forget();
    home.sync(&cloud).exits(0);
    assert!(cloud.listings() <= 3 * 3, "{} requests", cloud.listings());
}
