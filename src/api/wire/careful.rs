//! The careful reader: keeps every value as raw JSON until it is known what to make of it, so that
//! one odd record costs no other.

use super::body::BadBody;
use super::errors::Complaint;
use super::fields::Fields;
use super::listing::{ListOf, Listing};
use super::scalar::{Draft, Scalar};
use crate::domain::{Entry, Invocation, Reject};
use serde_json::value::RawValue;

/// An entry of the list, unread.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Unread<'a>(#[serde(borrow)] &'a RawValue);

impl From<Unread<'_>> for Entry {
    fn from(Unread(raw): Unread<'_>) -> Self {
        match read_record(raw) {
            Ok(record) => Self::Record(record),
            Err(reason) => {
                Self::Reject(Reject { reason: reason.to_owned(), raw: raw.get().to_owned() })
            }
        }
    }
}

/// Reads a whole body.
pub(super) fn read(body: &str) -> Result<Listing<'_>, BadBody> {
    let fields: Fields<'_> = serde_json::from_str(body)?;
    let scalar =
        |name| Ok::<_, BadBody>(fields.get_only(name)?.map(Scalar::from_raw).unwrap_or_default());
    let records = match fields.get_only("invocations")? {
        Some(list) => Some(
            serde_json::from_str::<Option<ListOf<Unread<'_>>>>(list.get())?
                .unwrap_or_default()
                .records,
        ),
        None => None,
    };
    let complaint = Complaint::of(fields.others(&["invocations", "count", "next_marker"]));
    Ok(Listing { records, count: scalar("count")?, next_marker: scalar("next_marker")?, complaint })
}

fn read_record(raw: &RawValue) -> Result<Invocation, &'static str> {
    let is_object = raw.get().starts_with('{');
    let unreadable = |_| {
        if is_object {
            "a record's fields are too many or unreadable"
        } else {
            "a record is no JSON object"
        }
    };
    let Fields(fields) = serde_json::from_str(raw.get()).map_err(unreadable)?;
    let mut draft = Draft::default();
    for (name, value) in fields {
        match draft.known(&name) {
            Some(field) => *field = Scalar::from_raw(value),
            None => draft.keep(&name, value).map_err(unreadable)?,
        }
    }
    draft.finish().ok_or("a record has no usable request_id")
}
