//! What the pages show is run, and prints what they show.

use crate::page::{Block, Page, joined, page, pages, quoted, root, rows};
use crate::sealed::{Emulator, LEFT_TO_CI, PROGRAM, Sealed};
use fgarchive::config::ConfigFile;
use pretty_assertions::assert_eq;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread;

/// Stands between the outputs of two blocks.
const BETWEEN: &str = "\u{1e}";

/// The service that a page means where it starts none of its own.
const CLOUD: &str = "fgarchive emulate --records 2000";

fn is_emulator(block: &Block) -> bool {
    block.text.starts_with("fgarchive emulate")
}

/// The times and numbers of a moment are not those of another: every number is the same here, at
/// any width.
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
        Some((line, rest)) if line == "…" => {
            (0..=printed.len()).any(|at| shows(&printed[at..], rest))
        }
        Some((line, rest)) => printed.first() == Some(line) && shows(&printed[1..], rest),
    }
}

/// Runs the shell blocks of a page, and tells how many there were.
fn run_shell_blocks(page: &Page) -> usize {
    let shell = page.blocks_of("sh");
    if shell.is_empty() {
        return 0;
    }
    let sealed = Sealed::new();
    let emulators: Vec<&Block> = shell.iter().filter(|block| is_emulator(block)).collect();
    assert!(emulators.len() <= 1, "{}: one emulator a page", page.place);
    let emulator = emulators.first().map(|block| Emulator::start(&sealed, &block.text));
    let cloud = Emulator::start(&sealed, CLOUD);
    // A terminal after the other, each with a script.
    let mut scripts = vec![String::new()];
    for block in &shell {
        if block.in_new_terminal {
            scripts.push(String::new());
        }
        let script = scripts.last_mut().unwrap();
        *script += match &emulator {
            Some(emulator) if is_emulator(block) => emulator.exports(),
            _ => &block.text,
        };
        script.extend(["printf '", BETWEEN, "'\n"]);
    }
    let mut stdout = String::new();
    for script in scripts {
        let script = script
            .replace("YOUR-ACCESS-KEY", "emulator")
            .replace("YOUR-SECRET-KEY", "emulator-secret");
        stdout += &sealed.run(&script, &[("FGARCHIVE_ENDPOINT", cloud.address())]);
    }
    let outputs: Vec<&str> = stdout.split(BETWEEN).collect();
    assert_eq!(outputs.len(), shell.len() + 1, "{}", page.place);
    for (block, printed) in shell.iter().zip(outputs) {
        let printed = match &emulator {
            Some(emulator) if is_emulator(block) => &emulator.printed,
            _ => printed,
        };
        if let Some(shown) = &block.output {
            let (place, command) = (&page.place, &block.text);
            assert!(
                shows(&shape(printed), &shape(shown)),
                "{place} shows of {command}:\n{shown}\nbut this was printed:\n{printed}"
            );
        }
    }
    shell.len()
}

#[test]
fn every_shell_block_runs_and_prints_what_is_shown() {
    // A page waits for its runs most of the time, and no page knows of another.
    let ran: usize = thread::scope(|scope| {
        let pages = pages();
        let runs = pages.into_iter().map(|page| scope.spawn(move || run_shell_blocks(&page)));
        runs.collect::<Vec<_>>().into_iter().map(|run| run.join().unwrap()).sum()
    });
    assert!(ran > 20, "{ran} blocks are fewer than there were");
}

#[test]
fn the_lines_for_cron_run() {
    let mut ran = 0;
    for block in pages().iter().flat_map(|page| page.blocks_of("cron")) {
        let sealed = Sealed::new();
        let emulator = Emulator::start(&sealed, "fgarchive emulate --records 100");
        let lines = block.text.lines().filter(|line| !line.is_empty());
        let (settings, jobs): (Vec<&str>, Vec<&str>) =
            lines.partition(|line| line.contains('=') && !line.contains('*'));
        let installed = Path::new(PROGRAM).parent().unwrap().to_str().unwrap();
        let settings = settings.join("\n").replace("/var/lib/fgarchive/", "");
        let settings = settings.replace("/usr/local/bin", installed);
        let settings = format!("set -a\n{settings}\nset +a\n");
        for job in jobs {
            let command: Vec<&str> = job.split_whitespace().skip(5).collect();
            let command = command.join(" ").replace("/mnt/backup/", "copy-");
            let printed = sealed.run(&format!("{}{settings}{command}", emulator.exports()), &[]);
            assert_eq!(printed, "", "{job}: a good run sends no mail");
            ran += 1;
        }
    }
    assert!(ran >= 3, "{ran} lines for cron are fewer than there were");
}

#[test]
fn what_is_not_run_here_is_run_by_ci() {
    let ci = fs::read_to_string(root().join(".ci/run")).unwrap().replace(" --locked", "");
    let mut left = BTreeSet::new();
    for page in pages() {
        for block in page.blocks_of("sh") {
            for line in block.text.lines() {
                if LEFT_TO_CI.iter().any(|name| line.starts_with(&format!("{name} "))) {
                    assert!(
                        ci.lines().any(|ran| ran.starts_with(line)),
                        "{}: neither a test nor .ci/run runs: {line}",
                        page.place
                    );
                    left.insert(line.to_owned());
                }
            }
        }
    }
    assert_eq!(left.len(), 8);
}

/// A block in another language would be looked at by nobody.
#[test]
fn every_block_is_of_a_language_that_is_checked() {
    let languages: BTreeSet<String> =
        pages().iter().flat_map(Page::blocks).map(|block| block.language).collect();
    let known = ["cron", "json", "sh", "sql", "text", "toml"];
    assert_eq!(languages.iter().map(String::as_str).collect::<Vec<_>>(), known);
    // Text without a command above it is compared with nothing: it is how something is called.
    for page in pages() {
        let is_call = ["docs/commands.md", "docs/proof.md"].contains(&page.place.as_str());
        assert!(is_call || page.blocks_of("text").is_empty(), "{}: what prints this?", page.place);
    }
}

/// A configuration that is shown can be used, with the keys that it says there are.
#[test]
fn configurations_are_read() {
    let mut read = 0;
    for block in pages().iter().flat_map(|page| page.blocks_of("toml")) {
        let path = Path::new("/etc/fgarchive/config.toml");
        let file = ConfigFile::parse(path, block.text.clone(), None)
            .unwrap_or_else(|failure| panic!("{failure}: {}", block.text));
        assert_eq!(file.source_names(), ["shop", "payments"]);
        read += 1;
    }
    assert_eq!(read, 1);
}

/// The questions of a page are asked of the archive that its own command keeps.
#[test]
fn questions_in_sql_have_the_answers_shown() {
    let mut asked = 0;
    for page in pages() {
        let questions = page.blocks_of("sql");
        if questions.is_empty() {
            continue;
        }
        let sealed = Sealed::new();
        let shell = page.blocks_of("sh");
        let make = shell.into_iter().find(|block| block.text.contains("--keep demo.db"));
        sealed.run(&make.unwrap_or_else(|| panic!("{}: no archive to ask", page.place)).text, &[]);
        let mut written = page.text.clone();
        asked += questions.len();
        for question in questions {
            let answer = sealed.fgarchive(&["--db", "demo.db", "query", "sql", &question.text]);
            let answer = joined(answer.lines().map(str::trim_end));
            let shown =
                |output: &str| format!("```sql\n{}```\n\n```text\n{output}```\n", question.text);
            let output = question.output.unwrap_or_else(|| panic!("{}: no answer", question.text));
            assert!(
                written.contains(&shown(&output)),
                "{}: the answer stands below it",
                question.text
            );
            written = written.replace(&shown(&output), &shown(&answer));
        }
        page.expect_text(&written);
    }
    assert_eq!(asked, 10);
}

/// The script that is shown, and every fault that is named, with what it takes.
#[test]
fn scripts_of_faults_are_understood() {
    let sealed = Sealed::new();
    let shown: Vec<String> =
        pages().iter().flat_map(|page| page.blocks_of("json")).map(|block| block.text).collect();
    assert_eq!(shown.len(), 1);
    let named = [
        r#"{"rules":[{"faults":[{"throttled":{"retry_after":1}},{"throttled":{}},{"status":{"code":500}},"reset",{"cut":"chunked"}]}]}"#,
        r#"{"rules":[{"faults":[{"slow":{"ms":1}},{"latency":{"ms":1}},"silent","garbled","stuck_marker","repeated_marker"]}]}"#,
        r#"{"rules":[{"on":"projects","faults":[{"clock_skew":{"seconds":1}}]},{"on":"async_config","faults":["reset"]},{"holding":"x","faults":["reset"]}]}"#,
    ];
    let table = rows(&page("docs/emulator.md").section("## Faults"));
    let tried = named.concat() + &shown[0];
    for name in table.iter().flat_map(|row| quoted(&row[0])) {
        assert!(tried.contains(&format!("\"{name}\"")), "no script tries `{name}`");
    }
    for script in named.into_iter().chain(shown.iter().map(String::as_str)) {
        fs::write(sealed.path().join("faults.json"), script).unwrap();
        let emulator = Emulator::start(
            &sealed,
            "fgarchive emulate --records 1 --functions 1 --faults faults.json",
        );
        assert!(emulator.address().starts_with("http://127.0.0.1:"), "{script}");
    }
}

/// What a script may hold stands in the answer to one that cannot be read.
#[test]
fn every_fault_is_described_and_no_other() {
    let sealed = Sealed::new();
    fs::write(sealed.path().join("faults.json"), r#"{"rules":[{"faults":["no-such-fault"]}]}"#)
        .unwrap();
    let mut command = sealed.command(PROGRAM);
    let refused = command.args(["emulate", "--faults", "faults.json"]).output().unwrap();
    let refused = String::from_utf8(refused.stderr).unwrap();
    let known = refused.split("expected one of ").nth(1).unwrap_or_else(|| panic!("{refused}"));
    let exist: BTreeSet<&str> = quoted(known).collect();
    let table = rows(&page("docs/emulator.md").section("## Faults"));
    let described: BTreeSet<&str> = table.iter().flat_map(|row| quoted(&row[0])).collect();
    assert_eq!(described, exist);
}

/// The other ways to log in to the emulator stand at the end of its help.
#[test]
fn the_emulators_ways_in_are_those_of_its_help() {
    let help = crate::sealed::help(&["emulate"]);
    let ways = help.split("Other ways in:\n").nth(1).unwrap();
    let ways: Vec<&str> = ways.split_whitespace().filter(|word| word.contains('=')).collect();
    assert!(ways.len() > 4);
    let shown = page("docs/emulator.md").text;
    for way in ways {
        assert!(shown.contains(way), "docs/emulator.md does not show {way}");
    }
}
