//! What is used up where a file cannot be written, where SQLite does not say it: while it makes or
//! enlarges a file beside the archive, a full disk is to it an I/O error, or a file that cannot be
//! opened, and a quota or a limit on the size of files is never anything else.

use super::StoreError;
use super::paths::{beside, directory_of};
use super::place::{Place, resolve};
use std::fs;
use std::io::Write;
use std::path::Path;

/// What the first file that a run enlarges takes: the shared memory beside a log
/// (sqlite.org/walformat.html, section 2). The largest piece by which SQLite enlarges a file.
const LEAST_ROOM: usize = 32 * 1024;

/// What SQLite writes for an archive: the file itself, and these beside it.
const BESIDE: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// What a file beside the archive, or the archive itself, has no room for; none where they have.
pub(super) fn lack(archive: &Path) -> Option<StoreError> {
    let real = match resolve(archive) {
        Ok(Place::At(real)) => real,
        _ => archive.to_owned(),
    };
    of_new_file(&real).or_else(|| {
        let sizes =
            BESIDE.map(|suffix| fs::metadata(beside(&real, suffix)).map_or(0, |it| it.len()));
        is_at_limit(size_limit(), &sizes).then_some(StoreError::SizeLimit)
    })
}

/// What a new file has no room for. It has no name, so that nothing is left whatever happens.
fn of_new_file(real: &Path) -> Option<StoreError> {
    let directory = directory_of(real);
    let written = tempfile::tempfile_in(directory).and_then(|mut file| {
        file.write_all(&vec![0; LEAST_ROOM])?;
        file.sync_all()
    });
    match StoreError::of_room(&written.err()?)? {
        StoreError::DiskFull if has_room_and_no_inodes(directory) => Some(StoreError::NoInodes),
        lack => Some(lack),
    }
}

/// Whether one of these sizes is so near to the limit that the next piece is beyond it.
fn is_at_limit(limit: Option<u64>, sizes: &[u64]) -> bool {
    limit.is_some_and(|limit| {
        sizes.iter().any(|size| *size > 0 && size.saturating_add(LEAST_ROOM as u64) > limit)
    })
}

/// The largest file that this process may make, if there is a limit (`ulimit -f`).
#[cfg(unix)]
fn size_limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Fsize).current
}

#[cfg(not(unix))]
fn size_limit() -> Option<u64> {
    None
}

/// Some file systems make inodes as they are needed, and count none.
#[cfg(unix)]
fn has_room_and_no_inodes(directory: &Path) -> bool {
    rustix::fs::statvfs(directory)
        .is_ok_and(|system| system.f_files > 0 && system.f_favail == 0 && system.f_bavail > 0)
}

#[cfg(not(unix))]
fn has_room_and_no_inodes(_directory: &Path) -> bool {
    false
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
    use std::io::{Error, ErrorKind};

    #[test]
    fn room_is_found_and_no_trace_is_left() {
        let directory = tempfile::tempdir().unwrap();
        assert!(lack(&directory.path().join("a.db")).is_none());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_directory_that_is_not_there_is_not_full() {
        assert!(lack(Path::new("/no/such/directory/a.db")).is_none());
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
        assert!(matches!(StoreError::of_room(&full), Some(StoreError::DiskFull)));
        assert!(StoreError::of_room(&Error::from(ErrorKind::PermissionDenied)).is_none());
    }

    #[test]
    fn a_file_is_at_its_limit_when_the_next_piece_is_beyond_it() {
        let limit = Some(100 * 1024);
        assert!(is_at_limit(limit, &[0, 100 * 1024]));
        assert!(is_at_limit(limit, &[100 * 1024 - 4096, 7]));
        assert!(!is_at_limit(limit, &[0, 60 * 1024]));
        assert!(!is_at_limit(Some(1024), &[0, 0]), "nothing was written yet");
        assert!(!is_at_limit(None, &[u64::MAX]));
    }
}
