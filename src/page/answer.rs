//! What a report answered, kept: a page is drawn from it more than once.

use super::ask::Ask;
use crate::domain::Cell;
use crate::render::on_one_line;
use crate::store::file::StoreError;
use crate::store::reports::Question;
use std::collections::HashMap;

/// So many characters of a text are shown; a message may have hundreds of thousands.
const MOST_CHARACTERS: usize = 300;

/// A text with more bytes than these is in no address.
const MOST_BYTES: usize = 2_000;

/// What addresses name records by.
const IN_ADDRESSES: [&str; 4] = ["request_id", "example", "function", "shape"];

/// A value of an answer. Texts are on one line, with nothing in them that could turn round what
/// stands beside them.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    None,
    Integer(i64),
    Real(f64),
    Text(String),
}

impl Value {
    fn of(cell: &Cell<'_>) -> Self {
        match cell {
            Cell::Null => Self::None,
            Cell::Integer(number) => Self::Integer(*number),
            Cell::Real(number) => Self::Real(*number),
            Cell::Text(text) => Self::Text(shortened(text)),
            Cell::Blob(bytes) => Self::Text(format!("{} bytes", bytes.len())),
        }
    }

    /// As the report has it.
    pub(super) fn raw(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Integer(number) => number.to_string(),
            Self::Real(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }

    /// As a number, where it is one.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Real(number) => Some(*number),
            Self::None | Self::Text(_) => None,
        }
    }
}

/// A text as it may be shown, and no longer than it is read.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", on_one_line(&text[..end])),
        None => on_one_line(text).into_owned(),
    }
}

/// What a report answered.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// What was asked.
    pub(super) ask: Ask,
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<Value>>,
    /// Texts as the archive has them, by row and column, where an address needs them and a page
    /// shows something else; nothing where they are too long for an address.
    pub(super) originals: HashMap<(usize, usize), Option<String>>,
}

impl Answer {
    /// Reads the rows that are wanted.
    pub(super) fn read(
        ask: Ask,
        question: &mut Question<'_>,
        is_wanted: impl Fn(&[Cell<'_>]) -> bool,
    ) -> Result<Self, StoreError> {
        let columns = question.columns().to_vec();
        let is_in_addresses = |column: usize| IN_ADDRESSES.contains(&columns[column].as_str());
        let mut kept: Vec<Vec<Value>> = Vec::new();
        let mut originals = HashMap::new();
        let mut rows = question.rows();
        while let Some(row) = rows.next_row()? {
            let cells: Vec<Cell<'_>> = row.cells().collect();
            if !is_wanted(&cells) {
                continue;
            }
            let values: Vec<Value> = cells.iter().map(Value::of).collect();
            for (column, (cell, value)) in cells.iter().zip(&values).enumerate() {
                match (cell, value) {
                    (Cell::Text(text), Value::Text(shown))
                        if is_in_addresses(column) && text.as_ref() != shown =>
                    {
                        let original = (text.len() <= MOST_BYTES).then(|| text.clone().into());
                        originals.insert((kept.len(), column), original);
                    }
                    _ => {}
                }
            }
            kept.push(values);
        }
        Ok(Self { ask, columns, rows: kept, originals })
    }

    /// The names of its columns.
    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Its rows, first to last.
    pub(super) fn rows(&self) -> impl Iterator<Item = AnswerRow<'_>> {
        (0..self.rows.len()).map(|number| AnswerRow { answer: self, number })
    }

    /// One of its rows.
    pub(super) fn row(&self, number: usize) -> Option<AnswerRow<'_>> {
        (number < self.rows.len()).then_some(AnswerRow { answer: self, number })
    }

    /// How many rows it has.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The only row whose column has this text; none where there are several.
    pub(super) fn only_row_with(&self, column: &str, text: &str) -> Option<AnswerRow<'_>> {
        let mut found = self.rows().filter(|row| row.text(column) == text);
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }
}

/// One row of an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct AnswerRow<'a> {
    answer: &'a Answer,
    /// Its place, from 0 on.
    pub(super) number: usize,
}

impl<'a> AnswerRow<'a> {
    /// What the row is part of.
    pub(super) fn ask(self) -> &'a Ask {
        &self.answer.ask
    }

    /// The value of a column; none where the report has no such column.
    pub(super) fn value(self, column: &str) -> &'a Value {
        let at = self.answer.columns.iter().position(|name| name == column);
        at.map_or(&Value::None, |at| &self.answer.rows[self.number][at])
    }

    /// A text; an empty one where there is none.
    pub(super) fn text(self, column: &str) -> &'a str {
        match self.value(column) {
            Value::Text(text) => text,
            _ => "",
        }
    }

    /// A text as the archive has it; an empty one where there is none, nothing where it is too long
    /// for an address.
    pub(super) fn original(self, column: &str) -> Option<&'a str> {
        let at = self.answer.columns.iter().position(|name| name == column);
        let original = at.and_then(|at| self.answer.originals.get(&(self.number, at)));
        original.map_or_else(|| Some(self.text(column)), |original| original.as_deref())
    }

    /// A number, where there is one.
    pub(super) fn number(self, column: &str) -> Option<f64> {
        self.value(column).number()
    }

    /// A count; zero where there is none.
    pub(super) fn count(self, column: &str) -> i64 {
        match self.value(column) {
            Value::Integer(number) => *number,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::testing::answer;
    use pretty_assertions::assert_eq;

    #[test]
    fn texts_are_short_and_turn_nothing_round() {
        let cell = |text: &str| Value::of(&Cell::Text(text.to_owned().into())).raw();
        assert_eq!(cell("a\u{202e}b\nc"), "a\\u{202e}b\\nc");
        assert_eq!(cell(&"é".repeat(300)), "é".repeat(300));
        assert_eq!(cell(&"é".repeat(301)), format!("{}…", "é".repeat(300)));
    }

    #[test]
    fn a_row_is_found_where_it_is_the_only_one() {
        let answer = answer("a", "function | n\n f | 1\n g | 2\n g | 3");
        assert_eq!(answer.only_row_with("function", "f").map(|row| row.count("n")), Some(1));
        assert!(answer.only_row_with("function", "g").is_none());
        assert!(answer.only_row_with("function", "h").is_none());
        assert_eq!(answer.row(2).unwrap().number("n"), Some(3.0));
        assert_eq!(answer.row(0).unwrap().value("none"), &Value::None);
    }
}
