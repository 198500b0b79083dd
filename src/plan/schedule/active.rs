//! A window while it is walked: what its pages say so far.

use super::lanes::Piece;
use crate::domain::{Interval, IntervalSet, Marker, PAGE_LIMIT, Page, Timestamp};
use crate::plan::clocks::Moment;
use crate::plan::ledger::{Entry, State};
use crate::plan::paging::{Habits, Proof, Repetition, Walk};
use crate::plan::reach::Reach;
use crate::plan::verify::VerificationWalk;
use crate::plan::windows::{self, Claims, Density, Prefix};
use std::sync::Arc;

/// A page as an answer to a walk's question.
#[derive(Clone, Copy, Debug)]
pub(super) struct ServedPage<'p> {
    /// The marker that was asked for.
    pub(super) marker: Marker,
    pub(super) page: &'p Page,
    /// When the service answered.
    pub(super) seen_at: Moment,
}

/// A window being walked.
#[derive(Debug)]
pub(super) struct ActiveWalk {
    /// The lane it was taken from, by its place.
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
    /// A walk of a window. An entry that comes twice on its only page is believed where the service
    /// is known to list some twice (`may_repeat`), and in a second where the walk before met one as
    /// well: elsewhere halves tell whether another is missing in its place.
    pub(super) fn new(lane: usize, piece: Piece, habits: Habits, may_repeat: bool) -> Self {
        let is_divisible = windows::is_divisible(piece.range);
        let walk = Walk::new(habits, is_divisible);
        let may_repeat = may_repeat || (piece.repeated && !is_divisible);
        let repetition = if may_repeat { Repetition::Harmless } else { Repetition::Doubtful };
        let walk = walk.after(piece.contradiction, repetition);
        Self { lane, piece, walk, trimmed: false, undecided: false, began_at: None }
    }

    /// Takes in a page, and tells the density that it shows, if it shows one.
    pub(super) fn take(&mut self, served: ServedPage<'_>) -> Option<Density> {
        let ServedPage { marker, page, seen_at } = served;
        // An answer that is dated before the first one may come from a copy that is as old.
        self.began_at = Some(self.began_at.map_or(seen_at, |began_at| began_at.not_after(seen_at)));
        self.walk.take(marker, page);
        self.undecided = false;
        // Further pages tell a density only by their total; without one they are too few to go by.
        if marker.0 == 0 || self.walk.announced().is_some() { self.density(page) } else { None }
    }

    /// Whether other windows of its lane may be walked beside it: it is known how long it is.
    pub(super) fn has_begun(&self) -> bool {
        self.began_at.is_some() && !self.undecided
    }

    /// The density that a first page tells: by the total, or by how close its records lie when it
    /// is full. One that is not full tells it only where nothing follows.
    fn density(&self, page: &Page) -> Option<Density> {
        match self.walk.announced() {
            Some(total) => Some(Density::of(total, self.piece.range)),
            None if page.length() >= u64::from(PAGE_LIMIT) => Density::of_page(page),
            None if self.walk.goes_on() => None,
            None => Some(Density::of(page.length(), self.piece.range)),
        }
    }

    /// What was seen so far, where it is the start of a list that runs from the earliest record to
    /// the latest.
    pub(super) fn prefix(&self) -> Option<Prefix> {
        let (total, seen) = self.walk.announced().zip(self.walk.prefix())?;
        let starts: Option<Vec<Timestamp>> = self.walk.starts().iter().copied().collect();
        let starts = starts.filter(|starts| starts.is_sorted())?;
        Some(Prefix { total, seen, until: *starts.last()?, stride: self.walk.stride() })
    }

    /// Goes on with the start of its window, which holds so many records, where that is known.
    pub(super) fn narrow(&mut self, window: Interval, expected: Option<u64>) {
        self.walk.narrow(expected);
        self.piece.range = window;
        self.trimmed = true;
        self.undecided = expected.is_none();
    }

    /// The rows of the ledger for what is claimed; the unconfirmed is only proven.
    pub(super) fn rows(
        &self,
        claims: Claims,
        unconfirmed: &[Interval],
        proof: Proof,
        began_at: Moment,
    ) -> Vec<Entry> {
        let row = |window: Option<Interval>, state| {
            window.map(|window| {
                let distinct = self.walk.distinct_in(window);
                // A count that the seams had to contradict is no witness for them.
                let reported =
                    self.walk.reported().filter(|_| proof != Proof::Seams).map(|_| distinct);
                let (pages, walked_at) = (self.walk.pages(), began_at.earlier());
                Entry { window, state, reported, distinct, pages, walked_at, reason: None }
            })
        };
        let Claims { lost, settled, proven, .. } = claims;
        let not_settled: IntervalSet = unconfirmed.iter().copied().collect();
        let settled =
            settled.map_or_else(Vec::new, |settled| not_settled.gaps_in(settled)).into_iter();
        let settled = settled.map(|part| row(Some(part), State::Settled(proof)));
        let proven = unconfirmed
            .iter()
            .copied()
            .chain(proven)
            .map(|part| row(Some(part), State::Proven(proof)));
        [row(lost, State::Lost)].into_iter().chain(settled).chain(proven).flatten().collect()
    }

    pub(super) fn verification(self, began_at: Moment, reach: Reach) -> VerificationWalk {
        let window = self.piece.range;
        let (records, pages, reached) =
            (self.walk.distinct_in(window), self.walk.pages(), reach.begin(began_at));
        VerificationWalk {
            window,
            shown: self.walk.into_keys(),
            records,
            pages,
            began_at: began_at.earlier(),
            reached,
        }
    }

    /// The row of a window that could not be proven; `now` is when that was seen where no page of
    /// it came.
    pub(super) fn unproven(&self, reason: Arc<str>, now: Timestamp) -> Entry {
        let (window, walked_at) = (self.piece.range, self.began_at.map_or(now, Moment::earlier));
        let (reported, distinct, pages) =
            (self.walk.reported(), self.walk.distinct(), self.walk.pages());
        Entry {
            window,
            state: State::Unproven,
            reported,
            distinct,
            pages,
            walked_at,
            reason: Some(reason),
        }
    }
}
