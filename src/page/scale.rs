//! Scales and paths: how numbers and moments become places in a chart.

use crate::domain::{Interval, Timestamp};
use std::fmt::Write as _;

/// A coordinate, in tenths of a unit: finer than a screen shows.
pub(super) fn place(coordinate: f64) -> String {
    let text = format!("{coordinate:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// From values to coordinates, in proportion.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    from: (f64, f64),
    to: (f64, f64),
}

impl Scale {
    /// Values between the first pair become coordinates between the second.
    pub(super) fn new(from: (f64, f64), to: (f64, f64)) -> Self {
        Self { from, to }
    }

    /// Moments of a range become coordinates between these.
    pub(super) fn of_time(range: Interval, to: (f64, f64)) -> Self {
        Self::new((range.begin().unix() as f64, range.end().unix() as f64), to)
    }

    /// The coordinate of a value, within the chart.
    pub(super) fn at(self, value: f64) -> f64 {
        let length = self.from.1 - self.from.0;
        let part = if length == 0.0 { 0.0 } else { (value - self.from.0) / length };
        self.to.0 + part.clamp(0.0, 1.0) * (self.to.1 - self.to.0)
    }

    /// The coordinate of a moment.
    pub(super) fn at_time(self, moment: Timestamp) -> f64 {
        self.at(moment.unix() as f64)
    }
}

/// Round numbers from 0 on that reach the greatest value in at most five steps.
pub(super) fn ticks(greatest: f64, is_whole: bool) -> Vec<f64> {
    const MOST_STEPS: f64 = 5.0;
    let least = if is_whole { 1.0 } else { f64::MIN_POSITIVE };
    let rough = (greatest / MOST_STEPS).max(least);
    let size = 10f64.powf(rough.log10().floor());
    let sizes = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * size);
    let fits = |step: &f64| *step >= rough * (1.0 - 1e-9) && (!is_whole || step.fract() == 0.0);
    let step = sizes.into_iter().find(fits).unwrap_or(rough);
    let steps = (greatest / step - 1e-9).ceil().max(1.0);
    let mut all = Vec::new();
    let mut tick = 0.0;
    while tick <= steps {
        all.push(tick * step);
        tick += 1.0;
    }
    all
}

/// Every how many of so many things, side by side on this length, there is room for a name.
pub(super) fn stride(number: usize, length: f64, room: f64) -> usize {
    let width = length / number.max(1) as f64;
    (1..=number).find(|stride| *stride as f64 * width >= room).unwrap_or(number.max(1))
}

/// A column of a chart, from a lower value to an upper one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
    pub(super) top: f64,
}

/// The outline of columns that stand side by side, as the data of a path; another one begins
/// wherever a column is missing.
pub(super) fn stairs(columns: impl Iterator<Item = Option<Column>>) -> String {
    let mut path = String::new();
    let mut run: Vec<Column> = Vec::new();
    for column in columns.chain([None]) {
        match column {
            Some(column) => run.push(column),
            None => push_outline(&std::mem::take(&mut run), &mut path),
        }
    }
    path
}

fn push_outline(run: &[Column], path: &mut String) {
    let (Some(first), true) = (run.first(), run.iter().any(|column| column.top < column.bottom))
    else {
        return;
    };
    // Writing to a string cannot fail.
    let _ = write!(path, "M{},{}", place(first.left), place(first.bottom));
    let mut height = first.bottom;
    for column in run {
        step_to(column.top, &mut height, path);
        let _ = write!(path, "H{}", place(column.right));
    }
    for column in run.iter().rev() {
        step_to(column.bottom, &mut height, path);
        let _ = write!(path, "H{}", place(column.left));
    }
    path.push('Z');
}

fn step_to(to: f64, height: &mut f64, path: &mut String) {
    if place(to) != place(*height) {
        let _ = write!(path, "V{}", place(to));
        *height = to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn values_become_places() {
        let scale = Scale::new((0.0, 10.0), (100.0, 0.0));
        let places = [0.0, 5.0, 10.0, 11.0].map(|value| place(scale.at(value)));
        assert_eq!(places, ["100", "50", "0", "0"]);
        assert_eq!(place(Scale::new((3.0, 3.0), (1.0, 2.0)).at(3.0)), "1");
        assert_eq!([0.0, 1.25, 99.96].map(place), ["0", "1.2", "100"]);
    }

    #[test]
    fn ticks_are_round_and_reach_the_greatest() {
        let ticks = |greatest, is_whole| {
            let all: Vec<String> = ticks(greatest, is_whole).into_iter().map(place).collect();
            all.join(" ")
        };
        assert_eq!(ticks(0.0, true), "0 1");
        assert_eq!(ticks(1.0, true), "0 1");
        assert_eq!(ticks(7.0, true), "0 2 4 6 8");
        assert_eq!(ticks(1_234.0, true), "0 500 1000 1500");
        assert_eq!(ticks(0.8, false), "0 0.2 0.4 0.6 0.8");
        assert_eq!(ticks(5.0, true), "0 1 2 3 4 5");
        let strides = [(10, 700.0), (100, 700.0), (1, 10.0)];
        assert_eq!(strides.map(|(number, length)| stride(number, length, 70.0)), [1, 10, 1]);
    }

    #[test]
    fn an_outline_breaks_where_a_column_is_missing() {
        let column =
            |left: f64, top: f64| Some(Column { left, right: left + 1.0, bottom: 10.0, top });
        let columns =
            [column(0.0, 5.0), column(1.0, 5.0), None, column(3.0, 7.5), column(4.0, 10.0)];
        assert_eq!(stairs(columns.into_iter()), "M0,10V5H1H2V10H1H0ZM3,10V7.5H4V10H5H4H3Z");
        assert_eq!(stairs([column(0.0, 10.0)].into_iter()), "", "nothing is drawn of nothing");
    }
}
