//! Whose files lie beside the archive, and who may use them.
//!
//! SQLite gives what it makes beside a file the file's mode, and to the file's owner only where it
//! runs as root. What another user made by reading can then be what the owner may not write to.

use super::StoreError;
use super::kept::KeptFile;
use super::paths::{beside, name_of};
use std::path::Path;

/// Refuses an archive that this process cannot write to, or whose log or shared memory it cannot
/// write to: SQLite would open it for reading only.
pub(in crate::store) fn check_writable(real: &Path) -> Result<(), StoreError> {
    if !is_writable(real) {
        return Err(StoreError::Unwritable("this user may not write to the file".to_owned()));
    }
    for suffix in ["-wal", "-shm", "-journal"] {
        let path = beside(real, suffix);
        let Ok(metadata) = std::fs::symlink_metadata(&path) else { continue };
        if !metadata.is_file() {
            return Err(StoreError::BesideIsOdd(name_of(&path)));
        }
        if !is_writable(&path) {
            let holds_data = suffix != "-shm" && metadata.len() > 0;
            let whose = owner_of(&path)
                .map_or_else(|| "another user".to_owned(), |owner| format!("user {owner}"));
            return Err(StoreError::BesideIsForeign {
                path: path.display().to_string(),
                whose,
                holds_data,
            });
        }
    }
    Ok(())
}

/// Whether what this process makes beside the archive can be used by its owner: it is the owner, or
/// root.
#[cfg(unix)]
pub(in crate::store) fn is_own(file: &KeptFile) -> Result<bool, StoreError> {
    use std::os::unix::fs::MetadataExt;
    let user = rustix::process::geteuid();
    Ok(user.is_root() || file.metadata()?.uid() == user.as_raw())
}

#[cfg(unix)]
fn is_writable(path: &Path) -> bool {
    use rustix::fs::{Access, AtFlags, CWD, accessat};
    use rustix::io::Errno;
    let allowed = accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS);
    // Where the system cannot tell, SQLite will.
    !matches!(allowed, Err(Errno::ACCESS | Errno::PERM | Errno::ROFS))
}

/// The number of the user to whom a file belongs.
#[cfg(unix)]
pub(in crate::store) fn owner_of(path: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    std::fs::symlink_metadata(path).ok().map(|metadata| metadata.uid())
}

/// Makes a file private that was there before; says so where that is not possible.
#[cfg(unix)]
pub(in crate::store) fn make_private(file: &KeptFile) -> Result<(), StoreError> {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;
    if file.metadata()?.permissions().mode() & 0o077 != 0
        && let Err(error) = file.file().set_permissions(Permissions::from_mode(0o600))
    {
        tracing::warn!(
            file = %file.path().display(),
            "others may read the archive, and it cannot be made private: {error}"
        );
    }
    Ok(())
}

/// Warns of an archive that everybody on the machine may read.
#[cfg(unix)]
pub(in crate::store) fn warn_of_others(file: &KeptFile) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata()?.permissions().mode() & 0o777;
    if mode & 0o004 != 0 {
        tracing::warn!(
            archive = %file.path().display(),
            "every user of this machine may read the archive (mode {mode:o}); `chmod o= FILE` \
             makes it private"
        );
    }
    Ok(())
}

#[cfg(not(unix))]
mod elsewhere {
    use super::{KeptFile, Path, StoreError};

    pub(in crate::store) fn is_own(_file: &KeptFile) -> Result<bool, StoreError> {
        Ok(true)
    }

    pub(in crate::store) fn is_writable(_path: &Path) -> bool {
        true
    }

    pub(in crate::store) fn owner_of(_path: &Path) -> Option<u32> {
        None
    }

    pub(in crate::store) fn make_private(_file: &KeptFile) -> Result<(), StoreError> {
        Ok(())
    }

    pub(in crate::store) fn warn_of_others(_file: &KeptFile) -> Result<(), StoreError> {
        Ok(())
    }
}

#[cfg(not(unix))]
use elsewhere::is_writable;
#[cfg(not(unix))]
pub(in crate::store) use elsewhere::{is_own, make_private, owner_of, warn_of_others};
