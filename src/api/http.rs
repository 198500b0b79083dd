//! One request and one answer over `reqwest`, with a limit on everything: time, size, redirects, retries.

use super::failure::{CallFailure, Cause, Meaning};
use super::refusal::{self, Refusal};
use super::{Endpoint, headers};
use crate::domain::Timestamp;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Certificate, ClientBuilder, Method, Response, Url, redirect, retry};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Once;
use std::time::Duration;

/// The largest body of a success, after decompression. A page of 500 records with messages of several
/// kilobytes each is about 4 MiB; four times that is still small beside the memory a run may take.
pub(super) const MAX_BODY: usize = 16 * 1024 * 1024;

/// How much of a refusal's body is read: enough for any error text, and the rest is not waited for.
const MAX_REFUSAL: usize = 64 * 1024;

/// How long an idle connection is kept: longer than the pauses of a throttled run, shorter than the
/// minute after which gateways commonly drop one.
const POOL_IDLE: Duration = Duration::from_secs(50);

/// How long each part of a call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection stands, name look-up and TLS included.
    pub connect: Duration,
    /// Between two pieces of an answer.
    pub read: Duration,
    /// For the whole call.
    pub total: Duration,
}

/// Ten seconds reach any region; a page takes seconds at most, and the vendor's SDKs allow 120 s for one.
impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), read: Duration::from_secs(30), total: Duration::from_mins(2) }
    }
}

/// What a client is built from, beside the address it is for.
#[derive(Clone, Debug)]
pub(super) struct Transport {
    pub(super) timeouts: Timeouts,
    /// Certificates in PEM, trusted beside the system's.
    pub(super) ca_cert: Option<Vec<u8>>,
    pub(super) user_agent: String,
}

impl Transport {
    /// A client for one address. On plain http no certificate is needed, and the machine's own addresses
    /// are never asked through a proxy, whatever the environment says.
    pub(super) fn client(&self, endpoint: &Endpoint) -> Result<reqwest::Client, Cause> {
        install_tls_provider();
        let mut builder = self.settings();
        if endpoint.is_loopback() {
            builder = builder.no_proxy();
        }
        builder = if endpoint.is_encrypted() {
            builder.tls_certs_merge(self.certificates()?)
        } else {
            // Without this a machine that has no certificate store gets no client at all.
            builder.tls_certs_only([])
        };
        builder.build().map_err(|error| Cause::innermost(&error))
    }

    fn settings(&self) -> ClientBuilder {
        reqwest::Client::builder()
            .user_agent(&self.user_agent)
            .connect_timeout(self.timeouts.connect)
            .read_timeout(self.timeouts.read)
            .timeout(self.timeouts.total)
            .pool_idle_timeout(POOL_IDLE)
            .gzip(true)
            .referer(false)
            // A signature or token must not follow to another host.
            .redirect(redirect::Policy::none())
            // Repeating is decided above, where pace and budget are known.
            .retry(retry::never())
    }

    fn certificates(&self) -> Result<Vec<Certificate>, Cause> {
        let Some(pem) = &self.ca_cert else { return Ok(Vec::new()) };
        match Certificate::from_pem_bundle(pem) {
            Ok(certificates) if certificates.is_empty() => {
                Err(Cause("the file of extra certificates holds none in PEM form".into()))
            }
            Ok(certificates) => Ok(certificates),
            Err(error) => Err(Cause::innermost(&error)),
        }
    }
}

/// Names the one cryptography library that `rustls` shall use; without it `reqwest` panics.
fn install_tls_provider() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // An error means that the program's main part has chosen already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// A request, complete with its headers.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// What of it nobody is to see, should the answer repeat it.
    pub(super) secrets: Vec<SecretString>,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    secrets: Vec<SecretString>,
}

impl Answer {
    /// A header as text; what is no text counts as absent.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The service's clock as it answered.
    pub(super) fn served_at(&self) -> Option<Timestamp> {
        headers::http_date(self.header(DATE.as_str())?)
    }

    /// How long the service asks to wait; a moment is measured by its own clock where it shows it.
    pub(super) fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        headers::retry_after(self.header(RETRY_AFTER.as_str())?, self.served_at().unwrap_or(now))
    }

    /// What the body says, taken for a refusal.
    pub(super) fn refusal(&self) -> Refusal {
        Refusal::read(&self.without_secrets(&String::from_utf8_lossy(&self.body)))
    }

    /// A text made from the answer, without what we sent in confidence.
    pub(super) fn without_secrets(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| match secret.expose_secret() {
            "" => text,
            secret => text.replace(secret, "[REDACTED]"),
        })
    }

    /// A failure that carries what the answer's head says.
    pub(super) fn failure(&self, operation: &str, meaning: Meaning) -> CallFailure {
        // IAM names its requests in a header of its own.
        let request_id = self.header("x-request-id").or_else(|| self.header("x-iam-trace-id"));
        CallFailure {
            status: Some(self.status),
            request_id: request_id.and_then(refusal::code_line),
            ..CallFailure::new(operation, meaning)
        }
    }
}

/// Sends a request once and reads the answer, up to a limit.
pub(super) async fn send(http: &reqwest::Client, operation: &str, request: Outgoing) -> Result<Answer, CallFailure> {
    let Outgoing { method, url, headers, body, secrets } = request;
    let sent = http.request(method, url).headers(headers).body(body).send().await;
    let mut response = sent.map_err(|error| not_answered(operation, &error))?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut answer = Answer { status, headers, body: Vec::new(), secrets };
    if response.status().is_success() {
        let read = read_body(&mut response, MAX_BODY, &mut answer.body).await;
        read.map_err(|problem| problem.into_failure(operation, &answer))?;
    } else {
        // The status says enough: a body that is cut or long costs the words, not the meaning.
        let _ = read_body(&mut response, MAX_REFUSAL, &mut answer.body).await;
    }
    Ok(answer)
}

fn not_answered(operation: &str, error: &reqwest::Error) -> CallFailure {
    let meaning = if error.is_timeout() {
        Meaning::Timeout
    } else if error.is_builder() {
        Meaning::Misconfigured
    } else {
        Meaning::Unreachable
    };
    CallFailure::new(operation, meaning).because(Cause::innermost(error).0)
}

/// Why a body did not come whole.
enum BodyProblem {
    TooLarge(usize),
    Broken(reqwest::Error),
}

impl BodyProblem {
    fn into_failure(self, operation: &str, answer: &Answer) -> CallFailure {
        match self {
            Self::TooLarge(limit) => {
                answer.failure(operation, Meaning::TooLarge).because(format!("more than {limit} bytes"))
            }
            Self::Broken(error) => {
                let meaning = if error.is_timeout() { Meaning::Timeout } else { Meaning::BrokenAnswer };
                answer.failure(operation, meaning).because(Cause::innermost(&error).0)
            }
        }
    }
}

/// Reads piece by piece, so that neither a long body nor a small one that unpacks to a long one fills memory.
async fn read_body(response: &mut Response, limit: usize, body: &mut Vec<u8>) -> Result<(), BodyProblem> {
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    if announced > limit {
        return Err(BodyProblem::TooLarge(limit));
    }
    body.reserve_exact(announced);
    while let Some(piece) = response.chunk().await.map_err(BodyProblem::Broken)? {
        if body.len() + piece.len() > limit {
            return Err(BodyProblem::TooLarge(limit));
        }
        body.extend_from_slice(&piece);
    }
    Ok(())
}
