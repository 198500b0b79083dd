//! `fgarchive verify`: whether the service still shows what was archived of settled windows.

use super::archive::open_existing;
use super::globals::Globals;
use super::progress::Progress;
use super::service::{self, ServiceArgs};
use super::signals::interrupt;
use super::terminal::screen;
use super::{failure, runtime};
use crate::config::{Config, Flags, RunConfig};
use crate::error::Failure;
use crate::render::views::{VerificationView, write_verification};
use crate::render::write_json_line;
use crate::store::file::{Reader, StoreError};
use crate::store::reports::{Arguments, Settling};
use crate::sync::{self, FunctionReport, RunPlan, RunReport, Selection, SourceReport, Task};
use std::io::Write;

/// The arguments of `verify`.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = service::VARIABLES, mut_args = service::tell_default)]
pub(super) struct Args {
    #[command(flatten)]
    service: ServiceArgs,
    /// From when on to verify: a time, an age such as 7d, or the begin of a period (`2026-03-01`,
    /// `2026-03`, yesterday, last-week, this-month), in UTC [default: all that is settled]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// Until when to verify, in the same forms; of a period its end
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
    /// Only so many windows of each function, drawn at random, of about a page each
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    sample: Option<usize>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Walks settled windows again, repairs the archive by what they show, and tells what was
/// otherwise; finding something is a failure of its own kind.
pub(super) fn run(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    let now = globals.clock().now();
    let flags =
        Flags { since: args.since.clone(), until: args.until.clone(), ..args.service.flags() };
    let Config { sources, run: RunConfig { since, until, .. }, .. } =
        service::load(&flags, globals)?;
    let selection = Selection { since, until, sample: args.sample };
    let plan = RunPlan {
        task: Task::Verify(selection),
        sources: service::to_sources(sources)?,
        max_duration: None,
    };
    let runtime = runtime::start()?;
    let cancel = interrupt(&runtime)?;
    let mut archive = open_existing(globals)?;
    let mut progress = Progress::start(globals);
    let clock = globals.clock();
    let report = runtime.block_on(sync::run(&mut archive, plan, &clock, &cancel, &mut progress))?;
    progress.finish();
    drop(archive);
    let settling = load_settling(globals, &Arguments { since, until, ..Arguments::at(now) })?;
    let written = if args.json {
        write_json_line(&VerificationView::of(&report, &settling), out)
    } else {
        write_verification(&report, &settling, screen(), out)
    };
    written.map_err(failure::output)?;
    conclude(&report)
}

fn load_settling(globals: &Globals, arguments: &Arguments) -> Result<Vec<Settling>, Failure> {
    let settling = Reader::open(&globals.db).and_then(|mut reader| reader.load_settling(arguments));
    settling.map_err(|error: StoreError| error.into_failure(&globals.db))
}

fn conclude(report: &RunReport) -> Result<(), Failure> {
    for source in &report.sources {
        service::span(report, source).in_scope(|| conclude_source(source));
    }
    let are_all_gone =
        report.functions().next().is_some() && report.functions().all(|it| it.gone.is_some());
    if report.verified().next().is_none() && report.failure_kind().is_none() && !are_all_gone {
        tracing::warn!("no settled window was there to verify");
    }
    report.failure().map_or(Ok(()), Err)
}

fn conclude_source(report: &SourceReport) {
    service::tell_of_gone(&report.functions);
    let there = report.functions.iter().filter(|function| function.gone.is_none());
    for FunctionReport { id, urn, unproven, failure, .. } in there {
        let is_verified = report.verified.iter().any(|comparison| comparison.function == *id);
        if !is_verified && unproven.is_empty() && failure.is_none() && !report.verified.is_empty() {
            tracing::warn!(function = urn.full_name(), "no settled window was there to verify");
        }
        for (range, doubt) in unproven {
            tracing::warn!(
                function = urn.full_name(),
                %range,
                "a range could not be verified: {doubt}"
            );
        }
        if let Some(failure) = failure {
            tracing::warn!(function = urn.full_name(), "left unverified: {failure}");
        }
    }
}
