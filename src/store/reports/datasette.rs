//! Reports as Datasette can ask them: its SQLite lacks our functions, and every parameter is a text
//! of its form, which is empty where nothing is given.

use super::functions::chosen_by;
use super::parameter::Kind;
use super::{Parameter, Report};
use regex::{Captures, Regex};
use std::borrow::Cow;

/// What stands for our functions, in UTC, and for one that SQLite has only since 3.43. A record's
/// shape is computed at the edges of a range even where no report shows it.
const REPLACED: [(&str, &str); 7] = [
    (r"\blocal_time\(", "strftime('%Y-%m-%dT%H:%M:%SZ', "),
    (r"\bday_begin\(", "strftime('%Y-%m-%dT%H:%M:%SZ', "),
    (r"\bhas_whole_hours\(\)", "1"),
    (r"\bis_time\(([a-z_.]+)\)", "(unixepoch($1) IS NOT NULL)"),
    (r"\bfold\(error_message\)", "NULL"),
    // Texts that nothing adds up are taken apart one by one.
    (r"(?s)\bsum_durations\(durations\)(.*?)\s+GROUP BY function_id, status\b", "durations$1"),
    (r"\boctet_length\(([a-z_.]+)\)", "length(CAST($1 AS BLOB))"),
];

/// What nothing stands for: a report that needs one of these cannot be asked.
const OURS_ALONE: &str = r"\b(?:percentile_disc|median|beta_binomial_tail|fold)\(|\bshape\b";

/// The functions that are asked for, by a name or a glob as `--function` takes it.
fn functions() -> String {
    format!(
        "iif(coalesce(:function, '') = '', NULL, (SELECT json_group_array(id) FROM ({})))",
        chosen_by(":function")
    )
}

impl Report {
    /// The statement for Datasette; none where only this program can answer the report.
    pub fn for_datasette(&self) -> Option<String> {
        let text = self.explained();
        let comment = text.lines().take_while(|line| line.starts_with("--")).count();
        let statement = text.lines().skip(comment).collect::<Vec<_>>().join("\n");
        let ours_alone = Regex::new(OURS_ALONE).ok()?;
        // The subqueries name what they do not show; the report's own text tells what is needed.
        if self.lines().skip(comment).any(|line| ours_alone.is_match(line)) {
            return None;
        }
        let mut statement = Cow::Owned(statement);
        for (ours, theirs) in REPLACED {
            statement = Cow::Owned(Regex::new(ours).ok()?.replace_all(&statement, theirs).into());
        }
        let parameters = self.parameters();
        let named = |place: &Captures<'_>| in_form(&place[1], &parameters);
        let name = Regex::new(r":([a-z]+)\b").ok()?;
        Some(name.replace_all(statement.trim_end().trim_end_matches(';'), named).into_owned())
    }
}

/// What stands for a parameter: what the form says, and else its default.
fn in_form(name: &str, parameters: &[Parameter<'_>]) -> String {
    let given = format!("nullif(:{name}, '')");
    let Some(parameter) = parameters.iter().find(|parameter| parameter.name == name) else {
        return match name {
            "since" | "until" => format!("strftime('%Y-%m-%dT%H:%M:%SZ', {given})"),
            "now" => "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')".to_owned(),
            "functions" => functions(),
            // No parameter, such as a part of a time in a text.
            _ => format!(":{name}"),
        };
    };
    let default = parameter.default_in_sql();
    let or_default = format!("coalesce({given}, {default})");
    match parameter.kind() {
        Kind::Int(_) | Kind::Duration(_) => format!("CAST({or_default} AS INTEGER)"),
        Kind::Share(_) => format!("CAST({or_default} AS REAL)"),
        Kind::Text | Kind::Id | Kind::Status | Kind::Choice(_) | Kind::Time => or_default,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Fixture;
    use pretty_assertions::assert_eq;
    use rusqlite::Connection;

    /// A connection without any function of ours, as another program has it.
    fn plain(fixture: &Fixture) -> Connection {
        Connection::open(fixture.path()).unwrap()
    }

    fn ask(connection: &Connection, report: &str, given: &[(&str, &str)]) -> Vec<Vec<String>> {
        let sql = Report::find(report).unwrap().for_datasette().unwrap();
        let mut statement = connection.prepare(&sql).unwrap();
        for at in 1..=statement.parameter_count() {
            let name = statement.parameter_name(at).unwrap().to_owned();
            let value = given.iter().find(|(given, _)| *given == &name[1..]);
            statement.raw_bind_parameter(at, value.map_or("", |(_, value)| *value)).unwrap();
        }
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        let mut answer = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            let cell = |at| match row.get::<_, rusqlite::types::Value>(at).unwrap() {
                rusqlite::types::Value::Null => String::new(),
                rusqlite::types::Value::Integer(number) => number.to_string(),
                rusqlite::types::Value::Real(number) => number.to_string(),
                rusqlite::types::Value::Text(text) => text,
                rusqlite::types::Value::Blob(_) => "bytes".to_owned(),
            };
            answer.push((0..columns).map(cell).collect());
        }
        answer
    }

    #[test]
    fn every_report_that_needs_no_function_of_ours_is_asked_without_them() {
        let archive = Fixture::new().with_records("a1 FAIL 2026-03-01T10:00:00Z -\na2 WAIT - - 2");
        let connection = plain(&archive);
        let (asked, not): (Vec<_>, Vec<_>) =
            Report::all().iter().partition(|report| report.for_datasette().is_some());
        for report in asked {
            ask(&connection, report.name(), &[]);
        }
        let not: Vec<&str> = not.into_iter().map(Report::name).collect();
        let ours = [
            "totals",
            "compare",
            "latency",
            "records",
            "errors",
            "error-trend",
            "incidents",
            "waiting",
            "lateness",
        ];
        assert_eq!(not, ours);
    }

    #[test]
    fn what_the_form_says_narrows_the_answer() {
        let archive = Fixture::new().with_records(
            "a1 FAIL 2026-03-01T10:00:00Z -
             a2 SUCCESS 2026-03-01T10:30:00Z -
             a3 SUCCESS 2026-03-02T10:30:00Z - 2",
        );
        let connection = plain(&archive);
        let counted = |given: &[(&str, &str)]| {
            let rows = ask(&connection, "throughput", given);
            rows.iter().map(|row| format!("{} {}", row[0], row[1])).collect::<Vec<_>>()
        };
        let hours = ["2026-03-01T10:00:00Z 2", "2026-03-02T10:00:00Z 1"];
        assert_eq!(counted(&[]), hours);
        assert_eq!(counted(&[("bucket", "day")]), ["2026-03-01 2", "2026-03-02 1"]);
        assert_eq!(counted(&[("since", "2026-03-01T10:15:00Z")])[0], "2026-03-01T10:00:00Z 1");
        assert_eq!(counted(&[("until", "2026-03-02")]), hours[..1]);
        assert_eq!(counted(&[("function", "billing:*")]), hours[1..]);
        assert_eq!(counted(&[("function", "invoice:latest")]), hours[1..]);
        assert_eq!(counted(&[("function", "urn:*:invoice")]), hours[1..]);
        assert_eq!(counted(&[("function", "invoice:v1")]), Vec::<String>::new());
        assert_eq!(ask(&connection, "open", &[("limit", "1")]), Vec::<Vec<String>>::new());
    }
}
