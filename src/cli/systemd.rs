//! What a service that stays tells systemd, by `sd_notify(3)`: that it is ready, what it does, and
//! that it is alive. Without systemd nothing is told to anybody.

use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How much of the time that systemd waits for a sign of life passes between two.
const SIGNS: u32 = 3;

/// The settings have been read: whoever waits for the service may go on.
pub(super) fn tell_ready() {
    tell("READY=1");
}

/// The service ends.
pub(super) fn tell_stopping() {
    tell("STOPPING=1");
}

/// What the service does, in a line that `systemctl status` shows.
pub(super) fn tell_status(status: &str) {
    tell(&format!("STATUS={status}"));
}

#[cfg(unix)]
fn tell(state: &str) {
    if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Custom(state)]) {
        tracing::debug!("cannot tell systemd `{state}`: {error}");
    }
}

#[cfg(not(unix))]
fn tell(_state: &str) {}

/// How long systemd waits for a sign of life before it ends the service, where it does.
#[cfg(unix)]
fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

#[cfg(not(unix))]
fn watchdog() -> Option<Duration> {
    None
}

/// Does some work, with a sign of life now and then. The signs come from the task that does the
/// work: where it hangs, they stay away.
pub(super) async fn with_signs_of_life<T>(work: impl Future<Output = T>) -> T {
    let Some(limit) = watchdog() else { return work.await };
    let mut signs = interval((limit / SIGNS).max(Duration::from_millis(1)));
    signs.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = signs.tick() => tell("WATCHDOG=1"),
        }
    }
}
