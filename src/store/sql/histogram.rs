//! How often each duration occurs, as a JSON object of whole seconds and counts: `{"3":12,"4":1}`.
//!
//! Any program that knows SQLite reads it by `json_each`. `sum_durations(durations)` adds up many
//! of them before they are taken apart, which takes a tenth of the time.

use super::room::check_room;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, Type, ValueRef};
use rusqlite::{Connection, Error, Result, ToSql};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;

/// Counts by whole seconds, in the order of the seconds. None of the counts is 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Histogram(Vec<(i64, i64)>);

impl Histogram {
    /// Adds so many records to a number of seconds; whether that number is new.
    pub(in crate::store) fn add(&mut self, seconds: i64, records: i64) -> bool {
        match self.0.binary_search_by_key(&seconds, |entry| entry.0) {
            Ok(place) => {
                self.0[place].1 = self.0[place].1.saturating_add(records);
                if self.0[place].1 == 0 {
                    self.0.remove(place);
                }
                false
            }
            Err(_) if records == 0 => false,
            Err(place) => {
                self.0.insert(place, (seconds, records));
                true
            }
        }
    }

    /// Both together.
    pub(in crate::store) fn plus(&self, other: &Self) -> Self {
        let mut sum = Vec::with_capacity(self.0.len() + other.0.len());
        let (mut ours, mut theirs) = (&self.0[..], &other.0[..]);
        while let ([own, more @ ..], [their, others @ ..]) = (ours, theirs) {
            match own.0.cmp(&their.0) {
                Ordering::Less => {
                    sum.push(*own);
                    ours = more;
                }
                Ordering::Greater => {
                    sum.push(*their);
                    theirs = others;
                }
                Ordering::Equal => {
                    let both = own.1.saturating_add(their.1);
                    sum.extend((both != 0).then_some((own.0, both)));
                    (ours, theirs) = (more, others);
                }
            }
        }
        sum.extend(ours);
        sum.extend(theirs);
        Self(sum)
    }

    /// The greatest number of seconds; none where nothing is counted.
    pub(in crate::store) fn longest(&self) -> Option<i64> {
        self.0.last().map(|(seconds, _)| *seconds)
    }

    /// The seconds and their counts, in order.
    pub(in crate::store) fn entries(&self) -> impl Iterator<Item = (i64, i64)> {
        self.0.iter().copied()
    }
}

impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.entries())
    }
}

impl<'de> Deserialize<'de> for Histogram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

/// Takes in an object, whose names are in order where it was written by us.
struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Histogram;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of seconds and counts")
    }

    fn visit_map<A: MapAccess<'de>>(
        self,
        mut object: A,
    ) -> std::result::Result<Histogram, A::Error> {
        let mut histogram = Histogram::default();
        while let Some((seconds, records)) = object.next_entry()? {
            if records != 0 && histogram.longest().is_none_or(|longest| longest < seconds) {
                histogram.0.push((seconds, records));
            } else {
                histogram.add(seconds, records);
            }
        }
        Ok(histogram)
    }
}

impl ToSql for Histogram {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        let text = serde_json::to_string(self);
        text.map(Into::into).map_err(|error| Error::ToSqlConversionFailure(error.into()))
    }
}

impl FromSql for Histogram {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_slice(value.as_bytes()?).map_err(FromSqlError::other)
    }
}

/// Makes `sum_durations` known to a connection.
pub(in crate::store) fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_aggregate_function("sum_durations", 1, flags, SumDurations)
}

/// What a number of seconds and its count take.
const BYTES_OF_A_COUNT: usize = size_of::<(i64, i64)>();

/// What reading a byte of a text takes at most: a count is written in six at least, and a vector
/// that grows is there twice, the second time with as much room again.
const BYTES_A_BYTE: usize = BYTES_OF_A_COUNT * 3 / 6;

/// How long a text or blob is; nothing else is read.
fn length(value: ValueRef<'_>) -> usize {
    value.as_bytes().map_or(0, <[u8]>::len)
}

struct SumDurations;

impl Aggregate<Histogram, Option<Histogram>> for SumDurations {
    fn init(&self, _context: &mut Context<'_>) -> Result<Histogram> {
        Ok(Histogram::default())
    }

    fn step(&self, context: &mut Context<'_>, sum: &mut Histogram) -> Result<()> {
        let value = context.get_raw(0);
        if value.data_type() == Type::Null {
            return Ok(());
        }
        check_room(sum.0.len() * BYTES_OF_A_COUNT + length(value) * BYTES_A_BYTE)?;
        let added = Histogram::column_result(value).map_err(|_| {
            Error::UserFunctionError("sum_durations: it is no object of seconds and counts".into())
        })?;
        *sum = sum.plus(&added);
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
    use proptest::prelude::*;

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
        let most = format!(r#"('{{"1":{}}}')"#, i64::MAX);
        let both = summed(&format!("{most}, {most}")).unwrap();
        assert_eq!(both, Some(format!(r#"{{"1":{}}}"#, i64::MAX)), "and not less than nothing");
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

    proptest! {
        /// Whatever the order in which counts come, added one by one or as texts.
        #[test]
        fn a_sum_is_that_of_its_parts(
            parts in
                prop::collection::vec(prop::collection::vec((-3_i64..6, -2_i64..3), 0..8), 0..5),
        ) {
            let (mut one_by_one, mut together) = (Histogram::default(), Histogram::default());
            for part in &parts {
                let mut histogram = Histogram::default();
                for &(seconds, records) in part {
                    one_by_one.add(seconds, records);
                    histogram.add(seconds, records);
                }
                let text = serde_json::to_string(&histogram).unwrap();
                prop_assert_eq!(&serde_json::from_str::<Histogram>(&text).unwrap(), &histogram);
                together = together.plus(&histogram);
            }
            prop_assert_eq!(&together, &one_by_one);
            for seconds in -3..6 {
                let all = parts.iter().flatten().filter(|entry| entry.0 == seconds);
                let sum = all.map(|entry| entry.1).sum::<i64>();
                let told = together.entries().find(|entry| entry.0 == seconds);
                prop_assert_eq!(told.map_or(0, |entry| entry.1), sum);
            }
        }
    }
}
