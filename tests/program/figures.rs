//! Every figure of the live page that is a link leads to as many records as it says, and records
//! and functions are led to whatever they are called.

use crate::archive;
use crate::program::Home;
use crate::serve::{Server, demo, json, links};
use fgarchive::store::file::Archive;
use pretty_assertions::assert_eq;
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// A figure that is a link to records.
#[derive(Debug)]
struct Linked {
    href: String,
    says: Says,
}

/// What a figure says of the records behind it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Says {
    Records(u64),
    /// The failed share of those that ended, in percent with two places.
    FailedPercent(f64),
}

/// A cell of a page, or a figure of a sentence: the question, the row, the column, what it shows,
/// and where it leads.
struct Cell {
    ask: String,
    row: String,
    column: String,
    value: String,
    href: Option<String>,
}

fn unescaped(text: &str) -> String {
    let mut parts = text.split("&#");
    let mut read = parts.next().unwrap().to_owned();
    for part in parts {
        let (number, rest) = part.split_once(';').unwrap();
        read.push(char::from_u32(number.parse().unwrap()).unwrap());
        read.push_str(rest);
    }
    read
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    Some(unescaped(rest.split('"').next()?))
}

/// The tags of a page with the text behind each; on such a page every `<` begins one.
fn tags(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.split('<').skip(1).filter_map(|piece| piece.split_once('>'))
}

/// Every link to records of a page, with what the figure in it says.
fn linked(page: &str) -> Vec<Linked> {
    let (mut cells, mut all): (Vec<Cell>, Vec<Linked>) = (Vec::new(), Vec::new());
    let (mut ask, mut columns, mut row, mut column) =
        (None, Vec::new(), String::new(), None::<usize>);
    let mut percents = BTreeSet::new();
    let mut href = None;
    for (tag, text) in tags(page) {
        match tag.split(' ').next().unwrap() {
            "code" if tag.contains("data-ask") && text.contains("of=failed_percent") => {
                percents.extend(attribute(tag, "data-ask"));
            }
            "table" => (ask, columns) = (attribute(tag, "data-ask"), Vec::new()),
            "th" => columns.extend(attribute(tag, "data-column")),
            "tr" => (row, column) = (attribute(tag, "data-row").unwrap_or_default(), None),
            "/table" => ask = None,
            // A small chart is no figure.
            "td" if tag.contains("data-column") => {}
            "td" => {
                column = Some(column.map_or(0, |column| column + 1));
                if let Some(ask) = &ask {
                    cells.push(Cell {
                        ask: ask.clone(),
                        row: row.clone(),
                        column: columns[column.unwrap()].clone(),
                        value: attribute(tag, "data-value").unwrap_or_else(|| unescaped(text)),
                        href: None,
                    });
                }
            }
            "data" => cells.push(Cell {
                ask: attribute(tag, "data-ask").unwrap(),
                row: attribute(tag, "data-row").unwrap(),
                column: attribute(tag, "data-column").unwrap(),
                value: attribute(tag, "value").unwrap(),
                href: href.take(),
            }),
            "a" => {
                href = attribute(tag, "href").filter(|href| href.starts_with("/records?"));
                if let Some(cell) = cells.last_mut().filter(|_| ask.is_some() && href.is_some()) {
                    cell.href = href.take();
                    if cell.value.is_empty() {
                        cell.value = unescaped(text);
                    }
                }
            }
            "title" => {
                if let (Some(href), Some(says)) = (href.take(), says_title(text)) {
                    all.push(Linked { href, says });
                }
            }
            _ => {}
        }
    }
    let known: BTreeMap<_, _> =
        cells.iter().map(|it| ((&*it.ask, &*it.row, &*it.column), &*it.value)).collect();
    for cell in &cells {
        let Some(href) = cell.href.clone() else { continue };
        let of_row = |column| known.get(&(&*cell.ask, &*cell.row, column)).copied();
        let records = |text: &str| text.parse().map(Says::Records).ok();
        let percent = |text: &str| text.parse().map(Says::FailedPercent).ok();
        let says = match &*cell.column {
            // No record ended, so that there is no share.
            _ if cell.value == "–" => Some(Says::Records(0)),
            "failed_pct" | "failed_percent" => percent(&cell.value),
            _ if percents.contains(&cell.ask) => percent(&cell.value),
            "function" | "day" => of_row("records").and_then(records),
            _ => records(&cell.value),
        };
        let (ask, column) = (&cell.ask, &cell.column);
        let says = says.unwrap_or_else(|| panic!("{ask} {column}: {} {href}", cell.value));
        all.push(Linked { href, says });
    }
    all
}

/// What the title of a part of a chart says.
fn says_title(text: &str) -> Option<Says> {
    let number = |before: &str| {
        let start = before.rfind([' ', ':']).map_or(0, |at| at + 1);
        before[start..].replace(',', "")
    };
    if let Some((before, _)) = text.split_once(" record") {
        return number(before).parse().map(Says::Records).ok();
    }
    text.split_once(" % failed")
        .and_then(|(before, _)| number(before).parse().ok())
        .map(Says::FailedPercent)
}

/// The archive of the demo, two functions of which are the latest version and an alias of one name.
fn demo_with_an_alias() -> Home {
    let home = demo();
    let change = "UPDATE functions
                     SET name = 'thumbnail', qualifier = 'prod',
                         urn = replace(urn, 'order-export', 'thumbnail:prod')
                   WHERE name = 'order-export'";
    assert_eq!(Connection::open(home.db()).unwrap().execute(change, ()).unwrap(), 1);
    home
}

#[test]
fn every_linked_figure_leads_to_as_many_records_as_it_says() {
    let home = demo_with_an_alias();
    let server = Server::start(&home, &[]);
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut count = |href: &str| {
        *counts.entry(href.to_owned()).or_insert_with(|| {
            let asked = href.replacen("/records?", "/api/records.json?limit=10000&", 1);
            json(&server.get(&asked).ok()).len() as u64
        })
    };
    for (query, least) in [
        ("since=2026-02-25&until=2026-02-28", 600),
        (
            "since=2026-02-24T10:30&until=2026-02-27T21:20:10&function=default:*&tz=Asia/Kolkata",
            500,
        ),
    ] {
        let page = server.get(&format!("/?{query}")).ok();
        let linked = linked(&page);
        assert_eq!(
            links(&page, "/records?").len(),
            // The way to all records of the page has no figure.
            linked.len() + 1,
            "each link has a figure"
        );
        assert!(linked.len() > least, "{} figures", linked.len());
        for Linked { href, says } in linked {
            let found = match says {
                Says::Records(_) => Says::Records(count(&href)),
                Says::FailedPercent(_) => {
                    assert!(href.contains("which=failed"), "{href}");
                    let mut of =
                        |status| count(&href.replace("which=failed", &format!("status={status}")));
                    let failed = of("FAIL") + of("DISCARD");
                    let share = 100.0 * failed as f64 / (failed + of("SUCCESS")) as f64;
                    Says::FailedPercent((share * 100.0).round() / 100.0)
                }
            };
            assert_eq!(found, says, "{href}");
        }
    }
    server.stop();
}

/// What ids and names may hold that means something in an address, in a page or on a terminal.
const ODD: [&str; 16] = [
    "a/b",
    "../..",
    "a%2Fb",
    "a%b",
    "a?b=c",
    "a#b",
    "a&b",
    "a b+c",
    "a\"b'",
    "<i>",
    "tab\there",
    "esc\u{1b}[2J",
    "c1\u{9b}31m",
    "right\u{202e}left",
    "del\u{7f}",
    "内存 é",
];

/// A record and a function of each odd name.
fn odd() -> Home {
    let home = Home::new();
    let mut archive = Archive::open(&home.db()).unwrap();
    let connection = Connection::open(home.db()).unwrap();
    connection
        .execute_batch(
            "INSERT INTO runs (id, started_at, updated_at, ended_at, outcome, exit_code) VALUES
                 (1, '2026-03-01T12:00:00Z', '2026-03-01T12:00:30Z', '2026-03-01T12:00:30Z',
                  'complete', 0)",
        )
        .unwrap();
    for (number, odd) in (1i64..).zip(ODD) {
        connection
            .execute(
                "INSERT INTO functions (id, urn, region, project_id, package, name, qualifier,
                                        first_seen_at, horizon_begin, horizon_end)
                 VALUES (?1, ?2, 'r', 'p', 'default', ?3, 'latest', '2026-03-01T12:00:00Z',
                         '2026-03-01T00:00:00Z', '2026-03-01T12:00:00Z')",
                (number, format!("urn:fss:r:p:function:default:{odd}"), odd),
            )
            .unwrap();
        connection
            .execute(
                "INSERT INTO invocations VALUES (?1, ?2, 'FAIL', 7, ?3, '2026-03-01T10:00:00Z',
                     '2026-03-01T10:00:10Z', 1, 1, NULL, NULL, NULL)",
                (odd, number, format!("message {number}.")),
            )
            .unwrap();
    }
    drop(connection);
    archive.accept_records().unwrap();
    home
}

/// As an address has it (RFC 3986, 2.3).
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut all, byte| {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => {
                all.push(byte.into());
            }
            other => write!(all, "%{other:02X}").unwrap(),
        }
        all
    })
}

/// No page holds what moves a cursor or turns a text around, however it is written there.
#[track_caller]
fn is_plain(page: &str) {
    let odd = page.chars().find(|it| (it.is_control() && *it != '\n') || *it == '\u{202e}');
    assert_eq!(odd, None);
}

#[test]
fn records_and_functions_are_led_to_whatever_they_are_called() {
    let home = odd();
    let server = Server::start(&home, &[]);
    let range = "since=2026-03-01&until=2026-03-01";
    let records = server.get(&format!("/records?{range}")).ok();
    let page = server.get(&format!("/?{range}")).ok();
    is_plain(&records);
    is_plain(&page);
    let to_records: BTreeSet<String> = links(&records, "/record?id=").into_iter().collect();
    assert_eq!(to_records, ODD.iter().map(|id| format!("/record?id={}", encoded(id))).collect());
    for (number, name) in (1i64..).zip(ODD) {
        let record = server.get(&format!("/record?id={}", encoded(name))).ok();
        is_plain(&record);
        assert!(record.contains(&format!("message {number}.")), "{name:?}: {record}");
        let beginning =
            format!("/records?function={}&", encoded(&format!("default:{name}:latest")));
        let to_function = links(&page, &beginning);
        assert!(to_function.iter().any(|link| link.contains("which=failed")), "{name:?}");
        for link in to_function.iter().filter(|link| !link.contains("which=open")) {
            let screen = server.get(link).ok();
            is_plain(&screen);
            let shown = links(&screen, "/record?id=");
            assert_eq!(shown, [format!("/record?id={}", encoded(name))], "{link}");
        }
    }
    server.stop();
}

/// What a form sends: each field with its value, as a browser reads it.
fn sent(page: &str) -> String {
    let form = page.split("<form").nth(1).unwrap().split("</form>").next().unwrap();
    let mut fields = Vec::new();
    let mut chosen_of = None;
    for (tag, _) in tags(form) {
        match tag.split(' ').next().unwrap() {
            "input" => {
                fields.push((attribute(tag, "name").unwrap(), attribute(tag, "value").unwrap()));
            }
            "select" => chosen_of = attribute(tag, "name"),
            "option" if tag.ends_with(" selected") => {
                fields.push((chosen_of.clone().unwrap(), attribute(tag, "value").unwrap()));
            }
            _ => {}
        }
    }
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

#[test]
fn a_form_that_is_sent_as_it_stands_asks_for_the_same() {
    let home = odd();
    let change = "UPDATE invocations
                     SET error_message = 'odd ' || request_id || ' end', error_code = request_id";
    Connection::open(home.db()).unwrap().execute(change, ()).unwrap();
    Archive::open(&home.db()).unwrap().accept_records().unwrap();
    let shapes = archive::rows(&home.db(), "SELECT DISTINCT shape FROM error_shapes");
    assert!(shapes.len() > 10 && shapes.iter().any(|shape| shape.contains('\u{1b}')), "{shapes:?}");
    let server = Server::start(&home, &[]);
    for shape in shapes {
        let query =
            format!("shape={}&status=FAIL&tz=Asia%2FKolkata&took_below=1h", encoded(&shape));
        let page = server.get(&format!("/records?{query}")).ok();
        is_plain(&page);
        let shown = links(&page, "/record?id=");
        assert!(!shown.is_empty(), "{shape:?}");
        let again = server.get(&format!("/records?{}", sent(&page))).ok();
        // A browser cannot be told a control character of the second block.
        if !shape.contains('\u{9b}') {
            assert_eq!(links(&again, "/record?id="), shown, "{shape:?}");
        }
    }
    server.stop();
}
