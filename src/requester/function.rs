//! Everything a run asks about one function, and whether a failure is about what was asked or about
//! the function.

use super::about::About;
use super::project::{Failed, Requester, lock};
use super::send::too_slow;
use super::sink::PageSink;
use super::source::Source;
use super::witness::is_silence;
use crate::api::{CallFailure, Meaning};
use crate::domain::{
    FunctionUrn, Interval, Marker, PAGE_LIMIT, Page, PageQuery, RequestId, Timestamp,
};
use crate::plan::clocks::Moment;
use crate::plan::failing::{self, Refusal};
use crate::plan::retry::Effort;
use std::time::Duration;
use tokio::time::timeout;

/// A page and when the service answered, or what its failure means.
pub(crate) type Answer = Result<(Page, Moment), Setback>;

/// What a request that failed for good means.
pub(crate) type Setback = failing::Setback<CallFailure>;

/// The failure of a request in the words of a schedule.
fn told(failure: CallFailure) -> failing::Failed<CallFailure> {
    let refusal = match (failure.meaning, failure.status) {
        (Meaning::Refused, Some(400 | 416)) => Some(Refusal::BadRequest),
        (Meaning::NotFound, _) => Some(Refusal::NotFound),
        (Meaning::Refused | Meaning::Forbidden, _) => Some(Refusal::Other),
        _ => None,
    };
    failing::Failed { refusal, reason: failure.reason_in_short().into(), failure }
}

/// The way to one function.
#[derive(Debug)]
pub(crate) struct FunctionRequester<'a, S> {
    pub(crate) requester: &'a Requester<S>,
    pub(crate) urn: &'a FunctionUrn,
    /// Takes what is shown beside the answers that are handed back.
    pub(crate) sink: PageSink,
}

impl<S> Clone for FunctionRequester<'_, S> {
    fn clone(&self) -> Self {
        Self { sink: self.sink.clone(), ..*self }
    }
}

impl<S: Source> FunctionRequester<'_, S> {
    /// One page, and when the service answered.
    pub(crate) async fn list(&self, query: PageQuery, effort: Effort) -> Answer {
        let source = self.requester.source();
        let call =
            |urn: FunctionUrn| self.timed(effort, async move { source.list(&urn, query).await });
        let answer = self.requester.ask_of_with(effort, self.urn, call).await;
        self.judged(answer, Interval::new(query.begin, query.end)).await
    }

    /// One record by its id, and when the service answered.
    pub(crate) async fn find(&self, id: &RequestId, range: Interval, effort: Effort) -> Answer {
        let source = self.requester.source();
        let call = |urn: FunctionUrn| {
            self.timed(effort, async move { source.find(&urn, id, range).await })
        };
        let known = self.requester.answered_form(self.urn).await;
        let form = known
            .clone()
            .or_else(|| self.requester.form_of_witness(self.urn))
            .unwrap_or_else(|| self.urn.clone());
        let mut answer =
            self.requester.ask_with(About::function(self.urn, effort), || call(form.clone())).await;
        if answer.as_ref().is_err_and(Failed::is_not_found) && known.is_none() {
            // The function may not be known, or not by this form: that is what a listing tells.
            let now = self.requester.now().earlier();
            let (begin, end) = (now - Duration::from_secs(1), now);
            self.list(PageQuery { begin, end, marker: Marker(0), limit: 1 }, effort).await?;
            let other = self
                .requester
                .answered_form(self.urn)
                .await
                .filter(|other| other.as_given() != form.as_given());
            if let Some(other) = other {
                let about = About::function(self.urn, effort);
                answer = self.requester.ask_with(about, || call(other.clone())).await;
            }
        }
        // Of a function that answers, "not found" says that there is no such record.
        if answer.as_ref().is_err_and(Failed::is_not_found) {
            answer = Ok((Page::default(), self.requester.now().by_machine()));
        }
        self.judged(answer, Some(range)).await
    }

    /// Whether the service records the function's invocations, without much patience: no record
    /// depends on it.
    pub(crate) async fn recording(&self) -> Result<Option<bool>, Setback> {
        let call = |urn: FunctionUrn| {
            self.within(Effort::Part, async move { self.requester.source().recording(&urn).await })
        };
        self.requester
            .recording(self.urn, call)
            .await
            .map_err(|failure| Setback::Part(told(failure)))
    }

    /// Archives what the pages of a query show, up to the first that fails.
    pub(crate) async fn take_all(&self, begin: Timestamp, end: Timestamp, most_pages: u64) {
        let mut marker = Marker(0);
        for _ in 0..most_pages {
            let query = PageQuery { begin, end, marker, limit: PAGE_LIMIT };
            let source = self.requester.source();
            let call = |urn: FunctionUrn| {
                self.timed(Effort::Once, async move { source.list(&urn, query).await })
            };
            let Ok((page, sent)) = self.requester.ask_of_with(Effort::Once, self.urn, call).await
            else {
                return;
            };
            let (length, seen_at) =
                (page.length(), self.requester.learn_time(sent, page.served_at));
            self.requester.hear(self.urn);
            self.sink.take(page, seen_at).await;
            if length == 0 {
                return;
            }
            marker = Marker(marker.0 + length);
        }
    }

    /// The answer of a call, and when the call was made.
    async fn timed<T>(
        &self,
        effort: Effort,
        call: impl Future<Output = Result<T, CallFailure>>,
    ) -> Result<(T, Timestamp), CallFailure> {
        self.requester.timed(self.within(effort, call)).await
    }

    /// A page that hangs is not waited for in full where it is a part of something that failed.
    async fn within<T>(
        &self,
        effort: Effort,
        call: impl Future<Output = Result<T, CallFailure>>,
    ) -> Result<T, CallFailure> {
        if effort == Effort::Whole {
            return call.await;
        }
        let limit = self.requester.limit_of_a_part(self.urn);
        timeout(limit, call).await.unwrap_or_else(|_| Err(too_slow(self.urn, limit)))
    }

    async fn judged(
        &self,
        answer: Result<(Page, Timestamp), Failed>,
        asked: Option<Interval>,
    ) -> Answer {
        match answer {
            Ok((page, sent)) => {
                let seen_at = self.requester.learn_time(sent, page.served_at);
                self.requester.hear(self.urn);
                Ok((page, seen_at))
            }
            Err(failed) => Err(self.blame(failed, asked).await),
        }
    }

    async fn blame(&self, failed: Failed, asked: Option<Interval>) -> Setback {
        let is_part = self.is_about_a_part(&failed, asked).await;
        if !is_part && is_silence(&failed.failure) {
            lock(&self.requester.hanging).given_up(self.urn);
        }
        let failed = told(failed.failure);
        if is_part { Setback::Part(failed) } else { Setback::Whole(failed) }
    }

    /// Whether it is what was asked for that cannot be had: the function answers where something
    /// else is asked.
    async fn is_about_a_part(&self, failed: &Failed, asked: Option<Interval>) -> bool {
        let (meaning, first_sent) = (failed.failure.meaning, failed.first_sent);
        if self.requester.refusal().is_some() || !may_be_about_a_part(meaning) {
            return false;
        }
        if asked.is_some_and(|range| told(failed.failure.clone()).is_too_long(range)) {
            return true;
        }
        if meaning == Meaning::Forbidden {
            return self.requester.admits_to(self.urn, failed, &self.sink).await;
        }
        let hangs = meaning == Meaning::Timeout;
        if hangs && lock(&self.requester.hanging).is_spent(self.urn) {
            // Its halves would be asked for in vain as well.
            return false;
        }
        for (form, second) in self.looks(asked, failed).await {
            if self.requester.heard_since(self.urn, first_sent) {
                return true;
            }
            // Whether it answered is noted where it does.
            let look = self.requester.look_for(first_sent, &form, second, &self.sink);
            if hangs {
                self.requester.look_behind(self.urn, look).await;
            } else {
                look.await;
            }
            if self.requester.refusal().is_some() {
                return false;
            }
        }
        self.requester.heard_since(self.urn, first_sent)
    }

    /// What to look at, in which form, to see whether the function answers when something else is
    /// asked.
    ///
    /// What fails may do so by chance, and is looked at three times; a service that asks to slow
    /// down is asked once. "Not found" leaves no doubt about a second, but about the form: each
    /// that may be the right one is looked at once.
    async fn looks(
        &self,
        asked: Option<Interval>,
        failed: &Failed,
    ) -> Vec<(FunctionUrn, Option<Interval>)> {
        let newest = self.requester.newest_second();
        if failed.is_of_address() {
            let forms = match self.requester.answered_form(self.urn).await {
                Some(known) => [Some(known), None],
                None => [Some(self.urn.clone()), self.urn.other_form()],
            };
            return forms.into_iter().flatten().map(|form| (form, newest)).collect();
        }
        let Some(form) = self.requester.form_of_witness(self.urn) else { return Vec::new() };
        let looks = if is_throttled(failed) { 1 } else { 3 };
        let looks = if is_silence(&failed.failure) {
            lock(&self.requester.hanging).looks(self.urn, looks)
        } else {
            looks
        };
        let seconds = [newest, asked.and_then(second_before), newest];
        seconds.into_iter().take(looks).map(|second| (form.clone(), second)).collect()
    }
}

fn is_throttled(failed: &Failed) -> bool {
    matches!(failed.failure.meaning, Meaning::Throttled { .. })
}

/// A second before a range that no query of the range touches.
fn second_before(range: Interval) -> Option<Interval> {
    let end = range.begin() - Duration::from_secs(2);
    Interval::new(end - Duration::from_secs(1), end)
}

/// Whether a failure may be about what was asked for: the service could not answer, refused just
/// that, did not find it, or asked to slow down at every try.
fn may_be_about_a_part(meaning: Meaning) -> bool {
    matches!(
        meaning,
        Meaning::Unavailable { .. }
            | Meaning::Throttled { .. }
            | Meaning::Forbidden
            | Meaning::Unreachable
            | Meaning::Timeout
            | Meaning::BrokenAnswer
            | Meaning::TooLarge
            | Meaning::NotFound
            | Meaning::Refused
    )
}
