//! One value of a field, whichever JSON type carried it, and the record that such values make.

use super::surrogates;
use crate::domain::{
    ErrorCode, Invocation, RecordTime, RequestId, Status, is_of_a_word, stands_for_nothing,
};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A text of the body, borrowed where no escape had to be undone.
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}

/// The value of one field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Scalar<'a> {
    /// Null or absent.
    #[default]
    Nothing,
    /// A string.
    Text(Cow<'a, str>),
    /// A number that is an `i64` and written the plain way.
    Integer(i64),
    /// A string with lone surrogates, which no text can hold: the text with replacements, and the
    /// string's JSON text.
    Replaced(String, &'a str),
    /// Anything else, as its JSON text.
    Raw(&'a str),
}

/// The quick reading: what is not usual is an error here, and left to [`Scalar::from_raw`].
impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, an integer or null")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Nothing)
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Integer(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        i64::try_from(number).map(Scalar::Integer).map_err(E::custom)
    }
}

impl<'a> Scalar<'a> {
    /// The careful reading, which takes every JSON value.
    pub(super) fn from_raw(raw: &'a RawValue) -> Self {
        let raw = raw.get();
        if raw == "null" {
            return Self::Nothing;
        }
        if let Ok(Text(text)) = serde_json::from_str(raw) {
            return Self::Text(text);
        }
        if let Some(text) = surrogates::replace(raw) {
            return Self::Replaced(text, raw);
        }
        plain_integer(raw).map_or(Self::Raw(raw), Self::Integer)
    }

    /// The text of a string, the JSON text of anything else; nothing when there is none or it is
    /// empty.
    pub(super) fn into_text(self) -> Option<Box<str>> {
        match self {
            Self::Nothing => None,
            Self::Text(text) => (!text.is_empty()).then(|| text.into()),
            Self::Integer(number) => Some(number.to_string().into()),
            Self::Replaced(text, _) => Some(text.into()),
            Self::Raw(raw) => Some(raw.into()),
        }
    }

    /// An id is a text or a number; a nested value or a truth value is none. Nor is a text with
    /// replacements: two ids could become one.
    fn into_request_id(self) -> Option<RequestId> {
        match self {
            Self::Replaced(..) => None,
            Self::Raw(raw)
                if !raw.starts_with(|first: char| first == '-' || first.is_ascii_digit()) =>
            {
                None
            }
            other => {
                other.into_text().filter(|text| !stands_for_none(text)).and_then(RequestId::new)
            }
        }
    }

    fn into_status(self) -> Status {
        match self {
            Self::Text(text) => Status::parse(&text),
            other => Status::parse(&other.into_text().unwrap_or_default()),
        }
    }

    fn into_error_code(self) -> Option<ErrorCode> {
        match self {
            Self::Integer(number) => Some(ErrorCode::Number(number)),
            other => {
                let text = other.into_text()?;
                Some(plain_integer(&text).map_or(ErrorCode::Text(text), ErrorCode::Number))
            }
        }
    }

    fn into_time(self) -> Option<RecordTime> {
        match self {
            Self::Text(text) => RecordTime::parse(&text),
            other => RecordTime::parse(&other.into_text()?),
        }
    }

    /// A count of things, as a number or as digits; nothing for anything else, below zero included.
    pub(super) fn to_count(&self) -> Option<u64> {
        match self {
            Self::Integer(number) => u64::try_from(*number).ok(),
            Self::Text(text) => digits(text),
            Self::Raw(raw) => digits(raw),
            Self::Nothing | Self::Replaced(..) => None,
        }
    }
}

fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// An integer written so that the number gives back the same text: no sign `+`, no leading zero.
fn plain_integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = text == "0" || digits.starts_with(|first: char| ('1'..='9').contains(&first));
    plain.then(|| text.parse().ok()).flatten()
}

/// A record as its fields come in.
#[derive(Default)]
pub(super) struct Draft<'a> {
    request_id: Scalar<'a>,
    status: Scalar<'a>,
    error_code: Scalar<'a>,
    error_message: Scalar<'a>,
    start_time: Scalar<'a>,
    end_time: Scalar<'a>,
    /// The fields we do not know, as a JSON object that is not closed yet; empty for none.
    extra: String,
}

impl<'a> Draft<'a> {
    /// The place of a field we know. A field given twice counts as given last, as most readers have
    /// it.
    pub(super) fn known(&mut self, name: &str) -> Option<&mut Scalar<'a>> {
        match name {
            "request_id" => Some(&mut self.request_id),
            "status" => Some(&mut self.status),
            "error_code" => Some(&mut self.error_code),
            "error_message" => Some(&mut self.error_message),
            "start_time" => Some(&mut self.start_time),
            "end_time" => Some(&mut self.end_time),
            _ => None,
        }
    }

    /// Keeps a field we do not know, its value as it came.
    pub(super) fn keep(&mut self, name: &str, value: &RawValue) -> Result<(), serde_json::Error> {
        self.append(&serde_json::to_string(name)?, value.get());
        Ok(())
    }

    /// Adds a field by its name and its value as JSON texts.
    fn append(&mut self, name: &str, value: &str) {
        self.extra.push(if self.extra.is_empty() { '{' } else { ',' });
        self.extra.push_str(name);
        self.extra.push(':');
        self.extra.push_str(value);
    }

    /// Keeps what stood in the fields whose text had to be changed.
    fn keep_sources(&mut self) {
        let sources = [
            ("\"status\"", &self.status),
            ("\"error_code\"", &self.error_code),
            ("\"error_message\"", &self.error_message),
            ("\"start_time\"", &self.start_time),
            ("\"end_time\"", &self.end_time),
        ]
        .map(|(name, value)| {
            if let Scalar::Replaced(_, source) = value { Some((name, *source)) } else { None }
        });
        sources.into_iter().flatten().for_each(|(name, source)| self.append(name, source));
    }

    /// The record; none without an id, the key of the archive.
    pub(super) fn finish(mut self) -> Option<Invocation> {
        self.keep_sources();
        let request_id = self.request_id.into_request_id()?;
        let extra = (!self.extra.is_empty()).then(|| {
            self.extra.push('}');
            self.extra.into_boxed_str()
        });
        Some(Invocation {
            request_id,
            status: self.status.into_status(),
            error_code: self.error_code.into_error_code(),
            error_message: self.error_message.into_text(),
            start_time: self.start_time.into_time(),
            end_time: self.end_time.into_time(),
            extra,
        })
    }
}

/// Whether an id is one that services write where there is none. Taken for an id, it would make one
/// record of many.
fn stands_for_none(id: &str) -> bool {
    let words = id.trim_matches(|sign| !is_of_a_word(sign));
    // The nil and the max UUID (RFC 9562, 5.9 and 5.10), with or without their dashes.
    let is_made_of =
        |digit: char| words.chars().all(|it| it.eq_ignore_ascii_case(&digit) || !is_of_a_word(it));
    let is_filler = || words.len() >= 32 && (is_made_of('0') || is_made_of('f'));
    stands_for_nothing(id)
        || words == "0"
        || is_filler()
        || ["unknown", "missing", "empty"].iter().any(|word| words.eq_ignore_ascii_case(word))
}
