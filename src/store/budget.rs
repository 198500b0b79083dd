//! How long SQLite may work on one question. The time its answer waits for a reader (a pager, a slow pipe) is not counted.

use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Instructions of SQLite's machine between two looks at the watch: about a millisecond, and no measurable cost.
const INSTRUCTIONS_A_LOOK: i32 = 10_000;

/// The time left to a question.
#[derive(Debug)]
pub(super) struct Budget {
    started: Instant,
    /// Nanoseconds after `started`.
    deadline: Arc<AtomicU64>,
}

impl Budget {
    /// Starts the watch, and lets it interrupt whatever the connection does beyond the limit.
    pub(super) fn start(connection: &mut Connection, limit: Duration) -> Result<Self, rusqlite::Error> {
        let started = Instant::now();
        let deadline = Arc::new(AtomicU64::new(nanoseconds(limit)));
        let watched = Arc::clone(&deadline);
        let is_over = move || nanoseconds(started.elapsed()) > watched.load(Ordering::Relaxed);
        connection.progress_handler(INSTRUCTIONS_A_LOOK, Some(is_over))?;
        Ok(Self { started, deadline })
    }

    /// How long the question has run, waits included.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Adds the time that the reader of the answer took.
    pub(super) fn extend(&self, waited: Duration) {
        self.deadline.fetch_add(nanoseconds(waited), Ordering::Relaxed);
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    // Saturates after 584 years, and leaves room so that adding waits cannot wrap around.
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX) / 2
}
