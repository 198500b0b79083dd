//! What a run writes at once: records, history, ledger and the run's own counts, in one transaction or not at all.

use super::functions::FunctionId;
use super::packed::{Packed, Sorted};
use super::runs::{RunId, Tally, save_tally};
use super::{Archive, StoreError, functions, ledger, open_records, reach, recording, records};
use crate::domain::{Reject, RequestId, Timestamp};
use crate::plan;
use crate::plan::clocks::Moment;
use crate::plan::reach::Measured;
use rusqlite::{Transaction, named_params};
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

/// An open record that a run asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its id.
    pub request_id: RequestId,
    /// When it had last been seen or asked for: seen later, it was shown.
    pub last_checked_at: Timestamp,
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
    pub checks: Vec<Check>,
    /// Open records that are no longer waited for.
    pub given_up: Vec<RequestId>,
    /// What was learnt about the service beside its records.
    pub observations: Vec<(FunctionId, Observed)>,
    /// Functions that this run was the first to know of: they were taken up when it began.
    pub new_functions: Vec<FunctionId>,
}

/// Something the service told of a function beside its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// When, by the earlier of the clocks.
    pub at: Timestamp,
    /// What.
    pub what: Observation,
}

/// What it told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observation {
    /// Whether it records the function's invocations; none where that could not be told.
    Recording(Option<bool>),
    /// How far back it reaches.
    Reach(Measured),
}

impl Batch {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        // Functions alone are no reason to write.
        let Self { showings, rejects, walks, checks, given_up, observations, new_functions: _ } = self;
        showings.is_empty()
            && rejects.is_empty()
            && walks.is_empty()
            && checks.is_empty()
            && given_up.is_empty()
            && observations.is_empty()
    }
}

impl Archive {
    /// Commits a batch, and adds what it changed to the run's tally; hands out the records that it changed although they
    /// were final.
    ///
    /// Applying the same batch twice leaves the archive as applying it once.
    pub fn commit(
        &mut self,
        run: RunId,
        now: impl Into<Moment>,
        batch: &Batch,
        tally: &mut Tally,
    ) -> Result<Vec<RequestId>, StoreError> {
        let now: Moment = now.into();
        let sorted = Sorted::of(batch.showings.iter().map(|showing| &showing.records))?;
        let mut counted = *tally;
        let revised = self.transact(|transaction| {
            // First of all when the run began by the earlier of the clocks: history is bounded by it.
            save_tally(transaction, run, now.later(), &counted)?;
            functions::date_first_sight(transaction, run, &batch.new_functions)?;
            let revised = records::save_showings(transaction, run, &batch.showings, &sorted, &mut counted)?;
            counted.rejected += save_rejects(transaction, run, now.later(), &batch.rejects)?;
            open_records::save_checks(transaction, run, now, &batch.checks)?;
            open_records::give_up(transaction, now.earlier(), &batch.given_up)?;
            open_records::let_go(transaction)?;
            for (function, entry) in &batch.walks {
                ledger::save_walk(transaction, *function, entry)?;
            }
            for (function, observed) in &batch.observations {
                save_observed(transaction, run, *function, *observed)?;
            }
            save_tally(transaction, run, now.later(), &counted)?;
            Ok(revised)
        })?;
        *tally = counted;
        Ok(revised)
    }
}

fn save_observed(
    transaction: &Transaction<'_>,
    run: RunId,
    function: FunctionId,
    Observed { at, what }: Observed,
) -> Result<(), StoreError> {
    match what {
        Observation::Recording(enabled) => recording::save_recording(transaction, run, function, at, enabled),
        Observation::Reach(measured) => reach::save_measured(transaction, run, function, at, measured),
    }
}

/// Keeps aside what could not be read, each text once a function; returns how many new records are among it.
fn save_rejects(
    transaction: &Transaction<'_>,
    run: RunId,
    now: Timestamp,
    rejects: &[(Option<FunctionId>, Reject)],
) -> Result<u64, StoreError> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO rejects (function_id, seen_at, reason, raw, run_id)
         VALUES (:function_id, :seen_at, :reason, :raw, :run_id)
             ON CONFLICT DO NOTHING",
    )?;
    let mut new = 0;
    for (function, Reject { reason, raw }) in rejects {
        let inserted = insert.execute(named_params! {
            ":function_id": function.map(|function| function.0),
            ":seen_at": now.to_string(),
            ":reason": reason,
            ":raw": raw,
            ":run_id": run.0,
        })?;
        new += if function.is_some() { inserted as u64 } else { 0 };
    }
    Ok(new)
}
