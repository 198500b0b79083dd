//! What walking a function came to.

use crate::domain::Interval;
use std::sync::Arc;

/// What walking a function came to; `F` is what the caller calls a failure.
#[derive(Clone, Debug)]
pub struct Walked<F> {
    /// Whether everything was asked that was to be asked.
    pub finished: bool,
    /// Windows that could not be proven, and why, in words.
    pub unproven: Vec<(Interval, Arc<str>)>,
    /// Ranges that fell behind the service's reach before they were settled.
    pub lost: Vec<Interval>,
    /// Parts of proven windows of which nothing could be claimed, since the clocks disagree: what
    /// had not happened yet by the earlier of them.
    pub unclaimed: Vec<Interval>,
    /// The same, for what the service may or may not have forgotten by then.
    pub disputed: Vec<Interval>,
    /// What ended the walking early.
    pub failure: Option<F>,
    /// Why a window could not be had, the last of them.
    pub cause: Option<F>,
}

/// Nothing was done yet.
impl<F> Default for Walked<F> {
    fn default() -> Self {
        Self {
            finished: false,
            unproven: Vec::new(),
            lost: Vec::new(),
            unclaimed: Vec::new(),
            disputed: Vec::new(),
            failure: None,
            cause: None,
        }
    }
}

impl<F> Walked<F> {
    /// What both walks came to, this one and one that went on with what it left.
    #[must_use]
    pub(super) fn and(mut self, more: Self) -> Self {
        self.unproven.extend(more.unproven);
        self.lost.extend(more.lost);
        self.disputed.extend(more.disputed);
        let Self { unclaimed, failure, cause, .. } = more;
        let (failure, cause) = (self.failure.or(failure), cause.or(self.cause));
        Self { unclaimed, failure, cause, ..self }
    }
}
