//! The server: who is let in, how many at once, and what a browser may do with an answer.

use super::address::Place;
use super::admission::{Admission, Refused};
use super::connections::{Connections, Waiting};
use super::reply::{Reply, Trouble};
use super::site::Site;
use crate::page;
use crate::render::write_json_line;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// So many answers are made at once; whoever asks for another one is told to come again. A browser
/// asks for one at a time.
const MOST_AT_ONCE: usize = 4;

/// How many seconds later that is.
const COME_AGAIN: &str = "1";

/// So long after it was told to stop the server leaves connections open whose answers are made or
/// taken just then.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// What goes with every answer: nothing of it is kept, guessed at, framed, or told to others.
const ALWAYS: [(HeaderName, &str); 6] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Serves until `stop` is done and the requests at hand are answered, as far as they are soon.
pub(crate) async fn serve(
    listener: TcpListener,
    site: Site,
    admission: Admission,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(MOST_AT_ONCE));
    let shared = Arc::new(Shared { site, admission, places });
    let app = Router::new().fallback(handle).with_state(shared);
    let app = app.into_make_service_with_connect_info::<Waiting>();
    let (told, heard) = oneshot::channel();
    let stop = async {
        stop.await;
        // Nobody hears it where the server has ended by itself.
        let _ = told.send(());
    };
    let last = async {
        // Where nobody tells it, the server has ended, and that is what counts.
        if heard.await.is_ok() {
            sleep(LAST_WAIT).await;
        }
    };
    tokio::select! {
        biased;
        ended = axum::serve(Connections::of(listener), app).with_graceful_shutdown(stop) => ended,
        () = last => Ok(()),
    }
}

#[derive(Debug)]
struct Shared {
    site: Site,
    admission: Admission,
    places: Arc<Semaphore>,
}

async fn handle(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(connection): ConnectInfo<Waiting>,
    request: Request,
) -> Response {
    connection.begin();
    // A body is not read: nothing that is asked for has one.
    let (asked, _) = request.into_parts();
    let path = asked.uri.path();
    let answer = shared.answer(&asked).await;
    if let Err(trouble) = &answer {
        tracing::debug!(path, status = trouble.status, "{}", trouble.message);
    }
    let is_program = path.starts_with("/api/") || path == "/healthz";
    answer.map_or_else(|trouble| refusal(&trouble, is_program), delivered)
}

impl Shared {
    async fn answer(&self, asked: &Parts) -> Result<Reply, Trouble> {
        let text = |name: HeaderName| asked.headers.get(name).and_then(|value| value.to_str().ok());
        // An address that is given whole carries the name as well (RFC 9112, 3.2.2).
        let host = asked.uri.authority().map(Authority::as_str).or_else(|| text(header::HOST));
        self.admission.check(host, text(header::AUTHORIZATION)).map_err(
            |refused| match refused {
                Refused::Name => Trouble::new(403, "this name does not belong to this machine")
                    .hint("ask by the address that `fgarchive serve` printed"),
                Refused::Token => Trouble::new(401, "a token is needed, as the password"),
            },
        )?;
        if !matches!(asked.method, Method::GET | Method::HEAD) {
            return Err(Trouble::new(405, "the archive is only read here"));
        }
        // Health is told at once and always: it is no sign of illness to have much to do.
        let place = if Place::of(asked.uri.path()) == Some(Place::Health) {
            None
        } else {
            let place = Arc::clone(&self.places).try_acquire_owned();
            Some(place.map_err(|_| Trouble::too_many())?)
        };
        let (path, query) = (asked.uri.path().to_owned(), asked.uri.query().map(str::to_owned));
        let site = self.site.clone();
        let made = spawn_blocking(move || {
            // Held until the answer is made, whether or not anybody still waits for it.
            let _place = place;
            site.answer(&path, query.as_deref().unwrap_or_default())
        });
        made.await.unwrap_or_else(|_| Err(Trouble::new(500, "the answer could not be made")))
    }
}

fn delivered(reply: Reply) -> Response {
    response(StatusCode::OK, reply.content_type, reply.body)
}

/// What a program is told, or a person shown.
fn refusal(trouble: &Trouble, is_program: bool) -> Response {
    #[derive(Serialize)]
    struct View<'a> {
        error: &'a str,
        hint: Option<&'a str>,
    }
    let status = StatusCode::from_u16(trouble.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let Trouble { message, hint, .. } = trouble;
    let mut body = Vec::new();
    let written = if is_program {
        write_json_line(&View { error: message, hint: hint.as_deref() }, &mut body)
    } else {
        page::write_refusal(message, hint.as_deref(), &mut body)
    };
    if written.is_err() {
        body.clear();
    }
    let content_type = if is_program { "application/json" } else { "text/html; charset=utf-8" };
    let mut response = response(status, content_type, body);
    let headers = response.headers_mut();
    let more = match trouble.status {
        401 => Some((header::WWW_AUTHENTICATE, "Basic realm=\"fgarchive\", charset=\"UTF-8\"")),
        405 => Some((header::ALLOW, "GET, HEAD")),
        _ if trouble.is_brief => Some((header::RETRY_AFTER, COME_AGAIN)),
        _ => None,
    };
    headers.extend(more.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}

fn response(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.extend(ALWAYS.map(|(name, value)| (name, HeaderValue::from_static(value))));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(policy) = HeaderValue::from_str(&page::policy("'self'")) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::store::file::Archive;
    use pretty_assertions::assert_eq;

    #[tokio::test]
    async fn health_is_told_however_much_there_is_to_do() {
        let directory = tempfile::tempdir().unwrap();
        let archive = directory.path().join("archive.db");
        drop(Archive::open(&archive).unwrap());
        let site = Site { archive, clock: Clock::System, limit: Duration::from_secs(1) };
        let admission = Admission::by_token("token");
        // Every place is taken.
        let shared = Shared { site, admission, places: Arc::new(Semaphore::new(0)) };
        let answer = async |path: &str| {
            let asked = Request::get(path).header(header::AUTHORIZATION, "Bearer token");
            let (asked, _) = asked.body(Body::empty()).unwrap().into_parts();
            shared.answer(&asked).await
        };
        assert_eq!(answer("/healthz").await.unwrap().body, b"ok\n");
        assert_eq!(answer("/").await.unwrap_err(), Trouble::too_many());
    }

    #[test]
    fn to_come_again_helps_only_against_others_who_ask() {
        let again = |trouble| refusal(&trouble, true).headers().get(header::RETRY_AFTER).cloned();
        assert_eq!(again(Trouble::too_many()), Some(HeaderValue::from_static("1")));
        assert_eq!(again(Trouble::new(503, "the question takes more than it may")), None);
        assert_eq!(again(Trouble::new(404, "nothing is there")), None);
    }
}
