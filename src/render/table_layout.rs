//! How the columns of a table share the width of a terminal.
//!
//! Numbers, times and names are never broken. Where all columns are too wide together, names of
//! columns are broken at `_` first; then texts of several words are wrapped, as long as they keep a
//! readable width; and what still does not fit is told beneath its row, as `name: value`. Into a
//! file or a pipe, a row stays one line.

use super::style::Screen;
use comfy_table::{
    Attribute, Cell, CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table,
    TableStyle, Width,
};
use std::io::{self, Write};
use unicode_width::UnicodeWidthStr;

/// A line under the header, and columns apart by blanks.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('-').junction(' '));

/// How far columns are apart: the padding and the place of a line between them.
const GAP: usize = 2;

/// Texts of several words are wrapped to no less than this.
const LEAST_OF_TEXT: usize = 24;

/// A column that is wider is told beneath before one that is not.
const WIDE: usize = 40;

/// How far what is told beneath a row stands in, and how far apart.
const INDENT: &str = "    ";
const APART: &str = "   ";

/// Where each column is told, and how wide it is.
pub(super) struct Layout {
    /// The names, broken into lines where they must be.
    names: Vec<String>,
    columns: Vec<Column>,
    screen: Screen,
}

struct Column {
    is_numeric: bool,
    /// The width of the widest cell, and of the name.
    cells: usize,
    name: usize,
    /// Whether there are blanks to break its texts at.
    has_words: bool,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// As wide as its widest cell.
    Whole,
    /// As wide as the others leave room.
    Wrapped(usize),
    /// Under the row.
    Beneath,
}

impl Column {
    /// How wide it is if nothing is broken.
    fn width(&self) -> usize {
        self.cells.max(self.name)
    }

    fn can_wrap(&self) -> bool {
        self.has_words && self.width() > LEAST_OF_TEXT
    }
}

impl Layout {
    pub(super) fn of(
        names: Vec<String>,
        rows: &[Vec<String>],
        numeric: Vec<bool>,
        screen: Screen,
    ) -> Self {
        let column = |(at, is_numeric): (usize, bool)| {
            let texts = || rows.iter().filter_map(|row| row.get(at));
            Column {
                is_numeric,
                cells: texts().map(|text| text.width()).max().unwrap_or(0),
                name: names[at].width(),
                has_words: texts().any(|text| text.trim_end().contains(' ')),
                place: Place::Whole,
            }
        };
        let columns = numeric.into_iter().enumerate().map(column).collect();
        let mut layout = Self { names, columns, screen };
        if let Some(most) = screen.columns {
            layout.fit(usize::from(most));
        }
        layout
    }

    /// Finds a place for each column within a width.
    fn fit(&mut self, most: usize) {
        if self.width() > most {
            self.break_names();
        }
        while self.width() > most {
            if self.wrap(most) {
                return;
            }
            let Some(at) = self.next_beneath() else { return };
            self.columns[at].place = Place::Beneath;
        }
        self.mend_names(most);
    }

    /// Makes names whole again for which there is room after all.
    fn mend_names(&mut self, most: usize) {
        for at in 0..self.columns.len() {
            let whole = self.names[at].replace('\n', "");
            let broken = std::mem::replace(&mut self.columns[at].name, whole.width());
            if self.width() <= most {
                self.names[at] = whole;
            } else {
                self.columns[at].name = broken;
            }
        }
    }

    /// How wide the table is if nothing is wrapped, with the padding of the last column.
    fn width(&self) -> usize {
        let widths = self.in_row().map(|(_, column)| column.width() + GAP);
        widths.sum::<usize>().saturating_sub(GAP - 1)
    }

    fn in_row(&self) -> impl Iterator<Item = (usize, &Column)> {
        self.columns.iter().enumerate().filter(|(_, column)| column.place != Place::Beneath)
    }

    /// Breaks the names of columns that are wider than what they hold.
    fn break_names(&mut self) {
        for (name, column) in self.names.iter_mut().zip(&mut self.columns) {
            *name = broken(name, column.cells);
            column.name = name.split('\n').map(UnicodeWidthStr::width).max().unwrap_or(0);
        }
    }

    /// Wraps texts, if each of them keeps a readable width.
    fn wrap(&mut self, most: usize) -> bool {
        let wrapped: Vec<usize> =
            self.in_row().filter(|(_, column)| column.can_wrap()).map(|(at, _)| at).collect();
        let taken: usize = wrapped.iter().map(|at| self.columns[*at].width()).sum();
        let room = most.saturating_sub(self.width() - taken);
        if wrapped.is_empty() || room < LEAST_OF_TEXT * wrapped.len() {
            return false;
        }
        // The narrow ones first: what they do not need is left to the others.
        let mut by_width = wrapped;
        by_width.sort_by_key(|at| self.columns[*at].width());
        let mut room = room;
        for (left, at) in (1..=by_width.len()).rev().zip(by_width) {
            let width = (room / left).min(self.columns[at].width());
            room -= width;
            self.columns[at].place = Place::Wrapped(width);
        }
        true
    }

    /// The widest of the wide columns, else the last; the first column stays.
    fn next_beneath(&self) -> Option<usize> {
        let movable = || self.in_row().skip(1);
        let wide = movable().filter(|(_, column)| column.width() > WIDE);
        let widest = wide.max_by_key(|(_, column)| column.width());
        widest.or_else(|| movable().last()).map(|(at, _)| at)
    }

    pub(super) fn write(&self, rows: Vec<Vec<String>>, out: &mut dyn Write) -> io::Result<()> {
        let has_beneath = self.columns.iter().any(|column| column.place == Place::Beneath);
        let mut table = self.table(true);
        if !has_beneath {
            for row in &rows {
                table.add_row(self.cells(row));
            }
            drop(rows);
            self.align(&mut table);
            return write_lines(&table, out);
        }
        self.align(&mut table);
        write_lines(&table, out)?;
        for row in rows {
            let mut table = self.table(false);
            table.add_row(self.cells(&row));
            self.align(&mut table);
            write_lines(&table, out)?;
            self.write_beneath(&row, out)?;
        }
        Ok(())
    }

    /// The cells of a row that stand in it.
    fn cells<'a>(&self, row: &'a [String]) -> Vec<&'a str> {
        self.in_row().map(|(at, _)| row.get(at).map_or("", String::as_str)).collect()
    }

    fn table(&self, has_header: bool) -> Table {
        let mut table = Table::new();
        table.load_style(STYLE).set_content_arrangement(ContentArrangement::Disabled);
        // Left to itself the table would ask the terminal.
        table.force_no_tty();
        if let Some(columns) = self.screen.columns {
            table.enforce_styling().set_width(columns);
            table.set_content_arrangement(ContentArrangement::Dynamic);
        }
        if has_header {
            table.set_header(self.in_row().map(|(at, _)| {
                let cell = Cell::new(&self.names[at]);
                if self.screen.has_colour { cell.add_attribute(Attribute::Bold) } else { cell }
            }));
        }
        table
    }

    /// Sets the alignment and the width of each column, when the table has them.
    fn align(&self, table: &mut Table) {
        for (column, (_, own)) in table.column_iter_mut().zip(self.in_row()) {
            column.set_padding((0, 1));
            if own.is_numeric {
                column.set_cell_alignment(CellAlignment::Right);
            }
            if self.screen.columns.is_some() {
                let width = match own.place {
                    Place::Wrapped(width) => width,
                    Place::Whole | Place::Beneath => own.width(),
                };
                // Padding is counted as part of the width.
                let width = u16::try_from(width + 1).unwrap_or(u16::MAX);
                column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
            }
        }
    }

    /// What has no place in the row: a line for as many values as fit, and whole lines for a text.
    fn write_beneath(&self, row: &[String], out: &mut dyn Write) -> io::Result<()> {
        let room = self.screen.columns.map_or(usize::MAX, usize::from).saturating_sub(INDENT.len());
        let beneath = self.columns.iter().enumerate();
        let beneath = beneath.filter(|(_, column)| column.place == Place::Beneath);
        let mut line = String::new();
        for (at, _) in beneath {
            let Some(value) = row.get(at).filter(|value| !value.is_empty()) else { continue };
            let told = format!("{}: {value}", self.names[at].replace('\n', ""));
            if !line.is_empty() && line.width() + APART.len() + told.width() > room {
                write_wrapped(&std::mem::take(&mut line), room, out)?;
            }
            if !line.is_empty() {
                line.push_str(APART);
            }
            line.push_str(&told);
        }
        if line.is_empty() { Ok(()) } else { write_wrapped(&line, room, out) }
    }
}

fn write_lines(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    table.lines().try_for_each(|line| writeln!(out, "{}", line.trim_end()))
}

/// A text in lines of a width.
fn write_wrapped(text: &str, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(TableStyle::new()).force_no_tty();
    table.set_content_arrangement(ContentArrangement::Dynamic).add_row([text]);
    for column in table.column_iter_mut() {
        column.set_padding((0, 0));
        let width = u16::try_from(width).unwrap_or(u16::MAX).max(1);
        column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(width)));
    }
    table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    table.lines().try_for_each(|line| writeln!(out, "{INDENT}{}", line.trim_end()))
}

/// A name in lines that are no wider than they must be, broken behind `_`.
fn broken(name: &str, cells: usize) -> String {
    let parts: Vec<&str> = name.split_inclusive('_').collect();
    // A lone letter, such as the `s` of seconds, is not worth a line.
    let widest = parts.windows(2).map(|pair| match pair {
        [part, last] if last.width() == 1 => part.width() + 1,
        [part, last] => part.width().max(last.width()),
        _ => 0,
    });
    let most = widest.max().unwrap_or(name.width()).max(cells);
    let mut lines = vec![String::new()];
    for part in parts {
        if let Some(line) = lines.last_mut().filter(|line| line.width() + part.width() <= most) {
            line.push_str(part);
        } else {
            lines.push(part.to_owned());
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    /// The table of these rows on a terminal so wide; all-digit texts are numbers.
    fn shown(columns: u16, names: &[&str], rows: &[&[&str]]) -> String {
        let screen = Screen { is_terminal: true, columns: Some(columns), ..Screen::default() };
        let names = names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|&text| text.to_owned()).collect()).collect();
        let is_number = |text: &String| text.chars().all(|each| each.is_ascii_digit());
        let numeric = (0..names.len()).map(|at| rows.iter().all(|row| is_number(&row[at])));
        let layout = Layout::of(names.clone(), &rows, numeric.collect(), screen);
        let mut out = Vec::new();
        layout.write(rows, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let widest = text.lines().map(UnicodeWidthStr::width).max().unwrap();
        assert!(widest <= usize::from(columns).max(30), "{widest}:\n{text}");
        text
    }

    #[test]
    fn names_are_broken_before_what_they_stand_over() {
        let names = ["function", "ended", "p50_least_s", "was_failed_pct"];
        let row: &[&str] = &["default:order-export", "7", "12", "1234"];
        assert_eq!(
            shown(80, &names, &[row]),
            concat!(
                "function              ended  p50_least_s  was_failed_pct\n",
                "--------------------- ------ ------------ ---------------\n",
                "default:order-export      7           12            1234\n",
            )
        );
        assert_eq!(
            shown(46, &names, &[row]),
            concat!(
                "function              ended     p50_     was_\n",
                "                             least_s  failed_\n",
                "                                          pct\n",
                "--------------------- ------ -------- --------\n",
                "default:order-export      7       12     1234\n",
            )
        );
        assert_eq!(
            shown(45, &names, &[row]),
            concat!(
                "function              ended  p50_least_s\n",
                "--------------------- ------ ------------\n",
                "default:order-export      7           12\n",
                "    was_failed_pct: 1234\n",
            )
        );
    }

    #[test]
    fn words_are_wrapped_and_what_does_not_fit_is_told_beneath() {
        let names = ["code", "records", "first", "example", "shape"];
        let text = "the function did not finish within <number> ms and was stopped";
        let id = "a8d41dd0-6789-4c93-97cd-810862c5b435";
        let rows: [&[&str]; 2] =
            [&["500", "184", "2026-01-30T13:07:52Z", id, text], &["4208", "3", "", "", "x"]];
        assert_eq!(
            shown(110, &names, &rows),
            concat!(
                "code  records  first                 example                          ",
                "     shape\n",
                "----- -------- --------------------- ---------------------------------",
                "---- -----------------------------------\n",
                " 500      184  2026-01-30T13:07:52Z  a8d41dd0-6789-4c93-97cd-810862c5b",
                "435  the function did not finish within\n",
                "                                                                      ",
                "     <number> ms and was stopped\n",
                "4208        3                                                              x\n",
            )
        );
        assert_eq!(
            shown(80, &names, &rows),
            concat!(
                "code  records  first                 example\n",
                "----- -------- --------------------- -------------------------------------\n",
                " 500      184  2026-01-30T13:07:52Z  a8d41dd0-6789-4c93-97cd-810862c5b435\n",
                "    shape: the function did not finish within <number> ms and was stopped\n",
                "4208        3\n",
                "    shape: x\n",
            )
        );
        assert_eq!(
            shown(48, &names, &rows),
            concat!(
                "code  records  first\n",
                "----- -------- ---------------------\n",
                " 500      184  2026-01-30T13:07:52Z\n",
                "    example:\n",
                "    a8d41dd0-6789-4c93-97cd-810862c5b435\n",
                "    shape: the function did not finish within\n",
                "    <number> ms and was stopped\n",
                "4208        3\n",
                "    shape: x\n",
            )
        );
    }

    #[test]
    fn however_narrow_it_is_nothing_is_left_out() {
        let names: Vec<String> = (0..17).map(|at| format!("number_{at}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let values: Vec<String> = (0..17).map(|at| format!("{}", at * 1_000_003)).collect();
        let row: Vec<&str> = values.iter().map(String::as_str).collect();
        for columns in [30, 40, 80, 120, 200] {
            let text = shown(columns, &names, &[&row]);
            assert!(values.iter().all(|value| text.contains(value)), "{columns}:\n{text}");
        }
    }
}
