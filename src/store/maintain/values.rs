//! Whether every stored value can be what it is kept as: texts in UTF-8, our own times as times.
//!
//! SQLite keeps any bytes as a text, also in a strict table, so its own check passes over them.
//! What the service sent in `invocations` is left to the digests, which are summed from the same
//! bytes.

use super::finding::Finding;
use crate::domain::Timestamp;
use crate::store::file::StoreError;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

/// What can be done about a value that nobody can tell any more.
const PUT_RIGHT: &str = "put back a backup, or correct these values; a row of `windows` may be \
                         deleted, since the next sync walks its range again as far back as the \
                         service reaches";

/// So much of a value is shown, in characters.
const SHOWN: usize = 40;

/// What is read of a table, and which of it are times of ours.
struct Table {
    name: &'static str,
    /// The first column tells the row.
    rows: &'static str,
    times: &'static [&'static str],
}

const TABLES: &[Table] = &[
    Table { name: "archive", rows: "SELECT * FROM archive", times: &[] },
    Table {
        name: "functions",
        rows: "SELECT * FROM functions",
        times: &[
            "first_seen_at",
            "gone_at",
            "absent_at",
            "horizon_begin",
            "horizon_end",
            "doubted_begin",
            "doubted_end",
        ],
    },
    Table {
        name: "absences",
        rows: "SELECT * FROM absences",
        times: &["from_time", "until_time", "absent_at"],
    },
    Table {
        name: "runs",
        rows: "SELECT * FROM runs",
        times: &["started_at", "updated_at", "ended_at", "young_after"],
    },
    Table { name: "run_sources", rows: "SELECT * FROM run_sources", times: &[] },
    Table {
        name: "invocations",
        rows: "SELECT request_id, given_up_at FROM invocations WHERE given_up_at IS NOT NULL",
        times: &["given_up_at"],
    },
    Table {
        name: "status_changes",
        rows: "SELECT * FROM status_changes",
        times: &["after_time", "by_time"],
    },
    Table { name: "amendments", rows: "SELECT * FROM amendments", times: &["seen_at"] },
    Table { name: "shared_records", rows: "SELECT * FROM shared_records", times: &[] },
    Table {
        name: "open_records",
        rows: "SELECT * FROM open_records",
        times: &["opened_at", "seen_at", "checked_at"],
    },
    Table {
        name: "windows",
        rows: "SELECT * FROM windows",
        times: &["begin_time", "end_time", "walked_at"],
    },
    Table {
        name: "late_records",
        rows: "SELECT * FROM late_records",
        times: &["start_time", "missed_at", "seen_at"],
    },
    Table {
        name: "verifications",
        rows: "SELECT * FROM verifications",
        times: &["begin_time", "end_time", "verified_at"],
    },
    Table { name: "digests", rows: "SELECT * FROM digests", times: &[] },
    Table {
        name: "pruned_days",
        rows: "SELECT * FROM pruned_days",
        times: &["begin_time", "end_time", "pruned_at", "last_start_time", "last_end_time"],
    },
    Table { name: "hourly_counts", rows: "SELECT * FROM hourly_counts", times: &[] },
    Table { name: "three_hour_durations", rows: "SELECT * FROM three_hour_durations", times: &[] },
    Table { name: "error_shapes", rows: "SELECT * FROM error_shapes", times: &[] },
    Table {
        name: "recording",
        rows: "SELECT * FROM recording",
        times: &["from_time", "until_time"],
    },
    Table { name: "reach", rows: "SELECT * FROM reach", times: &["noted_at", "oldest_time"] },
    Table { name: "probes", rows: "SELECT * FROM probes", times: &["probed_at"] },
    Table {
        name: "alerts",
        rows: "SELECT * FROM alerts",
        times: &["began_at", "due_at", "seen_at", "ended_at"],
    },
    Table {
        name: "alert_tellings",
        rows: "SELECT * FROM alert_tellings",
        times: &["told_at", "ended_told_at"],
    },
    Table { name: "rejects", rows: "SELECT * FROM rejects", times: &["seen_at"] },
];

/// The values that cannot be what they are kept as.
pub(super) fn check_values(connection: &Connection) -> Result<Vec<Finding>, StoreError> {
    let mut unfit = Unfit {
        texts: Finding::new("texts", "texts are not UTF-8", PUT_RIGHT),
        times: Finding::new("times", "times of this program's own are no times", PUT_RIGHT),
    };
    TABLES.iter().try_for_each(|table| unfit.read(connection, table))?;
    Ok([unfit.texts, unfit.times].into_iter().filter_map(Finding::if_any).collect())
}

/// What was found so far.
struct Unfit {
    texts: Finding,
    times: Finding,
}

impl Unfit {
    fn read(&mut self, connection: &Connection, table: &Table) -> Result<(), StoreError> {
        let mut select = connection.prepare(table.rows)?;
        let of = |name: &str| (name.to_owned(), table.times.contains(&name));
        let columns: Vec<(String, bool)> = select.column_names().map(of).collect();
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            for (at, (name, is_time)) in columns.iter().enumerate() {
                if let ValueRef::Text(bytes) = row.get_ref(at)? {
                    self.judge(bytes, *is_time, || place(table, name, bytes, row));
                }
            }
        }
        Ok(())
    }

    fn judge(&mut self, bytes: &[u8], must_be_time: bool, place: impl FnOnce() -> String) {
        match str::from_utf8(bytes) {
            Err(_) => self.texts.add(place),
            Ok(text) if must_be_time && !is_time(text) => self.times.add(place),
            Ok(_) => {}
        }
    }
}

/// Whether this is exactly what we write.
fn is_time(text: &str) -> bool {
    text.parse::<Timestamp>().is_ok_and(|time| time.to_text() == text.as_bytes())
}

/// Such as `windows.end_time of 3: 2026-03-01 12:00`.
fn place(table: &Table, column: &str, value: &[u8], row: &Row<'_>) -> String {
    let key = row.get_ref(0).map_or(String::new(), |key| match key {
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Text(bytes) => shown(bytes),
        _ => String::new(),
    });
    format!("{}.{column} of {key}: {}", table.name, shown(value))
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Fixture;
    use pretty_assertions::assert_eq;

    /// The times of the service, which may be anything.
    const OF_THE_SERVICE: [&str; 4] = [
        "invocations.start_time",
        "invocations.end_time",
        "shared_records.start_time",
        "shared_records.end_time",
    ];

    /// A table or a time that a later migration adds is looked at as well, or named above.
    #[test]
    fn every_time_of_every_table_is_looked_at() {
        let archive = Fixture::new();
        let reader = archive.reader();
        let columns =
            "SELECT t.name, c.name FROM pragma_table_list t JOIN pragma_table_info(t.name) c
                        WHERE t.type = 'table' AND t.schema = 'main'
                          AND t.name NOT LIKE 'sqlite_%' AND t.name NOT LIKE 'refinery_%'";
        let mut select = reader.connection.prepare(columns).unwrap();
        let columns = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        for column in columns {
            let (table, column): (String, String) = column.unwrap();
            let known = TABLES.iter().find(|known| known.name == table).expect(&table);
            let is_time = ["_at", "_time", "_begin", "_end", "_after"]
                .iter()
                .any(|end| column.ends_with(end));
            let is_exempt = OF_THE_SERVICE.contains(&format!("{table}.{column}").as_str());
            assert_eq!(
                known.times.contains(&column.as_str()),
                is_time && !is_exempt,
                "{table}.{column}"
            );
        }
    }

    #[test]
    fn a_time_is_what_this_program_writes() {
        assert!(is_time("2026-02-28T23:59:59Z") && is_time("0001-01-01T00:00:00Z"));
        for text in [
            "2026-02-30T00:00:00Z",
            "2026-02-28 23:59:59Z",
            "2026-02-28T23:59:59",
            "zzz",
            "",
            "2026-02-28T24:00:00Z",
        ] {
            assert!(!is_time(text), "{text}");
        }
    }

    #[test]
    fn values_that_cannot_be_are_named_with_their_row() {
        let archive = Fixture::new().with_records("a RUNNING - -").with(
            "UPDATE functions SET horizon_begin = 'zzz', name = CAST(x'72ff' AS TEXT)
                     WHERE id = 2;
                 UPDATE runs SET ended_at = '2026-13-01T12:00:00Z', nonce = CAST(x'ff' AS TEXT)
                     WHERE id = 1;
                 UPDATE invocations SET given_up_at = 'never';
                 INSERT INTO windows VALUES
                     (1, '2026-03-01T00:00:00Z', CAST('2026' || x'ff' AS TEXT), 'settled', 'both',
                      1, 1, 1, '2026', NULL)",
        );
        let findings = check_values(&archive.reader().connection).unwrap();
        let named: Vec<_> =
            findings.iter().map(|finding| (finding.rule, finding.places.join(", "))).collect();
        let texts = "functions.name of 2: r\u{fffd}, functions.full_name of 2: billing:r\u{fffd}, \
                     runs.nonce of 1: \u{fffd}, windows.end_time of 1: 2026\u{fffd}";
        let times = "functions.horizon_begin of 2: zzz, runs.ended_at of 1: 2026-13-01T12:00:00Z, \
                     invocations.given_up_at of a: never, windows.walked_at of 1: 2026";
        assert_eq!(named, [("texts", texts.to_owned()), ("times", times.to_owned())]);
    }
}
