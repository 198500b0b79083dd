//! Whether the service records a function's invocations at all, as it said from time to time.

use crate::domain::Timestamp;
use crate::plan::forecast::Recording;
use crate::store::file::{Archive, StoreError};
use crate::store::sql::ids::{FunctionId, RunId};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

const SELECT: &str = "SELECT enabled, from_time, until_time FROM recording WHERE function_id = ?1
                          ORDER BY from_time DESC LIMIT 1";

impl Archive {
    /// What the service said last of a function's recording; none where it was never asked.
    pub fn load_recording(&self, function: FunctionId) -> Result<Option<Recording>, StoreError> {
        load_recording(self.connection(), function)
    }
}

fn load_recording(
    connection: &Connection,
    function: FunctionId,
) -> Result<Option<Recording>, StoreError> {
    let mut statement = connection.prepare_cached(SELECT)?;
    Ok(statement.query_row([function], |row| read_recording(row, 0)).optional()?)
}

/// The same for every function.
pub(in crate::store) fn load_recordings(
    connection: &Connection,
) -> Result<Vec<(FunctionId, Recording)>, StoreError> {
    // The other columns are those of the row that began last: SQLite's rule for a bare column
    // beside max().
    let select = "SELECT function_id, enabled, max(from_time), until_time FROM recording
                      GROUP BY function_id";
    let mut statement = connection.prepare(select)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, read_recording(row, 1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read_recording(row: &Row<'_>, column: usize) -> rusqlite::Result<Recording> {
    Ok(Recording {
        enabled: row.get(column)?,
        since: row.get(column + 1)?,
        asked_at: row.get(column + 2)?,
    })
}

/// Notes what the service said: the same answer as the last one makes its row longer.
pub(in crate::store) fn save_recording(
    transaction: &Transaction<'_>,
    run: RunId,
    function: FunctionId,
    at: Timestamp,
    enabled: Option<bool>,
) -> Result<(), StoreError> {
    let lengthen = "
        UPDATE recording SET until_time = max(until_time, :at)
         WHERE function_id = :function_id AND enabled IS :enabled
           AND from_time = (SELECT max(from_time) FROM recording WHERE function_id = :function_id)";
    let parameters = named_params! { ":function_id": function, ":enabled": enabled, ":at": at };
    if transaction.prepare_cached(lengthen)?.execute(parameters)? > 0 {
        return Ok(());
    }
    transaction
        .prepare_cached(
            "INSERT INTO recording (function_id, enabled, from_time, until_time, run_id)
             VALUES (:function_id, :enabled, :at, :at, :run)
                 ON CONFLICT (function_id, from_time) DO UPDATE SET enabled = excluded.enabled",
        )?
        .execute(named_params! {
            ":function_id": function, ":enabled": enabled, ":at": at, ":run": run,
        })?;
    Ok(())
}
