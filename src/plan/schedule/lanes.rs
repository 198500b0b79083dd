//! The ranges of a function that are still to be walked, side by side in lanes.

use crate::domain::{Interval, Timestamp};
use crate::plan::failing::PATIENT_FAILURES;
use crate::plan::paging::Contradiction;
use crate::plan::retry::Effort;
use crate::plan::windows::{self, Density};
use std::collections::VecDeque;
use std::time::Duration;

/// A range still to walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) range: Interval,
    /// How often it was walked in vain as a whole.
    pub(super) walks: u32,
    /// How the last of these walks contradicted the service's count, if it did.
    pub(super) contradiction: Option<Contradiction>,
    /// Behind what a page of it was empty that should not have been, if one was.
    pub(super) hidden_behind: Option<Contradiction>,
    /// Whether a record came twice in it.
    pub(super) repeated: bool,
    pub(super) trouble: Trouble,
}

/// What is known of a range from before it is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nothing.
    None,
    /// It is a part of a window that failed.
    Part,
    /// It holds fewer records in parts than as a whole, and is walked once more to see whether it
    /// still does.
    Short,
    /// Earlier runs walked it in vain; whether the last of them came late enough to have seen what
    /// is around it.
    Known { settled: bool },
}

impl Piece {
    pub(super) fn new(range: Interval) -> Self {
        Self {
            range,
            walks: 0,
            contradiction: None,
            hidden_behind: None,
            repeated: false,
            trouble: Trouble::None,
        }
    }

    /// A range to be walked once more as a whole.
    pub(super) fn again(range: Interval) -> Self {
        Self { walks: 1, trouble: Trouble::Short, ..Self::new(range) }
    }

    /// Another range of which the same is known.
    pub(super) fn with(self, range: Interval) -> Self {
        Self { trouble: self.trouble, ..Self::new(range) }
    }

    pub(super) fn is_fresh(&self) -> bool {
        self.walks == 0 && self.trouble == Trouble::None
    }

    /// How much a page of it is worth, when so many windows of the function have failed.
    pub(super) fn effort(&self, failed: u32) -> Effort {
        match self.trouble {
            Trouble::Known { .. } if !windows::is_divisible(self.range) => Effort::Once,
            Trouble::None if failed < PATIENT_FAILURES => Effort::Whole,
            _ => Effort::Part,
        }
    }
}

/// Ranges that are walked one after the other: the first page of a window tells how long the next
/// one may be.
#[derive(Debug, Default)]
pub(super) struct Lane {
    pieces: VecDeque<Piece>,
    density: Option<Density>,
}

impl Lane {
    /// The density that the latest windows of the lane told.
    pub(super) fn density(&self) -> Option<Density> {
        self.density
    }

    /// Learns a density that a window told; where it told none, the one before stands.
    pub(super) fn learn(&mut self, density: Option<Density>) {
        self.density = density.map(|density| density.after(self.density)).or(self.density);
    }

    pub(super) fn next(&self) -> Option<&Piece> {
        self.pieces.front()
    }

    pub(super) fn take_next(&mut self) -> Option<Piece> {
        self.pieces.pop_front()
    }

    pub(super) fn put_back(&mut self, piece: Piece) {
        self.pieces.push_front(piece);
    }

    pub(super) fn append(&mut self, pieces: impl IntoIterator<Item = Piece>) {
        self.pieces.extend(pieces);
    }

    /// Walks both halves of a piece, as if each had been walked so often before; none where it is
    /// a single second.
    pub(super) fn put_back_halves(&mut self, piece: Piece, walks: u32) {
        if let Some((first, second)) = windows::halves(piece.range) {
            self.put_back(Piece { walks, ..piece.with(second) });
            self.put_back(Piece { walks, ..piece.with(first) });
        }
    }

    /// Walks a piece in shorter windows. It is cut at once: until it is taken, another walk may
    /// have told another density.
    pub(super) fn put_back_shortened(&mut self, piece: Piece, longest: Duration) {
        let density = windows::shortened(piece.range, self.density);
        self.density = Some(density);
        let first = windows::next_window(piece.range, Some(density), longest);
        if let Some(rest) = piece.range.split_at(first.end()).1 {
            self.put_back(piece.with(rest));
        }
        self.put_back(piece.with(first));
    }

    /// Walks what was cut off the end of a window with what follows it; whether something follows.
    pub(super) fn prepend(&mut self, cut_off: Interval) -> bool {
        let follows = |next: &&mut Piece| next.range.begin() == cut_off.end() && next.is_fresh();
        let Some(next) = self.pieces.front_mut().filter(follows) else { return false };
        next.range = Interval::new(cut_off.begin(), next.range.end()).unwrap_or(next.range);
        true
    }

    /// Leaves out what lies after a moment, and hands it out.
    pub(super) fn leave_after(&mut self, moment: Timestamp) -> Vec<Interval> {
        let mut left_out = Vec::new();
        for piece in std::mem::take(&mut self.pieces) {
            match piece.range.split_at(moment) {
                (Some(past), Some(ahead)) => {
                    self.pieces.push_back(piece.with(past));
                    left_out.push(ahead);
                }
                (Some(_), None) => self.pieces.push_back(piece),
                (None, ahead) => left_out.extend(ahead),
            }
        }
        left_out
    }

    /// The lanes in which to walk what is left of this one, `most` at most; nothing where one lane
    /// is enough, or where not all pieces are `ready` to be walked side by side.
    pub(super) fn spread(
        &self,
        page: u64,
        most: usize,
        ready: impl Fn(&Piece) -> bool,
    ) -> Option<Vec<Self>> {
        let density = self.density?;
        let ranges: Vec<Interval> = self.pieces.iter().map(|piece| piece.range).collect();
        let lanes = windows::lanes(&ranges, density, page).min(most);
        if lanes < 2 || !self.pieces.iter().all(ready) {
            return None;
        }
        let parts = windows::in_parts(&ranges, lanes).into_iter();
        let lane = |part: Vec<Interval>| Self {
            pieces: part.into_iter().map(Piece::new).collect(),
            density: Some(density),
        };
        Some(parts.map(lane).collect())
    }
}
