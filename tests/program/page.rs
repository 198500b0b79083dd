//! `page`: one file that a browser shows by itself. Each figure is what its report tells, nothing
//! from outside becomes an element, and what is not proven does not look like a zero.

use crate::program::Home;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fgarchive::store::file::Archive;
use pretty_assertions::assert_eq;
use rusqlite::Connection;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// A year of functions with a record a day each, one of which in thirty has failed. Of the first
/// function a week was lost, a week is unproven, and nobody walked another; all were off for a
/// week in which nothing happened.
fn year(functions: usize) -> Home {
    let home = Home::new();
    let mut archive = Archive::open(&home.db()).unwrap();
    let rows = format!(
        "WITH RECURSIVE n AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM n WHERE n < {functions})
         INSERT INTO functions (id, urn, region, project_id, package, name, qualifier,
             first_seen_at, horizon_begin, horizon_end)
         SELECT n, printf('urn:fss:cn-north-4:0123:function:default:f%03d', n), 'cn-north-4',
                '0123', 'default', printf('f%03d', n), 'latest', '2025-03-01T00:00:00Z',
                '2025-03-01T00:00:00Z', '2026-03-01T00:00:00Z'
           FROM n;
         INSERT INTO runs (id, started_at, updated_at, ended_at, outcome, exit_code) VALUES
             (1, '2026-03-01T00:10:00Z', '2026-03-01T00:20:00Z', '2026-03-01T00:20:00Z',
              'complete', 0);
         WITH RECURSIVE d AS (SELECT 0 AS d UNION ALL SELECT d + 1 FROM d WHERE d < 364),
              r AS (SELECT f.id AS f, d, unixepoch('2025-03-01') + d * 86400 + f.id * 600 AS s,
                           f.id * 7 + d AS x
                      FROM functions f, d)
         INSERT INTO invocations
         SELECT printf('%08d-%04d', d, f), f, iif(x % 30 = 0, 'FAIL', 'SUCCESS'),
                iif(x % 30 = 0, 4201, NULL),
                iif(x % 30 = 0, 'job ' || x || ' of shape ' || substr('abcdefgh', x % 8 + 1, 1)
                                || ' did not end', NULL),
                strftime('%Y-%m-%dT%H:%M:%SZ', s, 'unixepoch'),
                strftime('%Y-%m-%dT%H:%M:%SZ', s + x % 900, 'unixepoch'), 1, 1, NULL, NULL, NULL
           FROM r
          WHERE d NOT BETWEEN 200 AND 206 AND (f <> 1 OR d NOT BETWEEN 100 AND 120);
         INSERT INTO windows
         SELECT id, '2025-03-01T00:00:00Z', '2026-03-01T00:00:00Z', 'settled', 'both', 1, 1, 1,
                '2026-03-01T00:10:00Z', NULL
           FROM functions WHERE id > 1;
         INSERT INTO windows VALUES
             (1, '2025-03-01T00:00:00Z', '2025-06-09T00:00:00Z', 'settled', 'both', 1, 1, 1,
              '2026-03-01T00:10:00Z', NULL),
             (1, '2025-06-09T00:00:00Z', '2025-06-16T00:00:00Z', 'lost', NULL, NULL, 0, 0,
              '2026-03-01T00:10:00Z', NULL),
             (1, '2025-06-16T00:00:00Z', '2025-06-23T00:00:00Z', 'unproven', NULL, 5, 3, 1,
              '2026-03-01T00:10:00Z', 'the count moved <b>twice</b>'),
             (1, '2025-06-30T00:00:00Z', '2026-03-01T00:00:00Z', 'settled', 'both', 1, 1, 1,
              '2026-03-01T00:10:00Z', NULL);
         INSERT INTO recording
         SELECT id, 0, '2025-09-17T00:00:00Z', '2025-09-24T00:00:00Z', 1 FROM functions;"
    );
    Connection::open(home.db()).unwrap().execute_batch(&rows).unwrap();
    archive.accept_records().unwrap();
    home
}

const YEAR: [&str; 5] = ["page", "--since", "2025-03-01", "--until", "2026-02-28"];

fn page_of(home: &Home, options: &[&str]) -> String {
    home.run(YEAR).args(["--output", "page.html"]).args(options).exits(0).prints("");
    fs::read_to_string(home.join("page.html")).unwrap()
}

/// The tags of a page, each with the text behind it. On a page that is escaped every `<` begins
/// one, and every `>` that is not in an attribute ends one.
fn tags(page: &str) -> Vec<(&str, &str)> {
    page.split('<').skip(1).filter_map(|piece| piece.split_once('>')).collect()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    Some(unescaped(rest.split('"').next()?))
}

fn unescaped(text: &str) -> String {
    let escapes = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    escapes.iter().fold(text.to_owned(), |text, (escape, meant)| text.replace(escape, meant))
}

/// A value of the page: the question, the row, the column, and what the page has.
type Shown = (String, usize, String, String);

/// Every value that says where it came from.
fn shown(page: &str) -> Vec<Shown> {
    let mut all = Vec::new();
    let (mut ask, mut columns, mut row, mut column) = (None, Vec::new(), None, 0);
    for (tag, text) in tags(page) {
        let number = |name| attribute(tag, name).map(|number| number.parse::<usize>().unwrap());
        match tag.split(' ').next().unwrap() {
            "data" => all.push((
                attribute(tag, "data-ask").unwrap(),
                number("data-row").unwrap(),
                attribute(tag, "data-column").unwrap(),
                attribute(tag, "value").unwrap(),
            )),
            "table" => (ask, columns) = (attribute(tag, "data-ask"), Vec::new()),
            "th" => columns.extend(attribute(tag, "data-column")),
            "tr" => (row, column) = (number("data-row"), 0),
            // A small chart is no figure.
            "td" if tag.contains("data-column") => {}
            "td" => {
                if let (Some(ask), Some(row)) = (&ask, row) {
                    let value = attribute(tag, "data-value").unwrap_or_else(|| unescaped(text));
                    all.push((ask.clone(), row, columns[column].clone(), value));
                    column += 1;
                }
            }
            _ => {}
        }
    }
    all
}

/// The rows that each question of the page is answered with when a person asks it.
fn asked_again(home: &Home, page: &str) -> BTreeMap<String, Vec<Value>> {
    let commands = tags(page).into_iter().filter(|(tag, _)| tag.starts_with("code data-ask"));
    let ask = |(tag, text): (&str, &str)| {
        let command = unescaped(text);
        assert!(!command.contains('\''), "a command of this test needs no quotes: {command}");
        let mut words: Vec<&str> = command.split(' ').skip(1).collect();
        if words[0] == "query" {
            words.extend(["--format", "json"]);
        }
        let answer = home.run(words).exits(0).json();
        let rows = answer.get("functions").unwrap_or(&answer).as_array().unwrap().clone();
        (attribute(tag, "data-ask").unwrap(), rows)
    };
    commands.map(ask).collect()
}

/// Whether a page has what JSON has. What depends on the present moves between two questions.
fn is_same(column: &str, on_page: &str, in_json: &Value) -> bool {
    match in_json {
        _ if matches!(column, "age_s" | "survives_seconds") => true,
        Value::Null => on_page.is_empty(),
        Value::Number(number) => on_page.parse::<f64>().ok() == number.as_f64(),
        Value::String(text) => on_page == text,
        Value::Bool(flag) => on_page == if *flag { "true" } else { "false" },
        _ => false,
    }
}

#[test]
fn every_figure_is_what_its_report_tells() {
    let home = year(3);
    for options in [&[][..], &["--function", "default:f00[12]", "--tz", "Europe/Berlin"]] {
        let page = page_of(&home, options).replace("&#39;", "");
        let answers = asked_again(&home, &page);
        let figures = shown(&page);
        assert!(figures.len() > 2_000, "{}", figures.len());
        for (ask, row, column, on_page) in &figures {
            let in_json = &answers[ask][*row][column];
            assert!(
                is_same(column, on_page, in_json),
                "{ask} {row} {column}: the page has {on_page}, the report {in_json}"
            );
        }
        let told: BTreeSet<&str> = figures.iter().map(|(ask, ..)| ask.as_str()).collect();
        for ask in ["calendar", "throughput", "totals", "compare", "errors", "latency", "status"] {
            assert!(told.contains(ask), "{ask} has no figure on the page");
        }
        let day = figures.iter().filter(|(ask, _, column, _)| ask == "calendar" && column == "day");
        assert_eq!(day.count(), answers["calendar"].len(), "each day is in the table");
    }
}

#[test]
fn what_is_not_a_count_has_its_own_look_and_word() {
    let home = year(1);
    let page = page_of(&home, &[]);
    let days: Vec<&str> = page.split("<g><title>").skip(1).take(365).collect();
    let day = |day: &str| -> &str {
        days.iter().find(|text| text.contains(day)).copied().unwrap_or_default()
    };
    let lost = day("2025-06-10");
    assert!(lost.contains("lost") && lost.contains("class=\"look lost\""), "{lost}");
    let unproven = day("2025-06-17");
    assert!(unproven.contains("class=\"look unproven\""), "{unproven}");
    let not_walked = day("2025-06-25");
    assert!(not_walked.contains("class=\"look not-walked\""), "{not_walked}");
    let off = day("2025-09-18");
    assert!(off.contains("class=\"look switched-off\""), "{off}");
    let proven = day("2025-06-01");
    assert!(proven.contains("class=\"step-") && !proven.contains("look"), "{proven}");
    // What is missing is told, and neither before nor behind it.
    for (since, until, verdict) in [
        (
            "2025-03-01",
            "2026-02-28",
            "Complete through 2026-03-01 00:00 but for \
             7d 0h of default:f001 lost (2025-06-09 00:00), \
             7d 0h of default:f001 unproven (2025-06-16 00:00) and \
             7d 0h of default:f001 not walked (2025-06-23 00:00).",
        ),
        (
            "2025-06-17",
            "2025-06-20",
            "Not complete; 4d 0h of default:f001 unproven (2025-06-17 00:00).",
        ),
        ("2025-03-01", "2025-06-08", "Complete through 2025-06-09 00:00."),
        ("2025-07-01", "2025-07-01", "Complete through 2025-07-02 00:00."),
    ] {
        let asked = ["page", "--since", since, "--until", until, "--output", "page.html"];
        home.run(asked).exits(0);
        let page = fs::read_to_string(home.join("page.html")).unwrap();
        let beginning = page.find("<div class=\"verdict").unwrap();
        assert!(page.contains(&format!("</span>{verdict}</p>")), "{}", &page[beginning..][..600]);
    }
}

#[test]
fn a_year_of_a_hundred_functions_is_small() {
    let home = year(100);
    let page = page_of(&home, &[]);
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    assert!(page.contains("50 more functions are not shown here"));
}

/// The page needs nothing beside it and runs nothing, whatever the archive holds.
#[test]
fn nothing_from_outside_becomes_an_element() {
    let home = year(1);
    let clean = page_of(&home, &[]);
    let names = |page: &str| -> BTreeSet<String> {
        let name = |(tag, _): (&str, &str)| {
            let end = tag.find([' ', '/', '\n']).unwrap_or(tag.len());
            tag[..end.max(1)].to_owned()
        };
        tags(page).into_iter().map(name).collect()
    };
    let hostile = "</title></style></data><script>alert(1)</script><img src=x onerror=alert(1)>\
                   \" onload=\"alert(1)\u{1b}]0;x\u{7}\u{202e}gnp";
    let mut archive = Archive::open(&home.db()).unwrap();
    let connection = Connection::open(home.db()).unwrap();
    connection
        .execute("UPDATE invocations SET error_message = ?1 WHERE status = 'FAIL'", [hostile])
        .unwrap();
    connection
        .execute("UPDATE windows SET reason = ?1 WHERE state = 'unproven'", [hostile])
        .unwrap();
    connection
        .execute("UPDATE functions SET name = ?1, package = ?1, qualifier = ?1", [hostile])
        .unwrap();
    connection
        .execute(
            "UPDATE invocations SET request_id = ?1 WHERE request_id IN
        (SELECT request_id FROM invocations ORDER BY end_time DESC LIMIT 1)",
            [hostile],
        )
        .unwrap();
    archive.accept_records().unwrap();
    drop((archive, connection));
    let page = page_of(&home, &[]);
    assert!(page.contains("&#60;script&#62;alert(1)"), "it is shown as it is");
    assert!(page.contains("\\u{202e}gnp") && !page.contains('\u{202e}'));
    assert!(!page.contains('\u{1b}') && !page.contains('\u{7}'));
    assert_eq!(names(&page), names(&clean));
    for forbidden in [" src=", " href=", " style=", " on", " action="] {
        // What stands between quotes is no name of an attribute.
        let names = |tag: &str| tag.split('"').step_by(2).collect::<String>();
        let found = tags(&page).into_iter().find(|(tag, _)| names(tag).contains(forbidden));
        assert_eq!(found, None, "{forbidden}");
    }
    let (style, _) = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap();
    assert!(!style.contains("http") && !style.contains("@import"));
    let hash = STANDARD.encode(Sha256::digest(style.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"
    );
    assert_eq!(attribute(tags(&page)[4].0, "content"), Some(policy));
}

#[test]
fn an_archive_without_records_says_so() {
    let home = Home::new();
    drop(Archive::open(&home.db()).unwrap());
    let page = home.run(["page", "--output", "-"]).exits(0).stdout;
    for words in [
        "Nothing is known of this period: no run set out to archive it.",
        "The archive holds no function yet.",
        "No record failed in this period.",
        "There was no run yet.",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("<li><span class=\"label\">"), "no figure is made up");
}

#[test]
fn a_page_is_whole_and_private_or_not_there() {
    use std::os::unix::fs::PermissionsExt;
    let home = year(1);
    fs::write(home.join("page.html"), "yesterday").unwrap();
    let refused = |options: &[&str], code: i32, words: &str| {
        home.run(["page", "--output", "page.html"]).args(options).exits(code).says(words);
        assert_eq!(fs::read_to_string(home.join("page.html")).unwrap(), "yesterday");
    };
    refused(&["--tz", "Berlin"], 2, "there is no time zone `Berlin`");
    refused(&["--since", "soon"], 2, "--since: \"soon\" is neither a time nor an age");
    refused(&["--since", "1d", "--until", "2d"], 2, "is not after");
    refused(&["--since", "2999-01-01"], 2, "--since 2999-01-01T00:00:00Z is not before now");
    refused(&["--function", "g001"], 2, "the archive holds no function `g001`");
    refused(&["--db", "none.db"], 6, "none.db");
    home.run(["page"]).exits(2).says("--output");
    home.run(["page", "--output", "fgarchive.db"]).exits(2).says("is the archive");
    fs::remove_file(home.join("page.html")).unwrap();
    page_of(&home, &[]);
    let mode = fs::metadata(home.join("page.html")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
