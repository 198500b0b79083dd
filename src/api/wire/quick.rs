//! The quick reader: one pass, no copies, for pages made of what is usual. Anything else is an
//! error, and the page is read again by the careful reader.

use super::errors::Complaint;
use super::listing::{ListOf, Listing};
use super::scalar::{Draft, Text};
use crate::domain::{Entry, Invocation};
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Reads a whole body.
pub(super) fn read(body: &str) -> Result<Listing<'_>, serde_json::Error> {
    serde_json::from_str(body)
}

impl<'de> Deserialize<'de> for Listing<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ListingVisitor)
    }
}

struct ListingVisitor;

impl<'de> Visitor<'de> for ListingVisitor {
    type Value = Listing<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page of the listing")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut records, mut count, mut next_marker) = (None, None, None);
        let mut complaint = Complaint::default();
        while let Some(Text(name)) = map.next_key()? {
            match &*name {
                "invocations" => {
                    let list: Option<ListOf<Record>> = map.next_value()?;
                    set_once(&mut records, list.unwrap_or_default().records, "invocations")?;
                }
                "count" => set_once(&mut count, map.next_value()?, "count")?,
                "next_marker" => set_once(&mut next_marker, map.next_value()?, "next_marker")?,
                other => complaint.hear(other, map.next_value()?),
            }
        }
        let (count, next_marker) = (count.unwrap_or_default(), next_marker.unwrap_or_default());
        Ok(Listing { records, count, next_marker, complaint })
    }
}

/// Sets what a field gives; one that is given twice contradicts itself.
fn set_once<T, E: de::Error>(
    value: &mut Option<T>,
    given: T,
    field: &'static str,
) -> Result<(), E> {
    if value.replace(given).is_some() { Err(E::duplicate_field(field)) } else { Ok(()) }
}

struct Record(Invocation);

impl From<Record> for Entry {
    fn from(Record(record): Record) -> Self {
        Self::Record(record)
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RecordVisitor)
    }
}

struct RecordVisitor;

impl<'de> Visitor<'de> for RecordVisitor {
    type Value = Record;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut draft = Draft::default();
        while let Some(Text(name)) = map.next_key()? {
            match draft.known(&name) {
                Some(field) => *field = map.next_value()?,
                None => {
                    draft.keep(&name, map.next_value::<&RawValue>()?).map_err(de::Error::custom)?;
                }
            }
        }
        draft.finish().map(Record).ok_or_else(|| de::Error::missing_field("request_id"))
    }
}
