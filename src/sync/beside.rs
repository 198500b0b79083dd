//! What a run asks beside the records: how far back the service reaches, and whether it records anything at all.

use super::Source;
use super::delivery::Delivery;
use super::line::{Line, Setback};
use super::lookup::look_back;
use crate::api::CallFailure;
use crate::domain::Timestamp;
use crate::plan::reach::{Measured, Reach};
use crate::plan::refresh::is_recording_due;
use crate::store::file::{Archive, StoreError};
use crate::store::sql::FunctionId;
use crate::store::write::{Observation, Observed, ReachProbe};
use std::time::Duration;

/// The questions of a run about one function.
#[derive(Clone, Debug, Default)]
pub(super) struct Questions {
    /// An archived record whose look-up tells more of the reach than is known today.
    reach: Option<ReachProbe>,
    /// Whether to ask if the service records the function.
    recording: bool,
    /// What it said of that before.
    recorded: Option<bool>,
}

impl Questions {
    /// What is worth asking at `now`.
    pub(super) fn plan(archive: &Archive, function: FunctionId, now: Timestamp) -> Result<Self, StoreError> {
        let recording = archive.load_recording(function)?;
        let days = archive.load_reach(function, now)?;
        let reach = match days.today.next_age(days.before) {
            Some(age) => archive.load_reach_probe(function, now - age)?,
            None => None,
        };
        let tells = |probe: &ReachProbe| days.today.forgotten.is_none_or(|forgotten| now - forgotten < probe.ended_at);
        Ok(Self {
            reach: reach.filter(tells),
            recording: is_recording_due(recording.map(|said| said.asked_at), now),
            recorded: recording.and_then(|said| said.enabled),
        })
    }

    /// Asks them, and hands over what was learnt. `reach` is what the walks of this run have shown of it. A record that
    /// cannot be looked up keeps nothing else from being asked.
    pub(super) async fn ask<S: Source>(self, line: &Line<'_, S>, reach: &mut Reach) -> Result<(), CallFailure> {
        let looked_back = self.measure(line, reach).await.map_err(Setback::into_failure);
        if self.recording {
            let enabled = line.recording().await?;
            if enabled == Some(false) && self.recorded != Some(false) {
                tracing::warn!(
                    function = line.urn.full_name(),
                    "the service records nothing of it: enable_async_status_log is off"
                );
            }
            observe(line, Observation::Recording(enabled)).await;
        }
        looked_back
    }

    async fn measure<S: Source>(&self, line: &Line<'_, S>, reach: &mut Reach) -> Result<(), Setback> {
        let mut forgotten = None;
        if let Some(probe) = &self.reach {
            let is_shown = look_back(line, probe, reach).await?;
            let age = u64::try_from(line.asker.now().earlier().seconds_since(probe.ended_at)).unwrap_or(0);
            forgotten = (!is_shown).then(|| Duration::from_secs(age));
        }
        let measured = Measured { shown: reach.shown(), forgotten };
        if measured != Measured::default() {
            observe(line, Observation::Reach(measured)).await;
        }
        Ok(())
    }
}

async fn observe<S: Source>(line: &Line<'_, S>, what: Observation) {
    line.outbox.send(Delivery::Observed(Observed { at: line.asker.now().earlier(), what })).await;
}
