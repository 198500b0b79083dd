//! Text on one line, with whatever could move a cursor, colour a terminal, or reorder the text
//! around it shown as an escape: it comes from the service, or from an archive of somebody else's.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Text on one line: line breaks and whatever [`is_unsafe`] are shown as the escapes of Rust's
/// strings.
pub(crate) fn on_one_line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len() + 8);
    text.chars().for_each(|character| push_shown(character, &mut line));
    Cow::Owned(line)
}

/// The most bytes that one byte of a text becomes on one line: ESC becomes `\u{1b}`.
pub(crate) const MOST_BYTES_SHOWN: u64 = 6;

/// Appends a character as it stands on one line.
pub(crate) fn push_shown(character: char, line: &mut String) {
    match character {
        '\n' => line.push_str("\\n"),
        '\r' => line.push_str("\\r"),
        '\t' => line.push_str("\\t"),
        other if is_unsafe(other) => {
            // Writing to a string cannot fail.
            let _ = write!(line, "\\u{{{:x}}}", u32::from(other));
        }
        other => line.push(other),
    }
}

/// Control characters (C0, DEL, C1), those that break lines or set the direction of the text around
/// them (UAX #9), and those that hide in a text since they show as nothing: spaces without a width,
/// invisible operators, annotations, tags. The joiners U+200C and U+200D are none of them: words of
/// some languages are not written right without.
pub(crate) fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}'
                | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_moves_a_cursor_or_turns_text_round_is_shown() {
        let hostile = "a\u{1b}]0;title\u{7}b\u{9b}2J\rc\u{202e}d\u{61c}\u{200f}";
        let shown = "a\\u{1b}]0;title\\u{7}b\\u{9b}2J\\rc\\u{202e}d\\u{61c}\\u{200f}";
        assert_eq!(on_one_line(hostile), shown);
        assert_eq!(on_one_line("two\nlines\t"), "two\\nlines\\t");
        let hidden = "a\u{200b}\u{2060}\u{feff}\u{fff9}\u{e0041}b \u{645}\u{200c}";
        let shown = "a\\u{200b}\\u{2060}\\u{feff}\\u{fff9}\\u{e0041}b \u{645}\u{200c}";
        assert_eq!(on_one_line(hidden), shown, "what shows as nothing, but for joiners");
    }

    proptest! {
        #[test]
        fn nothing_unsafe_is_left_on_a_line(text in any::<String>()) {
            prop_assert!(on_one_line(&text).chars().all(|each| !is_unsafe(each)));
        }
    }
}
