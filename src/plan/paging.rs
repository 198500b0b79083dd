//! One walk: which page to ask next, when the listing has ended, and whether what was seen is the
//! whole of it.
//!
//! `marker` is an offset into a list that may move while it is paged. Each next page is asked one
//! entry early, so that the last entry of a page opens the next one: a seam. Entries that slide
//! away between two pages break a seam; entries that trade places leave the seams whole and show as
//! a repeated entry. What the service says about the list (`count`, `next_marker`) is read in every
//! way its documentation leaves open.
//!
//! **When a list has ended.** Pages may hold any number of entries, from one up, and the number may
//! change from page to page, so a short page ends nothing. A list has ended where the answer that
//! closes it does not point on and the service is known to point on where more follows. Anything
//! less has to be confirmed by an empty page at the end:
//! - The empty page counts what was seen, as the page before it did: nothing slid between the two.
//! - Or, without a total, the page one entry early is asked once more and holds exactly the last
//!   entry. Had the list slid before the empty page was served, that entry would be one place
//!   further up. Only two opposite moves within these few requests could hide it.
//!
//! The same two requests join a page that shares no entry with the one before: where pages hold a
//! single entry, there is none to share.

mod verdict;

pub use super::habits::Habits;
pub use super::proof::{Contradiction, Doubt, Proof, RESULT_CAP, Repetition};
use super::proof::{Counted, Earlier, is_round};
use super::seen::{Seen, Tip};
use crate::domain::{EntryKey, Interval, Marker, Page, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// No walk asks more pages: a dense second with tiny pages stays below, a service that always has
/// one more page ends here.
pub const MAX_PAGES: usize = 10_000;

/// How many pages are asked side by side at most: twice the pages of a window of usual size. A
/// total is a number from outside, so it never decides alone how much is asked at once.
const MOST_AT_ONCE: u64 = 16;

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

/// How far the end of the list is confirmed, from answers that came one after the other.
#[derive(Clone, Debug)]
enum End {
    /// Nothing was asked yet to confirm it.
    Open,
    /// A page asked one entry early held only the shared entry.
    Alone,
    /// The page behind what was reached is under way: it shares no entry with the one before.
    Asked,
    /// That page: empty, or entries that no seam joins yet.
    Behind(Seen),
    /// It was refused: some services know no marker behind their list.
    Refused,
    /// Nothing follows.
    Confirmed,
}

/// A walk under way.
#[derive(Debug)]
pub struct Walk {
    habits: Habits,
    /// Whether the window can be split, so that a list that looks cut off proves nothing.
    divisible: bool,
    /// What the walk of the same window before this one came to.
    earlier: Earlier,
    repetition: Repetition,
    under_way: BTreeSet<u64>,
    /// Pages that came, until those asked beside them have come too.
    batch: BTreeMap<u64, Seen>,
    asked: usize,
    answered: u64,
    /// The count and the length of each page of this window.
    counts: Vec<(Option<u64>, u64)>,
    /// The distinct entries of the chain, and when their records began.
    keys: HashSet<EntryKey>,
    starts: Vec<Option<Timestamp>>,
    lasted: Vec<Interval>,
    /// How many entries the chain holds: pages from the start of the list, each joined to the next.
    reach: u64,
    last: Option<EntryKey>,
    /// How many of its records came before, and how many entries cannot be read.
    repeated: u64,
    unreadable: u64,
    /// The keys of those.
    unread: HashSet<EntryKey>,
    /// How many of its pages brought something.
    pages_joined: usize,
    first_length: u64,
    longest: u64,
    tip: Option<Tip>,
    end: End,
    doubt: Option<Doubt>,
    /// Whether a page came shorter than those around it: pages are then asked one after the other.
    is_irregular: bool,
    /// Whether the window was cut and no page of the shorter one has come yet, and how many entries
    /// that one holds, if that can be told.
    is_cut: bool,
    expected: Option<u64>,
    /// How often a page behind what was reached was refused.
    refusals: u32,
}

impl Walk {
    /// A walk that has asked nothing. `divisible` says that the window can still be split, so that
    /// reaching the cap ends the walk.
    pub fn new(habits: Habits, divisible: bool) -> Self {
        Self {
            habits,
            divisible,
            earlier: Earlier::Nothing,
            repetition: Repetition::default(),
            under_way: BTreeSet::new(),
            batch: BTreeMap::new(),
            asked: 0,
            answered: 0,
            counts: Vec::new(),
            keys: HashSet::new(),
            starts: Vec::new(),
            lasted: Vec::new(),
            reach: 0,
            last: None,
            repeated: 0,
            unreadable: 0,
            unread: HashSet::new(),
            pages_joined: 0,
            first_length: 0,
            longest: 0,
            tip: None,
            end: End::Open,
            doubt: None,
            is_irregular: false,
            is_cut: false,
            expected: None,
            refusals: 0,
        }
    }

    /// The same, of a window that was walked before in vain, perhaps to the end of a list that
    /// contradicted the count.
    #[must_use]
    pub fn after(self, earlier: Option<Contradiction>, repetition: Repetition) -> Self {
        let earlier = earlier.map_or(Earlier::Nothing, Earlier::Contradicted);
        Self { earlier, repetition, ..self }
    }

    /// How the service fills its answers, as far as was known before and its pages have shown.
    pub fn habits(&self) -> Habits {
        self.habits
    }

    /// How many pages were answered.
    pub fn pages(&self) -> u64 {
        self.answered
    }

    /// How many distinct entries were seen.
    pub fn distinct(&self) -> u64 {
        self.keys.len() as u64
    }

    /// Whether a record came twice on the only page.
    pub fn repeats(&self) -> bool {
        self.repeated > 0
    }

    /// The keys of the distinct records that were seen.
    pub fn records(&self) -> impl Iterator<Item = EntryKey> {
        self.keys.difference(&self.unread).copied()
    }

    /// How many entries cannot be read.
    pub fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// The keys of the distinct entries that were seen.
    pub fn into_keys(self) -> HashSet<EntryKey> {
        self.keys
    }

    /// When the records began that were seen from the start of the list without a hole, in the
    /// order of the list.
    pub fn starts(&self) -> &[Option<Timestamp>] {
        &self.starts
    }

    /// From start to end, those of them that ended for good.
    pub fn lasted(&self) -> &[Interval] {
        &self.lasted
    }

    /// How many entries the window holds at least: one, where an empty page points on.
    pub fn least(&self) -> u64 {
        if self.points_on_from_nothing() { 1 } else { self.distinct() }
    }

    /// How many distinct records of the walk began in a part of its window.
    pub fn distinct_in(&self, part: Interval) -> u64 {
        self.starts.iter().filter(|start| start.is_some_and(|start| part.contains(start))).count()
            as u64
    }

    /// Behind which entries a page was empty that should begin with the last of them: what it
    /// should show is hidden, or the list became shorter meanwhile.
    pub fn hidden_behind(&self) -> Option<Contradiction> {
        let is_empty = self.doubt == Some(Doubt::SeamEmpty);
        is_empty.then(|| Contradiction::of(Counted::Total(0), self.reach, &self.keys))
    }

    /// The most that any answer counted.
    pub fn most_counted(&self) -> u64 {
        self.counts.iter().filter_map(|&(count, _)| count).max().unwrap_or(0)
    }

    /// The total the service reported, where it is one that stood still.
    ///
    /// An entry that one answer holds twice is one entry: the repetition is taken off the count of
    /// a list of one page.
    pub fn reported(&self) -> Option<u64> {
        let repeated =
            if self.pages_joined == 1 { self.reach.saturating_sub(self.distinct()) } else { 0 };
        match self.count() {
            Count::Total(total) => Some(total.saturating_sub(repeated)),
            Count::Moving | Count::Silent => None,
        }
    }

    /// The same, where the service's count is a witness: what to plan by.
    pub fn announced(&self) -> Option<u64> {
        self.reported().filter(|_| !self.habits.miscounts)
    }

    /// How many entries were seen from the start without a hole, when no page is under way.
    pub fn prefix(&self) -> Option<u64> {
        self.under_way.is_empty().then_some(self.reach)
    }

    /// How many new entries each further page may bring, where pages are of one length.
    pub fn stride(&self) -> u64 {
        if self.is_irregular { 0 } else { self.first_length.saturating_sub(1) }
    }

    /// Whether more entries follow those of the chain, as far as the last answer tells.
    pub fn goes_on(&self) -> bool {
        self.tip.is_some_and(|tip| tip.points_on)
            || self.total().is_some_and(|total| total > self.reach)
    }

    /// The contradiction between a list that has ended and its count, or between the counts of its
    /// pages.
    pub fn contradiction(&self) -> Option<Contradiction> {
        let counted = match self.count() {
            _ if self.doubt.is_some() => return None,
            Count::Total(total) if total != self.reach => Counted::Total(total),
            Count::Moving => Counted::moving(&self.counts),
            Count::Total(_) | Count::Silent => return None,
        };
        Some(Contradiction::of(counted, self.reach, &self.keys))
    }

    /// Whether this walk, now over, and the one before it contradicted the count alike.
    pub fn shows_miscount(&self) -> bool {
        match self.earlier {
            Earlier::Nothing => false,
            Earlier::Contradicted(earlier) => self.contradiction() == Some(earlier),
            Earlier::MovedAlike => true,
        }
    }

    /// Takes in an answer.
    pub fn take(&mut self, marker: Marker, page: &Page) {
        self.habits.learn(marker, page);
        self.answered += 1;
        self.longest = self.longest.max(page.length());
        self.counts.push((page.count, page.length()));
        self.is_cut = false;
        self.under_way.remove(&marker.0);
        self.batch.insert(marker.0, Seen::of(marker, page));
        if self.under_way.is_empty() {
            for (marker, page) in std::mem::take(&mut self.batch) {
                self.join(marker, page);
            }
        }
    }

    /// The page behind what was reached was refused, as a request that makes no sense. Whether the
    /// walk can go on: the list has ended there if its count says so, which a page one entry early
    /// may show to be a total.
    pub fn refuse_behind(&mut self, marker: Marker) -> bool {
        let is_behind = marker.0 == self.reach && matches!(self.end, End::Asked);
        self.under_way.remove(&marker.0);
        self.refusals += 1;
        self.end = End::Refused;
        is_behind && (self.refusals == 1 || self.total() == Some(self.reach))
    }

    /// Goes on with a shorter window whose list begins as this one does, and holds `expected`
    /// entries, if that can be told.
    ///
    /// The counts so far were of the longer window and count no more. The entries do: the shorter
    /// list is the longer one without some entries, so if any that were seen are among those, the
    /// entry that closes the last page has moved up and does not open the next one.
    pub fn narrow(&mut self, expected: Option<u64>) {
        self.counts.clear();
        self.end = End::Open;
        self.is_cut = true;
        self.expected = expected;
    }

    /// Decides what comes next; pages it names are from then on under way.
    pub fn step(&mut self) -> Step {
        // A walk is left where its counts move. Where the next one comes to the same point, it goes
        // on.
        if self.count() == Count::Moving && self.shows_miscount() {
            self.earlier = Earlier::MovedAlike;
        }
        if let Some(doubt) = self.doubt.or_else(|| self.suspicion()) {
            return Step::Over(Err(doubt));
        }
        if !self.under_way.is_empty() {
            return Step::Wait;
        }
        let wanted = self.wanted();
        if wanted.is_empty() {
            return Step::Over(self.verdict());
        }
        if self.asked + wanted.len() > MAX_PAGES {
            return Step::Over(Err(Doubt::Endless));
        }
        self.asked += wanted.len();
        if self.reach > 0 && wanted == [Marker(self.reach)] {
            self.end = End::Asked;
        }
        self.under_way.extend(wanted.iter().map(|marker| marker.0));
        Step::Ask(wanted)
    }

    /// Joins a page to the chain. Pages behind a hole are dropped, which happens when one in the
    /// middle comes shorter than its neighbours; they are asked again from the hole on.
    fn join(&mut self, marker: u64, page: Seen) {
        if self.doubt.is_some() {
            self.keys.extend(page.entries.iter().map(|entry| entry.key));
        } else if self.tip.is_none() {
            self.first_length = page.length();
            self.extend(&page, 0);
        } else if marker + 1 == self.reach {
            self.join_by_seam(&page);
        } else if marker == self.reach && matches!(self.end, End::Asked) {
            self.end = End::Behind(page);
        } else {
            self.is_irregular |= page.length() > 0;
        }
    }

    fn join_by_seam(&mut self, page: &Seen) {
        if page.first() != self.last {
            let is_empty = page.entries.is_empty();
            self.doubt = Some(if is_empty { Doubt::SeamEmpty } else { Doubt::SeamBroken });
            self.keys.extend(page.entries.iter().map(|entry| entry.key));
        } else if page.length() > 1 {
            self.extend(page, 1);
        } else {
            match std::mem::replace(&mut self.end, End::Alone) {
                End::Behind(behind) if behind.entries.is_empty() => self.end = End::Confirmed,
                End::Behind(behind) => self.extend(&behind, 0),
                End::Open | End::Alone | End::Asked | End::Refused | End::Confirmed => {
                    self.tip = Some(Tip::of(page));
                }
            }
        }
    }

    /// Adds the entries of a page to the chain, less those it shares with what came before.
    fn extend(&mut self, page: &Seen, shared: usize) {
        self.is_irregular |= self.tip.is_some_and(|tip| tip.length < self.longest);
        for entry in page.entries.iter().skip(shared) {
            self.reach += 1;
            self.last = Some(entry.key);
            if !entry.is_record {
                self.unreadable += 1;
                self.unread.insert(entry.key);
            }
            if !self.keys.insert(entry.key) {
                self.repeated += u64::from(entry.is_record);
                continue;
            }
            self.starts.push(entry.started_at);
            self.lasted.extend(entry.lasted);
        }
        self.tip = Some(Tip::of(page));
        self.end = End::Open;
        self.pages_joined += 1;
        if self.pages_joined > 1 && self.repeats() {
            self.doubt = Some(Doubt::Repeated);
        }
    }

    /// The pages to ask now: all that a total leaves open, or else the one that tells most about
    /// the end.
    fn wanted(&self) -> Vec<Marker> {
        if self.tip.is_none() {
            return vec![Marker(0)];
        }
        if self.reach == 0 {
            return Vec::new();
        }
        let (one_early, behind) = (|| vec![Marker(self.reach - 1)], || vec![Marker(self.reach)]);
        if self.is_cut {
            return self.expected.map_or_else(one_early, |expected| self.up_to(expected));
        }
        let to_come = self.total().filter(|&total| total > self.reach);
        match &self.end {
            End::Confirmed => Vec::new(),
            End::Refused if self.total() == Some(self.reach) => Vec::new(),
            End::Behind(page) if self.has_settled(page) => Vec::new(),
            End::Behind(_) | End::Refused => one_early(),
            End::Open if self.says_end() => to_come.map_or_else(Vec::new, |_| one_early()),
            End::Alone if self.says_end() => Vec::new(),
            // Pages of one entry share none.
            End::Open if self.longest == 1 => behind(),
            End::Open => match to_come {
                Some(total) => self.up_to(total),
                None if self.may_go_on() => one_early(),
                None => behind(),
            },
            End::Alone | End::Asked => behind(),
        }
    }

    /// Further pages of a list of `total` entries, which comes in pages as long as the first.
    fn up_to(&self, total: u64) -> Vec<Marker> {
        let (next, stride) = (self.reach - 1, self.stride());
        let further = total.saturating_sub(next + 2).checked_div(stride).unwrap_or(0);
        (0..=further.min(MOST_AT_ONCE - 1)).map(|page| Marker(next + page * stride)).collect()
    }

    /// Whether the last answer says that nothing follows, in the words of a service that says where
    /// more does.
    fn says_end(&self) -> bool {
        self.habits.points_on && !self.habits.strays && self.tip.is_some_and(|tip| !tip.points_on)
    }

    /// Whether the page behind the list leaves nothing to ask: it is empty and counts what was
    /// seen, as the page before it did, so that nothing slid between the two; or it points on from
    /// nothing, which no further page can mend.
    fn has_settled(&self, behind: &Seen) -> bool {
        let counted = Some(self.reach);
        let stood_still =
            self.tip.is_some_and(|tip| tip.count == counted) && behind.count == counted;
        behind.entries.is_empty() && (behind.points_on || (stood_still && !self.habits.miscounts))
    }

    /// A guess: whether a page one entry early brings more, where nothing tells.
    fn may_go_on(&self) -> bool {
        let Some(tip) = self.tip else { return false };
        let counted_out = self.total() == Some(self.reach)
            || (tip.count == Some(self.reach) && !is_round(self.reach));
        !counted_out && (self.is_irregular || tip.length >= self.habits.longest_page)
    }

    /// The service's total, where it is a witness.
    fn total(&self) -> Option<u64> {
        match self.count() {
            Count::Total(total) if !self.habits.miscounts => Some(total),
            Count::Total(_) | Count::Moving | Count::Silent => None,
        }
    }

    fn count(&self) -> Count {
        let Some(&(Some(first), _)) = self.counts.first() else { return Count::Silent };
        let says_nothing =
            self.counts.iter().all(|&(count, length)| count.is_none_or(|count| count == length));
        if says_nothing && !(self.answered == 1 && self.habits.count_is_total) {
            return Count::Silent;
        }
        let stands_still = self.counts.iter().all(|&(count, _)| count == Some(first));
        if stands_still { Count::Total(first) } else { Count::Moving }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Entry, Invocation, RecordTime, Reject, RequestId, Status, Timestamp};
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

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum CountReading {
        Total,
        PageLength,
        Absent,
        /// So many less than the total, down to none.
        TooLow(u64),
        TooHigh(u64),
        /// Records of the last ten seconds are not counted, as if they were still open.
        LeavesOutYoung,
    }

    /// How many entries an answer holds, of those that fit.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Lengths {
        Full,
        /// From one up, without a pattern.
        Random(u64),
        /// One answer in four comes short.
        SometimesShort(u64),
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
        lengths: Lengths,
    }

    impl Readings {
        /// The same service, where it shows everything and counts it right.
        fn honest(self) -> Self {
            let is_right = matches!(
                self.count,
                CountReading::Total | CountReading::PageLength | CountReading::Absent
            );
            let count = if is_right { self.count } else { CountReading::Total };
            Self { count, result_cap: usize::MAX, ..self }
        }

        /// Whether a walk asks for what it saw once more, to see that nothing slid by meanwhile.
        fn is_asked_twice(self, habits: Habits) -> bool {
            let tells_end = !self.always_absent && self.last_marker != LastMarker::Onward;
            let misleads = habits != Habits::default() || self.honest().count != self.count;
            self.lengths != Lengths::Full || self.page_cap == 1 || !tells_end || misleads
        }
    }

    fn readings() -> impl Strategy<Value = Readings> {
        let count = prop_oneof![
            2 => Just(CountReading::Total),
            2 => Just(CountReading::PageLength),
            2 => Just(CountReading::Absent),
            1 => (1u64..4).prop_map(CountReading::TooLow),
            1 => (1u64..4).prop_map(CountReading::TooHigh),
            1 => Just(CountReading::LeavesOutYoung),
        ];
        let last_marker = prop_oneof![
            Just(LastMarker::Zero),
            Just(LastMarker::Same),
            Just(LastMarker::Onward),
            Just(LastMarker::Absent)
        ];
        let caps = (1usize..12, prop_oneof![4 => Just(usize::MAX), 1 => Just(500)]);
        let lengths = prop_oneof![
            Just(Lengths::Full),
            any::<u64>().prop_map(Lengths::Random),
            any::<u64>().prop_map(Lengths::SometimesShort),
        ];
        (count, last_marker, any::<bool>(), any::<bool>(), caps, lengths).prop_map(
            |(count, last_marker, always_absent, newest_first, (page_cap, result_cap), lengths)| {
                Readings {
                    count,
                    last_marker,
                    always_absent,
                    newest_first,
                    page_cap,
                    result_cap,
                    lengths,
                }
            },
        )
    }

    /// What other walks may have taught. Only that pages point on has to be true.
    fn habits(longest_page: u64, taught: (bool, bool, bool), readings: Readings) -> Habits {
        let (count_is_total, points_on, miscounts) = taught;
        Habits {
            longest_page,
            count_is_total,
            points_on: points_on && !readings.always_absent,
            strays: false,
            miscounts,
        }
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
        /// How many answers it gave.
        answers: u64,
    }

    impl Listing {
        fn new(readings: Readings, seconds: &[i64]) -> Self {
            let mut entries: Vec<_> =
                (0u64..).zip(seconds).map(|(id, &second)| (second, id, id)).collect();
            entries.sort_unstable();
            let constant = entries.iter().map(|entry| entry.2).collect();
            Self {
                readings,
                entries,
                constant,
                next_id: seconds.len() as u64,
                until: i64::MAX,
                answers: 0,
            }
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
                        entry.1 =
                            (entry.2 ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17);
                    }
                }
                Event::Nothing => {}
            }
            self.entries.sort_unstable();
        }

        /// How many of the entries that fit the next answer holds: at least one.
        fn length(&self, fits: usize) -> usize {
            let draw = |seed: u64| {
                let mixed = (seed ^ self.answers.wrapping_mul(0x9e37_79b9_7f4a_7c15))
                    .wrapping_mul(0xbf58_476d_1ce4_e5b9);
                usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap()
            };
            match self.readings.lengths {
                Lengths::Random(seed) if fits > 0 => 1 + draw(seed) % fits,
                Lengths::SometimesShort(seed) if fits > 0 && draw(!seed).is_multiple_of(4) => {
                    1 + draw(seed) % fits
                }
                Lengths::Full | Lengths::Random(_) | Lengths::SometimesShort(_) => fits,
            }
        }

        fn page(&mut self, marker: Marker) -> Page {
            self.answers += 1;
            let mut ids: Vec<_> = self
                .entries
                .iter()
                .filter(|entry| entry.0 < self.until)
                .map(|entry| (entry.0, entry.2))
                .collect();
            if self.readings.newest_first {
                ids.reverse();
            }
            let from = usize::try_from(marker.0).unwrap();
            let handed_out = &ids[..ids.len().min(self.readings.result_cap)];
            let rest = handed_out.get(from..).unwrap_or_default();
            let shown = &rest[..self.length(rest.len().min(self.readings.page_cap))];
            let mut page = Page::from_entries(
                shown.iter().map(|&(second, id)| Entry::Record(record(second, id))),
            );
            page.count = match self.readings.count {
                CountReading::Total => Some(handed_out.len() as u64),
                CountReading::PageLength => Some(shown.len() as u64),
                CountReading::Absent => None,
                CountReading::TooLow(by) => Some((handed_out.len() as u64).saturating_sub(by)),
                CountReading::TooHigh(by) => Some(handed_out.len() as u64 + by),
                CountReading::LeavesOutYoung => {
                    Some(handed_out.iter().filter(|&&(second, _)| second < 20).count() as u64)
                }
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

    /// A walk of the listing, with things happening before every page, and pages of one step
    /// answered in any order.
    struct Course {
        verdict: Result<Proof, Doubt>,
        seen: HashSet<EntryKey>,
        asked: usize,
        walk: Walk,
    }

    /// Walks; after `cut.0` pages the window is cut at the second `cut.1`, where what was seen lets
    /// it be.
    fn walk(
        listing: &mut Listing,
        divisible: bool,
        events: &[Event],
        cut: Option<(usize, i64)>,
    ) -> Course {
        course(Walk::new(Habits::default(), divisible), listing, events, cut)
    }

    fn course(
        mut walk: Walk,
        listing: &mut Listing,
        events: &[Event],
        cut: Option<(usize, i64)>,
    ) -> Course {
        let mut events = events.iter().copied();
        let (mut seen, mut asked) = (HashSet::new(), 0);
        loop {
            let mut markers = match walk.step() {
                Step::Ask(markers) => markers,
                Step::Wait => panic!("nothing is under way"),
                Step::Over(verdict) => return Course { verdict, seen, asked, walk },
            };
            asked += markers.len();
            if markers.len() % 2 == 0 {
                markers.reverse();
            }
            for marker in markers {
                listing.happen(events.next().unwrap_or(Event::Nothing));
                let page = listing.page(marker);
                seen.extend(page.keys.iter().copied());
                walk.take(marker, &page);
            }
            let seen_seconds: Vec<i64> =
                walk.starts().iter().flatten().map(|start| start.unix()).collect();
            if let Some((pages, until)) = cut
                && listing.until == i64::MAX
                && walk.pages() >= pages as u64
                && walk.prefix().is_some_and(|prefix| Some(prefix) < walk.announced())
                && seen_seconds.is_sorted()
                && seen_seconds.last().is_some_and(|&last| last < until)
            {
                listing.until = until;
                walk.narrow(pages.is_multiple_of(2).then_some(listing.entries.len() as u64 / 2));
            }
        }
    }

    /// A service that shows the first thousand of what there is and counts no more is found out by
    /// the round number, whatever its last page says of a next one. Where the window cannot be
    /// halved, the number is believed.
    #[test]
    fn a_list_that_ends_at_a_round_number_looks_cut_off() {
        for last_marker in
            [LastMarker::Zero, LastMarker::Same, LastMarker::Onward, LastMarker::Absent]
        {
            for count in [CountReading::Total, CountReading::Absent, CountReading::PageLength] {
                let lengths = Lengths::Full;
                let (page_cap, result_cap) = (500, 1_000);
                let readings = Readings {
                    count,
                    last_marker,
                    always_absent: false,
                    newest_first: false,
                    page_cap,
                    result_cap,
                    lengths,
                };
                let seconds: Vec<i64> = (0..1_400).collect();
                for points_on in [false, true] {
                    let habits = Habits { points_on, ..Habits::default() };
                    let verdict = |divisible| {
                        course(
                            Walk::new(habits, divisible),
                            &mut Listing::new(readings, &seconds),
                            &[],
                            None,
                        )
                        .verdict
                    };
                    assert_eq!(verdict(true), Err(Doubt::Capped), "{last_marker:?} {count:?}");
                    if (count, last_marker) == (CountReading::Total, LastMarker::Absent) {
                        assert_eq!(verdict(false), Ok(Proof::Both));
                    }
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// However the list moves and the service is to be read: a walk ends, and one that is
        /// believed has seen every record that could be seen from its first page to its last.
        #[test]
        fn a_walk_that_lost_a_record_is_not_believed(
            readings in readings(),
            seconds in prop::collection::vec(0i64..30, 0..90),
            divisible in any::<bool>(),
            mut events in prop::collection::vec(event(), 0..40),
            cut in prop::option::of((1usize..5, 1i64..30)),
            taught in prop::option::of((
                prop_oneof![Just(500), 1u64..12],
                any::<(bool, bool, bool)>(),
            )),
        ) {
            // Two opposite moves within three requests leave no trace in what is asked twice.
            let habits = taught.map_or_else(Habits::default, |(longest, taught)| {
                habits(longest, taught, readings)
            });
            if readings.is_asked_twice(habits) {
                events
                    .chunks_mut(3)
                    .flat_map(|some| &mut some[1..])
                    .for_each(|event| *event = Event::Nothing);
            }
            let mut listing = Listing::new(readings, &seconds);
            let course = course(Walk::new(habits, divisible), &mut listing, &events, cut);
            prop_assert!(course.asked <= MAX_PAGES);
            if let Ok(proof) = course.verdict {
                let inside = listing.entries.iter().filter(|entry| entry.0 < listing.until);
                for (_, _, id) in inside.filter(|entry| listing.constant.contains(&entry.2)) {
                    let key = EntryKey::of(&format!("r{id}"));
                    prop_assert!(
                        course.seen.contains(&key),
                        "r{id} was never shown, believed by {proof:?}"
                    );
                }
            }
        }

        /// A list that stands still is believed at the first walk, at about one request a page.
        #[test]
        fn a_quiet_list_is_believed(
            readings in readings(),
            seconds in prop::collection::vec(0i64..30, 0..90),
            points_on in any::<bool>(),
        ) {
            let readings = readings.honest();
            let habits =
                Habits { points_on: points_on && !readings.always_absent, ..Habits::default() };
            let mut listing = Listing::new(readings, &seconds);
            let course = course(Walk::new(habits, true), &mut listing, &[], None);
            prop_assert!(course.verdict.is_ok(), "{:?}", course.verdict);
            let most = most_requests(readings, habits, seconds.len());
            prop_assert!(course.asked <= most, "{} requests instead of {most}", course.asked);
        }

        /// A count that contradicts a list that has ended proves nothing at first. Two walks alike
        /// show that it is wrong: one that is too low is passed over then, one that is too high may
        /// count what is never shown.
        #[test]
        fn a_count_that_is_wrong_for_ever_is_told_from_a_list_that_moved(
            readings in readings(),
            // More than one page, so that no count is taken for the length of its page.
            seconds in prop::collection::vec(0i64..30, 20..90),
            (too_high, by) in (any::<bool>(), 1u64..4),
        ) {
            let count = if too_high { CountReading::TooHigh(by) } else { CountReading::TooLow(by) };
            let readings = Readings { count, lengths: Lengths::Full, ..readings.honest() };
            let mut listing = Listing::new(readings, &seconds);
            let first = walk(&mut listing, true, &[], None);
            let doubt = if too_high { Doubt::CountDiffers } else { Doubt::CountTooLow };
            prop_assert_eq!(first.verdict, Err(doubt));
            prop_assert!(!first.walk.shows_miscount());
            let contradiction = first.walk.contradiction();
            let again =
                Walk::new(Habits::default(), true).after(contradiction, Repetition::default());
            let again = course(again, &mut listing, &[], None);
            prop_assert!(again.walk.shows_miscount());
            let verdict = if too_high { Err(Doubt::CountDiffers) } else { Ok(Proof::Seams) };
            prop_assert_eq!(again.verdict, verdict);
            let taught = Habits { miscounts: true, ..Habits::default() };
            prop_assert_eq!(
                course(Walk::new(taught, true), &mut listing, &[], None).verdict,
                verdict
            );
        }

        /// What the service counted for the longer window is not held against the shorter one.
        #[test]
        fn a_quiet_list_is_believed_though_its_window_is_cut(
            readings in readings(),
            seconds in prop::collection::vec(0i64..30, 0..90),
            cut in (1usize..5, 1i64..30),
        ) {
            let readings = readings.honest();
            let mut listing = Listing::new(readings, &seconds);
            let course = walk(&mut listing, true, &[], Some(cut));
            prop_assert!(course.verdict.is_ok(), "{:?}", course.verdict);
        }
    }

    /// The most requests that a list of so many entries takes which stands still.
    fn most_requests(readings: Readings, habits: Habits, entries: usize) -> usize {
        let tells_end = habits.points_on && readings.last_marker != LastMarker::Onward;
        // To find that nothing follows: one early, behind the end, and one early again.
        // A first page that counts itself looks like the last one.
        let guessed_wrong = usize::from(readings.count == CountReading::PageLength);
        let to_confirm = guessed_wrong + if tells_end { 1 } else { 3 };
        match readings.lengths {
            Lengths::Full if readings.page_cap == 1 => 2 * entries.max(1) + 1,
            Lengths::Full => {
                entries.saturating_sub(1).div_ceil(readings.page_cap - 1).max(1) + to_confirm
            }
            // Where a page holds nothing but what was shared, three bring one entry.
            Lengths::Random(_) | Lengths::SometimesShort(_) => {
                3 * entries + 3 + usize::try_from(MOST_AT_ONCE).unwrap()
            }
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
                lengths: Lengths::Full,
            };
            let mut listing = Listing::new(readings, &[7; 700]);
            assert_eq!(
                walk(&mut listing, true, &[], None).verdict,
                Err(Doubt::Capped),
                "{count:?}"
            );
        }
    }

    /// An answer: which entries of a list, its count, its next marker.
    type Answer = (u64, std::ops::Range<u64>, Option<u64>, Option<u64>);

    /// Walks by given answers; panics where another page is asked than the next of them answers.
    fn walk_by(habits: Habits, answers: &[Answer]) -> Result<Proof, Doubt> {
        let mut walk = Walk::new(habits, false);
        let mut answers = answers.iter();
        loop {
            match walk.step() {
                Step::Ask(markers) => {
                    for marker in markers {
                        let (asked, entries, count, next) =
                            answers.next().expect("another page is asked for").clone();
                        assert_eq!(marker, Marker(asked));
                        let mut page =
                            Page::from_entries(entries.map(|id| Entry::Record(record(0, id))));
                        (page.count, page.next_marker) = (count, next.map(Marker));
                        walk.take(marker, &page);
                    }
                }
                Step::Wait => panic!("nothing is under way"),
                Step::Over(verdict) => {
                    assert!(answers.next().is_none(), "a page was not asked for");
                    return verdict;
                }
            }
        }
    }

    const POINTING_ON: Habits = Habits {
        longest_page: 3,
        count_is_total: false,
        points_on: true,
        strays: false,
        miscounts: false,
    };

    #[test]
    fn a_page_of_nothing_but_the_shared_entry_does_not_end_a_list_that_points_on() {
        let verdict = walk_by(
            Habits::default(),
            &[
                (0, 0..2, None, Some(2)),
                (1, 1..2, None, Some(2)),
                (2, 2..3, None, Some(0)),
                (1, 1..2, None, Some(2)),
            ],
        );
        assert_eq!(verdict, Ok(Proof::Seams));
    }

    /// A number of the next page, or of the entries that are left, falls behind the positions that
    /// are asked for, and would be taken for the word that nothing follows.
    #[test]
    fn a_marker_that_is_no_position_ends_no_list() {
        let number_of_the_page = |from: u64, length: u64, total: u64| {
            if from + length < total { from / length + 1 } else { 0 }
        };
        let what_is_left = |from: u64, length: u64, total: u64| total.saturating_sub(from + length);
        for next in [number_of_the_page, what_is_left] {
            for (total, length) in (0..40).flat_map(|total| (2..9).map(move |cap| (total, cap))) {
                // Half of the list is left behind the first page: a position by chance.
                if total == 2 * length {
                    continue;
                }
                let mut walk = Walk::new(Habits::default(), true);
                let verdict = loop {
                    match walk.step() {
                        Step::Ask(markers) => {
                            for marker in markers {
                                let entries = marker.0.min(total)..(marker.0 + length).min(total);
                                let mut page = Page::from_entries(
                                    entries.map(|id| Entry::Record(record(0, id))),
                                );
                                page.next_marker = Some(Marker(next(marker.0, length, total)));
                                walk.take(marker, &page);
                            }
                        }
                        Step::Wait => panic!("nothing is under way"),
                        Step::Over(verdict) => break verdict,
                    }
                };
                assert!(
                    verdict.is_err() || walk.distinct() == total,
                    "{} of {total} entries in pages of {length}: {verdict:?}",
                    walk.distinct()
                );
            }
        }
    }

    #[test]
    fn a_count_one_too_low_does_not_end_a_list_that_points_on() {
        let verdict = walk_by(
            Habits { count_is_total: true, ..POINTING_ON },
            &[
                (0, 0..3, Some(3), Some(3)),
                (3, 3..4, Some(3), Some(0)),
                (2, 2..4, Some(3), Some(0)),
            ],
        );
        assert_eq!(verdict, Err(Doubt::CountTooLow));
    }

    #[test]
    fn an_end_that_is_said_costs_no_request() {
        for last in [None, Some(0)] {
            let pages: [Answer; 2] = [(0, 0..3, None, Some(3)), (2, 2..4, None, last)];
            assert_eq!(walk_by(POINTING_ON, &pages), Ok(Proof::Seams));
            assert_eq!(walk_by(POINTING_ON, &[(0, 0..2, Some(2), last)]), Ok(Proof::Count));
        }
        assert_eq!(
            walk_by(POINTING_ON, &[(0, 0..3, Some(4), Some(3)), (2, 2..4, Some(4), Some(2))]),
            Ok(Proof::Both)
        );
    }

    #[test]
    fn an_end_that_points_on_costs_one_request_with_a_total_and_two_without() {
        let counted: [Answer; 2] = [(0, 0..2, Some(2), Some(2)), (2, 2..2, Some(2), Some(2))];
        assert_eq!(walk_by(POINTING_ON, &counted), Ok(Proof::Count));
        let silent: [Answer; 3] =
            [(0, 0..2, None, Some(2)), (2, 2..2, None, Some(2)), (1, 1..2, None, Some(2))];
        assert_eq!(walk_by(POINTING_ON, &silent), Ok(Proof::Seams));
    }

    /// Neither a marker nor a total was ever seen to tell of more, whatever is known of the length
    /// of pages.
    #[test]
    fn a_service_that_never_speaks_of_more_is_asked_for_it() {
        let silent = Habits { longest_page: 500, count_is_total: true, ..Habits::default() };
        let more: [Answer; 4] = [
            (0, 0..2, None, None),
            (2, 2..3, None, None),
            (1, 1..3, None, None),
            (3, 3..3, None, None),
        ];
        let pages: Vec<Answer> = more.into_iter().chain([(2, 2..3, None, None)]).collect();
        assert_eq!(walk_by(silent, &pages), Ok(Proof::Seams));
        assert_eq!(
            walk_by(silent, &[(0, 0..2, Some(2), Some(0)), (2, 2..2, Some(2), Some(0))]),
            Ok(Proof::Count)
        );
    }

    /// A count of what follows, or of what was shown so far, is another on each page; two walks
    /// alike tell that it always is.
    #[test]
    fn a_count_that_moves_alike_in_two_walks_is_no_witness() {
        let left = |marker: u64, _: u64| 4 - marker;
        let so_far = |marker: u64, length: u64| marker + length;
        let too_many = |marker: u64, _: u64| 9 - marker;
        let walk_again = |walk: &Walk| {
            Walk::new(POINTING_ON, false).after(walk.contradiction(), Repetition::default())
        };
        for count in [left, so_far, too_many] {
            let (walk, verdict) = walk_counted(Walk::new(POINTING_ON, false), count);
            assert_eq!(verdict, Err(Doubt::CountChanged));
            // More may exist than was shown, where more was counted.
            let expected =
                if count(0, 3) == 9 { Err(Doubt::CountDiffers) } else { Ok(Proof::Seams) };
            assert_eq!(walk_counted(walk_again(&walk), count).1, expected);
            let other = walk_counted(walk_again(&walk), |marker, _| 7 + marker);
            assert_eq!(other.1, Err(Doubt::CountChanged), "counts that differ from walk to walk");
        }
    }

    /// Walks four entries by pages of three, counted so by marker and length.
    fn walk_counted(mut walk: Walk, count: fn(u64, u64) -> u64) -> (Walk, Result<Proof, Doubt>) {
        loop {
            match walk.step() {
                Step::Ask(markers) => {
                    for Marker(from) in markers {
                        let to = (from + 3).min(4).max(from);
                        let mut page =
                            Page::from_entries((from..to).map(|id| Entry::Record(record(0, id))));
                        page.count = Some(count(from.min(4), to - from));
                        page.next_marker = (to < 4).then_some(Marker(to));
                        walk.take(Marker(from), &page);
                    }
                }
                Step::Wait => panic!("nothing is under way"),
                Step::Over(verdict) => return (walk, verdict),
            }
        }
    }

    /// The first record is forgotten before the page behind the end is served.
    #[test]
    fn a_list_that_slid_does_not_end_at_an_empty_page() {
        let slid: [Answer; 3] =
            [(0, 0..2, None, Some(2)), (2, 3..3, None, Some(2)), (1, 2..3, None, Some(2))];
        assert_eq!(walk_by(POINTING_ON, &slid), Err(Doubt::SeamBroken));
        let counted: [Answer; 2] = [(0, 0..2, Some(2), Some(2)), (2, 3..3, Some(1), Some(2))];
        assert_eq!(walk_by(POINTING_ON, &counted), Err(Doubt::CountChanged));
    }

    #[test]
    fn an_empty_page_that_points_on_ends_nothing() {
        assert_eq!(walk_by(POINTING_ON, &[(0, 0..0, None, Some(500))]), Err(Doubt::PointsOn));
        let behind: [Answer; 2] = [(0, 0..2, None, Some(2)), (2, 2..2, None, Some(500))];
        assert_eq!(walk_by(POINTING_ON, &behind), Err(Doubt::PointsOn));
    }

    #[test]
    fn a_total_from_outside_asks_for_few_pages_at_once() {
        let mut walk = Walk::new(Habits::default(), false);
        assert_eq!(walk.step(), Step::Ask(vec![Marker(0)]));
        let mut page = Page::from_entries([0, 1].map(|id| Entry::Record(record(0, id))));
        page.count = Some(u64::MAX);
        walk.take(Marker(0), &page);
        let Step::Ask(markers) = walk.step() else { panic!("more is announced") };
        assert_eq!(markers.len() as u64, MOST_AT_ONCE);
    }

    /// An entry on a page that was dropped does not stand in for one that came twice.
    #[test]
    fn what_is_dropped_behind_a_hole_counts_for_nothing() {
        let verdict = walk_by(
            POINTING_ON,
            &[
                (0, 0..3, Some(6), Some(3)),
                (2, 2..3, Some(6), Some(3)),
                (4, 9..11, Some(6), Some(0)),
                (3, 3..4, Some(6), Some(4)),
                (2, 2..3, Some(6), Some(3)),
                (3, 3..6, Some(6), Some(0)),
            ],
        );
        assert_eq!(verdict, Ok(Proof::Both));
        let twice = walk_by(
            POINTING_ON,
            &[
                (0, 0..3, Some(6), Some(3)),
                (2, 2..3, Some(6), Some(3)),
                (4, 9..11, Some(6), Some(0)),
                (3, 0..1, Some(6), Some(4)),
                (2, 2..3, Some(6), Some(3)),
            ],
        );
        assert_eq!(twice, Err(Doubt::Repeated));
    }

    /// The entry that came twice may stand in another one's place, unless the service is known to
    /// list some twice.
    #[test]
    fn an_entry_that_comes_twice_on_the_only_page_is_believed_where_it_may() {
        let walk = |mut walk: Walk, ids: &[u64]| {
            let mut page = Page::from_entries(ids.iter().map(|&id| Entry::Record(record(0, id))));
            (page.count, page.next_marker) = (Some(3), Some(Marker(3)));
            assert_eq!(walk.step(), Step::Ask(vec![Marker(0)]));
            walk.take(Marker(0), &page);
            while let Step::Ask(markers) = walk.step() {
                // Behind the end, or the last entry once more.
                let rest = ids.iter().skip(if markers == [Marker(3)] { 3 } else { 2 });
                let mut rest = Page::from_entries(rest.map(|&id| Entry::Record(record(0, id))));
                (rest.count, rest.next_marker) = (Some(3), Some(Marker(3)));
                walk.take(markers[0], &rest);
            }
            match walk.step() {
                Step::Over(verdict) => verdict,
                other => panic!("{other:?}"),
            }
        };
        let first = || Walk::new(Habits { count_is_total: true, ..Habits::default() }, true);
        assert_eq!(walk(first(), &[1, 2, 1]), Err(Doubt::Repeated));
        assert_eq!(
            walk(first().after(None, Repetition::Doubtful), &[1, 2, 1]),
            Err(Doubt::Repeated)
        );
        assert!(walk(first().after(None, Repetition::Harmless), &[1, 2, 1]).is_ok());
        assert!(walk(first(), &[1, 2, 3]).is_ok());
    }

    /// What has no id cannot be told from another of its kind, so it counts for one of its own.
    #[test]
    fn what_cannot_be_read_may_come_twice_and_proves_nothing() {
        let walk = |raw: &str, id: Option<u64>| {
            let lost = || Entry::Reject(Reject { raw: raw.into(), reason: "no object".into() });
            let record = id.map_or_else(lost, |id| Entry::Record(record(0, id)));
            let mut page = Page::from_entries([lost(), record, lost()]);
            page.count = Some(3);
            let habits = Habits { count_is_total: true, ..Habits::default() };
            let mut walk = Walk::new(habits, true);
            assert_eq!(walk.step(), Step::Ask(vec![Marker(0)]));
            walk.take(Marker(0), &page);
            let end = Page { count: Some(3), ..Page::default() };
            while let Step::Ask(markers) = walk.step() {
                for marker in markers {
                    walk.take(marker, &end);
                }
            }
            walk.step()
        };
        for raw in ["null", "{}", "7", "\"lost\"", "[1]", r#"{"requestId":"1"}"#] {
            assert_eq!(walk(raw, Some(1)), Step::Over(Err(Doubt::Unreadable)), "{raw}");
            assert_eq!(walk(raw, None), Step::Over(Err(Doubt::NothingRead)), "{raw}");
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
                        let mut page = Page::from_entries(
                            [0, 1].map(|next| Entry::Record(record(0, marker.0 + next))),
                        );
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
