//! The archive of a run, which has one writer and several who prepare its work.

use crate::store::file::Archive;
use std::cell::RefCell;

/// The archive while sources are made ready and what others bring is committed. All of that is in
/// one thread, and each uses it for the length of a call, never while it waits for an answer.
pub(super) struct SharedArchive<'a>(RefCell<&'a mut Archive>);

impl<'a> SharedArchive<'a> {
    pub(super) fn new(archive: &'a mut Archive) -> Self {
        Self(RefCell::new(archive))
    }

    /// Uses the archive; nothing else does meanwhile.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Archive) -> T) -> T {
        work(&mut self.0.borrow_mut())
    }
}
