//! What stands for a name, and that what is read from summaries is what the rows say.

use super::*;
use crate::domain::{Timestamp, Zone};
use crate::store::reports::{Arguments, Report};
use crate::store::sql::{error, fold, histogram, percentile, zone};
use crate::store::testing::{Fixture, shown};
use pretty_assertions::assert_eq;
use proptest::prelude::*;
use rusqlite::types::Value;
use std::time::Duration;

#[test]
fn names_are_filled_in_where_they_are_read_from() {
    let functions = on_its_line("SELECT 1\nFROM chosen_functions f");
    assert!(functions.starts_with("SELECT 1\nFROM (SELECT * FROM functions WHERE"));
    assert!(functions.ends_with("json_each(:functions))) f"), "{functions}");
    let both = "select 1 from chosen_records r join  CHOSEN_FUNCTIONS f";
    assert_eq!(on_its_line(both).matches("(SELECT *").count(), 1 + 1);
    assert_eq!(on_its_line(both).lines().count(), 1);
    assert!(written_out(both).lines().count() > 10);
    let behind = "-- it's one\nSELECT 1 /* it's */ AS \"it's\" FROM chosen_open";
    assert!(on_its_line(behind).contains("FROM (SELECT o.request_id"));
    let bucket = on_its_line("SELECT bucket_of(t.local) AS bucket FROM t");
    assert!(bucket.starts_with("SELECT CASE :bucket WHEN 'hour' THEN substr(t.local, 1, 13)"));
    for text in [
        "SELECT 'chosen_records'",
        "SELECT 'it''s FROM chosen_records r'",
        "SELECT 1 -- what is FROM chosen_records",
        "SELECT 1 /* it's FROM chosen_records */",
        "SELECT 1 AS \"FROM chosen_records\"",
        "FROM chosen_records_of_mine",
        "FROM invocations",
        "SELECT bucket_of('x')",
    ] {
        assert_eq!(on_its_line(text), text);
    }
}

/// A report, its own parameters, and a statement that asks the rows for the same.
type Asked = (&'static str, &'static [(&'static str, &'static str)], &'static str);

/// Reports that read summaries.
const REPORTS: [Asked; 9] = [
    (
        "summary",
        &[],
        "SELECT f.full_name, count(*), count(*) FILTER (WHERE status = 'SUCCESS'),
                count(*) FILTER (WHERE status = 'FAIL'), count(*) FILTER (WHERE status = 'DISCARD'),
                count(*) FILTER (WHERE status = 'RUNNING'), 0, 0,
                round(100.0 * count(*) FILTER (WHERE status IN ('FAIL', 'DISCARD'))
                      / nullif(count(*) FILTER (WHERE status <> 'RUNNING'), 0), 2),
                min(start_time), max(start_time)
           FROM rows JOIN functions f ON f.id = function_id
          GROUP BY f.id ORDER BY 2 DESC, 1, f.id",
    ),
    (
        "throughput",
        &[],
        "SELECT substr(local_time(start_time), 1, 13) || ':00:00'
                    || substr(local_time(start_time), 20) AS hour,
                count(*), count(*) FILTER (WHERE status = 'SUCCESS'),
                count(*) FILTER (WHERE status = 'FAIL'), count(*) FILTER (WHERE status = 'DISCARD'),
                count(*) FILTER (WHERE status = 'RUNNING'), 0, 0
           FROM rows WHERE local_time(start_time) IS NOT NULL
          GROUP BY hour ORDER BY min(start_time)",
    ),
    (
        "errors",
        &[],
        "SELECT error_code, count(*), count(DISTINCT function_id), min(start_time),
                max(start_time) AS last, min(request_id) FILTER (WHERE start_time IS last_time
                                                                    OR last_time IS NULL),
                shape
           FROM (SELECT *, fold(error_message) AS shape,
                        max(start_time) OVER (PARTITION BY error_code, fold(error_message))
                            AS last_time
                   FROM rows WHERE status = 'FAIL')
          GROUP BY error_code, shape ORDER BY 2 DESC, error_code, shape",
    ),
    (
        "latency",
        &[("status", "")],
        "SELECT f.full_name, count(*), min(seconds), percentile_disc(seconds, 0.5),
                percentile_disc(seconds, 0.9), percentile_disc(seconds, 0.99), max(seconds)
           FROM (SELECT *, unixepoch(end_time) - unixepoch(start_time) AS seconds FROM rows)
           JOIN functions f ON f.id = function_id
          WHERE seconds IS NOT NULL GROUP BY f.id ORDER BY f.full_name",
    ),
    (
        "slowest",
        &[("limit", "3")],
        "SELECT request_id, f.full_name, status, start_time, end_time,
                unixepoch(end_time) - unixepoch(start_time) AS seconds, error_message
           FROM rows JOIN functions f ON f.id = function_id
          WHERE seconds IS NOT NULL ORDER BY seconds DESC, request_id LIMIT 3",
    ),
    (
        "growth",
        &[],
        "SELECT month, records, sum(records) OVER (ORDER BY month),
                bytes, sum(bytes) OVER (ORDER BY month)
           FROM (SELECT substr(local_time(start_time), 1, 7) AS month, count(*) AS records,
                        sum(octet_length(request_id) + octet_length(status)
                            + coalesce(octet_length(error_code), 0)
                            + coalesce(octet_length(error_message), 0)
                            + octet_length(start_time) + coalesce(octet_length(end_time), 0)
                            + coalesce(octet_length(extra), 0)) AS bytes
                   FROM rows WHERE local_time(start_time) IS NOT NULL GROUP BY month)
          ORDER BY month",
    ),
    (
        "compare",
        &[("length", "26h")],
        "SELECT f.full_name,
                count(*) FILTER (WHERE NOT was), count(*) FILTER (WHERE was),
                round(100.0 * count(*) FILTER (WHERE NOT was AND status IN ('FAIL', 'DISCARD'))
                      / nullif(count(*) FILTER (WHERE NOT was AND status <> 'RUNNING'), 0), 2)
                    AS now,
                round(100.0 * count(*) FILTER (WHERE was AND status IN ('FAIL', 'DISCARD'))
                      / nullif(count(*) FILTER (WHERE was AND status <> 'RUNNING'), 0), 2) AS then_,
                percentile_disc(seconds, 0.9) FILTER (WHERE NOT was AND status = 'SUCCESS') AS p90,
                percentile_disc(seconds, 0.9) FILTER (WHERE was AND status = 'SUCCESS') AS was_p90
           FROM (SELECT *, start_time < begin_time AS was,
                        unixepoch(end_time) - unixepoch(start_time) AS seconds
                   FROM compared)
           JOIN functions f ON f.id = function_id
          GROUP BY f.id
          ORDER BY coalesce(now, 0) - coalesce(then_, 0) DESC, 1.0 * p90 / max(was_p90, 1) DESC,
                   1, f.id",
    ),
    (
        "failures",
        &[],
        "SELECT error_code, error_message, count(*) AS records, count(DISTINCT function_id),
                min(start_time), max(start_time) AS last,
                min(request_id) FILTER (WHERE start_time IS last_time)
           FROM (SELECT *, max(start_time) OVER (PARTITION BY error_code, error_message)
                            AS last_time
                   FROM rows WHERE status = 'FAIL')
          GROUP BY error_code, error_message
          ORDER BY records DESC, last DESC, hash_of_error('FAIL', error_code, error_message)",
    ),
    (
        "settling",
        &[],
        "WITH told AS (
             SELECT coalesce(unixepoch(l.seen_at) - unixepoch(l.start_time), 0) AS seconds
               FROM rows r
               JOIN runs ON runs.id = first_run_id
               LEFT JOIN late_records l ON l.request_id = r.request_id
              WHERE l.request_id IS NOT NULL
                 OR unixepoch(r.start_time) > unixepoch(runs.started_at) - 86400
         ), delays AS (
             SELECT column1 AS seconds
               FROM (VALUES (0), (60), (300), (900), (1800), (3600), (7200), (21600), (86400),
                            (604800))
              UNION SELECT max(seconds) FROM told
         )
         SELECT d.seconds, count(*) FILTER (WHERE t.seconds <= d.seconds),
                count(*) FILTER (WHERE t.seconds > d.seconds),
                round(100.0 * count(*) FILTER (WHERE t.seconds <= d.seconds) / count(*), 3),
                iif(d.seconds = (SELECT max(seconds) FROM told), 'catches 99.9 %', NULL)
           FROM told t JOIN delays d GROUP BY d.seconds ORDER BY d.seconds",
    ),
];

const BEGIN: i64 = 1_774_656_000;
const ERRORS: [(&str, i64); 3] = [("no order 17", 4), ("no order 18", 4), ("no order 19", 5)];

fn at(second: i64) -> Timestamp {
    Timestamp::from_unix(BEGIN + second)
}

/// Records of four days, each by its start, status, function and duration. One run saw a third of
/// them first when all of them were young, one when those of the first day no longer were, and one
/// when only the last were. Each fifth came late.
fn world(records: &[(Option<i64>, usize, i64, Option<i64>)]) -> Fixture {
    let world = Fixture::new().with(&format!(
        "INSERT INTO runs (id, started_at, updated_at, young_after)
              VALUES (3, '{0}', '{0}', '{1}'), (4, '{2}', '{2}', '{3}');",
        at(172_800),
        at(86_400),
        at(345_599),
        at(259_199)
    ));
    for (number, &(start, status, function, seconds)) in records.iter().enumerate() {
        let status = ["SUCCESS", "FAIL", "DISCARD", "RUNNING"][status];
        let (message, code) = ERRORS[number % 3];
        world
            .connection
            .execute(
                "INSERT INTO invocations (request_id, status, start_time, end_time, function_id,
                                          error_code, error_message, first_run_id, changed_run_id)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
                (
                    format!("r{number:03}"),
                    status,
                    start.map(|start| at(start).to_string()),
                    start.zip(seconds).map(|(start, seconds)| at(start + seconds).to_string()),
                    function,
                    code,
                    message,
                    [1, 3, 4][number / 2 % 3],
                ),
            )
            .unwrap();
        if let Some(start) = start.filter(|_| number % 5 == 0) {
            let seen_at = at(start + 37 * i64::try_from(number).unwrap());
            let insert = "INSERT INTO late_records VALUES (?1, ?2, ?3, ?3, ?4, 1)";
            let id = format!("r{number:03}");
            let late = (id, function, at(start).to_string(), seen_at.to_string());
            world.connection.execute(insert, late).unwrap();
        }
    }
    world.accepted()
}

/// The rows that a statement on `rows` gives, as the report prints them.
fn asked_of_rows(world: &Fixture, arguments: &Arguments, sql: &str) -> Vec<String> {
    let connection = &world.connection;
    error::register(connection).unwrap();
    fold::register(connection).unwrap();
    histogram::register(connection).unwrap();
    percentile::register(connection).unwrap();
    zone::register(connection, arguments.zone).unwrap();
    let bound = |bound: Option<Timestamp>, condition: &str| {
        bound.map_or_else(String::new, |bound| format!(" AND start_time {condition} '{bound}'"))
    };
    let range = bound(arguments.since, ">=") + &bound(arguments.until, "<");
    let functions = if arguments.functions.is_empty() { "1, 2" } else { "2" };
    let end = arguments.until.unwrap_or(arguments.now);
    let begin = arguments.since.unwrap_or(end - Duration::from_hours(26));
    let before = Timestamp::from_unix(2 * begin.unix() - end.unix());
    // A statement may have tables of its own.
    let sql = sql.strip_prefix("WITH").map_or_else(|| sql.to_owned(), |own| format!(",{own}"));
    let sql = format!(
        "WITH rows AS (SELECT * FROM invocations WHERE function_id IN ({functions}){range}),
              compared AS (SELECT *, '{begin}' AS begin_time FROM invocations
                            WHERE function_id IN ({functions})
                              AND start_time >= '{before}' AND start_time < '{end}')
         {sql}"
    );
    let mut select = connection.prepare(&sql).unwrap();
    let columns = select.column_count();
    let line = |row: &rusqlite::Row<'_>| {
        let cell = |column| match row.get::<_, Value>(column).unwrap() {
            Value::Null => String::new(),
            Value::Integer(number) => number.to_string(),
            Value::Real(number) => number.to_string(),
            Value::Text(text) => text,
            Value::Blob(_) => panic!("no report tells bytes"),
        };
        Ok((0..columns).map(cell).collect::<Vec<_>>().join(" | ").trim_end().to_owned())
    };
    select.query_map([], line).unwrap().map(Result::unwrap).collect()
}

/// The index holds durations as well, and an index refuses a row for which a function of time would
/// answer differently at another moment: whatever a service sends for a time can be kept.
#[test]
fn a_record_whose_start_or_end_is_no_time_has_no_duration() {
    let world = Fixture::new();
    let start = "2026-03-01T10:00:00Z";
    let others = [
        ("now", None),
        ("subsec", None),
        ("now                 ", None),
        ("", None),
        ("2026-03-01 10:00:07Z", None),
        ("2026-03-01T10:00:07", None),
        ("2026-02-30T10:00:07Z", None),
        ("2026-03-01T24:00:00Z", None),
        ("99999999999999999999", None),
        ("2026-03-01T10:00:07Z", Some(7)),
        ("2026-03-01T09:59:53Z", Some(-7)),
        ("0001-01-01T00:00:00Z", Some(-63_907_956_000)),
        ("9999-12-31T23:59:59Z", Some(251_629_941_599)),
    ];
    let mut insert = world
        .connection
        .prepare(
            "INSERT INTO invocations (request_id, status, start_time, end_time, function_id,
                                      first_run_id, changed_run_id)
             VALUES (hex(randomblob(9)), ?1, ?2, ?3, 1, 1, 1)",
        )
        .unwrap();
    for (other, duration) in others {
        for (status, begin, end, seconds) in [
            ("SUCCESS", start, other, duration),
            ("FAIL", other, start, duration.map(|seconds: i64| -seconds)),
        ] {
            insert.execute((status, begin, end)).unwrap();
            let told: (String, Option<i64>) = world
                .connection
                .query_row(
                    "SELECT status, duration_s FROM record_times ORDER BY record DESC LIMIT 1",
                    [],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .unwrap();
            assert_eq!(told, (status.to_owned(), seconds), "{begin:?} to {end:?}");
        }
    }
}

#[test]
fn a_start_that_cannot_be_read_is_in_no_range() {
    let world = Fixture::new().with_records("a1 FAIL 2026-03-01T10:45 2026-03-01T10:46:00Z").with(
        "INSERT INTO open_records VALUES ('a1', 1, '2026-03-01T12:00:00Z',
                 '2026-03-01T12:00:00Z', '2026-03-01T12:00:00Z')",
    );
    let mut arguments = Arguments::at("2026-03-01T12:00:00Z".parse().unwrap());
    let mut reader = world.reader();
    let mut lines = |report: &str, arguments: &Arguments| {
        let report = Report::find(report).unwrap();
        let mut question = reader.ask(report, arguments, Duration::from_secs(30)).unwrap();
        shown(&mut question).unwrap().lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    for report in ["summary", "failures", "errors", "open"] {
        assert_eq!(lines(report, &arguments).len(), 1, "{report} of everything");
    }
    arguments.since = Some("2026-03-01T10:30:00Z".parse().unwrap());
    arguments.until = Some("2026-03-01T11:30:00Z".parse().unwrap());
    for report in ["summary", "compare", "failures", "errors", "records", "slowest", "open"] {
        assert_eq!(lines(report, &arguments), [""; 0], "{report}");
    }
    assert_eq!(lines("totals", &arguments), ["0 | 0 | 0 | 0 | 0 | 0 | 0 |  |  |  |  | 0"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Whatever the range, the zone and the functions: whole hours and days and the edges together
    /// are what the rows say.
    #[test]
    fn what_is_read_from_summaries_is_what_the_rows_say(
        records in prop::collection::vec(
            (prop::option::weighted(0.95, 0..345_600i64), 0usize..4, 1i64..3,
             prop::option::weighted(0.8, -5..5_000i64)),
            0..60,
        ),
        bounds in (prop::option::of(0..345_600i64), prop::option::of(1..345_600i64)),
        zone in prop::sample::select(&["UTC", "Europe/Berlin", "Asia/Kolkata"][..]),
        is_narrowed: bool,
    ) {
        let world = world(&records);
        let mut arguments = Arguments::at(at(345_600));
        arguments.zone = zone.parse::<Zone>().unwrap();
        arguments.since = bounds.0.map(at);
        arguments.until = bounds.1.map(|length| at(bounds.0.unwrap_or(0) + length));
        if is_narrowed {
            arguments.functions = vec!["invoice".to_owned()];
        }
        let mut reader = world.reader();
        for (report, own, sql) in REPORTS {
            let own = own.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
            let arguments = Arguments { own: own.collect(), ..arguments.clone() };
            let report = Report::find(report).unwrap();
            let answer = {
                let limit = Duration::from_secs(30);
                let mut question = reader.ask(report, &arguments, limit).unwrap();
                shown(&mut question).unwrap()
            };
            let answer: Vec<&str> = answer.lines().skip(1).collect();
            prop_assert_eq!(answer, asked_of_rows(&world, &arguments, sql), "{}", report.name());
        }
    }
}
