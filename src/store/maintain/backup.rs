//! A copy of the archive that is verified before it takes its name.
//!
//! The copy is made from one snapshot: a reader's transaction holds it, a run that writes meanwhile
//! is not held up, and what it commits later is not in the copy. SQLite's backup interface copies
//! page by page, so that a copy costs as much as reading the file; `VACUUM INTO` would build every
//! index anew.

use super::finding::Finding;
use super::partial::Partial;
use crate::store::file::identity::{Found, look};
use crate::store::file::kept::KeptFile;
use crate::store::file::lineage::{Lineage, Other};
use crate::store::file::lock::lock_itself;
use crate::store::file::log::{has_journal, has_log};
use crate::store::file::place::{Place, resolve};
use crate::store::file::{Reader, StoreError};
use rusqlite::Connection;
use rusqlite::backup::Backup;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Pages a step; between steps nothing is waited for, since a snapshot holds nobody up.
const PAGES_A_STEP: i32 = 10_000;

/// What was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Where the copy lies, links followed.
    pub place: PathBuf,
    /// Records in the copy.
    pub records: u64,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Why there is no copy; whatever was at its place is as it was.
#[derive(Debug)]
pub enum BackupError {
    /// The archive cannot be read.
    Source(StoreError),
    /// The copy cannot be written, or something else is in its place.
    Target(StoreError),
    /// What is in its place is no earlier copy of this archive.
    Occupied(Other),
    /// The archive breaks its rules, and a copy of it would too.
    Findings(Vec<Finding>),
}

/// What a copy may take the place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    /// Nothing, an empty file, and an earlier copy of the same archive.
    EarlierCopies,
    /// Any archive that nobody uses, also a newer, another or a damaged one.
    AnyArchive,
}

impl Reader {
    /// Copies the archive to `target`, verifies the copy, and only then lets it take the place of
    /// an earlier one.
    pub fn back_up(&self, target: &Path, replace: Replace) -> Result<Copied, BackupError> {
        let target = real_path(target).map_err(BackupError::Target)?;
        let (replaced, doubt) = self.check_target(&target, replace)?;
        let partial = Partial::create(&target).map_err(BackupError::Target)?;
        let records = self.copy_to(&partial)?;
        let bytes = verify(partial.path(), records)?;
        // That the copy there holds more is told only of an archive that keeps its rules.
        doubt.map_or(Ok(()), |other| Err(BackupError::Occupied(other)))?;
        check_unchanged(&target, replaced.as_ref()).map_err(BackupError::Target)?;
        partial.put_in_place(&target).map_err(BackupError::Target)?;
        Ok(Copied { place: target, records: records.unsigned_abs(), bytes })
    }

    /// Only an earlier copy is replaced, and one that nobody writes to: its log would be taken for
    /// that of the new file. What is replaced stays locked until it is.
    fn check_target(
        &self,
        target: &Path,
        replace: Replace,
    ) -> Result<(Option<KeptFile>, Option<Other>), BackupError> {
        let refused = BackupError::Target;
        if has_log(target) || has_journal(target) {
            return Err(refused(StoreError::NotOurs("an archive in use: a log lies beside it")));
        }
        let found = match look(target) {
            Ok(inspected) => inspected,
            Err(StoreError::Damaged(_) | StoreError::Newer { .. })
                if replace == Replace::AnyArchive =>
            {
                return Ok((KeptFile::open(target).map_err(refused)?, None));
            }
            Err(StoreError::Damaged(why)) => {
                return Err(BackupError::Occupied(Other::Damaged(why)));
            }
            Err(other) => return Err(refused(other)),
        };
        let Some(file) = found.file else { return Ok((None, None)) };
        lock_itself(&file).map_err(|_| refused(StoreError::NotOurs("an archive in use")))?;
        if replace == Replace::AnyArchive || found.found == Found::Empty {
            return Ok((Some(file), None));
        }
        match self.check_lineage(target) {
            Err(BackupError::Occupied(more @ Other::More { .. })) => Ok((Some(file), Some(more))),
            checked => checked.map(|()| (Some(file), None)),
        }
    }

    fn check_lineage(&self, target: &Path) -> Result<(), BackupError> {
        let own = Lineage::of(&self.connection).map_err(BackupError::Source)?;
        let found = match Lineage::at(target) {
            Err(StoreError::Damaged(why)) => {
                return Err(BackupError::Occupied(Other::Damaged(why)));
            }
            found => found.map_err(BackupError::Target)?,
        };
        found.is_earlier_than(&own).map_err(BackupError::Occupied)
    }

    /// Copies a snapshot; how many records it holds.
    fn copy_to(&self, partial: &Partial) -> Result<i64, BackupError> {
        let source = |error: rusqlite::Error| BackupError::Source(error.into());
        // While the copy is as it was, whose size may be why: what is undone is cut off.
        let target = |error: rusqlite::Error| {
            BackupError::Target(StoreError::from(error).sharpened(partial.path()))
        };
        let snapshot = self.connection.unchecked_transaction().map_err(source)?;
        let records = count(&snapshot).map_err(source)?;
        let page_bytes =
            snapshot.pragma_query_value(None, "page_size", |row| row.get(0)).map_err(source)?;
        let mut copy = partial.connect(page_bytes).map_err(target)?;
        {
            let backup = Backup::new(&snapshot, &mut copy).map_err(target)?;
            backup.run_to_completion(PAGES_A_STEP, Duration::ZERO, None).map_err(target)?;
        }
        // Without a log of its own, so that it is one file, and can be read where nothing can be
        // written.
        copy.pragma_update(None, "journal_mode", "delete").map_err(target)?;
        copy.close().map_err(|(_, error)| target(error))?;
        Ok(records)
    }
}

impl Reader {
    /// How many records there are.
    pub fn count_records(&self) -> Result<u64, StoreError> {
        Ok(count(&self.connection)?.unsigned_abs())
    }
}

fn count(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT count(*) FROM invocations", [], |row| row.get(0))
}

/// Where the copy goes: where a link leads, not in the place of the link.
fn real_path(target: &Path) -> Result<PathBuf, StoreError> {
    match resolve(target)? {
        Place::At(real) => Ok(real),
        Place::NoDirectory(directory) => {
            Err(StoreError::Unwritable(format!("there is no directory `{}`", directory.display())))
        }
    }
}

/// What was judged is what is replaced.
fn check_unchanged(target: &Path, replaced: Option<&KeptFile>) -> Result<(), StoreError> {
    let is_unchanged =
        replaced.map_or_else(|| fs::symlink_metadata(target).is_err(), KeptFile::is_in_place);
    if !is_unchanged {
        return Err(StoreError::Replaced);
    }
    if has_log(target) || has_journal(target) {
        return Err(StoreError::NotOurs("an archive in use: a log lies beside it"));
    }
    Ok(())
}

/// The size of a sound copy.
pub(super) fn verify(path: &Path, records: i64) -> Result<u64, BackupError> {
    let mut copy = Reader::open(path).map_err(BackupError::Target)?;
    let findings = copy.check().map_err(BackupError::Target)?;
    if !findings.is_empty() {
        return Err(BackupError::Findings(findings));
    }
    let found = count(&copy.connection).map_err(|error| BackupError::Target(error.into()))?;
    if found != records {
        let text = format!("the copy has {found} records, the archive {records}");
        return Err(BackupError::Target(StoreError::Damaged(text)));
    }
    Ok(fs::metadata(path).map_or(0, |metadata| metadata.len()))
}
