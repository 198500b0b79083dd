//! What could not be proven of each function, and why.

use crate::domain::{Interval, counted};
use crate::store::file::StoreError;
use crate::store::sql::read_range;
use rusqlite::Connection;
use std::collections::HashMap;

/// The ranges of a function that could not be proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unproven {
    /// How many there are.
    pub ranges: i64,
    /// The earliest of them.
    pub first: Interval,
    /// Why that one could not be proven.
    pub reason: String,
}

impl Unproven {
    /// In words, for somebody who should look after it.
    pub fn warning(&self) -> String {
        let Self { ranges, first, reason } = self;
        let ranges = counted(*ranges, "range");
        format!("{ranges} not proven complete, first {first}: {reason}")
    }
}

/// By the URN of each function that has such ranges.
pub(in crate::store) fn load_unproven(
    connection: &Connection,
) -> Result<HashMap<String, Unproven>, StoreError> {
    // With `min`, SQLite takes the other columns from the row that has it.
    let select = "SELECT f.urn, count(*), min(w.begin_time), w.end_time, w.reason
                    FROM windows w
                    JOIN functions f ON f.id = w.function_id
                   WHERE w.state = 'unproven'
                   GROUP BY f.id";
    let mut statement = connection.prepare(select)?;
    let mut rows = statement.query([])?;
    let mut unproven = HashMap::new();
    while let Some(row) = rows.next()? {
        let reason = row.get::<_, Option<String>>(4)?.unwrap_or_default();
        unproven.insert(
            row.get(0)?,
            Unproven { ranges: row.get(1)?, first: read_range(row, 2)?, reason },
        );
    }
    Ok(unproven)
}
