//! Known rows, and the answers that a person computed from them.

mod answers;
mod days;
mod incidents;
mod records;
mod statements;
mod zones;

use super::parameter::Kind;
use super::*;
use crate::domain::{Timestamp, Zone};
use crate::store::file::StoreError;
use crate::store::testing::{Fixture, shown};
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
