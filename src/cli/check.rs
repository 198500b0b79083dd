//! `fgarchive check`: whether the archive is whole.

use super::archive::open_existing;
use super::failure;
use super::globals::Globals;
use crate::error::{Failure, FailureKind};
use crate::render::{on_one_line, write_json_line};
use crate::store::file::{Reader, StoreError};
use crate::store::maintain::Finding;
use serde_json::json;
use std::io::{self, Write};

/// The arguments of `check`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Note the records as they are, where they are not as they were written: after they were compared
    #[arg(long)]
    accept: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Prints what was found; a finding is a failure of its own kind.
pub(super) fn run(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    if args.accept {
        return accept(args, globals, out);
    }
    let findings = Reader::open(&globals.db)
        .and_then(|mut reader| reader.check())
        .map_err(|error: StoreError| error.into_failure(&globals.db))?;
    let written = if args.json { write_json(&findings, out) } else { write_text(&findings, out) };
    written.map_err(failure::output)?;
    if findings.is_empty() {
        return Ok(());
    }
    let rules: Vec<&str> = findings.iter().map(|finding| finding.rule).collect();
    let message = format!("the archive `{}` breaks its rules: {}", globals.db.display(), rules.join(", "));
    Err(Failure::new(FailureKind::Finding, message).hint("each finding on stdout says what to do"))
}

/// Notes the records as they are; what else is wrong is not touched.
fn accept(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    let accepted = open_existing(globals)?.accept_digests().map_err(|error| error.into_failure(&globals.db))?;
    let days: Vec<String> = accepted.iter().map(ToString::to_string).collect();
    let written = if args.json {
        write_json_line(&json!({ "accepted": days }), out)
    } else if days.is_empty() {
        writeln!(out, "nothing to accept: the records are as they were written")
    } else {
        days.iter().try_for_each(|day| writeln!(out, "accepted {}", on_one_line(day)))
    };
    written.map_err(failure::output)
}

/// So many places of a finding are shown to people; the first tell what is wrong.
const MOST_SHOWN: usize = 5;

/// Each finding with its places and what to do.
pub(super) fn write_text(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    if findings.is_empty() {
        return writeln!(out, "ok");
    }
    for finding in findings {
        writeln!(out, "{}: {} ({})", finding.rule, finding.message, finding.count)?;
        for place in finding.places.iter().take(MOST_SHOWN) {
            writeln!(out, "  {}", on_one_line(place))?;
        }
        match finding.count.saturating_sub(MOST_SHOWN as u64) {
            0 => {}
            more => writeln!(out, "  … and {more} more; --json names them")?,
        }
        writeln!(out, "  repair: {}", finding.repair)?;
    }
    Ok(())
}

fn write_json(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    let findings: Vec<_> = findings
        .iter()
        .map(|finding| {
            json!({
                "rule": finding.rule,
                "message": finding.message,
                "count": finding.count,
                "places": finding.places,
                "repair": finding.repair,
            })
        })
        .collect();
    write_json_line(&json!({ "ok": findings.is_empty(), "findings": findings }), out)
}
