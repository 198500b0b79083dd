//! The archive of a command that changes one.

use super::globals::Globals;
use crate::error::Failure;
use crate::store::file::{Archive, Found, StoreError, inspect};

/// Opens the archive for a command that changes it. It must exist, since only `sync` makes one.
pub(super) fn open_existing(globals: &Globals) -> Result<Archive, Failure> {
    let refused = |error: StoreError| error.into_failure(&globals.db);
    match inspect(&globals.db).map_err(refused)? {
        Found::Missing => Err(refused(StoreError::Missing)),
        Found::Empty => Err(refused(StoreError::Empty)),
        Found::Ours { .. } => Archive::open(&globals.db).map_err(refused),
    }
}
