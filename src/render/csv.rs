//! Comma-separated values, with a header line unless it is not wanted.

use super::one_line::{MOST_BYTES_SHOWN, on_one_line};
use super::style::Style;
use super::text::plain;
use crate::domain::Cell;
use std::borrow::Cow;
use std::io::{self, Write};

/// What makes a spreadsheet take a cell for a formula when it begins with it (OWASP, "CSV
/// Injection").
const BEGINS_FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Writes records.
pub(super) struct Csv<'w> {
    writer: csv::Writer<&'w mut dyn Write>,
    /// Whether texts that a spreadsheet would run are written so that it does not.
    defuses: bool,
    on_terminal: bool,
}

impl<'w> Csv<'w> {
    pub(super) fn begin(
        columns: &[String],
        style: Style,
        out: &'w mut dyn Write,
    ) -> io::Result<Self> {
        let Style { csv_safe: defuses, screen, .. } = style;
        let writer = csv::Writer::from_writer(out);
        let mut csv = Self { writer, defuses, on_terminal: screen.is_terminal };
        if style.has_header {
            let name = |name| Cell::Text(Cow::Borrowed(name));
            let names: Vec<Cell<'_>> = columns.iter().map(String::as_str).map(name).collect();
            csv.row(&names)?;
        }
        Ok(csv)
    }

    pub(super) fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        for cell in cells {
            let text = plain(cell);
            let text = if self.on_terminal { on_one_line(&text) } else { Cow::Borrowed(&*text) };
            let is_text = matches!(cell, Cell::Text(_));
            let text = if self.defuses && is_text { defused(&text) } else { text };
            self.writer.write_field(text.as_bytes()).map_err(to_io)?;
        }
        self.writer.write_record(None::<&[u8]>).map_err(to_io)
    }

    /// A cell is written whole: bytes in hexadecimal, and texts as they are changed.
    pub(super) fn held_bytes(&self, cells: &[Cell<'_>]) -> u64 {
        let of_text = if self.on_terminal { MOST_BYTES_SHOWN } else { 0 } + u64::from(self.defuses);
        let held = |cell: &Cell<'_>| match cell {
            Cell::Text(text) => text.len() as u64 * of_text,
            Cell::Blob(bytes) => bytes.len() as u64 * 2,
            Cell::Null | Cell::Integer(_) | Cell::Real(_) => 0,
        };
        cells.iter().map(held).max().unwrap_or(0)
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Whether a spreadsheet would take the text for a formula.
pub(super) fn begins_formula(text: &str) -> bool {
    text.starts_with(BEGINS_FORMULA)
}

/// A text that a spreadsheet shows and does not run: an apostrophe before what would begin a
/// formula.
fn defused(text: &str) -> Cow<'_, str> {
    if begins_formula(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// A closed pipe must be seen as one.
fn to_io(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
