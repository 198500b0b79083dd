//! A copy that is not verified yet: a private file under a name of its own, locked for as long as
//! this process works on it, and taken away with whatever SQLite kept beside it.

use crate::store::file::StoreError;
use crate::store::file::paths::{beside, directory_of};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The extension of its name.
const PARTIAL: &str = "partial";

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
        let made = builder.prefix(&prefix).suffix(&suffix).tempfile_in(directory_of(target));
        let file = made.map_err(|error| unwritable(&error))?;
        file.as_file().lock().map_err(|error| unwritable(&error))?;
        let beside = Beside(file.path().to_owned());
        Ok(Self { file, beside })
    }

    /// Where it is written.
    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Durable first, then under its name, then the name durable: a power failure leaves the earlier
    /// copy or this one.
    pub(super) fn put_in_place(self, target: &Path) -> Result<(), StoreError> {
        let Self { file, beside } = self;
        file.as_file().sync_all().map_err(|error| unwritable(&error))?;
        file.persist(target).map_err(|error| unwritable(&error.error))?;
        drop(beside);
        sync_directory(directory_of(target)).map_err(|error| unwritable(&error))
    }
}

fn unwritable(error: &io::Error) -> StoreError {
    StoreError::Unwritable(error.to_string())
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
    let partials: BTreeSet<PathBuf> = entries.filter_map(|entry| partial_of(&entry.path(), &prefix)).collect();
    for path in partials {
        // Held until all of it is gone.
        let Ok(_locked) = lock_if_there(&path) else { continue };
        remove(&path);
        drop(Beside(path));
    }
}

/// The unfinished copy that a file is, or lies beside.
fn partial_of(path: &Path, prefix: &OsStr) -> Option<PathBuf> {
    let is_ours = path.file_name()?.as_encoded_bytes().starts_with(prefix.as_encoded_bytes());
    let suffix = path.extension()?.to_str()?.strip_prefix(PARTIAL)?;
    let is_of_one = suffix.is_empty() || BESIDE.contains(&suffix);
    (is_ours && is_of_one).then(|| path.with_extension(PARTIAL))
}

/// The lock on a file, or nothing where there is no file; an error where somebody else has it.
fn lock_if_there(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => file.try_lock().map(|()| Some(file)).map_err(Into::into),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn remove(path: &Path) {
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
    use pretty_assertions::assert_eq;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_killed_backups_left_goes_with_all_that_lies_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let make = |name: &str| File::create(directory.path().join(name)).unwrap();
        for name in [
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
