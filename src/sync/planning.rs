//! What there is to do in a run.

use super::job::{self, Job};
use super::settings::{Settings, Task};
use super::target::Target;
use super::verification;
use crate::plan::clocks::Moment;
use crate::plan::paging::Habits;
use crate::store::file::{Archive, StoreError};
use std::collections::VecDeque;

/// How many places in line the windows of one lane keep busy where the service is slow: about half of the pages of a window
/// come in one round trip, and the first of them comes alone.
const PLACES_A_LANE: usize = 2;

/// What there is to do.
pub(super) fn plan(
    archive: &Archive,
    now: Moment,
    targets: &[Target],
    settings: &Settings,
    habits: Habits,
) -> Result<VecDeque<Job>, StoreError> {
    let mut jobs = VecDeque::new();
    let mut draws = fastrand::Rng::with_seed(settings.seed);
    for target in targets {
        jobs.push_back(match settings.task {
            Task::Sync => job::plan_job(archive, target, settings, habits, now)?,
            Task::Verify(selection) => verification::plan_job(target, selection, settings, habits, &mut draws),
        });
    }
    let lanes = (settings.concurrency / PLACES_A_LANE).div_ceil(jobs.len().max(1));
    for job in &mut jobs {
        job.work.lanes = lanes;
    }
    if matches!(settings.task, Task::Sync) {
        verification::plan_share(archive, targets, &mut jobs, settings.verify_share, now.earlier())?;
    }
    Ok(jobs)
}
