//! The archive as a run holds it: locked, open for writing, at the newest schema.

use super::connection::keep_statements;
use super::identity::{Found, Inspected, check_known, check_single, look};
use super::kept::{KeptFile, private};
use super::lock::{ArchiveLock, lock_itself};
use super::place::Place;
use super::schema::{check_added, load_version};
use super::stamp::{Stamp, random};
use super::{APPLICATION_ID, StoreError, log, owner};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a statement waits for a reader that holds up a checkpoint; a run has time.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes of a page of the file: twice the default. Random keys touch a page for nearly every row of
/// a small batch, and fewer, larger pages make more rows of a sorted batch share one.
const PAGE_BYTES: i64 = 8_192;

/// Hot pages kept in memory, in KiB: enough for the inner pages of the indexes. Random keys hardly
/// ever find a leaf in a cache of any size that fits beside a full batch; half as much again
/// brought a hundredth, rows in the batch bring more.
const CACHE_KIB: i64 = 10 * 1024;

/// The write-ahead log is moved into the file when it has grown to this many pages (80 MiB): a page
/// that several batches change is then written back once. SQLite does it at the end of a commit,
/// never inside a transaction.
const CHECKPOINT_PAGES: i64 = 10_000;

/// An archive that this process alone may write to.
#[derive(Debug)]
pub struct Archive {
    connection: Connection,
    path: PathBuf,
    /// The stamp of this process's next transaction; none before the first.
    stamp: Option<Stamp>,
    // Closed after the connection: closing it drops SQLite's locks.
    file: KeptFile,
    _lock: ArchiveLock,
}

impl Archive {
    /// Opens the archive, making it where there is none and upgrading it where it is older.
    ///
    /// A file that is not ours, or newer than this program, is left byte for byte as it was.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let before = look(path)?;
        let real = real_path(&before)?;
        let lock = ArchiveLock::acquire(&real)?;
        // What was seen before the lock was taken may have changed until it was.
        let inspected = look(path)?;
        if inspected.place != before.place {
            return Err(StoreError::Replaced);
        }
        let file = prepare(inspected, &real)?;
        lock_itself(&file)?;
        let connection = connect(&real).map_err(|error| error.sharpened(&real))?;
        let mut archive =
            Self { connection, path: path.to_owned(), stamp: None, file, _lock: lock };
        archive.check_in_place()?;
        check_known(load_version(&mut archive.connection)?)?;
        check_added(&mut archive.connection)?;
        archive.migrate().map_err(|error| error.sharpened(&real))?;
        Ok(archive)
    }

    /// Where the archive lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where it lies really, whatever links lead there.
    pub(in crate::store) fn real_path(&self) -> &Path {
        self.file.path()
    }

    /// Lets `put` give the name of the file to another one that holds the same.
    ///
    /// The file leaves the write-ahead mode first, which SQLite grants only while nobody else has
    /// it open, and stays locked until the other one has its name: a log of one would be taken for
    /// that of the other. Whoever opens it meanwhile waits, and finds that it was replaced. `wait`
    /// is called while somebody has it open, and tells whether to try again.
    pub(in crate::store) fn replace_by(
        self,
        mut wait: impl FnMut() -> bool,
        put: impl FnOnce(&Path, &KeptFile) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.connection.busy_timeout(Duration::ZERO)?;
        while !self.is_left_alone()? {
            if !wait() {
                return Err(StoreError::Busy);
            }
        }
        self.check_in_place()?;
        put(self.file.path(), &self.file)
    }

    /// Whether the file could be locked and taken out of the write-ahead mode; SQLite refuses that
    /// at once while somebody else has it open.
    fn is_left_alone(&self) -> Result<bool, StoreError> {
        let set = |name: &str, value: &str| {
            let set = self.connection.pragma_update_and_check(None, name, value, |row| row.get(0));
            set.map_err(StoreError::from)
        };
        let left = || -> Result<String, StoreError> {
            if !self.move_log()? {
                return Ok("wal".to_owned());
            }
            set("locking_mode", "exclusive")?;
            // Without a journal on the disk: a kill would leave one that has to be played back.
            // Only a few bytes at the begin of the file change.
            set("journal_mode", "memory")
        };
        match left() {
            Ok(mode) if mode == "memory" => Ok(true),
            Ok(_) | Err(StoreError::Busy) => set("locking_mode", "normal").map(|_| false),
            Err(error) => Err(error),
        }
    }

    pub(in crate::store) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Runs `work` in one transaction, which commits when it succeeds and leaves no trace when it
    /// fails: the only way to write to the archive.
    pub(in crate::store) fn transact<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let result =
            self.transact_in_place(work).map_err(|error| error.sharpened(self.file.path()));
        if matches!(result, Err(StoreError::Moved { to: Some(_), .. })) {
            self.gather().and(result)
        } else {
            result
        }
    }

    fn transact_in_place<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        let stamp = match self.stamp {
            Some(stamp) => stamp,
            None => {
                Stamp::from_bits(
                    transaction.pragma_query_value(None, "user_version", |row| row.get(0))?,
                )
                .next(random())
            }
        };
        // In every transaction, also where it stays the same: the first page is then in every log.
        transaction.pragma_update(None, "user_version", stamp.bits())?;
        check_in_place(&self.path, &self.file)?;
        transaction.commit()?;
        self.stamp = Some(stamp.later());
        Ok(result)
    }

    /// Whether the path still leads to the file that is written to.
    fn check_in_place(&self) -> Result<(), StoreError> {
        check_in_place(&self.path, &self.file)
    }

    /// All migrations in one transaction: a crash leaves the old schema or the new one. The lock is
    /// held, since refinery does not guard against another process doing the same.
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
        self.move_log()?;
        self.check_in_place()
    }

    /// Moves the log into a file that is elsewhere by now: SQLite leaves it at the old place
    /// otherwise, and the file without what was committed. The error is that it stays there.
    fn gather(&self) -> Result<(), StoreError> {
        if matches!(self.move_log(), Ok(true)) {
            return Ok(());
        }
        Err(StoreError::Torn { file: self.file.whereabouts(), place: self.file.path().to_owned() })
    }

    /// Whether all of the log is in the file now.
    fn move_log(&self) -> Result<bool, StoreError> {
        let is_busy: i64 =
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        Ok(is_busy == 0)
    }
}

/// The directory must exist: making directories for a mistyped path would hide the mistake.
fn real_path(inspected: &Inspected) -> Result<PathBuf, StoreError> {
    match &inspected.place {
        Place::At(real) => Ok(real.clone()),
        Place::NoDirectory(directory) => {
            Err(StoreError::Unwritable(format!("there is no directory `{}`", directory.display())))
        }
    }
}

/// The file that a run may write to: made where it is missing, private, and under one name only.
fn prepare(inspected: Inspected, real: &Path) -> Result<KeptFile, StoreError> {
    let file = match inspected.file {
        Some(file) => file,
        None => create(real)?,
    };
    check_single(&file)?;
    owner::check_writable(real)?;
    if matches!(inspected.found, Found::Ours { .. }) {
        owner::warn_of_others(&file)?;
    } else {
        log::check_absence(real)?;
        owner::make_private(&file)?;
    }
    Ok(file)
}

fn create(real: &Path) -> Result<KeptFile, StoreError> {
    log::check_absence(real)?;
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    private(&mut options);
    options.open(real)?;
    KeptFile::open(real)?.ok_or(StoreError::Replaced)
}

/// Whoever moves, removes or replaces the file would otherwise be told that its records are
/// archived there.
fn check_in_place(given: &Path, file: &KeptFile) -> Result<(), StoreError> {
    if file.is_in_place() {
        if file.is_at_the_end_of(given) {
            return Ok(());
        }
        return Err(StoreError::LeadsElsewhere {
            given: given.display().to_string(),
            place: file.path().display().to_string(),
        });
    }
    Err(StoreError::Moved {
        from: file.path().display().to_string(),
        to: file.whereabouts().map(|path| path.display().to_string()),
    })
}

fn connect(real: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(real, flags)?;
    keep_statements(&connection);
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Written before the write-ahead mode begins, so that the header tells whose file this is at
    // every moment.
    let application_id: u32 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if application_id != APPLICATION_ID {
        // Both only take effect while the file is empty.
        connection.pragma_update(None, "page_size", PAGE_BYTES)?;
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    // Readers are never blocked by the run, nor the run by readers.
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Unwritable(format!(
            "its file system has no write-ahead logging, journal mode is {mode}"
        )));
    }
    // A power failure can undo the last commits, but only whole ones; the checkpoint that ends a
    // run makes all durable before the run reports anything.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // A damaged or hostile schema shall not run code of ours.
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::file::Reader;
    use std::fs;

    #[test]
    fn nothing_is_committed_to_a_file_that_was_moved() {
        let directory = tempfile::tempdir().unwrap();
        let (path, moved) = (directory.path().join("a.db"), directory.path().join("b.db"));
        let mut archive = Archive::open(&path).unwrap();
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        archive.begin_run("sync", now, &[]).unwrap();
        fs::rename(&path, &moved).unwrap();
        let error = archive.begin_run("sync", now, &[]).unwrap_err();
        assert!(matches!(error, StoreError::Moved { .. }), "{error}");
        drop(archive);
        let runs = "SELECT count(*) FROM runs";
        let kept = Reader::open(&moved)
            .unwrap()
            .connection
            .query_row(runs, [], |row| row.get::<_, i64>(0));
        assert_eq!(kept, Ok(1));
    }

    #[test]
    fn what_a_reader_keeps_in_the_log_is_told_when_the_file_was_moved() {
        let directory = tempfile::tempdir().unwrap();
        let (path, moved) = (directory.path().join("a.db"), directory.path().join("b.db"));
        let mut archive = Archive::open(&path).unwrap();
        archive.connection.busy_timeout(Duration::ZERO).unwrap();
        let reader = Connection::open(&path).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM runs").unwrap();
        archive.begin_run("sync", "2026-03-01T12:00:00Z".parse().unwrap(), &[]).unwrap();
        fs::rename(&path, &moved).unwrap();
        let error =
            archive.begin_run("sync", "2026-03-01T13:00:00Z".parse().unwrap(), &[]).unwrap_err();
        assert!(matches!(error, StoreError::Torn { .. }), "{error}");
        drop((archive, reader));
        fs::rename(&moved, &path).unwrap();
        let runs = "SELECT count(*) FROM runs";
        let kept =
            Reader::open(&path).unwrap().connection.query_row(runs, [], |row| row.get::<_, i64>(0));
        assert_eq!(kept, Ok(1), "put back as it is told");
    }

    #[test]
    fn every_transaction_is_stamped_by_its_process() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        let mut stamps = Vec::new();
        for _ in 0..2 {
            let mut archive = Archive::open(&path).unwrap();
            for _ in 0..3 {
                archive.transact(|_| Ok(())).unwrap();
                let bits = archive
                    .connection
                    .pragma_query_value(None, "user_version", |row| row.get(0))
                    .unwrap();
                stamps.push(Stamp::from_bits(bits));
            }
        }
        assert!(Stamp::from_bits(0).fits(stamps[0], true) && stamps[0].fits(stamps[1], true));
        assert_eq!(stamps[1], stamps[2]);
        assert!(stamps[2].fits(stamps[3], true) && !stamps[2].fits(stamps[4], true));
    }
}
