//! How the archive stands.

use super::ranges::time;
use crate::domain::{Cell, Timestamp, counted};
use crate::render::{Renderer, Screen, Style, in_two_units, number_and_length, on_one_line};
use crate::store::read::{ArchiveStatus, Extent, FunctionStatus, PrunedRecords, Unproven};
use serde::Serialize;
use std::borrow::Cow;
use std::io::{self, Write};
use std::time::Duration;

/// What `status --json` prints.
#[derive(Debug, Serialize)]
pub(crate) struct StatusView<'a> {
    functions: Vec<FunctionView<'a>>,
    last_good_run: Option<String>,
    last_run: Option<String>,
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct FunctionView<'a> {
    covered_through: Option<String>,
    function: &'a str,
    gap_seconds: i64,
    gaps: i64,
    gone_at: Option<String>,
    last_walk: Option<String>,
    lost: i64,
    lost_seconds: i64,
    open: i64,
    pending_since: Option<String>,
    pruned: Option<PrunedView>,
    reach_noted_at: Option<String>,
    reach_seconds: u64,
    recording: Option<bool>,
    recording_since: Option<String>,
    records: i64,
    settled_through: Option<String>,
    survives_seconds: Option<u64>,
    unproven: Option<UnprovenView<'a>>,
    urn: &'a str,
}

/// What was removed of a function on purpose.
#[derive(Debug, Serialize)]
struct PrunedView {
    begin_time: String,
    days: i64,
    end_time: String,
    records: i64,
}

/// How many ranges could not be proven, and the first of them.
#[derive(Debug, Serialize)]
struct UnprovenView<'a> {
    begin_time: String,
    end_time: String,
    ranges: i64,
    reason: &'a str,
}

impl<'a> StatusView<'a> {
    pub(crate) fn of(status: &'a ArchiveStatus, now: Timestamp) -> Self {
        Self {
            functions: status
                .functions
                .iter()
                .map(|function| FunctionView::of(function, now))
                .collect(),
            last_good_run: time(status.last_good_run),
            last_run: time(status.last_run),
            warnings: warnings(status, now),
        }
    }
}

impl<'a> FunctionView<'a> {
    fn of(function: &'a FunctionStatus, now: Timestamp) -> Self {
        let forecast = &function.forecast;
        Self {
            covered_through: time(function.coverage.covered_through),
            function: &function.name,
            gap_seconds: function.coverage.gaps.seconds,
            gaps: function.coverage.gaps.count,
            gone_at: time(function.gone_at),
            last_walk: time(function.last_walk),
            lost: function.coverage.lost.count,
            lost_seconds: function.coverage.lost.seconds,
            open: function.open,
            pending_since: time(forecast.pending_since),
            pruned: function.pruned.map(PrunedView::of),
            reach_noted_at: time(forecast.reach_noted_at),
            reach_seconds: forecast.reach.least().as_secs(),
            recording: forecast.recording.and_then(|recording| recording.enabled),
            recording_since: time(forecast.recording.map(|recording| recording.since)),
            records: function.records,
            settled_through: time(function.coverage.settled_through),
            survives_seconds: forecast.survives(now).map(|survives| survives.as_secs()),
            unproven: function.unproven.as_ref().map(UnprovenView::of),
            urn: &function.urn,
        }
    }
}

impl PrunedView {
    fn of(pruned: PrunedRecords) -> Self {
        let PrunedRecords { days, records, begin, end } = pruned;
        Self { begin_time: begin.to_string(), days, end_time: end.to_string(), records }
    }
}

impl<'a> UnprovenView<'a> {
    fn of(unproven: &'a Unproven) -> Self {
        let Unproven { ranges, first, reason } = unproven;
        Self {
            begin_time: first.begin().to_string(),
            end_time: first.end().to_string(),
            ranges: *ranges,
            reason,
        }
    }
}

fn warnings(status: &ArchiveStatus, now: Timestamp) -> Vec<String> {
    status.functions.iter().flat_map(|function| function.warnings(now)).collect()
}

/// A table of the functions, the last runs, and what somebody should look after.
pub(crate) fn write_status(
    status: &ArchiveStatus,
    now: Timestamp,
    screen: Screen,
    out: &mut dyn Write,
) -> io::Result<()> {
    let columns = [
        "function",
        "covered_through",
        "gaps",
        "lost",
        "open",
        "records",
        "recording",
        "reach",
        "survives",
    ];
    let mut renderer = Renderer::begin(Style::table(screen), &columns.map(str::to_owned), out)?;
    status.functions.iter().try_for_each(|function| renderer.row(&cells(function, now)))?;
    renderer.finish()?;
    let told = |moment: Option<Timestamp>| time(moment).unwrap_or_else(|| "none".to_owned());
    writeln!(out, "\nlast good run: {}", told(status.last_good_run))?;
    writeln!(out, "last run: {}", told(status.last_run))?;
    if let Some(pruned) = pruned(status) {
        writeln!(out, "pruned: {pruned}")?;
    }
    warnings(status, now)
        .iter()
        .try_for_each(|warning| writeln!(out, "warning: {}", on_one_line(warning)))
}

/// What was pruned of all functions together, in words.
fn pruned(status: &ArchiveStatus) -> Option<String> {
    let pruned = || status.functions.iter().filter_map(|function| function.pruned);
    let end = pruned().map(|pruned| pruned.end).max()?;
    let records = pruned().map(|pruned| pruned.records).sum::<i64>();
    let functions = pruned().count();
    let (records, functions) =
        (counted(records.unsigned_abs(), "record"), counted(functions, "function"));
    Some(format!("{records} of {functions}, from before {end}"))
}

fn cells(function: &FunctionStatus, now: Timestamp) -> [Cell<'_>; 9] {
    [
        Cell::Text(Cow::Borrowed(&function.name)),
        time(function.coverage.covered_through)
            .map_or(Cell::Null, |moment| Cell::Text(moment.into())),
        extent(function.coverage.gaps),
        extent(function.coverage.lost),
        Cell::Integer(function.open),
        Cell::Integer(function.records),
        recording(function),
        rough(Some(function.forecast.reach.least())),
        rough(function.forecast.survives(now)),
    ]
}

/// Whether the service records the function: `on`, `off`, `gone` where there is none any more, or
/// nothing where that is not known.
fn recording(function: &FunctionStatus) -> Cell<'static> {
    match function.forecast.recording.and_then(|recording| recording.enabled) {
        _ if function.gone_at.is_some() => Cell::Text("gone".into()),
        Some(enabled) => Cell::Text(if enabled { "on" } else { "off" }.into()),
        None => Cell::Null,
    }
}

fn rough(length: Option<Duration>) -> Cell<'static> {
    length.map_or(Cell::Null, |length| Cell::Text(in_two_units(length).into()))
}

fn extent(extent: Extent) -> Cell<'static> {
    let length = Duration::from_secs(extent.seconds.unsigned_abs());
    match extent.count {
        0 => Cell::Integer(0),
        count => Cell::Text(number_and_length(count, length).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Interval;
    use crate::plan::forecast::{LossForecast, Recording};
    use crate::render::tests::json_line;
    use crate::store::read::Coverage;
    use pretty_assertions::assert_eq;

    fn at(hour: u8) -> Timestamp {
        format!("2026-03-01T{hour:02}:00:00Z").parse().unwrap()
    }

    fn full() -> FunctionStatus {
        let first = Interval::new(at(1), at(2)).unwrap();
        FunctionStatus {
            name: "default:f".to_owned(),
            urn: "urn".to_owned(),
            gone_at: None,
            coverage: Coverage {
                covered_through: Some(at(3)),
                settled_through: Some(at(4)),
                pending_since: Some(at(9)),
                gaps: Extent { count: 1, seconds: 2 },
                lost: Extent { count: 3, seconds: 4 },
            },
            last_walk: Some(at(5)),
            unproven: Some(Unproven { ranges: 1, first, reason: "why".to_owned() }),
            records: 5,
            pruned: Some(PrunedRecords { days: 2, records: 7, begin: at(0), end: at(1) }),
            open: 6,
            forecast: LossForecast {
                recording: Some(Recording { enabled: Some(true), since: at(6), asked_at: at(7) }),
                reach_noted_at: Some(at(8)),
                pending_since: Some(at(9)),
                ..LossForecast::default()
            },
        }
    }

    fn empty() -> FunctionStatus {
        FunctionStatus { gone_at: Some(at(0)), ..FunctionStatus::default() }
    }

    #[test]
    fn the_json_of_a_status_stays_as_it_is() {
        let functions = vec![full(), empty()];
        let status =
            ArchiveStatus { last_good_run: Some(at(10)), last_run: Some(at(11)), functions };
        assert_eq!(
            json_line(&StatusView::of(&status, at(12))),
            "{\"functions\":[{\"covered_through\":\"2026-03-01T03:00:00Z\",\
             \"function\":\"default:f\",\"gap_seconds\":2,\"gaps\":1,\"gone_at\":null,\
             \"last_walk\":\"2026-03-01T05:00:00Z\",\"lost\":3,\"lost_seconds\":4,\"open\":6,\
             \"pending_since\":\"2026-03-01T09:00:00Z\",\
             \"pruned\":{\"begin_time\":\"2026-03-01T00:00:00Z\",\"days\":2,\
             \"end_time\":\"2026-03-01T01:00:00Z\",\"records\":7},\
             \"reach_noted_at\":\"2026-03-01T08:00:00Z\",\"reach_seconds\":86400,\
             \"recording\":true,\"recording_since\":\"2026-03-01T06:00:00Z\",\"records\":5,\
             \"settled_through\":\"2026-03-01T04:00:00Z\",\"survives_seconds\":75600,\
             \"unproven\":{\"begin_time\":\"2026-03-01T01:00:00Z\",\
             \"end_time\":\"2026-03-01T02:00:00Z\",\"ranges\":1,\"reason\":\"why\"},\
             \"urn\":\"urn\"},{\"covered_through\":null,\"function\":\"\",\"gap_seconds\":0,\
             \"gaps\":0,\"gone_at\":\"2026-03-01T00:00:00Z\",\"last_walk\":null,\"lost\":0,\
             \"lost_seconds\":0,\"open\":0,\"pending_since\":null,\"pruned\":null,\
             \"reach_noted_at\":null,\
             \"reach_seconds\":86400,\"recording\":null,\"recording_since\":null,\"records\":0,\
             \"settled_through\":null,\"survives_seconds\":null,\"unproven\":null,\"urn\":\"\"}],\
             \"last_good_run\":\"2026-03-01T10:00:00Z\",\"last_run\":\"2026-03-01T11:00:00Z\",\
             \"warnings\":[\"default:f: \
             one range not proven complete, first 2026-03-01T01:00:00Z to 2026-03-01T02:00:00Z: \
             why\"]}\n"
        );
        let nothing = ArchiveStatus { last_good_run: None, last_run: None, functions: Vec::new() };
        assert_eq!(
            json_line(&StatusView::of(&nothing, at(12))),
            "{\"functions\":[],\"last_good_run\":null,\"last_run\":null,\"warnings\":[]}\n"
        );
    }
}
