//! What the layers come to.

use super::layers::Layers;
use super::range::read_range;
use super::source::SourceConfig;
use super::tuning::Tuning;
use crate::domain::Timestamp;
use crate::error::Failure;

/// What a command that asks the service was told, by all layers together.
pub struct Config {
    /// Whom it asks.
    pub sources: Vec<SourceConfig>,
    /// What holds for all of them.
    pub run: RunConfig,
    /// What may be wrong although it can be used.
    pub warnings: Vec<String>,
}

/// What holds for a run as a whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunConfig {
    /// From when on it was asked for on the command line.
    pub since: Option<Timestamp>,
    /// Until when it was asked for.
    pub until: Option<Timestamp>,
    /// Which share of the requests, 0 to 1, may walk settled windows again.
    pub verify_share: f64,
}

impl RunConfig {
    pub(super) fn of(layers: Layers<'_>, now: Timestamp) -> Result<Self, Failure> {
        let (since, until) = read_range(Layers { source: None, defaults: None, ..layers }, now)?;
        Ok(Self { since, until, verify_share: Tuning::of(layers).verify_share() })
    }
}
