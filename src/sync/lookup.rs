//! Asking for records by their ids: open ones that no walk showed, and archived ones that tell how far back the service
//! reaches.

use super::Source;
use super::delivery::Delivery;
use super::line::{Line, Setback, is_too_long, unless_whole};
use crate::api::CallFailure;
use crate::domain::{Interval, Marker, Timestamp};
use crate::plan::reach::Reach;
use crate::plan::refresh::{self, OpenRecord};
use crate::plan::retry::Effort;
use crate::plan::windows::MAX_WINDOW;
use crate::store::write::{Check, ReachProbe};
use futures_util::stream::{self, StreamExt};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// How far around a record it is looked for: the service may file it under another of its times than its start.
const LOOK_BACK: Duration = Duration::from_hours(1);

/// How many look-ups wait for their place in line at once.
const LOOK_UPS_AT_ONCE: usize = 16;

/// Asks for a record that is archived already, and tells whether it is still shown: then the service reaches back to it.
pub(super) async fn look_back<S: Source>(
    line: &Line<'_, S>,
    probe: &ReachProbe,
    reach: &mut Reach,
) -> Result<bool, Setback> {
    let Some(range) = around_start(probe.started_at, line.asker.now().later()) else { return Ok(true) };
    let (page, served_at) = line.find(&probe.request_id, range, Effort::Whole).await?;
    page.records.iter().for_each(|record| reach.learn(record, served_at));
    let is_shown = page.records.iter().any(|shown| shown.request_id == probe.request_id);
    line.outbox.send_page(Marker(0), page, served_at).await;
    Ok(is_shown)
}

/// The range in which to look for a record that is over.
pub(super) fn around_start(started_at: Timestamp, now: Timestamp) -> Option<Interval> {
    Interval::new(started_at - LOOK_BACK, now.min(started_at + LOOK_BACK))
}

/// What look-ups side by side learn for each other.
struct LookUps {
    /// No longer range is asked for, in seconds.
    longest: AtomicU64,
    /// Whether one failed, so that others are asked for with little patience.
    failed: AtomicBool,
}

/// Looks records up by their ids. One that cannot be had keeps no other from it: the failure is why one was not.
pub(super) async fn look_up<S: Source>(
    line: &Line<'_, S>,
    records: Vec<OpenRecord>,
) -> Result<Option<CallFailure>, CallFailure> {
    let shared = &LookUps { longest: AtomicU64::new(MAX_WINDOW.as_secs()), failed: AtomicBool::new(false) };
    let mut answers = stream::iter(records)
        .map(|record| async move { look_up_one(line, record, shared).await })
        .buffer_unordered(LOOK_UPS_AT_ONCE);
    let mut left = None;
    while let Some(answer) = answers.next().await {
        if let Some(part) = unless_whole(answer)? {
            shared.failed.store(true, Ordering::Relaxed);
            left.get_or_insert(part.into_failure());
        }
    }
    Ok(left)
}

async fn look_up_one<S: Source>(line: &Line<'_, S>, record: OpenRecord, shared: &LookUps) -> Result<(), Setback> {
    let mut rest = around(&record, line.asker.now().later());
    while let Some(range) = rest {
        let longest = Duration::from_secs(shared.longest.load(Ordering::Relaxed));
        let (part, later) = range.split_at(range.begin() + longest);
        let part = part.unwrap_or(range);
        let effort = if shared.failed.load(Ordering::Relaxed) { Effort::Part } else { Effort::Whole };
        match line.find(&record.request_id, part, effort).await {
            Ok((page, seen_at)) => {
                let shown = page.records.iter().any(|shown| shown.request_id == record.request_id);
                line.outbox.send_page(Marker(0), page, seen_at).await;
                if shown {
                    return Ok(());
                }
                rest = later;
            }
            Err(Setback::Part(failure)) if is_too_long(&failure, part) => {
                shared.longest.store(part.seconds().unsigned_abs() / 2, Ordering::Relaxed);
            }
            Err(setback) => return Err(setback),
        }
    }
    note_asked(line, record).await;
    Ok(())
}

/// Notes that a record was asked for, unless one of the clocks says that it was too early for that.
pub(super) async fn note_asked<S: Source>(line: &Line<'_, S>, record: OpenRecord) {
    if !refresh::is_early(&record, line.asker.now().earlier()) {
        let check = Check { request_id: record.request_id, last_checked_at: record.checked_at };
        line.outbox.send(Delivery::Asked(check)).await;
    }
}

/// The range in which a record is looked for: without one the service looks at the last hour. Where no start is known,
/// all the time in which an open record can have begun.
fn around(record: &OpenRecord, now: Timestamp) -> Option<Interval> {
    let from = if record.start_is_known { record.opened_at - LOOK_BACK } else { now - MAX_WINDOW };
    Interval::new(from, now.min(from + MAX_WINDOW))
}
