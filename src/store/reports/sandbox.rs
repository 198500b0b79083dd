//! A question in the user's own SQL, read-only beyond doubt.
//!
//! Four locks, each enough alone against most statements: the file is open for reading only,
//! `query_only` is on, SQLite must call the statement reading, and an authorizer allows what is
//! listed here and nothing else.

use super::question::{Author, Question, explain};
use crate::domain::Zone;
use crate::error::Place;
use crate::store::file::{Reader, StoreError};
use crate::store::sql::budget::{Budget, Watch};
use crate::store::sql::zone;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::Value;
use rusqlite::{Connection, Error, Statement};
use std::time::Duration;

/// What a statement may use, where SQLite's defaults are too generous for a question; see
/// sqlite.org/limits.html.
const LIMITS: [(Limit, i32); 8] = [
    // A value as long as the longest message that is archived (16 MiB) fits twice; `zeroblob(1e9)`
    // does not.
    (Limit::SQLITE_LIMIT_LENGTH, 32 << 20),
    // Long enough for a statement with a list of a thousand ids.
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 100_000),
    (Limit::SQLITE_LIMIT_EXPR_DEPTH, 200),
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 50),
    // A pattern's cost grows with the square of its length.
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1_000),
    (Limit::SQLITE_LIMIT_ATTACHED, 0),
    (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 1),
    (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
];

/// Pragmas that only tell about the schema and take a name at most; the table-valued functions of
/// the same name use them.
const TELLING: [&str; 11] = [
    "collation_list",
    "compile_options",
    "database_list",
    "foreign_key_list",
    "function_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// Pragmas that tell when they are asked without a value, and set when they are given one.
const TELLING_WITHOUT_VALUE: [&str; 7] = [
    "application_id",
    "encoding",
    "freelist_count",
    "page_count",
    "page_size",
    "schema_version",
    "user_version",
];

/// Functions that reach out of the database: they load code, or read and write files in builds that
/// have them.
const REACHING: [&str; 5] = ["load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"];

/// An archive that answers statements of the user's, and nothing else: the limits and the
/// authorizer stay.
#[derive(Debug)]
pub struct Sandbox {
    connection: Connection,
    budget: Budget,
}

impl Reader {
    /// Locks the archive up for statements of the user's, which may work for `limit` from now on
    /// and whose days are those of the zone.
    pub fn into_sandbox(self, limit: Duration, zone: Zone) -> Result<Sandbox, StoreError> {
        let mut connection = self.connection;
        zone::register(&connection, zone)?;
        restrict(&mut connection)?;
        let budget = Budget::start(&mut connection, limit)?;
        Ok(Sandbox { connection, budget })
    }
}

impl Sandbox {
    /// Lets another thread watch how long the questions work.
    pub fn watch(&self) -> Watch {
        self.budget.watch(&self.connection)
    }

    /// Prepares one reading statement, and fills in its parameters by name.
    pub fn ask(&self, sql: &str, values: &[(String, String)]) -> Result<Question<'_>, StoreError> {
        let mut statement = self.prepare(sql)?;
        fill_in(&mut statement, values)?;
        Ok(self.question(statement))
    }

    /// Prepares one reading statement.
    pub(super) fn prepare(&self, sql: &str) -> Result<Statement<'_>, StoreError> {
        let statement = self.connection.prepare(sql).map_err(|error| {
            let place = match error {
                Error::MultipleStatement => self.second_statement(sql),
                _ => None,
            };
            match (explain(&self.budget, error), place) {
                (StoreError::BadSql { message, .. }, place @ Some(_)) => {
                    StoreError::BadSql { message, place }
                }
                (other, _) => other,
            }
        })?;
        check(&statement)?;
        Ok(statement)
    }

    /// Where the second statement of a text begins: after the first semicolon up to which it is a
    /// whole one, and what means nothing.
    fn second_statement(&self, sql: &str) -> Option<Place> {
        let mut ends = sql.match_indices(';').map(|(at, _)| at + 1);
        let end = ends.find(|&end| self.connection.prepare(&sql[..end]).is_ok())?;
        let mut begin = end;
        loop {
            let rest = &sql[begin..];
            let skipped = match rest.trim_start() {
                comment if comment.starts_with("--") => {
                    rest.len() - comment.len() + comment.find('\n')?
                }
                comment if comment.starts_with("/*") => {
                    rest.len() - comment.len() + comment.find("*/")? + 2
                }
                other => return Some(Place::at(sql, begin + rest.len() - other.len())),
            };
            begin += skipped;
        }
    }

    pub(super) fn question<'s>(&self, statement: Statement<'s>) -> Question<'s> {
        Question::new(statement, self.budget.clone(), Author::User)
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }
}

/// Gives each parameter its value, the last one that was given. What is written as SQL writes a
/// number is one, all else is text.
fn fill_in(statement: &mut Statement<'_>, values: &[(String, String)]) -> Result<(), StoreError> {
    let names: Vec<String> = (1..=statement.parameter_count())
        .map(|at| statement.parameter_name(at).unwrap_or("?").to_owned())
        .collect();
    if let Some((name, _)) = values.iter().find(|(name, _)| !names.contains(&format!(":{name}"))) {
        return Err(StoreError::Unfilled(format!("it has no parameter `:{name}`")));
    }
    for (at, name) in names.iter().enumerate() {
        let is_meant = |(given, _): &&(String, String)| name.strip_prefix(':') == Some(given);
        let Some((_, value)) = values.iter().rev().find(is_meant) else {
            let why = if name.starts_with(':') { "has no value" } else { "is no `:name`" };
            return Err(StoreError::Unfilled(format!("its parameter `{name}` {why}")));
        };
        statement.raw_bind_parameter(at + 1, as_value(value))?;
    }
    Ok(())
}

fn as_value(given: &str) -> Value {
    let digits = given.strip_prefix('-').unwrap_or(given);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let are_digits =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // An id or a code may begin with zeros.
    let is_number =
        are_digits(whole) && are_digits(part) && (whole == "0" || !whole.starts_with('0'));
    let integer = || given.parse().ok().map(Value::Integer);
    let real = || given.parse().ok().map(Value::Real);
    let number = if is_number { integer().or_else(real) } else { None };
    number.unwrap_or_else(|| Value::Text(given.to_owned()))
}

fn restrict(connection: &mut Connection) -> Result<(), StoreError> {
    for (limit, value) in LIMITS {
        connection.set_limit(limit, value)?;
    }
    connection.authorizer(Some(|context: AuthContext<'_>| authorize(context.action)))?;
    Ok(())
}

fn authorize(action: AuthAction<'_>) -> Authorization {
    let allowed = match action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => true,
        AuthAction::Function { function_name } => !holds(&REACHING, function_name),
        AuthAction::Pragma { pragma_name, pragma_value } => {
            holds(&TELLING, pragma_name)
                || (pragma_value.is_none() && holds(&TELLING_WITHOUT_VALUE, pragma_name))
        }
        _ => false,
    };
    if allowed { Authorization::Allow } else { Authorization::Deny }
}

fn holds(names: &[&str], name: &str) -> bool {
    names.iter().any(|each| each.eq_ignore_ascii_case(name))
}

fn check(statement: &Statement<'_>) -> Result<(), StoreError> {
    let refuse = |message: &str| Err(StoreError::bad_sql(message));
    if !statement.readonly() {
        return refuse("it does more than read");
    }
    if statement.column_count() == 0 {
        return refuse("it asks for nothing");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{Fixture, shown};
    use pretty_assertions::assert_eq;

    const LIMIT: Duration = Duration::from_secs(30);

    fn ask(sql: &str) -> Result<String, StoreError> {
        let archive =
            Fixture::new().with_records("a1 SUCCESS 2026-03-01T10:00:00Z 2026-03-01T10:00:10Z");
        let sandbox = archive.reader().into_sandbox(LIMIT, Zone::UTC).unwrap();
        let mut question = sandbox.ask(sql, &[])?;
        shown(&mut question)
    }

    #[test]
    fn a_reading_statement_is_answered() {
        assert_eq!(
            ask("SELECT status, count(*) AS n FROM invocations GROUP BY 1").unwrap(),
            "status | n\nSUCCESS | 1"
        );
        assert_eq!(ask("VALUES (1);  -- and a comment\n").unwrap(), "column1\n1");
        assert_eq!(ask("SELECT duration_s FROM invocation_details").unwrap(), "duration_s\n10");
        assert_eq!(
            ask("SELECT percentile_disc(value, 0.5) AS p FROM json_each('[3,1,2]')").unwrap(),
            "p\n2"
        );
        assert_eq!(
            ask("SELECT count(*) AS n FROM pragma_table_info('open_records')").unwrap(),
            "n\n5"
        );
        assert_eq!(ask("PRAGMA encoding").unwrap(), "encoding\nUTF-8");
        assert!(ask("EXPLAIN QUERY PLAN SELECT * FROM runs").unwrap().contains("SCAN runs"));
    }

    #[test]
    fn everything_else_is_refused_as_a_mistake_of_the_statement() {
        for sql in [
            "INSERT INTO runs (started_at, updated_at) VALUES ('', '')",
            "WITH x AS (SELECT 1) UPDATE runs SET outcome = 'x'",
            "WITH x AS (SELECT 1) DELETE FROM runs RETURNING id",
            "REPLACE INTO runs (id, started_at, updated_at) VALUES (1, '', '') RETURNING *",
            "CREATE TEMP TABLE t AS SELECT 1",
            "CREATE VIEW v AS SELECT 1",
            "DROP TABLE runs",
            "ATTACH DATABASE 'other.db' AS other",
            "DETACH DATABASE main",
            "VACUUM INTO 'copy.db'",
            "REINDEX",
            "ANALYZE",
            "BEGIN IMMEDIATE",
            "SAVEPOINT s",
            "PRAGMA journal_mode = DELETE",
            "PRAGMA query_only = OFF",
            "PRAGMA writable_schema = ON",
            "PRAGMA wal_checkpoint(TRUNCATE)",
            "PRAGMA user_version = 5",
            "PRAGMA temp_store_directory = '/tmp'",
            "SELECT load_extension('x')",
            "SELECT fts3_tokenizer('simple')",
            "SELECT writefile('x', 'y')",
            "SELECT * FROM pragma_query_only",
            "CREATE VIRTUAL TABLE t USING fts5(x)",
            "SELECT 1; SELECT 2",
            "SELECT 1; garbage",
            "SELECT 1; DROP TABLE runs",
            "SELECT ?1",
            "SELECT :since",
            "SELECT nobody FROM runs",
            "SELECT * FROM runs WHERE outcome = \"complete\"",
            "SELECT zeroblob(1000000000)",
            "SELEC 1",
            "",
            " -- only a comment",
            "SELECT 'a\0b'",
        ] {
            let error = ask(sql).expect_err(sql);
            let is_mistake = matches!(error, StoreError::BadSql { .. } | StoreError::Unfilled(_));
            assert!(is_mistake, "{sql}: {error:?}");
        }
    }

    /// What nothing uses is not compiled in: see `.cargo/config.toml`.
    #[test]
    fn sqlite_has_no_part_that_nothing_uses() {
        let options = ask("PRAGMA compile_options").unwrap();
        assert!(options.contains("OMIT_LOAD_EXTENSION"), "{options}");
        for part in ["ENABLE_FTS3", "ENABLE_FTS5", "ENABLE_RTREE", "ENABLE_DBSTAT_VTAB"] {
            assert!(!options.contains(part), "{part}: {options}");
        }
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        assert_eq!(
            ask("SELECT nobody FROM runs").unwrap_err().to_string(),
            "no such column: nobody (line 1, column 8)"
        );
        assert_eq!(
            ask("SELECT 1; SELECT 2").unwrap_err().to_string(),
            "it holds more than one statement (line 1, column 11)"
        );
        let several = "SELECT ';' AS x\n;-- more\n/* and;\nmore */ SELECT 2";
        assert_eq!(
            ask(several).unwrap_err().to_string(),
            "it holds more than one statement (line 4, column 9)"
        );
        assert_eq!(
            ask("DROP TABLE runs").unwrap_err().to_string(),
            "it does more than read (not authorized)"
        );
    }

    /// The other locks, with the authorizer and the check of the statement out of the way.
    #[test]
    fn the_connection_itself_cannot_write() {
        let archive = Fixture::new();
        let reader = archive.reader();
        for sql in [
            "DELETE FROM runs",
            "CREATE TEMP TABLE t (x)",
            "PRAGMA query_only = OFF; DELETE FROM runs",
        ] {
            let error = StoreError::from(reader.connection.execute_batch(sql).unwrap_err());
            assert!(matches!(error, StoreError::Unwritable(_)), "{sql}: {error:?}");
        }
    }

    /// And the check of the statement, without the authorizer before it.
    #[test]
    fn a_statement_that_answers_and_writes_is_refused() {
        let archive = Fixture::new();
        let reader = archive.reader();
        let writing = reader.connection.prepare("DELETE FROM runs RETURNING id").unwrap();
        assert_eq!(check(&writing).unwrap_err().to_string(), "it does more than read");
        assert!(check(&reader.connection.prepare("SELECT id FROM runs").unwrap()).is_ok());
    }

    fn ask_with(sql: &str, values: &[(&str, &str)]) -> Result<String, String> {
        let archive = Fixture::new();
        let sandbox = archive.reader().into_sandbox(LIMIT, Zone::UTC).unwrap();
        let values: Vec<_> =
            values.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut question = sandbox.ask(sql, &values).map_err(|error| error.to_string())?;
        shown(&mut question).map_err(|error| error.to_string())
    }

    #[test]
    fn parameters_are_bound_and_never_pasted() {
        let kinds = "SELECT typeof(:x) AS t, :x AS x";
        for (given, kind) in [
            ("5", "integer | 5"),
            ("-5", "integer | -5"),
            ("0", "integer | 0"),
            ("0.5", "real | 0.5"),
            ("5.0", "real | 5"),
            ("99999999999999999999", "real | 100000000000000000000"),
            ("007", "text | 007"),
            ("1e3", "text | 1e3"),
            ("-", "text | -"),
            (".5", "text | .5"),
            ("'; DROP TABLE runs --", "text | '; DROP TABLE runs --"),
        ] {
            let answer = ask_with(kinds, &[("x", "1"), ("x", given)]).unwrap();
            assert_eq!(answer.lines().nth(1), Some(kind), "{given}");
        }
        let refused = |sql: &str, values: &[(&str, &str)]| ask_with(sql, values).unwrap_err();
        assert_eq!(refused("SELECT :x", &[]), "its parameter `:x` has no value");
        assert_eq!(refused("SELECT :x", &[("x", "1"), ("y", "2")]), "it has no parameter `:y`");
        assert_eq!(refused("SELECT ?1", &[]), "its parameter `?1` is no `:name`");
        assert_eq!(refused("SELECT ?", &[]), "its parameter `?` is no `:name`");
        assert_eq!(refused("SELECT $x", &[("x", "1")]), "it has no parameter `:x`");
    }

    const ENDLESS: &str = "WITH RECURSIVE n AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM n)";

    #[test]
    fn a_statement_that_never_ends_is_ended() {
        let archive = Fixture::new();
        let sandbox = archive.reader().into_sandbox(Duration::from_millis(50), Zone::UTC).unwrap();
        let mut question = sandbox.ask(&format!("{ENDLESS} SELECT count(*) FROM n"), &[]).unwrap();
        let error = question.rows().next_row().map(|_| ()).unwrap_err();
        assert!(matches!(error, StoreError::TimedOut), "{error:?}");
    }

    #[test]
    fn the_first_rows_of_an_endless_answer_are_there_at_once() {
        let archive = Fixture::new();
        let sandbox = archive.reader().into_sandbox(LIMIT, Zone::UTC).unwrap();
        let mut question = sandbox.ask(&format!("{ENDLESS} SELECT x FROM n"), &[]).unwrap();
        let mut rows = question.rows();
        for _ in 0..1_000 {
            assert!(rows.next_row().unwrap().is_some());
        }
    }
}
