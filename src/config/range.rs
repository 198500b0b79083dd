//! The range of time that a run is about, by all layers.

use super::layers::{Layers, SINCE};
use super::moments::{OpenRange, read_run_range};
use crate::domain::Timestamp;
use crate::error::Failure;

/// The range, as far as it is set. It begins in the past.
pub(super) fn read_range(layers: Layers<'_>, now: Timestamp) -> Result<OpenRange, Failure> {
    let since = layers.set(SINCE, layers.flags.since.clone(), |section| &section.since);
    read_run_range(since, layers.flags.until.as_deref(), now)
}
