//! What scripts and people rely on: outputs, exit codes, options.

use crate::archive;
use crate::cloud::{Cloud, later, settled_world};
use crate::program::{BINARY, Home};
use crate::truth;
use pretty_assertions::assert_eq;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

fn keys(object: &Value) -> BTreeSet<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn sync_prints_one_object_that_tells_the_truth() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let report = home.sync(&cloud).args(["--json"]).exits(0);
    assert_eq!(report.stdout.lines().count(), 1);
    let report = report.json();
    let expected = [
        "run",
        "outcome",
        "exit_code",
        "requests",
        "retries",
        "throttled",
        "records_seen",
        "records_new",
        "records_changed",
        "records_late",
        "records_rejected",
        "functions",
    ];
    assert!(keys(&report).is_superset(&expected.into()), "{report}");
    let records = truth::records(&cloud, cloud.now()).len();
    assert_eq!(report["run"].as_i64(), Some(1), "as `runs.id`");
    assert_eq!(
        (report["outcome"].as_str(), report["exit_code"].as_u64()),
        (Some("complete"), Some(0))
    );
    assert_eq!(
        (report["records_new"].as_u64(), report["requests"].as_u64()),
        (Some(records as u64), Some(cloud.journal().total()))
    );
    let functions = report["functions"].as_array().unwrap();
    assert_eq!(functions.len(), 3);
    assert!(
        keys(&functions[0]).is_superset(
            &["urn", "begin_time", "end_time", "complete", "unproven", "error"].into()
        )
    );
    let stored =
        archive::rows(&home.db(), "SELECT outcome, exit_code, requests, records_new FROM runs");
    assert_eq!(stored, [format!("complete|0|{}|{records}", cloud.journal().total())]);
}

#[test]
fn a_run_says_one_line_on_stderr_and_nothing_on_stdout() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    for _ in 0..2 {
        let said = home.sync(&cloud).exits(0).prints("");
        assert_eq!(said.stderr.lines().count(), 1, "{}", said.stderr);
        assert!(
            said.stderr.contains(" INFO ")
                && said.stderr.contains(" complete functions=3 requests="),
            "{}",
            said.stderr
        );
    }
    let said = home.sync(&cloud).args(["--quiet"]).exits(0).prints("");
    assert_eq!(said.stderr, "");
    let said = home.sync(&cloud).args(["--log-format", "json"]).exits(0).prints("");
    let line: Value = serde_json::from_str(said.stderr.trim_end()).unwrap();
    assert_eq!((line["level"].as_str(), line["functions"].as_u64()), (Some("INFO"), Some(3)));
}

#[test]
fn a_failure_can_be_read_by_a_program() {
    let home = Home::new();
    let said = home.run(["--log-format", "json", "status"]).exits(6);
    let line: Value = serde_json::from_str(said.stderr.trim_end()).unwrap();
    assert_eq!((line["exit_code"].as_u64(), line["level"].as_str()), (Some(6), Some("ERROR")));
    assert!(line["hint"].as_str().unwrap().contains("--db"), "{line}");
}

#[test]
fn a_dry_run_writes_nothing_and_tells_what_it_would_cost() {
    let (home, cloud) = (
        Home::new(),
        Cloud::new(fgarchive::emulator::WorldSpec { records: 20_000, ..settled_world() }),
    );
    let plan = |home: &Home| home.sync(&cloud).args(["--dry-run", "--json"]).exits(0).json();
    let cost = |home: &Home| {
        cloud.emulator.forget();
        home.sync(&cloud).exits(0);
        cloud.listings()
    };
    let first = plan(&home);
    assert!(home.bytes().is_empty(), "a dry run made something");
    let records: u64 = first["functions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|function| function["expected_records"].as_u64().unwrap())
        .sum();
    assert_eq!(records, 20_000);
    let (told, asked) = (first["requests"].as_u64().unwrap(), cost(&home));
    assert!(told.abs_diff(asked) <= asked / 10 + 3, "told {told}, asked {asked}");
    let before = home.kept();
    let second = plan(&home);
    assert!(home.kept() == before, "a dry run changed something");
    let (told, asked) = (second["requests"].as_u64().unwrap(), cost(&home));
    assert!(told.abs_diff(asked) <= 3, "told {told}, asked {asked}");
    let said = home.sync(&cloud).args(["--dry-run"]).exits(0).stdout;
    assert!(
        said.contains("default:order-export: about ") && said.contains(" requests\n  "),
        "{said}"
    );
}

#[test]
fn status_tells_what_is_covered_and_whether_it_is_fresh() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    home.sync(&cloud).exits(0);
    let status = home.run(["status", "--json"]).exits(0).json();
    assert_eq!(keys(&status), ["functions", "last_good_run", "last_run", "warnings"].into());
    for function in status["functions"].as_array().unwrap() {
        assert_eq!(function["covered_through"], cloud.now().to_string());
        assert_eq!(
            function["settled_through"],
            later(cloud.now(), -truth::SETTLE_DELAY).to_string()
        );
        assert_eq!((function["gaps"].as_u64(), function["open"].as_u64()), (Some(0), Some(0)));
    }
    let table = home.run(["status"]).exits(0).stdout;
    assert!(table.contains("covered_through") && table.contains("order-export"), "{table}");
    home.run(["status", "--max-age", "2h"]).exits(0);
}

#[test]
fn status_exits_7_when_coverage_is_old() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    home.sync(&cloud).args(["--until", "3h"]).exits(0);
    home.run(["status", "--max-age", "4h"]).exits(0);
    let said = home
        .run(["status", "--max-age", "2h"])
        .exits(7)
        .says("error: the archive is older than 2h: ")
        .says("order-export covered through: ");
    assert!(said.stdout.contains("order-export"), "what is found is printed all the same");
}

#[test]
fn check_exits_7_on_a_finding() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    home.sync(&cloud).exits(0);
    home.run(["check"]).exits(0);
    let connection = rusqlite::Connection::open(home.db()).unwrap();
    connection
        .execute_batch(
            "UPDATE windows SET end_time = '2999-01-01T00:00:00Z' WHERE state = 'settled'",
        )
        .unwrap();
    drop(connection);
    home.run(["check"]).exits(7);
}

#[test]
fn emulate_tells_a_shell_how_to_reach_it() {
    let home = Home::new();
    let mut emulator = home
        .run([
            "emulate",
            "--port",
            "0",
            "--records",
            "600",
            "--span",
            "5d",
            "--dump-world",
            "world.ndjson",
        ])
        .start();
    emulator.until("it has told everything", |emulator| {
        emulator.printed().contains("CLOUD_SDK_SK=emulator-secret\n")
    });
    let told = emulator.printed();
    let (url, exports) = told.split_once('\n').unwrap();
    assert!(url.starts_with("http://127.0.0.1:") && !url.ends_with(":0"), "{url}");
    let exports: Vec<_> = exports
        .lines()
        .map(|line| line.strip_prefix("export ").unwrap().split_once('=').unwrap())
        .collect();
    let names: BTreeSet<_> = exports.iter().map(|(name, _)| *name).collect();
    assert!(
        names.contains("FGARCHIVE_ENDPOINT") && names.contains("HUAWEICLOUD_SDK_SK"),
        "{names:?}"
    );
    let sync = home.run(["sync", "--all-functions", "--max-rps", "1000"]);
    exports.iter().fold(sync, |sync, (name, value)| sync.env(name, value)).exits(0);
    // In any shell, and with nothing of our own: what the vendor's SDKs and samples read is enough.
    std::fs::write(home.join("exports"), told.split_once('\n').unwrap().1).unwrap();
    let ours =
        "FGARCHIVE_ENDPOINT HUAWEICLOUD_SDK_AK HUAWEICLOUD_SDK_SK HUAWEICLOUD_SDK_PROJECT_ID";
    for (shell, take) in [
        ("sh", ". ./exports"),
        ("bash", ". ./exports"),
        ("sh", "eval \"$(cat exports)\""),
        ("bash", "eval \"$(cat exports)\""),
    ] {
        let script = format!(
            "set -eu; {take}; unset {ours}; exec \"$0\" --db \"$1\".db sync --all-functions \
             --max-rps 1000"
        );
        home.run_as(
            std::process::Command::new(shell),
            ["-c", &script, crate::program::BINARY, shell],
        )
        .exits(0);
        let (theirs, own) =
            (archive::records(&home.join(&format!("{shell}.db"))), archive::records(&home.db()));
        assert!(!own.is_empty() && own.keys().all(|id| theirs.contains_key(id)), "{shell}: {take}");
    }
    // The dump holds what was listed before; some records are listed a little later.
    let dumped = std::fs::read_to_string(home.join("world.ndjson")).unwrap();
    let archived = archive::records(&home.db());
    assert!(dumped.lines().count() > 550);
    for line in dumped.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        assert!(archived.contains_key(record["request_id"].as_str().unwrap()), "{line}");
    }
    emulator.signal("TERM");
    emulator.wait().exits(0);
}

#[test]
fn the_demo_shows_the_whole_program_and_leaves_nothing() {
    let home = Home::new();
    let said = home.run(["demo"]).exits(0).stdout;
    for text in [
        "First run: complete",
        "Second run, half an hour later: complete",
        "$ fgarchive query summary",
        "$ fgarchive query latency",
        "$ fgarchive query coverage",
        "$ fgarchive query sql",
    ] {
        assert!(said.contains(text), "`{text}` is not in: {said}");
    }
    assert!(home.bytes().is_empty());
    home.run(["demo", "--keep", "kept.db"]).exits(0);
    home.run(["check", "--db", "kept.db"]).exits(0);
}

#[test]
fn a_demo_that_is_interrupted_leaves_nothing() {
    let home = Home::new();
    let temporary = home.join("tmp");
    fs::create_dir(&temporary).unwrap();
    let made = || fs::read_dir(&temporary).unwrap().count();
    for signal in ["INT", "TERM", "HUP"] {
        // Whoever runs the tests in the background has INT ignored, and a program keeps it so.
        let mut heeding = Command::new("env");
        heeding.args(["--default-signal=INT,TERM,HUP", BINARY]);
        let demo = home.run_as(heeding, ["demo", "--keep", "kept.db"]);
        let mut demo = demo.env("TMPDIR", &temporary).start();
        demo.until("the demo has begun", |_| made() > 0);
        demo.signal(signal);
        demo.wait().exits(130).says("interrupted");
        assert_eq!(made(), 0, "{signal}");
        assert!(home.bytes().is_empty(), "{signal}: something was kept");
    }
}

#[test]
fn help_names_every_option() {
    let everywhere = ["--db", "--verbose", "--quiet", "--log-format"];
    let commands: [(&[&str], &[&str]); 6] = [
        (
            &["sync"],
            &[
                "--endpoint",
                "--region",
                "--project-id",
                "--function",
                "--all-functions",
                "--since",
                "--until",
                "--settle-delay",
                "--open-recheck",
                "--concurrency",
                "--max-rps",
                "--dry-run",
                "--json",
                "--ca-cert",
                "--allow-plain-http",
            ],
        ),
        (&["status"], &["--max-age", "--json"]),
        (&["query"], &["--since", "--until", "--function", "--param", "--format"]),
        (&["check"], &[]),
        (
            &["emulate"],
            &[
                "--port",
                "--records",
                "--functions",
                "--span",
                "--seed",
                "--live",
                "--faults",
                "--order",
                "--bounds",
                "--count",
            ],
        ),
        (&["demo"], &[]),
    ];
    let home = Home::new();
    for (command, options) in commands {
        let help = home.run(command).args(["--help"]).exits(0);
        assert_eq!(help.stderr, "");
        for option in everywhere.iter().chain(options) {
            assert!(help.stdout.contains(option), "{command:?} --help does not name {option}");
        }
    }
    let help = home.run(["--help"]).exits(0).stdout;
    for line in [
        "Exit codes:",
        "  0    complete",
        "  6    the archive cannot be used",
        "  130  interrupted",
    ] {
        assert!(help.contains(line), "`{line}` is not in: {help}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    home.sync(&cloud).exits(0);
    let mut shell = std::process::Command::new("bash");
    shell.args([
        "-c",
        "set -o pipefail; \"$0\" query sql 'SELECT * FROM invocations' --format csv | head -n 1",
    ]);
    let said = home.run_as(shell, [crate::program::BINARY]).exits(0);
    assert_eq!((said.stdout.lines().count(), said.stderr.as_str()), (1, ""));
}
