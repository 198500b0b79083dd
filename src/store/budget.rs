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

#[cfg(test)]
mod tests {
    use super::*;

    /// Work enough for several looks at the watch.
    const COUNT: &str = "WITH RECURSIVE n AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM n WHERE x < 10000)
                         SELECT count(*) FROM n";

    fn count_within(limit: Duration, waited: Duration) -> rusqlite::Result<i64> {
        let mut connection = Connection::open_in_memory().unwrap();
        let budget = Budget::start(&mut connection, limit).unwrap();
        budget.extend(waited);
        connection.query_row(COUNT, [], |row| row.get(0))
    }

    #[test]
    fn work_beyond_the_limit_is_interrupted_and_waits_do_not_count() {
        let hour = Duration::from_hours(1);
        let interrupted = count_within(Duration::ZERO, Duration::ZERO).unwrap_err();
        assert_eq!(interrupted.sqlite_error_code(), Some(rusqlite::ErrorCode::OperationInterrupted));
        assert_eq!(count_within(Duration::ZERO, hour).unwrap(), 10_000);
        assert_eq!(count_within(Duration::MAX, hour).unwrap(), 10_000, "the largest limit does not wrap around");
    }
}
