//! What is kept of how far back the service reaches, and whether it records a function at all.

use crate::plan::forecast::LossForecast;
use crate::store::file::StoreError;
use crate::store::sql::FunctionId;
use crate::store::write::reach::read_measured;
use crate::store::write::recording::load_recordings;
use rusqlite::Connection;
use std::collections::HashMap;

/// How every function stands; what is pending is for the ledger to say.
pub(in crate::store) fn load_forecasts(
    connection: &Connection,
) -> Result<HashMap<FunctionId, LossForecast>, StoreError> {
    let mut forecasts: HashMap<FunctionId, LossForecast> = HashMap::new();
    // The other columns are those of the row that has the largest day: SQLite's rule for a bare
    // column beside max().
    let mut select = connection.prepare(
        "SELECT function_id, max(day), noted_at, reach_s, forgotten_s FROM reach
                      GROUP BY function_id",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let forecast = forecasts.entry(row.get(0)?).or_default();
        forecast.reach_noted_at = Some(row.get(2)?);
        forecast.reach = read_measured(row, 3)?;
    }
    for (function, recording) in load_recordings(connection)? {
        forecasts.entry(function).or_default().recording = Some(recording);
    }
    Ok(forecasts)
}
