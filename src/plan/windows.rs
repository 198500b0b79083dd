//! Which windows to walk, and what a proven walk lets the ledger say.
//!
//! A window is sized so that its pages come full: every walk ends on a page that is partly empty,
//! so few long walks cost fewer requests than many short ones. The length follows the density of
//! the walk before.

use super::paging::{Doubt, RESULT_CAP};
use super::proof::{is_round, is_suspicious};
use crate::domain::{Interval, IntervalSet, Page, Timestamp};
use std::time::Duration;

/// The longest window: the longest span that the store behind the service is known to search
/// (vendor's page LTS-0718).
pub const MAX_WINDOW: Duration = Duration::from_hours(30 * 24);

/// How many records a window should hold: more than eight pages, and still clear of [`RESULT_CAP`]
/// when the density was misjudged by a sixth, since a window that reaches the cap costs a request
/// and half of its length. Once the first page tells the total, the window is [`trimmed`] to full
/// pages.
const TARGET_RECORDS: f64 = 4_200.0;

/// A last page that is filled this far is worth its request.
const WELL_FILLED: f64 = 0.7;

/// A quiet window says little about the next one: the density assumed falls to no less than this
/// share of the one before.
const FASTEST_FALL: f64 = 1.0 / 16.0;

/// How often a window is walked in vain before it is split.
pub const WALKS_BEFORE_SPLIT: u32 = 3;

/// How often one is walked that holds what cannot be read.
const WALKS_TO_READ: u32 = 2;

/// Records a second of a function, as the last walk measured it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Density(f64);

impl Density {
    /// The density of a window that held `records`.
    pub fn of(records: u64, window: Interval) -> Self {
        Self(records as f64 / window.seconds() as f64)
    }

    /// How many records to expect in a range.
    pub fn expected_in(self, range: Interval) -> u64 {
        // Never negative; a float beyond `u64` saturates.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a density is not negative, and the cast saturates"
        )]
        let records = (self.0 * range.seconds() as f64).ceil() as u64;
        records
    }

    /// What to assume of the window after one of this density, when the assumption so far was
    /// `before`.
    #[must_use]
    pub fn after(self, before: Option<Self>) -> Self {
        before.map_or(self, |before| Self(self.0.max(before.0 * FASTEST_FALL)))
    }

    /// A guess from a full page without a total: its records lie between the earliest and the
    /// latest of their start times, whatever their order. None where they show no span, as in a
    /// burst.
    pub fn of_page(page: &Page) -> Option<Self> {
        let starts = page.records.iter().filter_map(crate::domain::Invocation::started_at);
        let (low, high) = starts.fold((Timestamp::MAX, Timestamp::MIN), |(low, high), start| {
            (low.min(start), high.max(start))
        });
        Interval::new(low, high).map(|span| Self::of(page.length(), span))
    }
}

/// The parts of the horizon that no settled or lost window covers, earliest first.
pub fn pending(horizon: Interval, done: &IntervalSet) -> Vec<Interval> {
    done.gaps_in(horizon)
}

/// The next window to walk: the start of `rest`, as long as the density lets expect a full set of
/// pages, and no longer than `longest`.
pub fn next_window(rest: Interval, density: Option<Density>, longest: Duration) -> Interval {
    window_holding(TARGET_RECORDS, rest, density, longest)
}

/// The start of `rest` that should hold this many records, no longer than `longest`.
pub fn window_holding(
    records: f64,
    rest: Interval,
    density: Option<Density>,
    longest: Duration,
) -> Interval {
    let longest = longest.min(MAX_WINDOW).as_secs().max(1) as f64;
    let seconds =
        density.filter(|density| density.0 > 0.0).map_or(longest, |density| records / density.0);
    // Between one second and thirty days, so the cast neither cuts nor wraps.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 1..=2592000 on the same line"
    )]
    let length = Duration::from_secs(seconds.clamp(1.0, longest) as u64);
    rest.split_at(rest.begin() + length).0.unwrap_or(rest)
}

/// A window cut to fewer records than it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trimmed {
    /// The shorter window.
    pub window: Interval,
    /// How many records it holds at most, where the cut is short enough to tell.
    pub expected: Option<u64>,
}

/// What is known of a window when a page of it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// The service's total.
    pub total: u64,
    /// How many records were seen from the start of the list.
    pub seen: u64,
    /// The latest start among them.
    pub until: Timestamp,
    /// How many new records a page brings; none where pages differ in length, so that no cut fills
    /// the last one.
    pub stride: u64,
}

/// The window cut so that it stays clear of the cap, or so that its last page comes full. None
/// where that is not worth it.
///
/// What was seen stays good if the list runs from the earliest record to the latest, and lies
/// inside the cut. If that is wrong, the next seam breaks.
pub fn trimmed(window: Interval, prefix: Prefix) -> Option<Trimmed> {
    let Prefix { total, seen, until, stride } = prefix;
    let to_come = total.checked_sub(seen).filter(|&to_come| to_come > 0)?;
    let on_last_page = to_come % stride.max(1);
    let unseen = Interval::new(until, window.end())?;
    let (kept, expected_to_come) = if is_suspicious(total) {
        // A round total may itself be cut off; what was seen tells how dense the list really is.
        let by_sight = Interval::new(window.begin(), until)
            .map_or(0, |past| Density::of(seen, past).expected_in(unseen));
        let to_come = if is_round(total) { to_come.max(by_sight) } else { to_come };
        (TARGET_RECORDS.min(seen.saturating_add(to_come) as f64 / 2.0), to_come)
    } else if stride > 0 && on_last_page as f64 <= WELL_FILLED * stride as f64 && to_come > stride {
        // Twice the deviation of a Poisson count, since the cut takes away about as many records,
        // not just as many.
        ((total - on_last_page) as f64 - 2.0 * (on_last_page as f64).sqrt() - 10.0, to_come)
    } else {
        return None;
    };
    let share = ((kept - seen as f64) / expected_to_come as f64).clamp(0.0, 1.0);
    let cut = until + Duration::from_secs_f64(unseen.seconds() as f64 * share);
    let window =
        window.split_at(cut).0.filter(|shorter| *shorter != window && until < shorter.end())?;
    Some(Trimmed { window, expected: (!is_suspicious(total)).then_some(total - on_last_page) })
}

/// The window cut where records may still arrive, if it would take more than one page: the list of
/// what is settled stands still while it is paged, and what is young is few enough for one answer.
pub fn cut_at_settled(
    window: Interval,
    density: Option<Density>,
    settled_until: Timestamp,
    limit: u32,
) -> Interval {
    let one_page = density.is_none_or(|density| density.expected_in(window) <= u64::from(limit));
    match window.split_at(settled_until) {
        (Some(settled), Some(_)) if !one_page => settled,
        _ => window,
    }
}

/// Both halves of a window; none when it is a single second.
pub fn halves(window: Interval) -> Option<(Interval, Interval)> {
    let middle = Timestamp::from_unix(window.begin().unix() + window.seconds() / 2);
    match window.split_at(middle) {
        (Some(first), Some(second)) => Some((first, second)),
        _ => None,
    }
}

/// Whether a window can still be split.
pub fn is_divisible(window: Interval) -> bool {
    window.seconds() > 1
}

/// The bounds to ask for a window: from one second before it, up to its end.
///
/// Whether the service includes its bounds is not documented. Asked like this, every second of the
/// window is inside under each of the four readings, and neighbours share their boundary seconds.
pub fn bounds(window: Interval) -> (Timestamp, Timestamp) {
    (window.begin() - Duration::from_secs(1), window.end())
}

/// What to do with a window whose walk proved nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Walk it again.
    WalkAgain,
    /// Walk it in windows of the density that its first page announced.
    Shorten,
    /// Walk its halves: a window that fits one page is one answer and cannot drift.
    Halve,
    /// Leave it unproven.
    GiveUp,
}

/// After so many walks in a row that proved nothing, more of them will not help: no window of a
/// list that can be proven at all takes a sixth of it, from a month down to a second. What is left
/// is walked once and called unproven, so that a service whose lists do not hold together is not
/// asked for every second of a month.
pub const MOST_IN_VAIN: u32 = 400;

/// After so many walks in a row, each to the end of a list that contradicted the service's count or
/// its word that more follows, that word is taken to be wrong everywhere, and no window is walked
/// again or halved for it. A month is halved to less than three minutes by then: one record that is
/// counted and never shown keeps no more than that unproven.
///
/// A service whose word is always wrong costs a function no more than this many walks a run, one
/// for each half that is left of a window, as many at most, and one for each window of the rest.
pub const MOST_CONTRADICTED: u32 = 16;

/// So many walks of a function may hold what could not be read, before no window is halved for it
/// any more in a run. A single such entry takes some 25 of them, from a month down to the second
/// and its neighbours that it keeps unproven; where they are many, later runs go on.
pub const MOST_UNREADABLE: u32 = 300;

/// So many in a row may hold nothing that can be read: where no half of a window can, no half of
/// the next can. What stands in the place of a page of records is left alone by then.
const MOST_UNREAD_IN_A_ROW: u32 = 8;

/// Walks that proved nothing, since a window that held records was proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InVain {
    walks: u32,
    /// Those of them that contradicted the service's count.
    contradicted: u32,
    /// Walks of the run that held what could not be read, and those since a record was read.
    unreadable: u32,
    unread_in_a_row: u32,
}

impl InVain {
    /// Counts a walk that proved nothing.
    pub fn add(&mut self, doubt: Doubt) {
        self.walks += 1;
        self.contradicted += u32::from(doubt.is_contradiction());
        self.unreadable += u32::from(doubt.is_of_reading());
        self.unread_in_a_row = match doubt {
            Doubt::NothingRead => self.unread_in_a_row + 1,
            Doubt::Unreadable => 0,
            _ => self.unread_in_a_row,
        };
    }

    /// Whether so much could not be read that halves are not worth their requests.
    fn is_unreadable(self) -> bool {
        self.unreadable >= MOST_UNREADABLE || self.unread_in_a_row >= MOST_UNREAD_IN_A_ROW
    }

    /// A window was proven. One without records says nothing about how the lists of others hold
    /// together.
    pub fn end_with(&mut self, records: u64) {
        if records > 0 {
            *self = Self { unreadable: self.unreadable, ..Self::default() };
        }
    }
}

/// Whether a density may say how long windows are, after `in_vain` walks in a row that proved
/// nothing. A service that counts the same billions in every second would otherwise be asked for
/// each of a month's seconds; what no second can show is then taken for a mistake of its count.
pub fn may_size(density: Density, in_vain: InVain) -> bool {
    in_vain.walks < MOST_IN_VAIN || density.0 < RESULT_CAP as f64
}

/// Chooses the remedy after `walks` walks of the window in vain, the last of which `in_vain` counts
/// already.
pub fn remedy(doubt: Doubt, window: Interval, walks: u32, in_vain: InVain) -> Remedy {
    match doubt {
        _ if in_vain.walks >= MOST_IN_VAIN => Remedy::GiveUp,
        _ if doubt.is_contradiction() && in_vain.contradicted >= MOST_CONTRADICTED => {
            Remedy::GiveUp
        }
        Doubt::Capped if is_divisible(window) => Remedy::Shorten,
        Doubt::Capped => Remedy::GiveUp,
        // The second walk tells whether one answer alone was spoilt.
        _ if doubt.is_of_reading() && walks < WALKS_TO_READ => Remedy::WalkAgain,
        _ if doubt.is_of_reading() && in_vain.is_unreadable() => Remedy::GiveUp,
        _ if doubt.is_of_reading() => split(window),
        // The second walk tells whether the list moved or the service's word is wrong; halves are
        // walked anew in any case.
        _ if doubt.is_contradiction() && (walks > 1 || in_vain.contradicted > 2) => split(window),
        _ if walks < WALKS_BEFORE_SPLIT => Remedy::WalkAgain,
        _ => split(window),
    }
}

fn split(window: Interval) -> Remedy {
    if is_divisible(window) { Remedy::Halve } else { Remedy::GiveUp }
}

/// Windows of a list that reaches the cap must become shorter, even where no density could be told.
pub fn shortened(window: Interval, density: Option<Density>) -> Density {
    // Half the window at most, so that shortening always ends.
    let least = Density(2.0 * TARGET_RECORDS / window.seconds() as f64);
    density.map_or(least, |density| Density(density.0.max(least.0)))
}

/// What a proven walk lets the ledger say of its window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Too old for the service to show it for certain: what is missing there cannot be had any
    /// more.
    pub lost: Option<Interval>,
    /// Old enough when the walk began: no walk of it is needed any more.
    pub settled: Option<Interval>,
    /// Complete as of the walk; records may still arrive late.
    pub proven: Option<Interval>,
    /// Nothing is said of it: the clocks disagree on whether the service still showed it.
    pub disputed: Option<Interval>,
    /// Nothing is said of it: by one of the clocks it had not happened yet.
    pub future: Option<Interval>,
}

/// Which part of a window a walk is believed of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Belief {
    /// What came before is lost.
    pub lost_until: Timestamp,
    /// From here on the service certainly showed what happened.
    pub from: Timestamp,
}

/// The claims of a proven walk that began at `began_at`, by the earlier of the clocks.
///
/// Nothing is claimed of the time from `began_at` on, whatever was asked.
pub fn claims(
    window: Interval,
    belief: Belief,
    began_at: Timestamp,
    settle_delay: Duration,
) -> Claims {
    let split =
        |part: Option<Interval>, at: Timestamp| part.map_or((None, None), |part| part.split_at(at));
    let (past, future) = window.split_at(began_at);
    let (lost, rest) = split(past, belief.lost_until);
    let (disputed, shown) = split(rest, belief.from.max(belief.lost_until));
    let (settled, proven) = split(shown, began_at - settle_delay);
    Claims { lost, settled, proven, disputed, future }
}

/// A lane costs about one request more than its full pages, and this many pages make that little.
const PAGES_A_LANE: u64 = 50;

/// In how many lanes to walk ranges of this density, whose pages hold so many records.
pub fn lanes(ranges: &[Interval], density: Density, page: u64) -> usize {
    let records =
        ranges.iter().map(|&range| density.expected_in(range)).fold(0, u64::saturating_add);
    usize::try_from(records / (page.max(1) * PAGES_A_LANE)).unwrap_or(usize::MAX).max(1)
}

/// Ranges in parts of about the same length, each in order of time.
pub fn in_parts(ranges: &[Interval], parts: usize) -> Vec<Vec<Interval>> {
    let seconds: i64 = ranges.iter().map(|range| range.seconds()).sum();
    let a_part = Duration::from_secs(seconds.unsigned_abs().div_ceil(parts.max(1) as u64).max(1));
    let (mut done, mut part, mut room) = (Vec::new(), Vec::new(), a_part);
    for &range in ranges {
        let mut rest = Some(range);
        while let Some(range) = rest {
            let (first, later) = range.split_at(range.begin() + room);
            room -= first.map_or(Duration::ZERO, Interval::duration);
            part.extend(first);
            rest = later;
            if room.is_zero() {
                done.push(std::mem::take(&mut part));
                room = a_part;
            }
        }
    }
    done.extend((!part.is_empty()).then_some(part));
    done
}

/// The fewest walks that can cover a range.
pub fn least_walks(range: Interval) -> u64 {
    range.seconds().unsigned_abs().div_ceil(MAX_WINDOW.as_secs())
}

/// About how many requests `records` records take: their pages, and for each window one that
/// confirms where its list ends, as a service needs it whose last page points on.
pub fn requests_for(records: u64, limit: u32) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive whole number"
    )]
    let windows = records.div_ceil(TARGET_RECORDS as u64);
    pages_for(records, limit) + windows
}

/// The most requests a walk of `records` records needs, for an estimate.
pub fn pages_for(records: u64, limit: u32) -> u64 {
    let stride = u64::from(limit).saturating_sub(1).max(1);
    let walks = records.div_ceil(RESULT_CAP).max(1);
    records.saturating_sub(1).div_ceil(stride).max(walks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix(second)
    }

    fn range(begin: i64, length: i64) -> Interval {
        Interval::new(at(begin), at(begin + length)).unwrap()
    }

    const DAY: i64 = 86_400;

    #[test]
    fn a_window_of_several_pages_ends_where_records_may_still_arrive() {
        let window = range(0, 1_000);
        let cut = |density| cut_at_settled(window, density, at(900), 500);
        assert_eq!(cut(Some(Density(1.0))), range(0, 900));
        assert_eq!(cut(Some(Density(0.5))), window, "one page is one answer, and cannot drift");
        assert_eq!(cut(None), window, "the first answer tells");
        assert_eq!(cut_at_settled(window, Some(Density(1.0)), at(2_000), 500), window);
    }

    #[test]
    fn a_count_that_no_second_can_hold_sizes_no_window_for_long() {
        let second = Interval::new(Timestamp::from_unix(0), Timestamp::from_unix(1)).unwrap();
        for counted in [RESULT_CAP, 1_000_000_001, u64::MAX] {
            let density = Density::of(counted, second);
            let [before, then] =
                [MOST_IN_VAIN - 1, MOST_IN_VAIN].map(|walks| after(Doubt::Capped, walks));
            assert!(may_size(density, before) && !may_size(density, then), "{counted}");
        }
        assert!(may_size(Density::of(RESULT_CAP - 1, second), after(Doubt::Capped, MOST_IN_VAIN)));
    }

    proptest! {
        /// Whatever is settled and however dense it is believed to be: the windows of what is
        /// pending tile it.
        #[test]
        fn windows_tile_what_is_pending(
            settled in prop::collection::vec((0i64..100 * DAY, 1i64..20 * DAY), 0..6),
            densities in prop::collection::vec(prop::option::of(0.0f64..0.1), 1..8),
            longest in 1i64..60 * DAY,
        ) {
            let horizon = range(0, 90 * DAY);
            let done: IntervalSet =
                settled.iter().map(|&(begin, length)| range(begin, length)).collect();
            let longest = Duration::from_secs(longest.max(DAY / 4).unsigned_abs());
            let mut walked = done.clone();
            let mut densities = densities.into_iter().cycle();
            for gap in pending(horizon, &done) {
                let mut rest = Some(gap);
                while let Some(left) = rest {
                    let density = densities.next().flatten().map(Density);
                    let window = next_window(left, density, longest);
                    prop_assert_eq!(window.begin(), left.begin());
                    prop_assert!(
                        left.covers(window)
                            && window.duration() <= longest.min(MAX_WINDOW)
                    );
                    prop_assert!(walked.gaps_in(window) == [window], "no second is in two windows");
                    walked.insert(window);
                    rest = left.split_at(window.end()).1;
                }
            }
            prop_assert!(walked.gaps_in(horizon).is_empty());
        }

        /// Parts hold every second once, in order, and none is much longer than another.
        #[test]
        fn parts_tile_their_ranges(
            lengths in prop::collection::vec((1i64..50, 1i64..50), 1..6),
            parts in 1usize..8,
        ) {
            let mut from = 0;
            let ranges: Vec<Interval> = lengths
                .iter()
                .map(|&(gap, length)| {
                    from += gap + length;
                    range(from - length, length)
                })
                .collect();
            let parted = in_parts(&ranges, parts);
            prop_assert!(parted.len() <= parts && parted.iter().all(|part| !part.is_empty()));
            let pieces: Vec<Interval> = parted.iter().flatten().copied().collect();
            prop_assert!(pieces.windows(2).all(|pair| pair[0].end() <= pair[1].begin()));
            let seconds = |part: &[Interval]| part.iter().map(|range| range.seconds()).sum::<i64>();
            prop_assert_eq!(
                pieces.iter().copied().collect::<IntervalSet>(),
                ranges.iter().copied().collect()
            );
            prop_assert_eq!(seconds(&pieces), seconds(&ranges));
            let longest = seconds(&ranges).unsigned_abs().div_ceil(parts as u64);
            prop_assert!(parted.iter().all(|part| seconds(part).unsigned_abs() <= longest));
        }

        /// Every second of a window is selected under each of the four readings of its bounds.
        #[test]
        fn bounds_select_every_second(begin in 0i64..1_000, length in 1i64..50) {
            let window = range(begin, length);
            let (low, high) = bounds(window);
            for second in (begin..begin + length).map(at) {
                prop_assert!(low < second && second < high);
            }
            prop_assert_eq!(high, window.end(), "no window asks beyond its end");
        }

        /// What a walk lets the ledger say covers nothing outside its window, nothing twice,
        /// nothing from its beginning on, and nothing as settled that it came too early or too late
        /// for.
        #[test]
        fn claims_are_parts_of_the_past(
            begin in 0i64..500,
            length in 1i64..500,
            lost_until in 0i64..1_000,
            doubt in 0i64..300,
            began in 0i64..1_000,
            delay in 0u64..300,
        ) {
            let window = range(begin, length);
            let delay = Duration::from_secs(delay);
            let from = lost_until + doubt;
            let belief = Belief { lost_until: at(lost_until), from: at(from) };
            let Claims { lost, settled, proven, disputed, future } =
                claims(window, belief, at(began), delay);
            for second in 0..1_200 {
                let [lost, settled, proven, disputed, future] =
                    [lost, settled, proven, disputed, future]
                        .map(|part| part.is_some_and(|part| part.contains(at(second))));
                let is_inside = window.contains(at(second));
                let is_past = is_inside && second < began;
                let is_old = at(second) < at(began) - delay;
                prop_assert_eq!(lost, is_past && second < lost_until);
                prop_assert_eq!(disputed, is_past && (lost_until..from).contains(&second));
                prop_assert_eq!(settled, is_past && second >= from && is_old);
                prop_assert_eq!(proven, is_past && second >= from && !is_old);
                prop_assert_eq!(future, is_inside && second >= began);
            }
        }

        /// A window is cut inside itself and after what was seen, however wrong the totals are.
        #[test]
        fn a_cut_keeps_what_was_seen(
            length in 1i64..100_000,
            until in 0i64..120_000,
            total in 0u64..20_000,
            seen in 0u64..20_000,
            stride in 0u64..500,
        ) {
            let window = range(0, length);
            if let Some(Trimmed { window: cut, .. }) =
                trimmed(window, Prefix { total, seen, until: at(until), stride })
            {
                prop_assert!(window.covers(cut) && cut != window && cut.begin() == window.begin());
                prop_assert!(at(until) < cut.end());
            }
        }

        /// Splitting ends at single seconds that tile the window, and shortening at half of it.
        #[test]
        fn splitting_ends(begin in 0i64..1_000, length in 1i64..100_000) {
            let window = range(begin, length);
            match halves(window) {
                Some((first, second)) => {
                    prop_assert!(is_divisible(window) && first.end() == second.begin());
                    prop_assert_eq!((first.begin(), second.end()), (window.begin(), window.end()));
                    let shorter = next_window(window, Some(shortened(window, None)), MAX_WINDOW);
                    prop_assert!(shorter.seconds() <= (window.seconds() / 2).max(1));
                }
                None => prop_assert!(!is_divisible(window)),
            }
        }
    }

    #[test]
    fn a_walk_in_vain_is_repeated_then_split_then_given_up() {
        let (long, second) = (range(0, 60), range(0, 1));
        let remedies: Vec<_> = (1..=4)
            .map(|walks| remedy(Doubt::SeamBroken, long, walks, after(Doubt::SeamBroken, walks)))
            .collect();
        assert_eq!(remedies, [Remedy::WalkAgain, Remedy::WalkAgain, Remedy::Halve, Remedy::Halve]);
        assert_eq!(remedy(Doubt::Repeated, second, 3, after(Doubt::Repeated, 3)), Remedy::GiveUp);
        let capped = after(Doubt::Capped, 1);
        assert_eq!(
            (remedy(Doubt::Capped, long, 1, capped), remedy(Doubt::Capped, second, 1, capped)),
            (Remedy::Shorten, Remedy::GiveUp)
        );
    }

    /// That many walks in vain.
    fn after(doubt: Doubt, walks: u32) -> InVain {
        let mut in_vain = InVain::default();
        (0..walks).for_each(|_| in_vain.add(doubt));
        in_vain
    }

    #[test]
    fn a_window_that_held_nothing_does_not_vouch_for_the_lists_of_others() {
        let mut in_vain = after(Doubt::CountDiffers, MOST_CONTRADICTED);
        in_vain.end_with(0);
        assert_eq!(remedy(Doubt::CountDiffers, range(0, 60), 1, in_vain), Remedy::GiveUp);
        in_vain.end_with(1);
        in_vain.add(Doubt::CountDiffers);
        assert_eq!(remedy(Doubt::CountDiffers, range(0, 60), 1, in_vain), Remedy::WalkAgain);
    }

    /// Records lie everywhere and each window that holds some counts one too many; those that hold
    /// none are proven.
    #[test]
    fn a_count_that_is_always_wrong_is_not_asked_for_every_second() {
        let month = range(0, 30 * DAY);
        let (mut pieces, mut in_vain, mut walked, mut empty) =
            (vec![(month, 0)], InVain::default(), 0, 0);
        while let Some((window, walks)) = pieces.pop() {
            let holds_some = (0..50).any(|record| window.contains(at(record * 50_000 + 17)));
            walked += 1;
            if !holds_some {
                in_vain.end_with(0);
                empty += 1;
                continue;
            }
            in_vain.add(Doubt::CountDiffers);
            match remedy(Doubt::CountDiffers, window, walks + 1, in_vain) {
                Remedy::WalkAgain => pieces.push((window, walks + 1)),
                Remedy::Halve | Remedy::Shorten => {
                    let (first, second) = halves(window).unwrap();
                    pieces.extend([(second, 0), (first, 0)]);
                }
                Remedy::GiveUp => {}
            }
        }
        assert!(
            walked <= 2 * MOST_CONTRADICTED && empty > 3,
            "{walked} walks, {empty} of them of nothing"
        );
    }

    #[test]
    fn a_record_that_is_counted_and_never_shown_keeps_few_minutes_unproven() {
        let (mut window, mut walks, mut in_vain) = (range(0, 30 * DAY), 0, InVain::default());
        loop {
            in_vain.add(Doubt::CountDiffers);
            match remedy(Doubt::CountDiffers, window, walks + 1, in_vain) {
                Remedy::WalkAgain => walks += 1,
                Remedy::Halve | Remedy::Shorten => (window, walks) = (halves(window).unwrap().0, 0),
                Remedy::GiveUp => break,
            }
        }
        assert!(window.seconds() <= 180, "{window}");
    }

    /// Down to a second and up again, one window after the other, with every walk in vain.
    #[test]
    fn a_list_that_never_holds_together_is_given_up() {
        let mut pieces = vec![(
            Interval::new(Timestamp::from_unix(0), Timestamp::from_unix(0) + MAX_WINDOW).unwrap(),
            0,
        )];
        let (mut in_vain, mut longest_way_to_a_second) = (InVain::default(), 0);
        while let Some((window, walks)) = pieces.pop() {
            in_vain.add(Doubt::SeamBroken);
            match remedy(Doubt::SeamBroken, window, walks + 1, in_vain) {
                Remedy::WalkAgain => pieces.push((window, walks + 1)),
                Remedy::Halve | Remedy::Shorten => {
                    let (first, second) = halves(window).unwrap();
                    pieces.extend([(second, 0), (first, 0)]);
                }
                Remedy::GiveUp if longest_way_to_a_second == 0 => {
                    longest_way_to_a_second = in_vain.walks;
                }
                Remedy::GiveUp => {}
            }
        }
        assert!(6 * longest_way_to_a_second <= MOST_IN_VAIN + 6, "{longest_way_to_a_second}");
        assert!(in_vain.walks < MOST_IN_VAIN + 30, "{in_vain:?}");
    }
}
