//! `fgarchive status`: how far each function is covered, and whether that is recent enough.

use super::failure;
use super::globals::Globals;
use super::terminal::screen;
use crate::config::parse_duration;
use crate::domain::{Timestamp, counted};
use crate::error::{Failure, FailureKind};
use crate::render::views::{StatusView, write_status};
use crate::render::write_json_line;
use crate::store::file::{Reader, StoreError};
use crate::store::read::{ArchiveStatus, Stale};
use crate::store::reports::Arguments;
use std::io::Write;
use std::time::Duration;

/// The most functions that are named as too old; the others are counted.
const MOST_NAMED: usize = 3;

/// The arguments of `status`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Fail (exit 7) when the last good run, or the coverage of a function, is older than this
    ///
    /// A function that the service knows no more is left out. A date in the future, by this
    /// machine's clock, fails as well.
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = parse_duration,
        allow_hyphen_values = true
    )]
    max_age: Option<Duration>,
    /// Only these functions: a name, `package:name`, a URN, or a glob such as `billing:*`; may be
    /// repeated
    #[arg(long, value_name = "FUNCTION")]
    function: Vec<String>,
    /// Print one JSON object
    ///
    /// It also tells how far each function is settled and when it was walked last.
    #[arg(long)]
    json: bool,
}

/// Prints how the archive stands; too old is a failure of its own kind.
pub(super) fn run(args: Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    let now = globals.clock().now();
    let arguments = Arguments { functions: args.function, ..Arguments::at(now) };
    let status = Reader::open(&globals.db)
        .and_then(|mut reader| reader.status(&arguments))
        .map_err(|error: StoreError| error.into_failure(&globals.db))?;
    let written = if args.json {
        write_json_line(&StatusView::of(&status, now), out)
    } else {
        write_status(&status, now, screen(), out)
    };
    let written = written.and_then(|()| out.flush()).map_err(failure::output);
    // A monitor may read the first line and leave: the exit code is what it asked for.
    if written.as_ref().is_err_and(|failed| !failure::is_closed_output(failed)) {
        return written;
    }
    args.max_age.map_or(Ok(()), |max_age| check_age(&status, now, max_age)).and(written)
}

fn check_age(status: &ArchiveStatus, now: Timestamp, max_age: Duration) -> Result<(), Failure> {
    let ahead = status.ahead(now);
    if let Some(what) = ahead.run.as_ref().or(ahead.functions.first()) {
        let message =
            format!("the archive is ahead of this machine's clock, which says {now}: {what}");
        let hint = "compare `date -u` with a third clock; if this one is right, the next good \
                    `fgarchive sync` mends the archive";
        return Err(Failure::new(FailureKind::Finding, message).hint(hint));
    }
    let Stale { run, functions } = status.stale(now - max_age);
    if run.is_none() && functions.is_empty() {
        return Ok(());
    }
    let age = humantime::format_duration(max_age);
    let more = functions.len().saturating_sub(MOST_NAMED);
    let rest = (more > 0).then(|| format!("and {}", counted(more, "more function")));
    let told: Vec<String> =
        run.into_iter().chain(functions.into_iter().take(MOST_NAMED)).chain(rest).collect();
    Err(Failure::new(
        FailureKind::Finding,
        format!("the archive is older than {age}: {}", told.join("; ")),
    )
    .hint(
        "`fgarchive query runs` shows how the last runs ended; `fgarchive sync` brings it up to \
         date",
    ))
}
