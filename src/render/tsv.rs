//! Tab-separated values: a row is a line and a tab ends a cell, whatever the cells hold, so that
//! `cut`, `sort` and `awk` can work on an answer. CSV has quoted line breaks, which they cannot
//! read.

use super::csv::begins_formula;
use super::one_line::push_shown;
use super::style::Style;
use super::text::{write_cell, write_text};
use crate::domain::Cell;
use std::io::{self, Write};

/// Writes lines.
pub(super) struct Tsv<'w> {
    out: &'w mut dyn Write,
    /// Whether texts that a spreadsheet would run are written so that it does not.
    defuses: bool,
    on_terminal: bool,
}

impl<'w> Tsv<'w> {
    pub(super) fn begin(
        columns: &[String],
        style: Style,
        out: &'w mut dyn Write,
    ) -> io::Result<Self> {
        let mut lines =
            Self { out, defuses: style.csv_safe, on_terminal: style.screen.is_terminal };
        if style.has_header {
            lines.line(columns, |tsv, name| tsv.text(name))?;
        }
        Ok(lines)
    }

    pub(super) fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        self.line(cells, |tsv, cell| match cell {
            Cell::Text(text) => tsv.text(text),
            other => write_cell(other, tsv.out, push_escaped),
        })
    }

    fn line<T>(
        &mut self,
        items: &[T],
        write: impl Fn(&mut Self, &T) -> io::Result<()>,
    ) -> io::Result<()> {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.out.write_all(b"\t")?;
            }
            write(self, item)?;
        }
        self.out.write_all(b"\n")
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        if self.defuses && begins_formula(text) {
            self.out.write_all(b"'")?;
        }
        let escape = if self.on_terminal { push_shown_in_a_cell } else { push_escaped };
        write_text(text, self.out, escape)
    }
}

/// Appends a character so that it ends neither a cell nor a line. The backslash is escaped as well,
/// so that what was written can be told from what was escaped.
fn push_escaped(character: char, piece: &mut String) {
    match character {
        '\t' => piece.push_str("\\t"),
        '\n' => piece.push_str("\\n"),
        '\r' => piece.push_str("\\r"),
        '\\' => piece.push_str("\\\\"),
        other => piece.push(other),
    }
}

/// The same for a terminal, which would obey some characters.
fn push_shown_in_a_cell(character: char, piece: &mut String) {
    match character {
        '\\' => piece.push_str("\\\\"),
        other => push_shown(other, piece),
    }
}
