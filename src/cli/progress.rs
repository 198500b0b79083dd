//! The bar of a run: on a terminal only, so that cron's mail holds no control characters.

use super::globals::Globals;
use crate::domain::{Counts, PageCounts};
use crate::sync::Watch;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// How often the spinner turns while no page comes.
const TICK: Duration = Duration::from_millis(200);

/// Shows pages, records and pace while a run goes on.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Begins, drawing nothing where stderr is no terminal or should be quiet.
    pub(super) fn start(globals: &Globals) -> Self {
        let target =
            if globals.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg} ({per_sec})") {
            bar.set_style(style);
        }
        if !bar.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        Self(bar)
    }

    /// Ends, leaving nothing on the screen.
    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Watch for Progress {
    fn progress(&mut self, counts: &Counts) {
        let PageCounts { pages, entries, .. } = counts.pages;
        self.0.set_position(pages);
        self.0.set_message(format!("{pages} pages, {entries} records"));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}
