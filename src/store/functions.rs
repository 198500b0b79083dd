//! The functions that are archived.

use super::{Archive, StoreError};
use crate::domain::{FunctionUrn, Timestamp};
use rusqlite::{Transaction, named_params};

/// A function's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionId(pub(super) i64);

/// A function that is archived, or is to be from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Its row.
    pub id: FunctionId,
    /// When a run first took it up.
    pub first_seen_at: Timestamp,
}

impl Archive {
    /// The rows of these functions, which are added where they are new.
    pub fn register(&mut self, urns: &[FunctionUrn], now: Timestamp) -> Result<Vec<Registered>, StoreError> {
        self.transact(|transaction| urns.iter().map(|urn| save_function(transaction, urn, now)).collect())
    }

    /// The functions that are archived, in the order in which they were taken up.
    pub fn load_functions(&self) -> Result<Vec<(FunctionId, FunctionUrn)>, StoreError> {
        let mut statement = self.connection().prepare_cached("SELECT id, urn FROM functions ORDER BY id")?;
        let rows = statement.query_and_then([], |row| {
            let text: String = row.get(1)?;
            let damaged = |_| StoreError::Damaged(format!("a function has a name that cannot be read, `{text}`"));
            Ok((FunctionId(row.get(0)?), text.parse().map_err(damaged)?))
        })?;
        rows.collect()
    }
}

fn save_function(transaction: &Transaction<'_>, urn: &FunctionUrn, now: Timestamp) -> Result<Registered, StoreError> {
    let text = urn.to_string();
    transaction
        .prepare_cached(
            "INSERT INTO functions (urn, region, project_id, package, name, qualifier, first_seen_at)
         VALUES (:urn, :region, :project_id, :package, :name, :qualifier, :first_seen_at)
             ON CONFLICT (urn) DO NOTHING",
        )?
        .execute(named_params! {
            ":urn": text,
            ":region": urn.region(),
            ":project_id": urn.project_id(),
            ":package": urn.package(),
            ":name": urn.name(),
            ":qualifier": urn.qualifier(),
            ":first_seen_at": now.to_string(),
        })?;
    let (id, first_seen_at): (_, String) = transaction
        .prepare_cached("SELECT id, first_seen_at FROM functions WHERE urn = ?1")?
        .query_row([text], |row| Ok((row.get(0)?, row.get(1)?)))?;
    // A moment that cannot be read is none of ours: what was archived before now is then held to its promise.
    Ok(Registered { id: FunctionId(id), first_seen_at: first_seen_at.parse().unwrap_or(Timestamp::MIN) })
}
