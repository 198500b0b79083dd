//! The archive itself: how far each function is covered, and how long no run may come, as `status`
//! tells it.

use super::answer::shortened;
use super::figure::Figure;
use super::subject::Subject;
use super::text;
use crate::domain::Timestamp;
use crate::render::shell_word;
use crate::store::read::{ArchiveStatus, Extent, FunctionStatus};
use std::time::Duration;

/// What figures of `status` are named by.
pub(super) const STATUS: &str = "status";

/// So many functions are shown one by one, those first that need somebody to look after them.
const MOST: usize = 20;

/// So many warnings are shown.
const MOST_WARNINGS: usize = 10;

/// How the archive stands.
#[derive(Clone, Debug)]
pub(super) struct ArchiveView {
    pub(super) command: String,
    pub(super) last_good_run: String,
    pub(super) rows: Vec<StandView>,
    pub(super) left_out: usize,
    /// What somebody should look after.
    pub(super) warnings: Vec<String>,
    pub(super) warnings_left_out: usize,
}

/// How one function stands.
#[derive(Clone, Debug)]
pub(super) struct StandView {
    pub(super) cells: Vec<Figure>,
}

impl ArchiveView {
    pub(super) fn of(status: &ArchiveStatus, subject: &Subject) -> Self {
        let warnings: Vec<String> =
            status.functions.iter().flat_map(|each| each.warnings(subject.now)).collect();
        let functions = subject.functions.iter();
        let narrowed = functions.map(|name| format!(" --function {}", shell_word(name)));
        let mut rows: Vec<(usize, &FunctionStatus)> = status.functions.iter().enumerate().collect();
        rows.sort_by_key(|(_, function)| urgency(function, subject.now));
        Self {
            command: format!("fgarchive status --json{}", narrowed.collect::<String>()),
            last_good_run: status
                .last_good_run
                .map_or_else(|| "never".to_owned(), |at| text::time(at, subject.zone)),
            rows: rows
                .iter()
                .take(MOST)
                .map(|(row, function)| StandView::of(*row, function, subject))
                .collect(),
            left_out: status.functions.len().saturating_sub(MOST),
            warnings_left_out: warnings.len().saturating_sub(MOST_WARNINGS),
            warnings: warnings.iter().take(MOST_WARNINGS).map(|each| shortened(each)).collect(),
        }
    }
}

/// The most urgent is the least: what is not complete, then what is not recorded, then what has the
/// least time left.
fn urgency(function: &FunctionStatus, now: Timestamp) -> (bool, bool, bool, u64) {
    let coverage = function.coverage;
    let is_whole = coverage.gaps.count == 0;
    let is_recorded = function
        .forecast
        .recording
        .and_then(|recording| recording.enabled)
        .is_none_or(|enabled| enabled);
    let left = function.forecast.survives(now).map_or(u64::MAX, |left| left.as_secs());
    (is_whole, coverage.lost.count == 0, is_recorded, left)
}

impl StandView {
    fn of(row: usize, function: &FunctionStatus, subject: &Subject) -> Self {
        let figure = |column: &str, raw: String, shown: String| Figure {
            ask: STATUS,
            row,
            column: column.to_owned(),
            raw,
            shown,
            href: None,
        };
        let name = shortened(&function.name);
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
                figure("function", name.clone(), name),
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
