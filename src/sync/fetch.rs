//! The loop of a run: tasks ask side by side, and what they bring is committed.

use super::committer::{Begun, Committer};
use super::function::{self, Walked};
use super::job::FunctionJob;
use super::message::{MOST_IN_HAND, Message, MessageSender};
use super::prepared::Prepared;
use super::source::{ActiveSource, Standing};
use super::stop::Stop;
use super::watch::Watch;
use crate::domain::FunctionUrn;
use crate::plan::turns;
use crate::requester::{Source, Witness, Witnesses};
use crate::store::file::StoreError;
use crate::store::sql::FunctionId;
use crate::store::write::Comparison;
use futures_util::stream::{Stream, StreamExt};
use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// How much may wait for the committing loop, so that fetching goes on during a commit: more than
/// the pages for which there is memory, since that is bounded by what they hold.
const MOST_IN_LINE: usize = 4_096;

/// What is done side by side, and the one writer of what comes of it.
pub(super) struct Fetching<'f, 'c, S> {
    sources: &'f [ActiveSource<S>],
    committer: Committer<'c>,
    cancel: &'f CancellationToken,
    watch: &'c mut dyn Watch,
    lines: Lines,
    receiver: Receiver<(FunctionId, Message)>,
}

/// Where the ways to the writer begin.
#[derive(Clone)]
struct Lines {
    sender: Sender<(FunctionId, Message)>,
    room: Arc<Semaphore>,
}

impl Lines {
    fn messages(&self, function: FunctionId) -> MessageSender {
        MessageSender { function, sender: self.sender.clone(), room: Arc::clone(&self.room) }
    }
}

/// A source that is ready, with its tasks: so many of them go on at once, and none of them once it
/// is down.
pub(super) struct ReadySource<'f, S, F> {
    pub(super) source: &'f ActiveSource<S>,
    /// What the writer has to know before them.
    pub(super) begun: Begun,
    pub(super) tasks: Vec<(FunctionUrn, F)>,
}

impl<'f, 'c, S: Source> Fetching<'f, 'c, S> {
    pub(super) fn new(
        sources: &'f [ActiveSource<S>],
        committer: Committer<'c>,
        cancel: &'f CancellationToken,
        watch: &'c mut dyn Watch,
    ) -> Self {
        let (sender, receiver) = mpsc::channel(MOST_IN_LINE);
        let room = Arc::new(Semaphore::new(MOST_IN_HAND as usize));
        Self { sources, committer, cancel, watch, lines: Lines { sender, room }, receiver }
    }

    /// Whether nothing more is to be done.
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// The way for what is shown of a function.
    pub(super) fn messages(&self, function: FunctionId) -> MessageSender {
        self.lines.messages(function)
    }

    /// Does the work of all functions, of each source from when it is ready. What became of a
    /// source that was not ready when the run was cancelled is missing.
    pub(super) async fn fetch(
        &mut self,
        coming: impl Stream<Item = Result<Prepared<'f, S>, Stop>>,
    ) -> Result<(Vec<Prepared<'f, S>>, HashMap<FunctionId, Walked>), Stop> {
        let (mut prepared, lines) = (Vec::new(), self.lines.clone());
        let tasks = coming.map(|ready| {
            let mut one: Prepared<'f, S> = ready?;
            let (source, begun) = (one.source, one.begin());
            let witness = |job: &FunctionJob| Witness {
                urn: job.urn.clone(),
                sink: Some(lines.messages(job.id).sink()),
                archived_until: job.ledger_end,
            };
            let witnesses = one.jobs.iter().map(witness).collect();
            source.requester.call_on(Witnesses::Functions(witnesses));
            let task = |job: &mut FunctionJob| {
                let (requester, messages) = (Arc::clone(&source.requester), lines.messages(job.id));
                let (id, urn, work) = (job.id, job.urn.clone(), std::mem::take(&mut job.work));
                let of = urn.clone();
                (of, async move { (id, function::work(&requester, &urn, work, messages).await) })
            };
            let mut jobs: Vec<&mut FunctionJob> = one.jobs.iter_mut().collect();
            jobs.sort_by_key(|job| turns::key(job.ledger_end));
            let tasks = jobs.into_iter().map(task).collect();
            prepared.push(one);
            Ok(ReadySource { source, begun, tasks })
        });
        let walked = self.run(tasks).await?.into_iter().collect();
        Ok((prepared, walked))
    }

    /// Runs tasks as they come, and commits what they bring, until all are done or the run is
    /// cancelled. What a task came to is missing where it was dropped.
    pub(super) async fn run<T, F>(
        &mut self,
        coming: impl Stream<Item = Result<ReadySource<'f, S, F>, Stop>>,
    ) -> Result<Vec<T>, Stop>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let mut coming = pin!(coming.fuse());
        let mut under_way = JoinSet::new();
        let mut results = Vec::new();
        while !(coming.is_done() && under_way.is_empty()) {
            tokio::select! {
                // In this order: a source that is ready waits for nothing that others bring, and
                // what is in line is taken in before anything is committed.
                biased;
                () = self.cancel.cancelled() => break,
                next = coming.next(), if !coming.is_done() =>
                    if let Some(ready) = next.transpose()? {
                    self.begin(ready, &mut under_way);
                },
                Some((function, message)) = self.receiver.recv() => {
                    self.committer.take(function, message);
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
        while let Ok((function, message)) = self.receiver.try_recv() {
            self.committer.take(function, message);
        }
        Ok(results)
    }

    /// Lets the tasks of a source begin.
    fn begin<T, F>(&mut self, ready: ReadySource<'f, S, F>, under_way: &mut JoinSet<Option<T>>)
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let ReadySource { source, begun, tasks } = ready;
        self.committer.begin(source.id, begun);
        for (urn, task) in tasks {
            let requester = Arc::clone(&source.requester);
            let in_turn = {
                let requester = Arc::clone(&requester);
                async move {
                    let _turn = requester.turn(urn).await;
                    task.await
                }
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
