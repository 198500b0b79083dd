//! One record of an asynchronous invocation.

use super::{Interval, Status, Timestamp};
use std::fmt;

/// The service's id of an invocation: never empty, otherwise whatever came.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(Box<str>);

impl RequestId {
    /// An id; none when the text is empty.
    pub fn new(text: impl Into<Box<str>>) -> Option<Self> {
        let text = text.into();
        (!text.is_empty()).then_some(Self(text))
    }

    /// The id as it came.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// An error code: documented as an integer, seen as a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// An integer, whichever JSON type carried it.
    Number(i64),
    /// Any other text that is not empty.
    Text(Box<str>),
}

/// A time of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordTime {
    /// A moment that was read.
    At(Timestamp),
    /// Something else than a time, kept as it came.
    Unreadable(Box<str>),
}

/// A time within so many seconds of 1970-01-01T00:00:00Z may be that moment in some zone: no zone
/// is a day from UTC.
const NEAR_EPOCH: i64 = 86_400;

/// Dates that stand for none: the first ones of Go, of a database of zeros, of Windows and of
/// spreadsheets, and the last that four digits can write.
const NO_DATES: [&str; 5] = ["0001-01-01", "0000-00-00", "1601-01-01", "1900-01-01", "9999-12-31"];

impl RecordTime {
    /// Reads a time, keeping what cannot be read; none when there is nothing, which services
    /// written in Go send as the first second of the year 1, in whatever zone, databases as a date
    /// of zeros, and others as the second from which computers count. Taken for a moment it would
    /// make a waiting record decades old.
    pub fn parse(text: &str) -> Option<Self> {
        let is_nothing = text.is_empty() || NO_DATES.iter().any(|date| text.starts_with(date));
        match text.parse::<Timestamp>() {
            _ if is_nothing => None,
            Ok(moment) if moment == Timestamp::MIN || moment.unix().abs() < NEAR_EPOCH => None,
            Ok(moment) => Some(Self::At(moment)),
            Err(_) => {
                Some(from_epoch(text).map_or_else(|| Self::Unreadable(text.into()), Self::At))
            }
        }
    }

    /// The moment, where it could be read.
    pub fn moment(&self) -> Option<Timestamp> {
        match self {
            Self::At(moment) => Some(*moment),
            Self::Unreadable(_) => None,
        }
    }
}

/// Reads seconds or milliseconds since 1970, as services write them that are not the documented
/// one: ten digits are a second between 2001 and 2286, thirteen a millisecond of the same time.
fn from_epoch(text: &str) -> Option<Timestamp> {
    let number: i64 =
        text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    match text.len() {
        10 => Some(Timestamp::from_unix(number)),
        13 => Some(Timestamp::from_unix(number / 1_000)),
        _ => None,
    }
}

impl fmt::Display for RecordTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(moment) => moment.fmt(f),
            Self::Unreadable(text) => f.pad(text),
        }
    }
}

/// One record as the service showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// The key.
    pub request_id: RequestId,
    /// Where it stands.
    pub status: Status,
    /// Why it failed, as a code; nothing when it succeeded.
    pub error_code: Option<ErrorCode>,
    /// Why it failed, in words; nothing when it succeeded.
    pub error_message: Option<Box<str>>,
    /// When it began.
    pub start_time: Option<RecordTime>,
    /// When it ended; nothing while it has not.
    pub end_time: Option<RecordTime>,
    /// Fields this program does not know, as one JSON object.
    pub extra: Option<Box<str>>,
}

impl Invocation {
    /// The moment it began, where that could be read.
    pub fn started_at(&self) -> Option<Timestamp> {
        self.start_time.as_ref().and_then(RecordTime::moment)
    }

    /// From the second it began in to the one it ended in, where it ended for good and both can be
    /// read.
    pub fn lasted(&self) -> Option<Interval> {
        let end = self.end_time.as_ref().and_then(RecordTime::moment);
        let (start, end) = self.started_at().zip(end).filter(|_| self.status.is_final())?;
        Some(Interval::spanning(start, end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_moment_nothing_or_kept_as_it_came() {
        let moment = "2026-03-01T12:00:00".parse().unwrap();
        assert_eq!(RecordTime::parse("2026-03-01T12:00:00"), Some(RecordTime::At(moment)));
        for epoch in ["1772366400", "1772366400999"] {
            assert_eq!(RecordTime::parse(epoch), Some(RecordTime::At(moment)), "{epoch}");
        }
        for number in ["177236640", "17723664000", "-772366400", "1772366400.5"] {
            assert_eq!(RecordTime::parse(number), Some(RecordTime::Unreadable(number.into())));
        }
        assert_eq!(
            RecordTime::parse("yesterday"),
            Some(RecordTime::Unreadable("yesterday".into()))
        );
        for nothing in [
            "",
            "0001-01-01T00:00:00",
            "0001-01-01T00:00:00Z",
            "1601-01-01T00:00:00Z",
            "1900-01-01T00:00:00",
            "9999-12-31T23:59:59Z",
            "0001-01-01T08:05:43+08:05",
            "0001-01-01 00:00:00 +0000 UTC",
            "0000-00-00 00:00:00",
            "1970-01-01T00:00:00Z",
            "1970-01-01T08:00:00+08:00",
            "1970-01-01T08:00:00",
            "1969-12-31 16:00:00",
        ] {
            assert_eq!(RecordTime::parse(nothing), None, "{nothing}");
        }
    }
}
