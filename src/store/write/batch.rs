//! What a run hands over to be written at once.

use super::packed::Packed;
use crate::domain::{Invocation, Reject, RequestId, Timestamp};
use crate::plan;
use crate::plan::clocks::Moment;
use crate::plan::ledger::missed_at;
use crate::plan::refresh::Recheck;
use crate::plan::schedule::ServiceFact;
use crate::store::sql::ids::{FunctionId, SourceId};
use std::collections::HashMap;
use std::ops::Index;
use std::sync::Arc;

/// A function of a run, as the writer has to know it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunFunction {
    /// Whose records are counted together with its own.
    pub source: SourceId,
    /// Its ledger as the run found it: which walks should have shown a record before.
    pub ledger: Arc<[plan::ledger::Entry]>,
    /// Whether the run was the first to know of it.
    pub is_new: bool,
}

/// The functions of a run.
#[derive(Clone, Debug, Default)]
pub struct RunFunctions(HashMap<FunctionId, RunFunction>);

impl RunFunctions {
    /// Those that no run knew of before.
    pub(in crate::store) fn new_ones(&self) -> impl Iterator<Item = FunctionId> {
        self.0.iter().filter(|(_, function)| function.is_new).map(|(id, _)| *id)
    }
}

impl FromIterator<(FunctionId, RunFunction)> for RunFunctions {
    fn from_iter<I: IntoIterator<Item = (FunctionId, RunFunction)>>(functions: I) -> Self {
        Self(functions.into_iter().collect())
    }
}

/// The functions of a source become known when it is ready, while others are at work.
impl Extend<(FunctionId, RunFunction)> for RunFunctions {
    fn extend<I: IntoIterator<Item = (FunctionId, RunFunction)>>(&mut self, functions: I) {
        self.0.extend(functions);
    }
}

/// What a batch brings is of functions that the run knows.
impl Index<FunctionId> for RunFunctions {
    type Output = RunFunction;

    fn index(&self, function: FunctionId) -> &RunFunction {
        &self.0[&function]
    }
}

/// Records of a function as the service showed them in one answer. What holds for the whole answer
/// is kept once.
#[derive(Clone, Debug)]
pub struct SeenPage {
    /// The function whose listing showed them.
    pub function: FunctionId,
    /// The records, in the service's order.
    pub records: Packed,
    /// When the service answered.
    pub seen_at: Moment,
}

/// A record as the service showed it at a moment.
pub(in crate::store) struct SeenRecord<'b> {
    pub(in crate::store) record: Invocation,
    pub(in crate::store) page: &'b SeenPage,
    pub(in crate::store) function: &'b RunFunction,
}

impl SeenRecord<'_> {
    /// When a proven walk of its time began before, if there was one.
    pub(in crate::store) fn walked_before(&self) -> Option<Timestamp> {
        self.record.started_at().and_then(|start| missed_at(&self.function.ledger, start))
    }
}

/// What came since the last commit.
#[derive(Debug, Default)]
pub struct Batch {
    /// Records, in the order in which the service showed them.
    pub pages: Vec<SeenPage>,
    /// What could not be read; of no function where it is an entry of the list of functions.
    pub rejects: Vec<(Option<FunctionId>, Reject)>,
    /// Walks that ended: all their pages are in this batch or an earlier one.
    pub walks: Vec<(FunctionId, plan::ledger::Entry)>,
    /// Open records that were asked for, whether or not they were shown.
    pub rechecks: Vec<Recheck>,
    /// Open records that are no longer waited for.
    pub given_up: Vec<RequestId>,
    /// What the service told beside its records, and when, by the earlier of the clocks.
    pub facts: Vec<(FunctionId, Timestamp, ServiceFact)>,
}

impl Batch {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        let Self { pages, rejects, walks, rechecks, given_up, facts } = self;
        pages.is_empty()
            && rejects.is_empty()
            && walks.is_empty()
            && rechecks.is_empty()
            && given_up.is_empty()
            && facts.is_empty()
    }
}
