//! Making the sources of a run ready, side by side: which functions each is about, what is known of
//! them, and what there is to do. A source that refuses, or takes its time, leaves the others
//! alone.

use super::discovery::{self, Resolved};
use super::planning::{self, Budget};
use super::prepared::Prepared;
use super::settings::Task;
use super::shared::SharedArchive;
use super::source::ActiveSource;
use super::stop::Stop;
use super::{absence, targets};
use crate::domain::FunctionUrn;
use crate::error::{Failure, FailureKind};
use crate::plan::functions::Known;
use crate::requester::Source;
use crate::store::file::StoreError;
use crate::store::sql::FunctionId;
use futures_util::stream::FuturesUnordered;
use std::cell::RefCell;
use std::collections::HashMap;
use tracing::Instrument;

/// What all sources have in common while they are made ready.
pub(super) struct Preparation<'a> {
    archive: &'a SharedArchive<'a>,
    known: Vec<(FunctionId, Known)>,
    task: Task,
    budget: RefCell<Budget>,
    /// Which source each function belongs to.
    owners: RefCell<HashMap<FunctionUrn, Box<str>>>,
}

impl<'a> Preparation<'a> {
    pub(super) fn new<S: Source>(
        archive: &'a SharedArchive<'a>,
        sources: &[ActiveSource<S>],
        task: Task,
    ) -> Result<Self, StoreError> {
        let seed = sources.first().map_or(0, |source| source.settings.seed);
        let budget = archive.with(|archive| Budget::load(archive, task, sources.len(), seed))?;
        let known = archive.with(|archive| archive.load_known())?;
        Ok(Self { archive, known, task, budget: RefCell::new(budget), owners: RefCell::default() })
    }

    /// Makes sources ready side by side; each is handed out as soon as it is, so that none waits
    /// for another.
    pub(super) fn all<'s, S: Source>(
        &self,
        sources: &'s [ActiveSource<S>],
    ) -> FuturesUnordered<impl Future<Output = Result<Prepared<'s, S>, Stop>>> {
        sources.iter().map(|source| self.prepare(source).instrument(source.span.clone())).collect()
    }

    async fn prepare<'s, S: Source>(
        &self,
        source: &'s ActiveSource<S>,
    ) -> Result<Prepared<'s, S>, Stop> {
        match self.try_prepare(source).await {
            Err(Stop::Refused(failure)) => {
                Ok(Prepared { is_known: true, refusal: Some(failure), ..Prepared::nothing(source) })
            }
            other => other,
        }
    }

    async fn try_prepare<'s, S: Source>(
        &self,
        source: &'s ActiveSource<S>,
    ) -> Result<Prepared<'s, S>, Stop> {
        let known: Vec<Known> = self.known.iter().map(|(_, known)| known.clone()).collect();
        let (requester, settings) = (&source.requester, &source.settings);
        let mut resolved = match self.task {
            Task::Sync { .. } => {
                discovery::resolve(&known, requester, settings).await.map_err(Stop::Refused)?
            }
            Task::Verify(_) => {
                discovery::resolve_archived(&known, requester.source(), settings).await?
            }
        };
        self.claim(source, &resolved)?;
        let looked = absence::look_for(self.archive, &self.known, requester, &mut resolved).await?;
        let urns: Vec<FunctionUrn> =
            resolved.choices.iter().map(|choice| choice.urn.clone()).collect();
        let targets::Loaded { mut jobs, functions, page } =
            targets::load(self.archive, source, &urns, self.task).await?;
        let budget = &mut *self.budget.borrow_mut();
        self.archive
            .with(|archive| planning::plan(archive, source, &mut jobs, self.task, budget))?;
        Ok(Prepared {
            is_known: true,
            resolved,
            looked,
            jobs,
            functions,
            page,
            ..Prepared::nothing(source)
        })
    }

    /// Notes that functions belong to a source, and refuses those that belong to another: two
    /// requesters would archive the same, each with half of what is shown.
    fn claim<S: Source>(&self, source: &ActiveSource<S>, resolved: &Resolved) -> Result<(), Stop> {
        let mut owners = self.owners.borrow_mut();
        for choice in &resolved.choices {
            if let Some(other) = owners.insert(choice.urn.clone(), source.name.clone()) {
                return Err(Stop::Failed(held_twice(&choice.urn, &other, &source.name)));
            }
        }
        Ok(())
    }
}

/// What is wrong where two sources hold one function.
pub fn held_twice(function: &FunctionUrn, one: &str, other: &str) -> Failure {
    let name = function.full_name();
    let message = format!("two sources hold the function `{name}`: {one} and {other}");
    Failure::new(FailureKind::Usage, message).hint("leave it out of one of them")
}
