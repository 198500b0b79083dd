//! One place for every name of a file: an absolute path without links, from which everything is
//! opened.
//!
//! SQLite finds the log of a file by the file's name. Two names of one file would be two logs, so a
//! name is resolved once, before anything is opened, and a spelling that SQLite or its tools read
//! as something else than a path is refused.

use super::StoreError;
use super::paths::{beside, directory_of, is_absence};
use std::fs;
use std::path::{Path, PathBuf};

/// Links that are followed, one after the other, before they are taken for a circle; Linux follows
/// 40.
const MOST_LINKS: usize = 40;

/// The longest path in bytes that SQLite opens, with room for the longest suffix that it adds: its
/// `MAX_PATHNAME` of 512 less `-journal`.
const LONGEST_PATH: usize = 503;

/// The longest name in bytes, with room for the longest suffix that SQLite adds: 255, as nearly
/// every file system has it (`NAME_MAX`), less `-journal`. A longer one would be found out only
/// after the file and its lock were made.
const LONGEST_NAME: usize = 247;

/// How the names end of what lies beside an archive.
const SUFFIXES: [&str; 4] = ["-wal", "-shm", "-journal", ".lock"];

/// Where a name leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) enum Place {
    /// A path in a directory that is there; the file itself may be missing.
    At(PathBuf),
    /// This directory is not there.
    NoDirectory(PathBuf),
}

/// Follows every link of a name, whether or not there is a file at its end.
pub(in crate::store) fn resolve(given: &Path) -> Result<Place, StoreError> {
    check_spelling(given)?;
    let mut path = given.to_owned();
    for _ in 0..MOST_LINKS {
        let (directory, name) = split(&path)?;
        let directory = match fs::canonicalize(directory) {
            Ok(directory) if directory.is_dir() => directory,
            Ok(file) => return Ok(Place::NoDirectory(file)),
            Err(error) if is_absence(error.kind()) => {
                return Ok(Place::NoDirectory(directory.to_owned()));
            }
            Err(error) => return Err(StoreError::Unreadable(error.to_string())),
        };
        check_way(directory_of(&path), &directory)?;
        let real = directory.join(name);
        let Ok(target) = fs::read_link(&real) else {
            // It is no link, or it is not there.
            check_way(given, &real)?;
            return check_real(real).map(Place::At);
        };
        path = directory.join(target);
    }
    Err(StoreError::BadName("it is a link that leads back to itself"))
}

/// Refuses a way that ends elsewhere than the links on it say: `/proc/PID/root` reads as `/`, and
/// leads into the files of another container; `/proc/self/fd/3` may lead to a file that has lost
/// its name.
fn check_way(given: &Path, real: &Path) -> Result<(), StoreError> {
    let is_elsewhere = || fs::metadata(given).is_ok() && !is_same_inode(given, real);
    // A file may be replaced between two looks at it.
    if is_elsewhere() && is_elsewhere() {
        return Err(StoreError::BadName("its links do not lead to the file that it opens"));
    }
    Ok(())
}

/// Whether two names are of one file, also by hard links.
pub fn is_same_file(one: &Path, other: &Path) -> bool {
    match (resolve(one), resolve(other)) {
        (Ok(Place::At(one)), Ok(Place::At(other))) => one == other || is_same_inode(&one, &other),
        _ => false,
    }
}

/// Whether a path is that of an archive or of a file that lies beside it, or would: a file of
/// somebody else's under such a name would be taken for the log of the archive.
pub fn is_of_archive(archive: &Path, path: &Path) -> bool {
    let Ok(Place::At(real)) = resolve(archive) else { return false };
    let own = || [real.clone()].into_iter().chain(SUFFIXES.map(|suffix| beside(&real, suffix)));
    let place = match (fs::canonicalize(directory_of(path)), path.file_name()) {
        (Ok(directory), Some(name)) => directory.join(name),
        _ => path.to_owned(),
    };
    own().any(|own| own == place || is_same_inode(&own, &place))
}

#[cfg(unix)]
fn is_same_inode(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |path: &Path| fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino())).ok();
    id(one).is_some_and(|one| id(other) == Some(one))
}

/// Where files have no numbers that can be read, two names are of one file if they read alike.
#[cfg(not(unix))]
fn is_same_inode(one: &Path, other: &Path) -> bool {
    fs::canonicalize(one).ok() == fs::canonicalize(other).ok()
}

fn check_spelling(given: &Path) -> Result<(), StoreError> {
    let bytes = given.as_os_str().as_encoded_bytes();
    let refuse = |why| Err(StoreError::BadName(why));
    match bytes {
        [] => refuse("its name is empty"),
        [b':', ..] => {
            refuse("names that begin with a colon are no files to SQLite, but databases in memory")
        }
        _ if bytes.contains(&0) => refuse("its name holds a NUL character"),
        _ if bytes.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"file:")) => {
            refuse("its name is a URI, and an archive is named by a path")
        }
        _ => Ok(()),
    }
}

fn check_real(real: PathBuf) -> Result<PathBuf, StoreError> {
    let bytes = real.as_os_str().as_encoded_bytes();
    if bytes.len() > LONGEST_PATH {
        return Err(StoreError::BadName(
            "its whole path is longer than the 503 bytes that SQLite takes",
        ));
    }
    if real.file_name().is_some_and(|name| name.len() > LONGEST_NAME) {
        return Err(StoreError::BadName(
            "its name is longer than the 247 bytes that leave room for what lies beside it",
        ));
    }
    if SUFFIXES.iter().any(|suffix| bytes.ends_with(suffix.as_bytes())) {
        return Err(StoreError::BadName("its name is that of a file that lies beside an archive"));
    }
    Ok(real)
}

/// The directory and the name of a path that could be a file's.
fn split(path: &Path) -> Result<(&Path, &std::ffi::OsStr), StoreError> {
    let bytes = path.as_os_str().as_encoded_bytes();
    let name = path.file_name().filter(|_| !bytes.ends_with(b"/") && !bytes.ends_with(b"/."));
    match name {
        Some(name) => Ok((directory_of(path), name)),
        None if path.is_dir() => Err(StoreError::NotOurs("a directory")),
        None => Err(StoreError::BadName("its name is that of a directory")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    use tempfile::TempDir;

    /// A directory as it is really called, with a file, a directory, and links to them.
    fn home() -> (TempDir, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let real = fs::canonicalize(home.path()).unwrap();
        fs::create_dir(real.join("data")).unwrap();
        fs::write(real.join("data/a.db"), "").unwrap();
        symlink("data/a.db", real.join("link.db")).unwrap();
        symlink(real.join("link.db"), real.join("chain.db")).unwrap();
        symlink("data", real.join("there")).unwrap();
        symlink("data/later.db", real.join("dangling.db")).unwrap();
        symlink("nowhere/later.db", real.join("lost.db")).unwrap();
        symlink("circle.db", real.join("circle.db")).unwrap();
        (home, real)
    }

    #[test]
    fn every_name_of_a_file_is_one_place() {
        let (_home, real) = home();
        let one = Place::At(real.join("data/a.db"));
        for name in
            ["data/a.db", "./data/./a.db", "data/../data/a.db", "link.db", "chain.db", "there/a.db"]
        {
            assert_eq!(resolve(&real.join(name)).unwrap(), one, "{name}");
        }
        let doubled = PathBuf::from(format!("/{}//data/a.db", real.display()));
        assert_eq!(resolve(&doubled).unwrap(), one);
        assert!(is_same_file(&real.join("chain.db"), &real.join("there/a.db")));
        fs::hard_link(real.join("data/a.db"), real.join("second.db")).unwrap();
        assert!(is_same_file(&real.join("chain.db"), &real.join("second.db")));
        assert!(!is_same_file(&real.join("chain.db"), &real.join("dangling.db")));
    }

    #[test]
    fn a_file_that_is_not_there_yet_has_its_place_too() {
        let (_home, real) = home();
        assert_eq!(
            resolve(&real.join("dangling.db")).unwrap(),
            Place::At(real.join("data/later.db"))
        );
        assert_eq!(
            resolve(&real.join("there/new.db")).unwrap(),
            Place::At(real.join("data/new.db"))
        );
        assert_eq!(
            resolve(&real.join("lost.db")).unwrap(),
            Place::NoDirectory(real.join("nowhere"))
        );
        assert_eq!(
            resolve(&real.join("no/way/a.db")).unwrap(),
            Place::NoDirectory(real.join("no/way"))
        );
        assert_eq!(
            resolve(&real.join("data/a.db/b.db")).unwrap(),
            Place::NoDirectory(real.join("data/a.db"))
        );
    }

    #[test]
    fn what_is_no_name_of_a_file_is_refused() {
        let (_home, real) = home();
        let refused = |path: &Path| matches!(resolve(path), Err(StoreError::BadName(_)));
        for name in ["", ":memory:", ":x", "file:a.db", "FILE:a.db", "file:/x?mode=ro", "a\0b"] {
            assert!(refused(Path::new(name)), "{name:?}");
        }
        for name in [
            "data/a.db/",
            "data/a.db/.",
            "new.db/",
            "circle.db",
            "a.db-wal",
            "a.db-shm",
            "a.db-journal",
            "x.lock",
        ] {
            assert!(refused(&real.join(name)), "{name}");
        }
        assert!(refused(&real.join("long".repeat(200))));
        for name in [".", "data", "data/", "data/..", "there/", "/"] {
            let found = resolve(&real.join(name));
            assert!(
                matches!(found, Ok(Place::At(_)) | Err(StoreError::NotOurs("a directory"))),
                "{name}: {found:?}"
            );
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_link_that_says_other_than_it_does_is_refused() {
        use std::os::fd::AsRawFd;
        let (_home, real) = home();
        let file = fs::File::open(real.join("data/a.db")).unwrap();
        let open = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        assert_eq!(resolve(&open).unwrap(), Place::At(real.join("data/a.db")));
        fs::remove_file(real.join("data/a.db")).unwrap();
        assert!(matches!(resolve(&open), Err(StoreError::BadName(why)) if why.contains("links")));
        fs::write(real.join("data/a.db"), "another").unwrap();
        assert!(matches!(resolve(&open), Err(StoreError::BadName(_))));
    }

    #[test]
    fn what_belongs_to_an_archive_is_known_by_every_name() {
        let (_home, real) = home();
        let is_own = |path: &str| is_of_archive(&real.join("chain.db"), &real.join(path));
        for path in ["data/a.db", "link.db", "there/a.db", "data/a.db-wal", "there/a.db-journal"] {
            assert!(is_own(path), "{path}");
        }
        fs::hard_link(real.join("data/a.db"), real.join("second.db")).unwrap();
        assert!(is_own("second.db") && is_own("data/../data/a.db.lock"));
        for path in ["data/a.db.csv", "a.db-wal", "data/other.db", "nowhere/a.db", "data"] {
            assert!(!is_own(path), "{path}");
        }
    }

    #[test]
    fn a_name_leaves_room_for_what_lies_beside_it() {
        // Short enough for the whole path.
        let home = tempfile::tempdir_in("/tmp").unwrap();
        let real = fs::canonicalize(home.path()).unwrap();
        for (name, is_refused) in
            [("a".repeat(247), false), ("a".repeat(248), true), ("é".repeat(124), true)]
        {
            let found = resolve(&real.join(&name));
            assert_eq!(
                matches!(found, Err(StoreError::BadName(why)) if why.contains("247")),
                is_refused,
                "{name}"
            );
            assert_eq!(
                fs::write(beside(&real.join(&name), "-journal"), "").is_err(),
                is_refused,
                "{name}"
            );
        }
        assert!(crate::store::file::Archive::open(&real.join("a".repeat(250))).is_err());
        assert_eq!(
            fs::read_dir(&real).unwrap().count(),
            1,
            "nothing was made but what this test made"
        );
    }

    #[test]
    fn an_odd_name_with_its_directory_is_only_a_name() {
        let (_home, real) = home();
        for name in ["file:x?mode=rwc#%41 é.db", ":memory:"] {
            assert_eq!(resolve(&real.join(name)).unwrap(), Place::At(real.join(name)));
        }
        let odd = real.join(OsStr::from_bytes(b"odd\xff.db"));
        assert_eq!(resolve(&odd).unwrap(), Place::At(odd));
    }
}
