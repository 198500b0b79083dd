//! The runs, and what each did.

use crate::domain::{Timestamp, count_to_i64, count_to_u64};
use crate::plan::paging::Habits;
use crate::store::file::{Archive, StoreError};
use crate::store::sql::ids::RunId;
use rusqlite::{Transaction, named_params};
use std::fmt;

impl RunId {
    /// The row's `id`.
    pub fn number(self) -> i64 {
        self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a run did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// When it began by the earlier of the clocks, as far as answers have told the service's.
    pub started_at: Option<Timestamp>,
    /// Requests sent, tries included.
    pub requests: u64,
    /// Requests that were sent again.
    pub retries: u64,
    /// Requests that were throttled.
    pub throttled: u64,
    /// Requests that walked settled windows again.
    pub verifying: u64,
    /// Pages answered.
    pub pages: u64,
    /// Entries on them, repetitions included.
    pub fetched: u64,
    /// Records seen, the same one once a commit.
    pub seen: u64,
    /// Records seen for the first time.
    pub new: u64,
    /// Records whose stored row changed.
    pub changed: u64,
    /// Records that an earlier proven walk of their window had not shown.
    pub late: u64,
    /// Entries that could not be read, kept aside.
    pub rejected: u64,
    /// Entries of the list of functions that could not be read, kept aside.
    pub functions_unreadable: u64,
    /// What was learnt about the service's pages, by this run and those before.
    pub habits: Habits,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// In a word: `complete`, `incomplete`, `denied`, `failed` or `interrupted`.
    pub outcome: &'static str,
    /// The exit code of the process.
    pub exit_code: u8,
}

impl Archive {
    /// Notes that a run of a command began.
    pub fn begin_run(&mut self, command: &str, now: Timestamp) -> Result<RunId, StoreError> {
        self.transact(|transaction| {
            let insert = "INSERT INTO runs (command, started_at, updated_at) VALUES (?1, ?2, ?2)";
            transaction.execute(insert, (command, now.to_string()))?;
            Ok(RunId(transaction.last_insert_rowid()))
        })
    }

    /// Notes how a run ended, and makes everything it committed durable.
    pub fn end_run(&mut self, run: RunId, now: Timestamp, tally: &Tally, ending: Ending) -> Result<(), StoreError> {
        self.transact(|transaction| {
            save_tally(transaction, run, now, tally)?;
            let update = "UPDATE runs SET ended_at = :now, outcome = :outcome, exit_code = :exit_code WHERE id = :id";
            transaction.execute(
                update,
                named_params! {
                    ":now": now.to_string(),
                    ":outcome": ending.outcome,
                    ":exit_code": ending.exit_code,
                    ":id": run.0,
                },
            )?;
            Ok(())
        })?;
        self.checkpoint()
    }

    /// What the runs so far learnt about the service's pages.
    pub fn load_habits(&self) -> Result<Habits, StoreError> {
        let select =
            "SELECT coalesce(max(longest_page), 0), coalesce(max(count_is_total), 0), coalesce(max(points_on), 0)
              FROM runs";
        Ok(self.connection().query_row(select, [], |row| {
            Ok(Habits {
                longest_page: count_to_u64(row.get(0)?),
                count_is_total: row.get(1)?,
                points_on: row.get(2)?,
                miscounts: false,
            })
        })?)
    }
}

pub(in crate::store) fn save_tally(
    transaction: &Transaction<'_>,
    run: RunId,
    now: Timestamp,
    tally: &Tally,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "UPDATE runs
            SET started_at = coalesce(:started_at, started_at), updated_at = :now, requests = :requests, retries = :retries, throttled = :throttled,
                verify_requests = :verifying,
                records_seen = :seen, records_new = :new, records_changed = :changed, records_late = :late,
                records_rejected = :rejected, functions_unreadable = :functions_unreadable, longest_page = :longest_page,
                count_is_total = :count_is_total, points_on = :points_on
          WHERE id = :id",
        )?
        .execute(named_params! {
            ":now": now.to_string(),
            ":started_at": tally.started_at.map(|started_at| started_at.to_string()),
            ":requests": count_to_i64(tally.requests),
            ":retries": count_to_i64(tally.retries),
            ":throttled": count_to_i64(tally.throttled),
            ":verifying": count_to_i64(tally.verifying),
            ":seen": count_to_i64(tally.seen),
            ":new": count_to_i64(tally.new),
            ":changed": count_to_i64(tally.changed),
            ":late": count_to_i64(tally.late),
            ":rejected": count_to_i64(tally.rejected),
            ":functions_unreadable": count_to_i64(tally.functions_unreadable),
            ":longest_page": count_to_i64(tally.habits.longest_page),
            ":count_is_total": tally.habits.count_is_total,
            ":points_on": tally.habits.points_on,
            ":id": run.0,
        })?;
    Ok(())
}
