//! Reports of people's own: files of the form of ours, in a directory of theirs, asked in the
//! sandbox of their statements.

use super::arguments::COMMON;
use super::catalogue::CHART;
use super::{Arguments, Parameter, Question, Report, Sandbox};
use crate::domain::{Chart, Timestamp, Zone};
use crate::error::Place;
use crate::store::file::StoreError;
use rusqlite::Statement;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Names that `query` takes for something else.
const TAKEN: [&str; 4] = ["list", "sql", "schema", "datasette-metadata"];

/// The most bytes of a file; SQLite is given 100,000 at most.
const MOST_BYTES: u64 = 1 << 20;

/// A file that is named as a report, `NAME.sql`.
const ENDING: &str = "sql";

impl Report {
    /// The report of this name: the first that lies in one of these directories, else ours.
    pub fn find_among(
        directories: impl IntoIterator<Item = impl AsRef<Path>>,
        name: &str,
    ) -> Result<Option<Self>, StoreError> {
        for directory in directories {
            if let Some(report) = Self::find_own(directory.as_ref(), name)? {
                return Ok(Some(report));
            }
        }
        Ok(Self::find(name).cloned())
    }

    /// The report of that name in a directory, if it has one.
    fn find_own(directory: &Path, name: &str) -> Result<Option<Self>, StoreError> {
        let named = |report: &Named| report.name == name;
        list(directory)?.into_iter().find(named).map(Named::load).transpose()
    }

    /// Every report in a directory, by name.
    pub fn all_own(directory: &Path) -> Result<Vec<Self>, StoreError> {
        list(directory)?.into_iter().map(Named::load).collect()
    }

    /// The names of the reports in a directory.
    pub fn own_names(directory: &Path) -> Result<Vec<String>, StoreError> {
        Ok(list(directory)?.into_iter().map(|report| report.name).collect())
    }

    /// That something is wrong with its file, at a line if one is known.
    fn refusal(&self, line: Option<usize>, message: impl Into<String>) -> StoreError {
        let file = self.file.clone().unwrap_or_default();
        refusal(&file, line, message)
    }

    /// The first line after the first comment.
    fn statement_line(&self) -> usize {
        self.comment().count() + 1
    }

    /// The line on which a parameter is used first, or declared.
    fn line_of(&self, text: &str) -> Option<usize> {
        self.lines().position(|line| line.contains(text)).map(|at| at + 1)
    }
}

/// A file that is to be a report.
struct Named {
    name: String,
    file: PathBuf,
}

fn list(directory: &Path) -> Result<Vec<Named>, StoreError> {
    let unreadable = |error: io::Error| refusal(directory, None, error.to_string());
    let mut reports = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if file.extension().is_none_or(|ending| ending != ENDING) {
            continue;
        }
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        reports.push(Named { name, file });
    }
    reports.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(reports)
}

impl Named {
    fn load(self) -> Result<Report, StoreError> {
        let Self { name, file } = self;
        let refuse = |message: String| Err(refusal(&file, Some(1), message));
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !name.bytes().all(is_plain) || name.starts_with('-') {
            return refuse("a report's name has small letters, digits and `-` only".to_owned());
        }
        if TAKEN.contains(&name.as_str()) || Report::find(&name).is_some() {
            return refuse(format!("`{name}` is the name of a report of the program"));
        }
        let text = read(&file).map_err(|error| refusal(&file, None, error.to_string()))?;
        let report = Report::read(name, text, file);
        check(&report)?;
        Ok(report)
    }
}

/// The text of a file, which is a regular one: reading a pipe might never end.
fn read(file: &Path) -> io::Result<String> {
    if !fs::metadata(file)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut text = String::new();
    File::open(file)?.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(io::Error::other("it is larger than a report can be"));
    }
    Ok(text)
}

/// Refuses a first comment that is not one of a report.
fn check(report: &Report) -> Result<(), StoreError> {
    if report.title().is_empty() {
        return Err(report.refusal(Some(1), "it begins with no comment that is its title"));
    }
    let mut names: Vec<&str> = COMMON.to_vec();
    for (at, line) in report.comment().enumerate() {
        let refuse = |message: &str| Err(report.refusal(Some(at + 1), message));
        if line.strip_prefix(CHART).is_some_and(|chart| Chart::declared(chart).is_none()) {
            return refuse("this is no chart, such as `chart bars: label=column value=column`");
        }
        let Some(declared) = line.strip_prefix("param ") else { continue };
        let Some(parameter) = Parameter::declared(declared) else {
            return refuse("this is no `param name=default (type): meaning`");
        };
        let default = parameter.read(parameter.default, Timestamp::MAX, Zone::UTC);
        if default.is_none() && !parameter.is_needed() {
            let (default, allowed) = (parameter.default, parameter.allowed());
            return refuse(&format!("the default `{default}` is none: it takes {allowed}"));
        }
        if names.contains(&parameter.name) {
            return refuse(&format!("`{}` is declared already", parameter.name));
        }
        names.push(parameter.name);
    }
    Ok(())
}

fn refusal(file: &Path, line: Option<usize>, message: impl Into<String>) -> StoreError {
    let line = line.map_or_else(String::new, |line| format!(":{line}"));
    StoreError::BadReport { place: format!("{}{line}", file.display()), message: message.into() }
}

impl Sandbox {
    /// Prepares a report of somebody's own.
    pub fn ask_report(
        &self,
        report: &Report,
        arguments: &Arguments,
    ) -> Result<Question<'_>, StoreError> {
        let mut statement = self.prepare(&report.statement()).map_err(|error| match error {
            StoreError::BadSql { message, place } => {
                let line = place.map_or_else(|| report.statement_line(), |place: Place| place.line);
                report.refusal(Some(line), message)
            }
            other => other,
        })?;
        check_parameters(report, &statement)?;
        arguments.bind(report, &mut statement, self.connection())?;
        Ok(self.question(statement))
    }
}

/// Refuses a statement whose parameters are not those that are declared.
pub(super) fn check_parameters(
    report: &Report,
    statement: &Statement<'_>,
) -> Result<(), StoreError> {
    let declared: Vec<&str> = report.parameters().iter().map(|parameter| parameter.name).collect();
    let names = (1..=statement.parameter_count()).map(|at| statement.parameter_name(at));
    let used: Vec<&str> = names.map(|name| name.unwrap_or("?")).collect();
    for &name in &used {
        let is_known = |known: &str| name.strip_prefix(':') == Some(known);
        if !declared.iter().chain(&COMMON).any(|known| is_known(known)) {
            let message = format!("the parameter `{name}` is not declared");
            return Err(report.refusal(report.line_of(name), message));
        }
    }
    for name in declared {
        if !used.iter().any(|used| used.strip_prefix(':') == Some(name)) {
            let message = format!("the parameter `{name}` is declared and not used");
            return Err(report.refusal(report.line_of(&format!("param {name}=")), message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{Fixture, shown};
    use pretty_assertions::assert_eq;
    use std::time::Duration;

    /// The answer of a report `mine`, or why there is none; without the directory of its file.
    fn ask(text: &str, own: &[(&str, &str)]) -> Result<String, String> {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("mine.sql"), text).unwrap();
        let told = |error: StoreError| {
            error.to_string().replace(&format!("{}/", directory.path().display()), "")
        };
        let report = Report::find_own(directory.path(), "mine").map_err(told)?.unwrap();
        let archive = Fixture::new().with_records("a1 FAIL 2026-03-01T10:00:00Z -\na2 WAIT - - 2");
        let sandbox = archive.reader().into_sandbox(Duration::from_secs(30), Zone::UTC).unwrap();
        let mut arguments = Arguments::at("2026-03-02T12:00:00Z".parse().unwrap());
        arguments.functions = vec!["*:*".to_owned()];
        arguments.own =
            own.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut question = sandbox.ask_report(&report, &arguments).map_err(told)?;
        shown(&mut question).map_err(told)
    }

    const MINE: &str = "-- Ids of a status.\n-- param status=FAIL (status): which\n\
                        SELECT request_id FROM chosen_records\n WHERE status = :status";

    #[test]
    fn a_report_of_ones_own_is_asked_as_ours_are() {
        assert_eq!(ask(MINE, &[]).unwrap(), "request_id\na1");
        assert_eq!(ask(MINE, &[("status", "wait")]).unwrap(), "request_id\na2");
        assert_eq!(
            ask(MINE, &[("limit", "1")]).unwrap_err(),
            "the report `mine` has no parameter `limit`"
        );
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_with_its_line() {
        for (text, told) in [
            ("", "mine.sql:1: it begins with no comment that is its title"),
            ("SELECT 1 AS n", "mine.sql:1: it begins with no comment that is its title"),
            ("-- T.\n", "mine.sql:2: it asks for nothing"),
            ("-- T.\nDELETE FROM runs", "mine.sql:2: it does more than read (not authorized)"),
            ("-- T.\nATTACH 'x' AS y", "mine.sql:2: it does more than read (not authorized)"),
            (
                "-- T.\nSELECT ':since' AS n;\n\n-- and\nSELECT 2 AS n;",
                "mine.sql:5: it holds more than one statement",
            ),
            ("-- T.\n-- param n=1 (whole): x\nSELECT :n AS n", "mine.sql:2: this is no `param"),
            (
                "-- T.\n-- param n=x (int): x\nSELECT :n AS n",
                "mine.sql:2: the default `x` is none: it takes a whole number",
            ),
            (
                "-- T.\n-- param since=1 (int): x\nSELECT :since AS n",
                "mine.sql:2: `since` is declared already",
            ),
            ("-- T.\nSELECT 1\n, :n AS n", "mine.sql:3: the parameter `:n` is not declared"),
            ("-- T.\nSELECT ?1 AS n", "mine.sql:2: the parameter `?1` is not declared"),
            (
                "-- T.\n-- param n=1 (int): x\nSELECT 1 AS n",
                "mine.sql:2: the parameter `n` is declared and not used",
            ),
            (
                "-- T.\nSELECT f.nobody\n  FROM chosen_records r\n  JOIN chosen_functions f",
                "mine.sql:2: no such column: f.nobody",
            ),
            (
                "-- T.\nSELECT 1\n  FROM chosen_records r\n  JOIN chosen_functions f\n \
                 WHERE nobody",
                "mine.sql:5: no such column: nobody",
            ),
        ] {
            let said = ask(text, &[]).expect_err(text);
            assert!(said.starts_with(told), "{text}: {said}");
        }
    }

    #[test]
    fn a_name_of_ours_or_of_no_report_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        for (file, told) in [
            ("summary.sql", "`summary` is the name of a report of the program"),
            ("sql.sql", "`sql` is the name of a report of the program"),
            ("Mine.sql", "a report's name has small letters, digits and `-` only"),
            ("--explain.sql", "a report's name has small letters, digits and `-` only"),
        ] {
            let file = directory.path().join(file);
            fs::write(&file, MINE).unwrap();
            let said = Report::all_own(directory.path()).unwrap_err().to_string();
            assert_eq!(said, format!("{}:1: {told}", file.display()));
            fs::remove_file(file).unwrap();
        }
        fs::write(directory.path().join("notes.txt"), "x").unwrap();
        assert_eq!(Report::all_own(directory.path()).unwrap().len(), 0);
        fs::create_dir(directory.path().join("folder.sql")).unwrap();
        let said = Report::all_own(directory.path()).unwrap_err().to_string();
        assert!(said.ends_with("folder.sql: it is no regular file"), "{said}");
        assert!(Report::all_own(&directory.path().join("nowhere")).is_err());
    }
}
