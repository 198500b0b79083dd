//! The runtime of the commands that speak to the network.

use crate::error::{Failure, FailureKind};
use crate::store::file::check_open_files;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::{io, thread};
use tokio::runtime::{Builder, Runtime};

/// So many threads a command runs at once: this one, two that fetch and decode, and two that look
/// up names or write what others wait for.
const THREADS: usize = 5;

/// What is said where threads are lacking.
pub(super) fn lack_of_threads() -> Failure {
    Failure::new(FailureKind::Unexpected, "cannot start a thread").hint(
        "raise the limit on processes and threads (ulimit -u, TasksMax of a unit, pids.max of a \
         container)",
    )
}

/// Starts as many threads as will be needed, which end at once: tokio panics where it cannot start
/// one.
fn check_threads() -> io::Result<()> {
    let (alive, ended) = mpsc::channel::<()>();
    let ended = Arc::new(Mutex::new(ended));
    let started: io::Result<Vec<_>> = (1..THREADS)
        .map(|_| {
            let ended = Arc::clone(&ended);
            // Each lives until all others have been started.
            thread::Builder::new().spawn(move || drop(ended.lock().map(|ended| ended.recv())))
        })
        .collect();
    drop(alive);
    started?.into_iter().for_each(|thread| drop(thread.join()));
    Ok(())
}

/// Starts the runtime. Two threads fetch and decode beside the one that commits.
pub(super) fn start() -> Result<Runtime, Failure> {
    let cannot = |error| {
        Failure::new(FailureKind::Unexpected, "cannot start the runtime")
            .because(error)
            .hint("raise the limit on open files: ulimit -n 1024")
    };
    // Asked beforehand: tokio panics where it cannot make the pipe over which signals come.
    check_open_files(Path::new("/")).map_err(cannot)?;
    check_threads().map_err(|error| lack_of_threads().because(error))?;
    Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(cannot)
}
