//! How a run ended, for people, scripts and the archive.

use super::function::FunctionReport;
use super::source::SourceReport;
use crate::domain::Counts;
use crate::error::{Failure, FailureKind};
use crate::requester::ListReport;
use crate::store::sql::RunId;
use crate::store::write::{Comparison, Ending};

/// What a run did.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// The run's row.
    pub run: RunId,
    /// What it did in each project.
    pub sources: Vec<SourceReport>,
}

impl RunReport {
    /// What became of each function.
    pub fn functions(&self) -> impl Iterator<Item = &FunctionReport> {
        self.sources.iter().flat_map(|source| &source.functions)
    }

    /// How settled windows that were walked again compare with what was archived.
    pub fn verified(&self) -> impl Iterator<Item = &Comparison> {
        self.sources.iter().flat_map(|source| &source.verified)
    }

    /// What came of the first list of functions that was asked for.
    pub fn list(&self) -> Option<&ListReport> {
        self.sources.iter().find_map(|source| source.list.as_ref())
    }

    /// What the run did, in numbers.
    pub fn counts(&self) -> Counts {
        self.sources.iter().map(|source| source.counts).sum()
    }

    /// How many records were late, changed or gone in the settled windows that were walked again.
    pub fn discrepancies(&self) -> u64 {
        self.sources.iter().map(SourceReport::discrepancies).sum()
    }

    /// The source that ended worst.
    fn worst(&self) -> Option<&SourceReport> {
        // Of those that ended alike, the first.
        self.sources.iter().rev().max_by_key(|source| source.failure_kind().map(weight))
    }

    /// How it ended, which is how the worst of its sources did; none when all are complete.
    pub fn failure_kind(&self) -> Option<FailureKind> {
        self.worst()?.failure_kind()
    }

    /// The outcome in a word.
    pub fn outcome(&self) -> &'static str {
        self.worst().map_or("complete", SourceReport::outcome)
    }

    /// The exit code of the run.
    pub fn exit_code(&self) -> u8 {
        self.worst().map_or(0, SourceReport::exit_code)
    }

    pub(in crate::sync) fn ending(&self) -> Ending {
        Ending { outcome: self.outcome(), exit_code: self.exit_code() }
    }

    /// The failure to show, if the run was not complete: that of the source that ended worst, with
    /// its name where there are others.
    pub fn failure(&self) -> Option<Failure> {
        let worst = self.worst()?;
        let mut failure = worst.failure()?;
        if self.sources.len() > 1 {
            let others =
                self.sources.iter().filter(|source| source.failure_kind().is_some()).count() - 1;
            let more = if others > 0 {
                format!("; {others} more of the sources did not end well")
            } else {
                String::new()
            };
            failure.message = format!("{}: {}{more}", worst.name, failure.message);
        }
        Some(failure)
    }
}

/// What a person must look at first weighs most.
fn weight(kind: FailureKind) -> u8 {
    match kind {
        FailureKind::Denied => 5,
        FailureKind::Usage => 4,
        FailureKind::Interrupted => 3,
        FailureKind::Finding => 2,
        FailureKind::Incomplete => 1,
        _ => 6,
    }
}
