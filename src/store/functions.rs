//! The functions that are archived.

use super::{Archive, StoreError};
use crate::domain::{FunctionUrn, Timestamp};
use rusqlite::{Transaction, named_params};

/// A function's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionId(pub(super) i64);

impl Archive {
    /// The ids of these functions, which are added where they are new.
    pub fn register(&mut self, urns: &[FunctionUrn], now: Timestamp) -> Result<Vec<FunctionId>, StoreError> {
        self.transact(|transaction| urns.iter().map(|urn| save_function(transaction, urn, now)).collect())
    }
}

fn save_function(transaction: &Transaction<'_>, urn: &FunctionUrn, now: Timestamp) -> Result<FunctionId, StoreError> {
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
    let id =
        transaction.prepare_cached("SELECT id FROM functions WHERE urn = ?1")?.query_row([text], |row| row.get(0))?;
    Ok(FunctionId(id))
}
