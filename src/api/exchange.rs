//! One exchange with the service: a request made, authenticated, sent once, and its answer judged.

use super::client::Now;
use super::credentials::Credentials;
use super::failure::{CallFailure, Cause, Meaning};
use super::http::{self, Answer, Transport};
use super::iam::{Token, Tokens};
use super::redaction::Secrets;
use super::refusal::{self, Refusal};
use super::request::Call;
use super::wire::{self, BadBody};
use super::{Endpoint, sign};
use crate::domain::Timestamp;
use secrecy::ExposeSecret;
use std::sync::{Arc, OnceLock};

/// How far the two clocks may differ before a refusal mentions it, in seconds. The gateway refuses
/// signatures from 15 minutes on.
const NOTABLE_SKEW: u64 = 300;

/// Who asks, where, and through which connections.
pub(super) struct Session {
    pub(super) functions: Endpoint,
    pub(super) iam: Option<Endpoint>,
    pub(super) credentials: Credentials,
    pub(super) tokens: Tokens,
    /// What nobody is to see: the credentials, and the tokens that were issued for them.
    pub(super) secrets: Secrets,
    transport: Transport,
    functions_http: reqwest::Client,
    /// Made when it is first needed: most runs never ask IAM.
    iam_http: OnceLock<reqwest::Client>,
    now: Now,
}

impl Session {
    /// Prepares the connections; nothing is asked yet.
    pub(super) fn new(
        functions: Endpoint,
        iam: Option<Endpoint>,
        credentials: Credentials,
        transport: Transport,
        now: Now,
    ) -> Result<Self, CallFailure> {
        let functions_http = connect(&transport, &functions)?;
        let secrets = credentials.secrets().into_iter().chain(transport.proxies.secrets()).collect();
        let (tokens, iam_http, secrets) = (Tokens::default(), OnceLock::new(), Secrets::new(secrets));
        Ok(Self { functions, iam, credentials, tokens, secrets, transport, functions_http, iam_http, now })
    }

    /// Asks FunctionGraph about a project.
    pub(super) async fn get_functions(
        &self,
        operation: &str,
        project_id: &str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Answer, CallFailure> {
        let call = Call::get(operation, &self.functions, path, query).of_project(project_id);
        self.ask(&self.functions_http, call).await
    }

    /// Asks IAM as the user we are; its calls are about no project.
    pub(super) async fn get_iam(
        &self,
        operation: &str,
        iam: &Endpoint,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Answer, CallFailure> {
        let http = self.http_for(iam)?;
        self.ask(&http, Call::get(operation, iam, path, query)).await
    }

    /// Asks without credentials: the body holds them.
    pub(super) async fn post_open(
        &self,
        operation: &str,
        endpoint: &Endpoint,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Answer, CallFailure> {
        let http = self.http_for(endpoint)?;
        let call = Call::post(operation, endpoint, path, body);
        let headers = call.headers();
        self.send(&http, call, &headers, None).await
    }

    /// Asks with credentials.
    async fn ask(&self, http: &reqwest::Client, call: Call<'_>) -> Result<Answer, CallFailure> {
        let mut headers = call.headers();
        let token = self.authenticate(&call, &mut headers).await?;
        self.send(http, call, &headers, token.as_deref()).await
    }

    /// Sends a call; whatever comes of it, no secret stands in the words of its failure.
    async fn send(
        &self,
        http: &reqwest::Client,
        call: Call<'_>,
        headers: &[(&'static str, String)],
        token: Option<&Token>,
    ) -> Result<Answer, CallFailure> {
        let operation = call.operation;
        let sent = http::send(http, operation, call.outgoing(headers)?, &self.secrets, (self.now)()).await;
        let checked = sent.and_then(|answer| self.checked(operation, answer, token));
        checked.map_err(|failure| failure.redacted(&self.secrets.redactor()))
    }

    /// Adds what shows who asks, and gives back the token where it is one of ours.
    async fn authenticate(
        &self,
        call: &Call<'_>,
        headers: &mut Vec<(&'static str, String)>,
    ) -> Result<Option<Arc<Token>>, CallFailure> {
        match &self.credentials {
            Credentials::Token(token) => headers.push(("x-auth-token", token.expose_secret().to_owned())),
            Credentials::Password(login) => {
                let token = self.tokens.get(self, login).await?;
                headers.push(("x-auth-token", token.secret.expose_secret().to_owned()));
                return Ok(Some(token));
            }
            Credentials::Keys { access_key, secret_key, security_token } => {
                headers.push((sign::DATE_HEADER, sign::date((self.now)())));
                headers.extend(call.project_id.map(|id| ("x-project-id", id.to_owned())));
                let temporary = security_token.as_ref().map(|token| token.expose_secret().to_owned());
                headers.extend(temporary.map(|token| ("x-security-token", token)));
                headers.push(("authorization", call.signature(access_key, secret_key.expose_secret(), headers)));
            }
        }
        Ok(None)
    }

    /// The answer if it is a success, otherwise what it means.
    fn checked(&self, operation: &str, answer: Answer, token: Option<&Token>) -> Result<Answer, CallFailure> {
        if (200..300).contains(&answer.status) {
            return Ok(answer);
        }
        let now = (self.now)();
        let refusal = answer.refusal();
        let meaning = refusal.meaning(answer.status, self.credentials.use_token(), answer.retry_after(now));
        let mut failure = answer.failure(operation, meaning);
        failure.code = refusal.code;
        failure.message = refusal.message;
        failure.request_id = failure.request_id.or(refusal.request_id);
        if failure.is_denied() {
            failure.cause = answer.served_at().and_then(|served_at| clock_skew(now, served_at));
        }
        if let (Meaning::TokenExpired, Some(token)) = (meaning, token) {
            self.tokens.refuse(token.generation);
        }
        Err(failure)
    }

    /// The client for an address of IAM, which is the one for functions where they need the same.
    fn http_for(&self, endpoint: &Endpoint) -> Result<reqwest::Client, CallFailure> {
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

fn connect(transport: &Transport, endpoint: &Endpoint) -> Result<reqwest::Client, CallFailure> {
    let failure = |cause: Cause| {
        CallFailure::new(&format!("prepare connections to {endpoint}"), Meaning::Misconfigured).because(cause.0)
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
                let cause = refusal::message_line(&self.redactor.redact(&cause)).unwrap_or_default();
                self.broken(operation, self.refusal(), Meaning::BrokenAnswer).because(cause)
            }
            BadBody::Error => {
                let refusal = self.refusal();
                // A status of success does not say whether to ask again: only being asked to slow down is certain.
                let meaning = match refusal.meaning(self.status, false, None) {
                    Meaning::Throttled { retry_after } => Meaning::Throttled { retry_after },
                    _ => Meaning::BrokenAnswer,
                };
                self.broken(operation, refusal, meaning).because("it carries an error instead of what was asked for")
            }
        }
    }

    fn broken(&self, operation: &str, refusal: Refusal, meaning: Meaning) -> CallFailure {
        let Refusal { code, message, request_id } = refusal;
        let failure = self.failure(operation, meaning);
        let request_id = failure.request_id.clone().or(request_id);
        CallFailure { code, message, request_id, ..failure }
    }
}

/// The commonest cause of a refused signature that is nobody's key.
fn clock_skew(now: Timestamp, served_at: Timestamp) -> Option<Cause> {
    let ahead = now.seconds_since(served_at);
    let side = if ahead > 0 { "ahead of" } else { "behind" };
    let seconds = ahead.unsigned_abs();
    let cause = || Cause(format!("this machine's clock is {seconds} s {side} the service's").into());
    (seconds > NOTABLE_SKEW).then(cause)
}
