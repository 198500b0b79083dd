//! Days whose records were removed on purpose, and what they summed up to.

use super::sum::{Sum, SummarySum};
use crate::domain::{Interval, IntervalSet, RequestId, Timestamp};
use crate::plan::reach::ReachProbe;
use crate::store::file::{Archive, StoreError};
use crate::store::sql::ids::FunctionId;
use crate::store::sql::read_range;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};
use std::collections::{HashMap, HashSet};

/// What was removed of a function's day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Removed {
    /// The records, as the digests count them.
    pub(in crate::store) sum: Sum,
    /// The hashes of what they are counted as in `hourly_counts` and `three_hour_durations`.
    pub(in crate::store) summaries: SummarySum,
    /// Rows of their history.
    pub(in crate::store) status_changes: u64,
    pub(in crate::store) amendments: u64,
}

impl Removed {
    fn plus(self, other: Self) -> Self {
        Self {
            sum: self.sum.plus(other.sum),
            summaries: self.summaries.plus(other.summaries),
            status_changes: self.status_changes + other.status_changes,
            amendments: self.amendments + other.amendments,
        }
    }
}

/// A function's day of which something was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct PrunedDay {
    pub(in crate::store) function: FunctionId,
    /// `YYYY-MM-DD`.
    pub(in crate::store) day: String,
    /// What of the day.
    pub(in crate::store) range: Interval,
    pub(in crate::store) pruned_at: Timestamp,
    pub(in crate::store) removed: Removed,
    /// The last of them by which a run may ask how far back the service reaches.
    pub(in crate::store) last: Option<ReachProbe>,
}

/// What was removed, first of all the columns that [`read_removed`] reads.
macro_rules! select {
    ($more:literal) => {
        concat!(
            "SELECT records, digest, count_digest, bytes_digest, duration_digest,
                 status_changes, amendments, function_id, day",
            $more,
            " FROM pruned_days"
        )
    };
}

/// What was removed of every such day. Its times are not read: where one is damaged, the sums are
/// those of the records all the same.
pub(in crate::store) fn load_removed(
    connection: &Connection,
) -> Result<Vec<(FunctionId, String, Removed)>, StoreError> {
    let mut select = connection.prepare(select!(""))?;
    let rows = select.query_map([], |row| Ok((row.get(7)?, row.get(8)?, read_removed(row)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read_removed(row: &Row<'_>) -> rusqlite::Result<Removed> {
    let bits = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
    Ok(Removed {
        sum: Sum { records: row.get(0)?, digest: bits(1)? },
        summaries: SummarySum { counts: bits(2)?, bytes: bits(3)?, durations: bits(4)? },
        status_changes: bits(5)?,
        amendments: bits(6)?,
    })
}

/// What is noted of a function's day.
fn load(
    connection: &Connection,
    function: FunctionId,
    day: &str,
) -> Result<Option<PrunedDay>, StoreError> {
    const SELECT: &str = concat!(
        select!(", begin_time, end_time, pruned_at, last_id, last_start_time, last_end_time"),
        " WHERE function_id = ?1 AND day = ?2"
    );
    let mut select = connection.prepare_cached(SELECT)?;
    let stored = select.query_row((function, day), |row| {
        let (range, removed) = (read_range(row, 9)?, read_removed(row)?);
        let day = day.to_owned();
        let id: Option<RequestId> = row.get(12)?;
        let last = id
            .map(|request_id| {
                Ok::<_, rusqlite::Error>(ReachProbe {
                    request_id,
                    started_at: row.get(13)?,
                    ended_at: row.get(14)?,
                })
            })
            .transpose()?;
        Ok(PrunedDay { function, day, range, pruned_at: row.get(11)?, removed, last })
    });
    Ok(stored.optional()?)
}

/// Notes that so much more was removed of a day.
pub(in crate::store) fn add(
    transaction: &Transaction<'_>,
    more: &PrunedDay,
) -> Result<(), StoreError> {
    let mut day = more.clone();
    if let Some(stored) = load(transaction, more.function, &more.day)? {
        day.removed = stored.removed.plus(more.removed);
        day.last = later(stored.last, day.last);
        let begin = stored.range.begin().min(more.range.begin());
        let end = stored.range.end().max(more.range.end());
        day.range = Interval::new(begin, end).unwrap_or(more.range);
    }
    save(transaction, &day)
}

/// The one that began later.
pub(in crate::store) fn later(
    one: Option<ReachProbe>,
    other: Option<ReachProbe>,
) -> Option<ReachProbe> {
    one.into_iter().chain(other).max_by_key(|probe| probe.started_at)
}

/// Notes other sums of what the removed records of a day are counted as.
pub(in crate::store) fn save_summaries(
    connection: &Connection,
    function: FunctionId,
    day: &str,
    summaries: SummarySum,
) -> Result<(), StoreError> {
    let update = "UPDATE pruned_days
                     SET count_digest = ?3, bytes_digest = ?4, duration_digest = ?5
                   WHERE function_id = ?1 AND day = ?2";
    let [counts, bytes, durations] =
        [summaries.counts, summaries.bytes, summaries.durations].map(u64::cast_signed);
    connection.prepare_cached(update)?.execute((function, day, counts, bytes, durations))?;
    Ok(())
}

/// Writes a day in the place of what was noted of it.
fn save(connection: &Connection, day: &PrunedDay) -> Result<(), StoreError> {
    let Removed { sum, summaries, status_changes, amendments } = day.removed;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO pruned_days
                 (function_id, day, begin_time, end_time, pruned_at, records, digest, count_digest,
                  bytes_digest, duration_digest, status_changes, amendments, last_id,
                  last_start_time, last_end_time)
             VALUES (:function, :day, :begin, :end, :pruned_at, :records, :digest, :counts, :bytes,
                 :durations, :status_changes, :amendments, :last_id, :last_start, :last_end)",
        )?
        .execute(named_params! {
            ":function": day.function,
            ":day": day.day,
            ":begin": day.range.begin(),
            ":end": day.range.end(),
            ":pruned_at": day.pruned_at,
            ":records": sum.records,
            ":digest": sum.digest.cast_signed(),
            ":counts": summaries.counts.cast_signed(),
            ":bytes": summaries.bytes.cast_signed(),
            ":durations": summaries.durations.cast_signed(),
            ":status_changes": status_changes.cast_signed(),
            ":amendments": amendments.cast_signed(),
            ":last_id": day.last.as_ref().map(|last| &last.request_id),
            ":last_start": day.last.as_ref().map(|last| last.started_at),
            ":last_end": day.last.as_ref().map(|last| last.ended_at),
        })?;
    Ok(())
}

/// The days, by function, whose summaries cannot be made again from the records.
pub(in crate::store) fn load_days(
    connection: &Connection,
) -> Result<HashSet<(FunctionId, String)>, StoreError> {
    let mut select = connection.prepare("SELECT function_id, day FROM pruned_days")?;
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What was pruned of a function.
pub(in crate::store) fn load_ranges(
    connection: &Connection,
    function: FunctionId,
) -> Result<IntervalSet, StoreError> {
    let mut select = connection.prepare_cached(
        "SELECT begin_time, end_time FROM pruned_days WHERE function_id = ?1 ORDER BY day",
    )?;
    let ranges = select.query_map([function], |row| read_range(row, 0))?;
    Ok(ranges.collect::<Result<_, _>>()?)
}

impl Archive {
    /// What was pruned of a function.
    pub fn load_pruned(&self, function: FunctionId) -> Result<IntervalSet, StoreError> {
        load_ranges(self.connection(), function)
    }
}

/// Tells of a record whether it would be of a time that was pruned. Where nothing was, and of
/// records younger than that, it costs no statement.
pub(in crate::store) struct Pruned<'t> {
    connection: &'t Connection,
    is_any: bool,
    /// Until when something of a function was pruned.
    ends: HashMap<FunctionId, Option<Timestamp>>,
}

impl<'t> Pruned<'t> {
    pub(in crate::store) fn prepare(connection: &'t Connection) -> Result<Self, StoreError> {
        let any = "SELECT EXISTS (SELECT 1 FROM pruned_days)";
        let is_any = connection.prepare_cached(any)?.query_row([], |row| row.get(0))?;
        Ok(Self { connection, is_any, ends: HashMap::new() })
    }

    /// Whether a moment of a function was pruned.
    pub(in crate::store) fn holds(
        &mut self,
        function: FunctionId,
        start: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let Some(start) = start.filter(|_| self.is_any) else { return Ok(false) };
        let end = match self.ends.get(&function) {
            Some(end) => *end,
            None => self.load_end(function)?,
        };
        if end.is_none_or(|end| start >= end) {
            return Ok(false);
        }
        let exists = "SELECT EXISTS (SELECT 1 FROM pruned_days WHERE function_id = ?1
                          AND day = substr(?2, 1, 10) AND begin_time <= ?2 AND ?2 < end_time)";
        let mut exists = self.connection.prepare_cached(exists)?;
        Ok(exists.query_row((function, start), |row| row.get(0))?)
    }

    fn load_end(&mut self, function: FunctionId) -> Result<Option<Timestamp>, StoreError> {
        let last = "SELECT end_time FROM pruned_days WHERE function_id = ?1
                     ORDER BY day DESC LIMIT 1";
        let mut last = self.connection.prepare_cached(last)?;
        let end = last.query_row([function], |row| row.get(0)).optional()?;
        self.ends.insert(function, end);
        Ok(end)
    }
}
