//! The signals that end a run in good order, and SIGXFSZ, which is kept from ending it.

use crate::error::{Failure, FailureKind};
#[cfg(unix)]
use crate::store::file::check_open_files;
use std::io;
#[cfg(unix)]
use std::io::IsTerminal;
#[cfg(unix)]
use std::path::Path;
use std::sync::Arc;
use tokio::runtime::Runtime;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Cancelled by SIGINT, SIGTERM, or SIGHUP (the terminal is gone), so that what is in hand can be
/// committed first. Those that were ignored when the program began, as by `nohup`, stay so.
///
/// A run listens before it opens the archive, so that a signal finds it in good order whenever it
/// comes.
pub(super) fn interrupt(runtime: &Runtime) -> Result<CancellationToken, Failure> {
    let token = CancellationToken::new();
    let _inside = runtime.enter();
    let stopped = signals()?;
    let cancelled = token.clone();
    runtime.spawn(async move {
        stopped.await;
        cancelled.cancel();
    });
    Ok(token)
}

/// What a program that stays is told.
pub(super) struct Staying {
    /// To end, by SIGINT or SIGTERM; at a terminal by SIGHUP as well: it is gone.
    pub(super) stop: CancellationToken,
    /// To begin anew, by SIGHUP.
    pub(super) again: Arc<Notify>,
}

/// Listens to what a program that stays is told.
#[cfg(unix)]
pub(super) fn stay(runtime: &Runtime) -> Result<Staying, Failure> {
    if io::stderr().is_terminal() {
        return Ok(Staying { stop: interrupt(runtime)?, again: Arc::default() });
    }
    let staying = Staying { stop: CancellationToken::new(), again: Arc::default() };
    let _inside = runtime.enter();
    let Signals { mut terminate, mut interrupt, mut hang_up } = Signals::listen()?;
    let (stop, again) = (staying.stop.clone(), Arc::clone(&staying.again));
    runtime.spawn(async move {
        loop {
            tokio::select! {
                () = receive(&mut terminate) => stop.cancel(),
                () = receive(&mut interrupt) => stop.cancel(),
                () = receive(&mut hang_up) => again.notify_one(),
            }
        }
    });
    Ok(staying)
}

/// Where there is no SIGHUP.
#[cfg(not(unix))]
pub(super) fn stay(runtime: &Runtime) -> Result<Staying, Failure> {
    Ok(Staying { stop: interrupt(runtime)?, again: Arc::default() })
}

/// Makes a write beyond the limit on the size of files fail, as on a full disk. The signal that
/// comes with such a write, SIGXFSZ, would kill the process in the middle of its work unless it is
/// listened for, which holds for the life of the process.
///
/// Listening needs a few files. Where they cannot be opened the program goes on without it, and the
/// first command that needs a file reports the limit.
#[cfg(unix)]
pub(super) fn outlive_limit_on_files() {
    if let Err(error) = outlive(SignalKind::from_raw(FILE_TOO_LARGE)) {
        tracing::debug!("a file that meets the limit on its size ends the program: {error}");
    }
}

/// Keeps SIGINT from ending the process: a pager that shares the terminal does not end by it, and
/// would be left behind. Holds for the life of the process, which ends when the pager does.
#[cfg(unix)]
pub(super) fn leave_interrupt_to_others() {
    if let Err(error) = outlive(SignalKind::interrupt()) {
        tracing::debug!("an interrupt leaves the pager behind: {error}");
    }
}

/// Makes a signal do nothing, by listening for it.
#[cfg(unix)]
fn outlive(kind: SignalKind) -> io::Result<()> {
    check_open_files(Path::new("/"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let _inside = runtime.enter();
    signal(kind).map(drop)
}

/// Only Unix has this signal. Elsewhere a write beyond a limit fails without one.
#[cfg(not(unix))]
pub(super) fn outlive_limit_on_files() {}

/// Without a terminal whose size is known there is no pager.
#[cfg(not(unix))]
pub(super) fn leave_interrupt_to_others() {}

/// The signals that are listened for; one that is ignored never comes.
#[cfg(unix)]
struct Signals {
    terminate: Option<Signal>,
    interrupt: Option<Signal>,
    hang_up: Option<Signal>,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> Result<Self, Failure> {
        let ignored = ignored_signals();
        let listen = |kind: SignalKind| {
            let is_ignored = ignored >> (kind.as_raw_value() - 1) & 1 == 1;
            if is_ignored { Ok(None) } else { signal(kind).map(Some).map_err(cannot_listen) }
        };
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }
}

#[cfg(unix)]
fn signals() -> Result<impl Future<Output = ()>, Failure> {
    let Signals { mut terminate, mut interrupt, mut hang_up } = Signals::listen()?;
    Ok(async move {
        tokio::select! {
            () = receive(&mut terminate) => {}
            () = receive(&mut interrupt) => {}
            () = receive(&mut hang_up) => {}
        }
    })
}

#[cfg(unix)]
fn cannot_listen(error: io::Error) -> Failure {
    Failure::new(FailureKind::Unexpected, "cannot listen for signals").because(error)
}

/// Waits for a signal, for ever where it is ignored.
#[cfg(unix)]
async fn receive(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// SIGXFSZ, which has this number on Linux, macOS and the BSDs.
#[cfg(unix)]
const FILE_TOO_LARGE: i32 = 25;

/// The signals that are ignored as a set of bits, where the system tells: Linux does in
/// `/proc/self/status` (proc(5)).
#[cfg(unix)]
fn ignored_signals() -> u64 {
    ignored_in(&std::fs::read_to_string("/proc/self/status").unwrap_or_default()).unwrap_or(0)
}

#[cfg(unix)]
fn ignored_in(status: &str) -> Option<u64> {
    let set = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(set.trim(), 16).ok()
}

#[cfg(not(unix))]
fn signals() -> Result<impl Future<Output = ()>, Failure> {
    Ok(async {
        // Where there is no such signal, the run goes on.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_ignored_signals_are_those_of_the_set() {
        assert_eq!(
            ignored_in("Name:\tx\nSigIgn:\t0000000001001001\nSigCgt:\t0\n"),
            Some(0x100_1001)
        );
        assert_eq!(ignored_in("Name:\tx\n"), None);
        assert_eq!(ignored_signals() >> (15 - 1) & 1, 0, "no test runs with SIGTERM ignored");
    }
}
