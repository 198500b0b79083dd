//! What a listing of invocations holds: the records a query matches under a reading, in order, and
//! one page of them.
//!
//! The usual query (filtered and ordered by start) is two binary searches and a look at the records
//! of the last minutes, however many records there are; other readings look at each record of the
//! window. No request looks at the whole world.

use super::chance::draw;
use super::readings::{Bounds, CappedCount, Count, Filter, LastMarker, Lookup, Order, Readings};
use super::world::{Phase, Place, RecordId, Shown, World};
use crate::domain::Timestamp;
use std::ops::Range;

/// The window of a query that gives no bounds, seconds before now (API reference, table 2).
const DEFAULT_WINDOW: i64 = 3_600;

/// What is asked of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    /// Ids asked for; none means every record.
    pub(super) ids: Option<Vec<String>>,
    /// Records to pass over.
    pub(super) marker: u64,
    /// The most records of the page.
    pub(super) limit: u64,
    pub(super) phase: Option<Phase>,
    pub(super) begin: Option<Timestamp>,
    pub(super) end: Option<Timestamp>,
}

/// A page, with the fields beside the records as the reading has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) records: Vec<Shown>,
    pub(super) count: Option<u64>,
    pub(super) next_marker: Option<u64>,
}

/// A function's listing at a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listing<'w> {
    pub(super) world: &'w World,
    pub(super) readings: &'w Readings,
    pub(super) function: usize,
    pub(super) now: Timestamp,
    /// Differs from request to request; ties are broken by it where they are unstable.
    pub(super) request: u64,
    /// How many of the oldest matches have just expired; where the order does not go by age, of the
    /// first.
    pub(super) slid: u64,
}

/// What matches a query, in order.
enum Matches {
    /// A stretch of the function's records that are all listed, then single ones, by start.
    ByStart { settled: Range<usize>, recent: Vec<usize>, reversed: bool },
    /// One by one.
    Each(Vec<usize>),
}

impl Matches {
    fn len(&self) -> usize {
        match self {
            Self::ByStart { settled, recent, .. } => settled.len() + recent.len(),
            Self::Each(all) => all.len(),
        }
    }

    fn get(&self, nth: usize) -> Option<usize> {
        match self {
            Self::Each(all) => all.get(nth).copied(),
            Self::ByStart { settled, recent, reversed } => {
                let nth = if *reversed { self.len().checked_sub(nth + 1)? } else { nth };
                if nth < settled.len() {
                    Some(settled.start + nth)
                } else {
                    recent.get(nth - settled.len()).copied()
                }
            }
        }
    }
}

/// The whole seconds `[from, to)` that a query matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seconds {
    from: Timestamp,
    to: Timestamp,
}

impl Seconds {
    const ALL: Self = Self { from: Timestamp::MIN, to: Timestamp::MAX };

    /// Reads a query's bounds.
    pub(super) fn of(query: &Query, readings: &Readings, now: Timestamp) -> Self {
        let by_id = query.ids.is_some();
        match readings.lookup {
            Lookup::Anywhere if by_id => return Self::ALL,
            Lookup::GivenWindow if by_id && query.begin.is_none() && query.end.is_none() => {
                return Self::ALL;
            }
            _ => {}
        }
        let begin = query.begin.unwrap_or(later(now, -DEFAULT_WINDOW));
        let end = query.end.unwrap_or(now);
        let (lower, upper) = match readings.bounds {
            Bounds::InclusiveInclusive => (0, 1),
            Bounds::InclusiveExclusive => (0, 0),
            Bounds::ExclusiveInclusive => (1, 1),
            Bounds::ExclusiveExclusive => (1, 0),
        };
        Self { from: later(begin, lower), to: later(end, upper) }
    }

    fn contains(self, moment: Timestamp) -> bool {
        self.from <= moment && moment < self.to
    }
}

fn later(moment: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_unix(moment.unix() + seconds)
}

/// The time of a record that the reading filters and orders by.
pub(super) fn filter_time(filter: Filter, record: &Shown) -> Timestamp {
    match filter {
        Filter::Start => record.start,
        Filter::End => record.end.unwrap_or(record.start),
    }
}

impl Listing<'_> {
    /// The page that a query is answered with.
    pub(super) fn page(self, query: &Query) -> Listed {
        let matches = self.matches(query);
        let total = (matches.len() as u64).saturating_sub(self.slid);
        let reachable = self.readings.result_cap.map_or(total, |cap| total.min(cap));
        let limit = self.readings.page_cap.map_or(query.limit, |cap| query.limit.min(cap));
        let after = query.marker.saturating_add(limit).min(reachable);
        let passed = if self.readings.order == Order::NewestFirst { 0 } else { self.slid };
        let positions = query.marker..after;
        let nth =
            |position: u64| matches.get(usize::try_from(position.saturating_add(passed)).ok()?);
        let records: Vec<Shown> =
            positions.filter_map(nth).filter_map(|index| self.shown(index)).collect();
        Listed {
            count: self.count(records.len() as u64, total, reachable),
            next_marker: self.next(query, after, reachable),
            records,
        }
    }

    fn count(self, length: u64, total: u64, reachable: u64) -> Option<u64> {
        match (self.readings.count, self.readings.capped_count) {
            (Count::Absent, _) => None,
            (Count::PageLength, _) => Some(length),
            (Count::Total, CappedCount::True) => Some(total),
            (Count::Total, CappedCount::Capped) => Some(reachable),
        }
    }

    fn next(self, query: &Query, after: u64, reachable: u64) -> Option<u64> {
        if after < reachable {
            return Some(after);
        }
        match self.readings.last_marker {
            LastMarker::Total => Some(reachable),
            LastMarker::Zero => Some(0),
            LastMarker::Same => Some(query.marker),
            LastMarker::Absent => None,
        }
    }

    fn matches(self, query: &Query) -> Matches {
        let seconds = Seconds::of(query, self.readings, self.now);
        if let Some(ids) = &query.ids {
            return Matches::Each(self.ordered(
                ids.iter().filter_map(|id| self.look_up(id)),
                query,
                seconds,
            ));
        }
        let by_start = matches!(self.readings.order, Order::OldestFirst | Order::NewestFirst);
        match self.readings.filter {
            Filter::Start if by_start && query.phase.is_none() => self.by_start(seconds),
            Filter::Start => {
                Matches::Each(self.ordered(self.between(seconds.from, seconds.to), query, seconds))
            }
            Filter::End => Matches::Each(self.ordered(self.ending(seconds), query, seconds)),
        }
    }

    fn by_start(self, seconds: Seconds) -> Matches {
        let from = seconds.from.max(self.world.kept_from(self.now));
        let listed = self.world.listed_before(self.now);
        let settled = self.between(from, seconds.to.min(listed));
        let recent = self.between(from.max(listed), seconds.to.min(later(self.now, 1)));
        let recent = recent.filter(|&index| self.shown(index).is_some()).collect();
        Matches::ByStart { settled, recent, reversed: self.readings.order == Order::NewestFirst }
    }

    /// Positions of records that may have ended, or begun without ending, in these seconds: those
    /// of ordinary life that began not long before, and every slow one.
    fn ending(self, seconds: Seconds) -> impl Iterator<Item = usize> {
        let ordinary = self.between(World::ordinary_reach(seconds.from), seconds.to);
        let slow = self.world.functions()[self.function].slow();
        let earlier = slow[..slow.partition_point(|&index| index < ordinary.start)].to_vec();
        earlier.into_iter().chain(ordinary)
    }

    /// Those of the candidates that match, in order.
    fn ordered(
        self,
        candidates: impl Iterator<Item = usize>,
        query: &Query,
        seconds: Seconds,
    ) -> Vec<usize> {
        let Readings { filter, order, .. } = *self.readings;
        let mut matching: Vec<(usize, Shown)> = candidates
            .filter_map(|index| Some((index, self.shown(index)?)))
            .filter(|(_, record)| seconds.contains(filter_time(filter, record)))
            .filter(|(_, record)| query.phase.is_none_or(|phase| phase == record.phase))
            .collect();
        match order {
            Order::OldestFirst => {
                matching.sort_by_key(|(index, record)| (filter_time(filter, record), *index));
            }
            Order::NewestFirst => {
                matching.sort_by_key(|(index, record)| {
                    std::cmp::Reverse((filter_time(filter, record), *index))
                });
            }
            Order::ById => matching.sort_by_key(|(_, record)| record.id),
            Order::UnstableTies => matching.sort_by_key(|(index, record)| {
                (filter_time(filter, record), draw(self.request, 5, *index as u64))
            }),
        }
        matching.into_iter().map(|(index, _)| index).collect()
    }

    fn look_up(self, id: &str) -> Option<usize> {
        let place = self.world.locate(RecordId::parse(id)?)?;
        (place.function == self.function).then_some(place.index)
    }

    fn between(self, from: Timestamp, to: Timestamp) -> Range<usize> {
        self.world.between(self.function, from, to)
    }

    fn shown(self, index: usize) -> Option<Shown> {
        self.world.state_at(Place { function: self.function, index }, self.now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::world::WorldSpec;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::sync::LazyLock;

    const ANCHOR: i64 = 1_772_366_400;
    const SPAN: i64 = 6 * 3_600;
    const RETENTION: i64 = 4 * 3_600;

    /// Dense, late, expiring, with slow and retried records: everything that can go wrong in six
    /// hours.
    static WORLD: LazyLock<World> = LazyLock::new(|| {
        World::new(WorldSpec {
            records: 3_000,
            functions: 2,
            span: SPAN.unsigned_abs(),
            lateness: 900,
            retention: Some(RETENTION.unsigned_abs()),
            slow: 20_000,
            retried: 50_000,
            burst_size: 60,
            ..WorldSpec::new(Timestamp::from_unix(ANCHOR))
        })
        .unwrap()
    });

    fn one<T: clap::ValueEnum + Clone + std::fmt::Debug + 'static>() -> impl Strategy<Value = T> {
        prop::sample::select(T::value_variants().to_vec())
    }

    fn readings() -> impl Strategy<Value = Readings> {
        let caps = (prop::option::of(1u64..90), prop::option::of(1u64..400), one(), one());
        (one(), one(), one(), one(), one(), caps).prop_map(
            |(
                order,
                bounds,
                filter,
                count,
                lookup,
                (page_cap, result_cap, capped_count, last_marker),
            )| Readings {
                order,
                bounds,
                filter,
                count,
                last_marker,
                lookup,
                page_cap,
                result_cap,
                capped_count,
                ..Readings::default()
            },
        )
    }

    /// Seconds after a record's start at which something may happen to it: it begins, or it
    /// expires.
    const TURNS: [i64; 4] = [0, 1, RETENTION - 1, RETENTION];

    /// A moment around the span, often on a second in which a record turns.
    fn moment() -> impl Strategy<Value = Timestamp> {
        let any =
            (-SPAN - 600..3 * 3_600).prop_map(|seconds| Timestamp::from_unix(ANCHOR + seconds));
        let turn = (0..WORLD.functions()[0].records(), prop::sample::select(TURNS.to_vec()))
            .prop_map(|(index, after)| {
                later(WORLD.start(Place { function: 0, index }).unwrap(), after)
            });
        prop_oneof![any, turn]
    }

    fn listing(readings: &Readings, now: Timestamp) -> Listing<'_> {
        Listing { world: &WORLD, readings, function: 0, now, request: 7, slid: 0 }
    }

    fn inside(bounds: Bounds, begin: Timestamp, end: Timestamp, moment: Timestamp) -> bool {
        match bounds {
            Bounds::InclusiveInclusive => begin <= moment && moment <= end,
            Bounds::InclusiveExclusive => begin <= moment && moment < end,
            Bounds::ExclusiveInclusive => begin < moment && moment <= end,
            Bounds::ExclusiveExclusive => begin < moment && moment < end,
        }
    }

    /// Every page by its offset, as a client that trusts nothing but offsets and an empty page.
    fn walk(listing: Listing<'_>, query: &Query) -> Vec<Shown> {
        let mut all = Vec::new();
        loop {
            let page = listing.page(&Query { marker: all.len() as u64, ..query.clone() });
            if page.records.is_empty() {
                return all;
            }
            all.extend(page.records);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn a_listing_is_the_filtered_world(
            readings in readings(),
            now in moment(),
            (begin, end) in (moment(), moment()).prop_map(|(a, b)| (a.min(b), a.max(b))),
            phase in prop::option::of(prop::sample::select(Phase::ALL.to_vec())),
        ) {
            let query =
                Query { limit: 100, phase, begin: Some(begin), end: Some(end), ..Query::default() };
            let expected: Vec<Shown> = WORLD
                .shown(0, now)
                .filter(|record| {
                    inside(readings.bounds, begin, end, filter_time(readings.filter, record))
                })
                .filter(|record| phase.is_none_or(|phase| phase == record.phase))
                .collect();
            let walked = walk(listing(&readings, now), &query);
            let reachable = readings
                .result_cap
                .map_or(expected.len(), |cap| expected.len().min(usize::try_from(cap).unwrap()));
            prop_assert_eq!(walked.len(), reachable);
            let ids =
                |records: &[Shown]| records.iter().map(|record| record.id).collect::<BTreeSet<_>>();
            prop_assert!(ids(&walked).is_subset(&ids(&expected)));
            prop_assert_eq!(ids(&walked).len(), reachable);
            let time = |record: &Shown| filter_time(readings.filter, record);
            match readings.order {
                Order::OldestFirst | Order::UnstableTies => {
                    prop_assert!(walked.is_sorted_by_key(time));
                }
                Order::NewestFirst => {
                    prop_assert!(walked.is_sorted_by_key(|record| std::cmp::Reverse(time(record))));
                }
                Order::ById => prop_assert!(walked.is_sorted_by_key(|record| record.id)),
            }
            let first = listing(&readings, now).page(&query);
            let count = match (readings.count, readings.capped_count) {
                (Count::Absent, _) => None,
                (Count::PageLength, _) => Some(first.records.len()),
                (Count::Total, CappedCount::True) => Some(expected.len()),
                (Count::Total, CappedCount::Capped) => Some(reachable),
            };
            prop_assert_eq!(first.count, count.map(|count| count as u64));
        }

        #[test]
        fn a_record_is_looked_up_where_its_window_says(
            readings in readings(),
            now in moment(),
            nth in 0usize..1_500,
        ) {
            let Some(record) = WORLD.shown(0, now).nth(nth) else { return Ok(()) };
            let query = Query {
                ids: Some(vec![record.id.to_string(), "unknown".to_owned()]),
                limit: 10,
                ..Query::default()
            };
            let last_hour = later(now, -3_600);
            let in_last_hour =
                inside(readings.bounds, last_hour, now, filter_time(readings.filter, &record));
            let expected = readings.lookup != Lookup::Window || in_last_hour;
            prop_assert_eq!(
                listing(&readings, now).page(&query).records,
                if expected { vec![record] } else { vec![] }
            );
            let elsewhere = Listing { function: 1, ..listing(&readings, now) };
            prop_assert_eq!(elsewhere.page(&query).records, vec![]);
        }
    }

    #[test]
    fn the_last_page_says_what_its_reading_says() {
        let query = |marker| Query {
            limit: 100,
            marker,
            begin: Some(Timestamp::from_unix(ANCHOR - 3_600)),
            end: Some(Timestamp::from_unix(ANCHOR)),
            ..Query::default()
        };
        let now = Timestamp::from_unix(ANCHOR + 3_600);
        for (last_marker, expected) in [
            (LastMarker::Total, Some(200 + 50)),
            (LastMarker::Zero, Some(0)),
            (LastMarker::Same, Some(200)),
            (LastMarker::Absent, None),
        ] {
            let readings = Readings { last_marker, result_cap: Some(250), ..Readings::default() };
            assert_eq!(
                listing(&readings, now).page(&query(100)).next_marker,
                Some(200),
                "{last_marker}"
            );
            assert_eq!(
                listing(&readings, now).page(&query(200)).next_marker,
                expected,
                "{last_marker}"
            );
        }
    }

    #[test]
    fn a_slide_moves_the_others_up() {
        let now = Timestamp::from_unix(ANCHOR + 3_600);
        for order in [Order::OldestFirst, Order::NewestFirst] {
            let readings = Readings { order, ..Readings::default() };
            let query = Query {
                limit: 500,
                begin: Some(later(now, -7_200)),
                end: Some(now),
                ..Query::default()
            };
            let (still, slid) =
                (listing(&readings, now), Listing { slid: 2, ..listing(&readings, now) });
            let (before, after) = (walk(still, &query), walk(slid, &query));
            let kept = if order == Order::OldestFirst {
                &before[2..]
            } else {
                &before[..before.len() - 2]
            };
            assert_eq!(after, kept);
        }
    }

    #[test]
    fn unstable_ties_change_from_request_to_request() {
        let readings = Readings { order: Order::UnstableTies, ..Readings::default() };
        let now = Timestamp::from_unix(ANCHOR);
        let query = Query {
            limit: 500,
            begin: Some(later(now, -7_200)),
            end: Some(now),
            ..Query::default()
        };
        let page = |request| Listing { request, ..listing(&readings, now) }.page(&query).records;
        assert_eq!(page(1), page(1));
        assert_ne!(page(1), page(2));
    }
}
