//! Whether the parts of a window that was walked in vain make up for what its walk told.
//!
//! A service that answers one page as if nothing followed contradicts itself only while the window
//! holds other records, too: the part that holds nothing but that page is shown empty, and its
//! count agrees. So what a walk in vain counted or showed of a window is remembered, and what its
//! parts claim waits until all of them are over. If they hold fewer records together, the whole
//! window is walked once more: records that were forgotten meanwhile are missing there, too. Where
//! it still tells of more than its parts hold, it is left unproven.
//!
//! A count is a witness here only where the counts of all parts are right. A service that counts
//! too much for ever does so of an empty part, too.

use crate::domain::{Interval, IntervalSet, Timestamp};
use crate::plan::ledger::{Entry, State};
use std::sync::Arc;

/// Why a window is left unproven whose parts were believed.
const SHORT: &str = "its parts hold fewer records than it as a whole";

/// A window that was walked in vain.
#[derive(Clone, Copy, Debug)]
struct Whole {
    window: Interval,
    /// How many entries its answers counted, and how many they showed.
    counted: u64,
    shown: u64,
}

/// A part of such a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) window: Interval,
    /// How many entries its walk showed; where that was in vain, how many were counted if that is
    /// more.
    pub(super) records: u64,
    /// The most that an answer counted.
    pub(super) counted: u64,
    /// Whether its walk is believed.
    pub(super) is_believed: bool,
    /// What the ledger may say of it, where that has to wait.
    pub(super) rows: Vec<Entry>,
}

/// The windows that were walked in vain, and their parts so far.
#[derive(Debug, Default)]
pub(super) struct Wholes {
    wholes: Vec<Whole>,
    parts: Vec<Part>,
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
    pub(super) fn note(&mut self, window: Interval, counted: u64, shown: u64) {
        self.wholes.push(Whole { window, counted, shown });
    }

    /// Keeps what a walk lets the ledger say until the window is resolved that it is a part of;
    /// hands it back where it is a part of none.
    pub(super) fn hold(&mut self, part: Part) -> Vec<Entry> {
        if !self.wholes.iter().any(|whole| whole.window.covers(part.window)) {
            return part.rows;
        }
        self.parts.push(part);
        Vec::new()
    }

    /// Takes in what walking such a window once more told. Where its parts make up for that, the
    /// list had moved, and what was told of it and all around it before is out of date.
    pub(super) fn take_again(&mut self, window: Interval, counted: u64, shown: u64) {
        let again = Whole { window, counted, shown };
        if is_short(window, again.told(&self.parts), &self.parts) {
            self.wholes.retain(|whole| whole.window != window);
            self.wholes.push(again);
        } else {
            self.wholes.retain(|whole| !whole.window.covers(window));
        }
    }

    /// The shortest windows that are short of records, when nothing is under way: what is short of
    /// one is not held against a longer one as well.
    pub(super) fn short(&self) -> Vec<Interval> {
        let mut wholes: Vec<&Whole> = self.wholes.iter().collect();
        wholes.sort_by_key(|whole| whole.window.seconds());
        let mut short: Vec<Interval> = Vec::new();
        for whole in wholes {
            let is_new = !short.iter().any(|window| whole.window.covers(*window));
            if is_new && is_short(whole.window, whole.told(&self.parts), &self.parts) {
                short.push(whole.window);
            }
        }
        short
    }

    /// What comes of the parts, when none is under way.
    pub(super) fn resolve(&mut self, now: Timestamp) -> Resolved {
        let short = self.short();
        let Self { parts, .. } = std::mem::take(self);
        let row = |&window: &Interval| Entry {
            window,
            state: State::Unproven,
            reported: None,
            distinct: parts_of(window, &parts).map(|part| part.records).sum(),
            pages: 0,
            walked_at: now,
            reason: Some(SHORT.into()),
        };
        let mut resolved = Resolved {
            rows: short.iter().map(row).collect(),
            unproven: short.iter().map(|&window| (window, SHORT.into())).collect(),
        };
        let is_sound = |part: &Part| !short.iter().any(|window| window.covers(part.window));
        resolved.rows.extend(parts.into_iter().filter(is_sound).flat_map(|part| part.rows));
        resolved
    }
}

impl Whole {
    /// How many entries it has by its answers.
    fn told(&self, parts: &[Part]) -> u64 {
        let is_right = |part: &Part| !part.is_believed || part.counted == part.records;
        let counts_are_right = parts_of(self.window, parts).all(is_right);
        if counts_are_right { self.counted.max(self.shown) } else { self.shown }
    }
}

fn parts_of(window: Interval, parts: &[Part]) -> impl Iterator<Item = &Part> {
    parts.iter().filter(move |part| window.covers(part.window))
}

/// Whether the parts of a window were all walked and hold less than was told of it.
fn is_short(window: Interval, told: u64, parts: &[Part]) -> bool {
    let walked: IntervalSet = parts_of(window, parts).map(|part| part.window).collect();
    let records: u64 = parts_of(window, parts).map(|part| part.records).sum();
    walked.covers(window) && records < told
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

    fn part((begin, end, records): (i64, i64, u64), too_many: u64) -> Part {
        Part {
            window: window(begin, end),
            records,
            counted: records + too_many,
            is_believed: true,
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
        wholes.note(window(10, 20), counted, shown);
        for &it in parts {
            assert_eq!(wholes.hold(part(it, too_many)), []);
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
        for (again, short) in [(4, vec![window(10, 20)]), (3, vec![])] {
            let mut wholes = Wholes::default();
            wholes.note(window(0, 40), 9, 0);
            wholes.note(window(10, 20), 4, 2);
            for it in [(0, 10, 0), (10, 15, 3), (15, 20, 0), (20, 40, 1)] {
                wholes.hold(part(it, 0));
            }
            assert_eq!(wholes.short(), [window(10, 20)]);
            wholes.take_again(window(10, 20), again, 2);
            assert_eq!(
                wholes.resolve(at(900)).unproven,
                short.iter().map(|&it| (it, SHORT.into())).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn what_a_part_in_vain_told_makes_up_the_whole() {
        for (told, short) in [(3, vec![]), (4, vec![(window(10, 20), SHORT.into())])] {
            let mut wholes = Wholes::default();
            wholes.note(window(10, 20), told, 2);
            wholes.hold(Part {
                is_believed: false,
                counted: 9,
                rows: Vec::new(),
                ..part((10, 15, 3), 0)
            });
            wholes.hold(part((15, 20, 0), 0));
            assert_eq!(wholes.resolve(at(900)).unproven, short);
        }
    }

    #[test]
    fn the_shortest_window_that_is_short_is_left_unproven() {
        let mut wholes = Wholes::default();
        wholes.note(window(0, 40), 9, 0);
        wholes.note(window(0, 20), 6, 0);
        for it in [(0, 10, 5), (10, 20, 0), (20, 40, 3)] {
            wholes.hold(part(it, 0));
        }
        assert_eq!(wholes.hold(part((40, 50, 0), 0)), rows(40, 50), "it is a part of none");
        let resolved = wholes.resolve(at(900));
        assert_eq!(resolved.unproven, [(window(0, 20), SHORT.into())]);
        assert_eq!(
            resolved.rows.iter().map(|row| row.window).collect::<Vec<_>>(),
            [window(0, 20), window(20, 40)]
        );
        assert_eq!(wholes.resolve(at(900)), Resolved::default(), "once");
    }
}
