//! What the ranges of a function say together: up to when it is covered, what is missing, what is
//! lost.

use crate::domain::{Interval, Timestamp};

/// What is known of a range of time of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeState {
    /// Proven, and walked late enough: it will not be walked again.
    Settled,
    /// Found empty before the function was taken up. It waits for a second look, and nothing of it
    /// can be lost.
    Unconfirmed,
    /// Proven, and walked again once its settle delay is over.
    Proven,
    /// Walked without a proof.
    Unproven,
    /// No run can walk it any more.
    Lost,
    /// No run has walked it.
    NotWalked,
}

impl RangeState {
    /// As the view `coverage` has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Unconfirmed => "unconfirmed",
            Self::Proven => "proven",
            Self::Unproven => "unproven",
            Self::Lost => "lost",
            Self::NotWalked => "not walked",
        }
    }
}

/// What runs set out to archive of a function. It may have no length yet, where a clock was ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Horizon {
    /// From here on.
    pub begin: Timestamp,
    /// Until here.
    pub end: Timestamp,
}

/// How many ranges, and how long they are together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Ranges.
    pub count: i64,
    /// Seconds.
    pub seconds: i64,
}

impl Extent {
    fn add(&mut self, range: Interval) {
        self.count += 1;
        self.seconds += range.seconds();
    }
}

/// How far a function is covered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Up to when everything from the horizon on is proven; what was lost for good does not hold it
    /// back, and is counted.
    pub covered_through: Option<Timestamp>,
    /// The same, for what is settled and will not be walked again.
    pub settled_through: Option<Timestamp>,
    /// The earliest moment that is neither settled nor lost; none where nothing was walked yet, or
    /// the function is gone.
    pub pending_since: Option<Timestamp>,
    /// Ranges that the next run will walk: unproven, or never walked.
    pub gaps: Extent,
    /// Ranges that no run can walk any more.
    pub lost: Extent,
}

impl Coverage {
    /// Sums up the ranges of a ledger, earliest first, and the gaps between them, from the
    /// beginning of the horizon to its end, or until the function was gone.
    pub fn of(
        ledger: &[(Interval, RangeState)],
        horizon: Option<Horizon>,
        gone_at: Option<Timestamp>,
    ) -> Self {
        let mut coverage = Self::default();
        let (mut covered, mut settled) = (true, true);
        let ranges = with_gaps(ledger, horizon, gone_at);
        for &(range, state) in &ranges {
            match state {
                RangeState::Settled => {}
                RangeState::Unconfirmed => settled = false,
                RangeState::Proven => {
                    settled = false;
                    coverage.pending_since.get_or_insert(range.begin());
                }
                RangeState::Lost => {
                    coverage.lost.add(range);
                    // Not covered, and nothing can be done: what comes after it is what counts.
                    continue;
                }
                RangeState::Unproven | RangeState::NotWalked => {
                    coverage.gaps.add(range);
                    (covered, settled) = (false, false);
                    coverage.pending_since.get_or_insert(range.begin());
                }
            }
            if covered {
                coverage.covered_through = Some(range.end());
            }
            if settled {
                coverage.settled_through = Some(range.end());
            }
        }
        let end = ranges.last().map(|(range, _)| range.end());
        // Of what is gone nothing is pending.
        coverage.pending_since = coverage.pending_since.or(end).filter(|_| gone_at.is_none());
        coverage
    }
}

/// A ledger with the ranges of the horizon that no row covers. Of a function that is gone, what is
/// not proven until then is lost, as the view `coverage` has it.
pub fn with_gaps(
    ledger: &[(Interval, RangeState)],
    horizon: Option<Horizon>,
    gone_at: Option<Timestamp>,
) -> Vec<(Interval, RangeState)> {
    let missing = if gone_at.is_some() { RangeState::Lost } else { RangeState::NotWalked };
    let (begin, end) =
        (horizon.map(|horizon| horizon.begin), gone_at.or(horizon.map(|horizon| horizon.end)));
    let gap = |from: Option<Timestamp>, until: Option<Timestamp>| {
        let gap = from.zip(until).and_then(|(from, until)| Interval::new(from, until));
        gap.map(|gap| (gap, missing))
    };
    let mut ranges = Vec::with_capacity(ledger.len() + 2);
    let mut told_until = begin;
    for &(range, state) in ledger {
        ranges.extend(gap(told_until, Some(range.begin())));
        told_until = Some(range.end());
        let is_lost = gone_at.is_some() && state == RangeState::Unproven;
        ranges.push((range, if is_lost { RangeState::Lost } else { state }));
    }
    ranges.extend(gap(told_until, end));
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    /// The end of an hour after midnight.
    fn hour(hour: i64) -> Timestamp {
        Timestamp::from_unix(hour * 3_600)
    }

    /// Ranges of an hour each, from midnight on, by the first letter of their state; a dot was not
    /// walked.
    fn ledger(states: &str) -> Vec<(Interval, RangeState)> {
        let state = |letter| match letter {
            's' => RangeState::Settled,
            'p' => RangeState::Proven,
            'e' => RangeState::Unconfirmed,
            'u' => RangeState::Unproven,
            'l' => RangeState::Lost,
            _ => RangeState::NotWalked,
        };
        let range = |begin| Interval::new(hour(begin), hour(begin + 1)).unwrap();
        (0..).zip(states.chars()).map(|(begin, letter)| (range(begin), state(letter))).collect()
    }

    fn horizon(begin: i64, end: i64) -> Horizon {
        Horizon { begin: hour(begin), end: hour(end) }
    }

    fn coverage(states: &str) -> Coverage {
        Coverage::of(&ledger(states), None, None)
    }

    #[test]
    fn covered_ends_at_the_first_gap_and_settled_at_the_first_range_that_is_not() {
        for (states, covered, settled) in [
            ("", None, None),
            ("sspp", Some(4), Some(2)),
            ("s.ss", Some(1), Some(1)),
            ("spus", Some(2), Some(1)),
            ("u", None, None),
            // What is lost is counted, and holds nothing back.
            ("lsp", Some(3), Some(2)),
            ("sl.s", Some(1), Some(1)),
            // What waits for a second look is covered, and not settled.
            ("esp", Some(3), None),
        ] {
            let Coverage { covered_through, settled_through, .. } = coverage(states);
            assert_eq!(
                (covered_through, settled_through),
                (covered.map(hour), settled.map(hour)),
                "{states}"
            );
        }
    }

    #[test]
    fn pending_is_what_comes_after_the_settled_and_the_lost() {
        for (states, since) in [
            ("", None),
            ("ssp", Some(2)),
            ("s.s", Some(1)),
            ("lls", Some(3)),
            ("lup", Some(1)),
            ("sl", Some(2)),
            // What was found empty cannot be lost while it waits.
            ("esp", Some(2)),
            ("es", Some(2)),
        ] {
            assert_eq!(coverage(states).pending_since, since.map(hour), "{states}");
        }
    }

    #[test]
    fn gaps_and_losses_are_counted_apart() {
        let coverage = coverage("sl.us");
        assert_eq!(coverage.gaps, Extent { count: 2, seconds: 7_200 });
        assert_eq!(coverage.lost, Extent { count: 1, seconds: 3_600 });
    }

    #[test]
    fn what_a_run_set_out_to_archive_and_did_not_reach_is_a_gap() {
        let behind = Coverage::of(&ledger("ss"), Some(horizon(0, 6)), None);
        assert_eq!(
            (behind.gaps, behind.covered_through),
            (Extent { count: 1, seconds: 4 * 3_600 }, Some(hour(2)))
        );
        let nothing = Coverage::of(&[], Some(horizon(0, 6)), None);
        assert_eq!((nothing.gaps.seconds, nothing.pending_since), (6 * 3_600, Some(hour(0))));
    }

    #[test]
    fn of_what_is_gone_the_unproven_is_lost_and_nothing_is_pending() {
        let gone = Coverage::of(&ledger("spu"), Some(horizon(0, 3)), Some(hour(5)));
        assert_eq!(gone.lost, Extent { count: 2, seconds: 3 * 3_600 });
        assert_eq!(
            (gone.gaps, gone.pending_since, gone.covered_through),
            (Extent::default(), None, Some(hour(2)))
        );
    }
}
