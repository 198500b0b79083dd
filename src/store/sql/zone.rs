//! `local_time(time)` and `day_begin(day)`: the days and hours of the zone that is asked for. And
//! `has_whole_hours()`: whether they are made of whole hours of UTC, by which records are counted,
//! and `is_time(time)`: whether a text is a time at all.
//!
//! Times in the archive are in UTC. A report that counts by hour or day groups by what clocks show,
//! `substr(local_time(start_time), 1, 10)`, and finds the bounds of a day, which may have 23 or 25
//! hours, by `day_begin`.

use super::room::check_room;
use crate::domain::{Timestamp, Zone};
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result};
use std::cell::RefCell;

/// What one call needs at most, in bytes: a time as text, several times over.
const NEEDED: usize = 4 << 10;

/// Makes the functions known to a connection, or gives them another zone.
pub(in crate::store) fn register(connection: &Connection, zone: Zone) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    let last = RefCell::new(Told::default());
    connection.create_scalar_function("local_time", 1, flags, move |context| {
        check_room(NEEDED)?;
        Ok(text(context).and_then(|text| last.borrow_mut().local_text(text, zone)))
    })?;
    // It is asked of every record at the edges of a range: no text is made for the answer.
    connection.create_scalar_function("is_time", 1, flags, |context| {
        Ok(text(context).is_some_and(|text| text.parse::<Timestamp>().is_ok()))
    })?;
    let has_whole_hours = zone.has_whole_hours();
    connection.create_scalar_function("has_whole_hours", 0, flags, move |_| Ok(has_whole_hours))?;
    connection.create_scalar_function("day_begin", 1, flags, move |context| {
        check_room(NEEDED)?;
        Ok(text(context).and_then(|text| zone.read_day(text)).map(|moment| moment.to_string()))
    })
}

/// The time that was asked for last, and what clocks showed then. Summaries are read hour by hour,
/// and an hour has as many rows as there are functions, statuses and shapes in it.
#[derive(Default)]
struct Told {
    time: String,
    local: Option<String>,
}

impl Told {
    /// As clocks of the zone show it, of a time that can be read and is no longer than one.
    fn local_text(&mut self, text: &str, zone: Zone) -> Option<String> {
        if text != self.time {
            let moment = text.parse().ok();
            self.local = moment.map(|moment| zone.local_text(moment));
            // What is no time may be as long as a text can be, and is not kept.
            self.time.clear();
            self.time.push_str(if self.local.is_some() { text } else { "" });
        }
        self.local.clone()
    }
}

/// What is no text is no time, and neither is one that is not UTF-8.
fn text<'a>(context: &'a Context<'_>) -> Option<&'a str> {
    match context.get_raw(0) {
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn times_and_days_of_a_zone() {
        let connection = Connection::open_in_memory().unwrap();
        let ask = |expression: &str| -> Option<String> {
            connection.query_row(&format!("SELECT {expression}"), [], |row| row.get(0)).unwrap()
        };
        register(&connection, Zone::UTC).unwrap();
        let winter = "local_time('2026-03-29T00:59:59Z')";
        assert_eq!(ask(winter).as_deref(), Some("2026-03-29T00:59:59Z"));
        register(&connection, "Europe/Berlin".parse().unwrap()).unwrap();
        assert_eq!(ask(winter).as_deref(), Some("2026-03-29T01:59:59+01:00"));
        assert_eq!(ask("day_begin('2026-03-30')").as_deref(), Some("2026-03-29T22:00:00Z"));
        for (text, is_time) in [
            ("'2026-03-29T00:59:59Z'", 1),
            ("'2026-02-30T00:00:00Z'", 0),
            ("'soon'", 0),
            ("NULL", 0),
        ] {
            let sql = format!("SELECT is_time({text})");
            let told: i64 = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
            assert_eq!(told, is_time, "{text}");
        }
        assert_eq!(ask(&format!("{winter} || local_time('soon')")), None, "not the one before");
        let twice = "local_time('2026-07-01T00:00:00Z') = local_time('2026-07-01T00:00:00Z')";
        assert_eq!(ask(&format!("iif({twice}, 'alike', 'otherwise')")).as_deref(), Some("alike"));
        for nothing in [
            "local_time('soon')",
            "local_time(NULL)",
            "local_time(7)",
            "day_begin('')",
            "local_time(CAST(x'ff' AS TEXT))",
            "day_begin('2026-02-30')",
            "day_begin('today')",
        ] {
            assert_eq!(ask(nothing), None, "{nothing}");
        }
    }
}
