//! A calendar: a column is a week, and a character is a day. What could not be proven, what is
//! proven to be empty, what was lost and what was not recorded are four different characters, and
//! different from every day with records.

use super::cells::{number, place};
use super::ink::{Ink, left};
use crate::domain::{Cell, Timestamp};
use crate::render::text::plain;
use std::collections::BTreeMap;

const DAY: i64 = 86_400;

/// The first Monday is three days before the first day of Unix's time, a Thursday.
const MONDAY: i64 = 3;

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// How wide the names of the weekdays are, with a blank behind them.
const BESIDE: usize = 5;

/// The most weeks side by side, a year.
const MOST_WEEKS: usize = 53;

/// The most days: 30 years, which no archive reaches. A day of somebody's own report may be any.
const MOST_DAYS: i64 = 366 * 30;

/// Failed records of those that ended that bound the shades of a day, in per cent: the last has no
/// bound. There are as many shades as can be told apart without colour.
const SHARES: [f64; 3] = [0.0, 5.0, 20.0];

/// What a day is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Day {
    /// With records, of which so many failed: a place in [`SHARES`], or behind them.
    Records(usize),
    /// With records of which none has ended.
    NoneEnded,
    Empty,
    NotProven,
    Lost,
    SwitchedOff,
    NotThere,
}

/// The columns of the answer, and its days since the first of Unix's time.
pub(super) struct Calendar {
    columns: [usize; 4],
    days: BTreeMap<i64, Day>,
}

impl Calendar {
    pub(super) fn of(names: [&str; 4], columns: &[String]) -> Self {
        Self { columns: names.map(|name| place(columns, name)), days: BTreeMap::new() }
    }

    pub(super) fn row(&mut self, cells: &[Cell<'_>]) {
        let [day, records, failed_percent, state] = self.columns.map(|at| cells.get(at));
        let text = |cell: Option<&Cell<'_>>| {
            cell.map_or_else(String::new, |cell| plain(cell).chars().take(20).collect())
        };
        let Ok(begin) = format!("{}T00:00:00Z", text(day)).parse::<Timestamp>() else { return };
        let day = Day::of(number(records).unwrap_or(0.0), number(failed_percent), &text(state));
        self.days.insert(begin.unix() / DAY, day);
    }

    pub(super) fn lines(&self, ink: Ink) -> Vec<String> {
        let ends = self.days.first_key_value().zip(self.days.last_key_value());
        let Some(((&first, _), (&last, _))) = ends else { return vec!["(no days)".to_owned()] };
        let (first, last) = (week(first), week(last.min(first + MOST_DAYS)));
        let weeks: Vec<i64> = (first..=last).collect();
        let cell = if BESIDE + 2 * weeks.len() <= ink.width { 2 } else { 1 };
        let side_by_side = ((ink.width - BESIDE) / cell).min(MOST_WEEKS);
        let mut lines = Vec::new();
        for weeks in weeks.chunks(side_by_side) {
            if !lines.is_empty() {
                lines.push(String::new());
            }
            lines.push(ink.bold(&months(weeks, cell)));
            for (weekday, name) in (0..).zip(WEEKDAYS) {
                let days = weeks.iter().map(|week| {
                    let day = self.days.get(&(week * 7 - MONDAY + weekday));
                    let shown = day.map_or_else(|| " ".to_owned(), |day| day.shown(ink));
                    shown + &" ".repeat(cell - 1)
                });
                lines.push(left(name, BESIDE) + &days.collect::<String>());
            }
        }
        lines.extend(ink.legend(&self.meanings(ink)));
        lines
    }

    /// The characters that are there, and how many days have them.
    fn meanings(&self, ink: Ink) -> Vec<(String, String)> {
        let mut counts: BTreeMap<Day, u32> = BTreeMap::new();
        self.days.values().for_each(|day| *counts.entry(*day).or_default() += 1);
        let meaning = |(day, count): (Day, u32)| {
            let days = if count == 1 { "day" } else { "days" };
            (day.shown(ink), format!("{} ({count} {days})", day.meaning()))
        };
        counts.into_iter().map(meaning).collect()
    }
}

impl Day {
    /// By what the report `calendar` says of it. No share failed where none has ended.
    fn of(records: f64, failed_percent: Option<f64>, state: &str) -> Self {
        match state {
            "lost" => Self::Lost,
            "settled" | "proven" | "switched off" | "not there" if records > 0.0 => failed_percent
                .map_or(Self::NoneEnded, |share| {
                    Self::Records(SHARES.iter().filter(|bound| share > **bound).count())
                }),
            "switched off" => Self::SwitchedOff,
            "not there" => Self::NotThere,
            "settled" | "proven" => Self::Empty,
            // Unproven, not walked, or never set out to be archived.
            _ => Self::NotProven,
        }
    }

    fn shown(self, ink: Ink) -> String {
        match self {
            Self::Records(step) => ink.in_heat_colour(step, &ink.shade(step).to_string()),
            Self::Empty => ink.either('·', '_').to_string(),
            Self::NotProven => "?".to_owned(),
            Self::Lost => ink.bold("X"),
            Self::NoneEnded => ink.either('○', 'o').to_string(),
            Self::SwitchedOff => ink.either('–', '-').to_string(),
            Self::NotThere => "~".to_owned(),
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Records(0) => "none failed",
            Self::Records(1) => "up to 5 % failed",
            Self::Records(2) => "up to 20 % failed",
            Self::Records(_) => "more failed",
            Self::Empty => "empty",
            Self::NotProven => "not proven",
            Self::Lost => "lost",
            Self::NoneEnded => "none has ended",
            Self::SwitchedOff => "switched off",
            Self::NotThere => "not there",
        }
    }
}

/// The number of the week that a day is in.
fn week(day: i64) -> i64 {
    (day + MONDAY).div_euclid(7)
}

/// The year, and the months over the weeks in which they begin.
fn months(weeks: &[i64], cell: usize) -> String {
    let mut line = String::new();
    for (at, week) in weeks.iter().enumerate() {
        let days = (0..7).map(|weekday| week * 7 - MONDAY + weekday);
        let mut texts = days.map(|day| Timestamp::from_unix(day * DAY).to_string());
        let Some(first) = texts.clone().find(|text| text.get(8..10) == Some("01")) else {
            if at == 0 {
                line.extend(texts.next_back().and_then(|text| text.get(..4).map(str::to_owned)));
            }
            continue;
        };
        let month = first.get(5..7).and_then(|month| month.parse::<usize>().ok()).unwrap_or(1);
        let year = first.get(..4).unwrap_or_default();
        if at == 0 {
            line.push_str(year);
        }
        let name = if month == 1 && at > 0 { year } else { MONTHS[(month - 1).min(11)] };
        let place = BESIDE + at * cell;
        let is_within = place + name.len() <= BESIDE + weeks.len() * cell;
        if line.len() < place && is_within {
            line = left(&line, place) + name;
        }
    }
    line
}
