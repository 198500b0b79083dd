//! `fgarchive check`: whether the archive is whole.

use super::archive::open_existing;
use super::failure;
use super::globals::Globals;
use super::hints;
use super::stage::Stage;
use super::telling::Telling;
use crate::error::{Failure, FailureKind};
use crate::render::views::{AcceptedView, CheckView, write_accepted, write_findings};
use crate::render::write_json_line;
use crate::store::file::{Reader, StoreError};
use std::io::Write;

/// The arguments of `check`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Note the records as they are, where they are not as they were written: after they were
    /// compared
    #[arg(long)]
    accept: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Tell whom the configuration names (`command` and `webhook` in the table `[notify]`) of a
    /// finding, as `sync --notify` tells of other alerts
    ///
    /// For that the archive is written to; the check itself only reads.
    #[arg(long, conflicts_with = "accept")]
    notify: bool,
}

/// Prints what was found; a finding is a failure of its own kind.
pub(super) fn run(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    if args.accept {
        return accept(args, globals, out);
    }
    let telling = args.notify.then(|| Telling::of(globals)).transpose()?;
    let findings = Reader::open(&globals.db)
        .and_then(|mut reader| reader.check())
        .map_err(|error: StoreError| error.into_failure(&globals.db))?;
    let written = if args.json {
        write_json_line(&CheckView::of(&findings, hints::repair), out)
    } else {
        write_findings(&findings, hints::repair, out)
    };
    let rules: Vec<&str> = findings.iter().map(|finding| finding.rule).collect();
    if let Some(telling) = telling {
        telling.checked(&rules, &Stage::set()?, globals);
    }
    written.map_err(failure::output)?;
    if findings.is_empty() {
        return Ok(());
    }
    let message =
        format!("the archive `{}` breaks its rules: {}", globals.db.display(), rules.join(", "));
    Err(Failure::new(FailureKind::Finding, message).hint("each finding on stdout says what to do"))
}

/// Takes the records as they are for right from now on. Other findings are not touched.
fn accept(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    let accepted = open_existing(globals)?
        .accept_records()
        .map_err(|error| error.into_failure(&globals.db))?;
    let days: Vec<String> = accepted.iter().map(ToString::to_string).collect();
    let written = if args.json {
        write_json_line(&AcceptedView::of(&days), out)
    } else {
        write_accepted(&days, out)
    };
    written.map_err(failure::output)
}
