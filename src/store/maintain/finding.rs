//! What a check finds: a rule that does not hold, with its places and what to do.

/// The most places that a finding names: more than anybody looks at one by one, in little memory.
const MOST_NAMED: usize = 10_000;

/// A rule that does not hold, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// A short name that stays the same, for scripts.
    pub rule: &'static str,
    /// What is wrong, in words.
    pub message: &'static str,
    /// In how many places.
    pub count: u64,
    /// The first of the places.
    pub places: Vec<String>,
    /// What to do.
    pub repair: Repair,
}

/// What to do about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repair {
    /// In words, which name no option of this program.
    Words(&'static str),
    /// Something else changed the records of these days: compare them with the service or a copy,
    /// which know how they were, and then note them as they are.
    CompareDays,
    /// Sum the records up again, as they are.
    SumUpAgain,
}

impl From<&'static str> for Repair {
    fn from(words: &'static str) -> Self {
        Self::Words(words)
    }
}

impl Finding {
    /// A rule of which no breach is known yet.
    pub(super) fn new(
        rule: &'static str,
        message: &'static str,
        repair: impl Into<Repair>,
    ) -> Self {
        Self { rule, message, count: 0, places: Vec::new(), repair: repair.into() }
    }

    /// Counts a place, and names it if it is among the first.
    pub(super) fn add(&mut self, place: impl FnOnce() -> String) {
        self.count += 1;
        if self.places.len() < MOST_NAMED {
            self.places.push(place());
        }
    }

    /// None where nothing was found.
    pub(super) fn if_any(self) -> Option<Self> {
        (self.count > 0).then_some(self)
    }
}
