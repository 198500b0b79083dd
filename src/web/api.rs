//! What reports answer, as JSON.

use super::address::Query;
use super::reply::{Body, Trouble, unwritten};
use crate::config;
use crate::domain::{Cell, Timestamp, Zone, nearest};
use crate::render::{Format, Renderer, Screen, Style};
use crate::store::file::{Reader, StoreError};
use crate::store::reports::{Arguments, Report};
use std::time::Duration;

/// What an address says of every report; the rest are parameters of its own.
pub(super) const COMMON: [&str; 4] = ["since", "until", "function", "tz"];

/// So many names are offered for one that is not known.
const MOST_NEAREST: usize = 3;

/// The report of this name.
pub(super) fn find(name: &str) -> Result<&'static Report, Trouble> {
    Report::find(name).ok_or_else(|| {
        let names = nearest(name, Report::all().iter().map(Report::name));
        let names = names.take(MOST_NEAREST).collect::<Vec<_>>().join(", ");
        Trouble::new(404, format!("there is no report `{name}`"))
            .hint(format!("the nearest names: {names}"))
    })
}

/// The zone that an address asks for.
pub(super) fn zone(query: &Query) -> Result<Zone, Trouble> {
    let zone = query.last("tz").map(str::parse::<Zone>).transpose();
    zone.map(Option::unwrap_or_default).map_err(|error| Trouble::new(400, error.to_string()))
}

/// What a report is asked with.
pub(super) fn arguments(query: &Query, now: Timestamp) -> Result<Arguments, Trouble> {
    let zone = zone(query)?;
    let (since, until) = config::parse_range(query.last("since"), query.last("until"), now, zone)?;
    let functions = query.all("function").map(str::to_owned).collect();
    let own = query.without(&COMMON).map(|(name, value)| (name.to_owned(), value.to_owned()));
    Ok(Arguments { now, zone, since, until, functions, own: own.collect() })
}

/// The rows of a report as one array of objects.
pub(super) fn answer(
    reader: &mut Reader,
    report: &Report,
    arguments: &Arguments,
    limit: Duration,
) -> Result<Vec<u8>, Trouble> {
    let path = reader.path().to_owned();
    let trouble = |error: StoreError| Trouble::of_store(error, &path);
    let mut question = reader.ask(report, arguments, limit).map_err(trouble)?;
    let style = Style { format: Format::Json, ..Style::table(Screen::default()) };
    let columns = question.columns().to_vec();
    let mut body = Body::default();
    let mut json = Renderer::begin(style, &columns, &mut body).map_err(unwritten)?;
    let mut rows = question.rows();
    while let Some(row) = rows.next_row().map_err(trouble)? {
        let cells: Vec<Cell<'_>> = row.cells().collect();
        json.row(&cells).map_err(unwritten)?;
    }
    json.finish().map_err(unwritten)?;
    Ok(body.into_bytes())
}
