//! What a failed command says of an archive: the sentence that names it, and what to do next.

use super::paths::beside;
use super::{StoreError, disk_room, open_files};
use crate::error::{Failure, FailureKind, Hint, Step};
use std::path::Path;

impl StoreError {
    /// The failure to show: the sentence names the archive, the hint says what to do next.
    pub fn into_failure(self, archive: &Path) -> Failure {
        self.sharpened(archive).name_archive(archive)
    }

    /// What stands behind an error of which SQLite only says that it could not: a limit on open
    /// files or on the size of files, a disk that is full in one way or another. To be asked while
    /// the file that was written to is still as it was then.
    pub(in crate::store) fn sharpened(self, file: &Path) -> Self {
        let is_vague =
            matches!(self, Self::Unwritable(_) | Self::Unreadable(_) | Self::LockFile { .. });
        if is_vague && open_files::are_lacking(file) {
            return Self::NoFiles;
        }
        match self {
            Self::Unwritable(_) | Self::Unreadable(_) | Self::DiskFull => {
                disk_room::lack(file).unwrap_or(self)
            }
            other => other,
        }
    }

    fn name_archive(self, archive: &Path) -> Failure {
        let shown = archive.display();
        let (kind, message) = match &self {
            Self::BadSql { .. } | Self::Unfilled(_) => {
                (FailureKind::Usage, "cannot run the SQL statement".to_owned())
            }
            Self::BadReport { .. } => {
                (FailureKind::Usage, "cannot use a report of your own".to_owned())
            }
            Self::NotTaken { .. } | Self::BadArgument { .. } => {
                (FailureKind::Usage, "cannot run the report".to_owned())
            }
            Self::TimedOut | Self::OutOfMemory | Self::FilledDisk => {
                (FailureKind::Usage, format!("cannot finish the question to the archive `{shown}`"))
            }
            Self::Held => {
                (FailureKind::Busy, format!("cannot begin a run on the archive `{shown}`"))
            }
            Self::Other(_) => {
                (FailureKind::Unexpected, format!("cannot read or write the archive `{shown}`"))
            }
            _ => (FailureKind::Archive, format!("cannot use the archive `{shown}`")),
        };
        let place = if let Self::BadSql { place, .. } = &self { place.clone() } else { None };
        Failure { hint: self.next_step(), place, ..Failure::new(kind, message) }.because(self)
    }

    fn next_step(&self) -> Option<Hint> {
        let step = match self {
            Self::Missing => return Some(Step::NameArchive.into()),
            Self::Empty => return Some(Step::Begin.into()),
            Self::BadName(_) => {
                "give the path of a file; one that is really called so is given with its \
                 directory, `./NAME`"
            }
            Self::Replaced => "nothing was changed; see what replaces it, and try again",
            Self::ManyNames(_) => {
                "nothing was changed; remove the other names, or make a copy (cp) and use that: \
                 two names would be two logs"
            }
            Self::MountedAlone => "mount the directory of the archive instead of the file",
            Self::ForeignLog { log, .. } => return Some(foreign_log(log).into()),
            Self::BesideIsForeign { path, holds_data: true, .. } => {
                let whose = "do not remove it, but give it to the user who runs this (chown)";
                return Some(format!("it holds what a run committed: {whose}: {path}").into());
            }
            Self::BesideIsForeign { path, .. } => {
                let what =
                    "it holds nothing that is needed; while nobody reads the archive, remove it";
                return Some(format!("{what}: rm {path}").into());
            }
            Self::BesideIsOdd(_) => "see what made it, and move it away",
            Self::LockFile { .. } => {
                "run as the user who made it, or, while no run is under way, give it to this user \
                 (chown) or remove it"
            }
            Self::Torn { file, place } => {
                let (log, place) = (beside(place, "-wal"), place.display());
                let file = file
                    .as_ref()
                    .map_or_else(|| "FILE".to_owned(), |file| format!("`{}`", file.display()));
                let kept = format!("`{}` holds what was committed: keep it", log.display());
                return Some(
                    format!("{kept}, move {file} back to `{place}`, and run again").into(),
                );
            }
            Self::Moved { to: Some(_), .. } => {
                "what was committed is in the file, where it is now; put it back, without a log \
                 beside it, and run again"
            }
            Self::LeadsElsewhere { .. } => {
                "what was committed is in that file; run again for the one that is meant, which \
                 goes on from what it holds itself"
            }
            Self::Moved { .. } => {
                "what this run archived went with the removed file; put a copy back, and run again"
            }
            Self::NoTemporary(_) => {
                "SQLITE_TMPDIR and TMPDIR name a directory for them, which must be there, be \
                 writable and have room"
            }
            Self::NotOurs(_) => return Some(Step::NameOtherArchive.into()),
            Self::Newer { .. } => "it was left as it was; use the newer fgarchive that wrote it",
            Self::Older { .. } => return Some(Step::Upgrade.into()),
            Self::Altered(_) => {
                "another program has changed it; nothing of it was asked or written, and a copy \
                 from before is good"
            }
            Self::Added { remedy, .. } => {
                let what = "nothing was written; keep own tables, views and plain indexes, and \
                            remove this one";
                return Some(format!("{what} with any SQLite tool: {remedy}").into());
            }
            Self::Damaged(_) => return Some(Step::Recover.into()),
            Self::Unreadable(_) => {
                "check who may read the file, its `-wal` and its directory; a reader in the \
                 write-ahead mode also needs to create files beside it"
            }
            Self::Unwritable(_) => {
                "check who may write to the file and its directory, and for a quota or a failing \
                 disk"
            }
            Self::NoFiles | Self::DiskFull | Self::NoInodes | Self::QuotaUsed | Self::SizeLimit => {
                self.make_room()?
            }
            Self::Held => {
                "wait until it has ended; the lock is freed by itself, also when a run is killed"
            }
            Self::Busy => "try again when the other program is done",
            Self::BadSql { .. } => return Some(Step::ReadTables.into()),
            Self::Unfilled(_) => return Some(Step::FillIn.into()),
            Self::BadReport { .. } => {
                "a report is a file NAME.sql: a comment whose first line is its title, its \
                 parameters as `-- param name=default (type): meaning`, and one reading statement"
            }
            Self::NotTaken { .. } => return Some(Step::ReadReport.into()),
            Self::BadArgument { hint, .. } => return Some(hint.as_str().into()),
            Self::TimedOut => return Some(Step::AskLessOrLonger.into()),
            Self::OutOfMemory => return Some(Step::AskLessOrWithMore.into()),
            Self::FilledDisk => {
                "sort and join less at once: narrow the question before it is sorted"
            }
            Self::Other(_) => return None,
        };
        Some(step.into())
    }
}

impl StoreError {
    /// What to do where something is used up.
    fn make_room(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoFiles => "raise the limit on open files: ulimit -n 1024",
            Self::DiskFull => {
                "free some space for the archive, and for temporary files (SQLITE_TMPDIR)"
            }
            Self::NoInodes => {
                "remove some files from that disk, or move the archive and the temporary files \
                 (SQLITE_TMPDIR) to another"
            }
            Self::QuotaUsed => {
                "free some of what this user keeps on that disk, or have the quota raised"
            }
            Self::SizeLimit => {
                "raise the limit on the size of files, `ulimit -f unlimited`, or move the archive \
                 to a file system that takes larger ones"
            }
            _ => return None,
        })
    }
}

fn foreign_log(log: &Path) -> String {
    let log = log.display();
    format!(
        "nothing was changed; if the archive is a copy that was put back, move the old log away, \
         `mv {log} {log}.old`, and check the archive; if the log is what counts, put back the file \
         that it was written for"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn what_the_user_can_correct_is_usage_and_a_bad_file_is_the_archive() {
        let kind = |error: StoreError| error.into_failure(Path::new("a.db")).kind;
        assert_eq!(kind(StoreError::bad_sql("")), FailureKind::Usage);
        assert_eq!(kind(StoreError::Missing), FailureKind::Archive);
        assert_eq!(kind(StoreError::DiskFull), FailureKind::Archive);
        assert_eq!(kind(StoreError::TimedOut), FailureKind::Usage);
    }

    #[test]
    fn a_failure_names_the_archive_the_cause_and_the_next_step() {
        let failure = StoreError::Newer { found: 7, known: 1 }.into_failure(Path::new("/srv/a.db"));
        assert_eq!(
            failure.to_string(),
            "cannot use the archive `/srv/a.db`: its schema is version 7, and this program knows \
             versions up to 1"
        );
        assert_eq!(
            failure.hint,
            Some("it was left as it was; use the newer fgarchive that wrote it".into())
        );
    }
}
