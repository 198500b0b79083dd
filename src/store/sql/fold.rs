//! `fold(text)`: the shape of a message, so that errors that differ by an id or a number count as
//! one.
//!
//! A mask takes the place of what differs from record to record: function, address, id, time,
//! number. Small numbers after words such as `status` and `errno` are the error itself and stay. A
//! shape is a function of the text alone: it is the same in every archive, and folding it again
//! changes nothing.

use super::room::check_room;
use regex::{Captures, Regex, RegexBuilder};
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Error, Result};
use std::borrow::Cow;
use std::sync::LazyLock;

/// The most characters of a shape.
const MOST_OF_SHAPE: usize = 400;

/// The most characters of a message that are looked at: many more than a shape has, since most
/// masks are shorter than what they stand for, and few enough that 16 MiB of message take no
/// seconds.
const MOST_OF_MESSAGE: usize = 4_000;

/// The first line of every failure in Python, which tells nothing; the last one names the error.
const TRACEBACK: &str = "Traceback (most recent call last):";

/// What masking needs at most, in bytes: the expression and its tables, the message and its shape.
const NEEDED: usize = 4 << 20;

/// What is masked, by the name of its mask. The first that fits where a match begins counts. Names
/// that begin with `kept` stay as they are, so that what follows them does not look into them.
///
/// Every match of another name holds a digit, a quote, `:` or `@`, and no mask does: that is why
/// [`fold`] comes to an end.
const MASKS: &str = r#"(?x)
    (?P<function> urn:fss:[^\s"'`,;()\[\]{}<>]+ )
  | (?P<url> [A-Za-z][A-Za-z0-9+.-]*://[^\s"'`,;()\[\]{}<>]+ )
  | (?P<email> [A-Za-z0-9_.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+ )
  | (?P<id> \b[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\b )
  | (?P<time> [0-9]{4}-[0-9]{2}-[0-9]{2}
        (?:[T\x20][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?
      | [0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]+)? )
  | (?P<ip> \b[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?::[0-9]{1,5})?\b )
  | (?P<kept_code> (?i:status|code|errno|exit)(?:[\x20_-]?(?i:code|status))?["']?\s*[:=]?\s*["']?
        [0-9]{1,4}\b
      | (?i:http)(?:/[0-9](?:\.[0-9])?)?[\x20:]+[0-9]{3}\b )
  | (?P<text> =\s*(?:"[^"]*"|'[^']*') )
  | (?P<hex> \b(?:0[xX][0-9A-Fa-f]+|[0-9A-Fa-f]{8,})\b )
  | (?P<duration> \b[0-9]+(?:\.[0-9]+)?(?:ns|us|µs|ms|s|m|h|d)
        (?:[0-9]+(?:\.[0-9]+)?(?:ns|us|µs|ms|s|m|h|d))*\b )
  | (?P<kept_word> [A-Za-z]+[0-9][A-Za-z0-9]* )
  | (?P<number> [0-9]+(?:[.,][0-9]+)* )
"#;

static EXPRESSION: LazyLock<std::result::Result<Regex, regex::Error>> =
    LazyLock::new(|| RegexBuilder::new(MASKS).dfa_size_limit(NEEDED / 4).build());

/// Makes the function known to a connection.
pub(in crate::store) fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("fold", 1, flags, fold_value)
}

/// A text is folded; what is none has no shape, and stays.
fn fold_value(context: &Context<'_>) -> Result<Value> {
    let ValueRef::Text(bytes) = context.get_raw(0) else { return context.get(0) };
    shape_of(bytes).map(Value::Text)
}

/// The shape of a message as it is stored; an error only where memory is short.
pub(in crate::store) fn shape_of(message: &[u8]) -> Result<String> {
    check_room(NEEDED)?;
    let expression =
        EXPRESSION.as_ref().map_err(|error| Error::UserFunctionError(error.clone().into()))?;
    Ok(fold(expression, &String::from_utf8_lossy(beginning(message))))
}

/// So many bytes of a message that it holds as many characters as are looked at.
fn beginning(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(MOST_OF_MESSAGE * 4)]
}

/// The shape of a message.
fn fold(expression: &Regex, message: &str) -> String {
    let mut shape = first(&line(message), MOST_OF_MESSAGE).to_owned();
    loop {
        // A cut, or a mask beside a digit, may make something of what is left that is masked as
        // well.
        let masked = first(&mask(expression, &shape), MOST_OF_SHAPE).to_owned();
        if masked == shape {
            return shape;
        }
        shape = masked;
    }
}

/// The line that names the error: the first that is not blank.
fn line(message: &str) -> Cow<'_, str> {
    let mut lines = message.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    match lines.next_back() {
        Some(last) if first == TRACEBACK => format!("{TRACEBACK} {last}").into(),
        _ => first.into(),
    }
}

fn mask<'t>(expression: &Regex, text: &'t str) -> Cow<'t, str> {
    expression.replace_all(text, |found: &Captures<'_>| {
        let whole = &found[0];
        let is_named = |name: &&str| found.name(name).is_some();
        match expression.capture_names().flatten().find(is_named) {
            Some("text") => "=<text>".to_owned(),
            Some("hex") => mask_of_hex(whole).to_owned(),
            Some(name) if !name.starts_with("kept") => format!("<{name}>"),
            _ => whole.to_owned(),
        }
    })
}

/// A number to the base of sixteen has the mask of a decimal one: now and then an id has no letter.
/// Words such as `effaced` are spelled like one as well.
fn mask_of_hex(run: &str) -> &str {
    if run.bytes().any(|byte| byte.is_ascii_digit()) { "<number>" } else { run }
}

/// At most so many characters from the beginning.
fn first(text: &str, most: usize) -> &str {
    let end = text.char_indices().nth(most).map_or(text.len(), |(at, _)| at);
    text[..end].trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    fn shape(message: &str) -> String {
        fold(EXPRESSION.as_ref().unwrap(), message)
    }

    #[test]
    fn what_differs_from_record_to_record_is_masked() {
        for (message, expected) in [
            (
                "in urn:fss:cn-north-4:0123:function:default:f:latest: no memory",
                "in <function> no memory",
            ),
            ("GET https://a.example/x?id=7, refused", "GET <url>, refused"),
            ("mail to a.b+c@d.example failed", "mail to <email> failed"),
            ("request 8821fd25-2202-4295-8116-6b40e40ac581 failed", "request <id> failed"),
            ("since 2026-03-01T10:00:00.123Z, until 2026-03-02", "since <time>, until <time>"),
            ("at 2026-03-01 10:00:00,5 and 10:00:07", "at <time> and <time>"),
            ("dial tcp 192.168.10.21:3306: refused", "dial tcp <ip>: refused"),
            ("key 'a' = \"b c\" of x='y'", "key 'a' =<text> of x=<text>"),
            ("[trace 0000101157be0239] 0x7f", "[trace <number>] <number>"),
            ("[trace 0000101157000239]", "[trace <number>]"),
            ("took 1.5s, 3m20s and 120ms", "took <duration>, <duration> and <duration>"),
            (
                "after 3 attempts, 1,024 bytes, job_17, order-4711",
                "after <number> attempts, <number> bytes, job_<number>, order-<number>",
            ),
            ("12345678 of deadbeefcafe1", "<number> of <number>"),
        ] {
            assert_eq!(shape(message), expected);
        }
    }

    #[test]
    fn what_names_the_error_stays() {
        for message in [
            "HTTP 404",
            "HTTP/1.1 500 Internal",
            "status code: 503",
            "{\"statusCode\":429}",
            "[Errno 111] refused",
            "exit status 137",
            "exit code 1",
            "errorCode=4201",
            "utf8 on x86 by h2",
            "effaced deadbeef",
            "TypeError: x is undefined",
            "",
        ] {
            assert_eq!(shape(message), message);
        }
        assert_eq!(shape("code 123456"), "code <number>", "a large number is no code");
        assert_ne!(shape("HTTP 404"), shape("HTTP 500"));
    }

    #[test]
    fn one_line_of_a_message_counts() {
        assert_eq!(shape("\n  first \r\nsecond"), "first");
        let traceback =
            "Traceback (most recent call last):\n  File \"a.py\", line 4\nKeyError: 'id'\n";
        assert_eq!(shape(traceback), "Traceback (most recent call last): KeyError: 'id'");
        assert_eq!(
            shape("Traceback (most recent call last):\n"),
            "Traceback (most recent call last):"
        );
    }

    #[test]
    fn a_shape_is_short() {
        assert_eq!(shape(&"ä".repeat(9_000)).chars().count(), MOST_OF_SHAPE);
        let long = format!("{} 17", "x ".repeat(MOST_OF_SHAPE));
        assert_eq!(
            shape(&long).chars().count(),
            MOST_OF_SHAPE - 1,
            "what ends in a blank is trimmed"
        );
        let begins = "x ".repeat(195);
        let cut = format!("{begins} deadbeef1zzz");
        assert_eq!(
            shape(&cut),
            format!("{begins} <number>"),
            "a word that is cut may become a number"
        );
    }

    #[test]
    fn sqlite_folds_texts_and_nothing_else() {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        let ask = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, Value>(0)).unwrap();
        assert_eq!(ask("SELECT fold('job 17')"), Value::Text("job <number>".to_owned()));
        assert_eq!(ask("SELECT fold(NULL)"), Value::Null);
        assert_eq!(ask("SELECT fold(17)"), Value::Integer(17));
        assert_eq!(
            ask("SELECT fold(CAST(x'ff37' AS TEXT))"),
            Value::Text("\u{fffd}<number>".to_owned())
        );
    }

    /// Pieces of messages, so that masks meet each other.
    fn message() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[ -~]{0,12}",
            "[0-9a-f:.@/=\"'<> -]{0,12}",
            "[^\n]{0,4}",
            Just("urn:fss:".to_owned()),
            Just("://".to_owned()),
            Just("status ".to_owned()),
            Just("<number>".to_owned()),
            Just("8821fd25-2202-4295-8116-6b40e40ac581".to_owned()),
            Just("2026-03-01T10:00:00Z".to_owned()),
            "[0-9]{1,9}(ms|s|h)?",
            Just("\n".to_owned()),
            Just("x".repeat(200)),
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(message in message()) {
            let once = shape(&message);
            prop_assert_eq!(shape(&once), once.as_str());
            prop_assert!(once.chars().count() <= MOST_OF_SHAPE && !once.contains('\n'));
        }

        #[test]
        fn numbers_and_ids_make_no_difference(
            one in 0u32..9_999_999,
            other in 0u32..9_999_999,
            id in any::<u128>(),
        ) {
            let message = |number: u32, id: u128| {
                format!("job {number} of {}: no", uuid::Uuid::from_u128(id))
            };
            prop_assert_eq!(shape(&message(one, id)), shape(&message(other, !id)));
        }
    }
}
