//! A heat map: a row is a line of cells, each with a shade for how much it is of the most, and its
//! number where there is room.

use super::cells::{number, place, shown};
use super::ink::{Ink, left, right, widest};
use crate::domain::Cell;
use crate::render::one_line::on_one_line;
use crate::render::text::plain;

/// How many shades there are between nothing and the most.
const STEPS: usize = 4;

/// The columns of the answer, and its rows.
pub(super) struct Heat {
    label: usize,
    /// The names of the cells' columns.
    names: Vec<String>,
    label_name: String,
    rows: Vec<(String, Vec<Value>)>,
}

/// A cell: its number, and that as text.
struct Value {
    number: Option<f64>,
    text: String,
}

/// How cells are written, the first that fits: everything, large numbers in thousands, one shade
/// less, and no number.
#[derive(Clone, Copy)]
struct Layout {
    shades: usize,
    numbers: Numbers,
    gap: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Numbers {
    Exact,
    Short,
    None,
}

const LAYOUTS: [Layout; 5] = [
    Layout { shades: 2, numbers: Numbers::Exact, gap: 2 },
    Layout { shades: 2, numbers: Numbers::Exact, gap: 1 },
    Layout { shades: 2, numbers: Numbers::Short, gap: 1 },
    Layout { shades: 1, numbers: Numbers::Short, gap: 1 },
    Layout { shades: 2, numbers: Numbers::None, gap: 1 },
];

impl Heat {
    pub(super) fn of(label: &str, columns: &[String]) -> Self {
        let label = place(columns, label);
        let others = columns.iter().enumerate().filter(|(at, _)| *at != label);
        let shown = |name: &String| on_one_line(name).into_owned();
        Self {
            label,
            names: others.map(|(_, name)| shown(name)).collect(),
            label_name: columns.get(label).map(shown).unwrap_or_default(),
            rows: Vec::new(),
        }
    }

    pub(super) fn row(&mut self, cells: &[Cell<'_>], ink: Ink) {
        let others = cells.iter().enumerate().filter(|(at, _)| *at != self.label);
        let value = |cell| {
            let number = number(Some(cell));
            let text = number.map_or_else(String::new, |_| plain(cell).into_owned());
            Value { number, text }
        };
        let values = others.map(|(_, cell)| value(cell)).collect();
        self.rows.push((shown(cells.get(self.label), ink), values));
    }

    pub(super) fn lines(&self, ink: Ink) -> Vec<String> {
        let values = self.rows.iter().flat_map(|(_, values)| values);
        let scale = Scale::of(values.filter_map(|value| value.number).collect());
        let labels = self.rows.iter().map(|(label, _)| label.as_str());
        let label_width = widest(labels.chain([self.label_name.as_str()])).min(ink.width / 3);
        let fits = |layout: &&Layout| {
            let cells = self.widths(**layout);
            label_width + cells.iter().map(|cell| cell + layout.gap).sum::<usize>() <= ink.width
        };
        let layout = *LAYOUTS.iter().find(fits).unwrap_or(&LAYOUTS[LAYOUTS.len() - 1]);
        let widths = self.widths(layout);
        let gap = " ".repeat(layout.gap);
        let label = |text: &str| left(&ink.cut(text, label_width), label_width);
        let names = self.names.iter().zip(&widths);
        let names = names.map(|(name, width)| format!("{gap}{}", right(name, *width)));
        let mut lines = vec![ink.bold(&(label(&self.label_name) + &names.collect::<String>()))];
        for (name, values) in &self.rows {
            let cells = values.iter().zip(&widths);
            let cells =
                cells.map(|(value, width)| gap.clone() + &layout.cell(value, *width, &scale, ink));
            lines.push(label(name) + &cells.collect::<String>());
        }
        lines.extend(ink.legend(&scale.meanings(ink)));
        lines
    }

    /// How wide the cells are.
    fn widths(&self, layout: Layout) -> Vec<usize> {
        let of_column = |(at, name): (usize, &String)| {
            let numbers = self.rows.iter().map(|(_, values)| {
                let number = values.get(at).map_or(0, |value| layout.number(value).len());
                layout.shades + usize::from(number > 0) + number
            });
            numbers.chain([name.chars().count()]).max().unwrap_or(0)
        };
        self.names.iter().enumerate().map(of_column).collect()
    }
}

impl Layout {
    fn number(self, value: &Value) -> String {
        match (self.numbers, value.number) {
            (Numbers::None, _) | (_, None) => String::new(),
            (Numbers::Exact, _) => value.text.clone(),
            (Numbers::Short, Some(number)) => short(number, &value.text),
        }
    }

    fn cell(self, value: &Value, width: usize, scale: &Scale, ink: Ink) -> String {
        let number = self.number(value);
        let room = width - self.shades;
        let Some(told) = value.number else { return " ".repeat(width) };
        let shades = match scale.step(told) {
            Some(step) => {
                ink.in_heat_colour(step, &ink.shade(step).to_string().repeat(self.shades))
            }
            None => ink.either('·', ' ').to_string().repeat(self.shades),
        };
        if self.numbers == Numbers::None {
            return " ".repeat(room) + &shades;
        }
        shades + &right(&number, room)
    }
}

/// The largest number of each shade, and what else the legend needs.
struct Scale {
    bounds: [f64; STEPS],
    /// Whether a cell is nothing.
    has_nothing: bool,
    /// Whether all numbers are whole.
    is_whole: bool,
}

impl Scale {
    /// In equal steps up to the most. Where a few cells have more than twice of what 19 of 20 have,
    /// they get the last shade, and the others the steps beneath.
    fn of(mut numbers: Vec<f64>) -> Self {
        let is_whole = numbers.iter().all(|number| number.fract() == 0.0);
        let has_nothing = numbers.iter().any(|number| *number <= 0.0);
        numbers.retain(|number| *number > 0.0);
        numbers.sort_by(f64::total_cmp);
        let most = numbers.last().copied().unwrap_or(0.0);
        let usual = numbers.get(numbers.len() * 19 / 20).copied().unwrap_or(0.0);
        let steps = if most > 2.0 * usual { STEPS - 1 } else { STEPS };
        let top = if steps == STEPS { most } else { usual };
        let bound = |step: usize| top * (step + 1) as f64 / steps as f64;
        let bounds = std::array::from_fn(|step| if step < steps { bound(step) } else { most });
        Self { bounds, has_nothing, is_whole }
    }

    /// Which shade a number has; none where it is nothing.
    fn step(&self, number: f64) -> Option<usize> {
        let step = self.bounds.iter().position(|bound| number <= *bound).unwrap_or(STEPS - 1);
        (number > 0.0).then_some(step)
    }

    fn meanings(&self, ink: Ink) -> Vec<(String, String)> {
        let [.., most] = self.bounds;
        // Of whole numbers a bound between two is the smaller one, where that is of this shade.
        let is_whole = self.is_whole && most >= 2.0 * STEPS as f64;
        let shown = |number: f64| {
            if is_whole { format!("{:.0}", number.floor()) } else { hundredths(number) }
        };
        let meaning = |step: usize| {
            let shade = ink.in_heat_colour(step, &ink.shade(step).to_string());
            (shade, format!("up to {}", shown(self.bounds[step])))
        };
        // In ASCII nothing is a blank, which needs no words.
        let nothing = (self.has_nothing && ink.either('·', ' ') != ' ')
            .then(|| ("·".to_owned(), "0".to_owned()));
        let shades = (0..STEPS).map(meaning);
        if most > 0.0 { nothing.into_iter().chain(shades).collect() } else { Vec::new() }
    }
}

/// A bound in hundredths, as shares are told, and no more than it is. What is less than a millionth
/// beneath a hundredth is that one: a fraction to the base of two seldom is exact.
fn hundredths(bound: f64) -> String {
    format!("{:.2}", ((bound * 100.0) + 1e-4).floor() / 100.0)
}

/// A large number in thousands or millions.
fn short(number: f64, text: &str) -> String {
    match number {
        number if number >= 1e7 => format!("{:.0}M", number / 1e6),
        number if number >= 1e4 => format!("{:.0}k", number / 1e3),
        _ => text.to_owned(),
    }
}
