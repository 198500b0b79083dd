//! The service as a run needs it: the one trait, so that a run can be driven by a world in memory.

use crate::api::{CallFailure, Client, Meaning};
use crate::domain::{FunctionPage, FunctionUrn, Interval, Marker, Page, PageQuery, RequestId};
use crate::plan::functions::Project;

/// What a run asks of the service; each call is a single attempt.
pub trait Source: Send + Sync + 'static {
    /// One page of a function's invocations.
    fn list(
        &self,
        urn: &FunctionUrn,
        query: PageQuery,
    ) -> impl Future<Output = Result<Page, CallFailure>> + Send;

    /// One invocation by its id, looked for in a range of time.
    fn find(
        &self,
        urn: &FunctionUrn,
        id: &RequestId,
        range: Interval,
    ) -> impl Future<Output = Result<Page, CallFailure>> + Send;

    /// One page of the project's functions.
    fn functions(
        &self,
        marker: Marker,
    ) -> impl Future<Output = Result<FunctionPage, CallFailure>> + Send;

    /// The project whose functions are listed; it may have to be looked up.
    fn project(&self) -> impl Future<Output = Result<Project, CallFailure>> + Send;

    /// Whether the service records a function's invocations at all; none where that cannot be told.
    /// "Not found" is said of a function without such a configuration, and of one that is not
    /// known.
    fn recording(
        &self,
        urn: &FunctionUrn,
    ) -> impl Future<Output = Result<Option<bool>, CallFailure>> + Send;

    /// Fetches new credentials where they expire; whether there are any.
    fn renew(&self) -> impl Future<Output = Result<bool, CallFailure>> + Send;
}

impl Source for Client {
    async fn list(&self, urn: &FunctionUrn, query: PageQuery) -> Result<Page, CallFailure> {
        self.list_invocations(urn, &query).await
    }

    async fn find(
        &self,
        urn: &FunctionUrn,
        id: &RequestId,
        range: Interval,
    ) -> Result<Page, CallFailure> {
        self.find_invocation(urn, id, (range.begin(), range.end())).await
    }

    async fn functions(&self, marker: Marker) -> Result<FunctionPage, CallFailure> {
        self.list_functions(marker).await
    }

    async fn project(&self) -> Result<Project, CallFailure> {
        let id = self.project_id().await?;
        Ok(Project { region: self.region().to_owned(), id })
    }

    /// What may list records need not be allowed to read settings: a refusal says nothing of the
    /// run's credentials.
    async fn recording(&self, urn: &FunctionUrn) -> Result<Option<bool>, CallFailure> {
        match self.status_log_enabled(urn).await {
            Err(failure) if failure.meaning == Meaning::NotFound => Err(failure),
            Err(failure)
                if !failure.is_temporary()
                    && failure.status.is_some_and(|status| status != 401) =>
            {
                Ok(None)
            }
            other => other,
        }
    }

    async fn renew(&self) -> Result<bool, CallFailure> {
        Self::renew(self).await
    }
}
