//! The calls, each asked once.

use super::credentials::Credentials;
use super::exchange::Now;
use super::failure::{CallFailure, Meaning};
use super::http::{Answer, Timeouts, Transport};
use super::introduction::Introductions;
use super::projects::{find_project, no_project};
use super::proxy::Proxies;
use super::session::Session;
use super::{Endpoint, sign, wire};
use crate::domain::{
    EntryKey, FUNCTIONS_A_PAGE, FunctionPage, FunctionUrn, Invocation, Marker, Page,
};
use crate::domain::{PageQuery, ProbeQuery, Reject, RequestId, Shape, Timestamp};
use std::fmt;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// The codes that say that there is no such function, version or alias (Open Telekom Cloud's API
/// reference), where `FSS.0404` says that of anything.
const OF_NO_FUNCTION: [&str; 3] = ["FSS.1051", "FSS.1052", "FSS.1053"];

/// What a client is made from.
#[derive(Clone)]
pub struct ClientSettings {
    /// The address of FunctionGraph.
    pub functions_base: Endpoint,
    /// The address of IAM, asked for a project's id; a password has an address of its own. None
    /// where nobody named one for this service: credentials go nowhere else.
    pub iam_base: Option<Endpoint>,
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
    /// Certificates in PEM, trusted in place of the system's.
    pub authorities: Option<Vec<u8>>,
    /// Through which proxies to ask.
    pub proxies: Proxies,
    /// What the clients of a command know of the credentials that they show.
    pub introductions: Introductions,
    /// How we introduce ourselves.
    pub user_agent: String,
    /// The present.
    pub now: Now,
}

/// The service, as one user sees it. Clones share connections and token.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    session: Session,
    region: String,
    project_id: Option<String>,
    /// The project that was looked up, for all who ask.
    found_project: OnceCell<String>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let functions = format_args!("{}", self.0.session.exchange.functions);
        f.debug_struct("Client").field("functions", &functions).finish_non_exhaustive()
    }
}

impl Client {
    /// Makes a client; nothing is asked yet.
    pub fn new(settings: ClientSettings) -> Result<Self, CallFailure> {
        let ClientSettings { functions_base, iam_base, region, project_id, credentials, .. } =
            settings;
        let introductions = settings.introductions;
        let ClientSettings { timeouts, ca_cert, authorities, user_agent, proxies, now, .. } =
            settings;
        let transport = Transport { timeouts, ca_cert, authorities, user_agent, proxies };
        let session =
            Session::new(functions_base, iam_base, (credentials, introductions), transport, now)?;
        Ok(Self(Arc::new(Shared { session, region, project_id, found_project: OnceCell::new() })))
    }

    /// One page of a function's records.
    pub async fn list_invocations(
        &self,
        urn: &FunctionUrn,
        query: &PageQuery,
    ) -> Result<Page, CallFailure> {
        let (limit, marker) = (query.limit.to_string(), query.marker.to_string());
        let span = span_query((query.begin, query.end));
        let query =
            [("limit", limit.as_str()), ("marker", &marker), span[0].as_pair(), span[1].as_pair()];
        self.page(&format!("list invocations of `{}`", urn.full_name()), urn, &query).await
    }

    /// The record with an id, on a page of one or none. The span must hold it: without one, the
    /// service looks back an hour.
    pub async fn find_invocation(
        &self,
        urn: &FunctionUrn,
        id: &RequestId,
        span: (Timestamp, Timestamp),
    ) -> Result<Page, CallFailure> {
        let span = span_query(span);
        let query = [("request_id", id.as_str()), span[0].as_pair(), span[1].as_pair()];
        self.page(&format!("find the invocation `{id}` of `{}`", urn.full_name()), urn, &query)
            .await
    }

    /// A page as a probe asks for it, and how it was written.
    pub async fn probe(
        &self,
        urn: &FunctionUrn,
        query: &ProbeQuery,
    ) -> Result<(Page, Shape), CallFailure> {
        let span = query.span.map(span_query);
        let id = query.request_id.as_ref().map(RequestId::as_str);
        let (marker, limit) = (
            query.marker.map(|marker| marker.to_string()),
            query.limit.map(|limit| limit.to_string()),
        );
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        pairs.extend(id.map(|id| ("request_id", id)));
        pairs.extend(limit.as_deref().map(|limit| ("limit", limit)));
        pairs.extend(marker.as_deref().map(|marker| ("marker", marker)));
        pairs.extend(span.iter().flatten().map(TimeParameter::as_pair));
        let operation = format!("probe the listing of `{}`", urn.full_name());
        let answer = self.answer(&operation, urn, &pairs).await?;
        let page = wire::decode_page(&answer.content())
            .map_err(|problem| answer.bad_body(&operation, problem))?;
        Ok((Page { served_at: answer.served_at(), ..page }, wire::read_shape(&answer.body)))
    }

    /// One page of the project's functions.
    pub async fn list_functions(&self, marker: Marker) -> Result<FunctionPage, CallFailure> {
        let operation = "list functions";
        let project_id = self.project_id().await?;
        let path = project_path(operation, &project_id, "fgs/functions")?;
        let query =
            [("marker", &*marker.to_string()), ("maxitems", &*FUNCTIONS_A_PAGE.to_string())];
        let answer = self.0.session.get_functions(operation, &project_id, &path, &query).await?;
        let page = wire::decode_functions(&answer.content())
            .map_err(|problem| answer.bad_body(operation, problem))?;
        let page = FunctionPage { served_at: answer.served_at(), ..page };
        Ok(without_covered(page, answer.redactor.mark()))
    }

    /// Whether the service keeps the records of a function at all; nothing when it does not say.
    ///
    /// The switch is a field of the function's asynchronous configuration, and off until somebody
    /// sets it. A function that has no such configuration is answered 404 (Open Telekom Cloud's API
    /// reference; the Terraform provider reads it so), and so is a URN in a form that the service
    /// does not know: the caller can tell which it is. An answer that says by its code that there
    /// is no such function is none about its configuration.
    pub async fn status_log_enabled(&self, urn: &FunctionUrn) -> Result<Option<bool>, CallFailure> {
        let operation = format!("read the asynchronous configuration of `{}`", urn.full_name());
        let path = function_path(&operation, urn, "async-invoke-config")?;
        let answer = self.0.session.get_functions(&operation, urn.project_id(), &path, &[]).await;
        let answer = answer.map_err(|failure| match failure.code.as_deref() {
            Some(code) if OF_NO_FUNCTION.contains(&code) => {
                CallFailure { meaning: Meaning::Refused, ..failure }
            }
            _ => failure,
        })?;
        wire::decode_status_log(&answer.content())
            .map_err(|problem| answer.bad_body(&operation, problem))
    }

    /// Gets a token in place of one that the service no longer accepts; callers who met the same
    /// refusal share one request. False when there is no password to get one with.
    pub async fn renew(&self) -> Result<bool, CallFailure> {
        let session = &self.0.session;
        let Credentials::Password(login) = &session.credentials else { return Ok(false) };
        session.tokens.renew(&session.exchange, login).await.map(|_| true)
    }

    /// The region it was made for.
    pub fn region(&self) -> &str {
        &self.0.region
    }

    /// The project that functions without a URN belong to: as set, as the token says, or by a
    /// look-up.
    pub async fn project_id(&self) -> Result<String, CallFailure> {
        let Shared { session, region, project_id, found_project } = &*self.0;
        if let Some(id) = project_id {
            return Ok(id.clone());
        }
        if let Credentials::Password(login) = &session.credentials {
            let token = session.tokens.get(&session.exchange, login).await?;
            let unscoped = || no_project("tell the project of the token", "it is for none");
            return token.project_id.clone().ok_or_else(unscoped);
        }
        found_project.get_or_try_init(|| find_project(session, region)).await.cloned()
    }

    async fn answer(
        &self,
        operation: &str,
        urn: &FunctionUrn,
        query: &[(&str, &str)],
    ) -> Result<Answer, CallFailure> {
        let path = function_path(operation, urn, "async-invocations")?;
        self.0.session.get_functions(operation, urn.project_id(), &path, query).await
    }

    async fn page(
        &self,
        operation: &str,
        urn: &FunctionUrn,
        query: &[(&str, &str)],
    ) -> Result<Page, CallFailure> {
        let answer = self.answer(operation, urn, query).await?;
        let page = wire::decode_page(&answer.content())
            .map_err(|problem| answer.bad_body(operation, problem))?;
        let page = Page { served_at: answer.served_at(), ..page };
        Ok(without_covered_ids(page, answer.redactor.mark()))
    }
}

/// A record whose id was covered, since it shows a secret, cannot be told from others: it counts as
/// unreadable.
fn without_covered_ids(mut page: Page, mark: &str) -> Page {
    let is_covered =
        |record: &mut Invocation| !mark.is_empty() && record.request_id.as_str().contains(mark);
    for Invocation { request_id, status, start_time, .. } in page.records.extract_if(.., is_covered)
    {
        let start = start_time.map(|start| start.to_string()).unwrap_or_default();
        let raw = format!("{request_id} {status} {start}");
        page.rejects.push(Reject { reason: "a record's id shows a secret".to_owned(), raw });
        // Each is an entry of its own, however alike they are by now.
        let covered = EntryKey::of(request_id.as_str());
        let places = page.keys.iter_mut().enumerate().filter(|(_, key)| **key == covered);
        places.for_each(|(place, key)| *key = EntryKey::of(&format!("{mark} {place}")));
    }
    page
}

/// A function whose name was covered, since it shows a secret, cannot be asked for: it counts as
/// unreadable.
fn without_covered(mut page: FunctionPage, mark: &str) -> FunctionPage {
    let is_covered = |urn: &mut FunctionUrn| !mark.is_empty() && urn.to_string().contains(mark);
    for urn in page.functions.extract_if(.., is_covered) {
        page.unreadable += 1;
        page.rejects.push(Reject {
            reason: "a function's URN shows a secret".to_owned(),
            raw: urn.to_string(),
        });
    }
    page
}

/// A parameter of a query that holds a time.
struct TimeParameter(&'static str, String);

impl TimeParameter {
    fn as_pair(&self) -> (&str, &str) {
        (self.0, &self.1)
    }
}

fn span_query((begin, end): (Timestamp, Timestamp)) -> [TimeParameter; 2] {
    [
        TimeParameter("query_begin_time", begin.to_wire()),
        TimeParameter("query_end_time", end.to_wire()),
    ]
}

fn function_path(operation: &str, urn: &FunctionUrn, rest: &str) -> Result<String, CallFailure> {
    let name = sign::encode(&urn.as_given());
    project_path(operation, urn.project_id(), &format!("fgs/functions/{name}/{rest}"))
}

/// The path of a call about a project. `.` and `..` would climb in the path and are no project's
/// id.
fn project_path(operation: &str, project_id: &str, rest: &str) -> Result<String, CallFailure> {
    if matches!(project_id, "" | "." | "..") {
        return Err(no_project(operation, &format!("`{project_id}` is no project id")));
    }
    Ok(format!("/v2/{}/{rest}", sign::encode(project_id)))
}
