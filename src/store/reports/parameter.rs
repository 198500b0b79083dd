//! A parameter that a report declares: its type, what may be given for it, and what the statement
//! gets of that.

use crate::domain::{Interval, Status, Timestamp, Zone};
use rusqlite::types::Value;
use std::fmt;
use std::time::Duration;

/// One of a report's own parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// What `--param name=value` calls it.
    pub name: &'a str,
    /// Its value when none is given; nothing where it is empty.
    pub default: &'a str,
    /// What it does.
    pub meaning: &'a str,
    kind: Kind<'a>,
}

/// The type of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// Any text, or nothing.
    Text,
    /// The id of a record, without which the report tells nothing.
    Id,
    /// A status of records, or nothing.
    Status,
    /// One of these texts; the empty one stands for nothing.
    Choice(Vec<&'a str>),
    /// A moment, given as a time, a date or an age.
    Time,
    /// A whole number.
    Int(Bounds<'a>),
    /// A part of a whole, from 0 to 1.
    Share(Bounds<'a>),
    /// A length of time; the statement gets whole seconds.
    Duration(Bounds<'a>),
}

/// The least and the most that is taken, as the declaration spells them; an empty one bounds
/// nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds<'a> {
    least: &'a str,
    most: &'a str,
}

impl<'a> Parameter<'a> {
    /// Reads `name=default (type): meaning`, as it stands in a report's first comment.
    pub(super) fn declared(line: &'a str) -> Option<Self> {
        let (declared, meaning) = line.split_once(": ")?;
        let (name, value) = declared.split_once('=')?;
        let (default, kind) = value.strip_suffix(')')?.split_once(" (")?;
        Some(Self { name, default, meaning, kind: Kind::declared(kind)? })
    }

    /// What the statement gets of the text that was given; nothing if it is not to be taken.
    ///
    /// Ages count back from `now`, and days are those of the zone.
    pub(super) fn read(&self, given: &str, now: Timestamp, zone: Zone) -> Option<Value> {
        if given.is_empty() && self.is_optional() {
            return Some(Value::Null);
        }
        match &self.kind {
            Kind::Status => read_status(given).map(Value::Text),
            Kind::Text | Kind::Id => {
                (!given.trim().is_empty()).then(|| Value::Text(given.to_owned()))
            }
            Kind::Choice(choices) => {
                choices.contains(&given).then(|| Value::Text(given.to_owned()))
            }
            Kind::Time => read_time(given, now, zone).map(|moment| Value::Text(moment.to_string())),
            Kind::Int(bounds) => bounds.read(given, read_int).map(Value::Integer),
            Kind::Share(bounds) => bounds.read(given, read_share).map(Value::Real),
            Kind::Duration(bounds) => bounds.read(given, read_seconds).map(Value::Integer),
        }
    }

    /// What may be given for it, in words.
    pub fn allowed(&self) -> String {
        let or_nothing = if self.is_optional() { ", or nothing at all" } else { "" };
        format!("{}{or_nothing}", self.kind)
    }

    /// Whether it has to be given: there is no default that could stand for it.
    pub(super) fn is_needed(&self) -> bool {
        self.kind == Kind::Id
    }

    /// Whether it is a status of records.
    pub(super) fn is_status(&self) -> bool {
        self.kind == Kind::Status
    }

    pub(super) fn kind(&self) -> &Kind<'a> {
        &self.kind
    }

    /// Its default, as a value in SQL that needs no moment and no zone.
    pub(super) fn default_in_sql(&self) -> String {
        match self.read(self.default, Timestamp::MAX, Zone::UTC) {
            Some(Value::Integer(number)) => number.to_string(),
            Some(Value::Real(number)) => number.to_string(),
            Some(Value::Text(text)) => format!("'{}'", text.replace('\'', "''")),
            Some(Value::Null | Value::Blob(_)) | None => "NULL".to_owned(),
        }
    }

    fn is_optional(&self) -> bool {
        match &self.kind {
            Kind::Text | Kind::Status => true,
            Kind::Id => false,
            Kind::Choice(choices) => choices.contains(&""),
            Kind::Time | Kind::Int(_) | Kind::Share(_) | Kind::Duration(_) => {
                self.default.is_empty()
            }
        }
    }
}

impl<'a> Kind<'a> {
    /// Reads `text`, `time`, `int 1..100`, `share`, `duration 1h..` or `one|other`.
    fn declared(text: &'a str) -> Option<Self> {
        if text.contains('|') {
            return Some(Self::Choice(text.split('|').collect()));
        }
        let (name, bounds) = text.split_once(' ').unwrap_or((text, ".."));
        let (least, most) = bounds.split_once("..")?;
        let bounds = Bounds { least, most };
        match name {
            "int" if bounds.are_read_by(read_int) => Some(Self::Int(bounds)),
            "share" if bounds.are_read_by(read_share) => Some(Self::Share(bounds)),
            "duration" if bounds.are_read_by(read_seconds) => Some(Self::Duration(bounds)),
            // All others have no bounds.
            _ if name != text => None,
            "text" => Some(Self::Text),
            "id" => Some(Self::Id),
            "status" => Some(Self::Status),
            "time" => Some(Self::Time),
            _ => None,
        }
    }
}

impl Bounds<'_> {
    /// Whether each of them is a value, or bounds nothing.
    fn are_read_by<T>(self, read: fn(&str) -> Option<T>) -> bool {
        [self.least, self.most].iter().all(|bound| bound.is_empty() || read(bound).is_some())
    }

    fn read<T: PartialOrd>(self, given: &str, read: fn(&str) -> Option<T>) -> Option<T> {
        let value = read(given)?;
        let is_enough = read(self.least).is_none_or(|least| value >= least);
        let is_little = read(self.most).is_none_or(|most| value <= most);
        (is_enough && is_little).then_some(value)
    }
}

impl fmt::Display for Bounds<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.least, self.most) {
            ("", "") => Ok(()),
            (least, "") => write!(f, ", {least} or more"),
            ("", most) => write!(f, ", {most} or less"),
            (least, most) => write!(f, ", from {least} to {most}"),
        }
    }
}

impl fmt::Display for Kind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => write!(f, "a text"),
            Self::Id => write!(f, "the request id of a record"),
            Self::Status => write!(f, "a status such as FAIL"),
            Self::Choice(choices) => {
                let named: Vec<&str> =
                    choices.iter().copied().filter(|choice| !choice.is_empty()).collect();
                write!(f, "one of: {}", named.join(", "))
            }
            Self::Time => {
                write!(
                    f,
                    "a time such as 2026-01-31T12:00Z, a period such as 2026-01-31 or last-month, \
                     or an age such as 7d"
                )
            }
            Self::Int(bounds) => write!(f, "a whole number{bounds}"),
            Self::Share(bounds) => write!(f, "a share such as 0.05 or 5%{bounds}"),
            Self::Duration(bounds) => write!(f, "a duration such as 90s, 36h or 7d{bounds}"),
        }
    }
}

/// A status as the service spells it; of the known ones capital and small letters are the same.
/// What is no word is none.
fn read_status(given: &str) -> Option<String> {
    let known = Status::KNOWN.iter().find(|known| known.as_str().eq_ignore_ascii_case(given));
    let is_word = |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
    let other = || (!given.is_empty() && given.chars().all(is_word)).then(|| given.to_owned());
    known.map(|known| known.as_str().to_owned()).or_else(other)
}

/// A time, the begin of a period, or an age before `now`, as `--since` takes them.
fn read_time(given: &str, now: Timestamp, zone: Zone) -> Option<Timestamp> {
    let begin = || zone.read_period(given, now).map(Interval::begin);
    let age = || humantime::parse_duration(given).ok().map(|age| now - age);
    zone.read_moment(given).or_else(begin).or_else(age)
}

fn read_int(given: &str) -> Option<i64> {
    given.parse().ok()
}

/// Takes `0.05` and `5%`.
fn read_share(given: &str) -> Option<f64> {
    let share = match given.strip_suffix('%') {
        Some(percent) => percent.trim_end().parse::<f64>().ok()? / 100.0,
        None => given.parse().ok()?,
    };
    (0.0..=1.0).contains(&share).then_some(share)
}

/// Whole seconds: the archive knows no shorter time, and cutting one off would answer another
/// question.
fn read_seconds(given: &str) -> Option<i64> {
    let duration = humantime::parse_duration(given).ok()?;
    let is_whole = duration == Duration::from_secs(duration.as_secs());
    if is_whole { i64::try_from(duration.as_secs()).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    fn read(line: &'static str, given: &str) -> Option<Value> {
        let now = "2026-03-02T12:00:00Z".parse().unwrap();
        Parameter::declared(line).unwrap().read(given, now, Zone::UTC)
    }

    fn allowed(line: &'static str) -> String {
        Parameter::declared(line).unwrap().allowed()
    }

    #[test]
    fn a_declaration_is_whole_or_none() {
        let declared = Parameter::declared("state= (|settled|not walked): only these").unwrap();
        let kind = Kind::Choice(vec!["", "settled", "not walked"]);
        assert_eq!(declared, Parameter { name: "state", default: "", meaning: "only these", kind });
        for slip in [
            "limit=5: how many",
            "limit=5 (whole): how many",
            "limit (int): how many",
            "limit=5 (int 1): how",
            "limit=5 (int a..9): how",
            "limit=5 (int 1..b): how",
            "length=5d (duration 1..9d): how",
            "rho=0.5 (share 0..2): how",
            "id= (text 1..5): of it",
            "at= (time 1..): of it",
        ] {
            assert_eq!(Parameter::declared(slip), None, "{slip}");
        }
    }

    #[test]
    fn whole_numbers_keep_to_their_bounds() {
        let line = "limit=5 (int 1..100): how many";
        for (given, value) in
            [("1", Some(1)), ("100", Some(100)), ("0", None), ("101", None), ("-1", None)]
        {
            assert_eq!(read(line, given), value.map(Value::Integer), "{given}");
        }
        for given in ["", " ", " 5", "1.5", "1e1", "99999999999999999999", "five", "5%"] {
            assert_eq!(read(line, given), None, "{given}");
        }
        assert_eq!(read("least=0 (int): any", "-7"), Some(Value::Integer(-7)));
        assert_eq!(allowed(line), "a whole number, from 1 to 100");
        assert_eq!(allowed("limit=5 (int 1..): how many"), "a whole number, 1 or more");
        assert_eq!(allowed("limit=5 (int ..9): how many"), "a whole number, 9 or less");
        assert_eq!(allowed("limit= (int): how many"), "a whole number, or nothing at all");
    }

    #[test]
    fn shares_are_written_as_such_or_in_per_cent() {
        let line = "rho=0.02 (share ..0.5): how uneven";
        for (given, value) in
            [("0", 0.0), ("0.5", 0.5), ("50%", 0.5), ("1e-3", 0.001), ("12.5 %", 0.125)]
        {
            assert_eq!(read(line, given), Some(Value::Real(value)), "{given}");
        }
        for given in ["0.51", "51%", "-0.1", "nan", "inf", "%", "", "half"] {
            assert_eq!(read(line, given), None, "{given}");
        }
        assert_eq!(
            read("rho=0.02 (share): how uneven", "1.01"),
            None,
            "a share is never more than 1"
        );
        assert_eq!(allowed(line), "a share such as 0.05 or 5%, 0.5 or less");
    }

    #[test]
    fn durations_are_whole_seconds() {
        let line = "length=7d (duration 1h..30d): of the period";
        for (given, seconds) in
            [("1h", 3_600), ("30d", 2_592_000), ("1h 30m", 5_400), ("3600s", 3_600)]
        {
            assert_eq!(read(line, given), Some(Value::Integer(seconds)), "{given}");
        }
        for given in ["59m", "31d", "1h 500ms", "90", "", "-2h", "day"] {
            assert_eq!(read(line, given), None, "{given}");
        }
        assert_eq!(allowed(line), "a duration such as 90s, 36h or 7d, from 1h to 30d");
    }

    #[test]
    fn times_are_moments_dates_or_ages() {
        let line = "against= (time): begin of the other period";
        let midnight = "2026-03-01T00:00:00Z";
        for given in
            [midnight, "2026-03-01", "2026-03-01T08:00:00+08:00", "36h", "yesterday", "this-month"]
        {
            assert_eq!(read(line, given), Some(Value::Text(midnight.to_owned())), "{given}");
        }
        assert_eq!(read(line, ""), Some(Value::Null));
        assert_eq!(read("from=7d (time): begin", ""), None, "what has a default is not nothing");
        for given in ["someday", "2026-02-30", " "] {
            assert_eq!(read(line, given), None, "{given}");
        }
    }

    #[test]
    fn texts_and_choices() {
        assert_eq!(read("id= (text): of a record", "a1"), Some(Value::Text("a1".to_owned())));
        assert_eq!(read("status=FAIL (text): of it", ""), Some(Value::Null));
        assert_eq!(read("id= (text): of a record", " "), None);
        let status = |given| read("status=SUCCESS (status): of it", given);
        for (given, read) in [("fail", "FAIL"), ("Wait", "WAIT"), ("PAUSED", "PAUSED")] {
            assert_eq!(status(given), Some(Value::Text(read.to_owned())));
        }
        assert_eq!((status(""), status("FAIL ")), (Some(Value::Null), None));
        let line = "bucket=hour (hour|day): what a row stands for";
        assert_eq!(read(line, "day"), Some(Value::Text("day".to_owned())));
        assert_eq!(read(line, ""), None);
        assert_eq!(allowed(line), "one of: hour, day");
        assert_eq!(allowed("state= (|lost): only these"), "one of: lost, or nothing at all");
    }
}
