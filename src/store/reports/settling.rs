//! How much a settle delay catches: the report `settling` as values.

use super::{Arguments, Report};
use crate::store::file::{Reader, StoreError};
use std::time::Duration;

/// How long the report may work. It reads the summaries and the late records, which may be many.
const LIMIT: Duration = Duration::from_mins(5);

/// How much a settle delay catches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settling {
    /// The delay, in seconds.
    pub settle_delay_s: i64,
    /// The records that the service had shown within it, in percent of all.
    pub caught_pct: f64,
    /// How many it had not.
    pub missed: i64,
    /// Whether this is the least delay that would have caught 99.9 %.
    pub is_enough: bool,
}

impl Reader {
    /// What the delays would have caught, the shortest first; nothing where no record tells.
    pub fn load_settling(&mut self, arguments: &Arguments) -> Result<Vec<Settling>, StoreError> {
        let mut question = self.ask(&Report::SETTLING, arguments, LIMIT)?;
        let mut rows = question.rows();
        let mut settling = Vec::new();
        while let Some(row) = rows.next_row()? {
            settling.push(Settling {
                settle_delay_s: row.value("settle_delay_s")?,
                caught_pct: row.value("caught_pct")?,
                missed: row.value("missed")?,
                is_enough: row.value::<Option<String>>("note")?.is_some(),
            });
        }
        Ok(settling)
    }
}
