//! The ledger: rows of `windows` and what they mean.

use super::functions::FunctionId;
use super::{Archive, Reader, StoreError};
use crate::domain::{FunctionUrn, Interval, Timestamp, count_to_i64, count_to_u64};
use crate::plan::ledger::{Entry, State, apply};
use crate::plan::paging::Proof;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};

const COLUMNS: &str = "begin_time, end_time, state, proof, reported_count, distinct_count, pages, walked_at";

impl Archive {
    /// The ledger of a function, earliest window first.
    pub fn load_ledger(&self, function: FunctionId) -> Result<Vec<Entry>, StoreError> {
        load_all(self.connection(), function)
    }
}

impl Reader {
    /// The ledger of a function, earliest window first; empty for one that is not archived.
    pub fn load_ledger(&self, urn: &FunctionUrn) -> Result<Vec<Entry>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT id FROM functions WHERE urn = ?1")?;
        let id = statement.query_row([urn.to_string()], |row| row.get(0)).optional()?;
        id.map_or_else(|| Ok(Vec::new()), |id| load_all(&self.connection, FunctionId(id)))
    }
}

fn load_all(connection: &Connection, function: FunctionId) -> Result<Vec<Entry>, StoreError> {
    let select = format!("SELECT {COLUMNS} FROM windows WHERE function_id = ?1 ORDER BY begin_time");
    let mut statement = connection.prepare_cached(&select)?;
    statement.query_and_then([function.0], load_entry)?.collect()
}

/// Enters a walk: the rows around its window are replaced by what is now known.
pub(super) fn save_walk(transaction: &Transaction<'_>, function: FunctionId, walk: Entry) -> Result<(), StoreError> {
    let near = load_near(transaction, function, walk.window)?;
    let known = apply(&near, walk);
    if known == near {
        return Ok(());
    }
    let mut delete = transaction.prepare_cached("DELETE FROM windows WHERE function_id = ?1 AND begin_time = ?2")?;
    for row in &near {
        delete.execute((function.0, row.window.begin().to_string()))?;
    }
    for row in &known {
        insert_entry(transaction, function, row)?;
    }
    Ok(())
}

/// The rows that overlap or touch a window.
fn load_near(transaction: &Transaction<'_>, function: FunctionId, window: Interval) -> Result<Vec<Entry>, StoreError> {
    let select = format!(
        "SELECT {COLUMNS} FROM windows
          WHERE function_id = :function_id AND begin_time <= :end AND end_time >= :begin
          ORDER BY begin_time"
    );
    let mut statement = transaction.prepare_cached(&select)?;
    let parameters = named_params! {
        ":function_id": function.0,
        ":begin": window.begin().to_string(),
        ":end": window.end().to_string(),
    };
    statement.query_and_then(parameters, load_entry)?.collect()
}

fn insert_entry(transaction: &Transaction<'_>, function: FunctionId, entry: &Entry) -> Result<(), StoreError> {
    transaction.prepare_cached(
        "INSERT INTO windows (function_id, begin_time, end_time, state, proof, reported_count, distinct_count, pages, walked_at)
         VALUES (:function_id, :begin, :end, :state, :proof, :reported, :distinct, :pages, :walked_at)",
    )?.execute(named_params! {
        ":function_id": function.0,
        ":begin": entry.window.begin().to_string(),
        ":end": entry.window.end().to_string(),
        ":state": state_word(entry.state),
        ":proof": entry.state.proof().map(proof_word),
        ":reported": entry.reported.map(count_to_i64),
        ":distinct": count_to_i64(entry.distinct),
        ":pages": count_to_i64(entry.pages),
        ":walked_at": entry.walked_at.to_string(),
    })?;
    Ok(())
}

fn load_entry(row: &Row<'_>) -> Result<Entry, StoreError> {
    let time = |column| -> Result<Timestamp, StoreError> {
        let text: String = row.get(column)?;
        text.parse().map_err(|_| StoreError::Damaged(format!("the ledger holds a time that cannot be read, `{text}`")))
    };
    let damaged = || StoreError::Damaged("the ledger holds a window that cannot be read".to_owned());
    let state: String = row.get("state")?;
    let proof: Option<String> = row.get("proof")?;
    Ok(Entry {
        window: Interval::new(time("begin_time")?, time("end_time")?).ok_or_else(damaged)?,
        state: read_state(&state, proof.as_deref()).ok_or_else(damaged)?,
        reported: row.get::<_, Option<i64>>("reported_count")?.map(count_to_u64),
        distinct: count_to_u64(row.get("distinct_count")?),
        pages: count_to_u64(row.get("pages")?),
        walked_at: time("walked_at")?,
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
