//! The functions that are archived.

use super::{Archive, Reader, StoreError};
use crate::domain::{FunctionUrn, Timestamp};
use rusqlite::{Connection, Transaction, named_params};

/// A function's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionId(pub(super) i64);

/// A function that is archived, or is to be from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Its row.
    pub id: FunctionId,
    /// When a run first took it up.
    pub first_seen_at: Timestamp,
    /// Its URN in the form to ask with: the one that was answered before, else as it was given.
    pub urn: FunctionUrn,
}

impl Archive {
    /// The rows of these functions, which are added where they are new.
    pub fn register(&mut self, urns: &[FunctionUrn], now: Timestamp) -> Result<Vec<Registered>, StoreError> {
        self.transact(|transaction| urns.iter().map(|urn| save_function(transaction, urn, now)).collect())
    }

    /// The forms of URNs that were answered before.
    pub fn load_forms(&self) -> Result<Vec<(FunctionId, String)>, StoreError> {
        let select = "SELECT id, asked_as FROM functions WHERE asked_as IS NOT NULL";
        let mut statement = self.connection().prepare_cached(select)?;
        let rows = statement.query_map([], |row| Ok((FunctionId(row.get(0)?), row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Notes in which form of its URN each of these functions was answered.
    pub fn save_forms(&mut self, answered: &[(FunctionId, FunctionUrn)]) -> Result<(), StoreError> {
        self.transact(|transaction| {
            let mut update = transaction.prepare_cached("UPDATE functions SET asked_as = ?2 WHERE id = ?1")?;
            answered.iter().try_for_each(|(id, urn)| update.execute((id.0, urn.as_given())).map(drop))?;
            Ok(())
        })
    }

    /// The functions that are archived, in the order in which they were taken up.
    pub fn load_functions(&self) -> Result<Vec<(FunctionId, FunctionUrn)>, StoreError> {
        load_all(self.connection())
    }
}

impl Reader {
    /// The functions that are archived, in the order in which they were taken up.
    pub fn load_functions(&self) -> Result<Vec<FunctionUrn>, StoreError> {
        Ok(load_all(&self.connection)?.into_iter().map(|(_, urn)| urn).collect())
    }
}

fn load_all(connection: &Connection) -> Result<Vec<(FunctionId, FunctionUrn)>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT id, coalesce(asked_as, urn) FROM functions ORDER BY id")?;
    let rows = statement.query_and_then([], |row| {
        let text: String = row.get(1)?;
        let damaged = |_| StoreError::Damaged(format!("a function has a name that cannot be read, `{text}`"));
        Ok((FunctionId(row.get(0)?), text.parse().map_err(damaged)?))
    })?;
    rows.collect()
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
    let (id, first_seen_at, asked_as): (_, String, Option<String>) = transaction
        .prepare_cached("SELECT id, first_seen_at, asked_as FROM functions WHERE urn = ?1")?
        .query_row([text], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let answered: Option<FunctionUrn> = asked_as.and_then(|text| text.parse().ok());
    Ok(Registered {
        id: FunctionId(id),
        // A moment that cannot be read is none of ours: what was archived before now is then held to its promise.
        first_seen_at: first_seen_at.parse().unwrap_or(Timestamp::MIN),
        urn: answered.filter(|answered| answered == urn).unwrap_or_else(|| urn.clone()),
    })
}
