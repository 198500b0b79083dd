//! What to do about a window of which a page cannot be had, however often it is asked for.
//!
//! The page that holds one certain record may fail for good. Its window is halved like one without
//! a proof, so that everything around it is archived, and what is left of it in the end is a
//! second.

use super::ledger::Entry;
use super::windows;
use crate::domain::{Interval, IntervalSet, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// So many windows of a function may fail for good in a run before the rest is asked for once and
/// left unproven. A record whose page fails takes 25 of them, from a month down to a second, so
/// some forty such records are found in a run.
pub const MOST_FAILED: u32 = 1_000;

/// After so many windows of a function that failed for good, the others are asked for with little
/// patience as well.
pub const PATIENT_FAILURES: u32 = 3;

/// After so many ranges that earlier runs could not have, and that fail again, a run leaves the
/// others as they are. The longest are tried first, since they hold most, then those that were
/// tried longest ago.
pub const MOST_TRIED_AGAIN: usize = 200;

/// An answer about a part of a window that failed is waited for no less than this.
const SHORTEST_LIMIT: Duration = Duration::from_secs(10);

/// A refusal of a window longer than this is taken for a limit on its length.
const REFUSABLE_LENGTH: Duration = Duration::from_hours(1);

/// What a request that failed for good means; `F` is what the caller calls a failure.
#[derive(Clone, Debug)]
pub enum Setback<F> {
    /// What was asked for cannot be had, though the function answers.
    Part(Failed<F>),
    /// The function cannot be had, or nothing can.
    Whole(Failed<F>),
}

impl<F> Setback<F> {
    /// The failure, whatever it means.
    pub fn into_failure(self) -> F {
        match self {
            Self::Part(failed) | Self::Whole(failed) => failed.failure,
        }
    }
}

/// A request that failed for good.
#[derive(Clone, Debug)]
pub struct Failed<F> {
    /// The failure, as the caller knows it.
    pub failure: F,
    /// Whether the service refused just this request, and how.
    pub refusal: Option<Refusal>,
    /// Why it failed, in a few words.
    pub reason: Arc<str>,
}

/// How a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// As one that makes no sense to the service (status 400, or 416 of a range that is not there).
    BadRequest,
    /// As one about something that is not there (status 404).
    NotFound,
    /// In another way.
    Other,
}

impl<F> Failed<F> {
    /// Whether the service refused just this request.
    pub fn is_refused(&self) -> bool {
        self.refusal.is_some()
    }

    /// Whether it was refused in a way that suits a page behind the end of a list.
    pub fn is_behind_the_end(&self) -> bool {
        matches!(self.refusal, Some(Refusal::BadRequest | Refusal::NotFound))
    }

    /// Whether a request about this range may have been refused for the length of it.
    pub fn is_too_long(&self, range: Interval) -> bool {
        self.refusal == Some(Refusal::BadRequest) && range.duration() > REFUSABLE_LENGTH
    }
}

/// What to do with the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Walk both halves.
    Halve(Interval, Interval),
    /// Leave it unproven.
    GiveUp,
}

/// Chooses the remedy when `failed` windows of the function have failed in this run, this one among
/// them.
pub fn remedy(window: Interval, failed: u32) -> Remedy {
    match windows::halves(window) {
        Some((first, second)) if failed < MOST_FAILED => Remedy::Halve(first, second),
        _ => Remedy::GiveUp,
    }
}

/// The bounds of the queries that together show what can be had of a second, and of its neighbours,
/// without one of them.
///
/// Whether the service includes its bounds is not documented, so a second is asked for with its
/// neighbours, and fails with them. Each of these spares one.
pub fn edges(second: Interval) -> [(Timestamp, Timestamp); 2] {
    let (begin, end) = windows::bounds(second);
    [(begin, second.begin()), (second.begin(), end)]
}

/// How long to wait for an answer about a part of a window that failed, where the slowest answer so
/// far took so long: a page that hangs is not waited for in full at each of twenty halvings.
pub fn limit(slowest: Duration) -> Duration {
    (slowest * 3).max(SHORTEST_LIMIT)
}

/// What is pending, without what earlier runs walked in vain; and the rows of that, in the order in
/// which to try them again.
pub fn set_aside(pending: &[Interval], ledger: &[Entry]) -> (Vec<Interval>, Vec<Entry>) {
    let is_pending =
        |window: Interval| pending.iter().filter_map(move |range| range.intersect(window));
    let in_vain = ledger.iter().filter(|row| row.state.is_unproven());
    let mut again: Vec<Entry> = in_vain
        .flat_map(|row| is_pending(row.window).map(|window| Entry { window, ..row.clone() }))
        .collect();
    again.sort_by_key(|row| {
        (std::cmp::Reverse(row.window.seconds()), row.walked_at, row.window.begin())
    });
    let windows: IntervalSet = again.iter().map(|row| row.window).collect();
    (pending.iter().flat_map(|&range| windows.gaps_in(range)).collect(), again)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ledger::State;
    use crate::plan::paging::Proof;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix(second)
    }

    fn range(begin: i64, end: i64) -> Interval {
        Interval::new(at(begin), at(end)).unwrap()
    }

    fn row(begin: i64, end: i64, state: State, walked_at: i64) -> Entry {
        let reason = state.is_unproven().then(|| "HTTP 500".into());
        let walked_at = at(walked_at);
        Entry {
            window: range(begin, end),
            state,
            reported: None,
            distinct: 0,
            pages: 0,
            walked_at,
            reason,
        }
    }

    /// Walks a month in which the pages with these seconds fail; what is left, and how many windows
    /// failed.
    fn walk(bad: &[i64]) -> (Vec<Interval>, u32) {
        let month = i64::try_from(windows::MAX_WINDOW.as_secs()).unwrap();
        let (mut pieces, mut left, mut failed) = (vec![range(0, month)], Vec::new(), 0);
        while let Some(window) = pieces.pop() {
            let (begin, end) = windows::bounds(window);
            if !bad.iter().any(|&second| (begin..=end).contains(&at(second))) {
                continue;
            }
            failed += 1;
            match remedy(window, failed) {
                Remedy::Halve(first, second) => pieces.extend([second, first]),
                Remedy::GiveUp => left.push(window),
            }
        }
        (left, failed)
    }

    #[test]
    fn a_bad_page_costs_a_second_and_its_neighbours() {
        for bad in [0, 1, 77_777, 1_296_000, 1_296_001, 2_591_999] {
            let (left, failed) = walk(&[bad]);
            assert!(left.iter().all(|window| window.seconds() == 1), "{left:?}");
            assert!(left.len() <= 3 && left.contains(&range(bad, bad + 1)), "{left:?}");
            assert!(failed <= 50, "{failed}");
        }
    }

    #[test]
    fn some_forty_bad_pages_are_found_in_a_run_and_no_more_are_looked_for() {
        let bad = |pages: i64| (0..pages).map(|page| 30_000 * page + 17).collect::<Vec<_>>();
        let (left, failed) = walk(&bad(35));
        assert!(
            left.iter().all(|window| window.seconds() == 1) && failed < MOST_FAILED,
            "{failed}"
        );
        let (left, failed) = walk(&bad(86));
        assert!(left.iter().any(|window| window.seconds() > 1));
        assert!((MOST_FAILED..MOST_FAILED + 40).contains(&failed), "{failed}");
    }

    #[test]
    fn a_slow_service_is_waited_for() {
        assert_eq!(limit(Duration::from_millis(80)), SHORTEST_LIMIT);
        assert_eq!(limit(Duration::from_secs(50)), Duration::from_secs(150));
    }

    #[test]
    fn what_was_walked_in_vain_is_tried_last_the_longest_first() {
        let settled = State::Settled(Proof::Both);
        let ledger = [
            row(0, 100, settled, 900),
            row(100, 101, State::Unproven, 800),
            row(101, 102, State::Unproven, 700),
            row(200, 260, State::Unproven, 900),
            row(300, 400, State::Proven(Proof::Both), 900),
        ];
        let (pending, again) = set_aside(&[range(100, 500)], &ledger);
        assert_eq!(pending, [range(102, 200), range(260, 500)]);
        let windows: Vec<_> = again.iter().map(|row| row.window).collect();
        assert_eq!(windows, [range(200, 260), range(101, 102), range(100, 101)]);
        assert_eq!(again[0].reason.as_deref(), Some("HTTP 500"));
        let (pending, again) = set_aside(&[range(230, 240)], &ledger);
        assert_eq!(
            (pending.len(), again[0].window),
            (0, range(230, 240)),
            "no more than is pending"
        );
    }

    proptest! {
        /// Under every reading of its bounds, the edges of a second show its neighbours, and one of
        /// them spares each.
        #[test]
        fn edges_spare_a_neighbour(begin in 1i64..1_000) {
            let [(low, middle), (same, high)] = edges(range(begin, begin + 1));
            prop_assert_eq!(
                (low, middle, same, high),
                (at(begin - 1), at(begin), at(begin), at(begin + 1))
            );
        }

        /// Halving loses no second and ends.
        #[test]
        fn what_is_left_holds_every_bad_second(
            bad in prop::collection::vec(0i64..2_592_000, 0..20),
        ) {
            let (left, _) = walk(&bad);
            for second in bad {
                prop_assert!(left.iter().any(|window| window.contains(at(second))));
            }
        }
    }
}
