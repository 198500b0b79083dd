//! The first sentence of the page: may the rest be believed?

use super::answer::shortened;
use super::ledger::{Known, Ledger};
use super::subject::Subject;
use super::text;
use crate::domain::{Interval, Timestamp};
use crate::store::read::ArchiveStatus;
use std::collections::BTreeSet;

/// What is to be said of the completeness of the period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// `complete`, `incomplete` or `nothing`, which gives it its look.
    pub(super) class: &'static str,
    pub(super) sentence: String,
    /// What the reader has to know beside it, a sentence each.
    pub(super) notes: Vec<String>,
}

impl Verdict {
    pub(super) fn of(ledger: &Ledger, status: &ArchiveStatus, subject: &Subject) -> Self {
        let zone = subject.zone;
        if ledger.ranges.is_empty() {
            let sentence = "Nothing is known of this period: no run set out to archive it.".into();
            return Self { class: "nothing", sentence, notes: Vec::new() };
        }
        let gaps: Vec<String> = [Known::Lost, Known::Unproven, Known::NotWalked]
            .into_iter()
            .filter_map(|known| told(ledger, known))
            .collect();
        let through = through(ledger, status, subject.period);
        let is_behind = through.is_none_or(|through| through < ledger_end(ledger, subject.period));
        let reached = through.map_or_else(
            || "Not complete".to_owned(),
            |through| format!("Complete through {}", text::time(through, zone)),
        );
        let mut sentence = reached;
        for gap in &gaps {
            sentence.push_str("; ");
            sentence.push_str(gap);
        }
        sentence.push('.');
        let is_complete = gaps.is_empty() && !is_behind;
        Self {
            class: if is_complete { "complete" } else { "incomplete" },
            sentence,
            notes: notes(ledger, subject),
        }
    }
}

/// Up to when every function is covered. What was lost does not hold it back, since it is told by
/// itself, and a function that is gone has nothing more to cover.
fn through(ledger: &Ledger, status: &ArchiveStatus, period: Interval) -> Option<Timestamp> {
    let named: BTreeSet<&str> = ledger.ranges.iter().map(|range| range.function.as_str()).collect();
    let there = status.functions.iter().filter(|function| {
        function.gone_at.is_none() && named.contains(shortened(&function.name).as_str())
    });
    let mut earliest: Option<Timestamp> = Some(period.end());
    for function in there {
        earliest = earliest.min(function.coverage.covered_through);
    }
    earliest.filter(|through| *through > period.begin())
}

/// The end of the last range that a run set out to archive.
fn ledger_end(ledger: &Ledger, period: Interval) -> Timestamp {
    let last = ledger.ranges.iter().map(|range| range.range.end()).max();
    last.unwrap_or(period.begin())
}

/// `2h of default:thumbnail lost`; nothing where there is none.
fn told(ledger: &Ledger, known: Known) -> Option<String> {
    let ranges: Vec<_> = ledger.with(known).collect();
    let length: i64 = ranges.iter().map(|range| range.range.seconds()).sum();
    let functions: BTreeSet<&str> = ranges.iter().map(|range| range.function.as_str()).collect();
    let whose = match functions.len() {
        0 => return None,
        1 => functions.first().copied().unwrap_or_default().to_owned(),
        several => format!("{several} functions together"),
    };
    Some(format!("{} of {whose} {}", text::seconds(length), known.word()))
}

fn notes(ledger: &Ledger, subject: &Subject) -> Vec<String> {
    let zone = subject.zone;
    let begin = ledger.begin().unwrap_or(subject.period.end());
    let before = (begin > subject.period.begin()).then(|| {
        format!(
            "Nothing is known before {}: no run set out to archive it.",
            text::time(begin, zone)
        )
    });
    let off: Vec<String> = [Known::SwitchedOff, Known::NotThere]
        .into_iter()
        .filter_map(|known| told(ledger, known))
        .collect();
    let off = (!off.is_empty()).then(|| {
        format!(
            "{}: nothing was recorded then, so that nothing can be counted.",
            text::listed(&off)
        )
    });
    before.into_iter().chain(off).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Zone;
    use crate::page::testing::{at, ledger};
    use crate::plan::forecast::LossForecast;
    use crate::store::read::{Coverage, FunctionStatus};
    use pretty_assertions::assert_eq;

    fn subject() -> Subject {
        let range = (Some(at("01T00")), Some(at("31T00")));
        Subject::new(at("31T00"), Zone::UTC, range, vec![], String::new()).unwrap()
    }

    fn status(functions: &[(&str, Option<&str>, bool)]) -> ArchiveStatus {
        let function = |(name, through, is_gone): &(&str, Option<&str>, bool)| FunctionStatus {
            name: (*name).to_owned(),
            urn: String::new(),
            gone_at: is_gone.then(|| at("20T00")),
            coverage: Coverage { covered_through: through.map(at), ..Coverage::default() },
            last_walk: None,
            unproven: None,
            records: 0,
            pruned: None,
            open: 0,
            forecast: LossForecast::default(),
        };
        let functions = functions.iter().map(function).collect();
        ArchiveStatus { last_good_run: None, last_run: None, functions }
    }

    fn verdict(lines: &str, functions: &[(&str, Option<&str>, bool)]) -> (String, String) {
        let verdict = Verdict::of(&ledger(lines), &status(functions), &subject());
        let all = [vec![verdict.sentence], verdict.notes].concat();
        (verdict.class.to_owned(), all.join(" "))
    }

    #[test]
    fn a_period_is_complete_or_it_is_said_what_is_not() {
        let (class, words) = verdict("f 01T00 30T23 settled", &[("f", Some("30T23"), false)]);
        assert_eq!(
            (class.as_str(), words.as_str()),
            ("complete", "Complete through 2026-03-30 23:00.")
        );
        let (class, words) = verdict(
            "f 05T00 06T00 lost
             f 06T00 30T23 settled
             g 05T00 07T12 unproven
             g 07T12 30T23 proven",
            &[("f", Some("30T23"), false), ("g", Some("05T00"), false)],
        );
        assert_eq!(class, "incomplete");
        assert_eq!(
            words,
            "Complete through 2026-03-05 00:00; 1d 0h of f lost; 2d 12h of g unproven. \
             Nothing is known before 2026-03-05 00:00: no run set out to archive it."
        );
    }

    #[test]
    fn what_is_gone_does_not_hold_the_rest_back() {
        let lines = "f 01T00 30T00 settled\n g 01T00 20T00 settled/not there";
        let functions = [("f", Some("30T00"), false), ("g", Some("20T00"), true)];
        let (class, words) = verdict(lines, &functions);
        assert_eq!(class, "complete");
        assert!(words.starts_with("Complete through 2026-03-30 00:00. 19d 0h of g not there:"));
    }

    #[test]
    fn nothing_is_claimed_of_what_nobody_looked_at() {
        assert_eq!(verdict("", &[]).0, "nothing");
        let (class, words) = verdict("f 01T00 30T00 not walked", &[("f", None, false)]);
        assert_eq!(
            (class.as_str(), words.as_str()),
            ("incomplete", "Not complete; 29d 0h of f not walked.")
        );
    }
}
