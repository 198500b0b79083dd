//! `median(value)`: the middle of the numbers of a group, or the mean of the two in the middle.
//! Also over a window, such as the days before each day.

use rusqlite::functions::{Aggregate, Context, FunctionFlags, WindowAggregate};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, Result, ffi};

/// The fewest places that are asked for at once.
const LEAST_PLACES: usize = 32;

/// Makes the function known to a connection.
pub(in crate::store) fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_window_function("median", 1, flags, Median)
}

struct Median;

/// The numbers of a group, in order after [`Numbers::sort`]. Their memory is asked for in a way
/// that can be refused: a question may use only so much of it.
#[derive(Debug, Default)]
struct Numbers {
    values: Vec<f64>,
    is_sorted: bool,
}

impl Numbers {
    fn add(&mut self, value: f64) -> Result<()> {
        if self.values.len() == self.values.capacity() {
            let wanted = self.values.len().max(LEAST_PLACES);
            self.values
                .try_reserve_exact(wanted)
                .map_err(|_| Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_NOMEM), None))?;
        }
        self.values.push(value);
        self.is_sorted = false;
        Ok(())
    }

    /// Takes away one that was added, as a window does that moves on.
    fn remove(&mut self, value: f64) {
        self.sort();
        if let Ok(place) = self.values.binary_search_by(|other| other.total_cmp(&value)) {
            self.values.remove(place);
        }
    }

    fn sort(&mut self) {
        if !self.is_sorted {
            // Without memory of its own, which could not be refused.
            self.values.sort_unstable_by(f64::total_cmp);
            self.is_sorted = true;
        }
    }

    fn median(&mut self) -> Option<f64> {
        self.sort();
        let above = *self.values.get(self.values.len() / 2)?;
        let below = *self.values.get((self.values.len() - 1) / 2)?;
        Some(below + (above - below) / 2.0)
    }
}

impl Aggregate<Numbers, Option<f64>> for Median {
    fn init(&self, _: &mut Context<'_>) -> Result<Numbers> {
        Ok(Numbers::default())
    }

    fn step(&self, context: &mut Context<'_>, numbers: &mut Numbers) -> Result<()> {
        number(context)?.map_or(Ok(()), |value| numbers.add(value))
    }

    fn finalize(&self, _: &mut Context<'_>, numbers: Option<Numbers>) -> Result<Option<f64>> {
        Ok(numbers.and_then(|mut numbers| numbers.median()))
    }
}

impl WindowAggregate<Numbers, Option<f64>> for Median {
    fn value(&self, numbers: Option<&mut Numbers>) -> Result<Option<f64>> {
        Ok(numbers.and_then(Numbers::median))
    }

    fn inverse(&self, context: &mut Context<'_>, numbers: &mut Numbers) -> Result<()> {
        if let Some(value) = number(context)? {
            numbers.remove(value);
        }
        Ok(())
    }
}

fn number(context: &Context<'_>) -> Result<Option<f64>> {
    match context.get_raw(0) {
        ValueRef::Null => Ok(None),
        ValueRef::Integer(value) => Ok(Some(value as f64)),
        ValueRef::Real(value) => Ok(Some(value)),
        _ => Err(Error::UserFunctionError("median: only numbers have one; CAST helps".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    /// The definition, by sorting.
    fn by_sorting(values: &[f64]) -> Option<f64> {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        match values.len() {
            0 => None,
            odd if odd % 2 == 1 => Some(values[middle]),
            _ => Some(values[middle - 1] + (values[middle] - values[middle - 1]) / 2.0),
        }
    }

    fn with_values(values: &[f64]) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        connection.execute_batch("CREATE TABLE t (place INTEGER PRIMARY KEY, v)").unwrap();
        for value in values {
            connection.execute("INSERT INTO t (v) VALUES (?1)", [value]).unwrap();
        }
        connection
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn the_same_as_sorting_also_in_a_window(
            values in prop::collection::vec(
                prop_oneof![(-3i8..4).prop_map(f64::from), -1e9..1e9],
                0..40,
            ),
            length in 1usize..6,
        ) {
            let connection = with_values(&values);
            let whole: Option<f64> =
                connection.query_row("SELECT median(v) FROM t", [], |row| row.get(0)).unwrap();
            prop_assert_eq!(whole, by_sorting(&values));
            let sql = format!(
                "SELECT median(v) OVER (ORDER BY place
                                        ROWS BETWEEN {length} PRECEDING AND 1 PRECEDING)
                   FROM t ORDER BY place"
            );
            let mut statement = connection.prepare(&sql).unwrap();
            let moved: Vec<Option<f64>> = statement
                .query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
            let expected: Vec<Option<f64>> = (0..values.len())
                .map(|at| by_sorting(&values[at.saturating_sub(length)..at]))
                .collect();
            prop_assert_eq!(moved, expected);
        }
    }

    #[test]
    fn only_null_is_left_out_in_silence() {
        let connection = with_values(&[]);
        let ask = |rows: &str| {
            let sql = format!("SELECT median(column1) FROM (VALUES {rows})");
            connection.query_row(&sql, [], |row| row.get::<_, Option<f64>>(0))
        };
        assert_eq!(ask("(NULL), (3), (1.5), (NULL)").unwrap(), Some(2.25));
        assert_eq!(ask("(NULL)").unwrap(), None);
        assert!(ask("('7')").unwrap_err().to_string().contains("only numbers"));
    }
}
