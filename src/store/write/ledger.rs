//! The ledger: rows of `windows` and what they mean.

use crate::domain::{FunctionUrn, Interval, Timestamp, count_to_i64, count_to_u64};
use crate::plan::ledger::{Entry, State, apply, take_back};
use crate::plan::paging::Proof;
use crate::store::file::{Archive, Reader, StoreError};
use crate::store::sql::ids::FunctionId;
use crate::store::sql::read_range;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};
use std::time::Duration;

const COLUMNS: &str =
    "begin_time, end_time, state, proof, reported_count, distinct_count, pages, walked_at, reason";

impl Archive {
    /// The ledger of a function, earliest window first.
    pub fn load_ledger(&self, function: FunctionId) -> Result<Vec<Entry>, StoreError> {
        load_all(self.connection(), function)
    }
}

impl Archive {
    /// Takes back what the ledger of a function claims of time after `present`, and whatever else
    /// is dated there; from when on.
    pub fn take_back(
        &mut self,
        function: FunctionId,
        present: Timestamp,
        settle_delay: Duration,
    ) -> Result<Timestamp, StoreError> {
        self.transact(|transaction| {
            let from = claimed_from(transaction, present, settle_delay)?;
            let rows = load_all(transaction, function)?;
            transaction.execute("DELETE FROM windows WHERE function_id = ?1", [function])?;
            for row in &take_back(&rows, from, present) {
                insert_entry(transaction, function, row)?;
            }
            for forget in FORGET_THE_FUTURE {
                transaction.execute(forget, (function, from, present))?;
            }
            Ok(rows.first().map_or(from, |first| from.max(first.window.begin())))
        })
    }
}

/// From when on runs may have claimed something that are dated after `present`.
///
/// They were dated wrong, and nobody knows when they were: what they may have claimed begins when
/// the last run before them did, less the settle delay.
pub(super) fn claimed_from(
    transaction: &Transaction<'_>,
    present: Timestamp,
    settle_delay: Duration,
) -> Result<Timestamp, StoreError> {
    let begun: Option<Timestamp> =
        transaction.query_row(LAST_SOUND_RUN, [present], |row| row.get(0))?;
    Ok((begun.unwrap_or(Timestamp::MIN) - settle_delay).min(present))
}

/// When the last run began before the first that was dated after a moment, if there is one.
const LAST_SOUND_RUN: &str = "
SELECT max(started_at) FROM runs
 WHERE id < coalesce((SELECT min(id) FROM runs WHERE max(started_at, updated_at) > ?1), 9e18)";

/// What else of a function is dated by runs that were dated wrong: bounds and waits that would hold
/// for as long.
const FORGET_THE_FUTURE: [&str; 6] = [
    "UPDATE functions SET first_seen_at = min(first_seen_at, ?3) WHERE id = ?1",
    "UPDATE open_records
        SET opened_at = min(opened_at, ?3), seen_at = min(seen_at, ?2),
            checked_at = min(checked_at, ?2)
      WHERE function_id = ?1 AND ?3 < max(opened_at, seen_at, checked_at)",
    "DELETE FROM recording WHERE function_id = ?1 AND from_time > ?3",
    "UPDATE recording SET until_time = ?3 WHERE function_id = ?1 AND until_time > ?3",
    "DELETE FROM reach WHERE function_id = ?1 AND noted_at > ?3",
    "UPDATE verifications SET verified_at = ?3 WHERE function_id = ?1 AND verified_at > ?3",
];

impl Reader {
    /// The ledger of a function, earliest window first; empty for one that is not archived.
    pub fn load_ledger(&self, urn: &FunctionUrn) -> Result<Vec<Entry>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT id FROM functions WHERE urn = ?1")?;
        let id = statement.query_row([urn], |row| row.get(0)).optional()?;
        id.map_or_else(|| Ok(Vec::new()), |id| load_all(&self.connection, id))
    }
}

fn load_all(connection: &Connection, function: FunctionId) -> Result<Vec<Entry>, StoreError> {
    let select =
        format!("SELECT {COLUMNS} FROM windows WHERE function_id = ?1 ORDER BY begin_time");
    let mut statement = connection.prepare_cached(&select)?;
    statement.query_and_then([function], load_entry)?.collect()
}

/// Enters a walk: the rows around its window are replaced by what is now known.
pub(in crate::store) fn save_walk(
    transaction: &Transaction<'_>,
    function: FunctionId,
    walk: &Entry,
) -> Result<(), StoreError> {
    let near = load_near(transaction, function, walk.window)?;
    let known = apply(&near, walk);
    if known == near {
        return Ok(());
    }
    let mut delete = transaction
        .prepare_cached("DELETE FROM windows WHERE function_id = ?1 AND begin_time = ?2")?;
    for row in &near {
        delete.execute((function, row.window.begin()))?;
    }
    for row in &known {
        insert_entry(transaction, function, row)?;
    }
    hold_horizon(transaction, function, walk.window.begin())
}

/// Holds where a function is archived from to what is walked of it: in its first run, a service's
/// clock that turns out to be behind moves that back, and a run may be killed before it notes so.
fn hold_horizon(
    transaction: &Transaction<'_>,
    function: FunctionId,
    begin: Timestamp,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "UPDATE functions SET horizon_begin = ?2 WHERE id = ?1 AND horizon_begin > ?2",
        )?
        .execute((function, begin))?;
    Ok(())
}

/// The rows that overlap or touch a window.
fn load_near(
    transaction: &Transaction<'_>,
    function: FunctionId,
    window: Interval,
) -> Result<Vec<Entry>, StoreError> {
    let select = format!(
        "SELECT {COLUMNS} FROM windows
          WHERE function_id = :function_id AND begin_time <= :end AND end_time >= :begin
          ORDER BY begin_time"
    );
    let mut statement = transaction.prepare_cached(&select)?;
    let parameters = named_params! {
        ":function_id": function,
        ":begin": window.begin(),
        ":end": window.end(),
    };
    statement.query_and_then(parameters, load_entry)?.collect()
}

fn insert_entry(
    transaction: &Transaction<'_>,
    function: FunctionId,
    entry: &Entry,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO windows (function_id, begin_time, end_time, state, proof, reported_count,
             distinct_count, pages,
                              walked_at, reason)
         VALUES (:function_id, :begin, :end, :state, :proof, :reported, :distinct, :pages,
             :walked_at, :reason)",
        )?
        .execute(named_params! {
            ":function_id": function,
            ":begin": entry.window.begin(),
            ":end": entry.window.end(),
            ":state": state_word(entry.state),
            ":proof": entry.state.proof().map(proof_word),
            ":reported": entry.reported.map(count_to_i64),
            ":distinct": count_to_i64(entry.distinct),
            ":pages": count_to_i64(entry.pages),
            ":walked_at": entry.walked_at,
            ":reason": entry.reason.as_deref(),
        })?;
    Ok(())
}

fn load_entry(row: &Row<'_>) -> Result<Entry, StoreError> {
    let damaged =
        || StoreError::Damaged("the ledger holds a window that cannot be read".to_owned());
    let state: String = row.get("state")?;
    let proof: Option<String> = row.get("proof")?;
    Ok(Entry {
        window: read_range(row, 0)?,
        state: read_state(&state, proof.as_deref()).ok_or_else(damaged)?,
        reported: row.get::<_, Option<i64>>("reported_count")?.map(count_to_u64),
        distinct: count_to_u64(row.get("distinct_count")?),
        pages: count_to_u64(row.get("pages")?),
        walked_at: row.get("walked_at")?,
        reason: row.get::<_, Option<String>>("reason")?.map(Into::into),
    })
}

fn state_word(state: State) -> &'static str {
    match state {
        State::Settled(_) => "settled",
        State::Proven(_) => "proven",
        State::Unproven => "unproven",
        State::Lost => "lost",
    }
}

fn proof_word(proof: Proof) -> &'static str {
    match proof {
        Proof::Count => "count",
        Proof::Seams => "seams",
        Proof::Both => "both",
    }
}

fn read_state(state: &str, proof: Option<&str>) -> Option<State> {
    let proof = match proof {
        Some("count") => Some(Proof::Count),
        Some("seams") => Some(Proof::Seams),
        Some("both") => Some(Proof::Both),
        _ => None,
    };
    match state {
        "settled" => proof.map(State::Settled),
        "proven" => proof.map(State::Proven),
        "unproven" => Some(State::Unproven),
        "lost" => Some(State::Lost),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::FunctionRef;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix(second)
    }

    /// Two runs: one at 1,000, and one that was dated 9,000 and settled what lies between.
    fn with_a_run_of_the_future() -> (tempfile::TempDir, Archive, FunctionId) {
        let directory = tempfile::tempdir().unwrap();
        let mut archive = Archive::open(&directory.path().join("a.db")).unwrap();
        archive.begin_run("sync", at(1_000), &[]).unwrap();
        archive.begin_run("sync", at(9_000), &[]).unwrap();
        let urn = FunctionRef::Name {
            package: "default".to_owned(),
            name: "f".to_owned(),
            qualifier: None,
        }
        .resolve("r", "p");
        let function = archive.register(&[urn], at(9_000)).unwrap()[0].id;
        let window = |begin, end| Interval::new(at(begin), at(end)).unwrap();
        let row = Entry {
            window: window(0, 8_900),
            state: State::Settled(Proof::Both),
            reported: Some(7),
            distinct: 7,
            pages: 1,
            walked_at: at(1_000),
            reason: None,
        };
        let young = Entry {
            window: window(8_900, 9_000),
            state: State::Proven(Proof::Both),
            walked_at: at(9_000),
            ..row.clone()
        };
        archive
            .transact(|transaction| {
                save_walk(transaction, function, &row)?;
                save_walk(transaction, function, &young)?;
                transaction.execute_batch(
                    "INSERT INTO recording VALUES (1, 1, '1970-01-01T00:10:00Z',
                         '1970-01-01T02:30:00Z', 2),
                                                  (1, 0, '1970-01-01T02:30:00Z',
                                                   '1970-01-01T02:30:00Z', 2);
                     INSERT INTO open_records VALUES
                         ('a', 1, '1970-01-01T00:10:00Z', '1970-01-01T02:30:00Z',
                          '1970-01-01T02:30:00Z');",
                )?;
                Ok(())
            })
            .unwrap();
        (directory, archive, function)
    }

    #[test]
    fn what_a_run_of_the_future_claimed_is_taken_back_to_when_the_one_before_began() {
        let (_directory, mut archive, function) = with_a_run_of_the_future();
        let from = archive.take_back(function, at(2_000), Duration::from_secs(100)).unwrap();
        assert_eq!(from, at(900));
        let ledger = archive.load_ledger(function).unwrap();
        let windows: Vec<_> =
            ledger.iter().map(|row| (row.window.begin(), row.window.end(), row.state)).collect();
        assert_eq!(windows, [(at(0), at(900), State::Settled(Proof::Both))]);
        let text = |sql: &str| {
            archive.connection().query_row(sql, [], |row| row.get::<_, String>(0)).unwrap()
        };
        assert_eq!(text("SELECT first_seen_at FROM functions"), at(2_000).to_string());
        assert_eq!(text("SELECT group_concat(until_time) FROM recording"), at(2_000).to_string());
        assert_eq!(text("SELECT max(seen_at, checked_at) FROM open_records"), at(900).to_string());
    }

    #[test]
    fn no_window_begins_before_what_is_to_be_archived() {
        let (_directory, mut archive, function) = with_a_run_of_the_future();
        let horizon = Interval::new(at(500), at(9_000)).unwrap();
        archive.save_horizons(&[(function, horizon)], at(9_000)).unwrap();
        let walk = |begin, end| Entry {
            window: Interval::new(at(begin), at(end)).unwrap(),
            state: State::Unproven,
            reported: None,
            distinct: 0,
            pages: 1,
            walked_at: at(9_000),
            reason: None,
        };
        for (begin, expected) in [(600, 500), (-900, -900), (-700, -900)] {
            let walk = walk(begin, begin + 100);
            archive.transact(|transaction| save_walk(transaction, function, &walk)).unwrap();
            let select = "SELECT horizon_begin FROM functions";
            let text: String =
                archive.connection().query_row(select, [], |row| row.get(0)).unwrap();
            assert_eq!(text, at(expected).to_string());
        }
    }

    #[test]
    fn without_a_run_that_was_sound_nothing_is_left() {
        let (_directory, mut archive, function) = with_a_run_of_the_future();
        archive
            .connection()
            .execute("UPDATE runs SET updated_at = '2030-01-01T00:00:00Z'", [])
            .unwrap();
        archive.take_back(function, at(2_000), Duration::from_secs(100)).unwrap();
        assert_eq!(archive.load_ledger(function).unwrap(), []);
    }
}
