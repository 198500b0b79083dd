//! The only reader of system time.

use crate::domain::{Timestamp, now_from_system};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

/// Where the present comes from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that a test sets, seconds since the epoch.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands still until it is set.
    pub fn fixed(at: Timestamp) -> Self {
        Self::Fixed(Arc::new(AtomicI64::new(at.unix())))
    }

    /// The present.
    pub fn now(&self) -> Timestamp {
        match self {
            #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
            Self::System => now_from_system(SystemTime::now()),
            Self::Fixed(seconds) => Timestamp::from_unix(seconds.load(Ordering::SeqCst)),
        }
    }

    /// Moves a fixed clock; the machine's clock is not ours to set.
    pub fn set(&self, to: Timestamp) {
        if let Self::Fixed(seconds) = self {
            seconds.store(to.unix(), Ordering::SeqCst);
        }
    }
}
