//! One function's part of a run: walk what is pending, then ask for the open records that no walk showed.

use super::Source;
use super::asker::Asker;
use super::beside::Questions;
use super::delivery::{Delivery, Outbox};
use super::line::{Line, unless_whole};
use super::lookup::{look_back, look_up, note_asked};
use super::walked::Walked;
use super::walker::{Knowledge, Walker};
use crate::api::CallFailure;
use crate::domain::{FunctionUrn, Interval, IntervalSet};
use crate::plan::emptiness::Emptiness;
use crate::plan::horizon::Scope;
use crate::plan::ledger::Entry;
use crate::plan::paging::Habits;
use crate::plan::reach::{Promise, Reach};
use crate::plan::refresh::{self, OpenRecord, Refresh};
use crate::store::write::ReachProbe;
use std::sync::Arc;
use std::time::Duration;

/// How often a run goes on with what turned out to be left: once for each thing that its answers can tell of the time,
/// and once more.
const MOST_TIMES_CAUGHT_UP: u32 = 3;

/// What a run has to do for a function.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) urn: FunctionUrn,
    pub(super) pending: Vec<Interval>,
    /// What of the function is to be archived, and what of that was done before; nothing where the run only verifies.
    pub(super) scope: Option<(Scope, IntervalSet)>,
    /// What earlier runs walked in vain, in the order in which to try it again.
    pub(super) again: Vec<Entry>,
    pub(super) refreshes: Vec<Refresh>,
    /// Open records that are too old to be waited for, if the machine's clock is right.
    pub(super) old: Vec<OpenRecord>,
    pub(super) settle_delay: Duration,
    pub(super) habits: Habits,
    pub(super) promise: Promise,
    /// What an earlier run found empty.
    pub(super) emptiness: Emptiness,
    /// In how many lanes a long range may be walked.
    pub(super) lanes: usize,
    /// Settled windows to walk again.
    pub(super) verify: Vec<Interval>,
    /// Whether that is what the run is for, so that what cannot be had of it is missed.
    pub(super) must_verify: bool,
    /// A record from before what is pending: if the service still shows it, it reaches all of that.
    pub(super) reach_probe: Option<ReachProbe>,
    /// What to ask beside the records.
    pub(super) beside: Questions,
}

/// Does a function's part of a run. What cannot be had of it is left for the next run; only where the function itself
/// cannot be had, the rest is not asked for.
pub(super) async fn work<S: Source>(asker: Arc<Asker<S>>, job: Job, outbox: Outbox) -> Walked {
    let urn = job.urn.clone();
    let line = Line { asker: &asker, urn: &urn, outbox };
    let mut walked = match in_turn(&line, job).await {
        Ok(walked) => walked,
        Err(failure) => Walked { failure: Some(failure), ..Walked::default() },
    };
    walked.finished = walked.failure.is_none();
    walked
}

async fn in_turn<S: Source>(line: &Line<'_, S>, job: Job) -> Result<Walked, CallFailure> {
    let Job { pending, again, refreshes, settle_delay, habits, promise, emptiness, lanes, .. } = job;
    let (verify, must_verify) = (job.verify, job.must_verify);
    let mut known = Knowledge { habits, reach: Reach::default(), promise, emptiness, reach_unknown: None, lanes };
    known.reach_unknown = match job.reach_probe {
        Some(probe) => {
            let looked = look_back(line, &probe, &mut known.reach).await.map(drop);
            unless_whole(looked)?.map(|part| part.reason())
        }
        None => None,
    };
    let new = |known: Knowledge| Walker::new(line.clone(), settle_delay, known);
    let tried: Vec<Interval> = again.iter().map(|row| row.window).collect();
    let mut walked = new(known.clone()).trying_again(again).walk(pending.clone()).await;
    if let Some((scope, done)) = job.scope {
        let covered = done.iter().chain(pending).chain(tried).collect();
        walked = Course { line, settle_delay }.catch_up(scope, covered, &known, walked).await;
    }
    if walked.failure.is_some() {
        return Ok(walked);
    }
    give_up(line, job.old).await;
    let (look_ups, hours, in_hours) = sorted(refreshes);
    known.reach = walked.reach;
    let mut left = None;
    if !hours.is_empty() {
        let hours = new(Knowledge { habits: walked.habits, ..known.clone() }).walk(hours).await;
        left = walk_open(line, hours, in_hours).await?;
    }
    left = look_up(line, look_ups).await?.or(left);
    if !verify.is_empty() {
        let (habits, promise, emptiness) = (walked.habits, Promise::default(), Emptiness::default());
        let known = Knowledge { habits, reach: known.reach, promise, emptiness, reach_unknown: None, lanes };
        let again = new(known).verifying().walk(verify).await;
        if must_verify {
            walked = again;
        } else {
            walked.reach = again.reach;
            left_for_later(line.urn, again.failure);
        }
    }
    if walked.failure.is_none() {
        left_for_later(line.urn, job.beside.ask(line, &mut walked.reach).await.err());
        walked.failure = left;
    }
    Ok(walked)
}

/// The records to look up, the hours to walk, and the records that these are walked for.
fn sorted(refreshes: Vec<Refresh>) -> (Vec<OpenRecord>, Vec<Interval>, Vec<OpenRecord>) {
    let (mut look_ups, mut hours, mut in_hours) = (Vec::new(), Vec::new(), Vec::new());
    for refresh in refreshes {
        match refresh {
            Refresh::LookUp(records) => look_ups.extend(records),
            Refresh::Walk(hour, records) => {
                hours.push(hour);
                in_hours.extend(records);
            }
        }
    }
    (look_ups, hours, in_hours)
}

/// Notes which open records were asked for by walking their hours; the failure is why others were not.
async fn walk_open<S: Source>(
    line: &Line<'_, S>,
    hours: Walked,
    records: Vec<OpenRecord>,
) -> Result<Option<CallFailure>, CallFailure> {
    if let Some(failure) = hours.failure {
        return Err(failure);
    }
    let was_shown = |record: &OpenRecord| !hours.unproven.iter().any(|(range, _)| range.contains(record.opened_at));
    let (asked, missed): (Vec<_>, Vec<_>) = records.into_iter().partition(was_shown);
    for record in asked {
        note_asked(line, record).await;
    }
    Ok(hours.cause.filter(|_| !missed.is_empty()))
}

/// How a function is walked, and by whom.
struct Course<'a, S> {
    line: &'a Line<'a, S>,
    settle_delay: Duration,
}

impl<S: Source> Course<'_, S> {
    /// Walks what the answers so far show to be left: what the service's clock adds to the horizon, and what an answer
    /// with a wrong date let nobody claim. Nothing where the clocks agree.
    async fn catch_up(&self, scope: Scope, mut covered: IntervalSet, known: &Knowledge, mut walked: Walked) -> Walked {
        for _ in 0..MOST_TIMES_CAUGHT_UP {
            let left = scope.left(&covered, &walked.unclaimed, self.line.asker.began_at());
            if left.is_empty() || walked.failure.is_some() {
                break;
            }
            // What is not walked again now may be claimable when more answers have told the time.
            let again: IntervalSet = left.iter().copied().collect();
            let kept: Vec<_> = walked.unclaimed.iter().flat_map(|&range| again.gaps_in(range)).collect();
            for &range in &left {
                covered.insert(range);
            }
            let known = Knowledge { habits: walked.habits, reach: walked.reach, ..known.clone() };
            let more = Walker::new(self.line.clone(), self.settle_delay, known);
            walked = walked.and(more.walk(left).await);
            walked.unclaimed.extend(kept);
        }
        walked
    }
}

/// Tells of what could not be asked beside the records: nothing is lost by that, and the next run asks again.
fn left_for_later(urn: &FunctionUrn, failure: Option<CallFailure>) {
    if let Some(failure) = failure {
        tracing::warn!(function = urn.full_name(), "left for the next run, no record is missing: {failure}");
    }
}

/// Stops waiting for records that are too old by both clocks, now that the service has told its time.
async fn give_up<S: Source>(line: &Line<'_, S>, old: Vec<OpenRecord>) {
    let now = line.asker.now().earlier();
    let given_up = old.into_iter().filter(|record| refresh::is_given_up(record, now));
    let given_up: Vec<_> = given_up.map(|record| record.request_id).collect();
    if !given_up.is_empty() {
        line.outbox.send(Delivery::GivenUp(given_up)).await;
    }
}
