//! A private copy of an archive, for a reader who may not make the files that SQLite shares.
//!
//! In the write-ahead mode a reader needs shared memory beside the file. Where it may not make it,
//! or where what it makes could not be used by the archive's owner, the file could be opened as
//! immutable; but a run that begins meanwhile would make one answer out of two states. A copy that
//! is the same before and after it was made is of one state, whatever happens later.

use super::StoreError;
use super::connection::{Sharing, open_read_only};
use super::kept::{KeptFile, id, private, without_waiting};
use super::paths::beside;
use rusqlite::Connection;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::SystemTime;
use tempfile::TempDir;

/// The name of the copy in its directory.
const NAME: &str = "archive.db";

/// How often a file is written to before its time has moved on: file systems keep time in steps of
/// up to 10 ms.
const MOST_TICKS: usize = 100_000;

/// How a file and its log look from outside; whoever writes to one of them changes this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct Look {
    file: Outside,
    log: Option<Outside>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Outside {
    id: (u64, u64),
    bytes: u64,
    modified: Option<SystemTime>,
    changed: (i64, i64),
}

impl Outside {
    fn of(metadata: &Metadata) -> Self {
        let (bytes, modified) = (metadata.len(), metadata.modified().ok());
        Self { id: id(metadata), bytes, modified, changed: changed(metadata) }
    }
}

/// When anything about the file was changed last, in seconds and nanoseconds.
#[cfg(unix)]
fn changed(metadata: &Metadata) -> (i64, i64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn changed(_metadata: &Metadata) -> (i64, i64) {
    (0, 0)
}

impl Look {
    pub(in crate::store) fn of(file: &KeptFile) -> Result<Self, StoreError> {
        let log = fs::symlink_metadata(beside(file.path(), "-wal")).ok();
        let log = log.as_ref().map(Outside::of).filter(|log| log.bytes > 0);
        Ok(Self { file: Outside::of(&file.metadata()?), log })
    }

    /// When it was changed last.
    fn time(&self) -> Option<SystemTime> {
        self.file.modified.max(self.log.as_ref().and_then(|log| log.modified))
    }
}

/// Copies the file and its log to a directory of this process and opens the copy; nothing if they
/// changed meanwhile.
///
/// Where the system allows it, the copy has no name any more once it is open: a reader that is
/// killed leaves none.
pub(in crate::store) fn open_copy(
    file: &KeptFile,
) -> Result<Option<(Connection, TempDir)>, StoreError> {
    let directory =
        tempfile::tempdir().map_err(|error| StoreError::NoTemporary(error.to_string()))?;
    let before = Look::of(file)?;
    await_tick(&directory.path().join("tick"), before.time()).map_err(|error| no_room(&error))?;
    copy(file, directory.path())?;
    if Look::of(file)? != before || !file.is_in_place() {
        return Ok(None);
    }
    let connection = open_read_only(&real(&directory)?.join(NAME), Sharing::Full)?;
    Ok(Some((connection, directory)))
}

/// SQLite takes a path without links, and a directory for temporary files may lie behind one.
fn real(directory: &TempDir) -> Result<std::path::PathBuf, StoreError> {
    fs::canonicalize(directory.path()).map_err(|error| no_room(&error))
}

/// Waits until a file that is written now is younger than `time`, so that whoever writes from now
/// on is noticed.
///
/// A time that lies ahead of the clock is not waited for.
fn await_tick(scratch: &Path, time: Option<SystemTime>) -> io::Result<()> {
    let mut file = File::create(scratch)?;
    for _ in 0..MOST_TICKS {
        file.seek(SeekFrom::Start(0))?;
        file.write_all(b".")?;
        if Some(file.metadata()?.modified()?) > time {
            break;
        }
    }
    Ok(())
}

fn copy(file: &KeptFile, directory: &Path) -> Result<(), StoreError> {
    let unreadable = |error: io::Error| StoreError::Unreadable(error.to_string());
    let mut from = file.file();
    from.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    write(&mut from, &directory.join(NAME))?;
    let log = beside(file.path(), "-wal");
    let mut options = OpenOptions::new();
    options.read(true);
    without_waiting(&mut options);
    match options.open(&log) {
        Ok(mut from) => write(&mut from, &beside(&directory.join(NAME), "-wal")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(unreadable(error)),
    }
}

fn write(from: &mut impl io::Read, to: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private(&mut options);
    let mut file = options.open(to).map_err(|error| no_room(&error))?;
    io::copy(from, &mut file).map(drop).map_err(|error| no_room(&error))
}

fn no_room(error: &io::Error) -> StoreError {
    StoreError::NoTemporary(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Fixture;
    use std::os::unix::fs::FileExt;

    fn kept(path: &Path) -> KeptFile {
        KeptFile::open(&fs::canonicalize(path).unwrap()).unwrap().unwrap()
    }

    #[test]
    fn a_copy_holds_what_the_file_and_its_log_hold() {
        let archive = Fixture::new().with_records("a SUCCESS - -\nb SUCCESS - -");
        let (connection, directory) = open_copy(&kept(&archive.path())).unwrap().unwrap();
        let count = || {
            connection.query_row("SELECT count(*) FROM invocations", [], |row| row.get::<_, i64>(0))
        };
        assert_eq!(count(), Ok(2));
        let place = directory.path().to_owned();
        drop(directory);
        assert_eq!(count(), Ok(2), "an open copy needs no name");
        assert!(!place.exists());
    }

    #[test]
    fn whoever_writes_meanwhile_is_noticed() {
        let directory = Fixture::new().with_records("a SUCCESS - -").closed();
        let (file, log) =
            (kept(&directory.path().join("archive.db")), directory.path().join("archive.db-wal"));
        let writer = OpenOptions::new().write(true).open(file.path()).unwrap();
        let byte = file.start(1).unwrap();
        let changes: [&dyn Fn(); 2] =
            [&|| writer.write_all_at(&byte, 0).unwrap(), &|| fs::write(&log, "x").unwrap()];
        for change in changes {
            let scratch = tempfile::tempdir().unwrap();
            let before = Look::of(&file).unwrap();
            await_tick(&scratch.path().join("tick"), before.time()).unwrap();
            copy(&file, scratch.path()).unwrap();
            assert_eq!(Look::of(&file).unwrap(), before);
            change();
            assert_ne!(Look::of(&file).unwrap(), before);
        }
    }
}
