//! `beta_binomial_tail(failed, records, share, rho)`: how likely so many failures or more are by
//! chance, of so many records, where `share` of them usually fail.
//!
//! Failures come in bunches: `rho` is how much more alike the records of one hour are than those of
//! different hours, from 0 (each fails by itself, the binomial distribution) to 1 (all or none).

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::{Connection, Error, Result};

/// The most records that are summed up one by one: it takes some 50 ms, in which nothing can
/// interrupt it.
const MOST_RECORDS: i64 = 10_000_000;

/// Makes the function known to a connection.
pub(in crate::store) fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("beta_binomial_tail", 4, flags, of_arguments)
}

/// NULL where an argument is.
fn of_arguments(context: &Context<'_>) -> Result<Option<f64>> {
    let counts: (Option<i64>, Option<i64>) = (context.get(0)?, context.get(1)?);
    let shares: (Option<f64>, Option<f64>) = (context.get(2)?, context.get(3)?);
    let ((Some(failed), Some(records)), (Some(share), Some(rho))) = (counts, shares) else {
        return Ok(None);
    };
    if records < 0 {
        return Err(refused("beta_binomial_tail: there are no less than 0 records"));
    }
    if !(0.0..=1.0).contains(&share) || !(0.0..1.0).contains(&rho) {
        return Err(refused("beta_binomial_tail: a share is from 0 to 1, and rho is less than 1"));
    }
    // Of more records a part stands for all: as many by chance are then likelier, not rarer.
    let part = (records - 1) / MOST_RECORDS + 1;
    Ok(Some(tail(failed / part, records / part, share, rho)))
}

fn refused(message: &'static str) -> Error {
    Error::UserFunctionError(message.into())
}

/// The probability of `failed` or more of `records`.
///
/// What each number of failures is worth is known from its neighbour's by their ratio, so all are
/// summed up relative to that of `failed`, upwards and downwards. A sum that is too large for a
/// number is infinite, and the other one is then nothing beside it.
fn tail(failed: i64, records: i64, share: f64, rho: f64) -> f64 {
    if failed <= 0 {
        return 1.0;
    }
    if failed > records {
        return 0.0;
    }
    let alike = rho / (1.0 - rho);
    // How much likelier one failure more is than this many.
    let ratio = |failed: i64| {
        let (failed, sound) = (failed as f64, (records - failed) as f64);
        sound / (failed + 1.0) * ((share + failed * alike) / (1.0 - share + (sound - 1.0) * alike))
    };
    let mut relative = 1.0;
    let mut or_more = 1.0;
    for more in failed..records {
        relative *= ratio(more);
        or_more += relative;
    }
    let mut relative = 1.0;
    let mut less = 0.0;
    for fewer in (0..failed).rev() {
        relative /= ratio(fewer);
        less += relative;
    }
    if less.is_infinite() { 0.0 } else { 1.0 / (1.0 + less / or_more) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The probability of exactly so many, by the definition: the coefficient times rising
    /// products.
    fn exactly(failed: i64, records: i64, share: f64, rho: f64) -> f64 {
        let alike = rho / (1.0 - rho);
        let sound = records - failed;
        let rising = |from: f64, steps: i64| -> f64 {
            (0..steps).map(|step| from + step as f64 * alike).product()
        };
        let coefficient: f64 =
            (0..failed).map(|at| (records - at) as f64 / (at + 1) as f64).product();
        coefficient * rising(share, failed) * rising(1.0 - share, sound) / rising(1.0, records)
    }

    fn summed(failed: i64, records: i64, share: f64, rho: f64) -> f64 {
        (failed.max(0)..=records).map(|each| exactly(each, records, share, rho)).sum()
    }

    proptest! {
        #[test]
        fn the_same_as_the_sum_of_the_definition(
            records in 0i64..60,
            failed in -1i64..61,
            share in prop_oneof![Just(0.0), Just(1.0), 0.0..=1.0],
            rho in prop_oneof![Just(0.0), Just(0.02), 0.0..0.9],
        ) {
            let tail = tail(failed, records, share, rho);
            let sum = summed(failed, records, share, rho);
            prop_assert!((tail - sum).abs() < 1e-9, "{tail} is not {sum}");
        }

        #[test]
        fn it_is_a_probability_however_large_the_numbers(
            records in 0i64..100_000,
            part in 0.0..=1.0,
            share in prop_oneof![Just(0.0), Just(1.0), Just(1e-12), 0.0..=1.0],
            rho in prop_oneof![Just(0.0), Just(1e-12), 0.0..0.999],
        ) {
            #[expect(clippy::cast_possible_truncation, reason = "below 100,000")]
            let failed = (records as f64 * part) as i64;
            let tail = tail(failed, records, share, rho);
            prop_assert!((0.0..=1.0).contains(&tail), "{tail}");
        }
    }

    fn ask(arguments: &str) -> Result<Option<f64>> {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        let sql = format!("SELECT beta_binomial_tail({arguments})");
        connection.query_row(&sql, [], |row| row.get(0))
    }

    #[test]
    fn known_values() {
        // Half of 10 coins or more; and three sixes of three dice.
        assert!((tail(5, 10, 0.5, 0.0) - 638.0 / 1024.0).abs() < 1e-12);
        assert!((tail(3, 3, 1.0 / 6.0, 0.0) - 1.0 / 216.0).abs() < 1e-12);
        // With a share of a half and rho of a third every number of failures is as likely.
        assert!((tail(8, 10, 0.5, 1.0 / 3.0) - 3.0 / 11.0).abs() < 1e-12);
        // What is surprising of records that fail by themselves is less so of bunches.
        assert!(tail(10, 50, 0.05, 0.0) < 1e-3 && tail(10, 50, 0.05, 0.02) > 1e-3);
        assert_eq!((tail(0, 0, 0.1, 0.02), tail(1, 0, 0.1, 0.02)), (1.0, 0.0));
    }

    #[test]
    fn what_is_no_number_of_records_or_share_is_refused() {
        assert_eq!(ask("NULL, 5, 0.1, 0.02").unwrap(), None);
        assert_eq!(ask("1, 5, NULL, 0.02").unwrap(), None);
        assert_eq!(ask("0, 10000000, 0.1, 0").unwrap(), Some(1.0));
        let (part, whole) =
            (ask("90000, 900000, 0.09, 0.02"), ask("9000000, 90000000, 0.09, 0.02"));
        let (part, whole) = (part.unwrap().unwrap(), whole.unwrap().unwrap());
        assert!((part - whole).abs() < 1e-3, "a part stands for all: {part}, {whole}");
        for (arguments, said) in [
            ("1, -1, 0.1, 0", "no less than 0"),
            ("1, 5, 1.5, 0", "share is from 0 to 1"),
            ("1, 5, 0.1, 1.0", "rho is less than 1"),
            ("1, 5, 0.1, -0.1", "rho is less than 1"),
        ] {
            let refused = ask(arguments).unwrap_err().to_string();
            assert!(refused.contains(said), "{arguments}: {refused}");
        }
    }
}
