//! Functions that are gone: the look whether one came back, and what a run concludes of those that
//! no longer answer.

use super::discovery::Resolved;
use super::function::Walked;
use super::report::{FunctionReport, Gone};
use super::shared::SharedArchive;
use super::stop::Stop;
use crate::api::{CallFailure, Meaning};
use crate::domain::{FunctionUrn, Interval, Marker, PageQuery, Timestamp};
use crate::plan::functions::{self, Answered, Choice, Fate, Known, Part, Sight, fate};
use crate::plan::ledger::{Entry, State};
use crate::plan::refresh::around_ended;
use crate::requester::{ListProblem, Requester, Source};
use crate::store::file::{Archive, StoreError};
use crate::store::sql::{FunctionId, RunId};
use std::collections::HashMap;
use std::time::Duration;

/// What the looks for functions that were gone came to.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// Reports of those that are still gone, or could not be looked for.
    pub(super) reports: Vec<FunctionReport>,
    /// What is lost of those that came back.
    pub(super) lost: HashMap<FunctionUrn, Vec<Interval>>,
}

/// Looks whether functions came back; those that did not, or of which that could not be told, have
/// no further part.
pub(super) async fn look_for<S: Source>(
    archive: &SharedArchive<'_>,
    known: &[(FunctionId, Known)],
    requester: &Requester<S>,
    resolved: &mut Resolved,
) -> Result<Looked, Stop> {
    let gone = known
        .iter()
        .filter_map(|(id, known)| Some((&known.urn, (*id, known.gone_at?, &known.urn))));
    let gone: HashMap<&FunctionUrn, (FunctionId, Timestamp, &FunctionUrn)> = gone.collect();
    let mut looked = Looked::default();
    let ids = resolved.left_out.iter().filter_map(|urn| gone.get(urn).map(|(id, ..)| *id));
    let mut still_gone: Vec<(FunctionId, Sight)> = ids.map(|id| (id, Sight::LeftOut)).collect();
    let mut choices = Vec::with_capacity(resolved.choices.len());
    for choice in std::mem::take(&mut resolved.choices) {
        let Some(&(id, gone_at, urn)) = gone.get(&choice.urn) else {
            choices.push(choice);
            continue;
        };
        match come_back(archive, requester, (id, gone_at, urn), choice.part).await? {
            Ok(Some(lost)) => {
                looked.lost.insert(choice.urn.clone(), lost);
                choices.push(choice);
            }
            Ok(None) => {
                still_gone.extend((choice.part == Part::Look).then_some((id, Sight::NotFound)));
                looked
                    .reports
                    .push(archive.with(|archive| report(archive, id, urn, gone_at, None))?);
            }
            Err(failure) => {
                looked.reports.push(
                    archive.with(|archive| report(archive, id, urn, gone_at, Some(failure)))?,
                );
            }
        }
    }
    resolved.choices = choices;
    let now = requester.now().earlier();
    archive.with(|archive| archive.save_still_gone(&still_gone, now))?;
    Ok(looked)
}

/// Whether a function came back; then its return is noted, and what was lost by that is handed out.
async fn come_back<S: Source>(
    archive: &SharedArchive<'_>,
    requester: &Requester<S>,
    (id, gone_at, urn): (FunctionId, Timestamp, &FunctionUrn),
    part: Part,
) -> Result<Result<Option<Vec<Interval>>, CallFailure>, Stop> {
    let is_there = match part {
        Part::Rest => Ok(false),
        Part::Look => answers(requester, urn).await,
        Part::Archive | Part::Return | Part::Farewell => Ok(true),
    };
    match is_there {
        Ok(true) => {}
        Ok(false) => return Ok(Ok(None)),
        Err(failure) => return Ok(Err(failure)),
    }
    let forgot = match forgot_its_past(archive, requester, (id, gone_at, urn)).await? {
        Ok(forgot) => forgot,
        Err(failure) => return Ok(Err(failure)),
    };
    let load = || archive.with(|archive| archive.load_ledger(id));
    let lost = if forgot { functions::unproven_until(&load()?, gone_at) } else { Vec::new() };
    let now = requester.now().earlier();
    let entry = |&window: &Interval| Entry {
        window,
        state: State::Lost,
        reported: None,
        distinct: 0,
        pages: 0,
        walked_at: now,
        reason: None,
    };
    let rows: Vec<Entry> = lost.iter().map(entry).collect();
    archive.with(|archive| archive.save_return(id, now, &rows))?;
    Ok(Ok(Some(lost)))
}

/// Whether the service finds a function, by one request in the form that it answered to before.
async fn answers<S: Source>(
    requester: &Requester<S>,
    urn: &FunctionUrn,
) -> Result<bool, CallFailure> {
    let now = requester.now().later();
    let query =
        PageQuery { begin: now - Duration::from_secs(1), end: now, marker: Marker(0), limit: 1 };
    match requester.ask(|| requester.source().list(urn, query)).await {
        Ok(_) => Ok(true),
        Err(failure) if failure.meaning == Meaning::NotFound => Ok(false),
        Err(failure) => Err(failure),
    }
}

/// Whether a function that came back was made anew, so that what was pending when it went cannot be
/// had: the last record before that which is archived is not shown any more. Where none is
/// archived, nothing speaks for that.
async fn forgot_its_past<S: Source>(
    archive: &SharedArchive<'_>,
    requester: &Requester<S>,
    (id, gone_at, urn): (FunctionId, Timestamp, &FunctionUrn),
) -> Result<Result<bool, CallFailure>, StoreError> {
    let now = requester.now().later();
    let probe = archive.with(|archive| archive.load_reach_probe(id, gone_at))?;
    let probe = probe.filter(|probe| functions::tells_of_past(probe.ended_at, now));
    let range =
        probe.as_ref().and_then(|probe| around_ended(probe.started_at, probe.ended_at, now));
    let (Some(probe), Some(range)) = (probe, range) else { return Ok(Ok(false)) };
    Ok(requester
        .find(urn, &probe.request_id, range)
        .await
        .map(|(page, _)| !page.shows(&probe.request_id)))
}

/// The report of a function that is gone, or could not be looked for.
fn report(
    archive: &Archive,
    id: FunctionId,
    urn: &FunctionUrn,
    gone_at: Timestamp,
    failure: Option<CallFailure>,
) -> Result<FunctionReport, StoreError> {
    let begin = archive.load_ledger(id)?.first().map_or(gone_at, |first| first.window.begin());
    let begin = begin.min(gone_at - Duration::from_secs(1));
    let Some(horizon) = Interval::new(begin, gone_at) else {
        return Err(StoreError::Damaged(format!(
            "`{}` is gone since no time that can be",
            urn.full_name()
        )));
    };
    let gone = failure.is_none().then_some(Gone { at: gone_at, is_news: false });
    let finished = failure.is_none();
    Ok(FunctionReport {
        gone,
        ..FunctionReport::new(id, urn, horizon, Walked { finished, failure, ..Walked::default() })
    })
}

/// What a run concludes of its functions: those that are gone are marked, and of each the report
/// tells since when, and what was lost with it.
pub(super) fn conclude(
    archive: &mut Archive,
    run: RunId,
    now: Timestamp,
    resolved: &mut Resolved,
    reports: &mut [FunctionReport],
) -> Result<(), StoreError> {
    let choices: HashMap<&FunctionUrn, &Choice> =
        resolved.choices.iter().map(|choice| (&choice.urn, choice)).collect();
    let mut gone = Vec::new();
    let mut contradicting = 0;
    for report in reports {
        let choice = choices.get(&report.urn).copied();
        let answered = answered(report);
        let is_left_out = choice.is_some_and(|choice| choice.part == Part::Farewell);
        let is_alive =
            is_left_out && archive.has_news(report.id, run, now - functions::YOUNG_FOR)?;
        let is_archived = !(answered == Answered::NotFound && archive.forget_unknown(report.id)?);
        match fate(choice, answered, is_archived, resolved.needs_witness, is_alive) {
            // Neither listed, nor known, nor anything archived of it: there never was one.
            Fate::Stays if is_left_out && !is_archived => {
                (report.finished, report.failure) = (true, None);
            }
            Fate::Stays => {}
            Fate::Contradicts => contradicting += 1,
            Fate::Gone => {
                let is_found = answered != Answered::NotFound;
                gone.push((report.id, if is_found { Sight::LeftOut } else { Sight::NotFound }));
                (report.finished, report.failure) = (true, None);
                report.unproven.clear();
                report.lost = match &archive.load_ledger(report.id)?[..] {
                    [] => Interval::new(report.begin, now).into_iter().collect(),
                    ledger => functions::unproven_until(ledger, now),
                };
                report.gone = Some(Gone { at: now, is_news: true });
            }
        }
    }
    if contradicting > 0
        && let Some(list) = &mut resolved.list
    {
        list.problem.get_or_insert(ListProblem::Contradicted(contradicting));
    }
    if gone.is_empty() { Ok(()) } else { archive.save_gone(&gone, now) }
}

fn answered(report: &FunctionReport) -> Answered {
    match &report.failure {
        Some(failure) if failure.meaning == Meaning::NotFound => Answered::NotFound,
        None if report.finished => Answered::All,
        _ => Answered::Otherwise,
    }
}
