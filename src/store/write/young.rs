//! Which records a run saw before they were a day old: only these tell how soon the service shows
//! a record, which the report `settling` asks.

use super::day::day_of;
use crate::domain::Timestamp;
use crate::store::sql::ids::RunId;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension};
use std::collections::HashMap;

/// Tells of records whether they were young when the run that saw them first began.
pub(in crate::store) struct Young<'c> {
    connection: &'c Connection,
    /// After which start records were young to each run. None where that cannot be read.
    bounds: HashMap<RunId, Option<[u8; Timestamp::TEXT_LENGTH]>>,
}

impl<'c> Young<'c> {
    pub(in crate::store) fn new(connection: &'c Connection) -> Self {
        Self { connection, bounds: HashMap::new() }
    }

    /// Whether a record with this start, of which the run was the first to know, was young then.
    /// One without a readable start was not.
    pub(in crate::store) fn holds(
        &mut self,
        first_run: RunId,
        start: ValueRef<'_>,
    ) -> rusqlite::Result<bool> {
        let bound = match self.bounds.get(&first_run) {
            Some(bound) => *bound,
            None => self.load_bound(first_run)?,
        };
        let (Some(bound), ValueRef::Text(start_text)) = (bound, start) else { return Ok(false) };
        Ok(start_text > &bound[..] && day_of(start).is_some())
    }

    fn load_bound(&mut self, run: RunId) -> rusqlite::Result<Option<[u8; Timestamp::TEXT_LENGTH]>> {
        let select = "SELECT young_after FROM runs WHERE id = ?1";
        let mut select = self.connection.prepare_cached(select)?;
        let after: Option<Option<String>> = select.query_row([run], |row| row.get(0)).optional()?;
        let after = after.flatten().and_then(|text| text.parse::<Timestamp>().ok());
        let bound = after.map(Timestamp::to_text);
        self.bounds.insert(run, bound);
        Ok(bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Fixture;

    /// The first run of the archive began at noon of 1 March.
    #[test]
    fn a_record_is_young_for_less_than_a_day_before_the_run_began() {
        let archive = Fixture::new();
        let mut young = Young::new(&archive.connection);
        for (run, start, is_young) in [
            (1, "2026-02-28T12:00:00Z", false),
            (1, "2026-02-28T12:00:01Z", true),
            (1, "2026-03-01T12:00:00Z", true),
            (1, "2026-03-01T12:00:20Z", true),
            (2, "2026-03-01T12:00:00Z", false),
            (2, "2026-03-01T12:00:01Z", true),
            (3, "2026-03-01T12:00:01Z", false),
            (1, "2026-02-29T12:00:01Z", false),
            (1, "yesterday", false),
        ] {
            let start_text = ValueRef::Text(start.as_bytes());
            let told = young.holds(RunId(run), start_text).unwrap();
            assert_eq!(told, is_young, "run {run}, {start}");
        }
        assert!(!young.holds(RunId(1), ValueRef::Null).unwrap());
    }
}
