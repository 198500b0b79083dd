//! The hours of the week: when records start, and when they fail.

use super::answer::{Answer, Value};
use super::calendar::{Label, step};
use super::figure::{Kind, shown};
use super::link;
use super::scale::place;
use super::week::DAYS;
use crate::domain::Zone;

const LEFT: f64 = 34.0;
const TOP: f64 = 16.0;
const CELL: f64 = 14.0;
const GAP: f64 = 2.0;

/// Hours and weekdays.
#[derive(Clone, Debug)]
pub(super) struct HoursView {
    pub(super) finding: String,
    pub(super) cells: Vec<HourView>,
    pub(super) labels: Vec<Label>,
}

/// One hour of one weekday.
#[derive(Clone, Debug)]
pub(super) struct HourView {
    pub(super) x: String,
    pub(super) y: String,
    /// The class of its colour.
    pub(super) fill: &'static str,
    pub(super) title: String,
    /// Where its records are, of all weeks together, on a live page; none where there are none.
    pub(super) href: Option<String>,
}

/// What the cells tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Records,
    FailedPercent,
}

impl HoursView {
    /// None where there is nothing in any hour.
    pub(super) fn of(heatmap: &Answer, told: Told) -> Option<Self> {
        let values = heatmap.rows().enumerate().flat_map(|(hour, row)| {
            DAYS.iter().enumerate().map(move |(day, (column, _))| (hour, day, row.value(column)))
        });
        let values: Vec<(usize, usize, &Value)> = values.collect();
        let href = |hour: usize, day: usize, value: &Value| {
            let row = heatmap.row(hour).filter(|_| value.number().is_some_and(|it| it > 0.0))?;
            link::of_value(row, DAYS[day].0)
        };
        let number = |value: &Value| value.number().unwrap_or_default();
        let (hour, day, most) =
            values.iter().rev().max_by(|one, other| number(one.2).total_cmp(&number(other.2)))?;
        let greatest = number(most);
        let cells = values.iter().map(|(hour, day, value)| {
            let (name, words) = (name(*hour, *day), words(value, told));
            HourView {
                x: place(LEFT + *hour as f64 * (CELL + GAP)),
                y: place(TOP + *day as f64 * (CELL + GAP)),
                fill: match told {
                    Told::Records => amount(number(value), greatest),
                    Told::FailedPercent => step(value.number()),
                },
                title: format!("{name}: {words}"),
                href: href(*hour, *day, value),
            }
        });
        let finding = match told {
            _ if greatest == 0.0 && told == Told::FailedPercent => "None failed.".to_owned(),
            Told::Records => format!("Most start on {}: {}.", name(*hour, *day), words(most, told)),
            Told::FailedPercent => {
                format!("Most fail on {}: {}.", name(*hour, *day), words(most, told))
            }
        };
        Some(Self { finding, cells: cells.collect(), labels: labels() })
    }
}

fn name(hour: usize, day: usize) -> String {
    format!("{} at {hour:02}:00", DAYS[day].1)
}

fn words(value: &Value, told: Told) -> String {
    match (told, value) {
        (Told::Records, value) => format!("{} records", shown(value, Kind::Count, Zone::UTC)),
        (Told::FailedPercent, Value::None) => "none has ended".to_owned(),
        (Told::FailedPercent, value) => {
            format!("{} failed", shown(value, Kind::Percent, Zone::UTC))
        }
    }
}

/// The class of a number among others up to the greatest.
fn amount(number: f64, greatest: f64) -> &'static str {
    match number / greatest.max(1.0) {
        _ if number == 0.0 => "empty",
        part if part <= 0.2 => "amount-0",
        part if part <= 0.4 => "amount-1",
        part if part <= 0.6 => "amount-2",
        part if part <= 0.8 => "amount-3",
        _ => "amount-4",
    }
}

fn labels() -> Vec<Label> {
    let hours = (0..24).step_by(3).map(|hour| Label {
        x: place(LEFT + f64::from(hour) * (CELL + GAP)),
        y: place(TOP - 5.0),
        text: format!("{hour:02}"),
    });
    let days = DAYS.iter().enumerate().map(|(day, (_, name))| Label {
        x: place(LEFT - 6.0),
        y: place(TOP + day as f64 * (CELL + GAP) + CELL - 3.0),
        text: (*name).to_owned(),
    });
    days.chain(hours).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::testing::answer;
    use pretty_assertions::assert_eq;

    const HEADER: &str = "hour | mon | tue | wed | thu | fri | sat | sun\n";

    #[test]
    fn no_record_is_not_a_small_number() {
        let heatmap = answer("h", &format!("{HEADER}00:00 | 10 | 1 | 0 | 5 | 7 | 3 | 10"));
        let view = HoursView::of(&heatmap, Told::Records).unwrap();
        let fills: Vec<&str> = view.cells.iter().map(|cell| cell.fill).collect();
        let expected =
            ["amount-4", "amount-0", "empty", "amount-2", "amount-3", "amount-1", "amount-4"];
        assert_eq!(fills, expected);
        assert_eq!(view.finding, "Most start on Mon at 00:00: 10 records.");
        assert_eq!(view.cells[2].title, "Wed at 00:00: 0 records");
    }

    #[test]
    fn a_share_of_nothing_is_none() {
        let heatmap = answer("h", &format!("{HEADER}00:00 | 0.0 | 3.5 | | | | |"));
        let view = HoursView::of(&heatmap, Told::FailedPercent).unwrap();
        let fills: Vec<&str> = view.cells.iter().take(3).map(|cell| cell.fill).collect();
        assert_eq!(fills, ["step-0", "step-2", "step-none"]);
        assert_eq!(view.cells[2].title, "Wed at 00:00: none has ended");
        assert_eq!(view.finding, "Most fail on Tue at 00:00: 3.5 % failed.");
        assert!(HoursView::of(&answer("h", HEADER), Told::Records).is_none());
    }
}
