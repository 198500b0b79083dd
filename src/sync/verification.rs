//! Walking settled windows again: which ones, and whether what they no longer show is really gone.

use super::committer::Begun;
use super::fetch::{Fetching, ReadySource};
use super::job::FunctionJob;
use super::message::MessageSender;
use super::prepared::Prepared;
use super::settings::{Selection, Settings};
use super::stop::Stop;
use crate::domain::{FunctionUrn, Interval, RequestId, Timestamp};
use crate::plan::horizon::Scope;
use crate::plan::paging::Habits;
use crate::plan::refresh::around_ended;
use crate::plan::schedule::Work;
use crate::plan::verify::{self, Candidate};
use crate::requester::{Requester, Source};
use crate::store::file::{Archive, StoreError};
use crate::store::sql::FunctionId;
use crate::store::write::{Comparison, Suspect};
use futures_util::stream;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The functions that are archived and meant, but for those that are gone.
pub(super) fn load_jobs(
    archive: &Archive,
    meant: &[FunctionUrn],
    now: Timestamp,
) -> Result<Vec<FunctionJob>, StoreError> {
    let meant: HashSet<&FunctionUrn> = meant.iter().collect();
    let archived = archive.load_known()?.into_iter().filter(|(_, known)| known.gone_at.is_none());
    let meant = archived.filter(|(_, known)| meant.contains(&known.urn));
    let mut jobs = Vec::new();
    for (id, known) in meant {
        let urn = known.urn;
        let ledger: Arc<[_]> = archive.load_ledger(id)?.into();
        let begin = ledger.first().map(|first| first.window.begin());
        if let Some(horizon) = begin.and_then(|begin| Interval::new(begin, now)) {
            let scope = Scope::default();
            let (first_run_at, ledger_end, work) = (begin.unwrap_or(now), None, Work::default());
            jobs.push(FunctionJob {
                id,
                urn,
                first_run_at,
                ledger,
                ledger_end,
                doubted: None,
                pruned: archive.load_pruned(id)?,
                scope,
                horizon,
                work,
            });
        }
    }
    Ok(jobs)
}

/// Work that verifies what was selected, and does nothing else.
pub(super) fn plan(
    job: &FunctionJob,
    selection: Selection,
    settings: &Settings,
    habits: Habits,
    draws: &mut fastrand::Rng,
) -> Work {
    let (begin, end) = (job.horizon.begin(), job.horizon.end());
    let range = Interval::new(
        selection.since.map_or(begin, |since| since.max(begin)),
        selection.until.map_or(end, |until| until.min(end)),
    );
    let ledger = job.comparable();
    let windows = |range| match selection.sample {
        Some(windows) => verify::sample(&ledger, range, windows, |below| draws.u64(..below)),
        None => verify::settled_in(&ledger, range),
    };
    Work {
        settle_delay: settings.settle_delay,
        habits,
        verify: range.map_or_else(Vec::new, windows),
        must_verify: true,
        ..Work::default()
    }
}

/// Gives the jobs of a source the windows that were looked at longest ago, at most so many; how
/// many there were.
pub(super) fn plan_share(
    archive: &Archive,
    jobs: &mut [FunctionJob],
    windows: u64,
    now: Timestamp,
) -> Result<u64, StoreError> {
    if windows == 0 {
        return Ok(0);
    }
    let ledgers: Vec<_> = jobs.iter().map(FunctionJob::comparable).collect();
    let candidates = jobs
        .iter()
        .zip(&ledgers)
        .map(|(job, ledger)| {
            let verified = archive.load_verified(job.id)?;
            Ok(Candidate { ledger, verified, horizon: job.horizon })
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    let chosen = verify::choose(candidates, windows, now);
    drop(ledgers);
    let taken = chosen.len() as u64;
    for (index, window) in chosen {
        jobs[index].work.verify.push(window);
    }
    Ok(taken)
}

/// Asks for the records that repeated walks did not show, each by its id, and concludes the
/// comparisons.
///
/// A record can be filed under another of its times than the one it is archived by, and then is in
/// no window that it should be in.
pub(super) async fn conclude<'f, S: Source>(
    fetching: &mut Fetching<'f, '_, S>,
    prepared: &[Prepared<'f, S>],
) -> Result<Vec<Comparison>, Stop> {
    if fetching.is_cancelled() {
        return Ok(Vec::new());
    }
    let mut comparisons = fetching.take_comparisons()?;
    let mut all = Vec::new();
    for Prepared { source, jobs, .. } in prepared {
        let urns: HashMap<FunctionId, &FunctionUrn> =
            jobs.iter().map(|job| (job.id, &job.urn)).collect();
        let mut tasks = Vec::new();
        for Comparison { function, suspects, .. } in &comparisons {
            let Some(&urn) = urns.get(function) else { continue };
            tasks.extend(suspects.iter().map(|suspect| {
                let (requester, messages) =
                    (Arc::clone(&source.requester), fetching.messages(*function));
                (urn.clone(), look_for(requester, urn.clone(), suspect.clone(), messages))
            }));
        }
        all.push(Ok(ReadySource { source, begun: Begun::default(), tasks }));
    }
    let gone: HashSet<RequestId> =
        fetching.run(stream::iter(all)).await?.into_iter().flatten().collect();
    if fetching.is_cancelled() {
        return Ok(Vec::new());
    }
    for comparison in &mut comparisons {
        comparison.conclude(|id| gone.contains(id));
    }
    Ok(comparisons)
}

/// The id of a record, where the service does not show it.
async fn look_for<S: Source>(
    requester: Arc<Requester<S>>,
    urn: FunctionUrn,
    suspect: Suspect,
    messages: MessageSender,
) -> Option<RequestId> {
    let Suspect { request_id, started_at, ended_at, .. } = suspect;
    let range = around_ended(started_at, ended_at, requester.now().later())?;
    match requester.find(&urn, &request_id, range).await {
        Ok((page, seen_at)) => {
            let is_shown = page.shows(&request_id);
            messages.send_page(page, Habits::default(), seen_at).await;
            (!is_shown).then_some(request_id)
        }
        // Nothing is said of a record that could not be asked for.
        Err(failure) => {
            tracing::debug!(id = %request_id, "a record could not be looked for: {failure}");
            None
        }
    }
}
