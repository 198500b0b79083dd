//! Reports that tell days and months, and what compares two periods.

use super::*;
use pretty_assertions::assert_eq;

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
             INSERT INTO absences VALUES (1, '2026-03-07T00:00:00Z', '2026-03-07T06:00:00Z', NULL);",
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
    // Parts of hours come from the rows: of that in which it ends, and of that in which it begins.
    let (march, february) = ("2026-03-01T00:00:00Z", "2026-01-31T23:59:59Z");
    let ranged = answer_of(&months, "growth", |arguments| {
        arguments.since = Some(moment(february));
        arguments.until = Some(moment("2026-02-28T00:00:01Z"));
    });
    assert_eq!(ranged.unwrap(), growth);
    // In Berlin the first record starts in February.
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
