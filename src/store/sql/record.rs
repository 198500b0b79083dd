//! The one form of a record in the tables that hold records: how its columns are named, bound, read
//! and compared.

use super::error::{bytes_of, error_hash};
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

/// Inserts a record into a table, with the parameters of [`write_record`]. More columns with their
/// values may follow, and what to do where it is there already.
macro_rules! insert_into {
    ($table:literal, ($columns:literal, $values:literal), $conflict:literal) => {
        concat!(
            "INSERT INTO ",
            $table,
            " (request_id, function_id, ",
            $crate::store::sql::record::columns!(),
            ", first_run_id, changed_run_id",
            $columns,
            ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9",
            $values,
            ") ",
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

/// A record as its row tells of it.
pub(in crate::store) struct StoredRecord<'a> {
    pub(in crate::store) function: FunctionId,
    pub(in crate::store) columns: Columns<'a>,
    /// The run that saw it first.
    pub(in crate::store) first_run: RunId,
    /// What is kept as the hash of its error.
    pub(in crate::store) error_hash: Option<i64>,
}

impl StoredRecord<'_> {
    /// Its id; of a damaged one, what can be read.
    pub(in crate::store) fn id(&self) -> String {
        String::from_utf8_lossy(bytes_of(self.columns[ID])).into_owned()
    }

    /// What the hash of its error should be.
    pub(in crate::store) fn expected_error_hash(&self) -> Option<i64> {
        let columns = &self.columns;
        error_hash(columns[STATUS], columns[ERROR_CODE], columns[ERROR_MESSAGE])
    }
}

/// Where some of them stand among the columns.
const ID: usize = 0;
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
    mut work: impl FnMut(&StoredRecord<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let select = concat!("SELECT ", stored!(), " FROM invocations");
    let mut select = connection.prepare(select)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        work(&read_stored(row)?)?;
    }
    Ok(())
}

/// What [`read_stored`] reads, first of all the columns of a statement on `invocations`.
macro_rules! stored {
    () => {
        concat!(
            "request_id, ",
            $crate::store::sql::record::columns!(),
            ", function_id, first_run_id, error_hash"
        )
    };
}

pub(in crate::store) use stored;

/// A record of a row that begins with the columns of [`stored`].
pub(in crate::store) fn read_stored<'a>(row: &'a Row<'_>) -> rusqlite::Result<StoredRecord<'a>> {
    let mut columns: Columns<'a> = [ValueRef::Null; 7];
    for (at, column) in columns.iter_mut().enumerate() {
        *column = row.get_ref(at)?;
    }
    let (function, first_run, error_hash) = (row.get(7)?, row.get(8)?, row.get(9)?);
    Ok(StoredRecord { function, columns, first_run, error_hash })
}

/// Executes a statement whose numbered parameters are a record's id, its function, its other
/// columns in their order, and the run; how many rows it wrote.
pub(in crate::store) fn write_record(
    statement: &mut Statement<'_>,
    function: FunctionId,
    record: &Invocation,
    run: RunId,
) -> rusqlite::Result<usize> {
    bind_record(statement, function, record, run)?;
    statement.raw_execute()
}

/// The same for a statement that takes the hash of the record's error as its last parameter.
pub(in crate::store) fn write_hashed_record(
    statement: &mut Statement<'_>,
    function: FunctionId,
    record: &Invocation,
    run: RunId,
) -> rusqlite::Result<usize> {
    bind_record(statement, function, record, run)?;
    let hash = with_columns(record, |columns| {
        error_hash(columns[STATUS], columns[ERROR_CODE], columns[ERROR_MESSAGE])
    });
    statement.raw_bind_parameter(10, hash)?;
    statement.raw_execute()
}

fn bind_record(
    statement: &mut Statement<'_>,
    function: FunctionId,
    record: &Invocation,
    run: RunId,
) -> rusqlite::Result<()> {
    let Invocation { request_id, status, error_code, error_message, start_time, end_time, extra } =
        record;
    statement.raw_bind_parameter(1, request_id.as_str())?;
    statement.raw_bind_parameter(2, function)?;
    statement.raw_bind_parameter(3, status.as_str())?;
    statement.raw_bind_parameter(4, Code(error_code.as_ref()))?;
    statement.raw_bind_parameter(5, error_message.as_deref())?;
    statement.raw_bind_parameter(6, Time::of(start_time.as_ref()))?;
    statement.raw_bind_parameter(7, Time::of(end_time.as_ref()))?;
    statement.raw_bind_parameter(8, extra.as_deref())?;
    statement.raw_bind_parameter(9, run)
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
