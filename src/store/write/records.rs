//! Applying what was seen of records: new ones are inserted, changed ones reconciled, unchanged
//! ones left alone.
//!
//! A row belongs to the function that showed its record first, and only what that function shows
//! changes it. What another function shows under the same id is kept beside it (`shared.rs`).
//! A record that is not there and would be of a time that was pruned is left out: it may have been
//! there, and is counted then.

use super::amendments::save_amendments;
use super::batch::{RunFunction, RunFunctions, SeenPage, SeenRecord};
use super::digest::Sums;
use super::packed::Sorted;
use super::pruned::Pruned;
use super::runs::Tally;
use super::summaries::Summaries;
use super::young::Young;
use super::{open_records, shared};
use crate::domain::{Invocation, RecordTime, RequestId, Status, Timestamp};
use crate::plan::clocks::Moment;
use crate::plan::reconcile::{Change, Merged, reconcile};
use crate::plan::refresh::stays_open;
use crate::store::file::StoreError;
use crate::store::sql::ids::{FunctionId, RunId};
use crate::store::sql::record::{
    self, START, Time, is_same, read_record, with_columns, write_hashed_record,
};
use rusqlite::{CachedStatement, OptionalExtension, Transaction, named_params};

const INSERT: &str = record::insert_into!(
    "invocations",
    (", error_hash", ", ?10"),
    "ON CONFLICT (request_id) DO NOTHING"
);

const SELECT: &str = concat!(
    "SELECT ",
    record::columns!(),
    ", changed_run_id, function_id, first_run_id FROM invocations WHERE request_id = ?1"
);

const UPDATE: &str = record::update!("invocations", ", given_up_at = NULL, error_hash = ?10");

/// What a seen record adds that is not believed: the status did not change, and whether the record
/// is waited for stays as it is. The run is not noted either, since it bounds the next change of
/// status, and this seen record was of an earlier one.
const FILL: &str = "UPDATE invocations SET start_time = ?2, extra = ?3 WHERE request_id = ?1";

/// What was shown of the functions of a run, and its records in the order of their ids.
pub(in crate::store) struct Shown<'b> {
    pub(in crate::store) pages: &'b [SeenPage],
    pub(in crate::store) functions: &'b RunFunctions,
    pub(in crate::store) sorted: &'b Sorted<'b>,
}

impl<'b> Shown<'b> {
    /// Each record with the answer that showed it. An answer that holds several entries of one
    /// record, such as one for each of its statuses, tells how far it has come: none of them is a
    /// step back.
    fn seen_records(&self) -> impl Iterator<Item = Result<SeenRecord<'b>, StoreError>> {
        let of_function = |page: &'b SeenPage| (page, &self.functions[page.function]);
        let pages: Vec<(&SeenPage, &RunFunction)> = self.pages.iter().map(of_function).collect();
        let mut shown = self.sorted.records().peekable();
        std::iter::from_fn(move || {
            let (number, mut record) = match shown.next()? {
                Ok(first) => first,
                Err(error) => return Some(Err(error)),
            };
            while let Some(Ok((_, next))) = shown.next_if(|next| {
                next.as_ref()
                    .is_ok_and(|(other, next)| *other == number && is_stage_of(&record, next))
            }) {
                record = reconcile(&record, &next).stands;
            }
            let (page, function) = pages[number];
            Some(Ok(SeenRecord { record, page, function }))
        })
    }
}

/// Applies what was shown; the records that changed although they were final.
pub(in crate::store) fn save_shown(
    transaction: &Transaction<'_>,
    run: RunId,
    shown: &Shown<'_>,
    tally: &mut Tally,
) -> Result<Vec<RequestId>, StoreError> {
    let mut records = Records::prepare(transaction, run)?;
    let mut revised = Vec::new();
    let mut previous: Option<RequestId> = None;
    for seen_record in shown.seen_records() {
        let seen_record = seen_record?;
        let id = &seen_record.record.request_id;
        let counts = &mut tally.of(seen_record.function.source).counts.records;
        counts.seen += u64::from(previous.as_ref() != Some(id));
        match records.save(&seen_record)? {
            Outcome::New { late } => {
                counts.new += 1;
                counts.late += u64::from(late);
            }
            Outcome::Changed { was_final } => {
                counts.changed += 1;
                revised.extend(was_final.then(|| id.clone()));
            }
            Outcome::Unchanged => {}
        }
        previous = Some(seen_record.record.request_id);
    }
    records.sums.save(transaction)?;
    records.summaries.save(transaction)?;
    Ok(revised)
}

/// Whether two entries of one answer tell of one record at different stages.
fn is_stage_of(record: &Invocation, next: &Invocation) -> bool {
    let starts = (record.start_time.as_ref(), next.start_time.as_ref());
    record.request_id == next.request_id
        && record.status != next.status
        && (starts.0 == starts.1 || starts.0.is_none() || starts.1.is_none())
}

/// What a seen record did to the archive.
enum Outcome {
    New { late: bool },
    Changed { was_final: bool },
    Unchanged,
}

/// What is stored of a record.
enum Stored {
    Nothing,
    Same,
    Differs {
        record: Box<Invocation>,
        runs: Runs,
    },
    /// The row of another function.
    Anothers,
}

/// The runs that first saw a record and changed it last.
#[derive(Clone, Copy)]
struct Runs {
    first: RunId,
    changed: RunId,
}

/// The statements of the hot loop, prepared once a transaction.
struct Records<'t> {
    transaction: &'t Transaction<'t>,
    run: RunId,
    /// Whether the record before was new, as then the next one most likely is.
    expects_new: bool,
    /// What the batch changes the digests and the summaries by.
    sums: Sums,
    summaries: Summaries,
    young: Young<'t>,
    pruned: Pruned<'t>,
    select: CachedStatement<'t>,
    insert: CachedStatement<'t>,
    update: CachedStatement<'t>,
}

impl<'t> Records<'t> {
    fn prepare(transaction: &'t Transaction<'t>, run: RunId) -> Result<Self, StoreError> {
        Ok(Self {
            transaction,
            run,
            expects_new: false,
            sums: Sums::default(),
            summaries: Summaries::default(),
            young: Young::new(transaction),
            pruned: Pruned::prepare(transaction)?,
            select: transaction.prepare_cached(SELECT)?,
            insert: transaction.prepare_cached(INSERT)?,
            update: transaction.prepare_cached(UPDATE)?,
        })
    }

    fn save(&mut self, seen_record: &SeenRecord<'_>) -> Result<Outcome, StoreError> {
        // A new record costs one search of the index instead of two where it is not looked for
        // before it is inserted.
        let is_pruned =
            self.pruned.holds(seen_record.page.function, seen_record.record.started_at())?;
        if self.expects_new && !is_pruned && self.insert(seen_record)? {
            return self.after_insert(seen_record);
        }
        let stored = self.load(seen_record)?;
        self.expects_new = matches!(stored, Stored::Nothing);
        match stored {
            Stored::Nothing if is_pruned => Ok(Outcome::Unchanged),
            Stored::Nothing => {
                self.insert(seen_record)?;
                self.after_insert(seen_record)
            }
            Stored::Same => self.touch_open(seen_record),
            Stored::Differs { record, runs } => self.change(seen_record, &record, runs),
            Stored::Anothers => {
                shared::save_shared(self.transaction, self.run, seen_record)?;
                Ok(Outcome::Unchanged)
            }
        }
    }

    /// Compares with the stored row in place: nearly every record of a repeated walk is the same,
    /// and costs no allocation.
    fn load(
        &mut self,
        SeenRecord { record: seen, page, .. }: &SeenRecord<'_>,
    ) -> Result<Stored, StoreError> {
        let mut rows = self.select.query([seen.request_id.as_str()])?;
        let Some(row) = rows.next()? else { return Ok(Stored::Nothing) };
        if row.get::<_, FunctionId>(7)? != page.function {
            return Ok(Stored::Anothers);
        }
        if is_same(row, seen)? {
            return Ok(Stored::Same);
        }
        let record = Box::new(read_record(row, &seen.request_id)?);
        let runs = Runs { first: row.get(8)?, changed: row.get(6)? };
        Ok(Stored::Differs { record, runs })
    }

    /// Inserts a record unless there is one of its id; whether it did.
    fn insert(&mut self, seen_record: &SeenRecord<'_>) -> Result<bool, StoreError> {
        let inserted = write_hashed_record(
            &mut self.insert,
            seen_record.page.function,
            &seen_record.record,
            self.run,
        )?;
        Ok(inserted > 0)
    }

    /// What else has to be known of a record that was just inserted.
    fn after_insert(&mut self, seen_record: &SeenRecord<'_>) -> Result<Outcome, StoreError> {
        self.count(seen_record.page.function, &seen_record.record, self.run)?;
        if is_open(seen_record) {
            self.keep_open(seen_record)?;
        }
        Ok(Outcome::New { late: self.note_lateness(seen_record)? })
    }

    /// Adds a record to the digests and the summaries.
    fn count(
        &mut self,
        function: FunctionId,
        record: &Invocation,
        first_run: RunId,
    ) -> Result<(), StoreError> {
        with_columns(record, |columns| {
            self.sums.add(function, columns);
            let is_young = self.young.holds(first_run, columns[START])?;
            self.summaries.add(function, columns, is_young)
        })?;
        if self.summaries.is_full() {
            std::mem::take(&mut self.summaries).save(self.transaction)?;
        }
        Ok(())
    }

    /// Takes a record away from them, as it no longer stands.
    fn discount(
        &mut self,
        function: FunctionId,
        record: &Invocation,
        first_run: RunId,
    ) -> Result<(), StoreError> {
        with_columns(record, |columns| {
            self.sums.remove(function, columns);
            let is_young = self.young.holds(first_run, columns[START])?;
            self.summaries.remove(function, columns, is_young)
        })
    }

    /// Nothing new was seen. That a record which may still change was seen once more is kept: it
    /// bounds its next change.
    fn touch_open(&mut self, seen_record: &SeenRecord<'_>) -> Result<Outcome, StoreError> {
        let record = &seen_record.record;
        if is_open(seen_record) {
            self.keep_open(seen_record)?;
        } else if record.status == Status::Fail {
            open_records::close(self.transaction, &record.request_id)?;
        }
        Ok(Outcome::Unchanged)
    }

    fn change(
        &mut self,
        seen_record: &SeenRecord<'_>,
        stored: &Invocation,
        runs: Runs,
    ) -> Result<Outcome, StoreError> {
        let merged = reconcile(stored, &seen_record.record);
        let change = merged.change;
        let is_known = change == Change::Regressed && self.is_known_anomaly(seen_record, stored)?;
        if change.moves_status() && !is_known {
            self.append_history(seen_record, stored, runs.changed, change.is_accepted())?;
        }
        save_amendments(self.transaction, self.run, seen_record, &merged.noted)?;
        let was_watched =
            open_records::load_seen_at(self.transaction, &stored.request_id)?.is_some();
        self.watch(seen_record, &merged, was_watched)?;
        if merged.stands == *stored {
            return Ok(Outcome::Unchanged);
        }
        let function = seen_record.page.function;
        if change == Change::Regressed {
            self.fill(&merged.stands)?;
        } else {
            write_hashed_record(&mut self.update, function, &merged.stands, self.run)?;
        }
        self.discount(function, stored, runs.first)?;
        self.count(function, &merged.stands, runs.first)?;
        Ok(Outcome::Changed { was_final: stored.status.is_final() && !was_watched })
    }

    /// Keeps the record among the open ones, or takes it out, by what stands now; a step back is
    /// believed as far as to ask on. A seen record without a status tells nothing of either.
    fn watch(
        &self,
        seen_record: &SeenRecord<'_>,
        merged: &Merged,
        was_watched: bool,
    ) -> Result<(), StoreError> {
        if seen_record.record.status.as_str().is_empty() && merged.change == Change::Regressed {
            return Ok(());
        }
        let seen_at = seen_record.page.seen_at;
        if is_open_at(&merged.stands, seen_at)
            || (merged.change == Change::Regressed && is_open(seen_record))
        {
            self.keep_open(seen_record)
        } else if was_watched {
            open_records::close(self.transaction, &seen_record.record.request_id)
        } else {
            Ok(())
        }
    }

    fn fill(&self, stands: &Invocation) -> Result<(), StoreError> {
        self.transaction.prepare_cached(FILL)?.execute((
            stands.request_id.as_str(),
            Time::of(stands.start_time.as_ref()),
            stands.extra.as_deref(),
        ))?;
        Ok(())
    }

    fn keep_open(&self, seen_record: &SeenRecord<'_>) -> Result<(), StoreError> {
        let SeenRecord { record, page: SeenPage { function, seen_at, .. }, .. } = seen_record;
        let opened_at = record.started_at().unwrap_or(seen_at.later());
        open_records::save_open(
            self.transaction,
            &record.request_id,
            *function,
            opened_at,
            seen_at.earlier(),
        )
    }

    /// A record that an earlier proven walk of its time should have shown came late.
    fn note_lateness(&self, seen_record: &SeenRecord<'_>) -> Result<bool, StoreError> {
        let Some((missed_at, start)) =
            seen_record.walked_before().zip(seen_record.record.started_at())
        else {
            return Ok(false);
        };
        self.transaction
            .prepare_cached(
                "INSERT INTO late_records (request_id, function_id, start_time, missed_at, seen_at,
                     run_id)
             VALUES (:request_id, :function_id, :start_time, :missed_at, :seen_at, :run_id)",
            )?
            .execute(named_params! {
                ":request_id": seen_record.record.request_id.as_str(),
                ":function_id": seen_record.page.function,
                ":start_time": start,
                ":missed_at": missed_at,
                ":seen_at": seen_record.page.seen_at.earlier(),
                ":run_id": self.run,
            })?;
        Ok(true)
    }

    /// Whether the same step back was noted last, or this is merely an older answer that arrived
    /// after a newer one.
    fn is_known_anomaly(
        &self,
        seen_record: &SeenRecord<'_>,
        stored: &Invocation,
    ) -> Result<bool, StoreError> {
        let mut select = self.transaction.prepare_cached(
            "SELECT accepted = 0 AND from_status = ?2 AND to_status = ?3 OR by_time > ?4
                 AND run_id = ?5
               FROM status_changes WHERE request_id = ?1 ORDER BY id DESC LIMIT 1",
        )?;
        let parameters = (
            &stored.request_id,
            stored.status.as_str(),
            seen_record.record.status.as_str(),
            seen_record.page.seen_at.later(),
            self.run,
        );
        Ok(select.query_row(parameters, |row| row.get(0)).optional()?.unwrap_or(false))
    }

    /// Appends what polling can know of a change: it came after the last moment at which the old
    /// status was seen.
    fn append_history(
        &self,
        seen_record: &SeenRecord<'_>,
        stored: &Invocation,
        changed_run: RunId,
        accepted: bool,
    ) -> Result<(), StoreError> {
        let by_time = seen_record.page.seen_at.later();
        let began: Option<Timestamp> = self
            .transaction
            .prepare_cached("SELECT started_at FROM runs WHERE id = ?1")?
            .query_row([changed_run], |row| row.get(0))
            .optional()?;
        let bounds = [began, open_records::load_seen_at(self.transaction, &stored.request_id)?];
        // A record without a status may have had the new one all along.
        let is_told = !stored.status.as_str().is_empty();
        // What came after this seen record bounds nothing: a clock was ahead then.
        let bounds = bounds.into_iter().flatten().filter(|bound| is_told && *bound <= by_time);
        let after_time = bounds.max().unwrap_or(Timestamp::MIN);
        self.transaction
            .prepare_cached(
                "INSERT INTO status_changes (request_id, from_status, to_status, after_time,
                     by_time, accepted, run_id)
             VALUES (:request_id, :from_status, :to_status, :after_time, :by_time, :accepted,
                 :run_id)",
            )?
            .execute(named_params! {
                ":request_id": stored.request_id.as_str(),
                ":from_status": stored.status.as_str(),
                ":to_status": seen_record.record.status.as_str(),
                ":after_time": after_time,
                ":by_time": by_time,
                ":accepted": accepted,
                ":run_id": self.run,
            })?;
        Ok(())
    }
}

fn is_open(seen_record: &SeenRecord<'_>) -> bool {
    is_open_at(&seen_record.record, seen_record.page.seen_at)
}

fn is_open_at(record: &Invocation, seen_at: Moment) -> bool {
    let seen_at = seen_at.earlier();
    let ended_at = record.end_time.as_ref().and_then(RecordTime::moment);
    stays_open(&record.status, ended_at, record.started_at().unwrap_or(seen_at), seen_at)
}

#[cfg(test)]
mod tests;
