//! One answer of the service.

use super::{Invocation, Timestamp};
use std::fmt;

/// A position in a listing: how many records come before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Marker(pub u64);

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A record that could not be read, kept aside with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Why it is no [`Invocation`].
    pub reason: String,
    /// What came.
    pub raw: String,
}

/// One answer of the listing: records in the service's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The records that could be read.
    pub records: Vec<Invocation>,
    /// The records that could not.
    pub rejects: Vec<Reject>,
    /// What the service calls `count`: the total of the query, or this page's length, or nothing.
    pub count: Option<u64>,
    /// What the service calls `next_marker`.
    pub next_marker: Option<Marker>,
    /// The service's clock as it answered (the `Date` header).
    pub served_at: Option<Timestamp>,
}

impl Page {
    /// How many records the service put on the page, readable or not.
    pub fn length(&self) -> u64 {
        (self.records.len() + self.rejects.len()) as u64
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
