//! What an archive holds, read with nothing but SQLite.

use fgarchive::domain::{FunctionUrn, Timestamp};
use rusqlite::{Connection, OpenFlags, Row};
use std::collections::BTreeMap;
use std::path::Path;

/// A record without the runs that touched it: function, status, code, message, start, end, extra.
pub(crate) type Record = [Option<String>; 7];

/// Records by id.
pub(crate) type Records = BTreeMap<String, Record>;

/// A row of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) begin: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) state: String,
    pub(crate) records: i64,
}

pub(crate) fn open(db: &Path) -> Connection {
    Connection::open_with_flags(db, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

pub(crate) fn records(db: &Path) -> Records {
    let connection = open(db);
    let mut select = connection
        .prepare(
            "SELECT request_id, urn, status, typeof(error_code) || ' ' || error_code,
                 error_message, start_time,
                    end_time, extra
               FROM invocations JOIN functions ON functions.id = function_id",
        )
        .unwrap();
    let read = |row: &Row<'_>| {
        let mut record = Record::default();
        for (column, value) in record.iter_mut().enumerate() {
            *value = row.get(column + 1)?;
        }
        Ok((row.get(0)?, record))
    };
    select.query_map([], read).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Every row of a query as text, its columns joined by `|`.
pub(crate) fn rows(db: &Path, sql: &str) -> Vec<String> {
    let connection = open(db);
    let mut select = connection.prepare(sql).unwrap();
    let columns = select.column_count();
    let read = |row: &Row<'_>| {
        let texts = (0..columns)
            .map(|column| row.get::<_, rusqlite::types::Value>(column))
            .map(|value| value.map(text));
        Ok(texts.collect::<Result<Vec<_>, _>>()?.join("|"))
    };
    select.query_map([], read).unwrap().collect::<Result<_, _>>().unwrap()
}

fn text(value: rusqlite::types::Value) -> String {
    use rusqlite::types::Value;
    match value {
        Value::Null => String::new(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text,
        Value::Blob(bytes) => format!("{bytes:?}"),
    }
}

/// What is told to be missing: URN, begin and end of each range.
pub(crate) fn gaps(db: &Path) -> Vec<(String, String, String)> {
    let connection = open(db);
    let mut select =
        connection.prepare("SELECT function_urn, begin_time, end_time FROM gaps").unwrap();
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

pub(crate) fn number(db: &Path, sql: &str) -> i64 {
    open(db).query_row(sql, [], |row| row.get(0)).unwrap()
}

/// The ledger of a function, earliest window first.
pub(crate) fn ledger(db: &Path, urn: &FunctionUrn) -> Vec<Window> {
    let connection = open(db);
    let mut select = connection
        .prepare(
            "SELECT begin_time, end_time, state, distinct_count
                 FROM windows JOIN functions ON functions.id = function_id
              WHERE urn = ?1 ORDER BY begin_time",
        )
        .unwrap();
    let moment =
        |row: &Row<'_>, column| row.get::<_, String>(column).map(|text| text.parse().unwrap());
    let read = |row: &Row<'_>| {
        let (begin, end) = (moment(row, 0)?, moment(row, 1)?);
        Ok(Window { begin, end, state: row.get(2)?, records: row.get(3)? })
    };
    select.query_map([urn.to_string()], read).unwrap().collect::<Result<_, _>>().unwrap()
}
