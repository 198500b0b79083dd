//! A Markdown table.

use super::one_line::push_shown;
use super::text::{write_cell, write_text};
use crate::domain::Cell;
use std::io::{self, Write};

/// Writes table lines.
pub(super) struct Markdown<'w> {
    out: &'w mut dyn Write,
}

impl<'w> Markdown<'w> {
    pub(super) fn begin(columns: &[String], out: &'w mut dyn Write) -> io::Result<Self> {
        let mut table = Self { out };
        for column in columns {
            table.cell(|out| write_text(column, out, push_escaped))?;
        }
        table.end()?;
        for _ in columns {
            table.cell(|out| out.write_all(b"---"))?;
        }
        table.end()?;
        Ok(table)
    }

    pub(super) fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        for cell in cells {
            self.cell(|out| write_cell(cell, out, push_escaped))?;
        }
        self.end()
    }

    fn cell(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        self.out.write_all(b"| ")?;
        write(self.out)?;
        self.out.write_all(b" ")
    }

    fn end(&mut self) -> io::Result<()> {
        self.out.write_all(b"|\n")
    }
}

/// Appends a character, escaped if it would end a cell, or be read as HTML, a link, code or
/// emphasis.
///
/// The backslash is one of them: unescaped before a bar, it would take the bar's own escape away.
fn push_escaped(character: char, piece: &mut String) {
    let mut shown = String::new();
    push_shown(character, &mut shown);
    for character in shown.chars() {
        match character {
            '&' => piece.push_str("&amp;"),
            '<' => piece.push_str("&lt;"),
            '\\' | '|' | '`' | '*' | '[' => piece.extend(['\\', character]),
            other => piece.push(other),
        }
    }
}
