//! A Markdown table.

use super::text::{on_one_line, plain};
use crate::store::Cell;
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

/// What would end a cell, or be read as HTML.
fn escape(text: &str) -> String {
    on_one_line(&text.replace("\r\n", "\n")).replace('|', "\\|").replace('&', "&amp;").replace('<', "&lt;")
}
