//! The bar of a run, and of other work that lasts: on a terminal only, so that cron's mail holds no
//! control characters.

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
        Self(bar(globals, None, "{spinner} {elapsed} {msg} ({per_sec})"))
    }

    /// Ends, leaving nothing on the screen.
    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// Shows how much of work is done of which the amount is known.
pub(super) struct Steps(ProgressBar);

impl Steps {
    /// Begins, drawing nothing where stderr is no terminal or should be quiet.
    pub(super) fn start(globals: &Globals, amount: u64, what: &'static str) -> Self {
        let template = "{spinner} {elapsed} {wide_bar} {percent} % {msg} (eta {eta})";
        let bar = bar(globals, Some(amount), template);
        bar.set_message(what);
        Self(bar)
    }

    /// Begins work of which the amount is not known.
    pub(super) fn spin(globals: &Globals) -> Self {
        Self(bar(globals, None, "{spinner} {elapsed} {msg}"))
    }

    /// This is done now.
    pub(super) fn say(&self, what: &'static str) {
        self.0.set_message(what);
    }

    /// So much is done.
    pub(super) fn at(&self, done: u64) {
        self.0.set_position(done);
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A bar of this form, which draws nothing where stderr is no terminal or should be quiet.
fn bar(globals: &Globals, amount: Option<u64>, template: &str) -> ProgressBar {
    let target =
        if globals.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(amount, target);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    if !bar.is_hidden() {
        bar.enable_steady_tick(TICK);
    }
    bar
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
