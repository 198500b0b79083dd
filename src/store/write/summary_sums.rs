//! The summaries, held against the records, in memory that depends on functions and days alone.
//!
//! Every record adds the hash of what it is counted as; a row of a summary stands for as many times
//! its own. By function and day the two sums must be equal, as the sums of digests must.

use super::day::{day_of, day_text};
use super::digest::load_name;
use super::pruned;
use super::sum::SummarySum;
use super::summaries::{
    LONGEST_REMEMBERED, MOST_REMEMBERED, folded, hour_of, hour_text, length_of, seconds_of, span_of,
};
use super::young::Young;
use crate::store::file::StoreError;
use crate::store::sql::Histogram;
use crate::store::sql::error::{bytes_of, bytes_of_error, has_failed};
use crate::store::sql::ids::FunctionId;
use crate::store::sql::record::{
    Columns, ERROR_CODE, ERROR_MESSAGE, START, STATUS, StoredRecord, for_each_record,
};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use std::collections::{BTreeMap, HashMap};
use twox_hash::XxHash3_64;

/// Sums by function and day of the start, which is empty where it cannot be read.
#[derive(Debug, Default)]
pub(in crate::store) struct SummarySums {
    days: BTreeMap<(FunctionId, String), SummarySum>,
    /// Errors that were met lately, folded.
    remembered: HashMap<Vec<u8>, Vec<u8>>,
}

impl SummarySums {
    /// A record that is there, and whether it was young at first sight.
    pub(in crate::store) fn add(
        &mut self,
        function: FunctionId,
        columns: &Columns<'_>,
        is_young: bool,
    ) -> Result<(), StoreError> {
        let (status, start) = (columns[STATUS], columns[START]);
        let error = has_failed(status).then(|| self.error(columns)).transpose()?;
        let hour = hour_of(start);
        let hour_bytes = hour.as_ref().map_or(&[][..], |hour| &hour[..]);
        let sum = self.days.entry((function, day_text(day_of(start)))).or_default();
        let hash = hash_of_count(hour_bytes, bytes_of(status), error);
        let young = if is_young { hash_of_young(hash) } else { 0 };
        sum.counts = sum.counts.wrapping_add(hash).wrapping_add(young);
        let length = length_of(columns).cast_unsigned();
        sum.bytes = sum.bytes.wrapping_add(hash.wrapping_mul(length));
        if let Some(seconds) = seconds_of(columns) {
            let span = hour_text(span_of(hour));
            let hash = hash_of_duration(span.as_bytes(), bytes_of(status), seconds);
            sum.durations = sum.durations.wrapping_add(hash);
        }
        Ok(())
    }

    fn error(&mut self, columns: &Columns<'_>) -> Result<Vec<u8>, StoreError> {
        let met = bytes_of_error(columns[ERROR_CODE], columns[ERROR_MESSAGE]);
        if let Some(error) = self.remembered.get(&met) {
            return Ok(error.clone());
        }
        let shape = folded(columns[ERROR_MESSAGE])?;
        let error = bytes_of_error(columns[ERROR_CODE], (&shape).into());
        if met.len() <= LONGEST_REMEMBERED {
            if self.remembered.len() >= MOST_REMEMBERED {
                self.remembered.clear();
            }
            self.remembered.insert(met, error.clone());
        }
        Ok(error)
    }

    /// The sum of a function's day, which is empty where the start cannot be read.
    pub(in crate::store) fn of(&self, function: FunctionId, day: &str) -> SummarySum {
        self.days.get(&(function, day.to_owned())).copied().unwrap_or_default()
    }

    /// Every function's day of which the summaries are not those of these records, and by how much
    /// the sum of the records is more. What was pruned counts as if it were there.
    fn differences(
        mut self,
        connection: &Connection,
    ) -> Result<BTreeMap<(FunctionId, String), SummarySum>, StoreError> {
        for (function, day, removed) in pruned::load_removed(connection)? {
            let sum = self.days.entry((function, day)).or_default();
            *sum = sum.plus(removed.summaries);
        }
        self.take_away_counts(connection)?;
        self.take_away_durations(connection)?;
        self.days.retain(|_, sum| *sum != SummarySum::default());
        Ok(self.days)
    }

    /// Every function's day of which the summaries are not those of these records.
    pub(in crate::store) fn compare(
        self,
        connection: &Connection,
    ) -> Result<Vec<String>, StoreError> {
        self.differences(connection)?
            .into_iter()
            .map(|((function, day), _)| {
                let name = load_name(connection, function)?;
                let day = if day.is_empty() { "without a start" } else { &day };
                Ok(format!("{name} {day}"))
            })
            .collect()
    }

    fn take_away_counts(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let mut select = connection.prepare(
            "SELECT hour, function_id, status, records, shape_id, error_code, shape, value_bytes,
                    young_records
               FROM hourly_counts
               LEFT JOIN error_shapes ON error_shapes.id = shape_id",
        )?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let hour = bytes_of(row.get_ref(0)?);
            let hour = hour.strip_suffix(b":00:00Z").unwrap_or(hour);
            let error = if row.get::<_, i64>(4)? == 0 {
                None
            } else {
                Some(bytes_of_error(row.get_ref(5)?, row.get_ref(6)?))
            };
            let hash = hash_of_count(hour, bytes_of(row.get_ref(2)?), error);
            let day = hour.get(..10).unwrap_or(hour);
            let sum = self.sum_of(row.get(1)?, day);
            let young = times(hash_of_young(hash), row.get_ref(8)?);
            sum.counts = sum.counts.wrapping_sub(times(hash, row.get_ref(3)?)).wrapping_sub(young);
            sum.bytes = sum.bytes.wrapping_sub(times(hash, row.get_ref(7)?));
        }
        Ok(())
    }

    fn take_away_durations(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let mut select = connection.prepare(
            "SELECT three_hours, function_id, status, durations, longest_s
               FROM three_hour_durations",
        )?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let span = bytes_of(row.get_ref(0)?);
            let sum = self.sum_of(row.get(1)?, span.get(..10).unwrap_or(span));
            let histogram: Histogram = row.get(3).unwrap_or_default();
            // A greatest number that is wrong counts as one more of it.
            let longest = histogram.longest() != row.get(4)?;
            let told = histogram.entries().chain(longest.then_some((i64::MAX, 1)));
            for (seconds, records) in told {
                let hash = hash_of_duration(span, bytes_of(row.get_ref(2)?), seconds);
                let records = hash.wrapping_mul(records.cast_unsigned());
                sum.durations = sum.durations.wrapping_sub(records);
            }
        }
        Ok(())
    }

    fn sum_of(&mut self, function: FunctionId, day: &[u8]) -> &mut SummarySum {
        self.days.entry((function, String::from_utf8_lossy(day).into_owned())).or_default()
    }
}

/// Takes the summaries of pruned days for right, where they are not those of the records that are
/// there and were there: nobody can sum these up again.
pub(in crate::store) fn accept_pruned(connection: &Connection) -> Result<(), StoreError> {
    let pruned = pruned::load_removed(connection)?;
    if pruned.is_empty() {
        return Ok(());
    }
    let (mut sums, mut young) = (SummarySums::default(), Young::new(connection));
    for_each_record(connection, |StoredRecord { function, columns, first_run, .. }| {
        sums.add(*function, columns, young.holds(*first_run, columns[START])?)
    })?;
    let differences = sums.differences(connection)?;
    for (function, day, mut removed) in pruned {
        let key = (function, day);
        if let Some(difference) = differences.get(&key) {
            removed.summaries = removed.summaries.minus(*difference);
            pruned::save_summaries(connection, function, &key.1, removed.summaries)?;
        }
    }
    Ok(())
}

fn hash_of_count(hour: &[u8], status: &[u8], error: Option<Vec<u8>>) -> u64 {
    let mut bytes = Vec::with_capacity(128);
    bytes.extend(hour);
    bytes.push(0);
    bytes.extend((status.len() as u64).to_le_bytes());
    bytes.extend(status);
    bytes.push(u8::from(error.is_some()));
    bytes.extend(error.unwrap_or_default());
    XxHash3_64::oneshot(&bytes)
}

/// What a record that was young at first sight adds to the hash of what it is counted as.
fn hash_of_young(hash: u64) -> u64 {
    XxHash3_64::oneshot(&hash.to_le_bytes())
}

fn hash_of_duration(span: &[u8], status: &[u8], seconds: i64) -> u64 {
    let mut bytes = seconds.to_le_bytes().to_vec();
    bytes.extend(span);
    bytes.extend(status);
    XxHash3_64::oneshot(&bytes)
}

/// The sum of so many equal hashes.
fn times(hash: u64, number: ValueRef<'_>) -> u64 {
    hash.wrapping_mul(number.as_i64().unwrap_or_default().cast_unsigned())
}
