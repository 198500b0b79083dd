//! `percentile_disc(value, fraction)` for reports and ad-hoc questions: the standard's discrete
//! percentile, exact. With a third argument, each value counts so many times.
//!
//! Durations are whole seconds, and even 72 hours have only 259,200 of them: counting how often
//! each value occurs is exact and takes memory for the distinct values only, however many records
//! there are.

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, Result, ffi};

/// The fewest places that are asked for at once.
const LEAST_PLACES: usize = 64;

/// The most distinct values of one group, about 32 MB. Four times the seconds of the longest run
/// the service allows.
const MOST_DISTINCT: usize = 1_000_000;

/// Makes the function known to a connection.
pub(in crate::store) fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_aggregate_function("percentile_disc", 2, flags, PercentileDisc)?;
    connection.create_aggregate_function("percentile_disc", 3, flags, PercentileDisc)
}

struct PercentileDisc;

/// How often each value occurred, and which share of them is asked for.
///
/// In a vector, which asks for memory in a way that can be refused: a question may use only so much
/// of it.
#[derive(Debug)]
struct Tally {
    /// Values and how often they occurred: sorted and distinct after [`Tally::merge`], and in
    /// between as they come.
    counts: Vec<(i64, u64)>,
    total: u64,
    fraction: f64,
}

impl Tally {
    fn new(fraction: f64) -> Self {
        Self { counts: Vec::new(), total: 0, fraction }
    }

    fn add(&mut self, value: i64, times: u64) -> Result<()> {
        if self.counts.len() == self.counts.capacity() {
            self.make_room()?;
        }
        self.counts.push((value, times));
        self.total = self.total.saturating_add(times);
        Ok(())
    }

    /// As many places as there are distinct values, at least: merging then costs little a value.
    fn make_room(&mut self) -> Result<()> {
        self.merge()?;
        let wanted = self.counts.len().max(LEAST_PLACES);
        self.counts
            .try_reserve_exact(wanted)
            .map_err(|_| Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_NOMEM), None))
    }

    /// Brings each value to one place, in order.
    fn merge(&mut self) -> Result<()> {
        self.counts.sort_unstable_by_key(|&(value, _)| value);
        self.counts.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            kept.1 = kept.1.saturating_add(if is_same { next.1 } else { 0 });
            is_same
        });
        if self.counts.len() > MOST_DISTINCT {
            return Err(user_error(
                "percentile_disc: more than a million distinct values in one group",
            ));
        }
        Ok(())
    }

    /// The smallest value that at least the asked share of all values does not exceed.
    fn value(mut self) -> Result<Option<i64>> {
        self.merge()?;
        #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 values")]
        let share_of = |count: u64| count as f64 / self.total as f64;
        let mut passed = 0;
        Ok(self.counts.iter().find_map(|&(value, count)| {
            passed = count.saturating_add(passed);
            (share_of(passed) >= self.fraction).then_some(value)
        }))
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
        let times = match context.len() {
            2 => 1,
            _ => u64::try_from(context.get::<i64>(2)?)
                .map_err(|_| user_error("percentile_disc: nothing occurs less than no time"))?,
        };
        match context.get_raw(0) {
            ValueRef::Null => Ok(()),
            ValueRef::Integer(_) if times == 0 => Ok(()),
            ValueRef::Integer(value) => tally.add(value, times),
            _ => Err(user_error(
                "percentile_disc: only whole numbers are counted; round() and CAST help",
            )),
        }
    }

    fn finalize(&self, _: &mut Context<'_>, tally: Option<Tally>) -> Result<Option<i64>> {
        tally.map_or(Ok(None), Tally::value)
    }
}

fn user_error(message: &'static str) -> Error {
    Error::UserFunctionError(message.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition by sorting: the element at rank ⌈fraction × n⌉, the first for a fraction of
    /// 0.
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
            percent in prop_oneof![
                Just(0usize), Just(50), Just(90), Just(99), Just(100), 0usize..=100
            ],
        ) {
            prop_assert_eq!(by_sqlite(&values, percent), by_sorting(values, percent));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_value_that_counts_several_times_stands_for_as_many(
            values in prop::collection::vec((-5i64..20, 0i64..4), 0..30),
            percent in 0usize..=100,
        ) {
            let connection = Connection::open_in_memory().unwrap();
            register(&connection).unwrap();
            connection.execute_batch("CREATE TABLE t (v, n)").unwrap();
            for value in &values {
                connection.execute("INSERT INTO t VALUES (?1, ?2)", *value).unwrap();
            }
            let sql = format!("SELECT percentile_disc(v, {percent} / 100.0, n) FROM t");
            let counted: Option<i64> = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
            let each = |&(value, times): &(i64, i64)| (0..times).map(move |_| value);
            prop_assert_eq!(counted, by_sorting(values.iter().flat_map(each).collect(), percent));
        }
    }

    #[test]
    fn few_values_take_little_and_too_many_are_refused() {
        let mut few = Tally::new(0.5);
        (0..100_000).for_each(|at| few.add(at % 100, 1).unwrap());
        assert!(few.counts.capacity() < 1_000, "{}", few.counts.capacity());
        assert_eq!(few.value().unwrap(), Some(49));
        let most = i64::try_from(MOST_DISTINCT).unwrap();
        let tally_of = |distinct: i64| {
            let mut tally = Tally::new(1.0);
            (0..distinct)
                .rev()
                .try_for_each(|value| tally.add(value, 1))
                .and_then(|()| tally.value())
        };
        assert_eq!(tally_of(most).unwrap(), Some(most - 1));
        assert!(
            tally_of(most + 1)
                .unwrap_err()
                .to_string()
                .contains("more than a million distinct values")
        );
        assert!(
            tally_of(most * 3)
                .unwrap_err()
                .to_string()
                .contains("more than a million distinct values")
        );
    }

    #[test]
    fn nothing_is_skipped_silently_but_null() {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        let ask = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
        assert_eq!(
            ask("SELECT percentile_disc(column1, 0.5) FROM (VALUES (NULL), (3), (NULL))").unwrap(),
            Some(3)
        );
        assert!(
            ask("SELECT percentile_disc(1.5, 0.5)")
                .unwrap_err()
                .to_string()
                .contains("whole numbers")
        );
        assert!(
            ask("SELECT percentile_disc(1, 0.5, -1)")
                .unwrap_err()
                .to_string()
                .contains("less than no time")
        );
        assert!(
            ask("SELECT percentile_disc(1, 50)")
                .unwrap_err()
                .to_string()
                .contains("between 0 and 1")
        );
    }
}
