//! The archive itself: how far each function is covered, and how long no run may come, as `status`
//! tells it.

use super::ask::quoted;
use super::figure::Figure;
use super::subject::Subject;
use super::text;
use crate::domain::Timestamp;
use crate::render::on_one_line;
use crate::store::read::{ArchiveStatus, Extent, FunctionStatus};
use std::time::Duration;

/// What figures of `status` are named by.
pub(super) const STATUS: &str = "status";

/// So many functions are shown one by one.
const MOST: usize = 50;

/// How the archive stands.
#[derive(Clone, Debug)]
pub(super) struct ArchiveView {
    pub(super) command: String,
    pub(super) last_good_run: String,
    pub(super) rows: Vec<StandView>,
    pub(super) left_out: usize,
    /// What somebody should look after.
    pub(super) warnings: Vec<String>,
}

/// How one function stands.
#[derive(Clone, Debug)]
pub(super) struct StandView {
    pub(super) cells: Vec<Figure>,
}

impl ArchiveView {
    pub(super) fn of(status: &ArchiveStatus, subject: &Subject) -> Self {
        let warnings = status.functions.iter().flat_map(|each| each.warnings(subject.now));
        let functions = subject.functions.iter();
        let narrowed = functions.map(|name| format!(" --function {}", quoted(name)));
        let rows = status.functions.iter().take(MOST).enumerate();
        Self {
            command: format!("fgarchive status --json{}", narrowed.collect::<String>()),
            last_good_run: status
                .last_good_run
                .map_or_else(|| "never".to_owned(), |at| text::time(at, subject.zone)),
            rows: rows.map(|(row, function)| StandView::of(row, function, subject)).collect(),
            left_out: status.functions.len().saturating_sub(MOST),
            warnings: warnings.map(|warning| on_one_line(&warning).into_owned()).collect(),
        }
    }
}

impl StandView {
    fn of(row: usize, function: &FunctionStatus, subject: &Subject) -> Self {
        let figure = |column: &str, raw: String, shown: String| Figure {
            ask: STATUS,
            row,
            column: column.to_owned(),
            raw,
            shown,
        };
        let name = on_one_line(&function.name).into_owned();
        let length = |column: &str, length: Option<Duration>| {
            let seconds = length.map(|length| i64::try_from(length.as_secs()).unwrap_or(i64::MAX));
            let raw = seconds.map_or_else(String::new, |seconds| seconds.to_string());
            figure(column, raw, seconds.map_or_else(|| "–".to_owned(), text::seconds))
        };
        let time = |column: &str, moment: Option<Timestamp>| {
            let raw = moment.map_or_else(String::new, |moment| moment.to_string());
            let shown =
                moment.map_or_else(|| "–".to_owned(), |moment| text::time(moment, subject.zone));
            figure(column, raw, shown)
        };
        let extent = |column: &str, extent: Extent| {
            let shown = match extent.count {
                0 => "0".to_owned(),
                number => format!("{} ({})", text::count(number), text::seconds(extent.seconds)),
            };
            figure(column, extent.count.to_string(), shown)
        };
        let (coverage, forecast) = (function.coverage, &function.forecast);
        let enabled = forecast.recording.and_then(|recording| recording.enabled);
        let recording = match enabled {
            _ if function.gone_at.is_some() => "gone",
            Some(true) => "on",
            Some(false) => "off",
            None => "–",
        };
        let raw_recording = enabled.map_or_else(String::new, |enabled| enabled.to_string());
        Self {
            cells: vec![
                figure("function", function.name.clone(), name),
                time("covered_through", coverage.covered_through),
                extent("gaps", coverage.gaps),
                extent("lost", coverage.lost),
                figure("recording", raw_recording, recording.to_owned()),
                length("reach_seconds", Some(forecast.reach.least())),
                length("survives_seconds", forecast.survives(subject.now)),
            ],
        }
    }
}
