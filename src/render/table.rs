//! A table for people: columns that fit the terminal, no lines but the one under the header, so
//! that it also survives mail, `grep` and a screen reader.

use super::one_line::on_one_line;
use super::style::Screen;
use super::text::plain;
use crate::domain::Cell;
use comfy_table::{
    Attribute, Cell as TableCell, CellAlignment, ContentArrangement, LineStyle, Table as Layout,
    TableStyle,
};
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

/// A line under the header, and columns apart by blanks.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('-').junction(' '));

/// Collects rows.
pub(super) struct Table<'w> {
    layout: Layout,
    numeric: Vec<bool>,
    /// The bytes of the longest text of each column.
    longest: Vec<u64>,
    /// What is held at the end, as it was told last.
    told: u64,
    out: &'w mut dyn Write,
}

impl<'w> Table<'w> {
    pub(super) fn begin(columns: &[String], screen: Screen, out: &'w mut dyn Write) -> Self {
        let mut layout = Layout::new();
        layout.load_style(STYLE);
        fit(&mut layout, screen);
        layout.set_header(columns.iter().map(|column| {
            let cell = TableCell::new(on_one_line(column));
            if screen.has_colour { cell.add_attribute(Attribute::Bold) } else { cell }
        }));
        let longest = columns.iter().map(|column| on_one_line(column).len() as u64).collect();
        Self { layout, numeric: vec![true; columns.len()], longest, told: 0, out }
    }

    pub(super) fn wants_more(&self) -> bool {
        self.layout.row_count() < MOST_ROWS
    }

    /// What all lines will take at the end, each as wide as the longest texts: told whenever it has
    /// grown by much.
    pub(super) fn held_bytes(&mut self, cells: &[Cell<'_>]) -> u64 {
        for (longest, cell) in self.longest.iter_mut().zip(cells) {
            *longest = (*longest).max(shown(cell).len() as u64);
        }
        let rows = self.layout.row_count() as u64 + 1;
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
        self.layout.add_row(cells.iter().map(shown));
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        if self.layout.row_count() == 0 {
            return self.out.write_all(b"(no rows)\n");
        }
        for (column, numeric) in self.layout.column_iter_mut().zip(&self.numeric) {
            column.set_padding((0, 1));
            if *numeric {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        self.layout.lines().try_for_each(|line| writeln!(self.out, "{}", line.trim_end()))
    }
}

/// Wraps cells at a terminal that tells how wide it is; into a file or a pipe a row stays one line.
fn fit(layout: &mut Layout, screen: Screen) {
    // Left to itself the layout would ask the terminal.
    layout.force_no_tty().set_content_arrangement(ContentArrangement::Disabled);
    if let Some(columns) = screen.columns {
        layout
            .enforce_styling()
            .set_width(columns)
            .set_content_arrangement(ContentArrangement::Dynamic);
    }
}

/// What is shown of a cell.
fn shown(cell: &Cell<'_>) -> String {
    match cell {
        // Two digits a byte.
        Cell::Blob(bytes) => {
            one_short_line(&hex::encode(&bytes[..bytes.len().min(MOST_CHARACTERS)]))
        }
        other => one_short_line(&plain(other)),
    }
}

/// The start of a text on one line. What is not shown is not worked on: a text may have millions of
/// characters.
fn one_short_line(text: &str) -> String {
    let (start, is_cut) = cut(text);
    let line = on_one_line(start);
    let (start, is_cut_again) = cut(&line);
    if is_cut || is_cut_again { format!("{start}…") } else { start.to_owned() }
}

/// The first characters of a text, and whether there are more.
fn cut(text: &str) -> (&str, bool) {
    text.char_indices().nth(MOST_CHARACTERS).map_or((text, false), |(end, _)| (&text[..end], true))
}
