//! Removing the records of old days, a bounded transaction at a time.
//!
//! What is summed up of a day stays, in the digests, the summaries and the ledger. What is removed
//! is added to `pruned_days` in the transaction that removes it, so that a kill at any moment
//! leaves an archive that keeps its rules, and the next `prune` goes on.

use crate::domain::{Interval, RequestId, Timestamp, count_to_i64, count_to_u64};
use crate::plan::reach::ReachProbe;
use crate::plan::retention::{Day, Kept, Known, cutoff, judge};
use crate::store::file::{Archive, Reader, StoreError};
use crate::store::reports::Arguments;
use crate::store::sql::ids::FunctionId;
use crate::store::sql::read_range;
use crate::store::sql::record::{self, Columns, END, START, StoredRecord, read_stored};
use crate::store::write::digest::Sums;
use crate::store::write::pruned::{self, PrunedDay, Removed};
use crate::store::write::summary_sums::SummarySums;
use crate::store::write::young::Young;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Transaction};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

/// The most records that a transaction removes: each touches a page of the index of ids, so that
/// this many change up to 80 MB of pages.
const MOST_A_TRANSACTION: usize = 10_000;

/// What is to be pruned.
#[derive(Clone, Debug)]
pub struct Retention {
    /// How old a day must be when it has ended.
    pub keep: Duration,
    /// The present, and of which functions.
    pub arguments: Arguments,
}

/// What is pruned of which function, and what is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrunePlan {
    /// A day must have ended by this moment.
    pub cutoff: Timestamp,
    /// The functions that have something to prune, or old days that are kept.
    pub functions: Vec<FunctionPrune>,
}

/// What is pruned of a function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionPrune {
    id: i64,
    /// Its name, `package:name`.
    pub name: String,
    /// Days of which records are removed, and how many records.
    pub days: BTreeMap<String, (Interval, u64)>,
    /// Old days that are kept, and why.
    pub kept: BTreeMap<Kept, u64>,
}

impl PrunePlan {
    /// How many records are removed.
    pub fn records(&self) -> u64 {
        self.functions.iter().map(FunctionPrune::records).sum()
    }

    /// The work in the order of time: the functions of which a range is removed.
    fn work(&self) -> BTreeMap<Interval, Vec<i64>> {
        let mut work: BTreeMap<Interval, Vec<i64>> = BTreeMap::new();
        for function in &self.functions {
            for (range, _) in function.days.values() {
                work.entry(*range).or_default().push(function.id);
            }
        }
        work
    }
}

impl FunctionPrune {
    /// How many records are removed.
    pub fn records(&self) -> u64 {
        self.days.values().map(|(_, records)| records).sum()
    }
}

impl Reader {
    /// What `prune` would remove.
    pub fn plan_prune(&mut self, retention: &Retention) -> Result<PrunePlan, StoreError> {
        let transaction = self.connection.savepoint()?;
        plan(&transaction, retention)
    }
}

impl Archive {
    /// Removes the records of old days. `watch` is told how many are removed so far.
    pub fn prune(
        &mut self,
        retention: &Retention,
        plan: &PrunePlan,
        watch: &mut dyn FnMut(u64),
    ) -> Result<u64, StoreError> {
        let mut removed = 0;
        let mut work: Vec<Work> = plan.work().into_iter().map(Work::of).collect();
        work.reverse();
        while !work.is_empty() {
            removed += self.transact(|transaction| {
                let mut room = MOST_A_TRANSACTION;
                while let Some(next) = work.last() {
                    let taken = next.remove(transaction, retention.arguments.now, room)?;
                    if taken == room {
                        return Ok(MOST_A_TRANSACTION as u64);
                    }
                    room -= taken;
                    work.pop();
                }
                Ok((MOST_A_TRANSACTION - room) as u64)
            })?;
            watch(removed);
        }
        self.checkpoint()?;
        Ok(removed)
    }

    /// What [`Archive::prune`] removes.
    pub fn plan_prune(&self, retention: &Retention) -> Result<PrunePlan, StoreError> {
        plan(self.connection(), retention)
    }
}

/// A range of a day, and the functions of which it is removed, as a JSON array.
struct Work {
    range: Interval,
    functions: String,
}

/// Only a start that is a time, written as we write it, belongs to a day; so none is left that
/// would be found again and again.
const CHOSEN: &str = concat!(
    "SELECT ",
    record::stored!(),
    ", rowid FROM invocations
      WHERE start_time >= ?1 AND start_time < ?2 AND length(start_time) = 20
        AND strftime('%Y-%m-%dT%H:%M:%SZ', start_time) = start_time
        AND function_id IN (SELECT value FROM json_each(?3))
      LIMIT ?4"
);

/// What is removed with a record.
const HISTORY: [&str; 3] = [
    "DELETE FROM status_changes WHERE request_id = ?1",
    "DELETE FROM amendments WHERE request_id = ?1",
    "DELETE FROM late_records WHERE request_id = ?1",
];

impl Work {
    fn of((range, functions): (Interval, Vec<i64>)) -> Self {
        let functions: Vec<String> = functions.iter().map(ToString::to_string).collect();
        Self { range, functions: format!("[{}]", functions.join(",")) }
    }

    /// Removes at most so many records; how many it were.
    fn remove(
        &self,
        transaction: &Transaction<'_>,
        now: Timestamp,
        most: usize,
    ) -> Result<usize, StoreError> {
        let (mut sums, mut summaries) = (Sums::default(), SummarySums::default());
        let (mut young, mut records) = (Young::new(transaction), Vec::new());
        let mut lasts: HashMap<FunctionId, Option<ReachProbe>> = HashMap::new();
        {
            let mut select = transaction.prepare_cached(CHOSEN)?;
            let (begin, end) = (self.range.begin(), self.range.end());
            let mut rows =
                select.query((begin, end, &self.functions, count_to_i64(most as u64)))?;
            while let Some(row) = rows.next()? {
                let StoredRecord { function, columns, first_run, .. } = read_stored(row)?;
                let last = lasts.entry(function).or_default();
                *last = pruned::later(last.take(), probe(row.get(0)?, &columns));
                sums.add(function, &columns);
                let is_young = young.holds(first_run, columns[START])?;
                summaries.add(function, &columns, is_young)?;
                records.push((row.get::<_, String>(0)?, row.get::<_, i64>(10)?, function));
            }
        }
        // In the order of the index that is written all over.
        records.sort_unstable();
        let history = remove_rows(transaction, &records)?;
        let day = self.range.begin().to_string()[..10].to_owned();
        for (function, [status_changes, amendments]) in history {
            let removed = Removed {
                sum: sums.of(function, &day),
                summaries: summaries.of(function, &day),
                status_changes,
                amendments,
            };
            let day = PrunedDay {
                function,
                day: day.clone(),
                range: self.range,
                pruned_at: now,
                removed,
                last: lasts.remove(&function).flatten(),
            };
            pruned::add(transaction, &day)?;
        }
        Ok(records.len())
    }
}

/// A record as one by which to ask how far back the service reaches, if it was over within an hour.
fn probe(request_id: RequestId, columns: &Columns<'_>) -> Option<ReachProbe> {
    let time = |column: ValueRef<'_>| column.as_str().ok()?.parse::<Timestamp>().ok();
    let (started_at, ended_at) = (time(columns[START])?, time(columns[END])?);
    let is_short = (0..3_600).contains(&ended_at.seconds_since(started_at));
    is_short.then_some(ReachProbe { request_id, started_at, ended_at })
}

/// Removes records with their history; how many rows of it were removed, by function.
fn remove_rows(
    transaction: &Transaction<'_>,
    records: &[(String, i64, FunctionId)],
) -> Result<HashMap<FunctionId, [u64; 2]>, StoreError> {
    let mut delete = transaction.prepare_cached("DELETE FROM invocations WHERE rowid = ?1")?;
    let mut history: HashMap<FunctionId, [u64; 2]> = HashMap::new();
    for (id, rowid, function) in records {
        let counts = history.entry(*function).or_default();
        for (at, delete) in HISTORY.iter().enumerate() {
            let rows = transaction.prepare_cached(delete)?.execute([id])?;
            if let Some(count) = counts.get_mut(at) {
                *count += rows as u64;
            }
        }
        delete.execute([rowid])?;
    }
    Ok(history)
}

/// Every function's day that has records, with how many are left of it and whether something was
/// removed of it before.
const DAYS: &str = "
SELECT d.function_id, d.day, d.records - coalesce(p.records, 0) AS records, p.day IS NOT NULL,
       f.full_name
  FROM digests d
  JOIN functions f ON f.id = d.function_id
  LEFT JOIN pruned_days p ON p.function_id = d.function_id AND p.day = d.day
 WHERE d.day <> '' AND d.day < substr(?1, 1, 10) AND d.records > coalesce(p.records, 0)
   AND (?2 IS NULL OR d.function_id IN (SELECT value FROM json_each(?2)))
 ORDER BY f.full_name, d.function_id, d.day";

fn plan(connection: &Connection, retention: &Retention) -> Result<PrunePlan, StoreError> {
    let Retention { keep, arguments } = retention;
    let chosen = arguments.load_functions(connection)?;
    let last_run = connection
        .query_row("SELECT max(updated_at) FROM runs", [], |row| row.get(0))
        .optional()?
        .flatten();
    let cutoff = cutoff(arguments.now, last_run, *keep);
    let open = load_days(connection, "open_records")?;
    let shared = load_days(connection, "shared_records")?;
    let mut functions: Vec<FunctionPrune> = Vec::new();
    let mut known = Known::default();
    let mut select = connection.prepare(DAYS)?;
    let mut rows = select.query((cutoff, chosen))?;
    while let Some(row) = rows.next()? {
        let id: FunctionId = row.get(0)?;
        if functions.last().is_none_or(|last| last.id != id.0) {
            known = load_known(connection, id)?;
            functions.push(FunctionPrune {
                id: id.0,
                name: row.get(4)?,
                ..FunctionPrune::default()
            });
        }
        let Some(function) = functions.last_mut() else { continue };
        let day: String = row.get(1)?;
        let Some(whole) = whole_day(&day) else { continue };
        let key = (id, day);
        let judged =
            Day { whole, has_open: open.contains(&key), has_shared: shared.contains(&key) };
        match judge(&known, judged, cutoff) {
            Err(Kept::Young) => {}
            Err(why) => *function.kept.entry(why).or_default() += 1,
            Ok(range) => {
                let records = if range == whole && !row.get::<_, bool>(3)? {
                    count_to_u64(row.get(2)?)
                } else {
                    count(connection, id, range)?
                };
                if records > 0 {
                    function.days.insert(key.1, (range, records));
                }
            }
        }
    }
    functions.retain(|function| !function.days.is_empty() || !function.kept.is_empty());
    Ok(PrunePlan { cutoff, functions })
}

fn whole_day(day: &str) -> Option<Interval> {
    let begin: Timestamp = format!("{day}T00:00:00Z").parse().ok()?;
    Interval::new(begin, begin + Duration::from_hours(24))
}

fn load_days(
    connection: &Connection,
    table: &str,
) -> Result<HashSet<(FunctionId, String)>, StoreError> {
    let mut select = connection.prepare(&format!(
        "SELECT i.function_id, substr(i.start_time, 1, 10)
           FROM {table} o JOIN invocations i ON i.request_id = o.request_id
          WHERE i.start_time IS NOT NULL"
    ))?;
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many records are left of a range, which is a part of a day, or was pruned before.
fn count(
    connection: &Connection,
    function: FunctionId,
    range: Interval,
) -> Result<u64, StoreError> {
    let count = "SELECT count(*) FROM invocations
                  WHERE function_id = ?1 AND start_time >= ?2 AND start_time < ?3";
    let mut count = connection.prepare_cached(count)?;
    let records = count.query_row((function, range.begin(), range.end()), |row| row.get(0))?;
    Ok(count_to_u64(records))
}

fn load_known(connection: &Connection, function: FunctionId) -> Result<Known, StoreError> {
    let range = |row: &rusqlite::Row<'_>| read_range(row, 0);
    let mut finished = connection.prepare_cached(
        "SELECT begin_time, end_time FROM windows
          WHERE function_id = ?1 AND state IN ('settled', 'lost')",
    )?;
    let finished = finished.query_map([function], range)?.collect::<Result<_, _>>()?;
    let mut doubted = connection.prepare_cached(
        "SELECT doubted_begin, doubted_end FROM functions
          WHERE id = ?1 AND doubted_begin IS NOT NULL AND doubted_end IS NOT NULL",
    )?;
    let doubted = doubted.query_row([function], range).optional()?;
    let mut horizon =
        connection.prepare_cached("SELECT horizon_begin FROM functions WHERE id = ?1")?;
    let horizon_begin = horizon.query_row([function], |row| row.get(0))?;
    Ok(Known { horizon_begin, finished, doubted })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ledger::{Entry, State};
    use crate::plan::paging::Proof;
    use crate::store::testing::{Kept as Archived, at};
    use crate::store::write::Batch;
    use pretty_assertions::assert_eq;

    const DAY: i64 = 86_400;

    /// Records on the first three days of an archive, whose ledger is settled until the end of the
    /// second; the last run is on the tenth.
    fn archived() -> Archived {
        let mut kept = Archived::new();
        for record in [
            "a SUCCESS - - 100 110 -",
            "b FAIL 4 boom 200 230 -",
            "c RUNNING - - 300 - -",
            "d SUCCESS - - 86500 86510 -",
            "e SUCCESS - - 180000 180001 -",
            "x SUCCESS - - - - -",
        ] {
            kept.show(0, 190_000, record);
        }
        kept.show(1, 190_000, "g SUCCESS - - 150 160 -");
        kept.next_run(195_000);
        kept.show(0, 195_000, "c SUCCESS - - 300 310 -");
        kept.show(0, 195_000, "b FAIL 4 bang 200 230 -");
        let walk = |begin: i64, end: i64, distinct| Entry {
            window: Interval::new(at(begin), at(end)).unwrap(),
            state: State::Settled(Proof::Both),
            reported: Some(distinct),
            distinct,
            pages: 1,
            walked_at: at(195_000),
            reason: None,
        };
        let walks =
            vec![(kept.functions[0], walk(0, 2 * DAY, 4)), (kept.functions[1], walk(0, DAY, 1))];
        kept.commit(195_000, &Batch { walks, ..Batch::default() });
        let horizons =
            kept.functions.map(|function| (function, Interval::new(at(0), at(195_000)).unwrap()));
        kept.archive.save_horizons(&horizons, at(195_000)).unwrap();
        kept.next_run(10 * DAY);
        kept
    }

    fn retention(days: u64, function: &str) -> Retention {
        let mut arguments = Arguments::at(at(400 * DAY));
        arguments.functions =
            Some(function.to_owned()).into_iter().filter(|f| !f.is_empty()).collect();
        Retention { keep: Duration::from_hours(24 * days), arguments }
    }

    fn prune(kept: &mut Archived, retention: &Retention) -> (u64, PrunePlan) {
        let plan = kept.archive.plan_prune(retention).unwrap();
        let removed = kept.archive.prune(retention, &plan, &mut |_| {}).unwrap();
        (removed, plan)
    }

    fn ids(kept: &Archived) -> Vec<String> {
        kept.ask("SELECT request_id FROM invocations ORDER BY 1")
    }

    #[test]
    fn settled_days_that_are_old_enough_go_and_their_sums_stay() {
        let mut kept = archived();
        kept.assert_sound();
        let summaries = "SELECT hour, status, records FROM hourly_counts ORDER BY 1, 2";
        let before = (kept.ask(summaries), kept.digests());
        // The last run was on the tenth day, whatever the clock says.
        let (removed, plan) = prune(&mut kept, &retention(9, ""));
        assert_eq!((removed, plan.records()), (4, 4), "the first day of both");
        kept.assert_sound();
        assert_eq!(ids(&kept), ["d", "e", "x"]);
        let (removed, plan) = prune(&mut kept, &retention(1, ""));
        assert_eq!((removed, plan.records()), (1, 1));
        assert_eq!(plan.functions[0].kept, [(Kept::NotSettled, 1)].into(), "the third day");
        assert_eq!(ids(&kept), ["e", "x"]);
        kept.assert_sound();
        assert_eq!((kept.ask(summaries), kept.digests()), before);
        for table in ["status_changes", "amendments", "late_records"] {
            let left = kept.ask(&format!("SELECT request_id FROM {table}"));
            assert_eq!(left, [""; 0], "{table}");
        }
        let (removed, _) = prune(&mut kept, &retention(1, ""));
        assert_eq!(removed, 0, "a second time changes nothing");
        let answers = "SELECT begin_time, end_time, state, answer FROM coverage
                        WHERE function_id = 1 ORDER BY begin_time";
        assert_eq!(kept.ask(answers)[0], format!("0 {} settled pruned", 2 * DAY));
    }

    /// Nothing more comes of what is lost, and that it is lost stays told.
    #[test]
    fn a_day_that_was_lost_in_part_goes_and_the_loss_stays() {
        let mut kept = archived();
        kept.archive
            .transact(|transaction| {
                Ok(transaction.execute_batch(
                    "INSERT INTO windows SELECT function_id, '2026-03-03T00:00:00Z',
                         '2026-03-03T05:00:00Z', 'lost', NULL, NULL, 0, 0, walked_at, NULL
                       FROM windows WHERE function_id = 1;
                     INSERT INTO windows SELECT function_id, '2026-03-03T05:00:00Z',
                         '2026-03-04T00:00:00Z', 'settled', 'both', 0, 0, 1, walked_at, NULL
                       FROM windows WHERE function_id = 1 AND state = 'settled'",
                )?)
            })
            .unwrap();
        assert_eq!(prune(&mut kept, &retention(1, "default:f")).0, 5);
        assert_eq!(ids(&kept), ["g", "x"]);
        let answers = kept
            .ask("SELECT begin_time, state, answer FROM coverage WHERE function_id = 1 ORDER BY 1");
        let expected = ["0 settled pruned", "172800 lost lost", "190800 settled pruned"];
        assert_eq!(answers[..3], expected);
        kept.assert_sound();
    }

    /// Else an empty time after it could not be believed, and would be called lost.
    #[test]
    fn a_pruned_record_still_tells_how_far_the_service_reaches() {
        let mut kept = archived();
        let probe = |kept: &Archived, by| {
            let probe = kept.archive.load_reach_probe(kept.functions[0], at(by)).unwrap();
            probe.map(|probe| format!("{} {}", probe.request_id, probe.ended_at))
        };
        let moments = [DAY, 2 * DAY, 3 * DAY];
        let before = moments.map(|by| probe(&kept, by));
        prune(&mut kept, &retention(1, ""));
        assert_eq!(moments.map(|by| probe(&kept, by)), before);
        assert!(before.iter().all(Option::is_some), "{before:?}");
        // The last of a day is that of the whole day, in however many steps it is pruned.
        kept.show(0, 10 * DAY, "x SUCCESS - - 170 180 -");
        prune(&mut kept, &retention(1, ""));
        assert_eq!(moments.map(|by| probe(&kept, by)), before);
    }

    #[test]
    fn only_the_functions_that_are_meant_are_pruned() {
        let mut kept = archived();
        assert_eq!(prune(&mut kept, &retention(1, "default:g")).0, 1);
        assert_eq!(ids(&kept), ["a", "b", "c", "d", "e", "x"]);
        kept.assert_sound();
        let unknown = kept.archive.plan_prune(&retention(1, "default:h"));
        assert!(matches!(unknown, Err(StoreError::BadArgument { .. })));
    }

    #[test]
    fn what_is_shown_of_a_pruned_day_later_is_left_out() {
        let mut kept = archived();
        prune(&mut kept, &retention(9, ""));
        let before = kept.ask("SELECT hour, function_id, status, records FROM hourly_counts");
        kept.show(0, 10 * DAY, "a SUCCESS - - 100 110 -");
        kept.show(0, 10 * DAY, "late WAIT - - 150 - -");
        kept.show(1, 10 * DAY, "g FAIL - - 150 160 -");
        assert_eq!(ids(&kept), ["d", "e", "x"]);
        assert_eq!((kept.counts().seen, kept.counts().new), (3, 0));
        let after = kept.ask("SELECT hour, function_id, status, records FROM hourly_counts");
        assert_eq!(after, before);
        kept.assert_sound();
        // What is archived without a start may turn out to be of that time: it stays.
        kept.show(0, 10 * DAY, "x SUCCESS - - 170 180 -");
        kept.assert_sound();
        assert_eq!(ids(&kept), ["d", "e", "x"]);
        assert_eq!(prune(&mut kept, &retention(9, "")).0, 1);
        assert_eq!(ids(&kept), ["d", "e"]);
        kept.assert_sound();
        kept.archive.accept_records().unwrap();
        kept.assert_sound();
    }

    /// Nobody can sum up again what is gone: it stands as it is, and what somebody wrote there is
    /// taken for right when that is asked for.
    #[test]
    fn accepting_what_is_there_leaves_the_sums_of_pruned_days() {
        let mut kept = archived();
        prune(&mut kept, &retention(1, ""));
        let sums = |kept: &Archived| {
            ["hourly_counts", "three_hour_durations", "pruned_days", "digests"]
                .map(|table| kept.ask(&format!("SELECT * FROM {table} ORDER BY 1, 2, 3")))
        };
        let before = sums(&kept);
        kept.archive.accept_records().unwrap();
        assert_eq!(sums(&kept), before);
        for change in [
            "UPDATE hourly_counts SET records = records + 1 WHERE status = 'FAIL'",
            "UPDATE hourly_counts SET value_bytes = 7 WHERE status = 'FAIL'",
            "DELETE FROM three_hour_durations WHERE status = 'FAIL'",
        ] {
            kept.archive.transact(|it| Ok(it.execute_batch(change)?)).unwrap();
            assert_ne!(kept.reader().check().unwrap(), [], "{change}");
            kept.archive.accept_records().unwrap();
            kept.assert_sound();
        }
    }

    #[test]
    fn a_day_with_a_record_that_may_change_or_is_shared_is_kept() {
        let mut kept = archived();
        kept.show(0, 10 * DAY, "c RUNNING - - 300 - -");
        kept.show(1, 10 * DAY, "d SUCCESS - - 86500 86510 -");
        let (removed, plan) = prune(&mut kept, &retention(1, "default:f"));
        assert_eq!(removed, 0);
        let why = [(Kept::NotSettled, 1), (Kept::Open, 1), (Kept::Shared, 1)];
        assert_eq!(plan.functions[0].kept, why.into());
        kept.assert_sound();
    }

    /// A number that was given once is not given again, so that a row that is missing is told from
    /// one that was pruned.
    #[test]
    fn the_history_goes_on_after_its_last_rows_were_pruned() {
        let mut kept = archived();
        prune(&mut kept, &retention(1, ""));
        kept.show(0, 10 * DAY, "e FAIL - - 180000 180001 -");
        assert_eq!(kept.ask("SELECT id, request_id FROM status_changes"), ["2 e"]);
        kept.assert_sound();
    }

    #[test]
    fn many_records_go_in_many_transactions() {
        let mut kept = archived();
        let records: Vec<String> =
            (0..25_000).map(|id| format!("m{id} SUCCESS - - {} {} -", id % 80_000, id)).collect();
        let records: Vec<&str> = records.iter().map(String::as_str).collect();
        let page = kept.page(0, 10 * DAY, &records);
        kept.commit(10 * DAY, &Batch { pages: vec![page], ..Batch::default() });
        let retention = retention(1, "");
        let plan = kept.archive.plan_prune(&retention).unwrap();
        let mut told = Vec::new();
        kept.archive.prune(&retention, &plan, &mut |removed| told.push(removed)).unwrap();
        assert_eq!(told, [10_000, 20_000, 25_005]);
        assert_eq!(ids(&kept), ["e", "x"]);
        kept.assert_sound();
    }
}
