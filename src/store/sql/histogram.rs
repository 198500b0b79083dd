//! How often each duration occurs, as a JSON object of whole seconds and counts: `{"3":12,"4":1}`.
//!
//! Any program that knows SQLite reads it by `json_each`. `sum_durations(durations)` adds up many
//! of them before they are taken apart, which takes a tenth of the time.

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Error, Result, ToSql};
use std::collections::BTreeMap;

/// Counts by whole seconds. None of them is 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Histogram(BTreeMap<i64, i64>);

impl Histogram {
    /// Adds so many records to a number of seconds; whether that number is new.
    pub(in crate::store) fn add(&mut self, seconds: i64, records: i64) -> bool {
        let before = self.0.len();
        let count = self.0.entry(seconds).or_default();
        *count += records;
        if *count == 0 {
            self.0.remove(&seconds);
        }
        self.0.len() > before
    }

    /// Both together.
    pub(in crate::store) fn plus(&self, mut other: Self) -> Self {
        for (seconds, records) in self.entries() {
            other.add(seconds, records);
        }
        other
    }

    /// The greatest number of seconds; none where nothing is counted.
    pub(in crate::store) fn longest(&self) -> Option<i64> {
        self.0.last_key_value().map(|(seconds, _)| *seconds)
    }

    /// The seconds and their counts, in order.
    pub(in crate::store) fn entries(&self) -> impl Iterator<Item = (i64, i64)> {
        self.0.iter().map(|(seconds, records)| (*seconds, *records))
    }

    fn to_json(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }
}

impl ToSql for Histogram {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(self.to_json().into())
    }
}

impl FromSql for Histogram {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let counts = serde_json::from_slice(value.as_bytes()?);
        counts.map(Self).map_err(FromSqlError::other)
    }
}

/// Makes `sum_durations` known to a connection.
pub(in crate::store) fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_aggregate_function("sum_durations", 1, flags, SumDurations)
}

struct SumDurations;

impl Aggregate<Histogram, Option<Histogram>> for SumDurations {
    fn init(&self, _context: &mut Context<'_>) -> Result<Histogram> {
        Ok(Histogram::default())
    }

    fn step(&self, context: &mut Context<'_>, sum: &mut Histogram) -> Result<()> {
        let added: Option<Histogram> = context.get(0).map_err(|_| {
            Error::UserFunctionError("sum_durations: it is no object of seconds and counts".into())
        })?;
        for (seconds, records) in added.iter().flat_map(Histogram::entries) {
            sum.add(seconds, records);
        }
        Ok(())
    }

    fn finalize(
        &self,
        _context: &mut Context<'_>,
        sum: Option<Histogram>,
    ) -> Result<Option<Histogram>> {
        Ok(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    fn asked(sql: &str) -> Result<Option<String>> {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        connection.query_row(sql, [], |row| row.get(0))
    }

    #[test]
    fn durations_add_up_in_the_order_of_their_seconds() {
        let summed =
            |texts: &str| asked(&format!("SELECT sum_durations(column1) FROM (VALUES {texts})"));
        let texts = r#"('{"10":1,"9":2}'), (NULL), ('{"9":1,"-3":4}'), ('{"10":-1}'), ('{}')"#;
        assert_eq!(summed(texts).unwrap().as_deref(), Some(r#"{"-3":4,"9":3}"#));
        assert_eq!(asked("SELECT sum_durations('{}') WHERE 0").unwrap(), None);
        for text in ["('[1]')", "('{\"a\":1}')", "('')", "(1)", "('{\"1\":1.5}')"] {
            let error = summed(text).unwrap_err().to_string();
            assert_eq!(error, "sum_durations: it is no object of seconds and counts", "{text}");
        }
    }

    #[test]
    fn what_comes_to_nothing_is_not_kept() {
        let mut histogram = Histogram::default();
        assert_eq!(
            (histogram.add(7, 1), histogram.add(7, 1), histogram.add(-2, 1)),
            (true, false, true)
        );
        assert_eq!(histogram.longest(), Some(7));
        assert!(!histogram.add(7, -2));
        assert_eq!(histogram.entries().collect::<Vec<_>>(), [(-2, 1)]);
        assert_eq!((histogram.add(-2, -1), histogram.longest()), (false, None));
    }
}
