//! The rules of the ledger and the history that no constraint holds: a statement each, which names
//! where it is broken.
//!
//! A rule says what holds in every archive that this program alone has written, whatever the
//! service showed and whichever clock was wrong; `tests/simulation` checks every archive after
//! every run.

use super::finding::Finding;
use crate::store::file::StoreError;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

/// A rule, and the statement that names each place where it does not hold.
pub(super) struct Rule {
    pub(super) name: &'static str,
    message: &'static str,
    repair: &'static str,
    sql: &'static str,
}

impl Rule {
    /// The rule as a finding, in no place yet.
    pub(super) fn finding(&self) -> Finding {
        Finding::new(self.name, self.message, self.repair)
    }

    /// Where it does not hold, if anywhere. A damaged text is named as far as it can be read.
    pub(super) fn check(&self, connection: &Connection) -> Result<Option<Finding>, StoreError> {
        let mut finding = self.finding();
        let mut statement = connection.prepare(self.sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            finding.add(|| place(row));
        }
        Ok(finding.if_any())
    }
}

fn place(row: &Row<'_>) -> String {
    match row.get_ref(0) {
        Ok(ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned(),
        _ => "a row that cannot be named".to_owned(),
    }
}

/// What helps when a file was damaged below this program.
const RECOVER: &str = "keep a copy, then put back a backup, or recover what can be read: \
     sqlite3 ARCHIVE .recover | sqlite3 RECOVERED.db";

/// What helps when the ledger cannot be trusted for a range: nothing is lost by walking it again.
pub(super) const WALK_AGAIN: &str = "delete these rows from `windows`; the next sync walks the \
                                     ranges again, as far back as the service reaches";

/// What helps when the history contradicts the records: it cannot be made again.
const KEEP: &str = "the records stand; put back a backup, or, where nothing else wrote to the \
                    archive, report this as a defect of fgarchive, with the output of `query \
                    transitions`";

/// Told apart from a statement, since a file that is damaged enough cannot be asked anything else.
pub(super) const INTEGRITY: Rule = Rule {
    name: "integrity",
    message: "SQLite finds the file damaged",
    repair: RECOVER,
    // It stops by itself at a hundred lines.
    sql: "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "references",
        message: "rows refer to functions or runs that do not exist",
        repair: RECOVER,
        sql: "SELECT \"table\" || coalesce(' row ' || rowid, '') || ' has no ' || parent
                  FROM pragma_foreign_key_check",
    },
    Rule {
        name: "function-names",
        message: "functions are called other than their URN says",
        repair: "correct these columns of `functions` by its `urn`, which is what the service is \
                 asked for",
        sql: "SELECT urn FROM functions
               WHERE urn IS NOT 'urn:fss:' || region || ':' || project_id || ':function:' || package
                   || ':' || name
                                || iif(qualifier = 'latest', '', ':' || qualifier)",
    },
    Rule {
        name: "run-ids",
        message: "records name runs that do not exist, or changed before they were first seen",
        repair: KEEP,
        sql: "SELECT i.request_id || ' runs ' || i.first_run_id || ' to ' || i.changed_run_id
                FROM invocations i
                LEFT JOIN runs a ON a.id = i.first_run_id
                LEFT JOIN runs b ON b.id = i.changed_run_id
               WHERE a.id IS NULL OR b.id IS NULL OR i.first_run_id > i.changed_run_id",
    },
    Rule {
        name: "run-gaps",
        message: "runs are missing",
        repair: "the records stand; put back a backup, or insert the missing numbers as runs that \
                 were killed: INSERT INTO runs (id, started_at, updated_at) VALUES (NUMBER, TIME, \
                 TIME)",
        sql: "SELECT count(*) || ' runs, and the last has the number ' || max(id)
                FROM runs HAVING count(*) <> coalesce(max(id), 0)",
    },
    Rule {
        name: "run-endings",
        message: "runs ended in a way in which none ends",
        repair: "correct these rows of `runs`, or set `ended_at`, `outcome` and `exit_code` to \
                 NULL, as of a run that was killed",
        // The last commit of a run is the one that notes its end.
        sql: "SELECT id || ' ended ' || coalesce(ended_at, 'never')
                        || ' ' || coalesce(outcome, 'without an outcome')
                        || ' ' || coalesce(exit_code, 'without a code')
                FROM runs
               WHERE ended_at IS NOT iif(outcome IS NULL, NULL, updated_at)
                  OR NOT coalesce(CASE outcome
                                      WHEN 'complete' THEN exit_code = 0
                                      WHEN 'incomplete' THEN exit_code IN (2, 3)
                                      WHEN 'denied' THEN exit_code = 4
                                      WHEN 'found' THEN exit_code = 7
                                      WHEN 'interrupted' THEN exit_code = 130
                                      ELSE outcome IS NULL AND exit_code IS NULL
                                  END, 0)",
    },
    Rule {
        name: "run-sources",
        message: "runs count otherwise than their sources together",
        repair: "put back a backup, or correct these rows of `runs` or `run_sources`",
        sql: "WITH sums AS (
                  SELECT run_id, sum(requests) AS requests, sum(retries) AS retries,
                         sum(throttled) AS throttled, sum(verify_requests) AS verifying,
                         sum(records_seen) AS seen, sum(records_new) AS new,
                         sum(records_changed) AS changed, sum(records_late) AS late,
                         sum(records_rejected) AS rejected, sum(functions_unreadable) AS unreadable
                    FROM run_sources GROUP BY run_id)
              SELECT id || ' counts ' || r.requests || ' requests and ' || r.records_seen
                  || ' records, and its sources '
                        || coalesce(s.requests, 0) || ' and ' || coalesce(s.seen, 0)
                FROM runs r LEFT JOIN sums s ON s.run_id = r.id
               WHERE (r.requests, r.retries, r.throttled, r.verify_requests, r.records_seen)
                     IS NOT (coalesce(s.requests, 0), coalesce(s.retries, 0),
                         coalesce(s.throttled, 0),
                             coalesce(s.verifying, 0), coalesce(s.seen, 0))
                  OR (r.records_new, r.records_changed, r.records_late, r.records_rejected,
                      r.functions_unreadable)
                     IS NOT (coalesce(s.new, 0), coalesce(s.changed, 0), coalesce(s.late, 0),
                             coalesce(s.rejected, 0), coalesce(s.unreadable, 0))",
    },
    Rule {
        name: "times-ahead",
        message: "times lie more than a day after the last run",
        repair: "put back a backup, or set these times to that of the last run; a row of `windows` \
                 may be deleted, and the next sync walks its range again",
        // A run that was killed before its first commit may have noted something after it began.
        sql: "WITH last AS (
                  SELECT strftime('%Y-%m-%dT%H:%M:%SZ',
                                  max(max(started_at, updated_at, coalesce(ended_at, ''))),
                                  '+1 day') AS run
                    FROM runs
              ), told (place, time) AS (
                  SELECT 'functions ' || id, horizon_end FROM functions
                   UNION ALL
                  SELECT 'functions ' || id, gone_at FROM functions
                   UNION ALL
                  SELECT 'functions ' || id, first_seen_at FROM functions
                   UNION ALL
                  SELECT 'absences ' || function_id, from_time FROM absences
                   UNION ALL
                  SELECT 'invocations ' || request_id, given_up_at
                    FROM invocations WHERE given_up_at IS NOT NULL
                   UNION ALL
                  SELECT 'open_records ' || request_id, max(seen_at, checked_at) FROM open_records
                   UNION ALL
                  SELECT 'windows ' || function_id || ' ' || begin_time, walked_at FROM windows
                   UNION ALL
                  SELECT 'windows ' || function_id || ' ' || begin_time, end_time
                    FROM windows WHERE state IN ('settled', 'proven')
                   UNION ALL
                  SELECT 'late_records ' || request_id, seen_at FROM late_records
                   UNION ALL
                  SELECT 'verifications ' || id, verified_at FROM verifications
                   UNION ALL
                  SELECT 'recording ' || function_id, until_time FROM recording
                   UNION ALL
                  SELECT 'reach ' || function_id, noted_at FROM reach
              )
              SELECT place || ' ' || time FROM told, last WHERE time > last.run",
    },
    Rule {
        name: "window-bounds",
        message: "windows end before they begin",
        repair: WALK_AGAIN,
        sql: "SELECT function_id || ' ' || begin_time || ' to ' || end_time
                FROM windows WHERE begin_time >= end_time",
    },
    Rule {
        name: "window-horizon",
        message: "windows begin before anything was to be archived",
        repair: "put back a backup; or delete these rows from `windows`, and the next sync walks \
                 again what is to be archived; or, where `horizon_begin` of the function is what \
                 is wrong, set it and `horizon_end` to NULL",
        sql: "SELECT w.function_id || ' ' || w.begin_time || ', and its function is archived from '
                        || f.horizon_begin
                FROM windows w
                JOIN functions f ON f.id = w.function_id
               WHERE w.begin_time < f.horizon_begin",
    },
    Rule {
        name: "window-walked",
        message: "windows are called complete that were not over when they were walked",
        repair: WALK_AGAIN,
        // A merged row has the earliest of its walks, which began after the end of the part that it
        // walked.
        sql: "SELECT function_id || ' ' || begin_time || ' to ' || end_time || ', walked '
                  || walked_at
                FROM windows
               WHERE state = 'proven' AND walked_at < end_time
                  OR state = 'settled' AND walked_at <= begin_time",
    },
    Rule {
        name: "window-overlap",
        message: "windows of one function overlap",
        repair: WALK_AGAIN,
        sql: "SELECT function_id || ' ' || begin_time || ' to ' || end_time || ', then ' || next
                FROM (SELECT *, lead(begin_time) OVER
                                 (PARTITION BY function_id ORDER BY begin_time) AS next
                        FROM windows)
               WHERE next < end_time",
    },
    Rule {
        name: "window-merge",
        message: "settled neighbours are not merged",
        repair: "nothing is wrong with the records; the next sync merges what it settles beside \
                 them",
        sql: "SELECT a.function_id || ' ' || a.begin_time || ' to ' || a.end_time || ' to '
                  || b.end_time
                FROM windows a
                JOIN windows b ON b.function_id = a.function_id AND b.begin_time = a.end_time
               WHERE a.state = 'settled' AND b.state = 'settled'",
    },
    Rule {
        name: "window-proof",
        message: "windows are called complete without a proof, or have one and are not",
        repair: WALK_AGAIN,
        sql: "SELECT function_id || ' ' || begin_time || ' ' || state || ' '
                  || coalesce(proof, 'without proof')
                FROM windows
               WHERE (state IN ('settled', 'proven')) <> (proof IS NOT NULL)",
    },
    Rule {
        name: "window-count",
        message: "windows that are called complete hold another number of records than was \
                  reported",
        repair: WALK_AGAIN,
        sql: "SELECT function_id || ' ' || begin_time || ' reported ' || reported_count
                        || ', stored ' || distinct_count
                FROM windows
               WHERE state <> 'unproven' AND reported_count <> distinct_count",
    },
    Rule {
        name: "window-numbers",
        message: "windows have counts below nothing",
        repair: WALK_AGAIN,
        sql: "SELECT function_id || ' ' || begin_time
                FROM windows WHERE min(coalesce(reported_count, 0), distinct_count, pages) < 0",
    },
    Rule {
        name: "horizon",
        message: "what of functions is to be archived ends before it begins",
        repair: "set `horizon_begin` and `horizon_end` of these rows of `functions` to NULL; the \
                 next sync notes them again",
        sql: "SELECT urn || ' from ' || coalesce(horizon_begin, 'no time')
                         || ' until ' || coalesce(horizon_end, 'no time')
                FROM functions
               WHERE horizon_begin >= horizon_end
                  OR (horizon_begin IS NULL) <> (horizon_end IS NULL)",
    },
    Rule {
        name: "doubt",
        message: "what is doubted of a function's ledger ends before it begins",
        repair: "set `doubted_begin` and `doubted_end` of these rows of `functions` to NULL, and \
                 verify what lies between",
        sql: "SELECT urn || ' from ' || coalesce(doubted_begin, 'no time')
                         || ' until ' || coalesce(doubted_end, 'no time')
                FROM functions
               WHERE doubted_begin >= doubted_end
                  OR (doubted_begin IS NULL) <> (doubted_end IS NULL)",
    },
    Rule {
        name: "history-chain",
        message: "changes of status do not follow from the one before",
        repair: KEEP,
        sql: "SELECT request_id || ' change ' || id || ' from ' || from_status
                  || ', but it stood at ' || stood
                FROM (SELECT *, lag(iif(accepted, to_status, from_status))
                                OVER (PARTITION BY request_id ORDER BY id) AS stood
                        FROM status_changes)
               WHERE stood <> from_status",
    },
    Rule {
        name: "history-status",
        message: "the changes of records do not lead to their status",
        repair: KEEP,
        sql: "SELECT request_id || ' is ' || status || ', and after its changes it stood at '
                  || stood
                FROM (SELECT i.request_id, i.status,
                             (SELECT iif(c.accepted, c.to_status, c.from_status)
                              FROM status_changes c
                               WHERE c.request_id = i.request_id
                               ORDER BY c.id DESC LIMIT 1) AS stood
                        FROM (SELECT DISTINCT request_id FROM status_changes) changed
                        JOIN invocations i ON i.request_id = changed.request_id)
               WHERE stood <> status",
    },
    Rule {
        name: "history-steps",
        message: "changes of status were accepted that go back, or were not although they do not",
        repair: KEEP,
        // As `plan::reconcile` has it: a status that is not known is neither before nor after
        // another.
        sql: "WITH steps (status, step) AS (
                  VALUES ('WAIT', 0), ('RUNNING', 1), ('SUCCESS', 2), ('FAIL', 2), ('DISCARD', 2)
              )
              SELECT c.request_id || ' change ' || c.id || ' from ' || c.from_status
                        || ' to ' || c.to_status
                FROM status_changes c
                LEFT JOIN steps a ON a.status = c.from_status
                LEFT JOIN steps b ON b.status = c.to_status
               WHERE c.from_status = c.to_status
                  OR c.accepted = (c.from_status <> ''
                                   AND (c.to_status = '' OR coalesce(a.step > b.step, 0)))",
    },
    Rule {
        name: "history-runs",
        message: "what changed, or came late, did so in a run that cannot have seen it",
        repair: KEEP,
        sql: "SELECT i.request_id || ' in ' || h.place || ', run ' || h.run_id
                FROM (SELECT request_id, 'status_changes' AS place, run_id,
                             iif(accepted, run_id, 0) AS changed
                        FROM status_changes
                       UNION ALL SELECT request_id, 'amendments', run_id, 0 FROM amendments
                       UNION ALL SELECT request_id, 'late_records', run_id, 0 FROM late_records) h
                JOIN invocations i ON i.request_id = h.request_id
               WHERE h.run_id < i.first_run_id OR h.changed > i.changed_run_id
                  OR (h.place = 'late_records' AND h.run_id <> i.first_run_id)",
    },
    Rule {
        name: "history-gaps",
        message: "rows of the history are missing",
        repair: "put back a backup; where you deleted them yourself, number the rest anew in their \
                 order, from 1 on without a gap, and set `seq` of the table in `sqlite_sequence` \
                 to how many there are, and were pruned",
        // SQLite keeps the last number that it gave in a table of its own, also of a row that is
        // gone. Those that `prune` removed are counted.
        sql: "WITH pruned AS (
                  SELECT coalesce(sum(status_changes), 0) AS changes,
                         coalesce(sum(amendments), 0) AS amendments
                    FROM pruned_days
              ), told (place, count, last) AS (
                  SELECT 'status_changes', count(*) + (SELECT changes FROM pruned), max(id)
                    FROM status_changes
                   UNION ALL
                  SELECT 'amendments', count(*) + (SELECT amendments FROM pruned), max(id)
                    FROM amendments
              ), numbered AS (
                  SELECT place, count, max(coalesce(last, 0), coalesce(seq, 0)) AS last
                    FROM told LEFT JOIN sqlite_sequence s ON s.name = place
              )
              SELECT place || ' has or had ' || count || ' rows, and the last has the number '
                         || last
                FROM numbered WHERE count <> last",
    },
    Rule {
        name: "history-times",
        message: "changes of status end before they begin",
        repair: KEEP,
        sql: "SELECT request_id || ' change ' || id || ' after ' || after_time || ' by ' || by_time
                FROM status_changes WHERE after_time > by_time",
    },
    Rule {
        name: "history-records",
        message: "changes of status, amendments or late records belong to no record",
        repair: KEEP,
        sql: "SELECT request_id || ' in ' || place
                FROM (SELECT DISTINCT request_id, 'status_changes' AS place FROM status_changes
                       UNION ALL SELECT DISTINCT request_id, 'amendments' FROM amendments
                       UNION ALL SELECT request_id, 'late_records' FROM late_records)
               WHERE request_id NOT IN (SELECT request_id FROM invocations)",
    },
    Rule {
        name: "shared-records",
        message: "records that a second function shows do not exist, or belong to that function",
        repair: "delete these rows from `shared_records`",
        sql: "SELECT s.request_id || ' of function ' || s.function_id
                FROM shared_records s
                LEFT JOIN invocations i ON i.request_id = s.request_id
               WHERE i.function_id IS NULL OR i.function_id = s.function_id",
    },
    Rule {
        name: "gone-open",
        message: "records of functions that are gone are still waited for, or of functions that \
                  are there are not",
        repair: "the records stand; the next sync that finds the function gone, or there again, \
                 sets it right",
        sql: "SELECT o.request_id || ' of function ' || f.id
                FROM open_records o
                JOIN functions f ON f.id = o.function_id
                JOIN invocations i ON i.request_id = o.request_id
               WHERE (f.gone_at IS NULL) <> (i.given_up_at IS NULL)",
    },
    Rule {
        name: "gone-times",
        message: "functions came back before they went",
        repair: "delete these rows from `absences`; the next sync looks for the function",
        sql: "SELECT function_id || ' from ' || from_time || ' until ' || until_time
                FROM absences WHERE from_time >= until_time",
    },
    Rule {
        name: "pruned-days",
        message: "what was noted of pruned days cannot be",
        repair: "put back a backup; the summaries of these days stand",
        sql: "SELECT p.function_id || ' ' || p.day || ' from ' || p.begin_time || ' until '
                         || p.end_time || ', ' || p.records || ' of '
                         || coalesce(d.records, 'no') || ' records'
                FROM pruned_days p
                LEFT JOIN digests d ON d.function_id = p.function_id AND d.day = p.day
               WHERE substr(p.begin_time, 1, 10) <> p.day
                  OR p.begin_time >= p.end_time
                  OR p.end_time > strftime('%Y-%m-%dT00:00:00Z', p.day, '+1 day')
                  OR min(p.records, p.status_changes, p.amendments) < 0
                  OR p.records > coalesce(d.records, -1)",
    },
    Rule {
        name: "given-up",
        message: "records that have ended are called given up",
        repair: "set `given_up_at` of these rows of `invocations` to NULL",
        // Those of a function that is gone stay among the open ones. A status that nobody knows has
        // ended where a time tells so.
        sql: "SELECT i.request_id || ' ' || i.status
                FROM invocations i
               WHERE i.given_up_at IS NOT NULL
                 AND (i.status IN ('SUCCESS', 'FAIL', 'DISCARD')
                      OR i.status NOT IN ('WAIT', 'RUNNING')
                          AND i.end_time GLOB '????-??-??T??:??:??Z')
                 AND NOT EXISTS (SELECT 1 FROM open_records o WHERE o.request_id = i.request_id)",
    },
    Rule {
        name: "recording-times",
        message: "what was noted of the service has times that contradict each other",
        repair: "delete these rows; the next sync asks for it again",
        sql:
            "SELECT 'recording ' || function_id || ' from ' || from_time || ' until ' || until_time
                FROM recording WHERE from_time > until_time
               UNION ALL
              SELECT 'reach ' || function_id || ' on ' || day || ', noted ' || noted_at
                FROM reach WHERE day IS NOT substr(noted_at, 1, 10)",
    },
    Rule {
        name: "identity",
        message: "the archive has no identity, or several",
        repair: "delete all rows but one from `archive`, or insert one with any id; `backup` knows \
                 copies by it",
        sql: "SELECT count(*) || ' rows in archive' FROM archive HAVING count(*) <> 1",
    },
    Rule {
        name: "alerts",
        message: "alerts contradict each other, or what was told of them",
        repair: "delete these rows from `alert_tellings` and `alerts`; what still holds is told \
                 anew",
        sql: "SELECT name || ' of ' || subject || ' holds ' || count(*) || ' times'
                FROM alerts WHERE ended_at IS NULL GROUP BY name, subject HAVING count(*) > 1
               UNION ALL
              SELECT a.id || ' was told to be over and holds'
                FROM alerts a JOIN alert_tellings t ON t.alert_id = a.id
               WHERE a.ended_at IS NULL AND t.ended_told_at IS NOT NULL",
    },
    Rule {
        name: "open-exists",
        message: "open records do not exist, or belong to another function",
        repair: "delete these rows from `open_records`",
        sql: "SELECT o.request_id
                FROM open_records o
                LEFT JOIN invocations i ON i.request_id = o.request_id
               WHERE i.function_id IS NOT o.function_id",
    },
    Rule {
        name: "open-watched",
        message: "records in WAIT or RUNNING are neither watched nor given up",
        repair: "insert them into `open_records`; the next sync asks for them again",
        sql: "SELECT i.request_id || ' ' || i.status
                FROM invocations i
               WHERE i.status IN ('WAIT', 'RUNNING') AND i.given_up_at IS NULL
                 AND NOT EXISTS (SELECT 1 FROM open_records o WHERE o.request_id = i.request_id)",
    },
];
