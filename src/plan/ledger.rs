//! The ledger of one function: which ranges of time were walked, and what may be said of them.

use super::clocks::{Moment, TOLERANCE};
use super::paging::Proof;
use crate::domain::{Interval, IntervalSet, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// What is known of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Proven by a walk that began at least the settle delay after its end.
    Settled(Proof),
    /// Proven, but so young that records may still arrive late.
    Proven(Proof),
    /// Walked in vain; walked again by the next run.
    Unproven,
    /// Fell behind the service's reach before it was settled.
    Lost,
}

impl State {
    /// Whether the next run leaves the range alone.
    pub fn is_done(self) -> bool {
        matches!(self, Self::Settled(_) | Self::Lost)
    }

    /// Whether it was walked, and could not be proven.
    pub fn is_unproven(self) -> bool {
        matches!(self, Self::Unproven)
    }

    /// Why it is believed, where it is.
    pub fn proof(self) -> Option<Proof> {
        match self {
            Self::Settled(proof) | Self::Proven(proof) => Some(proof),
            Self::Unproven | Self::Lost => None,
        }
    }
}

/// One row of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The range.
    pub window: Interval,
    /// What is known of it.
    pub state: State,
    /// How many records the service counted in it, where it gave a total.
    pub reported: Option<u64>,
    /// How many distinct records were seen in it.
    pub distinct: u64,
    /// How many pages that took.
    pub pages: u64,
    /// When the (earliest) walk began, by the earlier of the clocks.
    pub walked_at: Timestamp,
    /// Why it could not be proven, in words; none where it was.
    pub reason: Option<Arc<str>>,
}

impl Entry {
    /// Whether its window had been over for so long when it was walked that no more was to come of
    /// it.
    pub fn was_old_enough(&self, settle_delay: Duration) -> bool {
        self.window.end() + settle_delay <= self.walked_at
    }

    /// The row cut to a part of its window, without counts where it is not all of it.
    pub(super) fn part(&self, part: Interval) -> Self {
        let row = self.clone();
        if part == self.window {
            row
        } else {
            Self { window: part, reported: None, distinct: 0, pages: 0, ..row }
        }
    }
}

/// The rows of a ledger after `new` became known, earliest first; `rows` are those that overlap or
/// touch its window.
///
/// What is settled or lost stays so: a later walk can only add to what was unknown. Of other rows,
/// what the new entry does not cover stays, without counts, since these were of the whole.
/// Neighbours of which the same is said become one row, but for what is only proven.
pub fn apply(rows: &[Entry], new: &Entry) -> Vec<Entry> {
    let done: IntervalSet =
        rows.iter().filter(|row| row.state.is_done()).map(|row| row.window).collect();
    let mut result = Vec::with_capacity(rows.len() + 2);
    for row in rows {
        if row.state.is_done() {
            result.push(row.clone());
        } else {
            let (before, rest) = row.window.split_at(new.window.begin());
            let after = rest.and_then(|rest| rest.split_at(new.window.end()).1);
            result.extend([before, after].into_iter().flatten().map(|part| row.part(part)));
        }
    }
    result.extend(done.gaps_in(new.window).into_iter().map(|part| new.part(part)));
    result.sort_by_key(|row| row.window);
    merge(result)
}

/// The rows that are left where what was claimed from `from` on is taken back, by clocks that were
/// ahead of `present`: what such a clock dates is worth nothing, wherever it lies.
pub fn take_back(rows: &[Entry], from: Timestamp, present: Timestamp) -> Vec<Entry> {
    let sound = rows.iter().filter(|row| row.walked_at <= present);
    sound.filter_map(|row| Some(row.part(row.window.split_at(from).0?))).collect()
}

/// Clocks that are further apart tell nothing of what was claimed by the later of them: either is
/// far from the truth, and all that lies between would be walked again.
const MOST_DOUBTED: Duration = Duration::from_hours(24);

/// What a ledger that ends at `end` claims of time that has not come at `now`, where the clocks do
/// not agree or only one is known.
///
/// A clock was ahead then, or one is behind now. Nothing is taken back, since that would give up
/// what may be sound; but it is walked again once it is over, and what was missed is found.
pub fn doubted(end: Timestamp, now: Moment) -> Option<Interval> {
    let is_near = now.disagreement() <= MOST_DOUBTED;
    let present = if is_near { now.earlier() } else { now.later() };
    if end > present + TOLERANCE { Interval::new(present, end) } else { None }
}

fn merge(rows: Vec<Entry>) -> Vec<Entry> {
    let mut merged: Vec<Entry> = Vec::with_capacity(rows.len());
    for row in rows {
        match merged.last_mut().and_then(|last| Some((joined(last, &row)?, last))) {
            Some((joined, last)) => *last = joined,
            None => merged.push(row),
        }
    }
    merged
}

/// A count of a range that was walked in vain may be any number.
fn sum((one, other): (u64, u64)) -> u64 {
    one.saturating_add(other)
}

/// Two rows as one, where both say the same of ranges that touch.
fn joined(first: &Entry, second: &Entry) -> Option<Entry> {
    let state = match (first.state, second.state) {
        (State::Settled(one), State::Settled(other)) => {
            State::Settled(if one == other { one } else { Proof::Both })
        }
        (State::Lost, State::Lost) => State::Lost,
        // What was walked in vain for one reason is walked again as one.
        (State::Unproven, State::Unproven) if is_alike(first, second) => State::Unproven,
        _ => return None,
    };
    if first.window.end() != second.window.begin() {
        return None;
    }
    Some(Entry {
        window: Interval::new(first.window.begin(), second.window.end())?,
        state,
        reported: first.reported.zip(second.reported).map(sum),
        distinct: sum((first.distinct, second.distinct)),
        pages: sum((first.pages, second.pages)),
        walked_at: first.walked_at.min(second.walked_at),
        reason: first.reason.clone(),
    })
}

/// Whether two ranges were walked, and for one reason in vain. What could not be had was not
/// walked: it is narrowed down, and stays as narrow as it is.
fn is_alike(first: &Entry, second: &Entry) -> bool {
    first.reason == second.reason && first.pages > 0 && second.pages > 0
}

/// When the walk began that should have shown a record of this start time already: a record seen
/// for the first time although its window was proven arrived late.
///
/// A merged row keeps the earliest of its walks, and no walk speaks of what comes after it.
pub fn missed_at(ledger: &[Entry], start: Timestamp) -> Option<Timestamp> {
    let row = ledger.iter().find(|row| row.window.contains(start))?;
    matches!(row.state, State::Proven(_) | State::Settled(_)).then_some(row.walked_at.max(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix(second)
    }

    fn entry(begin: i64, end: i64, state: State, distinct: u64) -> Entry {
        let window = Interval::new(at(begin), at(end)).unwrap();
        let reported = Some(distinct);
        Entry { window, state, reported, distinct, pages: 1, walked_at: at(1_000), reason: None }
    }

    const SETTLED: State = State::Settled(Proof::Count);
    const PROVEN: State = State::Proven(Proof::Count);

    #[test]
    fn what_is_claimed_of_time_to_come_is_doubted_unless_clocks_are_far_apart() {
        let both = |earlier: i64, later: i64| Moment::from(at(earlier)).and(at(later).into());
        let doubted = |end: i64, now| {
            doubted(at(end), now).map(|range| (range.begin().unix(), range.end().unix()))
        };
        let (hour, day) = (3_600, 86_400);
        assert_eq!(doubted(day, both(hour, hour)), Some((hour, day)));
        assert_eq!(doubted(hour + 300, both(hour, hour)), None, "within the tolerance");
        assert_eq!(doubted(2 * hour, both(hour, 3 * hour)), Some((hour, 2 * hour)));
        assert_eq!(doubted(9 * day, both(0, 9 * day)), None);
        assert_eq!(doubted(10 * day, both(0, 9 * day)), Some((9 * day, 10 * day)));
    }

    #[test]
    fn settled_neighbours_become_one_row() {
        let rows = apply(&[entry(0, 10, SETTLED, 4)], &entry(10, 20, SETTLED, 6));
        assert_eq!(rows, [Entry { pages: 2, ..entry(0, 20, SETTLED, 10) }]);
    }

    #[test]
    fn a_hole_keeps_settled_rows_apart() {
        let rows = apply(&[entry(0, 10, SETTLED, 4)], &entry(11, 20, SETTLED, 6));
        assert_eq!(rows, [entry(0, 10, SETTLED, 4), entry(11, 20, SETTLED, 6)]);
    }

    #[test]
    fn a_walk_in_vain_takes_nothing_back() {
        let rows = apply(&[entry(0, 10, SETTLED, 4)], &entry(5, 15, State::Unproven, 3));
        assert_eq!(
            rows.iter().map(|row| (row.window.end().unix(), row.state)).collect::<Vec<_>>(),
            [(10, SETTLED), (15, State::Unproven)]
        );
    }

    #[test]
    fn a_new_walk_replaces_what_it_covers_of_a_proven_row() {
        let rows = apply(&[entry(0, 20, PROVEN, 9)], &entry(0, 12, SETTLED, 5));
        let rest = Entry { reported: None, distinct: 0, pages: 0, ..entry(12, 20, PROVEN, 9) };
        assert_eq!(rows, [entry(0, 12, SETTLED, 5), rest]);
    }

    #[test]
    fn the_weaker_knowledge_of_a_total_wins() {
        let silent = Entry { reported: None, ..entry(10, 20, State::Settled(Proof::Seams), 6) };
        let rows = apply(&[entry(0, 10, SETTLED, 4)], &silent);
        assert_eq!(
            (rows.len(), rows[0].reported, rows[0].distinct, rows[0].state),
            (1, None, 10, State::Settled(Proof::Both))
        );
    }

    fn any_state() -> impl Strategy<Value = State> {
        prop_oneof![Just(SETTLED), Just(PROVEN), Just(State::Unproven), Just(State::Lost)]
    }

    #[test]
    fn what_a_clock_that_was_ahead_claimed_is_taken_back() {
        let row =
            |begin, end, walked| Entry { walked_at: at(walked), ..entry(begin, end, SETTLED, 5) };
        let rows = [row(0, 10, 12), row(20, 30, 500), row(40, 90, 45), row(95, 99, 100)];
        let left = take_back(&rows, at(60), at(100));
        let expected =
            [rows[0].clone(), Entry { reported: None, distinct: 0, pages: 0, ..row(40, 60, 45) }];
        assert_eq!(left, expected);
        assert_eq!(take_back(&rows, Timestamp::MIN, at(100)), []);
    }

    proptest! {
        /// Whatever is walked in whatever order: rows never overlap, settled neighbours never
        /// touch, every second has the state of its last walk unless it was done before.
        #[test]
        fn every_second_keeps_its_last_word(
            walks in prop::collection::vec((0i64..40, 1i64..12, any_state()), 1..25),
        ) {
            let mut rows = Vec::new();
            let mut expected = vec![None; 60];
            for (begin, length, state) in walks {
                rows = apply(&rows, &entry(begin, begin + length, state, 1));
                for (second, last_word) in (0i64..).zip(&mut expected) {
                    if (begin..begin + length).contains(&second)
                        && !last_word.is_some_and(State::is_done)
                    {
                        *last_word = Some(state);
                    }
                }
                for pair in rows.windows(2) {
                    prop_assert!(pair[0].window.end() <= pair[1].window.begin());
                    let touching = pair[0].window.end() == pair[1].window.begin();
                    prop_assert!(
                        !(touching && pair[0].state == SETTLED && pair[1].state == SETTLED)
                    );
                }
                for (second, expected) in (0i64..).zip(&expected) {
                    let found = rows
                        .iter()
                        .find(|row| row.window.contains(at(second)))
                        .map(|row| row.state);
                    prop_assert_eq!(found, *expected);
                }
            }
        }
    }
}
