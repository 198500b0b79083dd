//! The service on a socket, and what happens to an answer on its way.

use super::faults::{BodyKind, Fault, Framing};
use super::iam;
use super::service::{Arrival, Emulator, fss, gateway, request_id};
use super::wire::{Answer, Asked};
use crate::domain::Timestamp;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use chrono::DateTime;
use futures_util::{Stream, StreamExt, stream};
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// The largest body that is taken, bytes; a request for a token has a few hundred.
const MOST_BODY: usize = 64 * 1024;
/// The largest body that is read, bytes: a client that is not listened to while it sends may lose
/// the answer. The gateway's own limit is 12 MB (API signing guide).
const MOST_READ: usize = 16 * 1024 * 1024;
/// Pieces that a slow body comes in.
const SLOW_CHUNKS: usize = 10;
/// How long a request without an answer is held, far beyond any client's patience.
const SILENCE: Duration = Duration::from_mins(10);
/// How long the listener rests when the system gives no socket.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);
/// What a proxy in front of the service says.
const HTML: &[u8] = b"<html>\r\n<head><title>Service Unavailable</title></head>\r\n<body>\r\n\
                      <center><h1>Service Unavailable</h1></center>\r\n\
                      <hr><center>CloudWAF</center>\r\n</body>\r\n</html>\r\n";

/// Serves until `shutdown` is done and the requests at hand are answered.
pub async fn serve(
    listener: TcpListener,
    service: Emulator,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let closing = CancellationToken::new();
    let shared = Shared { service, closing: closing.clone() };
    let app = Router::new()
        .fallback(handle)
        .with_state(shared)
        .into_make_service_with_connect_info::<ConnectionHandle>();
    let done = async move {
        shutdown.await;
        closing.cancel();
    };
    axum::serve(CuttableListener(listener), app).with_graceful_shutdown(done).await
}

#[derive(Clone)]
struct Shared {
    service: Emulator,
    closing: CancellationToken,
}

async fn handle(
    State(shared): State<Shared>,
    ConnectInfo(line): ConnectInfo<ConnectionHandle>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MOST_READ).await.ok().filter(|body| body.len() <= MOST_BODY);
    let Some(body) = body else {
        let arrival = shared.service.receive_unread(&parts.method, parts.uri.path());
        return deliver(too_large(&arrival), &arrival);
    };
    let (path, query) =
        (parts.uri.path().to_owned(), parts.uri.query().unwrap_or_default().to_owned());
    let asked = Asked { method: parts.method, path, query, headers: parts.headers, body };
    let arrival = shared.service.receive(&asked);
    for fault in &arrival.faults {
        match fault {
            Fault::Latency { ms } => tokio::time::sleep(Duration::from_millis(*ms)).await,
            Fault::Silent => shared.silence().await,
            Fault::Reset => line.cut(),
            _ => {}
        }
    }
    let answer = fault_answer(&arrival).unwrap_or_else(|| shared.service.answer(&asked, &arrival));
    deliver(answer, &arrival)
}

impl Shared {
    async fn silence(&self) {
        let _ = tokio::time::timeout(SILENCE, self.closing.cancelled()).await;
    }
}

/// The answer of whatever stands in front of the service, where a fault puts one there.
fn fault_answer(arrival: &Arrival) -> Option<Answer> {
    let (id, iam) = (request_id(arrival.number), arrival.route.name.is_iam());
    let answer = arrival.faults.iter().find_map(|fault| match fault {
        Fault::Throttled { retry_after } => {
            let answer = throttled(iam, &id);
            Some(
                retry_after.iter().fold(answer, |answer, seconds| {
                    answer.with("Retry-After", seconds.to_string())
                }),
            )
        }
        Fault::Status { code, body } => Some(failed(*code, *body, iam)),
        Fault::Garbled if iam => Some(Answer::json(200, b"{\"projects\":[{\"id\":\"".to_vec())),
        Fault::Garbled => Some(Answer::json(200, b"{\"invocations\":[{\"request_id\":\"".to_vec())),
        _ => None,
    });
    answer.map(|answer| answer.with(arrival.route.name.id_header(), id))
}

/// The gateway stands in front of IAM too.
fn too_large(arrival: &Arrival) -> Answer {
    let (id, name) = (request_id(arrival.number), arrival.route.name);
    let answer = gateway(413, "APIGW.0201", "The request entity is too large", &id)
        .with("X-Request-Id", &id);
    if name.is_iam() { answer.with(name.id_header(), id) } else { answer }
}

fn throttled(iam: bool, id: &str) -> Answer {
    if iam {
        return iam::refuse(429, "Too many requests.");
    }
    let told = "The throttling threshold has been reached: policy user over ratelimit, limit:100, \
                time:1 minute";
    gateway(429, "APIGW.0308", told, id)
}

fn failed(code: u16, body: BodyKind, iam: bool) -> Answer {
    match body {
        BodyKind::Json if iam => {
            iam::refuse(code, "An unexpected error prevented the server from fulfilling it.")
        }
        BodyKind::Json if code == 500 => fss(500, "FSS.0500", "xxx"),
        BodyKind::Json => fss(code, &format!("FSS.0{code}"), "service unavailable"),
        BodyKind::Html => {
            Answer { status: code, content_type: "text/html", headers: vec![], body: HTML.to_vec() }
        }
        BodyKind::Empty => {
            Answer { status: code, content_type: "text/plain", headers: vec![], body: vec![] }
        }
    }
}

/// Sends an answer the way the faults let it.
fn deliver(answer: Answer, arrival: &Arrival) -> Response {
    let skew: i64 = arrival
        .faults
        .iter()
        .map(|fault| if let Fault::ClockSkew { seconds } = fault { *seconds } else { 0 })
        .sum();
    let answer = answer.with("Date", http_date(Timestamp::from_unix(arrival.now.unix() + skew)));
    let body = arrival.faults.iter().find_map(|fault| match fault {
        Fault::Cut(framing) => Some(cut(&answer.body, *framing)),
        Fault::Slow { ms } => Some(slow(&answer.body, *ms)),
        _ => None,
    });
    respond(answer, body)
}

/// A body that does not come as a whole, and its length where that is announced.
type Piecemeal = (Body, Option<usize>);

fn cut(body: &[u8], framing: Framing) -> Piecemeal {
    let half = Bytes::copy_from_slice(&body[..body.len() / 2]);
    let pieces = stream::iter([Ok(half), Err(io::Error::from(io::ErrorKind::ConnectionAborted))]);
    // Yielding between the two lets the half leave before the connection ends.
    let pieces = pieces.then(|piece| async {
        tokio::task::yield_now().await;
        piece
    });
    (Body::from_stream(pieces), (framing == Framing::Length).then_some(body.len()))
}

fn slow(body: &[u8], ms: u64) -> Piecemeal {
    let pause = Duration::from_millis(ms / SLOW_CHUNKS as u64);
    let size = body.len().div_ceil(SLOW_CHUNKS).max(1);
    let drops: Vec<Bytes> = body.chunks(size).map(Bytes::copy_from_slice).collect();
    (Body::from_stream(dripping(drops, pause)), Some(body.len()))
}

fn dripping(drops: Vec<Bytes>, pause: Duration) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::iter(drops).then(move |drop| async move {
        tokio::time::sleep(pause).await;
        Ok(drop)
    })
}

fn respond(answer: Answer, piecemeal: Option<Piecemeal>) -> Response {
    let (body, length) = piecemeal.unwrap_or_else(|| (Body::from(answer.body), None));
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    if let Some(length) = length {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
    response
}

/// The form of RFC 9110, section 5.6.7.
fn http_date(moment: Timestamp) -> String {
    DateTime::from_timestamp(moment.unix(), 0)
        .unwrap_or_default()
        .format("%a, %d %b %Y %H:%M:%S GMT")
        .to_string()
}

/// Accepts connections that can be cut from inside a handler.
struct CuttableListener(TcpListener);

impl Listener for CuttableListener {
    type Io = CuttableStream;
    type Addr = ConnectionHandle;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            // Without a socket to spare the only remedy is to wait for one to close.
            let Ok((stream, _)) = self.0.accept().await else {
                tokio::time::sleep(ACCEPT_BACKOFF).await;
                continue;
            };
            // Small answers should not wait for more; where the system refuses, they only come
            // later.
            let _ = stream.set_nodelay(true);
            let line = ConnectionHandle::default();
            return (CuttableStream { stream, line: line.clone() }, line);
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(ConnectionHandle::default())
    }
}

/// A handler's hold on its connection.
#[derive(Clone, Debug, Default)]
struct ConnectionHandle(Arc<AtomicBool>);

impl ConnectionHandle {
    /// Lets nothing more out: the next write resets the connection.
    fn cut(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn is_cut(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for ConnectionHandle {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.remote_addr().clone()
    }
}

/// A connection that ends with a reset once its line is cut.
struct CuttableStream {
    stream: TcpStream,
    line: ConnectionHandle,
}

impl CuttableStream {
    fn check(&self) -> io::Result<()> {
        if !self.line.is_cut() {
            return Ok(());
        }
        // Closing without lingering is what sends a reset in place of an orderly end.
        self.stream.set_zero_linger()?;
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

impl AsyncRead for CuttableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
