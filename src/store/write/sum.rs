//! Sums of hashes, by which what is kept is held against the records.

/// How many records of a function and day there are, and the sum of their hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Sum {
    pub(in crate::store) records: i64,
    pub(in crate::store) digest: u64,
}

impl Sum {
    pub(in crate::store) fn plus(self, other: Self) -> Self {
        Self {
            records: self.records + other.records,
            digest: self.digest.wrapping_add(other.digest),
        }
    }
}

/// What the records of a function and day are counted as, and what they took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct SummarySum {
    pub(in crate::store) counts: u64,
    /// Of each count so many times its hash as its records have bytes.
    pub(in crate::store) bytes: u64,
    pub(in crate::store) durations: u64,
}

impl SummarySum {
    pub(in crate::store) fn plus(self, other: Self) -> Self {
        Self {
            counts: self.counts.wrapping_add(other.counts),
            bytes: self.bytes.wrapping_add(other.bytes),
            durations: self.durations.wrapping_add(other.durations),
        }
    }

    pub(in crate::store) fn minus(self, other: Self) -> Self {
        Self {
            counts: self.counts.wrapping_sub(other.counts),
            bytes: self.bytes.wrapping_sub(other.bytes),
            durations: self.durations.wrapping_sub(other.durations),
        }
    }
}
