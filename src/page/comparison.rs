//! The six figures of the period, each beside the period before: is this normal?

use super::answer::{Answer, AnswerRow};
use super::answers::Answers;
use super::figure::Figure;
use super::ledger::Ledger;
use super::subject::Subject;
use super::text;
use crate::domain::{Interval, Zone};

/// A figure with what it was before.
#[derive(Clone, Debug)]
pub(super) struct Compared {
    pub(super) label: &'static str,
    pub(super) now: Figure,
    pub(super) was: Option<Figure>,
    pub(super) change: Change,
}

/// What became of a figure, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// `worse`, `better` or `neutral`, which gives it its look.
    pub(super) class: &'static str,
    /// An arrow, which says the direction without colour.
    pub(super) arrow: &'static str,
    pub(super) words: String,
}

/// The six figures.
#[derive(Clone, Debug)]
pub(super) struct ComparisonView {
    pub(super) figures: Vec<Compared>,
    /// What must be known of the period before; empty where it is whole.
    pub(super) caveat: String,
    /// Whether there is no period before to compare with.
    pub(super) has_nothing_before: bool,
}

/// How a figure is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measure {
    /// By its ratio; more is neither good nor bad.
    Amount,
    /// By its ratio; more is worse.
    Burden,
    /// By the difference of two shares; more is worse.
    Share,
}

const FIGURES: [(&str, &str, Measure); 6] = [
    ("Records", "records", Measure::Amount),
    ("Failed", "failed_percent", Measure::Share),
    ("Discarded", "discard", Measure::Burden),
    ("Half within", "p50_s", Measure::Burden),
    ("99 % within", "p99_s", Measure::Burden),
    ("Still open", "open", Measure::Amount),
];

impl ComparisonView {
    pub(super) fn of(answers: &Answers, subject: &Subject) -> Self {
        let state = subject
            .before()
            .map_or(Before::Unknown, |before| Before::of(&answers.coverage_before, before));
        let (now, before) = (answers.totals.row(0), answers.totals_before.row(0));
        let has_records = before.is_some_and(|row| row.count("records") > 0);
        let before = before.filter(|_| has_records || state == Before::Whole);
        let figures = now.map_or_else(Vec::new, |now| {
            FIGURES
                .iter()
                .map(|&(label, column, measure)| {
                    Compared::of(label, (now, before), column, measure, subject.zone)
                })
                .collect()
        });
        let caveat = state.caveat(has_records).to_owned();
        Self { figures, caveat, has_nothing_before: before.is_none() }
    }
}

/// What is known of the period before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Whole,
    InPart,
    Unknown,
}

impl Before {
    fn of(coverage: &Answer, before: Interval) -> Self {
        let ledger = Ledger::of(coverage, before);
        let begin = ledger.begin();
        let is_whole = begin.is_some_and(|begin| begin <= before.begin())
            && ledger.ranges.iter().all(|range| range.known.is_complete());
        match begin {
            None => Self::Unknown,
            Some(_) if is_whole => Self::Whole,
            Some(_) => Self::InPart,
        }
    }

    fn caveat(self, has_records: bool) -> &'static str {
        match self {
            Self::Whole => "",
            Self::InPart => {
                "The period before is not proven whole: there may have been more in it than is \
                 told here."
            }
            Self::Unknown if has_records => {
                "No run set out to archive the period before: what is told of it was found by \
                 chance."
            }
            Self::Unknown => {
                "No run set out to archive the period before, so that there is nothing to compare \
                 with."
            }
        }
    }
}

impl Compared {
    fn of(
        label: &'static str,
        (now, before): (AnswerRow<'_>, Option<AnswerRow<'_>>),
        column: &str,
        measure: Measure,
        zone: Zone,
    ) -> Self {
        let numbers = (now.number(column), before.and_then(|before| before.number(column)));
        Self {
            label,
            now: Figure::of(now, column, zone),
            was: before.map(|before| Figure::of(before, column, zone)),
            change: Change::between(numbers.1, numbers.0, measure),
        }
    }
}

impl Change {
    /// What became of a share that failed.
    pub(super) fn of_share(was: Option<f64>, now: Option<f64>) -> Self {
        Self::between(was, now, Measure::Share)
    }

    fn between(was: Option<f64>, now: Option<f64>, measure: Measure) -> Self {
        let (Some(was), Some(now)) = (was, now) else {
            return Self { class: "neutral", arrow: "", words: String::new() };
        };
        let words = match measure {
            Measure::Share => points(was, now),
            Measure::Amount | Measure::Burden => ratio(was, now),
        };
        let Some(words) = words else {
            return Self { class: "neutral", arrow: "=", words: "as before".to_owned() };
        };
        let is_more = now > was;
        let class = match (measure, is_more) {
            (Measure::Amount, _) => "neutral",
            (_, true) => "worse",
            (_, false) => "better",
        };
        Self { class, arrow: if is_more { "▲" } else { "▼" }, words }
    }
}

/// How many points of a percent more or less; none where they are alike, to a hundredth.
fn points(was: f64, now: f64) -> Option<String> {
    let difference = ((now - was) * 100.0).round() / 100.0;
    let direction = if difference > 0.0 { "more" } else { "less" };
    let told = text::percent(difference.abs());
    (difference != 0.0).then(|| format!("{} points {direction}", told.trim_end_matches(" %")))
}

/// How much more or less, in percent or times; none where they are alike, to a percent.
fn ratio(was: f64, now: f64) -> Option<String> {
    /// From here on percents are hard to read.
    const TIMES: f64 = 3.0;
    if was == 0.0 {
        return (now != 0.0).then(|| "none before".to_owned());
    }
    let ratio = now / was;
    if ratio >= TIMES {
        return Some(format!("{} times as much", text::rough_count(ratio)));
    }
    let percent = (ratio - 1.0).abs() * 100.0;
    let direction = if ratio > 1.0 { "more" } else { "less" };
    (percent.round() >= 1.0).then(|| format!("{percent:.0} % {direction}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::testing::answer;
    use crate::page::testing::{at, interval};
    use pretty_assertions::assert_eq;

    fn change(was: f64, now: f64, measure: Measure) -> String {
        let Change { class, arrow, words } = Change::between(Some(was), Some(now), measure);
        format!("{class} {arrow} {words}")
    }

    #[test]
    fn a_change_is_told_by_arrow_and_word() {
        assert_eq!(change(100.0, 112.0, Measure::Amount), "neutral ▲ 12 % more");
        assert_eq!(change(100.0, 88.0, Measure::Burden), "better ▼ 12 % less");
        assert_eq!(change(10.0, 45.0, Measure::Burden), "worse ▲ 4.5 times as much");
        assert_eq!(change(0.0, 3.0, Measure::Burden), "worse ▲ none before");
        assert_eq!(change(0.0, 0.0, Measure::Burden), "neutral = as before");
        assert_eq!(change(1_000.0, 1_001.0, Measure::Amount), "neutral = as before");
        assert_eq!(change(2.0, 3.5, Measure::Share), "worse ▲ 1.5 points more");
        assert_eq!(change(3.5, 2.0, Measure::Share), "better ▼ 1.5 points less");
        let unknown = Change::between(None, Some(1.0), Measure::Share);
        assert_eq!((unknown.arrow, unknown.words.as_str()), ("", ""));
    }

    #[test]
    fn a_period_before_that_nobody_looked_at_is_no_zero() {
        let header = "function | begin_time | end_time | state | answer\n";
        let of = |row: String| {
            Before::of(&answer("c", &format!("{header}{row}")), interval("02T00", "03T00"))
        };
        assert_eq!(of(String::new()), Before::Unknown);
        let row = |state| format!("f | {} | {} | {state} | empty", at("01T00"), at("04T00"));
        assert_eq!(of(row("settled")), Before::Whole);
        assert_eq!(of(row("lost")), Before::InPart);
        let late = format!("f | {} | {} | settled | empty", at("02T01"), at("03T00"));
        assert_eq!(of(late), Before::InPart);
    }
}
