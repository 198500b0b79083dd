//! One request and one answer over `reqwest`, with a limit on everything: time, size, redirects,
//! retries.

use super::encoding::{self, PackedBody};
use super::failure::{Asked, CallFailure, Cause, Meaning};
use super::proxy::Proxies;
use super::redaction::{Redactor, Scope, Secrets};
use super::refusal::{self, Refusal};
use super::{Endpoint, authorities, headers, trouble, wire};
use crate::domain::Timestamp;
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, DATE, HeaderMap, HeaderValue, RETRY_AFTER,
};
use reqwest::{Certificate, ClientBuilder, Method, Response, Url, redirect, retry};
use secrecy::{ExposeSecret, SecretString};
use std::borrow::Cow;
use std::sync::{Arc, Once};
use std::time::Duration;

/// The largest body of a success, after decompression. A page of 500 records with messages of
/// several kilobytes each is about 4 MiB; four times that is still small beside the memory a run
/// may take.
pub(super) const MAX_BODY: usize = 16 * 1024 * 1024;

/// How much of a refusal's body is read: enough for any error text, and the rest is not waited for.
const MAX_REFUSAL: usize = 64 * 1024;

/// How many of its first bytes a signature is looked for by in an answer.
const SIGNATURE_PREFIX: usize = 16;

/// Room made at first for a body, whatever length it announces.
const FIRST_ROOM: usize = 512 * 1024;

/// How long an idle connection is kept: longer than the pauses of a throttled run, shorter than the
/// minute after which gateways commonly drop one.
const POOL_IDLE: Duration = Duration::from_secs(50);

/// How long the metadata of this server may take, as in the vendor's SDKs.
const LONGEST_OF_METADATA: Duration = Duration::from_secs(3);

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

/// Ten seconds reach any region. A page takes seconds at most; the 120 s that the vendor's SDKs
/// allow for one would keep a run waiting for a function that hangs.
impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(30),
            total: Duration::from_mins(1),
        }
    }
}

/// What a client is built from, beside the address it is for.
#[derive(Clone, Debug)]
pub(super) struct Transport {
    pub(super) timeouts: Timeouts,
    /// Certificates in PEM, trusted beside the system's.
    pub(super) ca_cert: Option<Vec<u8>>,
    /// Certificates in PEM, trusted in place of the system's.
    pub(super) authorities: Option<Vec<u8>>,
    pub(super) user_agent: String,
    pub(super) proxies: Proxies,
}

impl Transport {
    /// A client for one address. On plain http no certificate is needed, and what only this machine
    /// can reach is never asked through a proxy, whatever the environment says.
    pub(super) fn client(&self, endpoint: &Endpoint) -> Result<reqwest::Client, Cause> {
        install_tls_provider();
        let mut builder = self.settings();
        match self.proxies.of(endpoint) {
            Some(proxy) => {
                builder =
                    builder.no_proxy().proxy(proxy.map_err(|error| Cause::innermost(&error))?);
            }
            None if endpoint.is_near() => builder = builder.no_proxy(),
            // What the system itself is set to, where it has such settings.
            None => {}
        }
        builder = match &self.authorities {
            // Without this a machine that has no certificate store gets no client at all.
            _ if !endpoint.is_encrypted() => builder.tls_certs_only([]),
            None => builder.tls_certs_merge(self.certificates()?),
            Some(pem) => builder.tls_certs_only(with_authorities(self.certificates()?, pem)?),
        };
        builder.build().map_err(|error| trouble::of_preparation(&error))
    }

    /// The same for the metadata of this server, which answers at once or never.
    pub(super) fn of_metadata(&self) -> Self {
        let Timeouts { connect, read, total } = self.timeouts;
        let [connect, read, total] = [connect, read, total].map(|it| it.min(LONGEST_OF_METADATA));
        Self { timeouts: Timeouts { connect, read, total }, ..self.clone() }
    }

    fn settings(&self) -> ClientBuilder {
        reqwest::Client::builder()
            .user_agent(&self.user_agent)
            .connect_timeout(self.timeouts.connect)
            .read_timeout(self.timeouts.read)
            .timeout(self.timeouts.total)
            .pool_idle_timeout(POOL_IDLE)
            .default_headers(HeaderMap::from_iter([(
                ACCEPT_ENCODING,
                HeaderValue::from_static(encoding::ACCEPTED),
            )]))
            .http1_max_headers(headers::MAX_HEADERS)
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

fn with_authorities(
    mut certificates: Vec<Certificate>,
    pem: &[u8],
) -> Result<Vec<Certificate>, Cause> {
    for authority in authorities::usable(pem) {
        certificates
            .push(Certificate::from_der(&authority).map_err(|error| Cause::innermost(&error))?);
    }
    Ok(certificates)
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
    pub(super) asked: Asked,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// The signature in its headers, good for repeating this one request.
    pub(super) signature: Option<SecretString>,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(super) struct Answer {
    /// Whose it is.
    asked: Asked,
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// Whether the body came to its end.
    is_whole: bool,
    /// Covers the secrets that are known.
    pub(super) redactor: Arc<Redactor>,
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
        if wire::is_of_wide_letters(&self.body) {
            return Refusal {
                message: Some("words in UTF-16, which is not understood".into()),
                ..Refusal::default()
            };
        }
        let text = String::from_utf8_lossy(&self.body);
        let text =
            if self.is_whole { text } else { self.redactor.redact_cut(&text).into_owned().into() };
        Refusal::read(&text, self.request_id(), &self.redactor)
    }

    /// Undoes what was done to the body for the way; one that cannot be unpacked says nothing.
    fn unpack(&mut self, limit: usize) -> Result<(), BodyProblem> {
        let packed = std::mem::take(&mut self.body);
        let encodings = self.headers.get_all(CONTENT_ENCODING).into_iter();
        // What is no text is no encoding that we speak.
        let encodings = encodings.map(|value| value.to_str().unwrap_or("unreadable"));
        let problem = |problem| match problem {
            PackedBody::TooLong => BodyProblem::TooLarge(limit),
            PackedBody::Unknown(name) => {
                let name = refusal::code_line(&self.redactor.redact(&name)).unwrap_or_default();
                BodyProblem::Packed(format!(
                    "the answer is encoded as `{name}`, which was not asked for"
                ))
            }
            PackedBody::Damaged(error) => {
                BodyProblem::Packed(format!("the compressed answer is damaged: {error}"))
            }
        };
        self.body = encoding::unpack(packed, encodings, limit).map_err(problem)?;
        Ok(())
    }

    /// The body as it is decoded: without secrets, so that none is archived.
    pub(super) fn content(&self) -> Cow<'_, [u8]> {
        let text = String::from_utf8_lossy(&self.body);
        match self.redactor.redact_json(&text) {
            Cow::Borrowed(_) => Cow::Borrowed(&self.body),
            Cow::Owned(redacted) => Cow::Owned(redacted.into_bytes()),
        }
    }

    /// The request's id, by the answer's head. IAM names its requests in a header of its own.
    fn request_id(&self) -> Option<&str> {
        self.header("x-request-id").or_else(|| self.header("x-iam-trace-id"))
    }

    /// A failure that carries what the answer's head says.
    pub(super) fn failure(&self, operation: &str, meaning: Meaning) -> CallFailure {
        let hidden = |id| self.redactor.redact_as(Scope::Values, id);
        CallFailure {
            asked: self.asked,
            status: Some(self.status),
            request_id: self.request_id().and_then(|id| refusal::code_line(&hidden(id))),
            ..CallFailure::new(operation, meaning)
        }
    }
}

/// Sends a request once and reads the answer, up to a limit.
pub(super) async fn send(
    http: &reqwest::Client,
    operation: &str,
    request: Outgoing,
    secrets: &Secrets,
    now: Timestamp,
) -> Result<Answer, CallFailure> {
    let Outgoing { asked, method, url, headers, body, signature } = request;
    let sent = http.request(method, url).headers(headers).body(body).send().await;
    let not_answered = |(meaning, cause): (Meaning, Cause)| {
        CallFailure { asked, ..CallFailure::new(operation, meaning) }.because(cause.0)
    };
    let mut response = sent.map_err(|error| not_answered(trouble::explain(&error, now)))?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let redactor = secrets.redactor();
    let mut answer = Answer { asked, status, headers, body: Vec::new(), is_whole: true, redactor };
    let is_success = response.status().is_success();
    let limit = if is_success { MAX_BODY } else { MAX_REFUSAL };
    let read = read_body(&mut response, limit, &mut answer.body).await;
    answer.is_whole = read.is_ok();
    let read = read.and_then(|()| answer.unpack(limit));
    answer.redactor = redactor_for(&answer, secrets, signature.as_ref());
    match read {
        Err(problem) if is_success => Err(problem.into_failure(operation, &answer)),
        // The status says enough: a body that is cut or long costs the words, not the meaning.
        _ => Ok(answer),
    }
}

/// Covers all secrets known when the answer has come; the request's own signature where the answer
/// may show it, since nobody asks for a page with it a second time.
fn redactor_for(
    answer: &Answer,
    secrets: &Secrets,
    signature: Option<&SecretString>,
) -> Arc<Redactor> {
    let may_show = |signature: &&SecretString| {
        let begin = signature.expose_secret().get(..SIGNATURE_PREFIX).unwrap_or_default();
        let is_page = (200..300).contains(&answer.status);
        !is_page || std::str::from_utf8(&answer.body).is_ok_and(|body| body.contains(begin))
    };
    match signature.filter(may_show) {
        Some(signature) => secrets.redactor_with(signature),
        None => secrets.redactor(),
    }
}

/// Why a body did not come whole.
enum BodyProblem {
    TooLarge(usize),
    Broken(reqwest::Error),
    Packed(String),
}

impl BodyProblem {
    fn into_failure(self, operation: &str, answer: &Answer) -> CallFailure {
        match self {
            Self::TooLarge(limit) => answer
                .failure(operation, Meaning::TooLarge)
                .because(format!("more than {limit} bytes")),
            Self::Broken(error) => {
                let meaning =
                    if error.is_timeout() { Meaning::Timeout } else { Meaning::BrokenAnswer };
                answer.failure(operation, meaning).because(Cause::innermost(&error).0)
            }
            Self::Packed(cause) => answer.failure(operation, Meaning::BrokenAnswer).because(cause),
        }
    }
}

/// Reads piece by piece, so that neither a long body nor a small one that unpacks to a long one
/// fills memory.
async fn read_body(
    response: &mut Response,
    limit: usize,
    body: &mut Vec<u8>,
) -> Result<(), BodyProblem> {
    let announced =
        response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    if announced > limit {
        return Err(BodyProblem::TooLarge(limit));
    }
    body.reserve(announced.min(FIRST_ROOM));
    while let Some(piece) = response.chunk().await.map_err(BodyProblem::Broken)? {
        if body.len() + piece.len() > limit {
            return Err(BodyProblem::TooLarge(limit));
        }
        body.extend_from_slice(&piece);
    }
    Ok(())
}
