//! Memory for what is asked of SQLite beside SQLite.

use rusqlite::{Error, Result, ffi};

/// Refuses to go on where so many bytes are not to be had: what asks for them later in a way that
/// cannot be refused would end the process instead.
pub(super) fn check_room(needed: usize) -> Result<()> {
    let no_room = |_| Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_NOMEM), None);
    Vec::<u8>::new().try_reserve_exact(needed).map_err(no_room)
}
