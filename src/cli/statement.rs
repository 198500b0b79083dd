//! The text of a statement: given as an argument, in a file, or on stdin.

use crate::error::{Failure, FailureKind};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The most bytes that are read; SQLite is given 100,000 at most, and says so.
const MOST_BYTES: u64 = 1 << 20;

/// What stands for stdin.
const STDIN: &str = "-";

/// The statement that is given, by `-f` or as an argument; none where there is none.
pub(super) fn read(given: Option<&str>, file: Option<&Path>) -> Result<Option<String>, Failure> {
    match (given, file) {
        (Some(STDIN), None) => read_whole(io::stdin().lock(), "stdin").map(Some),
        (given, None) => Ok(given.map(str::to_owned)),
        (_, Some(file)) if file == Path::new(STDIN) => {
            read_whole(io::stdin().lock(), "stdin").map(Some)
        }
        (_, Some(file)) => {
            let name = format!("`{}`", file.display());
            let opened = File::open(file).map_err(|error| unreadable(&name, error))?;
            read_whole(opened, &name).map(Some)
        }
    }
}

fn read_whole(source: impl Read, name: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    source.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(name, error))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(unreadable(name, io::Error::other("it is longer than a statement can be")));
    }
    String::from_utf8(bytes).map_err(|_| unreadable(name, io::Error::other("it is not UTF-8")))
}

fn unreadable(name: &str, error: io::Error) -> Failure {
    Failure::new(FailureKind::Usage, format!("cannot read a statement from {name}"))
        .because(error)
        .hint("-f names a file with one statement in SQL, and - is stdin")
}
