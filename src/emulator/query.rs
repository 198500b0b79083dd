//! Reading a listing's parameters, and refusing what the documented forms do not allow.

use super::auth::decoded;
use super::listing::Query;
use super::readings::{OverLimit, Readings, Times};
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
            Some(value) if value.len() > MOST_CHARACTERS => Err(format!("{name} is longer than {MOST_CHARACTERS}")),
            value => Ok(value),
        }
    }

    /// A position or an amount.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, String> {
        let Some(text) = self.short(name)? else { return Ok(None) };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| digits).map(Some).ok_or_else(|| format!("{name} is not a number"))
    }

    fn time(&self, name: &str, times: Times) -> Result<Option<Timestamp>, String> {
        let Some(text) = self.short(name)? else { return Ok(None) };
        let read = match times {
            Times::Strict => strict_time(text),
            Times::Lenient => text.parse().ok(),
        };
        read.map(Some).ok_or_else(|| format!("{name} is not a time such as 2021-01-01T12:00:00"))
    }

    fn phase(&self) -> Result<Option<Phase>, String> {
        let Some(text) = self.short("status")? else { return Ok(None) };
        let phase = Phase::ALL.into_iter().find(|phase| phase.as_str() == text);
        phase.map(Some).ok_or_else(|| "status is none of WAIT, RUNNING, SUCCESS, FAIL, DISCARD".to_owned())
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
        let query = Query {
            ids: self.ids(active)?,
            marker: self.number("marker")?.unwrap_or(0),
            limit: self.limit(readings.over_limit)?,
            phase: self.phase()?,
            begin: self.time("query_begin_time", readings.times)?,
            end: self.time("query_end_time", readings.times)?,
        };
        check_window(&query, readings).map(|()| query)
    }
}

fn check_window(query: &Query, readings: &Readings) -> Result<(), String> {
    let (Some(begin), Some(end)) = (query.begin, query.end) else { return Ok(()) };
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
        for query in ["", "marker=&limit=&status=&query_begin_time=&request_id=", "other=1", "=&&"] {
            assert_eq!(read(query, &Readings::default()).as_ref(), Ok(&expected), "{query}");
        }
    }

    #[test]
    fn everything_given_is_read() {
        let query = "limit=500&marker=1000&query_begin_time=2024-03-01T11%3A00%3A00&query_end_time=2024-03-01T12:00:00&status=FAIL&request_id=x";
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
            "query_begin_time=2024-03-01T11:00:00Z",
            "query_begin_time=2024-03-01T11:00:00%2B00:00",
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
        let lenient = Readings { times: Times::Lenient, ..Readings::default() };
        for time in ["2024-03-01T11:00:00Z", "2024-03-01T19:00:00.5%2B08:00"] {
            let query = read(&format!("query_begin_time={time}"), &lenient).unwrap();
            assert_eq!(query.begin, Some(Timestamp::from_unix(1_709_290_800)), "{time}");
        }
    }

    #[test]
    fn active_invocations_are_asked_for_ten_at_a_time() {
        let read = |query: &str| Parameters::parse(query).listing(&Readings::default(), true).map(|query| query.ids);
        assert_eq!(read("requests=a%2Cb"), Ok(Some(vec!["a".to_owned(), "b".to_owned()])));
        assert_eq!(read("request_id=a"), Ok(None));
        assert!(read("requests=1,2,3,4,5,6,7,8,9,10,11").is_err());
    }
}
