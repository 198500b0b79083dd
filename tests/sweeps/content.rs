//! What two archives of the same world share, whichever runs filled them.

use crate::archive;
use std::path::Path;

/// A moment to the nearest minute. The service's clock stands still, and the time that a run waits
/// passes by its own.
macro_rules! minute {
    ($column:literal) => {
        concat!("strftime('%FT%H:%MZ', unixepoch(", $column, ") + 30, 'unixepoch')")
    };
}

/// From where to where the windows of a function reach, and how many minutes they hold.
macro_rules! minutes_of_windows {
    () => {
        concat!(
            "SELECT urn, ",
            minute!("min(begin_time)"),
            ", ",
            minute!("max(end_time)"),
            ", (sum(unixepoch(end_time) - unixepoch(begin_time)) + 30) / 60
               FROM windows JOIN functions ON functions.id = function_id",
        )
    };
}

/// Everything but the runs, and how the ledger is cut where it is not settled yet.
const QUESTIONS: [(&str, &str); 11] = [
    (
        "functions",
        concat!(
            "SELECT urn, ",
            minute!("first_seen_at"),
            ", ",
            minute!("horizon_begin"),
            ", ",
            minute!("horizon_end"),
            " FROM functions ORDER BY 1",
        ),
    ),
    (
        "records",
        concat!(
            "SELECT request_id, urn, status, typeof(error_code), error_code, error_message,
                 start_time, end_time, ",
            minute!("given_up_at"),
            ", extra FROM invocations JOIN functions ON functions.id = function_id ORDER BY 1",
        ),
    ),
    (
        "ledger",
        concat!(
            "SELECT urn, ",
            minute!("begin_time"),
            ", ",
            minute!("end_time"),
            ", state FROM windows JOIN functions ON functions.id = function_id
              WHERE state NOT IN ('settled', 'proven') ORDER BY 1, 2",
        ),
    ),
    // What one run found empty waits for another to settle it; how many there were depends on where
    // they were disturbed.
    (
        "settled",
        concat!(
            minutes_of_windows!(),
            " WHERE state = 'settled' OR (distinct_count = 0
                 AND unixepoch(walked_at) - unixepoch(end_time) >= 840)
              GROUP BY 1 ORDER BY 1",
        ),
    ),
    (
        "proven",
        concat!(
            minutes_of_windows!(),
            " WHERE state = 'proven' AND (distinct_count > 0
                 OR unixepoch(walked_at) - unixepoch(end_time) < 840)
              GROUP BY 1 ORDER BY 1",
        ),
    ),
    (
        "history",
        concat!(
            "SELECT request_id, from_status, to_status, ",
            minute!("after_time"),
            ", ",
            minute!("by_time"),
            ", accepted FROM status_changes ORDER BY 1, id",
        ),
    ),
    (
        "amendments",
        concat!(
            "SELECT request_id, field, stood, shown, accepted, ",
            minute!("seen_at"),
            " FROM amendments ORDER BY 1, id",
        ),
    ),
    (
        "shared",
        "SELECT request_id, urn, status, error_code, error_message, start_time, end_time, extra
           FROM shared_records JOIN functions ON functions.id = function_id ORDER BY 1, 2",
    ),
    (
        "late",
        concat!(
            "SELECT request_id, start_time, ",
            minute!("missed_at"),
            ", ",
            minute!("seen_at"),
            " FROM late_records ORDER BY 1",
        ),
    ),
    (
        "rejects",
        concat!(
            "SELECT urn, ",
            minute!("seen_at"),
            ", reason, raw FROM rejects JOIN functions ON functions.id = function_id ORDER BY 1, 4",
        ),
    ),
    (
        "open",
        concat!(
            "SELECT request_id, ",
            minute!("opened_at"),
            ", ",
            minute!("seen_at"),
            ", ",
            minute!("checked_at"),
            " FROM open_records ORDER BY 1",
        ),
    ),
];

/// The most rows of a difference that are told.
const MOST_TOLD: usize = 3;

/// What an archive holds, question by question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Content(Vec<Vec<String>>);

impl Content {
    pub(crate) fn of(db: &Path) -> Self {
        Self(QUESTIONS.iter().map(|(_, question)| archive::rows(db, question)).collect())
    }

    /// The rows that answer a question.
    pub(crate) fn rows(&self, name: &str) -> &[String] {
        let place = QUESTIONS.iter().position(|(known, _)| *known == name).unwrap();
        &self.0[place]
    }

    /// How it differs from what is expected, in a few lines.
    pub(crate) fn difference(&self, expected: &Self) -> String {
        let names = QUESTIONS.iter().map(|(name, _)| *name);
        names.map(|name| difference(name, self.rows(name), expected.rows(name))).collect()
    }
}

fn difference(name: &str, found: &[String], expected: &[String]) -> String {
    let missing =
        expected.iter().filter(|row| !found.contains(row)).map(|row| format!("\n  missing {row}"));
    let surplus =
        found.iter().filter(|row| !expected.contains(row)).map(|row| format!("\n  surplus {row}"));
    let told: String = missing.take(MOST_TOLD).chain(surplus.take(MOST_TOLD)).collect();
    if found == expected {
        String::new()
    } else {
        format!("\n {name}: {} rows for {}{told}", found.len(), expected.len())
    }
}
