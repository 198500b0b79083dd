//! Known values that were not shown again as they are stored: what stood, what was shown instead,
//! and when.

use super::batch::SeenRecord;
use crate::plan::reconcile::{Amendment, Known};
use crate::store::file::StoreError;
use crate::store::sql::ids::RunId;
use rusqlite::Transaction;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};

impl ToSql for Known {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Number(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

/// What was not believed is noted once: a service that leaves a value out may do so in every run.
const INSERT: &str = "INSERT INTO amendments (request_id, field, stood, shown, accepted, seen_at,
                          run_id)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
     WHERE ?5 = 1 OR NOT EXISTS (SELECT 1 FROM amendments
                                  WHERE request_id = ?1 AND field = ?2 AND stood IS ?3
                                      AND shown IS ?4 AND accepted = 0)";

/// Notes what a seen record did not show again.
pub(in crate::store) fn save_amendments(
    transaction: &Transaction<'_>,
    run: RunId,
    seen_record: &SeenRecord<'_>,
    noted: &[Amendment],
) -> Result<(), StoreError> {
    for Amendment { field, stood, shown, is_accepted } in noted {
        transaction.prepare_cached(INSERT)?.execute((
            &seen_record.record.request_id,
            field.as_str(),
            stood,
            shown,
            is_accepted,
            seen_record.page.seen_at.later(),
            run,
        ))?;
    }
    Ok(())
}
