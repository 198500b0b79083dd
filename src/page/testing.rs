//! Answers and ledgers as tests of the page write them.

use super::answer::{Answer, Value};
use super::ask::Ask;
use super::ledger::Ledger;
use crate::domain::{Interval, Timestamp};
use crate::store::read::FunctionStatus;
use std::collections::HashMap;

/// An answer as a test writes it: the names of the columns, then a line a row, values separated
/// by ` | `. What reads as a number is one.
pub(super) fn answer(id: &'static str, lines: &str) -> Answer {
    let ask =
        Ask { id, report: id, own: Vec::new(), range: None, is_of_functions: true, kept: None };
    let mut lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
    let cells = |line: &str| -> Vec<String> {
        line.split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let columns = cells(lines.next().unwrap());
    let value = |text: String| match text.as_str() {
        "" => Value::None,
        text => match (text.parse(), text.parse()) {
            (Ok(number), _) => Value::Integer(number),
            (_, Ok(number)) => Value::Real(number),
            _ => Value::Text(text.to_owned()),
        },
    };
    let rows = lines.map(|line| cells(line).into_iter().map(value).collect()).collect();
    Answer { ask, columns, rows, originals: HashMap::new() }
}

/// A moment of March 2026, as `DDThh`.
pub(super) fn at(text: &str) -> Timestamp {
    format!("2026-03-{text}:00:00Z").parse().unwrap()
}

pub(super) fn interval(begin: &str, end: &str) -> Interval {
    Interval::new(at(begin), at(end)).unwrap()
}

/// How a function stands of which nothing is told but since when it is gone, as `DDThh`.
pub(super) fn function(name: &str, gone_at: Option<&str>) -> FunctionStatus {
    FunctionStatus { name: name.to_owned(), gone_at: gone_at.map(at), ..FunctionStatus::default() }
}

/// A ledger of lines `function begin end state[/answer]`, moments as `DDThh`.
pub(super) fn ledger(lines: &str) -> Ledger {
    let rows = lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        let (state, told) = words[3].split_once('/').unwrap_or((words[3], "records"));
        format!("{} | {} | {} | {state} | {told}", words[0], at(words[1]), at(words[2]))
    });
    let header = "function | begin_time | end_time | state | answer".to_owned();
    let text = [header].into_iter().chain(rows).collect::<Vec<_>>().join("\n");
    Ledger::of(&answer("coverage", &text), interval("01T00", "31T00"))
}
