//! One walk: which page to ask next, when the listing has ended, and whether what was seen is the whole of it.
//!
//! `marker` is an offset into a list that may move while it is paged. Each next page is asked one entry early,
//! so that the last entry of a page opens the next one: a seam. Entries that slide away between two pages break
//! a seam; entries that trade places leave the seams whole and show as a repeated entry. What the service says
//! about the list (`count`, `next_marker`) is read in every way its documentation leaves open.

use crate::domain::{EntryKey, Marker, Page};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;

/// Where the service is suspected to stop handing out records without saying so: the default cap of a
/// log query in the store behind it (vendor's page LTS-0719). A walk that comes this far proves nothing.
pub const RESULT_CAP: u64 = 5_000;

/// Caps are round numbers. A list whose length is a multiple of this is suspected to be cut off, and its window is split:
/// one window in five hundred costs a request for nothing, and a cap that nobody documented loses no record.
const ROUND: u64 = 500;

/// No walk asks more pages: a dense second with tiny pages stays below, a service that always has one more page ends here.
pub const MAX_PAGES: usize = 10_000;

/// Why a walk is believed whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The service's count equals what was seen, in one answer that had no seams.
    Count,
    /// Every seam held and nothing came twice; the service gave no total.
    Seams,
    /// Both: the count stood still from first to last page and equals the distinct entries, and every seam held.
    Both,
}

/// Why a walk is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The entry that closed one page did not open the next.
    SeamBroken,
    /// The total changed while the list was paged.
    CountChanged,
    /// Fewer or more distinct entries came than the service counts.
    CountDiffers,
    /// An entry came twice in a list of several pages: another may be missing in its place.
    Repeated,
    /// The list reaches the suspected cap, so that its end may be cut off.
    Capped,
    /// More pages than any list of that length can have.
    Endless,
}

/// In words, after "could not be proven complete:".
impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SeamBroken => "the list moved between two of its pages",
            Self::CountChanged => "the service's count changed while the list was paged",
            Self::CountDiffers => "the service counts more or fewer records than it shows",
            Self::Repeated => "a record came twice, so another may be missing",
            Self::Capped => "the list reaches the 5,000 records at which the service may cut it off",
            Self::Endless => "the list has no end",
        })
    }
}

/// What to do next with a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask these pages; they may be asked side by side.
    Ask(Vec<Marker>),
    /// Pages are under way; nothing more can be said yet.
    Wait,
    /// The walk is over.
    Over(Result<Proof, Doubt>),
}

/// What earlier pages of the run taught about how the service fills its answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Habits {
    /// The longest page ever seen: a shorter one was not cut short by the service's own page size.
    pub longest_page: u64,
    /// Whether `count` was ever seen to be more than the length of its page.
    pub count_is_total: bool,
}

impl Habits {
    /// Learns from a page.
    pub fn learn(&mut self, page: &Page) {
        self.longest_page = self.longest_page.max(page.length());
        self.count_is_total |= page.count.is_some_and(|count| count > page.length());
    }

    /// What both taught.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            longest_page: self.longest_page.max(other.longest_page),
            count_is_total: self.count_is_total || other.count_is_total,
        }
    }
}

/// Whether a list of this length looks cut off.
pub(super) fn is_suspicious(length: u64) -> bool {
    length >= RESULT_CAP || is_round(length)
}

/// Whether a length could be somebody's idea of a limit.
pub(super) fn is_round(length: u64) -> bool {
    length > 0 && length.is_multiple_of(ROUND)
}

/// What is kept of a page.
#[derive(Clone, Debug)]
struct Seen {
    first: Option<EntryKey>,
    last: Option<EntryKey>,
    length: u64,
    count: Option<u64>,
    next_marker: Option<Marker>,
}

/// How the service's `count` has to be read on this walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Count {
    /// A total, the same on every page.
    Total(u64),
    /// Totals that differ.
    Moving,
    /// Absent, or no more than the length of each page: it says nothing about the list.
    Silent,
}

/// A walk under way.
#[derive(Debug)]
pub struct Walk {
    habits: Habits,
    pages: BTreeMap<u64, Seen>,
    under_way: BTreeSet<u64>,
    keys: HashSet<EntryKey>,
    asked: usize,
    /// Whether the window can be split, so that a list that looks cut off proves nothing.
    divisible: bool,
    /// How many of the first pages were asked for a longer window: their counts say nothing about this one.
    of_longer_window: usize,
    /// How many entries to expect until a page of this window tells.
    expected: Option<u64>,
}

impl Walk {
    /// A walk that has asked nothing. `divisible` says that the window can still be split, so that reaching the cap ends the walk.
    pub fn new(habits: Habits, divisible: bool) -> Self {
        Self {
            habits,
            pages: BTreeMap::new(),
            under_way: BTreeSet::new(),
            keys: HashSet::new(),
            asked: 0,
            divisible,
            of_longer_window: 0,
            expected: None,
        }
    }

    /// How many pages were answered.
    pub fn pages(&self) -> u64 {
        self.pages.len() as u64
    }

    /// How many distinct entries were seen.
    pub fn distinct(&self) -> u64 {
        self.keys.len() as u64
    }

    /// The keys of the distinct entries that were seen.
    pub fn into_keys(self) -> HashSet<EntryKey> {
        self.keys
    }

    /// The total the service reported, where it is one that stood still.
    ///
    /// An entry that one answer holds twice is one entry: the repetition is taken off the count of a list of one page.
    pub fn reported(&self) -> Option<u64> {
        let repeated = if self.pages.len() == 1 { self.reach() - self.distinct() } else { 0 };
        match self.count() {
            Count::Total(total) => Some(total.saturating_sub(repeated)),
            Count::Moving | Count::Silent => None,
        }
    }

    /// How many entries were seen from the start without a hole, when no page is under way.
    pub fn prefix(&self) -> Option<u64> {
        self.under_way.is_empty().then(|| self.reach())
    }

    /// Takes in an answer.
    pub fn take(&mut self, marker: Marker, page: &Page) {
        self.habits.learn(page);
        self.under_way.remove(&marker.0);
        self.keys.extend(&page.keys);
        let seen = Seen {
            first: page.keys.first().copied(),
            last: page.keys.last().copied(),
            length: page.length(),
            count: page.count,
            next_marker: page.next_marker,
        };
        self.pages.insert(marker.0, seen);
    }

    /// Goes on with a shorter window whose list begins as this one does, and holds `expected` entries, if that can be told.
    ///
    /// The counts so far were of the longer window and count no more. The entries do: the shorter list is the longer one
    /// without some entries, so if any that were seen are among those, the entry that closes the last page has moved up
    /// and does not open the next one.
    pub fn narrow(&mut self, expected: Option<u64>) {
        self.of_longer_window = self.pages.len();
        self.expected = expected;
    }

    /// Decides what comes next; pages it names are from then on under way.
    pub fn step(&mut self) -> Step {
        if let Some(doubt) = self.doubt_so_far() {
            return Step::Over(Err(doubt));
        }
        if self.under_way.is_empty() {
            self.forget_behind_hole();
        }
        let wanted = self.wanted();
        if !wanted.is_empty() {
            if self.asked + wanted.len() > MAX_PAGES {
                return Step::Over(Err(Doubt::Endless));
            }
            self.asked += wanted.len();
            self.under_way.extend(wanted.iter().map(|marker| marker.0));
            return Step::Ask(wanted);
        }
        if self.under_way.is_empty() { Step::Over(self.verdict()) } else { Step::Wait }
    }

    /// What already rules a proof out, so that no further page is asked for nothing.
    fn doubt_so_far(&self) -> Option<Doubt> {
        let broken = self.neighbours().any(|(_, before, _, after)| before.last != after.first);
        let pages_of_one = self.reach() == 1 && self.pages.get(&1).is_some_and(|behind| behind.length > 0);
        if broken || pages_of_one {
            return Some(Doubt::SeamBroken);
        }
        match self.count() {
            Count::Moving => return Some(Doubt::CountChanged),
            Count::Total(total) if self.divisible && is_suspicious(total) => return Some(Doubt::Capped),
            Count::Total(_) | Count::Silent => {}
        }
        (self.divisible && self.reach() >= RESULT_CAP).then_some(Doubt::Capped)
    }

    /// The pages to ask now: all that a total leaves open, or else the one after the last.
    fn wanted(&self) -> Vec<Marker> {
        if !self.under_way.is_empty() {
            return Vec::new();
        }
        if self.pages.is_empty() {
            return vec![Marker(0)];
        }
        let narrowed_just_now = self.pages.len() == self.of_longer_window;
        match self.count() {
            Count::Total(total) if self.reach() >= total => Vec::new(),
            Count::Total(total) => self.up_to(total),
            _ if narrowed_just_now => self.expected.map_or_else(|| self.following(), |expected| self.up_to(expected)),
            _ if self.has_ended() => Vec::new(),
            _ => self.following(),
        }
    }

    /// Drops pages that no chain of seams reaches, which happens when a page in the middle comes shorter than its
    /// neighbours; they are asked again from the hole on.
    fn forget_behind_hole(&mut self) {
        let reach = self.reach();
        self.pages.retain(|&marker, page| marker < reach.max(1) || (marker == reach && page.length == 0));
    }

    /// Every further page of a list of `total` entries, which comes in pages as long as the first.
    fn up_to(&self, total: u64) -> Vec<Marker> {
        let stride = self.pages.get(&0).map_or(0, |first| first.length.saturating_sub(1));
        let next = self.following();
        // A page of one entry leaves nothing to overlap with and go on.
        let (Some(next), true) = (next.first(), stride > 0) else { return next };
        // A total is the service's word, and no size: no walk asks more pages than this.
        let further = (total.saturating_sub(next.0 + 2) / stride).min(MAX_PAGES as u64);
        (0..=further).map(|page| Marker(next.0 + page * stride)).collect()
    }

    /// The page after what was reached without a hole, one entry early; none where the last page there brought nothing new.
    ///
    /// A first page of one entry leaves nothing to overlap with: that the list ends there is seen by asking behind it.
    fn following(&self) -> Vec<Marker> {
        let next = match self.reach() {
            1 => 1,
            reach => reach.saturating_sub(1),
        };
        if next == 0 || self.pages.contains_key(&next) { Vec::new() } else { vec![Marker(next)] }
    }

    /// Whether a list without a total has ended, as far as page length and `next_marker` agree.
    fn has_ended(&self) -> bool {
        let Some((&marker, last)) = self.pages.iter().next_back() else { return false };
        let points_on = last.next_marker.is_some_and(|next| next.0 > marker);
        let short = last.length < self.habits.longest_page;
        let counted = self.habits.count_is_total && last.count == Some(last.length) && marker == 0;
        last.length == 0 || counted || (short && !points_on)
    }

    /// How many entries were reached from the start by a chain of pages that each share one entry with the next.
    fn reach(&self) -> u64 {
        self.pages.iter().fold(0, |reach, (&marker, page)| {
            if marker == 0 || marker + 1 == reach { reach.max(marker + page.length) } else { reach }
        })
    }

    /// Neighbouring pages that were asked to share one entry.
    fn neighbours(&self) -> impl Iterator<Item = (u64, &Seen, u64, &Seen)> {
        let next = self.pages.iter().skip(1);
        self.pages
            .iter()
            .zip(next)
            .map(|((&here, before), (&there, after))| (here, before, there, after))
            .filter(|(here, before, there, _)| here + before.length == there + 1)
    }

    fn count(&self) -> Count {
        let counted = || self.pages.values().skip(self.of_longer_window);
        let mut counts = counted().map(|page| page.count);
        let Some(Some(first)) = counts.next() else { return Count::Silent };
        let says_nothing = counted().all(|page| page.count.is_none_or(|count| count == page.length));
        if says_nothing && !(self.pages.len() == 1 && self.habits.count_is_total) {
            return Count::Silent;
        }
        if counts.all(|count| count == Some(first)) { Count::Total(first) } else { Count::Moving }
    }

    /// Whether the whole list was seen, now that nothing is left to ask.
    fn verdict(&self) -> Result<Proof, Doubt> {
        // Where no entry was left to share, a window that was narrowed has shown nothing of its own.
        if self.of_longer_window > 0 && self.pages.len() <= self.of_longer_window {
            return Err(Doubt::SeamBroken);
        }
        let reach = self.reach();
        let single = self.effective_pages() <= 1;
        if !single && self.distinct() != reach {
            return Err(Doubt::Repeated);
        }
        match self.count() {
            Count::Moving => Err(Doubt::CountChanged),
            Count::Total(total) if total != reach => Err(Doubt::CountDiffers),
            Count::Total(RESULT_CAP) => Err(Doubt::Capped),
            Count::Total(_) if single => Ok(Proof::Count),
            Count::Total(_) => Ok(Proof::Both),
            Count::Silent if reach >= RESULT_CAP => Err(Doubt::Capped),
            Count::Silent if self.divisible && is_suspicious(reach) => Err(Doubt::Capped),
            Count::Silent if self.pages.get(&0).is_some_and(|page| single && page.count == Some(page.length)) => {
                Ok(Proof::Count)
            }
            Count::Silent => Ok(Proof::Seams),
        }
    }

    /// The pages that brought something: one that only confirms the end is no second answer to be held against the first.
    fn effective_pages(&self) -> usize {
        self.pages.iter().filter(|(marker, page)| **marker == 0 || page.length > 1).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Entry, Invocation, RecordTime, RequestId, Status, Timestamp};
    use proptest::prelude::*;

    /// What happens to the list between two pages.
    #[derive(Clone, Copy, Debug)]
    enum Event {
        /// A record appears in this second.
        Arrive(i64),
        /// Everything up to the earliest second that is left is forgotten.
        Expire,
        /// Records of the same second trade places.
        Shuffle(u64),
        Nothing,
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            2 => (0i64..30).prop_map(Event::Arrive),
            1 => Just(Event::Expire),
            2 => any::<u64>().prop_map(Event::Shuffle),
            10 => Just(Event::Nothing),
        ]
    }

    #[derive(Clone, Copy, Debug)]
    enum CountReading {
        Total,
        PageLength,
        Absent,
    }

    #[derive(Clone, Copy, Debug)]
    enum LastMarker {
        Zero,
        Same,
        Onward,
        Absent,
    }

    /// How the service is to be read.
    #[derive(Clone, Copy, Debug)]
    struct Readings {
        count: CountReading,
        last_marker: LastMarker,
        always_absent: bool,
        newest_first: bool,
        page_cap: usize,
        result_cap: usize,
    }

    fn readings() -> impl Strategy<Value = Readings> {
        let count = prop_oneof![Just(CountReading::Total), Just(CountReading::PageLength), Just(CountReading::Absent)];
        let last_marker = prop_oneof![
            Just(LastMarker::Zero),
            Just(LastMarker::Same),
            Just(LastMarker::Onward),
            Just(LastMarker::Absent)
        ];
        let caps = (1usize..12, prop_oneof![4 => Just(usize::MAX), 1 => Just(500)]);
        (count, last_marker, any::<bool>(), any::<bool>(), caps).prop_map(
            |(count, last_marker, always_absent, newest_first, (page_cap, result_cap))| Readings {
                count,
                last_marker,
                always_absent,
                newest_first,
                page_cap,
                result_cap,
            },
        )
    }

    /// A listing that moves while it is paged.
    struct Listing {
        readings: Readings,
        /// Second, place among its second, and id, in the order of time.
        entries: Vec<(i64, u64, u64)>,
        /// The ids that could be seen all along.
        constant: HashSet<u64>,
        next_id: u64,
        /// Only what began before this is in the window.
        until: i64,
    }

    impl Listing {
        fn new(readings: Readings, seconds: &[i64]) -> Self {
            let mut entries: Vec<_> = (0u64..).zip(seconds).map(|(id, &second)| (second, id, id)).collect();
            entries.sort_unstable();
            let constant = entries.iter().map(|entry| entry.2).collect();
            Self { readings, entries, constant, next_id: seconds.len() as u64, until: i64::MAX }
        }

        fn happen(&mut self, event: Event) {
            match event {
                Event::Arrive(second) => {
                    self.entries.push((second, self.next_id, self.next_id));
                    self.next_id += 1;
                }
                Event::Expire => {
                    let earliest = self.entries.iter().map(|entry| entry.0).min();
                    for entry in self.entries.extract_if(.., |entry| Some(entry.0) == earliest) {
                        self.constant.remove(&entry.2);
                    }
                }
                Event::Shuffle(seed) => {
                    for entry in &mut self.entries {
                        entry.1 = (entry.2 ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17);
                    }
                }
                Event::Nothing => {}
            }
            self.entries.sort_unstable();
        }

        fn page(&self, marker: Marker) -> Page {
            let mut ids: Vec<_> =
                self.entries.iter().filter(|entry| entry.0 < self.until).map(|entry| (entry.0, entry.2)).collect();
            if self.readings.newest_first {
                ids.reverse();
            }
            let from = usize::try_from(marker.0).unwrap();
            let handed_out = &ids[..ids.len().min(self.readings.result_cap)];
            let rest = handed_out.get(from..).unwrap_or_default();
            let shown = &rest[..rest.len().min(self.readings.page_cap)];
            let mut page = Page::from_entries(shown.iter().map(|&(second, id)| Entry::Record(record(second, id))));
            page.count = match self.readings.count {
                CountReading::Total => Some(handed_out.len() as u64),
                CountReading::PageLength => Some(shown.len() as u64),
                CountReading::Absent => None,
            };
            let onward = (from + shown.len()) as u64;
            page.next_marker = match self.readings.last_marker {
                _ if self.readings.always_absent => None,
                _ if shown.len() < rest.len() => Some(onward),
                LastMarker::Zero => Some(0),
                LastMarker::Same => Some(marker.0),
                LastMarker::Onward => Some(onward),
                LastMarker::Absent => None,
            }
            .map(Marker);
            page
        }
    }

    fn record(second: i64, id: u64) -> Invocation {
        Invocation {
            request_id: RequestId::new(format!("r{id}")).unwrap(),
            status: Status::Success,
            error_code: None,
            error_message: None,
            start_time: Some(RecordTime::At(Timestamp::from_unix(second))),
            end_time: None,
            extra: None,
        }
    }

    /// A walk of the listing, with things happening before every page, and pages of one step answered in any order.
    struct Course {
        verdict: Result<Proof, Doubt>,
        seen: HashSet<EntryKey>,
        asked: usize,
    }

    /// Walks; after `cut.0` pages the window is cut at the second `cut.1`, where what was seen lets it be.
    fn walk(listing: &mut Listing, divisible: bool, events: &[Event], cut: Option<(usize, i64)>) -> Course {
        let mut walk = Walk::new(Habits::default(), divisible);
        let mut events = events.iter().copied();
        let mut starts: BTreeMap<Marker, Vec<i64>> = BTreeMap::new();
        let (mut seen, mut asked) = (HashSet::new(), 0);
        loop {
            let mut markers = match walk.step() {
                Step::Ask(markers) => markers,
                Step::Wait => panic!("nothing is under way"),
                Step::Over(verdict) => return Course { verdict, seen, asked },
            };
            asked += markers.len();
            if markers.len() % 2 == 0 {
                markers.reverse();
            }
            for marker in markers {
                listing.happen(events.next().unwrap_or(Event::Nothing));
                let page = listing.page(marker);
                seen.extend(page.keys.iter().copied());
                let seconds = page.records.iter().filter_map(Invocation::started_at).map(Timestamp::unix).collect();
                starts.insert(marker, seconds);
                walk.take(marker, &page);
            }
            let seen_seconds: Vec<i64> = starts.values().flatten().copied().collect();
            if let Some((pages, until)) = cut
                && listing.until == i64::MAX
                && starts.len() >= pages
                && walk.prefix().is_some_and(|prefix| Some(prefix) < walk.reported())
                && seen_seconds.is_sorted()
                && seen_seconds.last().is_some_and(|&last| last < until)
            {
                listing.until = until;
                walk.narrow(pages.is_multiple_of(2).then_some(listing.entries.len() as u64 / 2));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// However the list moves and the service is to be read: a walk ends, and one that is believed has seen every
        /// record that could be seen from its first page to its last.
        #[test]
        fn a_walk_that_lost_a_record_is_not_believed(
            readings in readings(),
            seconds in prop::collection::vec(0i64..30, 0..90),
            divisible in any::<bool>(),
            events in prop::collection::vec(event(), 0..40),
            cut in prop::option::of((1usize..5, 1i64..30)),
        ) {
            // Pages of one entry share none; no service that takes a limit of 500 has them while it forgets.
            prop_assume!(readings.page_cap > 1 || !events.iter().any(|event| matches!(event, Event::Expire)));
            let mut listing = Listing::new(readings, &seconds);
            let course = walk(&mut listing, divisible, &events, cut);
            prop_assert!(course.asked <= MAX_PAGES);
            if let Ok(proof) = course.verdict {
                let inside = listing.entries.iter().filter(|entry| entry.0 < listing.until);
                for (_, _, id) in inside.filter(|entry| listing.constant.contains(&entry.2)) {
                    let key = EntryKey::of(&format!("r{id}"));
                    prop_assert!(course.seen.contains(&key), "r{id} was never shown, believed by {proof:?}");
                }
            }
        }

        /// A list that stands still is believed at the first walk, at about one request a page.
        #[test]
        fn a_quiet_list_is_believed(
            readings in readings(),
            seconds in prop::collection::vec(0i64..30, 0..90),
        ) {
            prop_assume!(readings.page_cap > 1 && readings.result_cap > 90);
            let mut listing = Listing::new(readings, &seconds);
            let course = walk(&mut listing, true, &[], None);
            prop_assert!(course.verdict.is_ok(), "{:?}", course.verdict);
            let pages = seconds.len().saturating_sub(1).div_ceil(readings.page_cap - 1);
            prop_assert!(course.asked <= pages.max(1) + 1, "{} requests for {pages} pages", course.asked);
        }

        /// What the service counted for the longer window is not held against the shorter one.
        #[test]
        fn a_quiet_list_is_believed_though_its_window_is_cut(
            readings in readings(),
            seconds in prop::collection::vec(0i64..30, 0..90),
            cut in (1usize..5, 1i64..30),
        ) {
            prop_assume!(readings.page_cap > 1 && readings.result_cap > 90);
            let mut listing = Listing::new(readings, &seconds);
            let course = walk(&mut listing, true, &[], Some(cut));
            prop_assert!(course.verdict.is_ok(), "{:?}", course.verdict);
        }
    }

    #[test]
    fn a_list_cut_off_at_a_round_number_is_not_believed() {
        for count in [CountReading::Total, CountReading::PageLength, CountReading::Absent] {
            let readings = Readings {
                count,
                last_marker: LastMarker::Zero,
                always_absent: false,
                newest_first: false,
                page_cap: 100,
                result_cap: 500,
            };
            let mut listing = Listing::new(readings, &[7; 700]);
            assert_eq!(walk(&mut listing, true, &[], None).verdict, Err(Doubt::Capped), "{count:?}");
        }
    }

    #[test]
    fn a_service_that_always_has_one_more_page_ends() {
        let mut walk = Walk::new(Habits::default(), false);
        let mut asked = 0;
        let verdict = loop {
            match walk.step() {
                Step::Ask(markers) => {
                    for marker in markers {
                        asked += 1;
                        let mut page = Page::from_entries([0, 1].map(|next| Entry::Record(record(0, marker.0 + next))));
                        page.next_marker = Some(Marker(marker.0 + 2));
                        walk.take(marker, &page);
                    }
                }
                Step::Wait => panic!("nothing is under way"),
                Step::Over(verdict) => break verdict,
            }
        };
        assert_eq!((verdict, asked), (Err(Doubt::Endless), MAX_PAGES));
    }
}
