//! What a walk keeps of a page.

use crate::domain::{EntryKey, Invocation, Marker, Page, Timestamp};

/// A page in hand: the key of each entry with the start of its record, and what the answer said
/// about the list.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) entries: Vec<(EntryKey, Option<Timestamp>)>,
    pub(super) count: Option<u64>,
    pub(super) points_on: bool,
}

impl Seen {
    pub(super) fn of(marker: Marker, page: &Page) -> Self {
        let mut records = page.records.iter().peekable();
        let is_plain = page.rejects.is_empty();
        let start = |key: &EntryKey| {
            let is_next =
                |record: &&Invocation| is_plain || EntryKey::of(record.request_id.as_str()) == *key;
            records.next_if(is_next).and_then(Invocation::started_at)
        };
        let starts: Vec<_> = page.keys.iter().map(start).collect();
        Self {
            entries: page.keys.iter().copied().zip(starts).collect(),
            count: page.count,
            points_on: page.next_marker.is_some_and(|next| next > marker),
        }
    }

    pub(super) fn length(&self) -> u64 {
        self.entries.len() as u64
    }

    pub(super) fn first(&self) -> Option<EntryKey> {
        self.entries.first().map(|entry| entry.0)
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
