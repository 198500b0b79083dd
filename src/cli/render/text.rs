//! A cell as text.

use crate::store::reports::Cell;
use std::borrow::Cow;

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
