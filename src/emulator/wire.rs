//! What the service's answers look like as bytes: the emulator's own reading of the vendor's page,
//! shared with nobody, pinned to the page's examples.
//!
//! Listings are written by hand into one buffer; a benchmark must measure the client, not this.

use super::listing::Listed;
use super::oddity::Oddity;
use super::readings::{ErrorForm, MarkerForm, OpenTime, Readings, WaitStart};
use super::world::{Failure, Phase, Shown};
use crate::domain::Timestamp;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method};
use serde::Serialize;

/// Bytes of an ordinary record, a first guess of the buffer's size.
const USUAL_RECORD: usize = 200;
/// What some services write for no time.
const YEAR_ONE: &[u8] = b"\"0001-01-01T00:00:00\"";

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    /// The path as it was sent, still encoded.
    pub(super) path: String,
    /// What stands behind the question mark, still encoded.
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// What it is answered with, before anything goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// An answer that holds JSON.
    pub(super) fn json(status: u16, body: Vec<u8>) -> Self {
        Self { status, content_type: "application/json", headers: Vec::new(), body }
    }

    /// An answer that holds a value; no wire type has a part that cannot be written.
    pub(super) fn of(status: u16, value: &impl Serialize) -> Self {
        Self::json(status, serde_json::to_vec(value).unwrap_or_default())
    }

    /// Adds a header.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A page of invocations.
pub(super) fn listing(listed: &Listed, readings: &Readings) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + listed.records.len() * USUAL_RECORD);
    out.extend_from_slice(b"{\"invocations\":[");
    for (nth, record) in listed.records.iter().enumerate() {
        if nth > 0 {
            out.push(b',');
        }
        match readings.odd.and_then(|one_of| Oddity::of(record.id, one_of)) {
            None => write_record(&mut out, record, &record.id.to_text(), readings),
            Some(oddity) => write_odd(&mut out, record, oddity, readings),
        }
    }
    out.push(b']');
    if let Some(count) = listed.count {
        out.extend_from_slice(format!(",\"count\":{count}").as_bytes());
    }
    if let Some(marker) = listed.next_marker {
        match readings.marker_form {
            MarkerForm::Number => {
                out.extend_from_slice(format!(",\"next_marker\":{marker}").as_bytes());
            }
            MarkerForm::String => {
                out.extend_from_slice(format!(",\"next_marker\":\"{marker}\"").as_bytes());
            }
            MarkerForm::Absent => {}
        }
    }
    out.push(b'}');
    out
}

fn write_odd(out: &mut Vec<u8>, record: &Shown, oddity: Oddity, readings: &Readings) {
    let mut plain = Vec::with_capacity(USUAL_RECORD);
    write_record(&mut plain, record, &record.id.to_text(), readings);
    let plain = serde_json::from_slice(&plain).unwrap_or_default();
    out.extend_from_slice(oddity.distort(plain).to_string().as_bytes());
}

/// One record, its fields in the order of the vendor's example.
fn write_record(out: &mut Vec<u8>, record: &Shown, id: &[u8], readings: &Readings) {
    out.extend_from_slice(b"{\"request_id\":\"");
    out.extend_from_slice(id);
    out.extend_from_slice(b"\",\"status\":\"");
    out.extend_from_slice(record.phase.as_str().as_bytes());
    out.push(b'"');
    write_message(out, record.failure, readings.error_form);
    let start_known = record.phase != Phase::Wait || readings.wait_start == WaitStart::Known;
    write_time(
        out,
        b",\"start_time\":",
        start_known.then_some(record.start),
        record.start,
        readings.open_time,
    );
    write_time(out, b",\"end_time\":", record.end, record.start, readings.open_time);
    write_code(out, record.failure, readings.error_form);
    out.push(b'}');
}

fn write_message(out: &mut Vec<u8>, failure: Option<Failure>, form: ErrorForm) {
    let Some(failure) = failure else {
        out.extend_from_slice(match form {
            ErrorForm::Number | ErrorForm::String => b",\"error_message\":\"\"",
            ErrorForm::StringOrNull => b",\"error_message\":null",
            ErrorForm::StringOrAbsent => b"",
        });
        return;
    };
    out.extend_from_slice(b",\"error_message\":");
    // Writing a string to memory cannot fail.
    let _ = serde_json::to_writer(&mut *out, &failure.to_string());
}

fn write_code(out: &mut Vec<u8>, failure: Option<Failure>, form: ErrorForm) {
    let text = match (failure, form) {
        (Some(failure), ErrorForm::Number) => format!(",\"error_code\":{}", failure.code()),
        (Some(failure), _) => format!(",\"error_code\":\"{}\"", failure.code()),
        (None, form) => {
            out.extend_from_slice(match form {
                ErrorForm::Number => b",\"error_code\":0",
                ErrorForm::String => b",\"error_code\":\"\"",
                ErrorForm::StringOrNull => b",\"error_code\":null",
                ErrorForm::StringOrAbsent => b"",
            });
            return;
        }
    };
    out.extend_from_slice(text.as_bytes());
}

fn write_time(
    out: &mut Vec<u8>,
    field: &[u8],
    time: Option<Timestamp>,
    start: Timestamp,
    open: OpenTime,
) {
    if time.is_none() && open == OpenTime::Absent {
        return;
    }
    out.extend_from_slice(field);
    match (time, open) {
        (Some(time), _) => write_quoted(out, time),
        (None, OpenTime::Start) => write_quoted(out, start),
        (None, OpenTime::Null) => out.extend_from_slice(b"null"),
        (None, OpenTime::YearOne) => out.extend_from_slice(YEAR_ONE),
        (None, OpenTime::Empty | OpenTime::Absent) => out.extend_from_slice(b"\"\""),
    }
}

/// `"YYYY-MM-DDTHH:MM:SS"`, the documented form, without an allocation.
fn write_quoted(out: &mut Vec<u8>, time: Timestamp) {
    let (day, second) =
        (time.unix().div_euclid(86_400), time.unix().rem_euclid(86_400).unsigned_abs());
    let (year, month, day) = civil(day);
    out.push(b'"');
    write_digits(out, year / 100);
    write_digits(out, year % 100);
    for (separator, part) in [
        (b'-', month),
        (b'-', day),
        (b'T', second / 3_600),
        (b':', second / 60 % 60),
        (b':', second % 60),
    ] {
        out.push(separator);
        write_digits(out, part);
    }
    out.push(b'"');
}

fn write_digits(out: &mut Vec<u8>, number: u64) {
    out.push(b'0' + (number / 10 % 10) as u8);
    out.push(b'0' + (number % 10) as u8);
}

/// Year, month and day of a day since 1970 in the Gregorian calendar, counted in eras of 400 years
/// that begin on a first of March, so that the leap day is an era's and a year's last.
fn civil(day: i64) -> (u64, u64, u64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097).unsigned_abs();
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era.unsigned_abs() * 400 + year_of_era + u64::from(month <= 2);
    (year, month, of_year - (153 * shifted_month + 2) / 5 + 1)
}

/// An error of the service itself (`FSS.`) or, with a request's id in the body, of the gateway.
#[derive(Debug, Serialize)]
pub(super) struct ErrorBody<'a> {
    pub(super) error_code: &'a str,
    pub(super) error_msg: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request_id: Option<&'a str>,
}

/// A page of functions.
#[derive(Debug, Serialize)]
pub(super) struct Functions {
    #[serde(rename = "functions")]
    pub(super) items: Vec<FunctionItem>,
    pub(super) next_marker: usize,
    pub(super) count: usize,
}

/// A function of the listing, with the fields a reader would use.
#[derive(Debug, Serialize)]
pub(super) struct FunctionItem {
    pub(super) resource_id: String,
    pub(super) namespace: &'static str,
    pub(super) project_name: &'static str,
    pub(super) package: String,
    pub(super) runtime: &'static str,
    pub(super) timeout: u32,
    pub(super) handler: &'static str,
    pub(super) memory_size: u32,
    pub(super) cpu: u32,
    pub(super) code_type: &'static str,
    pub(super) code_filename: &'static str,
    pub(super) code_size: u32,
    pub(super) digest: String,
    pub(super) version: &'static str,
    pub(super) image_name: String,
    pub(super) last_modified: String,
    pub(super) func_urn: String,
    pub(super) func_name: String,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) fail_count: u32,
}

/// How a function's asynchronous invocations are handled.
#[derive(Debug, Serialize)]
pub(super) struct AsyncConfig {
    pub(super) func_urn: String,
    pub(super) max_async_event_age_in_seconds: u32,
    pub(super) max_async_retry_attempts: u32,
    pub(super) created_time: String,
    pub(super) last_modified: String,
    pub(super) enable_async_status_log: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::world::{Place, World, WorldSpec};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const EXAMPLES: &str = include_str!("../../tests/fixtures/vendor_examples.json");

    fn example(status: &str) -> Value {
        serde_json::from_str::<Value>(EXAMPLES).unwrap()[status].take()
    }

    fn record(phase: Phase) -> Shown {
        let world = World::new(WorldSpec::new(Timestamp::from_unix(1_572_017_847))).unwrap();
        let moment = Timestamp::from_unix(1_572_017_847);
        let later = Timestamp::from_unix(1_600_000_000);
        let failure = world
            .shown(0, later)
            .find(|shown| shown.phase == phase)
            .and_then(|shown| shown.failure);
        let id = world.state_at(Place { function: 0, index: 0 }, later).unwrap().id;
        Shown { id, phase, failure, start: moment, end: (!phase.is_open()).then_some(moment) }
    }

    fn written(phase: Phase, readings: &Readings) -> Value {
        let mut out = Vec::new();
        write_record(&mut out, &record(phase), b"403fcbd6-ec41-401f-9fa7-386f3d3d****", readings);
        serde_json::from_slice(&out).unwrap()
    }

    fn with(error_form: ErrorForm, open_time: OpenTime) -> Readings {
        Readings { error_form, open_time, ..Readings::default() }
    }

    #[test]
    fn a_record_is_the_vendor_s_example() {
        let documented = with(ErrorForm::Number, OpenTime::Empty);
        assert_eq!(written(Phase::Success, &documented), example("200")["invocations"][0]);
        let empty = Listed { records: vec![], count: None, next_marker: None };
        assert_eq!(listing(&empty, &documented), b"{\"invocations\":[]}");
    }

    #[test]
    fn errors_are_the_vendor_s_examples() {
        for (status, code, text) in [
            ("403", "FSS.0403", "invalid token"),
            ("404", "FSS.0404", "can not find function"),
            ("500", "FSS.0500", "xxx"),
        ] {
            let body = ErrorBody { error_code: code, error_msg: text, request_id: None };
            assert_eq!(serde_json::to_value(body).unwrap(), example(status));
        }
    }

    #[test]
    fn every_form_of_an_error_is_written() {
        let fields = |phase, form| {
            let record = written(phase, &with(form, OpenTime::Empty));
            (record.get("error_code").cloned(), record.get("error_message").cloned())
        };
        let failure = record(Phase::Fail).failure.unwrap();
        let message = Some(json!(failure.to_string()));
        assert_eq!(
            fields(Phase::Fail, ErrorForm::Number),
            (Some(json!(failure.code())), message.clone())
        );
        for form in [ErrorForm::String, ErrorForm::StringOrAbsent, ErrorForm::StringOrNull] {
            assert_eq!(
                fields(Phase::Fail, form),
                (Some(json!(failure.code().to_string())), message.clone())
            );
        }
        assert_eq!(fields(Phase::Success, ErrorForm::String), (Some(json!("")), Some(json!(""))));
        assert_eq!(
            fields(Phase::Success, ErrorForm::StringOrNull),
            (Some(Value::Null), Some(Value::Null))
        );
        assert_eq!(fields(Phase::Success, ErrorForm::StringOrAbsent), (None, None));
    }

    #[test]
    fn every_form_of_an_open_time_is_written() {
        let times = |wait_start, open_time| {
            let readings = Readings { open_time, wait_start, ..Readings::default() };
            let record = written(Phase::Wait, &readings);
            (record.get("start_time").cloned(), record.get("end_time").cloned())
        };
        let start = Some(json!("2019-10-25T15:37:27"));
        for (form, open) in [
            (OpenTime::Empty, Some(json!(""))),
            (OpenTime::Null, Some(Value::Null)),
            (OpenTime::Absent, None),
            (OpenTime::YearOne, Some(json!("0001-01-01T00:00:00"))),
            (OpenTime::Start, start.clone()),
        ] {
            assert_eq!(times(WaitStart::Known, form), (start.clone(), open.clone()), "{form}");
            assert_eq!(times(WaitStart::Open, form), (open.clone(), open), "{form}");
        }
    }

    #[test]
    fn the_fields_beside_the_records_follow_their_reading() {
        let page = |marker_form| {
            let listed = Listed {
                records: vec![record(Phase::Fail)],
                count: Some(10),
                next_marker: Some(1),
            };
            let body = listing(&listed, &Readings { marker_form, ..Readings::default() });
            serde_json::from_slice::<Value>(&body).unwrap()
        };
        assert_eq!(page(MarkerForm::Number)["next_marker"], json!(1));
        assert_eq!(page(MarkerForm::String)["next_marker"], json!("1"));
        assert_eq!(page(MarkerForm::Absent).get("next_marker"), None);
        assert_eq!(page(MarkerForm::Number)["count"], json!(10));
    }

    #[test]
    fn odd_records_stay_where_they_are() {
        let anchor = Timestamp::from_unix(1_772_366_400);
        let world = World::new(WorldSpec::new(anchor)).unwrap();
        let records: Vec<Shown> = world.shown(0, anchor).take(400).collect();
        let listed = Listed { records: records.clone(), count: None, next_marker: None };
        let body = |odd| {
            serde_json::from_slice::<Value>(&listing(
                &listed,
                &Readings { odd, ..Readings::default() },
            ))
        };
        let (plain, odd) = (body(None).unwrap(), body(Some(9)).unwrap());
        for (nth, record) in records.iter().enumerate() {
            let same = plain["invocations"][nth] == odd["invocations"][nth];
            assert_eq!(same, Oddity::of(record.id, 9).is_none(), "{nth}");
        }
    }

    proptest! {
        #[test]
        fn a_time_is_written_as_the_calendar_has_it(
            second in Timestamp::MIN.unix()..=Timestamp::MAX.unix(),
        ) {
            let moment = Timestamp::from_unix(second);
            let mut out = Vec::new();
            write_quoted(&mut out, moment);
            prop_assert_eq!(String::from_utf8(out).unwrap(), format!("\"{}\"", moment.to_wire()));
        }
    }
}
