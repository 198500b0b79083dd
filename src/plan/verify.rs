//! Which settled windows are walked again, to see whether the service still shows what was
//! archived.
//!
//! A settled window is believed, and never walked again to fill the archive. This is the check of
//! that belief: a small share of the requests, spent on what was looked at longest ago.

use super::ledger::{Entry, State};
use super::windows::{self, Density};
use crate::domain::{EntryKey, Interval, IntervalSet, Timestamp};
use std::collections::HashSet;
use std::time::Duration;

/// A verified window should come as one page: one answer, one request.
const RECORDS_A_WINDOW: f64 = 400.0;

/// A window that was walked this lately tells little by being walked again.
const LEAST_AGE: Duration = Duration::from_hours(24);

/// No run verifies more windows of its own accord, whatever it may spend after a large first run.
pub const MOST_WINDOWS_A_RUN: u64 = 10;

/// What was asked lately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spending {
    /// Requests, all told.
    pub requests: u64,
    /// Those of them that verified.
    pub verifying: u64,
}

impl Spending {
    /// How many more requests may verify, when that is a `share` (0 to 1) of all.
    pub fn allows(self, share: f64) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "not negative, and it saturates"
        )]
        let earned = (self.requests as f64 * share).max(0.0) as u64;
        earned.saturating_sub(self.verifying)
    }
}

/// How many of `windows` the next of so many `sources` may take that share them. What does not
/// divide evenly goes to one or another by `draw`, a number below `sources`, so that no source is
/// left out run after run.
pub fn part(windows: u64, sources: u64, draw: u64) -> u64 {
    (windows + draw) / sources.max(1)
}

/// A window that was verified, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The window.
    pub window: Interval,
    /// When its walk began, by the service's clock.
    pub at: Timestamp,
}

/// What walking a window again showed: a proof like any other, held against what is archived.
#[derive(Clone, Debug)]
pub struct VerificationWalk {
    /// The window.
    pub window: Interval,
    /// What the service shows of it, and of the seconds around it.
    pub shown: HashSet<EntryKey>,
    /// How many of those began inside.
    pub records: u64,
    /// How many pages that took.
    pub pages: u64,
    /// When the walk began, by the service's clock.
    pub began_at: Timestamp,
    /// From when on the service certainly shows what happened: what is missing before that may be
    /// forgotten.
    pub reached: Timestamp,
}

/// The settled parts of a range, earliest first.
pub fn settled_in(ledger: &[Entry], range: Interval) -> Vec<Interval> {
    let settled = ledger.iter().filter(|row| matches!(row.state, State::Settled(_)));
    settled.filter_map(|row| row.window.intersect(range)).collect()
}

/// What is known of a function of which windows may be verified.
#[derive(Clone, Debug)]
pub struct Candidate<'a> {
    /// Its ledger.
    pub ledger: &'a [Entry],
    /// What was verified of it, the latest first.
    pub verified: Vec<Verified>,
    /// From where it is archived until now.
    pub horizon: Interval,
}

/// Chooses at most so many windows, each that of all functions which was looked at longest ago;
/// with it the place of its function among the candidates.
pub fn choose(
    mut candidates: Vec<Candidate<'_>>,
    windows: u64,
    now: Timestamp,
) -> Vec<(usize, Interval)> {
    let mut chosen = Vec::new();
    for _ in 0..windows.min(MOST_WINDOWS_A_RUN) {
        let next = candidates.iter().enumerate().filter_map(|(index, candidate)| {
            // What is older may be forgotten by now, and would only tell that.
            let range = candidate.horizon.split_at(now - windows::MAX_WINDOW).1?;
            Some((index, oldest(candidate.ledger, &candidate.verified, range, now)?))
        });
        let Some((index, next)) = next.min_by_key(|(_, next)| next.at) else { break };
        chosen.push((index, next.window));
        candidates[index].verified.insert(0, Verified { window: next.window, at: now });
    }
    chosen
}

/// How many records that repeated walks missed are asked for by themselves before they are called
/// gone; where more are missing, something larger is wrong than a record filed elsewhere.
const MOST_SUSPECTS: usize = 1_000;

/// Whether the records that a walk missed are asked for, each by its id, where so many of other
/// walks are already.
pub fn asks_for_each(missed: usize, already: usize) -> bool {
    already + missed <= MOST_SUSPECTS
}

/// The settled window that was looked at longest ago, and when that was; none where all were looked
/// at within a day.
///
/// `verified` is the latest first. What was never verified counts from its walk, of which a merged
/// row keeps only the first: no part of it was walked before its own begin.
pub fn oldest(
    ledger: &[Entry],
    verified: &[Verified],
    range: Interval,
    now: Timestamp,
) -> Option<Verified> {
    let mut rest = settled_in(ledger, range.split_at(now - LEAST_AGE).0?);
    let mut last = None;
    for &Verified { window, at } in verified {
        let looked_at = IntervalSet::from_iter([window]);
        let less: Vec<Interval> = rest.iter().flat_map(|&part| looked_at.gaps_in(part)).collect();
        if less.is_empty() {
            last = Some(at);
            break;
        }
        rest = less;
    }
    let part = *rest.first()?;
    let row = row_of(ledger, part)?;
    let at = last.unwrap_or_else(|| row.walked_at.max(part.begin()));
    let window = a_page_of(row, part);
    (at + LEAST_AGE <= now).then_some(Verified { window, at })
}

/// Windows of about a page around moments drawn at random from the settled parts of a range, in
/// order of time; fewer where they coincide. `draw` gives a number below its argument.
pub fn sample(
    ledger: &[Entry],
    range: Interval,
    windows: usize,
    mut draw: impl FnMut(u64) -> u64,
) -> Vec<Interval> {
    let parts = settled_in(ledger, range);
    let seconds: u64 = parts.iter().map(|part| part.seconds().unsigned_abs()).sum();
    let draws = if seconds > 0 { windows } else { 0 };
    let chosen = (0..draws).filter_map(|_| window_at(ledger, &parts, draw(seconds)));
    chosen.collect::<IntervalSet>().iter().collect()
}

/// The window of about a page around the second of this number among the seconds of `parts`.
fn window_at(ledger: &[Entry], parts: &[Interval], mut number: u64) -> Option<Interval> {
    for &part in parts {
        let seconds = part.seconds().unsigned_abs();
        if number < seconds {
            let length = a_page_of(row_of(ledger, part)?, part).seconds().unsigned_abs();
            let moment = part.begin() + Duration::from_secs(number);
            let begin = part.begin().max(moment - Duration::from_secs(length / 2));
            return Interval::new(begin, part.end().min(begin + Duration::from_secs(length)));
        }
        number -= seconds;
    }
    None
}

fn row_of(ledger: &[Entry], window: Interval) -> Option<&Entry> {
    ledger.iter().find(|row| row.window.covers(window))
}

/// The start of a part of a row that holds about as many records as a page.
fn a_page_of(row: &Entry, part: Interval) -> Interval {
    let density = Density::of(row.distinct, row.window);
    windows::window_holding(RECORDS_A_WINDOW, part, Some(density), windows::MAX_WINDOW)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::paging::Proof;
    use proptest::prelude::*;

    const HOUR: i64 = 3_600;
    const DAY: i64 = 24 * HOUR;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix(second)
    }

    fn range(begin: i64, end: i64) -> Interval {
        Interval::new(at(begin), at(end)).unwrap()
    }

    fn settled(begin: i64, end: i64, records: u64) -> Entry {
        let state = State::Settled(Proof::Both);
        let (window, walked_at) = (range(begin, end), at(begin));
        Entry {
            window,
            state,
            reported: None,
            distinct: records,
            pages: 1,
            walked_at,
            reason: None,
        }
    }

    fn seen(begin: i64, end: i64, when: i64) -> Verified {
        Verified { window: range(begin, end), at: at(when) }
    }

    #[test]
    fn sources_share_what_may_be_verified() {
        assert_eq!(part(7, 1, 0), 7);
        assert_eq!([0, 1].map(|draw| part(7, 2, draw)), [3, 4]);
        assert_eq!([0, 1, 2].map(|draw| part(1, 3, draw)), [0, 0, 1], "one of three runs");
        assert_eq!([0, 1, 2].map(|draw| part(0, 3, draw)), [0, 0, 0]);
    }

    #[test]
    fn a_share_of_the_requests_verifies() {
        let spending = |requests, verifying| Spending { requests, verifying }.allows(0.02);
        assert_eq!(
            (spending(49, 0), spending(50, 0), spending(2_000, 10), spending(100, 5)),
            (0, 1, 30, 0)
        );
    }

    #[test]
    fn what_was_looked_at_longest_ago_comes_first() {
        // 400 records an hour, so that an hour is a page.
        let ledger = [settled(0, 100 * HOUR, 40_000)];
        let (all, now) = (range(0, 1_000 * HOUR), at(200 * HOUR));
        let oldest =
            |verified: &[Verified]| oldest(&ledger, verified, all, now).map(|next| next.window);
        assert_eq!(oldest(&[]), Some(range(0, HOUR)), "what was never verified, from its begin on");
        assert_eq!(oldest(&[seen(0, HOUR, 150 * HOUR)]), Some(range(HOUR, 2 * HOUR)));
        let round = [seen(50 * HOUR, 100 * HOUR, 160 * HOUR), seen(0, 50 * HOUR, 150 * HOUR)];
        assert_eq!(oldest(&round), Some(range(0, HOUR)), "all was, so it begins again");
        let again = [seen(0, HOUR, 170 * HOUR), round[0], round[1]];
        assert_eq!(oldest(&again), Some(range(HOUR, 2 * HOUR)));
        assert_eq!(oldest(&[seen(0, 100 * HOUR, 180 * HOUR)]), None, "within a day");
    }

    #[test]
    fn what_was_first_walked_lately_is_left_alone() {
        let walked =
            |at_hour: i64| Entry { walked_at: at(at_hour * HOUR), ..settled(0, 10 * DAY, 0) };
        let next =
            |row: Entry| oldest(&[row], &[], range(0, 100 * DAY), at(20 * DAY)).map(|next| next.at);
        assert_eq!(
            next(walked(19 * 24 + 1)),
            None,
            "it tells little to walk it again within a day"
        );
        assert_eq!(next(walked(19 * 24)), Some(at(19 * DAY)));
        assert_eq!(next(walked(-24)), Some(at(0)), "no second was walked before it came");
    }

    fn candidate(ledger: &[Entry], verified: Vec<Verified>) -> Candidate<'_> {
        Candidate { ledger, verified, horizon: range(0, 1_000 * DAY) }
    }

    #[test]
    fn a_run_verifies_what_was_looked_at_longest_ago_of_all_functions() {
        // 400 records a day, so that a day is a page.
        let ledger = [settled(0, 10 * DAY, 4_000)];
        let days = |chosen: Vec<(usize, Interval)>| -> Vec<(usize, i64)> {
            chosen.iter().map(|(index, window)| (*index, window.begin().unix() / DAY)).collect()
        };
        let all = |at_day: i64| seen(0, 10 * DAY, at_day * DAY);
        let functions =
            || vec![candidate(&ledger, vec![all(13)]), candidate(&ledger, vec![all(12)])];
        let now = at(20 * DAY);
        assert_eq!(days(choose(functions(), 2, now)), [(1, 0), (1, 1)], "no window twice");
        assert_eq!(choose(functions(), 0, now), []);
        assert_eq!(choose(functions(), 1_000, now).len(), 10, "no run verifies more");
        let young = vec![candidate(&ledger, vec![seen(0, 10 * DAY, 19 * DAY + 1)])];
        assert_eq!(choose(young, 2, now), []);
        let one_left = vec![candidate(&ledger, vec![seen(DAY, 10 * DAY, 19 * DAY + 1)])];
        assert_eq!(days(choose(one_left, 5, now)), [(0, 0)]);
    }

    #[test]
    fn what_may_be_forgotten_is_not_verified() {
        let ledger = [settled(0, 40 * DAY, 16_000)];
        let chosen = choose(vec![candidate(&ledger, Vec::new())], 1, at(41 * DAY));
        assert_eq!(chosen, [(0, range(11 * DAY, 12 * DAY))], "the last thirty days");
        assert_eq!(choose(vec![candidate(&ledger, Vec::new())], 1, at(71 * DAY)), []);
    }

    #[test]
    fn where_very_many_are_missing_none_is_asked_for() {
        assert!(asks_for_each(1_000, 0) && asks_for_each(1, 999));
        assert!(!asks_for_each(1_001, 0) && !asks_for_each(1, 1_000));
    }

    #[test]
    fn what_is_young_or_not_settled_is_left_alone() {
        let proven = Entry { state: State::Proven(Proof::Both), ..settled(0, 10 * DAY, 10) };
        let all = range(0, 100 * DAY);
        assert_eq!(oldest(&[proven], &[], all, at(20 * DAY)), None);
        let quiet = [settled(0, 10 * DAY, 0)];
        let next = |now| oldest(&quiet, &[], all, at(now)).map(|next| next.window);
        assert_eq!(next(10 * DAY + HOUR), Some(range(0, 9 * DAY + HOUR)));
        assert_eq!(next(DAY), None);
        assert_eq!(
            oldest(&quiet, &[], range(5 * DAY, 100 * DAY), at(20 * DAY)).unwrap().window,
            range(5 * DAY, 10 * DAY)
        );
    }

    proptest! {
        /// Verified again and again, every settled second is looked at before any is looked at
        /// twice.
        #[test]
        fn rounds_cover_everything(
            rows in prop::collection::vec((1i64..50, 1i64..50, 0u64..3_000), 1..5),
        ) {
            let (mut ledger, mut from) = (Vec::new(), 0);
            for (gap, length, records) in rows {
                from += gap * HOUR;
                ledger.push(settled(from, from + length * HOUR, records));
                from += length * HOUR;
            }
            let (all, mut now) = (range(0, from), from + 2 * DAY);
            let mut verified: Vec<Verified> = Vec::new();
            let mut covered = IntervalSet::default();
            while settled_in(&ledger, all).iter().any(|&part| !covered.gaps_in(part).is_empty()) {
                let next = oldest(&ledger, &verified, all, at(now)).unwrap().window;
                prop_assert!(covered.gaps_in(next) == [next], "{} twice", next);
                covered.insert(next);
                verified.insert(0, Verified { window: next, at: at(now) });
                now += HOUR;
            }
        }

        /// Samples are parts of what is settled, and any settled second may be in one.
        #[test]
        fn samples_are_settled(number in 0i64..30 * HOUR) {
            let ledger = [settled(0, 10 * HOUR, 4_000), settled(50 * HOUR, 70 * HOUR, 80_000)];
            let chosen =
                sample(&ledger, range(0, 100 * HOUR), 1, |below| number.unsigned_abs() % below);
            prop_assert_eq!(chosen.len(), 1);
            let second = if number < 10 * HOUR { at(number) } else { at(number + 40 * HOUR) };
            prop_assert!(chosen[0].contains(second));
            prop_assert!(ledger.iter().any(|row| row.window.covers(chosen[0])));
        }
    }
}
