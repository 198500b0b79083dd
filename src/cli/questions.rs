//! Questions to the person at the terminal.

use super::terminal::log_lines;
use crate::error::{Failure, FailureKind};
use std::io::{self, Write};

/// So many answers that cannot be used, and nobody is taken to be there.
const MOST_TRIES: usize = 5;

/// Says something on stderr, in lines of its own. A write that fails is passed over: there is
/// nowhere left to report it.
pub(super) fn say(text: &str) {
    let _ = writeln!(log_lines(), "{text}");
}

/// Asks on stderr until an answer on stdin can be read, for a few times.
pub(super) fn ask<T>(
    question: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Failure> {
    for _ in 0..MOST_TRIES {
        let mut err = log_lines();
        let _ = write!(err, "{question}: ").and_then(|()| err.flush());
        let mut line = String::new();
        let read_line = io::stdin().read_line(&mut line);
        if read_line.map_err(|error| unanswered().because(error))? == 0 {
            return Err(unanswered());
        }
        match read(line.trim()) {
            Ok(answer) => return Ok(answer),
            Err(why) => say(&why),
        }
    }
    Err(unanswered())
}

fn unanswered() -> Failure {
    Failure::new(FailureKind::Usage, "a question was not answered; nothing is written")
        .hint("`fgarchive init --help` lists the options that answer them")
}
