//! What the program says while it works: on stderr, for people or for programs.

use super::globals::{GlobalArgs, LogFormat};
use super::terminal::{log_lines, stderr_has_colour};
use crate::clock::Clock;
use std::fmt;
use std::io::{self, IsTerminal};
use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

/// Starts logging; a second start in one process (as tests may do) changes nothing.
pub(super) fn start(globals: &GlobalArgs) {
    let filter = filter(globals.verbose, globals.quiet);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(log_lines)
        .with_ansi(stderr_has_colour())
        .with_target(false);
    let layer: Box<dyn Layer<Registry> + Send + Sync> = match globals.log_format {
        LogFormat::Json => lines.json().flatten_event(true).with_timer(Utc(Clock::System)).boxed(),
        // A person at a terminal sees when a line appears; a log file needs to be told.
        LogFormat::Text if io::stderr().is_terminal() => lines.without_time().boxed(),
        LogFormat::Text => lines.with_timer(Utc(Clock::System)).boxed(),
    };
    let _ = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
}

/// What speaks to the service on our behalf. Whatever goes wrong there is an error of ours, said
/// once and without secrets; their own lines would stand beside it, and show what they were sent.
const SILENT: [&str; 9] = [
    "h2",
    "hyper",
    "hyper_rustls",
    "hyper_util",
    "reqwest",
    "rustls",
    "rustls_platform_verifier",
    "tokio_rustls",
    "tower",
];

/// Our own lines at the level that was asked for. Libraries never say more than warnings: at their
/// lower levels some print what they send, and no secret may appear in a log.
fn filter(verbose: u8, quiet: bool) -> Targets {
    let ours = match (quiet, verbose) {
        (true, _) => Level::ERROR,
        (false, 0) => Level::INFO,
        (false, 1) => Level::DEBUG,
        (false, _) => Level::TRACE,
    };
    let others = if quiet { LevelFilter::ERROR } else { LevelFilter::WARN };
    let silent = SILENT.map(|library| (library, LevelFilter::OFF));
    Targets::new()
        .with_default(others)
        .with_targets(silent)
        .with_target(env!("CARGO_CRATE_NAME"), ours)
}

/// The form of every time of this program, instead of one with microseconds.
struct Utc(Clock);

impl FormatTime for Utc {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        write!(writer, "{}", self.0.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_stay_quiet_at_every_level() {
        for verbose in 0..4 {
            let filter = filter(verbose, false);
            assert!(!filter.would_enable("hyper::client", &Level::INFO));
            assert!(!filter.would_enable("reqwest::connect", &Level::TRACE));
            for library in [
                "rustls_platform_verifier::verification::others",
                "rustls",
                "hyper::proto",
                "reqwest",
            ] {
                assert!(!filter.would_enable(library, &Level::ERROR), "{library}");
            }
            assert!(filter.would_enable("refinery_core::traits", &Level::WARN));
        }
    }

    #[test]
    fn each_v_says_more_and_q_only_errors() {
        let enabled =
            |verbose, quiet, level| filter(verbose, quiet).would_enable("fgarchive::sync", &level);
        assert!(enabled(0, false, Level::INFO) && !enabled(0, false, Level::DEBUG));
        assert!(enabled(1, false, Level::DEBUG) && !enabled(1, false, Level::TRACE));
        assert!(enabled(2, false, Level::TRACE));
        assert!(enabled(0, true, Level::ERROR) && !enabled(0, true, Level::WARN));
    }
}
