//! An archive opened for reading. Nothing that a reader does changes the archive or waits for a run
//! to end.

use super::connection::{Sharing, open_read_only};
use super::header::Header;
use super::identity::{Found, check_known, look};
use super::kept::KeptFile;
use super::log::{has_journal, has_log};
use super::paths::beside;
use super::schema::{known_version, load_version};
use super::snapshot::open_copy;
use super::{StoreError, mounts, owner};
use crate::store::sql::functions::register_functions;
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long to wait for a lock. A reader of a write-ahead log meets one only while a crash is
/// repaired or a file closed.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// How often an archive is copied that is written to meanwhile.
const MOST_COPIES: usize = 5;

/// How often an archive is opened that is replaced meanwhile.
const MOST_TRIES: usize = 3;

/// An archive, for reading only.
#[derive(Debug)]
pub struct Reader {
    pub(in crate::store) connection: Connection,
    path: PathBuf,
    // Closed after the connection: closing it drops SQLite's locks.
    _file: KeptFile,
}

impl Reader {
    /// Opens an archive that a run has made, with the schema this program knows. One whose place a
    /// compacted one takes meanwhile is opened again.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let mut opened = Self::open_once(path);
        for _ in 1..MOST_TRIES {
            if !matches!(opened, Err(StoreError::Replaced)) {
                break;
            }
            opened = Self::open_once(path);
        }
        opened
    }

    fn open_once(path: &Path) -> Result<Self, StoreError> {
        let inspected = look(path)?;
        let file = match (inspected.found, inspected.file) {
            (Found::Missing, _) | (_, None) => return Err(StoreError::Missing),
            (Found::Empty | Found::Ours { schema_version: 0 }, _) => return Err(StoreError::Empty),
            (Found::Ours { schema_version: found }, _) if found < known_version() => {
                return Err(StoreError::Older { found, known: known_version() });
            }
            (Found::Ours { .. }, Some(file)) => file,
        };
        let mut connection = connect(&file)?;
        if !file.is_in_place() {
            return Err(StoreError::Replaced);
        }
        check_known(load_version(&mut connection)?)?;
        configure(&connection)?;
        register_functions(&connection)?;
        Ok(Self { connection, path: path.to_owned(), _file: file })
    }

    /// Lets every question from now on see the archive as it is at the first of them, whatever a
    /// run commits meanwhile. A reader that lives for long keeps the log of a run from being
    /// emptied, so this is for a handful of questions.
    pub fn hold_still(&self) -> Result<(), StoreError> {
        Ok(self.connection.execute_batch("BEGIN")?)
    }

    /// The path it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Opens the file beside a running writer where this process may share with it, and a private copy
/// where it may not.
fn connect(file: &KeptFile) -> Result<Connection, StoreError> {
    if !has_log(file.path()) && !has_journal(file.path()) && mounts::is_immutable(file.path()) {
        return touched(open_read_only(file.path(), Sharing::Immutable));
    }
    if has_journal(file.path()) {
        let why =
            "a transaction that was cut short must be rolled back first, which the next run does";
        return share(file)?.ok_or_else(|| StoreError::Unreadable(why.to_owned()));
    }
    for _ in 0..MOST_COPIES {
        if let Some(connection) = share(file)? {
            return Ok(connection);
        }
        tracing::debug!(archive = %file.path().display(), "reading a copy: it cannot be shared");
        // The directory of the copy is removed as soon as the copy is open.
        if let Some((connection, _directory)) = open_copy(file)? {
            return touched(Ok(connection));
        }
    }
    let why = "a run writes to it, and this user may not make files beside it, which reading \
               meanwhile needs";
    Err(StoreError::Unreadable(why.to_owned()))
}

/// Opens the file together with whoever else has it open, if this process may; it leaves nothing
/// beside the file that its owner could not use.
///
/// The write-ahead mode needs shared memory beside the file, which a reader makes if nobody has. A
/// file that is not in that mode needs nothing.
fn share(file: &KeptFile) -> Result<Option<Connection>, StoreError> {
    let is_there = |suffix| beside(file.path(), suffix).exists();
    let is_own = owner::is_own(file)?;
    if !is_own && Header::read(file)?.is_logged() && !(is_there("-wal") && is_there("-shm")) {
        return Ok(None);
    }
    let sharing = if is_own { Sharing::Full } else { Sharing::Guest };
    match touched(open_read_only(file.path(), sharing)) {
        Err(StoreError::Unreadable(_) | StoreError::Unwritable(_)) => Ok(None),
        other => other.map(Some),
    }
}

fn touched(opened: Result<Connection, StoreError>) -> Result<Connection, StoreError> {
    let connection = opened?;
    touch(&connection)?;
    Ok(connection)
}

/// The first read maps the shared memory, so what is wrong with it shows here and not in the middle
/// of a report.
fn touch(connection: &Connection) -> Result<(), StoreError> {
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(())
}

fn configure(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(LOCK_WAIT)?;
    // A second lock on the door: no statement writes, even should the file have been opened
    // otherwise.
    connection.pragma_update(None, "query_only", true)?;
    // A view in a file made by somebody else must not call functions with side effects.
    connection.pragma_update(None, "trusted_schema", false)?;
    // 16 MiB of pages, so that a report stays within the memory bound whatever the archive's size.
    connection.pragma_update(None, "cache_size", -16_384)?;
    // Sorting and grouping spill to temporary files, not to memory
    // (sqlite.org/pragma.html#pragma_temp_store).
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
    use crate::domain::Timestamp;
    use crate::store::reports::Arguments;
    use crate::store::testing::Fixture;

    fn records_seen_by(reader: &Reader) -> i64 {
        reader
            .connection
            .query_row("SELECT count(*) FROM invocations", [], |row| row.get(0))
            .unwrap()
    }

    #[test]
    fn a_reader_beside_a_writing_run_sees_what_was_committed_last() {
        let record = "INSERT INTO invocations VALUES ('b', 1, 'WAIT', NULL, NULL, NULL, NULL, 1, 1,
                          NULL, NULL, NULL)";
        let archive = Fixture::new()
            .with_records("a SUCCESS - -")
            .with(&format!("BEGIN IMMEDIATE; {record}"));
        let reader = archive.reader();
        assert_eq!(records_seen_by(&reader), 1);
        let _archive = archive.with("COMMIT");
        assert_eq!(records_seen_by(&reader), 2);
    }

    #[test]
    fn a_reader_that_is_held_still_sees_one_moment() {
        let record = |id: &str| {
            format!(
                "INSERT INTO invocations VALUES ('{id}', 1, 'WAIT', NULL, NULL, NULL, NULL, 1, 1,
                     NULL, NULL, NULL)"
            )
        };
        let archive = Fixture::new().with(&record("a"));
        let mut reader = archive.reader();
        reader.hold_still().unwrap();
        assert_eq!(records_seen_by(&reader), 1);
        let archive = archive.with(&record("b"));
        let now = Timestamp::MIN;
        assert_eq!(reader.status(&Arguments::at(now)).unwrap().functions.len(), 2);
        assert_eq!(records_seen_by(&reader), 1);
        assert_eq!(records_seen_by(&archive.reader()), 2);
    }

    #[test]
    fn an_immutable_archive_is_read_without_leaving_a_trace() {
        let directory = Fixture::new().with_records("a SUCCESS - -").closed();
        let path = directory.path().join("archive.db");
        let real = std::fs::canonicalize(path).unwrap();
        let connection = open_read_only(&real, Sharing::Immutable).unwrap();
        touch(&connection).unwrap();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
