//! On a terminal: charts, the width and the characters of what is shown, and the pager.

use crate::cloud::{Cloud, settled_world};
use crate::program::{Home, Program};
use pretty_assertions::assert_eq;

fn archived() -> Home {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    home.sync(&cloud).exits(0);
    home
}

fn query(home: &Home, arguments: &[&str]) -> Program {
    home.run(["query"]).args(arguments).env("LANG", "C.UTF-8").env("PAGER", "cat")
}

/// So many numbers, a row each.
fn numbers(most: u32) -> String {
    let numbers = "WITH RECURSIVE n AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM n WHERE n <";
    format!("{numbers} {most}) SELECT n FROM n")
}

#[test]
fn a_report_that_has_a_chart_shows_it_on_a_terminal_only() {
    let home = archived();
    for report in ["throughput", "heatmap", "calendar", "duration-histogram"] {
        for columns in [80, 120] {
            let (code, shown) = query(&home, &[report]).on_terminal(columns, 24);
            assert_eq!(code, 0, "{shown}");
            assert!(shown.contains(['░', '▒', '▓', '█']), "{report}: {shown}");
            let most = shown.lines().map(|line| line.chars().count()).max();
            assert!(most.unwrap() <= usize::from(columns), "{report}: {shown}");
        }
        let (_, ascii) = query(&home, &[report]).env("LC_ALL", "C").on_terminal(80, 24);
        assert!(ascii.is_ascii() && ascii.contains(['#', '+', ':', '.']), "{report}: {ascii}");
        let told = query(&home, &[report, "--charset", "unicode"]).env("LC_ALL", "C");
        assert!(!told.on_terminal(80, 24).1.is_ascii(), "{report}");
        let table = query(&home, &[report, "--format", "table"]).on_terminal(120, 24).1;
        assert!(table.is_ascii(), "{report}: {table}");
        let piped = query(&home, &[report]).exits(0).stdout;
        assert!(piped.is_ascii(), "{report}: {piped}");
        let drawn = query(&home, &[report, "--format", "chart"]).exits(0).stdout;
        assert!(!drawn.is_ascii(), "{report}: {drawn}");
    }
}

#[test]
fn what_has_no_chart_says_so() {
    let home = archived();
    for arguments in [&["latency"][..], &["list"], &["schema"], &["sql", "SELECT 1 AS n"]] {
        let said = query(&home, arguments).args(["--format", "chart"]).exits(2);
        said.says("has no chart").says("hint: these reports have one: throughput, ").prints("");
    }
    query(&home, &["heatmap", "--charset", "latin1"]).exits(2).says("--charset");
}

#[test]
fn own_reports_are_drawn_as_they_say() {
    let home = archived();
    std::fs::create_dir(home.join("own")).unwrap();
    let write = |chart: &str| {
        let statement = "SELECT status, count(*) AS n FROM chosen_records GROUP BY 1";
        let text = format!("-- Statuses.\n-- chart {chart}\n{statement}");
        std::fs::write(home.join("own/mine.sql"), text).unwrap();
    };
    let mine = || query(&home, &["mine", "--reports", "own"]);
    write("bars: label=status value=n");
    let (code, shown) = mine().on_terminal(80, 24);
    assert!(code == 0 && shown.contains('█'), "{shown}");
    write("bars: label=status value=records");
    mine().args(["--format", "chart"]).exits(2).says("the answer has no column `records`");
    mine().exits(0);
    write("bars: label=status");
    mine().exits(2).says("own/mine.sql:2: this is no chart");
}

#[test]
fn a_pager_shows_what_is_taller_than_the_terminal() {
    let home = archived();
    let ask = |rows: u32, options: &[&str]| {
        let statement = numbers(rows);
        let asked = home.run(["query", "sql", &statement]).args(options);
        asked.env("PAGER", "sed s/^/paged:/")
    };
    let (code, tall) = ask(40, &[]).on_terminal(80, 24);
    assert_eq!((code, tall.lines().filter(|line| line.starts_with("paged:")).count()), (0, 42));
    // The header takes two lines, and the prompt one.
    assert!(!ask(21, &[]).on_terminal(80, 24).1.contains("paged:"));
    assert!(ask(22, &[]).on_terminal(80, 24).1.contains("paged:"));
    assert!(!ask(40, &["--no-pager"]).on_terminal(80, 24).1.contains("paged:"));
    for format in ["csv", "tsv", "json", "ndjson", "markdown", "html"] {
        let (_, shown) = ask(40, &["--format", format]).on_terminal(80, 24);
        assert!(!shown.contains("paged:"), "{format}: {shown}");
    }
    assert!(ask(40, &["--format", "line"]).on_terminal(80, 24).1.contains("paged:n: 40"));
    assert!(!ask(40, &[]).exits(0).stdout.contains("paged:"));
}

#[test]
fn a_pager_that_is_left_or_missing_costs_nothing() {
    let home = archived();
    let statement = numbers(9_000);
    let ask = |pager: &str| {
        let asked = home.run(["query", "sql", &statement, "--format", "line"]).env("PAGER", pager);
        asked.on_terminal(80, 24)
    };
    assert_eq!(ask("head -n 1"), (0, "n: 1\n".to_owned()));
    for missing in ["/nowhere/pager", "no-such-pager -x", "cat", " ", ""] {
        let (code, shown) = ask(missing);
        assert_eq!((code, shown.lines().last()), (0, Some("n: 9000")), "{missing}");
    }
    let failing = home.run(["query", "sql", "SELECT nobody FROM runs"]);
    let (code, shown) = failing.env("PAGER", "sed s/^/paged:/").on_terminal(80, 24);
    assert!(code == 2 && shown.starts_with("error: ") && !shown.contains("paged:"), "{shown}");
}

#[test]
fn nothing_that_is_shown_moves_the_terminal_or_the_pager() {
    let home = archived();
    let hostile = "SELECT char(27) || '[2J' || char(8238) || value AS m
                     FROM json_each('[1,2,3,4,5,6,7,8,9]')";
    for pager in ["cat", "sed s/^/paged:/"] {
        let asked = home.run(["query", "sql", hostile]).env("PAGER", pager).env("LANG", "C.UTF-8");
        let (code, shown) = asked.on_terminal(80, 5);
        assert_eq!((code, shown.contains("paged:")), (0, pager != "cat"));
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown:?}");
    }
}
