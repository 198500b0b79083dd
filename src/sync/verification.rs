//! Walking settled windows again: which ones, and whether what they no longer show is really gone.

use super::committer::Committer;
use super::delivery::{Delivery, Parcel};
use super::job::Job;
use super::settings::{Selection, Settings};
use super::stop::Stop;
use super::target::Target;
use crate::domain::{FunctionUrn, Interval, Marker, RequestId, Timestamp};
use crate::plan::horizon::Scope;
use crate::plan::paging::Habits;
use crate::plan::refresh::around_ended;
use crate::plan::schedule::Work;
use crate::plan::verify::{self, Candidate};
use crate::requester::{Requester, Source};
use crate::store::file::{Archive, StoreError};
use crate::store::write::{Comparison, Suspect};
use futures_util::stream::{self, StreamExt};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

/// The functions that are archived and meant: the named ones, or all of them, but for those that are gone.
pub(super) fn load_targets(archive: &Archive, settings: &Settings, now: Timestamp) -> Result<Vec<Target>, StoreError> {
    let named: HashSet<&FunctionUrn> = settings.functions.iter().collect();
    let archived = archive.load_known()?.into_iter().filter(|(_, known)| known.gone_at.is_none());
    let meant = archived.filter(|(_, known)| settings.all_functions || named.contains(&known.urn));
    let mut targets = Vec::new();
    for (id, known) in meant {
        let urn = known.urn;
        let ledger: Arc<[_]> = archive.load_ledger(id)?.into();
        let begin = ledger.first().map(|first| first.window.begin());
        if let Some(horizon) = begin.and_then(|begin| Interval::new(begin, now)) {
            let scope = Scope::default();
            let (first_run_at, is_new, ledger_end) = (begin.unwrap_or(now), false, None);
            targets.push(Target { id, urn, first_run_at, is_new, ledger, ledger_end, scope, horizon });
        }
    }
    Ok(targets)
}

/// A job that verifies what was selected, and does nothing else.
pub(super) fn plan_job(
    target: &Target,
    selection: Selection,
    settings: &Settings,
    habits: Habits,
    draws: &mut fastrand::Rng,
) -> Job {
    let (begin, end) = (target.horizon.begin(), target.horizon.end());
    let range = Interval::new(
        selection.since.map_or(begin, |since| since.max(begin)),
        selection.until.map_or(end, |until| until.min(end)),
    );
    let windows = |range| match selection.sample {
        Some(windows) => verify::sample(&target.ledger, range, windows, |below| draws.u64(..below)),
        None => verify::settled_in(&target.ledger, range),
    };
    let work = Work {
        settle_delay: settings.settle_delay,
        habits,
        verify: range.map_or_else(Vec::new, windows),
        must_verify: true,
        ..Work::default()
    };
    Job { urn: target.urn.clone(), work }
}

/// Gives the jobs of a run the windows that were looked at longest ago, as many as the share of requests allows.
pub(super) fn plan_share(
    archive: &Archive,
    targets: &[Target],
    jobs: &mut VecDeque<Job>,
    share: f64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let windows = archive.load_spending()?.allows(share);
    if windows == 0 {
        return Ok(());
    }
    let candidates = targets
        .iter()
        .map(|target| {
            let verified = archive.load_verified(target.id)?;
            Ok(Candidate { ledger: &target.ledger, verified, horizon: target.horizon })
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    for (index, window) in verify::choose(candidates, windows, now) {
        jobs[index].work.verify.push(window);
    }
    Ok(())
}

/// Asks for the records that repeated walks did not show, each by its id, and concludes the comparisons.
///
/// A record can be filed under another of its times than the one it is archived by, and then is in no window that it
/// should be in.
pub(super) async fn conclude<S: Source>(
    committer: &mut Committer<'_>,
    requester: &Requester<S>,
    targets: &[Target],
    at_once: usize,
) -> Result<Vec<Comparison>, Stop> {
    let mut comparisons = committer.take_comparisons(requester)?;
    let mut suspects: Vec<(usize, Suspect)> = Vec::new();
    for (function, comparison) in &comparisons {
        suspects.extend(comparison.suspects.iter().map(|suspect| (*function, suspect.clone())));
    }
    let mut answers = stream::iter(suspects)
        .map(|(function, suspect)| async move {
            let range = around_ended(suspect.started_at, suspect.ended_at, requester.now().later());
            let answer = match range {
                Some(range) => Some(requester.find(&targets[function].urn, &suspect.request_id, range).await),
                None => None,
            };
            (function, suspect.request_id, answer)
        })
        .buffer_unordered(at_once);
    let mut gone: HashSet<RequestId> = HashSet::new();
    while let Some((function, id, answer)) = answers.next().await {
        match answer {
            Some(Ok((page, seen_at))) => {
                if !page.shows(&id) {
                    gone.insert(id);
                }
                committer.take(function, Delivery::Page(Parcel::of(Marker(0), page, seen_at)));
                if committer.is_full() {
                    committer.commit(requester)?;
                }
            }
            // Nothing is said of a record that could not be asked for.
            Some(Err(failure)) => tracing::debug!(%id, "a record could not be looked for: {failure}"),
            None => {}
        }
    }
    for (_, comparison) in &mut comparisons {
        comparison.conclude(|id| gone.contains(id));
    }
    Ok(comparisons.into_iter().map(|(_, comparison)| comparison).collect())
}
