//! `fgarchive page`: one HTML page that tells a period.

use super::failure;
use super::globals::Globals;
use super::output::{self, Readers};
use super::query::REPORT_LIMIT;
use crate::config;
use crate::domain::Zone;
use crate::error::{Failure, FailureKind};
use crate::page::{self, Answers, BadPeriod, Subject};
use crate::store::file::{Reader, StoreError};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The arguments of `page`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Write the page to this file, which takes its name when it is whole; `-` is stdout
    ///
    /// Only the user who runs this may read it (mode 0600). A regular file of that name is
    /// replaced and keeps its mode, unless it is an SQLite database; a failure leaves it as it was.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// From this time on: RFC 3339 or `2026-03-01T12:00`, an age such as 90m, 36h, 7d, or the begin
    /// of a period: `2026-03-01`, `2026-03`, today, yesterday, this-week, last-week, this-month,
    /// last-month [default: a year of days before its end]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// Before this time, in the same forms; of a period its end, so that it is on the page
    /// [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
    /// Only these functions: a name, `package:name`, a URN, or a glob such as `billing:*`; may be
    /// repeated
    #[arg(long, value_name = "FUNCTION")]
    function: Vec<String>,
    /// The time zone whose days and hours are meant, by its IANA name such as Europe/Berlin
    ///
    /// All times of the page are shown in it; those in the commands that it names stay in UTC.
    #[arg(long, value_name = "ZONE", default_value_t = Zone::UTC)]
    tz: Zone,
}

/// Writes the page, whole or not at all.
pub(super) fn run(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    let subject = subject(args, globals)?;
    match output::file(Some(&args.output)).map(Path::to_owned) {
        Some(file) => output::write_whole(&file, &globals.db, Readers::Owner, |out| {
            tell(&subject, globals, out)
        }),
        None => tell(&subject, globals, out),
    }
}

fn tell(subject: &Subject, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    let answers = Reader::open(&globals.db)
        .and_then(|mut reader| Answers::load(&mut reader, subject, REPORT_LIMIT))
        .map_err(|error: StoreError| error.into_failure(&globals.db))?;
    page::write(&answers, subject, out).map_err(failure::output)
}

fn subject(args: &Args, globals: &Globals) -> Result<Subject, Failure> {
    let now = globals.clock().now();
    let range = config::parse_range(args.since.as_deref(), args.until.as_deref(), now, args.tz)?;
    let name = globals.db.file_name().unwrap_or(globals.db.as_os_str());
    let archive = name.to_string_lossy().into_owned();
    Subject::new(now, args.tz, range, args.function.clone(), archive).map_err(|bad| {
        // Of two moments that are given the order is checked already.
        let since = range.0.unwrap_or(now);
        let (message, hint) = match bad {
            BadPeriod::Empty => (
                format!("--since {since} is not before now, {now}, where the page ends"),
                "--until sets another end",
            ),
            BadPeriod::TooLong => (format!("--since {since}: {bad}"), "give a later --since"),
        };
        Failure::new(FailureKind::Usage, message).hint(hint)
    })
}
