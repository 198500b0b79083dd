//! What cannot be read is refused with exit 2 before anything is asked or made.

use crate::cloud::{Cloud, settled_world};
use crate::program::Home;

#[test]
fn what_cannot_be_read_is_usage() {
    let all: &[&str] = &["sync", "--all-functions"];
    let cases: [(&[&str], &str); 22] = [
        (&["sync"], "error: no function was named"),
        (
            &["sync", "--function", "urn:fss:cn-north-4"],
            "`urn:fss:cn-north-4` is neither a function's name",
        ),
        (&["sync", "--function", "urn:fss:a:b:function:c:d:e:f:g"], "is neither a function's name"),
        (&["sync", "--function", ""], "is neither a function's name"),
        (&["--since", "someday"], "error: --since: \"someday\" is neither a time nor an age"),
        (
            &["--since", "2026-13-01T00:00:00Z"],
            "--since: \"2026-13-01T00:00:00Z\" is neither a time nor an age",
        ),
        (&["--until", "soon"], "error: --until: \"soon\" is neither a time nor an age"),
        (
            &["--since", "2026-03-02", "--until", "2026-03-01"],
            "error: --until 2026-03-02T00:00:00Z is not after --since 2026-03-02T00:00:00Z",
        ),
        (&["--since", "1d", "--until", "2d"], "is not after --since"),
        (&["--since", "9999-01-01"], "is not in the past"),
        (&["--settle-delay", "soon"], "invalid value 'soon' for '--settle-delay <DURATION>'"),
        (&["--max-rps", "0"], "must be greater than 0"),
        (&["--max-rps", "NaN"], "it is no number"),
        (&["--max-rps", "1e400"], "must be finite"),
        (
            &["--max-rps", "1e-19"],
            "invalid value '1e-19' for '--max-rps <N>': must be at least 0.0000116, once a day",
        ),
        (&["--max-rps", "1e-300"], "invalid value '1e-300' for '--max-rps <N>': must be at least"),
        (&["--since", "-7d"], "error: --since: \"-7d\" is neither a time nor an age"),
        (&["--max-rps", "-1"], "invalid value '-1' for '--max-rps <N>': must be greater than 0"),
        (&["--settle-delay", "-15m"], "invalid value '-15m' for '--settle-delay <DURATION>'"),
        (&["--concurrency", "0"], "invalid value '0' for '--concurrency <N>'"),
        (&["--request-timeout", "0s"], "invalid value '0s' for '--request-timeout <DURATION>'"),
        (&["--function-name", "x"], "unexpected argument '--function-name'"),
    ];
    for (args, message) in cases {
        let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
        let args = if args[0] == "sync" { args.to_vec() } else { [all, args].concat() };
        home.run(&args).signed().to(&cloud).exits(2).says(message).prints("");
        assert_eq!(cloud.journal().total(), 0, "{args:?}: the service was asked");
        assert!(home.bytes().is_empty(), "{args:?}: something was made");
    }
}

#[test]
fn a_value_below_nothing_is_refused_with_the_name_of_its_option() {
    for (args, message) in [
        (["emulate", "--records", "-1"], "invalid value '-1' for '--records <N>'"),
        (["emulate", "--port", "-1"], "invalid value '-1' for '--port <PORT>'"),
        (["emulate", "--span", "-1d"], "invalid value '-1d' for '--span <SPAN>'"),
        (["emulate", "--page-cap", "-1"], "invalid value '-1' for '--page-cap <N>'"),
        (["demo", "--at", "-1d"], "error: --at: \"-1d\" is neither a time nor an age"),
    ] {
        Home::new().run(args).exits(2).says(message).prints("");
    }
}

#[test]
fn a_question_about_a_range_that_ends_before_it_begins_is_refused() {
    let home = Home::new();
    for (since, until) in [("1d", "7d"), ("2026-03-02", "2026-03-01"), ("this-week", "last-week")] {
        let said = home.run(["query", "summary", "--since", since, "--until", until]).exits(2);
        said.says("is not after --since").says("\nhint: an age counts back from now").prints("");
    }
}

#[test]
fn an_empty_path_counts_as_not_given() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let run = |db: &str| home.sync_since(&cloud, "1d").args(["--db", ""]).env("FGARCHIVE_DB", db);
    run("mine.db").exits(0);
    assert!(home.join("mine.db").exists() && !home.db().exists());
    run("").exits(0);
    assert!(home.db().exists());
}

#[test]
fn an_address_that_cannot_be_used_is_usage() {
    for (endpoint, message) in [
        ("not a url", "it is no URL"),
        ("functiongraph", "it is no URL"),
        (
            "ftp://127.0.0.1",
            "\"ftp://127.0.0.1\" cannot be used: its scheme is neither https nor http",
        ),
        (
            "http://functiongraph.example",
            "plain http is accepted for this machine's own addresses only",
        ),
        ("http://10.0.0.1:8080", "with --allow-plain-http"),
        ("https://user:hunter2@functiongraph.example", "the address cannot be used"),
    ] {
        for by_variable in [true, false] {
            let home = Home::new();
            let program = home.run(["sync", "--all-functions", "--region", "cn-north-4"]).signed();
            let program = if by_variable {
                program.env("FGARCHIVE_ENDPOINT", endpoint)
            } else {
                program.args(["--endpoint", endpoint])
            };
            let said = program.exits(2).says(message).prints("");
            let place = if by_variable { "FGARCHIVE_ENDPOINT" } else { "--endpoint" };
            let begin = format!("error: {place}: ");
            assert!(
                said.stderr.starts_with(&begin) && !said.stderr.contains("hunter2"),
                "{}",
                said.stderr
            );
            assert!(home.bytes().is_empty(), "{endpoint}: something was made");
        }
    }
}

#[test]
fn a_region_is_needed_and_can_come_from_a_urn() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let nowhere = |args: &[&str]| home.run(args).signed();
    nowhere(&["sync", "--all-functions"]).exits(2).says("region");
    let urn = cloud.functions()[0].to_string();
    nowhere(&["sync", "--function", &urn, "--max-rps", "100000"])
        .env("FGARCHIVE_ENDPOINT", &cloud.url)
        .exits(0);
}

#[test]
fn without_a_command_it_explains_itself() {
    let home = Home::new();
    let none: [&str; 0] = [];
    let said = home.run(none).output();
    assert_eq!(said.code(), 2);
    assert!(said.everything().contains("Usage: fgarchive"), "{}", said.everything());
    assert!(home.run(["--version"]).exits(0).stdout.starts_with("fgarchive "));
}
