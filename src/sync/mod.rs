//! The shell of a run: asks `plan` what to do, calls the service, commits to the archive. It has no rule of its own.
//!
//! Functions are fetched side by side in tasks; what they bring flows through one bounded channel into the one loop
//! that owns the archive. That loop runs on the thread that called [`run`], so a commit blocks no fetch.

mod absence;
mod asker;
mod beside;
mod committer;
mod delivery;
mod discovery;
mod doctor;
mod forms;
mod function;
mod line;
mod lookup;
mod piece;
mod preview;
mod report;
mod settings;
mod source;
mod targets;
mod verification;
mod walked;
mod walker;

pub use crate::plan::probe::{Finding, Verdict};
pub use discovery::{ListProblem, ListReport};
pub use doctor::{Checkup, examine};
pub use preview::{Preview, preview, to_failure};
pub use report::{FunctionReport, Gone, RunReport};
pub use settings::{PAGE_LIMIT, Settings, Task};
pub use source::Source;
pub use verification::Selection;

use crate::api::CallFailure;
use crate::clock::Clock;
use crate::domain::{FunctionUrn, Interval, IntervalSet, Timestamp};
use crate::error::Failure;
use crate::plan::clocks::Moment;
use crate::plan::emptiness::{self, Emptiness};
use crate::plan::functions::{Known, Part};
use crate::plan::horizon::Scope;
use crate::plan::ledger::Entry;
use crate::plan::paging::Habits;
use crate::plan::reach::Promise;
use crate::plan::{failing, refresh, windows};
use crate::store::file::{Archive, StoreError};
use crate::store::sql::{FunctionId, RunId};
use crate::store::write::{Batch, Comparison, Tally};
use absence::Looked;
use asker::{Asker, Witnesses};
use beside::Questions;
use committer::Committer;
use delivery::{MOST_IN_HAND, Outbox};
use discovery::Resolved;
use function::Job;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use walked::Walked;

/// How much may wait for the committing loop, so that fetching goes on during a commit: more than the pages for which there is
/// memory, since that is bounded by what they hold.
const MOST_IN_LINE: usize = 4_096;

/// How many places in line the windows of one lane keep busy where the service is slow: about half of the pages of a window
/// come in one round trip, and the first of them comes alone.
const PLACES_A_LANE: usize = 2;

/// Tells whoever watches how a run comes along.
pub trait Watch: Send {
    /// Called after every page, with what was done so far.
    fn progress(&mut self, tally: &Tally);
}

/// Watches nothing.
#[derive(Clone, Copy, Debug)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn progress(&mut self, _tally: &Tally) {}
}

/// What a function is about to have done, with what is known of it.
#[derive(Debug)]
struct Target {
    id: FunctionId,
    urn: FunctionUrn,
    first_run_at: Timestamp,
    /// Whether this run is the first to know of it.
    is_new: bool,
    ledger: Arc<[Entry]>,
    /// Until when the run found its ledger to reach.
    ledger_end: Option<Timestamp>,
    scope: Scope,
    horizon: Interval,
}

/// Does one run in an archive that is already locked.
///
/// The report says how it ended; an error is a failure of the archive, or one before anything was asked.
pub async fn run<S: Source>(
    archive: &mut Archive,
    source: S,
    settings: &Settings,
    clock: &Clock,
    cancel: &CancellationToken,
    watch: &mut dyn Watch,
) -> Result<RunReport, Failure> {
    let path = archive.path().to_owned();
    let broken = |error: StoreError| error.into_failure(&path);
    let asker = Arc::new(Asker::new(source, clock.clone(), settings));
    let mut tally = Tally { habits: archive.load_habits().map_err(broken)?, ..Tally::default() };
    let run = archive.begin_run(settings.task.command(), clock.now()).map_err(broken)?;
    let result = attempt(archive, &asker, settings, run, &mut tally, cancel, watch).await;
    asker.report_to(&mut tally);
    let done = match result {
        Ok(done) => done,
        Err(Stop::Refused(failure)) => Done { refusal: Some(failure), ..Done::default() },
        Err(Stop::Archive(error)) => return Err(broken(error)),
    };
    let refusal = done.refusal.or_else(|| asker.refusal());
    let Done { functions, verified, list, .. } = done;
    let (task, interrupted, is_down) = (settings.task, cancel.is_cancelled(), asker.was_down());
    let began_at = asker.began_at();
    let report = RunReport { task, run, began_at, functions, verified, list, refusal, is_down, interrupted, tally };
    archive.end_run(run, asker.now().later(), &report.tally, report.ending()).map_err(broken)?;
    Ok(report)
}

/// What ends a run as a whole.
enum Stop {
    Refused(CallFailure),
    Archive(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Archive(error)
    }
}

/// What a run came to.
#[derive(Debug, Default)]
struct Done {
    functions: Vec<FunctionReport>,
    verified: Vec<Comparison>,
    list: Option<ListReport>,
    refusal: Option<CallFailure>,
}

async fn attempt<S: Source>(
    archive: &mut Archive,
    asker: &Arc<Asker<S>>,
    settings: &Settings,
    run: RunId,
    tally: &mut Tally,
    cancel: &CancellationToken,
    watch: &mut dyn Watch,
) -> Result<Done, Stop> {
    let known = archive.load_known()?;
    let found = tokio::select! {
        found = find(archive, &known, asker, settings) => found?,
        () = cancel.cancelled() => return Ok(Done::default()),
    };
    let (mut resolved, looked) = found;
    let urns: Vec<FunctionUrn> = resolved.choices.iter().map(|choice| choice.urn.clone()).collect();
    let mut batch = Batch::default();
    let targets = tokio::select! {
        targets = targets::load(archive, asker, &urns, settings, &mut batch) => targets?,
        () = cancel.cancelled() => return Ok(Done::default()),
    };
    if let Some(list) = &resolved.list {
        tally.functions_unreadable = list.unreadable;
        batch.rejects.extend(list.rejects.iter().map(|reject| (None, reject.clone())));
    }
    let jobs = plan(archive, asker.now(), &targets, settings, tally.habits)?;
    let mut committer = Committer::new(archive, run, &targets, tally, batch);
    let walked = fetch_all(&mut committer, asker, jobs, settings.concurrency, cancel, watch).await?;
    let verified = tokio::select! {
        biased;
        () = cancel.cancelled() => Vec::new(),
        verified = verification::conclude(&mut committer, asker, &targets, settings.concurrency) => verified?,
    };
    committer.finish(asker, &verified)?;
    if matches!(settings.task, Task::Sync) && !asker.now().is_agreed() {
        // Before the first page, the machine's clock was all that was known.
        targets::note_horizons(archive, &targets, asker.now())?;
    }
    save_forms(archive, asker, &targets).await?;
    let report = |(target, walked): (&Target, _)| FunctionReport::of(target, asker.began_at(), walked);
    let mut functions: Vec<FunctionReport> = targets.iter().zip(walked).map(report).collect();
    absence::conclude(archive, run, asker.now().earlier(), &mut resolved, &targets, &mut functions)?;
    for report in &mut functions {
        report.lost.extend(looked.lost.get(&report.urn).into_iter().flatten());
    }
    functions.extend(looked.reports);
    Ok(Done { functions, verified, list: resolved.list, refusal: None })
}

/// The functions that the run is about, and what became of those that were gone.
async fn find<S: Source>(
    archive: &mut Archive,
    known: &[(FunctionId, Known)],
    asker: &Asker<S>,
    settings: &Settings,
) -> Result<(Resolved, Looked), Stop> {
    let all: Vec<Known> = known.iter().map(|(_, known)| known.clone()).collect();
    let mut resolved = discovery::resolve(&all, asker, settings).await.map_err(Stop::Refused)?;
    if matches!(settings.task, Task::Verify(_)) {
        // What is gone cannot be verified, and is not looked for.
        resolved
            .choices
            .iter_mut()
            .filter(|choice| choice.part == Part::Look)
            .for_each(|choice| choice.part = Part::Rest);
    }
    let looked = absence::look_for(archive, known, asker, &mut resolved).await?;
    Ok((resolved, looked))
}

/// Remembers in which form of its URN each function was answered, where that is not known yet.
async fn save_forms<S: Source>(archive: &mut Archive, asker: &Asker<S>, targets: &[Target]) -> Result<(), StoreError> {
    let remembered: HashMap<FunctionId, String> = archive.load_forms()?.into_iter().collect();
    let mut news = Vec::new();
    for target in targets {
        let answered = asker.answered_form(&target.urn).await;
        let is_new = |urn: &FunctionUrn| remembered.get(&target.id) != Some(&urn.as_given());
        news.extend(answered.filter(is_new).map(|urn| (target.id, urn)));
    }
    if news.is_empty() { Ok(()) } else { archive.save_forms(&news) }
}

/// What there is to do.
fn plan(
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
            Task::Sync => plan_job(archive, target, settings, habits, now)?,
            Task::Verify(selection) => verification::plan_job(target, selection, settings, habits, &mut draws),
        });
    }
    let lanes = (settings.concurrency / PLACES_A_LANE).div_ceil(jobs.len().max(1));
    for job in &mut jobs {
        job.lanes = lanes;
    }
    if matches!(settings.task, Task::Sync) {
        verification::plan_share(archive, targets, &mut jobs, settings.verify_share, now.earlier())?;
    }
    Ok(jobs)
}

/// What is pending of a function, and which of its open records are due and will not be shown by a walk anyway.
fn plan_job(
    archive: &Archive,
    target: &Target,
    settings: &Settings,
    habits: Habits,
    now: Moment,
) -> Result<Job, StoreError> {
    // What waits for a second look is left to later runs, but for one range.
    let later = emptiness::deferred(&target.ledger, target.first_run_at);
    let done: IntervalSet = targets::done(&target.ledger).iter().chain(later).collect();
    let pending = windows::pending(target.horizon, &done);
    let emptiness = Emptiness::of(&target.ledger, target.first_run_at);
    let promise = Promise::of(&target.ledger, target.first_run_at, now);
    // Whether the service reaches back to what is pending is in doubt only after an outage; then one request tells.
    let reach_probe = match promise.doubtful(&emptiness.unseen(&pending), now) {
        Some(range) => archive.load_reach_probe(target.id, range.begin())?,
        None => None,
    };
    let walked: IntervalSet = pending.iter().copied().collect();
    let (old, open): (Vec<_>, Vec<_>) =
        archive.load_open(target.id)?.into_iter().partition(|record| refresh::is_given_up(record, now.earlier()));
    let due = open
        .into_iter()
        .filter(|record| {
            !(record.start_is_known && walked.range_at(record.opened_at).is_some())
                && refresh::is_due(record, now.earlier(), settings.open_recheck)
        })
        .collect();
    let (pending, again) = failing::set_aside(&pending, &target.ledger);
    let refreshes = refresh::choose(due, target.horizon, PAGE_LIMIT, |hour| archive.count_started(target.id, hour))?;
    Ok(Job {
        urn: target.urn.clone(),
        pending,
        scope: Some((target.scope, done)),
        again,
        refreshes,
        old,
        settle_delay: settings.settle_delay,
        habits,
        promise,
        emptiness,
        lanes: 1,
        verify: Vec::new(),
        must_verify: false,
        reach_probe,
        beside: Questions::plan(archive, target.id, now.earlier())?,
    })
}

/// Runs the jobs, a few at once, and commits what they bring until all are done.
async fn fetch_all<S: Source>(
    committer: &mut Committer<'_>,
    asker: &Arc<Asker<S>>,
    mut jobs: VecDeque<Job>,
    at_once: usize,
    cancel: &CancellationToken,
    watch: &mut dyn Watch,
) -> Result<Vec<Walked>, StoreError> {
    let (sender, mut receiver) = mpsc::channel(MOST_IN_LINE);
    let room = Arc::new(Semaphore::new(MOST_IN_HAND as usize));
    let outbox = |function| Outbox { function, sender: sender.clone(), room: Arc::clone(&room) };
    let witnesses = jobs.iter().enumerate().map(|(function, job)| (job.urn.clone(), Some(outbox(function))));
    asker.call_on(Witnesses::Functions(witnesses.collect()));
    let mut walked = vec![Walked::default(); jobs.len()];
    let mut next = 0;
    let mut tasks = JoinSet::new();
    while !(tasks.is_empty() && jobs.is_empty()) {
        while tasks.len() < at_once
            && let Some(job) = jobs.pop_front()
        {
            let (asker, index, outbox) = (Arc::clone(asker), next, outbox(next));
            tasks.spawn(async move { (index, function::work(asker, job, outbox).await) });
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
            () = committer.is_due() => committer.commit(asker)?,
            () = asker.is_down() => break,
            Some(done) = tasks.join_next() => match done {
                Ok((index, result)) => walked[index] = result,
                // Its function stays unfinished in the report, so that the run ends incomplete.
                Err(broken) => tracing::error!("a function's task broke off: {broken}"),
            },
            else => break,
        }
        if committer.is_full() {
            committer.commit(asker)?;
        }
    }
    tasks.abort_all();
    while let Ok((function, delivery)) = receiver.try_recv() {
        committer.take(function, delivery);
    }
    Ok(walked)
}
