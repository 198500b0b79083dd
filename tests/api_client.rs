//! The client against a socket: what it sends, and what it makes of every kind of answer.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall stop where it stands")]

use fgarchive::api::{
    CallFailure, Client, ClientSettings, Credentials, Endpoint, Introductions, Meaning,
    PasswordLogin, PlainHttp, ProjectScope, Proxies, Timeouts,
};
use fgarchive::domain::{FunctionUrn, Marker, Page, PageQuery, RequestId, Timestamp};
use fgarchive::error::Step;
use fgarchive::sync::to_failure;
use hmac::{Hmac, KeyInit, Mac};
use pretty_assertions::assert_eq;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const URN: &str = "urn:fss:cn-north-4:0123:function:default:report:!prod";
const NOW: &str = "2024-03-01T12:00:00Z";
const SECRET: &str = "hunter2hunter2";
const PAGE: &str =
    r#"{"invocations":[{"request_id":"a","status":"WAIT"}],"count":1,"next_marker":1}"#;

/// What the server does with a connection once it has read a request.
enum Reply {
    /// Writes these bytes and closes.
    Bytes(Vec<u8>),
    /// Writes these bytes and never closes.
    Stall(Vec<u8>),
    /// Writes these bytes again and again until nobody reads them.
    Endless(Vec<u8>, Vec<u8>),
}

/// A server of a few lines, so that nothing stands between a test and the bytes on the wire.
struct Server {
    base: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, reply) = (Arc::clone(&requests), Arc::new(reply));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (seen, reply) = (Arc::clone(&seen), Arc::clone(&reply));
                tokio::spawn(async move { answer(socket, &seen, &*reply).await });
            }
        });
        Self { base, requests }
    }

    /// A server that always gives one answer.
    async fn answering(status: &str, headers: &str, body: &str) -> Self {
        let bytes = http(status, headers, body.as_bytes());
        Self::start(move |_| Reply::Bytes(bytes.clone())).await
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn answer(
    mut socket: TcpStream,
    seen: &Mutex<Vec<String>>,
    reply: &(dyn Fn(&str) -> Reply + Send + Sync),
) {
    let request = read_request(&mut socket).await;
    seen.lock().unwrap().push(request.clone());
    match reply(&request) {
        Reply::Bytes(bytes) => drop(socket.write_all(&bytes).await),
        Reply::Stall(bytes) => {
            let _ = socket.write_all(&bytes).await;
            // Ends when the client gives up.
            let _ = socket.read(&mut [0; 1]).await;
        }
        Reply::Endless(head, piece) => {
            let _ = socket.write_all(&head).await;
            while socket.write_all(&piece).await.is_ok() {}
        }
    }
}

async fn read_request(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let body = text.split_once("\r\n\r\n").map(|(_, body)| body.len());
        let announced = header(&text, "content-length").map_or(0, |length| length.parse().unwrap());
        if body.is_some_and(|body| body >= announced) {
            return text;
        }
        let mut piece = [0; 4096];
        match socket.read(&mut piece).await {
            Ok(length) if length > 0 => bytes.extend_from_slice(&piece[..length]),
            _ => return text,
        }
    }
}

fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let (head, _) = request.split_once("\r\n\r\n")?;
    let pairs = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    pairs.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
}

fn http(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}Connection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn urn() -> FunctionUrn {
    URN.parse().unwrap()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn endpoint(base: &str) -> Endpoint {
    Endpoint::parse(base, PlainHttp::LoopbackOnly).unwrap()
}

fn keys(security_token: Option<&str>) -> Credentials {
    let security_token = security_token.map(SecretString::from);
    Credentials::Keys {
        access_key: "AK".to_owned(),
        secret_key: SecretString::from(SECRET),
        security_token,
    }
}

fn password(base: &str) -> Credentials {
    Credentials::Password(PasswordLogin {
        auth_url: endpoint(&format!("{base}/v3")),
        username: "user".to_owned(),
        password: SecretString::from(SECRET),
        user_domain_name: "domain".to_owned(),
        project: ProjectScope::Name { name: "cn-north-4".to_owned(), domain: None },
    })
}

fn settings(base: &str, credentials: Credentials) -> ClientSettings {
    ClientSettings {
        functions_base: endpoint(base),
        iam_base: Some(endpoint(base)),
        region: "cn-north-4".to_owned(),
        project_id: None,
        credentials,
        timeouts: Timeouts::default(),
        ca_cert: None,
        authorities: None,
        proxies: Proxies::default(),
        introductions: Introductions::default(),
        user_agent: "fgarchive-test".to_owned(),
        now: Arc::new(|| time(NOW)),
    }
}

fn client(base: &str, credentials: Credentials) -> Client {
    Client::new(settings(base, credentials)).unwrap()
}

fn query() -> PageQuery {
    PageQuery {
        begin: time("2024-03-01T11:00:00Z"),
        end: time(NOW),
        marker: Marker(499),
        limit: 500,
    }
}

async fn list(base: &str) -> Result<Page, CallFailure> {
    client(base, keys(None)).list_invocations(&urn(), &query()).await
}

/// The failure that one kind of answer makes of a listing.
async fn failure_of(status: &str, headers: &str, body: &str) -> CallFailure {
    let server = Server::answering(status, headers, body).await;
    let failure = list(&server.base).await.unwrap_err();
    assert_eq!(server.requests().len(), 1, "a call is one attempt");
    failure
}

/// The signature that a request should carry, from the bytes that arrived.
fn expected_signature(request: &str) -> String {
    let hash = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    let target = request.split(' ').nth(1).unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let authorization = header(request, "authorization").unwrap();
    let names = authorization.split("SignedHeaders=").nth(1).unwrap().split(',').next().unwrap();
    let headers: Vec<_> =
        names.split(';').map(|name| format!("{name}:{}", header(request, name).unwrap())).collect();
    let method = request.split(' ').next().unwrap();
    let canonical = format!(
        "{method}\n{path}/\n{query}\n{}\n\n{names}\n{}",
        headers.join("\n"),
        hash(body.as_bytes())
    );
    let date = header(request, "x-sdk-date").unwrap();
    let text = format!("SDK-HMAC-SHA256\n{date}\n{}", hash(canonical.as_bytes()));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

#[tokio::test]
async fn a_listing_is_asked_as_the_vendors_page_has_it_and_signed_as_sent() {
    let server = Server::answering("200 OK", "Date: Fri, 01 Mar 2024 12:00:07 GMT\r\n", PAGE).await;
    let client = client(&format!("{}/gate", server.base), keys(Some("temporary")));
    let page = client.list_invocations(&urn(), &query()).await.unwrap();
    assert_eq!((page.length(), page.count, page.next_marker), (1, Some(1), Some(Marker(1))));
    assert_eq!(page.served_at, Some(time("2024-03-01T12:00:07Z")));

    let request = server.requests().remove(0);
    let path = "/gate/v2/0123/fgs/functions/urn%3Afss%3Acn-north-4%3A0123%3Afunction%3Adefault%3Areport%3A%21prod/async-invocations";
    let query = "limit=500&marker=499&query_begin_time=2024-03-01T11%3A00%3A00&query_end_time=2024-03-01T12%3A00%3A00";
    assert_eq!(request.lines().next(), Some(&*format!("GET {path}?{query} HTTP/1.1")));
    assert_eq!(header(&request, "content-type"), Some("application/json"));
    assert_eq!(header(&request, "x-sdk-date"), Some("20240301T120000Z"));
    assert_eq!(header(&request, "x-project-id"), Some("0123"));
    assert_eq!(header(&request, "x-security-token"), Some("temporary"));
    assert_eq!(header(&request, "user-agent"), Some("fgarchive-test"));
    let expected = format!(
        "SDK-HMAC-SHA256 Access=AK, SignedHeaders=content-type;host;x-project-id;x-sdk-date;x-security-token, Signature={}",
        expected_signature(&request)
    );
    assert_eq!(header(&request, "authorization"), Some(&*expected));
}

#[tokio::test]
async fn one_invocation_is_asked_by_id_within_a_span() {
    let server = Server::answering("200 OK", "", PAGE).await;
    let client = client(&server.base, Credentials::Token(SecretString::from(SECRET)));
    let id = RequestId::new("a/b c").unwrap();
    client.find_invocation(&urn(), &id, (time("2024-03-01T11:00:00Z"), time(NOW))).await.unwrap();
    let request = server.requests().remove(0);
    let query = "?query_begin_time=2024-03-01T11%3A00%3A00&query_end_time=2024-03-01T12%3A00%3A00&request_id=a%2Fb%20c ";
    assert!(request.contains(query), "{request}");
    assert_eq!(header(&request, "x-auth-token"), Some(SECRET));
    assert_eq!(header(&request, "authorization"), None);
}

#[tokio::test]
async fn an_answer_that_is_no_page_is_broken() {
    let twice = r#"{"invocations":[{"request_id":"a"}],"invocations":[],"count":0}"#;
    let error = r#"{"error_code":"FSS.0500","error_msg":"x"}"#;
    for body in ["<html><body>Please log in</body></html>", "", "[]", error, twice] {
        let failure = failure_of("200 OK", "Content-Type: text/html\r\n", body).await;
        assert_eq!(
            (failure.meaning, failure.status, failure.is_temporary()),
            (Meaning::BrokenAnswer, Some(200), true)
        );
    }
    let failure =
        failure_of("200 OK", "X-Request-Id: r-1\r\n", "<html><body>Please log in</body></html>")
            .await;
    assert_eq!(
        failure.to_string(),
        "cannot list invocations of `default:report:!prod`: the answer is broken (HTTP 200, Please log in, request id r-1)"
    );
}

/// Taken for a page, it would prove a range of time to hold no more than it shows.
#[tokio::test]
async fn a_part_of_an_answer_is_broken() {
    let failure = failure_of("206 Partial Content", "Content-Range: bytes 0-70/90\r\n", PAGE).await;
    assert_eq!((failure.meaning, failure.status), (Meaning::BrokenAnswer, Some(206)));
    assert!(failure.is_temporary());
    assert_eq!(
        failure.cause.unwrap().to_string(),
        "a part of the answer, and nobody asked for a part"
    );
}

#[tokio::test]
async fn a_cut_answer_is_broken() {
    let whole = http("200 OK", "", PAGE.as_bytes());
    let cut = whole[..whole.len() - 1].to_vec();
    let server = Server::start(move |_| Reply::Bytes(cut.clone())).await;
    assert_eq!(list(&server.base).await.unwrap_err().meaning, Meaning::BrokenAnswer);
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"inv".to_vec();
    let server = Server::start(move |_| Reply::Bytes(chunked.clone())).await;
    assert_eq!(list(&server.base).await.unwrap_err().meaning, Meaning::BrokenAnswer);
}

#[tokio::test]
async fn no_answer_is_unreachable() {
    let closing = Server::start(|_| Reply::Bytes(Vec::new())).await;
    assert_eq!(list(&closing.base).await.unwrap_err().meaning, Meaning::Unreachable);

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let failure = list(&base).await.unwrap_err();
    assert_eq!((failure.meaning, failure.status), (Meaning::Unreachable, None));
    assert!(failure.cause.is_some_and(|cause| cause.to_string().starts_with("Connection refused")));
}

#[tokio::test]
async fn an_answer_that_stalls_is_a_timeout() {
    let heads: [&[u8]; 2] = [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"];
    for head in heads {
        let server = Server::start(|_| Reply::Stall(head.to_vec())).await;
        let total = Duration::from_millis(100);
        let timeouts = Timeouts { total, ..Timeouts::default() };
        let client =
            Client::new(ClientSettings { timeouts, ..settings(&server.base, keys(None)) }).unwrap();
        let failure = client.list_invocations(&urn(), &query()).await.unwrap_err();
        assert_eq!((failure.meaning, failure.is_temporary()), (Meaning::Timeout, true));
    }
}

#[tokio::test]
async fn a_refusal_whose_body_stalls_keeps_its_meaning() {
    let head = b"HTTP/1.1 503 Busy\r\nContent-Length: 99\r\nRetry-After: 7\r\n\r\n{".to_vec();
    let server = Server::start(move |_| Reply::Stall(head.clone())).await;
    let timeouts = Timeouts { read: Duration::from_millis(100), ..Timeouts::default() };
    let client =
        Client::new(ClientSettings { timeouts, ..settings(&server.base, keys(None)) }).unwrap();
    let failure = client.list_invocations(&urn(), &query()).await.unwrap_err();
    assert_eq!(failure.meaning, Meaning::Unavailable { retry_after: Some(Duration::from_secs(7)) });
}

#[tokio::test]
async fn a_body_beyond_any_page_is_refused_unread() {
    let announced = b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n".to_vec();
    let server = Server::start(move |_| Reply::Stall(announced.clone())).await;
    assert_eq!(list(&server.base).await.unwrap_err().meaning, Meaning::TooLarge);

    let server =
        Server::start(|_| Reply::Endless(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b' '; 1 << 16]))
            .await;
    let failure = list(&server.base).await.unwrap_err();
    assert_eq!((failure.meaning, failure.is_temporary()), (Meaning::TooLarge, false));
    assert_eq!(failure.cause.unwrap().to_string(), "more than 16777216 bytes");
}

#[tokio::test]
async fn a_small_body_that_unpacks_to_a_large_one_is_refused() {
    let bomb = gzip_of_repeated(b'a', 17 * 1024 * 1024);
    assert!(bomb.len() < 200_000, "{} bytes", bomb.len());
    let bytes = http("200 OK", "Content-Encoding: gzip\r\n", &bomb);
    let server = Server::start(move |_| Reply::Bytes(bytes.clone())).await;
    assert_eq!(list(&server.base).await.unwrap_err().meaning, Meaning::TooLarge);
}

#[tokio::test]
async fn a_compressed_page_is_read() {
    let bytes = http("200 OK", "Content-Encoding: gzip\r\n", &gzip_stored(PAGE.as_bytes()));
    let server = Server::start(move |_| Reply::Bytes(bytes.clone())).await;
    assert_eq!(list(&server.base).await.unwrap().length(), 1);
    assert_eq!(header(&server.requests()[0], "accept-encoding"), Some("gzip"));
}

#[tokio::test]
async fn a_page_is_read_however_it_is_framed() {
    let page = PAGE.as_bytes();
    let (first, second) = page.split_at(9);
    let many = (0..900).map(|at| format!("X-{at}: y\r\n")).collect::<Vec<_>>().concat();
    for (head, body) in [
        ("Content-Encoding: x-gzip\r\n", gzip_stored(page)),
        ("content-encoding: GZIP\r\n", gzip_stored(page)),
        ("Content-Encoding: gzip\r\n", [gzip_stored(first), gzip_stored(second)].concat()),
        ("Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n", gzip_stored(&gzip_stored(page))),
        ("Content-Encoding: identity\r\n", page.to_vec()),
        ("", ["\u{feff}".as_bytes(), page].concat()),
        (&many, page.to_vec()),
    ] {
        let bytes = http("200 OK", head, &body);
        let server = Server::start(move |_| Reply::Bytes(bytes.clone())).await;
        assert_eq!(list(&server.base).await.map(|page| page.length()), Ok(1), "{head}");
    }
}

#[tokio::test]
async fn a_framing_that_is_not_spoken_is_named() {
    let cause = |failure: CallFailure| failure.cause.unwrap().to_string();
    let failure = failure_of("200 OK", "Content-Encoding: br\r\n", PAGE).await;
    assert_eq!(failure.meaning, Meaning::BrokenAnswer);
    assert_eq!(cause(failure), "the answer is encoded as `br`, which was not asked for");
    let upper = SECRET.to_uppercase();
    let server = Server::answering("200 OK", &format!("Content-Encoding: {upper}\r\n"), PAGE).await;
    let shown = client(&server.base, Credentials::Token(SecretString::from(&*upper)));
    let shown = cause(shown.list_invocations(&urn(), &query()).await.unwrap_err());
    assert_eq!(shown, "the answer is encoded as `[REDACTED]`, which was not asked for");
    let bytes = http("200 OK", "Content-Encoding: gzip\r\n", &gzip_stored(PAGE.as_bytes())[..40]);
    let server = Server::start(move |_| Reply::Bytes(bytes.clone())).await;
    let cut = list(&server.base).await.unwrap_err();
    assert_eq!(cut.meaning, Meaning::BrokenAnswer);
    assert!(cause(cut).starts_with("the compressed answer is damaged"));
    let utf16 = |text: &str| {
        [vec![0xff, 0xfe], text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat()
    };
    for status in ["200 OK", "401 Unauthorized"] {
        let bytes = http(status, "", &utf16(&format!(r#"{{"error_msg":"{SECRET}"}}"#)));
        let server = Server::start(move |_| Reply::Bytes(bytes.clone())).await;
        let shown = list(&server.base).await.unwrap_err().to_string();
        assert!(shown.contains("UTF-16") && !shown.contains("h u n"), "{shown}");
    }
    let many = (0..1_100).map(|at| format!("X-{at}: y\r\n")).collect::<Vec<_>>().concat();
    let failure = failure_of("200 OK", &many, PAGE).await;
    assert_eq!((failure.meaning, failure.is_temporary()), (Meaning::TooLarge, false));
    assert_eq!(cause(failure), "more than 1000 headers, or headers too long to read");
}

/// An answer that carries an error is no answer, whatever it was asked.
#[tokio::test]
async fn an_error_in_a_good_answer_is_a_failed_call() {
    let error = r#""error_code":"FSS.0500","error_msg":"x","request_id":"r-9""#;
    let body = format!(r#"{{{error},"invocations":[],"count":0,"functions":[],"projects":[]}}"#);
    let server = Server::answering("200 OK", "", &body).await;
    let client_of = |project_id: Option<&str>| {
        let project_id = project_id.map(str::to_owned);
        Client::new(ClientSettings { project_id, ..settings(&server.base, keys(None)) }).unwrap()
    };
    let client = client_of(Some("0123"));
    for failure in [
        client.list_invocations(&urn(), &query()).await.unwrap_err(),
        client.list_functions(Marker(0)).await.unwrap_err(),
        client.status_log_enabled(&urn()).await.unwrap_err(),
        client_of(None).project_id().await.unwrap_err(),
    ] {
        assert_eq!((failure.meaning, failure.is_temporary()), (Meaning::BrokenAnswer, true));
        assert!(
            failure
                .to_string()
                .ends_with("the answer is broken (HTTP 200, FSS.0500 x, request id r-9)"),
            "{failure}"
        );
    }
    let throttled =
        failure_of("200 OK", "", r#"{"invocations":[],"error_code":"APIG.0308"}"#).await;
    assert_eq!(throttled.meaning, Meaning::Throttled { retry_after: None });
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::answering("200 OK", "", PAGE).await;
    let failure = failure_of("302 Found", &format!("Location: {}/x\r\n", elsewhere.base), "").await;
    assert_eq!((failure.meaning, failure.status), (Meaning::Refused, Some(302)));
    assert_eq!(elsewhere.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn throttling_says_how_long_to_wait() {
    let body = r#"{"error_msg":"The throttling threshold has been reached: policy user over ratelimit,limit:60,time:1 minute","error_code":"APIG.0308","request_id":"r-2"}"#;
    let at =
        "Date: Fri, 01 Mar 2024 10:00:00 GMT\r\nRetry-After: Fri, 01 Mar 2024 10:00:30 GMT\r\n";
    for (headers, wait) in [
        ("", None),
        ("Retry-After: 12\r\n", Some(12)),
        (at, Some(30)),
        ("Retry-After: x\r\n", None),
    ] {
        let failure = failure_of("429 Too Many Requests", headers, body).await;
        assert_eq!(
            failure.meaning,
            Meaning::Throttled { retry_after: wait.map(Duration::from_secs) }
        );
        assert_eq!(
            (failure.code.as_deref(), failure.request_id.as_deref()),
            (Some("APIG.0308"), Some("r-2"))
        );
    }
}

#[tokio::test]
async fn the_bodies_of_the_vendors_page_mean_what_they_say() {
    let unavailable = Meaning::Unavailable { retry_after: None };
    for (status, body, meaning, code) in [
        (
            "401 Unauthorized",
            r#"{"error_code":"APIG.0301","error_msg":"x"}"#,
            Meaning::Denied,
            "APIG.0301",
        ),
        (
            "403 FORBIDDEN",
            r#"{"error_code":"FSS.0403","error_msg":"invalid token"}"#,
            Meaning::Denied,
            "FSS.0403",
        ),
        (
            "404 Not Found",
            r#"{"error_code":"FSS.0404","error_msg":"can not find function"}"#,
            Meaning::NotFound,
            "FSS.0404",
        ),
        ("500 Error", r#"{"error_code":"FSS.0500","error_msg":"xxx"}"#, unavailable, "FSS.0500"),
    ] {
        let failure = failure_of(status, "x-request-ID: r-3\r\n", body).await;
        assert_eq!((failure.meaning, failure.code.as_deref()), (meaning, Some(code)), "{status}");
        assert_eq!(failure.request_id.as_deref(), Some("r-3"));
        assert!(to_failure(failure).hint.is_some());
    }
}

#[tokio::test]
async fn a_refused_signature_mentions_a_wrong_clock() {
    let body = r#"{"error_code":"APIG.0301","error_msg":"x"}"#;
    let cause = |failure: CallFailure| failure.cause.map(|cause| cause.to_string());
    let late =
        failure_of("401 Unauthorized", "Date: Fri, 01 Mar 2024 12:20:00 GMT\r\n", body).await;
    assert_eq!(cause(late).as_deref(), Some("this machine's clock is 1200 s behind the service's"));
    let right =
        failure_of("401 Unauthorized", "Date: Fri, 01 Mar 2024 12:01:00 GMT\r\n", body).await;
    assert_eq!(cause(right), None);
}

#[tokio::test]
async fn a_secret_that_the_service_echoes_is_not_shown() {
    let echo = format!(r#"{{"error_code":"APIG.0301","error_msg":"bad token {SECRET}"}}"#);
    // A password goes out once, before the listing that answers 200 here.
    for (status, kinds) in [("401 Unauthorized", 3), ("200 OK", 2)] {
        let server = Server::answering(status, "", &echo).await;
        let all = [
            keys(Some(SECRET)),
            Credentials::Token(SecretString::from(SECRET)),
            password(&server.base),
        ];
        for credentials in all.into_iter().take(kinds) {
            let failure = client(&server.base, credentials)
                .list_invocations(&urn(), &query())
                .await
                .unwrap_err();
            let shown = format!("{failure} {failure:?}");
            assert!(shown.contains("bad token [REDACTED]") && !shown.contains(SECRET), "{shown}");
        }
    }
}

/// A secret with everything in it that a spelling changes.
const ODD_SECRET: &str = "pass\"w\\örd/ &<+%>é";

/// A secret of visible letters as services write it, by their ways.
fn spelled(secret: &str) -> Vec<String> {
    let bytes = |write: fn(u8) -> String| secret.bytes().map(write).collect::<String>();
    let json = serde_json::to_string(secret).unwrap();
    let json = json[1..json.len() - 1].to_owned();
    let units =
        secret.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>().concat();
    let entities = secret
        .chars()
        .map(|letter| format!("&#{};", u32::from(letter)))
        .collect::<Vec<_>>()
        .concat();
    vec![
        json.clone(),
        json.replace('/', "\\/"),
        units,
        bytes(|byte| format!("%{byte:02X}")),
        bytes(|byte| format!("%{byte:02x}")),
        entities,
    ]
}

/// However a secret comes back in a refusal, be it in a header or in any form of body, nothing of
/// it is shown.
#[tokio::test]
async fn no_spelling_of_a_secret_is_shown_of_a_refusal() {
    for spelling in spelled(SECRET).into_iter().chain([SECRET.to_owned()]) {
        for header in ["X-Request-Id", "X-IAM-Trace-Id", "Location"] {
            let head = format!("{header}: id-{spelling}\r\n");
            let bodies = [
                format!(
                    r#"{{"error_code":"APIG.0301","error_msg":"bad {spelling}","request_id":"{spelling}"}}"#
                ),
                format!(
                    r#"{{"error":{{"code":"{spelling}","message":"{}{spelling}"}}}}"#,
                    "x".repeat(290)
                ),
                format!("<html><body>bad {spelling}</body></html>"),
                format!("{}{spelling}", " ".repeat(64 * 1024 - 9)),
            ];
            for body in bodies {
                for status in ["401 Unauthorized", "302 Found", "500 Error", "200 OK"] {
                    let server = Server::answering(status, &head, &body).await;
                    for credentials in [keys(None), Credentials::Token(SecretString::from(SECRET))]
                    {
                        let failure = client(&server.base, credentials)
                            .list_invocations(&urn(), &query())
                            .await;
                        let shown = format!("{0} {0:?}", failure.unwrap_err());
                        let is_clean = !shown.contains("hunter2") && !shown.contains(&*spelling);
                        assert!(
                            is_clean && !shown.contains("u0068"),
                            "{status} {head} {body}: {shown}"
                        );
                    }
                }
            }
        }
    }
}

/// A password may hold what JSON escapes and what is no ASCII.
#[tokio::test]
async fn a_password_of_any_letters_is_not_shown_of_a_refusal() {
    for spelling in spelled(ODD_SECRET) {
        let body = format!(r#"{{"error":{{"code":401,"message":"wrong: {spelling}"}}}}"#);
        let server = Server::answering("401 Unauthorized", "", &body).await;
        let Credentials::Password(login) = password(&server.base) else { panic!("no password") };
        let login = PasswordLogin { password: SecretString::from(ODD_SECRET), ..login };
        let failure =
            client(&server.base, Credentials::Password(login)).project_id().await.unwrap_err();
        assert_eq!(failure.message.as_deref(), Some("wrong: [REDACTED]"), "{spelling}");
    }
}

/// What is archived of a record that shows a secret has the mark in its place, and nothing else
/// changes.
#[tokio::test]
async fn a_record_that_shows_a_secret_is_taken_without_it() {
    for spelling in spelled(SECRET).into_iter().chain([SECRET.to_owned()]) {
        let body = format!(
            r#"{{"invocations":[{{"request_id":"a","status":"FAIL","error_code":"{spelling}","error_message":"1\"2 {spelling} \u0033","start_time":"{spelling}","new":["{spelling}",1]}},"{spelling}",{{"request_id":"b","status":"SUCCESS","error_message":"as it was\n"}}],"count":3}}"#
        );
        let server = Server::answering("200 OK", "", &body).await;
        let page = list(&server.base).await.unwrap();
        let shown = format!("{page:?}");
        assert!(!shown.contains("hunter2") && !shown.contains(&*spelling), "{shown}");
        let record = &page.records[0];
        assert_eq!(record.error_message.as_deref(), Some("1\"2 [REDACTED] 3"));
        assert_eq!(record.extra.as_deref(), Some(r#"{"new":["[REDACTED]",1]}"#));
        assert_eq!(page.rejects[0].raw, "\"[REDACTED]\"");
        assert_eq!(
            (page.records[1].error_message.as_deref(), page.count),
            (Some("as it was\n"), Some(3))
        );
    }
}

/// Covered, two ids could be one; and with another secret the same record would have another id.
#[tokio::test]
async fn a_record_whose_id_shows_a_secret_is_kept_aside() {
    let entry = |id: &str| {
        format!(r#"{{"request_id":"{id}","status":"SUCCESS","start_time":"2026-03-01T10:00:00"}}"#)
    };
    let ids = [
        SECRET.to_owned(),
        format!("a-{SECRET}"),
        "other".to_owned(),
        hex::encode(SECRET),
        SECRET.to_owned(),
    ];
    let entries: Vec<String> = ids.iter().map(|id| entry(id)).collect();
    let body = format!(r#"{{"invocations":[{}],"count":5}}"#, entries.join(","));
    let server = Server::answering("200 OK", "", &body).await;
    let page = list(&server.base).await.unwrap();
    assert_eq!(
        page.records.iter().map(|record| record.request_id.as_str()).collect::<Vec<_>>(),
        ["other"]
    );
    let raws: Vec<&str> = page.rejects.iter().map(|reject| reject.raw.as_str()).collect();
    let covered = "[REDACTED] SUCCESS 2026-03-01T10:00:00Z";
    assert_eq!(raws, [covered, &format!("a-{covered}"), covered, covered]);
    let distinct: std::collections::HashSet<_> = page.keys.iter().collect();
    assert_eq!((page.keys.len(), distinct.len()), (5, 5), "none stands for another");
}

/// Tokens that were issued stay secret, the first one after it was renewed as well.
#[tokio::test]
async fn an_issued_token_is_not_shown_of_any_later_answer() {
    let fetched = Mutex::new(0);
    let echo = r#"{"invocations":[{"request_id":"a","error_message":"issued-token-1 issued-\u0074oken-2"}]}"#;
    let server = Server::start(move |request| {
        Reply::Bytes(if request.starts_with("POST") {
            let mut fetched = fetched.lock().unwrap();
            *fetched += 1;
            let project = format!(r#"{{"token":{{"project":{{"id":"issued-token-{fetched}"}}}}}}"#);
            http(
                "201 Created",
                &format!("X-Subject-Token: issued-token-{fetched}\r\n"),
                project.as_bytes(),
            )
        } else if header(request, "x-auth-token") == Some("issued-token-1") {
            http("401 Unauthorized", "X-Request-Id: issued-token-1\r\n", b"")
        } else {
            http("200 OK", "", echo.as_bytes())
        })
    })
    .await;
    let client = client(&server.base, password(&server.base));
    let failure = client.list_invocations(&urn(), &query()).await.unwrap_err();
    assert_eq!(failure.request_id.as_deref(), Some("[REDACTED]"));
    assert!(client.renew().await.unwrap());
    let page = client.list_invocations(&urn(), &query()).await.unwrap();
    assert_eq!(page.records[0].error_message.as_deref(), Some("[REDACTED] [REDACTED]"));
    assert_eq!(client.project_id().await.as_deref(), Ok("[REDACTED]"));
}

/// A function whose name is a secret is not asked for, and shown without it.
#[tokio::test]
async fn a_function_named_like_a_secret_is_unreadable() {
    let body = format!(
        r#"{{"functions":[{{"func_urn":"urn:fss:r:p:function:default:{SECRET}"}}],"count":1}}"#
    );
    let server = Server::answering("200 OK", "", &body).await;
    let settings = ClientSettings {
        project_id: Some("0123".to_owned()),
        ..settings(&server.base, keys(None))
    };
    let page = Client::new(settings).unwrap().list_functions(Marker(0)).await.unwrap();
    assert_eq!(
        (page.functions.len(), page.unreadable, page.rejects[0].raw.as_str()),
        (0, 1, "urn:fss:r:p:function:default:[REDACTED]")
    );
}

#[tokio::test]
async fn a_password_fetches_one_token_for_all_calls() {
    let server = Server::start(|request| {
        Reply::Bytes(if request.starts_with("POST /v3/auth/tokens ") {
            http(
                "201 Created",
                "X-Subject-Token: t-1\r\n",
                br#"{"token":{"project":{"id":"0123"}}}"#,
            )
        } else {
            http("200 OK", "", PAGE.as_bytes())
        })
    })
    .await;
    let client = client(&server.base, password(&server.base));
    let (urn, query) = (urn(), query());
    let (first, second, project) = tokio::join!(
        client.list_invocations(&urn, &query),
        client.list_invocations(&urn, &query),
        client.project_id()
    );
    assert_eq!(
        (first.unwrap().length(), second.unwrap().length(), project.unwrap()),
        (1, 1, "0123".to_owned())
    );
    let (posts, gets): (Vec<_>, Vec<_>) =
        server.requests().into_iter().partition(|request| request.starts_with("POST"));
    assert_eq!((posts.len(), gets.len()), (1, 2));
    assert!(gets.iter().all(|request| header(request, "x-auth-token") == Some("t-1")));
    assert_eq!(header(&posts[0], "authorization"), None);
}

#[tokio::test]
async fn a_token_that_expires_is_renewed_once_for_all_who_saw_it() {
    let fetched = Mutex::new(0);
    let server = Server::start(move |request| {
        Reply::Bytes(if request.starts_with("POST") {
            let mut fetched = fetched.lock().unwrap();
            *fetched += 1;
            http("201 Created", &format!("X-Subject-Token: t-{fetched}\r\n"), b"{}")
        } else if header(request, "x-auth-token") == Some("t-1") {
            http(
                "401 Unauthorized",
                "",
                br#"{"error_code":"APIG.0307","error_msg":"The token must be updated"}"#,
            )
        } else {
            http("200 OK", "", PAGE.as_bytes())
        })
    })
    .await;
    let client = client(&server.base, password(&server.base));
    let (urn, query) = (urn(), query());
    let (first, second) =
        tokio::join!(client.list_invocations(&urn, &query), client.list_invocations(&urn, &query));
    for failure in [first.unwrap_err(), second.unwrap_err()] {
        assert_eq!((failure.meaning, failure.is_denied()), (Meaning::TokenExpired, true));
    }
    let (first, second) = tokio::join!(client.renew(), client.renew());
    assert!(first.unwrap() && second.unwrap());
    assert_eq!(client.list_invocations(&urn, &query).await.unwrap().length(), 1);
    assert_eq!(server.requests().iter().filter(|request| request.starts_with("POST")).count(), 2);
}

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    let body = r#"{"error":{"code":401,"message":"The username or password is wrong.","title":"Unauthorized"}}"#;
    let server = Server::answering("401 Unauthorized", "X-IAM-Trace-Id: trace\r\n", body).await;
    let client = client(&server.base, password(&server.base));
    let (urn, query) = (urn(), query());
    let (first, second) =
        tokio::join!(client.list_invocations(&urn, &query), client.list_invocations(&urn, &query));
    let failure = first.unwrap_err();
    assert_eq!(second.unwrap_err(), failure);
    assert!(failure.is_denied() && client.renew().await.is_err());
    assert_eq!(
        (failure.meaning, failure.request_id.as_deref()),
        (Meaning::LoginRefused, Some("trace"))
    );
    let said = failure.to_string();
    assert!(
        said.starts_with("cannot fetch a token for the user `user`: access is refused (HTTP 401, "),
        "{said}"
    );
    assert_eq!(to_failure(failure).hint, Some(Step::CorrectLogin.into()));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn without_a_password_there_is_nothing_to_renew() {
    let base = "http://127.0.0.1:9";
    for credentials in [keys(None), Credentials::Token(SecretString::from(SECRET))] {
        assert_eq!(client(base, credentials).renew().await, Ok(false));
    }
}

#[tokio::test]
async fn a_project_is_looked_up_by_region_and_must_be_the_only_one() {
    let one =
        Server::answering("200 OK", "", r#"{"projects":[{"id":"p1","name":"cn-north-4"}]}"#).await;
    let client_of_one = client(&one.base, keys(None));
    assert_eq!(client_of_one.project_id().await.as_deref(), Ok("p1"));
    assert_eq!(client_of_one.project_id().await.as_deref(), Ok("p1"));
    let request = one.requests().remove(0);
    assert_eq!(
        (request.lines().next(), one.requests().len()),
        (Some("GET /v3/projects?name=cn-north-4 HTTP/1.1"), 1)
    );
    assert_eq!(header(&request, "x-project-id"), None);
    assert!(header(&request, "authorization").unwrap().ends_with(&expected_signature(&request)));

    for body in [
        r#"{"projects":[]}"#,
        r#"{"projects":[{"id":"p1"},{"id":"p2"}]}"#,
        r#"{"projects":[{"id":"p1","name":"cn-north-4_shop"}]}"#,
        r#"{"projects":[{"id":"p1","name":"cn-north-4","enabled":false}]}"#,
    ] {
        let server = Server::answering("200 OK", "", body).await;
        let failure = client(&server.base, keys(None)).project_id().await.unwrap_err();
        assert_eq!((failure.meaning, failure.is_temporary()), (Meaning::UnknownProject, false));
        assert_eq!(to_failure(failure).hint, Some(Step::NameProject.into()));
    }
}

/// A list without an end, in which the project that is meant never comes.
#[tokio::test]
async fn a_list_of_projects_that_is_not_followed_to_its_end_is_told() {
    let asked = AtomicUsize::new(0);
    let server = Server::start(move |_| {
        let number = asked.fetch_add(1, Ordering::SeqCst);
        let body = format!(
            r#"{{"projects":[{{"id":"p{number}","name":"cn-north-4_x"}}],
                "links":{{"next":"/v3/projects?marker=p{number}"}}}}"#
        );
        Reply::Bytes(http("200 OK", "", body.as_bytes()))
    })
    .await;
    let failure = client(&server.base, keys(None)).project_id().await.unwrap_err();
    let cause = failure.cause.unwrap().to_string();
    assert!(cause.contains("goes on after 20 pages with 20 of them"), "{cause}");
    assert_eq!(server.requests().len(), 20);
}

/// IAM divides a long list; its address for the next page may name any host.
#[tokio::test]
async fn a_list_of_projects_is_followed_and_stays_with_the_iam_that_was_named() {
    let server = Server::start(|request| {
        let body = if request.contains("marker=p1") {
            r#"{"projects":[{"id":"p2","name":"cn-north-4"}],"links":{"next":null}}"#
        } else {
            r#"{"projects":[{"id":"p1","name":"cn-north-4_shop"}],
                "links":{"next":"https://elsewhere.example/other?name=cn-north-4&marker=p1"}}"#
        };
        Reply::Bytes(http("200 OK", "", body.as_bytes()))
    })
    .await;
    assert_eq!(client(&server.base, keys(None)).project_id().await.as_deref(), Ok("p2"));
    let asked: Vec<String> = server.requests();
    let asked: Vec<Option<&str>> = asked.iter().map(|request| request.lines().next()).collect();
    let second = Some("GET /v3/projects?marker=p1&name=cn-north-4 HTTP/1.1");
    assert_eq!(asked, [Some("GET /v3/projects?name=cn-north-4 HTTP/1.1"), second]);

    // One that points at itself ends.
    let body = r#"{"projects":[{"id":"p1","name":"x"}],"links":{"next":"https://a.example/?m=1"}}"#;
    let endless = Server::answering("200 OK", "", body).await;
    assert!(client(&endless.base, keys(None)).project_id().await.is_err());
    assert_eq!(endless.requests().len(), 2);
}

/// Which form a service knows is not documented: it is asked as the URN was given.
#[tokio::test]
async fn a_function_is_asked_in_the_form_in_which_it_was_given() {
    let short = "urn:fss:cn-north-4:0123:function:default:report";
    for (given, sent) in [(short.to_owned(), ""), (format!("{short}:latest"), "%3Alatest")] {
        let server = Server::answering("200 OK", "", PAGE).await;
        let urn: FunctionUrn = given.parse().unwrap();
        client(&server.base, keys(None)).list_invocations(&urn, &query()).await.unwrap();
        let path = format!("{}{sent}/async-invocations?", short.replace(':', "%3A"));
        assert!(server.requests()[0].contains(&path), "{}", server.requests()[0]);
    }
}

#[tokio::test]
async fn functions_are_listed_by_the_page() {
    let body =
        format!(r#"{{"functions":[{{"func_urn":"{URN}"}},{{}}],"count":2,"next_marker":2}}"#);
    let server = Server::answering("200 OK", "", &body).await;
    let settings = ClientSettings {
        project_id: Some("0123".to_owned()),
        ..settings(&server.base, keys(None))
    };
    let page = Client::new(settings).unwrap().list_functions(Marker(0)).await.unwrap();
    assert_eq!(
        (page.functions, page.unreadable, page.rejects[0].raw.as_str()),
        (vec![urn()], 1, "{}")
    );
    assert!(
        server.requests()[0]
            .starts_with("GET /v2/0123/fgs/functions?marker=0&maxitems=400 HTTP/1.1\r\n")
    );
}

#[tokio::test]
async fn a_configuration_that_is_not_there_is_not_found() {
    let not_found = r#"{"error_code":"FSS.0404","error_msg":"not found"}"#;
    for (status, body, expected) in [
        ("200 OK", r#"{"enable_async_status_log":true}"#, Ok(Some(true))),
        ("200 OK", r#"{"enable_async_status_log":false}"#, Ok(Some(false))),
        ("200 OK", "{}", Ok(None)),
        ("404 Not Found", not_found, Err(Meaning::NotFound)),
        // That there is no such function says nothing of its configuration.
        ("404 Not Found", r#"{"error_code":"FSS.1051"}"#, Err(Meaning::Refused)),
        ("403 Forbidden", "{}", Err(Meaning::Forbidden)),
    ] {
        let server = Server::answering(status, "", body).await;
        let answer = client(&server.base, keys(None)).status_log_enabled(&urn()).await;
        assert_eq!(answer.map_err(|failure| failure.meaning), expected, "{status} {body}");
        assert!(server.requests()[0].contains("/async-invoke-config HTTP/1.1\r\n"));
    }
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_before_anything_is_sent() {
    let settings_of = |base: &str| settings(base, keys(None));
    let ca_cert = Some(b"no certificate".to_vec());
    let failure = Client::new(ClientSettings { ca_cert, ..settings_of("https://127.0.0.1:9") })
        .err()
        .unwrap();
    assert_eq!(failure.meaning, Meaning::Misconfigured);
    assert_eq!(
        failure.cause.unwrap().to_string(),
        "the file of extra certificates holds none in PEM form"
    );

    let server = Server::answering("200 OK", "", PAGE).await;
    let token = Credentials::Token(SecretString::from("hunter2\nX-Evil: 1"));
    let failure = client(&server.base, token).list_invocations(&urn(), &query()).await.unwrap_err();
    assert_eq!(failure.meaning, Meaning::Misconfigured);
    assert!(!format!("{failure} {failure:?}").contains("hunter2"));
    let climbing: FunctionUrn = "urn:fss:r:..:function:default:a".parse().unwrap();
    let failure =
        client(&server.base, keys(None)).list_invocations(&climbing, &query()).await.unwrap_err();
    assert_eq!((failure.meaning, server.requests().len()), (Meaning::UnknownProject, 0));
}

/// Eight bytes of head, ten in all, that say "deflate" and nothing else (RFC 1952).
const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// A gzip file that holds the bytes as they are.
fn gzip_stored(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    let crc = !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
        })
    });
    let block = [&[1][..], &length.to_le_bytes(), &(!length).to_le_bytes(), bytes].concat();
    [&GZIP_HEAD[..], &block, &crc.to_le_bytes(), &u32::from(length).to_le_bytes()].concat()
}

/// A gzip file that unpacks to one byte many times: one literal, then copies of 258 (RFC 1951,
/// 3.2.6).
fn gzip_of_repeated(byte: u8, times: usize) -> Vec<u8> {
    let mut bits: Vec<bool> = vec![true, true, false];
    let mut code =
        |value: u32, length: u32| bits.extend((0..length).rev().map(|at| value >> at & 1 == 1));
    code(0x30 + u32::from(byte), 8);
    for _ in 0..times / 258 {
        code(0b1100_0101, 8); // Length 258.
        code(0, 5); // One byte back.
    }
    code(0, 7);
    let pack = |bits: &[bool]| {
        bits.iter().enumerate().fold(0_u8, |byte, (at, bit)| byte | u8::from(*bit) << at)
    };
    let packed: Vec<u8> = bits.chunks(8).map(pack).collect();
    // The reader gives up long before it could check the sum and the length.
    [&GZIP_HEAD[..], &packed, &[0; 8]].concat()
}

/// A secret is covered to its end however deep it is spelled, wherever it is folded, on a page of
/// any length.
#[tokio::test]
async fn neither_depth_nor_folds_nor_length_show_a_secret() {
    let json = |text: &str| serde_json::to_string(text).unwrap();
    let quoted = |text: &str| json(text)[1..json(text).len() - 1].to_owned();
    let percent =
        |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat();
    let folded = |fold: &str| {
        SECRET.as_bytes().chunks(5).map(String::from_utf8_lossy).collect::<Vec<_>>().join(fold)
    };
    let units = spelled(SECRET)[2].clone();
    let said = [
        quoted(&quoted(&quoted(&units))),
        percent(&percent(&percent(&percent(SECRET)))),
        quoted(&percent(&quoted(&units))),
        folded("\r\n "),
        folded(" "),
        folded("<br>\n"),
        folded("\u{200b}"),
        folded("\u{ad}"),
        quoted(&percent(&folded("<wbr>"))),
        SECRET.bytes().map(|byte| format!("&#{byte}")).collect::<Vec<_>>().concat(),
        SECRET.bytes().map(|byte| format!("&#{byte:015};")).collect::<Vec<_>>().concat(),
    ];
    for said in said {
        for records in [1, 600] {
            let record = |at: usize| serde_json::json!({ "request_id": format!("id-{at:030}"), "error_message": "a\nb" });
            let mut page: Vec<_> = (0..records).map(record).collect();
            page.push(serde_json::json!({ "request_id": "told", "error_message": format!("said ({said})") }));
            let count = page.len();
            let body = serde_json::json!({ "invocations": page, "count": count }).to_string();
            let server = Server::answering("200 OK", "", &body).await;
            let page = list(&server.base).await.unwrap();
            let last = page.records.last().unwrap();
            assert_eq!(
                last.error_message.as_deref(),
                Some("said ([REDACTED])"),
                "{said} {records}"
            );
            assert_eq!(page.records[0].error_message.as_deref(), Some("a\nb"));
        }
        let server = Server::answering(
            "403 Forbidden",
            "",
            &format!("<html><body>denied ({said})</body></html>"),
        )
        .await;
        let failure = list(&server.base).await.unwrap_err();
        assert_eq!(failure.message.as_deref(), Some("denied ([REDACTED])"), "{said}");
    }
}

/// What is shown side by side holds no secret either, wherever the service divides it.
#[tokio::test]
async fn a_secret_divided_between_fields_is_not_shown() {
    for (first, second) in [(0, 5), (5, 10), (3, 8), (10, 10), (5, 14), (8, 14)] {
        let [code, words, id] = [&SECRET[..first], &SECRET[first..second], &SECRET[second..]];
        for status in ["401 Unauthorized", "500 Error", "200 OK"] {
            let body = format!(r#"{{"error_code":"{code}","error_msg":"{words}"}}"#);
            let failure = failure_of(status, &format!("X-Request-Id: {id}\r\n"), &body).await;
            let shown = [failure.code, failure.message, failure.request_id];
            let shown: String = shown.into_iter().flatten().map(String::from).collect();
            assert!(
                !shown.contains("hunt") && !shown.contains("ter2"),
                "{first} {second} {status}: {shown}"
            );
        }
    }
}

/// A secret that is an ordinary word is covered in words alone: it turns no two records into one,
/// and hides no function.
#[tokio::test]
async fn a_secret_that_is_an_ordinary_word_changes_no_record() {
    let urn = "urn:fss:cn-north-4:p:function:default:report";
    let record = r#"{"request_id":"aaaaaaaa-1234-cafe","status":"SUCCESS","error_code":1234,"error_message":"not 1234","start_time":"2026-11-21T17:23:28"}"#;
    let body =
        format!(r#"{{"invocations":[{record}],"functions":[{{"func_urn":"{urn}"}}],"count":1}}"#);
    let plain = list(&Server::answering("200 OK", "", &body).await.base).await.unwrap();
    for secret in [
        "1234",
        "2026",
        "cafe",
        "default",
        "function",
        "cn-north-4",
        "2026-11-21",
        "SUCCESS",
        "report",
    ] {
        let server = Server::answering("200 OK", "", &body).await;
        let token = Credentials::Token(SecretString::from(secret));
        let page = client(&server.base, token.clone())
            .list_invocations(&self::urn(), &query())
            .await
            .unwrap();
        let is_told = secret == "1234";
        let words = if is_told { "not [REDACTED]" } else { "not 1234" };
        assert_eq!(page.records[0].error_message.as_deref(), Some(words), "{secret}");
        let unnoticed = fgarchive::domain::Invocation {
            error_message: Some("not 1234".into()),
            ..page.records[0].clone()
        };
        assert_eq!((&unnoticed, page.count), (&plain.records[0], Some(1)), "{secret}");
        let settings = ClientSettings {
            project_id: Some("p".to_owned()),
            ..settings(&server.base, token.clone())
        };
        let functions = Client::new(settings).unwrap().list_functions(Marker(0)).await.unwrap();
        assert_eq!((functions.functions.len(), functions.unreadable), (1, 0), "{secret}");
        assert_eq!(token.ordinary_secrets(), ["the token"]);
    }
    let hidden = Credentials::Token(SecretString::from("hunter2hunter2"));
    assert!(hidden.ordinary_secrets().is_empty());
}

/// What a refusal means is told before its words are covered.
#[tokio::test]
async fn a_secret_that_is_a_word_of_a_refusal_changes_no_meaning() {
    let body = r#"{"error_code":"FSS.0403","error_msg":"invalid token"}"#;
    for secret in ["token", "invalid", "0403", "FSS.0403"] {
        let server = Server::answering("403 Forbidden", "", body).await;
        let token = Credentials::Token(SecretString::from(secret));
        let failure =
            client(&server.base, token).list_invocations(&urn(), &query()).await.unwrap_err();
        assert_eq!(failure.meaning, Meaning::TokenExpired, "{secret}");
    }
}
