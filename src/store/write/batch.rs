//! What a run hands over to be written at once.

use super::packed::Packed;
use crate::domain::{Invocation, Reject, RequestId, Timestamp};
use crate::plan;
use crate::plan::clocks::Moment;
use crate::plan::ledger::missed_at;
use crate::plan::refresh::Recheck;
use crate::plan::schedule::ServiceFact;
use crate::store::sql::ids::FunctionId;
use std::sync::Arc;

/// Records of a function as the service showed them in one answer. What holds for the whole answer is kept once.
#[derive(Clone, Debug)]
pub struct Showing {
    /// The function whose listing showed them.
    pub function: FunctionId,
    /// The records, in the service's order.
    pub records: Packed,
    /// When the service answered.
    pub seen_at: Moment,
    /// The ledger of the function as the run found it: which walks should have shown these records before.
    pub ledger: Arc<[plan::ledger::Entry]>,
}

/// A record as the service showed it at a moment.
pub(in crate::store) struct Sighting<'b> {
    pub(in crate::store) record: Invocation,
    pub(in crate::store) showing: &'b Showing,
}

impl Sighting<'_> {
    /// When a proven walk of its time began before, if there was one.
    pub(in crate::store) fn walked_before(&self) -> Option<Timestamp> {
        self.record.started_at().and_then(|start| missed_at(&self.showing.ledger, start))
    }
}

/// What came since the last commit.
#[derive(Debug, Default)]
pub struct Batch {
    /// Records, in the order in which the service showed them.
    pub showings: Vec<Showing>,
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
    /// Functions that this run was the first to know of: they were taken up when it began.
    pub new_functions: Vec<FunctionId>,
}

impl Batch {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        // Functions alone are no reason to write.
        let Self { showings, rejects, walks, rechecks, given_up, facts, new_functions: _ } = self;
        showings.is_empty()
            && rejects.is_empty()
            && walks.is_empty()
            && rechecks.is_empty()
            && given_up.is_empty()
            && facts.is_empty()
    }
}
