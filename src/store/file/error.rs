//! What can be wrong with an archive or a question to it, by meaning, and what to do about each.

use crate::error::Place;
use rusqlite::ErrorCode as SqliteCode;
use std::io::ErrorKind;
use std::path::PathBuf;

/// Why the archive, or a question to it, failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no file.
    #[error("there is no such file")]
    Missing,
    /// No run has put anything into the file yet.
    #[error("it is empty: no run has written to it yet")]
    Empty,
    /// The file is something else; it is left as it was.
    #[error("it is {0}")]
    NotOurs(&'static str),
    /// What was given names no file, or not one that can be an archive.
    #[error("{0}")]
    BadName(&'static str),
    /// Another file took its place while it was opened.
    #[error("another file took its place while it was opened")]
    Replaced,
    /// It has several names (hard links), and its log lies beside one of them.
    #[error("the file has {0} names (hard links), and its log lies beside one of them only")]
    ManyNames(u64),
    /// The file is mounted without its directory.
    #[error("the file is mounted by itself, without the directory in which its log lies")]
    MountedAlone,
    /// What lies beside it would be played into it, and does not belong to it; nothing was changed.
    #[error("the log `{}` beside it is not its own: {why}", super::paths::name_of(.log))]
    ForeignLog {
        /// The log.
        log: PathBuf,
        /// How that is known.
        why: &'static str,
    },
    /// A file beside it was made by another user and cannot be written to.
    #[error("`{path}` cannot be written to, and belongs to {whose}")]
    BesideIsForeign {
        /// The whole path of the file.
        path: String,
        /// The user.
        whose: String,
        /// Whether it holds something of the archive's.
        holds_data: bool,
    },
    /// Beside it lies something under the name of a file of SQLite's.
    #[error("`{0}` beside it is not a regular file")]
    BesideIsOdd(String),
    /// The file by which runs exclude each other cannot be used.
    #[error("its lock file `{name}` cannot be opened ({why})")]
    LockFile {
        /// Its name.
        name: String,
        /// What the system says.
        why: String,
    },
    /// The file was moved, removed or replaced while it was written to.
    #[error("{}", moved(.from, .to.as_deref()))]
    Moved {
        /// Where it was.
        from: String,
        /// Where it is now, if it has a name and the system tells it.
        to: Option<String>,
    },
    /// A link on the way to the file was changed while the file was written to.
    #[error("`{given}` leads elsewhere than when the run began; what was written to is `{place}`")]
    LeadsElsewhere {
        /// The name by which it was opened.
        given: String,
        /// Where it is.
        place: String,
    },
    /// The file was moved or removed while it was written to, and what was committed last is in its
    /// log at the old place.
    #[error("`{}` was moved while it was written to, and its log was left behind", place.display())]
    Torn {
        /// Where it is now, if it has a name and the system tells it.
        file: Option<PathBuf>,
        /// Where it was, and its log is.
        place: PathBuf,
    },
    /// No temporary file can be made, or it finds no room.
    #[error("temporary files cannot be written ({0})")]
    NoTemporary(String),
    /// The file was written by a newer program; it is left as it was.
    #[error("its schema is version {found}, and this program knows versions up to {known}")]
    Newer {
        /// The version in the file.
        found: i32,
        /// The newest version this program knows.
        known: i32,
    },
    /// The file was written by an older program; a reader does not upgrade it.
    #[error("its schema is version {found}, and this program reads version {known}")]
    Older {
        /// The version in the file.
        found: i32,
        /// The newest version this program knows.
        known: i32,
    },
    /// Another program changed the schema, by mistake or to set a trap.
    #[error("{0}")]
    Altered(String),
    /// Somebody added what would work with every record that is written.
    #[error("{what}")]
    Added {
        /// What it is and does.
        what: String,
        /// The statement that removes it.
        remedy: String,
    },
    /// SQLite finds the file broken.
    #[error("the file is damaged ({0})")]
    Damaged(String),
    /// The system does not let us read it.
    #[error("it cannot be read ({0})")]
    Unreadable(String),
    /// The system does not let us write to it.
    #[error("it cannot be written to ({0})")]
    Unwritable(String),
    /// The system lets this process open no more files.
    #[error("too few files can be opened at once")]
    NoFiles,
    /// No room is left for the file or for SQLite's temporary files.
    #[error("no space is left on the disk")]
    DiskFull,
    /// The disk has room, and takes no more files.
    #[error("no more files can be made on the disk: it has no inodes left")]
    NoInodes,
    /// What this user may keep on the disk is used up.
    #[error("the quota of this user on the disk is used up")]
    QuotaUsed,
    /// A file has reached the size that the process, or the file system, allows.
    #[error("a file may not grow any further: the limit on the size of files is reached")]
    SizeLimit,
    /// Another run is under way.
    #[error("another run holds it")]
    Held,
    /// Another process held the file for longer than we wait.
    #[error("another program keeps it locked")]
    Busy,
    /// A statement of the user's that SQLite or our rules refuse.
    #[error("{message}{}", shown(place.as_ref()))]
    BadSql {
        /// Why, in SQLite's words or ours.
        message: String,
        /// Where in the statement, if that is known.
        place: Option<Place>,
    },
    /// A statement of the user's whose parameters are not those that were given.
    #[error("{0}")]
    Unfilled(String),
    /// A report of the user's that cannot be used; `place` is its file, with the line if it is
    /// known.
    #[error("{place}: {message}")]
    BadReport {
        /// The file or directory, and the line.
        place: String,
        /// What is wrong there.
        message: String,
    },
    /// A report was given an argument that its statement does not use.
    #[error("the report `{report}` does not take `{argument}`")]
    NotTaken {
        /// The report's name.
        report: String,
        /// The argument's.
        argument: &'static str,
    },
    /// An argument that says nothing to a report, or to this archive.
    #[error("{message}")]
    BadArgument {
        /// What is wrong with which argument.
        message: String,
        /// What would be right.
        hint: String,
    },
    /// The question took longer than it may.
    #[error("the time limit was reached")]
    TimedOut,
    /// The question needed more memory than it may use.
    #[error("it needs more memory than it may use")]
    OutOfMemory,
    /// The question needed larger temporary files than it may make.
    #[error("it needs larger temporary files than it may make")]
    FilledDisk,
    /// Anything else SQLite reports.
    #[error(transparent)]
    Other(rusqlite::Error),
}

fn moved(from: &str, to: Option<&str>) -> String {
    match to {
        Some(to) if to != from => {
            format!("it was moved from `{from}` to `{to}` while it was written to")
        }
        _ => format!("the file at `{from}` was removed or replaced while it was written to"),
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let text = error.to_string();
        match error.sqlite_error_code() {
            // No value of ours is as long as SQLite allows.
            Some(SqliteCode::DatabaseCorrupt | SqliteCode::NotADatabase | SqliteCode::TooBig) => {
                Self::Damaged(text)
            }
            Some(SqliteCode::DiskFull) => Self::DiskFull,
            Some(SqliteCode::DatabaseBusy | SqliteCode::DatabaseLocked) => Self::Busy,
            Some(SqliteCode::ReadOnly) => Self::Unwritable(text),
            Some(SqliteCode::CannotOpen | SqliteCode::PermissionDenied) => Self::Unreadable(text),
            Some(SqliteCode::OperationInterrupted) => Self::TimedOut,
            Some(SqliteCode::OutOfMemory) => Self::OutOfMemory,
            Some(SqliteCode::SystemIoFailure) => Self::from_io(&error, text),
            _ => unreadable_value(&error).map_or(Self::Other(error), Self::Damaged),
        }
    }
}

/// What is wrong with a stored value that is not what it must be. Our tables are strict and our
/// texts are UTF-8: only a failing disk, or another program, can have left something else there.
fn unreadable_value(error: &rusqlite::Error) -> Option<String> {
    use rusqlite::Error as E;
    Some(match error {
        E::Utf8Error(..) => "a text in it is not UTF-8".to_owned(),
        E::InvalidColumnType(_, column, found) => {
            format!("`{column}` in it is of the type {found}")
        }
        E::IntegralValueOutOfRange(_, number) => {
            format!("{number} in it is beyond what such a number can be")
        }
        E::FromSqlConversionFailure(_, _, why) => format!("a value in it cannot be read: {why}"),
        E::QueryReturnedNoRows => "a row that must be in it is missing".to_owned(),
        _ => return None,
    })
}

fn shown(place: Option<&Place>) -> String {
    place.map_or_else(String::new, |place| format!(" ({place})"))
}

/// A file of ours that could not be made.
impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        Self::of_room(&error).unwrap_or_else(|| Self::Unwritable(error.to_string()))
    }
}

impl StoreError {
    /// What is used up, where that is why a file could not be written.
    pub(in crate::store) fn of_room(error: &std::io::Error) -> Option<Self> {
        match error.kind() {
            ErrorKind::StorageFull => Some(Self::DiskFull),
            ErrorKind::QuotaExceeded => Some(Self::QuotaUsed),
            ErrorKind::FileTooLarge => Some(Self::SizeLimit),
            _ => None,
        }
    }

    /// What went wrong with a migration.
    pub(in crate::store) fn from_migration(error: &refinery::Error) -> Self {
        match error.kind() {
            refinery::error::Kind::Connection(_, cause) => {
                match cause.downcast_ref::<rusqlite::Error>() {
                    Some(rusqlite::Error::SqliteFailure(failure, message)) => {
                        Self::from(rusqlite::Error::SqliteFailure(*failure, message.clone()))
                    }
                    _ => Self::Damaged(error.to_string()),
                }
            }
            _ => Self::Damaged(error.to_string()),
        }
    }

    /// The disk and the file system also speak through SQLite's I/O errors; the extended code tells
    /// them apart.
    fn from_io(error: &rusqlite::Error, text: String) -> Self {
        let extended = error.sqlite_error().map_or(0, |failure| failure.extended_code);
        match extended {
            rusqlite::ffi::SQLITE_IOERR_CORRUPTFS | rusqlite::ffi::SQLITE_IOERR_SHORT_READ => {
                Self::Damaged(text)
            }
            rusqlite::ffi::SQLITE_IOERR_GETTEMPPATH => Self::NoTemporary(
                "there is no directory for them that can be written to".to_owned(),
            ),
            rusqlite::ffi::SQLITE_IOERR_READ | rusqlite::ffi::SQLITE_IOERR_ACCESS => {
                Self::Unreadable(text)
            }
            // What is left are ways to write: a quota, a limit on files or a failing disk shows
            // here, not as a full one.
            _ => Self::Unwritable(text),
        }
    }

    /// A statement that is refused, nobody knows at which place of it.
    pub(in crate::store) fn bad_sql(message: &str) -> Self {
        Self::BadSql { message: message.to_owned(), place: None }
    }

    /// An error of a statement that the user wrote: what SQLite calls a general error is a mistake
    /// in it.
    pub(in crate::store) fn from_statement(error: rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        match &error {
            E::SqlInputError { msg, sql, offset, .. } => Self::BadSql {
                message: msg.clone(),
                place: usize::try_from(*offset).ok().map(|offset| Place::at(sql, offset)),
            },
            E::SqliteFailure(failure, _)
                if failure.code == SqliteCode::AuthorizationForStatementDenied =>
            {
                Self::bad_sql("it does more than read (not authorized)")
            }
            E::MultipleStatement => Self::bad_sql("it holds more than one statement"),
            E::NulError(_) => Self::bad_sql("it holds a NUL character"),
            E::SqliteFailure(failure, message) => match failure.code {
                SqliteCode::Unknown | SqliteCode::TooBig | SqliteCode::TypeMismatch => {
                    Self::bad_sql(&message.clone().unwrap_or_else(|| failure.to_string()))
                }
                _ => Self::from(error),
            },
            _ => Self::from(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    fn sqlite(code: i32) -> StoreError {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some("as SQLite says".to_owned()))
            .into()
    }

    #[test]
    fn extended_codes_become_meanings() {
        assert!(matches!(sqlite(ffi::SQLITE_CORRUPT_INDEX), StoreError::Damaged(_)));
        assert!(matches!(sqlite(ffi::SQLITE_NOTADB), StoreError::Damaged(_)));
        assert!(matches!(sqlite(ffi::SQLITE_IOERR_CORRUPTFS), StoreError::Damaged(_)));
        assert!(matches!(sqlite(ffi::SQLITE_IOERR_READ), StoreError::Unreadable(_)));
        assert!(matches!(sqlite(ffi::SQLITE_IOERR_WRITE), StoreError::Unwritable(_)));
        assert!(matches!(sqlite(ffi::SQLITE_IOERR_FSYNC), StoreError::Unwritable(_)));
        assert!(matches!(sqlite(ffi::SQLITE_FULL), StoreError::DiskFull));
        assert!(matches!(sqlite(ffi::SQLITE_BUSY_RECOVERY), StoreError::Busy));
        assert!(matches!(sqlite(ffi::SQLITE_READONLY_DBMOVED), StoreError::Unwritable(_)));
        assert!(matches!(sqlite(ffi::SQLITE_CANTOPEN_ISDIR), StoreError::Unreadable(_)));
        assert!(matches!(sqlite(ffi::SQLITE_INTERRUPT), StoreError::TimedOut));
        assert!(matches!(sqlite(ffi::SQLITE_IOERR_GETTEMPPATH), StoreError::NoTemporary(_)));
        assert!(matches!(sqlite(ffi::SQLITE_MISUSE), StoreError::Other(_)));
        assert!(matches!(sqlite(ffi::SQLITE_TOOBIG), StoreError::Damaged(_)));
    }

    #[test]
    fn what_is_used_up_is_told_apart() {
        let of = |kind: ErrorKind| StoreError::from(std::io::Error::from(kind));
        assert!(matches!(of(ErrorKind::StorageFull), StoreError::DiskFull));
        assert!(matches!(of(ErrorKind::QuotaExceeded), StoreError::QuotaUsed));
        assert!(matches!(of(ErrorKind::FileTooLarge), StoreError::SizeLimit));
        assert!(matches!(of(ErrorKind::PermissionDenied), StoreError::Unwritable(_)));
    }

    /// What SQLite hands out without complaint, and is not what it must be.
    #[test]
    fn a_value_that_cannot_be_read_is_damage() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let told = |error: rusqlite::Error| match StoreError::from(error) {
            StoreError::Damaged(why) => why,
            other => panic!("{other:?}"),
        };
        let text = |sql: &str| {
            told(connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap_err())
        };
        let number = |sql: &str| {
            told(connection.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap_err())
        };
        assert_eq!(text("SELECT CAST(x'61ff' AS TEXT)"), "a text in it is not UTF-8");
        assert_eq!(text("SELECT 7 AS walked_at"), "`walked_at` in it is of the type Integer");
        assert_eq!(text("SELECT 'a' WHERE 0"), "a row that must be in it is missing");
        assert_eq!(number("SELECT -7"), "-7 in it is beyond what such a number can be");
        assert_eq!(number("SELECT NULL AS pages"), "`pages` in it is of the type Null");
    }
}
