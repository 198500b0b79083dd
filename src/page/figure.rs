//! One value on the page, with where it came from: a test, or a reader, asks the report for it
//! again.

use super::answer::{AnswerRow, Value};
use super::link;
use super::text;
use crate::domain::{Timestamp, Zone};

/// A value as the page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Figure {
    /// The question, by its name on the page.
    pub(super) ask: &'static str,
    /// The row of its answer, from 0 on.
    pub(super) row: usize,
    /// The column.
    pub(super) column: String,
    /// As the report has it; empty for nothing.
    pub(super) raw: String,
    /// As people read it.
    pub(super) shown: String,
    /// Where the records behind it are, on a live page.
    pub(super) href: Option<String>,
}

impl Figure {
    /// The value of a column, written as its name tells.
    pub(super) fn of(row: AnswerRow<'_>, column: &str, zone: Zone) -> Self {
        let value = row.value(column);
        Self {
            ask: row.ask().id,
            row: row.number,
            column: column.to_owned(),
            raw: value.raw(),
            shown: shown(value, Kind::of(column), zone),
            href: link::of_value(row, column),
        }
    }
}

/// What a column holds. Reports name their columns by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Count,
    Seconds,
    Percent,
    Time,
    /// A number that names something, and is not counted up to.
    Number,
}

impl Kind {
    pub(super) fn of(column: &str) -> Self {
        const TIMES: [&str; 4] = ["first", "last", "begin", "end"];
        const NUMBERS: [&str; 5] = ["id", "run_id", "code", "error_code", "exit_code"];
        match column {
            name if name.ends_with("_s") || name.ends_with("seconds") => Self::Seconds,
            name if name.ends_with("percent") || name.ends_with("_pct") => Self::Percent,
            name if TIMES.contains(&name) || name.ends_with("_time") || name.ends_with("_at") => {
                Self::Time
            }
            name if NUMBERS.contains(&name) => Self::Number,
            _ => Self::Count,
        }
    }
}

/// A value as people read it; nothing is a dash.
pub(super) fn shown(value: &Value, kind: Kind, zone: Zone) -> String {
    match (value, kind) {
        (Value::None, _) => "–".to_owned(),
        (Value::Integer(number), Kind::Seconds) => text::seconds(*number),
        (Value::Integer(number), Kind::Count | Kind::Time) => text::count(*number),
        (Value::Integer(number), Kind::Number) => number.to_string(),
        (Value::Integer(_) | Value::Real(_), Kind::Percent) => {
            text::percent(value.number().unwrap_or_default())
        }
        (Value::Real(number), _) => number.to_string(),
        (Value::Text(moment), Kind::Time) => match moment.parse::<Timestamp>() {
            Ok(moment) => text::time(moment, zone),
            Err(_) => moment.clone(),
        },
        (Value::Text(text), _) => text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::testing::answer;
    use pretty_assertions::assert_eq;

    #[test]
    fn a_value_is_written_as_its_column_tells() {
        let answer = answer(
            "t",
            "records | p50_s | failed_percent | start_time | code | shape | example
             12345 | 90 | 3.5 | 2026-03-01T12:00:00Z | 4201 | 17 times |",
        );
        let row = answer.row(0).unwrap();
        let told = |column| Figure::of(row, column, Zone::UTC).shown;
        let columns =
            ["records", "p50_s", "failed_percent", "start_time", "code", "shape", "example"];
        assert_eq!(
            columns.map(told),
            ["12,345", "1m 30s", "3.5 %", "2026-03-01 12:00", "4201", "17 times", "–"]
        );
        let figure = Figure::of(row, "p50_s", Zone::UTC);
        assert_eq!((figure.ask, figure.row, figure.raw.as_str()), ("t", 0, "90"));
    }
}
