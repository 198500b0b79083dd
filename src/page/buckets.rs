//! The hours, days, weeks or months that a chart counts by, each with the name that reports give
//! it.

use super::text::day_of;
use crate::domain::{Interval, Timestamp, Zone};
use chrono::{Datelike, Days, Months, NaiveDate};

/// A chart has no more columns: more would be narrower than two pixels.
const MOST_BUCKETS: i64 = 400;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// What a chart counts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bucket {
    Hour,
    Day,
    Week,
    Month,
}

/// One hour, day, week or month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BucketSpan {
    /// As the reports `throughput` and `trend` name it.
    pub(super) label: String,
    pub(super) span: Interval,
}

impl Bucket {
    /// The shortest of which the range has at most [`MOST_BUCKETS`].
    pub(super) fn of(range: Interval) -> Self {
        let fits = |length: i64| range.seconds() <= MOST_BUCKETS * length;
        match () {
            () if fits(HOUR) => Self::Hour,
            () if fits(DAY) => Self::Day,
            () if fits(7 * DAY) => Self::Week,
            () => Self::Month,
        }
    }

    /// For a chart of a few dozen columns, in a line of a table.
    pub(super) fn rough(range: Interval) -> Self {
        const MOST: i64 = 62;
        let fits = |length: i64| range.seconds() <= MOST * length;
        match () {
            () if fits(HOUR) => Self::Hour,
            () if fits(DAY) => Self::Day,
            () => Self::Week,
        }
    }

    /// The value of the parameter `bucket`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// All that touch the range.
    pub(super) fn list(self, range: Interval, zone: Zone) -> Vec<BucketSpan> {
        let mut list = Vec::new();
        let mut next = self.begin(range.begin(), zone);
        while let Some(begin) = next.filter(|begin| *begin < range.end()) {
            next = self.after(begin, zone).filter(|after| *after > begin);
            let Some(span) = next.and_then(|end| Interval::new(begin, end)) else { break };
            list.push(BucketSpan { label: self.label(begin, zone), span });
        }
        list
    }

    fn begin(self, moment: Timestamp, zone: Zone) -> Option<Timestamp> {
        if self == Self::Hour {
            return Some(zone.hour_around(moment)?.begin());
        }
        Some(zone.day_begin(self.first_day(day_of(moment, zone)?)?))
    }

    fn first_day(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Hour | Self::Day => Some(day),
            Self::Week => {
                day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into()))
            }
            Self::Month => day.with_day(1),
        }
    }

    /// Where the next one begins.
    fn after(self, begin: Timestamp, zone: Zone) -> Option<Timestamp> {
        let day = day_of(begin, zone)?;
        let day = match self {
            Self::Hour => return Some(zone.hour_around(begin)?.end()),
            Self::Day => day.succ_opt()?,
            Self::Week => day.checked_add_days(Days::new(7))?,
            Self::Month => day.checked_add_months(Months::new(1))?,
        };
        Some(zone.day_begin(day))
    }

    fn label(self, begin: Timestamp, zone: Zone) -> String {
        let local = zone.local_text(begin);
        match self {
            Self::Hour => format!(
                "{}:00:00{}",
                local.get(..13).unwrap_or_default(),
                local.get(19..).unwrap_or_default()
            ),
            Self::Day | Self::Week => local.get(..10).unwrap_or_default().to_owned(),
            Self::Month => local.get(..7).unwrap_or_default().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    fn listed(bucket: Bucket, begin: &str, end: &str, zone: &str) -> Vec<String> {
        let range = Interval::new(begin.parse().unwrap(), end.parse().unwrap()).unwrap();
        let list = bucket.list(range, zone.parse().unwrap());
        for pair in list.windows(2) {
            assert_eq!(pair[0].span.end(), pair[1].span.begin(), "no gap and no overlap");
        }
        list.into_iter().map(|bucket| bucket.label).collect()
    }

    #[test]
    fn buckets_are_named_as_reports_name_them() {
        let (begin, end) = ("2026-10-24T23:30:00Z", "2026-10-25T02:00:00Z");
        assert_eq!(
            listed(Bucket::Hour, begin, end, "Europe/Berlin"),
            ["2026-10-25T01:00:00+02:00", "2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00",]
        );
        assert_eq!(listed(Bucket::Hour, begin, end, "UTC").len(), 3);
        // Clocks are put back and forward by half an hour.
        assert_eq!(
            listed(
                Bucket::Hour,
                "2026-04-04T14:10:00Z",
                "2026-04-04T16:00:00Z",
                "Australia/Lord_Howe"
            ),
            ["2026-04-05T01:00:00+11:00", "2026-04-05T01:00:00+10:30", "2026-04-05T02:00:00+10:30"]
        );
        assert_eq!(
            listed(
                Bucket::Hour,
                "2025-10-04T15:00:00Z",
                "2025-10-04T16:30:00Z",
                "Australia/Lord_Howe"
            ),
            ["2025-10-05T01:00:00+10:30", "2025-10-05T02:00:00+11:00", "2025-10-05T03:00:00+11:00"]
        );
        assert_eq!(
            listed(Bucket::Hour, begin, end, "Asia/Kolkata")[0],
            "2026-10-25T05:00:00+05:30"
        );
        assert_eq!(listed(Bucket::Day, begin, end, "UTC"), ["2026-10-24", "2026-10-25"]);
        let (begin, end) = ("2026-01-01T00:00:00Z", "2026-02-02T00:00:00Z");
        let weeks = ["2025-12-29", "2026-01-05", "2026-01-12", "2026-01-19", "2026-01-26"];
        assert_eq!(listed(Bucket::Week, begin, end, "UTC"), weeks);
        assert_eq!(listed(Bucket::Month, begin, end, "UTC"), ["2026-01", "2026-02"]);
    }

    #[test]
    fn a_long_range_is_counted_by_longer_buckets() {
        let of = |days: i64| {
            let begin = Timestamp::from_unix(0);
            let range = Interval::new(begin, Timestamp::from_unix(days * DAY)).unwrap();
            (Bucket::of(range).name(), Bucket::rough(range).name())
        };
        let expected = [
            ("hour", "hour"),
            ("hour", "day"),
            ("day", "week"),
            ("week", "week"),
            ("month", "week"),
        ];
        assert_eq!([2, 16, 365, 2_000, 4_000].map(of), expected);
    }
}
