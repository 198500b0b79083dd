//! `--output FILE`: an answer becomes a file when it is whole, and not before.
//!
//! It is written under a name of its own in the same directory, so that giving it its name is one
//! step that is done or not done. Until then whatever had the name is as it was.

use crate::error::{Failure, FailureKind};
use crate::store::file::{directory_of, is_absence, is_of_archive};
use std::fs::{self, FileType};
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// How the names of unfinished files begin and end. They do not hold the name of the target, which
/// may be as long as a name can be.
const UNFINISHED: [&str; 2] = [".fgarchive.", ".partial"];

/// How every file of SQLite begins (<https://sqlite.org/fileformat2.html>).
const DATABASE: &[u8] = b"SQLite format 3\0";

/// What an option says that means stdout.
const STDOUT: &str = "-";

/// The file that an option names, where it does not mean stdout.
pub(super) fn file(given: Option<&PathBuf>) -> Option<&Path> {
    given.map(PathBuf::as_path).filter(|path| *path != Path::new(STDOUT))
}

/// Who may read a file that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readers {
    /// The user who runs this alone, or whoever may read the file that it replaces.
    Owner,
    /// Everybody, whatever it replaces.
    Everybody,
}

/// Lets `answer` be written into `target`, which takes its name when it succeeds.
pub(super) fn write_whole(
    target: &Path,
    archive: &Path,
    readers: Readers,
    answer: impl FnOnce(&mut dyn Write) -> Result<(), Failure>,
) -> Result<(), Failure> {
    check_target(target, archive)?;
    let mut file = Unfinished::create(target).map_err(|error| unwritable(target, error))?;
    let answered = answer(&mut file);
    // An answer that could not be written fails as one for stdout would; here the file is named.
    file.failed.take().map_or(answered, |error| Err(unwritable(target, error)))?;
    // What has the name may have changed while the answer was written.
    check_target(target, archive)?;
    file.put_in_place(target, readers).map_err(|error| unwritable(target, error))
}

/// A file that has not got its name yet. It is removed when it is dropped before.
struct Unfinished {
    writer: BufWriter<NamedTempFile>,
    /// Why it cannot be written, since that was first known.
    failed: Option<io::Error>,
}

impl Unfinished {
    /// The file is private from the beginning: records are nobody else's business.
    fn create(target: &Path) -> io::Result<Self> {
        let [prefix, suffix] = UNFINISHED;
        let mut builder = tempfile::Builder::new();
        let file = builder.prefix(prefix).suffix(suffix).tempfile_in(directory_of(target))?;
        Ok(Self { writer: BufWriter::new(file), failed: None })
    }

    /// The bytes are durable before the name is theirs: a power cut leaves the old file or the new.
    /// What may read it may do so before: nobody finds a file that is not readable yet.
    fn put_in_place(self, target: &Path, readers: Readers) -> io::Result<()> {
        let file = self.writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        match (readers, fs::symlink_metadata(target)) {
            (Readers::Owner, Ok(replaced)) => {
                file.as_file().set_permissions(replaced.permissions())?;
            }
            (Readers::Owner, Err(_)) => {}
            (Readers::Everybody, _) => open_to_all(file.as_file())?,
        }
        file.as_file().sync_all()?;
        file.persist(target)?;
        Ok(())
    }

    fn note<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let kind = error.kind();
            if kind != ErrorKind::Interrupted {
                self.failed.get_or_insert(error);
            }
            kind.into()
        })
    }
}

impl Write for Unfinished {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.writer.write(bytes);
        self.note(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.writer.flush();
        self.note(flushed)
    }
}

#[cfg(unix)]
fn open_to_all(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn open_to_all(_file: &fs::File) -> io::Result<()> {
    Ok(())
}

/// Refuses what an answer must not take the place of.
fn check_target(target: &Path, archive: &Path) -> Result<(), Failure> {
    if is_of_archive(archive, target) {
        let message = format!("`{}` is the archive, or belongs to it", target.display());
        return Err(Failure::new(FailureKind::Usage, message).hint("give another path"));
    }
    match fs::symlink_metadata(target) {
        Ok(found) if found.is_file() => check_no_database(target),
        Ok(found) => Err(occupied(target, found.file_type())),
        Err(error) if is_absence(error.kind()) => check_directory(target),
        Err(error) => Err(unwritable(target, error)),
    }
}

/// Refuses a database, whosever it is: it is no answer of yesterday.
fn check_no_database(target: &Path) -> Result<(), Failure> {
    let mut begin = Vec::new();
    let file = fs::File::open(target).map_err(|error| unwritable(target, error))?;
    let most = DATABASE.len() as u64;
    file.take(most).read_to_end(&mut begin).map_err(|error| unwritable(target, error))?;
    if begin != DATABASE {
        return Ok(());
    }
    let message = format!("`{}` is an SQLite database", target.display());
    let hint = "an answer replaces none: give another path, or move it away";
    Err(Failure::new(FailureKind::Usage, message).hint(hint))
}

fn check_directory(target: &Path) -> Result<(), Failure> {
    let directory = directory_of(target);
    if directory.is_dir() {
        return Ok(());
    }
    let why = format!("there is no directory `{}`", directory.display());
    Err(refused(target).because(why).hint("make it, or give the path of a file elsewhere"))
}

fn occupied(target: &Path, found: FileType) -> Failure {
    let what = if found.is_dir() {
        "it is a directory"
    } else if found.is_symlink() {
        "it is a link"
    } else {
        "it is no regular file"
    };
    let hint = "it was left as it was; give the path of a file, or - for stdout";
    refused(target).because(what).hint(hint)
}

fn unwritable(target: &Path, error: io::Error) -> Failure {
    let hint = "nothing was changed; check who may write to the directory, and its space or quota";
    refused(target).because(error).hint(hint)
}

/// The same code as a copy of the archive that cannot be written.
fn refused(target: &Path) -> Failure {
    let message = format!("cannot write `{}`", target.display());
    Failure::new(FailureKind::Archive, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::failure;
    use pretty_assertions::assert_eq;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Writes to a file of this name, beside an archive `a.db`.
    fn write(directory: &Path, name: &str) -> Result<(), Failure> {
        write_whole(&directory.join(name), &directory.join("a.db"), Readers::Owner, |out| {
            out.write_all(b"whole").map_err(failure::output)
        })
    }

    #[test]
    #[cfg(unix)]
    fn a_whole_answer_takes_its_name_and_is_as_private_as_it_was() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("o.csv");
        for mode in [0o600, 0o644, 0o640] {
            write(directory.path(), "o.csv").unwrap();
            assert_eq!(fs::read(&target).unwrap(), b"whole");
            assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, mode);
            fs::write(&target, "an answer of yesterday").unwrap();
            let next = if mode == 0o600 { 0o644 } else { 0o640 };
            fs::set_permissions(&target, fs::Permissions::from_mode(next)).unwrap();
        }
        write(directory.path(), &"n".repeat(255)).unwrap();
        assert_eq!(names(directory.path()), ["n".repeat(255), "o.csv".to_owned()]);
    }

    #[test]
    #[cfg(unix)]
    fn what_is_for_everybody_is_readable_whatever_it_replaces() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("o.prom");
        for _ in 0..2 {
            write_whole(&target, Path::new("a.db"), Readers::Everybody, |out| {
                out.write_all(b"whole").map_err(failure::output)
            })
            .unwrap();
            assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o644);
            fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }

    #[test]
    fn an_answer_that_fails_leaves_what_was_there() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("o.csv");
        fs::write(&target, "yesterday").unwrap();
        let failed = write_whole(&target, Path::new("a.db"), Readers::Owner, |out| {
            out.write_all("x".repeat(100_000).as_bytes()).map_err(failure::output)?;
            Err(Failure::new(FailureKind::Usage, "the time limit was reached"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "the time limit was reached");
        assert_eq!(fs::read(&target).unwrap(), b"yesterday");
        assert_eq!(names(directory.path()), ["o.csv"]);
    }

    #[test]
    #[cfg(unix)]
    fn only_a_regular_file_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::create_dir(path("folder")).unwrap();
        fs::write(path("file"), "").unwrap();
        std::os::unix::fs::symlink(path("file"), path("link")).unwrap();
        std::os::unix::fs::symlink(path("nowhere"), path("dangling")).unwrap();
        crate::store::testing::make_pipe(&path("pipe"));
        let before = names(directory.path());
        for (name, expected) in [
            ("folder", "it is a directory"),
            ("link", "it is a link"),
            ("dangling", "it is a link"),
            ("pipe", "it is no regular file"),
            ("nowhere/o.csv", "there is no directory `"),
            ("file/o.csv", "there is no directory `"),
        ] {
            let failure = write(directory.path(), name).unwrap_err();
            assert_eq!(failure.kind, FailureKind::Archive, "{name}");
            let text = failure.to_string();
            assert!(text.starts_with("cannot write `"), "{name}: {text}");
            assert!(text.contains(expected), "{name}: {text}");
        }
        assert_eq!(names(directory.path()), before);
    }

    #[test]
    fn the_archive_and_what_belongs_to_it_are_never_written_to() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("a.db"), "an archive").unwrap();
        fs::create_dir(directory.path().join("folder")).unwrap();
        let own =
            ["a.db", "a.db-wal", "a.db-shm", "a.db-journal", "a.db.lock", "folder/../a.db-wal"];
        for name in own {
            let failure = write(directory.path(), name).unwrap_err();
            assert_eq!(failure.kind, FailureKind::Usage, "{name}");
            assert!(failure.to_string().ends_with("is the archive, or belongs to it"), "{failure}");
        }
        assert_eq!(names(directory.path()), ["a.db", "folder"]);
        write(directory.path(), "a.db.csv").unwrap();
        write(directory.path(), "folder/a.db-wal").unwrap();
    }

    #[test]
    fn no_database_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("other.db");
        fs::write(&target, b"SQLite format 3\0 and more").unwrap();
        let failure = write(directory.path(), "other.db").unwrap_err();
        assert_eq!(failure.kind, FailureKind::Usage);
        assert!(failure.to_string().ends_with("other.db` is an SQLite database"), "{failure}");
        assert_eq!(fs::read(&target).unwrap(), b"SQLite format 3\0 and more");
        fs::write(&target, b"SQLite format 3").unwrap();
        write(directory.path(), "other.db").unwrap();
    }

    #[test]
    fn a_dash_is_stdout() {
        assert_eq!(file(Some(&PathBuf::from("-"))), None);
        assert_eq!(file(Some(&PathBuf::from("./-"))), Some(Path::new("./-")));
        assert_eq!(file(None), None);
    }
}
