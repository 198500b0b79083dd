//! A function of a run, with what is known of it.

use crate::domain::{FunctionUrn, Interval, IntervalSet, Timestamp};
use crate::plan::horizon::Scope;
use crate::plan::ledger::Entry;
use crate::store::sql::FunctionId;
use std::sync::Arc;

/// What a function is about to have done, with what is known of it.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) id: FunctionId,
    pub(super) urn: FunctionUrn,
    pub(super) first_run_at: Timestamp,
    /// Whether this run is the first to know of it.
    pub(super) is_new: bool,
    pub(super) ledger: Arc<[Entry]>,
    /// Until when the run found its ledger to reach.
    pub(super) ledger_end: Option<Timestamp>,
    pub(super) scope: Scope,
    pub(super) horizon: Interval,
}

/// What of a ledger needs no walk any more.
pub(super) fn done(ledger: &[Entry]) -> IntervalSet {
    ledger.iter().filter(|row| row.state.is_done()).map(|row| row.window).collect()
}
