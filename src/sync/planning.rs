//! What there is to do in a run.

use super::job::{self, FunctionJob};
use super::settings::Task;
use super::source::ActiveSource;
use super::verification;
use crate::plan::verify::{self, MOST_WINDOWS_A_RUN};
use crate::requester::Source;
use crate::store::file::{Archive, StoreError};

/// How many places in line the windows of one lane keep busy where the service is slow: about half
/// of the pages of a window come in one round trip, and the first of them comes alone.
const PLACES_A_LANE: usize = 2;

/// How many settled windows a run that archives may walk again, which its sources share.
#[derive(Debug)]
pub(super) struct Budget {
    windows: u64,
    /// How many sources have not taken their part.
    sources: u64,
    draws: fastrand::Rng,
}

impl Budget {
    pub(super) fn load(
        archive: &Archive,
        task: Task,
        sources: usize,
        seed: u64,
    ) -> Result<Self, StoreError> {
        let windows = match task {
            Task::Sync { verify_share } => {
                archive.load_spending()?.allows(verify_share).min(MOST_WINDOWS_A_RUN)
            }
            Task::Verify(_) => 0,
        };
        Ok(Self { windows, sources: sources as u64, draws: fastrand::Rng::with_seed(seed) })
    }

    /// The part of the next source. What it leaves of it is for those after it.
    fn next_part(&mut self) -> u64 {
        let part = verify::part(self.windows, self.sources, self.draws.u64(..self.sources.max(1)));
        self.sources = self.sources.saturating_sub(1);
        part
    }
}

/// Gives each function of a source its work.
pub(super) fn plan<S: Source>(
    archive: &Archive,
    source: &ActiveSource<S>,
    jobs: &mut [FunctionJob],
    task: Task,
    budget: &mut Budget,
) -> Result<(), StoreError> {
    let ActiveSource { settings, habits, requester, .. } = source;
    let now = requester.now();
    let mut draws = fastrand::Rng::with_seed(settings.seed);
    let lanes = (settings.concurrency / PLACES_A_LANE).div_ceil(jobs.len().max(1));
    for job in &mut *jobs {
        job.work = match task {
            Task::Sync { .. } => job::plan_sync(archive, job, settings, *habits, now)?,
            Task::Verify(selection) => {
                verification::plan(job, selection, settings, *habits, &mut draws)
            }
        };
        job.work.lanes = lanes;
    }
    let part = budget.next_part();
    budget.windows -= verification::plan_share(archive, jobs, part, now.earlier())?;
    Ok(())
}
