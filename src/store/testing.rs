//! Archives for tests, made of the real migrations and of rows that stand in the test.

use crate::domain::{
    Cell, ErrorCode, FunctionRef, Invocation, RecordCounts, RecordTime, RequestId, Status,
    Timestamp,
};
use crate::plan::clocks::Moment;
use crate::plan::ledger::Entry;
use crate::store::file::schema::{APPLICATION_ID, migrations};
use crate::store::file::{Archive, Reader, StoreError};
use crate::store::reports::Question;
use crate::store::sql::{FunctionId, RunId};
use crate::store::write::{
    Batch, BegunRun, Packed, RunFunction, RunFunctions, RunNow, SeenPage, Tally, digest, summaries,
};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Two functions, a run on 1 March that ended well, and one on 2 March that was killed.
const FRAME: &str = "
    INSERT INTO functions (id, urn, region, project_id, package, name, qualifier, first_seen_at)
        VALUES
        (1, 'urn:fss:cn-north-4:0123:function:default:report', 'cn-north-4', '0123', 'default',
         'report', 'latest',
         '2026-03-01T00:00:00Z'),
        (2, 'urn:fss:cn-north-4:0123:function:billing:invoice', 'cn-north-4', '0123', 'billing',
         'invoice', 'latest',
         '2026-03-01T00:00:00Z');
    INSERT INTO runs (id, started_at, updated_at, ended_at, outcome, exit_code, requests,
                      young_after)
        VALUES
        (1, '2026-03-01T12:00:00Z', '2026-03-01T12:00:30Z', '2026-03-01T12:00:30Z', 'complete', 0,
         9, '2026-02-28T12:00:00Z'),
        (2, '2026-03-02T12:00:00Z', '2026-03-02T12:00:10Z', NULL, NULL, NULL, 4,
         '2026-03-01T12:00:00Z');
    INSERT INTO run_sources (run_id, name, outcome, exit_code, requests) VALUES
        (1, 'cn-north-4', 'complete', 0, 9), (2, 'cn-north-4', NULL, NULL, 4);
";

/// Makes a named pipe. No other process does: between its start and its program it holds every open
/// file, and so the locks of archives that other tests have just let go.
pub(crate) fn make_pipe(path: &Path) {
    let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::from_raw_mode(0o600));
    rustix::fs::mknodat(rustix::fs::CWD, path, kind, mode, 0).unwrap();
}

/// An archive in a directory of its own, with a connection that may write to it.
pub(crate) struct Fixture {
    directory: TempDir,
    pub(crate) connection: Connection,
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

    /// Adds records of function 1, or another one: `id status start end [function]`, `-` for
    /// nothing.
    pub(crate) fn with_records(self, lines: &str) -> Self {
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let fields: Vec<Option<&str>> =
                line.split_whitespace().map(|field| (field != "-").then_some(field)).collect();
            let function = fields.get(4).copied().flatten().unwrap_or("1");
            self.connection
                .execute(
                    "INSERT INTO invocations (request_id, status, start_time, end_time, function_id,
                         first_run_id,
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
        summaries::sum_up_again(&self.connection).unwrap();
        self
    }

    /// Closes the writing connection, which merges the log into the file and removes what lies
    /// beside it.
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

/// The moments of [`Kept`], in seconds after this one.
const BEGIN: i64 = 1_772_323_200;

/// A moment of [`Kept`].
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_unix(BEGIN + second)
}

/// An archive of two functions that is filled as runs fill it.
pub(crate) struct Kept {
    directory: TempDir,
    pub(crate) archive: Archive,
    pub(crate) run: RunId,
    pub(crate) tally: Tally,
    pub(crate) functions: [FunctionId; 2],
    known: RunFunctions,
}

impl Kept {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut archive = Archive::open(&directory.path().join("a.db")).unwrap();
        let begun = archive.begin_run("sync", at(0), &["test"]).unwrap();
        let urn = |name: &str| {
            FunctionRef::Name {
                package: "default".to_owned(),
                name: name.to_owned(),
                qualifier: None,
            }
            .resolve("r", "p")
        };
        let registered = archive.register(&[urn("f"), urn("g")], at(0)).unwrap();
        let functions = [registered[0].id, registered[1].id];
        let mut kept = Self {
            directory,
            archive,
            run: begun.id,
            tally: Tally::default(),
            functions,
            known: RunFunctions::default(),
        };
        kept.enter(&begun);
        kept
    }

    /// A function shows a record at a moment: id, status, code, message, start, end and other
    /// fields, `-` for nothing. Returns the records that changed although they were final.
    pub(crate) fn show(&mut self, function: usize, second: i64, record: &str) -> Vec<RequestId> {
        self.commit(
            second,
            &Batch { pages: vec![self.page(function, second, &[record])], ..Batch::default() },
        )
    }

    pub(crate) fn page(&self, function: usize, second: i64, records: &[&str]) -> SeenPage {
        let records: Vec<Invocation> = records.iter().map(|text| record(text)).collect();
        let (function, records) = (self.functions[function], Packed::of(&records));
        SeenPage { function, records, seen_at: at(second).into() }
    }

    pub(crate) fn commit(&mut self, second: i64, batch: &Batch) -> Vec<RequestId> {
        self.commit_when(at(second).into(), batch)
    }

    pub(crate) fn commit_when(&mut self, now: Moment, batch: &Batch) -> Vec<RequestId> {
        let run = RunNow { id: self.run, now };
        self.archive.commit(run, &self.known, batch, &mut self.tally).unwrap()
    }

    /// Another run begins.
    pub(crate) fn next_run(&mut self, second: i64) {
        let begun = self.archive.begin_run("sync", at(second), &["test"]).unwrap();
        self.enter(&begun);
    }

    fn enter(&mut self, begun: &BegunRun) {
        (self.run, self.tally) = (begun.id, Tally::default());
        let known =
            RunFunction { source: begun.sources[0], ledger: Vec::new().into(), is_new: false };
        self.known = self.functions.into_iter().map(|function| (function, known.clone())).collect();
    }

    /// The run finds that a function has this ledger.
    pub(crate) fn find_ledger(&mut self, function: usize, ledger: &[Entry]) {
        let mut known: Vec<_> =
            self.functions.into_iter().map(|id| (id, self.known[id].clone())).collect();
        known[function].1.ledger = ledger.into();
        self.known = known.into_iter().collect();
    }

    /// What the run did to records so far.
    pub(crate) fn counts(&self) -> RecordCounts {
        self.tally.total().records
    }

    /// The archive as a reader opens it.
    pub(crate) fn reader(&self) -> Reader {
        Reader::open(&self.directory.path().join("a.db")).unwrap()
    }

    /// The rows of an answer, their values separated by blanks.
    pub(crate) fn ask(&self, sql: &str) -> Vec<String> {
        let mut statement = self.archive.connection().prepare(sql).unwrap();
        let columns = statement.column_count();
        let read = |row: &Row<'_>| {
            let value = |column| match row.get_ref(column).unwrap() {
                ValueRef::Null => "-".to_owned(),
                ValueRef::Integer(number) => number.to_string(),
                ValueRef::Text(text) => show_time(str::from_utf8(text).unwrap()),
                other => format!("{other:?}"),
            };
            Ok((0..columns).map(value).collect::<Vec<_>>().join(" "))
        };
        statement.query_map([], read).unwrap().map(Result::unwrap).collect()
    }

    /// The one row of the archive.
    pub(crate) fn row(&self) -> String {
        self.ask(
            "SELECT request_id, status, error_code, error_message, start_time, end_time, extra
                      FROM invocations",
        )
        .join("; ")
    }

    pub(crate) fn amendments(&self) -> Vec<String> {
        self.ask(
            "SELECT field, stood, shown, accepted, seen_at, run_id FROM amendments ORDER BY id",
        )
    }

    pub(crate) fn changes(&self) -> Vec<String> {
        self.ask(
            "SELECT from_status, to_status, after_time, by_time, accepted FROM status_changes
                      ORDER BY id",
        )
    }

    /// What another function shows of the records.
    pub(crate) fn shared(&self) -> Vec<String> {
        self.ask(
            "SELECT request_id, function_id, status, error_code, error_message, start_time,
                 end_time, extra,
                    first_run_id, changed_run_id
               FROM shared_records ORDER BY 1, 2",
        )
    }

    pub(crate) fn digests(&self) -> Vec<String> {
        self.ask("SELECT function_id, records FROM digests ORDER BY 1, 2")
    }

    #[track_caller]
    pub(crate) fn assert_sound(&self) {
        assert_eq!(self.reader().check().unwrap(), []);
    }
}

/// A time of the tests as its second, any other text as it is.
fn show_time(text: &str) -> String {
    match text.parse::<Timestamp>() {
        Ok(moment) => moment.seconds_since(at(0)).to_string(),
        Err(_) => text.to_owned(),
    }
}

/// A record: id, status, code, message, start, end and other fields, `-` for nothing.
pub(crate) fn record(text: &str) -> Invocation {
    let words: Vec<Option<&str>> =
        text.split_whitespace().map(|word| (word != "-").then_some(word)).collect();
    let time = |word: Option<&str>| word.map(|second| RecordTime::At(at(second.parse().unwrap())));
    Invocation {
        request_id: RequestId::new(words[0].unwrap()).unwrap(),
        status: Status::parse(words[1].unwrap_or_default()),
        error_code: words[2].map(|code| ErrorCode::Number(code.parse().unwrap())),
        error_message: words[3].map(Into::into),
        start_time: time(words[4]),
        end_time: time(words[5]),
        extra: words[6].map(Into::into),
    }
}
