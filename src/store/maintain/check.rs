//! Whether the archive is whole: SQLite's own checks, and the rules of the ledger and the history that no constraint holds.

use crate::store::file::{Reader, StoreError};
use crate::store::write::digest::load_tampered;
use rusqlite::{Connection, Row};

/// The most places that a finding names: more than anybody looks at one by one, in little memory.
const MOST_NAMED: usize = 10_000;

/// A rule that does not hold, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// A short name that stays the same, for scripts.
    pub rule: &'static str,
    /// What is wrong, in words.
    pub message: &'static str,
    /// In how many places.
    pub count: u64,
    /// The first of the places.
    pub places: Vec<String>,
    /// What to do.
    pub repair: &'static str,
}

/// A rule, and the statement that names each place where it does not hold.
struct Rule {
    name: &'static str,
    message: &'static str,
    repair: &'static str,
    sql: &'static str,
}

/// What helps when a file was damaged below this program.
const RECOVER: &str = "keep a copy, then recover what can be read: sqlite3 ARCHIVE .recover | sqlite3 RECOVERED.db";

/// What helps when the ledger cannot be trusted for a range: nothing is lost by walking it again.
const WALK_AGAIN: &str =
    "delete these rows from `windows`; the next sync walks the ranges again, as far back as the service reaches";

/// What helps when the history contradicts the records: it cannot be made again.
const KEEP: &str = "the records stand; report this as a defect of fgarchive, with the output of `query transitions`";

/// What helps when records were changed by something else: the service or a copy knows how they were.
const COMPARE: &str = "compare these days with the service as far back as it reaches, `fgarchive verify --since DAY --until NEXT-DAY`, \
     or with a backup; then `fgarchive check --accept` notes the records as they are";

/// Told apart from a statement, since a file that is damaged enough cannot be asked anything else.
const INTEGRITY: Rule = Rule {
    name: "integrity",
    message: "SQLite finds the file damaged",
    repair: RECOVER,
    // It stops by itself at a hundred lines.
    sql: "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
};

const RULES: &[Rule] = &[
    Rule {
        name: "references",
        message: "rows refer to functions or runs that do not exist",
        repair: RECOVER,
        sql: "SELECT \"table\" || coalesce(' row ' || rowid, '') || ' has no ' || parent FROM pragma_foreign_key_check",
    },
    Rule {
        name: "function-names",
        message: "functions are called other than their URN says",
        repair: "correct these columns of `functions` by its `urn`, which is what the service is asked for",
        sql: "SELECT urn FROM functions
               WHERE urn IS NOT 'urn:fss:' || region || ':' || project_id || ':function:' || package || ':' || name
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
        name: "window-bounds",
        message: "windows have bounds that are no times",
        repair: WALK_AGAIN,
        sql: "SELECT function_id || ' ' || begin_time || ' to ' || end_time
                FROM windows
               WHERE strftime('%Y-%m-%dT%H:%M:%SZ', begin_time) IS NOT begin_time
                  OR strftime('%Y-%m-%dT%H:%M:%SZ', end_time) IS NOT end_time
                  OR begin_time >= end_time",
    },
    Rule {
        name: "window-overlap",
        message: "windows of one function overlap",
        repair: WALK_AGAIN,
        sql: "SELECT function_id || ' ' || begin_time || ' to ' || end_time || ', then ' || next
                FROM (SELECT *, lead(begin_time) OVER (PARTITION BY function_id ORDER BY begin_time) AS next FROM windows)
               WHERE next < end_time",
    },
    Rule {
        name: "window-merge",
        message: "settled neighbours are not merged",
        repair: "nothing is wrong with the records; the next sync merges what it settles beside them",
        sql: "SELECT a.function_id || ' ' || a.begin_time || ' to ' || a.end_time || ' to ' || b.end_time
                FROM windows a
                JOIN windows b ON b.function_id = a.function_id AND b.begin_time = a.end_time
               WHERE a.state = 'settled' AND b.state = 'settled'",
    },
    Rule {
        name: "window-proof",
        message: "windows are called complete without a proof, or have one and are not",
        repair: WALK_AGAIN,
        sql: "SELECT function_id || ' ' || begin_time || ' ' || state || ' ' || coalesce(proof, 'without proof')
                FROM windows
               WHERE (state IN ('settled', 'proven')) <> (proof IS NOT NULL)",
    },
    Rule {
        name: "window-count",
        message: "settled windows hold another number of records than the service reported",
        repair: WALK_AGAIN,
        sql: "SELECT function_id || ' ' || begin_time || ' reported ' || reported_count || ', stored ' || distinct_count
                FROM windows
               WHERE state = 'settled' AND reported_count IS NOT NULL AND reported_count <> distinct_count",
    },
    Rule {
        name: "history-chain",
        message: "changes of status do not follow from the one before",
        repair: KEEP,
        sql: "SELECT request_id || ' change ' || id || ' from ' || from_status || ', but it stood at ' || stood
                FROM (SELECT *, lag(iif(accepted, to_status, from_status))
                                OVER (PARTITION BY request_id ORDER BY id) AS stood
                        FROM status_changes)
               WHERE stood <> from_status",
    },
    Rule {
        name: "history-status",
        message: "the accepted changes of records do not lead to their status",
        repair: KEEP,
        sql: "SELECT request_id || ' is ' || status || ', and changed to ' || led_to
                FROM (SELECT i.request_id, i.status,
                             (SELECT c.to_status FROM status_changes c
                               WHERE c.request_id = i.request_id AND c.accepted = 1
                               ORDER BY c.id DESC LIMIT 1) AS led_to
                        FROM (SELECT DISTINCT request_id FROM status_changes) changed
                        JOIN invocations i ON i.request_id = changed.request_id)
               WHERE led_to <> status",
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
        message: "records of functions that are gone are still waited for, or of functions that are there are not",
        repair: "the records stand; the next sync that finds the function gone, or there again, sets it right",
        sql: "SELECT o.request_id || ' of function ' || f.id
                FROM open_records o
                JOIN functions f ON f.id = o.function_id
                JOIN invocations i ON i.request_id = o.request_id
               WHERE (f.gone_at IS NULL) <> (i.given_up_at IS NULL)",
    },
    Rule {
        name: "gone-times",
        message: "functions went and came at what are no times, or in a wrong order",
        repair: "delete these rows from `absences`, or set `gone_at` to NULL; the next sync looks for the function",
        sql: "SELECT function_id || ' from ' || from_time || ' until ' || until_time
                FROM (SELECT function_id, from_time, until_time FROM absences
                       UNION ALL SELECT id, gone_at, '9999' FROM functions WHERE gone_at IS NOT NULL)
               WHERE strftime('%Y-%m-%dT%H:%M:%SZ', from_time) IS NOT from_time
                  OR from_time >= until_time",
    },
    Rule {
        name: "identity",
        message: "the archive has no identity, or several",
        repair: "delete all rows but one from `archive`, or insert one with any id; `backup` knows copies by it",
        sql: "SELECT count(*) || ' rows in archive' FROM archive HAVING count(*) <> 1",
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

impl Reader {
    /// Every rule that does not hold. Reads the whole file.
    pub fn check(&mut self) -> Result<Vec<Finding>, StoreError> {
        let transaction = self.connection.transaction()?;
        let damage = check_integrity(&transaction)?;
        if damage.is_some() {
            // Whatever else a damaged file seems to say may be a consequence.
            return Ok(damage.into_iter().collect());
        }
        let rules = RULES.iter().filter_map(|rule| check_rule(&transaction, rule).transpose());
        rules.chain(check_digests(&transaction).transpose()).collect()
    }
}

fn check_integrity(connection: &Connection) -> Result<Option<Finding>, StoreError> {
    match check_rule(connection, &INTEGRITY) {
        Err(StoreError::Damaged(text)) => Ok(Some(Finding { count: 1, places: vec![text], ..INTEGRITY.finding() })),
        other => other,
    }
}

/// Told apart from a statement, since SQLite has no such hash.
fn check_digests(connection: &Connection) -> Result<Option<Finding>, StoreError> {
    let tampered = load_tampered(connection)?;
    let places = tampered.iter().take(MOST_NAMED).map(ToString::to_string).collect();
    let finding = Finding {
        rule: "digests",
        message: "records are not as they were written",
        count: tampered.len() as u64,
        places,
        repair: COMPARE,
    };
    Ok((finding.count > 0).then_some(finding))
}

fn check_rule(connection: &Connection, rule: &Rule) -> Result<Option<Finding>, StoreError> {
    let mut finding = rule.finding();
    let mut statement = connection.prepare(rule.sql)?;
    let places = statement.query_map([], |row: &Row<'_>| row.get::<_, Option<String>>(0))?;
    for place in places {
        finding.count += 1;
        if finding.places.len() < MOST_NAMED {
            finding.places.extend(place?);
        }
    }
    Ok((finding.count > 0).then_some(finding))
}

impl Rule {
    fn finding(&self) -> Finding {
        Finding { rule: self.name, message: self.message, count: 0, places: Vec::new(), repair: self.repair }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Fixture;
    use pretty_assertions::assert_eq;
    use std::fs;

    /// An archive that keeps every rule and has something for each of them.
    fn sound() -> Fixture {
        Fixture::new()
            .with_records(
                "a1 SUCCESS 2026-03-01T10:00:00Z 2026-03-01T10:00:10Z
                 a2 RUNNING 2026-03-01T11:00:00Z -
                 a3 WAIT 2026-03-01T11:30:00Z -",
            )
            .with(
                "UPDATE invocations SET given_up_at = '2026-03-15T12:00:00Z' WHERE request_id = 'a3';
                 INSERT INTO open_records VALUES ('a2', 1, '2026-03-01T12:00:00Z', '2026-03-01T12:00:00Z', '2026-03-01T12:00:00Z');
                 INSERT INTO late_records VALUES
                     ('a1', 1, '2026-03-01T10:00:00Z', '2026-03-01T10:01:00Z', '2026-03-01T12:00:00Z', 1);
                 INSERT INTO status_changes VALUES
                     (1, 'a1', 'WAIT', 'RUNNING', '2026-03-01T10:00:00Z', '2026-03-01T10:00:05Z', 1, 1),
                     (2, 'a1', 'RUNNING', 'SUCCESS', '2026-03-01T10:00:05Z', '2026-03-01T10:00:15Z', 1, 1),
                     (3, 'a1', 'SUCCESS', 'WAIT', '2026-03-01T10:00:15Z', '2026-03-01T10:00:25Z', 0, 2);
                 INSERT INTO amendments VALUES (1, 'a1', 'end_time', '2026-03-01T10:00:10Z', NULL, 0, '2026-03-01T10:01:00Z', 2);
                 INSERT INTO shared_records VALUES ('a1', 2, 'SUCCESS', NULL, NULL, NULL, NULL, 1, 2, NULL);
                 INSERT INTO windows VALUES
                     (1, '2026-03-01T00:00:00Z', '2026-03-01T11:00:00Z', 'settled', 'both', 1, 1, 1, '2026-03-01T12:00:00Z', NULL),
                     (1, '2026-03-01T11:00:00Z', '2026-03-01T12:00:00Z', 'proven', 'seams', 3, 2, 1, '2026-03-01T12:00:00Z', NULL),
                     (1, '2026-03-01T13:00:00Z', '2026-03-01T14:00:00Z', 'settled', 'seams', NULL, 0, 1, '2026-03-01T15:00:00Z', NULL);",
            )
    }

    fn findings(archive: &Fixture) -> Vec<&'static str> {
        archive.reader().check().unwrap().iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn a_sound_archive_has_no_finding() {
        assert_eq!(findings(&sound()), [""; 0]);
    }

    /// Each breach is seen by its own rule, and breaks nothing else.
    #[test]
    fn every_rule_sees_its_breach_and_no_other_does() {
        let breaches: &[(&[&str], &str)] = &[
            (&["references"], "UPDATE rejects SET function_id = 9"),
            (&["function-names"], "UPDATE functions SET name = 'another' WHERE id = 1"),
            (&["function-names"], "UPDATE functions SET qualifier = 'v1' WHERE id = 2"),
            (&["run-ids"], "UPDATE invocations SET changed_run_id = 9 WHERE request_id = 'a1'"),
            (&["run-ids"], "UPDATE invocations SET first_run_id = 2 WHERE request_id = 'a1'"),
            (&["window-bounds"], "UPDATE windows SET end_time = '2026-03-01T14:00:00' WHERE begin_time LIKE '%T13%'"),
            (&["window-overlap"], "UPDATE windows SET end_time = '2026-03-01T11:00:01Z' WHERE begin_time LIKE '%T00%'"),
            (
                &["window-merge"],
                "UPDATE windows SET state = 'settled', reported_count = 2 WHERE begin_time LIKE '%T11%'",
            ),
            (&["window-proof"], "UPDATE windows SET proof = NULL WHERE begin_time LIKE '%T11%'"),
            (&["window-count"], "UPDATE windows SET distinct_count = 2 WHERE begin_time LIKE '%T00%'"),
            (&["history-chain"], "UPDATE status_changes SET from_status = 'WAIT' WHERE id = 2"),
            (&["history-chain"], "UPDATE status_changes SET from_status = 'FAIL' WHERE id = 3"),
            (&["history-status", "digests"], "UPDATE invocations SET status = 'FAIL' WHERE request_id = 'a1'"),
            (&["history-times"], "UPDATE status_changes SET after_time = '2026-03-01T10:00:06Z' WHERE id = 1"),
            (&["history-records"], "UPDATE late_records SET request_id = 'zz'"),
            (&["history-records"], "UPDATE status_changes SET request_id = 'zz'"),
            (&["history-records"], "UPDATE amendments SET request_id = 'zz'"),
            (&["shared-records"], "UPDATE shared_records SET request_id = 'zz'"),
            (&["shared-records"], "UPDATE shared_records SET function_id = 1"),
            (&["gone-open"], "UPDATE functions SET gone_at = '2026-03-15T12:00:00Z' WHERE id = 1"),
            (&["gone-open"], "UPDATE invocations SET given_up_at = '2026-03-15T12:00:00Z' WHERE request_id = 'a2'"),
            (&["gone-times"], "UPDATE functions SET gone_at = 'yesterday' WHERE id = 2"),
            (&["gone-times"], "INSERT INTO absences VALUES (1, '2026-03-01T11:00:00Z', '2026-03-01T10:00:00Z')"),
            (&["identity"], "DELETE FROM archive"),
            (&["identity"], "INSERT INTO archive VALUES ('another')"),
            (&["open-exists"], "INSERT INTO open_records VALUES ('zz', 1, '', '', '')"),
            (&["open-exists"], "UPDATE open_records SET function_id = 2"),
            (&["open-watched"], "DELETE FROM open_records"),
            (&["digests"], "UPDATE invocations SET error_code = 7 WHERE request_id = 'a1'"),
            (&["shared-records", "digests"], "UPDATE invocations SET function_id = 2 WHERE request_id = 'a1'"),
            (&["digests"], "DELETE FROM digests WHERE day = '2026-03-01'"),
            (&["digests"], "UPDATE digests SET digest = digest + 1"),
            (&["open-watched"], "UPDATE invocations SET given_up_at = NULL WHERE request_id = 'a3'"),
        ];
        for (expected, breach) in breaches {
            let archive = sound()
                .with(
                    "INSERT INTO rejects VALUES (1, 1, '2026-03-01T12:00:00Z', 'no id', '{}', 1);
                       PRAGMA ignore_check_constraints = ON;",
                )
                .with(breach);
            assert_eq!(findings(&archive), *expected, "{breach}");
        }
        for rule in RULES {
            assert!(breaches.iter().any(|(expected, _)| expected.contains(&rule.name)), "{} has no breach", rule.name);
        }
    }

    /// Records `a0`, `a1`, … of one status.
    fn records(count: usize, status: &str) -> String {
        let lines: Vec<String> = (0..count).map(|id| format!("a{id} {status} 2026-03-01T10:00:00Z -")).collect();
        lines.join("\n")
    }

    #[test]
    fn a_finding_counts_and_names_its_places() {
        let archive = Fixture::new().with_records(&records(9, "WAIT"));
        let findings = archive.reader().check().unwrap();
        assert_eq!((findings.len(), findings[0].count), (1, 9));
        let places: Vec<String> = (0..9).map(|number| format!("a{number} WAIT")).collect();
        assert_eq!(findings[0].places, places);
    }

    #[test]
    fn damage_is_a_finding() {
        let directory = Fixture::new().with_records(&records(2_000, "SUCCESS")).closed();
        let path = directory.path().join("archive.db");
        let mut bytes = fs::read(&path).unwrap();
        let end = bytes.len();
        bytes[end - 4096..].fill(0xa5);
        fs::write(&path, bytes).unwrap();
        let findings = Reader::open(&path).unwrap().check().unwrap();
        assert_eq!(findings.iter().map(|finding| finding.rule).collect::<Vec<_>>(), ["integrity"]);
    }
}
