//! What a path holds, found out without changing a byte of a file that is not ours or is newer than
//! this program.
//!
//! Opening a stranger's file with SQLite can already change what lies beside it (`-wal`, `-shm`, a
//! rolled back journal), so a stranger is told from the first hundred bytes alone. This works for
//! our own files because `application_id` is written before a file enters the write-ahead mode: the
//! header always shows it.

use super::StoreError;
use super::connection::{Sharing, open_read_only};
use super::header::Header;
use super::kept::KeptFile;
use super::log::{self, has_log};
use super::mounts;
use super::owner;
use super::place::{Place, resolve};
use super::schema::{self, known_version};
use super::snapshot::Look as Moment;
use std::path::Path;

/// How often the schema is looked for in a file that changes meanwhile.
const MOST_PEEKS: usize = 3;

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

/// What was found, with the file itself: what was looked at is what is opened.
#[derive(Debug)]
pub(in crate::store) struct Inspected {
    pub(in crate::store) found: Found,
    pub(in crate::store) place: Place,
    /// There unless it is missing.
    pub(in crate::store) file: Option<KeptFile>,
}

/// Looks at what a path holds.
///
/// A directory, a file of another kind, one of another program, a newer or a damaged one is an
/// error, and unchanged.
pub fn inspect(path: &Path) -> Result<Found, StoreError> {
    look(path).map(|inspected| inspected.found)
}

/// Looks at what a path holds, and keeps it open.
pub(in crate::store) fn look(path: &Path) -> Result<Inspected, StoreError> {
    let place = resolve(path)?;
    let file = match &place {
        Place::At(real) => KeptFile::open(real)?,
        Place::NoDirectory(_) => None,
    };
    let found = match &file {
        None => Found::Missing,
        Some(file) if file.metadata()?.len() == 0 => Found::Empty,
        Some(file) => Found::Ours { schema_version: check(file)? },
    };
    Ok(Inspected { found, place, file })
}

/// Refuses a file that is not ours, has another log, or is newer; its newest migration.
fn check(file: &KeptFile) -> Result<i32, StoreError> {
    let header = Header::read(file)?;
    if header.is_logged() {
        check_single(file)?;
    }
    log::check(file)?;
    let found = peek(file)?;
    check_known(found)?;
    Ok(found)
}

/// Refuses what a newer program wrote.
pub(in crate::store) fn check_known(found: i32) -> Result<(), StoreError> {
    let known = known_version();
    if found > known { Err(StoreError::Newer { found, known }) } else { Ok(()) }
}

/// Refuses a file whose log can lie beside another name of it.
pub(in crate::store) fn check_single(file: &KeptFile) -> Result<(), StoreError> {
    let names = file.names()?;
    if names > 1 {
        return Err(StoreError::ManyNames(names));
    }
    if mounts::is_mounted_alone(file.path()) {
        return Err(StoreError::MountedAlone);
    }
    Ok(())
}

/// The newest migration in a file that carries our `application_id`.
///
/// Without a log there is nothing to recover, and an immutable file is read without creating `-wal`
/// and `-shm`. A run that begins meanwhile can make that a mixture of two states, which is then
/// read again.
fn peek(file: &KeptFile) -> Result<i32, StoreError> {
    for _ in 0..MOST_PEEKS {
        let before = Moment::of(file)?;
        if has_log(file.path()) {
            return peek_with_log(file);
        }
        let version = load_schema_version(file.path(), Sharing::Immutable);
        if Moment::of(file)? == before {
            return version;
        }
    }
    peek_with_log(file)
}

/// The same with a log. Where it cannot be shared with its owner, a private copy will tell: until
/// then it is ours.
fn peek_with_log(file: &KeptFile) -> Result<i32, StoreError> {
    let sharing = if owner::is_own(file)? { Sharing::Full } else { Sharing::Guest };
    match load_schema_version(file.path(), sharing) {
        Err(StoreError::Unreadable(_) | StoreError::Unwritable(_)) => Ok(known_version()),
        told => told,
    }
}

fn load_schema_version(real: &Path, sharing: Sharing) -> Result<i32, StoreError> {
    schema::load_version(&mut open_read_only(real, sharing)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::file::Reader;
    use crate::store::file::header::{HEADER_BYTES, MAGIC};
    use crate::store::file::schema::APPLICATION_ID;
    use crate::store::testing::Fixture;
    use rusqlite::Connection;
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::PathBuf;
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
        assert_eq!(
            inspect(&archive.path()).unwrap(),
            Found::Ours { schema_version: known_version() }
        );
    }

    #[test]
    fn our_file_before_its_first_migration_is_ours_and_empty() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        sqlite_file(
            &path,
            &format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA journal_mode = WAL;"),
        );
        assert_eq!(inspect(&path).unwrap(), Found::Ours { schema_version: 0 });
        assert!(matches!(Reader::open(&path), Err(StoreError::Empty)));
    }

    #[test]
    fn a_database_of_others_under_our_application_id_is_refused_and_left_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        for theirs in ["CREATE TABLE theirs (x)", "CREATE VIEW theirs AS SELECT 1"] {
            sqlite_file(&path, &format!("PRAGMA application_id = {APPLICATION_ID}; {theirs};"));
            assert!(matches!(
                refused(&directory, "a.db"),
                StoreError::Damaged(why) if why.contains("no history")
            ));
            std::fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn a_stranger_is_refused_and_left_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("text"), "not a database, but a letter\n".repeat(40))
            .unwrap();
        fs::write(directory.path().join("short"), &MAGIC[..]).unwrap();
        fs::create_dir(directory.path().join("directory")).unwrap();
        assert!(matches!(
            inspect(&directory.path().join("directory")),
            Err(StoreError::NotOurs("a directory"))
        ));
        fs::remove_dir(directory.path().join("directory")).unwrap();
        sqlite_file(
            &directory.path().join("theirs"),
            "CREATE TABLE t (x); PRAGMA application_id = 7;",
        );
        sqlite_file(
            &directory.path().join("wal"),
            "PRAGMA journal_mode = WAL; CREATE TABLE t (x);",
        );
        assert!(matches!(refused(&directory, "text"), StoreError::NotOurs("no SQLite file")));
        assert!(matches!(refused(&directory, "short"), StoreError::Damaged(_)));
        for name in ["theirs", "wal"] {
            assert!(matches!(
                refused(&directory, name),
                StoreError::NotOurs("the SQLite file of another program")
            ));
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
        let directory = Fixture::new()
            .with("INSERT INTO refinery_schema_history VALUES (9, 'later', '2030', '1')")
            .closed();
        let newer = refused(&directory, "archive.db");
        assert!(matches!(newer, StoreError::Newer { found: 9, known } if known == known_version()));
    }

    #[test]
    fn a_newer_archive_with_a_log_is_refused_too() {
        let archive = Fixture::new()
            .with("INSERT INTO refinery_schema_history VALUES (9, 'later', '2030', '1')");
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
