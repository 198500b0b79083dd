//! A page while it is read, whichever reader reads it.

use super::scalar::Scalar;
use super::{BadBody, MAX_RECORDS};
use crate::domain::{Marker, Page};

/// The entries of a page.
#[derive(Default)]
pub(super) struct Records {
    pub(super) page: Page,
    /// Whether there were more than [`MAX_RECORDS`]; the rest was passed over.
    pub(super) too_many: bool,
}

impl Records {
    /// Whether another record may be read.
    pub(super) fn has_room(&self) -> bool {
        self.page.keys.len() < MAX_RECORDS
    }
}

/// The body of a page.
#[derive(Default)]
pub(super) struct Listing<'a> {
    pub(super) records: Records,
    pub(super) count: Scalar<'a>,
    pub(super) next_marker: Scalar<'a>,
    /// Whether any field of a listing was there, be it null.
    pub(super) has_known: bool,
    /// Whether any other field was there.
    pub(super) has_other: bool,
}

impl Listing<'_> {
    /// The page. An object that speaks of something else entirely is an error in disguise: taken for an
    /// empty page it would prove a range of time to hold nothing. `{}` is an empty page, since writers
    /// that leave out empty fields send it.
    pub(super) fn into_page(self) -> Result<Page, BadBody> {
        if self.records.too_many {
            return Err(BadBody::TooManyRecords);
        }
        if self.has_other && !self.has_known {
            return Err(BadBody::Unreadable("an object without `invocations`, `count` and `next_marker`".to_owned()));
        }
        Ok(Page {
            count: self.count.to_count(),
            next_marker: self.next_marker.to_count().map(Marker),
            ..self.records.page
        })
    }
}
