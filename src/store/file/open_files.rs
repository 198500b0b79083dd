//! Whether the limit on open files is met. SQLite does not say it: to SQLite it is a file that
//! cannot be opened; and other libraries panic.

use super::paths::directory_of;
use std::fs::File;
use std::io;
use std::path::Path;

/// So many files a command has open at once, and the system's libraries for it, at the most.
const NEEDED: usize = 16;

/// Opens a directory as often as a command may need files beside those that are open.
pub fn check_open_files(directory: &Path) -> io::Result<()> {
    let opened: io::Result<Vec<_>> = (0..NEEDED).map(|_| File::open(directory)).collect();
    opened.map(drop)
}

/// Whether too few files can be opened beside those that are.
pub(in crate::store) fn are_lacking(archive: &Path) -> bool {
    // A directory that cannot be opened at all tells nothing of a limit.
    check_open_files(directory_of(archive)).is_err_and(|error| is_limit(&error))
}

/// Whether this is how the system says that a process, or all of them, may open no more files.
#[cfg(unix)]
fn is_limit(error: &io::Error) -> bool {
    use rustix::io::Errno;
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
}

/// Elsewhere there is no such limit that a command of this size meets.
#[cfg(not(unix))]
fn is_limit(_error: &io::Error) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_opened_for_another_reason_is_no_limit() {
        let directory = tempfile::tempdir().unwrap();
        assert!(!are_lacking(&directory.path().join("a.db")));
        assert!(!are_lacking(Path::new("/no/such/directory/a.db")));
    }

    #[test]
    #[cfg(unix)]
    fn a_limit_is_told_from_other_troubles() {
        let error = |errno: rustix::io::Errno| io::Error::from(errno);
        assert!(
            is_limit(&error(rustix::io::Errno::MFILE))
                && is_limit(&error(rustix::io::Errno::NFILE))
        );
        assert!(!is_limit(&error(rustix::io::Errno::ACCESS)) && !is_limit(&io::Error::other("x")));
    }
}
