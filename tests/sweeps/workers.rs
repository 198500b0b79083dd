//! Many trials on the processors of this machine, and what came of them.

use std::fmt::Write;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Trials under way on each processor: one waits for its disk while another works.
const ON_A_PROCESSOR: usize = 2;

/// The most failures that are told.
const MOST_TOLD: usize = 10;

/// Held by the sweep whose trials are under way. Each keeps all processors busy by itself; beside
/// another one a hurried run would answer later than its limits on time allow.
static TURN: Mutex<()> = Mutex::new(());

/// Does `work` on every item, side by side, once no other sweep is at it; what came of it, in any
/// order.
pub(crate) fn spread<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    // A sweep that found something leaves its turn poisoned, which is nothing to the next.
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let next = AtomicUsize::new(0);
    let one_by_one = || std::iter::from_fn(|| items.get(next.fetch_add(1, Ordering::SeqCst)));
    let workers = ON_A_PROCESSOR * thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let begun: Vec<_> = (0..workers)
            .map(|_| scope.spawn(|| one_by_one().map(&work).collect::<Vec<_>>()))
            .collect();
        begun.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

/// Whether every kind of failure is tried at every place, which takes several times as long.
pub(crate) fn is_full() -> bool {
    std::env::var("FGARCHIVE_SWEEP").is_ok_and(|how| how == "full")
}

/// Says in a line what was swept; past the test harness, which keeps what a passing test prints.
pub(crate) fn tell(line: &str) {
    let _ = io::Write::write_all(&mut io::stderr(), format!("{line}\n").as_bytes());
}

/// Fails with the first of what is wrong.
#[track_caller]
pub(crate) fn assert_none(wrong: &[String]) {
    let mut told = String::new();
    for text in wrong.iter().take(MOST_TOLD) {
        let _ = write!(told, "\n\n{text}");
    }
    assert!(wrong.is_empty(), "{} trials went wrong:{told}", wrong.len());
}
