//! How an answer was written: what decoding forgives, and a probe wants to know.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How a value was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// The field was missing.
    Absent,
    /// `null`.
    Null,
    /// A string of nothing.
    Empty,
    /// A number.
    Number,
    /// A number in a string.
    NumberInString,
    /// A string in the documented form of a time.
    Time,
    /// A time in the year 1, which stands for none.
    YearOne,
    /// Another string.
    Text,
    /// Something else.
    Other,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "absent",
            Self::Null => "null",
            Self::Empty => "an empty string",
            Self::Number => "a number",
            Self::NumberInString => "a number in a string",
            Self::Time => "a time",
            Self::YearOne => "a time in year 1",
            Self::Text => "a string",
            Self::Other => "something else",
        })
    }
}

/// In which forms the values of an answer came, by what they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape(BTreeMap<&'static str, BTreeSet<Form>>);

impl Shape {
    /// Notes that a value came in a form.
    pub fn note(&mut self, value: &'static str, form: Form) {
        self.0.entry(value).or_default().insert(form);
    }

    /// Adds what another answer was written like.
    pub fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|(value, forms)| self.0.entry(value).or_default().extend(forms));
    }

    /// The forms in which a value came; none if it never could have.
    pub fn forms(&self, value: &str) -> impl Iterator<Item = Form> {
        self.0.get(value).into_iter().flatten().copied()
    }

    /// The values that were noted.
    pub fn values(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }
}
