//! The functions of our own that statements may call.

use super::{fold, histogram, median, percentile, tail, zone};
use crate::domain::Zone;
use rusqlite::Connection;

/// Makes all of them known to a connection; days and hours are those of UTC at first.
pub(in crate::store) fn register_functions(connection: &Connection) -> rusqlite::Result<()> {
    percentile::register(connection)?;
    histogram::register(connection)?;
    median::register(connection)?;
    tail::register(connection)?;
    fold::register(connection)?;
    zone::register(connection, Zone::UTC)
}
