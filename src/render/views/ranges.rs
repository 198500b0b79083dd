//! Ranges of time in JSON, and functions among those of several sources.

use crate::domain::{FunctionUrn, Interval, Timestamp};
use serde::Serialize;

/// A range of time.
#[derive(Debug, Serialize)]
pub(super) struct RangeView {
    begin_time: String,
    end_time: String,
}

impl RangeView {
    pub(super) fn of(range: &Interval) -> Self {
        Self { begin_time: range.begin().to_string(), end_time: range.end().to_string() }
    }
}

/// A range of time that could not be proven.
#[derive(Debug, Serialize)]
pub(super) struct UnprovenRangeView<'a> {
    begin_time: String,
    end_time: String,
    reason: &'a str,
}

impl<'a> UnprovenRangeView<'a> {
    pub(super) fn of(range: &Interval, reason: &'a str) -> Self {
        Self { begin_time: range.begin().to_string(), end_time: range.end().to_string(), reason }
    }
}

/// A moment, where there is one.
pub(super) fn time(moment: Option<Timestamp>) -> Option<String> {
    moment.map(|moment| moment.to_string())
}

/// A function's name where one source is asked, which several may have alike; else its URN.
pub(super) fn name_among(sources: usize, urn: &FunctionUrn) -> String {
    if sources > 1 { urn.to_string() } else { urn.full_name() }
}
