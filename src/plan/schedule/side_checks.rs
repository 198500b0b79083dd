//! What a run asks beside the records: how far back the service reaches, and whether it records
//! anything at all.

use crate::domain::Timestamp;
use crate::plan::reach::{Measured, ReachProbe};
use crate::plan::refresh::is_recording_due;

/// What the archive knows of a function beside its records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// When the service was last asked whether it records the function; nothing if never.
    pub asked_at: Option<Timestamp>,
    /// What it said then.
    pub enabled: Option<bool>,
}

/// The side checks of a run about one function.
#[derive(Clone, Debug, Default)]
pub struct SideChecks {
    /// An archived record whose look-up tells more of the reach than is known today.
    pub(super) probe: Option<ReachProbe>,
    /// Whether to ask if the service records the function.
    pub(super) asks_recording: bool,
    /// What it said of that before.
    pub(super) was_recorded: Option<bool>,
}

impl SideChecks {
    /// What is worth asking at `now`, when so much of the reach was measured `today`; `probe` is an
    /// archived record of the age that would tell more.
    pub fn plan(
        recorded: Recorded,
        today: Measured,
        probe: Option<ReachProbe>,
        now: Timestamp,
    ) -> Self {
        let tells = |probe: &ReachProbe| {
            today.forgotten.is_none_or(|forgotten| now - forgotten < probe.ended_at)
        };
        Self {
            probe: probe.filter(tells),
            asks_recording: is_recording_due(recorded.asked_at, now),
            was_recorded: recorded.enabled,
        }
    }
}
