//! Strings with lone surrogates: halves of characters that JSON can spell (`"\\ud800"`) and no text
//! can hold. Programs send them that cut a text of UTF-16 at a fixed length.
//!
//! `serde_json` hands such a string out as bytes, a lone surrogate as the three that UTF-8 would
//! have for it (WTF-8).

use serde::de::{self, Deserialize, Deserializer, Visitor};
use std::borrow::Cow;
use std::fmt;

/// The first byte of a surrogate, and the least second one; in UTF-8 no such second byte follows
/// this first one.
const FIRST: u8 = 0xed;
const SECOND: u8 = 0xa0;

/// The text of a JSON string that holds lone surrogates, each as a replacement character; none for
/// anything else.
pub(super) fn replace(json: &str) -> Option<String> {
    let Bytes(bytes) = serde_json::from_str(json).ok()?;
    spell(&bytes, |_| char::REPLACEMENT_CHARACTER.to_string())
}

/// The name of a field. A lone surrogate in it stands as its escape (`\\ud800`), so that no two
/// names become one.
pub(super) struct Name<'a>(pub(super) Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Bytes(bytes) = Bytes::deserialize(deserializer)?;
        let escaped = |bytes: &[u8]| spell(bytes, |surrogate| format!("\\u{surrogate:04x}"));
        let name = match bytes {
            Cow::Borrowed(bytes) => str::from_utf8(bytes)
                .ok()
                .map(Cow::Borrowed)
                .or_else(|| escaped(bytes).map(Cow::Owned)),
            Cow::Owned(bytes) => String::from_utf8(bytes)
                .or_else(|error| escaped(error.as_bytes()).ok_or(error))
                .ok()
                .map(Cow::Owned),
        };
        name.map(Self).ok_or_else(|| de::Error::custom("a name that is no text"))
    }
}

/// The text of such bytes, each lone surrogate spelled in some way; none where there is no
/// surrogate, or no text.
fn spell(bytes: &[u8], surrogate: impl Fn(u16) -> String) -> Option<String> {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(3).position(|three| three[0] == FIRST && three[1] >= SECOND) {
        let (before, after) = rest.split_at(at);
        let (half, after) = after.split_first_chunk::<3>()?;
        text.push_str(str::from_utf8(before).ok()?);
        let [_, second, third] = half.map(|byte| u16::from(byte & 0x3f));
        text.push_str(&surrogate(0xd000 | (second << 6) | third));
        rest = after;
    }
    text.push_str(str::from_utf8(rest).ok()?);
    (rest.len() < bytes.len()).then_some(text)
}

/// The bytes of a string, borrowed where no escape had to be undone.
struct Bytes<'a>(Cow<'a, [u8]>);

impl<'de> Deserialize<'de> for Bytes<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(BytesVisitor)
    }
}

struct BytesVisitor;

impl<'de> Visitor<'de> for BytesVisitor {
    type Value = Bytes<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_bytes<E: de::Error>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
        Ok(Bytes(Cow::Borrowed(bytes)))
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        Ok(Bytes(Cow::Owned(bytes.to_owned())))
    }
}
