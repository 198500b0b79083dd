//! The functions of a run with what their ledgers say, once it is known what time it is.

use super::job::{FunctionJob, done};
use super::settings::{Settings, Task};
use super::shared::SharedArchive;
use super::source::ActiveSource;
use super::stop::Stop;
use super::verification;
use crate::api::CallFailure;
use crate::domain::{FunctionUrn, IntervalSet, Marker, PageQuery, Timestamp};
use crate::plan::clocks::{Moment, TOLERANCE};
use crate::plan::horizon::Scope;
use crate::plan::ledger::{self, Entry};
use crate::plan::schedule::Work;
use crate::plan::windows;
use crate::requester::{Requester, Source};
use crate::store::file::{Archive, StoreError};
use crate::store::sql::{FunctionId, SourceId};
use crate::store::write::{Packed, Registered, RunFunction, SeenPage};
use std::sync::Arc;
use std::time::Duration;

/// How far back a record is looked for whose answer tells the time.
const ANY_RECORD_OF: Duration = Duration::from_hours(1);

/// How many functions are asked for it, where the service refuses to list the first.
const MOST_ASKED_FOR_TIME: usize = 3;

/// The functions of a source that has something to do for them.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) jobs: Vec<FunctionJob>,
    /// All functions, as the writer has to know them.
    pub(super) functions: Vec<(FunctionId, RunFunction)>,
    /// What was shown when the service was asked for its time.
    pub(super) page: Option<SeenPage>,
}

/// What is known of the functions of a source.
pub(super) async fn load<S: Source>(
    archive: &SharedArchive<'_>,
    source: &ActiveSource<S>,
    urns: &[FunctionUrn],
    task: Task,
) -> Result<Loaded, Stop> {
    let ActiveSource { id: source_id, requester, settings, .. } = source;
    if matches!(task, Task::Verify(_)) {
        let jobs = archive
            .with(|archive| verification::load_jobs(archive, urns, requester.now().later()))?;
        let known = |job: &FunctionJob| (job.id, known(*source_id, &job.ledger, false));
        let functions = jobs.iter().map(known).collect();
        return Ok(Loaded { jobs, functions, page: None });
    }
    let mut found = archive.with(|archive| load_found(archive, urns, requester.now()))?;
    let page = learn_time(requester, &found, settings).await.map_err(Stop::Refused)?;
    archive.with(|archive| take_back_the_future(archive, &mut found, settings, requester))?;
    let of_writer =
        |it: &Found| (it.registered.id, known(*source_id, &it.ledger, it.registered.is_new));
    let functions = found.iter().map(of_writer).collect();
    let jobs = to_jobs(found, settings, requester.now());
    archive.with(|archive| note_horizons(archive, &jobs, requester.now()))?;
    Ok(Loaded { jobs, functions, page })
}

fn known(source: SourceId, ledger: &Arc<[Entry]>, is_new: bool) -> RunFunction {
    RunFunction { source, ledger: Arc::clone(ledger), is_new }
}

/// Notes what the run has to answer for of each function, as far as the clocks are known.
pub(super) fn note_horizons(
    archive: &mut Archive,
    jobs: &[FunctionJob],
    now: Moment,
) -> Result<(), StoreError> {
    let due = jobs.iter().filter_map(|job| Some((job.id, job.scope.due(now)?)));
    archive.save_horizons(&due.collect::<Vec<_>>(), now.earlier() + TOLERANCE)
}

/// A function of the run and what its ledger says.
#[derive(Debug)]
struct Found {
    urn: FunctionUrn,
    registered: Registered,
    ledger: Arc<[Entry]>,
    ledger_end: Option<Timestamp>,
    pruned: IntervalSet,
}

impl Found {
    fn scope(&self, settings: &Settings, now: Moment) -> Scope {
        scope(&self.ledger, self.registered.horizon_begin, settings, now)
    }
}

/// What of a function is to be archived, of which earlier runs set out to archive what comes after
/// `horizon_begin`.
///
/// No window begins before that, so a ledger that says so is damaged, and is not to be taken at its
/// word: what is noted would follow the damage, and nobody could tell it any more.
pub(super) fn scope(
    ledger: &[Entry],
    horizon_begin: Option<Timestamp>,
    settings: &Settings,
    now: Moment,
) -> Scope {
    let walked_from = ledger.first().map(|first| first.window.begin());
    // By a clock that was ahead, a run may have set out to archive what is yet to come.
    let set_out_from = horizon_begin.filter(|&begin| begin < now.earlier());
    let archived_from = set_out_from.or(walked_from);
    Scope {
        archived_from,
        since: settings.since,
        until: settings.until,
        first_reach: settings.first_reach,
    }
}

fn load_found(
    archive: &mut Archive,
    urns: &[FunctionUrn],
    now: Moment,
) -> Result<Vec<Found>, StoreError> {
    let registered = archive.register(urns, now)?;
    let known = registered.into_iter().map(|registered| {
        let ledger: Arc<[Entry]> = archive.load_ledger(registered.id)?.into();
        let ledger_end = ledger.last().map(|last| last.window.end());
        let pruned = archive.load_pruned(registered.id)?;
        let urn = registered.urn.clone();
        Ok(Found { urn, registered, ledger, ledger_end, pruned })
    });
    known.collect()
}

/// Asks the service for a record, and so for its time, where that is not known and the machine's
/// clock leaves nothing to ask of a function, or its ledger ends after that clock: every run asks
/// the service, whatever the ledger says.
async fn learn_time<S: Source>(
    requester: &Requester<S>,
    known: &[Found],
    settings: &Settings,
) -> Result<Option<SeenPage>, CallFailure> {
    let now = requester.now();
    let is_doubtful = |function: &Found| {
        let horizon = function.scope(settings, now).horizon(now);
        let is_ahead = function.ledger_end.is_some_and(|end| end > now.earlier() + TOLERANCE);
        is_ahead
            || horizon
                .is_none_or(|horizon| windows::pending(horizon, &done(&function.ledger)).is_empty())
    };
    if requester.knows_service_time() {
        return Ok(None);
    }
    let end = settings.until.map_or(now.later(), |until| until.min(now.later()));
    let query = PageQuery { begin: end - ANY_RECORD_OF, end, marker: Marker(0), limit: 1 };
    for function in known.iter().filter(|function| is_doubtful(function)).take(MOST_ASKED_FOR_TIME)
    {
        match requester.list(&function.urn, query).await {
            Ok((page, seen_at)) => {
                let (id, records) = (function.registered.id, Packed::of(&page.records));
                return Ok(Some(SeenPage { function: id, records, seen_at }));
            }
            Err(failure) if requester.refusal().is_some() || failure.is_temporary() => {
                return Err(failure);
            }
            Err(failure) => tracing::debug!(
                function = function.urn.full_name(),
                "does not tell the time: {failure}"
            ),
        }
    }
    Ok(None)
}

/// Takes back what the ledgers claim of time that by both clocks has not come: it was claimed by
/// clocks that were ahead, nobody knows since when. It is walked again. Where the clocks disagree,
/// or only one is known, that one may merely be set back: what is claimed stands, and is noted as
/// doubted.
fn take_back_the_future<S: Source>(
    archive: &mut Archive,
    known: &mut [Found],
    settings: &Settings,
    requester: &Requester<S>,
) -> Result<(), StoreError> {
    let now = requester.now();
    if !(requester.knows_service_time() && now.is_agreed()) {
        return note_doubts(archive, known, settings, now);
    }
    let present = now.later() + TOLERANCE;
    for function in
        known.iter_mut().filter(|function| function.ledger_end.is_some_and(|end| end > present))
    {
        let from = archive.take_back(function.registered.id, present, settings.settle_delay)?;
        tracing::warn!(
            function = function.urn.full_name(),
            "its ledger claimed time that has not come yet: what it says from {from} on is taken \
             back and walked again"
        );
        function.ledger = archive.load_ledger(function.registered.id)?.into();
    }
    Ok(())
}

fn note_doubts(
    archive: &mut Archive,
    known: &[Found],
    settings: &Settings,
    now: Moment,
) -> Result<(), StoreError> {
    let doubted = |function: &Found| {
        Some((function.registered.id, ledger::doubted(function.ledger_end?, now)?))
    };
    let doubts: Vec<_> = known.iter().filter_map(doubted).collect();
    if doubts.is_empty() { Ok(()) } else { archive.save_doubts(&doubts, settings.settle_delay) }
}

fn to_jobs(found: Vec<Found>, settings: &Settings, now: Moment) -> Vec<FunctionJob> {
    let job = |function: Found| {
        let scope = function.scope(settings, now);
        let Found { urn, registered, ledger, ledger_end, pruned } = function;
        let Registered { id, first_seen_at: first_run_at, doubted, .. } = registered;
        let ledger_begin = ledger.first().map(|first| first.window.begin());
        let horizon = scope.asked(ledger_begin, now)?;
        Some(FunctionJob {
            id,
            urn,
            first_run_at,
            ledger,
            ledger_end,
            doubted,
            pruned,
            scope,
            horizon,
            work: Work::default(),
        })
    };
    found.into_iter().filter_map(job).collect()
}
