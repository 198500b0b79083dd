//! What a path holds, found out without changing a byte of a file that is not ours or is newer than this program.
//!
//! Opening a stranger's file with SQLite can already change what lies beside it (`-wal`, `-shm`, a rolled back journal),
//! so a stranger is told from the first hundred bytes alone. This works for our own files because `application_id` is
//! written before a file enters the write-ahead mode: the header always shows it.

use super::StoreError;
use super::schema::{self, APPLICATION_ID, known_version};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rusqlite::{Connection, OpenFlags};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Length of a SQLite header (sqlite.org/fileformat2.html, section 1.3).
const HEADER_BYTES: usize = 100;

/// What every SQLite file begins with (the same page).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Where `application_id` stands in the header, big-endian (the same page).
const APPLICATION_ID_AT: usize = 68;

/// Everything but the characters that mean nothing in a URI or separate directories.
const URI_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');

/// What was found at a path that an archive could be made at, or read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Missing,
    /// A file without a byte, as `touch` or `mktemp` leave one.
    Empty,
    /// An archive this program knows how to read or to upgrade.
    Ours {
        /// Its newest migration; 0 when a crash came before the first.
        schema_version: i32,
    },
}

/// Looks at what a path holds.
///
/// A directory, a file of another kind, one of another program, a newer or a damaged one is an error, and unchanged.
pub fn inspect(path: &Path) -> Result<Found, StoreError> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if is_absence(error.kind()) => return Ok(Found::Missing),
        Err(error) => return Err(StoreError::Unreadable(error.to_string())),
    };
    if metadata.is_dir() {
        return Err(StoreError::NotOurs("a directory"));
    }
    if !metadata.is_file() {
        return Err(StoreError::NotOurs("not a regular file"));
    }
    if metadata.len() == 0 {
        return Ok(Found::Empty);
    }
    check_header(path)?;
    let found = load_schema_version(path)?;
    let known = known_version();
    if found > known { Err(StoreError::Newer { found, known }) } else { Ok(Found::Ours { schema_version: found }) }
}

fn is_absence(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn check_header(path: &Path) -> Result<(), StoreError> {
    let mut header = Vec::with_capacity(HEADER_BYTES);
    File::open(path)
        .and_then(|file| file.take(HEADER_BYTES as u64).read_to_end(&mut header))
        .map_err(|error| StoreError::Unreadable(error.to_string()))?;
    if !header.starts_with(MAGIC) {
        return Err(StoreError::NotOurs("no SQLite file"));
    }
    match header.get(APPLICATION_ID_AT..APPLICATION_ID_AT + 4) {
        None => Err(StoreError::Damaged("it ends inside its header".to_owned())),
        Some(id) if id == APPLICATION_ID.to_be_bytes() => Ok(()),
        Some(_) => Err(StoreError::NotOurs("the SQLite file of another program")),
    }
}

/// The newest migration in a file that carries our `application_id`.
fn load_schema_version(path: &Path) -> Result<i32, StoreError> {
    // Without a log there is nothing to recover, and an immutable file is read without creating `-wal` and `-shm`.
    let mut connection = open_read_only(path, !has_log(path))?;
    schema::load_version(&mut connection)
}

/// Whether a write-ahead log with something in it lies beside the file.
pub(super) fn has_log(path: &Path) -> bool {
    fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0)
}

/// The path of a file that SQLite keeps beside the archive.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Opens the file for reading. `immutable` promises SQLite that nobody writes: it then neither locks nor creates a file.
pub(super) fn open_read_only(path: &Path, immutable: bool) -> Result<Connection, StoreError> {
    // A URI always, so that a path that looks like one (`file:x?mode=rwc`) is only a path.
    let encoded = percent_encode(path.as_os_str().as_encoded_bytes(), URI_PATH);
    let uri = format!("file:{encoded}?mode=ro{}", if immutable { "&immutable=1" } else { "" });
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Connection::open_with_flags(uri, flags)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Reader;
    use crate::store::testing::Fixture;
    use std::collections::BTreeMap;
    use tempfile::TempDir;

    /// The names and bytes of everything in a directory.
    fn bytes_in(directory: &TempDir) -> BTreeMap<PathBuf, Vec<u8>> {
        let entries = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
    }

    /// What a look at a file says, having seen that neither the look nor a reader leaves a trace.
    fn refused(directory: &TempDir, name: &str) -> StoreError {
        let path = directory.path().join(name);
        let before = bytes_in(directory);
        let error = inspect(&path).unwrap_err();
        assert!(Reader::open(&path).is_err());
        assert_eq!(bytes_in(directory), before, "{name} or something beside it has changed");
        error
    }

    fn sqlite_file(path: &Path, sql: &str) {
        let connection = Connection::open(path).unwrap();
        connection.execute_batch(sql).unwrap();
        connection.close().unwrap();
    }

    #[test]
    fn nothing_and_an_empty_file_are_no_archive_yet() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        assert_eq!(inspect(&path).unwrap(), Found::Missing);
        assert!(matches!(Reader::open(&path), Err(StoreError::Missing)));
        fs::write(&path, "").unwrap();
        assert_eq!(inspect(&path).unwrap(), Found::Empty);
        assert!(matches!(Reader::open(&path), Err(StoreError::Empty)));
        assert_eq!(inspect(&path.join("below/a/file.db")).unwrap(), Found::Missing);
    }

    #[test]
    fn our_file_is_known_by_its_newest_migration() {
        let archive = Fixture::new();
        assert_eq!(inspect(&archive.path()).unwrap(), Found::Ours { schema_version: known_version() });
    }

    #[test]
    fn our_file_before_its_first_migration_is_ours_and_empty() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        sqlite_file(&path, &format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA journal_mode = WAL;"));
        assert_eq!(inspect(&path).unwrap(), Found::Ours { schema_version: 0 });
        assert!(matches!(Reader::open(&path), Err(StoreError::Empty)));
    }

    #[test]
    fn a_stranger_is_refused_and_left_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("text"), "not a database, but a letter\n".repeat(40)).unwrap();
        fs::write(directory.path().join("short"), &MAGIC[..]).unwrap();
        fs::create_dir(directory.path().join("directory")).unwrap();
        assert!(matches!(inspect(&directory.path().join("directory")), Err(StoreError::NotOurs("a directory"))));
        fs::remove_dir(directory.path().join("directory")).unwrap();
        sqlite_file(&directory.path().join("theirs"), "CREATE TABLE t (x); PRAGMA application_id = 7;");
        sqlite_file(&directory.path().join("wal"), "PRAGMA journal_mode = WAL; CREATE TABLE t (x);");
        assert!(matches!(refused(&directory, "text"), StoreError::NotOurs("no SQLite file")));
        assert!(matches!(refused(&directory, "short"), StoreError::Damaged(_)));
        for name in ["theirs", "wal"] {
            assert!(matches!(refused(&directory, name), StoreError::NotOurs("the SQLite file of another program")));
        }
    }

    #[test]
    fn a_strangers_journal_is_not_played() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("theirs");
        sqlite_file(&path, "CREATE TABLE t (x); INSERT INTO t VALUES (1);");
        // A hot journal: its owner was killed in the middle of a transaction.
        let mut journal = vec![0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
        journal.resize(1024, 0);
        fs::write(directory.path().join("theirs-journal"), journal).unwrap();
        assert!(matches!(refused(&directory, "theirs"), StoreError::NotOurs(_)));
    }

    #[test]
    fn a_newer_archive_is_refused_and_left_as_it_was() {
        let directory =
            Fixture::new().with("INSERT INTO refinery_schema_history VALUES (9, 'later', '2030', '1')").closed();
        let newer = refused(&directory, "archive.db");
        assert!(matches!(newer, StoreError::Newer { found: 9, known } if known == known_version()));
    }

    #[test]
    fn a_newer_archive_with_a_log_is_refused_too() {
        let archive = Fixture::new().with("INSERT INTO refinery_schema_history VALUES (9, 'later', '2030', '1')");
        assert!(has_log(&archive.path()));
        let before = fs::read(archive.path()).unwrap();
        assert!(matches!(inspect(&archive.path()), Err(StoreError::Newer { found: 9, .. })));
        assert_eq!(fs::read(archive.path()).unwrap(), before);
    }

    #[test]
    fn a_damaged_archive_is_called_so() {
        let directory = Fixture::new().closed();
        let path = directory.path().join("archive.db");
        let mut bytes = fs::read(&path).unwrap();
        bytes[HEADER_BYTES..2 * 4096].fill(0xff);
        fs::write(&path, bytes).unwrap();
        assert!(matches!(refused(&directory, "archive.db"), StoreError::Damaged(_)));
    }

    #[test]
    fn a_path_that_looks_like_a_uri_is_a_path() {
        let directory = Fixture::new().closed();
        let odd = directory.path().join("file:x?mode=rwc#%41 é.db");
        fs::rename(directory.path().join("archive.db"), &odd).unwrap();
        assert_eq!(inspect(&odd).unwrap(), Found::Ours { schema_version: known_version() });
        assert!(Reader::open(&odd).is_ok());
    }
}
