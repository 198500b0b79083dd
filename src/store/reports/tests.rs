//! Known rows, and the answers that a person computed from them.

use super::parameter::Kind;
use super::*;
use crate::domain::{Timestamp, Zone};
use crate::store::file::StoreError;
use crate::store::testing::{Fixture, shown};
use pretty_assertions::assert_eq;
use std::time::Duration;

/// Ten records: eight of `report`, two of `invoice`, one of them without a start time.
const RECORDS: &str = "
    a1 SUCCESS 2026-03-01T10:00:00Z 2026-03-01T10:00:10Z
    a2 SUCCESS 2026-03-01T10:30:00Z 2026-03-01T10:30:20Z
    a3 SUCCESS 2026-03-01T11:00:00Z 2026-03-01T11:00:30Z
    a4 SUCCESS 2026-03-01T11:59:59Z 2026-03-01T12:00:39Z
    a5 FAIL    2026-03-01T12:00:00Z 2026-03-01T12:01:00Z
    a6 DISCARD 2026-03-02T00:00:00Z 2026-03-02T00:00:00Z
    a7 RUNNING 2026-03-02T08:00:00Z -
    a8 PAUSED  2026-03-02T09:00:00Z -
    b1 SUCCESS 2026-03-01T10:00:00Z 2026-03-01T10:00:05Z 2
    b2 WAIT    - - 2
";

fn world() -> Fixture {
    Fixture::new().with_records(RECORDS).with(
        "UPDATE invocations SET error_code = 1001, error_message = 'timed out' WHERE request_id = 'a5';
         INSERT INTO open_records VALUES ('a7', 1, '2026-03-02T08:01:00Z', '2026-03-02T09:00:00Z', '2026-03-02T09:00:00Z'),
                                         ('b2', 2, '2026-03-01T10:00:00Z', '2026-03-02T09:00:00Z', '2026-03-02T09:00:00Z');
         INSERT INTO status_changes VALUES
             (1, 'a4', 'WAIT', 'RUNNING', '2026-03-01T11:59:59Z', '2026-03-01T12:00:10Z', 1, 1),
             (2, 'a4', 'RUNNING', 'SUCCESS', '2026-03-01T12:00:10Z', '2026-03-02T12:00:10Z', 1, 2),
             (3, 'a4', 'SUCCESS', 'RUNNING', '2026-03-02T12:00:10Z', '2026-03-02T12:10:00Z', 0, 2);
         INSERT INTO amendments VALUES
             (1, 'a5', 'error_message', 'timed out', NULL, 0, '2026-03-02T12:05:00Z', 2),
             (2, 'a5', 'error_code', 1000, 1001, 1, '2026-03-02T12:05:00Z', 2);
         INSERT INTO windows VALUES
             (1, '2026-03-01T00:00:00Z', '2026-03-01T06:00:00Z', 'settled', 'both', 0, 0, 1, '2026-03-01T12:00:00Z', NULL),
             (1, '2026-03-01T06:00:00Z', '2026-03-01T07:00:00Z', 'lost', NULL, NULL, 0, 0, '2026-03-01T12:00:00Z', NULL),
             (1, '2026-03-01T08:00:00Z', '2026-03-02T08:00:00Z', 'proven', 'count', 6, 6, 1, '2026-03-02T08:00:00Z', NULL);
         INSERT INTO late_records VALUES
             ('a2', 1, '2026-03-01T10:30:00Z', '2026-03-01T10:31:00Z', '2026-03-01T10:35:00Z', 1),
             ('a3', 1, '2026-03-01T11:00:00Z', '2026-03-01T11:20:00Z', '2026-03-01T12:00:00Z', 1);
         INSERT INTO rejects VALUES (1, 1, '2026-03-01T12:00:00Z', 'no request_id', '{\"status\":\"FAIL\"}', 1);",
    )
}

fn answer_with(report: &str, change: impl FnOnce(&mut Arguments)) -> Result<String, StoreError> {
    answer_of(&world(), report, change)
}

fn answer_of(
    world: &Fixture,
    report: &str,
    change: impl FnOnce(&mut Arguments),
) -> Result<String, StoreError> {
    let mut arguments = Arguments::at(moment("2026-03-02T12:00:00Z"));
    change(&mut arguments);
    let mut reader = world.reader();
    let mut question =
        reader.ask(Report::find(report).unwrap(), &arguments, Duration::from_secs(30))?;
    shown(&mut question)
}

fn answer(report: &str) -> String {
    answer_with(report, |_| ()).unwrap()
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn own(name: &str, value: &str) -> Vec<(String, String)> {
    vec![(name.to_owned(), value.to_owned())]
}

#[test]
fn summary_counts_every_record_once() {
    assert_eq!(
        answer("summary"),
        "function | records | success | fail | discard | running | wait | other | failed_percent | first | last\n\
         default:report | 8 | 4 | 1 | 1 | 1 | 0 | 1 | 33.33 | 2026-03-01T10:00:00Z | 2026-03-02T09:00:00Z\n\
         billing:invoice | 2 | 1 | 0 | 0 | 0 | 1 | 0 | 0 | 2026-03-01T10:00:00Z | 2026-03-01T10:00:00Z"
    );
}

#[test]
fn totals_are_of_all_functions_together() {
    let columns = "records | success | fail | discard | running | wait | other | failed_percent | \
                   p50_s | p90_s | p99_s | open";
    let row = "10 | 5 | 1 | 1 | 1 | 1 | 1 | 28.57 | 20 | 40 | 40 | 2";
    assert_eq!(answer("totals"), format!("{columns}\n{row}"));
    let narrowed = answer_with("totals", |arguments| {
        arguments.since = Some(moment("2026-03-01T12:00:00Z"));
        arguments.until = Some(moment("2026-03-02T08:00:01Z"));
        arguments.functions = vec!["report".to_owned()];
    });
    let row = "3 | 0 | 1 | 1 | 1 | 0 | 0 | 100 |  |  |  | 1";
    assert_eq!(narrowed.unwrap().lines().last(), Some(row));
    let nothing = answer_of(&Fixture::new(), "totals", |_| ()).unwrap();
    assert_eq!(nothing.lines().last(), Some("0 | 0 | 0 | 0 | 0 | 0 | 0 |  |  |  |  | 0"));
    let gone = world().with("UPDATE functions SET gone_at = '2026-03-02T00:00:00Z' WHERE id = 2;");
    let open = answer_of(&gone, "totals", |_| ()).unwrap();
    assert!(open.ends_with(" | 1"), "what is gone is not waited for: {open}");
}

#[test]
fn a_trend_is_told_function_by_function() {
    assert_eq!(
        answer("trend").lines().collect::<Vec<_>>(),
        [
            "function | bucket | records | failed",
            "billing:invoice | 2026-02-23 | 1 | 0",
            "default:report | 2026-02-23 | 5 | 1",
            "default:report | 2026-03-02 | 3 | 1",
        ]
    );
    let hours = rows_in("Europe/Berlin", "2026-10-24T22:00:00Z", "trend", Some("hour"));
    let twice = ["2026-10-25T02:00:00+02:00 | 1 | 0", "2026-10-25T02:00:00+01:00 | 1 | 1"];
    for hour in twice {
        assert!(hours.iter().any(|row| row.ends_with(hour)), "{hours:?} lacks {hour}");
    }
    let months = rows_in("Europe/Berlin", "2026-10-24T22:00:00Z", "trend", Some("month"));
    assert_eq!(months, ["default:report | 2026-10 | 5 | 1"]);
}

#[test]
fn the_trend_of_errors_is_told_shape_by_shape() {
    let world = world().with_records(
        "c1 FAIL 2026-02-10T10:00:00Z -
         c2 FAIL 2026-02-11T10:00:00Z -
         c3 FAIL 2026-03-02T10:00:00Z - 2",
    );
    let world = world
        .with(
            "UPDATE invocations SET error_message = 'job ' || start_time || ' died'
              WHERE request_id LIKE 'c_';",
        )
        .accepted();
    let trend = answer_of(&world, "error-trend", |_| ()).unwrap();
    assert_eq!(
        trend.lines().collect::<Vec<_>>(),
        [
            "code | bucket | records | shape",
            " | 2026-02-09 | 2 | job <time> died",
            " | 2026-03-02 | 1 | job <time> died",
            "1001 | 2026-02-23 | 1 | timed out",
        ]
    );
    let days = answer_of(&world, "error-trend", |arguments| {
        arguments.own = [own("bucket", "day"), own("limit", "1")].concat();
        arguments.functions = vec!["invoice".to_owned()];
    });
    assert_eq!(days.unwrap().lines().last(), Some(" | 2026-03-02 | 1 | job <time> died"));
}

#[test]
fn a_range_holds_its_begin_and_not_its_end() {
    let narrowed = answer_with("summary", |arguments| {
        arguments.since = Some(moment("2026-03-01T12:00:00Z"));
        arguments.until = Some(moment("2026-03-02T08:00:00Z"));
    });
    let rows = "default:report | 2 | 0 | 1 | 1 | 0 | 0 | 0 | 100 | 2026-03-01T12:00:00Z | 2026-03-02T00:00:00Z";
    assert_eq!(narrowed.unwrap().lines().skip(1).collect::<Vec<_>>(), [rows]);
}

#[test]
fn a_function_is_chosen_by_name_package_or_urn() {
    let whole = answer("summary");
    let invoice = whole.lines().last().unwrap();
    for name in
        ["invoice", "billing:invoice", "urn:fss:cn-north-4:0123:function:billing:invoice:latest"]
    {
        let chosen =
            answer_with("summary", |arguments| arguments.functions = vec![name.to_owned()])
                .unwrap();
        assert_eq!(chosen.lines().skip(1).collect::<Vec<_>>(), [invoice], "{name}");
    }
    let refused =
        answer_with("summary", |arguments| arguments.functions = vec!["invoices".to_owned()])
            .unwrap_err();
    let failure = refused.into_failure("a.db".as_ref());
    assert_eq!(
        failure.to_string(),
        "cannot run the report: the archive holds no function `invoices`"
    );
    assert_eq!(failure.hint, Some("it holds: billing:invoice, default:report".into()));
}

#[test]
fn throughput_by_hour_and_by_day() {
    assert_eq!(
        answer("throughput"),
        "bucket | records | success | fail | discard | running | wait | other\n\
         2026-03-01T10:00:00Z | 3 | 3 | 0 | 0 | 0 | 0 | 0\n\
         2026-03-01T11:00:00Z | 2 | 2 | 0 | 0 | 0 | 0 | 0\n\
         2026-03-01T12:00:00Z | 1 | 0 | 1 | 0 | 0 | 0 | 0\n\
         2026-03-02T00:00:00Z | 1 | 0 | 0 | 1 | 0 | 0 | 0\n\
         2026-03-02T08:00:00Z | 1 | 0 | 0 | 0 | 1 | 0 | 0\n\
         2026-03-02T09:00:00Z | 1 | 0 | 0 | 0 | 0 | 0 | 1"
    );
    let days = answer_with("throughput", |arguments| {
        arguments.own = own("bucket", "day");
        arguments.functions = vec!["report".to_owned()];
    });
    assert_eq!(
        days.unwrap().lines().skip(1).collect::<Vec<_>>(),
        ["2026-03-01 | 5 | 4 | 1 | 0 | 0 | 0 | 0", "2026-03-02 | 3 | 0 | 0 | 1 | 1 | 0 | 1"]
    );
}

#[test]
fn latency_is_of_the_records_that_have_both_times() {
    assert_eq!(
        answer("latency"),
        "function | records | min_s | p50_s | p90_s | p99_s | max_s\n\
         billing:invoice | 1 | 5 | 5 | 5 | 5 | 5\n\
         default:report | 4 | 10 | 20 | 40 | 40 | 40"
    );
    let all = answer_with("latency", |arguments| arguments.own = own("status", "")).unwrap();
    assert_eq!(all.lines().last().unwrap(), "default:report | 6 | 0 | 20 | 60 | 60 | 60");
}

#[test]
fn slowest_first() {
    let three = answer_with("slowest", |arguments| arguments.own = own("limit", "2")).unwrap();
    assert_eq!(
        three,
        "request_id | function | status | start_time | end_time | seconds | error_message\n\
         a5 | default:report | FAIL | 2026-03-01T12:00:00Z | 2026-03-01T12:01:00Z | 60 | timed out\n\
         a4 | default:report | SUCCESS | 2026-03-01T11:59:59Z | 2026-03-01T12:00:39Z | 40 |"
    );
}

#[test]
fn failures_by_code_and_message() {
    assert_eq!(
        answer("failures"),
        "error_code | error_message | records | functions | first | last | example\n\
         1001 | timed out | 1 | 1 | 2026-03-01T12:00:00Z | 2026-03-01T12:00:00Z | a5"
    );
}

#[test]
fn open_records_with_their_age() {
    assert_eq!(
        answer("open"),
        "request_id | function | status | start_time | opened_at | checked_at | age_s\n\
         b2 | billing:invoice | WAIT |  | 2026-03-01T10:00:00Z | 2026-03-02T09:00:00Z | 93600\n\
         a7 | default:report | RUNNING | 2026-03-02T08:00:00Z | 2026-03-02T08:01:00Z | 2026-03-02T09:00:00Z | 14400"
    );
}

#[test]
fn open_records_of_an_age_or_more() {
    let older =
        |age: &str| answer_with("open", |arguments| arguments.own = own("older", age)).unwrap();
    assert_eq!(older("4h").lines().count(), 1 + 2, "an age is reached when it is");
    assert_eq!(older("4h 1s").lines().count(), 1 + 1);
    assert_eq!(older("30d").lines().count(), 1);
}

#[test]
fn the_path_of_one_record_begins_with_its_first_sighting() {
    let path = answer_with("transitions", |arguments| arguments.own = own("id", "a4")).unwrap();
    assert_eq!(
        path,
        "request_id | function | from_status | to_status | after_time | by_time | accepted | run_id\n\
         a4 | default:report |  | WAIT |  | 2026-03-01T12:00:30Z | 1 | 1\n\
         a4 | default:report | WAIT | RUNNING | 2026-03-01T11:59:59Z | 2026-03-01T12:00:10Z | 1 | 1\n\
         a4 | default:report | RUNNING | SUCCESS | 2026-03-01T12:00:10Z | 2026-03-02T12:00:10Z | 1 | 2\n\
         a4 | default:report | SUCCESS | RUNNING | 2026-03-02T12:00:10Z | 2026-03-02T12:10:00Z | 0 | 2"
    );
    assert_eq!(answer("transitions").lines().count(), 1 + 3);
}

#[test]
fn anomalies_are_what_was_not_believed() {
    assert_eq!(
        answer("anomalies"),
        "seen_at | request_id | function | standing_status | seen_status | status_now | field | standing | seen | run_id\n\
         2026-03-02T12:05:00Z | a5 | default:report |  |  | FAIL | error_message | timed out |  | 2\n\
         2026-03-02T12:10:00Z | a4 | default:report | SUCCESS | RUNNING | SUCCESS | status | SUCCESS | RUNNING | 2"
    );
}

#[test]
fn coverage_shows_the_ranges_between() {
    assert_eq!(
        answer("coverage"),
        "function | begin_time | end_time | seconds | state | answer | proof | reported_count | distinct_count | pages | walked_at | reason\n\
         default:report | 2026-03-01T00:00:00Z | 2026-03-01T06:00:00Z | 21600 | settled | empty | both | 0 | 0 | 1 | 2026-03-01T12:00:00Z |\n\
         default:report | 2026-03-01T06:00:00Z | 2026-03-01T07:00:00Z | 3600 | lost | lost |  |  | 0 | 0 | 2026-03-01T12:00:00Z |\n\
         default:report | 2026-03-01T07:00:00Z | 2026-03-01T08:00:00Z | 3600 | not walked | not walked |  |  | 0 | 0 |  |\n\
         default:report | 2026-03-01T08:00:00Z | 2026-03-02T08:00:00Z | 86400 | proven | records | count | 6 | 6 | 1 | 2026-03-02T08:00:00Z |"
    );
    let gaps = answer_with("coverage", |arguments| arguments.own = own("state", "gaps")).unwrap();
    assert_eq!(gaps.lines().count(), 1 + 2);
}

#[test]
fn lateness_record_by_record_and_summed_up() {
    assert_eq!(
        answer("late"),
        "start_time | request_id | function | missed_at | seen_at | at_least_s | at_most_s\n\
         2026-03-01T10:30:00Z | a2 | default:report | 2026-03-01T10:31:00Z | 2026-03-01T10:35:00Z | 60 | 300\n\
         2026-03-01T11:00:00Z | a3 | default:report | 2026-03-01T11:20:00Z | 2026-03-01T12:00:00Z | 1200 | 3600"
    );
    assert_eq!(
        answer("lateness"),
        "function | late_records | missed_max_s | shown_p50_s | shown_p90_s | shown_p99_s | shown_max_s\n\
         default:report | 2 | 1200 | 300 | 3600 | 3600 | 3600"
    );
}

#[test]
fn what_a_settle_delay_would_have_caught() {
    assert_eq!(
        answer("settling").lines().take(8).collect::<Vec<_>>(),
        [
            "settle_delay_s | caught | missed | caught_pct | note",
            "0 | 7 | 2 | 77.778 |",
            "60 | 7 | 2 | 77.778 |",
            "300 | 8 | 1 | 88.889 |",
            "900 | 8 | 1 | 88.889 |",
            "1800 | 8 | 1 | 88.889 |",
            "3600 | 9 | 0 | 100 | catches 99.9 %",
            "7200 | 9 | 0 | 100 |",
        ]
    );
    let of_none =
        answer_with("settling", |arguments| arguments.functions = vec!["invoice".to_owned()])
            .unwrap();
    assert_eq!(of_none.lines().nth(1), Some("0 | 1 | 0 | 100 | catches 99.9 %"));
    let before =
        answer_with("settling", |arguments| arguments.until = Some(moment("2026-02-01T00:00:00Z")))
            .unwrap();
    assert_eq!(before.lines().count(), 1, "no records, no shares");
}

#[test]
fn rejects_and_runs() {
    assert_eq!(
        answer("rejects").lines().last().unwrap(),
        "2026-03-01T12:00:00Z | default:report | no request_id | {\"status\":\"FAIL\"} | 1"
    );
    let runs = answer("runs");
    assert_eq!(
        runs.lines().skip(1).collect::<Vec<_>>(),
        [
            "2 | sync | 2026-03-02T12:00:00Z | 2026-03-02T12:00:10Z | 10 |  |  | 4 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0",
            "1 | sync | 2026-03-01T12:00:00Z | 2026-03-01T12:00:30Z | 30 | complete | 0 | 9 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0"
        ]
    );
}

#[test]
fn errors_by_shape() {
    let world = Fixture::new()
        .with_records(
            "h1 FAIL 2026-03-01T10:00:00Z -
             h2 FAIL 2026-03-01T11:00:00Z - 2
             h3 FAIL 2026-03-01T12:00:00Z -
             h4 FAIL 2026-03-01T13:00:00Z -
             h5 FAIL - -
             h6 DISCARD 2026-03-01T13:00:00Z -
             h7 SUCCESS 2026-03-01T13:00:00Z -",
        )
        .with(
            "UPDATE invocations SET error_code = 4201, error_message = 'no order ' || rowid || char(10) || rowid;
             UPDATE invocations SET error_code = 500 WHERE request_id = 'h4';
             UPDATE invocations SET error_code = NULL, error_message = NULL WHERE request_id = 'h5';",
        )
        .accepted();
    let errors = |change: fn(&mut Arguments)| {
        let errors = answer_of(&world, "errors", change).unwrap();
        errors.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        errors(|_| ()),
        [
            "code | records | functions | first | last | example | shape",
            "4201 | 3 | 2 | 2026-03-01T10:00:00Z | 2026-03-01T12:00:00Z | h3 | no order <number>",
            " | 1 | 1 |  |  | h5 |",
            "500 | 1 | 1 | 2026-03-01T13:00:00Z | 2026-03-01T13:00:00Z | h4 | no order <number>",
        ]
    );
    let narrowed = errors(|arguments| {
        arguments.since = Some(moment("2026-03-01T11:00:00Z"));
        arguments.until = Some(moment("2026-03-01T12:00:00Z"));
        arguments.functions = vec!["invoice".to_owned()];
    });
    let row = "4201 | 1 | 1 | 2026-03-01T11:00:00Z | 2026-03-01T11:00:00Z | h2 | no order <number>";
    assert_eq!(narrowed[1..], [row]);
    let discarded = errors(|arguments| arguments.own = own("status", "DISCARD"));
    assert!(discarded[1].contains("h6") && discarded.len() == 2, "{discarded:?}");
    assert_eq!(errors(|arguments| arguments.own = own("limit", "1")).len(), 1 + 1);
}

#[test]
fn discards_with_their_share_and_the_busiest_hour() {
    let columns = "function | discarded | percent | busiest_hour | in_hour | first | last";
    let first = "2026-03-02T00:00:00Z";
    let row = format!("default:report | 1 | 16.67 | {first} | 1 | {first} | {first}");
    assert_eq!(answer("discards"), format!("{columns}\n{row}"));
    let more = world().with_records(
        "d1 DISCARD 2026-03-02T07:59:59Z - 2
         d2 DISCARD 2026-03-02T08:00:00Z - 2
         d3 DISCARD 2026-03-02T08:59:59Z - 2
         d4 DISCARD 2026-03-02T09:00:00Z - 2
         d5 DISCARD 2026-03-02T09:30:00Z - 2
         d6 DISCARD - - 2",
    );
    let busiest = "billing:invoice | 6 | 85.71 | 2026-03-02T08:00:00Z | 2";
    let times = "2026-03-02T07:59:59Z | 2026-03-02T09:30:00Z";
    let expected = format!("{columns}\n{busiest} | {times}\n{row}");
    assert_eq!(
        answer_of(&more, "discards", |_| ()).unwrap(),
        expected,
        "the earlier of two equal hours"
    );
    let narrowed = answer_of(&more, "discards", |arguments| {
        arguments.since = Some(moment("2026-03-02T08:00:00Z"));
        arguments.until = Some(moment("2026-03-02T09:00:00Z"));
    });
    let row = "billing:invoice | 2 | 100 | 2026-03-02T08:00:00Z | 2 | 2026-03-02T08:00:00Z | 2026-03-02T08:59:59Z";
    assert_eq!(narrowed.unwrap().lines().skip(1).collect::<Vec<_>>(), [row]);
}

#[test]
fn durations_in_ranges_that_double() {
    let columns = "function | from_s | below_s | records | percent | within_percent";
    let spread = answer("duration-histogram");
    assert_eq!(
        spread.lines().collect::<Vec<_>>(),
        [
            columns,
            "billing:invoice | 4 | 8 | 1 | 100 | 100",
            "default:report | 8 | 16 | 1 | 25 | 25",
            "default:report | 16 | 32 | 2 | 50 | 75",
            "default:report | 32 | 64 | 1 | 25 | 100",
        ]
    );
    let together = answer_with("duration-histogram", |arguments| arguments.own = own("of", "all"));
    assert_eq!(
        together.unwrap().lines().skip(1).collect::<Vec<_>>(),
        [
            " | 4 | 8 | 1 | 20 | 20",
            " | 8 | 16 | 1 | 20 | 40",
            " | 16 | 32 | 2 | 40 | 80",
            " | 32 | 64 | 1 | 20 | 100",
        ]
    );
    let edges = Fixture::new().with_records(
        "e1 SUCCESS 2026-03-01T10:00:01Z 2026-03-01T10:00:00Z
         e2 SUCCESS 2026-03-01T10:00:00Z 2026-03-01T10:00:00Z
         e3 SUCCESS 2026-03-01T10:00:00Z 2026-03-01T10:00:01Z
         e4 SUCCESS 2026-03-01T10:00:00Z 2026-03-01T10:00:02Z
         e5 SUCCESS 2026-03-01T10:00:00Z 2026-03-01T10:00:03Z
         e6 SUCCESS 2026-03-01T10:00:00Z 2026-03-01T10:00:04Z
         e7 SUCCESS 2026-03-01T10:00:00Z 9999-03-01T10:00:00Z
         e8 FAIL    2026-03-01T10:00:00Z 2026-03-01T10:00:05Z
         e9 SUCCESS 2026-03-01T10:00:00Z -
         e0 SUCCESS soon                 2026-03-01T10:00:00Z",
    );
    let rows = answer_of(&edges, "duration-histogram", |_| ()).unwrap();
    assert_eq!(
        rows.lines().skip(1).collect::<Vec<_>>(),
        [
            "default:report |  | 0 | 1 | 14.29 | 14.29",
            "default:report | 0 | 1 | 1 | 14.29 | 28.57",
            "default:report | 1 | 2 | 1 | 14.29 | 42.86",
            "default:report | 2 | 4 | 2 | 28.57 | 71.43",
            "default:report | 4 | 8 | 1 | 14.29 | 85.71",
            "default:report | 137438953472 | 274877906944 | 1 | 14.29 | 100",
        ]
    );
}

#[test]
fn the_hours_of_a_week() {
    let of = |of: &'static str| {
        answer_with("heatmap", |arguments| arguments.own = own("of", of)).unwrap()
    };
    // 1 March 2026 was a Sunday.
    let records = answer("heatmap");
    let lines: Vec<&str> = records.lines().collect();
    assert_eq!(lines.len(), 1 + 24);
    assert_eq!(lines[0], "hour | mon | tue | wed | thu | fri | sat | sun");
    assert_eq!(lines[1], "00:00 | 1 | 0 | 0 | 0 | 0 | 0 | 0");
    assert_eq!(lines[11], "10:00 | 0 | 0 | 0 | 0 | 0 | 0 | 3");
    assert_eq!(lines[12], "11:00 | 0 | 0 | 0 | 0 | 0 | 0 | 2");
    assert_eq!(lines[24], "23:00 | 0 | 0 | 0 | 0 | 0 | 0 | 0");
    assert_eq!(of("failed").lines().nth(13), Some("12:00 | 0 | 0 | 0 | 0 | 0 | 0 | 1"));
    assert_eq!(of("failed_percent").lines().nth(12), Some("11:00 |  |  |  |  |  |  | 0"));
    assert_eq!(of("failed_percent").lines().nth(13), Some("12:00 |  |  |  |  |  |  | 100"));
    assert_eq!(
        of("failed_percent").lines().nth(9),
        Some("08:00 |  |  |  |  |  |  |"),
        "nothing ended"
    );
    let weeks = Fixture::new().with_records(
        "w1 SUCCESS 2026-03-01T23:59:59Z -
         w2 SUCCESS 2026-03-08T23:00:00Z -
         w3 SUCCESS 2026-03-09T00:00:00Z -
         w4 SUCCESS soon -",
    );
    let weeks = answer_of(&weeks, "heatmap", |_| ()).unwrap();
    assert_eq!(weeks.lines().nth(24), Some("23:00 | 0 | 0 | 0 | 0 | 0 | 0 | 2"));
    assert_eq!(weeks.lines().nth(1), Some("00:00 | 1 | 0 | 0 | 0 | 0 | 0 | 0"));
    let other =
        answer_with("heatmap", |arguments| arguments.functions = vec!["invoice".to_owned()])
            .unwrap();
    assert_eq!(other.lines().nth(11), Some("10:00 | 0 | 0 | 0 | 0 | 0 | 0 | 1"));
}

/// Six days of one function, each in a state of its own, and one that began before it was archived.
fn days() -> Fixture {
    Fixture::new()
        .with_records(
            "c0 SUCCESS 2026-02-20T10:00:00Z 2026-02-20T10:00:01Z
             c1 SUCCESS 2026-03-01T10:00:00Z 2026-03-01T10:00:01Z
             c2 DISCARD 2026-03-01T23:59:59Z 2026-03-01T23:59:59Z
             c3 FAIL    2026-03-02T00:00:00Z 2026-03-02T00:00:01Z",
        )
        .with(
            "UPDATE functions SET horizon_begin = '2026-03-01T00:00:00Z', horizon_end = '2026-03-07T06:00:00Z'
              WHERE id = 1;
             INSERT INTO windows VALUES
                 (1, '2026-03-01T00:00:00Z', '2026-03-02T00:00:00Z', 'settled', 'both', 2, 2, 1, '2026-03-08T00:00:00Z', NULL),
                 (1, '2026-03-02T00:00:00Z', '2026-03-03T00:00:00Z', 'proven', 'both', 1, 1, 1, '2026-03-08T00:00:00Z', NULL),
                 (1, '2026-03-03T00:00:00Z', '2026-03-04T00:00:00Z', 'settled', 'both', 0, 0, 1, '2026-03-08T00:00:00Z', NULL),
                 (1, '2026-03-04T06:00:00Z', '2026-03-05T00:00:00Z', 'settled', 'both', 0, 0, 1, '2026-03-08T00:00:00Z', NULL),
                 (1, '2026-03-05T00:00:00Z', '2026-03-05T18:00:00Z', 'unproven', NULL, 0, 0, 1, '2026-03-08T00:00:00Z', NULL),
                 (1, '2026-03-05T18:00:00Z', '2026-03-06T12:00:00Z', 'lost', NULL, 0, 0, 1, '2026-03-08T00:00:00Z', NULL),
                 (1, '2026-03-06T12:00:00Z', '2026-03-07T06:00:00Z', 'settled', 'both', 0, 0, 1, '2026-03-08T00:00:00Z', NULL);
             INSERT INTO recording VALUES (1, 0, '2026-03-03T00:00:00Z', '2026-03-04T00:00:00Z', 1);
             INSERT INTO absences VALUES (1, '2026-03-07T00:00:00Z', '2026-03-07T06:00:00Z');",
        )
}

#[test]
fn a_calendar_of_what_is_proven() {
    let calendar = answer_of(&days(), "calendar", |_| ()).unwrap();
    assert_eq!(
        calendar.lines().collect::<Vec<_>>(),
        [
            "day | records | failed | state | proven_percent | failed_percent",
            "2026-02-20 | 1 | 0 |  |  | 0",
            "2026-03-01 | 2 | 1 | settled | 100 | 50",
            "2026-03-02 | 1 | 1 | proven | 100 | 100",
            "2026-03-03 | 0 | 0 | switched off | 100 |",
            "2026-03-04 | 0 | 0 | not walked | 75 |",
            "2026-03-05 | 0 | 0 | lost | 0 |",
            "2026-03-06 | 0 | 0 | lost | 50 |",
            "2026-03-07 | 0 | 0 | not there | 100 |",
        ]
    );
    let part = answer_of(&days(), "calendar", |arguments| {
        arguments.since = Some(moment("2026-03-04T06:00:00Z"));
        arguments.until = Some(moment("2026-03-05T18:00:00Z"));
    });
    let rows = ["2026-03-04 | 0 | 0 | settled | 100 |", "2026-03-05 | 0 | 0 | unproven | 0 |"];
    assert_eq!(part.unwrap().lines().skip(1).collect::<Vec<_>>(), rows);
    let other = answer_of(&days(), "calendar", |arguments| {
        arguments.functions = vec!["invoice".to_owned()];
    });
    assert_eq!(other.unwrap().lines().count(), 1, "nothing was set out to be archived of it");
}

#[test]
fn a_day_of_two_functions_is_as_good_as_the_worse() {
    let both = days().with(
        "UPDATE functions SET horizon_begin = '2026-03-01T00:00:00Z', horizon_end = '2026-03-02T00:00:00Z'
          WHERE id = 2;",
    );
    let calendar = answer_of(&both, "calendar", |_| ()).unwrap();
    assert_eq!(calendar.lines().nth(2), Some("2026-03-01 | 2 | 1 | not walked | 50 | 50"));
}

#[test]
fn growth_month_by_month() {
    let months = Fixture::new()
        .with_records(
            "g1 SUCCESS 2026-01-31T23:59:59Z 2026-02-01T00:00:00Z
             g2 WAIT    2026-02-01T00:00:00Z -
             g3 FAIL    2026-02-28T00:00:00Z -       2
             g4 SUCCESS soon -
             g5 SUCCESS - -",
        )
        .with("UPDATE invocations SET error_code = 1001, error_message = 'zu spät' WHERE request_id = 'g3'")
        .accepted();
    let growth = answer_of(&months, "growth", |_| ()).unwrap();
    assert_eq!(
        growth.lines().collect::<Vec<_>>(),
        [
            "month | records | total_records | value_bytes | total_value_bytes",
            "2026-01 | 1 | 1 | 49 | 49",
            "2026-02 | 2 | 3 | 64 | 113",
        ]
    );
    let narrowed = answer_of(&months, "growth", |arguments| {
        arguments.since = Some(moment("2026-02-01T00:00:00Z"));
        arguments.functions = vec!["report".to_owned()];
    });
    assert_eq!(narrowed.unwrap().lines().nth(1), Some("2026-02 | 1 | 1 | 26 | 26"));
    // Parts of days come from the rows: of the day on which it ends, and of that on which it begins.
    let (march, february) = ("2026-03-01T00:00:00Z", "2026-01-31T23:59:59Z");
    let ranged = answer_of(&months, "growth", |arguments| {
        arguments.since = Some(moment(february));
        arguments.until = Some(moment("2026-02-28T00:00:01Z"));
    });
    assert_eq!(ranged.unwrap(), growth);
    // In Berlin the first record starts in February, on a day that belongs to both months.
    let berlin = answer_of(&months, "growth", |arguments| {
        arguments.zone = "Europe/Berlin".parse().unwrap();
        arguments.until = Some(moment(march));
    });
    assert_eq!(
        berlin.unwrap().lines().skip(1).collect::<Vec<_>>(),
        ["2026-02 | 3 | 3 | 113 | 113"]
    );
}

#[test]
fn the_time_in_a_status_between_its_bounds() {
    assert_eq!(
        answer("waiting").lines().collect::<Vec<_>>(),
        [
            "function | status | ended | still | p50_least_s | p50_most_s | p90_least_s | p90_most_s",
            "billing:invoice | WAIT | 0 | 1 |  |  |  |",
            // a4 was first seen at 12:00:30 at the latest, which is after the look that saw it in
            // RUNNING.
            "default:report | WAIT | 1 | 0 | 0 | 11 | 0 | 11",
            "default:report | RUNNING | 1 | 1 | 0 | 86411 | 0 | 86411",
        ]
    );
    let path = Fixture::new()
        .with_records(
            "p1 SUCCESS 2026-03-01T11:59:00Z 2026-03-01T12:20:00Z
             p2 SUCCESS -                    2026-03-01T12:20:00Z
             p3 SUCCESS 2026-03-01T11:59:00Z 2026-03-01T12:20:00Z",
        )
        .with(
            "INSERT INTO status_changes VALUES
                 (1, 'p1', 'WAIT', 'RUNNING', '2026-03-01T12:10:00Z', '2026-03-01T12:15:00Z', 1, 1),
                 (2, 'p2', 'WAIT', 'RUNNING', '2026-03-01T12:10:00Z', '2026-03-01T12:15:00Z', 1, 1),
                 (3, 'p1', 'RUNNING', 'WAIT', '2026-03-01T12:15:00Z', '2026-03-01T12:17:00Z', 0, 1),
                 (4, 'p1', 'RUNNING', 'SUCCESS', '2026-03-01T12:18:00Z', '2026-03-01T12:25:00Z', 1, 1),
                 (5, 'p2', 'RUNNING', 'SUCCESS', '2026-03-01T12:19:00Z', '2026-03-01T12:25:00Z', 1, 1);",
        );
    let rows = answer_of(&path, "waiting", |_| ()).unwrap();
    assert_eq!(
        rows.lines().skip(1).collect::<Vec<_>>(),
        [
            "default:report | WAIT | 2 | 0 | 570 | 960 | 570 |",
            "default:report | RUNNING | 2 | 0 | 180 | 900 | 240 | 900"
        ],
        "p2 has no start, so that nothing bounds its time in WAIT"
    );
    let started = answer_of(&path, "waiting", |arguments| {
        arguments.since = Some(moment("2026-03-01T11:59:00Z"));
        arguments.until = Some(moment("2026-03-01T11:59:01Z"));
        arguments.own = own("status", "RUNNING");
    });
    let row = "default:report | RUNNING | 1 | 0 | 180 | 900 | 180 | 900";
    assert_eq!(started.unwrap().lines().skip(1).collect::<Vec<_>>(), [row]);
}

#[test]
fn what_got_worse_stands_first() {
    let world = Fixture::new().with_records(
        "o1 SUCCESS 2026-02-28T23:59:59Z 2026-03-01T00:00:09Z
         o2 SUCCESS 2026-03-01T00:00:00Z 2026-03-01T00:00:10Z
         o3 FAIL    2026-03-01T23:59:59Z 2026-03-02T00:00:00Z
         o4 SUCCESS 2026-03-02T00:00:00Z 2026-03-02T00:00:20Z
         o5 SUCCESS 2026-03-02T23:59:59Z 2026-03-03T00:00:30Z
         o6 FAIL    2026-03-03T00:00:00Z 2026-03-03T00:00:01Z
         q1 SUCCESS 2026-03-01T10:00:00Z 2026-03-01T10:00:05Z 2
         q2 FAIL    2026-03-02T10:00:00Z 2026-03-02T10:00:05Z 2
         q3 WAIT    2026-03-02T11:00:00Z - 2",
    );
    let columns =
        "function | records | was_records | failed_pct | was_failed_pct | p90_s | was_p90_s";
    let compare = |change: fn(&mut Arguments)| {
        let rows = answer_of(&world, "compare", |arguments| {
            arguments.now = moment("2026-03-03T00:00:00Z");
            change(arguments);
        });
        let rows = rows.unwrap();
        assert_eq!(rows.lines().next(), Some(columns));
        rows.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    let expected =
        ["billing:invoice | 2 | 1 | 100 | 0 |  | 5", "default:report | 2 | 2 | 0 | 50 | 31 | 10"];
    assert_eq!(compare(|arguments| arguments.own = own("length", "1d")), expected);
    let ranged = compare(|arguments| {
        arguments.since = Some(moment("2026-03-02T00:00:00Z"));
        arguments.until = Some(moment("2026-03-03T00:00:00Z"));
        arguments.now = moment("2026-05-01T00:00:00Z");
    });
    assert_eq!(ranged, expected, "a range that is given is the period, whatever day it is");
    let against = compare(|arguments| {
        arguments.own =
            vec![("length".into(), "1d".into()), ("against".into(), "2026-02-28".into())];
        arguments.functions = vec!["report".to_owned()];
    });
    assert_eq!(against, ["default:report | 2 | 1 | 0 | 0 | 31 | 10"]);
    assert_eq!(compare(|arguments| arguments.now = moment("2026-05-01T00:00:00Z")), [""; 0]);
}

#[test]
fn slower_records_are_worse_where_no_more_fail() {
    let world = Fixture::new().with_records(
        "s1 SUCCESS 2026-03-01T10:00:00Z 2026-03-01T10:00:10Z
         s2 SUCCESS 2026-03-02T10:00:00Z 2026-03-02T10:00:20Z
         t1 SUCCESS 2026-03-01T10:00:00Z 2026-03-01T10:01:40Z 2
         t2 SUCCESS 2026-03-02T10:00:00Z 2026-03-02T10:02:30Z 2",
    );
    let rows = answer_of(&world, "compare", |arguments| {
        arguments.now = moment("2026-03-03T00:00:00Z");
        arguments.own = own("length", "1d");
    });
    let rows = rows.unwrap();
    let functions: Vec<&str> =
        rows.lines().skip(1).filter_map(|row| row.split(" | ").next()).collect();
    assert_eq!(
        functions,
        ["default:report", "billing:invoice"],
        "twice as long is worse than half as much longer"
    );
}

#[test]
fn nothing_is_asked_of_an_archive_without_an_answer() {
    let blank =
        Fixture::new().with("DELETE FROM run_sources; DELETE FROM runs; DELETE FROM functions;");
    for report in Report::all() {
        assert_eq!(
            answer_of(&blank, report.name(), |_| ()).unwrap().lines().count(),
            1,
            "{}",
            report.name()
        );
    }
}

#[test]
fn what_a_report_does_not_take_is_refused() {
    let message = |report: &str, change: fn(&mut Arguments)| {
        answer_with(report, change).unwrap_err().to_string()
    };
    assert_eq!(
        message("runs", |arguments| arguments.functions = vec!["report".to_owned()]),
        "the report `runs` does not take `function`"
    );
    assert_eq!(
        message("slowest", |arguments| arguments.own = own("limits", "3")),
        "the report `slowest` has no parameter `limits`"
    );
    for report in Report::all() {
        for parameter in
            report.parameters().iter().filter(|parameter| matches!(parameter.kind(), Kind::Int(_)))
        {
            let optional = if parameter.default.is_empty() { "many" } else { "" };
            for value in ["many", optional, " ", "-1", "1.5", "1e3", "99999999999999999999", " 5"] {
                let refused = answer_with(report.name(), |arguments| {
                    arguments.own = own(parameter.name, value);
                });
                let message = format!("`{value}` is no value for `{}`", parameter.name);
                assert_eq!(refused.unwrap_err().to_string(), message, "{}", report.name());
            }
        }
    }
    let refused =
        answer_with("slowest", |arguments| arguments.own = own("limit", "0")).unwrap_err();
    let failure = refused.into_failure("a.db".as_ref());
    assert_eq!(failure.to_string(), "cannot run the report: `0` is no value for `limit`");
    assert_eq!(failure.hint, Some("it takes a whole number, 1 or more".into()));
    assert_eq!(
        message("transitions", |arguments| arguments.own = own("id", " ")),
        "` ` is no value for `id`"
    );
    assert_eq!(
        message("failures", |arguments| arguments.own = own("status", "")),
        "`` is no value for `status`"
    );
    assert_eq!(
        message("throughput", |arguments| arguments.own = own("bucket", "year")),
        "`year` is no value for `bucket`"
    );
}

/// The help is read from comments: a slip in one would silently lose a parameter.
#[test]
fn every_file_declares_exactly_the_parameters_it_uses() {
    let world = Fixture::new();
    let reader = world.reader();
    for report in Report::all() {
        assert!(report.title().ends_with('.') && report.title().len() < 120, "{}", report.name());
        let statement = reader.connection.prepare(&report.statement()).unwrap();
        let mut used: Vec<&str> = (1..=statement.parameter_count())
            .filter_map(|at| statement.parameter_name(at))
            .collect();
        used.retain(|name| ![":since", ":until", ":functions", ":now"].contains(name));
        let mut declared: Vec<String> =
            report.parameters().iter().map(|parameter| format!(":{}", parameter.name)).collect();
        used.sort_unstable();
        declared.sort_unstable();
        assert_eq!(declared, used, "{}", report.name());
        let said = report.explained().lines().filter(|line| line.starts_with("-- param ")).count();
        assert_eq!(said, declared.len(), "{}", report.name());
        for parameter in report.parameters() {
            let default =
                parameter.read(parameter.default, moment("2026-03-02T12:00:00Z"), Zone::UTC);
            assert!(default.is_some(), "{}: {parameter:?}", report.name());
        }
        assert!(statement.readonly() && statement.column_count() > 1, "{}", report.name());
    }
}

/// What `--explain` prints is to be changed and asked by people: the limits of their questions hold
/// for it.
#[test]
fn every_report_is_a_start_for_a_statement_of_ones_own() {
    let world = Fixture::new();
    let sandbox = world.reader().into_sandbox(Duration::from_secs(30), Zone::UTC).unwrap();
    for report in Report::all() {
        let refused = sandbox.ask(&report.explained(), &[]).unwrap_err().to_string();
        assert!(refused.contains("has no value"), "{}: {refused}", report.name());
    }
}

fn plan_of(report: &str) -> String {
    let world = world();
    let reader = world.reader();
    let sql = format!("EXPLAIN QUERY PLAN {}", Report::find(report).unwrap().statement());
    let mut statement = reader.connection.prepare(&sql).unwrap();
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get::<_, String>(3).unwrap());
    }
    steps.join("\n")
}

#[test]
fn a_range_of_time_is_found_by_the_index() {
    for report in [
        "totals",
        "summary",
        "throughput",
        "trend",
        "heatmap",
        "latency",
        "duration-histogram",
        "slowest",
        "errors",
        "error-trend",
        "discards",
        "calendar",
    ] {
        let plan = plan_of(report);
        assert!(
            plan.contains(
                "invocations USING COVERING INDEX invocations_by_start (start_time>? AND start_time<?"
            ),
            "{plan}"
        );
    }
    let failed = "invocations USING INDEX invocations_failed (start_time>? AND start_time<?)";
    assert!(plan_of("failures").contains(failed), "{}", plan_of("failures"));
    for (report, searches) in [("errors", 4), ("discards", 2)] {
        let plan = plan_of(report);
        assert_eq!(plan.matches("i USING INDEX invocations_failed").count(), searches, "{plan}");
    }
    let covering = "SEARCH i USING COVERING INDEX invocations_by_start";
    assert!(plan_of("settling").contains(covering), "{}", plan_of("settling"));
    let grown =
        "SEARCH e USING COVERING INDEX invocations_by_start (start_time>? AND start_time<?)";
    assert!(plan_of("growth").contains(grown), "{}", plan_of("growth"));
    let compared = plan_of("compare");
    assert!(
        compared.contains(
            "SEARCH e USING COVERING INDEX invocations_by_start (start_time>? AND start_time<?"
        ),
        "{compared}"
    );
    let path = plan_of("transitions");
    assert!(
        path.contains("SEARCH i USING INDEX sqlite_autoindex_invocations_1 (request_id=?)"),
        "{path}"
    );
    assert!(
        path.contains("status_changes USING INDEX status_changes_by_record (request_id=?)"),
        "{path}"
    );
}

/// SQLite makes an index of a whole table for one question where it takes that for worth its while:
/// at ten million records that takes minutes.
#[test]
fn no_report_makes_an_index_of_a_large_table() {
    let large = ["invocations", "i", "hourly_counts", "h", "daily_durations", "d"];
    for report in Report::all() {
        let plan = plan_of(report.name());
        for line in plan.lines().filter(|line| line.contains("AUTOMATIC")) {
            let table = line.split(' ').nth(1).unwrap();
            assert!(!large.contains(&table), "{}: {line}", report.name());
        }
    }
}

/// Around the nights on which Berlin's clocks are changed, to the second.
fn clock_changes() -> Fixture {
    Fixture::new()
        .with_records(
            "s1 SUCCESS 2026-03-28T22:59:59Z -
             s2 DISCARD 2026-03-28T23:00:00Z -
             s3 SUCCESS 2026-03-29T00:59:59Z -
             s4 SUCCESS 2026-03-29T01:00:00Z -
             s5 SUCCESS 2026-03-29T21:59:59Z -
             s6 SUCCESS 2026-03-29T22:00:00Z -
             a1 SUCCESS 2026-10-24T21:59:59Z -
             a2 SUCCESS 2026-10-24T22:00:00Z -
             a3 SUCCESS 2026-10-25T00:59:59Z -
             a4 FAIL    2026-10-25T01:00:00Z -
             a5 SUCCESS 2026-10-25T22:59:59Z -
             a6 SUCCESS 2026-10-25T23:00:00Z -
             a7 SUCCESS soon -",
        )
        .with(
            "UPDATE functions SET horizon_begin = '2026-03-28T23:00:00Z', horizon_end = '2026-10-26T12:00:00Z'
               WHERE id = 1;
             INSERT INTO windows VALUES
                 (1, '2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z', 'settled', 'both', 4, 4, 1, '2026-11-01T00:00:00Z', NULL),
                 (1, '2026-03-29T22:00:00Z', '2026-10-25T22:00:00Z', 'lost', NULL, NULL, 0, 0, '2026-11-01T00:00:00Z', NULL),
                 (1, '2026-10-25T22:00:00Z', '2026-10-26T12:00:00Z', 'settled', 'both', 2, 2, 1, '2026-11-01T00:00:00Z', NULL)",
        )
}

/// The rows of a report in a zone, over the days of a spring or an autumn night.
fn rows_in(zone: &str, since: &str, report: &str, bucket: Option<&str>) -> Vec<String> {
    let answer = answer_of(&clock_changes(), report, |arguments| {
        arguments.zone = zone.parse().unwrap();
        arguments.since = Some(moment(since));
        arguments.until = Some(arguments.since.unwrap() + Duration::from_hours(120));
        arguments.own = bucket.map(|bucket| own("bucket", bucket)).unwrap_or_default();
    });
    answer.unwrap().lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn hours_days_weeks_and_months_are_those_of_the_zone() {
    let counted = |since: &str, bucket: &str| {
        let rows = rows_in("Europe/Berlin", since, "throughput", Some(bucket));
        let cells = |row: &String| row.split(" | ").take(2).collect::<Vec<_>>().join(" ");
        rows.iter().map(cells).collect::<Vec<_>>()
    };
    let (spring, autumn) = ("2026-03-27T00:00:00Z", "2026-10-23T00:00:00Z");
    assert_eq!(
        counted(spring, "hour"),
        [
            "2026-03-28T23:00:00+01:00 1",
            "2026-03-29T00:00:00+01:00 1",
            "2026-03-29T01:00:00+01:00 1",
            "2026-03-29T03:00:00+02:00 1",
            "2026-03-29T23:00:00+02:00 1",
            "2026-03-30T00:00:00+02:00 1",
        ]
    );
    assert_eq!(
        counted(autumn, "hour"),
        [
            "2026-10-24T23:00:00+02:00 1",
            "2026-10-25T00:00:00+02:00 1",
            "2026-10-25T02:00:00+02:00 1",
            "2026-10-25T02:00:00+01:00 1",
            "2026-10-25T23:00:00+01:00 1",
            "2026-10-26T00:00:00+01:00 1",
        ]
    );
    assert_eq!(counted(spring, "day"), ["2026-03-28 1", "2026-03-29 4", "2026-03-30 1"]);
    assert_eq!(counted(autumn, "day"), ["2026-10-24 1", "2026-10-25 4", "2026-10-26 1"]);
    assert_eq!(counted(autumn, "week"), ["2026-10-19 5", "2026-10-26 1"]);
    assert_eq!(counted(autumn, "month"), ["2026-10 6"]);
    let kolkata = rows_in("Asia/Kolkata", spring, "throughput", Some("hour"));
    assert!(kolkata[0].starts_with("2026-03-29T04:00:00+05:30 | 2 |"), "{kolkata:?}");
}

#[test]
fn a_day_of_23_or_25_hours_is_whole() {
    let days = |since: &str| rows_in("Europe/Berlin", since, "calendar", None);
    assert_eq!(
        days("2026-03-27T00:00:00Z"),
        [
            "2026-03-28 | 1 | 0 |  |  | 0",
            "2026-03-29 | 4 | 1 | settled | 100 | 25",
            "2026-03-30 | 1 | 0 | lost | 0 | 0",
            "2026-03-31 | 0 | 0 | lost | 0 |",
            "2026-04-01 | 0 | 0 | lost | 0 |",
        ]
    );
    let autumn = days("2026-10-23T00:00:00Z");
    // One of the 25 hours is proven, and of the last day the twelve that were set out to archive.
    assert_eq!(
        autumn[2..],
        ["2026-10-25 | 4 | 1 | lost | 4 | 25", "2026-10-26 | 1 | 0 | settled | 100 | 0"]
    );
}

#[test]
fn the_hours_of_a_week_and_the_busiest_are_those_of_the_zone() {
    let heat = rows_in("Europe/Berlin", "2026-10-23T00:00:00Z", "heatmap", None);
    assert_eq!(heat[2], "02:00 | 0 | 0 | 0 | 0 | 0 | 0 | 2", "an hour that came twice");
    assert_eq!(heat[0], "00:00 | 1 | 0 | 0 | 0 | 0 | 0 | 1");
    let discards = rows_in("Europe/Berlin", "2026-03-27T00:00:00Z", "discards", None);
    assert!(discards[0].contains("| 2026-03-29T00:00:00+01:00 | 1 |"), "{discards:?}");
    let months = rows_in("Asia/Shanghai", "2026-10-23T00:00:00Z", "growth", None);
    assert!(months[0].starts_with("2026-10 | 6 | 6 |"), "{months:?}");
}

#[test]
fn a_status_narrows_a_report_and_must_be_one() {
    let records = |status: &str| {
        answer_with("slowest", |arguments| arguments.own = own("status", status))
            .map(|answer| answer.lines().count() - 1)
    };
    assert_eq!((records("").unwrap(), records("fail").unwrap()), (7, 1));
    assert_eq!(records("PAUSED").unwrap(), 0, "records have it, and none of them has ended");
    assert_eq!(records("FAILED").unwrap_err().to_string(), "no record has the status `FAILED`");
}

#[test]
fn a_limit_ends_a_list() {
    for report in Report::all() {
        if report.parameters().iter().all(|parameter| parameter.name != "limit") {
            continue;
        }
        let one = answer_with(report.name(), |arguments| arguments.own = own("limit", "1"));
        assert!(one.unwrap().lines().count() <= 1 + 1, "{}", report.name());
    }
}

/// So many records of an hour, of which so many failed, of function 1 or 2.
fn hour(world: &Fixture, function: i64, hour: &str, failed: i64, ended: i64) {
    let sql = "
        WITH RECURSIVE n AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM n WHERE n < :ended)
        INSERT INTO invocations (request_id, status, start_time, function_id, error_code,
                                 error_message, first_run_id, changed_run_id)
        SELECT printf('%s-%d-%d', :hour, :function, n),
               iif(n <= :failed, 'FAIL', 'SUCCESS'),
               printf('%s:%02d:00Z', :hour, n % 60),
               :function,
               iif(n <= :failed, 500, NULL),
               CASE WHEN n = 1 THEN 'refused' WHEN n <= :failed THEN 'no order ' || n END,
               1,
               1
          FROM n";
    let values = rusqlite::named_params! {
        ":function": function, ":hour": hour, ":failed": failed, ":ended": ended
    };
    world.connection.execute(sql, values).unwrap();
}

/// Two weeks of one function at noon, one record of twenty failing, and what the test adds.
fn usual_days(add: impl FnOnce(&Fixture)) -> Fixture {
    let world = Fixture::new();
    (1..=14).for_each(|day| hour(&world, 1, &format!("2026-03-{day:02}T12"), 1, 20));
    add(&world);
    world.accepted()
}

fn incidents(world: &Fixture, change: impl FnOnce(&mut Arguments)) -> Vec<String> {
    let rows = answer_of(world, "incidents", |arguments| {
        arguments.now = moment("2026-03-15T15:00:00Z");
        arguments.own = own("days", "14");
        change(arguments);
    });
    rows.unwrap().lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn an_hour_in_which_far_more_failed_than_usual_is_an_incident() {
    let world = usual_days(|world| {
        hour(world, 1, "2026-03-15T08", 8, 20);
        hour(world, 1, "2026-03-15T09", 1, 20);
        hour(world, 1, "2026-03-15T10", 10, 20);
        hour(world, 1, "2026-03-15T13", 12, 20);
    });
    let going_on = "default:report | 2026-03-15T13:00:00Z | 2026-03-15T14:00:00Z | 20 | 12 | 60 | 5 | going on | no order <number>";
    let merged = "default:report | 2026-03-15T08:00:00Z | 2026-03-15T11:00:00Z | 60 | 19 | 31.67 | 5 | over | no order <number>";
    let columns =
        "function | begin | end | records | failed | failed_pct | usual_pct | state | top_error";
    assert_eq!(answer_of(&world, "incidents", |_| ()).unwrap().lines().next(), Some(columns));
    assert_eq!(incidents(&world, |_| ()), [going_on, merged], "one and two hours lie between");
    let later = incidents(&world, |arguments| arguments.now = moment("2026-03-15T16:00:00Z"));
    assert!(later[0].contains("| over |"), "{later:?}");
}

#[test]
fn what_an_incident_takes_can_be_said() {
    let world = usual_days(|world| hour(world, 1, "2026-03-15T08", 6, 20));
    let found = |name: &'static str, value: &'static str| {
        let rows = incidents(&world, |arguments| arguments.own.extend(own(name, value)));
        rows.iter().filter(|row| !row.contains("not enough records")).count()
    };
    // The share of 30 % is six times the usual, and comes by chance with a probability of 0.0035.
    assert_eq!((found("level", "0.0036"), found("level", "0.0035")), (1, 0));
    assert_eq!((found("rho", "0"), found("rho", "0.02")), (1, 0));
    let likely = |name: &'static str, value: &'static str| {
        let rows = incidents(&world, |arguments| {
            arguments.own.extend(own("level", "1%"));
            arguments.own.extend(own(name, value));
        });
        rows.iter().filter(|row| !row.contains("not enough records")).count()
    };
    assert_eq!((likely("factor", "5"), likely("factor", "7")), (1, 0));
    assert_eq!((likely("least", "6"), likely("least", "7")), (1, 0));
    let refused = |name: &str, value: &str| {
        let refused = answer_of(&world, "incidents", |arguments| arguments.own = own(name, value));
        refused.unwrap_err().to_string()
    };
    for (name, value) in
        [("rho", "1"), ("level", "2"), ("days", "0"), ("least", "0"), ("factor", "0")]
    {
        assert_eq!(refused(name, value), format!("`{value}` is no value for `{name}`"));
    }
}

#[test]
fn a_range_keeps_the_days_before_it_for_comparison() {
    let world = usual_days(|world| {
        hour(world, 1, "2026-03-14T08", 10, 20);
        hour(world, 1, "2026-03-15T08", 10, 20);
    });
    let ranged = incidents(&world, |arguments| {
        arguments.since = Some(moment("2026-03-15T08:30:00Z"));
        arguments.until = Some(moment("2026-03-15T09:00:00Z"));
    });
    // The median of the fourteen days is theirs, whatever happened on one of them.
    let row = "default:report | 2026-03-15T08:00:00Z | 2026-03-15T09:00:00Z | 20 | 10 | 50 | 5 | over | no order <number>";
    assert_eq!(ranged, [row], "an hour that the range cuts is whole");
    let before = incidents(&world, |arguments| {
        arguments.until = Some(moment("2026-03-15T00:00:00Z"));
        arguments.functions = vec!["report".to_owned()];
    });
    assert_eq!(before.len(), 1, "{before:?}");
    let other = incidents(&world, |arguments| arguments.functions = vec!["invoice".to_owned()]);
    assert_eq!(other, [""; 0]);
}

#[test]
fn where_nothing_failed_before_one_failure_more_is_usual() {
    let world = Fixture::new();
    (1..=14).for_each(|day| hour(&world, 1, &format!("2026-03-{day:02}T12"), 0, 20));
    hour(&world, 1, "2026-03-15T08", 3, 20);
    hour(&world, 1, "2026-03-15T12", 4, 20);
    // One of 281 fails. Of twenty, three do so by chance with a probability of 0.002, and four of
    // 0.0004.
    let row = "default:report | 2026-03-15T12:00:00Z | 2026-03-15T13:00:00Z | 20 | 4 | 20 | 0.36 | over | no order <number>";
    assert_eq!(incidents(&world.accepted(), |_| ()), [row]);
}

#[test]
fn too_few_records_are_an_answer() {
    let world = Fixture::new();
    (1..=14).for_each(|day| hour(&world, 1, &format!("2026-03-{day:02}T12"), 0, 2));
    (14..=15).for_each(|day| hour(&world, 2, &format!("2026-03-{day:02}T12"), 20, 20));
    let rows = incidents(&world.accepted(), |_| ());
    assert_eq!(
        rows,
        [
            "billing:invoice | 2026-03-14T12:00:00Z | 2026-03-15T13:00:00Z | 40 | 40 | 100 |  | not enough records |",
            "default:report | 2026-03-01T12:00:00Z | 2026-03-14T13:00:00Z | 28 | 0 | 0 |  | not enough records |",
        ],
        "few records an hour, or nothing that was usual before"
    );
}
