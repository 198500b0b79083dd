//! The house keeps its shape: which module may use which, which crate lives in which room, and what
//! stands nowhere else.
//!
//! The rules on edges and crates are the table of ARCHITECTURE.md; the others are here, those on
//! files among them: no circle, no floor of the store that uses one above, no function in a table
//! of contents. Each rule is a function over a path and a text, so that a test can show it a text
//! that breaks it.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use pretty_assertions::assert_eq;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const MAP: &str = include_str!("../ARCHITECTURE.md");
const MANIFEST: &str = include_str!("../Cargo.toml");

/// More lines than this, tests aside, are more than one subject.
const MOST_LINES: usize = 500;
/// A line of more characters than this is wider than what people read side by side.
const WIDEST_LINE: usize = 100;
/// A map that is longer is not read, and so not kept true.
const MOST_LINES_OF_MAP: usize = 150;

/// A source file, taken apart.
struct Source {
    /// Below `src/`, with `/`.
    path: String,
    text: String,
    /// The code without tests, comments and what stands in literals.
    code: String,
    /// What stands in string literals, tests aside.
    literals: Vec<String>,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        let production = if is_test_file(path) { String::new() } else { without_tests(text) };
        let (code, literals) = take_apart(&production);
        Self { path: path.to_owned(), text: text.to_owned(), code, literals }
    }

    /// The first part of the path: `plan`, `clock`.
    fn module(&self) -> &str {
        self.path.split(['/', '.']).next().unwrap()
    }
}

/// Files that are a test module of another.
fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.ends_with("/testing.rs") || path.contains("/tests/")
}

/// What stands before the test module; nothing of production follows one here.
fn without_tests(text: &str) -> String {
    let mut lines = text.lines().peekable();
    let mut kept = String::new();
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]"
            && lines.peek().is_some_and(|next| next.starts_with("mod ") && next.ends_with('{'))
        {
            break;
        }
        kept.push_str(line);
        kept.push('\n');
    }
    kept
}

/// Splits code from comments and literals: a lexer of Rust for sources that `rustfmt` has seen.
fn take_apart(text: &str) -> (String, Vec<String>) {
    let mut code = String::new();
    let mut literals = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (taken, literal) = match first {
            '/' if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), None),
            '/' if rest.starts_with("/*") => {
                (rest.find("*/").map_or(rest.len(), |at| at + 2), None)
            }
            '"' => quoted(rest),
            'r' | 'b' if !ends_in_word(&code) && raw_string(rest).is_some() => {
                raw_string(rest).unwrap()
            }
            '\'' if character(rest).is_some() => (character(rest).unwrap(), None),
            other => {
                code.push(other);
                (other.len_utf8(), None)
            }
        };
        literals.extend(literal);
        rest = &rest[taken..];
    }
    (code, literals)
}

fn ends_in_word(code: &str) -> bool {
    code.ends_with(|character: char| character.is_alphanumeric() || character == '_')
}

/// The length of a string literal at the start of a text, and what is in it.
fn quoted(text: &str) -> (usize, Option<String>) {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            '"' if !escaped => return (at + 1, Some(text[1..at].to_owned())),
            _ => escaped = character == '\\' && !escaped,
        }
    }
    (text.len(), None)
}

/// The same of `r"…"`, `r#"…"#` and their byte forms.
fn raw_string(text: &str) -> Option<(usize, Option<String>)> {
    let after = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = after.chars().take_while(|character| *character == '#').count();
    let begin = text.len() - after.len() + hashes + 1;
    after[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = text[begin..].find(&end)?;
    Some((begin + length + end.len(), Some(text[begin..begin + length].to_owned())))
}

/// The length of a character literal; none for a lifetime.
fn character(text: &str) -> Option<usize> {
    let mut characters = text.char_indices().skip(1);
    match characters.next()?.1 {
        '\\' => text[2..]
            .char_indices()
            .skip(1)
            .find(|(_, character)| *character == '\'')
            .map(|(at, _)| at + 3),
        _ => characters.next().filter(|(_, character)| *character == '\'').map(|(at, _)| at + 1),
    }
}

/// What a module may use.
#[derive(Debug, Default, PartialEq, Eq)]
struct Room {
    modules: BTreeSet<String>,
    crates: BTreeSet<String>,
}

/// The table "Map" of ARCHITECTURE.md.
fn rooms(map: &str) -> BTreeMap<String, Room> {
    let names = |cell: &str| -> BTreeSet<String> {
        let words = cell.split(',').map(|word| word.trim().trim_matches('`').replace('-', "_"));
        words.filter(|word| word != "–").collect()
    };
    let table = map.split("\n| module | owns | may use | crates |\n").nth(1).unwrap();
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let room = Room { modules: names(cells[2]), crates: names(cells[3]) };
        (cells[0].trim_matches('`').to_owned(), room)
    })
    .collect()
}

/// The crates that the program is built from, as code spells them.
fn dependencies() -> BTreeSet<String> {
    let mut crates = crates_of("dependencies");
    crates.extend(crates_of("target.'cfg(unix)'.dependencies"));
    crates
}

/// The crates of a table of the manifest, as code spells them.
fn crates_of(table: &str) -> BTreeSet<String> {
    let table =
        MANIFEST.split(&format!("\n[{table}]\n")).nth(1).unwrap().split("\n[").next().unwrap();
    let names = table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(" = "));
    names.map(|(name, _)| name.replace('-', "_")).collect()
}

/// The first segments of paths such as `rusqlite::Row`, and what `crate::` leads to.
fn used_paths(code: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut roots, mut own) = (BTreeSet::new(), BTreeSet::new());
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    for (at, _) in code.match_indices("::") {
        let before = &code[..at];
        let word =
            &before[before.rfind(|character| !is_word(character)).map_or(0, |end| end + 1)..];
        let is_root = !before[..before.len() - word.len()].ends_with("::");
        if is_root && word == "crate" {
            let after = &code[at + 2..];
            if let Some(group) = after.strip_prefix('{') {
                let group = group.split_once('}').map_or(group, |(group, _)| group);
                own.extend(
                    group
                        .split(',')
                        .map(|path| path.split(':').next().unwrap_or_default().trim().to_owned()),
                );
            } else {
                own.insert(after.chars().take_while(|character| is_word(*character)).collect());
            }
        } else if is_root {
            roots.insert(word.to_owned());
        }
    }
    // `use thiserror;` names a crate as well.
    let imports =
        code.lines().filter_map(|line| line.trim().strip_prefix("use ")?.strip_suffix(';'));
    roots.extend(imports.map(|path| path.split(' ').next().unwrap_or_default().to_owned()));
    (roots, own)
}

/// Edges and crates that the map does not have.
fn strays(
    source: &Source,
    map: &BTreeMap<String, Room>,
    dependencies: &BTreeSet<String>,
) -> Vec<String> {
    let Some(room) = map.get(source.module()) else {
        return vec![format!("{}: the map has no module `{}`", source.path, source.module())];
    };
    let (roots, own) = used_paths(&source.code);
    // The binary sees the library by its name.
    let library =
        if source.module() == "main" { own_paths_of_main(&source.code) } else { BTreeSet::new() };
    let siblings: BTreeSet<&str> = source.code.lines().filter_map(local_module).collect();
    let edges = own
        .iter()
        .chain(&library)
        .filter(|name| *name != source.module() && !room.modules.contains(*name));
    let crates = roots.iter().filter(|name| {
        dependencies.contains(*name)
            && !siblings.contains(name.as_str())
            && !room.crates.contains(*name)
    });
    let edges =
        edges.map(|name| format!("{}: `{}` may not use `{name}`", source.path, source.module()));
    edges
        .chain(crates.map(|name| format!("{}: the crate `{name}` has no place here", source.path)))
        .collect()
}

fn own_paths_of_main(code: &str) -> BTreeSet<String> {
    used_paths(&code.replace("fgarchive::", "crate::")).1
}

/// `mod csv;` makes `csv::` a path of our own.
fn local_module(line: &str) -> Option<&str> {
    let line = line.trim();
    line.strip_prefix("pub ").unwrap_or(line).strip_prefix("mod ")?.strip_suffix(';')
}

/// Words that stand in few places: each with where, and why it must not stand elsewhere.
const ONLY_THERE: [(&str, &[&str], &str); 8] = [
    ("SystemTime::now", &["clock.rs"], "a test could not hold time still"),
    ("Utc::now", &["clock.rs"], "a test could not hold time still"),
    ("Local::now", &[], "all time is UTC"),
    (
        "std::time::Instant",
        &["store/sql/budget.rs"],
        "paused time of tests does not reach it; SQLite's work is real time",
    ),
    ("println!", &[], "data goes through the writer a command is given"),
    ("eprintln!", &[], "logging and `cli::show` speak to stderr"),
    ("std::thread", &["cli/watchdog.rs"], "work runs on the runtime, which tests can pause"),
    ("process::exit", &["cli/watchdog.rs"], "destructors release the lock and flush the output"),
];

/// Files of a module that alone may use a crate of its room.
const ONLY_IN_FILES: [(&str, &str, &[&str]); 4] = [
    ("emulator", "clap", &["emulator/options.rs", "emulator/readings.rs"]),
    ("cli", "tempfile", &["cli/demo.rs", "cli/output.rs"]),
    (
        "store",
        "tempfile",
        &["store/maintain/partial.rs", "store/file/disk_room.rs", "store/file/snapshot.rs"],
    ),
    ("store", "refinery", &["store/file/schema.rs", "store/file/error.rs"]),
];

fn misplaced_words(source: &Source) -> Vec<String> {
    let path = source.path.as_str();
    let spelled_out = spell_out_std(&source.code);
    let words = ONLY_THERE
        .iter()
        .filter(|(word, places, _)| contains_word(&spelled_out, word) && !places.contains(&path));
    let words = words.map(|(word, _, reason)| format!("{path}: `{word}`: {reason}"));
    let (roots, _) = used_paths(&source.code);
    let files = ONLY_IN_FILES.iter().filter(|(module, name, places)| {
        *module == source.module() && roots.contains(*name) && !places.contains(&path)
    });
    words
        .chain(files.map(|(_, name, places)| format!("{path}: `{name}` belongs in {places:?}")))
        .collect()
}

/// `use std::time::{Duration, Instant};` as one path a name, so that a group hides nothing.
fn spell_out_std(code: &str) -> String {
    let mut spelled = code.to_owned();
    for (at, _) in code.match_indices("std::time::{") {
        let group = code[at..].split(['{', '}']).nth(1).unwrap_or_default();
        spelled.extend(group.split(',').map(|name| format!("\nstd::time::{}", name.trim())));
    }
    spelled
}

fn contains_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| !ends_in_word(&code[..at]))
}

/// Where a statement is shown to people as an example.
const SHOWS_SQL: [&str; 3] = ["cli/demo.rs", "cli/hints.rs", "cli/query.rs"];

/// SQL in literals outside `store`.
fn misplaced_sql(source: &Source) -> Vec<String> {
    const BEGINNINGS: [&str; 12] = [
        "SELECT ", "INSERT ", "UPDATE ", "DELETE ", "CREATE ", "DROP ", "ALTER ", "PRAGMA ",
        "ATTACH ", "VACUUM", "BEGIN", "COMMIT",
    ];
    if source.module() == "store" || SHOWS_SQL.contains(&source.path.as_str()) {
        return Vec::new();
    }
    let is_sql = |literal: &&String| {
        let text = literal.trim_start();
        BEGINNINGS.iter().any(|beginning| text.starts_with(beginning))
            || text.contains("SELECT ") && text.contains("FROM ")
    };
    source
        .literals
        .iter()
        .filter(is_sql)
        .map(|literal| format!("{}: SQL outside `store`: {literal}", source.path))
        .collect()
}

fn without_purpose(source: &Source) -> Option<String> {
    let opens = source.text.starts_with("//! ");
    (!opens).then(|| format!("{}: a module opens with its purpose (`//!`)", source.path))
}

fn too_long(source: &Source) -> Option<String> {
    let lines =
        if is_test_file(&source.path) { 0 } else { without_tests(&source.text).lines().count() };
    (lines > MOST_LINES)
        .then(|| format!("{}: {lines} lines, tests aside, are more than {MOST_LINES}", source.path))
}

/// What shows answers as they are printed, a row a line.
const PRINTED: &str = "store/reports/tests";

/// Lines that `rustfmt` leaves as wide as they are, since a literal or a macro holds them.
fn too_wide(source: &Source) -> Vec<String> {
    if source.path.starts_with(PRINTED) {
        return Vec::new();
    }
    let width = |line: &str| line.chars().count();
    let lines = source.text.lines().zip(1..).filter(|(line, _)| width(line) > WIDEST_LINE);
    lines
        .map(|(line, at)| {
            format!("{}:{at}: {} characters are more than {WIDEST_LINE}", source.path, width(line))
        })
        .collect()
}

/// Files of `render` that know more than the words of `domain`, though they are no views.
fn worldly_forms(source: &Source) -> Vec<String> {
    if source.module() != "render" || source.path.starts_with("render/views/") {
        return Vec::new();
    }
    let (_, own) = used_paths(&source.code);
    let strangers = own.iter().filter(|name| !matches!(name.as_str(), "domain" | "render"));
    strangers.map(|name| format!("{}: only views use `{name}`", source.path)).collect()
}

/// Rooms that do not know how their reader sets something: only `cli` does, and `config`, which
/// reads what was set.
const WITHOUT_OPTIONS: [&str; 4] = ["api", "requester", "store", "sync"];

/// Options and variables of this program in literals of rooms that do not know of them. Variables
/// that SQLite itself reads are none.
fn named_options(source: &Source) -> Vec<String> {
    const OPTIONS: [&str; 9] = [
        "--",
        "-v",
        "-q",
        "FGARCHIVE_",
        "HUAWEICLOUD_",
        "CLOUD_SDK_",
        "OS_",
        "HTTP_PROXY",
        "HTTPS_PROXY",
    ];
    if !WITHOUT_OPTIONS.contains(&source.module()) {
        return Vec::new();
    }
    let is_end =
        |character: char| !(character.is_ascii_alphanumeric() || matches!(character, '-' | '_'));
    let words = source.literals.iter().flat_map(|literal| literal.split(is_end));
    let named = words.filter(|word| {
        OPTIONS.iter().any(|option| match *option {
            "--" => word
                .strip_prefix("--")
                .is_some_and(|name| name.starts_with(|first: char| first.is_ascii_alphabetic())),
            "-v" | "-q" => word == option,
            prefix => word.starts_with(prefix),
        })
    });
    named
        .map(|word| {
            format!("{}: `{word}` is an option, which `cli/hints.rs` may name", source.path)
        })
        .collect()
}

/// Commands of this program in literals of the same rooms: how something is done is said where the
/// command line is known.
fn named_commands(source: &Source) -> Vec<String> {
    if !WITHOUT_OPTIONS.contains(&source.module()) {
        return Vec::new();
    }
    let named = source.literals.iter().filter(|literal| literal.contains("`fgarchive "));
    named
        .map(|text| format!("{}: a command, which `cli/hints.rs` may name: {text}", source.path))
        .collect()
}

fn violations(source: &Source) -> Vec<String> {
    let mut found = strays(source, &rooms(MAP), &dependencies());
    found.extend(misplaced_words(source));
    found.extend(misplaced_sql(source));
    found.extend(worldly_forms(source));
    found.extend(named_options(source));
    found.extend(named_commands(source));
    found.extend(without_purpose(source));
    found.extend(too_long(source));
    found.extend(too_wide(source));
    found
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    texts_below(&root).into_iter().map(|(path, text)| Source::new(&path, &text)).collect()
}

/// The files of Rust below a directory: the path from there, and the text.
fn texts_below(root: &Path) -> Vec<(String, String)> {
    let mut directories = vec![root.to_owned()];
    let mut texts = Vec::new();
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let below = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                texts.push((below, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    texts
}

#[test]
fn the_sources_keep_every_rule() {
    let sources = sources();
    assert!(sources.len() > 80);
    let found: Vec<String> = sources.iter().flat_map(violations).collect();
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn the_map_is_short_and_names_what_exists() {
    assert!(MAP.lines().count() <= MOST_LINES_OF_MAP, "{} lines", MAP.lines().count());
    let sources = sources();
    let exist: BTreeSet<&str> = sources.iter().map(Source::module).collect();
    let rooms = rooms(MAP);
    assert_eq!(rooms.keys().map(String::as_str).collect::<BTreeSet<_>>(), exist);
    let known = dependencies();
    for (module, room) in &rooms {
        let used: Vec<_> = sources
            .iter()
            .filter(|source| source.module() == module)
            .map(|source| used_paths(&source.code))
            .collect();
        for name in &room.crates {
            assert!(known.contains(name), "{module}: `{name}` is no dependency");
            assert!(
                used.iter().any(|(roots, _)| roots.contains(name)),
                "{module} does not use `{name}` any more"
            );
        }
        for name in room.modules.iter().filter(|_| module != "main") {
            assert!(
                used.iter().any(|(_, own)| own.contains(name)),
                "{module} does not use `{name}` any more"
            );
        }
    }
}

/// Each is downloaded, built and audited by everybody.
#[test]
fn every_dependency_is_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names_in = |directories: &[&str]| -> BTreeSet<String> {
        let texts = directories.iter().flat_map(|directory| texts_below(&root.join(directory)));
        // Properties inside the sources are tests, which the rules for code leave out.
        texts.flat_map(|(_, text)| used_paths(&text).0).collect()
    };
    let unused = |table: &str, used: &BTreeSet<String>| -> Vec<String> {
        crates_of(table).into_iter().filter(|name| !used.contains(name)).collect()
    };
    assert_eq!(unused("dependencies", &names_in(&["src"])), Vec::<String>::new());
    assert_eq!(
        unused("dev-dependencies", &names_in(&["src", "tests", "benches"])),
        Vec::<String>::new()
    );
    assert!(!unused("dev-dependencies", &BTreeSet::new()).is_empty(), "the manifest is read");
}

/// What the map may never come to say.
#[test]
fn the_map_keeps_the_nevers() {
    let rooms = rooms(MAP);
    let users = |name: &str| -> Vec<&str> {
        rooms
            .iter()
            .filter(|(_, room)| room.crates.contains(name))
            .map(|(module, _)| module.as_str())
            .collect()
    };
    assert_eq!(users("rusqlite"), ["store"]);
    assert_eq!(users("refinery"), ["store"]);
    assert_eq!(users("reqwest"), ["api"]);
    assert_eq!(users("axum"), ["emulator", "web"]);
    assert_eq!(users("clap"), ["cli", "emulator"]);
    let may_use =
        |module: &str| rooms[module].modules.iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(may_use("domain"), [""; 0]);
    assert_eq!(may_use("plan"), ["domain"]);
    assert_eq!(may_use("api"), ["domain"]);
    assert_eq!(may_use("emulator"), ["domain"]);
    assert_eq!(may_use("main"), ["cli"]);
    assert_eq!(rooms["plan"].crates, BTreeSet::new());
    assert!(!rooms["store"].modules.contains("api") && !rooms["store"].modules.contains("clock"));
}

/// Each rule fails on a text that breaks it, and on nothing that only looks like it.
#[test]
fn every_rule_can_fail() {
    let found = |path: &str, code: &str| {
        violations(&Source::new(path, &format!("//! Purpose.\n\n{code}\n")))
    };
    for (path, code, expected) in [
        ("plan/pace.rs", "use crate::store::Archive;", "`plan` may not use `store`"),
        ("store/runs.rs", "use crate::{domain::Status, api::Client};", "`store` may not use `api`"),
        (
            "emulator/wire.rs",
            "fn f() { crate::api::wire::decode(); }",
            "`emulator` may not use `api`",
        ),
        ("main.rs", "use fgarchive::store::Reader;", "`main` may not use `store`"),
        ("cli/check.rs", "use rusqlite::Connection;", "the crate `rusqlite` has no place here"),
        ("cli/sync.rs", "fn f(it: reqwest::Client) {}", "the crate `reqwest` has no place here"),
        ("plan/pace.rs", "use tokio::time::Instant;", "the crate `tokio` has no place here"),
        ("plan/pace.rs", "use chrono;", "the crate `chrono` has no place here"),
        ("shop/mod.rs", "", "the map has no module `shop`"),
        ("sync/run.rs", "const H: &str = \"run `fgarchive sync`\";", "a command"),
        ("render/table.rs", "use crate::store::read::Extent;", "only views use `store`"),
        (
            "store/runs.rs",
            "const H: &str = \"raise --max-memory, or\";",
            "`--max-memory` is an option",
        ),
        ("sync/run.rs", "const H: &str = \"-v tells more\";", "`-v` is an option"),
        ("api/http.rs", "const H: &str = \"set OS_USERNAME\";", "`OS_USERNAME` is an option"),
        ("emulator/wire.rs", "use clap::Args;", "`clap` belongs in"),
        ("sync/mod.rs", "fn f() { std::time::SystemTime::now(); }", "`SystemTime::now`"),
        ("emulator/world/mod.rs", "fn f() { chrono::Utc::now(); }", "`Utc::now`"),
        ("sync/mod.rs", "use std::time::{Duration, Instant};", "`std::time::Instant`"),
        ("api/http.rs", "fn f() { println!(\"{}\", 1); }", "`println!`"),
        ("store/runs.rs", "fn f() { eprintln!(\"oh\"); }", "`eprintln!`"),
        ("sync/mod.rs", "const Q: &str = \"SELECT 1\";", "SQL outside `store`"),
        ("api/mod.rs", "const Q: &str = r#\"\n  DELETE FROM runs\"#;", "SQL outside `store`"),
    ] {
        let found = found(path, code);
        assert!(
            found.iter().any(|line| line.contains(expected)),
            "{code}: {found:?} lacks {expected}"
        );
    }
    for (path, code) in [
        (
            "plan/pace.rs",
            "// use crate::store::Archive; println!\nconst A: &str = \"use rusqlite::Row; SELECT\";",
        ),
        ("render/mod.rs", "mod csv;\nuse csv::Writer;"),
        ("render/views/status.rs", "use crate::store::read::Extent;"),
        (
            "plan/pace.rs",
            "#[cfg(test)]\nmod tests {\n    use proptest::prelude::*;\n    \
             use crate::store::Archive;\n}",
        ),
        (
            "sync/mod.rs",
            "use tokio::time::Instant;\nfn f<'a>(x: &'a str) -> char { '\"' }\n// SystemTime::now",
        ),
        ("store/runs.rs", "const Q: &str = \"SELECT 1 -- why: a -- b\";"),
        (
            "sync/run.rs",
            "// --db\nconst H: &str = \"compare `date -u` with a clock; set SQLITE_TMPDIR\";",
        ),
        ("cli/hints.rs", "const H: &str = \"give --db to `fgarchive sync`\";"),
        ("store/file/log.rs", "const H: &str = \"use the newer fgarchive that wrote it\";"),
    ] {
        assert_eq!(found(path, code), Vec::<String>::new(), "{code}");
    }
    assert!(
        violations(&Source::new("plan/pace.rs", "use std::fmt;\n"))[0]
            .contains("opens with its purpose")
    );
    assert!(
        found("plan/pace.rs", &"\n".repeat(MOST_LINES))
            .iter()
            .any(|line| line.contains("lines, tests aside"))
    );
    let comment = |width: usize| format!("// {}\n", "é".repeat(width - 3));
    assert_eq!(found("plan/pace.rs", &comment(WIDEST_LINE)), [""; 0]);
    assert!(found("plan/pace.rs", &comment(WIDEST_LINE + 1))[0].contains("101 characters"));
    assert_eq!(
        found(
            "plan/pace.rs",
            &format!("#[cfg(test)]\nmod tests {{\n{}}}", "\n".repeat(MOST_LINES))
        ),
        [""; 0]
    );
}

/// The floors of the store, from the ground up: each may use those before it.
const FLOORS: [&str; 6] = ["sql", "file", "write", "reports", "read", "maintain"];

/// How many files of a room still stand in a circle; a number here may only fall.
const KNOWN_CIRCLES: [(&str, usize); 0] = [];

/// How many functions still have their body in a `mod.rs`, which is a table of contents; a number
/// here may only fall.
const KNOWN_BODIES: [(&str, usize); 0] = [];

/// The segments of a path such as `crate::domain::Status`.
type Segments = Vec<String>;

/// The files as modules, to tell which file an import leads to.
struct Modules {
    /// The file of each module, by its path from the crate on.
    files: BTreeMap<Segments, String>,
    /// What each module imports, and the name it gives to that.
    imports: BTreeMap<Segments, Vec<(Segments, String)>>,
    codes: BTreeMap<Segments, String>,
}

impl Modules {
    fn of(sources: &[Source]) -> Self {
        let mut modules =
            Self { files: BTreeMap::new(), imports: BTreeMap::new(), codes: BTreeMap::new() };
        for source in sources {
            let module = module_of(&source.path);
            let (imports, code) = split_imports(&without_inner_modules(&source.code));
            modules.files.insert(module.clone(), source.path.clone());
            modules.imports.insert(module.clone(), imports);
            modules.codes.insert(module, code);
        }
        modules
    }

    /// From where a path is to be followed, and what is left of it then; none for a path into a
    /// crate.
    fn anchor(&self, module: &[String], path: &[String]) -> Option<(Segments, Segments)> {
        let first = path.first()?;
        let ups = path.iter().take_while(|segment| *segment == "super").count();
        match first.as_str() {
            "crate" => Some((Vec::new(), path[1..].to_vec())),
            "self" => Some((module.to_vec(), path[1..].to_vec())),
            "super" => {
                Some((module[..module.len().checked_sub(ups)?].to_vec(), path[ups..].to_vec()))
            }
            _ => self
                .files
                .contains_key(&child(module, first))
                .then(|| (module.to_vec(), path.to_vec())),
        }
    }

    /// The module that a path leads to, through re-exports, and whether it names something in it.
    fn follow(&self, from: Segments, path: &[String], depth: usize) -> (Segments, bool) {
        let mut at = from;
        for (place, segment) in path.iter().enumerate() {
            let below = child(&at, segment);
            if self.files.contains_key(&below) {
                at = below;
                continue;
            }
            let imported =
                self.imports.get(&at).and_then(|all| all.iter().find(|(_, name)| name == segment));
            let anchor =
                imported.filter(|_| depth > 0).and_then(|(path, _)| self.anchor(&at, path));
            return match anchor {
                Some((base, rest)) => {
                    self.follow(base, &[rest, path[place + 1..].to_vec()].concat(), depth - 1)
                }
                None => (at, true),
            };
        }
        (at, false)
    }

    /// The files that a file uses. A folder that is named is nobody's file: what is taken out of it
    /// is.
    fn used_by(&self, module: &[String]) -> BTreeSet<String> {
        const MOST_REEXPORTS: usize = 8;
        let mut bound: BTreeMap<&str, Segments> = BTreeMap::new();
        let mut reached = Vec::new();
        for (path, name) in &self.imports[module] {
            if let Some((base, rest)) = self.anchor(module, path) {
                let (to, is_item) = self.follow(base, &rest, MOST_REEXPORTS);
                if !is_item {
                    bound.insert(name, to.clone());
                }
                reached.push((to, is_item));
            }
        }
        for path in inline_paths(&self.codes[module]) {
            let by_name = bound.get(path[0].as_str()).map(|to| (to.clone(), path[1..].to_vec()));
            if let Some((base, rest)) = self.anchor(module, &path).or(by_name) {
                reached.push(self.follow(base, &rest, MOST_REEXPORTS));
            }
        }
        let is_folder = |module: &Segments| {
            self.files.keys().any(|other| other.len() > module.len() && other.starts_with(module))
        };
        let files =
            reached.iter().filter(|(to, is_item)| to != module && (*is_item || !is_folder(to)));
        files.filter_map(|(to, _)| self.files.get(to).cloned()).collect()
    }
}

fn child(module: &[String], name: &str) -> Segments {
    module.iter().cloned().chain([name.to_owned()]).collect()
}

fn module_of(path: &str) -> Segments {
    let path = path.strip_suffix(".rs").unwrap();
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if path == "lib" { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

/// Modules inside a file see it by `super`, and are a part of it.
fn without_inner_modules(code: &str) -> String {
    let mut kept = String::new();
    let mut inside: Option<String> = None;
    for line in code.lines() {
        let word = line.trim_start();
        let indent = &line[..line.len() - word.len()];
        match &inside {
            Some(end) if line == end => inside = None,
            Some(_) => {}
            None if word.starts_with("mod ") && word.ends_with('{') => {
                inside = Some(format!("{indent}}}"));
            }
            None => {
                kept.push_str(line);
                kept.push('\n');
            }
        }
    }
    kept
}

/// What is imported, each with the name it is given, and the code without the imports.
fn split_imports(code: &str) -> (Vec<(Segments, String)>, String) {
    let (mut imports, mut rest) = (Vec::new(), String::new());
    let mut statement: Option<String> = None;
    for line in code.lines() {
        let begun = line.trim_start();
        let begun = match begun.strip_prefix("pub") {
            Some(public) => {
                public.trim_start_matches(|character: char| character != ' ').trim_start()
            }
            None => begun,
        };
        match (&mut statement, begun.strip_prefix("use ")) {
            (Some(open), _) => open.push_str(line),
            (None, Some(tree)) => statement = Some(tree.to_owned()),
            (None, None) => {
                rest.push_str(line);
                rest.push('\n');
            }
        }
        if let Some(whole) = statement.take_if(|whole| whole.trim_end().ends_with(';')) {
            spread(whole.trim_end().trim_end_matches(';'), &[], &mut imports);
        }
    }
    (imports, rest)
}

/// Takes `a::{b, c::d as e}` apart.
fn spread(tree: &str, before: &[String], imports: &mut Vec<(Segments, String)>) {
    let names = |path: &str| -> Segments {
        let segments = path.split("::").map(|segment| segment.trim().to_owned());
        before.iter().cloned().chain(segments.filter(|segment| !segment.is_empty())).collect()
    };
    if let Some((path, group)) = tree.split_once('{') {
        let group = &group[..group.rfind('}').unwrap_or(group.len())];
        let (mut depth, mut from) = (0, 0);
        for (at, character) in group.char_indices().chain([(group.len(), ',')]) {
            match character {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    let part = group[from..at].trim();
                    if !part.is_empty() {
                        spread(part, &names(path), imports);
                    }
                    from = at + 1;
                }
                _ => {}
            }
        }
        return;
    }
    let (path, alias) =
        tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias.trim())));
    let mut path = names(path);
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    let name = alias.map_or_else(|| path.last().cloned().unwrap_or_default(), str::to_owned);
    imports.push((path, name));
}

/// Paths in the code: `records::save`.
fn inline_paths(code: &str) -> Vec<Segments> {
    let words = code
        .split(|character: char| !(character.is_alphanumeric() || matches!(character, '_' | ':')));
    let paths = words.filter(|word| word.contains("::") && !word.starts_with(':'));
    paths
        .map(|path| {
            path.split("::").filter(|segment| !segment.is_empty()).map(str::to_owned).collect()
        })
        .collect()
}

/// Which files a file uses.
fn uses(sources: &[Source]) -> BTreeMap<String, BTreeSet<String>> {
    let modules = Modules::of(sources);
    modules.files.iter().map(|(module, file)| (file.clone(), modules.used_by(module))).collect()
}

/// The files that use themselves by way of others.
fn in_circles(uses: &BTreeMap<String, BTreeSet<String>>) -> Vec<&str> {
    let reaches_itself = |file: &&String| {
        let mut seen = BTreeSet::new();
        let mut next: Vec<&String> = uses[*file].iter().collect();
        while let Some(other) = next.pop() {
            if seen.insert(other) {
                next.extend(uses.get(other).into_iter().flatten());
            }
        }
        seen.contains(*file)
    };
    uses.keys().filter(reaches_itself).map(String::as_str).collect()
}

/// Files of the store on no floor, or that use a floor above their own.
fn climbs(uses: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let floor = |path: &str| {
        let name = path.strip_prefix("store/")?.split_once('/')?.0;
        FLOORS.iter().position(|floor| *floor == name)
    };
    let mut found = Vec::new();
    for (file, used) in
        uses.iter().filter(|(file, _)| file.starts_with("store/") && !is_test_file(file))
    {
        let Some(own) = floor(file) else {
            found
                .extend((file != "store/mod.rs").then(|| format!("{file}: it stands on no floor")));
            continue;
        };
        let above = used.iter().filter(|other| floor(other).is_some_and(|floor| floor > own));
        found.extend(above.map(|other| format!("{file}: `{other}` is on a floor above")));
    }
    found
}

/// How many functions have their body in a `mod.rs`.
fn bodies(source: &Source) -> usize {
    if !source.path.ends_with("mod.rs") {
        return 0;
    }
    let functions = source.code.split("fn ").skip(1);
    functions
        .filter(|text| {
            text.find('{').is_some_and(|body| text.find(';').is_none_or(|end| body < end))
        })
        .count()
}

#[test]
fn no_files_stand_in_a_circle_but_the_known() {
    let uses = uses(&sources());
    let circles = in_circles(&uses);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for file in &circles {
        *counts.entry(file.split(['/', '.']).next().unwrap()).or_default() += 1;
    }
    assert_eq!(counts, BTreeMap::from(KNOWN_CIRCLES), "{circles:#?}");
}

#[test]
fn the_store_never_climbs() {
    assert_eq!(climbs(&uses(&sources())), Vec::<String>::new());
}

#[test]
fn a_table_of_contents_has_no_function_but_the_known() {
    let sources = sources();
    let counts = sources
        .iter()
        .map(|source| (source.path.as_str(), bodies(source)))
        .filter(|(_, count)| *count > 0);
    assert_eq!(counts.collect::<BTreeMap<_, _>>(), BTreeMap::from(KNOWN_BODIES));
}

/// Each way of naming another file, in a pair of files that use each other.
#[test]
fn a_circle_is_seen_however_it_is_spelled() {
    let back = "use super::a::A;";
    let forth = [
        "use super::b::B;",
        "use crate::store::file::b::{B, C as D};",
        "use super::{\n    a,\n    b::{self, B},\n};",
        "use super::B;",
        "use crate::store::file::B;",
        "use super::b;\nfn f() { b::g() }",
        "fn f() { super::b::g() }",
    ];
    let contents = "mod a;\nmod b;\npub use b::B;\npub use a::A;";
    let circles = |one: &str, other: &str| {
        let files = [
            ("lib.rs", "pub mod store;"),
            ("store/mod.rs", "pub mod file;"),
            ("store/file/mod.rs", contents),
            ("store/file/a.rs", one),
            ("store/file/b.rs", other),
        ];
        in_circles(&uses(&files.map(|(path, text)| Source::new(path, text)))).len()
    };
    for text in forth {
        assert_eq!(circles(text, back), 2, "{text}");
        assert_eq!(
            circles(text, "use crate::domain::C;\nmod system {\n    use super::A;\n}"),
            0,
            "{text}"
        );
    }
    assert_eq!(circles("#[cfg(test)]\nmod tests {\n    use super::super::b::B;\n}", back), 0);
}

#[test]
fn floors_and_tables_of_contents_can_fail() {
    let texts = [
        ("lib.rs", ""),
        ("store/mod.rs", ""),
        ("store/sql/mod.rs", ""),
        ("store/file/mod.rs", ""),
        ("store/sql/a.rs", "use crate::store::file::b::B;"),
        ("store/file/b.rs", "use crate::store::sql::a::A;"),
        ("store/c.rs", ""),
    ];
    let sources = texts.map(|(path, text)| Source::new(path, text));
    let found = climbs(&uses(&sources));
    assert_eq!(
        found,
        [
            "store/c.rs: it stands on no floor",
            "store/sql/a.rs: `store/file/b.rs` is on a floor above"
        ]
    );
    let text = "mod a;\npub trait T {\n    fn f();\n}\nfn g() {}\n";
    assert_eq!(bodies(&Source::new("store/mod.rs", text)), 1);
    assert_eq!(bodies(&Source::new("store/a.rs", text)), 0);
}
