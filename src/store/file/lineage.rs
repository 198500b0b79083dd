//! Whether one archive is an earlier copy of another: of the same archive, with the same runs and
//! nothing beyond them.

use super::StoreError;
use super::connection::{Sharing, open_read_only};
use super::identity::look;
use super::place::{Place, resolve};
use rusqlite::Connection;
use std::path::Path;

/// What is compared of a run. Once it has ended, none of it changes any more.
const RUNS: &str =
    "SELECT id, outcome IS NOT NULL, updated_at, records_seen, nonce FROM runs ORDER BY id";

/// The archive's identity and its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct Lineage {
    id: Option<String>,
    runs: Vec<Run>,
    records: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    id: i64,
    has_ended: bool,
    updated_at: String,
    records_seen: i64,
    nonce: String,
}

/// What another archive is, if it is no earlier copy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Other {
    /// Nobody can tell what it was.
    #[error("what lies there is damaged ({0})")]
    Damaged(String),
    /// It was never a copy of this archive.
    #[error("what lies there is another archive, no copy of this one")]
    Stranger,
    /// It went on from a copy in its own way.
    #[error(
        "what lies there has runs that this archive does not have: it is newer, or went on by \
         itself from a copy"
    )]
    Beyond,
    /// It has the same runs and more records.
    #[error("what lies there holds {copy} records, and this archive {own}")]
    More {
        /// Records in it.
        copy: i64,
        /// Records in this archive.
        own: i64,
    },
}

impl Lineage {
    pub(in crate::store) fn of(connection: &Connection) -> Result<Self, StoreError> {
        let id = if has_table(connection, "archive")? {
            connection.query_row("SELECT max(id) FROM archive", [], |row| row.get(0))?
        } else {
            None
        };
        if !has_table(connection, "runs")? {
            return Ok(Self { id, runs: Vec::new(), records: 0 });
        }
        let mut select = connection.prepare(RUNS)?;
        let runs = select.query_map([], |row| {
            Ok(Run {
                id: row.get(0)?,
                has_ended: row.get(1)?,
                updated_at: row.get(2)?,
                records_seen: row.get(3)?,
                nonce: row.get(4)?,
            })
        })?;
        let runs = runs.collect::<Result<_, _>>()?;
        let mut records: i64 =
            connection.query_row("SELECT count(*) FROM invocations", [], |row| row.get(0))?;
        if has_table(connection, "pruned_days")? {
            // What was removed on purpose is nothing that an earlier copy has more.
            let pruned = "SELECT coalesce(sum(records), 0) FROM pruned_days";
            records += connection.query_row(pruned, [], |row| row.get::<_, i64>(0))?;
        }
        Ok(Self { id, runs, records })
    }

    /// That of a file that nobody uses, without leaving anything beside it.
    pub(in crate::store) fn at(path: &Path) -> Result<Self, StoreError> {
        look(path)?;
        match resolve(path)? {
            Place::At(real) => Self::of(&open_read_only(&real, Sharing::Immutable)?),
            Place::NoDirectory(_) => Err(StoreError::Missing),
        }
    }

    /// Whether `later` has everything that this has.
    pub(in crate::store) fn is_earlier_than(&self, later: &Self) -> Result<(), Other> {
        // What a crash left before its first run is nobody's copy, and nobody's loss.
        if self.runs.is_empty() && self.records == 0 {
            return Ok(());
        }
        if self.id.is_none() || self.id != later.id {
            return Err(Other::Stranger);
        }
        let are_known = self.runs.iter().all(|run| {
            let same = later
                .runs
                .binary_search_by_key(&run.id, |run| run.id)
                .ok()
                .map(|at| &later.runs[at]);
            same.is_some_and(|same| run.is_earlier_than(same))
        });
        match (are_known, self.records <= later.records) {
            (true, true) => Ok(()),
            (true, false) => Err(Other::More { copy: self.records, own: later.records }),
            (false, _) => Err(Other::Beyond),
        }
    }
}

impl Run {
    /// Whether this is how the run `later` was, or is.
    fn is_earlier_than(&self, later: &Self) -> bool {
        if self.has_ended {
            return self == later;
        }
        self.nonce == later.nonce
            && self.updated_at <= later.updated_at
            && self.records_seen <= later.records_seen
    }
}

fn has_table(connection: &Connection, name: &str) -> Result<bool, StoreError> {
    let select = "SELECT count(*) > 0 FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    Ok(connection.query_row(select, [name], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: i64, has_ended: bool, updated_at: &str, nonce: &str) -> Run {
        Run {
            id,
            has_ended,
            updated_at: updated_at.to_owned(),
            records_seen: id,
            nonce: nonce.to_owned(),
        }
    }

    fn archive(id: &str, records: i64, runs: &[Run]) -> Lineage {
        Lineage { id: Some(id.to_owned()), runs: runs.to_vec(), records }
    }

    #[test]
    fn a_copy_is_earlier_as_long_as_it_holds_nothing_of_its_own() {
        let (first, second) = (run(1, true, "1", "a"), run(2, true, "2", "b"));
        let own = archive("x", 20, &[first.clone(), second.clone()]);
        let earlier = [
            archive("x", 20, &[first.clone(), second.clone()]),
            archive("x", 10, std::slice::from_ref(&first)),
            archive("x", 10, &[first.clone(), run(2, false, "1", "b")]),
            archive("y", 0, &[]),
        ];
        for copy in earlier {
            assert_eq!(copy.is_earlier_than(&own), Ok(()), "{copy:?}");
        }
        let others = [
            (archive("y", 10, std::slice::from_ref(&first)), Other::Stranger),
            (Lineage { id: None, ..own.clone() }, Other::Stranger),
            (archive("x", 21, std::slice::from_ref(&first)), Other::More { copy: 21, own: 20 }),
            (archive("x", 10, &[first.clone(), run(2, true, "2", "fork")]), Other::Beyond),
            (
                archive("x", 10, &[first.clone(), second.clone(), run(3, true, "3", "c")]),
                Other::Beyond,
            ),
            (archive("x", 10, &[first.clone(), run(2, false, "3", "b")]), Other::Beyond),
            (archive("x", 10, &[first, run(2, false, "1", "fork")]), Other::Beyond),
        ];
        for (other, expected) in others {
            assert_eq!(other.is_earlier_than(&own), Err(expected), "{other:?}");
        }
    }
}
