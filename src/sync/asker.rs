//! Asking politely: one pace, a few requests at once, patience with failures that pass, and none with refusals.

use super::forms::{Form, Forms};
use super::{Settings, Source};
use crate::api::{CallFailure, Meaning};
use crate::clock::Clock;
use crate::domain::{FunctionUrn, Interval, Page, PageQuery, RequestId, Timestamp};
use crate::plan::pace::Pace;
use crate::plan::retry::{Patience, wait_before_next};
use crate::store::Tally;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as AsyncMutex, Semaphore};
use tokio::time::{Instant, sleep, sleep_until};

/// A local clock this far off is worth a warning; from 15 minutes on the gateway refuses signatures.
const NOTABLE_SKEW_SECONDS: u64 = 300;

/// A wait shorter than this is not waited: timers are no finer, and the place in line is kept all the same.
const SHORTEST_WAIT: Duration = Duration::from_millis(2);

/// What was asked so far.
#[derive(Debug, Default)]
struct Gauges {
    /// Requests sent, tries included.
    requests: AtomicU64,
    /// Requests sent again.
    retries: AtomicU64,
    /// Requests that were throttled.
    throttled: AtomicU64,
}

/// Sends a run's requests.
#[derive(Debug)]
pub(super) struct Asker<S> {
    source: S,
    clock: Clock,
    /// The service's clock less ours, in seconds.
    skew: AtomicI64,
    warned_of_skew: AtomicU64,
    began: Instant,
    /// The same moment by our clock.
    began_at: Timestamp,
    pace: Mutex<Pace>,
    patience: Patience,
    /// One place until the service has let us in once: a wrong key is shown to it a single time.
    places: Semaphore,
    let_in: AsyncMutex<bool>,
    concurrency: usize,
    /// How often credentials were renewed; held while they are.
    renewals: AsyncMutex<u64>,
    /// The refusal after which nothing more is asked.
    refused: Mutex<Option<CallFailure>>,
    draws: Mutex<fastrand::Rng>,
    gauges: Gauges,
    forms: Forms,
}

/// What to do after a failed try.
enum Next {
    Again,
    Fail(CallFailure),
}

impl<S: Source> Asker<S> {
    pub(super) fn new(source: S, clock: Clock, settings: &Settings) -> Self {
        Self {
            began_at: clock.now(),
            source,
            clock,
            skew: AtomicI64::new(0),
            warned_of_skew: AtomicU64::new(0),
            began: Instant::now(),
            pace: Mutex::new(Pace::new(settings.max_rps)),
            patience: settings.patience,
            places: Semaphore::new(1),
            let_in: AsyncMutex::new(false),
            concurrency: settings.concurrency,
            renewals: AsyncMutex::new(0),
            refused: Mutex::new(None),
            draws: Mutex::new(fastrand::Rng::with_seed(settings.seed)),
            gauges: Gauges::default(),
            forms: Forms::default(),
        }
    }

    /// The present by the service's clock, as far as its answers told.
    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.clock.now().unix().saturating_add(self.skew.load(Ordering::Relaxed)))
    }

    /// Brings a run's tally up to date.
    pub(super) fn report_to(&self, tally: &mut Tally) {
        let skew = self.skew.load(Ordering::Relaxed);
        tally.started_at = Some(Timestamp::from_unix(self.began_at.unix().saturating_add(skew)));
        tally.requests = self.gauges.requests.load(Ordering::Relaxed);
        tally.retries = self.gauges.retries.load(Ordering::Relaxed);
        tally.throttled = self.gauges.throttled.load(Ordering::Relaxed);
    }

    /// One page, and when the service answered.
    pub(super) async fn list(&self, urn: &FunctionUrn, query: PageQuery) -> Result<(Page, Timestamp), CallFailure> {
        let page = self.ask_of(urn, |urn| async move { self.source.list(&urn, query).await }).await?;
        let served_at = self.learn_time(&page);
        Ok((page, served_at))
    }

    /// One record by its id, and when the service answered.
    pub(super) async fn find(
        &self,
        urn: &FunctionUrn,
        id: &RequestId,
        range: Interval,
    ) -> Result<(Page, Timestamp), CallFailure> {
        let page = self.ask_of(urn, |urn| async move { self.source.find(&urn, id, range).await }).await?;
        let served_at = self.learn_time(&page);
        Ok((page, served_at))
    }

    /// Whether the service records a function's invocations; none where that cannot be told.
    pub(super) async fn recording(&self, urn: &FunctionUrn) -> Result<Option<bool>, CallFailure> {
        let call = |urn: FunctionUrn| async move { self.source.recording(&urn).await };
        // Of a form that the service has answered to, "not found" says that there is no such configuration.
        let said = match self.forms.answered(urn).await {
            Some(known) => self.ask(|| call(known.clone())).await,
            None => self.ask_of(urn, call).await,
        };
        match said {
            Err(failure) if failure.meaning == Meaning::NotFound => Ok(Some(false)),
            other => other,
        }
    }

    /// Sends a request about a function in the form at hand, and where that is not found once in the other one.
    pub(super) async fn ask_of<T, F>(
        &self,
        urn: &FunctionUrn,
        call: impl Fn(FunctionUrn) -> F,
    ) -> Result<T, CallFailure>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        let form = self.forms.of(urn);
        let mut held = form.lock().await;
        if let Some(failure) = &held.unknown {
            return Err(failure.clone());
        }
        let asked = held.current.clone();
        let answer = if held.is_answered {
            drop(held);
            let answer = self.ask(|| call(asked.clone())).await;
            if !is_not_found(&answer) {
                return answer;
            }
            held = form.lock().await;
            answer
        } else {
            // The others wait for the first answer: a form that is not known is asked once.
            self.ask(|| call(asked.clone())).await
        };
        match answer {
            Err(failure) if failure.meaning == Meaning::NotFound => {
                self.try_other_form(&mut held, &asked, failure, call).await
            }
            answer => {
                held.is_answered |= answer.is_ok();
                answer
            }
        }
    }

    /// Sends a request again whose function was not found: in the form that another request has found meanwhile, or once in
    /// the other one. Where that is not found either, the run asks no more for the function.
    async fn try_other_form<T, F>(
        &self,
        form: &mut Form,
        asked: &FunctionUrn,
        failure: CallFailure,
        call: impl Fn(FunctionUrn) -> F,
    ) -> Result<T, CallFailure>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        let Some(other) = form.alternative_to(asked) else {
            form.unknown = Some(failure.clone());
            return Err(failure);
        };
        match self.ask(|| call(other.clone())).await {
            Err(also) if also.meaning == Meaning::NotFound => {
                form.unknown = Some(failure.clone());
                Err(failure)
            }
            Err(failure) => {
                form.note_failure_of(other, &failure);
                Err(failure)
            }
            Ok(answer) => {
                (form.current, form.is_answered) = (other, true);
                Ok(answer)
            }
        }
    }

    /// The form of a function's URN that the service answered to, if it did.
    pub(super) async fn answered_form(&self, urn: &FunctionUrn) -> Option<FunctionUrn> {
        self.forms.answered(urn).await
    }

    pub(super) fn source(&self) -> &S {
        &self.source
    }

    /// The service's clock less ours by a page, in seconds, where the page tells the service's.
    pub(super) fn skew_of(&self, page: &Page) -> Option<i64> {
        page.served_at.map(|_| self.learn_time(page).seconds_since(self.clock.now()))
    }

    fn learn_time(&self, page: &Page) -> Timestamp {
        let Some(served_at) = page.served_at else { return self.now() };
        let skew = served_at.seconds_since(self.clock.now());
        self.skew.store(skew, Ordering::Relaxed);
        if skew.unsigned_abs() > NOTABLE_SKEW_SECONDS && self.warned_of_skew.swap(1, Ordering::Relaxed) == 0 {
            let direction = if skew > 0 { "behind" } else { "ahead of" };
            let seconds = skew.unsigned_abs();
            tracing::warn!(
                skew_s = skew,
                "this machine's clock is {seconds} s {direction} the service's; beyond 900 s its gateway refuses signatures"
            );
        }
        served_at
    }

    /// Sends a request until it succeeds or patience ends.
    pub(super) async fn ask<T, F>(&self, call: impl Fn() -> F) -> Result<T, CallFailure>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        let first_try = Instant::now();
        let mut tries = 0;
        loop {
            tries += 1;
            let (renewals, failure) = match self.attempt(&call).await? {
                (_, Ok(answer)) => return Ok(answer),
                (renewals, Err(failure)) => (renewals, failure),
            };
            match self.after(failure, renewals, tries, first_try).await {
                Next::Again => self.gauges.retries.fetch_add(1, Ordering::Relaxed),
                Next::Fail(failure) => return Err(failure),
            };
        }
    }

    /// One try in its place in line, and how often credentials had been renewed when it left; the error is an earlier
    /// refusal, for which nothing was sent.
    async fn attempt<T, F>(&self, call: &impl Fn() -> F) -> Result<(u64, Result<T, CallFailure>), CallFailure>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        // The semaphore is never closed, so there is always a permit to come.
        let _place = self.places.acquire().await.ok();
        let renewals = self.wait_for_turn().await;
        if let Some(refusal) = &*hold(&self.refused) {
            return Err(refusal.clone());
        }
        self.gauges.requests.fetch_add(1, Ordering::Relaxed);
        let result = call().await;
        match &result {
            Ok(_) => self.open_up().await,
            Err(failure) => self.note(failure),
        }
        Ok((renewals, result))
    }

    /// Waits for a place in line, and for another one where credentials are renewed meanwhile: a token known to have
    /// expired is not sent again. How often they were renewed.
    async fn wait_for_turn(&self) -> u64 {
        loop {
            self.wait_for_pace().await;
            if let Ok(renewals) = self.renewals.try_lock() {
                return *renewals;
            }
            drop(self.renewals.lock().await);
        }
    }

    /// Waits for a place in line, and for another one where the service asked to wait meanwhile.
    async fn wait_for_pace(&self) {
        loop {
            let now = self.began.elapsed();
            let slot = hold(&self.pace).reserve(now);
            if slot > now + SHORTEST_WAIT {
                sleep_until(self.began + slot).await;
            }
            if slot >= hold(&self.pace).held_until() {
                return;
            }
        }
    }

    /// The service let us in: from now on requests may be side by side.
    async fn open_up(&self) {
        let mut let_in = self.let_in.lock().await;
        if !*let_in {
            *let_in = true;
            self.places.add_permits(self.concurrency.saturating_sub(1));
        }
    }

    fn note(&self, failure: &CallFailure) {
        if matches!(failure.meaning, Meaning::Throttled { .. }) {
            self.gauges.throttled.fetch_add(1, Ordering::Relaxed);
        }
        if matches!(failure.meaning, Meaning::Throttled { .. }) || failure.retry_after().is_some() {
            hold(&self.pace).throttled(self.began.elapsed(), failure.retry_after());
        }
        if failure.concerns_all_calls() {
            hold(&self.refused).get_or_insert_with(|| failure.clone());
        }
    }

    async fn after(&self, failure: CallFailure, renewals: u64, tries: u32, first_try: Instant) -> Next {
        if failure.meaning == Meaning::TokenExpired {
            return self.renew(failure, renewals).await;
        }
        if !failure.is_temporary() {
            return Next::Fail(failure);
        }
        let draw = hold(&self.draws).f64();
        match wait_before_next(self.patience, tries, first_try.elapsed(), failure.retry_after(), draw) {
            Some(wait) => {
                tracing::debug!(tries, ?wait, "{failure}; asking again");
                sleep(wait).await;
                Next::Again
            }
            None => Next::Fail(failure),
        }
    }

    /// A token is renewed once a run, whoever sees first that it expired; a second time nothing more is asked.
    async fn renew(&self, failure: CallFailure, seen: u64) -> Next {
        let mut renewals = self.renewals.lock().await;
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
                    hold(&self.refused).get_or_insert_with(|| refusal.clone());
                    return Next::Fail(refusal);
                }
                Err(other) => return Next::Fail(other),
            }
        }
        hold(&self.refused).get_or_insert_with(|| failure.clone());
        Next::Fail(failure)
    }

    /// Whether the service refused us, so that nothing more is asked.
    pub(super) fn refusal(&self) -> Option<CallFailure> {
        hold(&self.refused).clone()
    }
}

fn is_not_found<T>(answer: &Result<T, CallFailure>) -> bool {
    answer.as_ref().is_err_and(|failure| failure.meaning == Meaning::NotFound)
}

/// A panic while one of these is held cannot leave it half changed: each holder does a single assignment.
fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
