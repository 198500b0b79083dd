//! What is archived of a range of a function's time.

use crate::domain::{Interval, Timestamp, count_to_u64};
use crate::store::file::{Archive, StoreError};
use crate::store::sql::ids::FunctionId;
use crate::store::sql::record::read_moment;
use rusqlite::named_params;

impl Archive {
    /// How many records that a function shows are archived that began in a range of time.
    pub fn count_started(&self, function: FunctionId, range: Interval) -> Result<u64, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT (SELECT count(*) FROM invocations
                      WHERE function_id = :function_id AND start_time >= :begin
                          AND start_time < :end)
                  + (SELECT count(*) FROM shared_records
                      WHERE function_id = :function_id AND start_time >= :begin
                          AND start_time < :end)",
        )?;
        let parameters = named_params! {
            ":function_id": function,
            ":begin": range.begin(),
            ":end": range.end(),
        };
        Ok(count_to_u64(statement.query_row(parameters, |row| row.get(0))?))
    }

    /// From start to end, the latest `most` records of a function that began in a range of time and
    /// are archived as ended for good.
    pub fn load_ended(
        &self,
        function: FunctionId,
        range: Interval,
        most: u32,
    ) -> Result<Vec<Interval>, StoreError> {
        let Some(range) = self.days_with_records(function, range)? else { return Ok(Vec::new()) };
        let mut statement = self.connection().prepare_cached(
            "SELECT start_time, end_time
               FROM invocations
              WHERE function_id = :function_id AND start_time >= :begin AND start_time < :end
                AND end_time IS NOT NULL
                AND request_id NOT IN (SELECT request_id FROM open_records)
              ORDER BY start_time DESC
              LIMIT :most",
        )?;
        let parameters = named_params! {
            ":function_id": function,
            ":begin": range.begin(),
            ":end": range.end(),
            ":most": most,
        };
        let lasted = statement.query_map(parameters, |row| {
            let start = read_moment(row, "start_time")?;
            Ok(start.zip(read_moment(row, "end_time")?))
        })?;
        let spanning = |(start, end)| Interval::spanning(start, end);
        let lasted = lasted.filter_map(Result::transpose).map(|times| times.map(spanning));
        Ok(lasted.collect::<Result<_, _>>()?)
    }

    /// The part of a range from the first of its days to the last on which a function has records:
    /// the index by start holds those of all functions, and a month of others is not gone through
    /// for one that has none.
    fn days_with_records(
        &self,
        function: FunctionId,
        range: Interval,
    ) -> Result<Option<Interval>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT min(day) || 'T00:00:00Z', max(day) || 'T23:59:59Z' FROM digests
              WHERE function_id = ?1 AND records > 0
                AND day BETWEEN substr(?2, 1, 10) AND substr(?3, 1, 10)",
        )?;
        let (first, last): (Option<Timestamp>, Option<Timestamp>) = statement
            .query_row((function, range.begin(), range.end()), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let days = first.zip(last).map(|(first, last)| Interval::spanning(first, last));
        Ok(days.and_then(|days| days.intersect(range)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{Kept, at};

    #[test]
    fn records_of_a_range_are_counted_from_its_begin_to_before_its_end() {
        let mut kept = Kept::new();
        for record in [
            "a SUCCESS - - 9 9 -",
            "b SUCCESS - - 10 10 -",
            "c SUCCESS - - 19 20 -",
            "d SUCCESS - - 20 20 -",
        ] {
            kept.show(0, 20, record);
        }
        let range = Interval::new(at(10), at(20)).unwrap();
        assert_eq!(kept.archive.count_started(kept.functions[0], range).unwrap(), 2);
        assert_eq!(kept.archive.count_started(kept.functions[1], range).unwrap(), 0);

        kept.show(0, 20, "e RUNNING - - 12 - -");
        kept.show(0, 20, "f SUCCESS - - 19 20 -");
        kept.show(0, 20, "g SUCCESS - - 15 20 -");
        let ended = |function: usize, most| {
            kept.archive.load_ended(kept.functions[function], range, most).unwrap()
        };
        let span = |start, end| Interval::spanning(at(start), at(end));
        let all = [span(19, 20), span(19, 20), span(15, 20), span(10, 10)];
        assert_eq!(
            (&ended(0, 9)[..], &ended(0, 3)[..], ended(1, 9).len()),
            (&all[..], &all[..3], 0)
        );
    }
}
