//! README.md is true: its commands run, its answers are what the program prints, its tables list what exists.
//!
//! Shell blocks run in order in one sealed directory, with the stand-in service in place of the cloud. What needs a toolchain
//! or a tool of others is not run here; a test makes sure that `.ci/run` does. After a change that moves the answers,
//! `UPDATE_README=1 cargo test --test readme` writes them anew.

#![cfg(feature = "emulator")]
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use pretty_assertions::assert_eq;
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

const README: &str = include_str!("../README.md");
const CI: &str = include_str!("../.ci/run");
const PROGRAM: &str = env!("CARGO_BIN_EXE_fgarchive");

/// Programs that README shows and that only CI can be expected to have.
const LEFT_TO_CI: [&str; 4] = ["cargo", "sqlite3", "datasette", "duckdb"];

/// Does nothing, or what `cargo run --release --` would do.
const STUB: &str = "#!/bin/sh\nif [ \"$1\" = run ]; then shift 3; exec fgarchive \"$@\"; fi\n";

/// Stands between the outputs of two blocks.
const BETWEEN: &str = "\u{1e}";

/// A fenced block, and the text block that follows it: what it prints.
#[derive(Clone, Debug)]
struct Block {
    language: String,
    text: String,
    output: Option<String>,
}

fn blocks() -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut lines = README.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else { continue };
        let text = joined(lines.by_ref().take_while(|line| *line != "```"));
        match blocks.last_mut() {
            Some(last) if language == "text" && last.output.is_none() => {
                last.output = Some(text);
            }
            _ => blocks.push(Block { language: language.to_owned(), text, output: None }),
        }
    }
    blocks
}

fn joined<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.flat_map(|line| [line, "\n"]).collect()
}

fn blocks_of(language: &str) -> Vec<Block> {
    blocks().into_iter().filter(|block| block.language == language).collect()
}

/// A directory with a home, stand-ins for the programs of others, and nothing of this machine's environment.
struct Sealed(TempDir);

impl Sealed {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let stubs = directory.path().join("stubs");
        fs::create_dir(&stubs).unwrap();
        fs::create_dir(directory.path().join("home")).unwrap();
        for name in LEFT_TO_CI {
            executable(&stubs.join(name), STUB);
        }
        Self(directory)
    }

    fn command(&self, program: &str) -> Command {
        let home = self.0.path().join("home");
        let own = Path::new(PROGRAM).parent().unwrap();
        let path = format!("{}:{}:/usr/bin:/bin", self.0.path().join("stubs").display(), own.display());
        let mut command = Command::new(program);
        command.env_clear().env("PATH", path).env("HOME", home).current_dir(&self.0).stdin(Stdio::null());
        command
    }

    /// What a script prints; that it fails is a failure of the test.
    fn run(&self, script: &str, variables: &[(&str, &str)]) -> String {
        let output = self.command("sh").args(["-euc", script]).envs(variables.iter().copied()).output().unwrap();
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        assert!(output.status.success(), "{}\nafter:\n{stdout}\nstderr:\n{stderr}", output.status);
        stdout
    }

    fn fgarchive(&self, arguments: &[&str]) -> String {
        let output = self.command(PROGRAM).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", text(output.stderr));
        text(output.stdout)
    }
}

#[cfg(unix)]
fn executable(path: &Path, content: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// `fgarchive emulate …` as README has it, ended when dropped.
struct Emulator {
    process: Child,
    printed: String,
}

impl Emulator {
    fn start(sealed: &Sealed, command_line: &str) -> Self {
        let arguments: Vec<&str> = command_line.split_whitespace().skip(1).collect();
        let mut process = sealed.command(PROGRAM).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let printed = lines.take(10).map(|line| line.unwrap() + "\n").collect();
        Self { process, printed }
    }

    fn address(&self) -> &str {
        self.printed.lines().next().unwrap()
    }

    fn exports(&self) -> &str {
        self.printed.split_once('\n').unwrap().1
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn is_emulator(block: &Block) -> bool {
    block.text.starts_with("fgarchive emulate")
}

/// The times and numbers of a moment are not those of another: every number is the same here, at any width.
fn shape(text: &str) -> Vec<String> {
    let collapse = |line: &str| {
        let mut shape = String::new();
        for character in line.trim_end().chars() {
            let kind = if character.is_ascii_digit() { '0' } else { character };
            if !(matches!(kind, '0' | ' ' | '-') && shape.ends_with(kind)) {
                shape.push(kind);
            }
        }
        shape
    };
    text.lines().map(collapse).collect()
}

/// Whether the printed lines are those shown, where a shown line `…` stands for any lines.
fn shows(printed: &[String], shown: &[String]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((line, rest)) if line == "…" => (0..=printed.len()).any(|at| shows(&printed[at..], rest)),
        Some((line, rest)) => printed.first() == Some(line) && shows(&printed[1..], rest),
    }
}

#[test]
fn every_shell_block_runs_and_prints_what_is_shown() {
    let sealed = Sealed::new();
    let shell = blocks_of("sh");
    let emulator = Emulator::start(&sealed, &shell.iter().find(|block| is_emulator(block)).unwrap().text);
    let cloud = Emulator::start(&sealed, "fgarchive emulate --records 2000");
    let mut script = String::new();
    for block in &shell {
        script += if is_emulator(block) { emulator.exports() } else { &block.text };
        script.extend(["printf '", BETWEEN, "'\n"]);
    }
    let script = script.replace("YOUR-ACCESS-KEY", "emulator").replace("YOUR-SECRET-KEY", "emulator-secret");
    let stdout = sealed.run(&script, &[("FGARCHIVE_ENDPOINT", cloud.address())]);
    let outputs: Vec<&str> = stdout.split(BETWEEN).collect();
    assert_eq!(outputs.len(), shell.len() + 1);
    for (block, printed) in shell.iter().zip(outputs) {
        let printed = if is_emulator(block) { &emulator.printed } else { printed };
        if let Some(shown) = &block.output {
            assert!(shows(&shape(printed), &shape(shown)), "README shows:\n{shown}\nbut this was printed:\n{printed}");
        }
    }
}

#[test]
fn the_lines_for_cron_run() {
    let sealed = Sealed::new();
    let emulator = Emulator::start(&sealed, "fgarchive emulate --records 100");
    let block = blocks_of("cron").pop().unwrap();
    let (settings, jobs): (Vec<&str>, Vec<&str>) =
        block.text.lines().filter(|line| !line.is_empty()).partition(|line| line.contains('=') && !line.contains('*'));
    let installed = Path::new(PROGRAM).parent().unwrap().to_str().unwrap();
    let settings = settings.join("\n").replace("/var/lib/fgarchive/", "").replace("/usr/local/bin", installed);
    let settings = format!("set -a\n{settings}\nset +a\n");
    assert_eq!(jobs.len(), 3);
    for job in jobs {
        let command: Vec<&str> = job.split_whitespace().skip(5).collect();
        let printed = sealed.run(
            &format!("{}{settings}{}", emulator.exports(), command.join(" ").replace("/mnt/backup/", "copy-")),
            &[],
        );
        assert_eq!(printed, "", "{job}: a good run sends no mail");
    }
}

#[test]
fn what_is_not_run_here_is_run_by_ci() {
    let ci = CI.replace(" --locked", "");
    let mut left = 0;
    for block in blocks_of("sh") {
        for line in
            block.text.lines().filter(|line| LEFT_TO_CI.iter().any(|name| line.starts_with(&format!("{name} "))))
        {
            assert!(ci.lines().any(|ran| ran.starts_with(line)), "neither a test nor .ci/run runs: {line}");
            left += 1;
        }
    }
    assert_eq!(left, 7);
    let languages: BTreeSet<String> = blocks().into_iter().map(|block| block.language).collect();
    assert_eq!(languages.iter().map(String::as_str).collect::<Vec<_>>(), ["cron", "json", "sh", "sql"]);
}

#[test]
fn ten_questions_have_the_answers_shown() {
    let sealed = Sealed::new();
    let make = blocks_of("sh").into_iter().find(|block| block.text.contains("--keep demo.db")).unwrap();
    sealed.run(&make.text, &[]);
    let questions = blocks_of("sql");
    assert_eq!(questions.len(), 10);
    let mut readme = README.to_owned();
    for question in questions {
        let answer = sealed.fgarchive(&["--db", "demo.db", "query", "sql", &question.text]);
        let answer = joined(answer.lines().map(str::trim_end));
        let shown = |output: &str| format!("```sql\n{}```\n\n```text\n{output}```\n", question.text);
        readme = readme.replace(&shown(&question.output.unwrap()), &shown(&answer));
    }
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"), &readme).unwrap();
    } else {
        assert_eq!(README, readme);
    }
}

/// The script that is shown, and every fault that is named, with what it takes.
#[test]
fn scripts_of_faults_are_understood() {
    let sealed = Sealed::new();
    let shown = blocks_of("json").pop().unwrap().text;
    let named = [
        r#"{"rules":[{"faults":[{"throttled":{"retry_after":1}},{"throttled":{}},{"status":{"code":500}},"reset",{"cut":"chunked"}]}]}"#,
        r#"{"rules":[{"faults":[{"slow":{"ms":1}},{"latency":{"ms":1}},"silent","garbled","stuck_marker","repeated_marker"]}]}"#,
        r#"{"rules":[{"on":"projects","faults":[{"clock_skew":{"seconds":1}}]},{"on":"async_config","faults":["reset"]}]}"#,
    ];
    for script in named.into_iter().chain([shown.as_str()]) {
        fs::write(sealed.0.path().join("faults.json"), script).unwrap();
        let emulator = Emulator::start(&sealed, "fgarchive emulate --records 1 --functions 1 --faults faults.json");
        assert!(emulator.address().starts_with("http://127.0.0.1:"), "{script}");
    }
}

/// The lines below a heading, up to the next of its level or a higher one.
fn section(heading: &str) -> String {
    let level = heading.split(' ').next().unwrap().len();
    let mut in_code = false;
    let mut ends = |line: &&str| {
        in_code ^= line.starts_with("```");
        let hashes = line.chars().take_while(|character| *character == '#').count();
        !in_code && (1..=level).contains(&hashes)
    };
    let mut lines = README.lines().skip_while(|line| *line != heading);
    assert_eq!(lines.next(), Some(heading));
    joined(lines.take_while(|line| !ends(line)))
}

/// The rows of all tables in a text, without their heads.
fn rows(text: &str) -> Vec<Vec<String>> {
    let cells =
        |line: &str| line.trim_matches('|').replace("\\|", "¦").split('|').map(|cell| cell.trim().to_owned()).collect();
    let mut rows = Vec::new();
    let mut in_table = false;
    for line in text.lines() {
        in_table = line.starts_with('|') && (in_table || line.starts_with("|---"));
        if in_table && !line.starts_with("|---") {
            rows.push(cells(line));
        }
    }
    rows
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_table_and_column_is_described_and_no_other() {
    let sealed = Sealed::new();
    sealed.fgarchive(&["demo", "--keep", "demo.db"]);
    let archive = Connection::open(sealed.0.path().join("demo.db")).unwrap();
    let mut statement = archive
        .prepare(
            "SELECT s.name, group_concat(c.name, ' ' ORDER BY c.cid)
               FROM sqlite_schema s, pragma_table_info(s.name) c
              WHERE s.type IN ('table', 'view') GROUP BY s.name ORDER BY s.name",
        )
        .unwrap();
    let exist: Vec<(String, String)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    let section_text = section("## The archive");
    let headings = section_text.lines().filter_map(|line| line.strip_prefix("### "));
    let mut described: Vec<(String, String)> = headings
        .map(|heading| {
            let rows = rows(&section(&format!("### {heading}")));
            let columns: Vec<&str> = rows.iter().flat_map(|row| quoted(&row[0])).collect();
            (heading.trim_matches('`').to_owned(), columns.join(" "))
        })
        .collect();
    described.sort();
    assert_eq!(described, exist);
}

fn help(arguments: &[&str]) -> String {
    let output = Sealed::new().command(PROGRAM).args(arguments).arg("--help").output().unwrap();
    text(output.stdout)
}

/// The options that lines like `  -q, --quiet` or `      --db <PATH>` introduce.
fn options_in_help(help: &str) -> BTreeSet<String> {
    // Lines of explanation are indented further.
    let introduces = help.lines().filter(|line| !line.starts_with("       ")).map(str::trim_start);
    introduces
        .flat_map(|line| line.split([' ', ',', '.']).take_while(|word| word.is_empty() || word.starts_with('-')))
        .filter(|word| word.starts_with('-'))
        .map(str::to_owned)
        .collect()
}

fn options_in_readme(text: &str) -> BTreeSet<String> {
    let tables = rows(text);
    let named = tables.iter().flat_map(|row| quoted(&row[0])).filter(|name| name.starts_with('-'));
    named.map(|name| name.split(' ').next().unwrap().to_owned()).collect()
}

#[test]
fn every_option_is_described_and_no_other() {
    let commands = section("## Commands");
    let everywhere = options_in_readme(commands.split("\n### ").next().unwrap());
    assert_eq!(everywhere, options_in_help(&help(&[])));
    let listed = help(&[]);
    let listed = listed.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    for command in listed.lines().filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help") {
        let described = match command {
            "emulate" => section("## A service to try it against"),
            _ => section(&format!("### `fgarchive {command}`")),
        };
        let own: BTreeSet<String> = options_in_help(&help(&[command])).difference(&everywhere).cloned().collect();
        let mut named = options_in_readme(&described);
        if described.contains("(#options-about-the-service)") {
            named.extend(options_in_readme(&section("### Options about the service")));
        }
        assert_eq!(named, own, "{command}");
    }
}

#[test]
fn every_report_is_described_and_no_other() {
    let listed = Sealed::new().fgarchive(&["query", "list", "--format", "csv"]);
    let exist: Vec<&str> = listed.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    let tables = rows(&section("### `fgarchive query`"));
    let described: Vec<&str> =
        tables.iter().flat_map(|row| quoted(&row[0])).filter(|name| !name.starts_with('-')).collect();
    let described: BTreeSet<&str> = described.into_iter().collect();
    assert_eq!(described, exist.into_iter().collect());
}

#[test]
fn every_exit_code_is_described_and_no_other() {
    let help = help(&[]);
    let lines = help.split("Exit codes:\n").nth(1).unwrap().lines().take_while(|line| !line.is_empty());
    let exist: Vec<(String, String)> = lines
        .map(|line| line.trim().split_once(' ').unwrap())
        .map(|(code, meaning)| (code.into(), meaning.trim().into()))
        .collect();
    let described: Vec<(String, String)> =
        rows(&section("## Exit codes")).into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    assert_eq!(described, exist);
}

/// Words such as `NO_COLOR`.
fn variables_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|character: char| !(character.is_ascii_uppercase() || character == '_'));
    words.filter(|word| word.len() > 3 && word.trim_matches('_').contains('_')).map(str::to_owned).collect()
}

#[test]
fn every_variable_is_described_and_no_other() {
    let described = variables_in(&section("## Credentials"));
    assert_eq!(described, variables_in(&(help(&[]) + &help(&["sync"]))));
    let mut read = BTreeSet::new();
    for name in ["credentials.rs", "service.rs"] {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/config").join(name);
        let source = fs::read_to_string(path).unwrap();
        let constants = source.split("#[cfg(test)]").next().unwrap().split('"').skip(1).step_by(2);
        read.extend(constants.filter(|text| variables_in(text).contains(*text)).map(str::to_owned));
    }
    assert!(read.len() > 10 && read.is_subset(&described), "{:?}", read.difference(&described));
}

#[test]
fn every_link_into_this_repository_leads_somewhere() {
    let anchors: BTreeSet<String> = README
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| line.trim_start_matches(['#', ' ']).to_lowercase().replace([',', '`', ':'], "").replace(' ', "-"))
        .collect();
    let mut checked = 0;
    for target in README.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        match target.strip_prefix('#') {
            Some(anchor) => assert!(anchors.contains(anchor), "no heading for #{anchor}"),
            None if target.starts_with("https://") => continue,
            None => assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(target).exists(), "{target}"),
        }
        checked += 1;
    }
    assert!(checked > 5);
}
