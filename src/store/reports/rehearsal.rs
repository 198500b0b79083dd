//! Whether a report can be asked at all: tried on an archive that holds nothing.

use super::own::check_parameters;
use super::{Arguments, Report};
use crate::store::file::StoreError;
use crate::store::file::schema::migrations;
use crate::store::sql::functions::register_functions;
use rusqlite::Connection;

impl Report {
    /// The columns of its answer, where it takes these arguments. No archive is needed, so that
    /// which functions it holds is not looked at.
    pub fn columns(&self, arguments: &Arguments) -> Result<Vec<String>, StoreError> {
        let mut empty = Connection::open_in_memory()?;
        migrations().run(&mut empty).map_err(|error| StoreError::from_migration(&error))?;
        register_functions(&empty)?;
        let mut statement = empty.prepare(&self.statement()).map_err(StoreError::from_statement)?;
        if self.is_own() {
            check_parameters(self, &statement)?;
        }
        if !arguments.functions.is_empty() && statement.parameter_index(":functions")?.is_none() {
            let report = self.name().to_owned();
            return Err(StoreError::NotTaken { report, argument: "function" });
        }
        let asked = Arguments { functions: Vec::new(), ..arguments.clone() };
        asked.bind(self, &mut statement, &empty)?;
        Ok(statement.column_names().map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::reports::Parameter;
    use pretty_assertions::assert_eq;

    fn columns(report: &str, arguments: &Arguments) -> Result<Vec<String>, String> {
        Report::find(report).unwrap().columns(arguments).map_err(|error| error.to_string())
    }

    #[test]
    fn a_report_tells_its_columns_and_refuses_what_it_does_not_take() {
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        let plain = Arguments::at(now);
        for report in Report::all() {
            let needs = report.parameters().iter().any(Parameter::is_needed);
            assert_eq!(report.columns(&plain).is_err(), needs, "{}", report.name());
        }
        assert_eq!(columns("record", &plain).unwrap_err(), "the report needs `id`");
        let own = vec![("id".to_owned(), "a1".to_owned())];
        assert!(columns("record", &Arguments { own, ..plain.clone() }).is_ok());
        let summary = columns("summary", &plain).unwrap();
        assert_eq!(summary[..2], ["function", "records"]);
        let of_functions = Arguments { functions: vec!["f".to_owned()], ..plain.clone() };
        assert!(columns("summary", &of_functions).is_ok());
        assert!(columns("runs", &of_functions).is_err());
        let own = vec![("nothing".to_owned(), "1".to_owned())];
        let told = columns("summary", &Arguments { own, ..plain }).unwrap_err();
        assert!(told.contains("nothing"), "{told}");
    }
}
