//! What there is to do in a run.

use super::job::{self, FunctionJob};
use super::prepared::Prepared;
use super::settings::Task;
use super::verification;
use crate::requester::Source;
use crate::store::file::{Archive, StoreError};
use crate::store::write::Tally;

/// How many places in line the windows of one lane keep busy where the service is slow: about half of the pages of a window
/// come in one round trip, and the first of them comes alone.
const PLACES_A_LANE: usize = 2;

/// Gives each function of the run its work.
pub(super) fn plan<S: Source>(
    archive: &Archive,
    prepared: &mut [Prepared<'_, S>],
    task: Task,
    tally: &mut Tally,
) -> Result<(), StoreError> {
    for Prepared { source, jobs, .. } in &mut *prepared {
        let (settings, now) = (&source.settings, source.requester.now());
        let habits = tally.of(source.id).habits;
        let mut draws = fastrand::Rng::with_seed(settings.seed);
        let lanes = (settings.concurrency / PLACES_A_LANE).div_ceil(jobs.len().max(1));
        for job in jobs {
            job.work = match task {
                Task::Sync { .. } => job::plan_sync(archive, job, settings, habits, now)?,
                Task::Verify(selection) => verification::plan(job, selection, settings, habits, &mut draws),
            };
            job.work.lanes = lanes;
        }
    }
    let Task::Sync { verify_share } = task else { return Ok(()) };
    let now = prepared.iter().map(|one| one.source.requester.now().earlier()).min();
    let mut jobs: Vec<&mut FunctionJob> = prepared.iter_mut().flat_map(|one| &mut one.jobs).collect();
    now.map_or(Ok(()), |now| verification::plan_share(archive, &mut jobs, verify_share, now))
}
