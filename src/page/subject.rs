//! What a page is about: a period, functions, and the zone whose days count.

use super::kept::Kept;
use super::text;
use crate::domain::{Interval, Timestamp, Zone};
use crate::store::reports::Arguments;
use chrono::{Days, NaiveDate};
use std::fmt;
use std::time::Duration;

/// A year is told where nothing else is asked for: the day of now, and so many before it.
const DAYS_BEFORE: u64 = 364;

/// The longest period of a page. Each of its days is drawn, so that a longer one is no page any
/// more, and takes seconds.
const LONGEST_YEARS: u32 = 100;
const LONGEST_DAYS: u32 = LONGEST_YEARS * 366;

/// Why a period is none of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadPeriod {
    /// It ends before it begins, or there.
    Empty,
    /// It is longer than [`LONGEST_YEARS`].
    TooLong,
}

impl fmt::Display for BadPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the period ends before it begins"),
            Self::TooLong => write!(f, "a page tells {LONGEST_YEARS} years at most"),
        }
    }
}

/// What a page is about.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    /// The present.
    pub(super) now: Timestamp,
    /// Where the days are those of the page, and times are shown as clocks show them.
    pub(super) zone: Zone,
    /// The period that is told.
    pub(super) period: Interval,
    /// Names or globs of functions, as given; all where there are none.
    pub(super) functions: Vec<String>,
    /// The name of the archive's file.
    pub(super) archive: String,
    /// Whether its figures lead to the records behind them, on the server that shows it.
    pub(super) is_live: bool,
}

impl Subject {
    /// The last year, or what is given of another period.
    pub(crate) fn new(
        now: Timestamp,
        zone: Zone,
        (since, until): (Option<Timestamp>, Option<Timestamp>),
        functions: Vec<String>,
        archive: String,
    ) -> Result<Self, BadPeriod> {
        let end = until.unwrap_or(now);
        let begin = since.unwrap_or_else(|| year_before(end, zone));
        let period = Interval::new(begin, end).ok_or(BadPeriod::Empty)?;
        if period.duration() > Duration::from_hours(24) * LONGEST_DAYS {
            return Err(BadPeriod::TooLong);
        }
        Ok(Self { now, zone, period, functions, archive, is_live: false })
    }

    /// The same on the server that shows it.
    #[cfg(feature = "web")]
    pub(crate) fn live(self) -> Self {
        Self { is_live: true, ..self }
    }

    /// What the addresses of a live page keep.
    pub(super) fn kept(&self) -> Option<Kept> {
        self.is_live.then(|| Kept { functions: self.functions.clone(), zone: self.zone })
    }

    /// The period of the same length right before.
    pub(super) fn before(&self) -> Option<Interval> {
        let begin = self.period.begin();
        Interval::new(begin - self.period.duration(), begin)
    }

    /// What a report is asked with.
    pub(super) fn arguments(&self, range: Option<Interval>, own: &[(&str, &str)]) -> Arguments {
        Arguments {
            now: self.now,
            zone: self.zone,
            since: range.map(Interval::begin),
            until: range.map(Interval::end),
            functions: self.functions.clone(),
            own: own
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }
}

/// Where the year begins whose last day holds the moment before `end`.
fn year_before(end: Timestamp, zone: Zone) -> Timestamp {
    let last = text::day_of(end - Duration::from_secs(1), zone);
    let first = last.and_then(|day: NaiveDate| day.checked_sub_days(Days::new(DAYS_BEFORE)));
    first.map_or(Timestamp::MIN, |day| zone.day_begin(day))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn period(
        since: Option<&str>,
        until: Option<&str>,
        zone: &str,
    ) -> Result<(String, String), BadPeriod> {
        let (now, zone) = (at("2026-03-01T12:00:00Z"), zone.parse().unwrap());
        let subject =
            Subject::new(now, zone, (since.map(at), until.map(at)), vec![], String::new())?;
        Ok((subject.period.begin().to_string(), subject.period.end().to_string()))
    }

    #[test]
    fn a_year_is_told_unless_another_period_is_asked_for() {
        let of = |since, until, zone| {
            let (begin, end) = period(since, until, zone).unwrap();
            format!("{begin} {end}")
        };
        assert_eq!(of(None, None, "UTC"), "2025-03-02T00:00:00Z 2026-03-01T12:00:00Z");
        assert_eq!(of(None, None, "Europe/Berlin"), "2025-03-01T23:00:00Z 2026-03-01T12:00:00Z");
        let midnight = Some("2026-01-01T00:00:00Z");
        assert_eq!(of(None, midnight, "UTC"), "2025-01-01T00:00:00Z 2026-01-01T00:00:00Z");
        assert_eq!(of(midnight, None, "UTC"), "2026-01-01T00:00:00Z 2026-03-01T12:00:00Z");
        assert_eq!(period(Some("2026-03-01T12:00:00Z"), None, "UTC"), Err(BadPeriod::Empty));
        let century = "1926-02-04T12:00:00Z 2026-03-01T12:00:00Z";
        assert_eq!(of(Some("1926-02-04T12:00:00Z"), None, "UTC"), century);
        let longer = period(Some("1925-11-22T12:00:00Z"), None, "UTC");
        assert_eq!(longer, Err(BadPeriod::TooLong));
        let widest = period(Some("0001-01-01T00:00:00Z"), Some("9999-01-01T00:00:00Z"), "UTC");
        assert_eq!(widest, Err(BadPeriod::TooLong));
    }

    #[test]
    fn the_period_before_is_as_long() {
        let range = (Some(at("2026-02-01T00:00:00Z")), Some(at("2026-02-08T00:00:00Z")));
        let subject =
            Subject::new(at("2026-03-01T12:00:00Z"), Zone::UTC, range, vec![], String::new());
        let before = subject.unwrap().before().unwrap();
        assert_eq!(before.begin(), at("2026-01-25T00:00:00Z"));
        assert_eq!(before.end(), at("2026-02-01T00:00:00Z"));
    }
}
