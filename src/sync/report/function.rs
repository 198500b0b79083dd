//! What a run did for a function.

use crate::api::CallFailure;
use crate::domain::{FunctionUrn, Interval, Timestamp};
use crate::plan::clocks::{Moment, TOLERANCE};
use crate::plan::horizon::{Scope, Verdict};
use crate::store::sql::FunctionId;
use crate::sync::function::Walked;
use crate::sync::job::FunctionJob;
use std::sync::Arc;

/// What a run did for a function.
#[derive(Clone, Debug)]
pub struct FunctionReport {
    /// Its row.
    pub id: FunctionId,
    /// The function.
    pub urn: FunctionUrn,
    /// From where on it was to be archived.
    pub begin: Timestamp,
    /// Until when it is, but for what is said below.
    pub end: Timestamp,
    /// Whether everything was asked that was to be asked.
    pub finished: bool,
    /// Ranges that could not be proven, and why: windows that touch and have the same reason are
    /// one.
    pub unproven: Vec<(Interval, Arc<str>)>,
    /// Ranges that were found to have fallen behind the service's reach.
    pub lost: Vec<Interval>,
    /// Until when its ledger claimed what had not come, where that is not over or was not walked
    /// again since.
    pub ledger_ahead: Option<Timestamp>,
    /// Ranges that were walked and of which nothing is claimed, since the clocks disagree.
    pub unclaimed: Vec<Interval>,
    /// Why it was left early.
    pub failure: Option<CallFailure>,
    /// Whether it is gone; then what is lost was lost with it.
    pub gone: Option<Gone>,
}

/// That a function is gone: the service knows it no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone {
    /// When that was seen first.
    pub at: Timestamp,
    /// Whether it was by this run.
    pub is_news: bool,
}

impl FunctionReport {
    /// The report of a run that began at `began_at`.
    pub(in crate::sync) fn of(job: &FunctionJob, began_at: Moment, mut walked: Walked) -> Self {
        let is_ahead = |end: &Timestamp| *end > began_at.earlier() + TOLERANCE;
        let Verdict { end, missed } = Verdict::of(job.horizon, &walked.unclaimed, began_at);
        walked.unclaimed = missed;
        if Scope::is_cut(began_at) || (end == job.horizon.begin() && !began_at.is_agreed()) {
            walked.unclaimed.push(job.horizon);
        }
        let ledger_ahead = job.ledger_end.filter(is_ahead);
        Self { end, ledger_ahead, ..Self::new(job.id, &job.urn, job.horizon, walked) }
    }

    pub(in crate::sync) fn new(
        id: FunctionId,
        urn: &FunctionUrn,
        horizon: Interval,
        walked: Walked,
    ) -> Self {
        let mut unclaimed = walked.unclaimed;
        unclaimed.extend(walked.disputed);
        Self {
            id,
            urn: urn.clone(),
            begin: horizon.begin(),
            end: horizon.end(),
            finished: walked.finished,
            unproven: joined(walked.unproven),
            lost: walked.lost,
            ledger_ahead: None,
            unclaimed,
            failure: walked.failure,
            gone: None,
        }
    }

    /// Whether everything that was pending is proven. What is lost is told once; later runs leave
    /// it alone, and what went with its function is no failure.
    pub fn is_complete(&self) -> bool {
        let is_proven =
            self.unproven.is_empty() && self.lost.is_empty() && self.unclaimed.is_empty();
        self.gone.is_some() || (self.finished && is_proven && self.ledger_ahead.is_none())
    }
}

fn joined(mut windows: Vec<(Interval, Arc<str>)>) -> Vec<(Interval, Arc<str>)> {
    windows.sort_by_key(|(window, _)| window.begin());
    let mut ranges: Vec<(Interval, Arc<str>)> = Vec::new();
    for (window, reason) in windows {
        match ranges
            .last_mut()
            .filter(|(range, same)| range.end() == window.begin() && *same == reason)
        {
            Some((range, _)) => {
                *range = Interval::new(range.begin(), window.end()).unwrap_or(*range);
            }
            None => ranges.push((window, reason)),
        }
    }
    ranges
}
