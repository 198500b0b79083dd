//! `fgarchive verify`: whether the service still shows what was archived of settled windows.

use super::archive::open_existing;
use super::globals::Globals;
use super::progress::Progress;
use super::service::{self, Service, ServiceArgs};
use super::signals::interrupt;
use super::terminal::screen;
use super::{failure, runtime};
use crate::api::Client;
use crate::domain::FunctionUrn;
use crate::error::{Failure, FailureKind};
use crate::render::views::{VerificationView, write_verification};
use crate::render::write_json_line;
use crate::store::file::{Archive, Reader, StoreError};
use crate::store::reports::{Arguments, Settling};
use crate::sync::{self, FunctionReport, RunPlan, RunReport, RunSource, Selection, Settings, SourceReport, Task};
use std::io::Write;

/// The arguments of `verify`.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = service::VARIABLES)]
pub(super) struct Args {
    #[command(flatten)]
    service: ServiceArgs,
    /// From when on to verify: a time, a date, or an age such as 7d [default: all that is settled]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// Until when to verify, in the same forms
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
    /// Only so many windows of each function, drawn at random, of about a page each
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    sample: Option<usize>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Walks settled windows again, repairs the archive by what they show, and tells what was otherwise; finding something is
/// a failure of its own kind.
pub(super) fn run(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    let now = globals.clock().now();
    let (since, until) = service::read_range(args.since.as_deref(), args.until.as_deref(), now)?;
    let selection = Selection { since, until, sample: args.sample };
    let settings = args.service.settings(now);
    let services = args.service.services(globals)?;
    let runtime = runtime::start()?;
    let cancel = interrupt(&runtime)?;
    let mut archive = open_existing(globals)?;
    let mut progress = Progress::start(globals);
    let report = runtime.block_on(async {
        let sources = choose(services, &settings, &archive).await?;
        let plan = RunPlan { task: Task::Verify(selection), sources };
        sync::run(&mut archive, plan, &globals.clock(), &cancel, &mut progress).await
    })?;
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

/// What is verified of each service: the functions that are named, which must be archived, or all that are archived of the
/// project.
async fn choose(
    services: Vec<Service>,
    settings: &Settings,
    archive: &Archive,
) -> Result<Vec<RunSource<Client>>, Failure> {
    let archived = archive.load_functions().map_err(|error| error.into_failure(archive.path()))?;
    let archived: Vec<FunctionUrn> = archived.into_iter().map(|(_, urn)| urn).collect();
    let mut sources = service::to_sources(services, settings).await?;
    for RunSource { source: client, settings, .. } in &mut sources {
        settings.all_functions = false;
        if let Some(stranger) = settings.functions.iter().find(|urn| !archived.contains(urn)) {
            return Err(not_archived(stranger));
        }
        if settings.functions.is_empty() {
            let project_id = client.project_id().await.map_err(sync::to_failure)?;
            let is_of_project = |urn: &&FunctionUrn| urn.region() == client.region() && urn.project_id() == project_id;
            settings.functions = archived.iter().filter(is_of_project).cloned().collect();
        }
    }
    Ok(sources)
}

fn not_archived(urn: &FunctionUrn) -> Failure {
    Failure::new(FailureKind::Usage, format!("the archive holds no function `{urn}`"))
        .hint("`fgarchive status` lists those that it holds")
}

fn load_settling(globals: &Globals, arguments: &Arguments) -> Result<Vec<Settling>, Failure> {
    let settling = Reader::open(&globals.db).and_then(|mut reader| reader.load_settling(arguments));
    settling.map_err(|error: StoreError| error.into_failure(&globals.db))
}

fn conclude(report: &RunReport) -> Result<(), Failure> {
    for source in &report.sources {
        service::span(report, source).in_scope(|| conclude_source(source));
    }
    if report.verified().next().is_none() && report.failure_kind().is_none() {
        tracing::warn!("no settled window was there to verify");
    }
    report.failure().map_or(Ok(()), Err)
}

fn conclude_source(report: &SourceReport) {
    service::tell_of_gone(&report.functions);
    for FunctionReport { urn, unproven, failure, .. } in &report.functions {
        for (range, doubt) in unproven {
            tracing::warn!(function = urn.full_name(), %range, "a range could not be verified: {doubt}");
        }
        if let Some(failure) = failure {
            tracing::warn!(function = urn.full_name(), "left unverified: {failure}");
        }
    }
}
