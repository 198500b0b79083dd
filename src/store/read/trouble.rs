//! What of an archive somebody should be told beside how its functions stand.

use crate::domain::Timestamp;
use crate::store::file::{Reader, StoreError};
use rusqlite::OptionalExtension;
use std::time::Duration;

/// What may be wrong with the runs and what they brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// When the first `sync` began.
    pub first_run: Option<Timestamp>,
    /// The sources of which access was refused to the last `sync` that has ended.
    pub refused: Vec<String>,
    /// Functions with records that came later than the settle delay waits for, by name, and how
    /// many those are.
    pub late: Vec<(String, i64)>,
}

/// A record that a walk had missed when the settle delay had passed, or that the second walk of a
/// settled window found.
const LATE: &str = "
SELECT f.full_name, sum(n)
  FROM (SELECT function_id, count(*) AS n
          FROM late_records
         WHERE unixepoch(missed_at) - unixepoch(start_time) >= ?1
         GROUP BY function_id
         UNION ALL
        SELECT function_id, sum(late) FROM verifications WHERE late > 0 GROUP BY function_id) late
  JOIN functions f ON f.id = late.function_id
 GROUP BY f.id
 ORDER BY f.full_name, f.id";

impl Reader {
    /// What may be wrong, where a record may be shown so long after it started.
    pub fn trouble(&mut self, settle_delay: Duration) -> Result<Trouble, StoreError> {
        let transaction = self.connection.savepoint()?;
        let first_run = transaction
            .query_row(
                "SELECT started_at FROM runs WHERE command = 'sync' ORDER BY id LIMIT 1",
                [],
                |row| row.get(0),
            )
            .optional()?;
        let mut refused = transaction.prepare(
            "SELECT name FROM run_sources
              WHERE exit_code = 4
                AND run_id = (SELECT max(id) FROM runs
                               WHERE command = 'sync' AND outcome IS NOT NULL)
              ORDER BY name",
        )?;
        let refused = refused.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut late = transaction.prepare(LATE)?;
        let seconds = i64::try_from(settle_delay.as_secs()).unwrap_or(i64::MAX);
        let late = late.query_map([seconds], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let late = late.collect::<Result<_, _>>()?;
        Ok(Trouble { first_run, refused, late })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Fixture;
    use pretty_assertions::assert_eq;

    #[test]
    fn what_came_late_and_what_was_refused_is_told() {
        let archive = Fixture::new().with(
            "INSERT INTO runs (id, started_at, updated_at, ended_at, outcome, exit_code)
                 VALUES (3, '2026-03-03T12:00:00Z', '2026-03-03T12:00:30Z',
                         '2026-03-03T12:00:30Z', 'refused', 4);
             INSERT INTO run_sources (run_id, name, outcome, exit_code)
                 VALUES (3, 'a', 'refused', 4), (3, 'b', 'complete', 0);
             INSERT INTO late_records VALUES
                 ('x', 1, '2026-03-01T10:00:00Z', '2026-03-01T10:14:59Z', '2026-03-01T12:00:00Z',
                  1),
                 ('y', 1, '2026-03-01T10:00:00Z', '2026-03-01T10:15:00Z', '2026-03-01T12:00:00Z',
                  1);
             INSERT INTO verifications VALUES
                 (1, 1, '2026-03-01T10:00:00Z', '2026-03-01T11:00:00Z', '2026-03-02T12:00:00Z', 9,
                  2, 1, 1, 0, 2),
                 (2, 2, '2026-03-01T10:00:00Z', '2026-03-01T11:00:00Z', '2026-03-02T12:00:00Z', 9,
                  0, 1, 1, 0, 2);",
        );
        let expected = Trouble {
            first_run: Some("2026-03-01T12:00:00Z".parse().unwrap()),
            refused: vec!["a".to_owned()],
            late: vec![("default:report".to_owned(), 3)],
        };
        let mut reader = archive.reader();
        assert_eq!(reader.trouble(Duration::from_mins(15)).unwrap(), expected);
    }
}
