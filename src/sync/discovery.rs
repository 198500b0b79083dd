//! Which functions a run is about: those that were named, and those that the project lists.

use super::settings::Settings;
use crate::api::CallFailure;
use crate::plan::functions::{self, Choice, Known, List};
use crate::requester::{ListReport, Requester, Source, Witnesses, list_functions};

/// The functions of a run, each with its part.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) choices: Vec<Choice>,
    /// What came of the list, where one was asked for.
    pub(super) list: Option<ListReport>,
    /// Whether the list is hard to believe.
    pub(super) needs_witness: bool,
}

/// The functions of a run: each once, in the order they were named and listed, then the archived ones that the list should
/// hold.
pub(super) async fn resolve<S: Source>(
    known: &[Known],
    requester: &Requester<S>,
    settings: &Settings,
) -> Result<Resolved, CallFailure> {
    if !settings.all_functions {
        let choices = functions::choose(&settings.functions, None, known);
        return Ok(Resolved { choices, ..Resolved::default() });
    }
    requester.call_on(Witnesses::Listing);
    let report = list_functions(requester).await?;
    requester.call_on(Witnesses::Nobody);
    let project = requester.source().project().await;
    let is_whole = report.is_whole();
    let list = Some(List { functions: &report.functions, is_whole, project: project.as_ref() });
    let choices = functions::choose(&settings.functions, list, known);
    let needs_witness = functions::needs_witness(&choices, list, known);
    Ok(Resolved { choices, list: Some(report), needs_witness })
}
