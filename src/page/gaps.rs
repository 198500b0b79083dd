//! What is not proven, a line a gap: the ranges of the report `coverage` as people see them.

use super::answer::{Answer, AnswerRow};
use super::figure::Figure;
use super::text;
use crate::domain::{Timestamp, Zone};

/// So many gaps are listed.
const MOST: usize = 50;

/// The gaps.
#[derive(Clone, Debug)]
pub(super) struct GapsView {
    pub(super) rows: Vec<GapView>,
    /// So many are not shown.
    pub(super) left_out: usize,
}

/// One gap. Walks cut it into windows, of which the report has a row each; neighbours of one
/// function and state are one gap.
#[derive(Clone, Debug)]
pub(super) struct GapView {
    pub(super) function: Figure,
    pub(super) begin: Figure,
    pub(super) end: Figure,
    pub(super) length: String,
    pub(super) state: Figure,
    /// Why it could not be proven; each is told once.
    pub(super) reasons: Vec<Figure>,
}

impl GapsView {
    pub(super) fn of(coverage: &Answer, zone: Zone) -> Self {
        let rows: Vec<AnswerRow<'_>> = coverage
            .rows()
            .filter(|row| !matches!(row.text("state"), "settled" | "proven"))
            .collect();
        let gaps: Vec<_> = rows.chunk_by(|one, next| are_one_gap(*one, *next)).collect();
        let shown = gaps.iter().take(MOST);
        Self {
            rows: shown.filter_map(|parts| GapView::of(parts, zone)).collect(),
            left_out: gaps.len().saturating_sub(MOST),
        }
    }
}

fn are_one_gap(one: AnswerRow<'_>, next: AnswerRow<'_>) -> bool {
    let is_alike = |column| one.text(column) == next.text(column);
    is_alike("function") && is_alike("state") && one.text("end_time") == next.text("begin_time")
}

impl GapView {
    fn of(parts: &[AnswerRow<'_>], zone: Zone) -> Option<Self> {
        let (first, last) = (*parts.first()?, *parts.last()?);
        let mut begin = Figure::of(first, "begin_time", zone);
        let mut end = Figure::of(last, "end_time", zone);
        // Where minutes do not tell them apart, seconds do.
        if begin.shown == end.shown {
            for figure in [&mut begin, &mut end] {
                if let Ok(moment) = figure.raw.parse::<Timestamp>() {
                    figure.shown = text::second(moment, zone);
                }
            }
        }
        let mut reasons: Vec<Figure> = Vec::new();
        for part in parts {
            let reason = Figure::of(*part, "reason", zone);
            let is_told = reasons.iter().any(|told| told.raw == reason.raw);
            if !reason.raw.is_empty() && !is_told {
                reasons.push(reason);
            }
        }
        Some(Self {
            function: Figure::of(first, "function", zone),
            begin,
            end,
            length: text::seconds(parts.iter().map(|part| part.count("seconds")).sum()),
            state: Figure::of(first, "state", zone),
            reasons,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::testing::answer;
    use pretty_assertions::assert_eq;

    #[test]
    fn neighbours_are_one_gap_and_short_ones_are_told_in_seconds() {
        let coverage = answer(
            "coverage",
            "function | begin_time | end_time | seconds | state | reason
             f | 2026-03-01T09:00:00Z | 2026-03-01T09:21:14Z | 1274 | settled |
             f | 2026-03-01T09:21:14Z | 2026-03-01T09:21:15Z | 1 | unproven | moved
             f | 2026-03-01T09:21:15Z | 2026-03-01T09:22:00Z | 45 | proven |
             f | 2026-03-01T10:00:00Z | 2026-03-01T11:00:00Z | 3600 | unproven | moved
             f | 2026-03-01T11:00:00Z | 2026-03-01T11:30:00Z | 1800 | unproven | moved
             f | 2026-03-01T11:30:00Z | 2026-03-01T12:00:00Z | 1800 | unproven | no end
             f | 2026-03-01T12:00:00Z | 2026-03-01T13:00:00Z | 3600 | lost |
             g | 2026-03-01T13:00:00Z | 2026-03-01T14:00:00Z | 3600 | lost |",
        );
        let gaps = GapsView::of(&coverage, Zone::UTC);
        let told = gaps.rows.iter().map(|gap| {
            let reasons: Vec<_> = gap.reasons.iter().map(|reason| reason.shown.as_str()).collect();
            format!(
                "{} {} to {} {} {} {}",
                gap.function.shown,
                gap.begin.shown,
                gap.end.shown,
                gap.length,
                gap.state.shown,
                reasons.join(", ")
            )
        });
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                "f 2026-03-01 09:21:14 to 2026-03-01 09:21:15 1s unproven moved",
                "f 2026-03-01 10:00 to 2026-03-01 12:00 2h 0m unproven moved, no end",
                "f 2026-03-01 12:00 to 2026-03-01 13:00 1h 0m lost ",
                "g 2026-03-01 13:00 to 2026-03-01 14:00 1h 0m lost ",
            ]
        );
        // A part of a gap has its own row in the answer, in which it is found again.
        assert_eq!((gaps.rows[1].begin.row, gaps.rows[1].end.row), (3, 5));
        assert_eq!(gaps.left_out, 0);
    }
}
