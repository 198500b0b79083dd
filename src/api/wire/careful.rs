//! The careful reader: keeps every value as raw JSON until it is known what to make of it, so that one
//! odd record costs no other.

use super::BadBody;
use super::errors::Complaint;
use super::listing::{ListOf, Listing};
use super::scalar::{Draft, Scalar};
use super::surrogates::Name;
use crate::domain::{Entry, Invocation, Reject};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The most fields of an object: no honest one has a tenth of them, and each takes several times its text in memory.
const MAX_FIELDS: usize = 1_000;

/// The fields of a JSON object in the order they came, their values unread.
pub(super) struct Fields<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// The value of a field, the last one where it is given twice.
    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| *value)
    }

    /// The value of a field that stands for the whole answer: one that gives it twice contradicts itself, and
    /// neither of the two proves anything.
    pub(super) fn get_only(&self, name: &str) -> Result<Option<&'a RawValue>, BadBody> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| *value);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(BadBody::Unreadable(format!("an object with more than one `{name}`"))),
        }
    }

    /// The fields of other names than these.
    pub(super) fn others(&self, asked: &[&str]) -> impl Iterator<Item = (&str, &'a RawValue)> {
        let fields = self.0.iter().map(|(name, value)| (&**name, *value));
        fields.filter(|(name, _)| !asked.contains(name))
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(Name(name)) = map.next_key()? {
            if fields.len() == MAX_FIELDS {
                return Err(A::Error::custom(format_args!("an object of more than {MAX_FIELDS} fields")));
            }
            fields.push((name, map.next_value()?));
        }
        Ok(Fields(fields))
    }
}

/// An entry of the list, unread.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Unread<'a>(#[serde(borrow)] &'a RawValue);

impl From<Unread<'_>> for Entry {
    fn from(Unread(raw): Unread<'_>) -> Self {
        match read_record(raw) {
            Ok(record) => Self::Record(record),
            Err(reason) => Self::Reject(Reject { reason: reason.to_owned(), raw: raw.get().to_owned() }),
        }
    }
}

/// Reads a whole body.
pub(super) fn read(body: &str) -> Result<Listing<'_>, BadBody> {
    let fields: Fields<'_> = serde_json::from_str(body)?;
    let scalar = |name| Ok::<_, BadBody>(fields.get_only(name)?.map(Scalar::from_raw).unwrap_or_default());
    let records = match fields.get_only("invocations")? {
        Some(list) => Some(serde_json::from_str::<Option<ListOf<Unread<'_>>>>(list.get())?.unwrap_or_default().records),
        None => None,
    };
    let complaint = Complaint::of(fields.others(&["invocations", "count", "next_marker"]));
    Ok(Listing { records, count: scalar("count")?, next_marker: scalar("next_marker")?, complaint })
}

fn read_record(raw: &RawValue) -> Result<Invocation, &'static str> {
    let is_object = raw.get().starts_with('{');
    let unreadable =
        |_| if is_object { "a record's fields are too many or unreadable" } else { "a record is no JSON object" };
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
