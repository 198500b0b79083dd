//! A value a line, for records that are too wide for a table: `name: value`, and a blank line
//! between records.

use super::one_line::{on_one_line, push_shown};
use super::style::Screen;
use super::text::write_cell;
use crate::domain::Cell;
use std::io::{self, Write};

/// Writes records.
pub(super) struct Lines<'w> {
    /// The names with their colons, as they are shown.
    names: Vec<String>,
    has_rows: bool,
    out: &'w mut dyn Write,
}

impl<'w> Lines<'w> {
    pub(super) fn begin(columns: &[String], screen: Screen, out: &'w mut dyn Write) -> Self {
        let shown = |column: &String| {
            let name = on_one_line(column);
            if screen.has_colour {
                format!("\u{1b}[1m{name}:\u{1b}[0m")
            } else {
                format!("{name}:")
            }
        };
        Self { names: columns.iter().map(shown).collect(), has_rows: false, out }
    }

    pub(super) fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        if self.has_rows {
            self.out.write_all(b"\n")?;
        }
        self.has_rows = true;
        for (name, cell) in self.names.iter().zip(cells) {
            self.out.write_all(name.as_bytes())?;
            // No blank stands at the end of a line.
            if !is_blank(cell) {
                self.out.write_all(b" ")?;
                write_cell(cell, self.out, push_shown)?;
            }
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> io::Result<()> {
        if self.has_rows { Ok(()) } else { self.out.write_all(b"(no rows)\n") }
    }
}

fn is_blank(cell: &Cell<'_>) -> bool {
    match cell {
        Cell::Null => true,
        Cell::Text(text) => text.is_empty(),
        Cell::Blob(bytes) => bytes.is_empty(),
        Cell::Integer(_) | Cell::Real(_) => false,
    }
}
