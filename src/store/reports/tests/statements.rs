//! What the reports take and refuse, and how SQLite answers them.

use super::*;
use pretty_assertions::assert_eq;
use std::collections::BTreeSet;

#[test]
fn nothing_is_asked_of_an_archive_without_an_answer() {
    let blank =
        Fixture::new().with("DELETE FROM run_sources; DELETE FROM runs; DELETE FROM functions;");
    for report in Report::all() {
        let own = report.parameters().iter().any(Parameter::is_needed);
        let own = own.then(|| ("id".to_owned(), "a1".to_owned()));
        let answer = answer_of(&blank, report.name(), |asked| asked.own.extend(own)).unwrap();
        assert_eq!(answer.lines().count(), 1, "{}", report.name());
    }
}

#[test]
fn what_a_report_does_not_take_is_refused() {
    let message = |report: &str, change: fn(&mut Arguments)| {
        answer_with(report, change).unwrap_err().to_string()
    };
    assert_eq!(
        message("runs", |arguments| arguments.functions = vec!["report".to_owned()]),
        "the report `runs` does not take `function`"
    );
    assert_eq!(
        message("slowest", |arguments| arguments.own = own("limits", "3")),
        "the report `slowest` has no parameter `limits`"
    );
    for report in Report::all() {
        for parameter in
            report.parameters().iter().filter(|parameter| matches!(parameter.kind(), Kind::Int(_)))
        {
            let optional = if parameter.default.is_empty() { "many" } else { "" };
            for value in ["many", optional, " ", "-1", "1.5", "1e3", "99999999999999999999", " 5"] {
                let refused = answer_with(report.name(), |arguments| {
                    arguments.own = own(parameter.name, value);
                });
                let message = format!("`{value}` is no value for `{}`", parameter.name);
                assert_eq!(refused.unwrap_err().to_string(), message, "{}", report.name());
            }
        }
    }
    let refused =
        answer_with("slowest", |arguments| arguments.own = own("limit", "0")).unwrap_err();
    let failure = refused.into_failure("a.db".as_ref());
    assert_eq!(failure.to_string(), "cannot run the report: `0` is no value for `limit`");
    assert_eq!(failure.hint, Some("it takes a whole number, 1 or more".into()));
    assert_eq!(
        message("transitions", |arguments| arguments.own = own("id", " ")),
        "` ` is no value for `id`"
    );
    assert_eq!(
        message("failures", |arguments| arguments.own = own("status", "")),
        "`` is no value for `status`"
    );
    assert_eq!(
        message("throughput", |arguments| arguments.own = own("bucket", "year")),
        "`year` is no value for `bucket`"
    );
}

/// The help is read from comments: a slip in one would silently lose a parameter.
#[test]
fn every_file_declares_exactly_the_parameters_it_uses() {
    let world = Fixture::new();
    let reader = world.reader();
    for report in Report::all() {
        assert!(report.title().ends_with('.') && report.title().len() < 120, "{}", report.name());
        let statement = reader.connection.prepare(&report.statement()).unwrap();
        let mut used: Vec<&str> = (1..=statement.parameter_count())
            .filter_map(|at| statement.parameter_name(at))
            .collect();
        used.retain(|name| ![":since", ":until", ":functions", ":now"].contains(name));
        let mut declared: Vec<String> =
            report.parameters().iter().map(|parameter| format!(":{}", parameter.name)).collect();
        used.sort_unstable();
        declared.sort_unstable();
        assert_eq!(declared, used, "{}", report.name());
        let said = report.explained().lines().filter(|line| line.starts_with("-- param ")).count();
        assert_eq!(said, declared.len(), "{}", report.name());
        for parameter in report.parameters() {
            let default =
                parameter.read(parameter.default, moment("2026-03-02T12:00:00Z"), Zone::UTC);
            assert_ne!(
                default.is_some(),
                parameter.is_needed(),
                "{}: {parameter:?}",
                report.name()
            );
        }
        assert!(statement.readonly() && statement.column_count() > 1, "{}", report.name());
    }
}

/// What `--explain` prints is to be changed and asked by people: the limits of their questions hold
/// for it.
#[test]
fn every_report_is_a_start_for_a_statement_of_ones_own() {
    let world = Fixture::new();
    let sandbox = world.reader().into_sandbox(Duration::from_secs(30), Zone::UTC).unwrap();
    for report in Report::all() {
        let refused = sandbox.ask(&report.explained(), &[]).unwrap_err().to_string();
        assert!(refused.contains("has no value"), "{}: {refused}", report.name());
    }
}

fn plan_of(report: &str) -> String {
    let world = world();
    let reader = world.reader();
    let sql = format!("EXPLAIN QUERY PLAN {}", Report::find(report).unwrap().statement());
    let mut statement = reader.connection.prepare(&sql).unwrap();
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get::<_, String>(3).unwrap());
    }
    steps.join("\n")
}

/// Over how many cursors of the table a statement reads columns of records, however it came there:
/// of a partial index the plan does not say that nothing else is read.
fn reads_of_rows(report: &str) -> usize {
    let world = world();
    let reader = world.reader();
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'invocations'";
    let root: i64 = reader.connection.query_row(root, [], |row| row.get(0)).unwrap();
    let sql = format!("EXPLAIN {}", Report::find(report).unwrap().statement());
    let mut statement = reader.connection.prepare(&sql).unwrap();
    let mut rows = statement.raw_query();
    let (mut opened, mut read) = (BTreeSet::new(), BTreeSet::new());
    while let Some(row) = rows.next().unwrap() {
        let (step, first): (String, i64) = (row.get(1).unwrap(), row.get(2).unwrap());
        if step == "OpenRead" && row.get::<_, i64>(3).unwrap() == root {
            opened.insert(first);
        } else if step == "Column" {
            read.insert(first);
        }
    }
    opened.intersection(&read).count()
}

#[test]
fn a_range_of_time_is_found_by_the_index() {
    for report in [
        "totals",
        "summary",
        "throughput",
        "trend",
        "heatmap",
        "latency",
        "duration-histogram",
        "slowest",
        "errors",
        "error-trend",
        "discards",
        "calendar",
        "growth",
    ] {
        let plan = plan_of(report);
        assert!(
            plan.contains(
                "invocations USING COVERING INDEX invocations_by_start (start_time>? AND start_time<?"
            ),
            "{plan}"
        );
        let whole = ["SCAN invocations", "SCAN three_hour_durations"];
        assert!(!plan.lines().any(|step| whole.contains(&step)), "{report}: {plan}");
        assert!(report != "slowest" || !plan.contains("SCAN d\n"), "{plan}");
    }
    let failures = plan_of("failures");
    for failed in [
        "invocations USING INDEX invocations_failed (start_time>? AND start_time<?)",
        "SEARCH i USING INDEX invocations_failed (start_time=?)",
    ] {
        assert!(failures.contains(failed), "{failures}");
    }
    assert_eq!(reads_of_rows("failures"), 2, "an example of each kind, and its error");
    for (report, searches) in [("errors", 4), ("discards", 2)] {
        let plan = plan_of(report);
        assert_eq!(plan.matches("i USING INDEX invocations_failed").count(), searches, "{plan}");
    }
    let settling = plan_of("settling");
    for edge in [
        "SEARCH invocations USING COVERING INDEX invocations_by_start (start_time>? AND start_time<?)",
        "SEARCH i USING INTEGER PRIMARY KEY (rowid=?)",
        "SEARCH h USING PRIMARY KEY (hour>? AND hour<?)",
    ] {
        assert!(settling.contains(edge), "{settling}");
    }
    let compared = plan_of("compare");
    assert!(
        compared.contains(
            "SEARCH invocations USING COVERING INDEX invocations_by_start (start_time>? AND start_time<?"
        ),
        "{compared}"
    );
    let path = plan_of("transitions");
    assert!(
        path.contains("SEARCH i USING INDEX sqlite_autoindex_invocations_1 (request_id=?)"),
        "{path}"
    );
    assert!(
        path.contains("status_changes USING INDEX status_changes_by_record (request_id=?)"),
        "{path}"
    );
}

/// SQLite makes an index of a whole table for one question where it takes that for worth its while:
/// at ten million records that takes minutes.
#[test]
fn no_report_makes_an_index_of_a_large_table() {
    let large = ["invocations", "i", "hourly_counts", "h", "three_hour_durations", "d"];
    for report in Report::all() {
        let plan = plan_of(report.name());
        for line in plan.lines().filter(|line| line.contains("AUTOMATIC")) {
            let table = line.split(' ').nth(1).unwrap();
            assert!(!large.contains(&table), "{}: {line}", report.name());
        }
    }
}
