//! A file that was looked at and is kept open, so that it can be told from another one that takes
//! its name.
//!
//! The kernel numbers files, and gives a number away again once nobody has the file open. POSIX
//! frees a process's locks on a file when the process closes any descriptor of it, SQLite's too: a
//! kept file is therefore closed after the connection to it.

use super::StoreError;
use super::paths::is_absence;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A regular file, open for reading.
#[derive(Debug)]
pub(in crate::store) struct KeptFile {
    file: File,
    path: PathBuf,
}

impl KeptFile {
    /// Opens what lies at a path without links; nothing where nothing is.
    ///
    /// The kind is looked at first: to open a pipe or a device can wait for ever, or do something.
    pub(in crate::store) fn open(path: &Path) -> Result<Option<Self>, StoreError> {
        let unreadable = |error: io::Error| StoreError::Unreadable(error.to_string());
        let expected = match fs::symlink_metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if is_absence(error.kind()) => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        check_kind(&expected)?;
        let mut options = OpenOptions::new();
        options.read(true);
        without_waiting(&mut options);
        let file = options.open(path).map_err(unreadable)?;
        let found = file.metadata().map_err(unreadable)?;
        check_kind(&found)?;
        if id(&found) != id(&expected) {
            return Err(StoreError::Replaced);
        }
        Ok(Some(Self { file, path: path.to_owned() }))
    }

    /// Where it was opened.
    pub(in crate::store) fn path(&self) -> &Path {
        &self.path
    }

    pub(in crate::store) fn file(&self) -> &File {
        &self.file
    }

    pub(in crate::store) fn metadata(&self) -> Result<Metadata, StoreError> {
        self.file.metadata().map_err(|error| StoreError::Unreadable(error.to_string()))
    }

    /// Whether its path still leads to it.
    pub(in crate::store) fn is_in_place(&self) -> bool {
        let own = self.file.metadata().map(|metadata| id(&metadata));
        let other = fs::symlink_metadata(&self.path).map(|metadata| id(&metadata));
        own.is_ok_and(|own| other.is_ok_and(|other| own == other))
    }

    /// Whether a name that was followed to it still leads to it.
    pub(in crate::store) fn is_at_the_end_of(&self, given: &Path) -> bool {
        let own = self.file.metadata().map(|metadata| id(&metadata));
        let other = fs::metadata(given).map(|metadata| id(&metadata));
        own.is_ok_and(|own| other.is_ok_and(|other| own == other))
    }

    /// Its first bytes, at most so many, as they are now.
    pub(in crate::store) fn start(&self, bytes: usize) -> Result<Vec<u8>, StoreError> {
        use std::io::{Seek, SeekFrom};
        let mut start = Vec::with_capacity(bytes);
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0))
            .and_then(|_| file.take(bytes as u64).read_to_end(&mut start))
            .map_err(|error| StoreError::Unreadable(error.to_string()))?;
        Ok(start)
    }

    /// Where it is now, if the system can tell.
    pub(in crate::store) fn whereabouts(&self) -> Option<PathBuf> {
        whereabouts(&self.file)
    }

    /// How many names it has.
    pub(in crate::store) fn names(&self) -> Result<u64, StoreError> {
        Ok(names(&self.metadata()?))
    }
}

/// Records can hold error messages with anything in them: what we create is for its owner alone.
#[cfg(unix)]
pub(in crate::store) fn private(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

/// Elsewhere a new file inherits the rights of its directory.
#[cfg(not(unix))]
pub(in crate::store) fn private(_options: &mut OpenOptions) {}

fn check_kind(metadata: &Metadata) -> Result<(), StoreError> {
    if metadata.is_dir() {
        return Err(StoreError::NotOurs("a directory"));
    }
    if metadata.is_file() { Ok(()) } else { Err(StoreError::NotOurs("not a regular file")) }
}

#[cfg(unix)]
mod system {
    use rustix::fs::OFlags;
    use std::fs::{File, Metadata, OpenOptions};
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
    use std::path::PathBuf;

    /// The device and the number on it.
    pub(in crate::store) fn id(metadata: &Metadata) -> (u64, u64) {
        (metadata.dev(), metadata.ino())
    }

    pub(in crate::store) fn names(metadata: &Metadata) -> u64 {
        metadata.nlink()
    }

    /// Neither waits for somebody at the other end of a pipe nor follows a link.
    pub(in crate::store) fn without_waiting(options: &mut OpenOptions) {
        options.custom_flags((OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed());
    }

    /// Linux tells the path of an open file, with ` (deleted)` behind that of a removed one.
    pub(in crate::store) fn whereabouts(file: &File) -> Option<PathBuf> {
        let path = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
        (!path.as_os_str().as_encoded_bytes().ends_with(b" (deleted)")).then_some(path)
    }
}

#[cfg(not(unix))]
mod system {
    use std::fs::{File, Metadata, OpenOptions};
    use std::path::PathBuf;

    pub(in crate::store) fn id(_metadata: &Metadata) -> (u64, u64) {
        (0, 0)
    }

    pub(in crate::store) fn names(_metadata: &Metadata) -> u64 {
        1
    }

    pub(in crate::store) fn without_waiting(_options: &mut OpenOptions) {}

    pub(in crate::store) fn whereabouts(_file: &File) -> Option<PathBuf> {
        None
    }
}

pub(in crate::store) use system::{id, without_waiting};
use system::{names, whereabouts};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_told_from_another_in_its_place() {
        let directory = tempfile::tempdir().unwrap();
        let path = fs::canonicalize(directory.path()).unwrap().join("a.db");
        fs::write(&path, "one").unwrap();
        let file = KeptFile::open(&path).unwrap().unwrap();
        assert!(file.is_in_place() && file.names().unwrap() == 1);
        fs::hard_link(&path, directory.path().join("b.db")).unwrap();
        assert_eq!(file.names().unwrap(), 2);
        fs::remove_file(&path).unwrap();
        assert!(!file.is_in_place());
        fs::write(&path, "one").unwrap();
        assert!(!file.is_in_place());
        assert_eq!(file.start(2).unwrap(), b"on");
    }

    #[test]
    fn what_is_no_file_is_refused_and_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        crate::store::testing::make_pipe(&pipe);
        let socket = directory.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for path in [pipe.as_path(), &socket, Path::new("/dev/zero"), directory.path()] {
            assert!(
                matches!(KeptFile::open(path), Err(StoreError::NotOurs(_))),
                "{}",
                path.display()
            );
        }
        assert!(KeptFile::open(&directory.path().join("missing")).unwrap().is_none());
    }
}
