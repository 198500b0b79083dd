//! Reading a listing's parameters, and refusing what the documented forms do not allow.

use super::auth::decoded;
use super::listing::Query;
use super::readings::{Bounds, OverLimit, Readings, Times};
use super::world::Phase;
use crate::domain::Timestamp;
use chrono::NaiveDateTime;

/// The limit of a query that gives none (API reference, table 2).
const DEFAULT_LIMIT: u64 = 100;
/// The documented maximum.
const MOST_RECORDS: u64 = 500;
/// The longest parameter (the same table).
const MOST_CHARACTERS: usize = 64;
/// The most ids of one request for active invocations, and the longest list of them.
const MOST_IDS: usize = 10;
const MOST_ID_CHARACTERS: usize = 640;

/// A request's parameters, decoded; of one that is repeated the first counts.
#[derive(Debug)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn parse(query: &str) -> Self {
        let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self(pairs.map(|(name, value)| (decoded(name), decoded(value))).collect())
    }

    /// A parameter's value; an empty one counts as not given.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(given, _)| given == name)?;
        Some(found.1.as_str()).filter(|value| !value.is_empty())
    }

    /// A parameter's value, if it is not too long.
    fn short(&self, name: &str) -> Result<Option<&str>, String> {
        match self.get(name) {
            Some(value) if value.len() > MOST_CHARACTERS => {
                Err(format!("{name} is longer than {MOST_CHARACTERS}"))
            }
            value => Ok(value),
        }
    }

    /// A position or an amount.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, String> {
        let Some(text) = self.short(name)? else { return Ok(None) };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse()
            .ok()
            .filter(|_| digits)
            .map(Some)
            .ok_or_else(|| format!("{name} is not a number"))
    }

    fn time(&self, name: &str, times: Times) -> Result<Option<Bound>, String> {
        let Some(text) = self.short(name)? else { return Ok(None) };
        let read = Bound::parse(text, times);
        read.map(Some).ok_or_else(|| format!("{name} is not a time such as 2021-01-01T12:00:00"))
    }

    fn phase(&self) -> Result<Option<Phase>, String> {
        let Some(text) = self.short("status")? else { return Ok(None) };
        let phase = Phase::ALL.into_iter().find(|phase| phase.as_str() == text);
        phase
            .map(Some)
            .ok_or_else(|| "status is none of WAIT, RUNNING, SUCCESS, FAIL, DISCARD".to_owned())
    }

    fn limit(&self, over: OverLimit) -> Result<u64, String> {
        match self.number("limit")?.unwrap_or(DEFAULT_LIMIT) {
            0 => Err("limit is 0".to_owned()),
            limit if limit > MOST_RECORDS && over == OverLimit::Refuse => {
                Err(format!("limit is larger than {MOST_RECORDS}"))
            }
            limit => Ok(limit.min(MOST_RECORDS)),
        }
    }

    fn ids(&self, active: bool) -> Result<Option<Vec<String>>, String> {
        if !active {
            return Ok(self.short("request_id")?.map(|id| vec![id.to_owned()]));
        }
        let Some(text) = self.get("requests") else { return Ok(None) };
        let ids: Vec<String> = text.split(',').map(str::to_owned).collect();
        let fits = ids.len() <= MOST_IDS && text.len() <= MOST_ID_CHARACTERS;
        if fits { Ok(Some(ids)) } else { Err(format!("requests holds more than {MOST_IDS} ids")) }
    }

    /// The query of a listing, of the active invocations or of all.
    pub(super) fn listing(&self, readings: &Readings, active: bool) -> Result<Query, String> {
        let begin = self.time("query_begin_time", readings.times)?;
        let end = self.time("query_end_time", readings.times)?;
        check_window(begin, end, readings)?;
        let (begin_up, end_up) = rounds_up(readings.bounds);
        Ok(Query {
            ids: self.ids(active)?,
            marker: self.number("marker")?.unwrap_or(0),
            limit: self.limit(readings.over_limit)?,
            phase: self.phase()?,
            begin: begin.map(|bound| bound.rounded(begin_up)),
            end: end.map(|bound| bound.rounded(end_up)),
        })
    }
}

/// A bound of a window as it was given.
#[derive(Clone, Copy, Debug)]
struct Bound {
    /// The second it lies in.
    second: Timestamp,
    /// Whether it lies within that second and not at its begin.
    within: bool,
}

impl Bound {
    fn parse(text: &str, times: Times) -> Option<Self> {
        let second = match times {
            Times::Strict => strict_time(text)?,
            Times::Lenient => text.parse().ok()?,
        };
        let fraction = text.split_once('.').map_or("", |(_, rest)| rest);
        let mut digits = fraction.bytes().take_while(u8::is_ascii_digit);
        Some(Self { second, within: digits.any(|digit| digit != b'0') })
    }

    /// The begin of its second or, rounded up, of the one after.
    fn rounded(self, up: bool) -> Timestamp {
        Timestamp::from_unix(self.second.unix() + i64::from(up && self.within))
    }
}

/// Whether a bound within a second is rounded up, for the lower and for the upper one: records
/// have whole seconds, so it is moved to the next that separates the same records.
fn rounds_up(bounds: Bounds) -> (bool, bool) {
    match bounds {
        Bounds::InclusiveInclusive => (true, false),
        Bounds::InclusiveExclusive => (true, true),
        Bounds::ExclusiveInclusive => (false, false),
        Bounds::ExclusiveExclusive => (false, true),
    }
}

fn check_window(
    begin: Option<Bound>,
    end: Option<Bound>,
    readings: &Readings,
) -> Result<(), String> {
    let (Some(Bound { second: begin, .. }), Some(Bound { second: end, .. })) = (begin, end) else {
        return Ok(());
    };
    if begin > end {
        return Err("query_begin_time is later than query_end_time".to_owned());
    }
    match readings.max_window {
        Some(most) if end.seconds_since(begin).unsigned_abs() > most.as_secs() => {
            Err(format!("the time range is longer than {most}"))
        }
        _ => Ok(()),
    }
}

fn strict_time(text: &str) -> Option<Timestamp> {
    let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").ok()?;
    (text.len() == 19).then(|| Timestamp::from_unix(time.and_utc().timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str, readings: &Readings) -> Result<Query, String> {
        Parameters::parse(query).listing(readings, false)
    }

    #[test]
    fn nothing_given_is_the_documented_default() {
        let expected = Query { limit: 100, ..Query::default() };
        for query in ["", "marker=&limit=&status=&query_begin_time=&request_id=", "other=1", "=&&"]
        {
            assert_eq!(read(query, &Readings::default()).as_ref(), Ok(&expected), "{query}");
        }
    }

    #[test]
    fn everything_given_is_read() {
        let query = "limit=500&marker=1000&query_begin_time=2024-03-01T11%3A00%3A00&\
                     query_end_time=2024-03-01T12:00:00&status=FAIL&request_id=x";
        let expected = Query {
            ids: Some(vec!["x".to_owned()]),
            marker: 1_000,
            limit: 500,
            phase: Some(Phase::Fail),
            begin: Some(Timestamp::from_unix(1_709_290_800)),
            end: Some(Timestamp::from_unix(1_709_294_400)),
        };
        assert_eq!(read(query, &Readings::default()), Ok(expected));
    }

    #[test]
    fn what_the_page_does_not_allow_is_refused() {
        let readings = Readings { max_window: Some("1h".parse().unwrap()), ..Readings::default() };
        for query in [
            "marker=-1",
            "marker=+1",
            "marker=x",
            "limit=0",
            "limit=many",
            "status=DONE",
            "query_begin_time=2024-03-01",
            "query_begin_time=2024-03-01T11:00",
            "query_begin_time=2024-03-01T11:00:00.Z",
            "query_begin_time=Fri%20Mar%2001%202024%2011%3A00%3A00",
            "query_end_time=1709294400",
            "query_begin_time=2024-03-01T12:00:00&query_end_time=2024-03-01T11:59:59",
            "query_begin_time=2024-03-01T12:00:00&query_end_time=2024-03-01T13:00:01",
            "request_id=00000000000000000000000000000000000000000000000000000000000000000",
        ] {
            assert!(read(query, &readings).is_err(), "{query}");
        }
    }

    #[test]
    fn switches_decide_what_the_page_leaves_open() {
        let refusing = Readings { over_limit: OverLimit::Refuse, ..Readings::default() };
        assert_eq!(read("limit=501", &Readings::default()).map(|query| query.limit), Ok(500));
        assert!(read("limit=501", &refusing).is_err());
    }

    /// The forms that the vendor's SDKs send: documented, of Java and Go, of Java with an offset,
    /// of Python's aware datetimes.
    const ELEVEN: [&str; 5] = [
        "2024-03-01T11:00:00",
        "2024-03-01T11%3A00%3A00Z",
        "2024-03-01T19:00:00%2B08:00",
        "2024-03-01T11:00:00+00:00",
        "2024-03-01T11:00:00.000000%2B00:00",
    ];

    #[test]
    fn every_form_of_a_time_that_the_vendor_sends_is_read_unless_told_otherwise() {
        let strict = Readings { times: Times::Strict, ..Readings::default() };
        for (nth, time) in ELEVEN.iter().enumerate() {
            for name in ["query_begin_time", "query_end_time"] {
                let query = format!("{name}={time}");
                let read_by_default = read(&query, &Readings::default()).unwrap();
                let moment = Timestamp::from_unix(1_709_290_800);
                assert_eq!(read_by_default.begin.or(read_by_default.end), Some(moment), "{query}");
                assert_eq!(read(&query, &strict).is_ok(), nth == 0, "{query}");
            }
        }
    }

    #[test]
    fn a_bound_within_a_second_separates_the_records_around_it() {
        let within =
            "query_begin_time=2024-03-01T11:00:00.123456Z&query_end_time=2024-03-01T11:00:00.5Z";
        // The seconds that belong to the window of the bounds moved to a whole second: none here.
        for (bounds, begin, end) in [
            (Bounds::InclusiveInclusive, 1, 0),
            (Bounds::InclusiveExclusive, 1, 1),
            (Bounds::ExclusiveInclusive, 0, 0),
            (Bounds::ExclusiveExclusive, 0, 1),
        ] {
            let query = read(within, &Readings { bounds, ..Readings::default() }).unwrap();
            let seconds = |moment: Option<Timestamp>| moment.unwrap().unix() - 1_709_290_800;
            assert_eq!((seconds(query.begin), seconds(query.end)), (begin, end), "{bounds}");
        }
    }

    #[test]
    fn active_invocations_are_asked_for_ten_at_a_time() {
        let read = |query: &str| {
            Parameters::parse(query).listing(&Readings::default(), true).map(|query| query.ids)
        };
        assert_eq!(read("requests=a%2Cb"), Ok(Some(vec!["a".to_owned(), "b".to_owned()])));
        assert_eq!(read("request_id=a"), Ok(None));
        assert!(read("requests=1,2,3,4,5,6,7,8,9,10,11").is_err());
    }
}
