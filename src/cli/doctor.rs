//! `fgarchive doctor`: diagnoses access, and probes what the service does where its documentation
//! is silent.

use super::globals::Globals;
use super::service::{self, ServiceArgs};
use super::terminal::screen;
use super::{failure, runtime};
use crate::api::{CallFailure, Client, Introductions};
use crate::config::{Config, SourceConfig, in_several_projects, in_several_regions};
use crate::error::{Failure, FailureKind};
use crate::render::views::{CheckupView, write_checkup};
use crate::render::write_json_line;
use crate::store::file::{Archive, StoreError};
use crate::sync::{self, Checkup, Verdict};
use std::io::Write;
use tokio::runtime::Runtime;

/// The arguments of `doctor`.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = service::VARIABLES, mut_args = service::tell_default)]
pub(super) struct Args {
    #[command(flatten)]
    service: ServiceArgs,
    /// Only print what was found, and keep nothing of it in the archive's table `probes`
    #[arg(long)]
    no_store: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Args {
    /// A check-up of what the configuration says, of which nothing is kept.
    pub(super) fn only_shown() -> Self {
        Self { service: ServiceArgs::default(), no_store: true, json: false }
    }
}

/// Looks, prints and keeps what was found; what somebody should look after is a failure of its own
/// kind.
pub(super) fn run(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    let Config { sources, .. } = service::load(&args.service.flags(), globals)?;
    let sources = if globals.has_sources() { sources } else { vec![only_one(sources)?] };
    let is_only = sources.len() == 1;
    let introductions = Introductions::default();
    let look = Look { args, runtime: runtime::start()?, globals };
    let mut failures = Vec::new();
    for mut source in sources {
        let name = Some(source.name.clone()).filter(|_| !is_only);
        source.client.introductions = introductions.clone();
        let looked = look.at(source, name.as_deref(), out);
        failures.extend(looked.err().map(|failure| (name, failure)));
    }
    service::worst_of(failures)
}

/// A look at one project after the other.
struct Look<'a> {
    args: &'a Args,
    runtime: Runtime,
    globals: &'a Globals,
}

impl Look<'_> {
    /// Looks at one project; `name` is told where there are others.
    fn at(
        &self,
        source: SourceConfig,
        name: Option<&str>,
        out: &mut dyn Write,
    ) -> Result<(), Failure> {
        let Self { args, runtime, globals } = self;
        let SourceConfig { client, settings, credentials, .. } = source;
        let client = Client::new(client).map_err(sync::to_failure)?;
        let clock = globals.clock();
        let examined = runtime.block_on(sync::examine(client, &settings, &clock, &credentials));
        let checkup = examined.map_err(sync::to_failure)?;
        let heading = name.filter(|_| !args.json);
        let heading = heading.map_or(Ok(()), |name| writeln!(out, "source {name}"));
        let written = heading.and_then(|()| {
            if args.json {
                write_json_line(&CheckupView::of(&checkup, name), out)
            } else {
                write_checkup(&checkup, screen(), out)
            }
        });
        written.map_err(failure::output)?;
        let kept = if args.no_store { Ok(()) } else { keep(&checkup, globals) };
        conclude(checkup).and(kept)
    }
}

/// Without a configuration file a check-up is about one project.
fn only_one(sources: Vec<SourceConfig>) -> Result<SourceConfig, Failure> {
    let mut regions: Vec<String> =
        sources.iter().map(|source| source.client.region.clone()).collect();
    regions.dedup();
    let projects: Vec<String> =
        sources.iter().filter_map(|source| source.client.project_id.clone()).collect();
    let mut sources = sources.into_iter();
    match (sources.next(), sources.next()) {
        (Some(source), None) => Ok(source),
        _ if regions.len() > 1 => {
            Err(in_several_regions(&regions).hint("run the check-up once for each region"))
        }
        _ => Err(in_several_projects(&projects).hint("run the check-up once for each project")),
    }
}

/// Another run that holds the archive is no reason to say nothing: what was found is printed by
/// now.
fn keep(checkup: &Checkup, globals: &Globals) -> Result<(), Failure> {
    let kept = Archive::open(&globals.db)
        .and_then(|mut archive| archive.save_probes(checkup.at, &checkup.findings));
    match kept {
        Err(StoreError::Held) => {
            tracing::warn!("not kept: another run holds the archive `{}`", globals.db.display());
            Ok(())
        }
        kept => kept.map_err(|error| error.into_failure(&globals.db)),
    }
}

fn conclude(checkup: Checkup) -> Result<(), Failure> {
    let verdict = checkup.verdict();
    if let Some(failure) = checkup.failure {
        return Err(told_why(failure));
    }
    if verdict < Verdict::Warning {
        return Ok(());
    }
    let worth =
        checkup.findings.iter().filter(|(_, finding)| finding.verdict >= Verdict::Warning).count();
    let things =
        if worth == 1 { "one finding needs".to_owned() } else { format!("{worth} findings need") };
    Err(Failure::new(FailureKind::Finding, format!("{things} attention"))
        .hint("each hint on stdout says what to do"))
}

fn told_why(failure: CallFailure) -> Failure {
    let mut failure = sync::to_failure(failure);
    failure.message = format!("the check-up ended early: {}", failure.message);
    failure
}
