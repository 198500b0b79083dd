//! The stand-in cloud over its socket: what is served is the world, and what goes wrong really does.
#![cfg(feature = "emulator")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where something is not as it should be")]

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

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}

fn get(target: &str, token: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: {token}\r\nConnection: close\r\n\r\n")
}

fn listing(function: usize, cloud: &Cloud) -> String {
    let urn = cloud.emulator.world().functions()[function].urn();
    format!("/v2/{PROJECT_ID}/fgs/functions/{urn}/async-invocations")
}

/// All of the world: every record of the span, and of the second after.
fn everything() -> String {
    format!("limit=500&query_begin_time={}&query_end_time={}", at(-86_400).to_wire(), at(0).to_wire())
}

fn parse(bytes: &[u8]) -> Reply {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("the end of the head");
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let pairs = lines.map(|line| line.split_once(": ").unwrap());
    let headers = pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    Reply { status, headers, body: bytes[end + 4..].to_vec() }
}

fn error(code: &str, message: &str) -> Value {
    json!({ "error_code": code, "error_msg": message })
}

#[tokio::test]
async fn every_function_and_record_of_the_world_is_served() {
    let cloud = Cloud::start(spec(), Readings::default(), Faults::none()).await;
    let functions = cloud.get(&format!("/v2/{PROJECT_ID}/fgs/functions?maxitems=2")).await.unwrap().json();
    assert_eq!((&functions["count"], &functions["next_marker"]), (&json!(3), &json!(2)));
    assert_eq!(functions["functions"].as_array().unwrap().len(), 2);
    let world = cloud.emulator.world();
    for (function, found) in world.functions().iter().enumerate() {
        let mut served = Vec::new();
        loop {
            let query = format!("{}&marker={}", everything(), served.len());
            let page = cloud.get(&format!("{}?{query}", listing(function, &cloud))).await.unwrap().json();
            assert_eq!(page["count"], json!(found.records()));
            let records = page["invocations"].as_array().unwrap().clone();
            if records.is_empty() {
                break;
            }
            served.extend(records);
        }
        let expected: Vec<Value> = world.shown(function, cloud.emulator.now()).map(|shown| record(&shown)).collect();
        assert_eq!(served, expected);
    }
    let asked = cloud.emulator.journal();
    assert_eq!(asked.requests(RouteName::Functions), 1);
    assert_eq!(asked.records(), 2_000);
    assert_eq!(asked.total(), 1 + asked.listings().len() as u64);
    cloud.stop().await;
}

/// A finished record as the default reading writes it.
fn record(shown: &Shown) -> Value {
    json!({
        "request_id": shown.id.to_string(),
        "status": shown.phase.as_str(),
        "error_message": shown.failure.map_or(String::new(), |failure| failure.to_string()),
        "error_code": shown.failure.map_or(0, |failure| failure.code()),
        "start_time": shown.start.to_wire(),
        "end_time": shown.end.map_or(String::new(), Timestamp::to_wire),
    })
}

#[tokio::test]
async fn a_function_goes_by_all_its_names() {
    let cloud = Cloud::start(spec(), Readings::default(), Faults::none()).await;
    let full = cloud.emulator.world().functions()[0].urn().to_string();
    let path = |name: &str| format!("/v2/{PROJECT_ID}/fgs/functions/{name}/async-invocations?{}", everything());
    let expected = cloud.get(&path(&full)).await.unwrap().body;
    for name in
        [full.replace(':', "%3A"), format!("{full}:latest"), "order-export".into(), "default:order-export".into()]
    {
        assert_eq!(cloud.get(&path(&name)).await.unwrap().body, expected, "{name}");
    }
    cloud.stop().await;
}

#[tokio::test]
async fn the_documented_errors_are_served() {
    let cloud = Cloud::start(WorldSpec { unlogged: 1, ..spec() }, Readings::default(), Faults::none()).await;
    let path = |project: &str, rest: &str| format!("/v2/{project}/fgs/functions{rest}");
    let here = |rest: &str| path(PROJECT_ID, rest);
    let unlogged = cloud.emulator.world().functions()[2].urn().to_string();
    for (target, status, body) in [
        (path("other", ""), 403, error("FSS.0403", "invalid token")),
        (here("/nothing/async-invocations"), 404, error("FSS.0404", "can not find function")),
        (here("/order-export:3/async-invocations"), 404, error("FSS.0404", "can not find function")),
        (here("/a:b:c/async-invocations"), 400, error("FSS.1309", "invalid function urn")),
        (
            here("/order-export/async-invocations?limit=0"),
            400,
            error("FSS.1001", "invalid query parameter: limit is 0"),
        ),
        (here(&format!("/{unlogged}/async-invoke-config")), 404, error("FSS.0404", "can not find async invoke config")),
    ] {
        let reply = cloud.get(&target).await.unwrap();
        assert_eq!((reply.status, reply.json()), (status, body), "{target}");
        assert_eq!(reply.header("x-request-id").map(str::len), Some(32), "{target}");
    }
    let config = cloud.get(&here("/order-export/async-invoke-config")).await.unwrap().json();
    assert_eq!(config["enable_async_status_log"], json!(true));
    let unlogged = cloud.get(&here(&format!("/{unlogged}/async-invocations"))).await.unwrap().json();
    assert_eq!(unlogged, json!({ "invocations": [], "count": 0, "next_marker": 0 }));
    cloud.stop().await;
}

#[tokio::test]
async fn a_password_gives_a_token_that_opens_the_door_until_it_expires() {
    let cloud = Cloud::start(spec(), Readings::default(), Faults::none()).await;
    let user = json!({ "name": USER, "password": PASSWORD, "domain": { "name": DOMAIN } });
    let identity = json!({ "methods": ["password"], "password": { "user": user } });
    let body = json!({ "auth": { "identity": identity, "scope": { "project": { "name": REGION } } } }).to_string();
    let head = format!("POST /v3/auth/tokens HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}", body.len());
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
    let expected = cloud.emulator.world().shown(0, at(0)).filter(|shown| shown.start >= at(-3_600)).count();
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
    for (code, body) in [(500, BodyKind::Json), (502, BodyKind::Html), (503, BodyKind::Empty), (408, BodyKind::Json)] {
        let cloud = Cloud::with(Fault::Status { code, body }).await;
        let reply = cloud.list("").await.unwrap();
        assert_eq!(reply.status, code);
        match body {
            BodyKind::Json => assert!(reply.json()["error_code"].as_str().unwrap().starts_with("FSS.0")),
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
    let page = async |marker: usize| cloud.list(&format!("{}&marker={marker}", everything())).await.unwrap().json();
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
    let readings = Readings { marker_form: MarkerForm::String, last_marker: LastMarker::Zero, ..Readings::default() };
    assert_eq!(markers(readings).await, [json!("500"), json!("1000"), json!("0")]);
    let readings = Readings { marker_form: MarkerForm::Absent, ..Readings::default() };
    assert_eq!(markers(readings).await, [json!("none"), json!("none"), json!("none")]);
}
