//! Archives for tests, made of the real migrations and of rows that stand in the test.

use super::schema::{APPLICATION_ID, migrations};
use super::{Cell, Question, Reader, StoreError, digest};
use rusqlite::Connection;
use std::path::PathBuf;
use tempfile::TempDir;

/// Two functions, a run on 1 March that ended well, and one on 2 March that was killed.
const FRAME: &str = "
    INSERT INTO functions VALUES
        (1, 'urn:fss:cn-north-4:0123:function:default:report', 'cn-north-4', '0123', 'default', 'report', 'latest',
         '2026-03-01T00:00:00Z'),
        (2, 'urn:fss:cn-north-4:0123:function:billing:invoice', 'cn-north-4', '0123', 'billing', 'invoice', 'latest',
         '2026-03-01T00:00:00Z');
    INSERT INTO runs (id, started_at, updated_at, ended_at, outcome, exit_code, requests) VALUES
        (1, '2026-03-01T12:00:00Z', '2026-03-01T12:00:30Z', '2026-03-01T12:00:30Z', 'complete', 0, 9),
        (2, '2026-03-02T12:00:00Z', '2026-03-02T12:00:10Z', NULL, NULL, NULL, 4);
";

/// An archive in a directory of its own, with a connection that may write to it.
pub(crate) struct Fixture {
    directory: TempDir,
    connection: Connection,
}

impl Fixture {
    /// An archive with two functions and two runs, and nothing else.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut connection = Connection::open(directory.path().join("archive.db")).unwrap();
        connection.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        migrations().run(&mut connection).unwrap();
        // Tests of `check` break what the archive would never write.
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        connection.execute_batch(FRAME).unwrap();
        Self { directory, connection }
    }

    /// Where the archive is.
    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("archive.db")
    }

    /// Runs statements in the archive.
    pub(crate) fn with(self, sql: &str) -> Self {
        self.connection.execute_batch(sql).unwrap();
        self
    }

    /// Adds records of function 1, or another one: `id status start end [function]`, `-` for nothing.
    pub(crate) fn with_records(self, lines: &str) -> Self {
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let fields: Vec<Option<&str>> =
                line.split_whitespace().map(|field| (field != "-").then_some(field)).collect();
            let function = fields.get(4).copied().flatten().unwrap_or("1");
            self.connection
                .execute(
                    "INSERT INTO invocations (request_id, status, start_time, end_time, function_id, first_run_id,
                                              changed_run_id)
                     VALUES (?1, ?2, ?3, ?4, ?5, 1, 1)",
                    (fields[0], fields[1], fields[2], fields[3], function),
                )
                .unwrap();
        }
        self.accepted()
    }

    /// Notes the records as they are, as a run does that writes them.
    pub(crate) fn accepted(self) -> Self {
        let tampered = digest::load_tampered(&self.connection).unwrap();
        digest::accept(&self.connection, &tampered).unwrap();
        self
    }

    /// Closes the writing connection, which merges the log into the file and removes what lies beside it.
    pub(crate) fn closed(self) -> TempDir {
        self.connection.close().unwrap();
        self.directory
    }

    /// The archive as a reader opens it.
    pub(crate) fn reader(&self) -> Reader {
        Reader::open(&self.path()).unwrap()
    }
}

/// An answer as text: the header and one line a row, cells separated by ` | `.
pub(crate) fn shown(question: &mut Question<'_>) -> Result<String, StoreError> {
    let mut lines = vec![question.columns().join(" | ")];
    let mut rows = question.rows();
    while let Some(row) = rows.next_row()? {
        let cells = row.cells().map(|cell| match cell {
            Cell::Null => String::new(),
            Cell::Integer(number) => number.to_string(),
            Cell::Real(number) => number.to_string(),
            Cell::Text(text) => text.into_owned(),
            Cell::Blob(bytes) => hex::encode(bytes),
        });
        lines.push(cells.collect::<Vec<_>>().join(" | ").trim_end().to_owned());
    }
    Ok(lines.join("\n"))
}
