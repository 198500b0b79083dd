//! The archive as a run holds it: locked, open for writing, at the newest schema.

use super::identity::{Found, inspect};
use super::lock::{ArchiveLock, private};
use super::{APPLICATION_ID, StoreError};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a statement waits for a reader that holds up a checkpoint; a run has time.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes of a page of the file: twice the default. Random keys touch a page for nearly every row of a small batch, and
/// fewer, larger pages make more rows of a sorted batch share one.
const PAGE_BYTES: i64 = 8_192;

/// Hot pages kept in memory, in KiB: enough for the inner pages of the indexes. Random keys hardly ever find a leaf in a
/// cache of any size that fits beside a full batch; half as much again brought a hundredth, rows in the batch bring more.
const CACHE_KIB: i64 = 10 * 1024;

/// The write-ahead log is moved into the file when it has grown to this many pages (80 MiB): a page that several batches
/// change is then written back once. SQLite does it at the end of a commit, never inside a transaction.
const CHECKPOINT_PAGES: i64 = 10_000;

/// An archive that this process alone may write to.
#[derive(Debug)]
pub struct Archive {
    connection: Connection,
    path: PathBuf,
    _lock: ArchiveLock,
}

impl Archive {
    /// Opens the archive, making it where there is none and upgrading it where it is older.
    ///
    /// A file that is not ours, or newer than this program, is left byte for byte as it was.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let before = inspect(path)?;
        check_directory(path)?;
        let lock = ArchiveLock::acquire(path)?;
        if before == Found::Missing {
            create_private(path)?;
        }
        let connection = connect(path)?;
        let mut archive = Self { connection, path: path.to_owned(), _lock: lock };
        archive.migrate()?;
        Ok(archive)
    }

    /// Where the archive lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Runs `work` in one transaction, which commits when it succeeds and leaves no trace when it fails: the only way
    /// to write to the archive.
    pub(super) fn transact<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    /// All migrations in one transaction: a crash leaves the old schema or the new one. The lock is held, since refinery
    /// does not guard against another process doing the same.
    fn migrate(&mut self) -> Result<(), StoreError> {
        super::schema::migrations()
            .set_grouped(true)
            .run(&mut self.connection)
            .map(drop)
            .map_err(|error| StoreError::from_migration(&error))
    }

    /// Moves the write-ahead log into the file and makes it durable; afterwards the log is empty.
    ///
    /// A reader may hold back a part of it, which the next run then moves.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }
}

/// The directory must exist: making directories for a mistyped path would hide the mistake.
fn check_directory(path: &Path) -> Result<(), StoreError> {
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if directory.is_dir() {
        Ok(())
    } else {
        Err(StoreError::Unwritable(format!("there is no directory `{}`", directory.display())))
    }
}

fn create_private(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    private(&mut options);
    Ok(options.open(path).map(drop)?)
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Written before the write-ahead mode begins, so that the header tells whose file this is at every moment.
    let application_id: u32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if application_id != APPLICATION_ID {
        // Both only take effect while the file is empty.
        connection.pragma_update(None, "page_size", PAGE_BYTES)?;
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    // Readers are never blocked by the run, nor the run by readers.
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Unwritable(format!(
            "its file system has no write-ahead logging, journal mode is {mode}"
        )));
    }
    // A power failure can undo the last commits, but only whole ones; the checkpoint that ends a run makes all durable
    // before the run reports anything.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // A damaged or hostile schema shall not run code of ours.
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    Ok(connection)
}
