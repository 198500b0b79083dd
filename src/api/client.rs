//! The calls, each asked once.

use super::credentials::Credentials;
use super::failure::{CallFailure, Cause, Meaning};
use super::http::{self, Answer, Outgoing, Timeouts, Transport};
use super::iam::{self, Token, Tokens};
use super::refusal::{self, Refusal};
use super::wire::{self, BadBody};
use super::{Endpoint, sign};
use crate::domain::{FunctionUrn, Marker, Page, PageQuery, RequestId, Timestamp};
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use std::sync::{Arc, OnceLock};
use tokio::sync::OnceCell;

/// How many functions are asked for at once: the documented maximum of the listing.
const FUNCTIONS_A_PAGE: &str = "400";

/// How far the two clocks may differ before a refusal mentions it, in seconds. The gateway refuses
/// signatures from 15 minutes on.
const NOTABLE_SKEW: u64 = 300;

/// Headers whose values are kept out of all output, also where the service repeats them.
const SECRET_HEADERS: [&str; 3] = ["authorization", "x-auth-token", "x-security-token"];

/// Where the client learns the time to sign with.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What a client is made from.
#[derive(Clone)]
pub struct ClientSettings {
    /// The address of FunctionGraph.
    pub functions_base: Endpoint,
    /// The address of IAM, asked for a project's id; a password has an address of its own.
    pub iam_base: Endpoint,
    /// The region, by which a project is looked up.
    pub region: String,
    /// The project, where it is known.
    pub project_id: Option<String>,
    /// What the service knows us by.
    pub credentials: Credentials,
    /// How long a call may take.
    pub timeouts: Timeouts,
    /// Certificates in PEM, trusted beside the system's.
    pub ca_cert: Option<Vec<u8>>,
    /// How we introduce ourselves.
    pub user_agent: String,
    /// The present.
    pub now: Now,
}

/// One page of the functions of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionPage {
    /// The functions, in the service's order.
    pub functions: Vec<FunctionUrn>,
    /// The start of each entry whose function could not be read.
    pub unreadable: Vec<String>,
    /// What the service calls `count`.
    pub count: Option<u64>,
    /// What the service calls `next_marker`.
    pub next_marker: Option<Marker>,
}

/// The service, as one user sees it. Clones share connections and token.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

pub(super) struct Inner {
    functions: Endpoint,
    pub(super) iam: Endpoint,
    pub(super) region: String,
    project_id: Option<String>,
    found_project: OnceCell<String>,
    credentials: Credentials,
    tokens: Tokens,
    transport: Transport,
    functions_http: reqwest::Client,
    /// Made when it is first needed: most runs never ask IAM.
    iam_http: OnceLock<reqwest::Client>,
    now: Now,
}

impl Client {
    /// Makes a client; nothing is asked yet.
    pub fn new(settings: ClientSettings) -> Result<Self, CallFailure> {
        let ClientSettings { functions_base, iam_base, region, project_id, credentials, .. } = settings;
        let ClientSettings { timeouts, ca_cert, user_agent, now, .. } = settings;
        let transport = Transport { timeouts, ca_cert, user_agent };
        let functions_http = connect(&transport, &functions_base)?;
        Ok(Self(Arc::new(Inner {
            functions: functions_base,
            iam: iam_base,
            region,
            project_id,
            found_project: OnceCell::new(),
            credentials,
            tokens: Tokens::default(),
            transport,
            functions_http,
            iam_http: OnceLock::new(),
            now,
        })))
    }

    /// One page of a function's records.
    pub async fn list_invocations(&self, urn: &FunctionUrn, query: &PageQuery) -> Result<Page, CallFailure> {
        let (limit, marker) = (query.limit.to_string(), query.marker.to_string());
        let span = span_query((query.begin, query.end));
        let query = [("limit", limit.as_str()), ("marker", &marker), span[0].as_pair(), span[1].as_pair()];
        self.0.page(&format!("list invocations of `{}`", short_name(urn)), urn, &query).await
    }

    /// The record with an id, on a page of one or none. The span must hold it: without one, the service
    /// looks back an hour.
    pub async fn find_invocation(
        &self,
        urn: &FunctionUrn,
        id: &RequestId,
        span: (Timestamp, Timestamp),
    ) -> Result<Page, CallFailure> {
        let span = span_query(span);
        let query = [("request_id", id.as_str()), span[0].as_pair(), span[1].as_pair()];
        self.0.page(&format!("find the invocation `{id}` of `{}`", short_name(urn)), urn, &query).await
    }

    /// One page of the project's functions.
    pub async fn list_functions(&self, marker: Marker) -> Result<FunctionPage, CallFailure> {
        let operation = "list functions";
        let project_id = self.project_id().await?;
        let path = project_path(operation, &project_id, "fgs/functions")?;
        let query = [("marker", &*marker.to_string()), ("maxitems", FUNCTIONS_A_PAGE)];
        let answer = self.0.get_functions(operation, &project_id, &path, &query).await?;
        wire::decode_functions(&answer.body).map_err(|problem| answer.bad_body(operation, problem))
    }

    /// Whether the service keeps the records of a function at all; nothing when it does not say.
    pub async fn status_log_enabled(&self, urn: &FunctionUrn) -> Result<Option<bool>, CallFailure> {
        let operation = format!("read the asynchronous configuration of `{}`", short_name(urn));
        let path = function_path(&operation, urn, "async-invoke-config")?;
        match self.0.get_functions(&operation, urn.project_id(), &path, &[]).await {
            Ok(answer) => wire::decode_status_log(&answer.body).map_err(|problem| answer.bad_body(&operation, problem)),
            Err(failure) if failure.meaning == Meaning::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Gets a token in place of one that the service no longer accepts; callers who met the same refusal
    /// share one request. False when there is no password to get one with.
    pub async fn renew(&self) -> Result<bool, CallFailure> {
        let Credentials::Password(login) = &self.0.credentials else { return Ok(false) };
        self.0.tokens.renew(&self.0, login).await.map(|_| true)
    }

    /// The region it was made for.
    pub fn region(&self) -> &str {
        &self.0.region
    }

    /// The project that functions without a URN belong to: as set, as the token says, or by a look-up.
    pub async fn project_id(&self) -> Result<String, CallFailure> {
        let inner = &*self.0;
        if let Some(id) = &inner.project_id {
            return Ok(id.clone());
        }
        if let Credentials::Password(login) = &inner.credentials {
            let token = inner.tokens.get(inner, login).await?;
            let unscoped = || iam::no_project("tell the project of the token", "it is for none");
            return token.project_id.clone().ok_or_else(unscoped);
        }
        inner.found_project.get_or_try_init(|| iam::find_project(inner)).await.cloned()
    }
}

impl Inner {
    async fn page(&self, operation: &str, urn: &FunctionUrn, query: &[(&str, &str)]) -> Result<Page, CallFailure> {
        let path = function_path(operation, urn, "async-invocations")?;
        let answer = self.get_functions(operation, urn.project_id(), &path, query).await?;
        let page = wire::decode_page(&answer.body).map_err(|problem| answer.bad_body(operation, problem))?;
        Ok(Page { served_at: answer.served_at(), ..page })
    }

    async fn get_functions(
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
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Answer, CallFailure> {
        let http = self.http_for(&self.iam)?;
        self.ask(&http, Call::get(operation, &self.iam, path, query)).await
    }

    /// Asks without credentials: the body holds them, `secret` among them.
    pub(super) async fn post_open(
        &self,
        operation: &str,
        endpoint: &Endpoint,
        path: &str,
        body: Vec<u8>,
        secret: &SecretString,
    ) -> Result<Answer, CallFailure> {
        let http = self.http_for(endpoint)?;
        let body_secret = Some(secret);
        let call = Call { method: Method::POST, body, body_secret, ..Call::get(operation, endpoint, path, &[]) };
        let headers = call.headers();
        let answer = http::send(&http, operation, call.outgoing(&headers)?).await?;
        self.checked(operation, answer, None)
    }

    /// Asks with credentials.
    async fn ask(&self, http: &reqwest::Client, call: Call<'_>) -> Result<Answer, CallFailure> {
        let operation = call.operation;
        let mut headers = call.headers();
        let token = self.authenticate(&call, &mut headers).await?;
        let answer = http::send(http, operation, call.outgoing(&headers)?).await?;
        self.checked(operation, answer, token.as_deref())
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
                headers.push((sign::DATE_HEADER, sign_date((self.now)())));
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
            BadBody::Unreadable(cause) => {
                let Refusal { code, message, request_id } = self.refusal();
                // The cause may quote the body.
                let cause = refusal::message_line(&self.without_secrets(&cause)).unwrap_or_default();
                let failure = self.failure(operation, Meaning::BrokenAnswer).because(cause);
                let request_id = failure.request_id.clone().or(request_id);
                CallFailure { code, message, request_id, ..failure }
            }
        }
    }
}

/// One call before it is authenticated.
struct Call<'a> {
    operation: &'a str,
    method: Method,
    endpoint: &'a Endpoint,
    path: &'a str,
    query: String,
    /// The project that signed calls name in a header.
    project_id: Option<&'a str>,
    body: Vec<u8>,
    /// What of the body nobody is to see.
    body_secret: Option<&'a SecretString>,
}

impl<'a> Call<'a> {
    fn get(operation: &'a str, endpoint: &'a Endpoint, path: &'a str, query: &[(&str, &str)]) -> Self {
        let query = sign::encode_query(query);
        Self {
            operation,
            method: Method::GET,
            endpoint,
            path,
            query,
            project_id: None,
            body: Vec::new(),
            body_secret: None,
        }
    }

    fn of_project(self, project_id: &'a str) -> Self {
        Self { project_id: Some(project_id), ..self }
    }

    /// What every call carries. The service's page wants a content type even where there is no content.
    fn headers(&self) -> Vec<(&'static str, String)> {
        vec![("host", self.endpoint.host()), ("content-type", "application/json".to_owned())]
    }

    /// Signs all the headers we set, and none that the transport adds.
    fn signature(&self, access_key: &str, secret_key: &str, headers: &[(&'static str, String)]) -> String {
        let url = self.endpoint.url(self.path, &self.query);
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (method, query) = (self.method.as_str(), self.query.as_str());
        let request = sign::Unsigned { method, path: url.path(), query, headers: &headers, body: &self.body };
        sign::authorization(access_key, secret_key, &request)
    }

    fn outgoing(self, headers: &[(&'static str, String)]) -> Result<Outgoing, CallFailure> {
        let url = self.endpoint.url(self.path, &self.query);
        let secret_values = headers.iter().filter(|(name, _)| SECRET_HEADERS.contains(name));
        let mut secrets: Vec<_> = secret_values.map(|(_, value)| SecretString::from(value.as_str())).collect();
        secrets.extend(self.body_secret.cloned());
        let headers = header_map(self.operation, headers)?;
        Ok(Outgoing { method: self.method, url, headers, body: self.body, secrets })
    }
}

fn header_map(operation: &str, headers: &[(&'static str, String)]) -> Result<HeaderMap, CallFailure> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let unfit = |_| {
            let cause = format!("the value for the header {name} holds characters that no header can carry");
            CallFailure::new(operation, Meaning::Misconfigured).because(cause)
        };
        let mut value = HeaderValue::from_str(value).map_err(unfit)?;
        value.set_sensitive(SECRET_HEADERS.contains(name));
        map.insert(HeaderName::from_static(name), value);
    }
    Ok(map)
}

/// A parameter of a query that holds a time.
struct TimeParameter(&'static str, String);

impl TimeParameter {
    fn as_pair(&self) -> (&str, &str) {
        (self.0, &self.1)
    }
}

fn span_query((begin, end): (Timestamp, Timestamp)) -> [TimeParameter; 2] {
    [TimeParameter("query_begin_time", begin.to_wire()), TimeParameter("query_end_time", end.to_wire())]
}

/// A function as a person knows it: without package and version where those are the usual ones.
fn short_name(urn: &FunctionUrn) -> String {
    let package = if urn.package() == "default" { String::new() } else { format!("{}:", urn.package()) };
    let qualifier = if urn.qualifier() == "latest" { String::new() } else { format!(":{}", urn.qualifier()) };
    format!("{package}{}{qualifier}", urn.name())
}

fn function_path(operation: &str, urn: &FunctionUrn, rest: &str) -> Result<String, CallFailure> {
    let name = sign::encode(&urn.to_string());
    project_path(operation, urn.project_id(), &format!("fgs/functions/{name}/{rest}"))
}

/// The path of a call about a project. `.` and `..` would climb in the path and are no project's id.
fn project_path(operation: &str, project_id: &str, rest: &str) -> Result<String, CallFailure> {
    if matches!(project_id, "" | "." | "..") {
        return Err(iam::no_project(operation, &format!("`{project_id}` is no project id")));
    }
    Ok(format!("/v2/{}/{rest}", sign::encode(project_id)))
}

/// `YYYYMMDDTHHMMSSZ`.
fn sign_date(now: Timestamp) -> String {
    now.to_string().replace(['-', ':'], "")
}

/// The commonest cause of a refused signature that is nobody's key.
fn clock_skew(now: Timestamp, served_at: Timestamp) -> Option<Cause> {
    let ahead = now.seconds_since(served_at);
    let side = if ahead > 0 { "ahead of" } else { "behind" };
    let seconds = ahead.unsigned_abs();
    let cause = || Cause(format!("this machine's clock is {seconds} s {side} the service's").into());
    (seconds > NOTABLE_SKEW).then(cause)
}
