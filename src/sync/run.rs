//! One run, from its beginning to its report.

use super::absence;
use super::committer::{Committer, note_standing};
use super::discovery::Resolved;
use super::fetch::Fetching;
use super::function::Walked;
use super::job::FunctionJob;
use super::preparation::Preparation;
use super::prepared::Prepared;
use super::report::{FunctionReport, RunReport, SourceReport, Stopped};
use super::settings::Task;
use super::shared::SharedArchive;
use super::source::{ActiveSource, RunSource, Standing};
use super::stop::Stop;
use super::watch::Watch;
use super::{targets, verification};
use crate::clock::Clock;
use crate::domain::{Counts, FunctionUrn, Interval, Timestamp};
use crate::error::Failure;
use crate::plan::clocks::TOLERANCE;
use crate::plan::ledger;
use crate::requester::Source;
use crate::store::file::{Archive, StoreError};
use crate::store::sql::{FunctionId, RunId, SourceId};
use crate::store::write::{Comparison, Ending, Endings, Tally};
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// What a run is to do, and whom it asks.
#[derive(Debug)]
pub struct RunPlan<S> {
    /// What it is for.
    pub task: Task,
    /// The projects that it asks, side by side.
    pub sources: Vec<RunSource<S>>,
    /// How long it may ask. What was not reached by then is left for the next run.
    pub max_duration: Option<Duration>,
}

/// Does one run in an archive that is already locked.
///
/// The report says how it ended; an error is a failure of the archive, or one before anything was
/// asked.
pub async fn run<S: Source>(
    archive: &mut Archive,
    plan: RunPlan<S>,
    clock: &Clock,
    cancel: &CancellationToken,
    watch: &mut dyn Watch,
) -> Result<RunReport, Failure> {
    let path = archive.path().to_owned();
    let broken = |error: StoreError| error.into_failure(&path);
    let RunPlan { task, sources, max_duration } = plan;
    let end = cancel.child_token();
    let _timer = max_duration.map(|most| {
        let end = end.clone();
        let timer = async move {
            sleep(most).await;
            end.cancel();
        };
        AbortOnDropHandle::new(tokio::spawn(timer))
    });
    let names: Vec<&str> = sources.iter().map(|source| &*source.name).collect();
    let begun = archive.begin_run(task.command(), clock.now(), &names).map_err(broken)?;
    let mut sources = ActiveSource::all(sources, begun.sources, clock);
    let mut tally = Tally::default();
    for source in &mut sources {
        source.habits = archive.load_habits(&source.name).map_err(broken)?;
        tally.of(source.id).habits = source.habits;
    }
    let run = Run { id: begun.id, task, sources: &sources, clock, cancel, end: &end };
    let mut reports = match run.attempt(archive, &mut tally, watch).await {
        Ok(reports) => reports,
        Err(Stop::Failed(failure)) => {
            // The archive is sound: without an ending the run would look as if it had been killed.
            let ending = Ending { outcome: "incomplete", exit_code: failure.kind.exit_code() };
            let ends = sources.iter().map(|source| (source.id, ending)).collect();
            let endings = Endings { run: ending, sources: ends };
            archive.end_run(begun.id, clock.now(), &tally, &endings).map_err(broken)?;
            return Err(failure);
        }
        Err(stop) => return Err(stop.into_failure(&path)),
    };
    if let Some(standing) = Standing::of(&sources) {
        note_standing(&standing, &mut tally);
    }
    for (source, report) in sources.iter().zip(&mut reports) {
        report.counts = tally.of(source.id).counts;
    }
    let report = RunReport { run: run.id, sources: reports };
    let ends =
        sources.iter().zip(&report.sources).map(|(source, report)| (source.id, report.ending()));
    let ended_at =
        Standing::of(&sources).map_or_else(|| clock.now(), |standing| standing.now.later());
    let endings = Endings { run: report.ending(), sources: ends.collect() };
    archive.end_run(run.id, ended_at, &tally, &endings).map_err(broken)?;
    Ok(report)
}

/// A run that goes on.
struct Run<'r, S> {
    id: RunId,
    task: Task,
    sources: &'r [ActiveSource<S>],
    clock: &'r Clock,
    /// Cancelled by whoever wants it to stop.
    cancel: &'r CancellationToken,
    /// Cancelled with that, and when its time is over.
    end: &'r CancellationToken,
}

/// What came of the work of a run.
struct Fetched<'r, S> {
    /// The sources that were made ready.
    prepared: HashMap<SourceId, Prepared<'r, S>>,
    walked: HashMap<FunctionId, Walked>,
    verified: Vec<Comparison>,
}

impl<'r, S: Source> Run<'r, S> {
    /// The report of each source, in their order.
    async fn attempt(
        &self,
        archive: &mut Archive,
        tally: &mut Tally,
        watch: &mut dyn Watch,
    ) -> Result<Vec<SourceReport>, Stop> {
        let Fetched { mut prepared, mut walked, verified } =
            self.fetch(archive, tally, watch).await?;
        let mut reports = Vec::with_capacity(self.sources.len());
        for source in self.sources {
            let one = prepared.remove(&source.id).unwrap_or_else(|| Prepared::nothing(source));
            reports.push(self.conclude(archive, one, &mut walked, &verified).await?);
        }
        Ok(reports)
    }

    /// Makes the sources ready and does their work.
    async fn fetch(
        &self,
        archive: &mut Archive,
        tally: &mut Tally,
        watch: &mut dyn Watch,
    ) -> Result<Fetched<'r, S>, Stop> {
        let archive = SharedArchive::new(archive);
        let preparation = Preparation::new(&archive, self.sources, self.task)?;
        let committer = Committer::new(&archive, self.id, tally);
        let mut fetching = Fetching::new(self.sources, committer, self.end, watch);
        let (prepared, walked) = fetching.fetch(preparation.all(self.sources)).await?;
        let verified = verification::conclude(&mut fetching, &prepared).await?;
        fetching.finish(&verified)?;
        let prepared = prepared.into_iter().map(|one| (one.source.id, one)).collect();
        Ok(Fetched { prepared, walked, verified })
    }

    /// Concludes what came of a source, and notes what the next run has to know of it.
    async fn conclude(
        &self,
        archive: &mut Archive,
        prepared: Prepared<'_, S>,
        walked: &mut HashMap<FunctionId, Walked>,
        verified: &[Comparison],
    ) -> Result<SourceReport, StoreError> {
        let Prepared { source, is_known, refusal, mut resolved, looked, jobs, .. } = prepared;
        let requester = &source.requester;
        if matches!(self.task, Task::Sync { .. }) && !requester.now().is_agreed() {
            // Before the first page, the machine's clock was all that was known.
            targets::note_horizons(archive, &jobs, requester.now())?;
        }
        let cleared = clear_doubts(archive, source, &jobs, verified)?;
        save_forms(archive, source, &jobs).await?;
        save_listed(archive, &resolved, &jobs)?;
        let is_sure = requester.knows_service_time() && requester.now().is_agreed();
        let ahead = if is_sure { HashMap::new() } else { self.note_ahead(archive, source, &jobs)? };
        let mut report = |job: &FunctionJob| {
            let walked = walked.remove(&job.id).unwrap_or_default();
            let mut report = FunctionReport::of(job, requester.began_at(), walked);
            if !is_sure && !cleared.contains(&job.id) {
                report.ledger_ahead = report.ledger_ahead.or(job.doubted.map(Interval::end));
            }
            report.ledger_ahead = report.ledger_ahead.max(ahead.get(&job.id).copied());
            report
        };
        let mut functions: Vec<FunctionReport> = jobs.iter().map(&mut report).collect();
        absence::conclude(
            archive,
            self.id,
            requester.now().earlier(),
            &mut resolved,
            &mut functions,
        )?;
        for report in &mut functions {
            report.lost.extend(looked.lost.get(&report.urn).into_iter().flatten());
        }
        functions.extend(looked.reports);
        let ids: HashSet<FunctionId> = jobs.iter().map(|job| job.id).collect();
        let is_of_source = |comparison: &&Comparison| ids.contains(&comparison.function);
        Ok(SourceReport {
            name: source.name.clone(),
            began_at: requester.began_at(),
            functions,
            verified: verified.iter().filter(is_of_source).cloned().collect(),
            list: resolved.list,
            refusal: refusal.or_else(|| requester.refusal()),
            is_down: requester.was_down(),
            is_prepared: is_known,
            stopped: self.stopped(),
            is_verification: matches!(self.task, Task::Verify(_)),
            counts: Counts::default(),
        })
    }

    /// Why the run ends before it is done, if it does.
    fn stopped(&self) -> Option<Stopped> {
        if self.cancel.is_cancelled() {
            Some(Stopped::Interrupted)
        } else {
            self.end.is_cancelled().then_some(Stopped::OutOfTime)
        }
    }

    /// Notes until when ledgers claim what has not come by the machine's clock as it stands now. It
    /// was set back during the run: what it said at the start was believed until here, where the
    /// service does not say that it was right.
    fn note_ahead(
        &self,
        archive: &mut Archive,
        source: &ActiveSource<S>,
        jobs: &[FunctionJob],
    ) -> Result<HashMap<FunctionId, Timestamp>, StoreError> {
        let at_end = self.clock.now();
        let mut ahead = HashMap::new();
        if at_end + TOLERANCE >= source.requester.now().earlier() {
            return Ok(ahead);
        }
        let mut doubts = Vec::new();
        for job in jobs {
            let end = archive.load_ledger(job.id)?.last().map(|last| last.window.end());
            let doubted = end.and_then(|end| ledger::doubted(end, at_end.into()));
            doubts.extend(doubted.map(|doubted| (job.id, doubted)));
            ahead.extend(doubted.map(|doubted| (job.id, doubted.end())));
        }
        if !doubts.is_empty() {
            archive.save_doubts(&doubts, source.settings.settle_delay)?;
        }
        Ok(ahead)
    }
}

/// Notes which ledgers are doubted no more, since what was doubted was walked again.
fn clear_doubts<S: Source>(
    archive: &mut Archive,
    source: &ActiveSource<S>,
    jobs: &[FunctionJob],
    verified: &[Comparison],
) -> Result<Vec<FunctionId>, StoreError> {
    let (settle_delay, now) = (source.settings.settle_delay, source.requester.began_at());
    let is_cleared = |job: &&FunctionJob| {
        let of_function = verified.iter().filter(|comparison| comparison.function == job.id);
        let walked = of_function.map(|comparison| comparison.window).collect();
        job.is_cleared(&walked, settle_delay, now)
    };
    let cleared: Vec<FunctionId> = jobs.iter().filter(is_cleared).map(|job| job.id).collect();
    if !cleared.is_empty() {
        archive.clear_doubts(&cleared)?;
    }
    Ok(cleared)
}

/// Remembers which versions and aliases the list held for the first time.
fn save_listed(
    archive: &mut Archive,
    resolved: &Resolved,
    jobs: &[FunctionJob],
) -> Result<(), StoreError> {
    let listed = resolved.choices.iter().filter(|choice| choice.is_first_listed);
    let listed: HashSet<&FunctionUrn> = listed.map(|choice| &choice.urn).collect();
    let listed: Vec<FunctionId> =
        jobs.iter().filter(|job| listed.contains(&job.urn)).map(|job| job.id).collect();
    if listed.is_empty() { Ok(()) } else { archive.save_listed(&listed) }
}

/// Remembers in which form of its URN each function was answered, where that is not known yet.
async fn save_forms<S: Source>(
    archive: &mut Archive,
    source: &ActiveSource<S>,
    jobs: &[FunctionJob],
) -> Result<(), StoreError> {
    let remembered: HashMap<FunctionId, String> = archive.load_forms()?.into_iter().collect();
    let mut news = Vec::new();
    for job in jobs {
        let answered = source.requester.answered_form(&job.urn).await;
        let is_new = |urn: &FunctionUrn| remembered.get(&job.id) != Some(&urn.as_given());
        news.extend(answered.filter(is_new).map(|urn| (job.id, urn)));
    }
    if news.is_empty() { Ok(()) } else { archive.save_forms(&news) }
}
