//! How a page of the listing was written, for a probe: decoding takes every form for the same.

use crate::domain::{Form, Shape};
use serde_json::Value;

/// The values of a record that the documentation and the published clients disagree about.
const OF_RECORDS: [&str; 2] = ["error_code", "error_message"];

/// Of a longer body nothing is told: as values it takes many times its length in memory. No page of
/// 500 records is as long.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// Reads how a page was written; nothing of a body that is no page.
pub(crate) fn read_shape(body: &[u8]) -> Shape {
    let mut shape = Shape::default();
    if body.len() > MAX_BODY {
        return shape;
    }
    let Ok(page) = serde_json::from_slice::<Value>(body) else { return shape };
    for value in ["count", "next_marker"] {
        shape.note(value, form(page.get(value)));
    }
    for record in page.get("invocations").and_then(Value::as_array).into_iter().flatten() {
        for value in OF_RECORDS {
            shape.note(value, form(record.get(value)));
        }
        note_times(&mut shape, record);
    }
    shape
}

/// A time that does not exist yet may be written in many ways; one that exists, in the documented
/// one.
fn note_times(shape: &mut Shape, record: &Value) {
    let (start, end) = (record.get("start_time"), record.get("end_time"));
    let status = record.get("status").and_then(Value::as_str).unwrap_or_default();
    match status {
        "WAIT" => shape.note("start_time of WAIT", form(start)),
        _ => shape.note("start_time", form(start)),
    }
    match status {
        "WAIT" | "RUNNING" if end.is_some() && end == start => {
            shape.note("end_time until the end is known", Form::Other);
        }
        "WAIT" | "RUNNING" => shape.note("end_time until the end is known", form(end)),
        _ => shape.note("end_time", form(end)),
    }
}

fn form(value: Option<&Value>) -> Form {
    match value {
        None => Form::Absent,
        Some(Value::Null) => Form::Null,
        Some(Value::Number(_)) => Form::Number,
        Some(Value::String(text)) => form_of_text(text),
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => Form::Other,
    }
}

fn form_of_text(text: &str) -> Form {
    if text.is_empty() {
        Form::Empty
    } else if text.parse::<i64>().is_ok() {
        Form::NumberInString
    } else if !is_time(text) {
        Form::Text
    } else if text.starts_with("0001-") {
        Form::YearOne
    } else {
        Form::Time
    }
}

/// Whether a text has the documented form, `2019-10-25T15:37:27`.
fn is_time(text: &str) -> bool {
    const FORM: &[u8] = b"0000-00-00T00:00:00";
    let fits =
        |(byte, form): (&u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form };
    text.len() == FORM.len() && text.as_bytes().iter().zip(FORM).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn forms(page: &Value, value: &str) -> Vec<Form> {
        read_shape(page.to_string().as_bytes()).forms(value).collect()
    }

    #[test]
    fn every_form_is_told_apart() {
        for (value, expected) in [
            (json!(null), Form::Null),
            (json!(""), Form::Empty),
            (json!(0), Form::Number),
            (json!("0"), Form::NumberInString),
            (json!("2019-10-25T15:37:27"), Form::Time),
            (json!("0001-01-01T00:00:00"), Form::YearOne),
            (json!("2019-10-25T15:37:27Z"), Form::Text),
            (json!([]), Form::Other),
        ] {
            let page = json!({ "invocations": [{ "status": "SUCCESS", "end_time": value }] });
            assert_eq!(forms(&page, "end_time"), [expected], "{value}");
        }
        assert_eq!(forms(&json!({ "count": 1 }), "next_marker"), [Form::Absent]);
    }

    #[test]
    fn times_that_do_not_exist_yet_are_told_from_those_that_do() {
        let start = "2019-10-25T15:37:27";
        let page = json!({ "invocations": [
            { "status": "WAIT", "start_time": "", "end_time": null },
            { "status": "RUNNING", "start_time": start, "end_time": start },
            { "status": "SUCCESS", "start_time": start, "end_time": start },
        ]});
        assert_eq!(forms(&page, "start_time of WAIT"), [Form::Empty]);
        assert_eq!(forms(&page, "start_time"), [Form::Time]);
        assert_eq!(forms(&page, "end_time"), [Form::Time]);
        assert_eq!(forms(&page, "end_time until the end is known"), [Form::Null, Form::Other]);
    }

    #[test]
    fn what_is_no_page_has_no_shape() {
        assert_eq!(read_shape(b"<html>"), Shape::default());
    }
}
