//! `percentile_disc(value, fraction)` for reports and ad-hoc questions: the standard's discrete percentile, exact.
//!
//! Durations are whole seconds, and even 72 hours have only 259,200 of them: counting how often each value occurs is exact
//! and takes memory for the distinct values only, however many records there are.

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::Value;
use rusqlite::{Connection, Error, Result};
use std::collections::BTreeMap;

/// The most distinct values of one group, about 40 MB. Four times the seconds of the longest run the service allows.
const MOST_DISTINCT: usize = 1_000_000;

/// Makes the function known to a connection.
pub(in crate::store) fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_aggregate_function("percentile_disc", 2, flags, PercentileDisc)
}

struct PercentileDisc;

/// How often each value occurred, and which share of them is asked for.
#[derive(Debug)]
struct Tally {
    counts: BTreeMap<i64, u64>,
    total: u64,
    fraction: f64,
}

impl Tally {
    fn new(fraction: f64) -> Self {
        Self { counts: BTreeMap::new(), total: 0, fraction }
    }

    fn add(&mut self, value: i64) -> Result<(), &'static str> {
        *self.counts.entry(value).or_default() += 1;
        self.total += 1;
        if self.counts.len() > MOST_DISTINCT {
            return Err("percentile_disc: more than a million distinct values in one group");
        }
        Ok(())
    }

    /// The smallest value that at least the asked share of all values does not exceed.
    fn value(&self) -> Option<i64> {
        #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 values")]
        let share_of = |count: u64| count as f64 / self.total as f64;
        let mut passed = 0;
        self.counts.iter().find_map(|(&value, &count)| {
            passed += count;
            (share_of(passed) >= self.fraction).then_some(value)
        })
    }
}

impl Aggregate<Tally, Option<i64>> for PercentileDisc {
    fn init(&self, context: &mut Context<'_>) -> Result<Tally> {
        let fraction: f64 = context.get(1)?;
        if (0.0..=1.0).contains(&fraction) {
            Ok(Tally::new(fraction))
        } else {
            Err(user_error("percentile_disc: the fraction is between 0 and 1"))
        }
    }

    fn step(&self, context: &mut Context<'_>, tally: &mut Tally) -> Result<()> {
        match context.get(0)? {
            Value::Null => Ok(()),
            Value::Integer(value) => tally.add(value).map_err(user_error),
            _ => Err(user_error("percentile_disc: only whole numbers are counted; round() and CAST help")),
        }
    }

    fn finalize(&self, _: &mut Context<'_>, tally: Option<Tally>) -> Result<Option<i64>> {
        Ok(tally.and_then(|tally| tally.value()))
    }
}

fn user_error(message: &'static str) -> Error {
    Error::UserFunctionError(message.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition by sorting: the element at rank ⌈fraction × n⌉, the first for a fraction of 0.
    fn by_sorting(mut values: Vec<i64>, percent: usize) -> Option<i64> {
        values.sort_unstable();
        let rank = (percent * values.len()).div_ceil(100).max(1);
        values.get(rank - 1).copied()
    }

    fn by_sqlite(values: &[i64], percent: usize) -> Option<i64> {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        connection.execute_batch("CREATE TABLE t (v)").unwrap();
        for value in values {
            connection.execute("INSERT INTO t VALUES (?1)", [value]).unwrap();
        }
        let sql = format!("SELECT percentile_disc(v, {percent} / 100.0) FROM t");
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn the_same_as_sorting(
            values in prop::collection::vec(prop_oneof![-5i64..20, any::<i64>()], 0..60),
            percent in prop_oneof![Just(0usize), Just(50), Just(90), Just(99), Just(100), 0usize..=100],
        ) {
            prop_assert_eq!(by_sqlite(&values, percent), by_sorting(values, percent));
        }
    }

    #[test]
    fn nothing_is_skipped_silently_but_null() {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        let ask = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
        assert_eq!(ask("SELECT percentile_disc(column1, 0.5) FROM (VALUES (NULL), (3), (NULL))").unwrap(), Some(3));
        assert!(ask("SELECT percentile_disc(1.5, 0.5)").unwrap_err().to_string().contains("whole numbers"));
        assert!(ask("SELECT percentile_disc(1, 50)").unwrap_err().to_string().contains("between 0 and 1"));
    }
}
