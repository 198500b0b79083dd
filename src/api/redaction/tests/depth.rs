//! Secrets that are spelled in one spelling within another, and folded at any depth.

use super::super::spelling::Step;
use super::super::*;
use super::{escaped, folded, in_bytes, redactor, spelled};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pretty_assertions::assert_eq;
use proptest::prelude::*;

/// What a text may be folded with, in any of the ways that are known; the last two by whoever
/// writes HTML, before anything else is done to it.
const FOLDS: [&str; 12] = [
    "\n",
    "\r\n ",
    " ",
    "\t",
    "<br>",
    "<wbr>\n",
    "</span><span class=\"a b\">",
    "\u{200b}",
    "\u{ad}",
    "\u{a0}",
    "&shy;",
    "&ZeroWidthSpace;",
];

/// One way more in which a text is written, of those that a service is known to use.
fn nested(text: &str, way: usize) -> String {
    let percent = |letter: char| in_bytes(letter, |byte| format!("%{byte:02X}"));
    let unless_plain = |write: &dyn Fn(char) -> String| {
        spelled(text, |letter| {
            if letter.is_ascii_alphanumeric() { letter.to_string() } else { write(letter) }
        })
    };
    let json = serde_json::to_string(text).unwrap();
    match way {
        0 => json[1..json.len() - 1].replace('/', "\\/"),
        1 => unless_plain(&percent),
        2 => unless_plain(&|letter| format!("&#x{:x};", u32::from(letter))),
        3 => spelled(text, escaped),
        4 => spelled(text, percent),
        5 => spelled(text, |letter| format!("&#{}", u32::from(letter))),
        6 => spelled(text, |letter| format!("&#{:014};", u32::from(letter))),
        7 => text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;"),
        8 => spelled(text, |letter| in_bytes(letter, |byte| format!("\\{byte:03o}"))),
        _ => spelled(text, |letter| {
            if u32::from(letter) % 2 == 0 { escaped(letter) } else { percent(letter) }
        }),
    }
}

/// A text as whoever knows all the spellings and folds reads it, whatever it is nested in.
fn read_to_the_bottom(text: &str) -> String {
    let text = text.as_bytes().to_vec();
    let read = (0..20).fold(text, |text, _| {
        [Step::Tags, Step::Folds, Step::Spellings].into_iter().fold(text, |text, step| {
            match step.undo(&text, false) {
                Some(undone) => undone.bytes,
                None => text,
            }
        })
    });
    String::from_utf8_lossy(&read).into_owned()
}

/// Whether a text shows eight characters of a secret that follow each other.
fn shows_a_part(text: &str, secret: &str) -> bool {
    let read = read_to_the_bottom(text);
    secret.as_bytes().windows(8).any(|part| {
        let part = std::str::from_utf8(part).unwrap();
        text.contains(part) || read.contains(part)
    })
}

proptest! {
    /// However deep a secret is spelled, wherever it is folded, in a text of any length.
    #[test]
    fn nothing_of_a_secret_is_left_at_any_depth(
        secret in prop_oneof![
            "[A-Za-z0-9/+]{8,40}={0,2}",
            "MII[A-Za-z0-9/+]{200,300}==",
            "[A-Za-z]{6,9}[ %&\"'\\\\][A-Za-z0-9]{6,9}",
        ],
        inner in 1..70usize,
        outer in 20..70usize,
        folds in (0..=FOLDS.len(), prop_oneof![0..FOLDS.len() - 2, Just(FOLDS.len())]),
        ways in prop::collection::vec(0..10usize, 0..4),
        around in (prop_oneof![12 => 0..3usize, 1 => Just(3)], "[ -~é]{0,30}"),
    ) {
        let redactor = redactor(&[&secret]);
        let fold = |text: &str, every, fold: usize| {
            FOLDS.get(fold).map_or(text.to_owned(), |with| folded(text, every, with))
        };
        let (length, ordinary) = around;
        let padding = format!("{ordinary} ").repeat([0, 1, 100, 10_000][length]);
        prop_assume!(!redactor.mentions(&padding) && read_to_the_bottom(&secret).len() >= 8);
        let spelled =
            ways.iter().fold(fold(&secret, inner, folds.0), |text, way| nested(&text, *way));
        prop_assume!(spelled.len() < 100_000);
        let text = format!("{padding}({}){ordinary}", fold(&spelled, outer, folds.1));
        let shown = redactor.redact(&text);
        prop_assert!(!shows_a_part(&shown, &secret), "{text} is shown as {shown}");
        let body =
            serde_json::json!({ "count": 1, "invocations": [{ "request_id": text, "x": [text] }] })
                .to_string();
        let shown: serde_json::Value = serde_json::from_str(&redactor.redact_json(&body)).unwrap();
        for shown in [&shown["invocations"][0]["request_id"], &shown["invocations"][0]["x"][0]] {
            prop_assert!(
                !shows_a_part(shown.as_str().unwrap(), &secret),
                "{body} is shown as {shown}"
            );
        }
    }
}

/// A token as long as those of the service.
fn long_token() -> String {
    let next = |at: &u32| Some(at.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    let bytes = std::iter::successors(Some(1), next).map(|at| at.to_be_bytes()[0]).take(771);
    STANDARD.encode(bytes.collect::<Vec<_>>())
}

#[test]
fn a_folded_token_is_covered_to_its_end() {
    let token = long_token();
    let redactor = redactor(&[&token]);
    for fold in FOLDS {
        for every in [3, 16, 64] {
            let text = format!("denied for {}.", folded(&token, every, fold));
            assert_eq!(redactor.redact(&text), "denied for [REDACTED].", "{every} {fold:?}");
        }
    }
}

/// What else stands in the same text of a secret is told by its letters, whatever it is folded
/// with.
#[test]
fn the_rest_of_a_secret_is_covered_where_its_beginning_is() {
    let token = long_token();
    let redactor = redactor(&[&token]);
    for fold in ["..", " | ", "\",\"", "[/b]\n", "-----\n"] {
        let shown = redactor.redact(&folded(&token, 64, fold)).into_owned();
        assert!(!shows_a_part(&shown, &token), "{fold} {shown}");
    }
    let rest = &token[20..];
    assert_eq!(redactor.redact(rest), rest, "a rest alone may be anything");
}

/// The same record on a page of any length.
#[test]
fn how_long_a_page_is_hides_no_depth() {
    let secret = "Sk9/UperSecretKeyA1b2C3d4E5f6G7h8I9j0K+lm=";
    let redactor = redactor(&[secret]);
    let deep = [
        [0, 0, 0].as_slice(),
        &[1, 1],
        &[1, 1, 1, 1, 1, 1],
        &[1, 0, 0],
        &[1, 1, 2],
        &[7, 2, 1, 0, 3, 8],
    ];
    for ways in deep {
        let spelled = ways.iter().fold(format!("<{secret}>"), |text, way| nested(&text, *way));
        for records in [0, 3, 1000] {
            let record = serde_json::json!({
                "request_id": "a", "error_message": "as it was\n", "error_code": 0,
            });
            let told = serde_json::json!({
                "request_id": "b", "error_message": format!("said {spelled}."),
            });
            let page = |last| {
                let invocations = [vec![record.clone(); records], vec![last]];
                serde_json::json!({ "invocations": invocations })
            };
            let body = page(told).to_string();
            let shown: serde_json::Value =
                serde_json::from_str(&redactor.redact_json(&body)).unwrap();
            let last = &shown["invocations"][1][0];
            let words = last["error_message"].as_str().unwrap();
            let is_covered_alone =
                words.starts_with("said ") && words.contains("[REDACTED]") && words.ends_with('.');
            assert!(is_covered_alone, "{ways:?} {records}: {last}");
            assert!(!shows_a_part(&shown.to_string(), secret), "{ways:?} {records}: {last}");
            assert_eq!(shown["invocations"][0], page(record.clone())["invocations"][0]);
        }
    }
}

/// Nobody writes so who has something to say; read to its end it would cost time without bounds.
#[test]
fn a_text_too_deep_to_read_is_covered_whole() {
    let deep = format!("\\{}u0061", "u005c".repeat(1000));
    assert_eq!(redactor(&["hunter2hunter2"]).redact(&deep), "[REDACTED]");
    assert_eq!(Redactor::default().redact(&deep), deep);
    let loops = format!(
        "https://a.example/?to={}",
        "https%3A%2F%2Fa.example%2F".replace('%', &format!("%{}", "25".repeat(99)))
    );
    assert_eq!(redactor(&["hunter2hunter2"]).redact(&loops), loops);
    // Deep in a small part of a long text, where the length alone would allow for more than a stack
    // does.
    let padded = format!("{} {deep}", "%41%0a".repeat(200_000));
    assert_eq!(redactor(&["hunter2hunter2"]).redact(&padded), "[REDACTED]");
    let line = "\\".repeat(10_000);
    assert_eq!(redactor(&["hunter2hunter2"]).redact(&line), line);
}
