//! Times and ages as people write them in options.

use super::origin::{Origin, Setting};
use super::variables::usage;
use crate::domain::{Timestamp, Zone};
use crate::error::Failure;

/// Which end of a period a text stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edge {
    Begin,
    End,
}

/// Reads a moment (RFC 3339, or without an offset in UTC), the begin of a period or an age, as
/// `read_end` does.
///
/// `option` is where the text was given, for the error.
pub fn parse_moment_or_age(
    option: &str,
    given: &str,
    now: Timestamp,
) -> Result<Timestamp, Failure> {
    read_end(option, given, Edge::Begin, Present { now, zone: Zone::UTC })
}

/// What a text is read by: ages count back from `now`, days are those of the zone.
#[derive(Clone, Copy, Debug)]
struct Present {
    now: Timestamp,
    zone: Zone,
}

/// Reads a moment, an age before now (`90m`, `36h`, `7d`), or one end of a period (`yesterday`,
/// `2026-03`).
fn read_end(option: &str, given: &str, edge: Edge, at: Present) -> Result<Timestamp, Failure> {
    let text = given.trim();
    if let Some(moment) = at.zone.read_moment(text) {
        return Ok(moment);
    }
    if let Some(period) = at.zone.read_period(text, at.now) {
        return Ok(if edge == Edge::Begin { period.begin() } else { period.end() });
    }
    let no_age = |_| {
        usage(format!("{option}: \"{given}\" is neither a time nor an age")).hint(
            "write 2026-01-31T12:00Z, a period (2026-01-31, 2026-01, yesterday, last-week, \
             this-month), or how long ago: 90m, 36h, 7d",
        )
    };
    humantime::parse_duration(text).map(|age| at.now - age).map_err(no_age)
}

/// A range of time, each of whose ends may be left open.
pub(super) type OpenRange = (Option<Timestamp>, Option<Timestamp>);

/// Whether a text stands for a moment, whatever the time is.
pub(super) fn check_moment_or_age(text: &str) -> Result<(), String> {
    let at = Present { now: Timestamp::from_unix(SOME_TIME), zone: Zone::UTC };
    let read = read_end("", text, Edge::Begin, at);
    read.map(drop).map_err(|_| format!("\"{text}\" is neither a time nor an age such as 30d"))
}

/// Any moment that ages up to decades can be counted back from.
const SOME_TIME: i64 = 2_000_000_000;

/// The range that a question is about, as far as it is given.
pub fn parse_range(
    since: Option<&str>,
    until: Option<&str>,
    now: Timestamp,
    zone: Zone,
) -> Result<OpenRange, Failure> {
    let since = since.map(|text| by_flag("--since", text));
    let (since, until) = read_ends(since, until, Present { now, zone })?;
    check_order(since, until)
}

/// The range that a run is about, as far as it is set. It begins in the past.
pub(super) fn read_run_range(
    since: Option<Setting<String>>,
    until: Option<&str>,
    now: Timestamp,
) -> Result<OpenRange, Failure> {
    let (since, until) = read_ends(since, until, Present { now, zone: Zone::UTC })?;
    if let Some(since) = since.as_ref().filter(|since| since.value >= now) {
        return Err(usage(format!("{} is not in the past", shown(since))));
    }
    check_order(since, until)
}

/// One end of a range, with its origin.
type End = Option<Setting<Timestamp>>;

fn read_ends(
    since: Option<Setting<String>>,
    until: Option<&str>,
    at: Present,
) -> Result<(End, End), Failure> {
    let read = |set: Option<Setting<String>>, edge: Edge| {
        set.map(|set| set.try_map(|text, origin| read_end(&origin.to_string(), &text, edge, at)))
            .transpose()
    };
    let since = read(since, Edge::Begin)?;
    Ok((since, read(until.map(|text| by_flag("--until", text)), Edge::End)?))
}

/// A text as a flag gives it; an empty one does not take back what other layers say.
fn by_flag(flag: &'static str, text: &str) -> Setting<String> {
    Setting { value: text.to_owned(), origin: Origin::Flag(flag) }
}

/// Refuses a range that ends before it begins: nothing lies in it.
fn check_order(since: End, until: End) -> Result<OpenRange, Failure> {
    match (&since, &until) {
        (Some(since), Some(until)) if until.value <= since.value => {
            Err(usage(format!("{} is not after {}", shown(until), shown(since)))
                .hint("an age counts back from now: --since 7d --until 1d"))
        }
        _ => Ok((since.map(|since| since.value), until.map(|until| until.value))),
    }
}

fn shown(moment: &Setting<Timestamp>) -> String {
    format!("{} {}", moment.origin, moment.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<String> {
        let now = "2026-03-08T12:00:00Z".parse().unwrap();
        parse_moment_or_age("--since", text, now).ok().map(|moment| moment.to_string())
    }

    #[test]
    fn a_moment_or_an_age() {
        for (text, expected) in [
            ("2026-03-01T08:00:00Z", "2026-03-01T08:00:00Z"),
            ("2026-03-01T08:00:00+08:00", "2026-03-01T00:00:00Z"),
            ("2026-03-01T08:00:00", "2026-03-01T08:00:00Z"),
            ("2026-03-01", "2026-03-01T00:00:00Z"),
            ("2026-03-01T08:00", "2026-03-01T08:00:00Z"),
            ("2026-03-01 08:00", "2026-03-01T08:00:00Z"),
            ("2026-03-01T08:00Z", "2026-03-01T08:00:00Z"),
            ("2026-03-01T08:00+08:00", "2026-03-01T00:00:00Z"),
            (" 90m ", "2026-03-08T10:30:00Z"),
            ("36h", "2026-03-07T00:00:00Z"),
            ("7d", "2026-03-01T12:00:00Z"),
            ("1d 12h", "2026-03-07T00:00:00Z"),
            ("yesterday", "2026-03-07T00:00:00Z"),
            ("last-month", "2026-02-01T00:00:00Z"),
            ("2026-02", "2026-02-01T00:00:00Z"),
            ("0s", "2026-03-08T12:00:00Z"),
            ("9999999y", "0001-01-01T00:00:00Z"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
        for text in
            ["", "7", "-7d", "someday", "2026-13-01", "2026-03-01T08", "2026-03-01T25:00", "08:00"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_period_is_its_begin_or_its_end() {
        let now = "2026-03-08T12:00:00Z".parse().unwrap();
        let range = |since: &str, until: &str, zone: &str| {
            let zone = zone.parse().unwrap();
            let (since, until) = parse_range(Some(since), Some(until), now, zone).unwrap();
            format!("{} {}", since.unwrap(), until.unwrap())
        };
        let march = "2026-03-01T00:00:00Z 2026-04-01T00:00:00Z";
        assert_eq!(range("2026-03", "2026-03", "UTC"), march);
        assert_eq!(range("2026-03-01", "2026-03-31", "UTC"), march);
        assert_eq!(range("2026-03-01T00:00", "this-month", "UTC"), march);
        assert_eq!(
            range("2026-03-29", "2026-03-29", "Europe/Berlin"),
            "2026-03-28T23:00:00Z 2026-03-29T22:00:00Z"
        );
        assert_eq!(
            range("1d", "12h", "Europe/Berlin"),
            "2026-03-07T12:00:00Z 2026-03-08T00:00:00Z"
        );
    }

    #[test]
    fn an_error_names_the_option_and_the_value() {
        let failure = parse_moment_or_age("--until", "yesterdayish", Timestamp::MIN).unwrap_err();
        assert_eq!(failure.to_string(), "--until: \"yesterdayish\" is neither a time nor an age");
        assert_eq!(failure.kind.exit_code(), 2);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,30}") {
            let _ = parse_moment_or_age("--since", &text, Timestamp::MIN);
        }
    }
}
