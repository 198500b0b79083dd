//! The text of a body, and why one cannot be used.

use std::borrow::Cow;

/// The most records read from one page. The service documents 500 as the most it sends; twenty
/// times that is no page but a mistake, and memory is sized for pages.
pub(crate) const MAX_RECORDS: usize = 10_000;

/// Why a body that came whole could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BadBody {
    /// More than [`MAX_RECORDS`] records.
    TooManyRecords,
    /// Not the JSON that was due, with what was wrong.
    Unreadable(String),
    /// An error, where a status of success promised something else.
    Error,
}

impl From<serde_json::Error> for BadBody {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

/// What some programs of Windows write in front of a text in UTF-8.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// The text of a body. What is no Unicode costs single characters; a text in UTF-16 or UTF-32 is
/// refused by its name.
pub(super) fn text_of(body: &[u8]) -> Result<Cow<'_, str>, BadBody> {
    if is_of_wide_letters(body) {
        return Err(BadBody::Unreadable(
            "the answer is written in UTF-16, which is not understood".to_owned(),
        ));
    }
    let body =
        body.strip_prefix(BYTE_ORDER_MARK.encode_utf8(&mut [0; 3]).as_bytes()).unwrap_or(body);
    // A program in C may send the zero byte that ends its strings, and fill a block with more.
    let padding = body.iter().rev().take_while(|byte| **byte == 0).count();
    let body = &body[..body.len() - padding];
    // Nearly every body is whole: checking it at once is several times faster than looking for what
    // to replace.
    Ok(std::str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::Borrowed))
}

/// Whether a text begins as one in UTF-16 or UTF-32 does: with a mark, or with a zero byte in the
/// first letters, of which JSON has none.
pub(crate) fn is_of_wide_letters(body: &[u8]) -> bool {
    matches!(body, [0xfe, 0xff, ..] | [0xff, 0xfe, ..] | [0, _, ..] | [_, 0, ..])
}
