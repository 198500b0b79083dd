//! The few records that may still change, and when each was last asked for.

use super::functions::FunctionId;
use super::{Archive, StoreError};
use crate::domain::{Interval, RecordTime, RequestId, Status, Timestamp, count_to_u64};
use crate::plan::refresh::OpenRecord;
use rusqlite::{OptionalExtension, Row, Transaction, named_params};

impl Archive {
    /// The open records of a function, oldest first.
    pub fn load_open(&self, function: FunctionId) -> Result<Vec<OpenRecord>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT o.request_id, o.opened_at, o.seen_at, o.checked_at, i.status, i.start_time, i.end_time
               FROM open_records o
               JOIN invocations i USING (request_id)
              WHERE o.function_id = ?1
              ORDER BY o.opened_at, o.request_id",
        )?;
        statement.query_and_then([function.0], load_record)?.collect()
    }

    /// How many records of a function are archived that began in a range of time.
    pub fn count_started(&self, function: FunctionId, range: Interval) -> Result<u64, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT count(*) FROM invocations WHERE function_id = :function_id AND start_time >= :begin AND start_time < :end",
        )?;
        let parameters = named_params! {
            ":function_id": function.0,
            ":begin": range.begin().to_string(),
            ":end": range.end().to_string(),
        };
        Ok(count_to_u64(statement.query_row(parameters, |row| row.get(0))?))
    }
}

fn load_record(row: &Row<'_>) -> Result<OpenRecord, StoreError> {
    let damaged = || StoreError::Damaged("an open record cannot be read".to_owned());
    let time =
        |column| -> Result<Timestamp, StoreError> { row.get::<_, String>(column)?.parse().map_err(|_| damaged()) };
    let moment = |column| -> Result<Option<Timestamp>, StoreError> {
        let text: Option<String> = row.get(column)?;
        Ok(text.as_deref().and_then(RecordTime::parse).and_then(|time| time.moment()))
    };
    let start = moment("start_time")?;
    Ok(OpenRecord {
        request_id: RequestId::new(row.get::<_, String>("request_id")?).ok_or_else(damaged)?,
        status: Status::parse(&row.get::<_, String>("status")?),
        // A start that was not known when the record was first seen counts as soon as it is.
        opened_at: start.map_or_else(|| time("opened_at"), Ok)?,
        start_is_known: start.is_some(),
        is_shown: time("seen_at")? >= time("checked_at")?,
        ended_at: moment("end_time")?,
        checked_at: time("checked_at")?,
    })
}

/// Notes that a record may still change, as seen at `now`.
pub(super) fn save_open(
    transaction: &Transaction<'_>,
    request_id: &RequestId,
    function: FunctionId,
    opened_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO open_records (request_id, function_id, opened_at, seen_at, checked_at)
         VALUES (:request_id, :function_id, :opened_at, :now, :now)
             ON CONFLICT (request_id) DO UPDATE
            SET seen_at = max(seen_at, excluded.seen_at), checked_at = max(checked_at, excluded.checked_at)",
        )?
        .execute(named_params! {
            ":request_id": request_id.as_str(),
            ":function_id": function.0,
            ":opened_at": opened_at.to_string(),
            ":now": now.to_string(),
        })?;
    Ok(())
}

/// Notes that a record will not change any more; returns nothing, since it may not have been open.
pub(super) fn close(transaction: &Transaction<'_>, request_id: &RequestId) -> Result<(), StoreError> {
    transaction.prepare_cached("DELETE FROM open_records WHERE request_id = ?1")?.execute([request_id.as_str()])?;
    Ok(())
}

/// When the record was last seen, if it is open.
pub(super) fn load_seen_at(
    transaction: &Transaction<'_>,
    request_id: &RequestId,
) -> Result<Option<String>, StoreError> {
    let mut select = transaction.prepare_cached("SELECT seen_at FROM open_records WHERE request_id = ?1")?;
    Ok(select.query_row([request_id.as_str()], |row| row.get(0)).optional()?)
}

/// Notes that records were asked for: those that were not shown are asked for again later.
///
/// A FAIL is asked for once, when it is old enough to be final; not shown then, it is final as it stands.
pub(super) fn save_checks(
    transaction: &Transaction<'_>,
    now: Timestamp,
    unseen: &[RequestId],
) -> Result<(), StoreError> {
    let mut update =
        transaction.prepare_cached("UPDATE open_records SET checked_at = max(checked_at, ?2) WHERE request_id = ?1")?;
    let mut close = transaction.prepare_cached(
        "DELETE FROM open_records WHERE request_id = ?1
            AND EXISTS (SELECT 1 FROM invocations i WHERE i.request_id = ?1 AND i.status = 'FAIL')",
    )?;
    for request_id in unseen {
        close.execute([request_id.as_str()])?;
        update.execute((request_id.as_str(), now.to_string()))?;
    }
    Ok(())
}

/// Stops waiting for the end of records; their last status stands.
pub(super) fn give_up(transaction: &Transaction<'_>, now: Timestamp, given_up: &[RequestId]) -> Result<(), StoreError> {
    let mut update = transaction.prepare_cached("UPDATE invocations SET given_up_at = ?2 WHERE request_id = ?1")?;
    for request_id in given_up {
        update.execute((request_id.as_str(), now.to_string()))?;
        close(transaction, request_id)?;
    }
    Ok(())
}
