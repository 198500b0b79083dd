//! The counts of the ledger, held against the records that were written: a window that was proven
//! cannot hold more than its days do.
//!
//! By the digests, so that it costs no second reading of all records. A day is more than the part
//! of it that a window may have, and records that came late are in no count, so this finds what is
//! far too high and no more. Where records were seen to change their start, or stepped back, a walk
//! may have counted one where it is no longer filed: then nothing is told. Nor is it of a function
//! that shows records of another one: what those were before has no history.

use crate::store::file::StoreError;
use rusqlite::Connection;

/// The windows that count more records than there can be, and how many those are.
const OVERCOUNTED: &str = "
    SELECT * FROM (
        SELECT w.function_id, w.begin_time, w.distinct_count,
               (SELECT coalesce(sum(d.records), 0) FROM digests d
                 WHERE d.function_id = w.function_id
                   AND d.day BETWEEN substr(w.begin_time, 1, 10) AND substr(w.end_time, 1, 10))
                   AS most
          FROM windows w
         WHERE w.state IN ('settled', 'proven')
           AND w.function_id NOT IN (SELECT function_id FROM shared_records))
     WHERE distinct_count > most
       AND NOT EXISTS (SELECT 1 FROM amendments WHERE field = 'start_time')
       AND NOT EXISTS (SELECT 1 FROM status_changes WHERE accepted = 0)";

/// The windows that count more records than their days hold, each as a place.
pub(in crate::store) fn load_overcounted(
    connection: &Connection,
) -> Result<Vec<String>, StoreError> {
    let select = format!(
        "SELECT function_id || ' ' || begin_time || ' counts ' || distinct_count
                || ' records, and its days hold ' || most FROM ({OVERCOUNTED})"
    );
    let mut statement = connection.prepare(&select)?;
    let places = statement.query_map([], |row| {
        Ok(String::from_utf8_lossy(row.get_ref(0)?.as_bytes()?).into_owned())
    })?;
    Ok(places.collect::<Result<_, _>>()?)
}

/// Holds the counts of the ledger to the records, after those were accepted as they are: what was
/// deleted is not counted any more, and what the service reported is no longer what is stored.
pub(in crate::store) fn accept_counts(connection: &Connection) -> Result<(), StoreError> {
    let update = format!(
        "UPDATE windows SET reported_count = NULL, distinct_count = o.most FROM ({OVERCOUNTED}) o
          WHERE windows.function_id = o.function_id AND windows.begin_time = o.begin_time"
    );
    connection.execute(&update, [])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::file::Archive;
    use crate::store::testing::Fixture;
    use pretty_assertions::assert_eq;

    /// Two records on each of two days, of which a window has an hour each.
    fn counting(first: i64, second: i64) -> Fixture {
        Fixture::new()
            .with_records(
                "a SUCCESS 2026-03-01T10:00:00Z -
                 b SUCCESS 2026-03-01T23:00:00Z -
                 c SUCCESS 2026-03-02T10:00:00Z -
                 d SUCCESS 2026-03-02T11:00:00Z -",
            )
            .with(&format!(
                "INSERT INTO windows VALUES
                     (1, '2026-03-01T10:00:00Z', '2026-03-01T11:00:00Z', 'settled', 'count',
                      {first}, {first}, 1,
                      '2026-03-02T12:00:00Z', NULL),
                     (1, '2026-03-01T23:30:00Z', '2026-03-02T11:00:00Z', 'settled', 'count',
                      {second}, {second}, 1,
                      '2026-03-02T12:00:00Z', NULL)"
            ))
    }

    fn overcounted(archive: &Fixture) -> Vec<String> {
        load_overcounted(&archive.reader().connection).unwrap()
    }

    #[test]
    fn a_window_counts_no_more_than_its_days_hold() {
        assert_eq!(overcounted(&counting(2, 4)), [""; 0]);
        let expected = [
            "1 2026-03-01T10:00:00Z counts 3 records, and its days hold 2",
            "1 2026-03-01T23:30:00Z counts 5 records, and its days hold 4",
        ];
        assert_eq!(overcounted(&counting(3, 5)), expected);
    }

    #[test]
    fn nothing_is_told_of_a_function_that_shows_records_of_another() {
        let shared = |function| {
            format!(
                "INSERT INTO shared_records VALUES ('x', {function}, 'WAIT', NULL, NULL, NULL,
                     NULL, 1, 1, NULL)"
            )
        };
        assert_eq!(overcounted(&counting(7, 9).with(&shared(1))), [""; 0]);
        assert_eq!(overcounted(&counting(7, 9).with(&shared(2))).len(), 2);
    }

    #[test]
    fn nothing_is_told_where_records_may_have_changed_their_day() {
        let moved = "INSERT INTO amendments VALUES (1, 'a', 'start_time', 'x', 'y', 1,
                         '2026-03-01T12:00:00Z', 1)";
        let back =
            "INSERT INTO status_changes VALUES (1, 'a', 'FAIL', 'WAIT', '2026', '2026', 0, 1)";
        for sql in [moved, back] {
            assert_eq!(overcounted(&counting(3, 5).with(sql)), [""; 0], "{sql}");
        }
    }

    #[test]
    fn what_was_deleted_and_accepted_is_not_counted_any_more() {
        let directory =
            counting(2, 2).with("DELETE FROM invocations WHERE request_id IN ('a', 'c')").closed();
        let mut archive = Archive::open(&directory.path().join("archive.db")).unwrap();
        archive.accept_records().unwrap();
        let mut select = archive
            .connection()
            .prepare("SELECT distinct_count, reported_count FROM windows")
            .unwrap();
        let counts = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let counts: Vec<(i64, Option<i64>)> = counts.collect::<Result<_, _>>().unwrap();
        assert_eq!(counts, [(1, None), (2, Some(2))]);
    }
}
