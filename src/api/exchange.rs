//! One exchange with the service: a request sent once, and its answer judged.

use super::credentials::Credentials;
use super::failure::{CallFailure, Cause, Meaning, ProxyRefusal};
use super::http::{self, Answer, Transport};
use super::redaction::Secrets;
use super::refusal::{self, Refusal, Shown};
use super::request::Call;
use super::wire::{self, BadBody};
use super::{Endpoint, trouble};
use crate::domain::Timestamp;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// How far the two clocks may differ before a refusal mentions it, in seconds. The gateway refuses
/// signatures from 15 minutes on.
const NOTABLE_SKEW: u64 = 300;

/// The status of an answer that holds a range of what was asked for (RFC 9110, 15.3.7).
const PARTIAL_CONTENT: u16 = 206;

/// Where the client learns the time to sign with.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Where to ask, and through which connections.
pub(super) struct Exchange {
    pub(super) functions: Endpoint,
    /// The credentials, and the tokens that were issued for them: never to be shown.
    pub(super) secrets: Secrets,
    /// Whether requests are authenticated by a token or by a signature.
    shown: Shown,
    transport: Transport,
    functions_http: reqwest::Client,
    /// Made when it is first needed: most runs never ask IAM.
    iam_http: OnceLock<reqwest::Client>,
    /// The hosts that have answered: the way to them is set up as it should be.
    reached: Mutex<HashSet<String>>,
    now: Now,
}

impl Exchange {
    /// Prepares the connections; nothing is asked yet.
    pub(super) fn new(
        functions: Endpoint,
        credentials: &Credentials,
        transport: Transport,
        now: Now,
    ) -> Result<Self, CallFailure> {
        let functions_http = connect(&transport, &functions)?;
        let secrets =
            credentials.secrets().into_iter().chain(transport.proxies.secrets()).collect();
        let shown = if credentials.use_token() { Shown::Token } else { Shown::Signature };
        let (secrets, iam_http) = (Secrets::new(secrets), OnceLock::new());
        let reached = Mutex::default();
        Ok(Self { functions, secrets, shown, transport, functions_http, iam_http, reached, now })
    }

    /// The present.
    pub(super) fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// The client for FunctionGraph.
    pub(super) fn functions_http(&self) -> &reqwest::Client {
        &self.functions_http
    }

    /// Asks without credentials beside the body, which holds the user's name and password.
    pub(super) async fn post_login(
        &self,
        operation: &str,
        endpoint: &Endpoint,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Answer, CallFailure> {
        let http = self.http_for(endpoint)?;
        let call = Call::post(operation, endpoint, path, body);
        let headers = call.headers();
        self.send_showing(Shown::Password, &http, call, &headers).await
    }

    /// Asks the metadata of this server, without credentials.
    pub(super) async fn ask_metadata<'a>(
        &self,
        call: Call<'_>,
        more: impl Iterator<Item = (&'static str, &'a str)>,
    ) -> Result<Answer, CallFailure> {
        // Made for each question, of which there are few a day.
        let http = connect(&self.transport.of_metadata(), call.endpoint)?;
        let mut headers = call.headers();
        headers.extend(more.map(|(name, value)| (name, value.to_owned())));
        self.send_showing(Shown::Nothing, &http, call, &headers).await
    }

    /// Sends a call; whatever comes of it, no secret stands in the words of its failure.
    pub(super) async fn send(
        &self,
        http: &reqwest::Client,
        call: Call<'_>,
        headers: &[(&'static str, String)],
    ) -> Result<Answer, CallFailure> {
        self.send_showing(self.shown, http, call, headers).await
    }

    async fn send_showing(
        &self,
        shown: Shown,
        http: &reqwest::Client,
        call: Call<'_>,
        headers: &[(&'static str, String)],
    ) -> Result<Answer, CallFailure> {
        let Call { operation, endpoint, .. } = call;
        let sent =
            http::send(http, operation, call.outgoing(headers)?, &self.secrets, self.now()).await;
        let checked = match sent {
            Ok(answer) => self.checked(operation, shown, answer),
            Err(failure) => Err(self.judged(failure, endpoint).await),
        };
        if checked.as_ref().map_or_else(|failure| failure.status.is_some(), |_| true) {
            lock(&self.reached).insert(endpoint.authority());
        }
        checked.map_err(|failure| failure.redacted(&self.secrets.redactor()))
    }

    /// What it means that no answer came. A way that has led to the service in this run is set up
    /// as it should be: one connection of many met a server, or a proxy, in a bad moment.
    async fn judged(&self, failure: CallFailure, endpoint: &Endpoint) -> CallFailure {
        let mut failure = failure;
        if failure.meaning == Meaning::OtherProtocol
            && self.transport.proxies.of(endpoint).is_some()
        {
            failure = trouble::of_proxy(failure);
        } else if failure.meaning == Meaning::Proxy(ProxyRefusal::Tunnel)
            && let Some(tunnel) = self.transport.proxies.tunnel_to(endpoint)
            && let Some(status) = tunnel.status(self.transport.timeouts.connect).await
        {
            failure = trouble::with_status(failure, status);
        }
        if failure.is_of_the_way() && lock(&self.reached).contains(&endpoint.authority()) {
            failure.meaning = Meaning::Unreachable;
        }
        failure
    }

    /// The answer if it is a success, otherwise what it means.
    fn checked(
        &self,
        operation: &str,
        shown: Shown,
        answer: Answer,
    ) -> Result<Answer, CallFailure> {
        match answer.status {
            // Requests never ask for a part of an answer. The records that a part leaves out would
            // be taken for records that do not exist.
            PARTIAL_CONTENT => {
                let failure = answer.failure(operation, Meaning::BrokenAnswer);
                return Err(failure.because("a part of the answer, and nobody asked for a part"));
            }
            200..300 => return Ok(answer),
            _ => {}
        }
        let now = self.now();
        let refusal = answer.refusal();
        let meaning = refusal.meaning(answer.status, shown, answer.retry_after(now));
        let mut failure = answer.failure(operation, meaning);
        failure.code = refusal.code;
        failure.message = refusal.message;
        failure.request_id = refusal.request_id.or(failure.request_id);
        // No password depends on the time.
        if failure.is_denied() && !matches!(shown, Shown::Password | Shown::Nothing) {
            failure.cause = answer.served_at().and_then(|served_at| clock_skew(now, served_at));
        }
        Err(failure)
    }

    /// The client for an address of IAM, which is the one for functions where they need the same.
    pub(super) fn http_for(&self, endpoint: &Endpoint) -> Result<reqwest::Client, CallFailure> {
        let needs = |endpoint: &Endpoint| (endpoint.is_loopback(), endpoint.is_encrypted());
        if needs(endpoint) == needs(&self.functions) {
            return Ok(self.functions_http.clone());
        }
        if let Some(http) = self.iam_http.get() {
            return Ok(http.clone());
        }
        let http = connect(&self.transport, endpoint)?;
        Ok(self.iam_http.get_or_init(|| http).clone())
    }
}

/// A panic while the set is held cannot leave it half changed: each holder does a single call.
fn lock(reached: &Mutex<HashSet<String>>) -> MutexGuard<'_, HashSet<String>> {
    reached.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(transport: &Transport, endpoint: &Endpoint) -> Result<reqwest::Client, CallFailure> {
    let failure = |cause: Cause| {
        CallFailure::new(&format!("prepare connections to {endpoint}"), Meaning::Misconfigured)
            .because(cause.0)
    };
    transport.client(endpoint).map_err(failure)
}

impl Answer {
    /// What a body that is not what was due means.
    pub(super) fn bad_body(&self, operation: &str, problem: BadBody) -> CallFailure {
        match problem {
            BadBody::TooManyRecords => {
                let cause = format!("more than {} records", wire::MAX_RECORDS);
                self.failure(operation, Meaning::TooLarge).because(cause)
            }
            // The cause may quote the body.
            BadBody::Unreadable(cause) => {
                let cause =
                    refusal::message_line(&self.redactor.redact(&cause)).unwrap_or_default();
                self.broken(operation, self.refusal(), Meaning::BrokenAnswer).because(cause)
            }
            BadBody::Error => {
                let refusal = self.refusal();
                // A status of success does not say whether to ask again: only being asked to slow
                // down is certain.
                let meaning = match refusal.meaning(self.status, Shown::Signature, None) {
                    Meaning::Throttled { retry_after } => Meaning::Throttled { retry_after },
                    _ => Meaning::BrokenAnswer,
                };
                self.broken(operation, refusal, meaning)
                    .because("it carries an error instead of what was asked for")
            }
        }
    }

    fn broken(&self, operation: &str, refusal: Refusal, meaning: Meaning) -> CallFailure {
        let Refusal { code, message, request_id, .. } = refusal;
        let failure = self.failure(operation, meaning);
        let request_id = request_id.or_else(|| failure.request_id.clone());
        CallFailure { code, message, request_id, ..failure }
    }
}

/// Clock skew: the usual reason why a correct signature is refused.
fn clock_skew(now: Timestamp, served_at: Timestamp) -> Option<Cause> {
    let ahead = now.seconds_since(served_at);
    let side = if ahead > 0 { "ahead of" } else { "behind" };
    let seconds = ahead.unsigned_abs();
    let cause =
        || Cause(format!("this machine's clock is {seconds} s {side} the service's").into());
    (seconds > NOTABLE_SKEW).then(cause)
}
