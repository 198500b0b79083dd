//! A prepared question and its answer, row by row: nothing is collected, so that any answer fits in
//! memory.

use crate::domain::Cell;
use crate::store::file::StoreError;
use crate::store::sql::budget::Budget;
use rusqlite::types::{FromSql, ValueRef};
use rusqlite::{Row as SqliteRow, Rows as SqliteRows, Statement};

/// A statement that is ready to be answered.
#[derive(Debug)]
pub struct Question<'r> {
    statement: Statement<'r>,
    columns: Vec<String>,
    budget: Budget,
    author: Author,
}

/// Who wrote a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Author {
    /// Somebody who asks: what is refused is a mistake in it.
    User,
    /// This program: what is refused is a value of the archive that no run wrote.
    Program,
}

impl<'r> Question<'r> {
    pub(in crate::store) fn new(statement: Statement<'r>, budget: Budget, author: Author) -> Self {
        let columns = statement.column_names().map(str::to_owned).collect();
        budget.pause();
        Self { statement, columns, budget, author }
    }

    /// The names of the columns, from left to right.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The answer from its first row.
    pub fn rows(&mut self) -> Rows<'_> {
        Rows { cursor: self.statement.raw_query(), budget: &self.budget, author: self.author }
    }
}

/// The rows of an answer, one at a time.
#[expect(missing_debug_implementations, reason = "SQLite's cursor has nothing to show")]
pub struct Rows<'q> {
    cursor: SqliteRows<'q>,
    budget: &'q Budget,
    author: Author,
}

impl Rows<'_> {
    /// The next row; nothing after the last.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, StoreError> {
        self.budget.resume();
        let row = self.cursor.next();
        self.budget.pause();
        let meaning = |error| match explain(self.budget, error) {
            StoreError::BadSql { message, .. } if self.author == Author::Program => {
                StoreError::Damaged(message)
            }
            other => other,
        };
        Ok(row.map_err(meaning)?.map(Row))
    }
}

/// What an error of a question means, with the reason why it was interrupted.
pub(super) fn explain(budget: &Budget, error: rusqlite::Error) -> StoreError {
    match StoreError::from_statement(error) {
        StoreError::TimedOut if budget.has_filled_disk() => StoreError::FilledDisk,
        other => other,
    }
}

/// One row of an answer.
#[expect(missing_debug_implementations, reason = "shown cell by cell")]
pub struct Row<'a>(&'a SqliteRow<'a>);

impl Row<'_> {
    /// At most so many bytes are copied for its cells: what is no UTF-8 is replaced by characters
    /// of three bytes.
    pub fn copied_bytes(&self) -> u64 {
        let at_most = |bytes: &[u8]| {
            if std::str::from_utf8(bytes).is_ok() { 0 } else { bytes.len() as u64 * 3 }
        };
        let cells = (0..).map_while(|at| self.0.get_ref(at).ok());
        cells.map(|cell| if let ValueRef::Text(bytes) = cell { at_most(bytes) } else { 0 }).sum()
    }

    /// The value of the column of that name.
    pub(super) fn value<T: FromSql>(&self, column: &str) -> Result<T, StoreError> {
        Ok(self.0.get(column)?)
    }

    /// The cells, from left to right.
    pub fn cells(&self) -> impl Iterator<Item = Cell<'_>> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let cell = self.0.get_ref(at).ok().map(Cell::from);
            at += 1;
            cell
        })
    }
}

impl<'a> From<ValueRef<'a>> for Cell<'a> {
    fn from(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Real(number) => Self::Real(number),
            ValueRef::Text(bytes) => Self::Text(String::from_utf8_lossy(bytes)),
            ValueRef::Blob(bytes) => Self::Blob(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::{Connection, ffi};
    use std::time::Duration;

    #[test]
    fn an_interrupted_question_tells_whether_it_filled_the_disk() {
        let mut connection = Connection::open_in_memory().unwrap();
        let budget = Budget::start(&mut connection, Duration::from_hours(1)).unwrap();
        let failed = |code| rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        assert!(matches!(explain(&budget, failed(ffi::SQLITE_INTERRUPT)), StoreError::TimedOut));
        budget.watch(&connection).end_for_disk();
        assert!(matches!(explain(&budget, failed(ffi::SQLITE_INTERRUPT)), StoreError::FilledDisk));
        assert!(matches!(explain(&budget, failed(ffi::SQLITE_BUSY)), StoreError::Busy));
    }
}
