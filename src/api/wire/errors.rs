//! What a body says of an error, which comes in several shapes: of a refusal, and of an answer that
//! came with the status of a success.

use super::fields::Fields;
use super::scalar::{Scalar, Text};
use serde_json::value::RawValue;

/// What an error body says, unabridged.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ErrorFields {
    pub(crate) code: Option<Box<str>>,
    pub(crate) message: Option<Box<str>>,
    pub(crate) request_id: Option<Box<str>>,
}

/// The names of code and message, in the order in which the vendor's SDKs look for them.
const SHAPES: [(&str, &str); 3] =
    [("error_code", "error_msg"), ("errorCode", "errorMsg"), ("code", "message")];

/// Reads an error body, if it is a JSON object of one of the known shapes or holds one a level
/// down.
pub(crate) fn error_fields(body: &str) -> Option<ErrorFields> {
    let fields: Fields<'_> =
        serde_json::from_str(body.trim_start_matches(super::body::BYTE_ORDER_MARK)).ok()?;
    in_object(&fields).or_else(|| {
        let mut nested =
            fields.0.iter().filter_map(|(_, value)| serde_json::from_str(value.get()).ok());
        nested.find_map(|inner: Fields<'_>| in_object(&inner))
    })
}

fn in_object(fields: &Fields<'_>) -> Option<ErrorFields> {
    let text = |name| fields.get(name).and_then(|raw| Scalar::from_raw(raw).into_text());
    let said = SHAPES.iter().map(|(code, message)| (text(code), text(message)));
    let (code, message) =
        said.into_iter().find(|(code, message)| code.is_some() || message.is_some())?;
    Some(ErrorFields { code, message, request_id: text("request_id") })
}

/// What the fields of an answer say of an error, beside what they were asked for.
///
/// An answer that carries an error proves nothing, least of all that there is nothing. A code that
/// stands for success (nothing, zero, 200, `OK`) is none; words alone may be a remark, and count
/// where the answer holds nothing else. Nor does an answer prove anything that calls itself a part
/// of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Complaint {
    is_certain: bool,
    has_words: bool,
}

impl Complaint {
    /// What the fields of an answer say that a caller did not ask for.
    pub(super) fn of<'a>(fields: impl Iterator<Item = (&'a str, &'a RawValue)>) -> Self {
        let mut complaint = Self::default();
        fields.for_each(|(name, value)| complaint.hear(name, value));
        complaint
    }

    /// Takes in a field that is none of those that were asked for.
    pub(super) fn hear(&mut self, name: &str, value: &RawValue) {
        let is = |known: &&str| is_name(name, known);
        let begins = |start: &&str| begins_with(name, start);
        if CODE_NAMES.iter().any(is) {
            self.is_certain |= !is_harmless(value);
        } else if STATE_NAMES.iter().any(is) {
            self.is_certain |= is_failed_state(value);
        } else if PART_NAMES.iter().any(is) {
            self.is_certain |= value.get() == "true";
        } else if ERROR_NAMES.iter().any(begins) {
            // A number beside it counts errors elsewhere, unless the name is that of a code.
            let is_number = value.get().parse::<f64>().is_ok();
            self.is_certain |= !is_number && !is_harmless(value) && !is_harmless_object(value);
        } else if WORD_NAMES.iter().any(is) {
            self.has_words |= !is_harmless(value);
        } else if value.get().starts_with('{') {
            self.is_certain |= is_error_object(value);
        }
    }

    /// Whether the answer is an error; `holds_something` of what was asked for.
    pub(super) fn is_error(self, holds_something: bool) -> bool {
        self.is_certain || (self.has_words && !holds_something)
    }
}

/// The names of fields as they are compared: without `_` and `-`, in small letters.
const CODE_NAMES: [&str; 6] = ["errorcode", "errcode", "errno", "code", "retcode", "resultcode"];
/// Names that say how it went, in a word, a number or a truth.
const STATE_NAMES: [&str; 6] = ["status", "statuscode", "success", "issuccess", "succeeded", "ok"];
/// Names that say that an answer is not all there is, where nothing tells how to ask for the rest.
const PART_NAMES: [&str; 5] = ["partial", "ispartial", "incomplete", "truncated", "timedout"];
/// What a name that stands for an error begins with: `error`, `err_msg`, `errors`, `exception`,
/// `fault`, `failure`.
const ERROR_NAMES: [&str; 4] = ["err", "exception", "fault", "failure"];
const WORD_NAMES: [&str; 6] = ["message", "msg", "detail", "reason", "retmsg", "resultmsg"];

/// A name as it is compared.
fn plain(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().filter(|byte| !matches!(byte, b'_' | b'-')).map(|byte| byte.to_ascii_lowercase())
}

fn is_name(name: &str, known: &str) -> bool {
    plain(name).eq(known.bytes())
}

fn begins_with(name: &str, start: &str) -> bool {
    plain(name).take(start.len()).eq(start.bytes())
}

/// Whether a state is that of a failure: false, a number that no success has, or a word that says
/// so.
fn is_failed_state(value: &RawValue) -> bool {
    match serde_json::from_str(value.get()) {
        Ok(Text(text)) => {
            let failed = [
                "fail",
                "failed",
                "failure",
                "error",
                "unsuccessful",
                "false",
                "ko",
                "timeout",
                "denied",
            ];
            failed.iter().any(|word| text.trim().eq_ignore_ascii_case(word))
                || is_failed_number(text.trim())
        }
        Err(_) => value.get() == "false" || is_failed_number(value.get()),
    }
}

/// Whether a number is an HTTP status of a failure.
fn is_failed_number(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|status| (400..600).contains(&status))
}

/// Whether a value says that all is well, or nothing.
fn is_harmless(value: &RawValue) -> bool {
    if let Ok(Text(text)) = serde_json::from_str(value.get()) {
        let text = text.trim().trim_end_matches('.');
        let is = |word: &&str| text.eq_ignore_ascii_case(word);
        return text.is_empty()
            || is_number_of_success(text)
            || ["ok", "none", "null", "success", "succeeded", "successful"].iter().any(is);
    }
    let value = value.get();
    matches!(value, "null" | "false" | "{}" | "[]") || is_number_of_success(value)
}

/// Whether a code is zero or HTTP's 200, however it is written: `0`, `0.0`, `"00000"`.
fn is_number_of_success(code: &str) -> bool {
    let (whole, fraction) = code.split_once('.').unwrap_or((code, ""));
    let is_zero = |digits: &str| digits.bytes().all(|byte| byte == b'0');
    is_zero(fraction) && (whole == "200" || (!whole.is_empty() && is_zero(whole)))
}

/// Whether an object named like an error says that there is none:
/// `{"code": 0, "message": "success"}`.
fn is_harmless_object(value: &RawValue) -> bool {
    let fields: Option<Fields<'_>> = serde_json::from_str(value.get()).ok();
    fields.is_some_and(|Fields(fields)| fields.iter().all(|(_, value)| is_harmless(value)))
}

/// Whether an object one level down is an error: by a name of its own, or by a code with words.
fn is_error_object(value: &RawValue) -> bool {
    let Ok(Fields(fields)) = serde_json::from_str::<Fields<'_>>(value.get()) else { return false };
    let speaks = |names: &[&str]| {
        fields.iter().any(|(name, value)| {
            names.iter().any(|known| is_name(name, known)) && !is_harmless(value)
        })
    };
    speaks(&["errorcode", "errcode", "errormsg", "errmsg"])
        || (speaks(&["code"]) && speaks(&WORD_NAMES))
}
