//! What a run did, in numbers. Each part has one owner: who sends counts requests, who takes pages
//! in counts pages, and who writes counts records.

use std::iter::Sum;
use std::ops::AddAssign;

/// Requests, as they were sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestCounts {
    /// All of them, tries included.
    pub sent: u64,
    /// Those that were sent again.
    pub retries: u64,
    /// Those that the service turned away as too many.
    pub throttled: u64,
}

/// Pages, as they were taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageCounts {
    /// All of them.
    pub pages: u64,
    /// Those that walked settled windows again.
    pub verifying: u64,
    /// Entries on all pages, repetitions included.
    pub entries: u64,
}

/// Records, as they were written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordCounts {
    /// Records that were seen, the same one once a commit.
    pub seen: u64,
    /// Records seen for the first time.
    pub new: u64,
    /// Records whose stored row changed.
    pub changed: u64,
    /// Records that an earlier proven walk of their window had not shown.
    pub late: u64,
    /// Entries that could not be read, kept aside.
    pub rejected: u64,
}

/// Everything that a source of a run did, or all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Its requests.
    pub requests: RequestCounts,
    /// Its pages.
    pub pages: PageCounts,
    /// Its records.
    pub records: RecordCounts,
    /// Entries of its list of functions that could not be read, kept aside.
    pub functions_unreadable: u64,
}

impl AddAssign for RequestCounts {
    fn add_assign(&mut self, Self { sent, retries, throttled }: Self) {
        self.sent += sent;
        self.retries += retries;
        self.throttled += throttled;
    }
}

impl AddAssign for PageCounts {
    fn add_assign(&mut self, Self { pages, verifying, entries }: Self) {
        self.pages += pages;
        self.verifying += verifying;
        self.entries += entries;
    }
}

impl AddAssign for RecordCounts {
    fn add_assign(&mut self, Self { seen, new, changed, late, rejected }: Self) {
        self.seen += seen;
        self.new += new;
        self.changed += changed;
        self.late += late;
        self.rejected += rejected;
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, Self { requests, pages, records, functions_unreadable }: Self) {
        self.requests += requests;
        self.pages += pages;
        self.records += records;
        self.functions_unreadable += functions_unreadable;
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        let mut total = Self::default();
        all.for_each(|counts| total += counts);
        total
    }
}
