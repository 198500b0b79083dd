//! Why a walk is believed whole, or is not.

use crate::domain::EntryKey;
use std::collections::HashSet;
use std::fmt;

/// Where the service is suspected to stop handing out records without saying so: the default cap of
/// a log query in the store behind it (vendor's page LTS-0719). A walk that comes this far proves
/// nothing.
pub const RESULT_CAP: u64 = 5_000;

/// Caps are round numbers. A list whose length is a multiple of this is suspected to be cut off,
/// and its window is split: one window in five hundred costs a request for nothing, and a cap that
/// nobody documented loses no record.
const ROUND: u64 = 500;

/// Whether a list of this length looks cut off.
pub(super) fn is_suspicious(length: u64) -> bool {
    length >= RESULT_CAP || is_round(length)
}

/// Whether a length could be somebody's idea of a limit.
pub(super) fn is_round(length: u64) -> bool {
    length > 0 && length.is_multiple_of(ROUND)
}

/// Why a walk is believed whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The service's count equals what was seen, in one answer that had no seams.
    Count,
    /// Every seam held and nothing came twice; the service gave no total, or one that is known to
    /// be too low.
    Seams,
    /// Both: the count stood still from first to last page and equals the distinct entries, and
    /// every seam held.
    Both,
}

/// Why a walk is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The entry that closed one page did not open the next.
    SeamBroken,
    /// The next page, which it should open, was empty.
    SeamEmpty,
    /// The total changed while the list was paged.
    CountChanged,
    /// The list ended before as many distinct entries came as the service counts: it may know of
    /// more.
    CountDiffers,
    /// The list went on beyond what the service counts.
    CountTooLow,
    /// An entry came twice: another may be missing in its place.
    Repeated,
    /// The list reaches the suspected cap, so that its end may be cut off.
    Capped,
    /// An empty page points on, as if more followed.
    PointsOn,
    /// More pages than any list of that length can have.
    Endless,
    /// Beside records it holds what could not be read, which may be a fault of this answer alone.
    Unreadable,
    /// The same, and no record beside it.
    NothingRead,
    /// It is empty where records were shown before.
    Vanished,
}

impl Doubt {
    /// Whether a list that has ended contradicts the service's count.
    pub fn is_of_count(self) -> bool {
        matches!(self, Self::CountDiffers | Self::CountTooLow)
    }

    /// Whether the service may count like this every time, so that another walk tells whether its
    /// count means anything.
    pub fn may_be_habit(self) -> bool {
        self.is_of_count() || self == Self::CountChanged
    }

    /// Whether a page did not begin with the entry that closed the one before.
    pub fn is_of_seam(self) -> bool {
        matches!(self, Self::SeamBroken | Self::SeamEmpty)
    }

    /// Whether the list was walked to its end, and not all of it could be read.
    pub fn is_of_reading(self) -> bool {
        matches!(self, Self::Unreadable | Self::NothingRead)
    }

    /// Whether a list that has ended contradicts what the service says of it: how much it holds, or
    /// whether more follows.
    pub fn is_contradiction(self) -> bool {
        self.is_of_count() || self == Self::PointsOn
    }
}

/// In words, after "could not be proven complete:".
impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SeamBroken => "the list moved between two of its pages",
            Self::SeamEmpty => "a page was empty that begins with a record which was shown",
            Self::CountChanged => "the service's count changed while the list was paged",
            Self::CountDiffers => "the service counts more records than it shows",
            Self::CountTooLow => "the service counts fewer records than it shows",
            Self::Repeated => "a record came twice, so another may be missing",
            Self::Capped => {
                "the list reaches the 5,000 records at which the service may cut it off"
            }
            Self::PointsOn => "an empty page points on, as if more followed",
            Self::Endless => "the list has no end",
            Self::Unreadable => "what may be a record in it could not be read",
            Self::NothingRead => "nothing of what is shown in it could be read as a record",
            Self::Vanished => "the service shows nothing where it showed records before",
        })
    }
}

/// A list that was walked to its end, and the count that it contradicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contradiction {
    counted: Counted,
    reach: u64,
    /// The sum of the keys, the same in whichever order the entries came.
    entries: u64,
}

impl Contradiction {
    pub(super) fn of(counted: Counted, reach: u64, entries: &HashSet<EntryKey>) -> Self {
        Self { counted, reach, entries: sum_of(entries.iter().copied()) }
    }
}

/// What a record is taken for that comes twice on the only page of a walk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repetition {
    /// Another may be missing in its place.
    #[default]
    Doubtful,
    /// The service lists some twice.
    Harmless,
}

/// What the service counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    Total(u64),
    /// Another number on each page, as that of the records which follow would be: a sum over the
    /// pages' counts and lengths, the same in whichever order they came.
    Moving(u64),
}

/// What the walk of the same window before this one came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Earlier {
    /// There was none.
    Nothing,
    /// A contradiction with the service's count.
    Contradicted(Contradiction),
    /// Its counts moved from page to page, and those of this one do so alike.
    MovedAlike,
}

impl Counted {
    /// The counts and lengths of pages of which each counts another number.
    pub(super) fn moving(pages: &[(Option<u64>, u64)]) -> Self {
        Self::Moving(sum_of(pages.iter().map(|page| EntryKey::of(&format!("{page:?}")))))
    }
}

/// A sum of keys, the same in whichever order they come.
fn sum_of(keys: impl Iterator<Item = EntryKey>) -> u64 {
    keys.fold(0, |sum, key| sum.wrapping_add(key.number()))
}
