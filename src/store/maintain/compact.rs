//! The archive written anew without what is free in it, and put in its own place.
//!
//! The new file is made beside it, checked, and takes the name while nobody has the old one open:
//! readers are waited for, and none is disturbed. A kill at any moment leaves the old file or the
//! new one, which hold the same.

use super::BackupError;
use super::backup::verify;
use super::finding::Finding;
use super::partial::Partial;
use crate::store::file::{Archive, StoreError, free_bytes};
use rusqlite::Connection;

/// The free space that is asked for beyond what is in use, in per cent: the new file is packed a
/// little otherwise.
const MARGIN_PERCENT: u64 = 5;

/// Sizes in bytes, before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// Of the file as it was.
    pub before: u64,
    /// Of the new file, or, where none was made, of what is in use, about.
    pub after: u64,
}

/// What is done at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompactStep {
    /// The new file is written.
    Writing,
    /// It is checked.
    Checking,
    /// It takes the place of the old one.
    Swapping,
    /// Somebody has the old one open: to be called back after a while, to try again.
    Waiting,
}

/// Why the archive was not compacted; it is as it was.
#[derive(Debug)]
pub enum CompactError {
    /// The archive cannot be used.
    Archive(StoreError),
    /// There is too little room beside it.
    NoRoom {
        /// Bytes that are needed.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// Somebody else wrote to it meanwhile.
    Changed,
    /// The archive breaks its rules, and a new file would too.
    Findings(Vec<Finding>),
}

impl From<StoreError> for CompactError {
    fn from(error: StoreError) -> Self {
        Self::Archive(error)
    }
}

impl From<rusqlite::Error> for CompactError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Archive(error.into())
    }
}

impl Archive {
    /// How large the file is, and about how large it would be.
    pub fn estimate_compaction(&self) -> Result<Compacted, StoreError> {
        Ok(estimate(self.connection())?)
    }

    /// Writes the archive anew and puts the new file in its place. `watch` waits while it is told
    /// [`CompactStep::Waiting`], and says whether to go on.
    pub fn compact(
        self,
        watch: &mut dyn FnMut(CompactStep) -> bool,
    ) -> Result<Compacted, CompactError> {
        self.checkpoint()?;
        let estimate = estimate(self.connection())?;
        check_room(estimate, free_bytes(self.real_path()))?;
        let version = data_version(self.connection())?;
        let partial = Partial::create(self.real_path())?;
        watch(CompactStep::Writing);
        let path = partial.path().to_str();
        let path = path.ok_or(StoreError::BadName("its directory has a name that is no text"))?;
        self.connection()
            .execute("VACUUM INTO ?1", [path])
            .map_err(|error| StoreError::from(error).sharpened(partial.path()))?;
        watch(CompactStep::Checking);
        let records =
            self.connection()
                .query_row("SELECT count(*) FROM invocations", [], |row| row.get(0))?;
        let after = verify(partial.path(), records).map_err(|error| match error {
            BackupError::Findings(findings) => CompactError::Findings(findings),
            BackupError::Source(error) | BackupError::Target(error) => error.into(),
            BackupError::Occupied(other) => StoreError::Damaged(other.to_string()).into(),
        })?;
        watch(CompactStep::Swapping);
        if data_version(self.connection())? != version {
            return Err(CompactError::Changed);
        }
        self.replace_by(
            || watch(CompactStep::Waiting),
            |real, old| partial.put_in_place_of(real, old),
        )?;
        Ok(Compacted { before: estimate.before, after })
    }
}

/// By the pages of the file, and those of them that are free.
fn estimate(connection: &Connection) -> rusqlite::Result<Compacted> {
    let number = |name: &str| -> rusqlite::Result<u64> {
        connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
    };
    let (pages, free, bytes) =
        (number("page_count")?, number("freelist_count")?, number("page_size")?);
    Ok(Compacted { before: pages * bytes, after: pages.saturating_sub(free) * bytes })
}

/// Changes when another connection has committed.
fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "data_version", |row| row.get(0))
}

fn check_room(estimate: Compacted, free: Option<u64>) -> Result<(), CompactError> {
    let needed = estimate.after + estimate.after * MARGIN_PERCENT / 100;
    match free {
        Some(free) if free < needed => Err(CompactError::NoRoom { needed, free }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_must_be_room_for_what_is_in_use_and_a_little_more() {
        let estimate = Compacted { before: 900, after: 100 };
        assert!(check_room(estimate, Some(105)).is_ok());
        assert!(check_room(estimate, None).is_ok());
        let lacking = check_room(estimate, Some(104));
        assert!(matches!(lacking, Err(CompactError::NoRoom { needed: 105, free: 104 })));
    }

    /// What somebody else writes while the new file is made would be lost.
    #[test]
    fn a_file_that_was_written_to_meanwhile_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        let archive = Archive::open(&path).unwrap();
        let write = || {
            let other = Connection::open(&path).unwrap();
            other
                .execute_batch("CREATE TABLE IF NOT EXISTS theirs (x); DROP TABLE theirs")
                .unwrap();
        };
        let compacted = archive.compact(&mut |step| {
            if step == CompactStep::Checking {
                write();
            }
            true
        });
        assert!(matches!(compacted, Err(CompactError::Changed)), "{compacted:?}");
        assert!(Archive::open(&path).unwrap().compact(&mut |_| true).is_ok());
    }
}
