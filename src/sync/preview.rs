//! What a run would ask: the windows that are pending, and about how many requests they take.

use super::discovery::{Resolved, resolve};
use super::failure::to_failure;
use super::job::done;
use super::settings::Settings;
use super::targets::scope;
use crate::api::CallFailure;
use crate::clock::Clock;
use crate::domain::{FunctionUrn, Interval, Marker, PAGE_LIMIT, PageQuery};
use crate::error::Failure;
use crate::plan::functions::{Choice, Known, Part};
use crate::plan::ledger::Entry;
use crate::plan::windows::{self, Density};
use crate::requester::{ListReport, Requester, Source, Witness, Witnesses};
use crate::store::file::Reader;
use std::collections::HashMap;
use std::path::Path;

/// What a run would do for a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The function.
    pub urn: FunctionUrn,
    /// The ranges that would be walked.
    pub pending: Vec<Interval>,
    /// About how many records they hold, where that can be told.
    pub expected_records: Option<u64>,
    /// About how many requests that takes, look-ups of open records aside.
    pub requests: u64,
    /// Why the service could not be asked for their number, where it was and failed.
    pub failure: Option<CallFailure>,
}

/// Looks ahead at a run without writing anything. Of a function that is not archived yet, the
/// service is asked for one record, since its answer carries the total; one that cannot be asked
/// leaves the others alone. Beside it, what came of the list of functions.
pub async fn preview<S: Source>(
    archive: Option<&Reader>,
    source: S,
    settings: &Settings,
    clock: &Clock,
) -> Result<(Vec<Preview>, Option<ListReport>), Failure> {
    let requester = Requester::new(source, clock.clone(), settings.politeness());
    let mut previews = Vec::new();
    let known = archive.map_or_else(|| Ok(Vec::new()), Reader::load_known);
    let known =
        known.map_err(|error| error.into_failure(archive.map_or(Path::new(""), Reader::path)))?;
    let known: Vec<Known> = known.into_iter().map(|(_, known)| known).collect();
    let Resolved { choices, list, .. } =
        resolve(&known, &requester, settings).await.map_err(to_failure)?;
    let begins: HashMap<&FunctionUrn, _> =
        known.iter().map(|known| (&known.urn, known.horizon_begin)).collect();
    let witnesses = choices.iter().map(|choice| Witness::new(choice.urn.clone()));
    requester.call_on(Witnesses::Functions(witnesses.collect()));
    for Choice { urn, part, .. } in choices {
        if matches!(part, Part::Rest | Part::Look) {
            let requests = u64::from(part == Part::Look);
            let (pending, expected_records) = (Vec::new(), Some(0));
            previews.push(Preview { urn, pending, expected_records, requests, failure: None });
            continue;
        }
        let ledger = match archive {
            Some(reader) => {
                reader.load_ledger(&urn).map_err(|error| error.into_failure(reader.path()))?
            }
            None => Vec::new(),
        };
        let horizon_begin = begins.get(&urn).copied().flatten();
        let ledger_begin = ledger.first().map(|first| first.window.begin());
        let horizon = scope(&ledger, horizon_begin, settings, requester.now())
            .asked(ledger_begin, requester.now());
        let pending =
            horizon.map_or_else(Vec::new, |horizon| windows::pending(horizon, &done(&ledger)));
        let expected = match archived_density(&ledger) {
            Some(density) => {
                let expected = pending.iter().map(|&range| density.expected_in(range));
                Ok(Some(expected.fold(0, u64::saturating_add)))
            }
            None => ask_totals(&requester, &urn, &pending).await,
        };
        let (expected, failure) = match expected {
            Ok(expected) => (expected, None),
            Err(failure) if requester.refusal().is_some() => return Err(to_failure(failure)),
            Err(failure) => (None, Some(failure)),
        };
        let least = pending.iter().map(|&range| windows::least_walks(range)).sum::<u64>();
        let requests =
            least.max(expected.map_or(0, |records| windows::requests_for(records, PAGE_LIMIT)));
        previews.push(Preview { urn, pending, expected_records: expected, requests, failure });
    }
    Ok((previews, list))
}

/// How dense the records of the settled past are.
fn archived_density(ledger: &[Entry]) -> Option<Density> {
    let settled =
        ledger.iter().rev().find(|row| row.state.is_done() && row.state.proof().is_some())?;
    Some(Density::of(settled.distinct, settled.window))
}

async fn ask_totals<S: Source>(
    requester: &Requester<S>,
    urn: &FunctionUrn,
    pending: &[Interval],
) -> Result<Option<u64>, CallFailure> {
    let mut total = Some(0);
    for &range in pending {
        let (begin, end) = windows::bounds(range);
        let (page, _) =
            requester.list(urn, PageQuery { begin, end, marker: Marker(0), limit: 1 }).await?;
        // A count of one on a page of one may be the page's length.
        let told = page.count.filter(|&count| count != 1 || page.length() == 0);
        total = total.zip(told).map(|(sum, count): (u64, u64)| sum.saturating_add(count));
    }
    Ok(total)
}
