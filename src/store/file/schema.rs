//! Which file is ours, which versions of it this program knows, and what each must hold.
//!
//! A file may carry our `application_id` and be a trap all the same: a view in place of a table, a
//! column that is computed at a great price. So nothing of a file is asked before its schema was
//! compared with the one that our migrations make, text by text. What people add themselves is no
//! business of ours, unless it works with what a run writes (`added`).

use super::StoreError;
use super::added::{self, Added};
use crate::domain::Timestamp;
use crate::store::sql::budget::Budget;
use rusqlite::{Connection, OptionalExtension};
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;
use std::time::Duration;

/// SQLite's `application_id` of an archive, `fgar` in ASCII: what makes a SQLite file ours.
pub const APPLICATION_ID: u32 = 0x6667_6172;

/// Where refinery notes which migrations were made.
const HISTORY: &str = "refinery_schema_history";

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// The migrations of this program, oldest first.
pub(in crate::store) fn migrations() -> refinery::Runner {
    embedded::migrations::runner()
}

/// The newest version of the schema that this program knows.
pub fn known_version() -> i32 {
    migrations().get_migrations().iter().map(refinery::Migration::version).max().unwrap_or(0)
}

/// How long SQLite may take to read the schema of a file and our look at it: ours takes a
/// millisecond, and one of a hundred thousand views would take minutes and gigabytes.
const LONGEST_LOOK: Duration = Duration::from_secs(5);

/// The version of the schema in a file that carries our `application_id`; 0 before the first
/// migration.
///
/// A schema that is not the one of its version is an error, and so is one that takes too long to
/// read.
pub(in crate::store) fn load_version(connection: &mut Connection) -> Result<i32, StoreError> {
    in_time(connection, look)
}

/// Refuses a file in which something of others would work with what a run writes.
pub(super) fn check_added(connection: &mut Connection) -> Result<(), StoreError> {
    match in_time(connection, find_added)?.into_iter().next() {
        Some(Added { what, remedy }) => Err(StoreError::Added { what, remedy }),
        None => Ok(()),
    }
}

/// What others added to the file that would work with what a run writes.
pub(in crate::store) fn find_added(connection: &Connection) -> Result<Vec<Added>, StoreError> {
    let made = made_by_migrations()?;
    added::find(connection, |name| made.contains_key(name))
}

fn in_time<T>(
    connection: &mut Connection,
    look: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    Budget::start(connection, LONGEST_LOOK)?;
    let seen = look(connection).map_err(|error| match error {
        StoreError::TimedOut => StoreError::Altered("its schema takes too long to read".to_owned()),
        other => other,
    });
    Budget::stop(connection)?;
    seen
}

fn look(connection: &Connection) -> Result<i32, StoreError> {
    let made = made_by_migrations()?;
    check_stamp(connection)?;
    let version = load_newest(connection, made)?;
    if version == known_version() {
        compare(connection, made)?;
    }
    Ok(version)
}

/// Refuses what no stamp of ours can be: SQLite stores any number where we write a positive one.
fn check_stamp(connection: &Connection) -> Result<(), StoreError> {
    let stamp: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if stamp < 0 { Err(damaged(&format!("its `user_version` is {stamp}"))) } else { Ok(()) }
}

/// The newest migration in a history that is the one our migrations leave; none before the first.
fn load_newest(connection: &Connection, made: &HashMap<String, Object>) -> Result<i32, StoreError> {
    let version = match load_object(connection, HISTORY)? {
        None => 0,
        Some(history) if made.get(HISTORY) != Some(&history) => {
            return Err(altered(&history.kind, HISTORY));
        }
        Some(_) => {
            let newest = "SELECT coalesce(max(version), 0) FROM refinery_schema_history";
            connection.query_row(newest, [], |row| row.get(0))?
        }
    };
    if version == 0 {
        check_bare(connection)?;
    } else if version <= known_version() {
        check_history(connection, version)?;
    }
    Ok(version)
}

/// Refuses whatever else is in a file that tells of no migration: a crash before the first leaves
/// nothing there, so that it is a damaged archive, or a database of others under our
/// `application_id`.
fn check_bare(connection: &Connection) -> Result<(), StoreError> {
    let others = "SELECT 1 FROM sqlite_schema WHERE tbl_name <> ?1 AND name NOT GLOB 'sqlite_*'";
    let mut objects = connection.prepare(others)?;
    if objects.exists([HISTORY])? {
        return Err(damaged("it has tables, and no history of migrations"));
    }
    Ok(())
}

/// Refuses a history that is not, row by row, the one that our migrations write. refinery would
/// find some of it before it writes, and panics at the rest; who only reads does not ask it.
fn check_history(connection: &Connection, newest: i32) -> Result<(), StoreError> {
    let runner = migrations();
    let ours = runner.get_migrations().iter().filter(|ours| ours.version() <= newest);
    let mut others: i64 =
        connection
            .query_row("SELECT count(*) FROM refinery_schema_history", [], |row| row.get(0))?;
    for migration in ours {
        check_entry(connection, migration)?;
        others -= 1;
    }
    if others == 0 {
        Ok(())
    } else {
        Err(damaged("its history has migrations that fgarchive does not have"))
    }
}

/// Refuses a history in which a migration is missing, or has another name, checksum, or a date that
/// is none.
fn check_entry(connection: &Connection, migration: &refinery::Migration) -> Result<(), StoreError> {
    let mut select = connection.prepare_cached(
        "SELECT iif(length(applied_on) < 99, applied_on, '') FROM refinery_schema_history
          WHERE version = ?1 AND name = ?2 AND checksum = ?3",
    )?;
    let as_written = (migration.version(), migration.name(), migration.checksum().to_string());
    let applied_on: Option<String> = select.query_row(as_written, |row| row.get(0)).optional()?;
    match applied_on {
        Some(text) if is_date(&text) => Ok(()),
        _ => Err(damaged(&format!(
            "its history of migrations has no `{migration}` as fgarchive writes it"
        ))),
    }
}

/// Whether this is the form in which refinery notes when a migration was made: it panics at
/// another.
fn is_date(text: &str) -> bool {
    text.contains('T') && text.ends_with('Z') && text.parse::<Timestamp>().is_ok()
}

fn damaged(why: &str) -> StoreError {
    StoreError::Damaged(why.to_owned())
}

/// A table, view, index or trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Object {
    kind: String,
    /// Its `CREATE` statement; none for an index that a constraint makes.
    sql: Option<String>,
}

/// What the newest migration leaves behind, by name: made once a process, in memory.
fn made_by_migrations() -> Result<&'static HashMap<String, Object>, StoreError> {
    static MADE: OnceLock<HashMap<String, Object>> = OnceLock::new();
    if let Some(made) = MADE.get() {
        return Ok(made);
    }
    let mut connection = Connection::open_in_memory()?;
    migrations().run(&mut connection).map_err(|error| StoreError::from_migration(&error))?;
    let mut statement = connection.prepare("SELECT type, sql, name FROM sqlite_schema")?;
    let rows = statement
        .query_map([], |row| Ok((row.get(2)?, Object { kind: row.get(0)?, sql: row.get(1)? })))?;
    let made = rows.collect::<Result<_, _>>()?;
    Ok(MADE.get_or_init(|| made))
}

fn load_object(connection: &Connection, name: &str) -> Result<Option<Object>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT type, sql FROM sqlite_schema WHERE name = ?1")?;
    let read = |row: &rusqlite::Row<'_>| Ok(Object { kind: row.get(0)?, sql: row.get(1)? });
    Ok(statement.query_row([name], read).optional()?)
}

/// Refuses a file in which something of ours is missing or otherwise than we make it.
///
/// The schema is read once. It has no index by name, so that looking up each object of ours would
/// read all of it as often as there are objects.
fn compare(connection: &Connection, made: &HashMap<String, Object>) -> Result<(), StoreError> {
    let mut missing: HashSet<&str> = made.keys().map(String::as_str).collect();
    let mut statement = connection.prepare("SELECT name, type, sql FROM sqlite_schema")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name = row.get_ref(0)?.as_str().unwrap_or_default();
        let Some((name, expected)) = made.get_key_value(name) else { continue };
        missing.remove(name.as_str());
        if row.get_ref(1)? != expected.kind.as_str().into()
            || row.get_ref(2)? != expected.sql.as_deref().into()
        {
            return Err(altered(&expected.kind, name));
        }
    }
    match missing.into_iter().next() {
        Some(name) => Err(altered(&made[name].kind, name)),
        None => Ok(()),
    }
}

fn altered(kind: &str, name: &str) -> StoreError {
    StoreError::Altered(format!("its {kind} `{name}` is missing or not as fgarchive makes it"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::file::{Archive, Reader};
    use crate::store::testing::Fixture;

    /// How an archive is refused after a statement of somebody else's, by whoever reads and by
    /// whoever writes.
    fn refusals_after(sql: &str) -> [Result<(), StoreError>; 2] {
        let directory = Fixture::new().with_records("a SUCCESS - -").with(sql).closed();
        let path = directory.path().join("archive.db");
        [Reader::open(&path).map(drop), Archive::open(&path).map(drop)]
    }

    #[test]
    fn an_archive_that_somebody_altered_is_refused_before_it_is_asked() {
        for (sql, object) in [
            ("DROP VIEW gaps; CREATE VIEW gaps AS SELECT 1 AS state", "view `gaps`"),
            ("DROP VIEW transitions", "view `transitions`"),
            ("DROP INDEX invocations_by_start", "index `invocations_by_start`"),
            ("ALTER TABLE runs ADD COLUMN x TEXT AS (hex(outcome))", "table `runs`"),
            (
                "ALTER TABLE refinery_schema_history ADD COLUMN x AS (zeroblob(900000000))",
                "table `refinery_schema_history`",
            ),
            (
                "ALTER TABLE refinery_schema_history RENAME TO h;
                 CREATE VIEW refinery_schema_history AS
                    WITH RECURSIVE n(version) AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT version
                        FROM n",
                "view `refinery_schema_history`",
            ),
        ] {
            let refusals = refusals_after(sql);
            let [Err(StoreError::Altered(one)), Err(StoreError::Altered(other))] = refusals else {
                panic!("{sql}: {refusals:?}")
            };
            assert_eq!(one, other);
            assert!(one.contains(object), "{sql}: {one}");
        }
    }

    #[test]
    fn a_history_that_is_not_ours_is_damage_to_readers_and_runs() {
        let history = "its history of migrations has no `V1__archive` as fgarchive writes it";
        for (sql, why) in [
            ("UPDATE refinery_schema_history SET name = 'Archive'", history),
            ("UPDATE refinery_schema_history SET name = hex(zeroblob(2000000))", history),
            ("UPDATE refinery_schema_history SET checksum = 'x'", history),
            ("UPDATE refinery_schema_history SET checksum = checksum || '1'", history),
            ("UPDATE refinery_schema_history SET applied_on = 'yesterday'", history),
            (
                "UPDATE refinery_schema_history SET applied_on = replace(applied_on, 'T', ' ')",
                history,
            ),
            ("UPDATE refinery_schema_history SET version = 'abc'", "is of the type Text"),
            (
                "INSERT INTO refinery_schema_history VALUES (0, 'a', '2026-03-01T00:00:00Z', '1')",
                "does not have",
            ),
            ("DELETE FROM refinery_schema_history", "it has tables, and no history of migrations"),
            ("DROP TABLE refinery_schema_history", "it has tables, and no history of migrations"),
            ("PRAGMA user_version = -5", "its `user_version` is -5"),
        ] {
            let refusals = refusals_after(sql);
            let [Err(StoreError::Damaged(one)), Err(StoreError::Damaged(other))] = refusals else {
                panic!("{sql}: {refusals:?}")
            };
            assert_eq!(one, other);
            assert!(one.contains(why), "{sql}: {one}");
        }
    }
}
