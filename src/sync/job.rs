//! A function of a run, with what is known of it and what there is to do for it.

use super::settings::Settings;
use crate::domain::{FunctionUrn, Interval, IntervalSet, PAGE_LIMIT, Timestamp};
use crate::plan::clocks::Moment;
use crate::plan::emptiness::{self, Emptiness};
use crate::plan::horizon::Scope;
use crate::plan::ledger::Entry;
use crate::plan::paging::Habits;
use crate::plan::reach::Obligation;
use crate::plan::schedule::{Recorded, SideChecks, Work};
use crate::plan::{failing, refresh, retention, verify, windows};
use crate::store::file::{Archive, StoreError};
use crate::store::sql::FunctionId;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// So many archived records of a pending range are held against answers that show it empty.
const MOST_ENDED: u32 = 1_000;

/// A function of a run.
#[derive(Debug)]
pub(super) struct FunctionJob {
    pub(super) id: FunctionId,
    pub(super) urn: FunctionUrn,
    pub(super) first_run_at: Timestamp,
    /// Its ledger as the run found it.
    pub(super) ledger: Arc<[Entry]>,
    /// Until when that reached, before anything of it was taken back.
    pub(super) ledger_end: Option<Timestamp>,
    /// What was doubted of it before the run.
    pub(super) doubted: Option<Interval>,
    /// What was pruned of it: it is not compared with what the service shows.
    pub(super) pruned: IntervalSet,
    pub(super) scope: Scope,
    pub(super) horizon: Interval,
    /// What there is to do, until it is begun.
    pub(super) work: Work,
}

impl FunctionJob {
    /// The settled windows of what is doubted, once that is as old as it must be to be believed;
    /// none while there is no doubt, or it is not over.
    pub(super) fn doubted_windows(
        &self,
        settle_delay: Duration,
        now: Moment,
    ) -> Option<Vec<Interval>> {
        let doubted = self.doubted?;
        let end = self.ledger.last().map_or(doubted.end(), |last| last.window.end());
        let is_over = doubted.end().min(end) + settle_delay <= now.earlier();
        is_over.then(|| verify::settled_in(&self.comparable(), doubted))
    }

    /// The part of its ledger whose records are archived still.
    pub(super) fn comparable(&self) -> Cow<'_, [Entry]> {
        retention::unpruned(&self.ledger, &self.pruned)
    }

    /// Whether what is doubted was walked again, by walks of these windows.
    pub(super) fn is_cleared(
        &self,
        walked: &IntervalSet,
        settle_delay: Duration,
        now: Moment,
    ) -> bool {
        let windows = self.doubted_windows(settle_delay, now);
        windows.is_some_and(|all| all.iter().all(|window| walked.gaps_in(*window).is_empty()))
    }
}

/// What of a ledger needs no walk any more.
pub(super) fn done(ledger: &[Entry]) -> IntervalSet {
    ledger.iter().filter(|row| row.state.is_done()).map(|row| row.window).collect()
}

/// What is pending of a function, and which of its open records are due and will not be shown by a
/// walk anyway.
pub(super) fn plan_sync(
    archive: &Archive,
    job: &FunctionJob,
    settings: &Settings,
    habits: Habits,
    now: Moment,
) -> Result<Work, StoreError> {
    // What waits for a second look is left to later runs, but for one range.
    let later = emptiness::deferred(&job.ledger, job.first_run_at, settings.settle_delay);
    let done: IntervalSet = done(&job.ledger).iter().chain(later).collect();
    let pending = windows::pending(job.horizon, &done);
    let mut emptiness = Emptiness::of(&job.ledger, settings.settle_delay);
    for &range in &pending {
        emptiness.learn_archived(archive.load_ended(job.id, range, MOST_ENDED)?);
    }
    let obligation =
        Obligation::of(&job.ledger, job.first_run_at, now).but_for(archive.load_absences(job.id)?);
    // Whether the service reaches back to what is pending is in doubt only after an outage; then
    // one request tells.
    let reach_probe = match obligation.doubtful(&emptiness.unseen(&pending), now) {
        Some(range) => archive.load_reach_probe(job.id, range.begin())?,
        None => None,
    };
    let walked: IntervalSet = pending.iter().copied().collect();
    let (old, open): (Vec<_>, Vec<_>) = archive
        .load_open(job.id)?
        .into_iter()
        .partition(|record| refresh::is_given_up(record, now.earlier()));
    let due = open
        .into_iter()
        .filter(|record| {
            !(record.start_is_known && walked.range_at(record.opened_at).is_some())
                && refresh::is_due(record, now.earlier(), settings.open_recheck)
        })
        .collect();
    let (pending, again) = failing::set_aside(&pending, &job.ledger);
    let refreshes =
        refresh::choose(due, job.horizon, PAGE_LIMIT, |hour| archive.count_started(job.id, hour))?;
    Ok(Work {
        pending,
        scope: Some((job.scope, done)),
        again,
        refreshes,
        old,
        settle_delay: settings.settle_delay,
        habits,
        obligation,
        emptiness,
        lanes: 1,
        verify: job.doubted_windows(settings.settle_delay, now).unwrap_or_default(),
        must_verify: false,
        reach_probe,
        side_checks: plan_side_checks(archive, job.id, now.earlier())?,
    })
}

/// What is worth asking beside the records.
fn plan_side_checks(
    archive: &Archive,
    function: FunctionId,
    now: Timestamp,
) -> Result<SideChecks, StoreError> {
    let said = archive.load_recording(function)?;
    let recorded = Recorded {
        asked_at: said.map(|said| said.asked_at),
        enabled: said.and_then(|said| said.enabled),
    };
    let days = archive.load_reach(function, now)?;
    let probe = match days.today.next_age(days.before) {
        Some(age) => archive.load_reach_probe(function, now - age)?,
        None => None,
    };
    Ok(SideChecks::plan(recorded, days.today, probe, now))
}
