//! What the archive knows that can show how far back the service reaches.

use super::functions::FunctionId;
use super::{Archive, StoreError};
use crate::domain::{RequestId, Timestamp};
use rusqlite::{OptionalExtension, Row, named_params};

/// An archived record by which to ask whether the service still shows its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReachProbe {
    /// Its id.
    pub request_id: RequestId,
    /// When it began.
    pub started_at: Timestamp,
}

impl Archive {
    /// The last archived record of a function that was over by a moment.
    pub fn load_reach_probe(&self, function: FunctionId, by: Timestamp) -> Result<Option<ReachProbe>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT request_id, start_time
               FROM invocations
              WHERE function_id = :function_id AND start_time < :by AND end_time < :by
              ORDER BY start_time DESC
              LIMIT 1",
        )?;
        let parameters = named_params! { ":function_id": function.0, ":by": by.to_string() };
        let probe = statement.query_row(parameters, |row| Ok(load_probe(row))).optional()?;
        probe.transpose().map(Option::flatten)
    }
}

/// None where the start cannot be read.
fn load_probe(row: &Row<'_>) -> Result<Option<ReachProbe>, StoreError> {
    let request_id = RequestId::new(row.get::<_, String>("request_id")?);
    let started_at = row.get::<_, String>("start_time")?.parse().ok();
    Ok(request_id.zip(started_at).map(|(request_id, started_at)| ReachProbe { request_id, started_at }))
}
