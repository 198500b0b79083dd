//! The records that runs brought or changed, in the order of those runs: a feed for other systems.

use crate::domain::{Cell, count_to_u64};
use crate::store::file::{Reader, StoreError};
use rusqlite::{Connection, OptionalExtension};

/// The columns of a record in the feed.
pub const CHANGE_COLUMNS: [&str; 13] = [
    "change",
    "changed_run_id",
    "end_time",
    "error_code",
    "error_message",
    "extra",
    "first_run_id",
    "function",
    "function_urn",
    "given_up_at",
    "request_id",
    "start_time",
    "status",
];

/// Where a feed ends, and the next one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The last run whose changes are in it.
    pub run: i64,
    /// How many records are in it.
    pub records: u64,
}

/// Sorted by SQLite, which spills to temporary files: the whole table is read, and little memory is
/// used however many records there are.
const SELECT: &str = "
SELECT iif(i.first_run_id > ?1, 'new', 'changed'), i.changed_run_id, i.end_time, i.error_code,
       i.error_message, i.extra, i.first_run_id, f.full_name, f.urn, i.given_up_at, i.request_id,
       i.start_time, i.status
  FROM invocations i
  JOIN functions f ON f.id = i.function_id
 WHERE i.changed_run_id > ?1 AND i.changed_run_id <= ?2
 ORDER BY i.changed_run_id, i.request_id";

impl Reader {
    /// Hands over every record that a run after `after` brought or changed, as it stands now, once
    /// and in the order of the runs that changed them last. Whoever goes on from the cursor misses
    /// none of them: a run that is under way comes with the next feed.
    pub fn changes(
        &mut self,
        after: i64,
        mut visit: impl FnMut(&[Cell<'_>]) -> std::io::Result<()>,
    ) -> Result<Result<Cursor, std::io::Error>, StoreError> {
        let transaction = self.connection.savepoint()?;
        let (last, run) = load_runs(&transaction)?;
        if after > last || after < 0 {
            return Err(StoreError::BadArgument {
                message: format!("this archive has no run {after}: its last one is {last}"),
                hint: "a cursor belongs to the archive that gave it".to_owned(),
            });
        }
        let run = run.max(after);
        let mut select = transaction.prepare(SELECT)?;
        let mut rows = select.query((after, run))?;
        let mut records = 0;
        while let Some(row) = rows.next()? {
            let mut cells = Vec::with_capacity(CHANGE_COLUMNS.len());
            for column in 0..CHANGE_COLUMNS.len() {
                cells.push(row.get_ref(column)?.into());
            }
            if let Err(error) = visit(&cells) {
                return Ok(Err(error));
            }
            records += 1;
        }
        Ok(Ok(Cursor { run, records: count_to_u64(records) }))
    }
}

/// The last run, and the last one that changes nothing any more: it has ended, or another followed
/// it, since one run at a time is at work.
fn load_runs(connection: &Connection) -> Result<(i64, i64), StoreError> {
    let select = "SELECT id, outcome IS NOT NULL FROM runs ORDER BY id DESC LIMIT 1";
    let last = connection.query_row(select, [], |row| {
        let (id, is_over): (i64, bool) = (row.get(0)?, row.get(1)?);
        Ok((id, if is_over { id } else { id - 1 }))
    });
    Ok(last.optional()?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Kept;
    use pretty_assertions::assert_eq;

    fn feed(kept: &Kept, after: i64) -> (Vec<String>, Cursor) {
        let mut told = Vec::new();
        let cursor = kept.reader().changes(after, |cells| {
            let text = |at: usize| match &cells[at] {
                Cell::Text(text) => text.to_string(),
                Cell::Integer(number) => number.to_string(),
                _ => "-".to_owned(),
            };
            told.push([0, 1, 6, 10, 12].map(text).join(" "));
            Ok(())
        });
        (told, cursor.unwrap().unwrap())
    }

    #[test]
    fn every_record_comes_once_in_the_order_of_runs_and_a_run_under_way_comes_later() {
        let mut kept = Kept::new();
        kept.show(0, 10, "b RUNNING - - 1 - -");
        kept.show(0, 10, "a SUCCESS - - 1 2 -");
        assert_eq!(feed(&kept, 0), (vec![], Cursor { run: 0, records: 0 }), "it is under way");
        kept.next_run(100);
        kept.show(1, 100, "c SUCCESS - - 1 2 -");
        let first = ["new 1 1 a SUCCESS", "new 1 1 b RUNNING"].map(str::to_owned).to_vec();
        assert_eq!(feed(&kept, 0), (first, Cursor { run: 1, records: 2 }));
        kept.show(0, 100, "b SUCCESS - - 1 9 -");
        kept.next_run(200);
        let second = ["changed 2 1 b SUCCESS", "new 2 2 c SUCCESS"].map(str::to_owned).to_vec();
        assert_eq!(feed(&kept, 1), (second, Cursor { run: 2, records: 2 }));
        assert_eq!(feed(&kept, 2), (vec![], Cursor { run: 2, records: 0 }));
        let all = feed(&kept, 0).0;
        assert_eq!(all, ["new 1 1 a SUCCESS", "new 2 1 b SUCCESS", "new 2 2 c SUCCESS"]);
        let beyond = kept.reader().changes(9, |_| Ok(()));
        assert!(matches!(beyond, Err(StoreError::BadArgument { .. })));
    }
}
