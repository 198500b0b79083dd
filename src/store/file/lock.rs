//! One run at a time: an operating-system lock beside the archive, and one on the archive itself.
//!
//! The kernel frees a lock when the process dies, so there is no stale lock to find and no time-out
//! to tune. The file beside the archive stays behind on purpose: removing it would let two runs
//! lock two different files of the same name. The lock on the archive itself holds where somebody
//! removed that file, or moved the archive.

use super::error::StoreError;
use super::kept::{KeptFile, id, private, without_waiting};
use super::paths::{beside, name_of};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Error, ErrorKind};
use std::path::Path;

/// How often a lock file is opened again that was removed while it was opened.
const MOST_TRIES: usize = 8;

/// The right to be the only run on an archive, held until dropped.
#[derive(Debug)]
pub(in crate::store) struct ArchiveLock {
    _file: File,
}

impl ArchiveLock {
    /// Takes the lock beside the archive with this real path; [`StoreError::Held`] when another run
    /// has it.
    pub(in crate::store) fn acquire(real: &Path) -> Result<Self, StoreError> {
        let path = beside(real, ".lock");
        for _ in 0..MOST_TRIES {
            let file = open(&path)?;
            take(&file)?;
            let named = fs::symlink_metadata(&path).map(|metadata| id(&metadata));
            if named.is_ok_and(|named| file.metadata().is_ok_and(|own| id(&own) == named)) {
                return Ok(Self { _file: file });
            }
        }
        Err(StoreError::LockFile {
            name: name_of(&path),
            why: "it is removed again and again".to_owned(),
        })
    }
}

/// Locks the archive itself, as long as the file is kept open, where that does not get in the way
/// of SQLite's own locks.
pub(in crate::store) fn lock_itself(file: &KeptFile) -> Result<(), StoreError> {
    if are_locks_separate(file.file()) { take(file.file()) } else { Ok(()) }
}

fn take(file: &File) -> Result<(), StoreError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(StoreError::Held),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Opens the lock file, and makes it where there is none. One that this user may only read can be
/// locked as well.
fn open(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    private(&mut options);
    without_waiting(&mut options);
    let opened = match options.open(path) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            let mut options = OpenOptions::new();
            options.read(true);
            without_waiting(&mut options);
            options.open(path).map_err(|_| error)
        }
        opened => opened,
    };
    let is_there = fs::symlink_metadata(path).is_ok();
    let refuse = |why: String| StoreError::LockFile { name: name_of(path), why };
    match opened {
        Ok(file) if file.metadata()?.is_file() => Ok(file),
        Ok(_) => Err(refuse("it is not a regular file".to_owned())),
        Err(error) if is_there && StoreError::of_room(&error).is_none() => {
            Err(refuse(why(path, &error)))
        }
        Err(error) => Err(error.into()),
    }
}

/// Why a lock file that is there cannot be opened.
fn why(path: &Path, error: &Error) -> String {
    let owner =
        super::owner::owner_of(path).filter(|_| error.kind() == ErrorKind::PermissionDenied);
    owner.map_or_else(
        || error.to_string(),
        |owner| format!("{error}; it belongs to the user with the id {owner}"),
    )
}

/// Whether a lock on the whole file and SQLite's locks on parts of it do not meet. They do on
/// network file systems, and on other systems than Linux (flock(2)).
#[cfg(target_os = "linux")]
fn are_locks_separate(file: &File) -> bool {
    /// As statfs(2) numbers bcachefs, btrfs, ext, f2fs, overlayfs, tmpfs, xfs and zfs.
    const LOCAL: [u64; 8] = [
        0xca45_1a4e,
        0x9123_683e,
        0xef53,
        0xf2f5_2010,
        0x794c_7630,
        0x0102_1994,
        0x5846_5342,
        0x2fc1_2fc1,
    ];
    let kind = rustix::fs::fstatfs(file).map(|system| system.f_type);
    kind.is_ok_and(|kind| {
        LOCAL.iter().any(|local| u64::try_from(kind).is_ok_and(|kind| kind & 0xffff_ffff == *local))
    })
}

#[cfg(not(target_os = "linux"))]
fn are_locks_separate(_file: &File) -> bool {
    false
}
