//! A connection that only reads, by the way in which it shares the file with others.

use super::StoreError;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// Everything but the characters that mean nothing in a URI or separate directories.
const URI_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');

/// How many statements a connection keeps prepared. A run has about sixty, and a commit takes most
/// of them, always in the same order: with room for fewer, each would be prepared anew for every
/// commit.
const MOST_PREPARED: usize = 128;

/// Lets a connection keep all its statements prepared.
pub(in crate::store) fn keep_statements(connection: &Connection) {
    connection.set_prepared_statement_cache_capacity(MOST_PREPARED);
}

/// How a reader meets others at a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Sharing {
    /// It makes the files beside it where they are missing.
    Full,
    /// It makes no shared memory, and writes to none.
    Guest,
    /// It is told that nobody writes: it neither locks nor makes a file.
    Immutable,
}

/// Opens a file by its real path for reading.
pub(in crate::store) fn open_read_only(
    real: &Path,
    sharing: Sharing,
) -> Result<Connection, StoreError> {
    // A URI always, so that a path that looks like one (`file:x?mode=rwc`) is only a path.
    let encoded = percent_encode(real.as_os_str().as_encoded_bytes(), URI_PATH);
    let option = match sharing {
        Sharing::Full => "",
        Sharing::Guest => "&readonly_shm=1",
        Sharing::Immutable => "&immutable=1",
    };
    let uri = format!("file:{encoded}?mode=ro{option}");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(uri, flags)?;
    keep_statements(&connection);
    Ok(connection)
}
