//! Digests of the records of each function and day, by which an edit or a flipped bit is found that
//! leaves the file sound.
//!
//! A digest is the sum of a hash of every record: it does not depend on their order, and a change
//! takes the old hash away and adds the new one (multiset hash by addition; Clarke et al.,
//! "Incremental Multiset Hash Functions", 2003). It is kept up in the transaction that writes the
//! rows, so the two differ only where something else wrote. The hash is XXH3-64, whose form is
//! frozen since version 0.8: it finds accidents and edits, not an attacker who also corrects the
//! sum.

use super::day::{Day, day_of, day_text};
use super::pruned;
use super::sum::Sum;
use crate::store::file::{Reader, StoreError};
use crate::store::sql::ids::FunctionId;
use crate::store::sql::record::{Columns, START, for_each_record};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Transaction};
use std::collections::{BTreeMap, HashMap};
use twox_hash::XxHash3_64;

/// Sums by function and day, or what they change by.
#[derive(Debug, Default)]
pub(in crate::store) struct Sums {
    by_day: HashMap<(FunctionId, Day), Sum>,
    /// The record in hand as bytes, kept for its room.
    bytes: Vec<u8>,
}

impl Sums {
    /// A record that was added.
    pub(in crate::store) fn add(&mut self, function: FunctionId, columns: &Columns<'_>) {
        let digest = self.hash(columns);
        let sum = self.by_day.entry((function, day_of(columns[START]))).or_default();
        *sum = sum.plus(Sum { records: 1, digest });
    }

    /// A record that is no longer there like this.
    pub(in crate::store) fn remove(&mut self, function: FunctionId, columns: &Columns<'_>) {
        let digest = self.hash(columns).wrapping_neg();
        let sum = self.by_day.entry((function, day_of(columns[START]))).or_default();
        *sum = sum.plus(Sum { records: -1, digest });
    }

    /// The sum of a function's day, which is empty where the start cannot be read.
    pub(in crate::store) fn of(&self, function: FunctionId, day: &str) -> Sum {
        let day = day.as_bytes().try_into().ok();
        self.by_day.get(&(function, day)).copied().unwrap_or_default()
    }

    /// Each column by its type, its length and its bytes: no two records look the same.
    fn hash(&mut self, columns: &Columns<'_>) -> u64 {
        self.bytes.clear();
        for column in columns {
            match column {
                ValueRef::Null => self.bytes.push(0),
                ValueRef::Integer(number) => self.append(1, &number.to_le_bytes()),
                ValueRef::Real(number) => self.append(2, &number.to_bits().to_le_bytes()),
                ValueRef::Text(text) => self.append(3, text),
                ValueRef::Blob(bytes) => self.append(4, bytes),
            }
        }
        XxHash3_64::oneshot(&self.bytes)
    }

    fn append(&mut self, kind: u8, bytes: &[u8]) {
        self.bytes.push(kind);
        self.bytes.extend((bytes.len() as u64).to_le_bytes());
        self.bytes.extend(bytes);
    }

    /// Adds these changes to what is kept. In Rust, since a sum that wraps would become a float in
    /// SQL.
    pub(in crate::store) fn save(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let mut select = transaction.prepare_cached(
            "SELECT records, digest FROM digests WHERE function_id = ?1 AND day = ?2",
        )?;
        for ((function, day), change) in &self.by_day {
            let day = day_text(*day);
            let kept = select.query_row((function, &day), read_sum).optional()?.unwrap_or_default();
            replace(transaction, *function, &day, kept.plus(*change))?;
        }
        Ok(())
    }
}

fn read_sum(row: &rusqlite::Row<'_>) -> rusqlite::Result<Sum> {
    let digest = row.get::<_, i64>(1)?.cast_unsigned();
    Ok(Sum { records: row.get(0)?, digest })
}

fn replace(
    connection: &Connection,
    function: FunctionId,
    day: &str,
    sum: Sum,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO digests (function_id, day, records, digest)
                             VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute((function, day, sum.records, sum.digest.cast_signed()))?;
    Ok(())
}

/// A function's day whose records are not those that were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tampered {
    /// The function's row.
    function: FunctionId,
    /// Its name, `package:name`, where it has one.
    pub name: String,
    /// The UTC day, empty for records without a readable start.
    pub day: String,
    /// How many records were written.
    pub written: i64,
    /// How many there are.
    pub found: i64,
    digest: u64,
}

impl std::fmt::Display for Tampered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, day, written, found, .. } = self;
        let day = if day.is_empty() { "without a start" } else { day };
        if written == found {
            write!(f, "{name} {day}: {found} records, not all of them as they were written")
        } else {
            write!(f, "{name} {day}: {found} records, {written} were written")
        }
    }
}

/// Every function's day whose records are not those that were written, of which `found` are the
/// sums. What was pruned counts as if it were there.
pub(in crate::store) fn compare(
    connection: &Connection,
    found: &Sums,
) -> Result<Vec<Tampered>, StoreError> {
    let mut days: BTreeMap<(FunctionId, String), (Sum, Sum)> = BTreeMap::new();
    for ((function, day), found) in &found.by_day {
        days.entry((*function, day_text(*day))).or_default().1 = *found;
    }
    for (function, day, removed) in pruned::load_removed(connection)? {
        let found = &mut days.entry((function, day)).or_default().1;
        *found = found.plus(removed.sum);
    }
    let mut kept = connection.prepare("SELECT records, digest, function_id, day FROM digests")?;
    let mut rows = kept.query([])?;
    while let Some(row) = rows.next()? {
        // A damaged day is that of no record, and so found with those that are missing.
        let day =
            String::from_utf8_lossy(row.get_ref(3)?.as_bytes().unwrap_or_default()).into_owned();
        days.entry((row.get(2)?, day)).or_default().0 = read_sum(row)?;
    }
    let mut tampered = Vec::new();
    for ((function, day), (written, found)) in days {
        if written != found {
            let name = load_name(connection, function)?;
            let (written, Sum { records: found, digest }) = (written.records, found);
            tampered.push(Tampered { function, name, day, written, found, digest });
        }
    }
    Ok(tampered)
}

/// Every function's day whose records are not those that were written. Reads all records.
pub(in crate::store) fn load_tampered(
    connection: &Connection,
) -> Result<Vec<Tampered>, StoreError> {
    let mut sums = Sums::default();
    for_each_record(connection, |record| {
        sums.add(record.function, &record.columns);
        Ok::<_, StoreError>(())
    })?;
    compare(connection, &sums)
}

pub(super) fn load_name(
    connection: &Connection,
    function: FunctionId,
) -> Result<String, StoreError> {
    let select = "SELECT CAST(full_name AS BLOB) FROM functions WHERE id = ?1";
    let name: Option<Vec<u8>> =
        connection.query_row(select, [function], |row| row.get(0)).optional()?;
    let name = name.map(|name| String::from_utf8_lossy(&name).into_owned());
    Ok(name.unwrap_or_else(|| format!("function {}", function.0)))
}

/// Notes the records of these days as they are.
pub(in crate::store) fn accept(
    connection: &Connection,
    days: &[Tampered],
) -> Result<(), StoreError> {
    days.iter().try_for_each(|day| {
        let sum = Sum { records: day.found, digest: day.digest };
        replace(connection, day.function, &day.day, sum)
    })
}

impl Reader {
    /// Every function's day whose records are not those that were written. Reads all records.
    pub fn load_tampered(&self) -> Result<Vec<Tampered>, StoreError> {
        load_tampered(&self.connection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(text: &str) -> ValueRef<'_> {
        ValueRef::Text(text.as_bytes())
    }

    fn columns<'a>(
        id: &'a str,
        status: &'a str,
        code: ValueRef<'a>,
        start: ValueRef<'a>,
    ) -> Columns<'a> {
        [text(id), text(status), code, ValueRef::Null, start, ValueRef::Null, ValueRef::Null]
    }

    fn hash(columns: &Columns<'_>) -> u64 {
        Sums::default().hash(columns)
    }

    #[test]
    fn every_column_and_its_type_counts() {
        let start = text("2026-03-01T10:00:00Z");
        let record = columns("a", "FAIL", ValueRef::Integer(1), start);
        let others = [
            columns("b", "FAIL", ValueRef::Integer(1), start),
            columns("a", "WAIT", ValueRef::Integer(1), start),
            columns("a", "FAIL", text("1"), start),
            columns("a", "FAIL", ValueRef::Null, start),
            columns("a", "FAIL", ValueRef::Integer(1), text("2026-03-01T10:00:01Z")),
            columns("aF", "AIL", ValueRef::Integer(1), start),
        ];
        for other in others {
            assert_ne!(hash(&record), hash(&other), "{other:?}");
        }
        let moved = [
            text("a"),
            text("FAIL"),
            ValueRef::Null,
            ValueRef::Integer(1),
            start,
            ValueRef::Null,
            ValueRef::Null,
        ];
        assert_ne!(hash(&record), hash(&moved));
    }

    /// What is stored in archives must mean the same for ever: the reference implementation (xxhash
    /// 0.8) says so, of the bytes that stand in the comment of [`Sums::hash`].
    #[test]
    fn the_hash_is_the_frozen_one() {
        assert_eq!(XxHash3_64::oneshot(b""), 0x2d06_8005_38d3_94c2);
        assert_eq!(XxHash3_64::oneshot(b"a"), 0xe6c6_32b6_1e96_4e1f);
        assert_eq!(XxHash3_64::oneshot(b"abc"), 0x78af_5f94_892f_3950);
    }

    proptest! {
        /// Whatever is added and taken away again in whatever order, the sum is that of what is
        /// left.
        #[test]
        fn a_sum_is_that_of_what_is_left(
            adds in prop::collection::vec(("[a-d]{1,3}", 0i64..4), 0..20),
            order in any::<u64>(),
        ) {
            let day = text("2026-03-01T10:00:00Z");
            let record = |(id, code): &'_ (String, i64)| (id.clone(), *code);
            let (mut all, mut left) = (Sums::default(), Sums::default());
            let mut shuffled: Vec<_> = adds.iter().map(record).collect();
            fastrand::Rng::with_seed(order).shuffle(&mut shuffled);
            for (id, code) in &shuffled {
                all.add(FunctionId(1), &columns(id, "WAIT", ValueRef::Integer(*code), day));
            }
            for (at, (id, code)) in adds.iter().enumerate() {
                let columns = columns(id, "WAIT", ValueRef::Integer(*code), day);
                if at % 3 == 0 {
                    all.remove(FunctionId(1), &columns);
                } else {
                    left.add(FunctionId(1), &columns);
                }
            }
            let of = |sums: &Sums| sums.by_day.values().copied().next().unwrap_or_default();
            prop_assert_eq!(of(&all), of(&left));
        }
    }
}
