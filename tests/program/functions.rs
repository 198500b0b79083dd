//! The functions of a project as a service may list, name, and lose them.

use crate::archive;
use crate::cloud::{later, now};
use crate::listener::{Asked, Listener, next_request};
use crate::program::{Home, Program, Said};
use fgarchive::emulator::{PROJECT_ID, REGION};
use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

/// What the stub knows of its functions and of the list of them.
#[derive(Clone, Debug)]
struct Project {
    /// The entries of the list as JSON.
    entries: Vec<String>,
    /// The most entries of a page.
    page: usize,
    /// What it counts.
    count: Option<usize>,
    /// Behind so many entries nothing comes.
    shown: usize,
    /// Which URNs are known to the other calls.
    known: Vec<String>,
    /// The body of the 404 for others.
    not_found: &'static str,
    /// The entries of the records of `f0000`.
    records: Vec<String>,
}

/// A service whose list of functions the test writes.
struct Stub {
    address: String,
    project: Arc<Mutex<Project>>,
    asked: Arc<Mutex<Vec<String>>>,
}

fn urn(name: &str) -> String {
    format!("urn:fss:{REGION}:{PROJECT_ID}:function:default:{name}")
}

fn entry(urn: &str) -> String {
    format!(r#"{{"func_urn":"{urn}","func_name":"x"}}"#)
}

impl Project {
    /// A plain one of so many functions.
    fn of(functions: usize) -> Self {
        let known: Vec<String> =
            (0..functions).map(|number| urn(&format!("f{number:04}"))).collect();
        Self {
            entries: known.iter().map(|urn| entry(urn)).collect(),
            page: 400,
            count: Some(functions),
            shown: usize::MAX,
            known,
            not_found: r#"{"error_code":"FSS.0404","error_msg":"can not find function"}"#,
            records: Vec::new(),
        }
    }

    fn answer(&self, path: &str) -> (u16, String) {
        let not_found = || (404, self.not_found.to_owned());
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let marker = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("marker="))
            .unwrap_or("0")
            .parse()
            .unwrap();
        let Some((_, function)) = path.split_once("/fgs/functions/") else {
            return (200, self.list(marker));
        };
        let (urn, call) = function.split_once('/').unwrap_or((function, ""));
        if !self.known.contains(&urn.replace("%3A", ":")) {
            return not_found();
        }
        let body = match call {
            "async-invocations" if urn.ends_with("f0000") => {
                let page = self.records.get(marker..).unwrap_or_default().join(",");
                format!(r#"{{"invocations":[{page}],"count":{}}}"#, self.records.len())
            }
            "async-invocations" => r#"{"invocations":[],"count":0}"#.to_owned(),
            _ => r#"{"enable_async_status_log":true}"#.to_owned(),
        };
        (200, body)
    }

    fn list(&self, marker: usize) -> String {
        let end = self.entries.len().min(self.shown);
        let from = marker.min(end);
        let page = self.entries[from..end.min(from + self.page)].join(",");
        let count = self.count.map(|count| format!(r#","count":{count}"#)).unwrap_or_default();
        format!(r#"{{"functions":[{page}]{count}}}"#)
    }
}

impl Stub {
    fn new(project: Project) -> Self {
        let (project, asked) = (Arc::new(Mutex::new(project)), Arc::new(Mutex::new(Vec::new())));
        let (shared, log) = (Arc::clone(&project), Arc::clone(&asked));
        let listener = Listener::new(move |_, socket| serve(&socket, &shared, &log));
        Self { address: listener.url(), project, asked }
    }

    fn change(&self, change: impl FnOnce(&mut Project)) {
        change(&mut self.project.lock().unwrap());
    }

    /// The paths that were asked since the last time, without their queries.
    fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    fn run(&self, home: &Home, args: &[&str]) -> Program {
        let program = home.run(args).signed().env("FGARCHIVE_ENDPOINT", &self.address);
        program.env("FGARCHIVE_REGION", REGION)
    }

    fn sync(&self, home: &Home) -> Said {
        self.run(
            home,
            &["sync", "--all-functions", "--max-rps", "100000", "--json", "--since", "1h"],
        )
        .output()
    }

    fn sync_one(&self, home: &Home, function: &str) -> Said {
        self.run(
            home,
            &["sync", "--function", function, "--max-rps", "100000", "--json", "--since", "1h"],
        )
        .output()
    }
}

/// Answers the requests of one connection.
fn serve(
    socket: &TcpStream,
    project: &Mutex<Project>,
    log: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(socket);
    while let Some(Asked { line, .. }) = next_request(&mut reader)? {
        let path = line.split(' ').nth(1).unwrap_or_default();
        log.lock().unwrap().push(path.split('?').next().unwrap_or_default().replace("%3A", ":"));
        let (status, body) = project.lock().unwrap().answer(path);
        let length = body.len();
        let mut out = socket;
        write!(out, "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n\r\n{body}")?;
    }
    Ok(())
}

fn functions(home: &Home) -> i64 {
    archive::number(&home.db(), "SELECT count(*) FROM functions")
}

#[test]
fn a_list_without_markers_goes_on_by_offset() {
    let (home, stub) = (Home::new(), Stub::new(Project { page: 7, ..Project::of(40) }));
    let said = stub.sync(&home).exits(0);
    assert_eq!(functions(&home), 40);
    assert_eq!(
        (&said.json()["list"]["proven"], &said.json()["list"]["functions"]),
        (&true.into(), &40.into())
    );
}

/// What is known is archived, what was archived before as well, and the run says that there may be
/// more.
#[test]
fn a_list_that_ends_too_early_is_no_whole_one() {
    let (home, stub) = (Home::new(), Stub::new(Project::of(4)));
    stub.sync(&home).exits(0);
    stub.take_asked();
    stub.change(|project| *project = Project { shown: 3, count: Some(12), ..Project::of(5) });
    let counts = "the list of functions could not be proven complete: the service counts 12 \
                  functions and shows 3";
    let said = stub.sync(&home).exits(3).says(counts);
    assert_eq!(said.json()["list"]["proven"], false);
    assert_eq!(functions(&home), 4, "the last one is not listed, and was never archived");
    assert_eq!(gone(&home), [""; 0], "a list that may not be whole takes nothing away");
    let asked = stub.take_asked();
    let fourth = format!("{}/async-invocations", urn("f0003"));
    assert!(
        asked.iter().any(|path| path.ends_with(&fourth)),
        "what the list left out is archived: {asked:?}"
    );
    let complete =
        "SELECT count(*) FROM windows WHERE state IN ('settled', 'proven') GROUP BY function_id";
    assert_eq!(archive::rows(&home.db(), complete).len(), 4);
}

#[test]
fn entries_that_name_no_function_are_kept_told_once_and_make_a_run_incomplete() {
    let (home, stub) = (Home::new(), Stub::new(Project::of(2)));
    stub.change(|project| {
        project.entries.push(entry(&urn("a b")));
        project.entries.extend(vec!["null".to_owned(); 50_000]);
        project.page = 60_000;
        project.count = None;
    });
    let said = stub.sync(&home).exits(3).says("cannot be read");
    let lines = said.stderr.lines().count();
    assert!(lines <= 6, "{lines} lines: {}", said.stderr);
    assert!(said.stderr.contains("a b") && said.stderr.contains("more"), "{}", said.stderr);
    assert_eq!(said.json()["functions_unreadable"], 50_001);
    assert_eq!(said.json()["list"]["unreadable_entries"].as_array().unwrap().len(), 2);
    assert_eq!(archive::rows(&home.db(), "SELECT functions_unreadable FROM runs"), ["50001"]);
    let kept = "SELECT raw LIKE '%a b%', function_id IS NULL FROM rejects ORDER BY id";
    assert_eq!(archive::rows(&home.db(), kept), ["1|1", "0|1"]);
    let quiet = stub.run(&home, &["sync", "--all-functions", "-q", "--max-rps", "100000"]).exits(3);
    assert!(
        quiet.stderr.starts_with("error: 50001 entries of the list of functions cannot be read"),
        "{}",
        quiet.stderr
    );
    assert_eq!(archive::rows(&home.db(), kept).len(), 2, "the same text is kept once");
    home.run(["check"]).exits(0);
    let shown = home.run(["query", "rejects", "--format", "json"]).exits(0).json();
    assert_eq!(shown.as_array().unwrap().len(), 2);
}

/// The form that a service does not know costs one request, once.
#[test]
fn a_service_that_knows_one_form_of_a_urn_is_asked_in_that_form() {
    for (listed, known) in [("", ":latest"), (":latest", ""), (":latest", ":latest"), ("", "")] {
        let mut project = Project::of(1);
        let name = urn("f0000");
        project.entries = vec![entry(&format!("{name}{listed}"))];
        project.known = vec![format!("{name}{known}")];
        let (home, stub) = (Home::new(), Stub::new(project));
        stub.sync(&home).exits(0);
        let of_form = |form: &str, asked: &[String]| {
            asked.iter().filter(|path| path.contains(&format!("{name}{form}/"))).count()
        };
        let other = if known.is_empty() { ":latest" } else { "" };
        let asked = stub.take_asked();
        assert_eq!(
            of_form(other, &asked),
            usize::from(listed != known),
            "{listed} {known}: {asked:?}"
        );
        let kept = archive::rows(&home.db(), "SELECT urn, asked_as FROM functions");
        assert_eq!(kept, [format!("{name}|{name}{known}")]);
        for said in [
            stub.sync(&home),
            stub.sync_one(&home, "f0000"),
            stub.sync_one(&home, &format!("{name}{other}")),
        ] {
            said.exits(0);
            let asked = stub.take_asked();
            assert_eq!(of_form(other, &asked), 0, "the form that answers is remembered: {asked:?}");
        }
        stub.run(&home, &["verify"]).exits(0);
        stub.run(&home, &["doctor", "--no-store"]).exits(0);
    }
}

/// A version or an alias has no other form, and a function that was never archived is an error.
#[test]
fn a_function_that_is_not_known_is_asked_for_twice_in_each_form() {
    let (home, stub) = (Home::new(), Stub::new(Project::of(1)));
    for (function, requests) in
        [("typo".to_owned(), 4), (urn("f0000:!prod"), 2), (urn("f0000:7"), 2)]
    {
        for _ in 0..2 {
            stub.sync_one(&home, &function)
                .exits(3)
                .says("it was not found (HTTP 404")
                .says("hint: check the function");
            assert_eq!(stub.take_asked().len(), requests, "{function}");
        }
    }
}

fn gone(home: &Home) -> Vec<String> {
    archive::rows(&home.db(), "SELECT name FROM functions WHERE gone_at IS NOT NULL ORDER BY name")
}

impl Project {
    /// Takes a function out of the list, and out of what is known.
    fn delete(&mut self, name: &str) {
        self.entries.retain(|entry| !entry.contains(&format!(":{name}\"")));
        self.known.retain(|known| !known.ends_with(&format!(":{name}")));
        self.count = Some(self.entries.len());
    }
}

/// A wrong address, a gateway or a proxy knows nothing of functions, whatever it says with its 404.
#[test]
fn only_the_services_own_words_say_that_a_function_is_gone() {
    for body in [
        "<html><h1>404 Not Found</h1>nginx</html>",
        "",
        "{}",
        r#"{"message":"no Route matched with those values"}"#,
        r#"{"error_code":"APIG.0101","error_msg":"The API does not exist"}"#,
        r#"{"code":404,"status":"Not Found"}"#,
    ] {
        let (home, stub) = (Home::new(), Stub::new(Project::of(2)));
        stub.sync(&home).exits(0);
        stub.change(|project| {
            project.known.clear();
            project.not_found = body;
        });
        stub.sync_one(&home, "f0000").exits(3).says("left incomplete: ").says("HTTP 404");
        assert_eq!(gone(&home), [""; 0], "{body}");
        stub.change(|project| *project = Project::of(2));
        stub.sync(&home).exits(0);
    }
}

/// A first run may end before it has archived anything of a function that is then deleted.
#[test]
fn what_was_only_set_out_for_and_is_deleted_alarms_nobody() {
    for record in [None, Some(r#"{"request_id":"a","status":"SUCCESS"}"#)] {
        let (home, stub) = (Home::new(), Stub::new(Project::of(3)));
        stub.sync(&home).exits(0);
        let connection = rusqlite::Connection::open(home.db()).unwrap();
        connection
            .execute_batch("DELETE FROM windows WHERE function_id = 1; DELETE FROM recording")
            .unwrap();
        if record.is_some() {
            let kept = "INSERT INTO invocations (request_id, function_id, status, first_run_id,
                            changed_run_id)
                        VALUES ('a', 1, 'SUCCESS', 1, 1)";
            connection.execute(kept, []).unwrap();
        }
        home.run(["status", "--max-age", "1h"]).exits(7);
        stub.change(|project| project.delete("f0000"));
        let said = stub.sync(&home).exits(0);
        assert_eq!(said.stderr.contains("gone"), record.is_some(), "{}", said.stderr);
        assert_eq!(gone(&home), if record.is_some() { vec!["f0000"] } else { vec![] });
        home.run(["status", "--max-age", "1h"]).exits(0);
        let gaps = archive::rows(&home.db(), "SELECT state FROM gaps");
        assert_eq!(gaps, if record.is_some() { vec!["lost"] } else { vec![] });
        stub.sync(&home).exits(0);
    }
}

/// A list may leave out a function for want of rights: while new records come of it, it is
/// archived.
#[test]
fn what_a_list_leaves_out_and_goes_on_is_not_gone() {
    let record = |id: &str| {
        let start = later(now(), -60).to_wire();
        format!(
            r#"{{"request_id":"{id}","status":"SUCCESS","start_time":"{start}","end_time":"{start}"}}"#
        )
    };
    let (home, stub) = (Home::new(), Stub::new(Project::of(3)));
    stub.change(|project| project.records.push(record("old")));
    stub.sync(&home).exits(0);
    stub.change(|project| {
        project.entries.remove(0);
        project.count = Some(2);
        project.records.push(record("new"));
    });
    stub.sync(&home).exits(0);
    assert_eq!(gone(&home), [""; 0]);
    assert_eq!(archive::number(&home.db(), "SELECT count(*) FROM invocations"), 2);
    stub.sync(&home).exits(0).says("gone: the service knows it no more").says("default:f0000");
    assert_eq!(gone(&home), ["f0000"]);
}

/// Whoever reads cron's mail hears of it, once the entry is new.
#[test]
fn what_is_no_record_is_told_with_where_it_is_kept() {
    let (home, stub) = (Home::new(), Stub::new(Project::of(1)));
    stub.change(|project| project.records = vec!["null".to_owned(), "7".to_owned()]);
    let told = "kept aside: 2 unreadable entries; `fgarchive query rejects` shows what came";
    stub.sync(&home).exits(3).says(told);
    let kept = "SELECT raw FROM rejects ORDER BY raw";
    assert_eq!(archive::rows(&home.db(), kept), ["7", "null"]);
}

/// Nothing that holds it is called complete or empty; once it can be read, it is archived.
#[test]
fn what_may_be_a_record_in_another_form_is_missing_until_it_can_be_read() {
    let start = later(now(), -60).to_wire();
    let record = format!(
        r#"{{"request_id":"a","status":"SUCCESS","start_time":"{start}","end_time":"{start}"}}"#
    );
    let forms = [
        record.replace("request_id", "requestId"),
        record.replace(r#""a""#, "null"),
        format!(r#"{{"record":{record}}}"#),
        format!("[{record}]"),
        "7".to_owned(),
        "null".to_owned(),
    ];
    let state = "SELECT state FROM coverage";
    for form in forms {
        let (home, stub) = (Home::new(), Stub::new(Project::of(1)));
        stub.change(|project| project.records = vec![form.clone()]);
        for told in ["kept aside: one unreadable entry", ""] {
            stub.sync(&home).exits(3).says(told).says("could be read as a record");
            let states = archive::rows(&home.db(), state);
            assert!(states.iter().all(|state| state == "unproven"), "{form}: {states:?}");
        }
        home.run(["status", "--max-age", "1h"]).exits(7);
        stub.change(|project| project.records = vec![record.clone()]);
        stub.sync(&home).exits(0);
        assert_eq!(archive::number(&home.db(), "SELECT count(*) FROM invocations"), 1, "{form}");
    }
}

#[test]
fn a_function_that_is_gone_is_told_once_and_worries_nobody() {
    let (home, stub) = (Home::new(), Stub::new(Project::of(4)));
    stub.sync(&home).exits(0);
    stub.change(|project| project.delete("f0003"));
    let said =
        stub.sync(&home).exits(0).says("gone: the service knows it no more").says("default:f0003");
    let told = said.json();
    let function = told["functions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|function| !function["gone_at"].is_null());
    assert_eq!(function.unwrap()["urn"], urn("f0003"));
    assert_eq!(gone(&home), ["f0003"]);
    stub.take_asked();
    let said = stub.sync(&home).exits(0);
    assert!(!said.stderr.contains("f0003"), "{}", said.stderr);
    stub.run(&home, &["verify"]).exits(0);
    let asked = stub.take_asked();
    assert!(asked.iter().all(|path| !path.contains("f0003")), "{asked:?}");
    let status = home.run(["status", "--max-age", "1h", "--json"]).exits(0).json();
    assert!(
        status["functions"][3]["gone_at"].is_string()
            && status["functions"][0]["gone_at"].is_null(),
        "{status}"
    );
    assert!(home.run(["status"]).exits(0).stdout.contains(" gone "));
    let old = "DELETE FROM windows WHERE function_id = 4";
    rusqlite::Connection::open(home.db()).unwrap().execute(old, []).unwrap();
    home.run(["status", "--max-age", "1h"]).exits(0);
    let said = stub.run(&home, &["verify", "--function", "f0003"]).exits(0).says("gone");
    assert!(!said.stderr.contains("no settled window"), "{}", said.stderr);
    assert_eq!(stub.take_asked(), [""; 0]);
}

/// One "not found" loses nothing: the function goes on where it was as soon as it answers or is
/// listed.
#[test]
fn a_function_that_comes_back_goes_on_where_it_was() {
    let (home, stub) = (Home::new(), Stub::new(Project::of(2)));
    for by_list in [false, true] {
        let sync = || if by_list { stub.sync(&home) } else { stub.sync_one(&home, "f0001") };
        sync().exits(0);
        stub.change(|project| project.delete("f0001"));
        sync().exits(0).says("gone: the service knows it no more");
        stub.take_asked();
        let again = sync().exits(0);
        let asked = stub.take_asked().iter().filter(|path| path.contains("f0001")).count();
        assert_eq!(asked, usize::from(!by_list), "the list is the look, or one request");
        if !by_list {
            assert!(again.says("gone").json()["functions"][0]["gone_at"].is_string());
        }
        stub.change(|project| *project = Project::of(2));
        sync().exits(0);
        assert_eq!(gone(&home), [""; 0]);
        home.run(["check"]).exits(0);
        let gaps = archive::rows(&home.db(), "SELECT state FROM gaps");
        assert_eq!(gaps, [""; 0], "all of its time was walked");
    }
}

/// A list of another project, or one shortened for want of rights, takes no function away that
/// answers.
#[test]
fn a_list_without_most_functions_needs_their_own_word() {
    let (home, stub) = (Home::new(), Stub::new(Project::of(4)));
    stub.sync(&home).exits(0);
    stub.change(|project| {
        project.entries.clear();
        project.count = Some(0);
    });
    let said =
        stub.sync(&home).exits(3).says("it leaves out most functions, and 4 of them still answer");
    assert_eq!((gone(&home).len(), &said.json()["list"]["proven"]), (0, &false.into()));
    stub.change(|project| project.known.clear());
    let said = stub.sync(&home).exits(0).says("and 1 more");
    assert_eq!(
        said.stderr.lines().filter(|line| line.contains("gone:")).count(),
        1,
        "{}",
        said.stderr
    );
    assert_eq!(gone(&home).len(), 4);
}

#[test]
fn what_is_listed_and_not_found_is_an_error() {
    let (home, stub) = (Home::new(), Stub::new(Project::of(3)));
    stub.sync(&home).exits(0);
    stub.change(|project| project.known.truncate(2));
    stub.sync(&home).exits(3).says("it was not found");
    assert_eq!(gone(&home), [""; 0]);
}

/// A monitor that reads the first line is answered by the exit code all the same.
#[test]
fn an_old_archive_is_told_by_the_exit_code_whoever_reads() {
    let (home, stub) = (Home::new(), Stub::new(Project::of(40)));
    stub.sync(&home).exits(0);
    let script = "\"$@\" 2>err | head -1 >/dev/null; echo ${PIPESTATUS[0]}";
    let mut command = std::process::Command::new("bash");
    command.args(["-c", script, "bash", crate::program::BINARY]);
    let said = home.run_as(command, ["status", "--max-age", "0s"]).output();
    assert_eq!(said.stdout, "7\n");
    let told = std::fs::read_to_string(home.join("err")).unwrap();
    assert!(
        told.contains("default:f0002 covered through") && told.contains("and 37 more functions"),
        "{told}"
    );
    assert!(!told.contains("f0003"), "{told}");
}
