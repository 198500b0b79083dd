//! Whether the parts of a window that was walked in vain make up for what its walk told.
//!
//! A service that answers one page as if nothing followed contradicts itself only while the window
//! holds other records, too: the part that holds nothing but that page is shown empty, and its
//! count agrees. So what a walk in vain counted or showed of a window is remembered, and what its
//! parts claim waits until all of them are over. If they hold fewer records together, the whole
//! window is walked once more: records that were forgotten meanwhile are missing there, too. Where
//! it still tells of more than its parts hold, it is left unproven.
//!
//! What its parts do not show is looked for before that: each is walked in halves, and so are the
//! halves of one that together hold more than it showed. So of a page that is answered short, no
//! more is missing in the end than what cannot be shown without it.
//!
//! A count is a witness here only where the counts of all parts are right. A service that counts
//! too much for ever does so of an empty part, too.

use crate::domain::{EntryKey, Interval, IntervalSet, Timestamp};
use crate::plan::ledger::{Entry, State};
use crate::plan::paging::Doubt;
use crate::plan::windows;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// So many parts are split at most in a run: a page that is answered short takes two for each of
/// some twenty halvings.
const MOST_SPLIT: usize = 200;

/// What cannot be read keeps its second unproven and those beside it, whose walks show it too: so
/// many seconds.
pub(super) const NARROWEST: i64 = 3;

/// Why a window is left unproven whose parts were believed.
const SHORT: &str = "its parts hold fewer records than it as a whole";

/// A window that was walked in vain.
#[derive(Clone, Copy, Debug)]
struct Whole {
    window: Interval,
    told: Told,
    /// Whether its own walk was believed until it was split.
    was_believed: bool,
}

/// What the answers of a walk told of its window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// How many entries they counted, and how many they showed.
    pub(super) counted: u64,
    pub(super) shown: u64,
    /// Whether a page was empty that begins with an entry which was shown before.
    pub(super) hides: bool,
}

/// A part of such a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) window: Interval,
    /// The records that its walk showed. Neighbours share those of the seconds between them.
    pub(super) shown: Vec<EntryKey>,
    /// How many entries it showed that cannot be read, and may look alike.
    pub(super) unreadable: u64,
    /// The most that an answer counted.
    pub(super) counted: u64,
    /// Why its walk is not believed; none where it is.
    pub(super) doubt: Option<Doubt>,
    /// What the ledger may say of it, where that has to wait.
    pub(super) rows: Vec<Entry>,
}

/// The windows that were walked in vain, and their parts so far.
#[derive(Debug, Default)]
pub(super) struct Wholes {
    walked_in_vain: Vec<Whole>,
    parts: Vec<Part>,
    /// How many parts were split to look for what they do not show.
    split: usize,
}

/// What is known of all parts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Resolved {
    /// The rows that the ledger may have.
    pub(super) rows: Vec<Entry>,
    /// The windows that are left unproven, and why.
    pub(super) unproven: Vec<(Interval, Arc<str>)>,
}

impl Wholes {
    /// Notes what the answers of a walk in vain told of its window, of which parts are walked now.
    pub(super) fn note(&mut self, window: Interval, told: Told) {
        self.walked_in_vain.push(Whole { window, told, was_believed: false });
    }

    /// Whether a window is a part of one that was walked in vain.
    pub(super) fn awaits(&self, window: Interval) -> bool {
        self.walked_in_vain.iter().any(|whole| whole.window.covers(window))
    }

    /// Keeps what a walk lets the ledger say of a part until the window around it is resolved.
    pub(super) fn hold(&mut self, part: Part) {
        self.parts.push(part);
    }

    /// Takes in what walking such a window once more told. Where its parts make up for that, the
    /// list had moved, and what was told of it and all around it before is out of date.
    pub(super) fn take_again(&mut self, window: Interval, told: Told) {
        // A list that becomes shorter while it is walked hides nothing.
        let hid = self.walked_in_vain.iter().any(|it| it.window == window && it.told.hides);
        let told = Told { hides: told.hides && hid, ..told };
        let again = Whole { window, told, was_believed: false };
        if again.is_short(&self.parts) {
            self.walked_in_vain.retain(|whole| whole.window != window);
            self.walked_in_vain.push(again);
        } else {
            self.walked_in_vain.retain(|whole| !whole.window.covers(window));
        }
    }

    /// The shortest windows that are short of records, when nothing is under way: what is short of
    /// one is not held against a longer one as well.
    pub(super) fn short(&self) -> Vec<Interval> {
        let mut wholes: Vec<&Whole> = self.walked_in_vain.iter().collect();
        wholes.sort_by_key(|whole| whole.window.seconds());
        let mut short: Vec<Interval> = Vec::new();
        for whole in wholes {
            let is_new = !short.iter().any(|window| whole.window.covers(*window));
            if is_new && whole.is_short(&self.parts) {
                short.push(whole.window);
            }
        }
        short
    }

    /// Takes out the parts to be walked in halves, of windows that are short of records: what
    /// those hold that were walked is all that is known of them from then on.
    pub(super) fn split(&mut self, is_worth_it: impl Fn(Interval) -> bool) -> Vec<Interval> {
        let mut short = self.short();
        short.retain(|&window| is_worth_it(window));
        let is_doubtful = |part: &Part| {
            let is_short = short.iter().any(|window| window.covers(part.window));
            is_short && part.doubt.is_none() && windows::is_divisible(part.window)
        };
        let is_promising = |part: &&Part| {
            is_doubtful(part) && self.parent(part.window).is_none_or(|it| self.has_grown(it))
        };
        let promising = self.parts.iter().filter(is_promising).map(|part| part.window);
        let promising: HashSet<Interval> =
            promising.take(MOST_SPLIT.saturating_sub(self.split)).collect();
        let split: Vec<Part> =
            self.parts.extract_if(.., |part| promising.contains(&part.window)).collect();
        self.split += split.len();
        self.walked_in_vain.extend(split.iter().map(|part| Whole {
            window: part.window,
            told: Told { shown: part.entries(), ..Told::default() },
            was_believed: true,
        }));
        split.into_iter().map(|part| part.window).collect()
    }

    /// The shortest window around a part that was split to look for what it does not show.
    fn parent(&self, part: Interval) -> Option<&Whole> {
        let around = self.walked_in_vain.iter().filter(|whole| whole.window.covers(part));
        around.filter(|whole| whole.was_believed).min_by_key(|whole| whole.window.seconds())
    }

    /// Whether the parts of one that was split hold more together than it showed.
    fn has_grown(&self, whole: &Whole) -> bool {
        shown_of(whole.window, &self.parts) > whole.told.shown
    }

    /// What comes of the parts, when none is under way.
    pub(super) fn resolve(&mut self, now: Timestamp) -> Resolved {
        let around = |window: Interval| self.around(window);
        let short: Vec<Interval> = self.short().into_iter().map(around).collect();
        // What a part counts and does not show may lie in the seconds beside it, which it is asked
        // for with: they stay unproven as one, so that a later run sees the same.
        let hides = |part: &Part| part.doubt.filter(|_| part.unshown() > 0);
        let hiding: Vec<(Interval, Doubt)> = self
            .parts
            .iter()
            .filter_map(|part| Some((around(part.window), hides(part)?)))
            .collect();
        let Self { parts, .. } = std::mem::take(self);
        let row = |window: Interval, reason: &str| Entry {
            window,
            state: State::Unproven,
            reported: None,
            distinct: shown_of(window, &parts),
            pages: 0,
            walked_at: now,
            reason: Some(reason.into()),
        };
        let hidden = hiding.iter().map(|(window, doubt)| row(*window, &doubt.to_string()));
        let mut rows: Vec<Entry> =
            hidden.chain(short.iter().map(|&window| row(window, SHORT))).collect();
        let hiding = hiding.iter().map(|(window, _)| *window);
        let in_doubt: IntervalSet = short.iter().copied().chain(hiding).collect();
        let mut vanished = Vec::new();
        for claimed in parts.into_iter().flat_map(|part| part.rows) {
            for it in in_doubt.gaps_in(claimed.window) {
                vanished.extend(claimed.reason.clone().map(|reason| (it, reason)));
                rows.push(claimed.part(it));
            }
        }
        let short = short.into_iter().map(|window| (window, SHORT.into()));
        let unproven = short.chain(vanished).collect();
        Resolved { rows, unproven }
    }

    /// A window with the second before it and the one after it, which it is asked for with, as far
    /// as they lie in one that was walked in vain.
    fn around(&self, window: Interval) -> Interval {
        let second = Duration::from_secs(1);
        let wider = Interval::new(window.begin() - second, window.end() + second);
        let covering = self.walked_in_vain.iter().filter(|whole| whole.window.covers(window));
        let widest = covering.max_by_key(|whole| whole.window.seconds()).map(|it| it.window);
        wider.zip(widest).and_then(|(wider, widest)| wider.intersect(widest)).unwrap_or(window)
    }
}

impl Whole {
    /// How many entries it has by its answers.
    fn told(&self, parts: &[Part]) -> u64 {
        let is_right = |part: &Part| part.doubt.is_some() || part.counted == part.entries();
        let counts_are_right = parts_of(self.window, parts).all(is_right);
        let Told { counted, shown, .. } = self.told;
        if counts_are_right { counted.max(shown) } else { shown }
    }

    /// Whether its parts were all walked and hold less than was told of it, or nothing tells that
    /// they hold what it hides. What those count that were walked in vain, they may hold;
    /// neighbours may count the same.
    fn is_short(&self, parts: &[Part]) -> bool {
        let window = self.window;
        let walked: IntervalSet = parts_of(window, parts).map(|part| part.window).collect();
        let unshown = most_of_each_run(parts_of(window, parts), Part::unshown);
        let shown = shown_of(window, parts).saturating_add(unshown);
        walked.covers(window) && (self.told.hides || shown < self.told(parts))
    }
}

impl Part {
    /// How many entries its walk showed.
    fn entries(&self) -> u64 {
        (self.shown.len() as u64).saturating_add(self.unreadable)
    }

    /// How many entries were counted in vain that it does not show.
    fn unshown(&self) -> u64 {
        let unshown = self.counted.saturating_sub(self.entries());
        if self.doubt.is_some() { unshown } else { 0 }
    }
}

fn parts_of(window: Interval, parts: &[Part]) -> impl Iterator<Item = &Part> {
    parts.iter().filter(move |part| window.covers(part.window))
}

/// How many entries the parts of a window showed, each once. What cannot be read has no id by which
/// to tell: seconds side by side may show the same.
fn shown_of(window: Interval, parts: &[Part]) -> u64 {
    let shown = parts_of(window, parts).flat_map(|part| part.shown.iter());
    let records = shown.collect::<HashSet<_>>().len() as u64;
    let (narrow, wide): (Vec<&Part>, Vec<&Part>) =
        parts_of(window, parts).partition(|part| part.window.seconds() <= NARROWEST);
    let alone = wide.iter().map(|part| part.unreadable).fold(0, u64::saturating_add);
    let beside = most_of_each_run(narrow.into_iter(), |part| part.unreadable);
    records.saturating_add(alone).saturating_add(beside)
}

/// The sum of what parts have of something that neighbours may have in common: of those that touch
/// each other, what the one has that has most.
fn most_of_each_run<'p>(
    parts: impl Iterator<Item = &'p Part>,
    amount: impl Fn(&Part) -> u64,
) -> u64 {
    let having: Vec<&Part> = parts.filter(|part| amount(part) > 0).collect();
    let runs: IntervalSet = having.iter().map(|part| part.window).collect();
    let most_of = |run: Interval| {
        let of_run = having.iter().filter(|part| run.covers(part.window));
        of_run.map(|part| amount(part)).max().unwrap_or(0)
    };
    runs.iter().map(most_of).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::paging::Proof;
    use pretty_assertions::assert_eq;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix(second)
    }

    fn window(begin: i64, end: i64) -> Interval {
        Interval::new(at(begin), at(end)).unwrap()
    }

    fn rows(begin: i64, end: i64) -> Vec<Entry> {
        let (window, state) = (window(begin, end), State::Settled(Proof::Both));
        vec![Entry {
            window,
            state,
            reported: None,
            distinct: 0,
            pages: 1,
            walked_at: at(900),
            reason: None,
        }]
    }

    fn told(counted: u64, shown: u64) -> Told {
        Told { counted, shown, hides: false }
    }

    /// So many entries, of which no two parts that begin apart share one.
    fn keys(begin: i64, records: u64) -> Vec<EntryKey> {
        (0..records).map(|number| EntryKey::of(&format!("{begin} {number}"))).collect()
    }

    fn part((begin, end, records): (i64, i64, u64), too_many: u64) -> Part {
        Part {
            window: window(begin, end),
            shown: keys(begin, records),
            unreadable: 0,
            counted: records + too_many,
            doubt: None,
            rows: rows(begin, end),
        }
    }

    /// The walk of 10 to 20 in vain counted and showed so many, and its parts held so many, each of
    /// which counts too many: the windows that are entered, and those that are unproven.
    fn resolved(
        counted: u64,
        shown: u64,
        parts: &[(i64, i64, u64)],
        too_many: u64,
    ) -> [Vec<(i64, i64)>; 2] {
        let mut wholes = Wholes::default();
        wholes.note(window(10, 20), told(counted, shown));
        for &it in parts {
            wholes.hold(part(it, too_many));
        }
        let Resolved { rows, unproven } = wholes.resolve(at(900));
        let bounds = |window: Interval| (window.begin().unix(), window.end().unix());
        let entered =
            rows.iter().filter(|row| row.state != State::Unproven).map(|row| bounds(row.window));
        assert_eq!(rows.iter().filter(|row| row.state == State::Unproven).count(), unproven.len());
        [entered.collect(), unproven.iter().map(|(window, _)| bounds(*window)).collect()]
    }

    #[test]
    fn an_empty_part_is_believed_where_the_parts_make_up_the_whole() {
        let parts = [(10, 15, 3), (15, 20, 0)];
        assert_eq!(resolved(3, 2, &parts, 0), [vec![(10, 15), (15, 20)], vec![]]);
        assert_eq!(resolved(4, 2, &parts, 0), [vec![], vec![(10, 20)]], "it was counted");
        assert_eq!(resolved(0, 5, &parts, 0), [vec![], vec![(10, 20)]], "it was shown");
        assert_eq!(
            resolved(4, 2, &parts, 1),
            [vec![(10, 15), (15, 20)], vec![]],
            "its counts are wrong"
        );
        let parts_with_records = [(10, 15, 3), (15, 20, 1)];
        assert_eq!(
            resolved(5, 2, &parts_with_records, 0),
            [vec![], vec![(10, 20)]],
            "no part is empty"
        );
        assert_eq!(resolved(4, 2, &parts_with_records, 0)[1], []);
        assert_eq!(
            resolved(9, 9, &parts[1..], 0),
            [vec![(15, 20)], vec![]],
            "a part could not be had"
        );
    }

    #[test]
    fn what_was_forgotten_meanwhile_is_held_against_nothing() {
        for (again, short) in [(4, vec![window(9, 21)]), (3, vec![])] {
            let mut wholes = Wholes::default();
            wholes.note(window(0, 40), told(9, 0));
            wholes.note(window(10, 20), told(4, 2));
            for it in [(0, 10, 0), (10, 15, 3), (15, 20, 0), (20, 40, 1)] {
                wholes.hold(part(it, 0));
            }
            assert_eq!(wholes.short(), [window(10, 20)]);
            wholes.take_again(window(10, 20), told(again, 2));
            assert_eq!(
                wholes.resolve(at(900)).unproven,
                short.iter().map(|&it| (it, SHORT.into())).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn what_a_part_in_vain_told_makes_up_the_whole() {
        for (counted, short) in [(3, vec![]), (4, vec![(window(10, 20), SHORT.into())])] {
            let mut wholes = Wholes::default();
            wholes.note(window(10, 20), told(counted, 2));
            wholes.hold(Part {
                doubt: Some(Doubt::CountDiffers),
                counted: 3,
                rows: Vec::new(),
                ..part((10, 15, 2), 0)
            });
            wholes.hold(part((15, 20, 0), 0));
            let resolved = wholes.resolve(at(900));
            assert_eq!(resolved.unproven, short);
            let claimed = resolved.rows.iter().filter(|row| row.state != State::Unproven);
            let claimed: Vec<Interval> = claimed.map(|row| row.window).collect();
            // What it does not show may lie in the second behind its end.
            assert_eq!(claimed, if short.is_empty() { vec![window(16, 20)] } else { vec![] });
        }
    }

    /// Two neighbours that are asked for with a second of each other may count one record.
    #[test]
    fn what_neighbours_count_in_vain_is_held_for_one() {
        let in_vain = |part: Part| Part {
            counted: part.counted + 1,
            doubt: Some(Doubt::CountDiffers),
            ..part
        };
        let resolved = |parts: &[(i64, i64, u64)], second: usize| {
            let mut wholes = Wholes::default();
            wholes.note(window(10, 20), told(4, 2));
            for (place, &it) in parts.iter().enumerate() {
                let part = part(it, 0);
                wholes.hold(if place == 0 || place == second { in_vain(part) } else { part });
            }
            wholes.resolve(at(900)).unproven
        };
        let parts = [(10, 12, 1), (12, 14, 0), (14, 16, 1), (16, 20, 0)];
        assert_eq!(resolved(&parts, 1), [(window(10, 20), SHORT.into())], "it may be one");
        assert_eq!(resolved(&parts, 3), [], "they are two");
    }

    #[test]
    fn what_its_parts_do_not_show_is_looked_for_where_halves_bring_more() {
        let mut wholes = Wholes::default();
        wholes.note(window(0, 32), told(9, 0));
        for it in [(0, 16, 5), (16, 32, 0)] {
            wholes.hold(part(it, 0));
        }
        assert_eq!(wholes.split(|_| false), [], "it was looked for before");
        let split = |wholes: &mut Wholes, then: &[(i64, i64, u64)]| {
            let split = wholes.split(|_| true);
            for &it in then {
                wholes.hold(part(it, 0));
            }
            split
        };
        let halves = [(0, 8, 2), (8, 16, 3), (16, 24, 2), (24, 32, 0)];
        assert_eq!(split(&mut wholes, &halves), [window(0, 16), window(16, 32)]);
        let quarters = [(16, 20, 1), (20, 24, 1), (24, 28, 0), (28, 32, 1)];
        assert_eq!(split(&mut wholes, &quarters), [window(16, 24), window(24, 32)]);
        assert_eq!(
            split(&mut wholes, &[(24, 26, 0), (26, 28, 0)]),
            [window(24, 28), window(28, 32)]
        );
        wholes.hold(part((28, 32, 1), 0));
        assert_eq!(wholes.split(|_| true), [], "no halves bring more");
        assert_eq!(wholes.resolve(at(900)).unproven, [(window(0, 32), SHORT.into())]);
        wholes.note(window(0, 4), told(2, 0));
        wholes.hold(part((0, 2, 0), 0));
        wholes.hold(part((2, 4, 1), 0));
        split(&mut wholes, &[(0, 1, 1), (1, 2, 0), (2, 3, 0), (3, 4, 1)]);
        assert_eq!(wholes.resolve(at(900)).unproven, [], "all was found");
    }

    /// A page that begins with a known entry and is empty may be the first one of a part.
    #[test]
    fn what_hides_a_page_is_not_made_up_for() {
        for hides in [true, false] {
            let mut wholes = Wholes::default();
            wholes.note(window(10, 20), Told { hides: true, ..told(0, 3) });
            wholes.hold(part((10, 15, 4), 0));
            wholes.hold(part((15, 20, 0), 0));
            assert_eq!(wholes.short(), [window(10, 20)]);
            wholes.take_again(window(10, 20), Told { hides, ..told(0, 4) });
            assert_eq!(wholes.short().len(), usize::from(hides));
        }
    }

    /// However many parts a window has, they show no more for it.
    #[test]
    fn what_neighbours_share_counts_once() {
        let mut wholes = Wholes::default();
        wholes.note(window(10, 20), told(3, 2));
        for begin in 10..20 {
            wholes.hold(Part { shown: keys(0, 2), ..part((begin, begin + 1, 2), 0) });
        }
        assert_eq!(wholes.resolve(at(900)).unproven, [(window(10, 20), SHORT.into())]);
    }

    #[test]
    fn no_more_parts_are_split_than_a_run_has_requests_for() {
        let mut wholes = Wholes::default();
        let many = i64::try_from(MOST_SPLIT).unwrap() + 1;
        wholes.note(window(0, 2 * many), told(9, 0));
        (0..many).for_each(|it| wholes.hold(part((2 * it, 2 * it + 2, 0), 0)));
        assert_eq!(wholes.split(|_| true).len(), MOST_SPLIT);
    }

    #[test]
    fn the_shortest_window_that_is_short_is_left_unproven() {
        let mut wholes = Wholes::default();
        wholes.note(window(0, 40), told(9, 0));
        wholes.note(window(0, 20), told(6, 0));
        for it in [(0, 10, 5), (10, 20, 0), (20, 40, 3)] {
            wholes.hold(part(it, 0));
        }
        assert!(wholes.awaits(window(20, 40)) && !wholes.awaits(window(40, 50)));
        let resolved = wholes.resolve(at(900));
        assert_eq!(resolved.unproven, [(window(0, 21), SHORT.into())], "and a second beside it");
        assert_eq!(
            resolved.rows.iter().map(|row| row.window).collect::<Vec<_>>(),
            [window(0, 21), window(21, 40)]
        );
        assert_eq!(wholes.resolve(at(900)), Resolved::default(), "once");
    }
}
