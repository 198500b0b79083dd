//! Which days of a function may be pruned: their records are old enough, and nothing more is to
//! come of them.

use super::ledger::Entry;
use crate::domain::{Interval, IntervalSet, Timestamp};
use std::borrow::Cow;
use std::time::Duration;

/// What is known of a function whose days are judged.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// From when on it is archived.
    pub horizon_begin: Option<Timestamp>,
    /// What of its ledger no run walks again: it is settled or lost. What is lost stays told.
    pub finished: IntervalSet,
    /// What of that is walked again, since a clock was ahead when it was settled.
    pub doubted: Option<Interval>,
}

/// What a day of a function holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// From midnight to midnight, UTC.
    pub whole: Interval,
    /// Whether it holds a record that may still change.
    pub has_open: bool,
    /// Whether it holds a record that another function shows as well.
    pub has_shared: bool,
}

/// Why a day is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// It is not as old as it has to be.
    Young,
    /// The ledger calls some of it neither settled nor lost, so that more may come of it.
    NotSettled,
    /// It holds a record that may still change.
    Open,
    /// It holds a record that another function shows as well, whose day it may not be.
    Shared,
}

/// The moment before which a day must have ended to be pruned.
///
/// An age counts until the last run, not until now: a machine whose clock is far ahead would take
/// every day for old, while runs compare their clock with the service's.
pub fn cutoff(now: Timestamp, last_run: Option<Timestamp>, keep: Duration) -> Timestamp {
    last_run.map_or(Timestamp::MIN, |last_run| last_run.min(now) - keep)
}

/// What may be pruned of a day: all of it, or from when on the function is archived.
///
/// What lies before that was never walked, and may be some time.
pub fn judge(known: &Known, day: Day, cutoff: Timestamp) -> Result<Interval, Kept> {
    if day.whole.end() > cutoff {
        return Err(Kept::Young);
    }
    let begin = known.horizon_begin.ok_or(Kept::NotSettled)?;
    let (begin, end) = (day.whole.begin().max(begin), day.whole.end());
    let archived = Interval::new(begin, end).ok_or(Kept::NotSettled)?;
    let is_doubted = known.doubted.is_some_and(|doubted| doubted.intersect(archived).is_some());
    if is_doubted || !known.finished.covers(archived) {
        return Err(Kept::NotSettled);
    }
    match day {
        Day { has_open: true, .. } => Err(Kept::Open),
        Day { has_shared: true, .. } => Err(Kept::Shared),
        _ => Ok(archived),
    }
}

/// The ledger without what was pruned: what is left can be compared with what the service shows.
pub fn unpruned<'l>(ledger: &'l [Entry], pruned: &IntervalSet) -> Cow<'l, [Entry]> {
    if pruned.is_empty() {
        return Cow::Borrowed(ledger);
    }
    let left = |row: &Entry| {
        let parts = pruned.gaps_in(row.window);
        let row = row.clone();
        parts.into_iter().map(move |part| row.part(part))
    };
    Cow::Owned(ledger.iter().flat_map(left).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ledger::State;
    use crate::plan::paging::Proof;
    use pretty_assertions::assert_eq;

    const HOUR: i64 = 3_600;

    fn hours(begin: i64, end: i64) -> Interval {
        let at = |hour: i64| Timestamp::from_unix(hour * HOUR);
        Interval::new(at(begin), at(end)).unwrap()
    }

    fn set(ranges: &[(i64, i64)]) -> IntervalSet {
        ranges.iter().map(|&(begin, end)| hours(begin, end)).collect()
    }

    fn known(begin: i64, finished: &[(i64, i64)]) -> Known {
        let horizon_begin = Some(Timestamp::from_unix(begin * HOUR));
        Known { horizon_begin, finished: set(finished), ..Known::default() }
    }

    fn day(number: i64) -> Day {
        Day { whole: hours(number * 24, number * 24 + 24), has_open: false, has_shared: false }
    }

    fn judged(known: &Known, day: Day, cutoff_hour: i64) -> Result<Interval, Kept> {
        judge(known, day, Timestamp::from_unix(cutoff_hour * HOUR))
    }

    #[test]
    fn a_day_is_pruned_when_it_is_old_settled_and_holds_nothing_that_may_change() {
        let sound = known(0, &[(0, 96)]);
        assert_eq!(judged(&sound, day(1), 48), Ok(hours(24, 48)));
        assert_eq!(judged(&sound, day(1), 47), Err(Kept::Young));
        assert_eq!(judged(&sound, Day { has_open: true, ..day(1) }, 48), Err(Kept::Open));
        assert_eq!(judged(&sound, Day { has_shared: true, ..day(1) }, 48), Err(Kept::Shared));
        assert_eq!(judged(&known(0, &[(0, 30), (31, 96)]), day(1), 48), Err(Kept::NotSettled));
        assert_eq!(judged(&known(0, &[(0, 47)]), day(1), 48), Err(Kept::NotSettled));
        assert_eq!(judged(&Known::default(), day(1), 48), Err(Kept::NotSettled));
    }

    #[test]
    fn the_first_day_of_a_function_is_pruned_from_when_it_is_archived() {
        let late = known(30, &[(30, 96)]);
        assert_eq!(judged(&late, day(1), 48), Ok(hours(30, 48)));
        assert_eq!(judged(&late, day(0), 48), Err(Kept::NotSettled), "nobody has walked it");
    }

    #[test]
    fn a_day_that_is_doubted_is_kept() {
        let doubted = Known { doubted: Some(hours(40, 41)), ..known(0, &[(0, 96)]) };
        assert_eq!(judged(&doubted, day(1), 96), Err(Kept::NotSettled));
        assert_eq!(judged(&doubted, day(2), 96), Ok(hours(48, 72)));
    }

    #[test]
    fn an_age_counts_until_the_last_run_and_never_beyond_now() {
        let at = Timestamp::from_unix;
        let keep = Duration::from_secs(100);
        assert_eq!(cutoff(at(9_999), Some(at(1_000)), keep), at(900));
        assert_eq!(cutoff(at(1_000), Some(at(9_999)), keep), at(900));
        assert_eq!(cutoff(at(1_000), None, keep), Timestamp::MIN);
    }

    #[test]
    fn what_was_pruned_is_cut_out_of_the_ledger() {
        let row = Entry {
            window: hours(0, 72),
            state: State::Settled(Proof::Both),
            reported: Some(9),
            distinct: 9,
            pages: 2,
            walked_at: Timestamp::from_unix(99 * HOUR),
            reason: None,
        };
        let ledger = [row];
        assert_eq!(*unpruned(&ledger, &set(&[])), ledger[..]);
        let left = unpruned(&ledger, &set(&[(24, 48)]));
        let told: Vec<_> = left.iter().map(|row| (row.window, row.distinct)).collect();
        assert_eq!(told, [(hours(0, 24), 0), (hours(48, 72), 0)]);
        assert!(unpruned(&ledger, &set(&[(0, 72)])).is_empty());
    }
}
