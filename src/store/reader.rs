//! An archive opened for reading. Nothing that a reader does changes the archive or waits for a run to end.

use super::identity::{Found, has_log, inspect, open_read_only};
use super::schema::known_version;
use super::{StoreError, percentile};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long to wait for a lock. A reader of a write-ahead log meets one only while a crash is repaired or a file closed.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// An archive, for reading only.
#[derive(Debug)]
pub struct Reader {
    pub(super) connection: Connection,
    path: PathBuf,
}

impl Reader {
    /// Opens an archive that a run has made, with the schema this program knows.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        match inspect(path)? {
            Found::Missing => return Err(StoreError::Missing),
            Found::Empty | Found::Ours { schema_version: 0 } => return Err(StoreError::Empty),
            Found::Ours { schema_version: found } if found < known_version() => {
                return Err(StoreError::Older { found, known: known_version() });
            }
            Found::Ours { .. } => {}
        }
        let connection = connect(path)?;
        configure(&connection)?;
        percentile::register(&connection)?;
        Ok(Self { connection, path: path.to_owned() })
    }

    /// The path it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Opens the file beside a running writer where the directory allows it, and as it stands where it does not.
///
/// The write-ahead mode needs a `-shm` file, which a reader creates if no writer has. In a directory that it may not
/// write to, a file without a log can still be read as immutable; one with a log cannot be read whole, and is refused.
fn connect(path: &Path) -> Result<Connection, StoreError> {
    let shared = open_read_only(path, false).and_then(|connection| touch(&connection).map(|()| connection));
    match shared {
        Err(StoreError::Unreadable(_) | StoreError::Unwritable(_)) if !has_log(path) => {
            tracing::debug!(archive = %path.display(), "reading the archive as it stands: its directory is not writable");
            let connection = open_read_only(path, true)?;
            touch(&connection).map(|()| connection)
        }
        other => other,
    }
}

/// The first read maps the shared memory, so what is wrong with it shows here and not in the middle of a report.
fn touch(connection: &Connection) -> Result<(), StoreError> {
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(())
}

fn configure(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(LOCK_WAIT)?;
    // A second lock on the door: no statement writes, even should the file have been opened otherwise.
    connection.pragma_update(None, "query_only", true)?;
    // A view in a file made by somebody else must not call functions with side effects.
    connection.pragma_update(None, "trusted_schema", false)?;
    // 16 MiB of pages, so that a report stays within the memory bound whatever the archive's size.
    connection.pragma_update(None, "cache_size", -16_384)?;
    // Sorting and grouping spill to temporary files, not to memory (sqlite.org/pragma.html#pragma_temp_store).
    connection.pragma_update(None, "temp_store", "FILE")?;
    // "FAIL" in double quotes is a column and, if there is none, a mistake; not silently a text.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    // No statement may write to the schema tables or to shadow tables.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // `fts3_tokenizer()` takes the address of code to run.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, false)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Fixture;

    fn records_seen_by(reader: &Reader) -> i64 {
        reader.connection.query_row("SELECT count(*) FROM invocations", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_reader_beside_a_writing_run_sees_what_was_committed_last() {
        let record = "INSERT INTO invocations VALUES ('b', 1, 'WAIT', NULL, NULL, NULL, NULL, 1, 1, NULL, NULL)";
        let archive = Fixture::new().with_records("a SUCCESS - -").with(&format!("BEGIN IMMEDIATE; {record}"));
        let reader = archive.reader();
        assert_eq!(records_seen_by(&reader), 1);
        let _archive = archive.with("COMMIT");
        assert_eq!(records_seen_by(&reader), 2);
    }

    #[test]
    fn an_immutable_archive_is_read_without_leaving_a_trace() {
        let directory = Fixture::new().with_records("a SUCCESS - -").closed();
        let path = directory.path().join("archive.db");
        let connection = open_read_only(&path, true).unwrap();
        touch(&connection).unwrap();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
