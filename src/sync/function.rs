//! One function's part of a run: walk what is pending, then ask for the open records that no walk showed.

use super::Source;
use super::asker::Asker;
use super::delivery::{Delivery, Outbox};
use super::walker::{Walked, Walker};
use crate::api::CallFailure;
use crate::domain::{FunctionUrn, Interval};
use crate::plan::paging::Habits;
use crate::plan::refresh::{OpenRecord, Refresh};
use crate::plan::windows::MAX_WINDOW;
use futures_util::stream::{self, StreamExt};
use std::sync::Arc;
use std::time::Duration;

/// How far around a record it is looked for: the service may file it under another of its times than its start.
const LOOK_BACK: Duration = Duration::from_hours(1);

/// How many look-ups wait for their place in line at once.
const LOOK_UPS_AT_ONCE: usize = 16;

/// What a run has to do for a function.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) urn: FunctionUrn,
    pub(super) pending: Vec<Interval>,
    pub(super) refreshes: Vec<Refresh>,
    pub(super) settle_delay: Duration,
    pub(super) habits: Habits,
}

/// Does a function's part of a run.
pub(super) async fn work<S: Source>(asker: Arc<Asker<S>>, job: Job, outbox: Outbox) -> Walked {
    let Job { urn, pending, refreshes, settle_delay, habits } = job;
    let mut walked = Walker::new(&asker, &urn, outbox.clone(), settle_delay, habits).walk(pending).await;
    let mut look_ups = Vec::new();
    let mut hours = Vec::new();
    for refresh in refreshes {
        match refresh {
            Refresh::LookUp(records) => look_ups.extend(records),
            Refresh::Walk(hour) => hours.push(hour),
        }
    }
    if walked.failure.is_none() && !hours.is_empty() {
        let outbox = Outbox { refreshes: true, ..outbox.clone() };
        let again = Walker::new(&asker, &urn, outbox, settle_delay, walked.habits).walk(hours).await;
        walked.failure = again.failure;
        walked.habits = again.habits;
    }
    if walked.failure.is_none() {
        walked.failure = look_up(&asker, &urn, look_ups, &outbox).await.err();
    }
    walked
}

async fn look_up<S: Source>(
    asker: &Asker<S>,
    urn: &FunctionUrn,
    records: Vec<OpenRecord>,
    outbox: &Outbox,
) -> Result<(), CallFailure> {
    let mut answers = stream::iter(records)
        .map(|record| async move { look_up_one(asker, urn, record, outbox).await })
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
) -> Result<(), CallFailure> {
    let from = record.opened_at - LOOK_BACK;
    let until = asker.now().min(from + MAX_WINDOW);
    let Some(range) = Interval::new(from, until) else { return Ok(()) };
    let (page, seen_at) = asker.find(urn, &record.request_id, range).await?;
    let shown = page.records.iter().any(|shown| shown.request_id == record.request_id);
    outbox.send(Delivery::Page { page, seen_at, looked_up: true }).await;
    if !shown {
        outbox.send(Delivery::Unseen(record.request_id)).await;
    }
    Ok(())
}
