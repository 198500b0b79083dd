//! Moments: UTC, whole seconds, the resolution of the service.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike};
use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment in UTC, whole seconds since 1970-01-01T00:00:00Z; years 0001 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A text that is no time in any of the forms [`Timestamp::from_str`] reads.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no time such as 2026-01-31T12:00:00Z")]
pub struct UnreadableTime(pub String);

impl Timestamp {
    /// 0001-01-01T00:00:00Z, the earliest moment the service's format can carry.
    pub const MIN: Self = Self(-62_135_596_800);
    /// 9999-12-31T23:59:59Z, the latest.
    pub const MAX: Self = Self(253_402_300_799);

    /// From seconds since the epoch; beyond year 1 or 9999 it is held at that end.
    pub fn from_unix(seconds: i64) -> Self {
        Self(seconds.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Seconds since the epoch.
    pub fn unix(self) -> i64 {
        self.0
    }

    /// Seconds from `earlier` to this moment; negative when `earlier` is later.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// `YYYY-MM-DDTHH:MM:SS`, the only form that is certain to be read as UTC by the service
    /// (the vendor's API reference, `ListAsyncInvocations`).
    pub fn to_wire(self) -> String {
        let mut text = self.to_string();
        text.pop();
        text
    }

    /// Reads the nineteen characters `YYYY-MM-DDTHH:MM:SS` (or a blank for the `T`).
    ///
    /// A backfill reads two times a record, so this does not go through a format string.
    fn from_fixed(text: &[u8; 19]) -> Option<Self> {
        let punctuation =
            [text[4], text[7], text[13], text[16]] == *b"--::" && matches!(text[10], b'T' | b' ');
        let year = i32::try_from(number(&text[0..4])?).ok()?;
        let date = NaiveDate::from_ymd_opt(year, number(&text[5..7])?, number(&text[8..10])?)?;
        let time = date.and_hms_opt(
            number(&text[11..13])?,
            number(&text[14..16])?,
            number(&text[17..19])?,
        )?;
        (punctuation && year > 0).then(|| Self::from_unix(time.and_utc().timestamp()))
    }

    /// Bytes of `YYYY-MM-DDTHH:MM:SSZ`.
    pub const TEXT_LENGTH: usize = 20;

    /// `YYYY-MM-DDTHH:MM:SSZ` as ASCII, without an allocation: a backfill writes two times a
    /// record.
    pub fn to_text(self) -> [u8; Self::TEXT_LENGTH] {
        let civil = self.to_civil();
        let mut text = *b"0000-00-00T00:00:00Z";
        let mut put = |at: usize, digits: usize, mut value: u32| {
            for slot in text[at..at + digits].iter_mut().rev() {
                *slot = b'0' + (value % 10) as u8;
                value /= 10;
            }
        };
        put(0, 4, civil.year().unsigned_abs());
        put(5, 2, civil.month());
        put(8, 2, civil.day());
        put(11, 2, civil.hour());
        put(14, 2, civil.minute());
        put(17, 2, civil.second());
        text
    }

    fn to_civil(self) -> NaiveDateTime {
        DateTime::from_timestamp(self.0, 0).unwrap_or_default().naive_utc()
    }
}

/// Reads every form seen from the service and its siblings: `T` or blank between date and time, an
/// optional fraction (cut off), and `Z`, an offset or nothing at the end (nothing means UTC).
impl FromStr for Timestamp {
    type Err = UnreadableTime;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unreadable = || UnreadableTime(text.chars().take(64).collect());
        let (fixed, rest) = text.as_bytes().split_first_chunk::<19>().ok_or_else(unreadable)?;
        let local = Self::from_fixed(fixed).ok_or_else(unreadable)?;
        if rest.is_empty() || rest == b"Z" {
            return Ok(local);
        }
        let zone = match rest.strip_prefix(b".") {
            Some(fraction) => {
                let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
                (digits > 0).then(|| &fraction[digits..]).ok_or_else(unreadable)?
            }
            None => rest,
        };
        let offset = zone_offset(zone).ok_or_else(unreadable)?;
        Ok(Self::from_unix(local.0 - offset))
    }
}

/// The value of a run of ASCII digits, at most four here; a sign is none.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, digit| {
        digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0'))
    })
}

/// Seconds east of UTC for nothing, `Z`, `z`, `+08:00`, `+0800` or `+08`.
fn zone_offset(zone: &[u8]) -> Option<i64> {
    let (sign, digits) = match zone {
        b"" | b"Z" | b"z" => return Some(0),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let two = |tens: u8, ones: u8| number(&[tens, ones]).map(i64::from);
    let (hours, minutes) = match digits {
        [h1, h2] => (two(*h1, *h2)?, 0),
        [h1, h2, m1, m2] | [h1, h2, b':', m1, m2] => (two(*h1, *h2)?, two(*m1, *m2)?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// `YYYY-MM-DDTHH:MM:SSZ`, the form of every time in the archive and in every report.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.to_text()).unwrap_or_default())
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        Self::from_unix(self.0.saturating_add(seconds))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        Self::from_unix(self.0.saturating_sub(seconds))
    }
}

/// The moment a reading of the system's clock stands for; only `clock` takes such readings.
pub fn now_from_system(reading: SystemTime) -> Timestamp {
    let seconds = match reading.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
        Err(before) => {
            i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |seconds| -seconds)
        }
    };
    Timestamp::from_unix(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<i64> {
        text.parse::<Timestamp>().ok().map(Timestamp::unix)
    }

    #[test]
    fn reads_every_form_that_was_seen() {
        let noon = Some(1_709_294_400);
        for text in [
            "2024-03-01T12:00:00",
            "2024-03-01 12:00:00",
            "2024-03-01T12:00:00Z",
            "2024-03-01T12:00:00.123456",
            "2024-03-01T12:00:00.9Z",
            "2024-03-01T20:00:00+08:00",
            "2024-03-01T20:00:00.5+0800",
            "2024-03-01T07:30:00-04:30",
        ] {
            assert_eq!(read(text), noon, "{text}");
        }
        assert_eq!(read("0001-01-01T00:00:00"), Some(Timestamp::MIN.unix()));
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in [
            "",
            "0",
            "now",
            "2024-03-01",
            "2024-13-01T00:00:00",
            "2024-02-30T00:00:00",
            "2024-03-01T24:00:00",
            "2024-03-01T12:00:00.",
            "2024-03-01T12:00:00X",
            "2024-03-01T12:00:00+8",
            "2024-03-01T12:00:00+99:00",
            "0000-01-01T00:00:00",
            "2024/03/01T12:00:00",
            "2024-03-01T12:00:0é",
            "2024-03-01T12:00:00++800",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(seconds in Timestamp::MIN.unix()..=Timestamp::MAX.unix()) {
            let moment = Timestamp::from_unix(seconds);
            prop_assert_eq!(moment.to_string().parse(), Ok(moment));
            prop_assert_eq!(moment.to_wire().parse(), Ok(moment));
            prop_assert_eq!(moment.to_wire().len(), 19);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            let _ = text.parse::<Timestamp>();
        }

        /// Texts that are nearly times, read as chrono reads them: by other code than ours.
        #[test]
        fn what_is_nearly_a_time_is_read_rightly_or_refused(
            year in 0..10_000u32,
            month in 0..14u32,
            day in 0..33u32,
            hour in 0..26u32,
            minute in 0..62u32,
            second in 0..62u32,
            blank in "[T Zt]",
            fraction in "(\\.[0-9]{0,12})?",
            zone in "(Z|z|[+-][0-2][0-9]:?[0-9]{2})?",
        ) {
            let text = format!(
                "{year:04}-{month:02}-{day:02}{blank}\
                 {hour:02}:{minute:02}:{second:02}{fraction}{zone}"
            );
            let offset = if zone.is_empty() { "Z" } else { &zone };
            let other =
                format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{offset}");
            let expected =
                DateTime::parse_from_str(&other.to_uppercase(), "%Y-%m-%dT%H:%M:%S%#z").ok();
            // A leap second is refused, and the service's format has no year 0.
            let readable =
                year > 0 && second < 60 && fraction != "." && matches!(blank.as_str(), "T" | " ");
            let expected = expected
                .filter(|_| readable)
                .map(|moment| Timestamp::from_unix(moment.timestamp()).unix());
            prop_assert_eq!(read(&text), expected, "{}", text);
        }

        #[test]
        fn a_damaged_time_is_read_or_refused(
            seconds in Timestamp::MIN.unix()..=Timestamp::MAX.unix(),
            at in 0..19usize,
            put in "\\PC{0,3}",
        ) {
            let mut text = Timestamp::from_unix(seconds).to_string();
            text.replace_range(at..=at, &put);
            if let Ok(moment) = text.parse::<Timestamp>() {
                prop_assert_eq!(moment.to_string().parse(), Ok(moment));
            }
        }
    }
}
