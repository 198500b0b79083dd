//! One function's part of a run: walk what is pending, then ask for the open records that no walk showed.

use super::Source;
use super::asker::Asker;
use super::beside::Questions;
use super::delivery::{Delivery, Outbox};
use super::walked::Walked;
use super::walker::{Knowledge, Walker, is_too_long};
use crate::api::CallFailure;
use crate::domain::{FunctionUrn, Interval, IntervalSet, Marker, Timestamp};
use crate::plan::emptiness::Emptiness;
use crate::plan::horizon::Scope;
use crate::plan::paging::Habits;
use crate::plan::reach::{Promise, Reach};
use crate::plan::refresh::{self, OpenRecord, Refresh};
use crate::plan::windows::MAX_WINDOW;
use crate::store::{Check, ReachProbe};
use futures_util::stream::{self, StreamExt};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How far around a record it is looked for: the service may file it under another of its times than its start.
const LOOK_BACK: Duration = Duration::from_hours(1);

/// How many look-ups wait for their place in line at once.
const LOOK_UPS_AT_ONCE: usize = 16;

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

/// Does a function's part of a run.
pub(super) async fn work<S: Source>(asker: Arc<Asker<S>>, job: Job, outbox: Outbox) -> Walked {
    let Job { urn, pending, refreshes, settle_delay, habits, promise, emptiness, lanes, .. } = job;
    let (verify, must_verify) = (job.verify, job.must_verify);
    let mut known = Knowledge { habits, reach: Reach::default(), promise, emptiness, lanes };
    if let Some(probe) = job.reach_probe
        && let Err(failure) = look_back(&asker, &urn, &probe, &mut known.reach, &outbox).await
    {
        return Walked { failure: Some(failure), ..Walked::default() };
    }
    let mut walked = Walker::new(&asker, &urn, outbox.clone(), settle_delay, known.clone()).walk(pending.clone()).await;
    if let Some((scope, done)) = job.scope {
        let covered = done.iter().chain(pending).collect();
        let course = Course { asker: &asker, urn: &urn, outbox: &outbox, settle_delay };
        walked = course.catch_up(scope, covered, &known, walked).await;
    }
    if walked.failure.is_none() {
        give_up(&asker, job.old, &outbox).await;
    }
    let mut look_ups = Vec::new();
    let mut hours = Vec::new();
    let mut in_hours = Vec::new();
    for refresh in refreshes {
        match refresh {
            Refresh::LookUp(records) => look_ups.extend(records),
            Refresh::Walk(hour, records) => {
                hours.push(hour);
                in_hours.extend(records);
            }
        }
    }
    known.reach = walked.reach;
    if walked.failure.is_none() && !hours.is_empty() {
        let known = Knowledge { habits: walked.habits, ..known.clone() };
        walked.failure = Walker::new(&asker, &urn, outbox.clone(), settle_delay, known).walk(hours).await.failure;
        if walked.failure.is_none() {
            for record in in_hours {
                note_asked(&asker, record, &outbox).await;
            }
        }
    }
    if walked.failure.is_none() {
        walked.failure = look_up(&asker, &urn, look_ups, &outbox).await.err();
    }
    if walked.failure.is_none() && !verify.is_empty() {
        let (promise, emptiness) = (Promise::default(), Emptiness::default());
        let known = Knowledge { habits: walked.habits, reach: known.reach, promise, emptiness, lanes };
        let again = Walker::new(&asker, &urn, outbox.clone(), settle_delay, known).verifying().walk(verify).await;
        if must_verify {
            walked = again;
        } else {
            walked.reach = again.reach;
            left_for_later(&urn, again.failure);
        }
    }
    if walked.failure.is_none() {
        left_for_later(&urn, job.beside.ask(&asker, &urn, &mut walked.reach, &outbox).await.err());
    }
    walked.finished = walked.failure.is_none();
    walked
}

/// How a function is walked, and by whom.
struct Course<'a, S> {
    asker: &'a Asker<S>,
    urn: &'a FunctionUrn,
    outbox: &'a Outbox,
    settle_delay: Duration,
}

impl<S: Source> Course<'_, S> {
    /// Walks what the answers so far show to be left: what the service's clock adds to the horizon, and what an answer
    /// with a wrong date let nobody claim. Nothing where the clocks agree.
    async fn catch_up(&self, scope: Scope, mut covered: IntervalSet, known: &Knowledge, mut walked: Walked) -> Walked {
        for _ in 0..MOST_TIMES_CAUGHT_UP {
            let left = scope.left(&covered, &walked.unclaimed, self.asker.began_at());
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
            let more = Walker::new(self.asker, self.urn, self.outbox.clone(), self.settle_delay, known);
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

/// Asks for a record that is archived already, and tells whether it is still shown: then the service reaches back to it.
pub(super) async fn look_back<S: Source>(
    asker: &Asker<S>,
    urn: &FunctionUrn,
    probe: &ReachProbe,
    reach: &mut Reach,
    outbox: &Outbox,
) -> Result<bool, CallFailure> {
    let Some(range) = around_start(probe.started_at, asker.now().later()) else { return Ok(true) };
    let (page, served_at) = asker.find(urn, &probe.request_id, range).await?;
    page.records.iter().for_each(|record| reach.learn(record, served_at));
    let is_shown = page.records.iter().any(|shown| shown.request_id == probe.request_id);
    outbox.send_page(Marker(0), page, served_at).await;
    Ok(is_shown)
}

/// The range in which to look for a record that is over.
pub(super) fn around_start(started_at: Timestamp, now: Timestamp) -> Option<Interval> {
    Interval::new(started_at - LOOK_BACK, now.min(started_at + LOOK_BACK))
}

async fn look_up<S: Source>(
    asker: &Asker<S>,
    urn: &FunctionUrn,
    records: Vec<OpenRecord>,
    outbox: &Outbox,
) -> Result<(), CallFailure> {
    let longest = &AtomicU64::new(MAX_WINDOW.as_secs());
    let mut answers = stream::iter(records)
        .map(|record| async move { look_up_one(asker, urn, record, outbox, longest).await })
        .buffer_unordered(LOOK_UPS_AT_ONCE);
    while let Some(answer) = answers.next().await {
        answer?;
    }
    Ok(())
}

async fn look_up_one<S: Source>(
    asker: &Asker<S>,
    urn: &FunctionUrn,
    record: OpenRecord,
    outbox: &Outbox,
    longest: &AtomicU64,
) -> Result<(), CallFailure> {
    let mut rest = around(&record, asker.now().later());
    while let Some(range) = rest {
        let (part, later) = range.split_at(range.begin() + Duration::from_secs(longest.load(Ordering::Relaxed)));
        let part = part.unwrap_or(range);
        match asker.find(urn, &record.request_id, part).await {
            Ok((page, seen_at)) => {
                let shown = page.records.iter().any(|shown| shown.request_id == record.request_id);
                outbox.send_page(Marker(0), page, seen_at).await;
                if shown {
                    return Ok(());
                }
                rest = later;
            }
            Err(failure) if is_too_long(&failure, part) => {
                longest.store(part.seconds().unsigned_abs() / 2, Ordering::Relaxed);
            }
            Err(failure) => return Err(failure),
        }
    }
    note_asked(asker, record, outbox).await;
    Ok(())
}

/// Notes that a record was asked for, unless one of the clocks says that it was too early for that.
async fn note_asked<S: Source>(asker: &Asker<S>, record: OpenRecord, outbox: &Outbox) {
    if !refresh::is_early(&record, asker.now().earlier()) {
        let check = Check { request_id: record.request_id, last_checked_at: record.checked_at };
        outbox.send(Delivery::Asked(check)).await;
    }
}

/// Stops waiting for records that are too old by both clocks, now that the service has told its time.
async fn give_up<S: Source>(asker: &Asker<S>, old: Vec<OpenRecord>, outbox: &Outbox) {
    let now = asker.now().earlier();
    let given_up = old.into_iter().filter(|record| refresh::is_given_up(record, now));
    let given_up: Vec<_> = given_up.map(|record| record.request_id).collect();
    if !given_up.is_empty() {
        outbox.send(Delivery::GivenUp(given_up)).await;
    }
}

/// The range in which a record is looked for: without one the service looks at the last hour. Where no start is known,
/// all the time in which an open record can have begun.
fn around(record: &OpenRecord, now: Timestamp) -> Option<Interval> {
    let from = if record.start_is_known { record.opened_at - LOOK_BACK } else { now - MAX_WINDOW };
    Interval::new(from, now.min(from + MAX_WINDOW))
}
