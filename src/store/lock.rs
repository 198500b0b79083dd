//! One run at a time: an operating-system lock beside the archive.
//!
//! The kernel frees the lock when the process dies, so there is no stale lock to find and no time-out to tune. The file
//! stays behind on purpose: removing it would let two runs lock two different files of the same name.

use super::StoreError;
use super::identity::beside;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

/// The right to be the only run on an archive, held until dropped.
#[derive(Debug)]
pub(super) struct ArchiveLock {
    _file: File,
}

impl ArchiveLock {
    /// Takes the lock beside `archive`; [`StoreError::Held`] when another run has it.
    pub(super) fn acquire(archive: &Path) -> Result<Self, StoreError> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        private(&mut options);
        let file = options.open(beside(archive, ".lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Held),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }
}

/// Records can hold error messages with anything in them: what we create is for its owner alone.
#[cfg(unix)]
pub(super) fn private(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

/// Elsewhere a new file inherits the rights of its directory.
#[cfg(not(unix))]
pub(super) fn private(_options: &mut OpenOptions) {}
