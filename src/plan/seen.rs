//! What a walk keeps of a page.

use crate::domain::{EntryKey, Interval, Invocation, Marker, Page, Timestamp};

/// A page in hand: its entries, and what the answer said about the list.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) entries: Vec<SeenEntry>,
    pub(super) count: Option<u64>,
    pub(super) points_on: bool,
}

/// An entry of a page.
#[derive(Clone, Copy, Debug)]
pub(super) struct SeenEntry {
    pub(super) key: EntryKey,
    /// When its record began, where that can be read.
    pub(super) started_at: Option<Timestamp>,
    /// From its start to its end, where it ended for good.
    pub(super) lasted: Option<Interval>,
    /// Whether it is a record. What cannot be read may look like another and be none the less of
    /// its own.
    pub(super) is_record: bool,
}

impl Seen {
    pub(super) fn of(marker: Marker, page: &Page) -> Self {
        let mut records = page.records.iter().peekable();
        let is_plain = page.rejects.is_empty();
        let entry = |&key: &EntryKey| {
            let is_next =
                |record: &&Invocation| is_plain || EntryKey::of(record.request_id.as_str()) == key;
            let record = records.next_if(is_next);
            let started_at = record.and_then(Invocation::started_at);
            let lasted = record.and_then(Invocation::lasted);
            SeenEntry { key, started_at, lasted, is_record: record.is_some() }
        };
        Self {
            entries: page.keys.iter().map(entry).collect(),
            count: page.count,
            points_on: page.next_marker.is_some_and(|next| next > marker),
        }
    }

    pub(super) fn length(&self) -> u64 {
        self.entries.len() as u64
    }

    pub(super) fn first(&self) -> Option<EntryKey> {
        self.entries.first().map(|entry| entry.key)
    }
}

/// What the answer that ends where the chain of pages ends said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tip {
    pub(super) length: u64,
    pub(super) count: Option<u64>,
    pub(super) points_on: bool,
}

impl Tip {
    pub(super) fn of(page: &Seen) -> Self {
        Self { length: page.length(), count: page.count, points_on: page.points_on }
    }
}
