//! The fields of a JSON object, their values unread.

use super::body::BadBody;
use super::surrogates::Name;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The most fields of an object: no honest one has a tenth of them, and each takes several times
/// its text in memory.
const MAX_FIELDS: usize = 1_000;

/// The fields of a JSON object in the order they came, their values unread.
pub(super) struct Fields<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// The value of a field, the last one where it is given twice.
    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| *value)
    }

    /// The value of a field that stands for the whole answer: one that gives it twice contradicts
    /// itself, and neither of the two proves anything.
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
                return Err(A::Error::custom(format_args!(
                    "an object of more than {MAX_FIELDS} fields"
                )));
            }
            fields.push((name, map.next_value()?));
        }
        Ok(Fields(fields))
    }
}
