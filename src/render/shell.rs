//! Command lines that people copy.

/// A word as a shell reads it back (POSIX 2.2.2), in quotes where it needs them.
pub(crate) fn shell_word(word: &str) -> String {
    let is_plain = |each: char| each.is_ascii_alphanumeric() || "-_=:./,@%+".contains(each);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_change_it() {
        for (word, quoted) in [
            ("--function", "--function"),
            ("billing:invoice-mail", "billing:invoice-mail"),
            ("billing:*", "'billing:*'"),
            ("it's", "'it'\\''s'"),
            ("a b", "'a b'"),
            ("$HOME", "'$HOME'"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(word), quoted);
        }
    }
}
