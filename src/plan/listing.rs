//! The list of a project's functions: which page to ask next, when it has ended, and whether it is
//! whole.
//!
//! As in a walk of records, `marker` is an offset and each next page is asked one entry early, so
//! that the last entry of a page opens the next one. A list has ended only where a page asked like
//! that brings that entry alone and nothing points on, or where the page behind it is empty. Pages
//! may have any length from one entry up; where one leaves nothing to overlap with, the list is
//! read twice, and believed where it stood still. What moves while it is paged is read again, a few
//! times.

use crate::domain::{EntryKey, FUNCTIONS_A_PAGE, FunctionPage, Marker};
use std::collections::HashSet;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

/// How often a list is read that moves while it is paged.
const MOST_PASSES: u32 = 3;

/// No list is read on behind so many pages: a list of the default quota of 400 functions ends far
/// below, even in pages of one entry.
const MOST_PAGES: usize = 10_000;

/// No list is read on behind so many entries: more than a project has, and little beside the memory
/// of a run.
const MOST_ENTRIES: u64 = 500_000;

/// Why a list of functions is not believed whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The entry that closed one page did not open the next.
    Moved,
    /// The total changed while the list was paged.
    CountChanged,
    /// More functions are counted than shown.
    Hidden {
        /// So many are counted.
        counted: u64,
        /// So many are shown.
        shown: u64,
    },
    /// An entry came twice, so another may be missing in its place.
    Repeated,
    /// The pages leave nothing to overlap with, and the list did not stand still.
    Unseamed,
    /// The last page points on, and nothing follows.
    PointsOn,
    /// The same page comes whatever is asked for.
    Stuck,
    /// More pages or entries than any such list has.
    Endless,
}

/// In words, after "the list of functions could not be proven complete:".
impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hidden { counted, shown } => {
                return write!(f, "the service counts {counted} functions and shows {shown}");
            }
            Self::Moved => "it moved between two of its pages",
            Self::CountChanged => "the service's count changed while it was paged",
            Self::Repeated => "an entry came twice, so another may be missing",
            Self::Unseamed => "its pages share no entry, and it did not stand still",
            Self::PointsOn => "its last page points on, and nothing follows",
            Self::Stuck => "the same page comes whatever is asked for",
            Self::Endless => "it has no end",
        })
    }
}

/// What to do next with a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask the page at this marker.
    Ask(Marker),
    /// What came so far was no list that stood still: forget it, and ask the first page.
    Again,
    /// The list is over.
    Over(Result<(), Doubt>),
}

/// A list while it is read.
#[derive(Debug, Default)]
pub struct Listing {
    pass: Pass,
    /// What the pass before this one showed.
    before: Option<u64>,
    passes: u32,
    pages: usize,
    entries: u64,
}

impl Listing {
    /// Takes in the page that [`Self::step`] asked for.
    pub fn take(&mut self, page: &FunctionPage) {
        self.pages += 1;
        self.entries += page.length();
        self.pass.take(page);
    }

    /// How many entries of the pass could not be read.
    pub fn unreadable(&self) -> u64 {
        self.pass.unreadable
    }

    /// What comes next.
    pub fn step(&mut self) -> Step {
        if self.pages >= MOST_PAGES || self.entries >= MOST_ENTRIES {
            return Step::Over(Err(Doubt::Endless));
        }
        if let Some(next) = self.pass.next {
            return Step::Ask(Marker(next));
        }
        let digest = self.pass.digest();
        let stood_still = self.before == Some(digest);
        match self.pass.verdict() {
            Ok(()) => Step::Over(Ok(())),
            Err(doubt) if stood_still => {
                Step::Over(self.pass.verdict_of_one_that_stood_still(doubt))
            }
            Err(doubt) if self.passes + 1 >= MOST_PASSES => Step::Over(Err(doubt)),
            Err(_) => {
                self.before = Some(digest);
                self.passes += 1;
                self.pass = Pass::default();
                Step::Again
            }
        }
    }
}

/// The list read once from its start.
#[derive(Debug)]
struct Pass {
    /// The page to ask now; none once the list has ended.
    next: Option<u64>,
    /// How many entries were reached from the start.
    reach: u64,
    /// The entry that closes what was reached.
    last: Option<EntryKey>,
    first_page: Vec<EntryKey>,
    seen: HashSet<EntryKey>,
    sequence: DefaultHasher,
    counts: Counts,
    /// What looks as if the list had moved, and may be a habit of the service: it repeats an entry,
    /// or a page shares none with the one before it.
    suspicion: Option<Doubt>,
    /// Whether any page pointed on, and whether any pointed to what is no position in the list:
    /// that one does not point on says nothing then.
    ever_pointed_on: bool,
    ever_strayed: bool,
    /// Whether the last page with entries told that nothing follows it: its marker did not point
    /// on, and markers are sent.
    told_end: bool,
    /// What rules a proof out, whatever comes.
    doubt: Option<Doubt>,
    unreadable: u64,
}

impl Default for Pass {
    fn default() -> Self {
        Self {
            next: Some(0),
            reach: 0,
            last: None,
            first_page: Vec::new(),
            seen: HashSet::new(),
            sequence: DefaultHasher::new(),
            counts: Counts::default(),
            suspicion: None,
            ever_pointed_on: false,
            ever_strayed: false,
            told_end: true,
            doubt: None,
            unreadable: 0,
        }
    }
}

impl Pass {
    fn take(&mut self, page: &FunctionPage) {
        let Some(marker) = self.next.take() else { return };
        let shares = marker > 0 && marker + 1 == self.reach;
        let points_on = page.next_marker.is_some_and(|next| next.0 > marker);
        self.counts.note(page);
        if page.keys.is_empty() {
            self.end(shares, points_on);
        } else if marker > 0 && page.keys == self.first_page {
            // The service pays no heed to the marker, which does no harm where the page holds
            // everything; or as many entries came before these as the marker passes over. A second
            // reading tells.
            let is_full = page.length() >= u64::from(FUNCTIONS_A_PAGE);
            self.doubt_if(points_on || is_full, Doubt::Stuck);
            self.suspect_if(true, Doubt::Repeated);
        } else {
            self.go_on(marker, page, shares, points_on);
        }
    }

    /// Nothing is there: behind the end of the list, or where its last entry was a moment ago.
    /// Where the page before did not tell that it was the last one, what followed it may have moved
    /// up meanwhile; a total that stood still tells that it has not.
    fn end(&mut self, shares: bool, points_on: bool) {
        self.doubt_if(shares, Doubt::Moved);
        self.doubt_if(points_on, Doubt::PointsOn);
        self.suspect_if(!self.told_end && !self.counts.say(self.reach), Doubt::Unseamed);
    }

    fn go_on(&mut self, marker: u64, page: &FunctionPage, shares: bool, points_on: bool) {
        self.doubt_if(shares && page.keys.first() != self.last.as_ref(), Doubt::Moved);
        let new = &page.keys[usize::from(shares)..];
        self.unreadable += page.unreadable_behind(shares);
        self.ever_pointed_on |= points_on;
        self.ever_strayed |= !Marker(marker).is_continued_by(page.next_marker, page.length());
        self.told_end = !points_on
            && !self.ever_strayed
            && (page.next_marker.is_some() || self.ever_pointed_on);
        if new.is_empty() {
            // Only the shared entry: the end, if the service has a way to tell that more follows,
            // and does not. Else only a page behind it tells: it holds an entry at least, if there
            // is one. A count alone may be wrong.
            let is_end = self.told_end && !self.counts.more_than(self.reach);
            self.next = (!is_end).then_some(self.reach);
            return;
        }
        if marker == 0 {
            self.first_page.clone_from(&page.keys);
        }
        self.suspect_if(
            marker > 0 && new.iter().any(|key| self.seen.contains(key)),
            Doubt::Repeated,
        );
        self.suspect_if(marker > 0 && !shares, Doubt::Unseamed);
        self.seen.extend(new);
        for key in new {
            key.hash(&mut self.sequence);
        }
        self.reach = marker + page.length();
        self.last = page.keys.last().copied();
        // One entry alone leaves nothing to overlap with that was not the page itself.
        self.next = Some(if self.reach == 1 { 1 } else { self.reach - 1 });
    }

    fn doubt_if(&mut self, is_doubtful: bool, doubt: Doubt) {
        if is_doubtful {
            self.doubt.get_or_insert(doubt);
        }
    }

    fn suspect_if(&mut self, is_suspicious: bool, doubt: Doubt) {
        if is_suspicious {
            self.suspicion.get_or_insert(doubt);
        }
    }

    /// Stands for what was shown, in its order.
    fn digest(&self) -> u64 {
        self.sequence.finish()
    }

    fn verdict(&self) -> Result<(), Doubt> {
        if let Some(doubt) = self.doubt {
            return Err(doubt);
        }
        if self.counts.more_than(self.reach) && !self.counts.changed() {
            return Err(Doubt::Hidden { counted: self.counts.largest, shown: self.reach });
        }
        if self.counts.changed() {
            return Err(Doubt::CountChanged);
        }
        self.suspicion.map_or(Ok(()), Err)
    }

    /// A list that showed the same twice did not move: what only movement explains is a habit of
    /// the service then, as long as it does not count more than it shows.
    fn verdict_of_one_that_stood_still(&self, doubt: Doubt) -> Result<(), Doubt> {
        let is_by_movement =
            matches!(doubt, Doubt::CountChanged | Doubt::Repeated | Doubt::Unseamed);
        if is_by_movement && !self.counts.more_than(self.reach) { Ok(()) } else { Err(doubt) }
    }
}

/// What the pages say of the length of the list: `count` may be absent, or be the length of each
/// page.
#[derive(Debug, Default)]
struct Counts {
    first: Option<u64>,
    largest: u64,
    differ: bool,
    /// Whether one of them was not the length of its page, so that they are totals.
    are_totals: bool,
}

impl Counts {
    fn note(&mut self, page: &FunctionPage) {
        let Some(count) = page.count else { return };
        self.differ |= self.first.is_some_and(|first| first != count);
        self.first.get_or_insert(count);
        self.largest = self.largest.max(count);
        self.are_totals |= count != page.length();
    }

    /// Whether all of them are the total of so many entries.
    fn say(&self, shown: u64) -> bool {
        self.are_totals && !self.differ && self.largest == shown
    }

    fn more_than(&self, shown: u64) -> bool {
        self.are_totals && self.largest > shown
    }

    fn changed(&self) -> bool {
        self.are_totals && self.differ
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the service says of the length of the list.
    #[derive(Clone, Copy, Debug)]
    enum Count {
        Total,
        PageLength,
        Absent,
    }

    /// What it says on the last page; on the others it points on, unless `Silent`.
    #[derive(Clone, Copy, Debug)]
    enum Last {
        Zero,
        Same,
        Total,
        Absent,
        Silent,
    }

    /// A service whose pages have these lengths, one after the other.
    #[derive(Clone, Debug)]
    struct Service {
        count: Count,
        last: Last,
        lengths: Vec<usize>,
    }

    fn page_of(names: &[u32]) -> FunctionPage {
        let urn = |name: &u32| format!("urn:fss:r:p:function:default:f{name}").parse().unwrap();
        FunctionPage::of(names.iter().map(urn))
    }

    impl Service {
        fn page(&self, list: &[u32], marker: u64, number: usize) -> FunctionPage {
            let from = usize::try_from(marker).unwrap().min(list.len());
            let to = (from + self.lengths[number % self.lengths.len()]).min(list.len());
            let is_last = to == list.len();
            FunctionPage {
                count: match self.count {
                    Count::Total => Some(list.len() as u64),
                    Count::PageLength => Some((to - from) as u64),
                    Count::Absent => None,
                },
                next_marker: match self.last {
                    Last::Silent => None,
                    _ if !is_last => Some(Marker(to as u64)),
                    Last::Zero => Some(Marker(0)),
                    Last::Same => Some(Marker(marker)),
                    Last::Total => Some(Marker(to as u64)),
                    Last::Absent => None,
                },
                ..page_of(&list[from..to])
            }
        }
    }

    /// Reads a list that `change` may change before each page; the verdict, what the last pass
    /// showed, and how many pages it took.
    fn read(
        service: &Service,
        list: &mut Vec<u32>,
        mut change: impl FnMut(usize, &mut Vec<u32>),
    ) -> (Result<(), Doubt>, HashSet<EntryKey>, usize) {
        let (mut listing, mut pages, mut shown) = (Listing::default(), 0, HashSet::new());
        loop {
            match listing.step() {
                Step::Over(verdict) => return (verdict, shown, pages),
                Step::Again => shown.clear(),
                Step::Ask(marker) => {
                    change(pages, list);
                    let page = service.page(list, marker.0, pages);
                    shown.extend(&page.keys);
                    listing.take(&page);
                    pages += 1;
                    assert!(pages <= 3 * (2 * list.len() + 40), "it does not end");
                }
            }
        }
    }

    fn keys(list: &[u32]) -> HashSet<EntryKey> {
        page_of(list).keys.into_iter().collect()
    }

    fn still(service: &Service, length: u32) -> (Result<(), Doubt>, usize) {
        let mut list: Vec<u32> = (0..length).collect();
        let (verdict, shown, pages) = read(service, &mut list, |_, _| {});
        assert!(verdict.is_err() || shown == keys(&list), "{service:?} is believed");
        (verdict, pages)
    }

    fn service(count: Count, last: Last, lengths: &[usize]) -> Service {
        Service { count, last, lengths: lengths.to_vec() }
    }

    #[test]
    fn a_list_is_read_to_its_end_whatever_marks_it() {
        for count in [Count::Total, Count::PageLength, Count::Absent] {
            for last in [Last::Zero, Last::Same, Last::Total, Last::Absent, Last::Silent] {
                for length in [0, 1, 2, 3, 399, 400, 401, 799, 1_200] {
                    let (verdict, pages) = still(&service(count, last, &[400]), length);
                    assert_eq!(verdict, Ok(()), "{count:?} {last:?} {length}");
                    // Where the end points on and no total speaks against it, the list is read
                    // twice.
                    let times = if matches!(
                        (count, last),
                        (Count::Total, _) | (_, Last::Zero | Last::Same)
                    ) {
                        1
                    } else {
                        2
                    };
                    let most = times * (3 + length.div_ceil(399) as usize);
                    assert!(pages <= most, "{count:?} {last:?} {length}: {pages}");
                }
            }
        }
    }

    #[test]
    fn one_page_costs_one_request_or_two_to_see_that_nothing_follows() {
        assert_eq!(still(&service(Count::Total, Last::Zero, &[400]), 20), (Ok(()), 2));
        assert_eq!(still(&service(Count::Absent, Last::Same, &[400]), 20), (Ok(()), 2));
        assert_eq!(still(&service(Count::Total, Last::Absent, &[400]), 20), (Ok(()), 3));
        assert_eq!(still(&service(Count::Total, Last::Total, &[400]), 20), (Ok(()), 3));
        assert_eq!(still(&service(Count::Total, Last::Zero, &[400]), 0), (Ok(()), 1));
    }

    #[test]
    fn pages_of_one_entry_are_read_twice() {
        for last in [Last::Zero, Last::Same, Last::Total, Last::Absent] {
            assert_eq!(still(&service(Count::Absent, last, &[1]), 5).0, Ok(()), "{last:?}");
            assert_eq!(still(&service(Count::Total, last, &[1]), 5).0, Ok(()), "{last:?}");
            assert_eq!(
                still(&service(Count::PageLength, last, &[2, 1, 3]), 3).0,
                Ok(()),
                "{last:?}"
            );
        }
    }

    /// Feeds pages one by one; the verdict once they are used up.
    fn fed(pages: &[FunctionPage]) -> Step {
        let mut listing = Listing::default();
        for page in pages {
            match listing.step() {
                Step::Ask(_) => listing.take(page),
                Step::Again | Step::Over(_) => break,
            }
        }
        let Step::Again = listing.step() else { return listing.step() };
        for page in pages {
            let Step::Ask(_) = listing.step() else { break };
            listing.take(page);
        }
        listing.step()
    }

    #[test]
    fn what_is_counted_and_not_shown_is_missed() {
        let first = FunctionPage { count: Some(1_200), ..page_of(&(0..400).collect::<Vec<_>>()) };
        let closing = FunctionPage { count: Some(1_200), ..page_of(&[399]) };
        let nothing = FunctionPage { count: Some(1_200), ..page_of(&[]) };
        let hidden = Doubt::Hidden { counted: 1_200, shown: 400 };
        assert_eq!(fed(&[first.clone(), closing, nothing]), Step::Over(Err(hidden)));
        let stuck = FunctionPage { next_marker: Some(Marker(400)), ..first };
        assert_eq!(fed(&[stuck.clone(), stuck]), Step::Over(Err(Doubt::Stuck)));
        let nothing = FunctionPage { count: Some(3), ..page_of(&[]) };
        assert_eq!(fed(&[nothing]), Step::Over(Err(Doubt::Hidden { counted: 3, shown: 0 })));
    }

    #[test]
    fn what_points_on_into_nothing_is_missed() {
        let onward = |names: &[u32], next| FunctionPage {
            next_marker: Some(Marker(next)),
            ..page_of(names)
        };
        let pages = [onward(&[0, 1], 2), onward(&[1], 2), onward(&[], 5)];
        assert_eq!(fed(&pages), Step::Over(Err(Doubt::PointsOn)));
        assert_eq!(fed(&[onward(&[], 5)]), Step::Over(Err(Doubt::PointsOn)));
    }

    /// A page's number falls behind the positions that are asked for.
    #[test]
    fn a_marker_that_is_no_position_does_not_tell_the_end() {
        let pages = |next| {
            [[0, 1].as_slice(), &[1]]
                .map(|names| FunctionPage { next_marker: Some(Marker(next)), ..page_of(names) })
        };
        assert_eq!(fed(&pages(1)), Step::Ask(Marker(2)));
        let [first, shared] = pages(2);
        let shared = FunctionPage { next_marker: Some(Marker(1)), ..shared };
        assert_eq!(fed(&[first, shared]), Step::Over(Ok(())));
    }

    #[test]
    fn a_marker_that_is_not_heeded_does_no_harm_to_a_list_of_one_page() {
        assert_eq!(fed(&[page_of(&[0, 1, 2]), page_of(&[0, 1, 2])]), Step::Over(Ok(())));
        let full = page_of(&(0..400).collect::<Vec<_>>());
        assert_eq!(fed(&[full.clone(), full]), Step::Over(Err(Doubt::Stuck)));
    }

    #[test]
    fn a_list_without_end_is_left() {
        let mut listing = Listing::default();
        let mut pages = 0;
        while let Step::Ask(Marker(marker)) = listing.step() {
            let marker = u32::try_from(marker).unwrap();
            listing.take(&page_of(&(marker..marker + 3).collect::<Vec<_>>()));
            pages += 1;
        }
        assert_eq!((listing.step(), pages), (Step::Over(Err(Doubt::Endless)), MOST_PAGES));
    }

    #[test]
    fn an_entry_that_cannot_be_read_is_counted_once_though_two_pages_show_it() {
        let mut first = page_of(&[0]);
        first.push_unreadable("no URN", "null");
        let mut closing = FunctionPage { next_marker: Some(Marker(0)), ..FunctionPage::default() };
        closing.push_unreadable("no URN", "null");
        let mut listing = Listing::default();
        for page in [&first, &closing] {
            assert!(matches!(listing.step(), Step::Ask(_)));
            listing.take(page);
        }
        assert_eq!((listing.step(), listing.unreadable()), (Step::Over(Ok(())), 1));
    }

    /// A function goes away between two pages: what follows moves up, and one would be passed over.
    #[test]
    fn a_list_that_moves_is_read_again() {
        for last in [Last::Total, Last::Silent] {
            let service = service(Count::Absent, last, &[10]);
            let mut list: Vec<u32> = (0..25).collect();
            let change = |page: usize, list: &mut Vec<u32>| {
                if page == 1 {
                    list.remove(3);
                }
            };
            let (verdict, shown, _) = read(&service, &mut list, change);
            assert_eq!((verdict, shown), (Ok(()), keys(&list)));
        }
    }

    fn any_service() -> impl Strategy<Value = Service> {
        let counts = prop::sample::select(vec![Count::Total, Count::PageLength, Count::Absent]);
        let lasts = prop::sample::select(vec![
            Last::Zero,
            Last::Same,
            Last::Total,
            Last::Absent,
            Last::Silent,
        ]);
        (counts, lasts, prop::collection::vec(1..7usize, 1..8))
            .prop_map(|(count, last, lengths)| Service { count, last, lengths })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Pages of any length from one entry up: complete, since nothing moves.
        #[test]
        fn a_list_that_stands_still_is_proven(service in any_service(), length in 0..40u32) {
            let (verdict, _) = still(&service, length);
            // Pages that change from pass to pass are no reason to doubt a list either.
            prop_assert_eq!(verdict, Ok(()));
        }

        /// A count that is wrong never makes a list end early.
        #[test]
        fn a_wrong_count_hides_nothing(
            service in any_service(),
            length in 0..40u32,
            wrong in 0..45u64,
        ) {
            let list: Vec<u32> = (0..length).collect();
            let (mut listing, mut pages, mut shown) = (Listing::default(), 0, HashSet::new());
            let verdict = loop {
                match listing.step() {
                    Step::Over(verdict) => break verdict,
                    Step::Again => shown.clear(),
                    Step::Ask(marker) => {
                        let page = service.page(&list, marker.0, pages);
                        shown.extend(page.keys.iter().copied());
                        listing.take(&FunctionPage { count: Some(wrong), ..page });
                        pages += 1;
                    }
                }
            };
            prop_assert!(
                verdict.is_err() || shown == keys(&list),
                "{:?} after {} pages",
                verdict,
                pages
            );
        }

        /// Whatever comes and goes while a list is paged: where it is believed, every function that
        /// was there all the time was shown.
        #[test]
        fn a_list_that_moves_is_never_believed_with_a_hole(
            service in any_service(),
            length in 2..40u32,
            moves in prop::collection::vec(
                (0..40usize, any::<bool>(), any::<prop::sample::Index>()),
                1..5,
            ),
        ) {
            let mut list: Vec<u32> = (0..length).collect();
            let mut fresh = 1_000;
            let mut gone = HashSet::new();
            let change = |page: usize, list: &mut Vec<u32>| {
                for (_, removes, at) in moves.iter().filter(|(when, _, _)| *when == page) {
                    if *removes && !list.is_empty() {
                        gone.insert(list.remove(at.index(list.len())));
                    } else {
                        fresh += 1;
                        list.insert(at.index(list.len() + 1), fresh);
                    }
                }
            };
            let (verdict, shown, _) = read(&service, &mut list, change);
            let stayed: Vec<u32> = (0..length).filter(|name| !gone.contains(name)).collect();
            prop_assert!(verdict.is_err() || keys(&stayed).is_subset(&shown), "{:?}", verdict);
        }
    }
}
