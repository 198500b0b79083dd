//! `fgarchive sync --every`: one run after the other, until somebody ends it.

use super::aftermath::Tried;
use super::failure;
use super::globals::Globals;
use super::signals::{self, Staying};
use super::stage::Stage;
use super::sync;
use super::telling::Telling;
use super::{runtime, systemd};
use crate::error::{Failure, FailureKind};
use crate::plan::rhythm::Rhythm;
use crate::sync::RunReport;
use std::io::{self, Write};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Runs, and waits, until it is told to stop, which is no failure. What is wrong with the settings
/// at the beginning is one: whoever starts it stands by.
pub(super) fn run(
    args: &sync::Args,
    every: Duration,
    globals: &Globals,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    args.load(globals)?;
    args.telling(globals)?;
    let runtime = runtime::start()?;
    let Staying { stop, again } = signals::stay(&runtime)?;
    let stage = Stage { runtime, cancel: stop };
    systemd::tell_ready();
    let (mut rhythm, first) = (Rhythm::new(every), Instant::now());
    while !stage.cancel.is_cancelled() {
        let began = first.elapsed();
        systemd::tell_status("a run is under way");
        let report = run_once(args, &stage, globals, out)?;
        rhythm.note(report.is_answered);
        let next = rhythm.next(began, first.elapsed());
        let next_at = globals.clock().now() + next.saturating_sub(first.elapsed());
        if rhythm.pause().is_some() && !stage.cancel.is_cancelled() {
            tracing::info!("nothing answers: the next run begins at {next_at}");
        }
        systemd::tell_status(&format!("{}; the next run begins at {next_at}", report.told));
        stage.runtime.block_on(systemd::with_signs_of_life(async {
            tokio::select! {
                () = stage.cancel.cancelled() => {}
                () = again.notified() => tracing::info!("told to begin a run now"),
                () = sleep_until(first + next) => {}
            }
        }));
    }
    systemd::tell_stopping();
    Ok(())
}

/// How a run ended.
struct Ended {
    /// In a few words.
    told: String,
    is_answered: bool,
}

/// Does one run and tells of it. A failure is told and ends nothing: the next run may fare better.
/// What ends all of it is an output that cannot be written.
fn run_once(
    args: &sync::Args,
    stage: &Stage,
    globals: &Globals,
    out: &mut dyn Write,
) -> Result<Ended, Failure> {
    let started_at = globals.clock().now();
    // The configuration may have been changed meanwhile; a broken one fails this run alone.
    let (globals, unreadable) = match globals.again() {
        Ok(again) => (again, None),
        Err(failure) => (globals.clone(), Some(failure)),
    };
    let globals = &globals;
    let telling = args.telling(globals).unwrap_or_else(|failure| {
        tracing::error!("{failure}");
        Telling::NOBODY
    });
    telling.begin(stage);
    let report = unreadable
        .map_or_else(|| args.load(globals), Err)
        .and_then(|config| sync::archive(args, config, stage, globals));
    args.leave(&Tried { started_at, report: report.as_ref() }, &telling, stage, globals);
    let is_answered = match &report {
        Ok(report) => has_answered(report),
        // Another run is at work.
        Err(failure) => failure.kind == FailureKind::Busy,
    };
    let concluded = match &report {
        Ok(report) => {
            args.print(report, out)?;
            out.flush().map_err(failure::output)?;
            sync::conclude(report)
        }
        Err(_) => Ok(()),
    };
    let failure = concluded.as_ref().err().or(report.as_ref().err());
    // Whoever ended it knows.
    let failure = failure.filter(|failure| failure.kind != FailureKind::Interrupted);
    if let Some(failure) = failure {
        failure::show(failure, globals.log_format, &mut io::stderr());
    }
    let told = match (&report, failure) {
        (Ok(report), _) => format!("run {} {}", report.run, report.outcome()),
        (Err(_), Some(failure)) => format!("no run: {}", failure.message),
        (Err(_), None) => "no run".to_owned(),
    };
    Ok(Ended { told, is_answered })
}

/// Whether some service let us in and answered.
fn has_answered(report: &RunReport) -> bool {
    report.sources.iter().any(|source| source.refusal.is_none() && !source.is_down)
}
