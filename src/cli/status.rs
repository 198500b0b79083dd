//! `fgarchive status`: how far each function is covered, and whether that is recent enough.

use super::failure;
use super::globals::Globals;
use super::terminal::screen;
use crate::domain::{Cell, Timestamp};
use crate::error::{Failure, FailureKind};
use crate::render::{Renderer, Style, in_two_units, number_and_length, on_one_line, write_json_line};
use crate::store::file::{Reader, StoreError};
use crate::store::read::{ArchiveStatus, Extent, FunctionStatus, Stale, Unproven};
use crate::store::reports::Arguments;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::io::{self, Write};
use std::time::Duration;

/// So many functions that are too old are named; the others are counted.
const MOST_NAMED: usize = 3;

/// The arguments of `status`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Fail (exit 7) when the last good run, or the coverage of a function, is older than this
    ///
    /// A function that the service knows no more is left out. A date in the future, by this machine's
    /// clock, fails as well.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, allow_hyphen_values = true)]
    max_age: Option<Duration>,
    /// Only this function: its name, `package:name`, or URN
    #[arg(long, value_name = "FUNCTION")]
    function: Option<String>,
    /// Print one JSON object
    ///
    /// It also tells how far each function is settled and when it was walked last.
    #[arg(long)]
    json: bool,
}

/// Prints how the archive stands; too old is a failure of its own kind.
pub(super) fn run(args: Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    let now = globals.clock().now();
    let arguments = Arguments { function: args.function, ..Arguments::at(now) };
    let status = Reader::open(&globals.db)
        .and_then(|mut reader| reader.status(&arguments))
        .map_err(|error: StoreError| error.into_failure(&globals.db))?;
    let written = if args.json { write_json(&status, now, out) } else { write_text(&status, now, out) };
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
        let message = format!("the archive is ahead of this machine's clock, which says {now}: {what}");
        let hint = "compare `date -u` with a third clock; if this one is right, the next good `fgarchive sync` mends the archive";
        return Err(Failure::new(FailureKind::Finding, message).hint(hint));
    }
    let Stale { run, functions } = status.stale(now - max_age);
    if run.is_none() && functions.is_empty() {
        return Ok(());
    }
    let age = humantime::format_duration(max_age);
    let more = functions.len().saturating_sub(MOST_NAMED);
    let rest = (more > 0).then(|| format!("and {more} more functions"));
    let told: Vec<String> = run.into_iter().chain(functions.into_iter().take(MOST_NAMED)).chain(rest).collect();
    Err(Failure::new(FailureKind::Finding, format!("the archive is older than {age}: {}", told.join("; ")))
        .hint("`fgarchive query runs` shows how the last runs ended; `fgarchive sync` brings it up to date"))
}

fn write_text(status: &ArchiveStatus, now: Timestamp, out: &mut dyn Write) -> io::Result<()> {
    let columns = ["function", "covered_through", "gaps", "lost", "open", "records", "recording", "reach", "survives"];
    let mut renderer = Renderer::begin(Style::table(screen()), &columns.map(str::to_owned), out)?;
    for function in &status.functions {
        renderer.row(&[
            Cell::Text(Cow::Borrowed(&function.name)),
            moment(function.covered_through),
            extent(function.gaps),
            extent(function.lost),
            Cell::Integer(function.open),
            Cell::Integer(function.records),
            recording(function),
            rough(Some(function.outlook.reach.least())),
            rough(function.outlook.survives(now)),
        ])?;
    }
    renderer.finish()?;
    let told = |moment: Option<Timestamp>| moment.map_or_else(|| "none".to_owned(), |moment| moment.to_string());
    writeln!(out, "\nlast good run: {}", told(status.last_good_run))?;
    writeln!(out, "last run: {}", told(status.last_run))?;
    warnings(status, now).iter().try_for_each(|warning| writeln!(out, "warning: {}", on_one_line(warning)))
}

fn warnings(status: &ArchiveStatus, now: Timestamp) -> Vec<String> {
    status.functions.iter().flat_map(|function| function.warnings(now)).collect()
}

/// Whether the service records the function: `on`, `off`, `gone` where there is none any more, or nothing where that is not
/// known.
fn recording(function: &FunctionStatus) -> Cell<'static> {
    match function.outlook.recording.and_then(|recording| recording.enabled) {
        _ if function.gone_at.is_some() => Cell::Text("gone".into()),
        Some(enabled) => Cell::Text(if enabled { "on" } else { "off" }.into()),
        None => Cell::Null,
    }
}

fn rough(length: Option<Duration>) -> Cell<'static> {
    length.map_or(Cell::Null, |length| Cell::Text(in_two_units(length).into()))
}

fn moment(moment: Option<Timestamp>) -> Cell<'static> {
    moment.map_or(Cell::Null, |moment| Cell::Text(moment.to_string().into()))
}

fn extent(extent: Extent) -> Cell<'static> {
    let length = Duration::from_secs(extent.seconds.unsigned_abs());
    match extent.count {
        0 => Cell::Integer(0),
        count => Cell::Text(number_and_length(count, length).into()),
    }
}

fn write_json(status: &ArchiveStatus, now: Timestamp, out: &mut dyn Write) -> io::Result<()> {
    let object = json!({
        "last_good_run": time(status.last_good_run),
        "last_run": time(status.last_run),
        "functions": status.functions.iter().map(|function| to_json(function, now)).collect::<Vec<_>>(),
        "warnings": warnings(status, now),
    });
    write_json_line(&object, out)
}

fn to_json(function: &FunctionStatus, now: Timestamp) -> Value {
    let outlook = &function.outlook;
    json!({
        "function": function.name,
        "urn": function.urn,
        "gone_at": time(function.gone_at),
        "covered_through": time(function.covered_through),
        "settled_through": time(function.settled_through),
        "last_walk": time(function.last_walk),
        "gaps": function.gaps.count,
        "gap_seconds": function.gaps.seconds,
        "lost": function.lost.count,
        "lost_seconds": function.lost.seconds,
        "unproven": function.unproven.as_ref().map(unproven),
        "open": function.open,
        "records": function.records,
        "recording": outlook.recording.and_then(|recording| recording.enabled),
        "recording_since": time(outlook.recording.map(|recording| recording.since)),
        "reach_seconds": outlook.reach.least().as_secs(),
        "reach_noted_at": time(outlook.reach_noted_at),
        "pending_since": time(outlook.pending_since),
        "survives_seconds": outlook.survives(now).map(|survives| survives.as_secs()),
    })
}

fn unproven(unproven: &Unproven) -> Value {
    let Unproven { ranges, first, reason } = unproven;
    let (begin, end) = (first.begin().to_string(), first.end().to_string());
    json!({ "ranges": ranges, "begin_time": begin, "end_time": end, "reason": reason })
}

fn time(moment: Option<Timestamp>) -> Option<String> {
    moment.map(|moment| moment.to_string())
}
