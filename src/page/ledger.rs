//! What may be claimed of the period: the ranges of the report `coverage`.

use super::answer::{Answer, AnswerRow};
use crate::domain::{Interval, Timestamp};

/// What is known of a range of time. Of several functions the worst counts, which is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Known {
    /// The service did not know the function.
    NotThere,
    /// The service recorded nothing.
    SwitchedOff,
    /// Complete, and not walked again.
    Settled,
    /// Complete.
    Proven,
    /// No run has walked it.
    NotWalked,
    /// A walk did not prove it.
    Unproven,
    /// The service had forgotten it before it was settled.
    Lost,
}

impl Known {
    /// All that do not mean "complete", in the order in which they are told.
    pub(super) const LOOKS: [Self; 5] =
        [Self::Lost, Self::Unproven, Self::NotWalked, Self::SwitchedOff, Self::NotThere];

    /// As reports write it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let all = [
            Self::NotThere,
            Self::SwitchedOff,
            Self::Settled,
            Self::Proven,
            Self::NotWalked,
            Self::Unproven,
            Self::Lost,
        ];
        all.into_iter().find(|known| known.word() == text)
    }

    /// A range of the report `coverage`: its state, or what is to be said of one that is proven.
    fn of(row: AnswerRow<'_>) -> Option<Self> {
        let answer = Self::parse(row.text("answer"))
            .filter(|known| matches!(known, Self::SwitchedOff | Self::NotThere));
        let state = Self::parse(row.text("state"))?;
        Some(if state.is_complete() { answer.unwrap_or(state) } else { state })
    }

    /// The word that people read.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::NotThere => "not there",
            Self::SwitchedOff => "switched off",
            Self::Settled => "settled",
            Self::Proven => "proven",
            Self::NotWalked => "not walked",
            Self::Unproven => "unproven",
            Self::Lost => "lost",
        }
    }

    /// The class that gives it its look.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::NotThere => "not-there",
            Self::SwitchedOff => "switched-off",
            Self::Settled => "settled",
            Self::Proven => "proven",
            Self::NotWalked => "not-walked",
            Self::Unproven => "unproven",
            Self::Lost => "lost",
        }
    }

    /// Whether a count of it is the whole count.
    pub(super) fn is_complete(self) -> bool {
        !matches!(self, Self::NotWalked | Self::Unproven | Self::Lost)
    }
}

/// A range of time of one function, within the period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KnownRange {
    pub(super) function: String,
    pub(super) range: Interval,
    pub(super) known: Known,
}

impl KnownRange {
    /// This range and the one right behind it, where they are alike.
    fn joined(&self, next: &Self) -> Option<Interval> {
        let is_alike = self.function == next.function && self.known == next.known;
        let touch = is_alike && self.range.end() == next.range.begin();
        touch.then(|| Interval::new(self.range.begin(), next.range.end())).flatten()
    }
}

/// Every range of the period that a run set out to archive.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    pub(super) ranges: Vec<KnownRange>,
}

impl Ledger {
    /// The ranges of the report `coverage`, as far as they lie in the period.
    pub(super) fn of(coverage: &Answer, period: Interval) -> Self {
        let moment = |row: AnswerRow<'_>, column| row.text(column).parse::<Timestamp>().ok();
        let range = |row: AnswerRow<'_>| {
            let range = Interval::new(moment(row, "begin_time")?, moment(row, "end_time")?)?;
            let function = row.text("function").to_owned();
            Some(KnownRange { function, range: range.intersect(period)?, known: Known::of(row)? })
        };
        Self { ranges: coverage.rows().filter_map(range).collect() }
    }

    /// The ranges of one function.
    pub(super) fn of_function(&self, function: &str) -> Self {
        let own = self.ranges.iter().filter(|range| range.function == function);
        Self { ranges: own.cloned().collect() }
    }

    /// From when on anything is known.
    pub(super) fn begin(&self) -> Option<Timestamp> {
        self.ranges.iter().map(|range| range.range.begin()).min()
    }

    /// The worst that is known of a part of the period; none where no run set out to archive it.
    pub(super) fn worst(&self, part: Interval) -> Option<Known> {
        let touching = self.ranges.iter().filter(|range| range.range.intersect(part).is_some());
        touching.map(|range| range.known).max()
    }

    /// What is not complete; parts that touch each other and are alike are one.
    pub(super) fn gaps(&self) -> Vec<KnownRange> {
        let mut gaps: Vec<KnownRange> = Vec::new();
        for range in self.ranges.iter().filter(|range| !range.known.is_complete()) {
            let joined = gaps.last().and_then(|last| last.joined(range));
            match (joined, gaps.last_mut()) {
                (Some(joined), Some(last)) => last.range = joined,
                _ => gaps.push(range.clone()),
            }
        }
        gaps
    }

    /// The ranges of one kind.
    pub(super) fn with(&self, known: Known) -> impl Iterator<Item = &KnownRange> {
        self.ranges.iter().filter(move |range| range.known == known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::testing::{interval, ledger};
    use pretty_assertions::assert_eq;

    #[test]
    fn the_worst_of_several_functions_counts() {
        let ledger = ledger(
            "f 01T00 02T00 settled/empty
             f 02T00 03T00 settled/switched off
             f 03T00 04T00 unproven/switched off
             g 01T00 03T00 proven
             g 03T00 04T00 lost",
        );
        let worst = |begin, end| ledger.worst(interval(begin, end)).map(Known::word);
        assert_eq!(worst("01T00", "02T00"), Some("proven"));
        assert_eq!(worst("03T23", "04T00"), Some("lost"));
        assert_eq!(worst("04T00", "05T00"), None);
        let own = |begin, end| ledger.of_function("f").worst(interval(begin, end)).map(Known::word);
        assert_eq!(own("01T00", "02T00"), Some("settled"));
        assert_eq!(own("02T00", "03T00"), Some("switched off"));
        assert_eq!(own("03T00", "04T00"), Some("unproven"), "what was not proven is not off");
        assert_eq!(ledger.with(Known::Lost).count(), 1);
    }

    #[test]
    fn each_word_is_read_back() {
        for known in Known::LOOKS.into_iter().chain([Known::Settled, Known::Proven]) {
            assert_eq!(Known::parse(known.word()), Some(known));
        }
        assert_eq!(Known::parse("records"), None);
    }
}
