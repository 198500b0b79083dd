//! Commands of people's own that are run beside us: each in a group of processes of its own, so
//! that it can be ended together with what it has started.

use tokio::process::Command;

/// Gives a command a group of its own.
#[cfg(unix)]
pub(crate) fn in_own_group(command: &mut Command) {
    command.process_group(0);
}

#[cfg(not(unix))]
pub(crate) fn in_own_group(_command: &mut Command) {}

/// Ends a group of processes at once. One that is gone already needs nothing.
#[cfg(unix)]
pub(crate) fn kill(group: Option<u32>) {
    use rustix::process::{Pid, Signal, kill_process_group};
    if let Some(group) = group.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

#[cfg(not(unix))]
pub(crate) fn kill(_group: Option<u32>) {}
