//! How programs write that there is nothing.

const WORDS: [&str; 7] = ["null", "none", "nil", "false", "n/a", "undefined", "nan"];

/// Letters to Unicode that nobody sees: the fillers of Hangul.
const FILLERS: [char; 4] = ['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}'];

/// Whether a text stands for nothing: blanks, what is not seen, and punctuation alone, or a word
/// for it, with or without those around it: `<nil>`, `"null"`.
pub fn stands_for_nothing(text: &str) -> bool {
    let words = text.trim_matches(|sign| !is_of_a_word(sign));
    words.is_empty() || WORDS.iter().any(|word| words.eq_ignore_ascii_case(word))
}

/// Whether a sign is a letter or a digit that can be seen.
pub fn is_of_a_word(sign: char) -> bool {
    sign.is_alphanumeric() && !FILLERS.contains(&sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_nothing_is_told_from_what_says_little() {
        for nothing in [
            "",
            " ",
            "-",
            "--",
            "...",
            "?",
            "*",
            "\"\"",
            "[]",
            "{ }",
            "()",
            "null",
            "\"null\"",
            "<nil>",
            "(NULL)",
            "None",
            "N/A",
            "\u{feff}",
            "\u{200b}\u{200d}",
            "\u{ad}",
            "\u{2060}",
            "\u{3164}",
            "\u{2800}",
            "\u{fe0f}",
            "\u{202e}",
            "\u{0}\u{7}",
            "\u{a0}\u{3000}",
        ] {
            assert!(stands_for_nothing(nothing), "{nothing:?}");
        }
        for little in ["0", "a", "é", "\u{feff}7", "nulls", "no", "-1", "無", "n-a"] {
            assert!(!stands_for_nothing(little), "{little:?}");
        }
    }
}
