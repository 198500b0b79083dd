//! A cell as text, and text made safe to show.

use crate::store::Cell;
use std::borrow::Cow;
use std::fmt::Write;

/// A cell as plain text: nothing for NULL, hexadecimal for bytes.
pub(super) fn plain<'a>(cell: &'a Cell<'_>) -> Cow<'a, str> {
    match cell {
        Cell::Null => Cow::Borrowed(""),
        Cell::Integer(number) => Cow::Owned(number.to_string()),
        Cell::Real(number) => Cow::Owned(number.to_string()),
        Cell::Text(text) => Cow::Borrowed(text),
        Cell::Blob(bytes) => Cow::Owned(hex::encode(bytes)),
    }
}

/// One line without control characters: what the service sent must not move a cursor or colour a terminal.
pub(in crate::cli) fn on_one_line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            other if is_unsafe(other) => {
                // Writing to a string cannot fail.
                let _ = write!(line, "\\u{{{:x}}}", u32::from(other));
            }
            other => line.push(other),
        }
    }
    Cow::Owned(line)
}

/// Control characters, and those that reorder or break the text around them.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
