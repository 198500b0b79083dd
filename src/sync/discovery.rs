//! Which functions a run is about: those that were named, and those that the project lists or the
//! archive holds.

use super::settings::Settings;
use super::stop::Stop;
use crate::api::CallFailure;
use crate::domain::{FunctionPattern, FunctionRef, FunctionUrn, nearest};
use crate::error::{Failure, FailureKind, Step};
use crate::plan::functions::{self, Choice, Known, List, Part, Project};
use crate::requester::{ListReport, Requester, Source, Witnesses, list_functions};

/// The functions of a run, each with its part.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) choices: Vec<Choice>,
    /// What came of the list, where one was asked for.
    pub(super) list: Option<ListReport>,
    /// Whether the list is hard to believe.
    pub(super) needs_witness: bool,
    /// Functions that are gone, as the list shows by leaving them out still.
    pub(super) left_out: Vec<FunctionUrn>,
}

/// The functions that were named. The project of those that were named without one is asked for
/// once, and by a single attempt: whoever may not ask for it is not to show a wrong key twice.
pub(super) async fn complete<S: Source>(
    source: &S,
    named: &[FunctionRef],
) -> Result<Vec<FunctionUrn>, CallFailure> {
    let mut project: Option<Project> = None;
    let mut functions = Vec::with_capacity(named.len());
    for function in named {
        if let FunctionRef::Urn(urn) = function {
            functions.push(urn.clone());
            continue;
        }
        let known = match project.take() {
            Some(known) => known,
            None => source.project().await?,
        };
        functions.push(function.clone().resolve(&known.region, &known.id));
        project = Some(known);
    }
    Ok(functions)
}

/// The functions of a run: each once, in the order they were named and listed, then the archived
/// ones that the list should hold.
pub(super) async fn resolve<S: Source>(
    known: &[Known],
    requester: &Requester<S>,
    settings: &Settings,
) -> Result<Resolved, CallFailure> {
    let named = complete(requester.source(), &settings.functions).await?;
    if !settings.all_functions {
        let choices = functions::choose(&named, None, known);
        return Ok(Resolved { choices, ..Resolved::default() });
    }
    requester.call_on(Witnesses::Listing);
    let report = list_functions(requester).await?;
    requester.call_on(Witnesses::Nobody);
    // It is known by now, unless IAM fails: then nothing is said of functions that the list leaves
    // out.
    let project = requester.source().project().await.ok();
    let is_whole = report.is_whole();
    let wanted = &settings.filter;
    for pattern in wanted.idle(&report.functions) {
        tell_of_idle(pattern, &report.functions);
    }
    let (functions, project) = (&report.functions, project.as_ref());
    let list = List { functions, is_whole, project, wanted };
    let choices = functions::choose(&named, Some(list), known);
    let needs_witness = functions::needs_witness(&choices, Some(list), known);
    let left_out = if needs_witness { Vec::new() } else { functions::still_left_out(list, known) };
    Ok(Resolved { choices, list: Some(report), needs_witness, left_out })
}

/// Tells of a pattern that nothing in the list matches, which may be mistyped.
fn tell_of_idle(pattern: &FunctionPattern, listed: &[FunctionUrn]) {
    let names: Vec<String> = listed.iter().map(FunctionUrn::full_name).collect();
    let near = nearest(&pattern.to_string(), names.iter().map(String::as_str)).next();
    let near = near.map_or_else(String::new, |name| format!("; the nearest name is `{name}`"));
    tracing::warn!(listed = names.len(), "no function matches `{pattern}`{near}");
}

/// The functions of a run that verifies: those that were named, which must be archived, or else all
/// that are archived of the project.
pub(super) async fn resolve_archived<S: Source>(
    known: &[Known],
    source: &S,
    settings: &Settings,
) -> Result<Resolved, Stop> {
    let mut meant = complete(source, &settings.functions).await.map_err(Stop::Refused)?;
    let archived = || known.iter().map(|known| &known.urn);
    if let Some(stranger) = meant.iter().find(|urn| !archived().any(|known| known == *urn)) {
        return Err(Stop::Failed(not_archived(stranger)));
    }
    if meant.is_empty() {
        let project = source.project().await.map_err(Stop::Refused)?;
        let is_meant = |urn: &&FunctionUrn| project.holds(urn) && settings.filter.admits(urn);
        meant = archived().filter(is_meant).cloned().collect();
    }
    let mut choices = functions::choose(&meant, None, known);
    // What is gone cannot be verified, and is not looked for.
    let gone = choices.iter_mut().filter(|choice| choice.part == Part::Look);
    gone.for_each(|choice| choice.part = Part::Rest);
    Ok(Resolved { choices, ..Resolved::default() })
}

fn not_archived(urn: &FunctionUrn) -> Failure {
    Failure::new(FailureKind::Usage, format!("the archive holds no function `{urn}`"))
        .hint(Step::ListFunctions)
}
