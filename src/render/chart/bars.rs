//! Bars: a row is a line with its label, its number, a bar as long as the number, and the numbers
//! of its parts.

use super::cells::{number, place, shown};
use super::ink::{Ink, left, right, widest};
use crate::domain::{Bars as Columns, Cell, Timestamp};
use crate::render::length::in_two_units;
use crate::render::one_line::on_one_line;
use std::time::Duration;

/// Bars are never shorter than so many cells, where the labels leave less room.
const LEAST_BAR: usize = 10;

/// Between what stands beside each other.
const GAP: &str = "  ";

/// How the names of columns end that are lengths of time in seconds.
const SECONDS: &str = "_s";

/// The columns of the answer, and its rows.
pub(super) struct Bars {
    names: Names,
    group: Option<usize>,
    labels: Vec<usize>,
    /// Which labels are lengths of time.
    are_lengths: Vec<bool>,
    time: Option<usize>,
    value: usize,
    parts: Vec<usize>,
    notes: Vec<usize>,
    rows: Vec<Row>,
}

/// What stands over the columns of the chart.
struct Names {
    labels: Vec<String>,
    value: String,
    /// Of the parts, then of the notes.
    numbers: Vec<String>,
}

struct Row {
    group: String,
    labels: Vec<String>,
    /// When it is, in seconds.
    time: Option<i64>,
    value: f64,
    value_text: String,
    parts: Vec<f64>,
    numbers: Vec<String>,
}

impl Bars {
    pub(super) fn of(bars: &Columns<'_>, columns: &[String]) -> Self {
        let places = |names: &[&str]| names.iter().map(|name| place(columns, name)).collect();
        let shown = |name: &&str| on_one_line(name).into_owned();
        let label = |name: &&str| shown(&name.strip_suffix(SECONDS).unwrap_or(name));
        Self {
            names: Names {
                labels: bars.labels.iter().map(label).collect(),
                value: shown(&bars.value),
                numbers: bars.parts.iter().chain(&bars.notes).map(shown).collect(),
            },
            group: bars.group.map(|name| place(columns, name)),
            labels: places(&bars.labels),
            are_lengths: bars.labels.iter().map(|name| name.ends_with(SECONDS)).collect(),
            time: bars.time.map(|name| place(columns, name)),
            value: place(columns, bars.value),
            parts: places(&bars.parts),
            notes: places(&bars.notes),
            rows: Vec::new(),
        }
    }

    pub(super) fn row(&mut self, cells: &[Cell<'_>], ink: Ink) {
        let text = |at: &usize| shown(cells.get(*at), ink);
        let positive = |at: &usize| number(cells.get(*at)).unwrap_or(0.0).max(0.0);
        let label = |(at, is_length): (&usize, bool)| match cells.get(*at) {
            Some(Cell::Integer(seconds)) if is_length => length(*seconds),
            _ => text(at),
        };
        let are_lengths = self.are_lengths.iter().copied();
        self.rows.push(Row {
            group: self.group.as_ref().map(text).unwrap_or_default(),
            labels: self.labels.iter().zip(are_lengths).map(label).collect(),
            time: self.time.as_ref().and_then(|at| moment(&text(at))),
            value: positive(&self.value),
            value_text: text(&self.value),
            parts: self.parts.iter().map(positive).collect(),
            numbers: self.parts.iter().chain(&self.notes).map(text).collect(),
        });
    }

    pub(super) fn lines(&self, ink: Ink) -> Vec<String> {
        let layout = Layout::of(self, ink);
        let mut lines = Vec::new();
        for group in self.rows.chunk_by(|one, other| one.group == other.group) {
            if self.group.is_some() {
                if !lines.is_empty() {
                    lines.push(String::new());
                }
                lines.extend(group.first().map(|row| ink.bold(&ink.cut(&row.group, ink.width))));
            }
            lines.extend(layout.head(&self.names, ink));
            layout.draw(group, ink, &mut lines);
        }
        if !self.parts.is_empty() {
            lines.extend(ink.legend(&self.meanings(ink)));
        }
        lines
    }

    fn meanings(&self, ink: Ink) -> Vec<(String, String)> {
        let parts = self.names.numbers.iter().take(self.parts.len()).enumerate();
        let of_them = parts.map(|(place, name)| {
            let sign = ink.in_part_colour(place, &ink.part(place).to_string());
            (sign, format!("of them {name}"))
        });
        let all = (ink.bar(8), self.names.value.clone());
        [all].into_iter().chain(of_them).collect()
    }
}

/// How wide what is.
struct Layout {
    labels: Vec<usize>,
    value: usize,
    bar: usize,
    numbers: Vec<usize>,
}

impl Layout {
    fn of(bars: &Bars, ink: Ink) -> Self {
        let column = |name: &str, cells: &dyn Fn(&Row) -> &str| {
            widest(bars.rows.iter().map(cells).chain([name]))
        };
        let most_of_label = ink.width / 3 / bars.names.labels.len().max(1);
        let labels: Vec<usize> = bars
            .names
            .labels
            .iter()
            .enumerate()
            .map(|(at, name)| column(name, &|row| &row.labels[at]).min(most_of_label.max(10)))
            .collect();
        let value = column(&bars.names.value, &|row| &row.value_text);
        let numbers: Vec<usize> = bars
            .names
            .numbers
            .iter()
            .enumerate()
            .map(|(at, name)| column(name, &|row| &row.numbers[at]))
            .collect();
        let beside: usize =
            labels.iter().chain([&value]).chain(&numbers).map(|width| width + GAP.len()).sum();
        Self { labels, value, bar: ink.width.saturating_sub(beside).max(LEAST_BAR), numbers }
    }

    fn head(&self, names: &Names, ink: Ink) -> [String; 2] {
        let labels: Vec<String> =
            names.labels.iter().zip(&self.labels).map(|(name, width)| left(name, *width)).collect();
        let numbers: Vec<String> = names
            .numbers
            .iter()
            .zip(&self.numbers)
            .map(|(name, width)| right(name, *width))
            .collect();
        let value = right(&names.value, self.value);
        let bar = |fill: &str| fill.repeat(self.bar);
        let line = |width: &usize| "-".repeat(*width);
        let under = |widths: &[usize]| widths.iter().map(line).collect::<Vec<_>>();
        [
            ink.bold(joined(&labels, &value, &bar(" "), &numbers).trim_end()),
            joined(&under(&self.labels), &line(&self.value), &bar("-"), &under(&self.numbers)),
        ]
    }

    fn draw(&self, rows: &[Row], ink: Ink, lines: &mut Vec<String>) {
        let most = rows.iter().map(|row| row.value).fold(0.0, f64::max);
        let step = usual_step(rows);
        let mut before: Option<i64> = None;
        for row in rows {
            if let (Some(before), Some(time), Some(step)) = (before, row.time, step)
                && 2 * (time - before) > 3 * step
            {
                lines.push(ink.either('⋮', ':').to_string());
            }
            before = row.time;
            let labels: Vec<String> = row
                .labels
                .iter()
                .zip(&self.labels)
                .map(|(label, width)| left(&ink.cut(label, *width), *width))
                .collect();
            let numbers: Vec<String> = row
                .numbers
                .iter()
                .zip(&self.numbers)
                .map(|(number, width)| right(number, *width))
                .collect();
            let value = right(&row.value_text, self.value);
            lines.push(joined(&labels, &value, &self.bar(row, most, ink), &numbers));
        }
    }

    /// The bar of a row and blanks behind it. What is not nothing has a cell at least.
    fn bar(&self, row: &Row, most: f64, ink: Ink) -> String {
        let eighths = eighths(row.value, most, self.bar);
        let mut rest = eighths.div_ceil(8);
        let blank = " ".repeat(self.bar.saturating_sub(rest));
        if row.parts.iter().all(|part| *part == 0.0) {
            return ink.bar(eighths) + &blank;
        }
        let mut drawn = Vec::new();
        for (place, part) in row.parts.iter().enumerate() {
            let cells = cells_of_part(*part, most, self.bar).min(rest);
            rest -= cells;
            drawn.push(ink.in_part_colour(place, &ink.part(place).to_string().repeat(cells)));
        }
        ink.bar(8 * rest) + &drawn.concat() + &blank
    }
}

fn joined(labels: &[String], value: &str, bar: &str, numbers: &[String]) -> String {
    let texts = labels.iter().map(String::as_str).chain([value, bar]);
    texts.chain(numbers.iter().map(String::as_str)).collect::<Vec<_>>().join(GAP)
}

/// How long a bar is, in eighths of a cell.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the width")]
fn eighths(value: f64, most: f64, cells: usize) -> usize {
    let whole = 8 * cells;
    let length = (value / most * whole as f64).round() as usize;
    if value > 0.0 { length.clamp(1, whole) } else { 0 }
}

/// How many cells a part takes, one at least.
fn cells_of_part(part: f64, most: f64, cells: usize) -> usize {
    let eighths = eighths(part, most, cells);
    if eighths == 0 { 0 } else { ((eighths + 4) / 8).max(1) }
}

/// The least time between two neighbours.
fn usual_step(rows: &[Row]) -> Option<i64> {
    let steps = rows.windows(2).filter_map(|pair| Some(pair[1].time? - pair[0].time?));
    steps.filter(|step| *step > 0).min()
}

/// A length of time by its units.
fn length(seconds: i64) -> String {
    let told = in_two_units(Duration::from_secs(seconds.unsigned_abs()));
    let told = told
        .strip_suffix(" 0s")
        .or(told.strip_suffix(" 0m"))
        .or(told.strip_suffix(" 0h"))
        .unwrap_or(&told);
    if seconds < 0 { format!("-{told}") } else { told.to_owned() }
}

/// The moment, day or month that a text names, in seconds.
fn moment(text: &str) -> Option<i64> {
    const REST: &str = "0000-01-01T00:00:00Z";
    let whole = if text.len() < 19 {
        format!("{text}{}", REST.get(text.len()..)?)
    } else {
        text.to_owned()
    };
    whole.parse().ok().map(Timestamp::unix)
}
