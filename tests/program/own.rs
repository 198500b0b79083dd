//! Questions that people bring along: reports of their own, statements in files, and the schema to
//! write them by.

use crate::program::Home;
use fgarchive::store::file::Archive;
use pretty_assertions::assert_eq;
use rusqlite::Connection;
use std::fs;

fn archive() -> Home {
    let home = Home::new();
    drop(Archive::open(&home.db()).unwrap());
    let rows = "
        INSERT INTO functions (id, urn, region, project_id, package, name, qualifier, first_seen_at)
            VALUES (1, 'urn:fss:r:p:function:default:report', 'r', 'p', 'default', 'report', 'latest', '');
        INSERT INTO runs (id, started_at, updated_at) VALUES (1, '2026-03-01T12:00:00Z', '2026-03-01T12:00:30Z');
        INSERT INTO invocations VALUES
            ('a1', 1, 'SUCCESS', NULL, NULL, '2026-03-01T10:00:00Z', '2026-03-01T10:00:10Z', 1, 1, NULL, NULL, NULL),
            ('a2', 1, 'FAIL', 1001, NULL, '2026-03-02T11:00:00Z', '2026-03-02T11:00:04Z', 1, 1, NULL, NULL, NULL);";
    Connection::open(home.db()).unwrap().execute_batch(rows).unwrap();
    home
}

const MINE: &str = "-- Ids of records.
--
-- param status= (status): only of this status
-- param least=0s (duration 0s..1h): how long they took at least
SELECT request_id
  FROM chosen_records
 WHERE (:status IS NULL OR status = :status)
   AND unixepoch(end_time) - unixepoch(start_time) >= :least
 ORDER BY 1";

fn with_reports(files: &[(&str, &str)]) -> Home {
    let home = archive();
    fs::create_dir(home.join("reports")).unwrap();
    for (name, text) in files {
        fs::write(home.join("reports").join(name), text).unwrap();
    }
    home
}

#[test]
fn an_answer_for_others_says_that_there_may_be_more() {
    let first = "-- The first.\n-- param limit=1 (int 1..): how many\n\
                 SELECT request_id FROM chosen_records ORDER BY 1 LIMIT :limit";
    let home = with_reports(&[("first.sql", first)]);
    let told = |options: &[&str]| {
        let said = home.run(["query", "first", "--reports", "reports"]).args(options).exits(0);
        said.stderr.matches("there may be more: the report `first` gives one row").count()
    };
    assert_eq!(told(&["--format", "csv"]), 1);
    assert_eq!(told(&["--output", "first.txt"]), 1);
    assert_eq!(told(&[]), 1, "a pipe has no end that somebody sees");
    let (code, shown) = home.run(["query", "first", "--reports", "reports"]).on_terminal(80, 24);
    assert!(code == 0 && shown.contains("a1") && !shown.contains("may be more"), "{shown}");
    assert_eq!(told(&["--format", "csv", "--limit", "1"]), 0, "as it was said");
    assert_eq!(told(&["--format", "csv", "--until", "2026-02"]), 0, "there is none");
}

#[test]
fn a_report_of_ones_own_takes_what_ours_take() {
    let home = with_reports(&[("mine.sql", MINE), ("notes.txt", "no report")]);
    let ids = |options: &[&str]| {
        let answer = home.run(["query", "mine", "--reports", "reports"]).args(options);
        answer.args(["--format", "csv", "--no-header"]).exits(0).stdout.replace('\n', " ")
    };
    assert_eq!(ids(&[]), "a1 a2 ");
    assert_eq!(ids(&["--until", "2026-03-01"]), "a1 ");
    assert_eq!(ids(&["--status", "fail", "--function", "*:report"]), "a2 ");
    assert_eq!(ids(&["--param", "least=5s"]), "a1 ");
    home.run(["query", "mine", "--limit", "1"])
        .env("FGARCHIVE_REPORTS", "reports")
        .exits(2)
        .says("the report `mine` does not take --limit");
    let listed = home.run(["query", "list", "--reports", "reports", "--format", "json"]).exits(0);
    let listed = listed.json();
    let mine = listed.as_array().unwrap().last().unwrap();
    assert_eq!(mine["answers"], "Ids of records.");
    assert_eq!(mine["parameters"], "status= least=0s");
    let explained = home.run(["query", "mine", "--explain", "--reports", "reports"]).exits(0);
    assert!(explained.stdout.starts_with("-- Ids of records.\n"), "{}", explained.stdout);
    home.run(["query", "mine"]).exits(2).says("there is no report `mine`");
    home.run(["query", "mines", "--reports", "reports"]).exits(2).says("the nearest names: mine,");
}

#[test]
fn a_file_that_is_no_report_is_refused_with_its_line_and_ours_go_on() {
    let home = with_reports(&[
        ("summary.sql", MINE),
        ("two.sql", "-- Two.\nSELECT 1;\nSELECT 2"),
        ("writes.sql", "-- Writes.\nDELETE FROM runs"),
        ("typed.sql", "-- Typed.\n--\n-- param n=1 (number): how many\nSELECT :n"),
    ]);
    let before = fs::read(home.db()).unwrap();
    for (name, told) in [
        ("summary", "reports/summary.sql:1: `summary` is the name of a report of the program"),
        ("two", "reports/two.sql:3: it holds more than one statement"),
        ("writes", "reports/writes.sql:2: it does more than read"),
        ("typed", "reports/typed.sql:3: this is no `param name=default (type): meaning`"),
        ("list", "reports/"),
    ] {
        home.run(["query", name, "--reports", "reports"]).exits(2).says(told).prints("");
    }
    home.run(["query", "latency", "--reports", "reports"]).exits(0);
    home.run(["query", "runs", "--reports", ""]).exits(0);
    home.run(["query", "runs", "--reports", "nowhere"])
        .exits(2)
        .says("--reports: there is no directory `nowhere`");
    assert!(fs::read(home.db()).unwrap() == before, "a question changed the archive");
}

#[test]
fn a_statement_may_come_from_a_file_and_take_parameters() {
    let home = archive();
    fs::write(
        home.join("ids.sql"),
        "-- Ids.\nSELECT request_id FROM invocations\n WHERE status = :s\n",
    )
    .unwrap();
    let ask = |options: &[&str]| {
        home.run(["query", "sql", "--format", "csv", "--no-header"]).args(options)
    };
    assert_eq!(ask(&["-f", "ids.sql", "--param", "s=FAIL"]).exits(0).stdout, "a2\n");
    let pasted = "s=FAIL' OR 1 = 1 --";
    assert_eq!(ask(&["-f", "ids.sql", "--param", pasted]).exits(0).stdout, "");
    let code =
        ["SELECT request_id FROM invocations WHERE error_code = :code", "--param", "code=1001"];
    assert_eq!(ask(&code).exits(0).stdout, "a2\n");
    assert_eq!(ask(&["-", "--param", "x=1"]).stdin("SELECT :x + 1").exits(0).stdout, "2\n");
    assert_eq!(ask(&["-f", "-"]).stdin("SELECT 7").exits(0).stdout, "7\n");
    fs::write(home.join("bytes.sql"), b"SELECT '\xff'").unwrap();
    for (options, told) in [
        (&["-f", "ids.sql"][..], "its parameter `:s` has no value\n\nhint: give each parameter"),
        (&["SELECT 1", "--param", "x=1"], "it has no parameter `:x`"),
        (&["-f", "nowhere.sql"], "cannot read a statement from `nowhere.sql`: No such file"),
        (&["-f", "bytes.sql"], "cannot read a statement from `bytes.sql`: it is not UTF-8"),
        (&["-f", "ids.sql", "SELECT 1"], "cannot be used with"),
        (
            &["SELECT 1,\n\tnobody"],
            "no such column: nobody (line 2, column 2)\n\n  2 |  nobody\n    |  ^\n\nhint: ",
        ),
        (&["SELECT 1; SELECT 2"], "  1 | SELECT 1; SELECT 2\n    |           ^\n"),
    ] {
        ask(options).exits(2).says(told).prints("");
    }
}

#[test]
fn the_schema_is_told_without_an_archive() {
    let home = Home::new();
    let tables = home.run(["query", "schema", "--format", "csv"]).exits(0).stdout;
    assert!(
        tables.contains("\ninvocations,table,\"one row a record, as last seen\"\n"),
        "{tables}"
    );
    assert!(tables.contains("\ncoverage,view,"), "{tables}");
    let columns = home.run(["query", "schema", "Invocations", "--format", "csv"]).exits(0).stdout;
    assert!(columns.contains("\nerror_code,ANY,"), "{columns}");
    assert!(columns.contains("\nfunction_id,INTEGER,→ `functions.id`\n"), "{columns}");
    home.run(["query", "schema", "invocation"]).exits(2).says("the nearest names: invocations");
    home.run(["query", "schema", "--since", "1d"]).exits(2).says("takes no options of a report");
    assert!(home.bytes().is_empty(), "something was made");
}
