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
    /// A clock that stands still unless a demonstration or a test sets it, seconds since the epoch.
    Fixed(Arc<AtomicI64>),
    /// A machine's clock in the hands of a test, seconds since the epoch: it runs, and may be set
    /// during a run.
    Unreliable(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands still until it is set.
    pub fn fixed(at: Timestamp) -> Self {
        Self::Fixed(Arc::new(AtomicI64::new(at.unix())))
    }

    /// A clock that a test moves as it likes while time runs.
    pub fn unreliable(at: Timestamp) -> Self {
        Self::Unreliable(Arc::new(AtomicI64::new(at.unix())))
    }

    /// Whether no time passes by it by itself.
    pub fn stands_still(&self) -> bool {
        matches!(self, Self::Fixed(_))
    }

    /// The present.
    pub fn now(&self) -> Timestamp {
        match self {
            #[expect(
                clippy::disallowed_methods,
                reason = "the one place that reads the machine's clock"
            )]
            Self::System => now_from_system(SystemTime::now()),
            Self::Fixed(seconds) | Self::Unreliable(seconds) => {
                Timestamp::from_unix(seconds.load(Ordering::SeqCst))
            }
        }
    }

    /// Sets a clock of a test; the machine's clock is not ours to set.
    pub fn set(&self, to: Timestamp) {
        if let Self::Fixed(seconds) | Self::Unreliable(seconds) = self {
            seconds.store(to.unix(), Ordering::SeqCst);
        }
    }
}
