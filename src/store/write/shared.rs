//! Records whose id another function showed first: what this function shows of them is kept beside
//! the row, as its own.

use super::batch::SeenRecord;
use crate::domain::Invocation;
use crate::plan::reconcile::reconcile;
use crate::store::file::StoreError;
use crate::store::sql::ids::RunId;
use crate::store::sql::record::{self, is_same, read_record, write_record};
use rusqlite::Transaction;

const SELECT: &str = concat!(
    "SELECT ",
    record::columns!(),
    " FROM shared_records WHERE request_id = ?1 AND function_id = ?2"
);

const INSERT: &str = record::insert_into!("shared_records", ("", ""), "");

/// The first run that saw a record stays.
const UPDATE: &str = record::update!("shared_records", "");

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
    let write = |statement: &str, record: &Invocation| {
        let mut statement = transaction.prepare_cached(statement)?;
        write_record(&mut statement, page.function, record, run)?;
        Ok(())
    };
    let Some(row) = rows.next()? else { return write(INSERT, seen) };
    if is_same(row, seen)? {
        return Ok(());
    }
    let stored = read_record(row, &seen.request_id)?;
    let stands = reconcile(&stored, seen).stands;
    if stands == stored { Ok(()) } else { write(UPDATE, &stands) }
}
