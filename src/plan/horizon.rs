//! From where to where a function is archived.

use super::clocks::{Moment, TOLERANCE};
use crate::domain::{Interval, IntervalSet, Timestamp};
use std::time::Duration;

/// No clock that is wrong makes a run ask for more than this before or after the machine's present:
/// a year, which costs a request a month, and not every month until the year 9999.
const MOST_DISBELIEVED: Duration = Duration::from_hours(400 * 24);

/// The first second of 2025, before there was this program: a clock that shows less was never set,
/// as that of a machine without a battery before it hears of the time. What it says of how far back
/// to reach would hold for good.
const NEVER_BEFORE: i64 = 1_735_689_600;

/// How exactly answers tell by how much the clocks differ: each cuts off its own fraction of a
/// second, and a server may date its answers by a second that is over.
const DIFFERENCE_IS_KNOWN_TO: Duration = Duration::from_secs(2);

/// What of a function is to be archived, whatever the time is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// From where on it is archived already, or earlier runs set out to archive it.
    pub archived_from: Option<Timestamp>,
    /// From when on it shall be, where that was said.
    pub since: Option<Timestamp>,
    /// Until when, where that was said.
    pub until: Option<Timestamp>,
    /// How far back its first run reaches otherwise.
    pub first_reach: Duration,
}

impl Scope {
    /// What is asked at `now`: until the later of the clocks. None where it holds no second.
    ///
    /// What is archived is never given up by a later beginning: that would leave what lies between
    /// unwatched.
    pub fn horizon(&self, now: Moment) -> Option<Interval> {
        let begin = match (self.archived_from, self.since) {
            (Some(archived_from), Some(since)) => archived_from.min(since),
            (Some(archived_from), None) => archived_from,
            (None, Some(since)) => since,
            (None, None) => first_present(now)? - self.first_reach,
        };
        // A clock that is decades behind does not hide what begins after it.
        let end = now.later().min(now.by_machine().max(begin) + MOST_DISBELIEVED);
        Interval::new(begin, self.until.map_or(end, |until| until.min(end)))
    }

    /// The horizon, or where that holds no second since all of the ledger, from `ledger_begin` on,
    /// is still to come: its first second. Asked for that, a run tells what is wrong, where without
    /// anything to do it would end well.
    pub fn asked(&self, ledger_begin: Option<Timestamp>, now: Moment) -> Option<Interval> {
        self.horizon(now).or_else(|| {
            let begin = ledger_begin.filter(|&begin| now.later() <= begin)?;
            Interval::new(begin, begin + Duration::from_secs(1))
        })
    }

    /// What a run that sets out at `now` is to answer for, whatever becomes of it: no more than is
    /// asked, and nothing so young that clocks which agree may leave it unclaimed. None where it
    /// holds no second.
    pub fn due(&self, now: Moment) -> Option<Interval> {
        let horizon = self.horizon(now)?;
        Interval::new(horizon.begin(), horizon.end().min(now.earlier() - TOLERANCE))
    }

    /// Whether the clocks are so far apart that a run asks only around the machine's.
    pub fn is_cut(now: Moment) -> bool {
        now.disagreement() > MOST_DISBELIEVED
    }

    /// What is left to walk in a run that began at `now`, when `walked` (and what was done before)
    /// is over and of some of it, `unclaimed`, the answers were dated too early to claim anything:
    /// nothing, where the clocks agree.
    pub fn left(&self, walked: &IntervalSet, unclaimed: &[Interval], now: Moment) -> Vec<Interval> {
        let Some(horizon) = self.horizon(now) else { return Vec::new() };
        let again = Verdict::of(horizon, unclaimed, now).missed;
        let is_more = |range: &Interval| range.duration() > TOLERANCE;
        let beyond = walked.gaps_in(horizon).into_iter().filter(is_more);
        let left: IntervalSet = again.into_iter().chain(beyond).collect();
        left.iter().collect()
    }
}

/// The present, as far as it tells how far back a first run reaches; none where no clock was ever
/// set.
fn first_present(now: Moment) -> Option<Timestamp> {
    let never_before = Timestamp::from_unix(NEVER_BEFORE);
    if now.later() < never_before {
        return None;
    }
    let earlier = if now.earlier() < never_before { now.later() } else { now.earlier() };
    Some(earlier.max(now.after_machine() - MOST_DISBELIEVED))
}

/// What of a horizon a run has to answer for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Until when it is claimed, but for what is missed; where it begins, if nothing of it is.
    pub end: Timestamp,
    /// What should have been claimed and was not.
    pub missed: Vec<Interval>,
}

impl Verdict {
    /// The verdict on a run that began at `now` and was over with the horizon, but that of some of
    /// it, `unclaimed`, the answers were dated too early to claim anything.
    ///
    /// Where the clocks agree, how exactly they do moves the end of what is claimed, as if the run
    /// had begun a moment earlier. Only what reaches further back is missed.
    pub fn of(horizon: Interval, unclaimed: &[Interval], now: Moment) -> Self {
        let claimable_until = horizon.end().min(now.earlier() - DIFFERENCE_IS_KNOWN_TO);
        let Some(claimable) = Interval::new(horizon.begin(), claimable_until) else {
            return Self { end: horizon.begin(), missed: Vec::new() };
        };
        let missed_before =
            if now.is_agreed() { now.earlier() - TOLERANCE } else { claimable_until };
        let unclaimed: IntervalSet =
            unclaimed.iter().filter_map(|range| range.intersect(claimable)).collect();
        let (missed, recent): (Vec<_>, Vec<_>) =
            unclaimed.iter().partition(|range| range.begin() < missed_before);
        Self { end: recent.first().map_or(claimable_until, |first| first.begin()), missed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::clocks::{Answered, ServiceClock};

    const DAY: i64 = 86_400;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix(NEVER_BEFORE + second)
    }

    fn range(begin: i64, end: i64) -> Interval {
        Interval::new(at(begin), at(end)).unwrap()
    }

    /// The machine's clock at `machine`, the service's so many seconds ahead of it.
    fn clocks(machine: i64, ahead: i64) -> Moment {
        let mut service = ServiceClock::default();
        let date = Some(at(machine + ahead));
        service.learn(Answered { sent: at(machine), received: at(machine), date });
        service.at(at(machine))
    }

    #[test]
    fn of_a_ledger_that_is_still_to_come_the_first_second_is_asked() {
        let scope = Scope { archived_from: Some(at(5 * DAY)), ..FIRST };
        let asked = |begin, machine| scope.asked(begin, clocks(machine, 0));
        assert_eq!(asked(Some(at(5 * DAY)), 4 * DAY), Some(range(5 * DAY, 5 * DAY + 1)));
        assert_eq!(asked(Some(at(5 * DAY)), 5 * DAY), Some(range(5 * DAY, 5 * DAY + 1)));
        assert_eq!(asked(Some(at(5 * DAY)), 6 * DAY), Some(range(5 * DAY, 6 * DAY)));
        // Nothing was walked yet, or a part of it lies behind: nothing is wrong.
        assert_eq!(asked(None, 4 * DAY), None);
        assert_eq!(asked(Some(at(3 * DAY)), 4 * DAY), None);
    }

    fn verdict(scope: Scope, unclaimed: Interval, now: Moment) -> Verdict {
        Verdict::of(scope.horizon(now).unwrap(), &[unclaimed], now)
    }

    fn claimed_until(end: i64, missed: &[Interval]) -> Verdict {
        Verdict { end: at(end), missed: missed.to_vec() }
    }

    const FIRST: Scope = Scope {
        archived_from: None,
        since: None,
        until: None,
        first_reach: Duration::from_hours(30 * 24),
    };

    #[test]
    fn a_later_beginning_narrows_nothing_and_an_earlier_one_extends() {
        let now = clocks(100 * DAY, 0);
        let horizon = |archived_from: Option<i64>, since: Option<i64>| {
            let scope =
                Scope { archived_from: archived_from.map(at), since: since.map(at), ..FIRST };
            scope.horizon(now)
        };
        assert_eq!(horizon(None, None), Some(range(70 * DAY, 100 * DAY)));
        assert_eq!(horizon(None, Some(90 * DAY)), Some(range(90 * DAY, 100 * DAY)));
        assert_eq!(horizon(Some(60 * DAY), None), Some(range(60 * DAY, 100 * DAY)));
        assert_eq!(
            horizon(Some(60 * DAY), Some(90 * DAY)),
            Some(range(60 * DAY, 100 * DAY)),
            "what is archived stays"
        );
        assert_eq!(horizon(Some(60 * DAY), Some(50 * DAY)), Some(range(50 * DAY, 100 * DAY)));
        assert_eq!(horizon(None, Some(100 * DAY)), None);
    }

    #[test]
    fn what_is_asked_follows_the_later_clock_and_what_is_claimed_the_earlier() {
        for now in [clocks(100 * DAY, DAY), clocks(101 * DAY, -DAY)] {
            assert_eq!(FIRST.horizon(now), Some(range(70 * DAY, 101 * DAY)));
            let by_the_later = range(100 * DAY, 101 * DAY);
            assert_eq!(verdict(FIRST, by_the_later, now), claimed_until(100 * DAY - 2, &[]));
            let until = Scope { until: Some(at(95 * DAY)), ..FIRST };
            assert_eq!(until.horizon(now), Some(range(70 * DAY, 95 * DAY)));
            assert_eq!(verdict(until, by_the_later, now), claimed_until(95 * DAY, &[]));
        }
        let archived = Scope { archived_from: Some(at(100 * DAY)), ..FIRST };
        let now = clocks(99 * DAY, 2 * DAY);
        assert_eq!(
            verdict(archived, range(100 * DAY, 101 * DAY), now),
            claimed_until(100 * DAY, &[])
        );
    }

    #[test]
    fn a_clock_that_was_never_set_tells_nothing_of_how_far_back_a_first_run_reaches() {
        let (in_1970, hour) = (-NEVER_BEFORE, 3_600);
        assert_eq!(FIRST.horizon(clocks(in_1970, 0)), None);
        assert_eq!(FIRST.horizon(clocks(-1, 0)), None);
        let right = clocks(in_1970, 100 * DAY + NEVER_BEFORE);
        assert_eq!(FIRST.horizon(right), Some(range(70 * DAY, 100 * DAY)));
        assert_eq!(FIRST.due(right), None);
        let behind = FIRST.horizon(clocks(100 * DAY, in_1970 - 100 * DAY));
        assert_eq!(behind, Some(range(70 * DAY, 100 * DAY)), "whichever of them it is");
        assert!(FIRST.horizon(clocks(hour, 0)).is_some());
        let given = Scope { since: Some(at(-DAY)), ..FIRST };
        assert_eq!(given.horizon(clocks(-hour, 0)), Some(range(-DAY, -hour)), "as it was said");
    }

    #[test]
    fn how_exactly_the_clocks_agree_moves_the_end_of_what_is_claimed_and_nothing_is_missed() {
        let scope = Scope { since: Some(at(0)), ..FIRST };
        let whole = IntervalSet::from_iter([range(0, 101 * DAY)]);
        for ahead in [-300, -2, -1, 0, 1, 2, 300] {
            let now = clocks(100 * DAY, ahead);
            let present = now.earlier().unix() - NEVER_BEFORE;
            let last = |seconds: i64| range(present - seconds, present);
            assert_eq!(verdict(scope, last(1), now), claimed_until(present - 2, &[]), "{ahead}");
            assert_eq!(verdict(scope, last(90), now), claimed_until(present - 90, &[]), "{ahead}");
            assert_eq!(scope.left(&whole, &[last(90)], now), [], "{ahead}");
            let missed = [range(present - DAY, present - 2)];
            assert_eq!(
                verdict(scope, last(DAY), now),
                claimed_until(present - 2, &missed),
                "{ahead}"
            );
            assert_eq!(scope.left(&whole, &[last(DAY)], now), missed, "{ahead}");
        }
        let apart = clocks(100 * DAY, -301);
        let until = 100 * DAY - 303;
        let missed = range(until - 90, until);
        assert_eq!(
            verdict(scope, missed, apart),
            claimed_until(until, &[missed]),
            "beyond the tolerance"
        );
        let begin = 100 * DAY - 1;
        let young = Scope { since: Some(at(begin)), ..FIRST };
        assert_eq!(
            verdict(young, range(begin, begin + 1), clocks(100 * DAY, 0)),
            claimed_until(begin, &[])
        );
    }

    #[test]
    fn a_clock_that_is_mad_costs_a_year_of_requests_at_most() {
        let scope = Scope { since: Some(at(90 * DAY)), ..FIRST };
        let end = scope.horizon(clocks(100 * DAY, 10_000 * DAY)).unwrap().end();
        assert_eq!(end, at(500 * DAY));
        let begin = FIRST.horizon(clocks(10_000 * DAY, -9_000 * DAY)).unwrap().begin();
        assert_eq!(begin, at(9_570 * DAY));
        let later = Scope { since: Some(at(5_000 * DAY)), ..FIRST };
        let behind = later.horizon(clocks(10 * DAY, 5_100 * DAY));
        assert_eq!(
            behind,
            Some(range(5_000 * DAY, 5_110 * DAY)),
            "a machine that woke up in another year"
        );
        assert!(
            Scope::is_cut(clocks(10 * DAY, 401 * DAY))
                && !Scope::is_cut(clocks(10 * DAY, -400 * DAY))
        );
    }

    #[test]
    fn what_the_other_clock_adds_is_left_to_walk() {
        let scope = Scope { since: Some(at(0)), ..FIRST };
        let walked = IntervalSet::from_iter([range(0, 100 * DAY)]);
        assert_eq!(scope.left(&walked, &[], clocks(100 * DAY, 0)), []);
        assert_eq!(
            scope.left(&walked, &[], clocks(100 * DAY, 200)),
            [],
            "no more than the clocks may differ by"
        );
        assert_eq!(scope.left(&walked, &[], clocks(100 * DAY, DAY)), [range(100 * DAY, 101 * DAY)]);
        assert_eq!(scope.left(&walked, &[], clocks(100 * DAY, -DAY)), []);
    }

    #[test]
    fn what_an_answer_with_a_wrong_date_left_unclaimed_is_walked_again_where_it_can_be_claimed() {
        let scope = Scope { since: Some(at(0)), ..FIRST };
        let walked = IntervalSet::from_iter([range(0, 100 * DAY)]);
        let unclaimed = [range(90 * DAY, 100 * DAY)];
        assert_eq!(
            scope.left(&walked, &unclaimed, clocks(100 * DAY, 0)),
            [range(90 * DAY, 100 * DAY - 2)]
        );
        assert_eq!(
            scope.left(&walked, &unclaimed, clocks(100 * DAY, -5 * DAY)),
            [range(90 * DAY, 95 * DAY - 2)]
        );
        assert_eq!(scope.left(&walked, &unclaimed, clocks(100 * DAY, -20 * DAY)), []);
    }
}
