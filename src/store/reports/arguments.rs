//! What a report is asked with: the range of time, the functions, and its own parameters.

use super::{Parameter, Report};
use crate::domain::{Status, Timestamp, Zone};
use crate::store::file::StoreError;
use rusqlite::types::Value;
use rusqlite::{Connection, Statement};

/// The values for a report's parameters.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// The present, for ages.
    pub now: Timestamp,
    /// Where the days and hours are those by which a report counts.
    pub zone: Zone,
    /// Records from this moment on.
    pub since: Option<Timestamp>,
    /// Records before this moment.
    pub until: Option<Timestamp>,
    /// Names, `package:name`s, URNs or globs of functions; all functions where there are none.
    pub functions: Vec<String>,
    /// The report's own parameters, as given.
    pub own: Vec<(String, String)>,
}

impl Arguments {
    /// Arguments that narrow nothing.
    pub fn at(now: Timestamp) -> Self {
        Self {
            now,
            zone: Zone::UTC,
            since: None,
            until: None,
            functions: Vec::new(),
            own: Vec::new(),
        }
    }

    /// Fills in every parameter of the statement, and refuses what it does not take.
    pub(in crate::store) fn bind(
        &self,
        report: &Report,
        statement: &mut Statement<'_>,
        connection: &Connection,
    ) -> Result<(), StoreError> {
        self.bind_common(report, statement, self.load_functions(connection)?)?;
        let parameters = report.parameters();
        for (name, _) in &self.own {
            if !parameters.iter().any(|parameter| parameter.name == name) {
                return Err(unknown_parameter(report, &parameters, name));
            }
        }
        for parameter in &parameters {
            let value = self.given(parameter)?;
            if parameter.is_status() {
                check_status(connection, &value)?;
            }
            bind(statement, parameter.name, &value)?;
        }
        Ok(())
    }

    /// The value of one of the report's own parameters.
    pub(super) fn value_of(&self, report: &Report, name: &str) -> Result<Value, StoreError> {
        let parameters = report.parameters();
        let parameter = parameters.iter().find(|parameter| parameter.name == name);
        parameter.map_or(Ok(Value::Null), |parameter| self.given(parameter))
    }

    fn given(&self, parameter: &Parameter<'_>) -> Result<Value, StoreError> {
        // The last one given counts, as with every option.
        let given = self.own.iter().rev().find(|(name, _)| name == parameter.name);
        if given.is_none() && parameter.is_needed() {
            return Err(StoreError::BadArgument {
                message: format!("the report needs `{}`", parameter.name),
                hint: format!("it takes {}", parameter.allowed()),
            });
        }
        self.read(parameter, given.map_or(parameter.default, |(_, value)| value))
    }

    fn read(&self, parameter: &Parameter<'_>, given: &str) -> Result<Value, StoreError> {
        parameter.read(given, self.now, self.zone).ok_or_else(|| StoreError::BadArgument {
            message: format!("`{given}` is no value for `{}`", parameter.name),
            hint: format!("it takes {}", parameter.allowed()),
        })
    }

    fn bind_common(
        &self,
        report: &Report,
        statement: &mut Statement<'_>,
        functions: Option<String>,
    ) -> Result<(), StoreError> {
        let text = |moment: Timestamp| moment.to_string();
        let common = [
            ("since", self.since.map(text)),
            ("until", self.until.map(text)),
            ("functions", functions),
        ];
        for (name, value) in common {
            if let Some(value) = value
                && !bind(statement, name, &Value::Text(value))?
            {
                let argument = if name == "functions" { "function" } else { name };
                return Err(StoreError::NotTaken { report: report.name().to_owned(), argument });
            }
        }
        bind(statement, "now", &Value::Text(self.now.to_string()))?;
        Ok(())
    }
}

/// Refuses a status that is not documented and that no record has: an empty answer would read as
/// "there is none". Only such a status costs a look at the summary by hour.
fn check_status(connection: &Connection, value: &Value) -> Result<(), StoreError> {
    let Value::Text(status) = value else { return Ok(()) };
    if !matches!(Status::parse(status), Status::Other(_)) {
        return Ok(());
    }
    let sql = "SELECT EXISTS (SELECT 1 FROM hourly_counts WHERE status = ?1)";
    if connection.query_row(sql, [status], |row| row.get(0))? {
        return Ok(());
    }
    let known = Status::KNOWN.iter().map(Status::as_str).collect::<Vec<_>>().join(", ");
    Err(StoreError::BadArgument {
        message: format!("no record has the status `{status}`"),
        hint: format!("the documented ones are: {known}"),
    })
}

/// The parameters that a report may use without declaring them.
pub(super) const COMMON: [&str; 4] = ["since", "until", "functions", "now"];

/// Fills in one parameter; tells whether the statement has it.
fn bind(statement: &mut Statement<'_>, name: &str, value: &Value) -> Result<bool, StoreError> {
    let Some(at) = statement.parameter_index(&format!(":{name}"))? else { return Ok(false) };
    statement.raw_bind_parameter(at, value)?;
    Ok(true)
}

fn unknown_parameter(report: &Report, parameters: &[Parameter<'_>], name: &str) -> StoreError {
    let hint = match parameters {
        [] => "it has none of its own".to_owned(),
        some => {
            let names: Vec<&str> = some.iter().map(|parameter| parameter.name).collect();
            format!("it takes: {}", names.join(", "))
        }
    };
    StoreError::BadArgument {
        message: format!("the report `{}` has no parameter `{name}`", report.name()),
        hint,
    }
}
