//! The one form of a record in the tables that hold records: how its columns are named, bound, read
//! and compared.

use super::ids::{FunctionId, RunId};
use crate::domain::{ErrorCode, Invocation, RecordTime, RequestId, Status, Timestamp};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, RowIndex, Statement};

/// The columns of a record but its id, as a statement names them, in the order in which
/// [`read_record`] and [`is_same`] read them.
macro_rules! columns {
    () => {
        "status, error_code, error_message, start_time, end_time, extra"
    };
}

/// Inserts a record into a table, with the parameters of [`write_record`]; what follows says what
/// to do where it is there already.
macro_rules! insert_into {
    ($table:literal, $conflict:literal) => {
        concat!(
            "INSERT INTO ",
            $table,
            " (request_id, function_id, ",
            $crate::store::sql::record::columns!(),
            ", first_run_id, changed_run_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9) ",
            $conflict
        )
    };
}

/// Changes a record of a function in a table, with the same parameters; what follows is set beside
/// it.
macro_rules! update {
    ($table:literal, $more:literal) => {
        concat!(
            "UPDATE ",
            $table,
            " SET (",
            $crate::store::sql::record::columns!(),
            ", changed_run_id) = (?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            $more,
            " WHERE request_id = ?1 AND function_id = ?2"
        )
    };
}

pub(in crate::store) use {columns, insert_into, update};

/// The columns that came from the service, as they are stored: request id, status, error code,
/// error message, start, end, other fields.
pub(in crate::store) type Columns<'a> = [ValueRef<'a>; 7];

/// Where some of them stand among the columns.
pub(in crate::store) const STATUS: usize = 1;
pub(in crate::store) const ERROR_CODE: usize = 2;
pub(in crate::store) const ERROR_MESSAGE: usize = 3;
pub(in crate::store) const START: usize = 4;
pub(in crate::store) const END: usize = 5;

/// Works on the columns of a record as they are stored.
pub(in crate::store) fn with_columns<T>(
    record: &Invocation,
    work: impl FnOnce(&Columns<'_>) -> T,
) -> T {
    fn text(value: Option<&str>) -> ValueRef<'_> {
        value.map_or(ValueRef::Null, |text| ValueRef::Text(text.as_bytes()))
    }
    let Invocation { request_id, status, error_code, error_message, start_time, end_time, extra } =
        record;
    let (start_time, end_time) = (Time::of(start_time.as_ref()), Time::of(end_time.as_ref()));
    work(&[
        text(Some(request_id.as_str())),
        text(Some(status.as_str())),
        Code(error_code.as_ref()).as_value(),
        text(error_message.as_deref()),
        start_time.as_value(),
        end_time.as_value(),
        text(extra.as_deref()),
    ])
}

/// Goes through all records, in no particular order.
pub(in crate::store) fn for_each_record<E: From<rusqlite::Error>>(
    connection: &Connection,
    mut work: impl FnMut(FunctionId, &Columns<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let select = concat!("SELECT function_id, request_id, ", columns!(), " FROM invocations");
    let mut select = connection.prepare(select)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let mut columns: Columns<'_> = [ValueRef::Null; 7];
        for (at, column) in columns.iter_mut().enumerate() {
            *column = row.get_ref(at + 1)?;
        }
        work(row.get(0)?, &columns)?;
    }
    Ok(())
}

/// Executes a statement whose numbered parameters are a record's id, its function, its other
/// columns in their order, and the run; how many rows it wrote.
pub(in crate::store) fn write_record(
    statement: &mut Statement<'_>,
    function: FunctionId,
    record: &Invocation,
    run: RunId,
) -> rusqlite::Result<usize> {
    let Invocation { request_id, status, error_code, error_message, start_time, end_time, extra } =
        record;
    statement.execute((
        request_id.as_str(),
        function,
        status.as_str(),
        Code(error_code.as_ref()),
        error_message.as_deref(),
        Time::of(start_time.as_ref()),
        Time::of(end_time.as_ref()),
        extra.as_deref(),
        run,
    ))
}

/// Whether a row that begins with a record's columns, its id left out, holds just what was seen.
pub(in crate::store) fn is_same(row: &Row<'_>, seen: &Invocation) -> rusqlite::Result<bool> {
    with_columns(seen, |[_, seen @ ..]| {
        for (at, column) in seen.iter().enumerate() {
            if row.get_ref(at)? != *column {
                return Ok(false);
            }
        }
        Ok(true)
    })
}

/// The record of a row that begins with its columns, its id left out.
pub(in crate::store) fn read_record(
    row: &Row<'_>,
    request_id: &RequestId,
) -> rusqlite::Result<Invocation> {
    let text = |column: usize| row.get::<_, Option<String>>(column);
    Ok(Invocation {
        request_id: request_id.clone(),
        status: Status::parse(&text(0)?.unwrap_or_default()),
        error_code: match row.get_ref(1)? {
            ValueRef::Integer(number) => Some(ErrorCode::Number(number)),
            ValueRef::Text(text) => Some(ErrorCode::Text(String::from_utf8_lossy(text).into())),
            ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => None,
        },
        error_message: text(2)?.map(Into::into),
        start_time: read_time(row, 3)?,
        end_time: read_time(row, 4)?,
        extra: text(5)?.map(Into::into),
    })
}

/// A time of the service, which may be anything.
fn read_time(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<Option<RecordTime>> {
    Ok(row.get::<_, Option<String>>(column)?.as_deref().and_then(RecordTime::parse))
}

/// The moment that a time of the service stands for, if it does for one.
pub(in crate::store) fn read_moment(
    row: &Row<'_>,
    column: impl RowIndex,
) -> rusqlite::Result<Option<Timestamp>> {
    Ok(read_time(row, column)?.and_then(|time| time.moment()))
}

/// An error code as the column of type `ANY` takes it.
struct Code<'a>(Option<&'a ErrorCode>);

impl Code<'_> {
    fn as_value(&self) -> ValueRef<'_> {
        match self.0 {
            Some(ErrorCode::Number(number)) => ValueRef::Integer(*number),
            Some(ErrorCode::Text(text)) => ValueRef::Text(text.as_bytes()),
            None => ValueRef::Null,
        }
    }
}

impl ToSql for Code<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(self.as_value()))
    }
}

/// A time as its column takes it, written without an allocation.
pub(in crate::store) enum Time<'a> {
    At([u8; Timestamp::TEXT_LENGTH]),
    Unreadable(&'a str),
    Absent,
}

impl<'a> Time<'a> {
    pub(in crate::store) fn of(time: Option<&'a RecordTime>) -> Self {
        match time {
            Some(RecordTime::At(moment)) => Self::At(moment.to_text()),
            Some(RecordTime::Unreadable(text)) => Self::Unreadable(text),
            None => Self::Absent,
        }
    }

    fn as_value(&self) -> ValueRef<'_> {
        match self {
            Self::At(text) => ValueRef::Text(text),
            Self::Unreadable(text) => ValueRef::Text(text.as_bytes()),
            Self::Absent => ValueRef::Null,
        }
    }
}

impl ToSql for Time<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(self.as_value()))
    }
}
