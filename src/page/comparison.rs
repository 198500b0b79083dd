//! The six figures of the period, each beside the period before: is this normal?

use super::answer::{Answer, AnswerRow, shortened};
use super::answers::Answers;
use super::figure::Figure;
use super::ledger::{KnownRange, Ledger};
use super::subject::Subject;
use super::text;
use crate::domain::{Interval, Timestamp, Zone};
use crate::store::read::FunctionStatus;

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
    /// From when to when the period before was; empty where there is none.
    pub(super) before: String,
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

/// By less than this part of what it was, a change is neither good nor bad: it is always there.
const LEAST_PART: f64 = 0.05;

/// The same of shares, in points of a percent.
const LEAST_POINTS: f64 = 0.5;

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
        let (period_before, zone) = (subject.before(), subject.zone);
        let state = period_before.map_or(Before::Unknown, |before| {
            Before::of(&answers.coverage_before, before, &answers.status.functions)
        });
        let (now, before) = (answers.totals.row(0), answers.totals_before.row(0));
        let has_records = before.is_some_and(|row| row.count("records") > 0);
        let before = before.filter(|_| has_records || state == Before::Whole);
        let figures = now.map_or_else(Vec::new, |now| {
            FIGURES
                .iter()
                .map(|&(label, column, measure)| {
                    Compared::of(label, (now, before), column, measure, zone)
                })
                .collect()
        });
        let caveat = state.caveat(has_records).to_owned();
        let told = period_before.filter(|_| before.is_some()).map(|before| {
            format!("{} to {}", text::time(before.begin(), zone), text::time(before.end(), zone))
        });
        Self {
            figures,
            before: told.unwrap_or_default(),
            caveat,
            has_nothing_before: before.is_none(),
        }
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
    /// Whole is what is complete from its begin to its end, of every function.
    fn of(coverage: &Answer, before: Interval, functions: &[FunctionStatus]) -> Self {
        let ledger = Ledger::of(coverage, before);
        if ledger.ranges.is_empty() {
            return Self::Unknown;
        }
        // Of a name that several functions have, the ranges of the next one begin anew.
        let each: Vec<&[KnownRange]> = ledger
            .ranges
            .chunk_by(|one, next| {
                one.function == next.function && one.range.end() <= next.range.begin()
            })
            .collect();
        let is_whole = functions.iter().all(|function| {
            let name = shortened(&function.name);
            // One that is gone has no records behind that.
            let end = function.gone_at.map_or(before.end(), |gone| gone.min(before.end()));
            let Some(needed) = Interval::new(before.begin(), end) else { return true };
            let same = functions.iter().filter(|other| other.name == function.name).count();
            let own = each.iter().filter(|ranges| ranges[0].function == name);
            own.filter(|ranges| is_complete(ranges, needed)).count() >= same
        });
        if is_whole { Self::Whole } else { Self::InPart }
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

/// Whether ranges of one function, first to last, are complete and leave out nothing of a period.
fn is_complete(ranges: &[KnownRange], period: Interval) -> bool {
    let mut reached: Timestamp = period.begin();
    for range in ranges {
        if !range.known.is_complete() || range.range.begin() > reached {
            return false;
        }
        reached = range.range.end();
    }
    reached >= period.end()
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
        let is_small = match measure {
            Measure::Share => (now - was).abs() < LEAST_POINTS,
            Measure::Amount | Measure::Burden => (now - was).abs() < LEAST_PART * was,
        };
        let class = match (measure, is_more) {
            _ if is_small => "neutral",
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
    use crate::page::testing::{answer, at, function, interval};
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
        assert_eq!(change(1_344.0, 1_360.0, Measure::Burden), "neutral ▲ 1 % more");
        assert_eq!(change(32.0, 33.0, Measure::Burden), "neutral ▲ 3 % more");
        assert_eq!(change(100.0, 105.0, Measure::Burden), "worse ▲ 5 % more");
        assert_eq!(change(8.04, 8.06, Measure::Share), "neutral ▲ 0.02 points more");
        assert_eq!(change(8.0, 8.5, Measure::Share), "worse ▲ 0.5 points more");
        assert_eq!(change(2.0, 3.5, Measure::Share), "worse ▲ 1.5 points more");
        assert_eq!(change(3.5, 2.0, Measure::Share), "better ▼ 1.5 points less");
        let unknown = Change::between(None, Some(1.0), Measure::Share);
        assert_eq!((unknown.arrow, unknown.words.as_str()), ("", ""));
    }

    #[test]
    fn a_period_before_is_whole_where_every_function_is_complete_in_all_of_it() {
        let present = [function("f", None), function("g", None)];
        let gone = [function("f", None), function("g", Some("02T12"))];
        let long_gone = [function("f", None), function("g", Some("01T12"))];
        let doubled = [function("f", None), function("f", None)];
        let whole = "f 01T00 04T00 settled";
        for (ranges, functions, state) in [
            (&[][..], &present[..], Before::Unknown),
            (&[whole], &present[..1], Before::Whole),
            (&["f 02T00 02T05 proven", "f 02T05 03T00 settled"], &present[..1], Before::Whole),
            (&["f 01T00 04T00 lost"], &present[..1], Before::InPart),
            (&["f 02T01 03T00 settled"], &present[..1], Before::InPart),
            // Nothing is told behind the end of what was archived.
            (&["f 01T00 02T23 settled"], &present[..1], Before::InPart),
            (&["f 01T00 02T05 settled", "f 02T06 03T00 settled"], &present[..1], Before::InPart),
            (&[whole, "g 01T00 04T00 settled"], &present, Before::Whole),
            (&[whole, "g 02T01 04T00 settled"], &present, Before::InPart),
            (&[whole, "g 02T00 02T12 settled"], &present, Before::InPart),
            // Runs began with it behind the period before.
            (&[whole], &present, Before::InPart),
            (&[whole, "g 02T00 02T12 settled"], &gone, Before::Whole),
            (&[whole, "g 02T00 02T11 settled"], &gone, Before::InPart),
            (&[whole], &gone, Before::InPart),
            (&[whole], &long_gone, Before::Whole),
            (&[whole, whole], &doubled, Before::Whole),
            (&[whole], &doubled, Before::InPart),
        ] {
            let row = |range: &&str| {
                let [name, begin, end, state] =
                    range.split(' ').collect::<Vec<_>>().try_into().unwrap();
                format!("{name} | {} | {} | {state} | empty", at(begin), at(end))
            };
            let header = "function | begin_time | end_time | state | answer".to_owned();
            let lines: Vec<_> = [header].into_iter().chain(ranges.iter().map(row)).collect();
            let lines = lines.join("\n");
            let before = Before::of(&answer("c", &lines), interval("02T00", "03T00"), functions);
            assert_eq!(before, state, "{ranges:?}");
        }
    }
}
