//! `serve`: the page live. Whoever asks by a name of this machine is answered, figures lead to
//! their records, and nothing is written.

use crate::archive;
use crate::program::{Home, Running};
use pretty_assertions::assert_eq;
use rusqlite::Connection;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// A server of an archive.
pub(crate) struct Server {
    running: Running,
    address: String,
}

/// An answer: its status, its head in small letters, and its body.
pub(crate) struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Server {
    pub(crate) fn start(home: &Home, more: &[&str]) -> Self {
        let mut running = home.run(["serve", "--port", "0"]).args(more).start();
        running.until("it listens", |serve| serve.printed().ends_with("/\n"));
        let address = running.printed().trim().strip_prefix("http://").unwrap().to_owned();
        Self { running, address: address.trim_end_matches('/').to_owned() }
    }

    fn ask(&self, line: &str, headers: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "{line} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path}"), &format!("Host: {}\r\n", self.address))
    }

    pub(crate) fn stop(self) {
        self.running.signal("TERM");
        self.running.wait().exits(0);
    }
}

impl Answer {
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }

    #[track_caller]
    fn fails(self, status: u16, says: &str) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        assert!(self.body.contains(says), "{}", self.body);
        self
    }
}

/// The archive of the demo.
pub(crate) fn demo() -> Home {
    let home = Home::new();
    home.run(["demo", "--at", "2026-03-01T12:00:00Z", "--keep", "fgarchive.db"]).exits(0);
    home
}

/// The values of an attribute that begin with something, as a browser reads them.
pub(crate) fn links(page: &str, beginning: &str) -> Vec<String> {
    let found = page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let read = found.map(|link| link.replace("&#38;", "&").replace("&amp;", "&"));
    read.filter(|link| link.starts_with(beginning)).collect()
}

pub(crate) fn json(text: &str) -> Vec<Value> {
    serde_json::from_str::<Value>(text).unwrap().as_array().unwrap().clone()
}

#[test]
fn figures_lead_to_their_records_and_records_to_their_history() {
    let home = demo();
    let server = Server::start(&home, &[]);
    let range = "since=2026-02-20&until=2026-02-28&function=default:*";
    let page = server.get(&format!("/?{range}")).ok();
    assert!(page.contains("<form class=\"filters\""), "{page}");
    let cases = [
        ("/records?function=default%3Athumbnail%3Alatest&", "function = 'default:thumbnail'"),
        ("/records?function=default%3A%2A&", "function LIKE 'default:%'"),
    ];
    for (beginning, condition) in cases {
        let of = |end: &str| {
            let mut all = links(&page, beginning).into_iter();
            all.find(|link| link.ends_with(end)).unwrap_or_else(|| panic!("{beginning} {end}"))
        };
        for (end, of_status) in
            [("T00%3A00%3A00Z", "1"), ("which=failed", "status IN ('FAIL', 'DISCARD')")]
        {
            let shown = json(
                &server
                    .get(
                        &of(end)
                            .replace("/records", "/api/records.json")
                            .replace('?', "?limit=10000&"),
                    )
                    .ok(),
            );
            let sql = format!(
                "SELECT count(*) FROM invocations i JOIN functions f ON f.id = i.function_id
                  WHERE {} AND {of_status} AND start_time >= '2026-02-20T00:00:00Z'
                    AND start_time < '2026-03-01T00:00:00Z'",
                condition.replace("function ", "f.full_name ")
            );
            let there = archive::number(&home.db(), &sql);
            assert!(
                there > 0 && i64::try_from(shown.len()) == Ok(there),
                "{} of {there}",
                shown.len()
            );
        }
    }
    let change = "SELECT request_id || ' ' || from_status || ' ' || to_status FROM status_changes
                   WHERE to_status <> '' ORDER BY id LIMIT 1";
    let change = archive::rows(&home.db(), change).remove(0);
    let [id, from, to]: [&str; 3] = change.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let record = server.get(&format!("/record?id={id}")).ok();
    for shown in ["first seen", from, to] {
        assert!(record.contains(shown), "{shown} is not in {record}");
    }
    server.stop();
}

/// Screen after screen, each record once, the latest first.
#[test]
fn every_record_is_on_one_screen() {
    let home = demo();
    let server = Server::start(&home, &[]);
    let mut next = Some("/records?since=2026-02-20T10%3A30&status=FAIL&limit=7".to_owned());
    let mut shown = Vec::new();
    while let Some(path) = next {
        let screen = server.get(&path).ok();
        let ids = links(&screen, "/record?id=").into_iter();
        shown.extend(ids.map(|link| link.trim_start_matches("/record?id=").to_owned()));
        next = links(&screen, "/records?").into_iter().find(|link| link.contains("before="));
    }
    let expected = archive::rows(
        &home.db(),
        "SELECT request_id FROM invocations
          WHERE status = 'FAIL' AND start_time >= '2026-02-20T10:30:00Z'
          ORDER BY start_time DESC, request_id DESC",
    );
    assert!(expected.len() > 50);
    assert_eq!(shown, expected);
    server.stop();
}

#[test]
fn a_report_answers_what_query_does() {
    let home = demo();
    let server = Server::start(&home, &[]);
    for (report, options, query) in [
        ("summary", &["--since", "2026-02"][..], "since=2026-02"),
        (
            "heatmap",
            &["--tz", "Asia/Shanghai", "--param", "of=failed_percent"],
            "tz=Asia/Shanghai&of=failed_percent",
        ),
        ("slowest", &["--limit", "3", "--function", "*:thumbnail"], "limit=3&function=*:thumbnail"),
        ("runs", &[], ""),
    ] {
        let asked = home.run(["query", report, "--format", "json"]).args(options).exits(0).stdout;
        assert_eq!(server.get(&format!("/api/{report}.json?{query}")).ok(), asked, "{report}");
    }
    assert_eq!(server.get("/healthz").ok(), "ok\n");
    server.stop();
}

#[test]
fn who_may_not_ask_is_refused_and_what_is_not_there_is_told() {
    let home = demo();
    let server = Server::start(&home, &[]);
    let port = server.address.rsplit(':').next().unwrap().to_owned();
    for host in ["evil.example", &format!("evil.example:{port}"), "127.0.0.1", "localhost:1"] {
        let refused = server.ask("GET /", &format!("Host: {host}\r\n"));
        refused.fails(403, "this name does not belong to this machine");
    }
    server.ask("GET http://evil.example/", &format!("Host: {}\r\n", server.address)).fails(403, "");
    for host in [format!("localhost:{port}"), format!("LOCALHOST:{port}"), format!("[::1]:{port}")]
    {
        server.ask("GET /healthz", &format!("Host: {host}\r\n")).ok();
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"] {
        let own = format!("Host: {}\r\n", server.address);
        let refused = server.ask(&format!("{method} /"), &own).fails(405, "only read");
        assert!(refused.head.contains("allow: get, head"), "{}", refused.head);
    }
    for (path, status, says) in [
        ("/nowhere", 404, "nothing is there"),
        ("/record?id=none", 404, "the archive holds no record `none`"),
        ("/record", 400, "`id` is not given"),
        ("/api/sumary.json", 404, "summary"),
        ("/api/summary.json?limit=3", 400, "no parameter `limit`"),
        ("/api/slowest.json?limit=x", 400, "`x` is no value for `limit`"),
        ("/records?since=whenever", 400, "neither a time nor an age"),
        ("/records?tz=Mars", 400, "Mars"),
        ("/records?function=nobody", 400, "no function `nobody`"),
        ("/?since=2026-03-02&until=2026-03-01", 400, "is not after"),
        ("/?status=FAIL", 400, "no parameter `status`"),
    ] {
        let refused = server.get(path).fails(status, says);
        assert!(refused.head.contains("content-security-policy: default-src 'none'"));
    }
    let page = server.get("/");
    for header in [
        "cache-control: no-store",
        "x-content-type-options: nosniff",
        "x-frame-options: deny",
        "form-action 'self'",
    ] {
        assert!(page.head.contains(header), "{header} is not in {}", page.head);
    }
    server.stop();
    home.run(["serve", "--port", "0", "--listen", "0.0.0.0"]).exits(2).says("--token-file");
    home.run(["serve", "--port", "0", "--db", "none.db"]).exits(6).says("none.db");
}

#[test]
fn who_asks_a_broken_archive_is_not_told_to_come_again() {
    let home = demo();
    let server = Server::start(&home, &[]);
    fs::write(home.db(), "no archive any more").unwrap();
    for path in ["/", "/healthz", "/api/summary.json"] {
        let refused = server.get(path).fails(503, "");
        assert!(!refused.head.contains("retry-after"), "{path}: {}", refused.head);
    }
    server.stop();
}

/// Whoever begins to ask and never ends holds a connection for a while, and no end back.
#[test]
fn half_a_request_keeps_no_server_from_its_end() {
    let home = demo();
    let server = Server::start(&home, &[]);
    let mut half = TcpStream::connect(&server.address).unwrap();
    half.write_all(b"GET /healthz HTT").unwrap();
    assert_eq!(server.get("/healthz").ok(), "ok\n");
    let told = Instant::now();
    server.stop();
    assert!(told.elapsed() < Duration::from_secs(9), "{:?}", told.elapsed());
}

#[test]
fn a_token_opens_the_way_for_who_shows_it() {
    let home = demo();
    for (token, says) in [("", "16 characters"), ("short", "16 characters"), ("a b", "on one line")]
    {
        fs::write(home.join("token"), token).unwrap();
        let asked = home.run(["serve", "--port", "0", "--token-file", "token"]);
        asked.exits(2).says("--token-file").says(says);
    }
    home.run(["serve", "--port", "0", "--token-file", "missing"]).exits(2).says("`missing`");
    fs::write(home.join("token"), "0123456789abcdef0123\n").unwrap();
    let server = Server::start(&home, &["--listen", "0.0.0.0", "--token-file", "token"]);
    let server = Server { address: server.address.replace("0.0.0.0", "127.0.0.1"), ..server };
    let ask = |more: &str| server.ask("GET /healthz", &format!("Host: a.example\r\n{more}"));
    let refused = ask("").fails(401, "a token is needed");
    assert!(refused.head.contains("www-authenticate: basic"), "{}", refused.head);
    ask("Authorization: Bearer 0123456789abcdef012\r\n").fails(401, "");
    assert_eq!(ask("Authorization: Bearer 0123456789abcdef0123\r\n").ok(), "ok\n");
    server.stop();
}

#[test]
fn nothing_from_outside_becomes_an_element() {
    let home = demo();
    let hostile =
        "</title></style><script>alert(1)</script><img src=x onerror=alert(1)>\"'\u{202e}\u{1b}[2J";
    let archive = Connection::open(home.db()).unwrap();
    archive
        .execute(
            "UPDATE invocations SET error_message = ?1, extra = ?1 WHERE status = 'FAIL'",
            [hostile],
        )
        .unwrap();
    archive
        .execute("UPDATE invocations SET request_id = ?1 WHERE request_id = (SELECT min(request_id) FROM invocations WHERE status = 'FAIL')", [hostile])
        .unwrap();
    drop(archive);
    let server = Server::start(&home, &[]);
    let id = links(&server.get("/records?status=FAIL&limit=10000").ok(), "/record?id=%3C");
    let elements = |page: &str| -> BTreeSet<String> {
        let names = page.split('<').skip(1).map(|rest| {
            rest.chars().take_while(|letter| letter.is_alphanumeric()).collect::<String>()
        });
        names.collect()
    };
    for path in [
        "/records?status=FAIL&shape=%3Cscript%3E&function=*",
        "/records",
        &id[0],
        "/%3Cscript%3E",
        "/records?function=%3Cscript%3E%1b%E2%80%AE",
        "/record?id=%3Cscript%3E%1b%E2%80%AE",
    ] {
        let page = server.get(path).body;
        let names = elements(&page);
        assert!(!names.contains("script") && !names.contains("img"), "{path}: {names:?}");
        assert!(!page.contains(['\u{202e}', '\u{1b}']), "{path}");
    }
    server.stop();
}

/// While a run writes, and however often it is asked, memory stays what it is.
#[test]
fn a_thousand_requests_leave_memory_as_it_is() {
    let home = demo();
    let server = Server::start(&home, &[]);
    let memory = || -> u64 {
        let status =
            fs::read_to_string(format!("/proc/{}/status", server.running.process())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let ask = |times: usize| {
        for number in 0..times {
            let path = ["/records?which=failed", "/api/summary.json", "/healthz"][number % 3];
            server.get(path).ok();
        }
    };
    ask(100);
    let before = memory();
    ask(1_000);
    assert!(memory() < before + 8 * 1_024, "{before} KiB before, {} after", memory());
    server.stop();
}
