//! The one way in which a run writes: records, history, ledger and the run's own counts, in one
//! transaction or not at all.

use super::batch::{Batch, RunFunctions};
use super::functions::date_first_sight;
use super::packed::Sorted;
use super::records::Shown;
use super::runs::{Tally, save_tally};
use super::{ledger, open_records, reach, recording, records};
use crate::domain::{Reject, RequestId, Timestamp};
use crate::plan::clocks::Moment;
use crate::plan::schedule::ServiceFact;
use crate::store::file::{Archive, StoreError};
use crate::store::sql::ids::{FunctionId, RunId};
use rusqlite::{Transaction, named_params};

/// A run, and what time it is to it.
#[derive(Clone, Copy, Debug)]
pub struct RunNow {
    /// Which run it is.
    pub id: RunId,
    /// Now, by the earlier and the later of the clocks.
    pub now: Moment,
}

impl Archive {
    /// Commits a batch that brings something of these functions, and adds what it changed to the
    /// run's tally; hands out the records that it changed although they were final.
    ///
    /// Applying the same batch twice leaves the archive as applying it once.
    pub fn commit(
        &mut self,
        run: RunNow,
        functions: &RunFunctions,
        batch: &Batch,
        tally: &mut Tally,
    ) -> Result<Vec<RequestId>, StoreError> {
        let RunNow { id: run, now } = run;
        let sorted = Sorted::of(batch.pages.iter().map(|page| &page.records))?;
        let mut counted = tally.clone();
        let revised = self.transact(|transaction| {
            // First of all when the run began by the earlier of the clocks: history is bounded by
            // it.
            save_tally(transaction, run, now.later(), &counted)?;
            date_first_sight(transaction, run, functions.new_ones())?;
            let shown = Shown { pages: &batch.pages, functions, sorted: &sorted };
            let revised = records::save_shown(transaction, run, &shown, &mut counted)?;
            for function in save_rejects(transaction, run, now.later(), &batch.rejects)? {
                counted.of(functions[function].source).counts.records.rejected += 1;
            }
            open_records::save_rechecks(transaction, run, now, &batch.rechecks)?;
            open_records::give_up(transaction, now.earlier(), &batch.given_up)?;
            open_records::let_go(transaction)?;
            for (function, entry) in &batch.walks {
                ledger::save_walk(transaction, *function, entry)?;
            }
            for &(function, at, fact) in &batch.facts {
                match fact {
                    ServiceFact::Recording(enabled) => {
                        recording::save_recording(transaction, run, function, at, enabled)?;
                    }
                    ServiceFact::Reach(measured) => {
                        reach::save_measured(transaction, run, function, at, measured)?;
                    }
                }
            }
            save_tally(transaction, run, now.later(), &counted)?;
            Ok(revised)
        })?;
        *tally = counted;
        Ok(revised)
    }
}

/// Keeps aside what could not be read, each text once a function; returns the function of each
/// record that is new among it.
fn save_rejects(
    transaction: &Transaction<'_>,
    run: RunId,
    now: Timestamp,
    rejects: &[(Option<FunctionId>, Reject)],
) -> Result<Vec<FunctionId>, StoreError> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO rejects (function_id, seen_at, reason, raw, run_id)
         VALUES (:function_id, :seen_at, :reason, :raw, :run_id)
             ON CONFLICT DO NOTHING",
    )?;
    let mut new = Vec::new();
    for (function, Reject { reason, raw }) in rejects {
        let inserted = insert.execute(named_params! {
            ":function_id": function.map(|function| function),
            ":seen_at": now,
            ":reason": reason,
            ":raw": raw,
            ":run_id": run,
        })?;
        new.extend(function.filter(|_| inserted > 0));
    }
    Ok(new)
}
