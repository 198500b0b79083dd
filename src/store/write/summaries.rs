//! Counts of records by hour and durations by three, so that a report need not read the rows.
//!
//! They are kept in the transaction that changes the rows, at the same place as the digests: what
//! stood is taken away, what stands is added. So the two differ only where something else wrote,
//! and whoever sums the rows up again gets the same.

use super::day::{day_of, day_text};
use super::pruned;
use super::young::Young;
use crate::domain::{Timestamp, count_to_i64};
use crate::store::file::StoreError;
use crate::store::sql::Histogram;
use crate::store::sql::error::{self, bytes_of, bytes_of_error, has_failed};
use crate::store::sql::fold::shape_of;
use crate::store::sql::ids::FunctionId;
use crate::store::sql::record::{
    Columns, END, ERROR_CODE, ERROR_MESSAGE, START, STATUS, StoredRecord, for_each_record,
};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension};
use std::collections::HashMap;

/// The length of `YYYY-MM-DDTHH`.
const HOUR_LENGTH: usize = 13;

/// How many hours durations are summed up by.
const SPAN_HOURS: u8 = 3;

/// A UTC hour as it is written; none where a record has no readable start.
pub(super) type Hour = Option<[u8; HOUR_LENGTH]>;

/// The shape of a record without an error.
const NO_SHAPE: i64 = 0;

/// So many messages are remembered with their shapes, none of them longer than so many bytes: most
/// errors are short and repeated, and folding one takes longer than writing a record.
pub(super) const MOST_REMEMBERED: usize = 4_096;
pub(super) const LONGEST_REMEMBERED: usize = 1_024;

/// So much memory, in bytes, changes may take before they are saved: a batch whose errors have each
/// a shape of its own would take as much as its records otherwise.
const MOST_IN_HAND: usize = 8 << 20;

/// About how many bytes a count or a duration takes, or a shape beside its text.
const ENTRY: usize = 128;

/// An error code and the shape of a message, as they are stored.
type Shape = (Value, Value);

/// Where a record is counted: hour, function, status, and shape, the last two by their place in the
/// lists of [`Summaries`].
type CountKey = (Hour, FunctionId, usize, Option<usize>);

/// Where its duration is: function, status, and the first of three hours.
type DurationKey = (FunctionId, usize, Hour);

/// How many records there are, how many of them were young at first sight, and how many bytes their
/// values have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    records: i64,
    young: i64,
    bytes: i64,
}

/// Counts and durations, or what they change by.
#[derive(Debug, Default)]
pub(in crate::store) struct Summaries {
    statuses: Distinct,
    shapes: Distinct,
    /// The shapes themselves, in the order of `shapes`.
    told: Vec<Shape>,
    /// The shapes of codes and messages that were met lately.
    remembered: HashMap<Vec<u8>, usize>,
    counts: HashMap<CountKey, Count>,
    durations: HashMap<DurationKey, Histogram>,
    /// How many numbers those histograms hold.
    numbers: usize,
    /// How many bytes of memory the distinct texts take, about.
    texts: usize,
}

impl Summaries {
    /// Whether the changes in hand take so much memory that they should be saved.
    pub(in crate::store) fn is_full(&self) -> bool {
        (self.counts.len() + self.numbers) * ENTRY + self.texts > MOST_IN_HAND
    }

    /// A record that was added, and whether it was young at first sight.
    pub(in crate::store) fn add(
        &mut self,
        function: FunctionId,
        columns: &Columns<'_>,
        is_young: bool,
    ) -> Result<(), StoreError> {
        let count = Count { records: 1, young: i64::from(is_young), bytes: length_of(columns) };
        self.change(function, columns, count)
    }

    /// A record that is no longer there like this.
    pub(in crate::store) fn remove(
        &mut self,
        function: FunctionId,
        columns: &Columns<'_>,
        is_young: bool,
    ) -> Result<(), StoreError> {
        let count = Count { records: -1, young: -i64::from(is_young), bytes: -length_of(columns) };
        self.change(function, columns, count)
    }

    fn change(
        &mut self,
        function: FunctionId,
        columns: &Columns<'_>,
        by: Count,
    ) -> Result<(), StoreError> {
        let status = self.statuses.place(bytes_of(columns[STATUS]));
        let shape = self.shape(columns)?;
        let hour = hour_of(columns[START]);
        let count = self.counts.entry((hour, function, status, shape)).or_default();
        count.records += by.records;
        count.young += by.young;
        count.bytes += by.bytes;
        if let Some(seconds) = seconds_of(columns) {
            let histogram = self.durations.entry((function, status, span_of(hour))).or_default();
            self.numbers += usize::from(histogram.add(seconds, by.records));
        }
        Ok(())
    }

    /// The place of the record's shape, if it has failed.
    fn shape(&mut self, columns: &Columns<'_>) -> Result<Option<usize>, StoreError> {
        if !has_failed(columns[STATUS]) {
            return Ok(None);
        }
        let (code, message) = (columns[ERROR_CODE], columns[ERROR_MESSAGE]);
        let met = bytes_of_error(code, message);
        if let Some(&place) = self.remembered.get(&met) {
            return Ok(Some(place));
        }
        let shape = folded(message)?;
        let place = self.shapes.place(&bytes_of_error(code, (&shape).into()));
        if place == self.told.len() {
            let text = self.shapes.values[place].len();
            self.texts += ENTRY + 3 * text;
            self.told.push((owned(code), shape));
        }
        if met.len() <= LONGEST_REMEMBERED {
            if self.remembered.len() >= MOST_REMEMBERED {
                self.remembered.clear();
            }
            self.remembered.insert(met, place);
        }
        Ok(Some(place))
    }

    /// Adds these changes to what is kept, in the order of the keys.
    pub(in crate::store) fn save(&self, connection: &Connection) -> Result<(), StoreError> {
        let ids = self.shape_ids(connection)?;
        self.save_counts(connection, &ids)?;
        self.save_durations(connection)
    }

    fn save_counts(&self, connection: &Connection, ids: &[i64]) -> Result<(), StoreError> {
        let mut add = connection.prepare_cached(
            "INSERT INTO hourly_counts
                 (hour, function_id, status, shape_id, records, young_records, value_bytes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT DO UPDATE SET records = records + excluded.records,
                                           young_records = young_records + excluded.young_records,
                                           value_bytes = value_bytes + excluded.value_bytes",
        )?;
        let mut drop_empty = connection.prepare_cached(
            "DELETE FROM hourly_counts
              WHERE hour = ?1 AND function_id = ?2 AND status = ?3 AND shape_id = ?4
                AND records = 0",
        )?;
        for (&(hour, function, status, shape), by) in in_order(&self.counts) {
            let (hour, status) = (hour_text(hour), self.status(status));
            let shape = shape.map_or(NO_SHAPE, |place| ids[place]);
            add.execute((&hour, function, &status, shape, by.records, by.young, by.bytes))?;
            if by.records < 0 {
                drop_empty.execute((&hour, function, &status, shape))?;
            }
        }
        Ok(())
    }

    fn save_durations(&self, connection: &Connection) -> Result<(), StoreError> {
        let mut select = connection.prepare_cached(
            "SELECT durations FROM three_hour_durations
              WHERE function_id = ?1 AND status = ?2 AND three_hours = ?3",
        )?;
        let mut save = connection.prepare_cached(
            "INSERT INTO three_hour_durations
                 (function_id, status, three_hours, durations, longest_s)
             VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET durations = excluded.durations,
                                           longest_s = excluded.longest_s",
        )?;
        let mut drop_empty = connection.prepare_cached(
            "DELETE FROM three_hour_durations
              WHERE function_id = ?1 AND status = ?2 AND three_hours = ?3",
        )?;
        for ((function, status, span), changes) in in_order(&self.durations) {
            let (status, span) = (self.status(*status), hour_text(*span));
            let kept: Option<Histogram> =
                select.query_row((function, &status, &span), |row| row.get(0)).optional()?;
            let histogram = changes.plus(&kept.unwrap_or_default());
            match histogram.longest() {
                Some(longest) => save.execute((function, status, span, histogram, longest))?,
                None => drop_empty.execute((function, status, span))?,
            };
        }
        Ok(())
    }

    fn status(&self, place: usize) -> String {
        String::from_utf8_lossy(&self.statuses.values[place]).into_owned()
    }

    /// The stored number of each shape, in the order of their places.
    fn shape_ids(&self, connection: &Connection) -> Result<Vec<i64>, StoreError> {
        let mut select = connection
            .prepare_cached("SELECT id FROM error_shapes WHERE shape IS ?1 AND error_code IS ?2")?;
        let mut insert = connection
            .prepare_cached("INSERT INTO error_shapes (shape, error_code) VALUES (?1, ?2)")?;
        let id = |(code, shape): &Shape| -> Result<i64, StoreError> {
            let stored = select.query_row((shape, code), |row| row.get(0)).optional()?;
            Ok(stored.map_or_else(|| insert.insert((shape, code)), Ok)?)
        };
        self.told.iter().map(id).collect()
    }
}

/// Sums up again what is there, instead of what is kept. Of days that were pruned what is kept
/// stays: the records that it counts are gone.
pub(in crate::store) fn sum_up_again(connection: &Connection) -> Result<(), StoreError> {
    connection.execute_batch(
        "DELETE FROM hourly_counts
          WHERE NOT EXISTS (SELECT 1 FROM pruned_days p
                             WHERE p.function_id = hourly_counts.function_id
                               AND p.day = substr(hour, 1, 10));
         DELETE FROM three_hour_durations
          WHERE NOT EXISTS (SELECT 1 FROM pruned_days p
                             WHERE p.function_id = three_hour_durations.function_id
                               AND p.day = substr(three_hours, 1, 10));
         DELETE FROM error_shapes WHERE id NOT IN (SELECT shape_id FROM hourly_counts);",
    )?;
    hash_again(connection)?;
    let pruned = pruned::load_days(connection)?;
    let (mut summaries, mut young) = (Summaries::default(), Young::new(connection));
    for_each_record(connection, |StoredRecord { function, columns, first_run, .. }| {
        let (function, start) = (*function, columns[START]);
        if !pruned.is_empty() && pruned.contains(&(function, day_text(day_of(start)))) {
            return Ok(());
        }
        summaries.add(function, columns, young.holds(*first_run, start)?)?;
        if summaries.is_full() {
            std::mem::take(&mut summaries).save(connection)?;
        }
        Ok::<_, StoreError>(())
    })?;
    summaries.save(connection)
}

/// Notes the hash of each error as it is, where another one is noted.
fn hash_again(connection: &Connection) -> Result<(), StoreError> {
    error::register(connection)?;
    connection.execute_batch(
        "UPDATE invocations SET error_hash = hash_of_error(status, error_code, error_message)
          WHERE error_hash IS NOT hash_of_error(status, error_code, error_message);",
    )?;
    Ok(())
}

/// Changes of keys that change at all, in the order of the keys.
fn in_order<K: Ord, V: Default + PartialEq>(changes: &HashMap<K, V>) -> Vec<(&K, &V)> {
    let unchanged = V::default();
    let mut entries: Vec<(&K, &V)> = changes.iter().filter(|(_, by)| **by != unchanged).collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    entries
}

/// Values by the order in which they were met first.
#[derive(Debug, Default)]
struct Distinct {
    places: HashMap<Vec<u8>, usize>,
    values: Vec<Vec<u8>>,
}

impl Distinct {
    fn place(&mut self, value: &[u8]) -> usize {
        if let Some(&place) = self.places.get(value) {
            return place;
        }
        let place = self.values.len();
        self.values.push(value.to_owned());
        self.places.insert(value.to_owned(), place);
        place
    }
}

/// The shape of a message; what is no text stays.
pub(super) fn folded(message: ValueRef<'_>) -> Result<Value, StoreError> {
    match message {
        ValueRef::Text(text) => Ok(Value::Text(shape_of(text)?)),
        other => Ok(owned(other)),
    }
}

/// A column to be stored again; of a damaged text, what can be read.
fn owned(column: ValueRef<'_>) -> Value {
    match column {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_owned()),
    }
}

pub(super) fn hour_of(start: ValueRef<'_>) -> Hour {
    day_of(start).and_then(|_| bytes_of(start).first_chunk().copied())
}

/// The first of the three hours that an hour belongs to.
pub(super) fn span_of(hour: Hour) -> Hour {
    let mut hour = hour?;
    let [.., tens, ones] = &mut hour;
    let number = 10 * (*tens - b'0') + (*ones - b'0');
    let first = number - number % SPAN_HOURS;
    (*tens, *ones) = (b'0' + first / 10, b'0' + first % 10);
    Some(hour)
}

pub(super) fn hour_text(hour: Hour) -> String {
    hour.map_or_else(String::new, |hour| format!("{}:00:00Z", String::from_utf8_lossy(&hour)))
}

/// From start to end, where both can be read; the service tells whole seconds.
pub(super) fn seconds_of(columns: &Columns<'_>) -> Option<i64> {
    let time = |column: ValueRef<'_>| -> Option<Timestamp> {
        let ValueRef::Text(text) = column else { return None };
        (text.len() == Timestamp::TEXT_LENGTH)
            .then(|| str::from_utf8(text).ok()?.parse().ok())
            .flatten()
    };
    Some(time(columns[END])?.seconds_since(time(columns[START])?))
}

/// How many bytes the values have, as `octet_length` tells it: numbers by their digits.
pub(super) fn length_of(columns: &Columns<'_>) -> i64 {
    let length = |column: &ValueRef<'_>| match column {
        ValueRef::Null => 0,
        ValueRef::Integer(number) => number.to_string().len(),
        ValueRef::Real(number) => number.to_string().len(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
    };
    count_to_i64(columns.iter().map(length).sum::<usize>() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Fixture;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    fn text(text: &str) -> ValueRef<'_> {
        ValueRef::Text(text.as_bytes())
    }

    /// `status code message start end`, with nothing for `-`.
    fn columns(line: &str) -> Columns<'_> {
        let field = |at: usize| match line.split('|').nth(at).map(str::trim) {
            None | Some("-") => ValueRef::Null,
            Some(field) => field.parse().map_or_else(|_| text(field), ValueRef::Integer),
        };
        [text("id"), field(0), field(1), field(2), field(3), field(4), ValueRef::Null]
    }

    /// Those of the second half of an hour are young here.
    fn is_young(line: &str) -> bool {
        line.contains("T10:30:00Z")
    }

    fn all(archive: &Fixture, sql: &str) -> Vec<String> {
        let mut select = archive.connection.prepare(sql).unwrap();
        let line = |row: &rusqlite::Row<'_>| row.get(0);
        select.query_map([], line).unwrap().map(Result::unwrap).collect()
    }

    fn kept(archive: &Fixture) -> (Vec<String>, Vec<String>) {
        let counts = all(
            archive,
            "SELECT concat_ws(' ', function_id, hour, status, records, young_records, value_bytes,
                              error_code, shape)
               FROM hourly_counts LEFT JOIN error_shapes ON id = shape_id ORDER BY 1",
        );
        let durations = all(
            archive,
            "SELECT concat_ws(' ', function_id, three_hours, status, durations, longest_s)
               FROM three_hour_durations ORDER BY 1",
        );
        (counts, durations)
    }

    #[test]
    fn records_are_counted_by_hour_status_and_shape_and_measured_by_three_hours() {
        let (archive, mut summaries) = (Fixture::new(), Summaries::default());
        for line in [
            "SUCCESS | - | - | 2026-03-01T10:00:00Z | 2026-03-01T10:00:07Z",
            "SUCCESS | - | - | 2026-03-01T10:59:59Z | 2026-03-01T11:00:06Z",
            "SUCCESS | - | - | 2026-03-01T11:00:00Z | -",
            "FAIL | 4 | job 17 failed | 2026-03-01T10:00:00Z | 2026-03-01T09:59:58Z",
            "FAIL | 4 | job 18 failed | 2026-03-01T10:30:00Z | yesterday",
            "FAIL | x | job 19 failed | 2026-03-01T10:30:00Z | -",
            "RUNNING | 4 | job 20 runs | noon | 2026-03-01T10:00:00Z",
            "DISCARD | - | - | - | -",
        ] {
            summaries.add(FunctionId(1), &columns(line), is_young(line)).unwrap();
        }
        summaries.save(&archive.connection).unwrap();
        let (counts, durations) = kept(&archive);
        assert_eq!(
            counts,
            [
                "1  DISCARD 1 0 9",
                "1  RUNNING 1 0 45",
                "1 2026-03-01T10:00:00Z FAIL 1 1 40 x job <number> failed",
                "1 2026-03-01T10:00:00Z FAIL 2 1 109 4 job <number> failed",
                "1 2026-03-01T10:00:00Z SUCCESS 2 0 98",
                "1 2026-03-01T11:00:00Z SUCCESS 1 0 29",
            ]
        );
        assert_eq!(
            durations,
            [
                "1 2026-03-01T09:00:00Z FAIL {\"-2\":1} -2",
                "1 2026-03-01T09:00:00Z SUCCESS {\"7\":2} 7"
            ]
        );
    }

    /// A batch may hold as many shapes as records: they are saved before they take as much memory.
    #[test]
    fn what_takes_much_memory_asks_to_be_saved() {
        let mut few = Summaries::default();
        let mut many = Summaries::default();
        for number in 0..30_000 {
            let message = (0..24).map(|bit| if number >> bit & 1 == 1 { " yes" } else { " no" });
            let message = message.collect::<String>();
            let record = |message: &str| format!("FAIL | 4 | {message} | - | -");
            few.add(FunctionId(1), &columns(&record("no order")), false).unwrap();
            many.add(FunctionId(1), &columns(&record(&message)), false).unwrap();
        }
        assert!(!few.is_full() && many.is_full());
        assert!(many.remembered.len() <= MOST_REMEMBERED);
    }

    proptest! {
        /// However records come, change and go, in whatever batches: what is kept is what is left.
        #[test]
        fn what_is_kept_is_what_is_left(
            steps in prop::collection::vec((0usize..6, any::<bool>(), any::<bool>()), 1..40),
        ) {
            let kinds = [
                "SUCCESS | - | - | 2026-03-01T10:00:00Z | 2026-03-01T10:00:07Z",
                "RUNNING | - | - | 2026-03-01T10:00:00Z | -",
                "FAIL | 4 | job 17 failed | 2026-03-01T10:00:00Z | 2026-03-01T10:00:07Z",
                "FAIL | 4 | - | 2026-03-01T23:00:00Z | 2026-03-02T01:00:00Z",
                "DISCARD | a | no room | - | -",
                "FAIL | 4 | job 3 failed | 2026-03-01T10:00:00Z | 2026-03-01T10:00:09Z",
            ];
            let (archive, other) = (Fixture::new(), Fixture::new());
            let (mut batch, mut left) = (Summaries::default(), [0usize; 6]);
            for (kind, adds, is_saved) in steps {
                if adds {
                    batch.add(FunctionId(2), &columns(kinds[kind]), kind % 2 == 0).unwrap();
                    left[kind] += 1;
                } else if left[kind] > 0 {
                    batch.remove(FunctionId(2), &columns(kinds[kind]), kind % 2 == 0).unwrap();
                    left[kind] -= 1;
                }
                if is_saved {
                    std::mem::take(&mut batch).save(&archive.connection).unwrap();
                }
            }
            batch.save(&archive.connection).unwrap();
            let mut at_once = Summaries::default();
            for (kind, records) in left.into_iter().enumerate() {
                for _ in 0..records {
                    at_once.add(FunctionId(2), &columns(kinds[kind]), kind % 2 == 0).unwrap();
                }
            }
            at_once.save(&other.connection).unwrap();
            prop_assert_eq!(kept(&archive), kept(&other));
        }
    }
}
