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
    /// Learns from a page; `first` says that it was asked from the start of its list.
    pub fn learn(&mut self, page: &Page) {
        self.longest_page = self.longest_page.max(page.length());
        self.count_is_total |= page.count.is_some_and(|count| count > page.length());
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
        if broken {
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
        self.pages.retain(|&marker, _| marker <= reach.saturating_sub(1));
    }

    /// Every further page of a list of `total` entries, which comes in pages as long as the first.
    fn up_to(&self, total: u64) -> Vec<Marker> {
        let stride = self.pages.get(&0).map_or(0, |first| first.length.saturating_sub(1));
        let next = self.following();
        // A page of one entry leaves nothing to overlap with and go on.
        let (Some(next), true) = (next.first(), stride > 0) else { return next };
        let further = total.saturating_sub(next.0 + 2) / stride;
        (0..=further).map(|page| Marker(next.0 + page * stride)).collect()
    }

    /// The page after what was reached without a hole, one entry early; none where the last page there brought nothing new.
    fn following(&self) -> Vec<Marker> {
        let next = self.reach().saturating_sub(1);
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
