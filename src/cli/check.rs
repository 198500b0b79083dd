//! `fgarchive check`: whether the archive is whole.

use super::{Globals, failure};
use crate::error::{Failure, FailureKind};
use crate::store::{Finding, Reader, StoreError};
use serde_json::json;
use std::io::{self, Write};

/// The arguments of `check`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Prints what was found; a finding is a failure of its own kind.
pub(super) fn run(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
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

fn write_text(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    if findings.is_empty() {
        return writeln!(out, "ok");
    }
    for finding in findings {
        writeln!(out, "{}: {} ({})", finding.rule, finding.message, finding.count)?;
        for place in &finding.places {
            writeln!(out, "  {}", super::render::on_one_line(place))?;
        }
        if finding.count > finding.places.len() as u64 {
            writeln!(out, "  …")?;
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
    writeln!(out, "{}", json!({ "ok": findings.is_empty(), "findings": findings }))
}
