//! One project asked politely: one pace, a few requests at once, patience with failures that pass,
//! and none with refusals.

use super::about::About;
use super::forms::Forms;
use super::line::{Line, Turn};
pub(crate) use super::lock::lock;
use super::source::Source;
use super::witnesses::Witnesses;
use crate::api::{CallFailure, Meaning};
use crate::clock::Clock;
use crate::domain::{
    FunctionPage, FunctionUrn, Interval, Marker, Page, PageQuery, RequestCounts, RequestId,
    Timestamp,
};
use crate::plan::clocks::{Moment, ServiceClock};
use crate::plan::hanging::Hanging;
use crate::plan::outage::Outage;
use crate::plan::pace::Pace;
use crate::plan::retry::{Effort, RetryPolicy};
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex as AsyncMutex, RwLock};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// After so many functions whose settings could not be read, a run does not ask for those of the
/// others: each would keep it waiting.
const MOST_SETTINGS_FAILED: u64 = 2;

/// What was asked so far.
#[derive(Debug, Default)]
pub(super) struct Gauges {
    /// Requests sent, tries included.
    pub(super) requests: AtomicU64,
    /// Requests sent again.
    pub(super) retries: AtomicU64,
    /// Requests that were throttled.
    pub(super) throttled: AtomicU64,
    /// How often it could not be told whether the service records a function.
    pub(super) settings_failed: AtomicU64,
}

/// How a project is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Politeness {
    /// The most requests a second.
    pub(crate) max_rps: f64,
    /// The most requests under way at once.
    pub(crate) concurrency: usize,
    /// When to give up on a request, or on the service.
    pub(crate) patience: RetryPolicy,
    /// Decides the jitter of waits.
    pub(crate) seed: u64,
}

/// Sends the requests of a run to one project.
#[derive(Debug)]
pub(crate) struct Requester<S> {
    pub(super) source: S,
    pub(super) clock: Clock,
    /// The service's clock, as far as its answers told.
    pub(super) service_clock: Mutex<ServiceClock>,
    pub(super) has_warned: AtomicBool,
    pub(super) began: Instant,
    /// The same moment by the machine's clock, which is read once: within a run, time runs evenly.
    pub(super) began_at: Timestamp,
    pub(super) pace: Mutex<Pace>,
    pub(super) patience: RetryPolicy,
    pub(super) line: Line,
    pub(super) hanging: Mutex<Hanging>,
    /// How often credentials were renewed; held for writing while they are.
    pub(super) renewals: RwLock<u64>,
    /// The refusal after which nothing more is asked.
    pub(super) refused: Mutex<Option<CallFailure>>,
    /// What was answered, and what was not.
    pub(super) outage: Mutex<Outage>,
    /// Held while it is found out whether the service answers at all; nothing else is sent
    /// meanwhile.
    pub(super) judging: AsyncMutex<()>,
    pub(super) witnesses: Mutex<Witnesses>,
    /// When each function last answered with a page, from the beginning of the run.
    pub(super) heard: Mutex<HashMap<FunctionUrn, Duration>>,
    /// How often each function was asked in vain as a witness, of those that were asked and not
    /// heard since: others are asked rather whether the service answers.
    pub(super) silent: Mutex<HashMap<FunctionUrn, u32>>,
    /// The functions to which access was refused, before any was heard.
    pub(super) forbidden: Mutex<HashSet<FunctionUrn>>,
    /// Ends when the service is down: what is under way is dropped then.
    pub(super) down: CancellationToken,
    pub(super) draws: Mutex<fastrand::Rng>,
    pub(super) gauges: Gauges,
    pub(super) forms: Forms,
}

/// A request that got no answer, in spite of all patience.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) failure: CallFailure,
    /// When it was first sent, from the beginning of the run.
    pub(crate) first_sent: Duration,
}

impl Failed {
    /// Whether the service said that there is no such thing.
    pub(crate) fn is_not_found(&self) -> bool {
        self.failure.meaning == Meaning::NotFound
    }

    /// Whether another form of the URN may be found: whoever said so, the address was not.
    pub(crate) fn is_of_address(&self) -> bool {
        self.is_not_found() || self.failure.status == Some(404)
    }
}

/// A failure for which nothing was sent.
impl From<CallFailure> for Failed {
    fn from(failure: CallFailure) -> Self {
        Self { failure, first_sent: Duration::ZERO }
    }
}

impl<S: Source> Requester<S> {
    pub(crate) fn new(source: S, clock: Clock, politeness: Politeness) -> Self {
        Self {
            began_at: clock.now(),
            source,
            clock,
            service_clock: Mutex::default(),
            has_warned: AtomicBool::new(false),
            began: Instant::now(),
            pace: Mutex::new(Pace::new(politeness.max_rps)),
            patience: politeness.patience,
            line: Line::new(politeness.concurrency),
            hanging: Mutex::default(),
            renewals: RwLock::new(0),
            refused: Mutex::new(None),
            outage: Mutex::new(Outage::new(politeness.patience.silence)),
            judging: AsyncMutex::new(()),
            witnesses: Mutex::default(),
            heard: Mutex::default(),
            silent: Mutex::default(),
            forbidden: Mutex::default(),
            down: CancellationToken::new(),
            draws: Mutex::new(fastrand::Rng::with_seed(politeness.seed)),
            gauges: Gauges::default(),
            forms: Forms::default(),
        }
    }

    /// What was sent so far.
    pub(crate) fn sent(&self) -> RequestCounts {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Gauges { requests, retries, throttled, .. } = &self.gauges;
        RequestCounts {
            sent: count(requests),
            retries: count(retries),
            throttled: count(throttled),
        }
    }

    /// One page, and when the service answered.
    pub(crate) async fn list(
        &self,
        urn: &FunctionUrn,
        query: PageQuery,
    ) -> Result<(Page, Moment), CallFailure> {
        let call =
            |urn: FunctionUrn| async move { self.timed(self.source.list(&urn, query)).await };
        let (page, sent) = self.ask_of(urn, call).await?;
        let seen_at = self.learn_time(sent, page.served_at);
        self.hear(urn);
        Ok((page, seen_at))
    }

    /// One record by its id, and when the service answered.
    pub(crate) async fn find(
        &self,
        urn: &FunctionUrn,
        id: &RequestId,
        range: Interval,
    ) -> Result<(Page, Moment), CallFailure> {
        let call =
            |urn: FunctionUrn| async move { self.timed(self.source.find(&urn, id, range)).await };
        let (page, sent) = self.ask_of(urn, call).await?;
        let seen_at = self.learn_time(sent, page.served_at);
        Ok((page, seen_at))
    }

    /// One page of the project's functions.
    pub(crate) async fn functions(&self, marker: Marker) -> Result<FunctionPage, CallFailure> {
        let (page, sent) = self.ask(|| self.timed(self.source.functions(marker))).await?;
        self.learn_time(sent, page.served_at);
        Ok(page)
    }

    /// The answer of a call, and when the call was made.
    pub(crate) async fn timed<T>(
        &self,
        call: impl Future<Output = Result<T, CallFailure>>,
    ) -> Result<(T, Timestamp), CallFailure> {
        let sent = self.machine_now();
        Ok((call.await?, sent))
    }

    /// Whether the service records a function's invocations; none where that cannot be told.
    pub(crate) async fn recording<F>(
        &self,
        urn: &FunctionUrn,
        call: impl Fn(FunctionUrn) -> F,
    ) -> Result<Option<bool>, CallFailure>
    where
        F: Future<Output = Result<Option<bool>, CallFailure>>,
    {
        if self.gauges.settings_failed.load(Ordering::Relaxed) >= MOST_SETTINGS_FAILED {
            return Ok(None);
        }
        // Of a form that the service has answered to, "not found" says that there is no such
        // configuration.
        let said = match self.forms.answered(urn).await {
            Some(known) => {
                self.ask_with(About::function(urn, Effort::Part), || call(known.clone())).await
            }
            None => self.ask_of_with(Effort::Part, urn, call).await,
        };
        match said.map_err(|failed| failed.failure) {
            Err(failure) if failure.meaning == Meaning::NotFound => Ok(Some(false)),
            Err(failure) => {
                self.gauges.settings_failed.fetch_add(1, Ordering::Relaxed);
                Err(failure)
            }
            said => said,
        }
    }

    /// Waits until it is a function's turn; it is until what is handed out is dropped, or the
    /// function lets others go first.
    pub(crate) async fn turn(&self, urn: FunctionUrn) -> Turn<'_> {
        self.line.turn(urn).await
    }

    pub(crate) fn source(&self) -> &S {
        &self.source
    }

    /// Whether the service refused us, so that nothing more is asked.
    pub(crate) fn refusal(&self) -> Option<CallFailure> {
        lock(&self.refused).clone()
    }
}
