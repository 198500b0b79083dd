//! The reading commands as a person or a script meets them: stdout, stderr and exit code.

use crate::program::{BINARY, Home};
use fgarchive::store::file::Archive;
use pretty_assertions::assert_eq;
use rusqlite::Connection;
use std::process::Command;

const ROWS: &str = "
    INSERT INTO functions (id, urn, region, project_id, package, name, qualifier, first_seen_at)
                   VALUES (1, 'urn:fss:cn-north-4:0123:function:default:report', 'cn-north-4',
                       '0123', 'default',
                                  'report', 'latest', '2026-03-01T00:00:00Z');
    INSERT INTO runs (id, started_at, updated_at, ended_at, outcome, exit_code) VALUES
        (1, '2026-03-01T12:00:00Z', '2026-03-01T12:00:30Z', '2026-03-01T12:00:30Z', 'complete', 0);
    INSERT INTO invocations VALUES
        ('a1', 1, 'SUCCESS', NULL, NULL, '2026-03-01T10:00:00Z', '2026-03-01T10:00:10Z', 1, 1, NULL,
         NULL, NULL),
        ('a2', 1, 'FAIL', 1001, 'out of memory', '2026-03-01T11:00:00Z', '2026-03-01T11:00:04Z', 1,
         1, NULL, NULL, NULL);
    INSERT INTO windows VALUES
        (1, '2026-03-01T00:00:00Z', '2026-03-01T12:00:00Z', 'settled', 'both', 2, 2, 1,
         '2026-03-01T12:00:30Z', NULL);";

fn archive() -> Home {
    let home = Home::new();
    let mut archive = Archive::open(&home.db()).unwrap();
    Connection::open(home.db()).unwrap().execute_batch(ROWS).unwrap();
    archive.accept_records().unwrap();
    home
}

/// Exit code, stdout and stderr.
fn said(home: &Home, arguments: &[&str]) -> (i32, String, String) {
    let said = home.run(arguments).output();
    (said.code(), said.stdout, said.stderr)
}

#[test]
fn a_report_is_data_on_stdout_and_nothing_on_stderr() {
    let archive = archive();
    let (code, stdout, stderr) =
        said(&archive, &["query", "summary", "--function", "report", "--format", "csv"]);
    assert_eq!(
        stdout,
        "function,records,success,fail,discard,running,wait,other,failed_percent,first,last\n\
         default:report,2,1,1,0,0,0,0,50,2026-03-01T10:00:00Z,2026-03-01T11:00:00Z\n"
    );
    assert_eq!((code, stderr.as_str()), (0, ""));
}

#[test]
fn a_header_is_left_out_when_it_is_not_wanted() {
    let archive = archive();
    let statement =
        "SELECT request_id, error_message, '=1' || char(9, 10) || '\\' FROM invocations ORDER BY 1";
    for (format, options, expected) in [
        ("csv", &["--no-header"][..], "a1,,\"=1\t\n\\\"\na2,out of memory,\"=1\t\n\\\"\n"),
        ("tsv", &["--no-header"], "a1\t\t=1\\t\\n\\\\\na2\tout of memory\t=1\\t\\n\\\\\n"),
        ("tsv", &["--no-header", "--csv-safe", "--max-rows", "1"], "a1\t\t'=1\\t\\n\\\\\n"),
    ] {
        let arguments = [&["query", "sql", statement, "--format", format], options].concat();
        assert_eq!(said(&archive, &arguments).1, expected, "{format} {options:?}");
    }
}

#[test]
fn times_are_read_in_every_form() {
    let archive = archive();
    let records = |since: &str| {
        let (code, stdout, stderr) =
            said(&archive, &["query", "slowest", "--format", "ndjson", "--since", since]);
        assert_eq!((code, stderr.as_str()), (0, ""), "{since}");
        stdout.lines().count()
    };
    assert_eq!(records("2026-03-01"), 2);
    assert_eq!(records("2026-03-01T11:00:00"), 1);
    assert_eq!(records("2026-03-01T19:00:01+08:00"), 0);
    assert_eq!(records("50000d"), 2);
    assert_eq!((records("2026-03"), records("2026-04")), (2, 0));
    let (code, _, stderr) = said(&archive, &["query", "slowest", "--since", "someday"]);
    assert_eq!(code, 2);
    assert!(
        stderr.starts_with("error: --since: \"someday\" is neither a time nor an age\n"),
        "{stderr}"
    );
}

#[test]
fn mistakes_of_usage_exit_with_2() {
    let archive = archive();
    for (arguments, expected) in [
        (
            &["query", "sumary"][..],
            "there is no report `sumary`\n\nhint: the nearest names: summary, ",
        ),
        (&["query", "sql"], "`query sql` needs a statement"),
        (&["query", "sql", "DELETE FROM runs"], "it does more than read"),
        (&["query", "sql", "SELECT 1", "--since", "7d"], "takes no options of a report"),
        (&["query", "summary", "SELECT 1"], "`query summary` takes no statement"),
        (&["query", "slowest", "--param", "limit"], "NAME=VALUE"),
        (&["query", "runs", "--no-header"], "--no-header changes nothing of the format `table`"),
        (
            &["query", "runs", "--csv-safe", "--format", "json"],
            "--csv-safe changes nothing of the format `json`",
        ),
        (&["query", "slowest", "--param", "top=3"], "hint: it takes: limit"),
        (
            &["query", "record"],
            "the report needs `id`\n\nhint: it takes the request id of a record",
        ),
        (&["query", "list", "--max-rows", "2"], "`query list` takes no options of a report"),
        (&["query", "schema", "--timeout", "1s"], "`query schema` takes no options of a report"),
        (
            &["query", "runs", "--function", "default:report"],
            "the report `runs` does not take --function\n\nhint: `fgarchive query runs --explain` \
             shows what it takes",
        ),
        (&["query", "summary", "--function", "other"], "hint: it holds: default:report"),
        (&["status", "-q", "-v"], "cannot be used with"),
        (&["sta"], "similar"),
    ] {
        let (code, stdout, stderr) = said(&archive, arguments);
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
}

#[test]
fn an_archive_that_cannot_be_used_exits_with_6() {
    let archive = archive();
    std::fs::write(archive.join("letter.txt"), "a letter").unwrap();
    for (path, expected) in [
        ("nowhere.db", "no such file"),
        ("letter.txt", "it is no SQLite file"),
        (".", "a directory"),
    ] {
        for command in [&["query", "runs"][..], &["status"], &["check"]] {
            let (code, stdout, stderr) = said(&archive, &[command, &["--db", path]].concat());
            assert_eq!((code, stdout.as_str()), (6, ""), "{command:?} {path}");
            assert!(stderr.contains(expected) && stderr.contains("\nhint: "), "{stderr}");
        }
    }
}

#[test]
fn a_failure_is_one_json_object_when_asked_for() {
    let archive = archive();
    let (code, _, stderr) =
        said(&archive, &["--log-format", "json", "--db", "nowhere.db", "status"]);
    let object: serde_json::Value = serde_json::from_str(&stderr).unwrap();
    assert_eq!((code, &object["exit_code"]), (6, &6.into()));
}

#[test]
fn an_old_archive_is_a_finding_and_is_still_shown() {
    let archive = archive();
    let (code, stdout, stderr) = said(&archive, &["status", "--json", "--max-age", "2h"]);
    let status: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(status["functions"][0]["covered_through"], "2026-03-01T12:00:00Z");
    assert_eq!(code, 7);
    assert!(
        stderr.starts_with(
            "error: the archive is older than 2h: last good run: 2026-03-01T12:00:30Z; "
        ),
        "{stderr}"
    );
    assert_eq!(said(&archive, &["status", "--max-age", "50000d"]).0, 0);
}

#[test]
fn a_check_prints_what_it_found_and_exits_with_7() {
    let archive = archive();
    let connection = Connection::open(archive.db()).unwrap();
    connection.execute_batch("UPDATE digests SET records = 0, digest = 0").unwrap();
    let (code, stdout, stderr) = said(&archive, &["check"]);
    assert!(stdout.contains("default:report 2026-03-01: 2 records, 0 were written"), "{stdout}");
    assert!(stderr.contains("breaks its rules: digests"), "{stderr}");
    assert_eq!(code, 7);
    let (code, stdout, _) = said(&archive, &["check", "--accept"]);
    assert_eq!(
        (code, stdout.as_str()),
        (0, "accepted default:report 2026-03-01: 2 records, 0 were written\n")
    );
    assert_eq!(said(&archive, &["check"]), (0, "ok\n".to_owned(), String::new()));
    connection.execute_batch("UPDATE windows SET distinct_count = 1").unwrap();
    let (code, stdout, stderr) = said(&archive, &["check"]);
    assert_eq!(code, 7);
    assert!(
        stdout.starts_with("window-count: ") && stdout.contains("reported 2, stored 1"),
        "{stdout}"
    );
    assert!(stderr.contains("breaks its rules: window-count"), "{stderr}");
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let archive = archive();
    let status = |value: &str| archive.run(["status"]).env("FGARCHIVE_DB", value).output().code();
    assert_eq!((status(""), status("other.db")), (0, 6));
}

/// As in `fgarchive query … | head`: the reader has gone before the first line.
#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let archive = archive();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = Command::new(BINARY)
        .env_clear()
        .current_dir(archive.path())
        .args(["query", "sql", "SELECT value FROM json_each('[1,2,3]')", "--format", "ndjson"])
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!(
        (output.status.code(), String::from_utf8(output.stderr).unwrap()),
        (Some(0), String::new())
    );
}

/// What an answer in CSV holds in its first column.
fn first_column(home: &Home, arguments: &[&str]) -> Vec<String> {
    let said = home.run(arguments).args(["--format", "csv", "--no-header"]).exits(0);
    said.stdout.lines().map(|line| line.split(',').next().unwrap().to_owned()).collect()
}

#[test]
fn a_period_is_in_the_answer_from_its_begin_to_its_end() {
    let archive = archive();
    let ids = |options: &[&str]| {
        let mut ids = first_column(&archive, &[&["query", "slowest"], options].concat());
        ids.sort();
        ids.join(" ")
    };
    assert_eq!(ids(&["--since", "2026-03-01", "--until", "2026-03-01"]), "a1 a2");
    assert_eq!(ids(&["--since", "2026-03", "--until", "2026-03"]), "a1 a2");
    assert_eq!(ids(&["--until", "2026-03-01T11:00"]), "a1");
    // Noon in Berlin is 11:00 in UTC. At 10:00 March begins in Honolulu, and 2 March in Kiritimati.
    assert_eq!(ids(&["--tz", "Europe/Berlin", "--since", "2026-03-01T12:00"]), "a2");
    assert_eq!(ids(&["--tz", "Pacific/Honolulu", "--until", "2026-02"]), "");
    assert_eq!(ids(&["--tz", "Pacific/Kiritimati", "--since", "2026-03-02"]), "a1 a2");
    let hours = |zone| first_column(&archive, &["query", "throughput", "--tz", zone]).join(" ");
    assert_eq!(hours("Asia/Kolkata"), "2026-03-01T15:00:00+05:30 2026-03-01T16:00:00+05:30");
    let sql = "SELECT local_time(start_time) FROM invocations ORDER BY 1 LIMIT 1";
    let local = first_column(&archive, &["query", "sql", sql, "--tz", "europe/berlin"]);
    assert_eq!(local, ["2026-03-01T11:00:00+01:00"]);
    archive
        .run(["query", "summary", "--tz", "Berlin"])
        .exits(2)
        .says("--tz")
        .says("there is no time zone `Berlin`; the nearest names: Europe/Berlin");
}

#[test]
fn functions_statuses_and_limits_narrow_an_answer() {
    let archive = archive();
    let ids = |options: &[&str]| {
        first_column(&archive, &[&["query", "slowest"], options].concat()).join(" ")
    };
    assert_eq!(ids(&["--function", "default:*", "--function", "r*"]), "a1 a2");
    assert_eq!(ids(&["--status", "fail"]), "a2");
    assert_eq!(ids(&["--limit", "1"]), "a1");
    for (options, expected) in [
        (&["slowest", "--function", "x*"][..], "the archive holds no function that `x*` matches"),
        (&["summary", "--status", "FAIL"], "the report `summary` does not take --status"),
        (&["summary", "--limit", "3"], "the report `summary` does not take --limit"),
        (&["slowest", "--limit", "0"], "`0` is no value for `limit`"),
        (&["slowest", "--status", "FAILED"], "no record has the status `FAILED`"),
    ] {
        archive.run(["query"]).args(options).exits(2).says(expected).prints("");
    }
    archive.run(["status", "--function", "*:rep*", "--json"]).exits(0);
    archive.run(["status", "--function", "*:x"]).exits(2).says("hint: it holds: default:report");
}
