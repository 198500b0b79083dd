//! The rules `[[alert]]` of the configuration: questions to reports, and of what rows they hold.

use super::globals::{Globals, LogFormat};
use super::memory::MemoryBound;
use super::watchdog::Watchdog;
use crate::config::{AlertRule, ConfigFile, RulePart};
use crate::domain::{Cell, Condition, Timestamp, Zone, nearest};
use crate::error::Failure;
use crate::plan::alerts::Finding;
use crate::store::file::{Reader, StoreError};
use crate::store::reports::{Arguments, Question, Report};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use tokio::time::Instant;

/// How long the report of a rule may work: the next run waits for it.
const RULE_LIMIT: Duration = Duration::from_mins(1);

/// How long all of them may work together.
const RULES_LIMIT: Duration = Duration::from_mins(5);

/// How much memory a report of somebody's own may take, in bytes.
const MEMORY: u64 = 256 << 20;

/// The most rows that are looked at: a report that counts has far fewer.
const MOST_ROWS: usize = 100_000;

/// The most functions of which one rule is told.
const MOST_SUBJECTS: usize = 10_000;

/// The column that tells of which function a row is.
const FUNCTION: &str = "function";

/// What the rules found, and those that could not be asked.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) findings: Vec<Finding>,
    pub(super) unanswered: Vec<String>,
}

/// Asks all rules. One that cannot be asked is said, and leaves the others alone.
pub(super) fn ask(globals: &Globals, now: Timestamp) -> Answers {
    let mut answers = Answers::default();
    let Some(file) = &globals.file else { return answers };
    let began = Instant::now();
    for rule in file.alerts() {
        let left = RULES_LIMIT.saturating_sub(began.elapsed());
        let asking = Asking { rule, file, now, format: globals.log_format };
        match asking.ask(&globals.db, left.min(RULE_LIMIT)) {
            Ok(findings) => answers.findings.extend(findings),
            Err(failure) => {
                tracing::error!("cannot ask the alert `{}`: {failure}", rule.name);
                answers.unanswered.push(rule.name.clone());
            }
        }
    }
    answers
}

/// Refuses a rule that could never be asked, with its place in the file.
pub(super) fn check(file: &ConfigFile, now: Timestamp) -> Result<(), Failure> {
    for rule in file.alerts() {
        let wrong = |part, what: &str| file.wrong_alert(rule, part, what);
        let report = find_report(file, rule)?;
        let columns = report.columns(&arguments(rule, now)).map_err(|error| {
            let failure = error.into_failure(Path::new(""));
            let failed = wrong(RulePart::Report, &failure.to_string());
            match failure.hint {
                Some(hint) => failed.hint(hint),
                None => failed,
            }
        })?;
        check_columns(file, rule, &columns)?;
    }
    Ok(())
}

fn check_columns(file: &ConfigFile, rule: &AlertRule, columns: &[String]) -> Result<(), Failure> {
    let is_there = |name: &str| columns.iter().any(|column| column == name);
    let Some(missing) = rule.when.value.columns().find(|name| !is_there(name)) else {
        return Ok(());
    };
    let what = format!("the report `{}` has no column `{missing}`", rule.report);
    let nearest = nearest(missing, columns.iter().map(String::as_str)).next();
    let nearest = nearest.map_or_else(String::new, |near| format!("the nearest is `{near}`; "));
    let hint = format!("{nearest}its columns are {}", columns.join(", "));
    Err(file.wrong_alert(rule, RulePart::When, &what).hint(hint))
}

fn find_report(file: &ConfigFile, rule: &AlertRule) -> Result<Report, Failure> {
    let own = file.reports().map(|set| set.value.as_slice()).unwrap_or_default();
    let found = Report::find_among(own, &rule.report);
    if let Some(report) = found.map_err(|error| error.into_failure(Path::new("")))? {
        return Ok(report);
    }
    let what = format!("there is no report `{}`", rule.report);
    let near = nearest(&rule.report, Report::all().iter().map(Report::name)).next();
    let hint = near.map_or_else(String::new, |near| format!("the nearest is `{near}`; "));
    Err(file
        .wrong_alert(rule, RulePart::Report, &what)
        .hint(format!("{hint}`fgarchive query list` shows all")))
}

fn arguments(rule: &AlertRule, now: Timestamp) -> Arguments {
    Arguments {
        since: rule.over.map(|over| now - over),
        functions: rule.functions.clone(),
        own: rule.parameters.clone(),
        ..Arguments::at(now)
    }
}

/// A rule that is being asked.
struct Asking<'a> {
    rule: &'a AlertRule,
    file: &'a ConfigFile,
    now: Timestamp,
    format: LogFormat,
}

impl Asking<'_> {
    fn ask(&self, db: &Path, limit: Duration) -> Result<Vec<Finding>, Failure> {
        let refused = |error: StoreError| error.into_failure(db);
        let report = find_report(self.file, self.rule)?;
        let arguments = arguments(self.rule, self.now);
        let mut reader = Reader::open(db).map_err(refused)?;
        if !report.is_own() {
            let mut question = reader.ask(&report, &arguments, limit).map_err(refused)?;
            return self.read(&mut question, MemoryBound::default(), db);
        }
        let sandbox = reader.into_sandbox(limit, Zone::UTC).map_err(refused)?;
        let _watchdog = Watchdog::start(sandbox.watch(), self.format)?;
        let memory = MemoryBound::beyond_present(MEMORY);
        let asked = memory.within(|| sandbox.ask_report(&report, &arguments));
        self.read(&mut asked.map_err(refused)?, memory, db)
    }

    /// The rows of which the rule holds; of each function the first.
    fn read(
        &self,
        question: &mut Question<'_>,
        memory: MemoryBound,
        db: &Path,
    ) -> Result<Vec<Finding>, Failure> {
        let refused = |error: StoreError| error.into_failure(db);
        let columns = question.columns().to_vec();
        check_columns(self.file, self.rule, &columns)?;
        let most_rows = if self.rule.is_first { 1 } else { MOST_ROWS };
        let mut rows = question.rows();
        let mut findings = BTreeMap::new();
        for _ in 0..most_rows {
            let Some(row) = memory.within(|| rows.next_row()).map_err(refused)? else { break };
            memory.check_room(row.copied_bytes()).map_err(refused)?;
            let cells: Vec<Cell<'_>> = row.cells().collect();
            let row = Row { columns: &columns, cells: &cells };
            if self.rule.when.value.holds(|column| row.number(column)) {
                let subject = row.text(FUNCTION).unwrap_or_default();
                findings.entry(subject).or_insert_with_key(|it| self.finding(it, &row));
            }
            if findings.len() >= MOST_SUBJECTS {
                break;
            }
        }
        Ok(findings.into_values().collect())
    }

    fn finding(&self, subject: &str, row: &Row<'_>) -> Finding {
        let AlertRule { name, when, over, patience, .. } = self.rule;
        let over = over.map_or_else(String::new, |over| {
            format!(" in the last {}", humantime::format_duration(over))
        });
        let values = row.values(&when.value);
        Finding {
            name: name.clone(),
            subject: subject.to_owned(),
            text: format!("{values}{over} ({})", when.value),
            patience: *patience,
            amount: None,
        }
    }
}

/// A row of an answer.
struct Row<'a> {
    columns: &'a [String],
    cells: &'a [Cell<'a>],
}

impl Row<'_> {
    fn cell(&self, name: &str) -> Option<&Cell<'_>> {
        let at = self.columns.iter().position(|column| column == name)?;
        self.cells.get(at)
    }

    #[expect(clippy::cast_precision_loss, reason = "a condition is of no more than 15 digits")]
    fn number(&self, name: &str) -> Option<f64> {
        match self.cell(name)? {
            Cell::Integer(number) => Some(*number as f64),
            Cell::Real(number) => Some(*number),
            Cell::Null | Cell::Text(_) | Cell::Blob(_) => None,
        }
    }

    fn text(&self, name: &str) -> Option<String> {
        match self.cell(name)? {
            Cell::Text(text) => Some(text.to_string()),
            _ => None,
        }
    }

    /// What is compared, each column once: `failed_percent 12.5, records 40`.
    fn values(&self, condition: &Condition) -> String {
        let mut names: Vec<&str> = Vec::new();
        for name in condition.columns() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let told = |name: &&str| format!("{name} {}", self.number(name).unwrap_or_default());
        names.iter().map(told).collect::<Vec<_>>().join(", ")
    }
}
