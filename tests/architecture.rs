//! The house keeps its shape: which module may use which, which crate lives in which room, and what stands nowhere else.
//!
//! The rules on edges and crates are the table of ARCHITECTURE.md; the others are here. Each rule is a function over a path and a
//! text, so that a test can show it a text that breaks it.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use pretty_assertions::assert_eq;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const MAP: &str = include_str!("../ARCHITECTURE.md");
const MANIFEST: &str = include_str!("../Cargo.toml");

/// More lines than this, tests aside, are more than one subject.
const MOST_LINES: usize = 500;
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
    path.ends_with("/tests.rs") || path.ends_with("/testing.rs")
}

/// What stands before the test module; nothing of production follows one here.
fn without_tests(text: &str) -> String {
    let mut lines = text.lines().peekable();
    let mut kept = String::new();
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]" && lines.peek().is_some_and(|next| next.starts_with("mod ") && next.ends_with('{')) {
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
            '/' if rest.starts_with("/*") => (rest.find("*/").map_or(rest.len(), |at| at + 2), None),
            '"' => quoted(rest),
            'r' | 'b' if !ends_in_word(&code) && raw_string(rest).is_some() => raw_string(rest).unwrap(),
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
        '\\' => text[2..].char_indices().skip(1).find(|(_, character)| *character == '\'').map(|(at, _)| at + 3),
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

/// The crates of `[dependencies]`, as code spells them.
fn dependencies() -> BTreeSet<String> {
    let table = MANIFEST.split("\n[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let names = table.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
    names.map(|(name, _)| name.replace('-', "_")).collect()
}

/// The first segments of paths such as `rusqlite::Row`, and what `crate::` leads to.
fn used_paths(code: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut roots, mut own) = (BTreeSet::new(), BTreeSet::new());
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    for (at, _) in code.match_indices("::") {
        let before = &code[..at];
        let word = &before[before.rfind(|character| !is_word(character)).map_or(0, |end| end + 1)..];
        let is_root = !before[..before.len() - word.len()].ends_with("::");
        if is_root && word == "crate" {
            let after = &code[at + 2..];
            if let Some(group) = after.strip_prefix('{') {
                let group = group.split_once('}').map_or(group, |(group, _)| group);
                own.extend(group.split(',').map(|path| path.split(':').next().unwrap_or_default().trim().to_owned()));
            } else {
                own.insert(after.chars().take_while(|character| is_word(*character)).collect());
            }
        } else if is_root {
            roots.insert(word.to_owned());
        }
    }
    // `use thiserror;` names a crate as well.
    let imports = code.lines().filter_map(|line| line.trim().strip_prefix("use ")?.strip_suffix(';'));
    roots.extend(imports.map(|path| path.split(' ').next().unwrap_or_default().to_owned()));
    (roots, own)
}

/// Edges and crates that the map does not have.
fn strays(source: &Source, map: &BTreeMap<String, Room>, dependencies: &BTreeSet<String>) -> Vec<String> {
    let Some(room) = map.get(source.module()) else {
        return vec![format!("{}: the map has no module `{}`", source.path, source.module())];
    };
    let (roots, own) = used_paths(&source.code);
    // The binary sees the library by its name.
    let library = if source.module() == "main" { own_paths_of_main(&source.code) } else { BTreeSet::new() };
    let siblings: BTreeSet<&str> = source.code.lines().filter_map(local_module).collect();
    let edges = own.iter().chain(&library).filter(|name| *name != source.module() && !room.modules.contains(*name));
    let crates = roots.iter().filter(|name| {
        dependencies.contains(*name) && !siblings.contains(name.as_str()) && !room.crates.contains(*name)
    });
    let edges = edges.map(|name| format!("{}: `{}` may not use `{name}`", source.path, source.module()));
    edges.chain(crates.map(|name| format!("{}: the crate `{name}` has no place here", source.path))).collect()
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
    ("cli", "tempfile", &["cli/demo.rs"]),
    ("store", "tempfile", &["store/maintain/backup.rs", "store/file/disk_room.rs", "store/file/snapshot.rs"]),
    ("store", "refinery", &["store/file/schema.rs", "store/file/error.rs"]),
];

fn misplaced_words(source: &Source) -> Vec<String> {
    let path = source.path.as_str();
    let spelled_out = spell_out_std(&source.code);
    let words =
        ONLY_THERE.iter().filter(|(word, places, _)| contains_word(&spelled_out, word) && !places.contains(&path));
    let words = words.map(|(word, _, reason)| format!("{path}: `{word}`: {reason}"));
    let (roots, _) = used_paths(&source.code);
    let files = ONLY_IN_FILES.iter().filter(|(module, name, places)| {
        *module == source.module() && roots.contains(*name) && !places.contains(&path)
    });
    words.chain(files.map(|(_, name, places)| format!("{path}: `{name}` belongs in {places:?}"))).collect()
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
const SHOWS_SQL: [&str; 2] = ["cli/demo.rs", "cli/query.rs"];

/// SQL in literals outside `store`.
fn misplaced_sql(source: &Source) -> Vec<String> {
    const BEGINNINGS: [&str; 12] = [
        "SELECT ", "INSERT ", "UPDATE ", "DELETE ", "CREATE ", "DROP ", "ALTER ", "PRAGMA ", "ATTACH ", "VACUUM",
        "BEGIN", "COMMIT",
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
    let lines = if is_test_file(&source.path) { 0 } else { without_tests(&source.text).lines().count() };
    (lines > MOST_LINES).then(|| format!("{}: {lines} lines, tests aside, are more than {MOST_LINES}", source.path))
}

fn violations(source: &Source) -> Vec<String> {
    let mut found = strays(source, &rooms(MAP), &dependencies());
    found.extend(misplaced_words(source));
    found.extend(misplaced_sql(source));
    found.extend(without_purpose(source));
    found.extend(too_long(source));
    found
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut directories = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let below = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
                sources.push(Source::new(&below, &fs::read_to_string(&path).unwrap()));
            }
        }
    }
    sources
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
        let used: Vec<_> =
            sources.iter().filter(|source| source.module() == module).map(|source| used_paths(&source.code)).collect();
        for name in &room.crates {
            assert!(known.contains(name), "{module}: `{name}` is no dependency");
            assert!(used.iter().any(|(roots, _)| roots.contains(name)), "{module} does not use `{name}` any more");
        }
        for name in room.modules.iter().filter(|_| module != "main") {
            assert!(used.iter().any(|(_, own)| own.contains(name)), "{module} does not use `{name}` any more");
        }
    }
}

/// What the map may never come to say.
#[test]
fn the_map_keeps_the_nevers() {
    let rooms = rooms(MAP);
    let users = |name: &str| -> Vec<&str> {
        rooms.iter().filter(|(_, room)| room.crates.contains(name)).map(|(module, _)| module.as_str()).collect()
    };
    assert_eq!(users("rusqlite"), ["store"]);
    assert_eq!(users("refinery"), ["store"]);
    assert_eq!(users("reqwest"), ["api"]);
    assert_eq!(users("axum"), ["emulator"]);
    assert_eq!(users("clap"), ["cli", "emulator"]);
    let may_use = |module: &str| rooms[module].modules.iter().map(String::as_str).collect::<Vec<_>>();
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
    let found = |path: &str, code: &str| violations(&Source::new(path, &format!("//! Purpose.\n\n{code}\n")));
    for (path, code, expected) in [
        ("plan/pace.rs", "use crate::store::Archive;", "`plan` may not use `store`"),
        ("store/runs.rs", "use crate::{domain::Status, api::Client};", "`store` may not use `api`"),
        ("emulator/wire.rs", "fn f() { crate::api::wire::decode(); }", "`emulator` may not use `api`"),
        ("main.rs", "use fgarchive::store::Reader;", "`main` may not use `store`"),
        ("cli/check.rs", "use rusqlite::Connection;", "the crate `rusqlite` has no place here"),
        ("cli/sync.rs", "fn f(it: reqwest::Client) {}", "the crate `reqwest` has no place here"),
        ("plan/pace.rs", "use tokio::time::Instant;", "the crate `tokio` has no place here"),
        ("plan/pace.rs", "use chrono;", "the crate `chrono` has no place here"),
        ("shop/mod.rs", "", "the map has no module `shop`"),
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
        assert!(found.iter().any(|line| line.contains(expected)), "{code}: {found:?} lacks {expected}");
    }
    for (path, code) in [
        ("plan/pace.rs", "// use crate::store::Archive; println!\nconst A: &str = \"use rusqlite::Row; SELECT\";"),
        ("cli/render/mod.rs", "mod csv;\nuse csv::Writer;"),
        ("plan/pace.rs", "#[cfg(test)]\nmod tests {\n    use proptest::prelude::*;\n    use crate::store::Archive;\n}"),
        ("sync/mod.rs", "use tokio::time::Instant;\nfn f<'a>(x: &'a str) -> char { '\"' }\n// SystemTime::now"),
        ("store/runs.rs", "const Q: &str = \"SELECT 1\";"),
    ] {
        assert_eq!(found(path, code), Vec::<String>::new(), "{code}");
    }
    assert!(violations(&Source::new("plan/pace.rs", "use std::fmt;\n"))[0].contains("opens with its purpose"));
    assert!(found("plan/pace.rs", &"\n".repeat(MOST_LINES)).iter().any(|line| line.contains("lines, tests aside")));
    assert_eq!(found("plan/pace.rs", &format!("#[cfg(test)]\nmod tests {{\n{}}}", "\n".repeat(MOST_LINES))), [""; 0]);
}
