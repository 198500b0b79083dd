//! `fgarchive doctor`: diagnoses access, and probes what the service does where its documentation is silent.

use super::render::{Format, Renderer};
use super::service::{self, ServiceArgs};
use super::terminal::on_one_line;
use super::{Globals, failure, runtime};
use crate::api::{CallFailure, Client};
use crate::config::{Config, SourceConfig, in_several_projects, in_several_regions};
use crate::domain::FunctionUrn;
use crate::error::{Failure, FailureKind};
use crate::store::file::{Archive, StoreError};
use crate::store::reports::Cell;
use crate::sync::{self, Checkup, Finding, Verdict};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::io::{self, Write};

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

/// Looks, prints and keeps what was found; what somebody should look after is a failure of its own kind.
pub(super) fn run(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    let clock = globals.clock();
    let Config { sources, credentials, .. } = service::load(&args.service.flags(), globals)?;
    let SourceConfig { client, settings, .. } = only_one(sources)?;
    let client = Client::new(client).map_err(sync::to_failure)?;
    let examined = runtime()?.block_on(sync::examine(client, &settings, &clock, &credentials));
    let checkup = examined.map_err(sync::to_failure)?;
    let written = if args.json { write_json(&checkup, out) } else { write_text(&checkup, out) };
    written.map_err(failure::output)?;
    let kept = if args.no_store { Ok(()) } else { keep(&checkup, globals) };
    conclude(checkup).and(kept)
}

/// A check-up is about one project.
fn only_one(sources: Vec<SourceConfig>) -> Result<SourceConfig, Failure> {
    let mut regions: Vec<String> = sources.iter().map(|source| source.client.region.clone()).collect();
    regions.dedup();
    let projects: Vec<String> = sources.iter().filter_map(|source| source.client.project_id.clone()).collect();
    let mut sources = sources.into_iter();
    match (sources.next(), sources.next()) {
        (Some(source), None) => Ok(source),
        _ if regions.len() > 1 => Err(in_several_regions(&regions).hint("run the check-up once for each region")),
        _ => Err(in_several_projects(&projects).hint("run the check-up once for each project")),
    }
}

/// Another run that holds the archive is no reason to say nothing: what was found is printed by now.
fn keep(checkup: &Checkup, globals: &Globals) -> Result<(), Failure> {
    let kept = Archive::open(&globals.db).and_then(|mut archive| archive.save_probes(checkup.at, &checkup.findings));
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
    let worth = checkup.findings.iter().filter(|(_, finding)| finding.verdict >= Verdict::Warning).count();
    let things = if worth == 1 { "one finding needs".to_owned() } else { format!("{worth} findings need") };
    Err(Failure::new(FailureKind::Finding, format!("{things} attention")).hint("each hint on stdout says what to do"))
}

fn told_why(failure: CallFailure) -> Failure {
    let mut failure = sync::to_failure(failure);
    failure.message = format!("the check-up ended early: {}", failure.message);
    failure
}

fn name(function: Option<&FunctionUrn>) -> Cell<'static> {
    function.map_or(Cell::Null, |urn| Cell::Text(urn.full_name().into()))
}

fn write_text(checkup: &Checkup, out: &mut dyn Write) -> io::Result<()> {
    let columns = ["verdict", "question", "answer", "function", "evidence"];
    let mut renderer = Renderer::begin(Format::Table, &columns.map(str::to_owned), out)?;
    for (function, finding) in &checkup.findings {
        renderer.row(&[
            Cell::Text(finding.verdict.as_str().into()),
            Cell::Text(Cow::Borrowed(&finding.question)),
            Cell::Text(Cow::Borrowed(&finding.answer)),
            name(function.as_ref()),
            Cell::Text(Cow::Borrowed(&finding.evidence)),
        ])?;
    }
    renderer.finish()?;
    let mut told: Vec<&str> = Vec::new();
    for (_, Finding { question, hint, .. }) in &checkup.findings {
        if let Some(hint) = hint.filter(|hint| !told.contains(hint)) {
            told.push(hint);
            writeln!(out, "\nhint: {}: {hint}", on_one_line(question))?;
        }
    }
    Ok(())
}

fn write_json(checkup: &Checkup, out: &mut dyn Write) -> io::Result<()> {
    let findings: Vec<Value> = checkup.findings.iter().map(to_json).collect();
    let object = json!({
        "probed_at": checkup.at.to_string(),
        "verdict": checkup.verdict().as_str(),
        "requests": checkup.requests,
        "error": checkup.failure.as_ref().map(ToString::to_string),
        "findings": findings,
    });
    super::render::write_json_line(&object, out)
}

fn to_json((function, finding): &(Option<FunctionUrn>, Finding)) -> Value {
    json!({
        "function_urn": function.as_ref().map(ToString::to_string),
        "question": finding.question,
        "verdict": finding.verdict.as_str(),
        "answer": finding.answer,
        "evidence": finding.evidence,
        "hint": finding.hint,
    })
}
