//! Sending a request: in its turn, again where a failure may pass, and not once more after a
//! refusal.

use super::project::{Failed, Requester, lock};
use super::source::Source;
use crate::api::{CallFailure, Meaning};
use crate::plan::retry::{Effort, RetryPolicy, hangs, wait_before_next};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// A wait shorter than this is not waited: timers are no finer, and the place in line is kept all
/// the same.
const SHORTEST_WAIT: Duration = Duration::from_millis(2);

/// One try of a request.
struct Tried<T> {
    /// How often credentials had been renewed when it left.
    renewals: u64,
    /// When it left, from the beginning of the run.
    sent_at: Duration,
    result: Result<T, CallFailure>,
}

/// What to do after a failed try.
enum Next {
    Again,
    Fail(CallFailure),
}

impl<S: Source> Requester<S> {
    /// Sends a request until it succeeds or patience ends.
    pub(crate) async fn ask<T, F>(&self, call: impl Fn() -> F) -> Result<T, CallFailure>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        self.ask_with(Effort::Whole, call).await.map_err(|failed| failed.failure)
    }

    /// The same, with as much patience as it is worth.
    pub(crate) async fn ask_with<T, F>(
        &self,
        effort: Effort,
        call: impl Fn() -> F,
    ) -> Result<T, Failed>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        let mut request = Request::new(self.patience.for_effort(effort), effort);
        loop {
            request.tries += 1;
            let tried = match self.attempt(&call).await {
                Ok(tried) => tried,
                Err(failure) => return Err(request.failed(failure)),
            };
            request.first_sent.get_or_insert(tried.sent_at);
            let failure = match tried.result {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            match self.after(failure, tried.renewals, &mut request).await {
                Next::Again => self.gauges.retries.fetch_add(1, Ordering::Relaxed),
                Next::Fail(failure) => return Err(request.failed(failure)),
            };
        }
    }

    /// One try in its place in line; the error is an earlier refusal, for which nothing was sent.
    async fn attempt<T, F>(&self, call: &impl Fn() -> F) -> Result<Tried<T>, CallFailure>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        drop(self.judging.lock().await);
        // The semaphore is never closed, so there is always a permit to come.
        let _place = self.permits.acquire().await.ok();
        self.send(call).await
    }

    /// One try beside the line.
    async fn send<T, F>(&self, call: &impl Fn() -> F) -> Result<Tried<T>, CallFailure>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        let renewals = self.wait_for_turn().await;
        if let Some(refusal) = self.refusal() {
            return Err(refusal);
        }
        self.gauges.requests.fetch_add(1, Ordering::Relaxed);
        let sent_at = self.began.elapsed();
        let result = tokio::select! {
            result = call() => result,
            () = self.is_down() => Err(self.refusal().unwrap_or_else(dropped)),
        };
        match &result {
            Ok(_) => self.admit_all().await,
            Err(failure) => self.note(failure),
        }
        self.note_answer(sent_at, result.as_ref().err());
        Ok(Tried { renewals, sent_at, result })
    }

    /// The same, not to be repeated; credentials that have expired are renewed for whoever asks
    /// next.
    pub(crate) async fn send_once<T, F>(&self, call: &impl Fn() -> F) -> Result<T, CallFailure>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        let Tried { renewals, result, .. } = self.send(call).await?;
        if let Err(failure) = &result
            && failure.meaning == Meaning::TokenExpired
        {
            self.renew(failure.clone(), renewals).await;
        }
        result
    }

    /// Waits for a place in line, and for another one where credentials are renewed meanwhile: a
    /// token known to have expired is not sent again. How often they were renewed.
    async fn wait_for_turn(&self) -> u64 {
        loop {
            self.wait_for_pace().await;
            if let Ok(renewals) = self.renewals.try_read() {
                return *renewals;
            }
            // Read side by side: handed from one to the next, the lock would never look free to
            // those who come again.
            drop(self.renewals.read().await);
        }
    }

    /// Waits for a place in line, and for another one where the service asked to wait meanwhile.
    async fn wait_for_pace(&self) {
        loop {
            let now = self.began.elapsed();
            let slot = lock(&self.pace).reserve(now);
            if slot > now + SHORTEST_WAIT {
                sleep_until(self.began + slot).await;
            }
            if slot >= lock(&self.pace).held_until() {
                return;
            }
        }
    }

    /// The service let us in: from now on requests may be side by side.
    async fn admit_all(&self) {
        let mut is_authenticated = self.is_authenticated.lock().await;
        if !*is_authenticated {
            *is_authenticated = true;
            self.permits.add_permits(self.concurrency.saturating_sub(1));
        }
    }

    fn note(&self, failure: &CallFailure) {
        if matches!(failure.meaning, Meaning::Throttled { .. }) {
            self.gauges.throttled.fetch_add(1, Ordering::Relaxed);
        }
        if failure.concerns_all_calls() {
            lock(&self.refused).get_or_insert_with(|| failure.clone());
        }
        let asks_to_wait =
            matches!(failure.meaning, Meaning::Throttled { .. }) || failure.retry_after().is_some();
        if asks_to_wait && !failure.concerns_all_calls() && !self.is_put_off(failure) {
            lock(&self.pace).throttled(self.began.elapsed(), failure.retry_after());
        }
    }

    /// Whether the service asks to wait longer than anything is waited for.
    fn is_put_off(&self, failure: &CallFailure) -> bool {
        failure.retry_after().is_some_and(|wait| wait > self.patience.total)
    }

    async fn after(&self, failure: CallFailure, renewals: u64, request: &mut Request) -> Next {
        if failure.meaning == Meaning::TokenExpired {
            return self.renew(failure, renewals).await;
        }
        if self.is_put_off(&failure) {
            // Unless that concerns this request alone, the service has nothing more to say to this
            // run.
            if !self.answers_another().await {
                lock(&self.refused).get_or_insert_with(|| failure.clone());
            }
            return Next::Fail(failure);
        }
        if !failure.is_temporary() {
            return Next::Fail(failure);
        }
        request.timeouts += u32::from(failure.meaning == Meaning::Timeout);
        let first_sent = request.first_sent.unwrap_or_default();
        let was_answered = lock(&self.outage).answered_since(first_sent);
        let draw = lock(&self.draws).f64();
        let (tries, elapsed) = (request.tries, request.began.elapsed());
        let wait = wait_before_next(request.patience, tries, elapsed, failure.retry_after(), draw)
            .filter(|_| !hangs(request.timeouts, was_answered));
        if let Some(since) = self.doubted_since(&failure, first_sent, wait.is_none()) {
            if !self.answers_since(since, &failure).await {
                return Next::Fail(self.refusal().unwrap_or(failure));
            }
            if wait.is_none() && !was_answered && request.pardon() {
                return Next::Again;
            }
        }
        match wait {
            Some(wait) => {
                tracing::debug!(tries, ?wait, "{failure}; asking again");
                sleep(wait).await;
                Next::Again
            }
            None => Next::Fail(failure),
        }
    }

    /// A token is renewed once a run, whoever sees first that it expired; a second time nothing
    /// more is asked.
    async fn renew(&self, failure: CallFailure, seen: u64) -> Next {
        let mut renewals = self.renewals.write().await;
        if *renewals > seen {
            return Next::Again;
        }
        if *renewals == 0 {
            match self.source.renew().await {
                Ok(true) => {
                    tracing::info!("the token had expired and was renewed");
                    *renewals += 1;
                    return Next::Again;
                }
                Ok(false) => {}
                Err(refusal) if refusal.is_denied() => {
                    lock(&self.refused).get_or_insert_with(|| refusal.clone());
                    return Next::Fail(refusal);
                }
                Err(other) => return Next::Fail(other),
            }
        }
        lock(&self.refused).get_or_insert_with(|| failure.clone());
        Next::Fail(failure)
    }
}

/// A request under way.
struct Request {
    patience: RetryPolicy,
    /// When it got into line.
    began: Instant,
    tries: u32,
    /// How many of the tries brought no answer in time.
    timeouts: u32,
    /// When it was first sent, from the beginning of the run.
    first_sent: Option<Duration>,
    /// Whether it may be sent once more if nothing was answered during all of its tries, and the
    /// service answers again.
    may_be_pardoned: bool,
}

impl Request {
    fn new(patience: RetryPolicy, effort: Effort) -> Self {
        let may_be_pardoned = effort == Effort::Whole;
        Self {
            patience,
            began: Instant::now(),
            tries: 0,
            timeouts: 0,
            first_sent: None,
            may_be_pardoned,
        }
    }

    fn pardon(&mut self) -> bool {
        std::mem::take(&mut self.may_be_pardoned)
    }

    fn failed(&self, failure: CallFailure) -> Failed {
        Failed { failure, first_sent: self.first_sent.unwrap_or_default() }
    }
}

/// What was dropped when the service was found to be down.
fn dropped() -> CallFailure {
    CallFailure::new("ask the service", Meaning::Unreachable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::domain::{
        FunctionPage, FunctionUrn, Interval, Marker, Page, PageQuery, RequestId, Timestamp,
    };
    use crate::plan::functions::Project;
    use crate::requester::project::Politeness;
    use crate::requester::witnesses::Witnesses;
    use futures_util::future::join_all;
    use tokio::time::timeout;

    /// A service with nothing in it; what it says to a list of records is given.
    struct Service(Answers);

    type Answers = fn(&FunctionUrn, PageQuery) -> Result<Page, CallFailure>;

    impl Source for Service {
        async fn list(&self, urn: &FunctionUrn, query: PageQuery) -> Result<Page, CallFailure> {
            (self.0)(urn, query)
        }

        async fn find(
            &self,
            _: &FunctionUrn,
            _: &RequestId,
            _: Interval,
        ) -> Result<Page, CallFailure> {
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

    /// At a pace that keeps nobody apart, each has its turn when credentials have been renewed.
    #[tokio::test]
    async fn who_waits_for_new_credentials_has_a_turn() {
        let politeness =
            Politeness { max_rps: 1e9, concurrency: 4, patience: RetryPolicy::default(), seed: 0 };
        let requester =
            Requester::new(Service(|_, _| Ok(Page::default())), Clock::System, politeness);
        let mut renewals = requester.renewals.write().await;
        let mut turns = Box::pin(join_all((0..3).map(|_| requester.wait_for_turn())));
        assert!(
            timeout(Duration::from_millis(20), &mut turns).await.is_err(),
            "nothing is sent while they are renewed"
        );
        *renewals += 1;
        drop(renewals);
        let turns = timeout(Duration::from_secs(20), turns).await;
        assert_eq!(turns.ok(), Some(vec![1, 1, 1]));
    }

    fn throttled(wait: u64) -> CallFailure {
        CallFailure {
            meaning: Meaning::Throttled { retry_after: Some(Duration::from_secs(wait)) },
            ..dropped()
        }
    }

    fn query(marker: u64) -> PageQuery {
        let at = Timestamp::from_unix;
        PageQuery { begin: at(0), end: at(60), marker: Marker(marker), limit: 500 }
    }

    /// Waited for, it would hold the archive for an hour without a word.
    #[tokio::test(start_paused = true)]
    async fn a_service_that_asks_to_wait_for_long_is_asked_no_more() {
        let politeness =
            Politeness { max_rps: 5.0, concurrency: 4, patience: RetryPolicy::default(), seed: 0 };
        let urn: FunctionUrn = "urn:fss:r:p:function:default:f".parse().unwrap();
        let answers: Answers = |_, query| {
            if query.marker == Marker(1) { Err(throttled(3_600)) } else { Ok(Page::default()) }
        };
        let requester = Requester::new(Service(answers), Clock::System, politeness);
        let began = Instant::now();
        assert!(requester.list(&urn, query(0)).await.is_ok());
        assert!(requester.list(&urn, query(1)).await.is_err());
        assert_eq!(requester.refusal(), Some(throttled(3_600)));
        assert!(requester.list(&urn, query(0)).await.is_err(), "nothing more is asked");
        assert!(began.elapsed() < Duration::from_secs(5) && requester.sent().sent == 2);

        let patient: Answers = |_, query| {
            if query.marker == Marker(1) { Err(throttled(5)) } else { Ok(Page::default()) }
        };
        let requester = Requester::new(Service(patient), Clock::System, politeness);
        assert!(requester.list(&urn, query(1)).await.is_err());
        assert!(requester.refusal().is_none() && requester.list(&urn, query(0)).await.is_ok());

        // Another function tells that it is one that is put off, also where none was heard before.
        let of_one: Answers = |urn, _| {
            if urn.name() == "f" { Err(throttled(3_600)) } else { Ok(Page::default()) }
        };
        let other: FunctionUrn = "urn:fss:r:p:function:default:other".parse().unwrap();
        let requester = Requester::new(Service(of_one), Clock::System, politeness);
        requester.call_on(Witnesses::Functions(vec![(urn.clone(), None), (other.clone(), None)]));
        assert!(requester.list(&urn, query(0)).await.is_err());
        assert!(requester.refusal().is_none() && requester.list(&other, query(0)).await.is_ok());
        let of_all: Answers = |_, _| Err(throttled(3_600));
        let requester = Requester::new(Service(of_all), Clock::System, politeness);
        requester.call_on(Witnesses::Functions(vec![(urn.clone(), None), (other.clone(), None)]));
        assert!(requester.list(&urn, query(0)).await.is_err());
        assert!(requester.refusal().is_some() && requester.sent().sent <= 3);

        // A function that was heard tells that it is one page that is put off.
        let requester = Requester::new(Service(answers), Clock::System, politeness);
        requester.call_on(Witnesses::Functions(vec![(urn.clone(), None)]));
        assert!(requester.list(&urn, query(0)).await.is_ok());
        assert!(requester.list(&urn, query(1)).await.is_err());
        assert!(requester.refusal().is_none() && requester.list(&urn, query(0)).await.is_ok());
    }
}
