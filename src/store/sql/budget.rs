//! What one question may use: time at work, and temporary files. The time its answer waits for a
//! reader (a pager, a slow pipe) is not counted.

use rusqlite::{Connection, InterruptHandle};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Instructions of SQLite's machine between two looks at the time: less than a millisecond, and no
/// measurable cost.
const INSTRUCTIONS_A_LOOK: i32 = 1_000;

/// Stands in `paused_at` while SQLite works.
const WORKING: u64 = u64::MAX;

/// The time left to a question.
#[derive(Clone, Debug)]
pub(in crate::store) struct Budget(Arc<Shared>);

/// Moments are nanoseconds after `started`.
#[derive(Debug)]
struct Shared {
    started: Instant,
    deadline: AtomicU64,
    /// Since when the answer waits for its reader.
    paused_at: AtomicU64,
    /// Whether the question was ended because of its temporary files.
    filled_disk: AtomicBool,
}

impl Budget {
    /// Starts the clock, and lets it interrupt whatever the connection does beyond the limit.
    pub(in crate::store) fn start(
        connection: &mut Connection,
        limit: Duration,
    ) -> Result<Self, rusqlite::Error> {
        let budget = Self(Arc::new(Shared {
            started: Instant::now(),
            deadline: AtomicU64::new(nanoseconds(limit)),
            paused_at: AtomicU64::new(WORKING),
            filled_disk: AtomicBool::new(false),
        }));
        let watched = budget.clone();
        connection
            .progress_handler(INSTRUCTIONS_A_LOOK, Some(move || !watched.0.overdue().is_zero()))?;
        Ok(budget)
    }

    /// Takes the clock off a connection that goes on without a limit.
    pub(in crate::store) fn stop(connection: &mut Connection) -> Result<(), rusqlite::Error> {
        connection.progress_handler(0, None::<fn() -> bool>)
    }

    /// The answer waits for its reader from now on.
    pub(in crate::store) fn pause(&self) {
        self.0.paused_at.store(self.0.now(), Ordering::Relaxed);
    }

    /// SQLite works from now on.
    pub(in crate::store) fn resume(&self) {
        let paused_at = self.0.paused_at.swap(WORKING, Ordering::Relaxed);
        let waited = if paused_at == WORKING { 0 } else { self.0.now().saturating_sub(paused_at) };
        self.0.deadline.fetch_add(waited, Ordering::Relaxed);
    }

    /// Whether the question was ended because of its temporary files.
    pub(in crate::store) fn has_filled_disk(&self) -> bool {
        self.0.filled_disk.load(Ordering::Relaxed)
    }

    /// Lets another thread watch the question.
    pub(in crate::store) fn watch(&self, connection: &Connection) -> Watch {
        Watch { shared: Arc::clone(&self.0), interrupt: connection.get_interrupt_handle() }
    }
}

impl Shared {
    fn now(&self) -> u64 {
        nanoseconds(self.started.elapsed())
    }

    /// For how long SQLite has worked beyond the limit.
    fn overdue(&self) -> Duration {
        let is_paused = self.paused_at.load(Ordering::Relaxed) != WORKING;
        let beyond = self.now().saturating_sub(self.deadline.load(Ordering::Relaxed));
        Duration::from_nanos(if is_paused { 0 } else { beyond })
    }
}

/// A question as another thread sees it.
///
/// SQLite looks at the time between two of its instructions. One instruction can take hours
/// (`instr` of two long texts), so who must be certain watches from outside.
#[expect(missing_debug_implementations, reason = "SQLite's handle has nothing to show")]
pub struct Watch {
    shared: Arc<Shared>,
    interrupt: InterruptHandle,
}

impl Watch {
    /// For how long the question has worked beyond its limit without taking notice.
    pub fn overdue(&self) -> Duration {
        self.shared.overdue()
    }

    /// Ends the question at its next instruction, since its temporary files have become too large.
    pub fn end_for_disk(&self) {
        self.shared.filled_disk.store(true, Ordering::Relaxed);
        self.interrupt.interrupt();
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    // Saturates after 292 years, and leaves room so that adding waits cannot wrap around.
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX).min(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Work enough for several looks at the time.
    const COUNT: &str =
        "WITH RECURSIVE n AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM n WHERE x < 10000)
                         SELECT count(*) FROM n";

    fn count_within(limit: Duration) -> rusqlite::Result<i64> {
        let mut connection = Connection::open_in_memory().unwrap();
        let _budget = Budget::start(&mut connection, limit).unwrap();
        connection.query_row(COUNT, [], |row| row.get(0))
    }

    #[test]
    fn work_beyond_the_limit_is_interrupted() {
        let interrupted = count_within(Duration::ZERO).unwrap_err();
        assert_eq!(
            interrupted.sqlite_error_code(),
            Some(rusqlite::ErrorCode::OperationInterrupted)
        );
        assert_eq!(count_within(Duration::from_hours(1)).unwrap(), 10_000);
        assert_eq!(
            count_within(Duration::MAX).unwrap(),
            10_000,
            "the largest limit does not wrap around"
        );
    }

    #[test]
    fn what_the_reader_takes_does_not_count() {
        let mut connection = Connection::open_in_memory().unwrap();
        let budget = Budget::start(&mut connection, Duration::ZERO).unwrap();
        let watch = budget.watch(&connection);
        assert!(watch.overdue() > Duration::ZERO);
        budget.pause();
        assert_eq!(watch.overdue(), Duration::ZERO, "an answer that waits is not late");
        // As if an hour had passed between two rows.
        budget.0.deadline.store(nanoseconds(Duration::from_hours(1)), Ordering::Relaxed);
        budget.resume();
        assert_eq!(connection.query_row(COUNT, [], |row| row.get::<_, i64>(0)).unwrap(), 10_000);
    }

    #[test]
    fn a_question_that_fills_the_disk_says_so() {
        let mut connection = Connection::open_in_memory().unwrap();
        let budget = Budget::start(&mut connection, Duration::from_hours(1)).unwrap();
        assert!(!budget.has_filled_disk());
        budget.watch(&connection).end_for_disk();
        assert!(budget.has_filled_disk());
    }
}
