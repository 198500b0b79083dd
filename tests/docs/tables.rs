//! The tables of the pages name what the program has: no more, and no less.

use crate::page::{page, pages, quoted, root, rows};
use crate::sealed::{Sealed, help};
use pretty_assertions::assert_eq;
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::fs;

#[test]
fn every_table_and_column_is_described_and_no_other() {
    let sealed = Sealed::new();
    sealed.fgarchive(&["demo", "--keep", "demo.db"]);
    let archive = Connection::open(sealed.path().join("demo.db")).unwrap();
    let mut statement = archive
        .prepare(
            "SELECT s.name, group_concat(c.name, ' ' ORDER BY c.cid)
               FROM sqlite_schema s, pragma_table_xinfo(s.name) c
              WHERE s.type IN ('table', 'view') GROUP BY s.name ORDER BY s.name",
        )
        .unwrap();
    let exist: Vec<(String, String)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let page = page("docs/archive.md");
    let headings: Vec<String> =
        page.headings().into_iter().filter(|heading| heading.starts_with('`')).collect();
    let mut described: Vec<(String, String)> = headings
        .iter()
        .map(|heading| {
            let rows = rows(&page.section(&format!("### {heading}")));
            let columns: Vec<&str> = rows.iter().flat_map(|row| quoted(&row[0])).collect();
            (heading.trim_matches('`').to_owned(), columns.join(" "))
        })
        .collect();
    described.sort();
    assert_eq!(described, exist);
    // The overview leads to each of them.
    let overview = rows(&page.section("## Overview"));
    let listed: BTreeSet<&str> = overview.iter().flat_map(|row| quoted(&row[0])).collect();
    assert_eq!(listed, exist.iter().map(|(name, _)| name.as_str()).collect());
}

/// The table as it is printed above is compared with the program's.
#[test]
fn every_column_of_status_is_described_and_no_other() {
    let section = page("docs/operations.md").section("## Is it well?");
    let printed = section.lines().find(|line| line.starts_with("function ")).unwrap();
    let described = rows(&section);
    let described: Vec<&str> = described.iter().flat_map(|row| quoted(&row[0])).collect();
    assert_eq!(described, printed.split_whitespace().skip(1).collect::<Vec<_>>());
}

#[test]
fn every_report_is_described_and_no_other() {
    let listed = Sealed::new().fgarchive(&["query", "list", "--format", "csv"]);
    let exist: BTreeSet<&str> =
        listed.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    let tables = rows(&page("docs/queries.md").section("## Reports"));
    let described: BTreeSet<&str> = tables.iter().flat_map(|row| quoted(&row[0])).collect();
    assert_eq!(described, exist);
}

#[test]
fn every_exit_code_is_described_and_no_other() {
    let help = help(&[]);
    let lines =
        help.split("Exit codes:\n").nth(1).unwrap().lines().take_while(|line| !line.is_empty());
    let exist: Vec<(String, String)> = lines
        .map(|line| line.trim().split_once(' ').unwrap())
        .map(|(code, meaning)| (code.into(), meaning.trim().into()))
        .collect();
    let described = rows(&page("docs/operations.md").section("## Exit codes"));
    let described: Vec<(String, String)> =
        described.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    assert_eq!(described, exist);
}

/// Words such as `NO_COLOR`.
fn variables_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|character: char| !(character.is_ascii_uppercase() || character == '_'));
    let names = words.filter(|word| word.len() > 3 && word.trim_matches('_').contains('_'));
    names.map(str::to_owned).collect()
}

#[test]
fn every_variable_is_described_and_no_other() {
    let page = page("docs/configuration.md");
    let described = variables_in(&page.section("## Credentials"));
    let described: BTreeSet<String> =
        described.union(&variables_in(&page.section("## Variables"))).cloned().collect();
    assert_eq!(described, variables_in(&(help(&[]) + &help(&["sync"]) + &help(&["query"]))));
    let mut read = BTreeSet::new();
    for name in ["credentials.rs", "service.rs"] {
        let source = fs::read_to_string(root().join("src/config").join(name)).unwrap();
        let constants = source.split("#[cfg(test)]").next().unwrap().split('"').skip(1).step_by(2);
        read.extend(constants.filter(|text| variables_in(text).contains(*text)).map(str::to_owned));
    }
    assert!(read.len() > 10 && read.is_subset(&described), "{:?}", read.difference(&described));
}

/// Variables of the tests and benchmarks, which the program does not read.
const OF_TESTS: [&str; 5] = [
    "FGARCHIVE_BENCH",
    "FGARCHIVE_SIM_SEED",
    "FGARCHIVE_SIM_SEEDS",
    "FGARCHIVE_SIM_WORLDS",
    "FGARCHIVE_SWEEP",
];

/// Variables of the command that is told of alerts, which the program sets.
const OF_COMMANDS: [&str; 4] = [
    "FGARCHIVE_ALERTS_BEGAN",
    "FGARCHIVE_ALERTS_ENDED",
    "FGARCHIVE_ALERTS_LASTING",
    "FGARCHIVE_ALERTS_TEXT",
];

/// A page that names a variable names one that exists.
#[test]
fn variables_are_the_same_on_every_page() {
    let exist = variables_in(&(help(&[]) + &help(&["sync"]) + &help(&["query"])));
    for page in pages() {
        for name in variables_in(&page.text) {
            let is_ours = ["FGARCHIVE_", "HUAWEICLOUD_", "CLOUD_SDK_", "OS_"]
                .iter()
                .any(|begin| name.starts_with(begin));
            let of_region = name.starts_with("HUAWEICLOUD_SDK_REGION_FUNCTIONGRAPH_");
            let is_known = exist.contains(&name)
                || of_region
                || OF_TESTS.iter().chain(&OF_COMMANDS).any(|known| *known == name);
            assert!(!is_ours || is_known, "{}: there is no variable {name}", page.place);
        }
    }
}
