//! How programs write that there is nothing.

const WORDS: [&str; 9] = ["null", "none", "nil", "false", "n/a", "undefined", "nan", "[]", "{}"];

/// Whether a text stands for nothing: blanks, dashes, or a word for it.
pub fn stands_for_nothing(text: &str) -> bool {
    let words = without_blanks(text);
    words.trim_matches('-').is_empty() || WORDS.iter().any(|word| words.eq_ignore_ascii_case(word))
}

/// A text without the blanks around it, also those of no width.
pub fn without_blanks(text: &str) -> &str {
    text.trim_matches(|sign: char| {
        sign.is_whitespace() || sign.is_control() || ('\u{200b}'..='\u{200f}').contains(&sign)
    })
}
