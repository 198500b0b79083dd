//! Addresses on the server that shows the archive.

use super::answer::{AnswerRow, Value};
use super::kept::Kept;
use super::week::DAYS;
use crate::domain::{Interval, Timestamp, Zone};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::borrow::Cow;

/// What needs no escape in an address (RFC 3986, 2.3).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A path with a query of these names and values; those without a value are left out.
pub(super) fn address<'a>(
    path: &str,
    query: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut address = path.to_owned();
    let given = query.into_iter().filter(|(_, value)| !value.is_empty());
    for (at, (name, value)) in given.enumerate() {
        address.push(if at == 0 { '?' } else { '&' });
        address.extend(utf8_percent_encode(name, PLAIN));
        address.push('=');
        address.extend(utf8_percent_encode(value, PLAIN));
    }
    address
}

/// Where a record is shown, its times in a zone.
pub(super) fn to_record(id: &str, zone: Zone) -> String {
    address("/record", [("id", id), ("tz", &named(zone))])
}

/// The name of a zone, where it is not the one that is meant anyway.
pub(super) fn named(zone: Zone) -> String {
    if zone == Zone::UTC { String::new() } else { zone.to_string() }
}

/// Where the records behind a value of a report are shown, on a page that is live.
pub(super) fn of_value(row: AnswerRow<'_>, column: &str) -> Option<String> {
    let kept = row.ask().kept.as_ref()?;
    if matches!(column, "request_id" | "example") {
        return row.original(column).filter(|id| !id.is_empty()).map(|id| to_record(id, kept.zone));
    }
    let range = row.ask().range;
    match row.ask().report {
        "totals" | "summary" | "compare" => records(row, &[counted_in(column)?], range),
        "incidents" => {
            let moment = |column| row.text(column).parse().ok();
            let range = Interval::new(moment("begin")?, moment("end")?);
            records(row, &[counted_in(column)?], range)
        }
        "calendar" => {
            let day = kept.zone.read_period(row.text("day"), Timestamp::MIN)?;
            records(row, &[counted_in(column)?], Some(day.intersect(range?)?))
        }
        "errors" if column == "records" => {
            let (shape, code) = (row.original("shape")?, row.value("code").raw());
            let status = own(row, "status").unwrap_or("FAIL");
            let narrow = [("status", status), ("shape", shape), ("code", &code)];
            (!shape.is_empty()).then(|| to_records(kept, None, &narrow, range))
        }
        "duration-histogram" if column == "records" => {
            let seconds = |column| match row.value(column) {
                Value::Integer(seconds) => format!("{seconds}s"),
                _ => String::new(),
            };
            let status = own(row, "status").unwrap_or("SUCCESS");
            let (from, below) = (seconds("from_s"), seconds("below_s"));
            let narrow = [("status", status), ("took_from", &from), ("took_below", &below)];
            records(row, &narrow, range)
        }
        "heatmap" if DAYS.iter().any(|(day, _)| *day == column) => {
            let hour = row.text("hour").get(..2)?.trim_start_matches('0');
            let hour = if hour.is_empty() { "0" } else { hour };
            let is_of_all = own(row, "of").is_none_or(|of| of == "records");
            let which = if is_of_all { "" } else { "failed" };
            records(row, &[("which", which), ("weekday", column), ("hour", hour)], range)
        }
        _ => None,
    }
}

/// A parameter that a report was asked with.
fn own<'a>(row: AnswerRow<'a>, name: &str) -> Option<&'a str> {
    row.ask().own.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

/// Where the open records of a function are shown, whenever they started.
pub(super) fn to_open(kept: &Kept, function: &str) -> String {
    to_records(kept, Some(function), &[("which", "open")], None)
}

/// Where the records of a part of a chart are shown.
pub(super) fn of_span(row: AnswerRow<'_>, span: Interval) -> Option<String> {
    records(row, &[], Some(span.intersect(row.ask().range?)?))
}

fn records(row: AnswerRow<'_>, narrow: &[(&str, &str)], range: Option<Interval>) -> Option<String> {
    let function = Some(row.original("function")?).filter(|name| !name.is_empty());
    Some(to_records(row.ask().kept.as_ref()?, function, narrow, range))
}

/// What chooses a function alone, by its full name. `package:name` is the latest version, but
/// chooses the other versions and the aliases of this name as well.
fn alone(full_name: &str) -> Cow<'_, str> {
    match full_name.matches(':').count() {
        1 => format!("{full_name}:latest").into(),
        _ => full_name.into(),
    }
}

/// Where records are shown: those of a function, by its full name, or of all that the page tells.
pub(super) fn to_records(
    kept: &Kept,
    function: Option<&str>,
    narrow: &[(&str, &str)],
    range: Option<Interval>,
) -> String {
    let (since, until) =
        range.map_or_else(Default::default, |it| (it.begin().to_string(), it.end().to_string()));
    let functions: Vec<Cow<'_, str>> = match function {
        Some(one) => vec![alone(one)],
        None => kept.functions.iter().map(Cow::from).collect(),
    };
    let zone = named(kept.zone);
    let common = [("since", since.as_str()), ("until", until.as_str()), ("tz", zone.as_str())];
    let functions = functions.iter().map(|name| ("function", name.as_ref()));
    address("/records", functions.chain(common).chain(narrow.iter().copied()))
}

/// By which parameter the report `records` shows what a column counts.
fn counted_in(column: &str) -> Option<(&'static str, &'static str)> {
    Some(match column {
        "function" | "records" => ("", ""),
        "failed" | "failed_pct" | "failed_percent" => ("which", "failed"),
        "success" => ("status", "SUCCESS"),
        "fail" => ("status", "FAIL"),
        "discard" => ("status", "DISCARD"),
        "running" => ("status", "RUNNING"),
        "wait" => ("status", "WAIT"),
        "open" => ("which", "open"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn whatever_is_asked_for_stays_what_it_is() {
        assert_eq!(address("/records", []), "/records");
        let query = [("function", "billing:*"), ("since", ""), ("shape", "a&b=c d/é")];
        assert_eq!(
            address("/records", query),
            "/records?function=billing%3A%2A&shape=a%26b%3Dc%20d%2F%C3%A9"
        );
        assert_eq!(to_record("a/../b?", Zone::UTC), "/record?id=a%2F..%2Fb%3F");
        let kept = Kept { functions: vec!["billing:*".to_owned()], zone: Zone::UTC };
        let of = |function| to_records(&kept, function, &[], None);
        assert_eq!(of(None), "/records?function=billing%3A%2A");
        assert_eq!(of(Some("default:f")), "/records?function=default%3Af%3Alatest");
        assert_eq!(of(Some("default:f:prod")), "/records?function=default%3Af%3Aprod");
        let berlin = "Europe/Berlin".parse().unwrap();
        assert_eq!(to_record("..", berlin), "/record?id=..&tz=Europe%2FBerlin");
    }
}
