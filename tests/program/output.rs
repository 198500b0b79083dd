//! `query --output FILE`: the answer is there when it is whole, and until then what was there
//! before.

use crate::program::{BINARY, Home};
use fgarchive::store::file::Archive;
use pretty_assertions::assert_eq;
use std::fs;
use std::process::Command;

fn archive() -> Home {
    let home = Home::new();
    drop(Archive::open(&home.db()).unwrap());
    home
}

/// What lies beside the archive but the files that belong to it.
fn names(home: &Home) -> Vec<String> {
    let entries = fs::read_dir(home.path()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| !name.starts_with("fgarchive.db")).collect();
    names.sort();
    names
}

const NUMBERS: &str = "WITH RECURSIVE n AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM n WHERE x <";

#[test]
fn whatever_is_answered_can_be_written_to_a_file() {
    let home = archive();
    let before = names(&home);
    for arguments in [
        &["query", "runs"][..],
        &["query", "runs", "--explain"],
        &["query", "list", "--format", "html"],
        &["query", "sql", "SELECT 1 AS n", "--format", "tsv"],
    ] {
        let printed = home.run(arguments).exits(0).stdout;
        home.run(arguments).args(["--output", "answer"]).exits(0).prints("");
        assert_eq!(fs::read_to_string(home.join("answer")).unwrap(), printed, "{arguments:?}");
        home.run(arguments).args(["--output", "-"]).exits(0).prints(&printed);
    }
    let mut after = before;
    after.push("answer".to_owned());
    after.sort();
    assert_eq!(names(&home), after);
}

#[test]
fn a_question_that_fails_leaves_what_was_there() {
    let home = archive();
    fs::write(home.join("answer.csv"), "yesterday").unwrap();
    let before = names(&home);
    let endless = format!("{NUMBERS} 1e15) SELECT x FROM n");
    let options = ["--format", "csv", "--output", "answer.csv"];
    let ask = |statement: &str| home.run(["query", "sql", statement]).args(options);
    ask("SELECT nobody").exits(2);
    ask(&endless).args(["--timeout", "200ms"]).exits(2).says("the time limit was reached");
    assert_eq!(fs::read_to_string(home.join("answer.csv")).unwrap(), "yesterday");
    assert_eq!(names(&home), before);
}

/// The limit is how a full disk or a quota looks to a program.
#[test]
fn a_disk_without_room_is_told_by_the_name_of_the_file() {
    let home = archive();
    let before = names(&home);
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -f 400; exec \"$@\"", "sh", BINARY]);
    let statement = format!("{NUMBERS} 1000000) SELECT x FROM n");
    let arguments = ["query", "sql", &statement, "--format", "csv", "--output", "answer.csv"];
    let said = home.run_as(command, arguments).output();
    let said = said.exits(6).says("error: cannot write `answer.csv`: ");
    said.says("\nhint: nothing was changed").prints("");
    assert_eq!(names(&home), before);
}

#[test]
fn the_archive_itself_is_never_the_answer() {
    let home = archive();
    for name in ["fgarchive.db", "./fgarchive.db-wal", "fgarchive.db-journal", "fgarchive.db.lock"]
    {
        let said = home.run(["query", "runs", "--output", name]).exits(2);
        said.says("is the archive, or belongs to it").says("\nhint: ");
    }
    for name in ["/dev/null", "nowhere/answer", "."] {
        home.run(["query", "runs", "--output", name]).exits(6).says("cannot write `");
    }
    home.run(["check"]).exits(0);
}
