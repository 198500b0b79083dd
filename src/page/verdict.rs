//! The first sentence of the page: may the rest be believed?

use super::answer::shortened;
use super::ledger::{Known, KnownRange, Ledger};
use super::subject::Subject;
use super::text;
use crate::domain::{Interval, Timestamp, Zone};
use crate::store::read::ArchiveStatus;
use std::collections::{BTreeMap, BTreeSet};

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
        let there = There::of(ledger, status);
        let through = there.covered_through(subject.period);
        // What is missing in the middle is told as such, so that nobody believes that nothing is
        // known behind it.
        let (within, behind): (Vec<_>, Vec<_>) = ledger
            .gaps()
            .into_iter()
            .partition(|gap| through.is_some_and(|through| gap.range.begin() < through));
        let mut sentence = through.map_or_else(
            || "Not complete".to_owned(),
            |through| format!("Complete through {}", text::time(through, zone)),
        );
        if !within.is_empty() {
            sentence.push_str(" but for ");
            sentence.push_str(&text::listed(&told(&within, zone)));
        }
        for told in told(&behind, zone) {
            sentence.push_str("; ");
            sentence.push_str(&told);
        }
        sentence.push('.');
        let left_off = there.left_off(ledger, zone);
        let is_complete = within.is_empty() && behind.is_empty() && left_off.is_none();
        Self {
            class: if is_complete { "complete" } else { "incomplete" },
            sentence,
            notes: left_off.into_iter().chain(notes(ledger, subject)).collect(),
        }
    }
}

/// What is known of the functions that are there: one that is gone has nothing more to cover.
struct There<'a>(BTreeMap<&'a str, Ends>);

/// Where the ranges of a function end, within the period.
#[derive(Clone, Copy, Default)]
struct Ends {
    /// The last that is complete. What was lost does not hold it back: nobody can walk it again.
    covered: Option<Timestamp>,
    /// The last of all.
    known: Option<Timestamp>,
}

impl<'a> There<'a> {
    fn of(ledger: &'a Ledger, status: &ArchiveStatus) -> Self {
        let gone = status.functions.iter().filter(|function| function.gone_at.is_some());
        let gone: BTreeSet<String> = gone.map(|function| shortened(&function.name)).collect();
        let mut all: BTreeMap<&str, Ends> = BTreeMap::new();
        for range in ledger.ranges.iter().filter(|range| !gone.contains(&range.function)) {
            let ends = all.entry(&range.function).or_default();
            let end = Some(range.range.end());
            ends.known = ends.known.max(end);
            if range.known.is_complete() || range.known == Known::Lost {
                ends.covered = ends.covered.max(end);
            }
        }
        Self(all)
    }

    /// Up to when all of them are covered; nothing where one is not at all.
    fn covered_through(&self, period: Interval) -> Option<Timestamp> {
        let covered = self.0.values().map(|ends| ends.covered);
        covered.fold(Some(period.end()), Option::min)
    }

    /// Whose ranges end before those of others: runs do not ask for it any more.
    fn left_off(&self, ledger: &Ledger, zone: Zone) -> Option<String> {
        let last = ledger.ranges.iter().map(|range| range.range.end()).max();
        let early: Vec<_> = self.0.iter().filter(|(_, ends)| ends.known < last).collect();
        let first = early.iter().filter_map(|(_, ends)| ends.known).min()?;
        let whose = match early[..] {
            [(only, _)] => (*only).to_owned(),
            _ => format!("{} functions", early.len()),
        };
        Some(format!("No run set out to archive {whose} after {}.", text::time(first, zone)))
    }
}

/// `2h 0m of default:thumbnail lost (2026-03-05 00:00)`: what is to be said of ranges, by what is
/// known of them.
fn told(ranges: &[KnownRange], zone: Zone) -> Vec<String> {
    Known::LOOKS
        .into_iter()
        .filter_map(|known| {
            let of_it: Vec<_> = ranges.iter().filter(|range| range.known == known).collect();
            let first = of_it.iter().map(|range| range.range.begin()).min()?;
            let first = text::time(first, zone);
            let when = match of_it.len() {
                1 => first,
                several => format!("{several} ranges, the first from {first} on"),
            };
            Some(format!("{} ({when})", length_of(&of_it, known)))
        })
        .collect()
}

/// `2h 0m of default:thumbnail lost`.
fn length_of(ranges: &[&KnownRange], known: Known) -> String {
    let length: i64 = ranges.iter().map(|range| range.range.seconds()).sum();
    let functions: BTreeSet<&str> = ranges.iter().map(|range| range.function.as_str()).collect();
    let whose = match functions.len() {
        1 => functions.first().copied().unwrap_or_default().to_owned(),
        several => format!("{several} functions together"),
    };
    format!("{} of {whose} {}", text::seconds(length), known.word())
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
        .filter_map(|known| {
            let ranges: Vec<_> = ledger.with(known).collect();
            (!ranges.is_empty()).then(|| length_of(&ranges, known))
        })
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
    use crate::page::testing::{at, function, ledger};
    use pretty_assertions::assert_eq;

    fn subject() -> Subject {
        let range = (Some(at("01T00")), Some(at("31T00")));
        Subject::new(at("31T00"), Zone::UTC, range, vec![], String::new()).unwrap()
    }

    /// The ledger of functions of which some are gone; what `status` tells of times that are not
    /// of the period does not matter.
    fn verdict(lines: &str, gone: &[&str]) -> (String, String) {
        let functions =
            ["f", "g"].map(|name| function(name, gone.contains(&name).then_some("20T00"))).into();
        let status = ArchiveStatus { last_good_run: None, last_run: None, functions };
        let verdict = Verdict::of(&ledger(lines), &status, &subject());
        let all = [vec![verdict.sentence], verdict.notes].concat();
        (verdict.class.to_owned(), all.join(" "))
    }

    #[test]
    fn a_period_is_complete_or_it_is_said_what_is_not() {
        for (lines, class, words) in [
            ("f 01T00 30T23 settled", "complete", "Complete through 2026-03-30 23:00."),
            (
                "f 01T00 02T00 settled
                 f 02T00 02T01 unproven
                 f 02T01 30T23 settled",
                "incomplete",
                "Complete through 2026-03-30 23:00 but for 1h 0m of f unproven \
                 (2026-03-02 00:00).",
            ),
            (
                "f 05T00 06T00 lost
                 f 06T00 30T23 settled
                 g 05T00 07T00 unproven
                 g 07T00 07T12 unproven
                 g 07T12 08T00 proven
                 g 08T00 08T01 unproven
                 g 08T01 30T23 proven",
                "incomplete",
                "Complete through 2026-03-30 23:00 but for 1d 0h of f lost (2026-03-05 00:00) and \
                 2d 13h of g unproven (2 ranges, the first from 2026-03-05 00:00 on). \
                 Nothing is known before 2026-03-05 00:00: no run set out to archive it.",
            ),
            (
                "f 01T00 02T00 lost
                 f 02T00 20T00 settled
                 f 20T00 21T00 unproven
                 f 21T00 30T00 settled
                 g 01T00 10T00 settled
                 g 10T00 30T00 not walked",
                "incomplete",
                "Complete through 2026-03-10 00:00 but for 1d 0h of f lost (2026-03-01 00:00); \
                 1d 0h of f unproven (2026-03-20 00:00); \
                 20d 0h of g not walked (2026-03-10 00:00).",
            ),
            (
                "f 01T00 30T00 settled
                 g 01T00 10T00 settled",
                "incomplete",
                "Complete through 2026-03-10 00:00. \
                 No run set out to archive g after 2026-03-10 00:00.",
            ),
            (
                "f 01T00 30T00 not walked",
                "incomplete",
                "Not complete; 29d 0h of f not walked (2026-03-01 00:00).",
            ),
        ] {
            assert_eq!(verdict(lines, &[]), (class.to_owned(), words.to_owned()));
        }
    }

    #[test]
    fn what_is_gone_does_not_hold_the_rest_back() {
        let lines = "f 01T00 30T00 settled\n g 01T00 20T00 settled/not there";
        let (class, words) = verdict(lines, &["g"]);
        assert_eq!(class, "complete");
        assert!(words.starts_with("Complete through 2026-03-30 00:00. 19d 0h of g not there:"));
    }

    #[test]
    fn nothing_is_claimed_of_what_nobody_looked_at() {
        assert_eq!(verdict("", &[]).0, "nothing");
    }
}
