//! How our own types are bound to statements and read from rows.
//!
//! What this program wrote can be read again. A stored value that cannot is damage: the row fails
//! to be read, and [`StoreError`](crate::store::file::StoreError) calls the archive damaged, for
//! every reader alike. Times and texts of the service may be anything, and are read as what they
//! are, by [`record`](super::record).

use super::ids::{FunctionId, RunId, SourceId};
use crate::domain::{FunctionUrn, Interval, RequestId, Timestamp};
use rusqlite::types::{
    FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Type, Value, ValueRef,
};
use rusqlite::{Error, Row};
use std::fmt::Display;

/// `YYYY-MM-DDTHH:MM:SSZ`, which sorts as the times do.
impl ToSql for Timestamp {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(owned(self))
    }
}

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        text.parse().map_err(|_| unreadable(text, "time"))
    }
}

impl ToSql for FunctionUrn {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(owned(self))
    }
}

impl FromSql for FunctionUrn {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        text.parse().map_err(|_| unreadable(text, "URN"))
    }
}

impl ToSql for RequestId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.as_str().as_bytes())))
    }
}

impl FromSql for RequestId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        Self::new(text).ok_or_else(|| unreadable(text, "request id"))
    }
}

/// The number of a row is bound and read as it is.
macro_rules! number {
    ($($id:ty),*) => {$(
        impl ToSql for $id {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::Owned(Value::Integer(self.0)))
            }
        }

        impl FromSql for $id {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                i64::column_result(value).map(Self)
            }
        }
    )*};
}

number!(FunctionId, RunId, SourceId);

/// A range of ours, in a column for its begin and the one behind it for its end.
pub(in crate::store) fn read_range(row: &Row<'_>, begin: usize) -> rusqlite::Result<Interval> {
    Interval::new(row.get(begin)?, row.get(begin + 1)?).ok_or_else(|| {
        Error::FromSqlConversionFailure(
            begin + 1,
            Type::Text,
            "a range ends before it begins".into(),
        )
    })
}

fn owned(value: &impl Display) -> ToSqlOutput<'static> {
    ToSqlOutput::Owned(Value::Text(value.to_string()))
}

fn unreadable(text: &str, what: &str) -> FromSqlError {
    FromSqlError::Other(format!("`{text}` is no {what}").into())
}
