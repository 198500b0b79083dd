//! What is asked of runs that are over.

use crate::store::file::{Reader, StoreError};
use crate::store::sql::RunId;
use rusqlite::OptionalExtension;

impl Reader {
    /// Whether the run of `sync` before this one went well; one that was killed did not. None where
    /// there was none.
    pub fn went_well_before(&self, run: RunId) -> Result<Option<bool>, StoreError> {
        let sql = "SELECT coalesce(exit_code = 0, 0) FROM runs
                    WHERE id < ?1 AND command = 'sync'
                    ORDER BY id DESC LIMIT 1";
        Ok(self.connection.query_row(sql, [run], |row| row.get(0)).optional()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Fixture;
    use pretty_assertions::assert_eq;

    #[test]
    fn only_a_run_of_sync_that_ended_with_zero_went_well() {
        let run = |id: i64, command: &str, exit_code: &str| {
            format!(
                "INSERT INTO runs (id, command, started_at, updated_at, exit_code)
                 VALUES ({id}, '{command}', '2026-03-01T12:00:00Z', '2026-03-01T12:00:00Z',
                         {exit_code});"
            )
        };
        let runs = [
            run(11, "sync", "0"),
            run(12, "sync", "3"),
            run(13, "verify", "0"),
            run(14, "sync", "NULL"),
        ];
        let archive = Fixture::new().with("DELETE FROM runs").with(&runs.concat());
        let reader = archive.reader();
        let before = |id| reader.went_well_before(RunId(id)).unwrap();
        let told = [11, 12, 13, 14, 15].map(before);
        assert_eq!(told, [None, Some(true), Some(false), Some(false), Some(false)]);
    }
}
