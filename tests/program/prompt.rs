//! At the prompt: values as people type them, questions that use too much, and a terminal that text
//! must not move.

use crate::cloud::{Cloud, settled_world};
use crate::program::{BINARY, Home, Said};
use std::process::Command;

/// A home with an archive in it.
fn archived() -> Home {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    home.sync(&cloud).exits(0);
    home
}

/// Every format that `query` has.
const FORMATS: [&str; 8] = ["table", "line", "json", "ndjson", "csv", "tsv", "markdown", "html"];

fn sql(home: &Home, statement: &str, options: &[&str]) -> Said {
    home.run(["query", "sql", statement]).args(options).output()
}

#[test]
fn a_statement_may_begin_with_a_comment() {
    let home = archived();
    for statement in ["-- why\nSELECT 7 AS n", "--why\nSELECT 7 AS n", "/* why */ SELECT 7 AS n"] {
        assert_eq!(
            sql(&home, statement, &["--format", "csv"]).exits(0).stdout,
            "n\n7\n",
            "{statement}"
        );
    }
    home.run(["query", "summary", "--fromat", "json"])
        .exits(2)
        .says("unexpected argument '--fromat'");
}

#[test]
fn rows_are_counted_and_what_is_left_out_is_said() {
    let home = archived();
    let ten = "SELECT value AS n FROM json_each('[1,2,3,4,5,6,7,8,9,10]')";
    let said = sql(&home, ten, &["--max-rows", "2", "--format", "csv"])
        .exits(0)
        .says("only the first 2 rows");
    assert_eq!(said.stdout, "n\n1\n2\n");
    let all = sql(&home, ten, &["--max-rows", "10", "--format", "csv"]).exits(0);
    assert!(all.stdout.ends_with("10\n") && all.stderr.is_empty(), "{}", all.everything());
    sql(&home, ten, &["--max-rows", "-1"]).exits(2).says("'-1' for '--max-rows <N>'");
}

/// One instruction of SQLite's machine works for hours here, and takes no notice of anything
/// meanwhile.
#[test]
fn a_function_that_works_for_hours_is_ended() {
    let home = archived();
    for statement in [
        "SELECT instr(hex(zeroblob(15000000)), hex(zeroblob(7000000)) || '1')",
        "SELECT replace(hex(zeroblob(15000000)), hex(zeroblob(7000000)) || '1', '')",
    ] {
        let said = sql(&home, statement, &["--timeout", "1s"]).exits(2);
        let said = said.says("cannot finish the question").says("the time limit was reached");
        assert_eq!(said.stdout, "", "{statement}");
    }
}

#[test]
fn a_statement_that_wants_all_memory_is_refused_it() {
    let home = archived();
    let wide = vec!["hex(zeroblob(15000000))"; 40].join(", ");
    for format in FORMATS {
        let said = sql(&home, &format!("SELECT {wide}"), &["--format", format]).exits(2);
        said.says("it needs more memory than it may use").says("--max-memory");
    }
    let some = sql(
        &home,
        "SELECT length(hex(zeroblob(15000000)))",
        &["--format", "csv", "--max-memory", "1024"],
    );
    assert!(some.exits(0).stdout.ends_with("\n30000000\n"));
    sql(&home, "SELECT 1", &["--max-memory", "0"]).exits(2).says("--max-memory");
}

/// What SQLite does not need itself, the program holds: values in other forms, the rows of a table,
/// what a function counts.
#[test]
fn an_answer_that_does_not_fit_into_memory_is_an_error_and_no_abort() {
    let home = archived();
    let numbers = |most: u32| {
        format!(
            "WITH RECURSIVE n AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM n
                 WHERE x < {most}) SELECT"
        )
    };
    let wide = vec!["hex(zeroblob(100))"; 100].join(", ");
    let long_name = format!("{} x AS [{}] FROM n", numbers(10_000), "y".repeat(90_000));
    let cases = [
        ("SELECT zeroblob(16000000)".to_owned(), "csv", "40"),
        (
            "SELECT CAST(zeroblob(12000000) || x'ff' || zeroblob(12000000) AS TEXT)".to_owned(),
            "csv",
            "64",
        ),
        (format!("{} percentile_disc(x, 0.5) FROM n", numbers(1_000_000)), "table", "16"),
        (format!("{} {wide} FROM n", numbers(10_000)), "table", "256"),
        (long_name, "table", "256"),
    ];
    for (statement, format, most) in &cases {
        let options = ["--format", format, "--max-memory", most];
        let said =
            sql(&home, statement, &options).exits(2).says("it needs more memory than it may use");
        assert!(
            !said.stderr.contains("allocation") && !said.stderr.contains(".rs"),
            "{}",
            said.stderr
        );
        let said =
            sql(&home, statement, &[&options[..], &["--log-format", "json"]].concat()).exits(2);
        let object: serde_json::Value = serde_json::from_str(&said.stderr).unwrap();
        assert_eq!(object["causes"][0], "it needs more memory than it may use", "{object}");
    }
}

/// A value is written in another form piece by piece: the whole would be many times as long.
#[test]
fn what_fits_into_memory_as_it_is_can_be_written_in_every_form() {
    let home = archived();
    let escapes = "SELECT replace(hex(zeroblob(2000000)), '00', char(27) || char(27)) AS x,
                       zeroblob(2000000) AS y";
    let length = |format| {
        let said = sql(&home, escapes, &["--format", format, "--max-memory", "24"]).exits(0);
        said.stdout.len()
    };
    assert_eq!(
        length("markdown"),
        "| x | y |\n| --- | --- |\n|  |  |\n".len() + 4_000_000 * 7 + 4_000_000
    );
    assert_eq!(length("ndjson"), "{\"x\":\"\",\"y\":\"\"}\n".len() + 4_000_000 * 6 + 4_000_000);
    assert_eq!(length("tsv"), "x\ty\n\t\n".len() + 4_000_000 + 4_000_000);
    assert_eq!(length("line"), "x: \ny: \n".len() + 4_000_000 * 6 + 4_000_000);
    assert!(length("html") > 4_000_000 * 6 + 4_000_000);
    assert!(length("table") < 3_000);
}

#[test]
fn a_wrong_command_line_is_told_as_the_log_is() {
    let home = Home::new();
    for arguments in [
        &["sync", "--nothing", "--log-format", "json"][..],
        &["--log-format=json", "query", "sumary"],
        &["--log-format", "json", "nothing"],
        &["--log-format", "json"],
    ] {
        let said = home.run(arguments).exits(2).prints("");
        let object: serde_json::Value = serde_json::from_str(&said.stderr).unwrap();
        assert_eq!(
            (&object["level"], &object["exit_code"]),
            (&"ERROR".into(), &2.into()),
            "{arguments:?}"
        );
        assert!(!object["error"].as_str().unwrap().is_empty(), "{arguments:?}");
    }
}

/// The same program, begun by a shell that first does something.
fn after(home: &Home, setup: &str, arguments: &str) -> Said {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{setup}; exec {BINARY} {arguments}")]);
    home.run_as(command, [""; 0]).output()
}

#[test]
fn output_that_cannot_be_written_is_a_failure() {
    let home = archived();
    for arguments in
        ["--help", "--version", "query --help", "query summary", "status", "status --json"]
    {
        let said = after(&home, "exec >/dev/full", arguments).exits(6);
        said.says("cannot write the output: No space left on device");
    }
}

#[test]
fn too_few_files_are_an_error_and_no_panic() {
    let (home, cloud) = (archived(), Cloud::new(settled_world()));
    for most in 4..26 {
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "ulimit -n \"$1\"; shift; exec \"$@\"",
            "sh",
            &most.to_string(),
            BINARY,
        ]);
        let said = home.run_as(command, ["sync", "--all-functions"]).signed().to(&cloud).output();
        assert!([0, 1, 3, 6, 127].contains(&said.code()), "{most}: {}", said.everything());
        assert!(!said.stderr.contains("panicked"), "{most}: {}", said.stderr);
    }
    home.run(["check"]).exits(0);
}

/// What the program writes when its output is a terminal (one that says it has no columns).
fn on_terminal(home: &Home, arguments: &str) -> String {
    let mut command = Command::new("script");
    command.args(["-q", "-e", "-c", &format!("{BINARY} {arguments}"), "/dev/null"]);
    home.run_as(command, [""; 0]).output().everything()
}

/// ESC, a C1 control, and the override that writes text from right to left.
const HOSTILE: &str =
    "char(27) || ']0;owned' || char(7) || char(155) || '2J' || char(8238) || 'abc'";

#[test]
fn no_text_moves_a_terminal() {
    let home = archived();
    let statement = format!("SELECT {HOSTILE} AS [a{}b]", '\u{202e}');
    for format in FORMATS {
        let shown = on_terminal(&home, &format!("query sql \"{statement}\" --format {format}"));
        assert!(shown.contains("owned"), "{format}: {shown:?}");
        let moves = |character: char| character.is_control() && !matches!(character, '\n' | '\r');
        let bare = shown.replace("\u{1b}[1m", "").replace("\u{1b}[0m", "");
        assert!(!bare.contains(moves) && !bare.contains('\u{202e}'), "{format}: {shown:?}");
    }
    // A pipe gets what is stored.
    let raw = sql(&home, &statement, &["--format", "csv"]).exits(0).stdout;
    assert!(raw.contains('\u{1b}') && raw.contains('\u{202e}'), "{raw:?}");
}

#[test]
fn no_name_of_an_archive_moves_the_terminal_of_an_error() {
    let home = archived();
    let said = sql(&home, "SELECT [x\u{1b}[31m\u{9b}\u{202e}y]", &[]).exits(2);
    assert!(
        said.stderr.contains("no such column: x\\u{1b}[31m\\u{9b}\\u{202e}y"),
        "{:?}",
        said.stderr
    );
    let said = home.run(["query", "summary", "--function", "x\u{1b}[2Jy"]).exits(2);
    assert!(!said.stderr.contains('\u{1b}'), "{:?}", said.stderr);
    let said = home.run(["--db", "no\u{1b}[2J\u{202e}file.db", "status"]).exits(6);
    assert!(!said.stderr.contains(['\u{1b}', '\u{202e}']), "{:?}", said.stderr);
}
