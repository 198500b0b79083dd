//! Secrets in every usual spelling.

mod depth;

use super::redactor::LONGEST_MAPPED;
use super::spelling::Step;
use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use pretty_assertions::assert_eq;
use proptest::prelude::*;
use secrecy::SecretString;
use std::fmt::Write as _;

fn redactor(secrets: &[&str]) -> Redactor {
    Redactor::new(&secrets.iter().map(|secret| SecretString::from(*secret)).collect::<Vec<_>>())
}

/// Each character of a text written by `write`.
fn spelled(text: &str, write: impl Fn(char) -> String) -> String {
    text.chars().map(write).collect()
}

fn escaped(letter: char) -> String {
    letter.encode_utf16(&mut [0; 2]).iter().fold(String::new(), |mut text, unit| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "\\u{unit:04x}");
        text
    })
}

fn in_bytes(letter: char, write: impl Fn(u8) -> String) -> String {
    letter.encode_utf8(&mut [0; 4]).bytes().map(write).collect()
}

/// Every spelling that a service is known to use, by a name.
fn spellings(secret: &str) -> Vec<(&'static str, String)> {
    let json = serde_json::to_string(secret).unwrap();
    let json = json[1..json.len() - 1].to_owned();
    let rust = format!("{secret:?}");
    let entities = spelled(secret, |letter| match letter {
        '"' => "&quot;".to_owned(),
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '\'' => "&#39;".to_owned(),
        other => other.to_string(),
    });
    let half = |letter: char, write: fn(char) -> String| {
        if u32::from(letter) % 2 == 0 { write(letter) } else { letter.to_string() }
    };
    let percent = |letter: char| in_bytes(letter, |byte| format!("%{byte:02X}"));
    let form = spelled(secret, |letter| match letter {
        ' ' => "+".to_owned(),
        letter if letter.is_ascii_alphanumeric() => letter.to_string(),
        letter => percent(letter),
    });
    let quoted = spelled(secret, |letter| in_bytes(letter, |byte| format!("={byte:02X}")));
    let wide = spelled(secret, |letter| match letter {
        '!'..='~' => char::from_u32(u32::from(letter) - 0x21 + 0xff01).unwrap().to_string(),
        other => other.to_string(),
    });
    vec![
        ("raw", secret.to_owned()),
        ("json", json.clone()),
        ("json in json", json.replace('\\', "\\\\").replace('"', "\\\"")),
        ("json, ascii only", spelled(secret, escaped)),
        (
            "json, upper case",
            spelled(secret, |letter| escaped(letter).to_uppercase().replace('U', "u")),
        ),
        (
            "json, some escaped",
            spelled(&json, |letter| if letter == '\\' { "\\".into() } else { letter.into() }),
        ),
        (
            "some escaped",
            spelled(
                secret,
                |letter| if letter == '\\' { "\\\\".into() } else { half(letter, escaped) },
            ),
        ),
        ("slashes escaped", json.replace('/', "\\/")),
        ("url", spelled(secret, percent)),
        ("url, lower case", spelled(secret, percent).to_lowercase()),
        ("form", form.clone()),
        ("url twice", form.replace('%', "%25")),
        (
            "url in json",
            spelled(&form, |letter| if letter == '%' { "\\u0025".into() } else { letter.into() }),
        ),
        ("entities", entities.clone()),
        ("decimal entities", spelled(secret, |letter| format!("&#{};", u32::from(letter)))),
        ("hexadecimal entities", spelled(secret, |letter| format!("&#x{:X};", u32::from(letter)))),
        ("hexadecimal", hex::encode(secret)),
        ("hexadecimal, upper case", hex::encode_upper(secret)),
        ("hexadecimal with colons", pairs(&hex::encode(secret), ":")),
        ("hexadecimal with dashes, upper case", pairs(&hex::encode_upper(secret), "-")),
        ("hexadecimal with blanks", pairs(&hex::encode(secret), " ")),
        ("lower case", secret.to_lowercase()),
        ("upper case", secret.to_uppercase()),
        ("base64", STANDARD.encode(secret)),
        ("base64, unpadded", STANDARD_NO_PAD.encode(secret)),
        ("base64 of urls", URL_SAFE.encode(secret)),
        ("base64 of urls, unpadded", URL_SAFE_NO_PAD.encode(secret)),
        ("base64 in json", STANDARD.encode(secret).replace('/', "\\/")),
        (
            "base64 in a url",
            STANDARD.encode(secret).replace('=', "%3D").replace('+', "%2B").replace('/', "%2f"),
        ),
        ("rust", rust[1..rust.len() - 1].to_owned()),
        ("utf-16", spelled(secret, |letter| format!("{letter}\0"))),
        ("quoted-printable", quoted.clone()),
        ("quoted-printable, folded", folded(&quoted, 9, "=\r\n")),
        ("quoted-printable in json", folded(&quoted, 9, "=\\r\\n")),
        ("full width", wide.clone()),
        ("full width, in json", spelled(&wide, escaped)),
        ("full width, not seen between", folded(&wide, 1, "\u{200b}")),
    ]
}

fn pairs(digits: &str, separator: &str) -> String {
    let pairs: Vec<_> = digits.as_bytes().chunks(2).map(String::from_utf8_lossy).collect();
    pairs.join(separator)
}

/// A secret such as people and services make up, with whatever encodings change in it.
fn any_secret() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9]{8,40}",
        "[ -~]{8,24}",
        r#"[a-z"\\/<>&%+'= éöß€😀]{8,20}"#,
        // As short as is covered at all.
        "[A-Za-z0-9]{4,7}",
        // A long token in base64.
        "MII[A-Za-z0-9+/]{200,300}==",
    ]
}

proptest! {
    #[test]
    fn no_spelling_of_a_secret_is_left(
        secret in any_secret(),
        before in "[a-z ]{0,10}",
        after in "[a-z ]{0,10}",
    ) {
        let redactor = redactor(&[&secret]);
        for (name, spelled) in spellings(&secret) {
            let text = format!("{before} ({spelled}) {after}");
            let shown = redactor.redact(&text);
            prop_assert!(!shown.contains(&spelled), "{name}: {text} is shown as {shown}");
            prop_assert!(!redactor.mentions(&shown), "{name}: {text} is shown as {shown}");
        }
    }

    /// What stands around a secret of letters stays, and a JSON text stays the same but for it.
    #[test]
    fn nothing_but_the_secret_changes(
        secret in "[A-Za-z0-9]{12,40}",
        other in "[ -~é]{0,30}",
        count: u32,
    ) {
        let redactor = redactor(&[&secret]);
        prop_assume!(!redactor.mentions(&other));
        for (name, spelled) in spellings(&secret) {
            if name == "utf-16" {
                continue;
            }
            let quoted = serde_json::to_string(&other).unwrap();
            let inside = &quoted[1..quoted.len() - 1];
            let body = |secret: &str| {
                format!(
                    r#"{{"a":{quoted},"b":["{inside} ({secret}) {inside}",{{"{secret}":{count}}}],
"c":null}}"#
                )
            };
            let (shown, expected) = (body(&spelled), body(redactor.mark()));
            prop_assert_eq!(redactor.redact_json(&shown), expected, "{}: {}", name, shown);
        }
    }

    #[test]
    fn json_stays_json(secret in any_secret(), text in "\\PC{0,10}") {
        let redactor = redactor(&[&secret]);
        for (name, spelled) in spellings(&secret) {
            let value =
                serde_json::json!({ "a": format!("{text}{spelled}{text}"), "b": [spelled, text] });
            let body = value.to_string();
            let shown = redactor.redact_json(&body);
            let read: serde_json::Value = serde_json::from_str(&shown).unwrap();
            prop_assert!(
                !read["b"][0].as_str().unwrap().contains(&spelled),
                "{name}: {body} is shown as {shown}"
            );
        }
    }

    #[test]
    fn any_text_is_redacted_without_harm(
        secret in any_secret(),
        text in r#"[a-f\\u0-9%&;#x{}"\x00é]{0,60}"#,
    ) {
        let redactor = redactor(&[&secret]);
        let _ = redactor.redact(&text);
        let _ = redactor.redact_cut(&text);
        prop_assert_eq!(redactor.redact_json(&text), &*text);
    }

    /// Wherever a text is cut, no more than two letters of the secret are left.
    #[test]
    fn a_cut_text_shows_no_beginning(secret in "[A-Za-z0-9]{8,30}", keep in 0..200usize) {
        let redactor = redactor(&[&secret]);
        for spelled in [
            secret.clone(),
            spelled(&secret, escaped),
            spelled(&secret, |letter| format!("&#{};", u32::from(letter))),
        ] {
            let text = format!("token: {spelled}");
            let cut = &text[..keep.min(text.len())];
            let shown = redactor.redact_cut(cut).replace(redactor.mark(), "");
            let read = [Step::Spellings].into_iter().fold(shown.clone(), |text, spelling| {
                let undone = spelling.undo(text.as_bytes(), false);
                undone.map_or(text, |undone| String::from_utf8_lossy(&undone.bytes).into_owned())
            });
            prop_assert!(!read.contains(&secret[..3]), "{cut} is shown as {shown}");
        }
    }
}

#[test]
fn a_short_secret_is_covered_as_a_word_or_not_at_all() {
    let tiny = redactor(&["a", "xyz"]);
    assert_eq!(tiny.redact("a day in xyz"), "a day in xyz");
    let short = redactor(&["test"]);
    assert_eq!(
        short.redact("latest test, tests: \"test\" dGVzdA=="),
        "latest [REDACTED], tests: \"[REDACTED]\" [REDACTED]"
    );
    assert_eq!(redactor(&["password"]).redact("mypasswords"), "my[REDACTED]s");
}

#[test]
fn a_secret_in_other_character_sets_is_covered() {
    let secret = "pässwörd€".replace('€', "");
    let redactor = redactor(&[&secret]);
    let latin: Vec<u8> = secret.chars().map(|letter| u8::try_from(letter).unwrap()).collect();
    let mistaken: String = secret.bytes().map(char::from).collect();
    let percent = latin.iter().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat();
    for spelled in [
        String::from_utf8_lossy(&latin).into_owned(),
        mistaken,
        percent,
        "p&auml;ssw&ouml;rd".to_owned(),
        "p?ssw?rd".to_owned(),
    ] {
        assert_eq!(redactor.redact(&format!("<{spelled}>")), "<[REDACTED]>");
    }
}

#[test]
fn a_part_of_more_in_base64_is_covered() {
    let redactor = redactor(&["hunter2hunter2"]);
    for user in ["u", "us", "use", "user"] {
        let basic = STANDARD.encode(format!("{user}:hunter2hunter2:x"));
        let shown = redactor.redact(&basic).into_owned();
        assert!(shown.contains("[REDACTED]") && shown.len() <= user.len() + 22, "{shown}");
    }
}

#[test]
fn the_beginning_of_a_long_secret_is_enough() {
    let redactor = redactor(&["MIIabcdefghijklmnopqrstuvwxyz0123456789"]);
    assert_eq!(
        redactor.redact("token MIIabcdefghijklmnopqrst... is bad"),
        "token [REDACTED]... is bad"
    );
    assert_eq!(redactor.redact("token MIIabc... is bad"), "token MIIabc... is bad");
}

#[test]
fn a_mark_is_no_secret() {
    assert_eq!(redactor(&["REDACTED"]).redact("<REDACTED>"), "<***>");
    assert_eq!(redactor(&["REDACTED"]).redact_json(r#"{"a":REDACTED}"#), r#"{"a":"***"}"#);
}

#[test]
fn the_words_of_every_answer_stay() {
    let redactor = redactor(&["invocations", "SUCCESS", "12345678"]);
    let body = r#"{"invocations":[{"status":"SUCCESS","error_message":"SUCCESS invocations",
"x":12345678}]}"#;
    let expected = r#"{"invocations":[{"status":"SUCCESS","error_message":"[REDACTED] [REDACTED]",
"x":"[REDACTED]"}]}"#;
    assert_eq!(redactor.redact_json(body), expected);
}

#[test]
fn a_text_too_long_to_map_is_covered_whole() {
    let redactor = redactor(&["hunter2hunter2"]);
    let long = "x".repeat(LONGEST_MAPPED);
    assert_eq!(redactor.redact(&format!("{long}hunter2hunter2")), "[REDACTED]");
    assert_eq!(
        redactor.redact_json(&format!(r#"{{"a":"{long}hunter2hunter2","b":1}}"#)),
        r#"{"a":"[REDACTED]","b":1}"#
    );
}

#[test]
fn nothing_of_a_secret_shows_in_debug() {
    let secrets = Secrets::new(vec!["hunter2hunter2".into()]);
    secrets.learn(&"hunter3hunter3".into());
    assert!(!format!("{secrets:?} {:?}", secrets.redactor()).contains("hunter"));
}

#[test]
fn tokens_stay_secret_after_newer_ones() {
    let secrets = Secrets::new(vec!["password1".into()]);
    secrets.learn(&"token-of-monday".into());
    secrets.learn(&"token-of-tuesday".into());
    let text = "password1 token-of-monday token-of-tuesday token-of-friday";
    assert_eq!(secrets.redactor().redact(text), "[REDACTED] [REDACTED] [REDACTED] token-of-friday");
    let with_other = secrets.redactor_with(&"token-of-friday".into());
    assert_eq!(with_other.redact(text), "[REDACTED] [REDACTED] [REDACTED] [REDACTED]");
}

/// A text with a fold after so many of its characters, each time.
fn folded(text: &str, every: usize, fold: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(every).map(|line| line.iter().collect::<String>()).collect::<Vec<_>>().join(fold)
}

#[test]
fn a_secret_that_begins_in_one_text_and_ends_in_another_is_covered() {
    let secret = "Sk9/UperSecretKeyA1b2C3d4E5f6G7h8I9j0K+lm=";
    let redactor = redactor(&[secret]);
    let together = |texts: [&str; 3]| {
        let texts = texts.map(|text| (Scope::Words, (!text.is_empty()).then(|| Box::from(text))));
        redactor.redact_together(texts).map(|text| text.map_or_else(String::new, String::from))
    };
    assert_eq!(together(["a", "", "b"]), ["a", "", "b"]);
    assert_eq!(together([&secret[..21], &secret[21..], ""]), ["[REDACTED]", "[REDACTED]", ""]);
    let thirds =
        [&format!("A.{}", &secret[..14]), &secret[14..30], &format!("{} end", &secret[30..])];
    assert_eq!(together(thirds), ["A.[REDACTED]", "[REDACTED]", "[REDACTED] end"]);
    assert_eq!(
        together([secret, "words", &format!("{}..{}", &secret[..16], &secret[16..])])[1],
        "words"
    );
}

/// A page whose ids, times and states hold the same letters as a secret that is an ordinary word.
const PAGE_OF_WORDS: &str = r#"{"invocations":[{"request_id":"aaaaaaaa-1234-cafe",
"status":"SUCCESS","error_code":1234,"start_time":"2026-11-21T17:23:28","x":"cafe 2026"}],
"functions":[
{"func_urn":"urn:fss:cn-north-4:p:function:default:test"}],"count":1234,"next_marker":"2026"}"#;

#[test]
fn an_ordinary_secret_is_covered_in_words_alone() {
    for secret in [
        "1234",
        "2026",
        "cafe",
        "test",
        "default",
        "function",
        "cn-north-4",
        "2026-11-21",
        "SUCCESS",
        "count",
    ] {
        let redactor = redactor(&[secret]);
        let shown: serde_json::Value =
            serde_json::from_str(&redactor.redact_json(PAGE_OF_WORDS)).unwrap();
        let mut expected: serde_json::Value = serde_json::from_str(PAGE_OF_WORDS).unwrap();
        expected["invocations"][0]["x"] = "cafe 2026".replace(secret, "[REDACTED]").into();
        assert_eq!(shown, expected, "{secret}");
        let body = format!(
            r#"{{"request_id":"a","error_message":"denied: {secret}!","new":["<{secret}>"]}}"#
        );
        let expected =
            r#"{"request_id":"a","error_message":"denied: [REDACTED]!","new":["<[REDACTED]>"]}"#;
        assert_eq!(redactor.redact_json(&body), expected);
        assert_eq!(redactor.redact_as(Scope::Values, secret), secret);
    }
}

#[test]
fn a_secret_that_is_no_ordinary_word_is_covered_everywhere() {
    for secret in ["hunter2hunter2", "deadbeef", "12345678901", "Function"] {
        let redactor = redactor(&[secret]);
        for field in
            ["request_id", "status", "error_code", "start_time", "end_time", "func_urn", "x"]
        {
            let body = format!(r#"{{"{field}":"a:{secret}:b","{secret}":1}}"#);
            let expected = format!(r#"{{"{field}":"a:[REDACTED]:b","[REDACTED]":1}}"#);
            assert_eq!(redactor.redact_json(&body), expected);
        }
        assert!(!is_ordinary(secret));
    }
}
