//! One run, from its beginning to its report.

use super::absence::{self, Looked};
use super::committer::{Committer, note_sent};
use super::discovery::{self, Resolved};
use super::fetch::fetch_all;
use super::planning::plan;
use super::report::{FunctionReport, RunReport};
use super::settings::{Settings, Task};
use super::stop::Stop;
use super::target::Target;
use super::watch::Watch;
use super::{targets, verification};
use crate::api::CallFailure;
use crate::clock::Clock;
use crate::domain::FunctionUrn;
use crate::error::Failure;
use crate::plan::functions::{Known, Part};
use crate::requester::{ListReport, Requester, Source};
use crate::store::file::{Archive, StoreError};
use crate::store::sql::{FunctionId, RunId};
use crate::store::write::{Batch, Comparison, Tally};
use std::collections::HashMap;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

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
    let requester = Arc::new(Requester::new(source, clock.clone(), settings.politeness()));
    let mut tally = Tally { habits: archive.load_habits().map_err(broken)?, ..Tally::default() };
    let run = archive.begin_run(settings.task.command(), clock.now()).map_err(broken)?;
    let result = attempt(archive, &requester, settings, run, &mut tally, cancel, watch).await;
    note_sent(&requester, &mut tally);
    let done = match result {
        Ok(done) => done,
        Err(Stop::Refused(failure)) => Done { refusal: Some(failure), ..Done::default() },
        Err(Stop::Archive(error)) => return Err(broken(error)),
    };
    let refusal = done.refusal.or_else(|| requester.refusal());
    let Done { functions, verified, list, .. } = done;
    let (task, interrupted, is_down) = (settings.task, cancel.is_cancelled(), requester.was_down());
    let began_at = requester.began_at();
    let report = RunReport { task, run, began_at, functions, verified, list, refusal, is_down, interrupted, tally };
    archive.end_run(run, requester.now().later(), &report.tally, report.ending()).map_err(broken)?;
    Ok(report)
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
    requester: &Arc<Requester<S>>,
    settings: &Settings,
    run: RunId,
    tally: &mut Tally,
    cancel: &CancellationToken,
    watch: &mut dyn Watch,
) -> Result<Done, Stop> {
    let known = archive.load_known()?;
    let found = tokio::select! {
        found = find(archive, &known, requester, settings) => found?,
        () = cancel.cancelled() => return Ok(Done::default()),
    };
    let (mut resolved, looked) = found;
    let urns: Vec<FunctionUrn> = resolved.choices.iter().map(|choice| choice.urn.clone()).collect();
    let mut batch = Batch::default();
    let targets = tokio::select! {
        targets = targets::load(archive, requester, &urns, settings, &mut batch) => targets?,
        () = cancel.cancelled() => return Ok(Done::default()),
    };
    if let Some(list) = &resolved.list {
        tally.functions_unreadable = list.unreadable;
        batch.rejects.extend(list.rejects.iter().map(|reject| (None, reject.clone())));
    }
    let jobs = plan(archive, requester.now(), &targets, settings, tally.habits)?;
    let mut committer = Committer::new(archive, run, &targets, tally, batch);
    let walked = fetch_all(&mut committer, requester, jobs, settings.concurrency, cancel, watch).await?;
    let verified = tokio::select! {
        biased;
        () = cancel.cancelled() => Vec::new(),
        verified = verification::conclude(&mut committer, requester, &targets, settings.concurrency) => verified?,
    };
    committer.finish(requester, &verified)?;
    if matches!(settings.task, Task::Sync) && !requester.now().is_agreed() {
        // Before the first page, the machine's clock was all that was known.
        targets::note_horizons(archive, &targets, requester.now())?;
    }
    save_forms(archive, requester, &targets).await?;
    let report = |(target, walked): (&Target, _)| FunctionReport::of(target, requester.began_at(), walked);
    let mut functions: Vec<FunctionReport> = targets.iter().zip(walked).map(report).collect();
    absence::conclude(archive, run, requester.now().earlier(), &mut resolved, &targets, &mut functions)?;
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
    requester: &Requester<S>,
    settings: &Settings,
) -> Result<(Resolved, Looked), Stop> {
    let all: Vec<Known> = known.iter().map(|(_, known)| known.clone()).collect();
    let mut resolved = discovery::resolve(&all, requester, settings).await.map_err(Stop::Refused)?;
    if matches!(settings.task, Task::Verify(_)) {
        // What is gone cannot be verified, and is not looked for.
        resolved
            .choices
            .iter_mut()
            .filter(|choice| choice.part == Part::Look)
            .for_each(|choice| choice.part = Part::Rest);
    }
    let looked = absence::look_for(archive, known, requester, &mut resolved).await?;
    Ok((resolved, looked))
}

/// Remembers in which form of its URN each function was answered, where that is not known yet.
async fn save_forms<S: Source>(
    archive: &mut Archive,
    requester: &Requester<S>,
    targets: &[Target],
) -> Result<(), StoreError> {
    let remembered: HashMap<FunctionId, String> = archive.load_forms()?.into_iter().collect();
    let mut news = Vec::new();
    for target in targets {
        let answered = requester.answered_form(&target.urn).await;
        let is_new = |urn: &FunctionUrn| remembered.get(&target.id) != Some(&urn.as_given());
        news.extend(answered.filter(is_new).map(|urn| (target.id, urn)));
    }
    if news.is_empty() { Ok(()) } else { archive.save_forms(&news) }
}
