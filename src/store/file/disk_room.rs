//! Whether a disk is full, where SQLite does not say it: while it makes or enlarges a file beside
//! the archive, a full disk is to it an I/O error, or a file that cannot be opened.

use super::error::is_full;
use super::paths::directory_of;
use super::place::{Place, resolve};
use std::io::Write;
use std::path::Path;

/// What the first file that a run enlarges takes: the shared memory beside a log
/// (sqlite.org/walformat.html, section 2).
const LEAST_ROOM: usize = 32 * 1024;

/// Whether a file beside the archive finds no room. It has no name, so that nothing is left
/// whatever happens.
pub(in crate::store) fn is_lacking(archive: &Path) -> bool {
    let real = match resolve(archive) {
        Ok(Place::At(real)) => real,
        _ => archive.to_owned(),
    };
    let written = tempfile::tempfile_in(directory_of(&real)).and_then(|mut file| {
        file.write_all(&vec![0; LEAST_ROOM])?;
        file.sync_all()
    });
    written.is_err_and(|error| is_full(&error))
}

/// How many bytes are free for this process where a file lies, if the system tells.
#[cfg(unix)]
pub fn free_bytes(real: &Path) -> Option<u64> {
    let system = rustix::fs::statvfs(directory_of(real)).ok()?;
    Some(system.f_bavail.saturating_mul(system.f_frsize))
}

/// Elsewhere a full disk is found when it is written to.
#[cfg(not(unix))]
pub fn free_bytes(_real: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::{Error, ErrorKind};

    #[test]
    fn room_is_found_and_no_trace_is_left() {
        let directory = tempfile::tempdir().unwrap();
        assert!(!is_lacking(&directory.path().join("a.db")));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_directory_that_is_not_there_is_not_full() {
        assert!(!is_lacking(Path::new("/no/such/directory/a.db")));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_told_from_other_troubles() {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap()
            .write_all(b"x")
            .unwrap_err();
        assert!(is_full(&full));
        assert!(!is_full(&Error::from(ErrorKind::PermissionDenied)));
    }
}
