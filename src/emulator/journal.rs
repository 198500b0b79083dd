//! What was asked of the emulator, for tests that count requests.

use super::routes::RouteName;
use std::collections::BTreeMap;

/// The most listing requests that are remembered word for word; the counters go on.
const MOST_LISTINGS: usize = 10_000;

/// A request for a function's invocations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListingRequest {
    /// The function as it stood in the path, decoded.
    pub function: String,
    /// The query as it was sent.
    pub query: String,
}

/// Counters, and the first listing requests.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    requests: BTreeMap<RouteName, u64>,
    faults: u64,
    records: u64,
    listings: Vec<ListingRequest>,
}

impl Journal {
    /// Requests of this kind.
    pub fn requests(&self, route: RouteName) -> u64 {
        self.requests.get(&route).copied().unwrap_or(0)
    }

    /// All requests.
    pub fn total(&self) -> u64 {
        self.requests.values().sum()
    }

    /// Faults that struck.
    pub fn faults(&self) -> u64 {
        self.faults
    }

    /// Records handed out, counted as often as they were.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// The first 10,000 listing requests.
    pub fn listings(&self) -> &[ListingRequest] {
        &self.listings
    }

    pub(super) fn note(&mut self, route: RouteName, faults: usize) {
        *self.requests.entry(route).or_default() += 1;
        self.faults += faults as u64;
    }

    pub(super) fn note_listing(&mut self, function: &str, query: &str) {
        if self.listings.len() < MOST_LISTINGS {
            self.listings
                .push(ListingRequest { function: function.to_owned(), query: query.to_owned() });
        }
    }

    pub(super) fn note_records(&mut self, records: usize) {
        self.records += records as u64;
    }
}
