//! A Markdown table.

use super::text::plain;
use crate::cli::terminal::on_one_line;
use crate::store::reports::Cell;
use std::io::{self, Write};

/// Writes table lines.
pub(super) struct Markdown<'w> {
    out: &'w mut dyn Write,
}

impl<'w> Markdown<'w> {
    pub(super) fn begin(columns: &[String], out: &'w mut dyn Write) -> io::Result<Self> {
        let mut table = Self { out };
        table.line(columns.iter().map(|column| escape(column)))?;
        table.line(columns.iter().map(|_| "---".to_owned()))?;
        Ok(table)
    }

    pub(super) fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        self.line(cells.iter().map(|cell| escape(&plain(cell))))
    }

    fn line(&mut self, cells: impl Iterator<Item = String>) -> io::Result<()> {
        for cell in cells {
            write!(self.out, "| {cell} ")?;
        }
        self.out.write_all(b"|\n")
    }
}

/// The text with everything escaped that would end a cell, or be read as HTML, a link, code or emphasis.
///
/// The backslash is one of them: unescaped before a bar, it would take the bar's own escape away.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in on_one_line(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '\\' | '|' | '`' | '*' | '[' => escaped.extend(['\\', character]),
            other => escaped.push(other),
        }
    }
    escaped
}
