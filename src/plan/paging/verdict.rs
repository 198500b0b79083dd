//! What a walk that has ended proves: every reason to doubt it, and what is left as proof.

use super::{Count, End, Walk};
use crate::plan::proof::{Doubt, Earlier, Proof, RESULT_CAP, Repetition, is_suspicious};

/// After so many pages of which nothing can be read, a walk of a window that can be halved ends:
/// they may be one page of records, answered otherwise from each of its places.
const MOST_UNREAD: usize = 8;

impl Walk {
    /// What already rules a proof out, so that no further page is asked for nothing.
    pub(super) fn suspicion(&self) -> Option<Doubt> {
        let reads_nothing = self.unreadable == self.reach && self.pages_joined >= MOST_UNREAD;
        if self.divisible && reads_nothing {
            return Some(Doubt::NothingRead);
        }
        let is_capped = match self.count() {
            Count::Moving if !self.habits.miscounts && self.earlier != Earlier::MovedAlike => {
                return Some(Doubt::CountChanged);
            }
            // A list that ends before it gets there is not cut off: its count is wrong. One that
            // ends just there may be, whatever its last page says of the next one.
            Count::Total(total) => {
                is_suspicious(total)
                    && !self.habits.miscounts
                    && !(self.says_end() && total > self.reach)
            }
            Count::Moving | Count::Silent => false,
        };
        (self.divisible && (is_capped || self.reach >= RESULT_CAP)).then_some(Doubt::Capped)
    }

    /// Whether the whole list was seen, and all of it could be read, now that nothing is left to
    /// ask.
    ///
    /// What could not be read may be a record, or stand in the place of some, so nothing is
    /// complete that holds it.
    pub(super) fn verdict(&self) -> Result<Proof, Doubt> {
        let proof = self.proof()?;
        match self.unreadable {
            0 => Ok(proof),
            unreadable if unreadable == self.reach => Err(Doubt::NothingRead),
            _ => Err(Doubt::Unreadable),
        }
    }

    /// What proves that the whole list was seen.
    fn proof(&self) -> Result<Proof, Doubt> {
        // Where no entry was left to share, a window that was narrowed has shown nothing of its
        // own.
        if self.is_cut {
            return Err(Doubt::SeamBroken);
        }
        if self.points_on_from_nothing() {
            return Err(Doubt::PointsOn);
        }
        if self.repeats() && self.repetition == Repetition::Doubtful {
            return Err(Doubt::Repeated);
        }
        match self.count() {
            _ if self.habits.miscounts => self.by_seams(),
            Count::Moving if self.earlier == Earlier::MovedAlike => self.by_seams(),
            Count::Moving => Err(Doubt::CountChanged),
            Count::Total(total) if total > self.reach => Err(Doubt::CountDiffers),
            Count::Total(total) if total < self.reach && self.shows_miscount() => self.by_seams(),
            Count::Total(total) if total < self.reach => Err(Doubt::CountTooLow),
            Count::Total(RESULT_CAP) => Err(Doubt::Capped),
            Count::Total(_) if self.looks_cut_off() => Err(Doubt::Capped),
            Count::Total(_) => Ok(if self.is_one_answer() { Proof::Count } else { Proof::Both }),
            Count::Silent if self.is_one_answer() && self.first_is_counted() => {
                self.by_seams().and(Ok(Proof::Count))
            }
            Count::Silent => self.by_seams(),
        }
    }

    /// The verdict without the count, except that more may exist than a count says was shown.
    fn by_seams(&self) -> Result<Proof, Doubt> {
        let most = self.counts.iter().filter_map(|&(count, _)| count).max();
        if most > Some(self.reach) {
            return Err(Doubt::CountDiffers);
        }
        if self.reach >= RESULT_CAP || self.looks_cut_off() {
            Err(Doubt::Capped)
        } else {
            Ok(Proof::Seams)
        }
    }

    /// Whether the list may be the start of a longer one, by its length, and the window can be
    /// halved to see.
    fn looks_cut_off(&self) -> bool {
        self.divisible && is_suspicious(self.reach)
    }

    pub(super) fn points_on_from_nothing(&self) -> bool {
        match &self.end {
            End::Behind(page) => page.entries.is_empty() && page.points_on,
            End::Open | End::Alone | End::Asked | End::Refused | End::Confirmed => {
                self.reach == 0 && self.tip.is_some_and(|tip| tip.points_on)
            }
        }
    }

    /// Whether one page brought everything: the others only confirm its end.
    fn is_one_answer(&self) -> bool {
        self.pages_joined <= 1
    }

    fn first_is_counted(&self) -> bool {
        self.counts.first().is_some_and(|&(count, _)| count == Some(self.first_length))
    }
}
