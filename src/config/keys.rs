//! The simple form in which a file or a command gives credentials.
//!
//! Lines of a name and a value, `ak = …`, as in a profile file, with or without a section
//! `[basic]`; or one JSON object with the same names. The names are `ak`, `sk`, `security_token`,
//! `token` and `project_id`, in any case.

use super::profile::{SECTION, parse as parse_profile};
use std::collections::HashMap;

/// What is wrong with a text. It never says what stands in it: that may be a secret.
pub(super) type Unreadable = &'static str;

/// Reads the values by their lower-case names.
pub(super) fn parse_keys(bytes: Vec<u8>) -> Result<HashMap<String, String>, Unreadable> {
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.starts_with('{') {
        return parse_json(text);
    }
    let is_in_sections = text.lines().any(|line| line.trim_start().starts_with('['));
    let lines = if is_in_sections { text.to_owned() } else { format!("[{SECTION}]\n{text}") };
    Ok(parse_profile(&lines, SECTION).values)
}

fn parse_json(text: &str) -> Result<HashMap<String, String>, Unreadable> {
    let object: HashMap<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|_| "it begins like JSON and is none")?;
    let texts = object.into_iter().filter_map(|(name, value)| match value {
        serde_json::Value::String(text) if !text.is_empty() => {
            Some((name.to_ascii_lowercase(), text))
        }
        _ => None,
    });
    Ok(texts.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    #[test]
    fn lines_a_section_and_json_say_the_same() {
        for text in [
            "ak = AK\nsk = SK\n",
            "AK: AK\r\nsk: 'SK'\r\n# a comment\n",
            "[other]\nak = no\n[basic]\nak=AK\nsk=SK",
            " {\"ak\": \"AK\", \"SK\": \"SK\", \"expires\": 3, \"token\": \"\"}\n",
        ] {
            let mut found: Vec<_> = parse_keys(text.into()).unwrap().into_iter().collect();
            found.sort();
            let expected = [("ak", "AK"), ("sk", "SK")];
            assert_eq!(found, expected.map(|(a, b)| (a.to_owned(), b.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_what_it_is() {
        assert_eq!(parse_keys(b" \n".to_vec()), Err("it is empty"));
        assert_eq!(parse_keys(vec![0xff]), Err("it is not UTF-8"));
        assert_eq!(
            parse_keys(b"{\"ak\": hunter2".to_vec()),
            Err("it begins like JSON and is none")
        );
        assert_eq!(parse_keys(b"hunter2".to_vec()), Ok(HashMap::new()));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse_keys(bytes);
        }
    }
}
