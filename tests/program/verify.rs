//! `verify`: settled windows are walked again, what differs is found and repaired, and the share of
//! a run that does so.

use crate::archive;
use crate::cloud::{Cloud, later, settled_world};
use crate::live::{ANCHOR, Live, Settings, going_on};
use crate::program::{Home, Program};
use crate::truth;
use fgarchive::domain::Timestamp;
use fgarchive::emulator::{Faults, Order, Readings, WorldSpec};
use fgarchive::error::FailureKind;
use fgarchive::sync::{RunReport, Selection, Task};
use rusqlite::Connection;
use std::time::Duration;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

fn verify(home: &Home, cloud: &Cloud) -> Program {
    home.run(["verify", "--max-rps", "100000"]).to(cloud).signed()
}

fn synced() -> (Home, Cloud) {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    home.sync_since(&cloud, "2d").exits(0);
    (home, cloud)
}

fn edit(home: &Home, sql: &str) {
    Connection::open(home.db()).unwrap().execute_batch(sql).unwrap();
}

/// The ids of some records of the archive, spread over it.
fn ids(home: &Home, count: usize) -> Vec<String> {
    let all = archive::rows(
        &home.db(),
        "SELECT request_id FROM invocations ORDER BY start_time, request_id",
    );
    all.iter().step_by(all.len() / count).take(count).cloned().collect()
}

#[test]
fn what_is_as_it_was_is_left_as_it_is() {
    let (home, cloud) = synced();
    let before = archive::records(&home.db());
    let ledger = archive::rows(&home.db(), "SELECT * FROM windows ORDER BY 1, 2");
    let said = verify(&home, &cloud).args(["--json"]).exits(0).json();
    assert_eq!(said["discrepancies"], 0);
    let shown: u64 = said["windows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|window| window["records"].as_u64().unwrap())
        .sum();
    assert_eq!(shown, 2_400, "every record was shown again: {said}");
    assert!(archive::records(&home.db()) == before);
    assert_eq!(archive::rows(&home.db(), "SELECT * FROM windows ORDER BY 1, 2"), ledger);
    let runs =
        "SELECT command, outcome, exit_code, requests = verify_requests FROM runs ORDER BY id";
    assert_eq!(archive::rows(&home.db(), runs), ["sync|complete|0|0", "verify|complete|0|1"]);
    let said = verify(&home, &cloud).exits(0);
    assert!(
        said.everything().contains("every record was shown to the first walk of its time"),
        "{}",
        said.everything()
    );
}

#[test]
fn what_was_edited_deleted_or_invented_is_found_and_repaired() {
    let (home, cloud) = synced();
    let some = ids(&home, 7);
    edit(
        &home,
        &format!(
            "UPDATE invocations SET status = 'DISCARD' WHERE request_id = '{}';
             UPDATE invocations SET end_time = '2001-01-01T00:00:00Z' WHERE request_id = '{}';
             DELETE FROM invocations WHERE request_id IN ('{}', '{}', '{}');
             INSERT INTO invocations SELECT 'invented', function_id, status, error_code,
                 error_message, start_time,
                    end_time, 1, 1, NULL, NULL, NULL FROM invocations WHERE request_id = '{}'",
            some[1], some[2], some[3], some[4], some[5], some[6],
        ),
    );
    let said = verify(&home, &cloud)
        .exits(7)
        .says("6 records of")
        .says("hint: what was late or changed is archived now");
    for (finding, id) in [
        ("changed", &some[1]),
        ("changed", &some[2]),
        ("late", &some[3]),
        ("late", &some[5]),
        ("gone", &"invented".to_owned()),
    ] {
        assert!(said.everything().contains(&format!("{finding:<8} {id}")), "{}", said.everything());
    }
    let last_run = "SELECT outcome, exit_code FROM runs ORDER BY id DESC LIMIT 1";
    assert_eq!(archive::rows(&home.db(), last_run), ["found|7"]);
    let sums = "SELECT sum(late), sum(changed), sum(gone), sum(forgotten) FROM verifications";
    assert_eq!(archive::rows(&home.db(), sums), ["3|2|1|0"]);
    let history = format!(
        "SELECT from_status, accepted FROM status_changes WHERE request_id = '{}'",
        some[1]
    );
    assert_eq!(archive::rows(&home.db(), &history), ["DISCARD|1"]);
    // What the service no longer shows is nobody's to delete, and is found until somebody does.
    verify(&home, &cloud).exits(7).says("one record of one settled window");
    edit(&home, "DELETE FROM invocations WHERE request_id = 'invented'");
    verify(&home, &cloud).exits(0);
    truth::assert_whole(&cloud, &home.db());
}

#[test]
fn only_what_was_selected_is_walked() {
    let (home, cloud) = synced();
    let some = ids(&home, 4);
    let start = |id: &str| {
        archive::rows(
            &home.db(),
            &format!("SELECT start_time FROM invocations WHERE request_id = '{id}'"),
        )
    };
    let (early, late) = (start(&some[0])[0].clone(), start(&some[3])[0].clone());
    edit(&home, &format!("DELETE FROM invocations WHERE request_id = '{}'", some[0]));
    verify(&home, &cloud).args(["--since", &late]).exits(0);
    verify(&home, &cloud).args(["--since", &early, "--until", &late]).exits(7);
    let sampled = verify(&home, &cloud).args(["--sample", "2", "--json"]).exits(0).json();
    let windows = sampled["windows"].as_array().unwrap().len();
    let functions = cloud.functions().len();
    assert!((functions..=2 * functions).contains(&windows), "{sampled}");
    assert!(
        sampled["requests"].as_u64().unwrap() <= 4 * functions as u64,
        "about a page each: {sampled}"
    );
}

#[test]
fn verifying_needs_an_archive_and_functions_that_are_in_it() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    verify(&home, &cloud).exits(6).says("hint:");
    assert!(!home.db().exists(), "verifying makes no archive");
    home.sync_since(&cloud, "2d").exits(0);
    verify(&home, &cloud)
        .args(["--function", "stranger"])
        .exits(2)
        .says("the archive holds no function")
        .says("hint: `fgarchive status` lists");
    let ended = "SELECT command, outcome, exit_code FROM runs ORDER BY id DESC LIMIT 1";
    assert_eq!(
        archive::rows(&home.db(), ended),
        ["verify|incomplete|2"],
        "it does not look killed"
    );
    verify(&home, &cloud)
        .args(["--since", "40d", "--until", "30d"])
        .exits(0)
        .says("no settled window was there to verify");
}

#[test]
fn a_function_of_which_nothing_is_settled_is_named() {
    let (home, cloud) = synced();
    edit(
        &home,
        "UPDATE windows SET state = 'unproven', proof = NULL, reason = 'x' WHERE function_id = 2",
    );
    let said = verify(&home, &cloud).exits(0);
    let named = said.stderr.lines().filter(|line| line.contains("no settled window was there"));
    assert_eq!(named.count(), 1, "{}", said.stderr);
}

fn verify_with(live: &Live, settings: &Settings) -> RunReport {
    live.run_for(Task::Verify(Selection::default()), settings)
}

#[test]
fn records_that_came_after_their_window_was_settled_are_found_with_their_lateness() {
    let live = Live::amid(WorldSpec { lateness: 2 * 3_600, ..going_on() }, Readings::default());
    for moment in [0, HOUR, 2 * HOUR, DAY] {
        live.complete_at(moment);
    }
    let missing = truth::records(&live.cloud, live.cloud.now()).len() - live.records().len();
    assert!(missing > 3, "{missing} records came after the settle delay");
    let report = verify_with(&live, &live.settings());
    assert_eq!(report.failure_kind(), Some(FailureKind::Finding));
    assert_eq!(report.verified().map(|window| window.late).sum::<u64>(), missing as u64);
    live.assert_whole();
    // Whoever comes after the settle delay was missed by a walk that began later than that.
    let bounds = "SELECT min(unixepoch(seen_at) - unixepoch(start_time)) >= 900,
                         min(unixepoch(missed_at) - unixepoch(start_time)) >= 0 FROM late_records";
    assert_eq!(archive::rows(&live.db(), bounds), ["1|1"]);
    assert_eq!(verify_with(&live, &live.settings()).failure_kind(), None);
}

#[test]
fn what_the_service_forgot_is_not_gone_and_what_had_not_ended_has_not_changed() {
    let retention = u64::try_from(2 * DAY).unwrap();
    let live = Live::new(
        WorldSpec { retention: Some(retention), span: 86_400, ..going_on() },
        Readings::default(),
    );
    live.complete_at(0);
    let open = archive::number(
        &live.db(),
        "SELECT count(*) FROM invocations WHERE status IN ('WAIT', 'RUNNING')",
    );
    assert!(open > 0);
    let all = live.records();
    live.cloud.clock.set(later(Timestamp::from_unix(ANCHOR), 3 * DAY / 2));
    let report = verify_with(&live, &live.settings());
    assert_eq!(report.failure_kind(), None, "{:?}", report.sources);
    let forgotten: u64 = report.verified().map(|window| window.forgotten).sum();
    let shown = truth::records(&live.cloud, live.cloud.now());
    let shown = all.keys().filter(|id| shown.contains_key(*id)).count() as u64;
    assert!(
        forgotten > 100 && report.counts().records.changed > 0,
        "{forgotten} forgotten, {} changed",
        report.counts().records.changed
    );
    assert_eq!(forgotten + shown, all.len() as u64);
    assert_eq!(live.records().len(), all.len());
}

#[test]
fn a_walk_that_cannot_be_proven_verifies_nothing() {
    // Bursts of forty records in a second, five on a page, of which every other answer has lost the
    // first.
    let spec = WorldSpec { records: 300, functions: 1, ..going_on() };
    let live = Live::new(spec, Readings { page_cap: Some(5), ..Readings::default() });
    live.complete_at(0);
    live.complete_at(DAY);
    let slid = r#"{ "rules": [{ "on": "invocations", "share": 0.5, "faults": [{ "slid": { "records": 1 } }] }] }"#;
    live.cloud.emulator.set_faults(slid.parse::<Faults>().unwrap());
    let before = archive::rows(&live.db(), "SELECT * FROM windows ORDER BY 1, 2");
    let report = verify_with(&live, &live.settings());
    assert!(report.functions().any(|function| !function.unproven.is_empty()));
    assert!(report.failure_kind().is_some());
    assert_eq!(
        archive::rows(&live.db(), "SELECT * FROM windows ORDER BY 1, 2"),
        before,
        "settled stays settled"
    );
}

/// Runs of every hour for three weeks verify by and by everything that is settled, and no more than
/// their share.
#[test]
fn a_share_of_the_requests_verifies_what_was_looked_at_longest_ago() {
    let live = Live::new(
        WorldSpec { records: 4_000, span: 10 * 86_400, ..going_on() },
        Readings { order: Order::ById, ..Readings::default() },
    );
    let (task, settings) = (Task::Sync { verify_share: 0.1 }, live.settings());
    let anchor = Timestamp::from_unix(ANCHOR);
    for hour in 0..21 * 24 {
        live.cloud.clock.set(later(anchor, hour * HOUR));
        assert!(live.run_for(task, &settings).failure_kind().is_none());
    }
    let spent = "SELECT sum(verify_requests) * 100 / sum(requests) FROM runs";
    assert!(
        (8..=10).contains(&archive::number(&live.db(), spent)),
        "{:?}",
        archive::rows(&live.db(), spent)
    );
    let records = "SELECT count(*) FROM invocations i
                    WHERE NOT EXISTS (SELECT 1 FROM verifications v
                                       WHERE v.function_id = i.function_id
                                         AND i.start_time >= v.begin_time
                                             AND i.start_time < v.end_time)";
    assert_eq!(archive::number(&live.db(), records), 0, "records in no verified window");
    let within_a_day = "SELECT count(*) FROM verifications
                            WHERE unixepoch(verified_at) - unixepoch(end_time) < 86400";
    assert_eq!(archive::number(&live.db(), within_a_day), 0);
    // Without a share nothing is verified.
    let before = archive::number(&live.db(), "SELECT count(*) FROM verifications");
    live.cloud.clock.set(later(anchor, 25 * DAY));
    let settings = Settings { settle_delay: Duration::from_mins(15), ..live.settings() };
    live.run_for(Task::Sync { verify_share: 0.0 }, &settings);
    assert_eq!(archive::number(&live.db(), "SELECT count(*) FROM verifications"), before);
}
