//! `fgarchive alerts`: what somebody was told, or is to be told, of this archive.

use super::form::{Form, Shown};
use super::globals::Globals;
use super::terminal::{height, screen};
use super::{failure, pager};
use crate::domain::{Cell, Timestamp};
use crate::error::Failure;
use crate::plan::alerts::Alert;
use crate::render::{Format, Screen, Style};
use crate::store::file::{Reader, StoreError};
use std::cmp::Reverse;
use std::io::Write;

/// The columns of the list.
const COLUMNS: [&str; 8] = ["alert", "subject", "state", "since", "ended", "told", "id", "text"];

/// The arguments of `alerts`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Only those that hold
    #[arg(long)]
    active: bool,
    #[command(flatten)]
    shown: Shown,
}

/// Lists the alerts: those that hold, then those that are over, the latest first.
pub(super) fn run(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    let refused = |error: StoreError| error.into_failure(&globals.db);
    let now = globals.clock().now();
    let known = Reader::open(&globals.db).and_then(|reader| reader.known_alerts());
    let mut alerts = known.map_err(refused)?.alerts;
    alerts.retain(|alert| !args.active || alert.ended_at.is_none());
    alerts.sort_by_key(|alert| (Reverse((alert.ended_at.is_none(), alert.began_at)), alert.id));
    let is_for_people =
        matches!(args.shown.format.unwrap_or(Format::Table), Format::Table | Format::Line);
    match height().filter(|_| is_for_people && !args.shown.no_pager) {
        Some(size) => pager::page(size, out, |out| write(&alerts, args, now, out)),
        None => write(&alerts, args, now, out),
    }
}

fn write(
    alerts: &[Alert],
    args: &Args,
    now: Timestamp,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let told = screen();
    let charset = args.shown.charset.unwrap_or(told.charset);
    let style = Style::table(Screen { charset, ..told });
    let form = Form::of_other(args.shown.format, style, "alerts")?;
    let mut renderer = form.begin(&COLUMNS.map(str::to_owned), out)?;
    for alert in alerts {
        renderer.row(&row(alert, now)).map_err(failure::output)?;
    }
    renderer.finish().map_err(failure::output)
}

fn row(alert: &Alert, now: Timestamp) -> [Cell<'_>; COLUMNS.len()] {
    let text = |text: &'static str| Cell::Text(text.into());
    let time =
        |at: Option<Timestamp>| at.map_or(Cell::Null, |at| Cell::Text(at.to_string().into()));
    let state = match alert.ended_at {
        Some(_) => "over",
        None if now < alert.due_at => "waits",
        None => "holds",
    };
    [
        Cell::Text(alert.name.as_str().into()),
        Cell::Text(alert.subject.as_str().into()),
        text(state),
        time(Some(alert.began_at)),
        time(alert.ended_at),
        time(alert.last_told()),
        alert.id.map_or(Cell::Null, Cell::Integer),
        Cell::Text(alert.text.as_str().into()),
    ]
}
