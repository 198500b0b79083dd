//! A table for people: columns that fit the terminal, no lines but the one under the header, so
//! that it also survives mail, `grep` and a screen reader.

use super::one_line::on_one_line;
use super::style::{Charset, Screen};
use super::table_layout::Layout;
use super::text::plain;
use crate::domain::Cell;
use std::io::{self, Write};

/// The most rows of a table. Its columns are as wide as their widest cell, so all rows are held
/// until the end, and nobody reads more.
const MOST_ROWS: usize = 10_000;

/// The most characters of a cell, which bounds what [`MOST_ROWS`] rows hold; other formats give the
/// whole text.
const MOST_CHARACTERS: usize = 200;

/// About what the layout takes for a cell beside its text, when it has made all lines.
const BYTES_A_CELL: u64 = 128;

/// How much more is held before it is told again.
const TOLD_EVERY: u64 = 1 << 20;

/// Collects rows.
pub(super) struct Table<'w> {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
    numeric: Vec<bool>,
    /// The bytes of the longest text of each column.
    longest: Vec<u64>,
    /// What is held at the end, as it was told last.
    told: u64,
    screen: Screen,
    out: &'w mut dyn Write,
}

impl<'w> Table<'w> {
    pub(super) fn begin(columns: &[String], screen: Screen, out: &'w mut dyn Write) -> Self {
        let names: Vec<String> =
            columns.iter().map(|column| on_one_line(column).into_owned()).collect();
        let longest = names.iter().map(|name| name.len() as u64).collect();
        let numeric = vec![true; columns.len()];
        Self { names, rows: Vec::new(), numeric, longest, told: 0, screen, out }
    }

    pub(super) fn wants_more(&self) -> bool {
        self.rows.len() < MOST_ROWS
    }

    /// What all lines will take at the end, each as wide as the longest texts: told whenever it has
    /// grown by [`TOLD_EVERY`], and else 0.
    pub(super) fn held_bytes(&mut self, cells: &[Cell<'_>]) -> u64 {
        for (longest, cell) in self.longest.iter_mut().zip(cells) {
            *longest = (*longest).max(shown(cell, self.screen.charset).len() as u64);
        }
        let rows = self.rows.len() as u64 + 1;
        let held = rows * self.longest.iter().map(|bytes| 2 * bytes + BYTES_A_CELL).sum::<u64>();
        if held < self.told + TOLD_EVERY {
            return 0;
        }
        self.told = held;
        held
    }

    pub(super) fn row(&mut self, cells: &[Cell<'_>]) {
        for (numeric, cell) in self.numeric.iter_mut().zip(cells) {
            *numeric &= matches!(cell, Cell::Null | Cell::Integer(_) | Cell::Real(_));
        }
        self.rows.push(cells.iter().map(|cell| shown(cell, self.screen.charset)).collect());
    }

    pub(super) fn finish(self) -> io::Result<()> {
        if self.rows.is_empty() {
            return self.out.write_all(b"(no rows)\n");
        }
        let layout = Layout::of(self.names, &self.rows, self.numeric, self.screen);
        layout.write(self.rows, self.out)
    }
}

/// What is shown of a cell.
fn shown(cell: &Cell<'_>, charset: Charset) -> String {
    match cell {
        // Two digits a byte.
        Cell::Blob(bytes) => {
            one_short_line(&hex::encode(&bytes[..bytes.len().min(MOST_CHARACTERS)]), charset)
        }
        other => one_short_line(&plain(other), charset),
    }
}

/// The start of a text on one line. What is not shown is not worked on: a text may have millions of
/// characters.
fn one_short_line(text: &str, charset: Charset) -> String {
    let (start, is_cut) = cut(text);
    let line = on_one_line(start);
    let (start, is_cut_again) = cut(&line);
    if is_cut || is_cut_again { format!("{start}{}", charset.ellipsis()) } else { start.to_owned() }
}

/// The first characters of a text, and whether there are more.
fn cut(text: &str) -> (&str, bool) {
    text.char_indices().nth(MOST_CHARACTERS).map_or((text, false), |(end, _)| (&text[..end], true))
}
