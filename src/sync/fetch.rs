//! The loop of a run: functions are fetched side by side, and what they bring is committed.

use super::committer::Committer;
use super::delivery::{MOST_IN_HAND, Outbox};
use super::function::{self, Walked};
use super::job::Job;
use super::watch::Watch;
use crate::requester::{Requester, Source, Witnesses};
use crate::store::file::StoreError;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How much may wait for the committing loop, so that fetching goes on during a commit: more than the pages for which there is
/// memory, since that is bounded by what they hold.
const MOST_IN_LINE: usize = 4_096;

/// Runs the jobs, a few at once, and commits what they bring until all are done.
pub(super) async fn fetch_all<S: Source>(
    committer: &mut Committer<'_>,
    requester: &Arc<Requester<S>>,
    mut jobs: VecDeque<Job>,
    at_once: usize,
    cancel: &CancellationToken,
    watch: &mut dyn Watch,
) -> Result<Vec<Walked>, StoreError> {
    let (sender, mut receiver) = mpsc::channel(MOST_IN_LINE);
    let room = Arc::new(Semaphore::new(MOST_IN_HAND as usize));
    let outbox = |function| Outbox { function, sender: sender.clone(), room: Arc::clone(&room) };
    let witnesses = jobs.iter().enumerate().map(|(function, job)| (job.urn.clone(), Some(outbox(function).sink())));
    requester.call_on(Witnesses::Functions(witnesses.collect()));
    let mut walked = vec![Walked::default(); jobs.len()];
    let mut next = 0;
    let mut tasks = JoinSet::new();
    while !(tasks.is_empty() && jobs.is_empty()) {
        while tasks.len() < at_once
            && let Some(job) = jobs.pop_front()
        {
            let (requester, index, outbox) = (Arc::clone(requester), next, outbox(next));
            tasks.spawn(async move { (index, function::work(requester, job, outbox).await) });
            next += 1;
        }
        tokio::select! {
            // In this order: what is in line is taken in before anything is committed.
            biased;
            () = cancel.cancelled() => break,
            Some((function, delivery)) = receiver.recv() => {
                committer.take(function, delivery);
                watch.progress(committer.tally());
            }
            () = committer.is_due() => committer.commit(requester)?,
            () = requester.is_down() => break,
            Some(done) = tasks.join_next() => match done {
                Ok((index, result)) => walked[index] = result,
                // Its function stays unfinished in the report, so that the run ends incomplete.
                Err(broken) => tracing::error!("a function's task broke off: {broken}"),
            },
            else => break,
        }
        if committer.is_full() {
            committer.commit(requester)?;
        }
    }
    tasks.abort_all();
    while let Ok((function, delivery)) = receiver.try_recv() {
        committer.take(function, delivery);
    }
    Ok(walked)
}
