//! What others added to an archive that would work with every record that a run writes.
//!
//! Tables, views and plain indexes that people add are theirs. Other things reach into what a run
//! does: a unique index refuses records, an index on an expression or with a condition computes
//! something of each of them, at any price, and so does a trigger; a table that refers to one of
//! ours holds on to its rows. None of it is found by comparing what is ours. Whoever only reads
//! meets none of it.

use super::StoreError;
use rusqlite::{Connection, OptionalExtension};
use std::fmt;

/// Something of somebody else's that an archive must not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct Added {
    /// What it is and does.
    pub(in crate::store) what: String,
    /// How it is removed.
    pub(in crate::store) remedy: String,
}

impl fmt::Display for Added {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.remedy)
    }
}

/// What is no view, no virtual table, and nothing that SQLite makes by itself.
const OBJECTS: &str = "
    SELECT type, name, tbl_name
      FROM sqlite_schema
     WHERE (type = 'trigger' OR rootpage > 0) AND name NOT GLOB 'sqlite_*'";

/// What sets an index of a table apart from a plain one: whether it is unique, has a condition,
/// holds an expression, and a collation that SQLite does not bring along.
const INDEX: &str = "
    SELECT i.\"unique\", i.partial,
           EXISTS (SELECT 1 FROM pragma_index_xinfo(i.name) c WHERE c.cid = -2),
           EXISTS (SELECT 1 FROM pragma_index_xinfo(i.name) c
                    WHERE upper(c.coll) NOT IN ('BINARY', 'NOCASE', 'RTRIM'))
      FROM pragma_index_list(?1) i
     WHERE i.name = ?2";

const REFERENCES: &str = "SELECT \"table\" FROM pragma_foreign_key_list(?1)";

/// Finds them; `is_ours` knows the names that our migrations make.
pub(super) fn find(
    connection: &Connection,
    is_ours: impl Fn(&str) -> bool,
) -> Result<Vec<Added>, StoreError> {
    let mut added = Vec::new();
    let mut objects = connection.prepare(OBJECTS)?;
    let mut rows = objects.query([])?;
    while let Some(row) = rows.next()? {
        let [kind, name, table]: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
        match kind.as_str() {
            "trigger" => added.push(Added {
                what: format!("it has a trigger `{name}`, and an archive has none"),
                remedy: format!("DROP TRIGGER {}", quoted(&name)),
            }),
            _ if is_ours(&name) => {}
            "index" if is_ours(&table) => added.extend(of_index(connection, &name, &table)?),
            "table" => added.extend(of_table(connection, &name, &is_ours)?),
            _ => {}
        }
    }
    Ok(added)
}

/// What an index does beyond finding rows, where it does.
fn of_index(connection: &Connection, name: &str, table: &str) -> Result<Option<Added>, StoreError> {
    let has: Option<[bool; 4]> = connection
        .query_row(INDEX, [table, name], |row| {
            Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
        })
        .optional()?;
    let does = match has {
        Some([true, ..]) => "is unique, and would refuse records",
        Some([_, _, true, _]) => "holds an expression, which would be computed for every record",
        Some([_, true, ..]) => "has a condition, which would be computed for every record",
        Some([.., true]) => "sorts by a collation that fgarchive does not know",
        Some(_) | None => return Ok(None),
    };
    let remedy = format!("DROP INDEX {}", quoted(name));
    Ok(Some(Added { what: format!("its index `{name}` on `{table}` {does}"), remedy }))
}

/// The first of our tables that a table of others refers to, where it does.
fn of_table(
    connection: &Connection,
    name: &str,
    is_ours: impl Fn(&str) -> bool,
) -> Result<Option<Added>, StoreError> {
    let mut statement = connection.prepare_cached(REFERENCES)?;
    let mut rows = statement.query([name])?;
    while let Some(row) = rows.next()? {
        let other: String = row.get(0)?;
        if is_ours(&other.to_lowercase()) {
            return Ok(Some(Added {
                what: format!("its table `{name}` refers to `{other}`, and would hold on to rows"),
                remedy: format!("make {} anew without REFERENCES", quoted(name)),
            }));
        }
    }
    Ok(None)
}

/// A name as it stands in a statement.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use crate::store::file::{Archive, Reader, StoreError};
    use crate::store::testing::Fixture;

    /// What a writer and a check say of an archive after a statement of somebody else's; whoever
    /// only reads it takes it.
    fn said_after(sql: &str) -> (Result<(), StoreError>, Vec<String>) {
        let directory = Fixture::new().with_records("a SUCCESS - -").with(sql).closed();
        let path = directory.path().join("archive.db");
        let findings = Reader::open(&path).unwrap().check().unwrap();
        let places = findings
            .into_iter()
            .inspect(|finding| assert_eq!(finding.rule, "added", "{sql}"))
            .flat_map(|finding| finding.places)
            .collect();
        (Archive::open(&path).map(drop), places)
    }

    #[test]
    fn what_would_work_with_every_record_is_refused_by_who_writes_and_found_by_a_check() {
        for (sql, object, remedy) in [
            ("CREATE UNIQUE INDEX x ON runs (outcome)", "is unique", "DROP INDEX \"x\""),
            (
                "CREATE INDEX x ON invocations (hex(zeroblob(length(status))))",
                "index `x` on `invocations` holds an expression",
                "DROP INDEX \"x\"",
            ),
            (
                "CREATE INDEX \"a\"\"b\" ON windows (state) WHERE length(proof) > 3",
                "on `windows` has a condition",
                "DROP INDEX \"a\"\"b\"",
            ),
            (
                "CREATE TABLE mine (id TEXT REFERENCES Invocations (request_id))",
                "table `mine` refers to `Invocations`",
                "make \"mine\" anew without REFERENCES",
            ),
            (
                "CREATE TRIGGER t AFTER INSERT ON invocations BEGIN DELETE FROM runs; END",
                "trigger `t`",
                "DROP TRIGGER \"t\"",
            ),
        ] {
            let (written, found) = said_after(sql);
            let Err(StoreError::Added { what, remedy: told }) = written else {
                panic!("{sql}: {written:?}")
            };
            assert!(what.contains(object) && told == remedy, "{sql}: {what}: {told}");
            assert_eq!(found, [format!("{what}: {told}")]);
        }
    }

    #[test]
    fn what_people_add_is_theirs() {
        let (written, found) = said_after(
            "CREATE TABLE mine (x UNIQUE, y REFERENCES mine (x)); CREATE INDEX m ON mine (x || 1);
             CREATE INDEX i ON invocations (status COLLATE nocase, start_time DESC);
             CREATE VIEW v AS SELECT * FROM mine; ANALYZE",
        );
        assert!(written.is_ok(), "{written:?}");
        assert_eq!(found, [""; 0]);
    }
}
