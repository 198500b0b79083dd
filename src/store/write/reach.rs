//! What the archive knows that can show how far back the service reaches.

use crate::domain::{RequestId, Timestamp, count_to_u64};
use crate::plan::reach::{Measured, ReachProbe};
use crate::store::file::{Archive, StoreError};
use crate::store::sql::ids::{FunctionId, RunId};
use crate::store::sql::record::read_moment;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};
use std::time::Duration;

/// What was measured of the reach on a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReachDay {
    /// On this day so far.
    pub today: Measured,
    /// On the last day before it on which anything was.
    pub before: Measured,
}

impl Archive {
    /// The last archived record of a function that was over by a moment, and took less than an
    /// hour: by whichever of its times the service files it, it is looked for there.
    pub fn load_reach_probe(
        &self,
        function: FunctionId,
        by: Timestamp,
    ) -> Result<Option<ReachProbe>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT request_id, start_time, end_time
               FROM invocations
              WHERE function_id = :function_id AND start_time < :by AND end_time < :by
                AND unixepoch(end_time) - unixepoch(start_time) BETWEEN 0 AND 3599
              UNION ALL
             SELECT request_id, start_time, end_time
               FROM shared_records
              WHERE function_id = :function_id AND start_time < :by AND end_time < :by
                AND unixepoch(end_time) - unixepoch(start_time) BETWEEN 0 AND 3599
              UNION ALL
             SELECT last_id, last_start_time, last_end_time
               FROM pruned_days
              WHERE function_id = :function_id AND last_start_time < :by AND last_end_time < :by
              ORDER BY start_time DESC
              LIMIT 1",
        )?;
        let parameters = named_params! { ":function_id": function, ":by": by };
        Ok(statement.query_row(parameters, load_probe).optional()?.flatten())
    }
}

impl Archive {
    /// What was measured of a function's reach, on the day of `now` and before.
    pub fn load_reach(&self, function: FunctionId, now: Timestamp) -> Result<ReachDay, StoreError> {
        let today = load_measured(self.connection(), function, "day = substr(:now, 1, 10)", now)?;
        let before = load_measured(self.connection(), function, "day < substr(:now, 1, 10)", now)?;
        Ok(ReachDay { today: today.unwrap_or_default(), before: before.unwrap_or_default() })
    }
}

/// What was measured on the last of some days.
fn load_measured(
    connection: &Connection,
    function: FunctionId,
    days: &str,
    now: Timestamp,
) -> Result<Option<Measured>, StoreError> {
    let select = format!(
        "SELECT reach_s, forgotten_s FROM reach WHERE function_id = :function_id AND {days}
             ORDER BY day DESC LIMIT 1"
    );
    let parameters = named_params! { ":function_id": function, ":now": now };
    let mut statement = connection.prepare_cached(&select)?;
    Ok(statement.query_row(parameters, |row| read_measured(row, 0)).optional()?)
}

/// The two ages of a row, from this column on.
pub(in crate::store) fn read_measured(row: &Row<'_>, column: usize) -> rusqlite::Result<Measured> {
    let age = |column| -> rusqlite::Result<Option<Duration>> {
        Ok(row.get::<_, Option<i64>>(column)?.map(|age| Duration::from_secs(count_to_u64(age))))
    };
    Ok(Measured { shown: age(column)?, forgotten: age(column + 1)? })
}

/// Adds to what was measured that day: the oldest that was shown, and the youngest that was not.
pub(in crate::store) fn save_measured(
    transaction: &Transaction<'_>,
    run: RunId,
    function: FunctionId,
    at: Timestamp,
    measured: Measured,
) -> Result<(), StoreError> {
    let seconds =
        |age: Option<Duration>| age.map(|age| i64::try_from(age.as_secs()).unwrap_or(i64::MAX));
    transaction
        .prepare_cached(
            "INSERT INTO reach (function_id, day, noted_at, oldest_time, reach_s, forgotten_s,
                 run_id)
             VALUES (:function_id, substr(:noted_at, 1, 10), :noted_at, :oldest_time, :reach_s,
                 :forgotten_s, :run)
                 ON CONFLICT (function_id, day) DO UPDATE
                SET noted_at = excluded.noted_at,
                    oldest_time = coalesce(min(oldest_time, excluded.oldest_time), oldest_time,
                        excluded.oldest_time),
                    reach_s = coalesce(max(reach_s, excluded.reach_s), reach_s, excluded.reach_s),
                    forgotten_s = coalesce(min(forgotten_s, excluded.forgotten_s), forgotten_s,
                        excluded.forgotten_s),
                    run_id = excluded.run_id
              WHERE coalesce(excluded.reach_s > coalesce(reach_s, 0), 0)
                 OR coalesce(excluded.forgotten_s < coalesce(forgotten_s, 9e18), 0)",
        )?
        .execute(named_params! {
            ":function_id": function,
            ":noted_at": at,
            ":oldest_time": measured.shown.map(|age| at - age),
            ":reach_s": seconds(measured.shown),
            ":forgotten_s": seconds(measured.forgotten),
            ":run": run,
        })?;
    Ok(())
}

/// None where the times of the service are no moments.
fn load_probe(row: &Row<'_>) -> rusqlite::Result<Option<ReachProbe>> {
    let request_id: RequestId = row.get("request_id")?;
    let times = read_moment(row, "start_time")?.zip(read_moment(row, "end_time")?);
    Ok(times.map(|(started_at, ended_at)| ReachProbe { request_id, started_at, ended_at }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::schedule::ServiceFact;
    use crate::store::testing::{Kept, at};
    use crate::store::write::Batch;

    #[test]
    fn a_probe_is_the_last_short_record_that_was_over_by_then() {
        let mut kept = Kept::new();
        for record in [
            "a SUCCESS - - 100 200 -",
            "b SUCCESS - - 110 3709 -",
            "c SUCCESS - - 120 3720 -",
            "d SUCCESS - - 130 4000 -",
            "e RUNNING - - 140 - -",
            "f SUCCESS - - 4000 4001 -",
            "g SUCCESS - - 150 140 -",
        ] {
            kept.show(0, 5_000, record);
        }
        kept.show(1, 5_000, "h SUCCESS - - 160 170 -");
        let probe = |by| {
            let probe = kept.archive.load_reach_probe(kept.functions[0], at(by)).unwrap();
            probe.map(|probe| (probe.request_id.to_string(), probe.started_at, probe.ended_at))
        };
        let found = |id: &str, start, end| Some((id.to_owned(), at(start), at(end)));
        assert_eq!(
            probe(4_001),
            found("b", 110, 3_709),
            "an hour is too long, and what ends then is not over"
        );
        assert_eq!(probe(4_002), found("f", 4_000, 4_001));
        assert_eq!(probe(3_709), found("a", 100, 200));
        assert_eq!(probe(200), None);
    }

    /// Hours, `shown` and `forgotten`, as they are kept of a day on which several were measured.
    #[test]
    fn a_day_keeps_the_oldest_shown_and_the_youngest_forgotten() {
        let hours = |hours: u64| Some(Duration::from_hours(hours)).filter(|_| hours > 0);
        let mut kept = Kept::new();
        let function = kept.functions[0];
        for (second, shown, forgotten) in
            [(0, 30, 0), (10, 0, 90), (20, 48, 99), (30, 40, 80), (86_400, 25, 0)]
        {
            let fact =
                ServiceFact::Reach(Measured { shown: hours(shown), forgotten: hours(forgotten) });
            let facts = vec![(function, at(second), fact)];
            kept.commit(second, &Batch { facts, ..Batch::default() });
        }
        let days = kept.archive.load_reach(function, at(86_500)).unwrap();
        assert_eq!(days.today, Measured { shown: hours(25), forgotten: None });
        assert_eq!(days.before, Measured { shown: hours(48), forgotten: hours(80) });
        assert_eq!(kept.ask("SELECT noted_at FROM reach ORDER BY day"), ["30", "86400"]);
        let others = kept.archive.load_reach(kept.functions[1], at(86_500)).unwrap();
        assert_eq!(others, ReachDay::default());
    }
}
