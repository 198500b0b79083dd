//! Sending a request: in its turn, again where a failure may pass, and not once more after a
//! refusal.

use super::about::About;
use super::line::Place;
use super::project::{Failed, Requester, lock};
use super::source::Source;
use super::witness::is_silence;
use crate::api::{CallFailure, Cause, Meaning};
use crate::domain::FunctionUrn;
use crate::plan::hanging::falls_behind;
use crate::plan::retry::{Effort, RetryPolicy, wait_before_next};
use std::future::pending;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// A wait shorter than this is not waited: timers are no finer, and the place in line is kept all
/// the same.
const SHORTEST_WAIT: Duration = Duration::from_millis(2);

/// How often it is looked whether a request may take less time than was thought when it left.
const LOOKS_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// One try of a request.
struct Tried<T> {
    /// How often credentials had been renewed when it left.
    renewals: u64,
    /// When it left, from the beginning of the run.
    sent_at: Duration,
    /// Whether it was taken back, since others waited for its place.
    is_taken_back: bool,
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
        let about = About { effort: Effort::Whole, urn: None };
        self.ask_with(about, call).await.map_err(|failed| failed.failure)
    }

    /// The same, with as much patience as it is worth.
    pub(crate) async fn ask_with<T, F>(
        &self,
        about: About<'_>,
        call: impl Fn() -> F,
    ) -> Result<T, Failed>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        let mut request = Request::new(self.patience.for_effort(about.effort), about);
        loop {
            request.tries += 1;
            let tried = match self.attempt(&mut request, &call).await {
                Ok(tried) => tried,
                Err(failure) => return Err(request.failed(failure)),
            };
            request.first_sent.get_or_insert(tried.sent_at);
            let failure = match tried.result {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let next = if tried.is_taken_back {
                self.after_taking_back(failure, &mut request).await
            } else {
                self.after(failure, tried.renewals, &mut request).await
            };
            match next {
                Next::Again => self.gauges.retries.fetch_add(1, Ordering::Relaxed),
                Next::Fail(failure) => return Err(request.failed(failure)),
            };
        }
    }

    /// One try in its place in line; the error is an earlier refusal, for which nothing was sent.
    async fn attempt<T, F>(
        &self,
        request: &mut Request<'_>,
        call: &impl Fn() -> F,
    ) -> Result<Tried<T>, CallFailure>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        drop(self.judging.lock().await);
        let Some(urn) = request.about.urn else {
            let _place = self.line.place().await;
            return self.send(None, call).await;
        };
        let is_behind =
            request.is_behind || lock(&self.hanging).is_behind(urn, request.about.effort);
        let _place =
            if is_behind { self.place_behind(urn, request).await } else { self.line.place().await };
        if is_behind && lock(&self.hanging).is_spent(urn) {
            return Err(request.left());
        }
        let whose = Whose { urn, is_behind };
        self.send(Some(whose), call).await
    }

    /// A place behind the others, whom the function lets go first. The time until then is not
    /// counted: nothing was asked.
    async fn place_behind(&self, urn: &FunctionUrn, request: &mut Request<'_>) -> Place<'_> {
        let began = Instant::now();
        self.line.give_way(urn);
        let draw = lock(&self.draws).u64(..);
        let place = self.line.place_behind(draw).await;
        request.began += began.elapsed();
        place
    }

    /// One try in a place, or beside the line where it is nobody's.
    async fn send<T, F>(
        &self,
        whose: Option<Whose<'_>>,
        call: &impl Fn() -> F,
    ) -> Result<Tried<T>, CallFailure>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        let renewals = self.wait_for_turn().await;
        if let Some(refusal) = self.refusal() {
            return Err(refusal);
        }
        self.gauges.requests.fetch_add(1, Ordering::Relaxed);
        let sent_at = self.began.elapsed();
        let mut is_taken_back = false;
        let result = tokio::select! {
            biased;
            result = call() => result,
            () = self.is_down() => Err(self.refusal().unwrap_or_else(dropped)),
            (urn, waited) = self.is_taken_back(whose, sent_at) => {
                is_taken_back = true;
                Err(too_slow(urn, waited))
            }
        };
        match &result {
            Ok(_) => self.line.let_in(),
            Err(failure) => self.note(failure),
        }
        let failure = result.as_ref().err();
        self.note_answer(sent_at, failure);
        if let Some(Whose { urn, .. }) = whose {
            let took = self.began.elapsed().saturating_sub(sent_at);
            let mut hanging = lock(&self.hanging);
            match failure.filter(|failure| is_silence(failure)) {
                None => hanging.answered(urn, took),
                Some(_) if is_taken_back => hanging.taken_back(urn),
                Some(failure) if failure.meaning == Meaning::Timeout => {
                    hanging.timed_out(urn, took);
                }
                Some(_) => {}
            }
        }
        Ok(Tried { renewals, sent_at, is_taken_back, result })
    }

    /// Waits until a request that takes long has to give its place to others, if it ever has to;
    /// what it is about, and how long it was waited for. One behind the others keeps its place.
    async fn is_taken_back<'a>(
        &self,
        whose: Option<Whose<'a>>,
        sent_at: Duration,
    ) -> (&'a FunctionUrn, Duration) {
        let Some(Whose { urn, is_behind: false }) = whose else { return pending().await };
        loop {
            let (patience, is_spent) = {
                let hanging = lock(&self.hanging);
                (hanging.patience(urn), hanging.is_spent(urn))
            };
            // Others are told of meanwhile that may shorten its time.
            let until = self.began + sent_at + patience;
            if Instant::now() < until {
                sleep_until(until.min(Instant::now() + LOOKS_AGAIN_AFTER)).await;
                continue;
            }
            if !is_spent {
                self.line.is_wanted().await;
            }
            return (urn, patience);
        }
    }

    /// The same, not to be repeated; credentials that have expired are renewed for whoever asks
    /// next.
    pub(crate) async fn send_once<T, F>(&self, call: &impl Fn() -> F) -> Result<T, CallFailure>
    where
        F: Future<Output = Result<T, CallFailure>>,
    {
        let Tried { renewals, result, .. } = self.send(None, call).await?;
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

    /// After a try that was taken back: the request goes on behind the others, unless nobody gets
    /// an answer.
    async fn after_taking_back(&self, failure: CallFailure, request: &mut Request<'_>) -> Next {
        request.tries = request.tries.saturating_sub(1);
        request.is_behind = true;
        request.last = Some(failure.clone());
        // Each of those in front is waited for shortly: together they tell since when nobody is
        // answered.
        let since = lock(&self.outage).failing_since();
        if let Some(since) = since.and_then(|since| self.doubted_since(&failure, since, false))
            && !self.answers_since(since, &failure).await
        {
            return Next::Fail(self.refusal().unwrap_or(failure));
        }
        Next::Again
    }

    async fn after(&self, failure: CallFailure, renewals: u64, request: &mut Request<'_>) -> Next {
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
        let wait = self.wait_after(&failure, request, was_answered);
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
                tracing::debug!(tries = request.tries, ?wait, "{failure}; asking again");
                sleep(wait).await;
                Next::Again
            }
            None => Next::Fail(failure),
        }
    }

    /// How long to wait before the next try, if there is one. While others are answered, it is a
    /// try behind them.
    fn wait_after(
        &self,
        failure: &CallFailure,
        request: &mut Request<'_>,
        was_answered: bool,
    ) -> Option<Duration> {
        let draw = lock(&self.draws).f64();
        let (tries, elapsed) = (request.tries, request.began.elapsed());
        let mut patience = request.patience;
        let mut is_enough = false;
        // Where all fail, none goes before another.
        let answers = was_answered || lock(&self.outage).answers(self.began.elapsed());
        if let Some(urn) = request.about.urn.filter(|_| answers && is_silence(failure)) {
            request.is_behind |= falls_behind(tries);
            request.last = Some(failure.clone());
            let hanging = lock(&self.hanging);
            is_enough = was_answered && hanging.is_enough(request.timeouts);
            patience.tries = hanging.tries(urn, patience.tries);
            drop(hanging);
            if request.is_behind {
                self.line.give_way(urn);
            }
        }
        if matches!(failure.meaning, Meaning::Unavailable { .. }) {
            // A service that asks to be left alone for longer is down for as long.
            patience.total = patience.total.min(patience.silence);
        }
        wait_before_next(patience, tries, elapsed, failure.retry_after(), draw)
            .filter(|_| !is_enough)
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

/// Whose a try is that has a place, and where.
#[derive(Clone, Copy)]
struct Whose<'a> {
    urn: &'a FunctionUrn,
    is_behind: bool,
}

/// A request under way.
struct Request<'a> {
    about: About<'a>,
    patience: RetryPolicy,
    /// When it got into line; later by the time that it waited behind others.
    began: Instant,
    tries: u32,
    /// How many of the tries brought no answer in time.
    timeouts: u32,
    /// When it was first sent, from the beginning of the run.
    first_sent: Option<Duration>,
    /// Whether it may be sent once more if nothing was answered during all of its tries, and the
    /// service answers again.
    may_be_pardoned: bool,
    /// Whether it lets others go first.
    is_behind: bool,
    /// The last failure for which it lets them.
    last: Option<CallFailure>,
}

impl<'a> Request<'a> {
    fn new(patience: RetryPolicy, about: About<'a>) -> Self {
        let may_be_pardoned = about.effort == Effort::Whole;
        Self {
            about,
            patience,
            began: Instant::now(),
            tries: 0,
            timeouts: 0,
            first_sent: None,
            may_be_pardoned,
            is_behind: false,
            last: None,
        }
    }

    /// The failure of a request that is left for the next run.
    fn left(&self) -> CallFailure {
        let about = self.about.urn.map_or_else(dropped, |urn| timed_out(urn, LEFT));
        let Some(last) = &self.last else { return about };
        let cause = last.cause.as_ref().map_or_else(String::new, |cause| format!("{cause}; "));
        CallFailure { cause: Some(Cause(format!("{cause}{LEFT}").into())), ..last.clone() }
    }

    fn pardon(&mut self) -> bool {
        std::mem::take(&mut self.may_be_pardoned)
    }

    fn failed(&self, failure: CallFailure) -> Failed {
        Failed { failure, first_sent: self.first_sent.unwrap_or_default() }
    }
}

/// Why a function is not asked again.
const LEFT: &str = "it was left for the next run, since this one has waited for too long in vain";

/// The failure of a request about a function that was not answered in this time.
pub(super) fn too_slow(urn: &FunctionUrn, limit: Duration) -> CallFailure {
    timed_out(urn, &format!("no answer within {} s", limit.as_secs()))
}

fn timed_out(urn: &FunctionUrn, cause: &str) -> CallFailure {
    let operation = format!("list invocations of `{}`", urn.full_name());
    CallFailure {
        cause: Some(Cause(cause.into())),
        ..CallFailure::new(&operation, Meaning::Timeout)
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
    use crate::domain::{FunctionUrn, Marker, Page, PageQuery, Timestamp};
    use crate::requester::project::Politeness;
    use crate::requester::testing::Lists;
    use crate::requester::witnesses::{Witness, Witnesses};
    use futures_util::future::join_all;
    use std::future::ready;
    use tokio::time::timeout;

    type Answers = fn(&FunctionUrn, PageQuery) -> Result<Page, CallFailure>;

    fn service(answers: Answers) -> Lists {
        Lists::new(move |urn, query| ready(answers(&urn, query)))
    }

    /// At a pace that keeps nobody apart, each has its turn when credentials have been renewed.
    #[tokio::test]
    async fn who_waits_for_new_credentials_has_a_turn() {
        let politeness =
            Politeness { max_rps: 1e9, concurrency: 4, patience: RetryPolicy::default(), seed: 0 };
        let requester =
            Requester::new(service(|_, _| Ok(Page::default())), Clock::System, politeness);
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
        let requester = Requester::new(service(answers), Clock::System, politeness);
        let began = Instant::now();
        assert!(requester.list(&urn, query(0)).await.is_ok());
        assert!(requester.list(&urn, query(1)).await.is_err());
        assert_eq!(requester.refusal(), Some(throttled(3_600)));
        assert!(requester.list(&urn, query(0)).await.is_err(), "nothing more is asked");
        assert!(began.elapsed() < Duration::from_secs(5) && requester.sent().sent == 2);

        let patient: Answers = |_, query| {
            if query.marker == Marker(1) { Err(throttled(5)) } else { Ok(Page::default()) }
        };
        let requester = Requester::new(service(patient), Clock::System, politeness);
        assert!(requester.list(&urn, query(1)).await.is_err());
        assert!(requester.refusal().is_none() && requester.list(&urn, query(0)).await.is_ok());

        // Another function tells that it is one that is put off, also where none was heard before.
        let of_one: Answers = |urn, _| {
            if urn.name() == "f" { Err(throttled(3_600)) } else { Ok(Page::default()) }
        };
        let other: FunctionUrn = "urn:fss:r:p:function:default:other".parse().unwrap();
        let requester = Requester::new(service(of_one), Clock::System, politeness);
        requester.call_on(Witnesses::Functions(
            [&urn, &other].map(|urn| Witness::new(urn.clone())).into(),
        ));
        assert!(requester.list(&urn, query(0)).await.is_err());
        assert!(requester.refusal().is_none() && requester.list(&other, query(0)).await.is_ok());
        let of_all: Answers = |_, _| Err(throttled(3_600));
        let requester = Requester::new(service(of_all), Clock::System, politeness);
        requester.call_on(Witnesses::Functions(
            [&urn, &other].map(|urn| Witness::new(urn.clone())).into(),
        ));
        assert!(requester.list(&urn, query(0)).await.is_err());
        assert!(requester.refusal().is_some() && requester.sent().sent <= 3);

        // A function that was heard tells that it is one page that is put off.
        let requester = Requester::new(service(answers), Clock::System, politeness);
        requester.call_on(Witnesses::Functions(vec![Witness::new(urn.clone())]));
        assert!(requester.list(&urn, query(0)).await.is_ok());
        assert!(requester.list(&urn, query(1)).await.is_err());
        assert!(requester.refusal().is_none() && requester.list(&urn, query(0)).await.is_ok());
    }
}
