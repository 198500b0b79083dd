//! What a field of a form holds, so that a browser sends back just that.

use crate::render::is_unsafe;
use askama::filters::HtmlSafe;
use std::fmt::{self, Display, Formatter};

/// The value of a field. What could be mistaken for markup, and what is not seen or changes what is
/// seen (control characters, changes of direction), is written as a reference to its number.
#[derive(Clone, Debug, Default)]
pub(super) struct FormValue(String);

impl FormValue {
    /// None where no reference stands for a character of the text: to a browser one to NUL or to
    /// U+0080 to U+009F means another character, and it sends ends of lines as CR and LF.
    pub(super) fn of(text: &str) -> Option<Self> {
        let is_lost = |it: char| matches!(it, '\0' | '\n' | '\r' | '\u{80}'..='\u{9f}');
        (!text.contains(is_lost)).then(|| Self(text.to_owned()))
    }
}

impl Display for FormValue {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '&' | '<' | '>' | '"' | '\'' => write!(f, "&#{};", u32::from(character)),
            other if is_unsafe(other) => write!(f, "&#{};", u32::from(other)),
            other => write!(f, "{other}"),
        })
    }
}

impl HtmlSafe for FormValue {}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    fn written(text: &str) -> Option<String> {
        FormValue::of(text).map(|value| value.to_string())
    }

    #[test]
    fn what_is_no_plain_text_is_written_by_its_number() {
        for (text, expected) in [
            ("", Some("")),
            ("billing:*", Some("billing:*")),
            ("a \"b\" <c> & 'd'", Some("a &#34;b&#34; &#60;c&#62; &#38; &#39;d&#39;")),
            ("\u{1b}[2J\t\u{202e}x", Some("&#27;[2J&#9;&#8238;x")),
            ("内存 %2F?#", Some("内存 %2F?#")),
            ("a\0", None),
            ("a\nb", None),
            ("a\u{9b}b", None),
        ] {
            assert_eq!(written(text).as_deref(), expected, "{text:?}");
        }
    }

    proptest! {
        /// A browser that resolves the references has the text again, and nothing ends the field.
        #[test]
        fn a_value_is_read_as_it_was(text in any::<String>()) {
            if let Some(value) = written(&text) {
                prop_assert!(!value.contains(['"', '<', '>', '\'']) && !value.contains(is_unsafe));
                let mut parts = value.split("&#");
                let mut read = parts.next().unwrap().to_owned();
                for part in parts {
                    let (number, rest) = part.split_once(';').unwrap();
                    read.push(char::from_u32(number.parse().unwrap()).unwrap());
                    read.push_str(rest);
                }
                prop_assert_eq!(read, text);
            }
        }
    }
}
