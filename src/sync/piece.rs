//! A range while it is walked: what is known of it before, and what its pages say so far.

use super::settings::PAGE_LIMIT;
use crate::domain::{Interval, IntervalSet, Page, Timestamp};
use crate::plan::clocks::Moment;
use crate::plan::failing::PATIENT_FAILURES;
use crate::plan::ledger::{Entry, State};
use crate::plan::paging::{Contradiction, Proof, Walk};
use crate::plan::reach::Reach;
use crate::plan::retry::Effort;
use crate::plan::verify::Rewalk;
use crate::plan::windows::{self, Claims, Density, Prefix};
use std::collections::VecDeque;
use std::sync::Arc;

/// A range still to walk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) range: Interval,
    /// How often it was walked in vain as a whole.
    pub(super) walks: u32,
    /// How the last of these walks contradicted the service's count, if it did.
    pub(super) contradiction: Option<Contradiction>,
    pub(super) trouble: Trouble,
}

/// What is known of a range from before it is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nothing.
    None,
    /// It is a part of a window that failed.
    Part,
    /// Earlier runs walked it in vain; whether the last of them came late enough to have seen what is around it.
    Known { settled: bool },
}

impl Piece {
    pub(super) fn new(range: Interval) -> Self {
        Self { range, walks: 0, contradiction: None, trouble: Trouble::None }
    }

    /// Another range of which the same is known.
    pub(super) fn with(self, range: Interval) -> Self {
        Self { range, walks: 0, contradiction: None, ..self }
    }

    pub(super) fn is_fresh(&self) -> bool {
        self.walks == 0 && self.trouble == Trouble::None
    }
}

/// How much a page of a range is worth, when so many windows of the function have failed.
pub(super) fn effort(piece: Piece, failed: u32) -> Effort {
    match piece.trouble {
        Trouble::Known { .. } if !windows::is_divisible(piece.range) => Effort::Once,
        Trouble::None if failed < PATIENT_FAILURES => Effort::Whole,
        _ => Effort::Part,
    }
}

/// Ranges that are walked one after the other: the first page of a window tells how long the next one may be.
#[derive(Debug, Default)]
pub(super) struct Lane {
    pub(super) pieces: VecDeque<Piece>,
    pub(super) density: Option<Density>,
}

/// A window being walked.
pub(super) struct ActiveWalk {
    pub(super) lane: usize,
    pub(super) piece: Piece,
    pub(super) walk: Walk,
    /// Whether its window was cut after the first page was asked.
    pub(super) trimmed: bool,
    /// Whether its next page may cut it again.
    pub(super) undecided: bool,
    /// When the service answered first.
    pub(super) began_at: Option<Moment>,
}

impl ActiveWalk {
    /// The density that a first page tells: by the total, or by how close its records lie when it
    /// is full. One that is not full tells it only where nothing follows.
    pub(super) fn density(&self, page: &Page) -> Option<Density> {
        match self.walk.announced() {
            Some(total) => Some(Density::of(total, self.piece.range)),
            None if page.length() >= u64::from(PAGE_LIMIT) => Density::of_page(page),
            None if self.walk.goes_on() => None,
            None => Some(Density::of(page.length(), self.piece.range)),
        }
    }

    /// What was seen so far, where it is the start of a list that runs from the earliest record to the latest.
    pub(super) fn prefix(&self) -> Option<Prefix> {
        let (total, seen) = self.walk.announced().zip(self.walk.prefix())?;
        let starts: Option<Vec<Timestamp>> = self.walk.starts().iter().copied().collect();
        let starts = starts.filter(|starts| starts.is_sorted())?;
        Some(Prefix { total, seen, until: *starts.last()?, stride: self.walk.stride() })
    }

    /// The rows of the ledger for what is claimed; the unconfirmed is only proven.
    pub(super) fn rows(&self, claims: Claims, unconfirmed: &[Interval], proof: Proof, began_at: Moment) -> Vec<Entry> {
        let row = |window: Option<Interval>, state| {
            window.map(|window| {
                let distinct = self.walk.distinct_in(window);
                // A count that the seams had to contradict is no witness for them.
                let reported = self.walk.reported().filter(|_| proof != Proof::Seams).map(|_| distinct);
                let (pages, walked_at) = (self.walk.pages(), began_at.earlier());
                Entry { window, state, reported, distinct, pages, walked_at, reason: None }
            })
        };
        let Claims { lost, settled, proven, .. } = claims;
        let not_settled: IntervalSet = unconfirmed.iter().copied().collect();
        let settled = settled.map_or_else(Vec::new, |settled| not_settled.gaps_in(settled)).into_iter();
        let settled = settled.map(|part| row(Some(part), State::Settled(proof)));
        let proven = unconfirmed.iter().copied().chain(proven).map(|part| row(Some(part), State::Proven(proof)));
        [row(lost, State::Lost)].into_iter().chain(settled).chain(proven).flatten().collect()
    }

    pub(super) fn rewalk(self, began_at: Moment, reach: Reach) -> Rewalk {
        let window = self.piece.range;
        let (records, pages, reached) = (self.walk.distinct_in(window), self.walk.pages(), reach.begin(began_at));
        Rewalk { window, shown: self.walk.into_keys(), records, pages, began_at: began_at.earlier(), reached }
    }

    /// The row of a window that could not be proven; `now` is when that was seen where no page of it came.
    pub(super) fn unproven(&self, reason: Arc<str>, now: Timestamp) -> Entry {
        let (window, walked_at) = (self.piece.range, self.began_at.map_or(now, Moment::earlier));
        let (reported, distinct, pages) = (self.walk.reported(), self.walk.distinct(), self.walk.pages());
        Entry { window, state: State::Unproven, reported, distinct, pages, walked_at, reason: Some(reason) }
    }
}
