//! Time zones: which day and hour a moment belongs to where people live, and times and periods as
//! people write them there.

use super::{Interval, Timestamp, nearest};
use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta,
    TimeZone, Weekday,
};
use chrono_tz::{TZ_VARIANTS, Tz};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// A zone of the IANA database, such as `Europe/Berlin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(Tz);

/// A text that names no zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no time zone `{given}`; the nearest names: {nearest}")]
pub struct UnknownZone {
    given: String,
    nearest: String,
}

/// The forms of a month and a day.
const MONTH: &str = "0000-00";
const DAY: &str = "0000-00-00";

/// So many names that may have been meant.
const MOST_NEAREST: usize = 3;

/// The first of these seconds at which a condition does not hold that holds before it.
fn first_otherwise(seconds: Range<i64>, holds: impl Fn(i64) -> bool) -> i64 {
    let (mut begin, mut end) = (seconds.start, seconds.end);
    while begin < end {
        let middle = begin + (end - begin) / 2;
        if holds(middle) { begin = middle + 1 } else { end = middle }
    }
    begin
}

impl Zone {
    /// The zone of every time in the archive.
    pub const UTC: Self = Self(Tz::UTC);

    /// The moment as clocks show it there, with the offset from UTC: `2026-03-29T03:00:00+02:00`,
    /// or `…Z` in UTC. Two hours of the same name at the end of summer time differ by their offset.
    pub fn local_text(self, moment: Timestamp) -> String {
        if self == Self::UTC {
            return moment.to_string();
        }
        let local = self.0.from_utc_datetime(&naive(moment));
        // A year of five digits would be as long a text as no other time, and sort before them.
        let form =
            if local.year() > 9_999 { "9999-12-31T23:59:59%:z" } else { "%Y-%m-%dT%H:%M:%S%:z" };
        local.format(form).to_string()
    }

    /// The hour, as clocks name it there, in which a moment lies. It is shorter than others where
    /// clocks are put back or forward by half an hour.
    pub fn hour_around(self, moment: Timestamp) -> Option<Interval> {
        let name = |second: i64| {
            let offset = self.0.offset_from_utc_datetime(&naive(Timestamp::from_unix(second)));
            let offset = i64::from(offset.fix().local_minus_utc());
            (offset, (second + offset).div_euclid(3_600))
        };
        let (at, this) = (moment.unix(), name(moment.unix()));
        let begin = first_otherwise(at - 3_599..at, |second| name(second) != this);
        let end = first_otherwise(at + 1..at + 3_600, |second| name(second) == this);
        Interval::new(Timestamp::from_unix(begin), Timestamp::from_unix(end))
    }

    /// Whether each hour there is one hour of UTC, in the years that records are from.
    ///
    /// Clocks are put back and forward for weeks at least, so that looking every ten days finds
    /// each change.
    pub fn has_whole_hours(self) -> bool {
        /// The years 2000 to 2099, in ten days at a time.
        const YEARS: Range<i64> = 946_684_800..4_102_444_800;
        const STEP: i64 = 864_000;
        let offset = |second: i64| {
            let moment = naive(Timestamp::from_unix(second));
            i64::from(self.0.offset_from_utc_datetime(&moment).fix().local_minus_utc())
        };
        YEARS.step_by(864_000).all(|second| {
            let (now, next) = (offset(second), offset(second + STEP));
            let changes_within_an_hour = || {
                let change = first_otherwise(second..second + STEP, |at| offset(at) == now);
                change % 3_600 != 0
            };
            now % 3_600 == 0 && (now == next || !changes_within_an_hour())
        })
    }

    /// When a day begins there. It is the day's first moment where clocks skip midnight.
    pub fn day_begin(self, day: NaiveDate) -> Timestamp {
        self.moment_of(day.and_time(NaiveTime::MIN))
    }

    /// When the day begins that is written as `2026-03-01`.
    pub fn read_day(self, text: &str) -> Option<Timestamp> {
        (text.len() == DAY.len()).then(|| read_days(text))?.map(|(day, _)| self.day_begin(day))
    }

    /// The moment at which clocks show this time: the first of two, and where they skip it, as if
    /// they had not been put forward yet.
    fn moment_of(self, local: NaiveDateTime) -> Timestamp {
        let at = self.0.from_local_datetime(&local).earliest().map_or_else(
            || {
                let before = self.0.offset_from_utc_datetime(&(local - TimeDelta::days(1)));
                (local - before.fix()).and_utc().timestamp()
            },
            |found| found.timestamp(),
        );
        Timestamp::from_unix(at)
    }

    /// Reads a time (RFC 3339, or without an offset as clocks show it there). It may leave out its
    /// seconds.
    pub fn read_moment(self, text: &str) -> Option<Timestamp> {
        /// The lengths of `YYYY-MM-DDTHH:MM` and of the same with seconds.
        const LENGTHS: (usize, usize) = (16, 19);
        let whole = match text.split_at_checked(LENGTHS.0) {
            Some((minutes, rest)) if !rest.starts_with(':') => format!("{minutes}:00{rest}"),
            _ => text.to_owned(),
        };
        let moment: Timestamp = whole.parse().ok()?;
        let has_offset = whole.get(LENGTHS.1..)?.contains(['Z', 'z', '+', '-']);
        Some(if has_offset { moment } else { self.moment_of(naive(moment)) })
    }

    /// Reads a period: `today`, `yesterday`, `this-week` (from Monday on), `last-week`,
    /// `this-month`, `last-month`, a month `2026-03` or a day `2026-03-01`.
    pub fn read_period(self, text: &str, now: Timestamp) -> Option<Interval> {
        let today = self.0.from_utc_datetime(&naive(now)).date_naive();
        let monday = today.week(Weekday::Mon).checked_first_day()?;
        let first = today.with_day(1)?;
        let (begin, end) = match text {
            "today" => (today, today.succ_opt()),
            "yesterday" => (today.pred_opt()?, Some(today)),
            "this-week" => (monday, monday.checked_add_days(Days::new(7))),
            "last-week" => (monday.checked_sub_days(Days::new(7))?, Some(monday)),
            "this-month" => (first, first.checked_add_months(Months::new(1))),
            "last-month" => (first.checked_sub_months(Months::new(1))?, Some(first)),
            _ => read_days(text)?,
        };
        Interval::new(self.day_begin(begin), self.day_begin(end?))
    }
}

/// The first day of a month, or a day, and the first day after it.
fn read_days(text: &str) -> Option<(NaiveDate, Option<NaiveDate>)> {
    // Nothing but digits in their places: chrono also takes signs, blanks and shorter numbers.
    let has_form = |form: &str| {
        let mut pairs = text.bytes().zip(form.bytes());
        text.len() == form.len()
            && pairs.all(|(byte, place)| byte == place || (place == b'0' && byte.is_ascii_digit()))
    };
    if has_form(MONTH) {
        let first = NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").ok()?;
        return (first.year() > 0).then(|| (first, first.checked_add_months(Months::new(1))));
    }
    let is_day = has_form(DAY);
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|day| day.year() > 0)?;
    is_day.then(|| (day, day.succ_opt()))
}

fn naive(moment: Timestamp) -> NaiveDateTime {
    DateTime::from_timestamp(moment.unix(), 0).unwrap_or_default().naive_utc()
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

/// Reads a name of the IANA database; capital and small letters are the same.
impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_meant = |zone: &&Tz| zone.name().eq_ignore_ascii_case(text);
        TZ_VARIANTS.iter().find(is_meant).map(|zone| Self(*zone)).ok_or_else(|| {
            let names = nearest(text, TZ_VARIANTS.iter().map(|zone| zone.name()));
            let nearest = names.take(MOST_NEAREST).collect::<Vec<_>>().join(", ");
            UnknownZone { given: text.to_owned(), nearest }
        })
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    fn zone(name: &str) -> Zone {
        name.parse().unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn zones_are_named_as_the_database_names_them() {
        assert_eq!(zone("europe/berlin").to_string(), "Europe/Berlin");
        assert_eq!(zone("UTC"), Zone::UTC);
        assert_eq!(
            "Berlin".parse::<Zone>().unwrap_err().to_string().split(", ").next(),
            Some("there is no time zone `Berlin`; the nearest names: Europe/Berlin")
        );
        for text in ["", "+02:00", "CEST", "Europe/Berlin "] {
            assert!(text.parse::<Zone>().is_err(), "{text}");
        }
    }

    #[test]
    fn moments_are_shown_as_clocks_show_them() {
        let berlin = zone("Europe/Berlin");
        for (moment, shown) in [
            ("2026-03-29T00:59:59Z", "2026-03-29T01:59:59+01:00"),
            ("2026-03-29T01:00:00Z", "2026-03-29T03:00:00+02:00"),
            ("2026-10-25T00:59:59Z", "2026-10-25T02:59:59+02:00"),
            ("2026-10-25T01:00:00Z", "2026-10-25T02:00:00+01:00"),
        ] {
            assert_eq!(berlin.local_text(at(moment)), shown);
        }
        assert_eq!(Zone::UTC.local_text(at("2026-03-29T01:00:00Z")), "2026-03-29T01:00:00Z");
        let last = zone("Asia/Kolkata").local_text(at("9999-12-31T23:00:00Z"));
        assert_eq!(last, "9999-12-31T23:59:59+05:30", "every year has four digits");
        assert_eq!(
            zone("Asia/Kolkata").local_text(at("2026-03-29T00:00:00Z")),
            "2026-03-29T05:30:00+05:30"
        );
    }

    /// In hours; Berlin's clocks are put forward on 29 March and back on 25 October, and those of
    /// Beirut skip midnight on 29 March.
    #[test]
    fn days_have_the_hours_that_they_have() {
        for (name, day, begin, hours) in [
            ("UTC", "2026-03-29", "2026-03-29T00:00:00Z", 24),
            ("Europe/Berlin", "2026-03-28", "2026-03-27T23:00:00Z", 24),
            ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", 23),
            ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", 25),
            ("Asia/Beirut", "2026-03-28", "2026-03-27T22:00:00Z", 24),
            ("Asia/Beirut", "2026-03-29", "2026-03-28T22:00:00Z", 23),
        ] {
            let whole = zone(name).read_period(day, Timestamp::MIN).unwrap();
            let length = whole.end().seconds_since(whole.begin());
            assert_eq!((whole.begin(), length), (at(begin), hours * 3_600), "{name} {day}");
        }
    }

    #[test]
    fn periods_are_whole_days_weeks_and_months() {
        // A Sunday evening in UTC, and Monday morning in Shanghai.
        let now = at("2026-03-01T20:00:00Z");
        for (text, begin, end) in [
            ("today", "2026-03-01", "2026-03-02"),
            ("yesterday", "2026-02-28", "2026-03-01"),
            ("this-week", "2026-02-23", "2026-03-02"),
            ("last-week", "2026-02-16", "2026-02-23"),
            ("this-month", "2026-03-01", "2026-04-01"),
            ("last-month", "2026-02-01", "2026-03-01"),
            ("2024-02", "2024-02-01", "2024-03-01"),
            ("2024-12", "2024-12-01", "2025-01-01"),
            ("2024-02-29", "2024-02-29", "2024-03-01"),
        ] {
            let whole = Zone::UTC.read_period(text, now).unwrap();
            let day = |moment: Timestamp| moment.to_string()[..10].to_owned();
            assert_eq!(
                (day(whole.begin()), day(whole.end())),
                (begin.into(), end.into()),
                "{text}"
            );
        }
        let shanghai = zone("Asia/Shanghai").read_period("this-week", now).unwrap();
        assert_eq!(shanghai.begin(), at("2026-03-01T16:00:00Z"));
        for text in [
            "",
            "Today",
            "this-year",
            "2026",
            "2026-13",
            "2026-02-29",
            "0000-01",
            "0000-01-01",
            "+026-01",
            "2026-1-1",
            "2026-03-01T",
            "20260-1",
            " 026-01",
        ] {
            assert_eq!(Zone::UTC.read_period(text, now), None, "{text}");
        }
    }

    #[test]
    fn a_time_without_an_offset_is_a_local_one() {
        let berlin = zone("Europe/Berlin");
        for (text, moment) in [
            ("2026-03-01T12:00", "2026-03-01T11:00:00Z"),
            ("2026-03-01 12:00:00", "2026-03-01T11:00:00Z"),
            ("2026-03-01T12:00:00.5", "2026-03-01T11:00:00Z"),
            ("2026-03-01T12:00Z", "2026-03-01T12:00:00Z"),
            ("2026-03-01T12:00-05:00", "2026-03-01T17:00:00Z"),
            ("2026-03-29T02:30", "2026-03-29T01:30:00Z"),
            ("2026-10-25T02:30", "2026-10-25T00:30:00Z"),
        ] {
            assert_eq!(berlin.read_moment(text), Some(at(moment)), "{text}");
        }
        assert_eq!(berlin.read_moment("2026-03-01"), None, "a day is a period");
    }

    #[test]
    fn hours_are_those_of_utc_where_every_offset_and_every_change_is_whole() {
        let whole =
            ["UTC", "Europe/Berlin", "Asia/Shanghai", "America/New_York", "Africa/Casablanca"];
        let other = ["Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "Asia/Gaza"];
        for (names, expected) in [(&whole[..], true), (&other[..], false)] {
            for name in names {
                let zone: Zone = name.parse().unwrap();
                assert_eq!(zone.has_whole_hours(), expected, "{name}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,30}") {
            let _ = Zone::UTC.read_period(&text, Timestamp::MAX);
            let _ = Zone::UTC.read_moment(&text);
        }

        /// No moment is between two days, and the one before a day's begin is on the day before.
        #[test]
        fn a_day_begins_where_its_date_does(
            place in 0..TZ_VARIANTS.len(), seconds in 0..4_102_444_800_i64,
        ) {
            let zone = Zone(TZ_VARIANTS[place]);
            let moment = Timestamp::from_unix(seconds);
            let date = |moment| zone.0.from_utc_datetime(&naive(moment)).date_naive();
            let begin = zone.day_begin(date(moment));
            prop_assert!(begin <= moment);
            prop_assert_eq!(date(begin), date(moment));
            prop_assert!(date(Timestamp::from_unix(begin.unix() - 1)) < date(moment));
        }
    }
}
