//! One answer of the service.

use super::{FunctionUrn, Invocation, RequestId, Timestamp};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A position in a listing: how many records come before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Marker(pub u64);

impl Marker {
    /// Whether `next`, as an answer to this marker with so many entries gives it, belongs to a list
    /// whose markers are positions: the position behind those entries, or one of the ways to say
    /// that nothing follows, which are no marker, 0, and the marker that was sent.
    ///
    /// The vendor's page does not tell which of these it is. A number of a page, or of the entries
    /// that are left, is none of them, unless by chance.
    pub fn is_continued_by(self, next: Option<Self>, length: u64) -> bool {
        next.is_none_or(|next| next.0 == 0 || next == self || next.0 == self.0 + length)
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The most records a page may hold: the documented maximum of the listing.
pub const PAGE_LIMIT: u32 = 500;

/// The most bytes of an unreadable entry that are kept: enough to see what it was, and too few to
/// fill a disk.
const MOST_REJECTED: usize = 64 * 1024;

/// A record that could not be read, kept aside with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Why it is no [`Invocation`].
    pub reason: String,
    /// What came, the first 64 KiB of it.
    pub raw: String,
}

/// One thing a page held: a record, or what could not be read as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A record.
    Record(Invocation),
    /// Something else.
    Reject(Reject),
}

/// Stands for an entry when pages are compared: a digest of its id, or of its text where it has
/// none.
///
/// Two ids of one walk collide once in about 10^12 walks, and then look like a repeated record,
/// which proves nothing: a collision can cost a walk, not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryKey(u64);

impl EntryKey {
    /// The key of an id or of an unreadable text.
    pub fn of(text: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Self(hasher.finish())
    }

    /// The digest itself.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// One answer of the listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The records that could be read, in the service's order.
    pub records: Vec<Invocation>,
    /// What could not be read.
    pub rejects: Vec<Reject>,
    /// A key for every entry, readable or not, in the service's order.
    pub keys: Vec<EntryKey>,
    /// What the service calls `count`: the total of the query, or this page's length, or nothing.
    pub count: Option<u64>,
    /// What the service calls `next_marker`.
    pub next_marker: Option<Marker>,
    /// The service's clock as it answered (the `Date` header).
    pub served_at: Option<Timestamp>,
}

impl Page {
    /// A page of these entries, and nothing known about the rest of the listing.
    pub fn from_entries(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut page = Self::default();
        entries.into_iter().for_each(|entry| page.push(entry));
        page
    }

    /// Whether it holds the record of this id.
    pub fn shows(&self, id: &RequestId) -> bool {
        self.records.iter().any(|record| record.request_id == *id)
    }

    /// Adds an entry at the end.
    pub fn push(&mut self, entry: Entry) {
        match entry {
            Entry::Record(record) => {
                self.keys.push(EntryKey::of(record.request_id.as_str()));
                self.records.push(record);
            }
            Entry::Reject(mut reject) => {
                self.keys.push(EntryKey::of(&reject.raw));
                reject.raw.truncate(reject.raw.floor_char_boundary(MOST_REJECTED));
                reject.raw.shrink_to_fit();
                self.rejects.push(reject);
            }
        }
    }

    /// How many entries the service put on the page.
    pub fn length(&self) -> u64 {
        self.keys.len() as u64
    }
}

/// How many functions are asked for at once: the documented maximum of that listing.
pub const FUNCTIONS_A_PAGE: u32 = 400;

/// The most entries of a page that name no function and are kept; the others are counted.
const MOST_EXAMPLES: usize = 100;

/// One page of the functions of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionPage {
    /// The functions, in the service's order.
    pub functions: Vec<FunctionUrn>,
    /// The first of the entries that name no function.
    pub rejects: Vec<Reject>,
    /// How many such entries there are.
    pub unreadable: u64,
    /// A key for every entry, readable or not, in the service's order.
    pub keys: Vec<EntryKey>,
    /// What the service calls `count`.
    pub count: Option<u64>,
    /// What the service calls `next_marker`.
    pub next_marker: Option<Marker>,
    /// Whether the first entry names no function: a page that is asked one entry early repeats it.
    pub opens_unreadable: bool,
    /// The service's clock as it answered (the `Date` header).
    pub served_at: Option<Timestamp>,
}

impl FunctionPage {
    /// A page of these functions, and nothing known about the rest of the listing.
    pub fn of(functions: impl IntoIterator<Item = FunctionUrn>) -> Self {
        let mut page = Self::default();
        functions.into_iter().for_each(|urn| page.push(urn));
        page
    }

    /// Adds a function at the end.
    pub fn push(&mut self, urn: FunctionUrn) {
        self.keys.push(EntryKey::of(&urn.to_string()));
        self.functions.push(urn);
    }

    /// Adds an entry at the end that names no function.
    pub fn push_unreadable(&mut self, reason: &str, raw: &str) {
        self.opens_unreadable |= self.keys.is_empty();
        self.keys.push(EntryKey::of(raw));
        self.unreadable += 1;
        if self.rejects.len() < MOST_EXAMPLES {
            let raw = raw[..raw.floor_char_boundary(MOST_REJECTED)].to_owned();
            self.rejects.push(Reject { reason: reason.to_owned(), raw });
        }
    }

    /// How many entries name no function, without the one that a page before it has shown.
    pub fn unreadable_behind(&self, shares_first: bool) -> u64 {
        self.unreadable - u64::from(shares_first && self.opens_unreadable)
    }

    /// How many entries the service put on the page.
    pub fn length(&self) -> u64 {
        self.keys.len() as u64
    }
}

/// What is asked of the listing: one page of a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PageQuery {
    /// The earliest moment asked for.
    pub begin: Timestamp,
    /// The latest moment asked for; whether the service includes it is not documented.
    pub end: Timestamp,
    /// How many records to pass over.
    pub marker: Marker,
    /// The most records to answer with; the service documents 500 as its maximum.
    pub limit: u32,
}

/// A page as a probe asks for it: what is left open is not sent, so that the service decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProbeQuery {
    /// Only this record.
    pub request_id: Option<RequestId>,
    /// The earliest and the latest moment asked for.
    pub span: Option<(Timestamp, Timestamp)>,
    /// How many records to pass over.
    pub marker: Option<Marker>,
    /// The most records to answer with.
    pub limit: Option<u32>,
}
