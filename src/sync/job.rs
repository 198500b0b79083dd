//! What a run has to do for a function.

use super::settings::Settings;
use super::target::{Target, done};
use crate::domain::{FunctionUrn, IntervalSet, PAGE_LIMIT, Timestamp};
use crate::plan::clocks::Moment;
use crate::plan::emptiness::{self, Emptiness};
use crate::plan::paging::Habits;
use crate::plan::reach::Promise;
use crate::plan::schedule::{Recorded, SideChecks, Work};
use crate::plan::{failing, refresh, windows};
use crate::store::file::{Archive, StoreError};
use crate::store::sql::FunctionId;

/// A function and what a run has to do for it.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) urn: FunctionUrn,
    pub(super) work: Work,
}

/// What is pending of a function, and which of its open records are due and will not be shown by a walk anyway.
pub(super) fn plan_job(
    archive: &Archive,
    target: &Target,
    settings: &Settings,
    habits: Habits,
    now: Moment,
) -> Result<Job, StoreError> {
    // What waits for a second look is left to later runs, but for one range.
    let later = emptiness::deferred(&target.ledger, target.first_run_at, settings.settle_delay);
    let done: IntervalSet = done(&target.ledger).iter().chain(later).collect();
    let pending = windows::pending(target.horizon, &done);
    let emptiness = Emptiness::of(&target.ledger, settings.settle_delay);
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
    let work = Work {
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
        side_checks: plan_side_checks(archive, target.id, now.earlier())?,
    };
    Ok(Job { urn: target.urn.clone(), work })
}

/// What is worth asking beside the records.
fn plan_side_checks(archive: &Archive, function: FunctionId, now: Timestamp) -> Result<SideChecks, StoreError> {
    let said = archive.load_recording(function)?;
    let recorded = Recorded { asked_at: said.map(|said| said.asked_at), enabled: said.and_then(|said| said.enabled) };
    let days = archive.load_reach(function, now)?;
    let probe = match days.today.next_age(days.before) {
        Some(age) => archive.load_reach_probe(function, now - age)?,
        None => None,
    };
    Ok(SideChecks::plan(recorded, days.today, probe, now))
}
