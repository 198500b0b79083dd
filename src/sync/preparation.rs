//! Making the sources of a run ready, side by side: which functions each is about, and what is known of
//! them. A source that refuses leaves the others alone.

use super::discovery::{self, Resolved};
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
use crate::store::file::Archive;
use crate::store::sql::FunctionId;
use futures_util::future::join_all;
use std::cell::RefCell;
use std::collections::HashMap;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// Makes all sources ready, until the run is cancelled.
pub(super) async fn prepare_all<'s, S: Source>(
    archive: &mut Archive,
    sources: &'s [ActiveSource<S>],
    task: Task,
    cancel: &CancellationToken,
) -> Result<Vec<Prepared<'s, S>>, Stop> {
    let known = archive.load_known()?;
    let preparation = Preparation { archive: SharedArchive::new(archive), known, task, owners: RefCell::default() };
    let one = |source: &'s ActiveSource<S>| {
        let ready = async {
            tokio::select! {
                ready = preparation.prepare(source) => ready,
                () = cancel.cancelled() => Ok(Prepared::nothing(source)),
            }
        };
        ready.instrument(source.span.clone())
    };
    let ready = join_all(sources.iter().map(one)).await;
    ready.into_iter().collect()
}

/// What all sources have in common while they are made ready.
struct Preparation<'a> {
    archive: SharedArchive<'a>,
    known: Vec<(FunctionId, Known)>,
    task: Task,
    /// Which source each function belongs to.
    owners: RefCell<HashMap<FunctionUrn, Box<str>>>,
}

impl Preparation<'_> {
    async fn prepare<'s, S: Source>(&self, source: &'s ActiveSource<S>) -> Result<Prepared<'s, S>, Stop> {
        match self.try_prepare(source).await {
            Err(Stop::Refused(failure)) => Ok(Prepared { refusal: Some(failure), ..Prepared::nothing(source) }),
            other => other,
        }
    }

    async fn try_prepare<'s, S: Source>(&self, source: &'s ActiveSource<S>) -> Result<Prepared<'s, S>, Stop> {
        let known: Vec<Known> = self.known.iter().map(|(_, known)| known.clone()).collect();
        let (requester, settings) = (&source.requester, &source.settings);
        let mut resolved = match self.task {
            Task::Sync { .. } => discovery::resolve(&known, requester, settings).await.map_err(Stop::Refused)?,
            Task::Verify(_) => discovery::resolve_archived(&known, requester.source(), settings).await?,
        };
        self.claim(source, &resolved)?;
        let looked = absence::look_for(&self.archive, &self.known, requester, &mut resolved).await?;
        let urns: Vec<FunctionUrn> = resolved.choices.iter().map(|choice| choice.urn.clone()).collect();
        let targets::Loaded { jobs, functions, showing } =
            targets::load(&self.archive, source, &urns, self.task).await?;
        Ok(Prepared { resolved, looked, jobs, functions, showing, ..Prepared::nothing(source) })
    }

    /// Notes that functions belong to a source, and refuses those that belong to another: two requesters
    /// would archive the same, each with half of what is shown.
    fn claim<S: Source>(&self, source: &ActiveSource<S>, resolved: &Resolved) -> Result<(), Stop> {
        let mut owners = self.owners.borrow_mut();
        for choice in &resolved.choices {
            if let Some(other) = owners.insert(choice.urn.clone(), source.name.clone()) {
                let message = format!("two sources ask for the function `{}`: {other} and {}", choice.urn, source.name);
                return Err(Stop::Failed(Failure::new(FailureKind::Usage, message)));
            }
        }
        Ok(())
    }
}
