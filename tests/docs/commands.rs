//! docs/commands.md is the command line's own definition, written for reading, and what the other
//! pages say of commands and options is held against it.

use crate::page::{page, pages, quoted, rows};
use crate::sealed::help;
use clap::builder::PossibleValue;
use clap::{Arg, ArgAction, Command, CommandFactory};
use fgarchive::cli::Cli;
use pretty_assertions::assert_eq;
use std::collections::BTreeSet;
use std::fmt::Write;

/// Lines of text are no longer than this; long words and code may be.
const WIDTH: usize = 100;

/// The heading under which `--help` has the options about the service.
const SERVICE: &str = "The service";

const OPENING: &str = "\
# Commands

Every command with its options, for whoever writes a command line and wants to know what it may say.
`fgarchive COMMAND --help` prints the same, and `-h` a shorter form.

Data goes to stdout, everything else to stderr. All times are UTC. A `TIME` is written
`2026-03-01T12:00:00Z` (or with an offset), `2026-03-01T12:00:00` or `2026-03-01` in UTC, or as an
age: `90m`, `36h`, `7d`. A `DURATION` or `SPAN` is written like an age. What the exit codes mean
stands in [operations.md](operations.md#exit-codes).

<!-- This page is made from src/cli: `UPDATE_DOCS=1 cargo test --test docs` writes it. -->
";

const ABOUT_SERVICE: &str = "\
## Options about the service

`sync`, `verify` and `doctor` ask the service and share these. Region, project and keys usually come
from [a file or variables](configuration.md).
";

/// Where more stands about the matter of a command.
const MORE: [(&str, &str); 19] = [
    ("sync", "[configuration](configuration.md) and [completeness](completeness.md)"),
    ("status", "[what its columns mean](operations.md#is-it-well)"),
    ("alerts", "[alerts](operations.md#alerts)"),
    ("query", "[asking the archive](queries.md), with each report and ten questions in SQL"),
    ("page", "[the page](page.md), block by block"),
    ("serve", "[the page, live](page.md#live)"),
    ("check", "[check](operations.md#check)"),
    ("backup", "[backup and restore](operations.md#backup-and-restore)"),
    ("export", "[a feed for other systems](operations.md#a-feed-for-other-systems)"),
    ("prune", "[keeping less](operations.md#keeping-less)"),
    ("compact", "[keeping less](operations.md#keeping-less)"),
    ("verify", "[verify](operations.md#verify)"),
    ("doctor", "[access key and region](configuration.md#access-key-and-region)"),
    ("init", "[the file](configuration.md#the-file)"),
    ("config", "[the file](configuration.md#the-file)"),
    ("schedule", "[systemd](operations.md#systemd) and [cron](operations.md#cron)"),
    ("completions", "[install](../README.md#install)"),
    ("emulate", "[the emulator](emulator.md), with its faults and readings"),
    ("demo", "[five minutes without an account](../README.md#five-minutes-without-an-account)"),
];

fn definition() -> Command {
    let mut command = Cli::command();
    command.build();
    command
}

/// The commands, without clap's own `help`.
fn subcommands(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|command| command.get_name() != "help")
}

/// Whether every command has it, or clap adds it.
fn is_everywhere(arg: &Arg) -> bool {
    arg.is_global_set() || is_claps(arg)
}

fn is_claps(arg: &Arg) -> bool {
    matches!(arg.get_id().as_str(), "help" | "version")
}

fn is_about_service(arg: &Arg) -> bool {
    arg.get_help_heading() == Some(SERVICE)
}

fn render(program: &Command) -> String {
    let mut page = OPENING.to_owned();
    page += "\n| command | what it does |\n|---|---|\n";
    for command in subcommands(program) {
        let (name, about) = (command.get_name(), command.get_about().unwrap());
        writeln!(page, "| [`{name}`](#fgarchive-{name}) | {about} |").unwrap();
    }
    page += "\n## Options of every command\n\n";
    page += &list(program.get_arguments().filter(|arg| is_everywhere(arg)));
    for command in subcommands(program) {
        page += &render_command(command);
    }
    let service = subcommands(program).find(|command| command.get_name() == "sync").unwrap();
    page + "\n"
        + ABOUT_SERVICE
        + "\n"
        + &list(service.get_arguments().filter(|arg| is_about_service(arg)))
}

fn render_command(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    let about = command.get_long_about().or(command.get_about()).unwrap().to_string();
    let mut text = format!("\n## `fgarchive {}`\n\n", command.get_name());
    text += &paragraphs(&about, "");
    writeln!(text, "\n```text\n{}\n```\n", usage.trim_start_matches("Usage: ")).unwrap();
    let own =
        || command.get_arguments().filter(|arg| !is_everywhere(arg) && !is_about_service(arg));
    text += &list(own().filter(|arg| arg.get_help_heading().is_none()));
    let mut headings: Vec<&str> = own().filter_map(Arg::get_help_heading).collect();
    headings.dedup();
    for heading in headings {
        writeln!(text, "\n### {heading}\n").unwrap();
        text += &list(own().filter(|arg| arg.get_help_heading() == Some(heading)));
    }
    if command.get_arguments().any(is_about_service) {
        text += "\nIt also takes the [options about the service](#options-about-the-service).\n";
    }
    for part in subcommands(command) {
        let about = part.get_long_about().or(part.get_about()).unwrap().to_string();
        write!(text, "\n### `fgarchive {} {}`\n\n", command.get_name(), part.get_name()).unwrap();
        text += &paragraphs(&about, "");
        let own = list(part.get_arguments().filter(|arg| !is_everywhere(arg)));
        if !own.is_empty() {
            write!(text, "\n{own}").unwrap();
        }
    }
    let (_, more) = MORE.iter().find(|(name, _)| *name == command.get_name()).unwrap();
    text + &wrapped(&format!("\nSee {more}."), "")
}

fn list<'a>(args: impl Iterator<Item = &'a Arg>) -> String {
    args.map(item).collect()
}

/// An argument: what is typed, what holds without it, and what it means.
fn item(arg: &Arg) -> String {
    let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap();
    // A default that is a value stands by itself; one that takes words ends the sentence before it.
    let (told, begins) = (help.strip_suffix(']'), ["\n\n[default: ", " [default: "]);
    let value = told
        .and_then(|help| help.rsplit_once(begins[0]))
        .map(|(help, value)| (help, format!("default `{value}`")));
    let words = || {
        told?
            .rsplit_once(begins[1])
            .map(|(help, words)| (help, format!("default: {}", code_words(words))))
    };
    let (help, told_default) = match value.or_else(words) {
        Some((help, default)) => (help.to_owned(), Some(default)),
        None => (help, None),
    };
    let mut notes = Vec::new();
    if let Some(variable) = arg.get_env() {
        notes.push(format!("variable `{}`", variable.to_str().unwrap()));
    }
    let defaults = arg.get_default_values();
    if arg.get_action().takes_values() && !defaults.is_empty() {
        notes.push(format!("default `{}`", defaults[0].to_str().unwrap()));
    }
    notes.extend(told_default);
    let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
    let mut text = wrapped(&format!("- {}{notes}\\", spelling(arg)), "  ");
    text += paragraphs(&help, "  ").trim_start_matches('\n');
    let values: Vec<PossibleValue> =
        if arg.get_action().takes_values() { arg.get_possible_values() } else { vec![] };
    for value in values.iter().filter(|value| !value.is_hide_set()) {
        let meaning = value.get_help().map(|help| format!(": {}", code_words(&help.to_string())));
        text +=
            &wrapped(&format!("  - `{}`{}", value.get_name(), meaning.unwrap_or_default()), "    ");
    }
    text
}

/// What is typed: `-q`, `--quiet`, `--db <PATH>`, `[SQL]`.
fn spelling(arg: &Arg) -> String {
    let value = arg
        .get_value_names()
        .filter(|_| arg.get_action().takes_values())
        .map(|names| names[0].as_str());
    let Some(long) = arg.get_long() else {
        let name = value.unwrap();
        return if arg.is_required_set() { format!("`<{name}>`") } else { format!("`[{name}]`") };
    };
    let short = arg.get_short().map(|short| format!("`-{short}`, ")).unwrap_or_default();
    let value = value.map(|name| format!(" <{name}>")).unwrap_or_default();
    let repeated = if matches!(arg.get_action(), ArgAction::Count) { "…" } else { "" };
    format!("{short}`--{long}{value}`{repeated}")
}

/// Paragraphs of help as Markdown, each a sentence that ends.
fn paragraphs(help: &str, indent: &str) -> String {
    let paragraphs = help.trim().split("\n\n").map(|paragraph| {
        let text = code_words(&paragraph.replace('\n', " "));
        let end = if text.ends_with(['.', ':', '?']) { "" } else { "." };
        wrapped(&format!("{indent}{text}{end}"), indent)
    });
    paragraphs.collect::<Vec<_>>().join("\n")
}

/// Options and variables in code, where the help has none around them.
fn code_words(text: &str) -> String {
    let mut in_code = false;
    let words = text.split(' ').map(|word| {
        let was_in_code = in_code;
        in_code ^= word.matches('`').count() % 2 == 1;
        let core = word.trim_end_matches(['.', ',', ';', ':', ')']);
        let is_name = core.len() > 2 && (core.starts_with("--") || core.contains('_'));
        if is_name && !was_in_code && !word.contains('`') {
            format!("`{core}`{}", &word[core.len()..])
        } else {
            word.to_owned()
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// One paragraph in lines of at most [`WIDTH`], all but the first indented.
fn wrapped(text: &str, indent: &str) -> String {
    let mut lines = String::new();
    let begin = text.len() - text.trim_start().len();
    let mut line = text[..begin].to_owned();
    let mut in_code = false;
    // Code stays on one line.
    let words = text.trim_start().split(|character| {
        in_code ^= character == '`';
        character == ' ' && !in_code
    });
    for word in words {
        let is_first = line.trim().is_empty();
        if !is_first && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines += &line;
            lines.push('\n');
            line = indent.to_owned() + word;
        } else {
            line.extend([if is_first { "" } else { " " }, word]);
        }
    }
    lines + &line + "\n"
}

#[test]
fn the_page_of_commands_is_what_the_command_line_defines() {
    page("docs/commands.md").expect_text(&render(&definition()));
}

/// They are described once, so they must not differ from command to command.
#[test]
fn options_about_the_service_are_the_same_everywhere() {
    let program = definition();
    let of = |command: &Command| list(command.get_arguments().filter(|arg| is_about_service(arg)));
    let all: Vec<(String, String)> =
        subcommands(&program).map(|command| (command.get_name().to_owned(), of(command))).collect();
    let described: Vec<&(String, String)> =
        all.iter().filter(|(_, options)| !options.is_empty()).collect();
    assert_eq!(
        described.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["sync", "verify", "doctor"]
    );
    assert!(described.iter().all(|(_, options)| *options == described[0].1));
}

/// The options that lines like `  -q, --quiet` or `      --db <PATH>` introduce.
fn options_in_help(help: &str) -> BTreeSet<String> {
    // Lines of explanation are indented further, or not at all.
    let introduces =
        help.lines().filter(|line| line.starts_with("  ") && !line.starts_with("       "));
    introduces
        .map(str::trim_start)
        .flat_map(|line| {
            line.split([' ', ',', '.']).take_while(|word| word.is_empty() || word.starts_with('-'))
        })
        .filter(|word| word.starts_with('-'))
        .map(str::to_owned)
        .collect()
}

/// The options that items like ``- `-q`, `--quiet` `` introduce.
fn options_on_page(text: &str) -> BTreeSet<String> {
    let items = text.lines().filter_map(|line| line.strip_prefix("- `"));
    let typed = items.map(|item| item.split(['(', '\\']).next().unwrap());
    let words = typed
        .flat_map(|typed| typed.split([' ', '`', ',', '…']))
        .filter(|word| word.starts_with('-'));
    words.map(str::to_owned).collect()
}

/// The page is held against what the binary prints as well, so that nothing is left out by how it
/// is made.
#[test]
fn every_option_is_described_and_no_other() {
    let page = page("docs/commands.md");
    let program = definition();
    let everywhere = options_on_page(&page.section("## Options of every command"));
    assert_eq!(everywhere, options_in_help(&help(&[])));
    let about_service = options_on_page(&page.section("## Options about the service"));
    for command in listed_commands() {
        let described = page.section(&format!("## `fgarchive {command}`"));
        let mut exist = options_in_help(&help(&[&command]));
        for part in subcommands(program.find_subcommand(&command).unwrap()) {
            exist.extend(options_in_help(&help(&[&command, part.get_name()])));
        }
        let own: BTreeSet<String> = exist.difference(&everywhere).cloned().collect();
        let mut named = options_on_page(&described);
        if described.contains("(#options-about-the-service)") {
            named.extend(about_service.clone());
        }
        assert_eq!(named, own, "{command}");
    }
}

/// The commands that the binary lists.
fn listed_commands() -> Vec<String> {
    let help = help(&[]);
    let listed = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names = listed.lines().filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn readme_lists_every_command_and_no_other() {
    let table = rows(&page("README.md").section("## Commands"));
    let described: Vec<&str> = table.iter().flat_map(|row| quoted(&row[0])).collect();
    let described: BTreeSet<&str> = described.into_iter().collect();
    let exist = listed_commands();
    assert_eq!(described, exist.iter().map(String::as_str).collect());
}

/// Whether code on a page is a command line or an option of the program that does not exist.
fn stray(code: &str, commands: &BTreeSet<String>, options: &BTreeSet<String>) -> Option<String> {
    let mut words = code.split_whitespace().peekable();
    let first = *words.peek()?;
    if first == "fgarchive" {
        let command = words
            .nth(1)
            .filter(|word| word.chars().all(|character| character.is_ascii_lowercase()));
        if let Some(command) = command.filter(|command| !commands.contains(*command)) {
            return Some(format!("there is no command `{command}`"));
        }
    } else if !first.starts_with("--") && !commands.contains(first) {
        return None;
    }
    let named = code.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2);
    let mut strays =
        named.map(|word| word.split('=').next().unwrap()).filter(|name| !options.contains(*name));
    strays.next().map(|name| format!("there is no option `{name}`"))
}

#[test]
fn every_page_speaks_of_commands_and_options_that_exist() {
    let commands: BTreeSet<String> =
        listed_commands().into_iter().chain(["help".to_owned()]).collect();
    let mut options = options_in_help(&help(&[]));
    for command in &commands {
        options.extend(options_in_help(&help(&[command])));
    }
    let mut named = 0;
    for page in pages() {
        for code in page.inline_code() {
            assert_eq!(stray(&code, &commands, &options), None, "{}: `{code}`", page.place);
            named += usize::from(code.starts_with("--"));
        }
    }
    assert!(named > 40, "{named} options are fewer than there were");
    for code in [
        "--no-such-option",
        "fgarchive sync --no-such-option",
        "sync --no-such",
        "fgarchive nosuch",
    ] {
        assert!(stray(code, &commands, &options).is_some(), "{code}");
    }
    for code in [
        "fgarchive",
        "--since 7d",
        "fgarchive --db x.db check",
        "cargo test --locked",
        "SELECT --x",
    ] {
        assert_eq!(stray(code, &commands, &options), None);
    }
}
