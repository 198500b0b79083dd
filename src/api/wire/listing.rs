//! A page while it is read, whichever reader reads it.

use super::body::{BadBody, MAX_RECORDS};
use super::errors::Complaint;
use super::scalar::Scalar;
use crate::domain::{Entry, Marker, Page};
use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// Room made at first for the records of a page: as many as the service documents to send.
const USUAL_RECORDS: usize = 500;

/// The entries of a page.
#[derive(Default)]
pub(super) struct Records {
    page: Page,
    /// Whether there were more than [`MAX_RECORDS`]; the rest was passed over.
    too_many: bool,
}

/// A list of entries, each read as a `T` first.
pub(super) struct ListOf<T> {
    pub(super) records: Records,
    entry: PhantomData<T>,
}

/// A list of nothing.
impl<T> Default for ListOf<T> {
    fn default() -> Self {
        Self { records: Records::default(), entry: PhantomData }
    }
}

impl<'de, T: Deserialize<'de> + Into<Entry>> Deserialize<'de> for ListOf<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let records = deserializer.deserialize_seq(ListVisitor::<T>(PhantomData))?;
        Ok(Self { records, entry: PhantomData })
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Into<Entry>> Visitor<'de> for ListVisitor<T> {
    type Value = Records;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut records = Records::default();
        records.page.records.reserve(USUAL_RECORDS);
        while records.page.keys.len() < MAX_RECORDS {
            match seq.next_element::<T>()? {
                Some(entry) => records.page.push(entry.into()),
                None => return Ok(records),
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {
            records.too_many = true;
        }
        Ok(records)
    }
}

/// The body of a page.
pub(super) struct Listing<'a> {
    /// `None` where there was no list. A null, as some writers have it for an empty list, is an
    /// empty one.
    pub(super) records: Option<Records>,
    pub(super) count: Scalar<'a>,
    pub(super) next_marker: Scalar<'a>,
    /// What the other fields say of an error.
    pub(super) complaint: Complaint,
}

impl Listing<'_> {
    /// The page. An object that carries an error or has no list is none: taken for an empty page it
    /// would prove a range of time to hold nothing.
    pub(super) fn into_page(self) -> Result<Page, BadBody> {
        let holds_something = |records: &Records| !records.page.keys.is_empty();
        match self.records {
            Some(Records { too_many: true, .. }) => Err(BadBody::TooManyRecords),
            records if self.complaint.is_error(records.as_ref().is_some_and(holds_something)) => {
                Err(BadBody::Error)
            }
            None => Err(BadBody::Unreadable("an object without `invocations`".to_owned())),
            Some(Records { page, .. }) => {
                let (count, next_marker) =
                    (self.count.to_count(), self.next_marker.to_count().map(Marker));
                Ok(Page { count, next_marker, ..page })
            }
        }
    }
}
