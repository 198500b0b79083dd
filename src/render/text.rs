//! A cell as text.

use crate::domain::Cell;
use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};

/// How many bytes of a text that is being escaped are made before they are written.
const PIECE: usize = 4096;

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

/// Writes a cell, each character of a text as `escape` appends it; numbers and bytes need none.
pub(super) fn write_cell(
    cell: &Cell<'_>,
    out: &mut dyn Write,
    escape: impl Fn(char, &mut String),
) -> io::Result<()> {
    match cell {
        Cell::Text(text) => write_text(text, out, escape),
        Cell::Blob(bytes) => write!(out, "{}", Hexadecimal(bytes)),
        Cell::Null | Cell::Integer(_) | Cell::Real(_) => out.write_all(plain(cell).as_bytes()),
    }
}

/// Writes a text, each character as `escape` appends it: piece by piece, since the whole can be
/// many times as long as the text.
pub(super) fn write_text(
    text: &str,
    out: &mut dyn Write,
    escape: impl Fn(char, &mut String),
) -> io::Result<()> {
    let mut piece = String::new();
    for character in text.chars() {
        escape(character, &mut piece);
        if piece.len() >= PIECE {
            out.write_all(piece.as_bytes())?;
            piece.clear();
        }
    }
    out.write_all(piece.as_bytes())
}
