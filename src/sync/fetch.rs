//! The loop of a run: tasks ask side by side, and what they bring is committed.

use super::committer::Committer;
use super::delivery::{Delivery, MOST_IN_HAND, Outbox};
use super::function::{self, Walked};
use super::prepared::Prepared;
use super::source::{ActiveSource, Standing};
use super::watch::Watch;
use crate::requester::{Source, Witnesses};
use crate::store::file::StoreError;
use crate::store::sql::FunctionId;
use crate::store::write::Comparison;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// How much may wait for the committing loop, so that fetching goes on during a commit: more than the pages for which there is
/// memory, since that is bounded by what they hold.
const MOST_IN_LINE: usize = 4_096;

/// What is done side by side, and the one writer of what comes of it.
pub(super) struct Fetching<'f, 'c, S> {
    sources: &'f [ActiveSource<S>],
    committer: Committer<'c>,
    cancel: &'f CancellationToken,
    watch: &'f mut dyn Watch,
    sender: Sender<(FunctionId, Delivery)>,
    receiver: Receiver<(FunctionId, Delivery)>,
    room: Arc<Semaphore>,
}

/// The tasks of a source: so many of them go on at once, and none of them once it is down.
pub(super) struct Tasks<'f, S, F> {
    pub(super) source: &'f ActiveSource<S>,
    pub(super) tasks: Vec<F>,
}

impl<'f, 'c, S: Source> Fetching<'f, 'c, S> {
    pub(super) fn new(
        sources: &'f [ActiveSource<S>],
        committer: Committer<'c>,
        cancel: &'f CancellationToken,
        watch: &'f mut dyn Watch,
    ) -> Self {
        let (sender, receiver) = mpsc::channel(MOST_IN_LINE);
        let room = Arc::new(Semaphore::new(MOST_IN_HAND as usize));
        Self { sources, committer, cancel, watch, sender, receiver, room }
    }

    /// Whether nothing more is to be done.
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// The way for what is shown of a function.
    pub(super) fn outbox(&self, function: FunctionId) -> Outbox {
        Outbox { function, sender: self.sender.clone(), room: Arc::clone(&self.room) }
    }

    /// Does the work of all functions.
    pub(super) async fn fetch(
        &mut self,
        prepared: &mut [Prepared<'f, S>],
    ) -> Result<HashMap<FunctionId, Walked>, StoreError> {
        let mut all = Vec::new();
        for Prepared { source, jobs, .. } in prepared {
            let witnesses = jobs.iter().map(|job| (job.urn.clone(), Some(self.outbox(job.id).sink())));
            source.requester.call_on(Witnesses::Functions(witnesses.collect()));
            let task = |job: &mut super::job::FunctionJob| {
                let (requester, outbox) = (Arc::clone(&source.requester), self.outbox(job.id));
                let (id, urn, work) = (job.id, job.urn.clone(), std::mem::take(&mut job.work));
                async move { (id, function::work(&requester, &urn, work, outbox).await) }
            };
            all.push(Tasks { source, tasks: jobs.iter_mut().map(task).collect() });
        }
        Ok(self.run(all).await?.into_iter().collect())
    }

    /// Runs tasks, and commits what they bring, until all are done or the run is cancelled. What a task came to is missing
    /// where it was dropped.
    pub(super) async fn run<T, F>(&mut self, all: Vec<Tasks<'f, S, F>>) -> Result<Vec<T>, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let mut under_way = JoinSet::new();
        for Tasks { source, tasks } in all {
            let turns = Arc::new(Semaphore::new(source.settings.concurrency));
            for task in tasks {
                let (requester, turns) = (Arc::clone(&source.requester), Arc::clone(&turns));
                let in_turn = async move {
                    // It is never closed.
                    let _turn = turns.acquire_owned().await;
                    task.await
                };
                let while_up = async move {
                    tokio::select! {
                        biased;
                        () = requester.is_down() => None,
                        done = in_turn => Some(done),
                    }
                };
                under_way.spawn(while_up.instrument(source.span.clone()));
            }
        }
        let mut results = Vec::with_capacity(under_way.len());
        while !under_way.is_empty() {
            tokio::select! {
                // In this order: what is in line is taken in before anything is committed.
                biased;
                () = self.cancel.cancelled() => break,
                Some((function, delivery)) = self.receiver.recv() => {
                    self.committer.take(function, delivery);
                    self.watch.progress(&self.committer.counts());
                }
                () = self.committer.is_due() => self.commit()?,
                Some(done) = under_way.join_next() => match done {
                    Ok(result) => results.extend(result),
                    // Its function stays unfinished in the report, so that the run ends incomplete.
                    Err(broken) => tracing::error!("a function's task broke off: {broken}"),
                },
            }
            if self.committer.is_full() {
                self.commit()?;
            }
        }
        under_way.abort_all();
        while let Ok((function, delivery)) = self.receiver.try_recv() {
            self.committer.take(function, delivery);
        }
        Ok(results)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        Standing::of(self.sources).map_or(Ok(()), |standing| self.committer.commit(&standing))
    }

    fn commit_rest(&mut self) -> Result<(), StoreError> {
        if self.committer.has_something() { self.commit() } else { Ok(()) }
    }

    /// Commits what is in hand, if there is something, and hands out what was compared so far.
    pub(super) fn take_comparisons(&mut self) -> Result<Vec<Comparison>, StoreError> {
        self.commit_rest()?;
        Ok(self.committer.take_comparisons())
    }

    /// Commits what is left, and keeps what verifying came to.
    pub(super) fn finish(mut self, comparisons: &[Comparison]) -> Result<(), StoreError> {
        self.commit_rest()?;
        self.committer.save_verifications(comparisons)
    }
}
