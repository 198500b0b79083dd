//! The runs, their sources, and what each did.

use crate::domain::{
    Counts, PageCounts, RecordCounts, RequestCounts, Timestamp, count_to_i64, count_to_u64,
};
use crate::plan::paging::Habits;
use crate::store::file::{Archive, StoreError};
use crate::store::sql::ids::{RunId, SourceId};
use rusqlite::{ToSql, Transaction, named_params};
use std::collections::BTreeMap;
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

/// A run that began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BegunRun {
    /// Its row.
    pub id: RunId,
    /// The rows of its sources, in the order in which they were named.
    pub sources: Vec<SourceId>,
}

/// What a run did so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// When it began by the earlier of the clocks, as far as answers have told the service's.
    pub started_at: Option<Timestamp>,
    /// What each of its sources did.
    pub sources: BTreeMap<SourceId, SourceTally>,
}

/// What a source of a run did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceTally {
    /// In numbers.
    pub counts: Counts,
    /// What was learnt about the service's pages, by this run and those before.
    pub habits: Habits,
}

impl Tally {
    /// What all sources did.
    pub fn total(&self) -> Counts {
        self.sources.values().map(|source| source.counts).sum()
    }

    /// What one source did.
    pub fn of(&mut self, source: SourceId) -> &mut SourceTally {
        self.sources.entry(source).or_default()
    }
}

/// How a run or a source of it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// In a word: `complete`, `incomplete`, `denied`, `found` or `interrupted`.
    pub outcome: &'static str,
    /// The exit code of the process, or the one it would have had with this source alone.
    pub exit_code: u8,
}

/// How a run ended, and each of its sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endings {
    /// Of the run as a whole.
    pub run: Ending,
    /// Of each source.
    pub sources: Vec<(SourceId, Ending)>,
}

impl Archive {
    /// Notes that a run of a command began, with the names of its sources.
    pub fn begin_run(
        &mut self,
        command: &str,
        now: Timestamp,
        sources: &[&str],
    ) -> Result<BegunRun, StoreError> {
        self.transact(|transaction| {
            let insert = "INSERT INTO runs (command, started_at, updated_at) VALUES (?1, ?2, ?2)";
            transaction.execute(insert, (command, now))?;
            let id = RunId(transaction.last_insert_rowid());
            let insert = "INSERT INTO run_sources (run_id, name) VALUES (?1, ?2)";
            let add = |name: &&str| {
                transaction.execute(insert, (id, name))?;
                Ok(SourceId(transaction.last_insert_rowid()))
            };
            let sources = sources.iter().map(add).collect::<Result<_, StoreError>>()?;
            Ok(BegunRun { id, sources })
        })
    }

    /// Notes how a run and its sources ended, and makes everything it committed durable.
    pub fn end_run(
        &mut self,
        run: RunId,
        now: Timestamp,
        tally: &Tally,
        endings: &Endings,
    ) -> Result<(), StoreError> {
        let Endings { run: ending, sources } = endings;
        self.transact(|transaction| {
            save_tally(transaction, run, now, tally)?;
            let end_run =
                "UPDATE runs SET ended_at = ?1, outcome = ?2, exit_code = ?3 WHERE id = ?4";
            transaction.execute(end_run, (now, ending.outcome, ending.exit_code, run))?;
            let end_source = "UPDATE run_sources SET outcome = ?1, exit_code = ?2 WHERE id = ?3";
            for (source, ending) in sources {
                transaction.execute(end_source, (ending.outcome, ending.exit_code, source))?;
            }
            Ok(())
        })?;
        self.checkpoint()
    }

    /// What the runs so far learnt about the pages of a source of this name.
    pub fn load_habits(&self, source: &str) -> Result<Habits, StoreError> {
        let select = "SELECT coalesce(max(longest_page), 0), coalesce(max(count_is_total), 0),
                 coalesce(max(points_on), 0)
              FROM run_sources WHERE name = ?1";
        Ok(self.connection().query_row(select, [source], |row| {
            Ok(Habits {
                longest_page: count_to_u64(row.get(0)?),
                count_is_total: row.get(1)?,
                points_on: row.get(2)?,
                strays: false,
                miscounts: false,
            })
        })?)
    }
}

/// The columns in which `runs` and `run_sources` keep the same counts.
const SET_COUNTS: &str =
    "requests = :requests, retries = :retries, throttled = :throttled, verify_requests = :verifying,
    records_seen = :seen, records_new = :new, records_changed = :changed, records_late = :late,
    records_rejected = :rejected, functions_unreadable = :functions_unreadable";

/// Brings the rows of a run and its sources up to date.
pub(in crate::store) fn save_tally(
    transaction: &Transaction<'_>,
    run: RunId,
    now: Timestamp,
    tally: &Tally,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "UPDATE runs
                SET started_at = coalesce(:started_at, started_at), updated_at = :now,
                    young_after = coalesce(young_after,
                        strftime('%Y-%m-%dT%H:%M:%SZ', coalesce(:started_at, started_at), '-1 day'))
              WHERE id = :id",
        )?
        .execute(named_params! {
            ":now": now,
            ":started_at": tally.started_at,
            ":id": run,
        })?;
    save_counts(transaction, "runs", run, tally.total())?;
    for (source, SourceTally { counts, habits }) in &tally.sources {
        save_counts(transaction, "run_sources", source, *counts)?;
        save_habits(transaction, *source, *habits)?;
    }
    Ok(())
}

fn save_habits(
    transaction: &Transaction<'_>,
    source: SourceId,
    habits: Habits,
) -> Result<(), StoreError> {
    let update = "UPDATE run_sources SET longest_page = ?1, count_is_total = ?2, points_on = ?3
                      WHERE id = ?4";
    let longest_page = count_to_i64(habits.longest_page);
    transaction.prepare_cached(update)?.execute((
        longest_page,
        habits.count_is_total,
        habits.points_on,
        source,
    ))?;
    Ok(())
}

fn save_counts(
    transaction: &Transaction<'_>,
    table: &str,
    id: impl ToSql,
    counts: Counts,
) -> Result<(), StoreError> {
    let Counts { requests, pages, records, functions_unreadable } = counts;
    let RequestCounts { sent, retries, throttled } = requests;
    let PageCounts { verifying, .. } = pages;
    let RecordCounts { seen, new, changed, late, rejected } = records;
    transaction
        .prepare_cached(&format!("UPDATE {table} SET {SET_COUNTS} WHERE id = :id"))?
        .execute(named_params! {
            ":requests": count_to_i64(sent),
            ":retries": count_to_i64(retries),
            ":throttled": count_to_i64(throttled),
            ":verifying": count_to_i64(verifying),
            ":seen": count_to_i64(seen),
            ":new": count_to_i64(new),
            ":changed": count_to_i64(changed),
            ":late": count_to_i64(late),
            ":rejected": count_to_i64(rejected),
            ":functions_unreadable": count_to_i64(functions_unreadable),
            ":id": id,
        })?;
    Ok(())
}
