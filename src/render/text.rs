//! A cell as text.

use crate::domain::Cell;
use std::borrow::Cow;
use std::fmt;

/// Bytes in hexadecimal, made piece by piece: the whole would be twice as long as a value may be.
pub(super) struct Hexadecimal<'a>(pub(super) &'a [u8]);

impl fmt::Display for Hexadecimal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chunks(512).try_for_each(|piece| f.write_str(&hex::encode(piece)))
    }
}

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
