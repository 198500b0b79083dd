//! A report, asked of an archive.

use super::pruned::{LeftOut, left_out};
use super::question::Author;
use super::{Arguments, Question, Report};
use crate::store::file::{Reader, StoreError};
use crate::store::sql::budget::Budget;
use crate::store::sql::zone;
use std::time::Duration;

impl Reader {
    /// What the answer of a report leaves out, since its records were pruned.
    pub fn left_out(
        &self,
        report: &Report,
        arguments: &Arguments,
    ) -> Result<Option<LeftOut>, StoreError> {
        left_out(&self.connection, report, arguments)
    }

    /// Prepares a report; it may work for `limit`.
    pub fn ask(
        &mut self,
        report: &Report,
        arguments: &Arguments,
        limit: Duration,
    ) -> Result<Question<'_>, StoreError> {
        zone::register(&self.connection, arguments.zone)?;
        let budget = Budget::start(&mut self.connection, limit)?;
        let mut statement = self.connection.prepare(&report.statement())?;
        arguments.bind(report, &mut statement, &self.connection)?;
        Ok(Question::new(statement, budget, Author::Program))
    }
}
