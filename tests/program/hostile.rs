//! Answers made to harm: too long, too many, too deep, without end. Each ends the run with a word,
//! in little memory.

use crate::cloud::{Cloud, settled_world};
use crate::listener::Listener;
use crate::program::{BINARY, Home, Said};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

/// What the program may take for its data, in KiB: the bound of a large run, and bodies of 16 MiB
/// in four places at once with what reading them takes. Beyond it the system gives nothing more,
/// and the program breaks off.
const MEMORY: u64 = 256 * 1024;

/// What is sent behind the head of an answer.
#[derive(Clone)]
enum Body {
    /// These bytes as the first page of a list, and an empty page behind it.
    Whole(Vec<u8>),
    /// These bytes as every page of every list.
    Everywhere(Vec<u8>),
    /// The first bytes to the first so many requests, the second to all others: what takes a
    /// processor long to read has to be read only as often as it can be at once.
    Often(usize, Vec<u8>, &'static [u8]),
    /// These bytes, then others again and again.
    Endless(&'static [u8], &'static [u8]),
    /// These bytes one by one, with a pause after each.
    Trickling(Vec<u8>, Duration),
}

/// An address at which every request gets the same answer.
fn serve(head: &str, body: Body) -> String {
    let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{head}");
    Listener::new(move |earlier, socket| answer(socket, &head, &body, earlier)).url()
}

/// Answers one request; so many connections came `earlier`.
fn answer(mut socket: TcpStream, head: &str, body: &Body, earlier: usize) -> std::io::Result<()> {
    let mut request = [0; 8_192];
    let read = socket.read(&mut request)?;
    // What is asked behind the first page of a list is not there, so that a walk of what can be
    // read is over.
    if matches!(body, Body::Whole(_))
        && String::from_utf8_lossy(&request[..read]).contains("marker=1&")
    {
        return socket
            .write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"invocations\":[]}");
    }
    socket.write_all(head.as_bytes())?;
    match body {
        Body::Whole(bytes) | Body::Everywhere(bytes) => socket.write_all(bytes)?,
        Body::Often(times, first, then) => {
            socket.write_all(if earlier < *times { first } else { then })?;
        }
        Body::Endless(first, again) => {
            socket.write_all(first)?;
            loop {
                socket.write_all(again)?;
            }
        }
        Body::Trickling(bytes, pause) => {
            socket.set_read_timeout(Some(*pause))?;
            for byte in bytes {
                socket.write_all(&[*byte])?;
                // Nothing more is said to us: the read takes the pause, or ends as the program
                // hangs up.
                if matches!(socket.read(&mut request), Ok(0)) {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// A run that may take no more than [`MEMORY`].
fn bounded(home: &Home, address: &str, timeout: &str) -> Said {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -d \"$1\"; shift; exec \"$@\"", "sh", &MEMORY.to_string(), BINARY]);
    let arguments =
        ["sync", "--function", "order-export", "--max-rps", "100000", "--request-timeout", timeout];
    let program = home.run_as(command, arguments).signed().env("FGARCHIVE_ENDPOINT", address);
    program.env("FGARCHIVE_REGION", "cn-north-4").output()
}

/// `first`, then `again` until the body is nearly as long as may be, then `last`.
fn filled(first: &str, again: &str, last: &str) -> Body {
    Body::Whole(longest(first, again, last))
}

fn longest(first: &str, again: &str, last: &str) -> Vec<u8> {
    let times = (16 * 1024 * 1024 - 1_000) / again.len();
    [first, &again.repeat(times), last].concat().into_bytes()
}

fn length(body: &Body) -> String {
    match body {
        Body::Whole(bytes) | Body::Everywhere(bytes) => {
            format!("Content-Length: {}\r\n", bytes.len())
        }
        _ => String::new(),
    }
}

/// A million records in as few bytes as they can have.
fn a_million_records() -> Body {
    let records: Vec<String> =
        (0..1_000_000).map(|id| format!(r#"{{"request_id":{id}}}"#)).collect();
    Body::Whole(format!(r#"{{"invocations":[{}]}}"#, records.join(",")).into_bytes())
}

/// A page that is no answer to any question.
const SAME: &str = r#"{"invocations":[{"request_id":"a","status":"SUCCESS"},{"request_id":"b","status":"SUCCESS"}]}"#;

/// Two records, and a number of them that no memory could hold.
fn counted(count: &str) -> Body {
    let records = r#"{"request_id":"a","status":"SUCCESS"},{"request_id":"b","status":"SUCCESS"}"#;
    let page = format!(r#"{{"count":{count},"next_marker":{count},"invocations":[{records}]}}"#);
    Body::Everywhere(page.into_bytes())
}

/// So many cases run at once.
const AT_ONCE: usize = 6;

/// The one case whose head is not ended.
const ENDLESS_HEAD: &str = "a head without end";

/// The one case that only time ends.
const DROPS: &str = "drop by drop";

/// A name, the head, the body, and what is said of it.
fn cases() -> Vec<(&'static str, String, Body, &'static str)> {
    let plain = |name, body: Body, expected| (name, length(&body), body, expected);
    let chunk = b"10000\r\n";
    let chunked = "Transfer-Encoding: chunked\r\n".to_owned();
    let long: &[u8] = [chunk.as_slice(), " ".repeat(0x10000).as_bytes(), b"\r\n"].concat().leak();
    let (deep, brackets) = ("[".repeat(100_000), "]".repeat(100_000));
    let nested = format!(r#"{{"invocations":[{{"request_id":"a","x":{deep}{brackets}}}]}}"#);
    vec![
        (
            "announced",
            "Content-Length: 100000000\r\n".to_owned(),
            Body::Endless(b"{", &[b' '; 65_536]),
            "the answer is too large",
        ),
        ("without end", chunked, Body::Endless(b"", long), "the answer is too large"),
        plain("a million records", a_million_records(), "the answer is too large"),
        plain(
            "a list of nothing",
            filled(r#"{"invocations":[0"#, ",0", "]}"),
            "the answer is too large",
        ),
        plain(
            "empty records",
            filled(r#"{"invocations":[{}"#, ",{}", "]}"),
            "the answer is too large",
        ),
        plain("a list elsewhere", filled(r#"{"invocations":[],"x":[0"#, ",0", "]}"), "no failure"),
        plain("many fields", filled(r#"{"invocations":[],"a":0"#, r#","a":0"#, "}"), "no failure"),
        plain(
            "many fields of a record",
            Body::Often(
                8,
                longest(r#"{"count":1,"invocations":[{"a":0"#, r#","a":0"#, "}]}"),
                br#"{"count":1,"invocations":[{"a":0}]}"#,
            ),
            "could be read as a record",
        ),
        plain(
            "deep",
            Body::Whole(format!("{deep}{brackets}").into_bytes()),
            "the answer is broken",
        ),
        plain("a deep record", Body::Whole(nested.into_bytes()), "no failure"),
        plain(
            "a long message",
            filled(
                r#"{"count":1,"invocations":[{"request_id":"a","error_message":""#,
                "x",
                r#""}]}"#,
            ),
            "no failure",
        ),
        plain(
            "one page for all",
            Body::Everywhere(SAME.as_bytes().to_vec()),
            "one range could not be proven complete",
        ),
        (ENDLESS_HEAD, String::new(), Body::Endless(b"", b"a: b\r\n"), "the answer is too large"),
        plain("a count of a billion", counted("1000000001"), "could not be proven complete"),
        plain(
            "a count beyond all",
            counted("18446744073709551615"),
            "could not be proven complete",
        ),
        plain(
            "a count below nothing",
            counted("-9223372036854775808"),
            "could not be proven complete",
        ),
        plain("a count in the clouds", counted("1e308"), "could not be proven complete"),
        plain(
            DROPS,
            Body::Trickling(vec![b' '; 1_000], Duration::from_millis(100)),
            "the answer took too long",
        ),
    ]
}

#[test]
fn whatever_is_sent_the_run_ends_with_a_word_and_in_little_memory() {
    // The waits between tries take seconds, so some cases wait side by side. All of them at once
    // would leave each so little of the processors that it looks as if it hung.
    let cases = Mutex::new(cases().into_iter());
    let next = || cases.lock().unwrap().next();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((name, head, body, expected)) = next() {
                    let head = if name == ENDLESS_HEAD { head } else { head + "\r\n" };
                    let (home, address) = (Home::new(), serve(&head, body));
                    let said = bounded(
                        &home,
                        &address,
                        if [DROPS, ENDLESS_HEAD].contains(&name) { "1s" } else { "30s" },
                    );
                    let ended = said.code() == 3
                        && said.stderr.contains("\nhint: ")
                        && said.stderr.contains(expected);
                    let well = expected == "no failure" && said.code() == 0;
                    assert!(ended || well, "{name}: exit {}: {}", said.code(), said.stderr);
                    home.run(["check"]).exits(0);
                }
            });
        }
    });
}

/// The bound is one that a good run keeps, and a body that unpacks to far more than may be is known
/// by its unpacking.
#[test]
fn the_bound_of_memory_lets_a_good_run_through() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    assert_eq!(bounded(&home, &cloud.url, "30s").code(), 0);
}
