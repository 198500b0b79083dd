//! The stand-in cloud over its socket: what is served is the world, and what goes wrong really
//! does.
#![cfg(feature = "emulator")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends where something is not as it should be"
)]

use fgarchive::domain::Timestamp;
use fgarchive::emulator::*;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The world's end: 2026-03-01T12:00:00Z.
const ANCHOR: i64 = 1_772_366_400;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(ANCHOR + seconds)
}

fn spec() -> WorldSpec {
    WorldSpec { records: 2_000, span: 6 * 3_600, ..WorldSpec::new(at(0)) }
}

/// A running emulator whose clock a test can set.
struct Cloud {
    emulator: Emulator,
    address: SocketAddr,
    clock: Arc<AtomicI64>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

/// An answer, read to its end.
#[derive(Debug)]
struct Reply {
    status: u16,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

impl Cloud {
    async fn start(spec: WorldSpec, readings: Readings, faults: Faults) -> Self {
        let clock = Arc::new(AtomicI64::new(ANCHOR + 86_400));
        let seconds = Arc::clone(&clock);
        let now = move || Timestamp::from_unix(seconds.load(Ordering::SeqCst));
        let emulator = Emulator::new(World::new(spec).unwrap(), readings, faults, now);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let service = serve(listener, emulator.clone(), async { drop(stopped.await) });
        Self { emulator, address, clock, stop, task: tokio::spawn(service) }
    }

    async fn with(fault: Fault) -> Self {
        Self::start(spec(), Readings::default(), Faults::rule(fault.into())).await
    }

    async fn send(&self, request: &str) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.write_all(request.as_bytes()).await?;
        Ok(stream)
    }

    async fn ask(&self, request: &str) -> io::Result<Reply> {
        let mut bytes = Vec::new();
        self.send(request).await?.read_to_end(&mut bytes).await?;
        Ok(parse(&bytes))
    }

    async fn get(&self, target: &str) -> io::Result<Reply> {
        self.ask(&get(target, TOKEN)).await
    }

    async fn list(&self, query: &str) -> io::Result<Reply> {
        self.get(&format!("{}?{query}", listing(0, self))).await
    }

    /// Sends a request that leaves the connection open, as the vendor's clients do, and reads the
    /// one answer.
    async fn replay(&self, request: &str) -> Reply {
        let (mut stream, mut bytes, mut piece) =
            (self.send(request).await.unwrap(), Vec::new(), [0; 4_096]);
        loop {
            let read = stream.read(&mut piece).await.unwrap();
            assert!(read > 0, "the connection ended early: {}", String::from_utf8_lossy(&bytes));
            bytes.extend_from_slice(&piece[..read]);
            if bytes.windows(4).any(|four| four == b"\r\n\r\n") {
                let reply = parse(&bytes);
                let length =
                    reply.header("content-length").expect("a length").parse::<usize>().unwrap();
                if reply.body.len() >= length {
                    return reply;
                }
            }
        }
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}

fn get(target: &str, token: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: {token}\r\nConnection: close\r\n\r\n"
    )
}

fn listing(function: usize, cloud: &Cloud) -> String {
    let urn = cloud.emulator.world().functions()[function].urn();
    format!("/v2/{PROJECT_ID}/fgs/functions/{urn}/async-invocations")
}

/// All of the world: every record of the span, and of the second after.
fn everything() -> String {
    format!(
        "limit=500&query_begin_time={}&query_end_time={}",
        at(-86_400).to_wire(),
        at(0).to_wire()
    )
}

fn parse(bytes: &[u8]) -> Reply {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("the end of the head");
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let pairs = lines.map(|line| line.split_once(": ").unwrap());
    let headers =
        pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    Reply { status, headers, body: bytes[end + 4..].to_vec() }
}

fn error(code: &str, message: &str) -> Value {
    json!({ "error_code": code, "error_msg": message })
}

#[tokio::test]
async fn every_function_and_record_of_the_world_is_served() {
    let cloud = Cloud::start(spec(), Readings::default(), Faults::none()).await;
    let functions =
        cloud.get(&format!("/v2/{PROJECT_ID}/fgs/functions?maxitems=2")).await.unwrap().json();
    assert_eq!((&functions["count"], &functions["next_marker"]), (&json!(3), &json!(2)));
    assert_eq!(functions["functions"].as_array().unwrap().len(), 2);
    let world = cloud.emulator.world();
    for (function, found) in world.functions().iter().enumerate() {
        let mut served = Vec::new();
        loop {
            let query = format!("{}&marker={}", everything(), served.len());
            let page =
                cloud.get(&format!("{}?{query}", listing(function, &cloud))).await.unwrap().json();
            assert_eq!(page["count"], json!(found.records()));
            let records = page["invocations"].as_array().unwrap().clone();
            if records.is_empty() {
                break;
            }
            served.extend(records);
        }
        let expected: Vec<Value> =
            world.shown(function, cloud.emulator.now()).map(|shown| record_of(&shown)).collect();
        assert_eq!(served, expected);
    }
    let asked = cloud.emulator.journal();
    assert_eq!(asked.requests(RouteName::Functions), 1);
    assert_eq!(asked.records(), 2_000);
    assert_eq!(asked.total(), 1 + asked.listings().len() as u64);
    cloud.stop().await;
}

/// A finished record as the default reading writes it.
fn record_of(shown: &Shown) -> Value {
    json!({
        "request_id": shown.id.to_string(),
        "status": shown.phase.as_str(),
        "error_message": shown.failure.map_or(String::new(), |failure| failure.to_string()),
        "error_code": shown.failure.map_or(0, Failure::code),
        "start_time": shown.start.to_wire(),
        "end_time": shown.end.map_or(String::new(), Timestamp::to_wire),
    })
}

#[tokio::test]
async fn a_function_goes_by_all_its_names() {
    let cloud = Cloud::start(spec(), Readings::default(), Faults::none()).await;
    let full = cloud.emulator.world().functions()[0].urn().to_string();
    let path = |name: &str| {
        format!("/v2/{PROJECT_ID}/fgs/functions/{name}/async-invocations?{}", everything())
    };
    let expected = cloud.get(&path(&full)).await.unwrap().body;
    for name in [
        full.replace(':', "%3A"),
        format!("{full}:latest"),
        "order-export".into(),
        "default:order-export".into(),
    ] {
        assert_eq!(cloud.get(&path(&name)).await.unwrap().body, expected, "{name}");
    }
    cloud.stop().await;
}

#[tokio::test]
async fn the_documented_errors_are_served() {
    let cloud =
        Cloud::start(WorldSpec { unlogged: 1, ..spec() }, Readings::default(), Faults::none())
            .await;
    let path = |project: &str, rest: &str| format!("/v2/{project}/fgs/functions{rest}");
    let here = |rest: &str| path(PROJECT_ID, rest);
    let unlogged = cloud.emulator.world().functions()[2].urn().to_string();
    for (target, status, body) in [
        (path("other", ""), 403, error("FSS.0403", "invalid token")),
        (here("/nothing/async-invocations"), 404, error("FSS.0404", "can not find function")),
        (
            here("/order-export:3/async-invocations"),
            404,
            error("FSS.0404", "can not find function"),
        ),
        (here("/a:b:c:d/async-invocations"), 400, error("FSS.1309", "invalid function urn")),
        (
            here("/order-export/async-invocations?limit=0"),
            400,
            error("FSS.1001", "invalid query parameter: limit is 0"),
        ),
        (
            here(&format!("/{unlogged}/async-invoke-config")),
            404,
            error("FSS.0404", "can not find async invoke config"),
        ),
    ] {
        let reply = cloud.get(&target).await.unwrap();
        assert_eq!((reply.status, reply.json()), (status, body), "{target}");
        assert_eq!(reply.header("x-request-id").map(str::len), Some(32), "{target}");
    }
    let config = cloud.get(&here("/order-export/async-invoke-config")).await.unwrap().json();
    assert_eq!(config["enable_async_status_log"], json!(true));
    let unlogged =
        cloud.get(&here(&format!("/{unlogged}/async-invocations"))).await.unwrap().json();
    assert_eq!(unlogged, json!({ "invocations": [], "count": 0, "next_marker": 0 }));
    cloud.stop().await;
}

#[tokio::test]
async fn a_password_gives_a_token_that_opens_the_door_until_it_expires() {
    let cloud = Cloud::start(spec(), Readings::default(), Faults::none()).await;
    let user = json!({ "name": USER, "password": PASSWORD, "domain": { "name": DOMAIN } });
    let identity = json!({ "methods": ["password"], "password": { "user": user } });
    let body =
        json!({ "auth": { "identity": identity, "scope": { "project": { "name": REGION } } } })
            .to_string();
    let head = format!(
        "POST /v3/auth/tokens HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}",
        body.len()
    );
    let issued = cloud.ask(&format!("{head}\r\nConnection: close\r\n\r\n{body}")).await.unwrap();
    let token = issued.header("x-subject-token").unwrap();
    let target = format!("/v2/{PROJECT_ID}/fgs/functions");
    assert_eq!((issued.status, cloud.ask(&get(&target, token)).await.unwrap().status), (201, 200));
    cloud.clock.fetch_add(86_400, Ordering::SeqCst);
    let late = cloud.ask(&get(&target, token)).await.unwrap();
    assert_eq!((late.status, &late.json()["error_code"]), (401, &json!("APIG.0307")));
    let wrong = cloud.ask(&get(&target, "guessed")).await.unwrap();
    assert_eq!((wrong.status, &wrong.json()["error_code"]), (401, &json!("APIGW.0301")));
    assert_eq!(wrong.json()["request_id"].as_str(), wrong.header("x-request-id"));
    cloud.stop().await;
}

#[tokio::test]
async fn without_bounds_the_last_hour_is_listed() {
    let cloud = Cloud::start(spec(), Readings::default(), Faults::none()).await;
    cloud.clock.store(ANCHOR, Ordering::SeqCst);
    let expected =
        cloud.emulator.world().shown(0, at(0)).filter(|shown| shown.start >= at(-3_600)).count();
    let served = cloud.list("limit=500").await.unwrap().json();
    assert_eq!(served["count"], json!(expected));
    assert!((100..400).contains(&expected), "{expected}");
    cloud.stop().await;
}

#[tokio::test]
async fn a_throttled_request_is_told_when_to_return_or_not() {
    for (retry_after, header) in [(Some(7), Some("7")), (None, None)] {
        let cloud = Cloud::with(Fault::Throttled { retry_after }).await;
        let reply = cloud.list("").await.unwrap();
        assert_eq!((reply.status, reply.header("retry-after")), (429, header));
        assert_eq!(reply.json()["error_code"], json!("APIGW.0308"));
        assert_eq!(cloud.emulator.journal().faults(), 1);
        cloud.stop().await;
    }
}

#[tokio::test]
async fn a_failing_service_answers_in_its_own_form_or_a_proxy_s_or_not_at_all() {
    for (code, body) in [
        (500, BodyKind::Json),
        (502, BodyKind::Html),
        (503, BodyKind::Empty),
        (408, BodyKind::Json),
    ] {
        let cloud = Cloud::with(Fault::Status { code, body }).await;
        let reply = cloud.list("").await.unwrap();
        assert_eq!(reply.status, code);
        match body {
            BodyKind::Json => {
                assert!(reply.json()["error_code"].as_str().unwrap().starts_with("FSS.0"));
            }
            BodyKind::Html => assert!(reply.body.starts_with(b"<html>"), "{reply:?}"),
            BodyKind::Empty => assert!(reply.body.is_empty()),
        }
        cloud.stop().await;
    }
}

#[tokio::test]
async fn a_reset_connection_ends_without_a_word() {
    let cloud = Cloud::with(Fault::Reset).await;
    let failed = cloud.list("").await.expect_err("no answer");
    assert_eq!(failed.kind(), ErrorKind::ConnectionReset);
    cloud.stop().await;
}

#[tokio::test]
async fn a_cut_body_is_shorter_than_announced() {
    let whole = Cloud::start(spec(), Readings::default(), Faults::none()).await;
    let full = whole.list(&everything()).await.unwrap().body;
    whole.stop().await;
    let cloud = Cloud::with(Fault::Cut(Framing::Length)).await;
    let reply = cloud.list(&everything()).await.unwrap();
    assert_eq!(reply.header("content-length"), Some(full.len().to_string().as_str()));
    assert_eq!(reply.body, full[..full.len() / 2]);
    cloud.stop().await;
    let cloud = Cloud::with(Fault::Cut(Framing::Chunked)).await;
    let reply = cloud.list(&everything()).await.unwrap();
    assert_eq!(reply.header("transfer-encoding"), Some("chunked"));
    assert!(reply.body.len() > full.len() / 2 && !reply.body.ends_with(b"0\r\n\r\n"));
    cloud.stop().await;
}

#[tokio::test]
async fn a_slow_body_and_a_late_answer_take_their_time_and_are_whole() {
    for fault in [Fault::Slow { ms: 60 }, Fault::Latency { ms: 60 }] {
        let cloud = Cloud::with(fault).await;
        let begun = Instant::now();
        let reply = cloud.list(&everything()).await.unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(60), "{fault:?}");
        assert_eq!(reply.json()["invocations"].as_array().unwrap().len(), 500, "{fault:?}");
        cloud.stop().await;
    }
}

#[tokio::test]
async fn a_silent_service_says_nothing_until_it_ends() {
    let once = Rule { times: Some(1), ..Rule::from(Fault::Silent) };
    let cloud = Cloud::start(spec(), Readings::default(), Faults::rule(once)).await;
    let mut silent = cloud.send(&get(&listing(0, &cloud), TOKEN)).await.unwrap();
    while cloud.emulator.journal().total() == 0 {
        tokio::task::yield_now().await;
    }
    let mut byte = [0];
    tokio::select! {
        biased;
        said = silent.read(&mut byte) => panic!("said something: {said:?}"),
        other = cloud.list("") => assert_eq!(other.unwrap().status, 200, "others are answered"),
    }
    cloud.stop().await;
    let mut bytes = Vec::new();
    silent.read_to_end(&mut bytes).await.unwrap();
    assert_eq!(parse(&bytes).status, 200);
}

#[tokio::test]
async fn a_garbled_body_is_no_json() {
    let cloud = Cloud::with(Fault::Garbled).await;
    let reply = cloud.list("").await.unwrap();
    assert_eq!(reply.status, 200);
    assert!(serde_json::from_slice::<Value>(&reply.body).is_err());
    cloud.stop().await;
}

#[tokio::test]
async fn markers_lead_astray() {
    for (fault, expected) in [(Fault::StuckMarker, 500), (Fault::RepeatedMarker, 0)] {
        let cloud = Cloud::with(fault).await;
        let page = cloud.list(&format!("{}&marker=500", everything())).await.unwrap().json();
        assert_eq!(page["next_marker"], json!(expected), "{fault:?}");
        cloud.stop().await;
    }
}

#[tokio::test]
async fn a_slide_between_two_pages_hides_a_record() {
    let second = Rule { skip: 1, ..Rule::from(Fault::Slid { records: 1 }) };
    let cloud = Cloud::start(spec(), Readings::default(), Faults::rule(second)).await;
    let page = async |marker: usize| {
        cloud.list(&format!("{}&marker={marker}", everything())).await.unwrap().json()
    };
    let (first, second) = (page(0).await, page(499).await);
    assert_ne!(first["invocations"][499], second["invocations"][0], "the shared record has moved");
    assert_eq!(first["count"].as_u64().unwrap() - 1, second["count"].as_u64().unwrap());
    cloud.stop().await;
}

#[tokio::test]
async fn a_token_expires_once() {
    let once = Rule { times: Some(1), ..Rule::from(Fault::ExpiredToken) };
    let cloud = Cloud::start(spec(), Readings::default(), Faults::rule(once)).await;
    let refused = cloud.list("").await.unwrap();
    assert_eq!((refused.status, &refused.json()["error_code"]), (401, &json!("APIG.0307")));
    assert_eq!(cloud.list("").await.unwrap().status, 200);
    cloud.stop().await;
}

#[tokio::test]
async fn the_date_is_the_service_s_clock_skewed_or_not() {
    let cloud = Cloud::start(spec(), Readings::default(), Faults::none()).await;
    assert_eq!(cloud.list("").await.unwrap().header("date"), Some("Mon, 02 Mar 2026 12:00:00 GMT"));
    cloud.emulator.set_faults(Faults::rule(Fault::ClockSkew { seconds: -600 }.into()));
    assert_eq!(cloud.list("").await.unwrap().header("date"), Some("Mon, 02 Mar 2026 11:50:00 GMT"));
    cloud.stop().await;
}

/// Follows offsets to the first page that is not full, and returns what each page said of the next.
async fn markers(readings: Readings) -> Vec<Value> {
    let cloud = Cloud::start(spec(), readings, Faults::none()).await;
    let mut seen = Vec::new();
    for marker in [0, 500, 1_000] {
        let page = cloud.list(&format!("{}&marker={marker}", everything())).await.unwrap().json();
        seen.push(page.get("next_marker").cloned().unwrap_or(json!("none")));
    }
    cloud.stop().await;
    seen
}

#[tokio::test]
async fn the_last_page_s_marker_is_served_as_it_is_read() {
    let total = World::new(spec()).unwrap().functions()[0].records();
    assert!((1_001..1_500).contains(&total), "three pages: {total}");
    for (last_marker, last) in [
        (LastMarker::Total, json!(total)),
        (LastMarker::Zero, json!(0)),
        (LastMarker::Same, json!(1_000)),
        (LastMarker::Absent, json!("none")),
    ] {
        let readings = Readings { last_marker, ..Readings::default() };
        assert_eq!(markers(readings).await, [json!(500), json!(1_000), last], "{last_marker}");
    }
    let readings = Readings {
        marker_form: MarkerForm::String,
        last_marker: LastMarker::Zero,
        ..Readings::default()
    };
    assert_eq!(markers(readings).await, [json!("500"), json!("1000"), json!("0")]);
    let readings = Readings { marker_form: MarkerForm::Absent, ..Readings::default() };
    assert_eq!(markers(readings).await, [json!("none"), json!("none"), json!("none")]);
}

/// A request as a client of the vendor's sends it, its lines between `GET` and the empty one.
fn request(lines: &[&str]) -> String {
    let lines: String = lines.iter().flat_map(|line| [line, "\r\n"]).collect();
    format!("{lines}\r\n")
}

/// Where the vendor's samples for Java and Go ask, and what they send: the signatures are the
/// vendor's signer's, over the headers that each of these clients signs. Java signs the host and
/// all but the type of the content, which newer versions sign too; Go all but host and type; the
/// vendor's Terraform provider what stands in the request before the project. Each sends colons in
/// the path bare.
const JAVA: [&str; 8] = [
    "GET /v2/0123456789abcdef0123456789abcdef/fgs/functions/urn:fss:cn-north-4:0123456789abcdef0123456789abcdef:\
     function:default:order-export/async-invocations?query_end_time=2026-03-01T12%3A00%3A00Z&marker=0\
     &query_begin_time=2026-03-01T11%3A00%3A00Z&limit=500 HTTP/1.1",
    "X-Project-Id: 0123456789abcdef0123456789abcdef",
    "User-Agent: huaweicloud-usdk-java/3.0",
    "X-Sdk-Date: 20260301T120000Z",
    "Authorization: SDK-HMAC-SHA256 Access=emulator, SignedHeaders=host;user-agent;x-project-id;x-sdk-date, \
     Signature=3e4d22de2f389d6224afa43e77df862177b53fac05349d29880562ea3fe7815c",
    "Content-Type: application/json",
    "Host: functiongraph.cn-north-4.myhuaweicloud.com",
    "Connection: Keep-Alive",
];

const JAVA_SIGNING_THE_TYPE: &str = "Authorization: SDK-HMAC-SHA256 Access=emulator, \
     SignedHeaders=content-type;host;user-agent;x-project-id;x-sdk-date, \
     Signature=44a9b6561df1247171aef3df9ff3e41005adc6d3e398f7a051b7adba872ada9c";

/// Half past a second in the zone of the clock on the wall.
const JAVA_ELSEWHERE: [&str; 2] = [
    "GET /v2/0123456789abcdef0123456789abcdef/fgs/functions/urn:fss:cn-north-4:0123456789abcdef0123456789abcdef:\
     function:default:order-export/async-invocations?query_end_time=2026-03-01T20%3A00%3A00%2B08%3A00&marker=0\
     &query_begin_time=2026-03-01T19%3A00%3A00.5%2B08%3A00&limit=500 HTTP/1.1",
    "Authorization: SDK-HMAC-SHA256 Access=emulator, SignedHeaders=host;user-agent;x-project-id;x-sdk-date, \
     Signature=f0cc35de33d548c899c2a4a9e33bddca86b5c592d2cf68b0c0d81f7293b8eba8",
];

/// With a status that is empty, which this client sends last and without its equals sign.
const GO: [&str; 8] = [
    "GET /v2/0123456789abcdef0123456789abcdef/fgs/functions/urn:fss:cn-north-4:0123456789abcdef0123456789abcdef:\
     function:default:order-export/async-invocations?limit=500&marker=0&query_begin_time=2026-03-01T11%3A00%3A00Z\
     &query_end_time=2026-03-01T12%3A00%3A00Z&status HTTP/1.1",
    "Host: functiongraph.cn-north-4.myhuaweicloud.com",
    "User-Agent: huaweicloud-usdk-go/3.0",
    "Authorization: SDK-HMAC-SHA256 Access=emulator, SignedHeaders=user-agent;x-project-id;x-sdk-date, \
     Signature=112fe7eaf8f4b339d081b783a7d2b6772cc137fe7abad95c58e926ba1e0a5546",
    "Content-Type: application/json",
    "X-Project-Id: 0123456789abcdef0123456789abcdef",
    "X-Sdk-Date: 20260301T120000Z",
    "Accept-Encoding: gzip",
];

/// What the sample for Go really asks for: it names no function.
const GO_WITHOUT_A_FUNCTION: [&str; 2] = [
    "GET /v2/0123456789abcdef0123456789abcdef/fgs/functions//async-invocations?limit=500&marker=0\
     &query_begin_time=2026-03-01T11%3A00%3A00Z&query_end_time=2026-03-01T12%3A00%3A00Z&status HTTP/1.1",
    "Authorization: SDK-HMAC-SHA256 Access=emulator, SignedHeaders=user-agent;x-project-id;x-sdk-date, \
     Signature=302a12a4c23ffd891af0733f829bfc049c4b67343299839b0437bf99c6116352",
];

const TERRAFORM: [&str; 9] = [
    "GET /v2/0123456789abcdef0123456789abcdef/fgs/functions/urn:fss:cn-north-4:0123456789abcdef0123456789abcdef:\
     function:default:order-export/async-invocations?limit=100&query_begin_time=2026-03-01T11:00:00\
     &query_end_time=2026-03-01T12:00:00&marker=0 HTTP/1.1",
    "Host: functiongraph.cn-north-4.myhuaweicloud.com",
    "User-Agent: golangsdk/2.0.0",
    "Accept: application/json",
    "Authorization: SDK-HMAC-SHA256 Access=emulator, SignedHeaders=accept;content-type;user-agent;x-sdk-date, \
     Signature=c3e875bd7645b67889a412d92b01e1900e3b3a983ec8153f18d64a63c3e17369",
    "Content-Type: application/json",
    "X-Project-Id: 0123456789abcdef0123456789abcdef",
    "X-Sdk-Date: 20260301T120000Z",
    "Accept-Encoding: gzip",
];

/// Java's look-up of the project, then Go's: the samples name none.
const PROJECT_LOOK_UPS: [[&str; 5]; 2] = [
    [
        "GET /v3/projects?name=cn-north-4 HTTP/1.1",
        "Host: iam.cn-north-4.myhuaweicloud.com",
        "User-Agent: huaweicloud-usdk-java/3.0",
        "X-Sdk-Date: 20260301T120000Z",
        "Authorization: SDK-HMAC-SHA256 Access=emulator, SignedHeaders=host;user-agent;x-sdk-date, \
         Signature=b493a501e6ef3185c524930c682c489c60f9fe76ee6a0c7bad542dcc454339cb",
    ],
    [
        "GET /v3/projects?name=cn-north-4 HTTP/1.1",
        "Host: 127.0.0.1:1",
        "User-Agent: huaweicloud-usdk-go/3.0",
        "X-Sdk-Date: 20260301T120000Z",
        "Authorization: SDK-HMAC-SHA256 Access=emulator, SignedHeaders=user-agent;x-sdk-date, \
         Signature=a8262625d8d396cbdf5c720532f2d45f713aa32a750760b0358ca294a9b6768c",
    ],
];

/// A cloud at the end of its world, so that some records have not ended; that hour's records.
async fn at_its_end(readings: Readings) -> (Cloud, Vec<Shown>) {
    let cloud = Cloud::start(spec(), readings, Faults::none()).await;
    cloud.clock.store(ANCHOR, Ordering::SeqCst);
    let hour =
        cloud.emulator.world().shown(0, at(0)).filter(|shown| shown.start >= at(-3_600)).collect();
    (cloud, hour)
}

/// What the strictest of the vendor's decoders take: Java's wants integers where the page has them
/// and an offset or none behind a time, Go's a time in one of six forms, of which ours is one.
#[track_caller]
fn assert_readable(reply: &Reply) -> Vec<Value> {
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, Some("application/json")),
        "{reply:?}"
    );
    let page = reply.json();
    let int32 = |value: &Value| value.as_i64().is_some_and(|value| i32::try_from(value).is_ok());
    assert!(int32(&page["count"]) && int32(&page["next_marker"]), "{page}");
    let time = |value: &Value| {
        value.as_str().is_some_and(|text| text.len() == 19 && text.parse::<Timestamp>().is_ok())
    };
    let records = page["invocations"].as_array().unwrap().clone();
    for record in &records {
        assert!(
            record["request_id"].is_string() && record["error_message"].is_string(),
            "{record}"
        );
        assert!(Phase::ALL.iter().any(|phase| record["status"] == phase.as_str()), "{record}");
        assert!(int32(&record["error_code"]) && time(&record["start_time"]), "{record}");
        assert!(record["end_time"] == "" || time(&record["end_time"]), "{record}");
    }
    records
}

#[tokio::test]
async fn what_the_vendor_s_other_clients_send_is_answered_so_that_they_can_read_it() {
    let (cloud, hour) = at_its_end(Readings::default()).await;
    assert!(hour.iter().any(|shown| shown.phase.is_open()) && hour.len() > 100, "{}", hour.len());
    let (mut signing_the_type, mut elsewhere) = (JAVA, JAVA);
    signing_the_type[4] = JAVA_SIGNING_THE_TYPE;
    (elsewhere[0], elsewhere[4]) = (JAVA_ELSEWHERE[0], JAVA_ELSEWHERE[1]);
    let later = hour.iter().filter(|shown| shown.start > at(-3_600)).count();
    for (client, lines, records) in [
        ("Java", &JAVA[..], hour.len()),
        ("Java, signing the type", &signing_the_type, hour.len()),
        ("Java, with a fraction and an offset", &elsewhere, later),
        ("Go", &GO, hour.len()),
        ("Terraform", &TERRAFORM, 100),
    ] {
        let reply = cloud.replay(&request(lines)).await;
        assert_eq!(assert_readable(&reply).len(), records, "{client}");
    }
    for lines in PROJECT_LOOK_UPS {
        let reply = cloud.replay(&request(&lines)).await;
        assert_eq!((reply.status, &reply.json()["projects"][0]["id"]), (200, &json!(PROJECT_ID)));
    }
    let mut nowhere = GO;
    (nowhere[0], nowhere[3]) = (GO_WITHOUT_A_FUNCTION[0], GO_WITHOUT_A_FUNCTION[1]);
    let refused = cloud.replay(&request(&nowhere)).await;
    assert_eq!((refused.status, refused.json()), (400, error("FSS.1309", "invalid function urn")));
    cloud.stop().await;
}

#[tokio::test]
async fn a_service_that_takes_the_documented_form_only_refuses_the_samples() {
    let (cloud, _) = at_its_end(Readings { times: Times::Strict, ..Readings::default() }).await;
    for lines in [&JAVA[..], &GO] {
        let reply = cloud.replay(&request(lines)).await;
        assert_eq!((reply.status, &reply.json()["error_code"]), (400, &json!("FSS.1001")));
    }
    assert_readable(&cloud.replay(&request(&TERRAFORM)).await);
    cloud.stop().await;
}

#[tokio::test]
async fn a_code_as_text_is_more_than_the_vendor_s_decoders_take() {
    for error_form in [ErrorForm::String, ErrorForm::StringOrAbsent, ErrorForm::StringOrNull] {
        let (cloud, _) = at_its_end(Readings { error_form, ..Readings::default() }).await;
        let page = cloud.replay(&request(&GO)).await.json();
        let codes =
            page["invocations"].as_array().unwrap().iter().map(|record| &record["error_code"]);
        assert_eq!(codes.filter(|code| code.is_number()).count(), 0, "{error_form}");
        cloud.stop().await;
    }
}

#[tokio::test]
async fn what_is_not_asked_for_is_the_documented_default() {
    let (cloud, hour) = at_its_end(Readings::default()).await;
    for query in ["", "marker=&limit=&status=&request_id=&query_begin_time=&query_end_time="] {
        let page = cloud.list(query).await.unwrap().json();
        let records = page["invocations"].as_array().unwrap();
        assert_eq!((records.len(), &page["count"]), (100, &json!(hour.len())), "{query}");
        assert_eq!(
            (&page["next_marker"], &records[0]),
            (&json!(100), &record_of(&hour[0])),
            "{query}"
        );
    }
    cloud.stop().await;
}

/// The vendor's Python SDK sends a separator in a name as `%2F`, and signs it bare.
#[tokio::test]
async fn a_name_with_a_separator_is_signed_alike_on_both_sides() {
    let cloud = Cloud::start(spec(), Readings::default(), Faults::none()).await;
    cloud.clock.store(ANCHOR, Ordering::SeqCst);
    let reply = cloud
        .replay(&request(&[
            "GET /v2/0123456789abcdef0123456789abcdef/fgs/functions/urn%3Afss%3Acn-north-4%3A\
             0123456789abcdef0123456789abcdef%3Afunction%3Adefault%3Aa%2Fb/async-invocations?limit=100 HTTP/1.1",
            "Host: functiongraph.cn-north-4.myhuaweicloud.com",
            "Content-Type: application/json",
            "X-Project-Id: 0123456789abcdef0123456789abcdef",
            "X-Sdk-Date: 20260301T120000Z",
            "Authorization: SDK-HMAC-SHA256 Access=emulator, \
             SignedHeaders=content-type;host;x-project-id;x-sdk-date, \
             Signature=2d19c3aa5e8422ce06c92c131d6e6b0b26718a98818f98ddaf0eceb5ac71264c",
        ]))
        .await;
    assert!(reply.json()["error_code"].as_str().unwrap().starts_with("FSS."), "{reply:?}");
    assert_eq!(cloud.emulator.refused_signatures(), 0);
    cloud.stop().await;
}

/// What IAM says, in its own form, and under which id.
#[track_caller]
fn assert_from_iam(reply: &Reply, status: u16) {
    let error = &reply.json()["error"];
    assert_eq!((reply.status, &error["code"]), (status, &json!(status)), "{reply:?}");
    assert!(error["message"].is_string() && error["title"].is_string(), "{reply:?}");
    assert!(reply.header("x-iam-trace-id").is_some_and(|id| id.len() == 32), "{reply:?}");
    assert_eq!(reply.header("x-request-id"), None, "{reply:?}");
}

#[tokio::test]
async fn what_goes_wrong_at_iam_is_said_as_iam_does() {
    let projects = "/v3/projects?name=cn-north-4";
    for (fault, status) in [
        (Fault::Throttled { retry_after: Some(3) }, 429),
        (Fault::Status { code: 500, body: BodyKind::Json }, 500),
        (Fault::Status { code: 503, body: BodyKind::Json }, 503),
        (Fault::ExpiredToken, 401),
    ] {
        let cloud = Cloud::with(fault).await;
        let reply = cloud.get(projects).await.unwrap();
        assert_from_iam(&reply, status);
        assert_eq!(reply.header("retry-after"), (status == 429).then_some("3"));
        cloud.stop().await;
    }
    for body in [BodyKind::Html, BodyKind::Empty] {
        let cloud = Cloud::with(Fault::Status { code: 502, body }).await;
        let reply = cloud.get(projects).await.unwrap();
        assert!(
            reply.header("x-iam-trace-id").is_some() && reply.header("x-request-id").is_none(),
            "{reply:?}"
        );
        cloud.stop().await;
    }
    let cloud = Cloud::start(spec(), Readings::default(), Faults::none()).await;
    assert_from_iam(&cloud.ask(&get(projects, "guessed")).await.unwrap(), 401);
    let unsigned =
        format!("GET {projects} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_from_iam(&cloud.ask(&unsigned).await.unwrap(), 401);
    cloud.stop().await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_under_an_id_of_its_own() {
    let cloud = Cloud::start(spec(), Readings::default(), Faults::none()).await;
    let mut ids = Vec::new();
    for path in ["/v3/auth/tokens", &format!("/v2/{PROJECT_ID}/fgs/functions")] {
        let body = "x".repeat(300_000);
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}", body.len());
        let reply = cloud.ask(&format!("{head}\r\nConnection: close\r\n\r\n{body}")).await.unwrap();
        assert_eq!((reply.status, &reply.json()["error_code"]), (413, &json!("APIGW.0201")));
        assert_eq!(reply.header("x-request-id"), reply.json()["request_id"].as_str());
        assert_eq!(reply.header("date"), Some("Mon, 02 Mar 2026 12:00:00 GMT"));
        ids.push(reply.header("x-request-id").unwrap().to_owned());
    }
    assert!(ids[0].len() == 32 && ids[0] != ids[1], "{ids:?}");
    assert_eq!(cloud.emulator.journal().total(), 2);
    cloud.stop().await;
}
