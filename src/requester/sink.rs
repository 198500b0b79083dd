//! Where pages go that are asked for beside what a run is about.

use crate::domain::Page;
use crate::plan::clocks::Moment;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

/// What is done with a page and the moment of its answer.
type Take = dyn Fn(Page, Moment) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync;

/// Takes pages of one function that are asked for to see whether it answers: what they show is
/// archived like everything else.
#[derive(Clone)]
pub(crate) struct PageSink(Arc<Take>);

impl PageSink {
    /// A sink that hands each page to `take`.
    pub(crate) fn new<F>(take: impl Fn(Page, Moment) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self(Arc::new(move |page, seen_at| Box::pin(take(page, seen_at))))
    }

    /// Hands a page over, waiting while too much is on its way.
    pub(crate) async fn take(&self, page: Page, seen_at: Moment) {
        (self.0)(page, seen_at).await;
    }
}

impl fmt::Debug for PageSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageSink")
    }
}
