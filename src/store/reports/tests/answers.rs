//! What each report tells of the ten known records.

use super::*;
use pretty_assertions::assert_eq;

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

/// What was pruned is still counted; of what is left, an example is told.
#[test]
fn an_error_of_which_the_last_records_were_pruned_has_an_example() {
    let world = Fixture::new()
        .with_records(
            "a1 FAIL 2026-03-01T10:00:00Z -
             a2 FAIL 2026-03-02T10:00:00Z -
             a3 FAIL 2026-03-03T10:00:00Z - 2
             b1 FAIL - -",
        )
        .with(
            "DELETE FROM invocations WHERE request_id = 'a3';
             INSERT INTO pruned_days VALUES
                 (2, '2026-03-03', '2026-03-03T00:00:00Z', '2026-03-04T00:00:00Z',
                  '2026-03-05T00:00:00Z', 1, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL)",
        );
    let told = answer_of(&world, "errors", |_| ()).unwrap();
    let told: Vec<&str> = told.lines().skip(1).collect();
    assert_eq!(told, [" | 4 | 2 | 2026-03-01T10:00:00Z |  | a2 |"]);
}

#[test]
fn a_value_that_no_run_wrote_is_damage_and_no_mistake_of_who_asks() {
    let world = world().with("UPDATE three_hour_durations SET durations = '{bad'");
    let damaged = answer_of(&world, "latency", |_| ()).unwrap_err();
    assert!(matches!(&damaged, StoreError::Damaged(why) if why.contains("sum_durations")));
}
