//! A copy that is not verified yet: a private file under a name of its own, locked for as long as
//! this process works on it, and taken away with whatever SQLite kept beside it.

use crate::store::file::header::{HEADER_BYTES, Header};
use crate::store::file::kept::KeptFile;
use crate::store::file::paths::{beside, directory_of};
use crate::store::file::{APPLICATION_ID, StoreError};
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The extension of its name.
const PARTIAL: &str = "partial";

/// How many letters and digits are drawn for its name.
const DRAWN: usize = 6;

/// How the names of files end that SQLite makes beside one that it writes to.
const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];

/// A copy under way. It is removed when it is dropped before it is put in its place.
#[derive(Debug)]
pub(super) struct Partial {
    // Removed first: a journal without its file is nobody's, and the other way round it would be
    // played into a file that is whole.
    file: NamedTempFile,
    beside: Beside,
}

/// What SQLite may leave beside a file, removed when it is dropped.
#[derive(Debug)]
struct Beside(PathBuf);

impl Drop for Beside {
    fn drop(&mut self) {
        for suffix in BESIDE {
            remove(&beside(&self.0, suffix));
        }
    }
}

impl Partial {
    /// Begins a copy that is to become `target`; what killed processes left is removed before.
    pub(super) fn create(target: &Path) -> Result<Self, StoreError> {
        remove_leftovers(target);
        let mut builder = tempfile::Builder::new();
        let (prefix, suffix) = (prefix(target), format!(".{PARTIAL}"));
        builder.prefix(&prefix).suffix(&suffix).rand_bytes(DRAWN);
        let made = builder.tempfile_in(directory_of(target));
        let file = made.map_err(|error| unwritable(&error))?;
        file.as_file().lock().map_err(|error| unwritable(&error))?;
        let beside = Beside(file.path().to_owned());
        Ok(Self { file, beside })
    }

    /// Where it is written.
    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Opens it to be written to, and marks it as ours, for pages of this size: SQLite writes the
    /// first page of a copy last, and what a killed backup left would not be known for its own.
    pub(super) fn connect(&self, page_bytes: i64) -> rusqlite::Result<Connection> {
        let connection = Connection::open(self.path())?;
        connection.pragma_update(None, "page_size", page_bytes)?;
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        Ok(connection)
    }

    /// Durable first, then under its name, then the name durable: a power failure leaves the
    /// earlier copy or this one.
    pub(super) fn put_in_place(self, target: &Path) -> Result<(), StoreError> {
        let Self { file, beside } = self;
        file.as_file().sync_all().map_err(|error| unwritable(&error))?;
        file.persist(target).map_err(|error| unwritable(&error.error))?;
        drop(beside);
        sync_directory(directory_of(target)).map_err(|error| unwritable(&error))
    }
}

impl Partial {
    /// The same in the place of a file that is kept open: whoever may read that may read this.
    pub(super) fn put_in_place_of(self, target: &Path, old: &KeptFile) -> Result<(), StoreError> {
        let metadata = old.metadata()?;
        self.file
            .as_file()
            .set_permissions(metadata.permissions())
            .map_err(|error| unwritable(&error))?;
        give_to_group(self.file.as_file(), &metadata);
        self.put_in_place(target)
    }
}

/// Lets a file belong to the group of another. Not everybody may; then only its owner reads it as
/// before.
#[cfg(unix)]
fn give_to_group(file: &File, like: &Metadata) {
    use std::os::unix::fs::MetadataExt;
    let is_same = file.metadata().is_ok_and(|own| own.gid() == like.gid());
    if !is_same && let Err(error) = std::os::unix::fs::fchown(file, None, Some(like.gid())) {
        tracing::warn!("the new file does not belong to the group of the old one: {error}");
    }
}

#[cfg(not(unix))]
fn give_to_group(_file: &File, _like: &Metadata) {}

fn unwritable(error: &io::Error) -> StoreError {
    StoreError::of_room(error).unwrap_or_else(|| StoreError::Unwritable(error.to_string()))
}

/// How the names of unfinished copies to this target begin.
fn prefix(target: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(target.file_name().unwrap_or_default());
    prefix.push(".");
    prefix
}

/// Removes what killed backups to the same target left: nobody has them locked.
fn remove_leftovers(target: &Path) {
    let (directory, prefix) = (directory_of(target), prefix(target));
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let partials: BTreeSet<PathBuf> =
        entries.filter_map(|entry| partial_of(&entry.path(), &prefix)).collect();
    for path in partials {
        // Held until all of it is gone.
        let _held = match KeptFile::open(&path) {
            // What lay beside it may be all that is left.
            Ok(None) => None,
            Ok(Some(file)) if is_abandoned(&file) => Some(file),
            // Another's, or somebody is at work on it.
            Ok(Some(_)) | Err(_) => continue,
        };
        remove(&path);
        drop(Beside(path));
    }
}

/// The unfinished copy that a file is, or lies beside, if it is called exactly as this program
/// calls them: others may well name a file of their own in the same way.
fn partial_of(path: &Path, prefix: &OsStr) -> Option<PathBuf> {
    let rest = path.file_name()?.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes())?;
    let (drawn, rest) = rest.split_at_checked(DRAWN)?;
    let suffix = rest.strip_prefix(b".")?.strip_prefix(PARTIAL.as_bytes())?;
    let is_of_one = suffix.is_empty() || BESIDE.iter().any(|beside| beside.as_bytes() == suffix);
    (drawn.iter().all(u8::is_ascii_alphanumeric) && is_of_one).then(|| path.with_extension(PARTIAL))
}

/// Whether a file was an unfinished copy, and nobody works on it. Such a file is empty or an
/// archive from its first page on; one that SQLite was writing anew has no first page yet.
fn is_abandoned(file: &KeptFile) -> bool {
    let start = file.start(HEADER_BYTES).unwrap_or_else(|_| vec![1]);
    let is_blank = start.iter().all(|byte| *byte == 0);
    (is_blank || Header::read(file).is_ok()) && file.file().try_lock().is_ok() && file.is_in_place()
}

/// Removes a file. A link, a pipe or a directory of that name was never made by this program or by
/// SQLite.
fn remove(path: &Path) {
    if !fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return;
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::debug!("cannot remove the unfinished copy {}: {error}", path.display());
        }
        _ => {}
    }
}

#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Elsewhere a directory cannot be opened like a file, and its entries are durable by themselves.
#[cfg(not(unix))]
fn sync_directory(_directory: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Fixture;
    use pretty_assertions::assert_eq;
    use rusqlite::backup::Backup;
    use std::os::unix::fs::symlink;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_killed_backups_left_goes_with_all_that_lies_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let make = |name: &str| File::create(directory.path().join(name)).unwrap();
        let archive = Fixture::new().closed();
        fs::copy(archive.path().join("archive.db"), directory.path().join(".b.db.Dead00.partial"))
            .unwrap();
        for name in [
            ".b.db.Dead00.partial-journal",
            ".b.db.Dead01.partial",
            ".b.db.Dead01.partial-journal",
            ".b.db.Dead02.partial-journal",
            ".b.db.Dead03.partial-wal",
            ".b.db.Dead03.partial-shm",
        ] {
            make(name);
        }
        let others = [
            ".b.db.Held42.partial",
            ".b.db.Held42.partial-journal",
            ".b.db.lock",
            ".c.db.Dead01.partial-journal",
            "b.db-journal",
        ];
        let held = others.map(make);
        held[0].lock().unwrap();
        remove_leftovers(&directory.path().join("b.db"));
        assert_eq!(names(directory.path()), others);
    }

    /// Named alike, or even called exactly as an unfinished copy, and yet none.
    #[test]
    fn what_others_keep_beside_a_copy_is_left_alone_and_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let others = [
            ".b.db.Notes1.partial",
            ".b.db.Notes1.partial-journal",
            ".b.db.Theirs.partial",
            ".b.db.a-b_cd.partial",
            ".b.db.seven77.partial",
            ".b.db.short.partial-wal",
            ".b.db.Dead01.partial-other",
            ".b.db.Dead01_partial",
            ".b.db.x.y.Dead01.partial",
        ];
        for name in others {
            fs::write(path(name), if name.contains("Notes1") { "mine" } else { "" }).unwrap();
        }
        Connection::open(path(".b.db.Theirs.partial"))
            .unwrap()
            .execute_batch("CREATE TABLE t (x)")
            .unwrap();
        fs::create_dir(path(".b.db.Folder.partial")).unwrap();
        fs::create_dir(path(".b.db.Dead02.partial-wal")).unwrap();
        symlink(path("b.db"), path(".b.db.Link01.partial")).unwrap();
        symlink(path("b.db"), path(".b.db.Dead03.partial-wal")).unwrap();
        for pipe in [".b.db.Pipe01.partial", ".b.db.Dead04.partial-journal"] {
            crate::store::testing::make_pipe(&path(pipe));
        }
        let before = names(directory.path());
        assert_eq!(before.len(), others.len() + 6);
        remove_leftovers(&path("b.db"));
        assert_eq!(names(directory.path()), before);
    }

    #[test]
    fn a_copy_can_be_known_as_ours_from_its_first_page_to_its_last() {
        let source = Connection::open_in_memory().unwrap();
        source.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        // More pages than SQLite holds back in memory.
        source.execute_batch("CREATE TABLE t AS SELECT zeroblob(9000000) AS x").unwrap();
        let directory = tempfile::tempdir().unwrap();
        let partial = Partial::create(&directory.path().join("b.db")).unwrap();
        let as_killed_now = || {
            let left = fs::canonicalize(directory.path()).unwrap().join("left");
            fs::copy(partial.path(), &left).unwrap();
            let file = KeptFile::open(&left).unwrap().unwrap();
            (is_abandoned(&file), file.metadata().unwrap().len())
        };
        assert_eq!(as_killed_now(), (true, 0));
        let mut copy = partial.connect(8192).unwrap();
        assert_eq!(as_killed_now(), (true, 8192));
        let backup = Backup::new(&source, &mut copy).unwrap();
        backup.step(2000).unwrap();
        let (is_known, bytes) = as_killed_now();
        assert!(is_known && bytes > 1_000_000, "{bytes}");
    }

    #[test]
    fn a_copy_that_comes_to_nothing_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let partial = Partial::create(&directory.path().join("b.db")).unwrap();
        for suffix in BESIDE {
            File::create(beside(partial.path(), suffix)).unwrap();
        }
        assert_eq!(names(directory.path()).len(), 4);
        drop(partial);
        assert_eq!(names(directory.path()), [""; 0]);
    }

    #[test]
    fn a_copy_that_is_put_in_its_place_leaves_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("b.db");
        let partial = Partial::create(&target).unwrap();
        File::create(beside(partial.path(), "-wal")).unwrap();
        partial.put_in_place(&target).unwrap();
        assert_eq!(names(directory.path()), ["b.db"]);
    }
}
