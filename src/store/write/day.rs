//! The UTC day that a record is kept under.

use crate::domain::Timestamp;
use rusqlite::types::ValueRef;

/// The length of `YYYY-MM-DD`.
const DAY_LENGTH: usize = 10;

/// A UTC day as it is written; none where a record has no readable start.
pub(super) type Day = Option<[u8; DAY_LENGTH]>;

/// The day that a stored start lies in.
pub(super) fn day_of(start: ValueRef<'_>) -> Day {
    let ValueRef::Text(text) = start else { return None };
    let is_time = text.len() == Timestamp::TEXT_LENGTH
        && str::from_utf8(text).is_ok_and(|text| text.parse::<Timestamp>().is_ok());
    text.first_chunk().filter(|_| is_time).copied()
}

pub(super) fn day_text(day: Day) -> String {
    day.map_or_else(String::new, |day| String::from_utf8_lossy(&day).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_summed_by_the_day_they_start() {
        assert_eq!(day_text(day_of(ValueRef::Text(b"2026-03-01T10:00:00Z"))), "2026-03-01");
        for start in [
            ValueRef::Null,
            ValueRef::Text(b""),
            ValueRef::Text(b"yesterday, at ten ok"),
            ValueRef::Integer(7),
            ValueRef::Text(b"2026-03-01T10:00:00"),
        ] {
            assert_eq!(day_of(start), None, "{start:?}");
        }
    }
}
