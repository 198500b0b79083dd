//! What walking a function came to.

use crate::api::CallFailure;
use crate::domain::Interval;
use crate::plan::paging::Habits;
use crate::plan::reach::Reach;
use std::sync::Arc;

/// What walking a function came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Walked {
    /// Whether everything was asked that was to be asked.
    pub(super) finished: bool,
    /// Windows that could not be proven, and why, in words.
    pub(super) unproven: Vec<(Interval, Arc<str>)>,
    /// Ranges that fell behind the service's reach before they were settled.
    pub(super) lost: Vec<Interval>,
    /// Parts of proven windows of which nothing could be claimed, since the clocks disagree: what had not happened yet
    /// by the earlier of them.
    pub(super) unclaimed: Vec<Interval>,
    /// The same, for what the service may or may not have forgotten by then.
    pub(super) disputed: Vec<Interval>,
    /// What ended the walking early.
    pub(super) failure: Option<CallFailure>,
    /// Why a window could not be had, the last of them.
    pub(super) cause: Option<CallFailure>,
    /// What was learnt about the service's pages.
    pub(super) habits: Habits,
    /// How far back the service was seen to reach.
    pub(super) reach: Reach,
}

impl Walked {
    /// What both walks came to, this one and one that went on with what it left.
    #[must_use]
    pub(super) fn and(mut self, more: Self) -> Self {
        self.unproven.extend(more.unproven);
        self.lost.extend(more.lost);
        self.disputed.extend(more.disputed);
        let Self { unclaimed, failure, cause, habits, reach, .. } = more;
        let (failure, cause) = (self.failure.or(failure), cause.or(self.cause));
        Self { unclaimed, failure, cause, habits, reach, ..self }
    }
}
