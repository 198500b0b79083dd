//! Durations: how those of the successful records are spread, on an axis that doubles.

use super::answer::{Answer, AnswerRow};
use super::answers::Answers;
use super::calendar::Label;
use super::figure::Figure;
use super::link;
use super::scale::{Scale, place, stride, ticks};
use super::subject::Subject;
use super::text;
use super::throughput::GridLine;

const LEFT: f64 = 52.0;
const RIGHT: f64 = 952.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 190.0;
const NAMES: f64 = 206.0;

/// The chart.
#[derive(Clone, Debug)]
pub(super) struct DurationsView {
    pub(super) finding: String,
    pub(super) lines: Vec<GridLine>,
    pub(super) bars: Vec<Bar>,
    pub(super) percentiles: Vec<Percentile>,
    pub(super) names: Vec<Label>,
}

/// A range of durations.
#[derive(Clone, Debug)]
pub(super) struct Bar {
    pub(super) x: String,
    pub(super) y: String,
    pub(super) width: String,
    pub(super) height: String,
    pub(super) title: String,
    /// Where its records are, on a live page.
    pub(super) href: Option<String>,
}

/// Where a percentile lies.
#[derive(Clone, Debug)]
pub(super) struct Percentile {
    pub(super) x: String,
    /// Where its name stands, so that names do not collide.
    pub(super) y: String,
    pub(super) text: String,
    /// Whether the name stands left of the line, where the chart ends on the right.
    pub(super) is_left: bool,
}

impl DurationsView {
    /// None where no successful record has both times.
    pub(super) fn of(answers: &Answers, subject: &Subject) -> Option<Self> {
        let histogram = &answers.histogram;
        let totals = answers.totals.row(0)?;
        let axis = Axis::of(histogram)?;
        let greatest = histogram.rows().map(|row| row.count("records")).max()?;
        let levels = ticks(greatest as f64, true);
        let up = Scale::new((0.0, levels.last().copied()?), (BOTTOM, TOP));
        let line =
            |level: &f64| GridLine { y: place(up.at(*level)), text: text::rough_count(*level) };
        let percentiles = [("p50_s", "half", 0.0), ("p90_s", "90 %", 1.0), ("p99_s", "99 %", 2.0)];
        let percentiles = percentiles.into_iter().filter_map(|(column, name, row)| {
            let seconds = totals.number(column)?;
            let told = Figure::of(totals, column, subject.zone).shown;
            Some(Percentile {
                x: place(axis.at(seconds)),
                y: place(10.0 + 13.0 * row),
                is_left: axis.at(seconds) > RIGHT - 140.0,
                text: format!("{name} within {told}"),
            })
        });
        Some(Self {
            finding: finding(totals, histogram, subject),
            lines: levels.iter().map(line).collect(),
            bars: histogram.rows().map(|row| axis.bar(row, up)).collect(),
            percentiles: percentiles.collect(),
            names: axis.names(),
        })
    }
}

/// The ranges side by side, each as wide: those below zero, below a second, then doubling.
#[derive(Clone, Copy, Debug)]
struct Axis {
    first: i32,
    /// How many ranges.
    number: i32,
}

/// The range that a duration lies in: 0 below a second, 1 below two, 2 below four; -1 below zero.
fn range_of(seconds: f64) -> i32 {
    if seconds < 0.0 { -1 } else { (0..64).find(|power| seconds < 2f64.powi(*power)).unwrap_or(64) }
}

impl Axis {
    fn of(histogram: &Answer) -> Option<Self> {
        let ranges = || histogram.rows().map(|row| Self::range(row));
        let first = ranges().min()?;
        Some(Self { first, number: ranges().max()? - first + 1 })
    }

    fn range(row: AnswerRow<'_>) -> i32 {
        row.number("from_s").map_or(-1, range_of)
    }

    fn width(self) -> f64 {
        (RIGHT - LEFT) / f64::from(self.number)
    }

    fn left(self, range: i32) -> f64 {
        LEFT + f64::from(range - self.first) * self.width()
    }

    /// The place of a duration within its range.
    fn at(self, seconds: f64) -> f64 {
        let range = range_of(seconds);
        let part = match range {
            ..=0 => 0.5,
            range => (seconds / 2f64.powi(range - 1)).log2(),
        };
        self.left(range) + part.clamp(0.0, 1.0) * self.width()
    }

    fn bar(self, row: AnswerRow<'_>, up: Scale) -> Bar {
        let (x, top) = (self.left(Self::range(row)), up.at(row.count("records") as f64));
        let below = text::seconds(row.count("below_s"));
        let range = match row.number("from_s") {
            Some(_) => format!("{} to less than {below}", text::seconds(row.count("from_s"))),
            None => "less than nothing: they ended before they started".to_owned(),
        };
        let records = text::counted(row.count("records"), "record", "records");
        let share = row.number("percent").map_or_else(String::new, text::percent);
        Bar {
            x: place(x + 1.0),
            y: place(top),
            width: place((self.width() - 2.0).max(1.0)),
            height: place(BOTTOM - top),
            title: format!("{range}: {records}, {share}"),
            href: link::of_value(row, "records"),
        }
    }

    /// The ends of the ranges, as many as there is room for.
    fn names(self) -> Vec<Label> {
        const ROOM: f64 = 46.0;
        let number = usize::try_from(self.number).unwrap_or(1);
        let stride = stride(number, RIGHT - LEFT, ROOM);
        (self.first..=self.first + self.number)
            .filter(|range| *range >= 0)
            .step_by(stride)
            .map(|range| Label {
                x: place(self.left(range)),
                y: place(NAMES),
                text: match range {
                    0 => "0s".to_owned(),
                    range => text::rough_seconds(1_i64 << (range - 1).min(62)),
                },
            })
            .collect()
    }
}

fn finding(totals: AnswerRow<'_>, histogram: &Answer, subject: &Subject) -> String {
    let told = |column| Figure::of(totals, column, subject.zone).shown;
    let records: i64 = histogram.rows().map(|row| row.count("records")).sum();
    format!(
        "Of {}, half took at most {}, nine of ten at most {} and 99 of 100 at most {}.",
        text::counted(records, "successful record", "successful records"),
        told("p50_s"),
        told("p90_s"),
        told("p99_s")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::testing::answer;
    use pretty_assertions::assert_eq;

    #[test]
    fn durations_lie_in_the_range_that_has_them() {
        assert_eq!([-1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 1_000.0].map(range_of), [-1, 0, 1, 2, 2, 3, 10]);
        let histogram = answer(
            "h",
            "from_s | below_s | records | percent
             1 | 2 | 5 | 50.0
             8 | 16 | 5 | 50.0",
        );
        let axis = Axis::of(&histogram).unwrap();
        assert_eq!((axis.first, axis.number), (1, 4));
        let places = [1.0, 2.0, 4.0, 8.0, 16.0].map(|seconds| place(axis.at(seconds)));
        assert_eq!(places, ["52", "277", "502", "727", "952"]);
        let names: Vec<String> = axis.names().into_iter().map(|name| name.text).collect();
        assert_eq!(names, ["1s", "2s", "4s", "8s", "16s"]);
        let bar = axis.bar(histogram.row(1).unwrap(), Scale::new((0.0, 5.0), (BOTTOM, TOP)));
        assert_eq!((bar.x.as_str(), bar.height.as_str()), ("728", "144"));
        assert_eq!(bar.title, "8s to less than 16s: 5 records, 50 %");
    }
}
