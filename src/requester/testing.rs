//! A service for the tests of how one is asked.

use super::Source;
use crate::api::CallFailure;
use crate::domain::{FunctionPage, FunctionUrn, Interval, Marker, Page, PageQuery, RequestId};
use crate::plan::functions::Project;
use futures_util::future::BoxFuture;
use std::future::Future;

type Answered = Result<Page, CallFailure>;

/// A service with nothing in it; what it says to a list of records is given.
pub(super) struct Lists(Box<dyn Fn(FunctionUrn, PageQuery) -> Answer + Send + Sync>);

type Answer = BoxFuture<'static, Answered>;

impl Lists {
    /// One that answers so.
    pub(super) fn new<F>(
        answer: impl Fn(FunctionUrn, PageQuery) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Answered> + Send + 'static,
    {
        Self(Box::new(move |urn, query| Box::pin(answer(urn, query))))
    }
}

impl Source for Lists {
    async fn list(&self, urn: &FunctionUrn, query: PageQuery) -> Answered {
        (self.0)(urn.clone(), query).await
    }

    async fn find(&self, _: &FunctionUrn, _: &RequestId, _: Interval) -> Answered {
        Ok(Page::default())
    }

    async fn functions(&self, _: Marker) -> Result<FunctionPage, CallFailure> {
        Ok(FunctionPage::default())
    }

    async fn project(&self) -> Result<Project, CallFailure> {
        Ok(Project { region: "r".to_owned(), id: "p".to_owned() })
    }

    async fn recording(&self, _: &FunctionUrn) -> Result<Option<bool>, CallFailure> {
        Ok(None)
    }

    async fn renew(&self) -> Result<bool, CallFailure> {
        Ok(false)
    }
}
