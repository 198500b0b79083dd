//! A page of the listing, by whichever reader can read it.

use super::body::{BadBody, text_of};
use super::{careful, quick};
use crate::domain::Page;

/// Reads a page of the listing; `served_at` is left for the caller, who saw the headers.
pub(crate) fn decode_page(body: &[u8]) -> Result<Page, BadBody> {
    let text = text_of(body)?;
    match quick::read(&text) {
        Ok(listing) => listing.into_page(),
        Err(_) => careful::read(&text)?.into_page(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::wire::listing::Listing;
    use crate::api::wire::{MAX_RECORDS, decode_functions};
    use crate::domain::{ErrorCode, Marker, RecordTime, Status};
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn page(value: &Value) -> Page {
        decode_page(value.to_string().as_bytes()).unwrap()
    }

    fn only(record: &Value) -> crate::domain::Invocation {
        let page = page(&json!({ "invocations": [record] }));
        assert_eq!(page.rejects, []);
        page.records.into_iter().next().unwrap()
    }

    fn reject(record: &Value) -> crate::domain::Reject {
        let page = page(&json!({ "invocations": [record] }));
        assert_eq!(page.records, []);
        page.rejects.into_iter().next().unwrap()
    }

    /// The vendor's example body, word for word.
    const EXAMPLE: &str = r#"{
  "invocations" : [ {
    "request_id" : "403fcbd6-ec41-401f-9fa7-386f3d3d****",
    "status" : "SUCCESS",
    "error_message" : "",
    "start_time" : "2019-10-25T15:37:27",
    "end_time" : "2019-10-25T15:37:27",
    "error_code" : 0
  } ]
}"#;

    #[test]
    fn reads_the_vendors_example_the_quick_way() {
        assert!(quick::read(EXAMPLE).is_ok());
        let page = decode_page(EXAMPLE.as_bytes()).unwrap();
        let record = &page.records[0];
        assert_eq!(record.request_id.as_str(), "403fcbd6-ec41-401f-9fa7-386f3d3d****");
        assert_eq!(record.status, Status::Success);
        assert_eq!(record.error_code, Some(ErrorCode::Number(0)));
        assert_eq!((record.error_message.clone(), record.extra.clone()), (None, None));
        assert_eq!(record.start_time, RecordTime::parse("2019-10-25T15:37:27"));
        assert_eq!((page.count, page.next_marker, page.length()), (None, None, 1));
    }

    #[test]
    fn an_error_code_is_an_integer_in_either_form_or_a_text_or_nothing() {
        let code =
            |value: Value| only(&json!({ "request_id": "a", "error_code": value })).error_code;
        assert_eq!(code(json!(4208)), Some(ErrorCode::Number(4208)));
        assert_eq!(code(json!("4208")), Some(ErrorCode::Number(4208)));
        assert_eq!(code(json!("-1")), Some(ErrorCode::Number(-1)));
        assert_eq!(code(json!("FSS.0500")), Some(ErrorCode::Text("FSS.0500".into())));
        // A form that a number would lose stays a text.
        for text in ["007", "+7", "-0", " 7", "1.0", "9223372036854775808"] {
            assert_eq!(code(json!(text)), Some(ErrorCode::Text(text.into())));
        }
        assert_eq!(code(json!(1.5)), Some(ErrorCode::Text("1.5".into())));
        assert_eq!(code(json!(u64::MAX)), Some(ErrorCode::Text("18446744073709551615".into())));
        assert_eq!(code(json!({"a": 1})), Some(ErrorCode::Text(r#"{"a":1}"#.into())));
        assert_eq!(code(json!(true)), Some(ErrorCode::Text("true".into())));
        assert_eq!(code(json!("")), None);
        assert_eq!(code(Value::Null), None);
        assert_eq!(only(&json!({ "request_id": "a" })).error_code, None);
    }

    #[test]
    fn other_fields_keep_what_cannot_be_read() {
        let record = only(&json!({
            "request_id": 12, "status": 7, "error_message": ["x"],
            "start_time": 17_092, "end_time": "soon",
        }));
        assert_eq!(record.request_id.as_str(), "12");
        assert_eq!(record.status, Status::Other("7".into()));
        assert_eq!(record.error_message.as_deref(), Some(r#"["x"]"#));
        assert_eq!(record.start_time, Some(RecordTime::Unreadable("17092".into())));
        assert_eq!(record.end_time, Some(RecordTime::Unreadable("soon".into())));
        let in_seconds = only(
            &json!({ "request_id": "a", "start_time": 1_709_294_400, "end_time": "1709294400000" }),
        );
        let moment = RecordTime::parse("2024-03-01T12:00:00");
        assert_eq!((in_seconds.start_time, in_seconds.end_time), (moment.clone(), moment));
        let bare =
            only(&json!({ "request_id": "a", "status": null, "end_time": null, "start_time": "" }));
        assert_eq!(bare.status, Status::Other("".into()));
        assert_eq!((bare.start_time, bare.end_time), (None, None));
    }

    #[test]
    fn fields_we_do_not_know_are_kept_as_they_came() {
        let body = r#"{"invocations":[{"new\"1": {"a" : [1, 2.50]},"request_id":"a","z":null}],
"more":{}}"#;
        assert!(quick::read(body).is_ok());
        let record = &decode_page(body.as_bytes()).unwrap().records[0];
        assert_eq!(record.extra.as_deref(), Some(r#"{"new\"1":{"a" : [1, 2.50]},"z":null}"#));
    }

    #[test]
    fn what_is_no_record_is_set_aside_with_its_text() {
        for raw in [json!("text"), json!(1), json!([]), Value::Null] {
            let reject = reject(&raw);
            assert_eq!(
                (reject.raw, reject.reason.as_str()),
                (raw.to_string(), "a record is no JSON object")
            );
        }
        for id in [json!(""), Value::Null, json!(true), json!({}), json!([1])] {
            let raw = json!({ "request_id": id, "status": "WAIT" });
            let reject = reject(&raw);
            assert_eq!(
                (reject.raw, reject.reason.as_str()),
                (raw.to_string(), "a record has no usable request_id")
            );
        }
        let mixed = page(
            &json!({ "invocations": [{"request_id": "a"}, 5, {"request_id": "b"}], "count": 3 }),
        );
        assert_eq!((mixed.records.len(), mixed.rejects.len(), mixed.length()), (2, 1, 3));
    }

    #[test]
    fn count_and_next_marker_are_numbers_in_either_form_or_nothing() {
        let both = |value: Value| {
            let page = page(&json!({ "invocations": [], "count": value, "next_marker": value }));
            assert_eq!(page.count.map(Marker), page.next_marker);
            page.count
        };
        assert_eq!(both(json!(7)), Some(7));
        assert_eq!(both(json!("7")), Some(7));
        assert_eq!(both(json!(u64::MAX)), Some(u64::MAX));
        for nothing in [
            json!(-1),
            json!("-1"),
            json!("+1"),
            json!(""),
            json!("x"),
            json!(1.5),
            json!([]),
            Value::Null,
        ] {
            assert_eq!(both(nothing), None);
        }
    }

    #[test]
    fn only_a_listing_is_an_answer() {
        for body in [
            r#"{"invocations":null}"#,
            r#"{"invocations":[]}"#,
            "\u{feff} {\"invocations\":[],\"x\":{}}",
            "{\"invocations\":[]}\0",
            "{\"invocations\":[]}\n\0\0\0",
        ] {
            assert_eq!(decode_page(body.as_bytes()).map(|page| page.length()), Ok(0), "{body}");
        }
        let others = [
            "",
            "null",
            "[]",
            "5",
            "<html>",
            r#"{"invocations":[]} x"#,
            "{\"invocations\":[]}\0x",
            "\0",
            r#"{"invocations":[{"request_id":"a"}"#,
            r#"{"invocations":{}}"#,
            r#"{"invocations":"none"}"#,
            "{}",
            r#"{"count":0}"#,
            r#"{"next_marker":0,"count":0}"#,
            r#"{"records":[]}"#,
        ];
        for body in others {
            assert!(matches!(decode_page(body.as_bytes()), Err(BadBody::Unreadable(_))), "{body}");
        }
    }

    #[test]
    fn an_answer_that_carries_an_error_is_no_page() {
        let record = r#"{"request_id":"a"}"#;
        for field in [
            r#""error_code":"FSS.0500","error_msg":"x""#,
            r#""error_code":"FSS.0500""#,
            r#""error_code":500"#,
            r#""error_msg":"x""#,
            r#""errorCode":"A","errorMsg":"m""#,
            r#""ErrorCode":"A""#,
            r#""code":"A","message":"m""#,
            r#""code":-1"#,
            r#""error":{"code":401,"message":"m"}"#,
            r#""error":{"error_code":"A"}"#,
            r#""error":"internal""#,
            r#""error":true"#,
            r#""errors":[{"what":"x"}]"#,
            r#""success":false"#,
            r#""is_success":false"#,
            r#""Ok":false"#,
            r#""status":"FAIL""#,
            r#""status":503"#,
            r#""status_code":"500""#,
            r#""exception":"x""#,
            r#""err":"x""#,
            r#""errno":7"#,
            r#""error_description":"x""#,
            r#""fault":{"faultstring":"x"}"#,
            r#""retCode":"9""#,
            r#""result_code":5"#,
            r#""partial":true"#,
            r#""timed_out":true"#,
            r#""truncated":true"#,
            r#""result":{"error_code":"A","error_msg":"m"}"#,
            r#""result":{"code":"A","message":"m"}"#,
        ] {
            for list in ["", record, "5"] {
                for body in [
                    format!(r#"{{{field},"invocations":[{list}],"count":0}}"#),
                    format!(r#"{{"invocations":[{list}],"next_marker":"0",{field}}}"#),
                    format!(r#"{{"invocations":[{list}],"count":1e400,{field}}}"#),
                ] {
                    assert_eq!(decode_page(body.as_bytes()), Err(BadBody::Error), "{body}");
                }
            }
            let alone = format!("{{{field}}}");
            assert_eq!(decode_page(alone.as_bytes()), Err(BadBody::Error), "{alone}");
        }
    }

    /// Codes that stand for success are no errors; words alone are doubted where they stand for
    /// nothing.
    #[test]
    fn a_code_of_success_is_no_error() {
        for field in [
            r#""error_code":null"#,
            r#""error_code":"","error_msg":"""#,
            r#""error_code":0,"error_msg":null"#,
            r#""error_code":"0","error_msg":"OK""#,
            r#""error_code":0.0,"error_msg":"OK""#,
            r#""error_code":"000000","error_msg":"success""#,
            r#""error_code":"200.0""#,
            r#""code":200,"message":"Success.""#,
            r#""error":{},"errors":[]"#,
            r#""error":{"code":0,"message":""}"#,
            r#""error":false"#,
            r#""page_info":{"code":3,"next_marker":7}"#,
            r#""success":true,"ok":1,"status":200,"partial":false"#,
            r#""status":"SUCCESS","ret_code":0,"error_count":2"#,
            r#""request_id":"5f3","total":0,"limit":500"#,
        ] {
            let body = format!(r#"{{"invocations":[],{field}}}"#);
            assert_eq!(decode_page(body.as_bytes()).map(|page| page.length()), Ok(0), "{body}");
        }
        let page = |list: &str| {
            decode_page(format!(r#"{{"message":"partly","invocations":[{list}]}}"#).as_bytes())
        };
        assert_eq!(page(""), Err(BadBody::Error));
        for words in ["reason", "detail", "retMsg"] {
            let body = format!(r#"{{"{words}":"busy","invocations":[]}}"#);
            assert_eq!(decode_page(body.as_bytes()), Err(BadBody::Error), "{body}");
        }
        assert_eq!(page(r#"{"request_id":"a"}"#).map(|page| page.length()), Ok(1));
    }

    #[test]
    fn a_byte_order_mark_is_passed_over_and_utf_16_named() {
        let marked = format!("\u{feff}{EXAMPLE}");
        assert_eq!(decode_page(marked.as_bytes()), decode_page(EXAMPLE.as_bytes()));
        let bytes = |mark: &str, write: fn(u16) -> [u8; 2]| -> Vec<u8> {
            format!("{mark}{EXAMPLE}").encode_utf16().flat_map(write).collect()
        };
        for mark in ["", "\u{feff}"] {
            for write in [u16::to_be_bytes, u16::to_le_bytes] {
                let Err(BadBody::Unreadable(why)) = decode_page(&bytes(mark, write)) else {
                    panic!("{mark:?}")
                };
                assert!(why.contains("UTF-16"), "{why}");
            }
        }
    }

    /// What a service may give for a number of things.
    #[test]
    fn a_number_of_any_size_is_read_or_nothing() {
        for (written, read) in [
            ("18446744073709551615", Some(u64::MAX)),
            ("9223372036854775807", Some(9_223_372_036_854_775_807)),
            ("18446744073709551616", None),
            ("-9223372036854775808", None),
            ("1e308", None),
            ("1e400", None),
        ] {
            for value in [written.to_owned(), format!("\"{written}\"")] {
                let body = format!(r#"{{"invocations":[],"count":{value},"next_marker":{value}}}"#);
                let page = decode_page(body.as_bytes()).unwrap();
                assert_eq!((page.count, page.next_marker), (read, read.map(Marker)), "{body}");
            }
        }
        let digits = "9".repeat(1_000_000);
        let body = format!(r#"{{"invocations":[],"count":{digits},"next_marker":"{digits}"}}"#);
        assert_eq!(
            decode_page(body.as_bytes()).map(|page| (page.count, page.next_marker)),
            Ok((None, None))
        );
    }

    #[test]
    fn a_key_that_a_record_gives_twice_counts_as_given_last() {
        let body =
            r#"{"invocations":[{"request_id":"a","status":"WAIT","request_id":"b"}],"count":2}"#;
        let page = decode_page(body.as_bytes()).unwrap();
        assert_eq!(
            (page.records[0].request_id.as_str(), page.length(), page.count),
            ("b", 1, Some(2))
        );
        assert_eq!(careful::read(body).unwrap().into_page().unwrap(), page);
    }

    /// Read by its last list, a page could hide the records of its first.
    #[test]
    fn a_page_that_gives_a_key_twice_contradicts_itself() {
        let whole =
            [("invocations", "[{\"request_id\":\"a\"}]"), ("count", "1"), ("next_marker", "1")];
        for (name, value) in whole {
            for again in [value, "null", "[]", "0"] {
                let fields = whole.into_iter().chain([(name, again)]);
                let fields: Vec<String> =
                    fields.map(|(name, value)| format!("\"{name}\":{value}")).collect();
                let body = format!("{{{}}}", fields.join(","));
                let problem = BadBody::Unreadable(format!("an object with more than one `{name}`"));
                assert_eq!(decode_page(body.as_bytes()), Err(problem.clone()), "{body}");
                let functions = body.replace("invocations", "functions");
                let problem = match name {
                    "invocations" => {
                        BadBody::Unreadable("an object with more than one `functions`".to_owned())
                    }
                    _ => problem,
                };
                assert_eq!(decode_functions(functions.as_bytes()), Err(problem), "{functions}");
            }
        }
    }

    #[test]
    fn text_that_is_no_unicode_costs_no_record() {
        let page =
            decode_page(b"{\"invocations\":[{\"request_id\":\"a\",\"error_message\":\"\xff\"}]}")
                .unwrap();
        assert_eq!(page.records[0].error_message.as_deref(), Some("\u{fffd}"));
    }

    /// A lone surrogate is half of a character: JSON can spell it, and no text can hold it.
    #[test]
    fn a_lone_surrogate_is_replaced_and_its_source_is_kept() {
        let body = r#"{"invocations":[{"request_id":"a","status":"FAIL\udc00","error_code":"\uD800",
"x":1,
            "error_message":"at \ud83d: \ud83d\ude00\n","start_time":"\udfff",
"end_time":"2024-03-01T12:00:00"}],"\ud800":1}"#;
        let page = decode_page(body.as_bytes()).unwrap();
        let record = &page.records[0];
        assert_eq!(record.status, Status::Other("FAIL\u{fffd}".into()));
        assert_eq!(record.error_code, Some(ErrorCode::Text("\u{fffd}".into())));
        assert_eq!(record.error_message.as_deref(), Some("at \u{fffd}: \u{1f600}\n"));
        assert_eq!(record.start_time, Some(RecordTime::Unreadable("\u{fffd}".into())));
        assert_eq!(record.end_time, RecordTime::parse("2024-03-01T12:00:00"));
        let sources = concat!(
            r#""status":"FAIL\udc00","error_code":"\uD800","#,
            r#""error_message":"at \ud83d: \ud83d\ude00\n""#
        );
        assert_eq!(
            record.extra.as_deref(),
            Some(&*format!(r#"{{"x":1,{sources},"start_time":"\udfff"}}"#))
        );
    }

    #[test]
    fn a_lone_surrogate_in_the_name_of_a_field_costs_no_record() {
        let body = r#"{"invocations":[{"request_id":"a","n\ud800":1,"n\ud801":2}],"count":1}"#;
        let page = decode_page(body.as_bytes()).unwrap();
        assert_eq!((page.rejects.len(), page.count), (0, Some(1)));
        assert_eq!(page.records[0].extra.as_deref(), Some(r#"{"n\\ud800":1,"n\\ud801":2}"#));
    }

    /// Replaced, two ids could become one.
    #[test]
    fn an_id_that_stands_for_none_is_set_aside() {
        for id in [
            json!(""),
            json!("  "),
            json!("\u{a0}\t"),
            json!("\u{200b}"),
            json!("\u{feff}\u{3164}"),
            json!("\"\""),
            json!("..."),
            json!("<nil>"),
            json!("Missing"),
            json!(false),
            json!("\0"),
            json!("null"),
            json!("None"),
            json!("-"),
            json!("0"),
            json!(0),
            json!("00000000-0000-0000-0000-000000000000"),
            json!("ffffffff-ffff-ffff-ffff-ffffffffffff"),
            json!("{FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF}"),
        ] {
            let reject = reject(&json!({ "request_id": id, "status": "SUCCESS" }));
            assert_eq!(reject.reason, "a record has no usable request_id", "{id}");
        }
        for id in [
            "a",
            "nullable",
            "00",
            "f",
            "ff",
            "10",
            "7d0a",
            "--a",
            "00000000-0000-0000-0000-000000000001",
        ] {
            assert_eq!(only(&json!({ "request_id": id })).request_id.as_str(), id);
        }
    }

    #[test]
    fn an_id_with_a_lone_surrogate_is_set_aside() {
        let reject = |body: &str| decode_page(body.as_bytes()).unwrap().rejects.remove(0);
        for id in [r#""\ud800""#, r#""a\udc00b""#] {
            let reject = reject(&format!(r#"{{"invocations":[{{"request_id":{id}}}]}}"#));
            assert_eq!(reject.raw, format!(r#"{{"request_id":{id}}}"#));
            assert_eq!(reject.reason, "a record has no usable request_id");
        }
    }

    #[test]
    fn a_page_has_a_largest_size() {
        let body = |records: usize| {
            json!({ "invocations": vec![json!({"request_id": "a"}); records] }).to_string()
        };
        assert_eq!(
            decode_page(body(MAX_RECORDS).as_bytes()).map(|page| page.length()),
            Ok(MAX_RECORDS as u64)
        );
        assert_eq!(decode_page(body(MAX_RECORDS + 1).as_bytes()), Err(BadBody::TooManyRecords));
    }

    #[test]
    fn deep_nesting_is_kept_or_refused_without_harm() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let page = decode_page(
            format!(r#"{{"invocations":[{{"request_id":"a","x":{deep}}}]}}"#).as_bytes(),
        )
        .unwrap();
        assert_eq!(page.records[0].extra, Some(format!(r#"{{"x":{deep}}}"#).into()));
        assert!(decode_page(deep.as_bytes()).is_err());
    }

    /// A value as a field may carry it: mostly scalars, at times something nested.
    fn any_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            4 => "\\PC{0,8}".prop_map(Value::from),
            2 => any::<i64>().prop_map(Value::from),
            1 => any::<u64>().prop_map(Value::from),
            1 => any::<f64>().prop_map(Value::from),
            1 => any::<bool>().prop_map(Value::from),
            1 => Just(Value::Null),
            1 => Just(json!([1, {"a": "b"}])),
            2 => Just(json!("2024-03-01T12:00:00")),
        ]
    }

    fn any_record() -> impl Strategy<Value = Value> {
        let key = prop_oneof![
            6 => prop::sample::select(
                vec!["status", "error_code", "error_message", "start_time", "end_time"]
            )
                .prop_map(str::to_owned),
            1 => Just("request_id".to_owned()),
            1 => "\\PC{0,6}",
        ];
        (any_value(), prop::collection::vec((key, any_value()), 0..8)).prop_map(|(id, fields)| {
            let mut record: serde_json::Map<String, Value> = fields.into_iter().collect();
            record.insert("request_id".to_owned(), id);
            Value::Object(record)
        })
    }

    /// A value as text, as a hand or a broken program may write it: what a tree of values cannot
    /// hold is here, too.
    fn odd_value() -> impl Strategy<Value = String> {
        let odd = [
            "null",
            "true",
            "0",
            "-0",
            "7",
            "-7",
            "1.0",
            "1e2",
            "1E400",
            "9223372036854775808",
            "18446744073709551616",
            "\"\"",
            r#""7""#,
            r#""07""#,
            r#""\u0000""#,
            r#""\ud83d\ude00""#,
            r#""\ud800""#,
            r#""\/\b\t""#,
            r#""FAIL""#,
            "[]",
            "{}",
            "[[0]]",
            r#"{"a":1,"a":[2]}"#,
            r#""2024-03-01T12:00:00""#,
            r#""2024-02-30T25:61:00""#,
            r#""\u0032024-03-01 12:00:00.5Z""#,
        ];
        prop_oneof![
            prop::sample::select(odd.to_vec()).prop_map(str::to_owned),
            "\\PC{0,6}".prop_map(|text| json!(text).to_string())
        ]
    }

    /// An object of such values, at times with a field twice.
    fn odd_object(keys: &'static [&'static str]) -> impl Strategy<Value = String> {
        let member = (prop::sample::select(keys), odd_value(), " ?")
            .prop_map(|(key, value, gap)| format!("{gap}{key}{gap}:{value}"));
        prop::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(",")))
    }

    const KEYS: &[&str] = &[
        r#""request_id""#,
        r#""request_id""#,
        r#""request\u005fid""#,
        r#""status""#,
        r#""error_code""#,
        r#""error_message""#,
        r#""start_time""#,
        r#""end_time""#,
        r#""new""#,
        r#""""#,
        r#""\ud800""#,
    ];

    /// The text of a page, and how many entries its list has, if it has one and no other.
    fn odd_page() -> impl Strategy<Value = (String, Option<u64>)> {
        let entry = prop_oneof![4 => odd_object(KEYS), 1 => odd_value()];
        (prop::collection::vec(entry, 0..4), odd_value(), odd_value(), any::<bool>()).prop_map(
            |(entries, count, other, twice)| {
                let first = if twice { r#""invocations":[{"request_id":"old"}],"# } else { "" };
                let list = entries.join(" ,\n");
                let text = format!(
                    r#"{{{first}"count":{count},"other":{other},"invocations":[{list}],
"next_marker":{count}}}"#
                );
                (text, (!twice).then_some(entries.len() as u64))
            },
        )
    }

    /// Both readers over one text; they may differ only in whether the quick one answers.
    fn read_both(text: &str) -> Result<Option<Page>, TestCaseError> {
        let careful = careful::read(text).and_then(Listing::into_page);
        if let Ok(quick) = quick::read(text) {
            prop_assert_eq!(&quick.into_page(), &careful, "{}", text);
        }
        prop_assert_eq!(&decode_page(text.as_bytes()), &careful, "{}", text);
        Ok(careful.ok())
    }

    proptest! {
        /// No entry of an odd page is lost: each is a record or set aside, or the page is refused
        /// for its two lists.
        #[test]
        fn odd_pages_keep_every_entry((text, entries) in odd_page()) {
            prop_assert_eq!(read_both(&text)?.map(|page| page.length()), entries, "{}", text);
        }

        /// A page with a piece cut out and another put in reaches into every branch of both
        /// readers.
        #[test]
        fn a_spliced_page_is_read_or_refused(
            (text, _) in odd_page(),
            at: prop::sample::Index,
            cut in 0..12usize,
            put in "[\\[\\]{}:,\"\\\\0-9a-zé ]{0,3}",
        ) {
            let characters: Vec<char> = text.chars().collect();
            let at = at.index(characters.len());
            let kept = characters[..at].iter().copied().chain(put.chars());
            let spliced: String = kept.chain(characters[at..].iter().copied().skip(cut)).collect();
            read_both(&spliced)?;
        }

        /// Whatever halves of characters a message holds: the record is kept, the text with one
        /// replacement each, and the source beside it, unless nothing was replaced.
        #[test]
        fn a_message_is_kept_whatever_its_halves(
            units in prop::collection::vec(prop_oneof![
            3 => 0xd7f0u16..0xe010, 1 => 0u16..0x80, 1 => any::<u16>(),
        ], 1..8),
        ) {
            let source =
                units.iter().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>().concat();
            let text = format!(
                r#"{{"invocations":[{{"request_id":"a","error_message":"{source}"}}],"count":1}}"#
            );
            let page = read_both(&text)?.unwrap();
            let expected = String::from_utf16_lossy(&units);
            prop_assert_eq!(page.records[0].error_message.as_deref(), Some(&*expected));
            let is_whole = String::from_utf16(&units).is_ok();
            let extra = (!is_whole).then(|| format!(r#"{{"error_message":"{source}"}}"#));
            prop_assert_eq!(page.records[0].extra.as_deref(), extra.as_deref());
            prop_assert_eq!(quick::read(&text).is_ok(), is_whole);
        }

        /// Where the quick reader answers at all, the careful one answers the same.
        #[test]
        fn both_readers_agree(
            records in prop::collection::vec(any_record(), 0..5),
            count in any_value(),
            pretty: bool,
        ) {
            let body = json!({ "invocations": records, "count": count, "next_marker": count });
            let text = if pretty { format!("{body:#}") } else { body.to_string() };
            let careful = careful::read(&text).unwrap().into_page().unwrap();
            prop_assert_eq!(careful.length(), records.len() as u64);
            if let Ok(quick) = quick::read(&text) {
                prop_assert_eq!(quick.into_page().unwrap(), careful);
            }
        }

        #[test]
        fn usual_pages_take_the_quick_way(
            ids in prop::collection::vec("[a-f][a-f0-9-]{0,35}", 0..5),
            code: i64,
            message in "\\PC{0,20}",
        ) {
            let records: Vec<_> = ids.iter().map(|id| json!({
                "request_id": id, "status": "FAIL", "error_code": code, "error_message": message,
                "start_time": "2024-03-01T12:00:00", "end_time": null, "unknown": [code],
            })).collect();
            let body =
                json!({ "invocations": records, "count": 5, "next_marker": "5" }).to_string();
            prop_assert!(quick::read(&body).is_ok());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode_page(&bytes);
        }

        /// Bytes near to a page reach further than bytes from nowhere.
        #[test]
        fn a_damaged_page_is_read_or_refused(
            at in 0..EXAMPLE.len(),
            byte: u8,
            cut in 0..EXAMPLE.len(),
        ) {
            let mut bytes = EXAMPLE.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = decode_page(&bytes);
            prop_assert!(decode_page(&EXAMPLE.as_bytes()[..cut]).is_err());
        }
    }
}
