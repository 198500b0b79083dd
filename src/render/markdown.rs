//! A Markdown table.

use super::one_line::push_shown;
use super::text::{Hexadecimal, plain};
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
            table.cell(|out| write_escaped(column, out))?;
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
            self.cell(|out| match cell {
                Cell::Blob(bytes) => write!(out, "{}", Hexadecimal(bytes)),
                other => write_escaped(&plain(other), out),
            })?;
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

/// Writes the text with everything escaped that would end a cell, or be read as HTML, a link, code or emphasis; character by
/// character, since the whole can be many times as long as the text.
///
/// The backslash is one of them: unescaped before a bar, it would take the bar's own escape away.
fn write_escaped(text: &str, out: &mut dyn Write) -> io::Result<()> {
    let (mut shown, mut escaped) = (String::new(), String::new());
    for character in text.chars() {
        push_shown(character, &mut shown);
        for character in shown.drain(..) {
            match character {
                '&' => escaped.push_str("&amp;"),
                '<' => escaped.push_str("&lt;"),
                '\\' | '|' | '`' | '*' | '[' => escaped.extend(['\\', character]),
                other => escaped.push(other),
            }
        }
        out.write_all(escaped.as_bytes())?;
        escaped.clear();
    }
    Ok(())
}
