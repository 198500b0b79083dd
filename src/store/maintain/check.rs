//! Whether the archive is whole: SQLite's own checks, values that can be, the rules, and the
//! digests.

use super::finding::{Finding, Repair};
use super::rules::{INTEGRITY, RULES, WALK_AGAIN};
use super::values::check_values;
use crate::store::file::schema::find_added;
use crate::store::file::{Reader, StoreError};
use crate::store::sql::record::{START, StoredRecord, for_each_record};
use crate::store::write::counts::load_overcounted;
use crate::store::write::digest::{self, Sums};
use crate::store::write::summary_sums::SummarySums;
use crate::store::write::young::Young;
use rusqlite::Connection;

impl Reader {
    /// Every rule that does not hold. Reads the whole file.
    pub fn check(&mut self) -> Result<Vec<Finding>, StoreError> {
        // A savepoint may stand in the transaction of a reader that holds still.
        let transaction = self.connection.savepoint()?;
        let added = or_damage(check_added(&transaction).map(Vec::from_iter))?;
        if !added.is_empty() {
            // An expression of others would be computed for every record of the file.
            return Ok(added);
        }
        let damage = check_integrity(&transaction)?;
        if damage.is_some() {
            // Whatever else a damaged file seems to say may be a consequence.
            return Ok(damage.into_iter().collect());
        }
        let mut findings = or_damage(check_values(&transaction))?;
        for rule in RULES {
            findings.extend(or_damage(rule.check(&transaction).map(Vec::from_iter))?);
        }
        let mut of_records = or_damage(check_records(&transaction))?;
        if of_records.is_empty() {
            // Where the digests are not those of the records, they are no witness against the
            // ledger.
            of_records = or_damage(check_counts(&transaction).map(Vec::from_iter))?;
        }
        findings.extend(of_records);
        Ok(findings)
    }
}

fn check_integrity(connection: &Connection) -> Result<Option<Finding>, StoreError> {
    let found = or_damage(INTEGRITY.check(connection).map(Vec::from_iter))?;
    Ok(found.into_iter().next())
}

fn check_added(connection: &Connection) -> Result<Option<Finding>, StoreError> {
    let mut finding = Finding::new(
        "added",
        "others added what works with every record that is written",
        "remove it with any SQLite tool, as each place says; nothing else was checked",
    );
    find_added(connection)?.into_iter().for_each(|added| finding.add(|| added.to_string()));
    Ok(finding.if_any())
}

/// What was found, or that the file was too damaged to look.
fn or_damage(found: Result<Vec<Finding>, StoreError>) -> Result<Vec<Finding>, StoreError> {
    match found {
        Err(StoreError::Damaged(why)) => {
            let mut damage = INTEGRITY.finding();
            damage.add(|| why);
            Ok(vec![damage])
        }
        other => other,
    }
}

/// Told apart from a rule, since `check --accept` sets it right where records were deleted.
fn check_counts(connection: &Connection) -> Result<Option<Finding>, StoreError> {
    let mut finding =
        Finding::new("window-records", "windows count more records than there are", WALK_AGAIN);
    load_overcounted(connection)?.into_iter().for_each(|place| finding.add(|| place));
    Ok(finding.if_any())
}

/// The records, read once, against the digests and the summaries. Where they are not as they were
/// written, the summaries are those of others.
fn check_records(connection: &Connection) -> Result<Vec<Finding>, StoreError> {
    let (mut digests, mut summaries) = (Sums::default(), SummarySums::default());
    let mut young = Young::new(connection);
    let mut hashes =
        Finding::new("error-hashes", "hashes are not of the errors", Repair::SumUpAgain);
    for_each_record(connection, |record| {
        let StoredRecord { function, columns, first_run, .. } = record;
        digests.add(*function, columns);
        if record.error_hash != record.expected_error_hash() {
            hashes.add(|| record.id());
        }
        summaries.add(*function, columns, young.holds(*first_run, columns[START])?)
    })?;
    let mut finding =
        Finding::new("digests", "records are not as they were written", Repair::CompareDays);
    for day in digest::compare(connection, &digests)? {
        finding.add(|| day.to_string());
    }
    if finding.count == 0 {
        finding = Finding::new("summaries", "summaries are not of the records", Repair::SumUpAgain);
        for day in summaries.compare(connection)? {
            finding.add(|| day);
        }
        return Ok(finding.if_any().into_iter().chain(hashes.if_any()).collect());
    }
    Ok(finding.if_any().into_iter().collect())
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
                "UPDATE functions SET horizon_begin = '2026-03-01T00:00:00Z',
                                      horizon_end = '2026-03-02T12:00:00Z' WHERE id = 1;
                 UPDATE invocations SET given_up_at = '2026-03-03T12:00:00Z'
                     WHERE request_id = 'a3';
                 INSERT INTO open_records VALUES ('a2', 1, '2026-03-01T12:00:00Z',
                     '2026-03-01T12:00:00Z', '2026-03-01T12:00:00Z');
                 INSERT INTO late_records VALUES
                     ('a1', 1, '2026-03-01T10:00:00Z', '2026-03-01T10:01:00Z',
                      '2026-03-01T12:00:00Z', 1);
                 INSERT INTO status_changes VALUES
                     (1, 'a1', 'WAIT', 'RUNNING', '2026-03-01T10:00:00Z', '2026-03-01T10:00:05Z', 1,
                      1),
                     (2, 'a1', 'RUNNING', 'SUCCESS', '2026-03-01T10:00:05Z', '2026-03-01T10:00:15Z',
                      1, 1),
                     (3, 'a1', 'SUCCESS', 'WAIT', '2026-03-01T10:00:15Z', '2026-03-01T10:00:25Z', 0,
                      2);
                 INSERT INTO amendments VALUES (1, 'a1', 'end_time', '2026-03-01T10:00:10Z', NULL,
                     0, '2026-03-01T10:01:00Z', 2);
                 INSERT INTO absences
                     VALUES (2, '2026-03-01T10:00:00Z', '2026-03-01T11:00:00Z', NULL);
                 INSERT INTO recording VALUES
                     (1, 1, '2026-03-01T10:00:00Z', '2026-03-01T12:00:00Z', 1);
                 INSERT INTO reach VALUES
                     (1, '2026-03-01', '2026-03-01T12:00:00Z', '2026-02-01T12:00:00Z', 2419200,
                      NULL, 1);
                 INSERT INTO pruned_days VALUES
                     (2, '2026-02-01', '2026-02-01T07:00:00Z', '2026-02-02T00:00:00Z',
                      '2026-03-01T12:00:00Z', 3, 5, 0, 0, 0, 2, 1, NULL, NULL, NULL);
                 INSERT INTO digests VALUES (2, '2026-02-01', 3, 5);
                 UPDATE sqlite_sequence SET seq = seq + 2 WHERE name = 'status_changes';
                 UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'amendments';
                 INSERT INTO alerts VALUES
                     (1, 'gap', 'default:report', '1 m is not proven', '2026-03-01T10:00:00Z',
                      '2026-03-01T10:00:00Z', '2026-03-01T10:00:00Z', '2026-03-01T11:00:00Z', NULL),
                     (2, 'gap', 'default:report', '1 m is not proven', '2026-03-01T12:00:00Z',
                      '2026-03-01T12:00:00Z', '2026-03-01T12:00:00Z', NULL, NULL);
                 INSERT INTO alert_tellings VALUES
                     (1, 'command', '2026-03-01T10:00:00Z', '2026-03-01T11:00:00Z'),
                     (2, 'command', '2026-03-01T12:00:00Z', NULL);
                 INSERT INTO shared_records VALUES ('a1', 2, 'SUCCESS', NULL, NULL, NULL, NULL, 1,
                     2, NULL);
                 INSERT INTO windows VALUES
                     (1, '2026-03-01T00:00:00Z', '2026-03-01T11:00:00Z', 'settled', 'both', 1, 1, 1,
                      '2026-03-01T12:00:00Z', NULL),
                     (1, '2026-03-01T11:00:00Z', '2026-03-01T12:00:00Z', 'proven', 'seams', 2, 2, 1,
                      '2026-03-01T12:00:00Z', NULL),
                     (1, '2026-03-01T13:00:00Z', '2026-03-01T14:00:00Z', 'settled', 'seams', NULL,
                      0, 1, '2026-03-01T15:00:00Z', NULL);",
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
    #[expect(clippy::too_many_lines, reason = "one table of cases")]
    fn every_rule_sees_its_breach_and_no_other_does() {
        let breaches: &[(&[&str], &str)] = &[
            (&["texts"], "UPDATE runs SET nonce = CAST(x'ff' AS TEXT) WHERE id = 1"),
            (
                &["texts", "function-names"],
                "UPDATE functions SET name = CAST(x'ff' AS TEXT) WHERE id = 1",
            ),
            (&["times"], "UPDATE functions SET horizon_end = '2026-03-02' WHERE id = 1"),
            (
                &["times", "run-endings"],
                "UPDATE runs SET ended_at = 'x026-03-01T12:00:30Z' WHERE id = 1",
            ),
            (&["times"], "UPDATE functions SET gone_at = '12 o''clock' WHERE id = 2"),
            (&["references"], "UPDATE rejects SET function_id = 9"),
            (&["function-names"], "UPDATE functions SET name = 'another' WHERE id = 1"),
            (&["function-names"], "UPDATE functions SET qualifier = 'v1' WHERE id = 2"),
            (&["run-ids"], "UPDATE invocations SET changed_run_id = 9 WHERE request_id = 'a2'"),
            (
                &["run-ids", "summaries"],
                "UPDATE invocations SET first_run_id = 2 WHERE request_id = 'a2'",
            ),
            (&["run-gaps"], "UPDATE runs SET id = 4 WHERE id = 3"),
            (&["run-endings"], "UPDATE runs SET ended_at = '2026-03-01T13:00:30Z' WHERE id = 1"),
            (&["run-endings"], "UPDATE runs SET outcome = 'well' WHERE id = 1"),
            (&["run-endings"], "UPDATE runs SET exit_code = 3 WHERE id = 1"),
            (&["run-endings"], "UPDATE runs SET outcome = NULL WHERE id = 1"),
            (&["run-endings"], "UPDATE runs SET exit_code = 0 WHERE id = 2"),
            (&["run-sources"], "UPDATE runs SET requests = requests + 1 WHERE id = 1"),
            (&["run-sources"], "UPDATE run_sources SET records_late = 1 WHERE run_id = 2"),
            (&["run-sources"], "DELETE FROM run_sources WHERE run_id = 1"),
            (
                &["times-ahead"],
                "UPDATE windows SET walked_at = '2996-03-01T12:00:00Z'
                     WHERE begin_time LIKE '%T11%'",
            ),
            (
                &["times-ahead"],
                "UPDATE windows SET end_time = '2027-03-01T12:00:00Z'
                     WHERE begin_time LIKE '%T13%'",
            ),
            (
                &["times-ahead"],
                "UPDATE functions SET horizon_end = '2926-03-01T12:00:00Z' WHERE id = 1",
            ),
            (
                &["window-bounds"],
                "UPDATE windows SET end_time = '2026-03-01T10:59:59Z'
                     WHERE begin_time LIKE '%T11%'",
            ),
            (
                &["window-horizon"],
                "UPDATE windows SET begin_time = '2016-03-01T00:00:00Z'
                     WHERE begin_time LIKE '%T00%'",
            ),
            (
                &["window-overlap"],
                "UPDATE windows SET end_time = '2026-03-01T11:00:01Z'
                     WHERE begin_time LIKE '%T00%'",
            ),
            (
                &["window-walked"],
                "UPDATE windows SET walked_at = '2026-03-01T11:59:59Z'
                     WHERE begin_time LIKE '%T11%'",
            ),
            (
                &["window-walked"],
                "UPDATE windows SET walked_at = '2026-03-01T13:00:00Z'
                     WHERE begin_time LIKE '%T13%'",
            ),
            (
                &["window-merge"],
                "UPDATE windows SET state = 'settled' WHERE begin_time LIKE '%T11%'",
            ),
            (&["window-proof"], "UPDATE windows SET proof = NULL WHERE begin_time LIKE '%T11%'"),
            (
                &["window-count"],
                "UPDATE windows SET distinct_count = 2 WHERE begin_time LIKE '%T00%'",
            ),
            (
                &["window-count"],
                "UPDATE windows SET reported_count = 3 WHERE begin_time LIKE '%T11%'",
            ),
            (
                &["history-gaps", "window-records"],
                "DELETE FROM status_changes WHERE id = 3;
                 UPDATE windows SET reported_count = 64, distinct_count = 64
                     WHERE begin_time LIKE '%T11%'",
            ),
            (&["window-numbers"], "UPDATE windows SET pages = -1 WHERE begin_time LIKE '%T11%'"),
            (&["horizon"], "UPDATE functions SET horizon_end = horizon_begin WHERE id = 1"),
            (&["horizon"], "UPDATE functions SET horizon_begin = NULL WHERE id = 1"),
            (&["doubt"], "UPDATE functions SET doubted_end = '2026-03-01T00:00:00Z' WHERE id = 1"),
            (&["history-chain"], "UPDATE status_changes SET from_status = 'WAIT' WHERE id = 2"),
            (
                &["history-chain", "history-status"],
                "UPDATE status_changes SET from_status = 'FAIL' WHERE id = 3",
            ),
            (
                &["history-status", "digests"],
                "UPDATE invocations SET status = 'FAIL' WHERE request_id = 'a1'",
            ),
            (&["history-steps"], "UPDATE status_changes SET from_status = 'SUCCESS' WHERE id = 1"),
            (
                &["history-chain", "history-steps"],
                "UPDATE status_changes SET accepted = 0 WHERE id = 1",
            ),
            (
                &["history-status", "history-steps", "history-runs"],
                "UPDATE status_changes SET accepted = 1 WHERE id = 3",
            ),
            (&["history-runs"], "UPDATE status_changes SET run_id = 2 WHERE id = 1"),
            (&["history-runs"], "UPDATE late_records SET run_id = 2"),
            (&["history-gaps"], "DELETE FROM status_changes WHERE id = 1"),
            (&["history-gaps"], "UPDATE amendments SET id = 7"),
            (&["history-gaps"], "UPDATE pruned_days SET status_changes = 1"),
            (
                &["pruned-days"],
                "UPDATE pruned_days SET day = '2026-02-02';
                                UPDATE digests SET day = '2026-02-02' WHERE day = '2026-02-01'",
            ),
            (&["pruned-days"], "UPDATE pruned_days SET end_time = '2026-02-02T00:00:01Z'"),
            (&["pruned-days", "digests"], "UPDATE pruned_days SET records = 4"),
            (&["times"], "UPDATE pruned_days SET pruned_at = 'once'"),
            (
                &["history-times"],
                "UPDATE status_changes SET after_time = '2026-03-01T10:00:06Z' WHERE id = 1",
            ),
            (&["history-records"], "UPDATE late_records SET request_id = 'zz'"),
            (&["history-records"], "UPDATE status_changes SET request_id = 'zz'"),
            (&["history-records"], "UPDATE amendments SET request_id = 'zz'"),
            (&["shared-records"], "UPDATE shared_records SET request_id = 'zz'"),
            (&["shared-records"], "UPDATE shared_records SET function_id = 1"),
            (&["gone-open"], "UPDATE functions SET gone_at = '2026-03-03T12:00:00Z' WHERE id = 1"),
            (
                &["gone-open"],
                "UPDATE invocations SET given_up_at = '2026-03-03T12:00:00Z'
                     WHERE request_id = 'a2'",
            ),
            (&["gone-times"], "UPDATE absences SET until_time = from_time"),
            (
                &["given-up"],
                "UPDATE invocations SET given_up_at = '2026-03-03T12:00:00Z'
                     WHERE request_id = 'a1'",
            ),
            (&["recording-times"], "UPDATE recording SET from_time = '2026-03-02T12:00:00Z'"),
            (&["recording-times"], "UPDATE reach SET day = '2026-03-02'"),
            (&["alerts"], "UPDATE alerts SET ended_at = NULL WHERE id = 1"),
            (&["alerts"], "UPDATE alert_tellings SET ended_told_at = told_at WHERE alert_id = 2"),
            (&["references"], "DELETE FROM alerts WHERE id = 2"),
            (&["times"], "UPDATE alerts SET due_at = 'soon' WHERE id = 2"),
            (&["identity"], "DELETE FROM archive"),
            (&["identity"], "INSERT INTO archive VALUES ('another')"),
            (
                &["open-exists"],
                "UPDATE open_records SET request_id = 'zz';
                 UPDATE invocations SET given_up_at = '2026-03-03T12:00:00Z'
                     WHERE request_id = 'a2'",
            ),
            (&["open-exists"], "UPDATE open_records SET function_id = 2"),
            (&["open-watched"], "DELETE FROM open_records"),
            (&["digests"], "UPDATE invocations SET error_code = 7 WHERE request_id = 'a1'"),
            (
                &["shared-records", "digests"],
                "UPDATE invocations SET function_id = 2 WHERE request_id = 'a1'",
            ),
            (&["digests"], "DELETE FROM digests WHERE day = '2026-03-01'"),
            (&["digests"], "UPDATE digests SET digest = digest + 1"),
            (&["digests"], "UPDATE pruned_days SET digest = 6"),
            (&["summaries"], "UPDATE pruned_days SET count_digest = 6"),
            (&["summaries"], "UPDATE pruned_days SET bytes_digest = 6"),
            (&["summaries"], "UPDATE pruned_days SET duration_digest = 6"),
            (&["summaries"], "UPDATE hourly_counts SET records = 2 WHERE status = 'SUCCESS'"),
            (&["summaries"], "DELETE FROM hourly_counts WHERE status = 'WAIT'"),
            (
                &["summaries"],
                "UPDATE hourly_counts SET hour = '2026-03-01T09:00:00Z' WHERE status = 'WAIT'",
            ),
            (&["summaries"], "UPDATE hourly_counts SET function_id = 2 WHERE status = 'WAIT'"),
            (&["summaries"], "UPDATE hourly_counts SET shape_id = 1 WHERE status = 'WAIT'"),
            (&["summaries"], "UPDATE hourly_counts SET value_bytes = 11 WHERE status = 'WAIT'"),
            (&["summaries"], "UPDATE hourly_counts SET young_records = 0 WHERE status = 'WAIT'"),
            (&["error-hashes"], "UPDATE invocations SET error_hash = 7 WHERE request_id = 'a1'"),
            (&["summaries"], "UPDATE three_hour_durations SET durations = '{\"11\":1}'"),
            (&["summaries"], "UPDATE three_hour_durations SET durations = 'none'"),
            (&["summaries"], "UPDATE three_hour_durations SET longest_s = longest_s + 1"),
            (
                &["summaries"],
                "UPDATE three_hour_durations SET three_hours = '2026-03-01T18:00:00Z'",
            ),
            (
                &["summaries"],
                "INSERT INTO three_hour_durations
                     VALUES (1, 'FAIL', '2026-03-01T06:00:00Z', '{\"3\":1}', 3)",
            ),
            (
                &["open-watched"],
                "UPDATE invocations SET given_up_at = NULL WHERE request_id = 'a3'",
            ),
        ];
        let mut otherwise = Vec::new();
        for (expected, breach) in breaches {
            let archive = sound()
                .with(
                    "INSERT INTO rejects VALUES (1, 1, '2026-03-01T12:00:00Z', 'no id', '{}', 1);
                       INSERT INTO runs (id, started_at, updated_at)
                            VALUES (3, '2026-03-02T13:00:00Z', '2026-03-02T13:00:00Z');
                       PRAGMA ignore_check_constraints = ON;",
                )
                .with(breach);
            otherwise
                .extend(Some((findings(&archive), *breach)).filter(|(found, _)| found != expected));
        }
        assert_eq!(otherwise, []);
        for rule in RULES {
            assert!(
                breaches.iter().any(|(expected, _)| expected.contains(&rule.name)),
                "{} has no breach",
                rule.name
            );
        }
    }

    #[test]
    fn what_is_made_of_the_records_can_be_made_again() {
        let others = "UPDATE hourly_counts SET young_records = 7, records = 0;
                      UPDATE invocations SET status = 'FAIL', error_code = 4
                          WHERE request_id = 'a3';";
        let archive = sound().accepted().with(others);
        assert!(!findings(&archive).is_empty());
        let archive = archive.accepted();
        let of_records = |rule: &&str| ["digests", "summaries", "error-hashes"].contains(rule);
        assert_eq!(findings(&archive).iter().filter(|rule| of_records(rule)).count(), 0);
        let hashes = "SELECT group_concat(request_id) FROM invocations
                       WHERE error_hash IS NOT NULL";
        let failed: String = archive.connection.query_row(hashes, [], |row| row.get(0)).unwrap();
        assert_eq!(failed, "a3");
        assert_eq!(
            findings(&archive.with("UPDATE invocations SET error_hash = 1")),
            ["given-up", "error-hashes"]
        );
    }

    /// Records `a0`, `a1`, … of one status.
    fn records(count: usize, status: &str) -> String {
        let lines: Vec<String> =
            (0..count).map(|id| format!("a{id} {status} 2026-03-01T10:00:00Z -")).collect();
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
