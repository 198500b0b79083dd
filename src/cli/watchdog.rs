//! The last word on a question: ends the process when SQLite does not take notice of a limit.

use super::failure::show;
use super::globals::LogFormat;
use super::memory::unbound;
use super::runtime;
use crate::error::{Failure, FailureKind};
use crate::store::file::temporary_bytes;
use crate::store::sql::Watch;
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

/// How often the watchdog looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// For how long beyond its limit a question may go on until the process is ended: SQLite itself
/// takes notice within milliseconds, unless a single function of the statement works for longer.
const GRACE: Duration = Duration::from_secs(1);

/// The most temporary files of a question, in bytes: enough to sort ten million records of an
/// archive by a long column.
const MOST_TEMPORARY: u64 = 4 << 30;

/// Watches a question until it is dropped.
#[derive(Debug)]
pub(super) struct Watchdog {
    /// Dropped with the watchdog, which the thread takes for the end.
    _is_asking: Sender<()>,
}

impl Watchdog {
    /// Begins to watch.
    pub(super) fn start(watch: Watch, format: LogFormat) -> Result<Self, Failure> {
        let (is_asking, ended) = mpsc::channel::<()>();
        let (is_ready, ready) = mpsc::channel();
        let work = move || {
            // A private copy of the archive is no temporary file of the question. Seen from this
            // thread, so that what a look takes is at hand later: SQLite may by then have all the
            // memory that there is.
            let before = temporary_bytes();
            let _ = is_ready.send(());
            while ended.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                if watch.overdue() > GRACE {
                    end_process(format);
                }
                if temporary_bytes().saturating_sub(before) > MOST_TEMPORARY {
                    watch.end_for_disk();
                }
            }
        };
        let cannot = |error| runtime::lack_of_threads().because(error);
        thread::Builder::new().name("watchdog".to_owned()).spawn(work).map_err(cannot)?;
        // It cannot fail: the thread lives for as long as what is returned here.
        let _ = ready.recv();
        Ok(Self { _is_asking: is_asking })
    }
}

/// Ends the process in the middle of a question. Nothing is lost by that: the archive is open for
/// reading only, and the kernel closes it.
#[expect(
    clippy::disallowed_methods,
    reason = "the thread that asks cannot be stopped in any other way"
)]
fn end_process(format: LogFormat) -> ! {
    unbound();
    let failure = Failure::new(
        FailureKind::Usage,
        "cannot finish the question: the time limit was reached",
    )
    .hint("a single function of the statement works for longer than it may: give it shorter texts");
    show(&failure, format, &mut io::stderr());
    std::process::exit(i32::from(failure.kind.exit_code()))
}
