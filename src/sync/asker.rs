//! Asking politely: one pace, a few requests at once, patience with failures that pass, and none with refusals.

use super::forms::{Form, Forms};
use super::{Settings, Source};
use crate::api::{CallFailure, Meaning};
use crate::clock::Clock;
use crate::domain::{FunctionPage, FunctionUrn, Interval, Marker, Page, PageQuery, RequestId, Timestamp};
use crate::plan::clocks::{Answered, Moment, ServiceClock, TOLERANCE};
use crate::plan::pace::Pace;
use crate::plan::retry::{Patience, wait_before_next};
use crate::store::Tally;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as AsyncMutex, Semaphore};
use tokio::time::{Instant, sleep, sleep_until};

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
    /// The service's clock, as far as its answers told.
    service_clock: Mutex<ServiceClock>,
    has_warned: AtomicBool,
    began: Instant,
    /// The same moment by the machine's clock, which is read once: within a run, time runs evenly.
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
            service_clock: Mutex::default(),
            has_warned: AtomicBool::new(false),
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

    /// The present by the machine's clock as it stood when the run began: that it is set meanwhile changes nothing.
    fn machine_now(&self) -> Timestamp {
        if self.clock.stands_still() { self.clock.now() } else { self.began_at + self.began.elapsed() }
    }

    /// The present by both clocks.
    pub(super) fn now(&self) -> Moment {
        hold(&self.service_clock).at(self.machine_now())
    }

    /// When the run began, by both clocks as far as they are known by now.
    pub(super) fn began_at(&self) -> Moment {
        hold(&self.service_clock).at(self.began_at)
    }

    /// The present by the service's clock, as far as its answers told.
    pub(super) fn service_now(&self) -> Timestamp {
        hold(&self.service_clock).service(self.machine_now())
    }

    /// Whether the service has told its time.
    pub(super) fn knows_service_time(&self) -> bool {
        hold(&self.service_clock).has_spoken()
    }

    /// Brings a run's tally up to date.
    pub(super) fn report_to(&self, tally: &mut Tally) {
        tally.started_at = Some(self.began_at().earlier());
        tally.requests = self.gauges.requests.load(Ordering::Relaxed);
        tally.retries = self.gauges.retries.load(Ordering::Relaxed);
        tally.throttled = self.gauges.throttled.load(Ordering::Relaxed);
    }

    /// One page, and when the service answered.
    pub(super) async fn list(&self, urn: &FunctionUrn, query: PageQuery) -> Result<(Page, Moment), CallFailure> {
        let call = |urn: FunctionUrn| async move { self.timed(self.source.list(&urn, query)).await };
        let (page, sent) = self.ask_of(urn, call).await?;
        let answered_at = self.learn_time(sent, page.served_at);
        Ok((page, answered_at))
    }

    /// One record by its id, and when the service answered.
    pub(super) async fn find(
        &self,
        urn: &FunctionUrn,
        id: &RequestId,
        range: Interval,
    ) -> Result<(Page, Moment), CallFailure> {
        let call = |urn: FunctionUrn| async move { self.timed(self.source.find(&urn, id, range)).await };
        let (page, sent) = self.ask_of(urn, call).await?;
        let answered_at = self.learn_time(sent, page.served_at);
        Ok((page, answered_at))
    }

    /// One page of the project's functions.
    pub(super) async fn functions(&self, marker: Marker) -> Result<FunctionPage, CallFailure> {
        let (page, sent) = self.ask(|| self.timed(self.source.functions(marker))).await?;
        self.learn_time(sent, page.served_at);
        Ok(page)
    }

    /// The answer of a call, and when the call was made.
    pub(super) async fn timed<T>(
        &self,
        call: impl Future<Output = Result<T, CallFailure>>,
    ) -> Result<(T, Timestamp), CallFailure> {
        let sent = self.machine_now();
        Ok((call.await?, sent))
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

    /// The service's clock less ours, in seconds, as far as its answers told.
    pub(super) fn skew(&self) -> Option<i64> {
        let clock = hold(&self.service_clock);
        clock.has_spoken().then(|| clock.offset())
    }

    /// When an answer was made that was asked for at `sent`; its date tells the service's time.
    pub(super) fn learn_time(&self, sent: Timestamp, date: Option<Timestamp>) -> Moment {
        let answer = Answered { sent, received: self.machine_now(), date };
        let mut clock = hold(&self.service_clock);
        clock.learn(answer);
        let moment = clock.moment_of(answer);
        drop(clock);
        self.warn_of(answer);
        moment
    }

    /// Tells people once a run that the clocks differ: which of them is wrong, only they can find out.
    fn warn_of(&self, answer: Answered) {
        let (Some(date), Some(offset)) = (answer.date, answer.offset()) else { return };
        if offset.unsigned_abs() <= TOLERANCE.as_secs() || self.has_warned.swap(true, Ordering::Relaxed) {
            return;
        }
        let difference = humantime::format_duration(Duration::from_secs(offset.unsigned_abs()));
        tracing::warn!(
            skew_s = offset,
            "the clocks differ by {difference}: the service dated an answer {date} when this machine's clock said {}; \
             compare `date -u` with a third clock to see which is wrong. Only what is past by both is called settled",
            answer.received
        );
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
