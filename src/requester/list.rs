//! The list of a project's functions, read until it is proven.

use super::project::Requester;
use super::source::Source;
use crate::api::CallFailure;
use crate::domain::{FunctionUrn, Reject};
use crate::plan::listing::{Doubt, Listing, Step};
use std::collections::HashSet;
use std::fmt;

/// So many entries of the list that name no function are kept a run; the others are counted.
const MOST_REJECTS: usize = 100;

/// Why a list of functions may not be whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListProblem {
    /// It could not be proven.
    Doubtful(Doubt),
    /// A page of it could not be had.
    Failed(CallFailure),
    /// So many functions answer that it leaves out, though most are missing in it.
    Contradicted(usize),
}

/// In words, after "the list of functions could not be proven complete:".
impl fmt::Display for ListProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Doubtful(doubt) => doubt.fmt(f),
            Self::Failed(failure) => failure.fmt(f),
            Self::Contradicted(1) => {
                f.write_str("it leaves out most functions, and one of them still answers")
            }
            Self::Contradicted(functions) => {
                write!(f, "it leaves out most functions, and {functions} of them still answer")
            }
        }
    }
}

/// What came of the list of a project's functions.
#[derive(Clone, Debug, Default)]
pub struct ListReport {
    /// The functions, each once: of a list that is proven those of its last reading, else all that
    /// were ever shown.
    pub functions: Vec<FunctionUrn>,
    /// Why there may be more of them.
    pub problem: Option<ListProblem>,
    /// How many entries name no function.
    pub unreadable: u64,
    /// The first of those.
    pub rejects: Vec<Reject>,
}

impl ListReport {
    /// Whether every function of the project is known by it.
    pub fn is_whole(&self) -> bool {
        self.problem.is_none() && self.unreadable == 0
    }

    fn keep(&mut self, rejects: Vec<Reject>) {
        for reject in rejects {
            if self.rejects.len() < MOST_REJECTS
                && self.rejects.iter().all(|kept| kept.raw != reject.raw)
            {
                self.rejects.push(reject);
            }
        }
    }
}

/// Reads the list of the project's functions; the failure is one of its first page, so that nothing
/// is known.
pub(crate) async fn list_functions<S: Source>(
    requester: &Requester<S>,
) -> Result<ListReport, CallFailure> {
    let (mut listing, mut report) = (Listing::default(), ListReport::default());
    let (mut ever, mut now) = (Distinct::default(), Distinct::default());
    let problem = loop {
        let marker = match listing.step() {
            Step::Ask(marker) => marker,
            Step::Again => {
                now = Distinct::default();
                continue;
            }
            Step::Over(verdict) => break verdict.err().map(ListProblem::Doubtful),
        };
        let page = match requester.functions(marker).await {
            Ok(page) => page,
            Err(failure) if ever.urns.is_empty() => return Err(failure),
            Err(failure) => break Some(ListProblem::Failed(failure)),
        };
        listing.take(&page);
        ever.extend(&page.functions);
        now.extend(&page.functions);
        report.keep(page.rejects);
        report.unreadable = report.unreadable.max(listing.unreadable());
    };
    report.functions = if problem.is_none() { now.urns } else { ever.urns };
    Ok(ListReport { problem, ..report })
}

/// Functions in the order in which they first came.
#[derive(Debug, Default)]
struct Distinct {
    urns: Vec<FunctionUrn>,
    seen: HashSet<FunctionUrn>,
}

impl Distinct {
    fn extend<'a>(&mut self, urns: impl IntoIterator<Item = &'a FunctionUrn>) {
        for urn in urns {
            if self.seen.insert(urn.clone()) {
                self.urns.push(urn.clone());
            }
        }
    }
}
