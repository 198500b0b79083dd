//! Records whose id another function showed first: what this function shows of them is kept beside
//! the row, as its own.

use super::batch::SeenRecord;
use crate::domain::Invocation;
use crate::plan::reconcile::reconcile;
use crate::store::file::StoreError;
use crate::store::sql::ids::RunId;
use crate::store::sql::record::{is_same, read_record, write_record};
use rusqlite::Transaction;

const SELECT: &str = "SELECT status, error_code, error_message, start_time, end_time, extra
    FROM shared_records WHERE request_id = ?1 AND function_id = ?2";

/// The first run that saw a record stays.
const SAVE: &str = "INSERT INTO shared_records
    (request_id, function_id, status, error_code, error_message, start_time, end_time, extra,
     first_run_id, changed_run_id)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)
    ON CONFLICT (request_id, function_id) DO UPDATE
    SET status = excluded.status, error_code = excluded.error_code,
        error_message = excluded.error_message,
        start_time = excluded.start_time, end_time = excluded.end_time, extra = excluded.extra,
        changed_run_id = excluded.changed_run_id";

/// Keeps what a function shows of a record whose row belongs to another one. It is merged as a row
/// is, without a history.
pub(in crate::store) fn save_shared(
    transaction: &Transaction<'_>,
    run: RunId,
    seen_record: &SeenRecord<'_>,
) -> Result<(), StoreError> {
    let SeenRecord { record: seen, page, .. } = seen_record;
    let mut select = transaction.prepare_cached(SELECT)?;
    let mut rows = select.query((seen.request_id.as_str(), page.function))?;
    let Some(row) = rows.next()? else { return save(transaction, run, seen_record, seen) };
    if is_same(row, seen)? {
        return Ok(());
    }
    let stored = read_record(row, &seen.request_id)?;
    let stands = reconcile(&stored, seen).stands;
    if stands == stored { Ok(()) } else { save(transaction, run, seen_record, &stands) }
}

fn save(
    transaction: &Transaction<'_>,
    run: RunId,
    seen_record: &SeenRecord<'_>,
    stands: &Invocation,
) -> Result<(), StoreError> {
    let mut save = transaction.prepare_cached(SAVE)?;
    write_record(&mut save, seen_record.page.function, stands, run)?;
    Ok(())
}
