//! What two archives of the same world share, whichever runs filled them.

use crate::archive;
use std::path::Path;

/// Everything but the runs, and how the ledger is cut where it is not settled yet.
const QUESTIONS: [(&str, &str); 10] = [
    ("functions", "SELECT urn, first_seen_at FROM functions ORDER BY 1"),
    (
        "records",
        "SELECT request_id, urn, status, typeof(error_code), error_code, error_message, start_time, end_time,
                given_up_at, extra
           FROM invocations JOIN functions ON functions.id = function_id ORDER BY 1",
    ),
    (
        "ledger",
        "SELECT urn, begin_time, end_time, state FROM windows JOIN functions ON functions.id = function_id
          WHERE state <> 'proven' ORDER BY 1, 2",
    ),
    (
        "proven",
        "SELECT urn, min(begin_time), max(end_time), sum(unixepoch(end_time) - unixepoch(begin_time))
           FROM windows JOIN functions ON functions.id = function_id WHERE state = 'proven' GROUP BY 1 ORDER BY 1",
    ),
    (
        "history",
        "SELECT request_id, from_status, to_status, after_time, by_time, accepted FROM status_changes ORDER BY 1, id",
    ),
    ("amendments", "SELECT request_id, field, stood, shown, accepted, seen_at FROM amendments ORDER BY 1, id"),
    (
        "shared",
        "SELECT request_id, urn, status, error_code, error_message, start_time, end_time, extra
           FROM shared_records JOIN functions ON functions.id = function_id ORDER BY 1, 2",
    ),
    ("late", "SELECT request_id, start_time, missed_at, seen_at FROM late_records ORDER BY 1"),
    (
        "rejects",
        "SELECT urn, seen_at, reason, raw FROM rejects JOIN functions ON functions.id = function_id ORDER BY 1, 4",
    ),
    ("open", "SELECT request_id, opened_at, seen_at, checked_at FROM open_records ORDER BY 1"),
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
    let missing = expected.iter().filter(|row| !found.contains(row)).map(|row| format!("\n  missing {row}"));
    let surplus = found.iter().filter(|row| !expected.contains(row)).map(|row| format!("\n  surplus {row}"));
    let told: String = missing.take(MOST_TOLD).chain(surplus.take(MOST_TOLD)).collect();
    if found == expected {
        String::new()
    } else {
        format!("\n {name}: {} rows for {}{told}", found.len(), expected.len())
    }
}
