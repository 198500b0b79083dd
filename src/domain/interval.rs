//! Half-open ranges of time, and sets of them.

use super::Timestamp;
use std::fmt;
use std::time::Duration;

/// A range of time `[begin, end)` that holds at least one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    begin: Timestamp,
    end: Timestamp,
}

impl Interval {
    /// The range from `begin` up to, not including, `end`; none when that holds no second.
    pub fn new(begin: Timestamp, end: Timestamp) -> Option<Self> {
        (begin < end).then_some(Self { begin, end })
    }

    /// The shortest range that holds both moments, whichever comes first.
    pub fn spanning(one: Timestamp, other: Timestamp) -> Self {
        Self { begin: one.min(other), end: one.max(other) + Duration::from_secs(1) }
    }

    /// The first second inside.
    pub fn begin(self) -> Timestamp {
        self.begin
    }

    /// The first second after.
    pub fn end(self) -> Timestamp {
        self.end
    }

    /// Length in seconds, at least one.
    pub fn seconds(self) -> i64 {
        self.end.seconds_since(self.begin)
    }

    /// The same as a duration.
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.seconds().unsigned_abs())
    }

    /// Whether the moment lies inside.
    pub fn contains(self, moment: Timestamp) -> bool {
        self.begin <= moment && moment < self.end
    }

    /// Whether every second of `other` lies inside.
    pub fn covers(self, other: Self) -> bool {
        self.begin <= other.begin && other.end <= self.end
    }

    /// The part that both ranges hold.
    pub fn intersect(self, other: Self) -> Option<Self> {
        Self::new(self.begin.max(other.begin), self.end.min(other.end))
    }

    /// The part before `moment` and the part from it on.
    pub fn split_at(self, moment: Timestamp) -> (Option<Self>, Option<Self>) {
        (Self::new(self.begin, self.end.min(moment)), Self::new(self.begin.max(moment), self.end))
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.begin, self.end)
    }
}

/// A set of seconds, held as sorted ranges of which no two touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntervalSet(Vec<Interval>);

impl IntervalSet {
    /// The ranges, earliest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Interval> + '_ {
        self.0.iter().copied()
    }

    /// Whether no second is in the set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a range, joining whatever it overlaps or touches.
    pub fn insert(&mut self, new: Interval) {
        let from = self.0.partition_point(|old| old.end < new.begin);
        let to = self.0.partition_point(|old| old.begin <= new.end);
        let joined = self.0[from..to].iter().fold(new, |sum, old| Interval {
            begin: sum.begin.min(old.begin),
            end: sum.end.max(old.end),
        });
        self.0.splice(from..to, [joined]);
    }

    /// The parts of `whole` that are not in the set, earliest first.
    pub fn gaps_in(&self, whole: Interval) -> Vec<Interval> {
        let mut gaps = Vec::new();
        let mut from = whole.begin;
        for held in self.iter().filter_map(|held| held.intersect(whole)) {
            gaps.extend(Interval::new(from, held.begin));
            from = held.end;
        }
        gaps.extend(Interval::new(from, whole.end));
        gaps
    }

    /// Whether all of a range is in the set.
    pub fn covers(&self, range: Interval) -> bool {
        self.range_at(range.begin).is_some_and(|held| held.covers(range))
    }

    /// The start of a range that is in the set as a whole or not at all.
    pub fn uniform_start(&self, range: Interval) -> Interval {
        let edges = self.iter().flat_map(|held| [held.begin, held.end]);
        let first_inside = edges.filter(|&edge| range.begin < edge).min();
        first_inside.and_then(|edge| range.split_at(edge).0).unwrap_or(range)
    }

    /// The range of the set that holds the moment.
    pub fn range_at(&self, moment: Timestamp) -> Option<Interval> {
        let at = self.0.partition_point(|held| held.end <= moment);
        self.0.get(at).copied().filter(|held| held.contains(moment))
    }
}

impl FromIterator<Interval> for IntervalSet {
    fn from_iter<I: IntoIterator<Item = Interval>>(ranges: I) -> Self {
        let mut set = Self::default();
        ranges.into_iter().for_each(|range| set.insert(range));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix(second)
    }

    fn range((begin, length): (i64, i64)) -> Interval {
        Interval::new(at(begin), at(begin + length)).unwrap()
    }

    proptest! {
        /// The set and the gaps of a whole split its seconds between them, whatever was inserted.
        #[test]
        fn set_and_gaps_tile_the_whole(
            ranges in prop::collection::vec((0i64..60, 1i64..15), 0..12),
        ) {
            let set: IntervalSet = ranges.iter().copied().map(range).collect();
            let whole = range((5, 50));
            let gaps = set.gaps_in(whole);
            for second in 0..80 {
                let held = ranges.iter().any(|&each| range(each).contains(at(second)));
                prop_assert_eq!(set.range_at(at(second)).is_some(), held);
                let in_gap = gaps.iter().any(|gap| gap.contains(at(second)));
                prop_assert_eq!(in_gap, whole.contains(at(second)) && !held);
            }
            prop_assert_eq!(set.covers(whole), gaps.is_empty());
            let start = set.uniform_start(whole);
            let held_in_start = (5..55)
                .filter(|&second| start.contains(at(second)))
                .map(|second| set.range_at(at(second)).is_some());
            let held_in_start: Vec<bool> = held_in_start.collect();
            prop_assert!(
                held_in_start.windows(2).all(|pair| pair[0] == pair[1]),
                "it is in the set or it is not"
            );
            let next = set.range_at(start.end()).is_some();
            prop_assert!(
                start == whole || start.begin() == whole.begin() && held_in_start[0] != next,
                "it is no shorter"
            );
            let ranges: Vec<_> = set.iter().collect();
            prop_assert!(ranges.windows(2).all(|pair| pair[0].end() < pair[1].begin()));
            prop_assert!(gaps.windows(2).all(|pair| pair[0].end() < pair[1].begin()));
        }
    }

    #[test]
    fn an_interval_holds_a_second() {
        assert_eq!(Interval::new(at(5), at(5)), None);
        assert_eq!(Interval::new(at(6), at(5)), None);
        assert_eq!(range((5, 2)).split_at(at(6)), (Some(range((5, 1))), Some(range((6, 1)))));
        assert_eq!(range((5, 2)).split_at(at(9)), (Some(range((5, 2))), None));
    }
}
