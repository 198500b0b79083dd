//! What a report is asked with: the range of time, the function, and its own parameters.

use super::{Parameter, Report};
use crate::domain::{FunctionRef, Timestamp};
use crate::store::file::StoreError;
use rusqlite::types::Value;
use rusqlite::{Connection, Statement};

/// The most functions that an error lists.
const MOST_LISTED: usize = 10;

/// The values for a report's parameters.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// The present, for ages.
    pub now: Timestamp,
    /// Records from this moment on.
    pub since: Option<Timestamp>,
    /// Records before this moment.
    pub until: Option<Timestamp>,
    /// One function: a name, `package:name` or a URN.
    pub function: Option<String>,
    /// The report's own parameters, as given.
    pub own: Vec<(String, String)>,
}

impl Arguments {
    /// Arguments that narrow nothing.
    pub fn at(now: Timestamp) -> Self {
        Self { now, since: None, until: None, function: None, own: Vec::new() }
    }

    /// Refuses a function that the archive does not hold: an empty answer would read as "nothing
    /// happened".
    pub(in crate::store) fn check_function(
        &self,
        connection: &Connection,
    ) -> Result<(), StoreError> {
        let Some(name) = self.function_text() else { return Ok(()) };
        let known: Vec<(String, bool)> = connection
            .prepare(
                "SELECT full_name, ?1 IN (name, package || ':' || name, full_name, urn) FROM functions ORDER BY 2 DESC, 1",
            )?
            .query_map([&name], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        if known.iter().any(|(_, matches)| *matches) {
            return Ok(());
        }
        let names: Vec<&str> =
            known.iter().map(|(name, _)| name.as_str()).take(MOST_LISTED).collect();
        let more = if known.len() > MOST_LISTED { ", …" } else { "" };
        Err(StoreError::BadArgument {
            message: format!("the archive holds no function `{name}`"),
            hint: format!("it holds: {}{more}", names.join(", ")),
        })
    }

    /// The function as the archive spells it: a URN that says `latest` is stored without.
    pub(in crate::store) fn function_text(&self) -> Option<String> {
        let given = self.function.as_ref()?;
        match given.parse() {
            Ok(FunctionRef::Urn(urn)) => Some(urn.to_string()),
            _ => Some(given.clone()),
        }
    }

    /// Fills in every parameter of the statement, and refuses what it does not take.
    pub(in crate::store) fn bind(
        &self,
        report: &Report,
        statement: &mut Statement<'_>,
    ) -> Result<(), StoreError> {
        self.bind_common(report, statement)?;
        let parameters = report.parameters();
        for (name, _) in &self.own {
            if !parameters.iter().any(|parameter| parameter.name == name) {
                return Err(unknown_parameter(report, &parameters, name));
            }
        }
        for parameter in &parameters {
            // The last one given counts, as with every option.
            let given = self.own.iter().rev().find(|(name, _)| name == parameter.name);
            let value =
                self.read(parameter, given.map_or(parameter.default, |(_, value)| value))?;
            bind(statement, parameter.name, &value)?;
        }
        Ok(())
    }

    fn read(&self, parameter: &Parameter, given: &str) -> Result<Value, StoreError> {
        parameter.read(given, self.now).ok_or_else(|| StoreError::BadArgument {
            message: format!("`{given}` is no value for `{}`", parameter.name),
            hint: format!("it takes {}", parameter.allowed()),
        })
    }

    fn bind_common(
        &self,
        report: &Report,
        statement: &mut Statement<'_>,
    ) -> Result<(), StoreError> {
        let text = |moment: Timestamp| moment.to_string();
        let common = [
            ("since", self.since.map(text)),
            ("until", self.until.map(text)),
            ("function", self.function_text()),
        ];
        for (name, value) in common {
            if let Some(value) = value
                && !bind(statement, name, &Value::Text(value))?
            {
                return Err(StoreError::NotTaken { report: report.name(), argument: name });
            }
        }
        bind(statement, "now", &Value::Text(self.now.to_string()))?;
        Ok(())
    }
}

/// Fills in one parameter; tells whether the statement has it.
fn bind(statement: &mut Statement<'_>, name: &str, value: &Value) -> Result<bool, StoreError> {
    let Some(at) = statement.parameter_index(&format!(":{name}"))? else { return Ok(false) };
    statement.raw_bind_parameter(at, value)?;
    Ok(true)
}

fn unknown_parameter(report: &Report, parameters: &[Parameter], name: &str) -> StoreError {
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
