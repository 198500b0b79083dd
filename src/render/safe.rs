//! A writer that makes text safe to show: what the service sent, or what an archive of somebody
//! else's holds, must not move a cursor, colour a terminal, or reorder the text around it.

use super::one_line::{is_unsafe, push_shown};
use std::borrow::Cow;
use std::io::{self, Write};

/// A writer that lets through printable text, line breaks, tabs and the colours of this program,
/// and shows everything else as an escape.
///
/// Each character must come whole, but for the last one of a write, whose beginning waits for the
/// next.
#[derive(Debug)]
pub(crate) struct SafeWriter<W> {
    inner: W,
    /// The beginning of a character whose end has not been written yet: three bytes at most.
    begun: Vec<u8>,
}

impl<W> SafeWriter<W> {
    pub(crate) fn new(inner: W) -> Self {
        Self { inner, begun: Vec::new() }
    }
}

impl<W: Write> Write for SafeWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut text = std::mem::take(&mut self.begun);
        text.extend_from_slice(bytes);
        if let Err(error) = std::str::from_utf8(&text)
            && error.error_len().is_none()
        {
            self.begun = text.split_off(error.valid_up_to());
        }
        self.inner.write_all(without_controls(&String::from_utf8_lossy(&text)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// The text with everything shown as an escape but line breaks, tabs, and colours.
fn without_controls(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|character| is_unsafe(character) && !is_layout(character)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let colour = colour(rest);
        match colour {
            Some(sequence) => shown.push_str(sequence),
            None if is_layout(character) => shown.push(character),
            None => push_shown(character, &mut shown),
        }
        rest = &rest[colour.map_or(character.len_utf8(), str::len)..];
    }
    Cow::Owned(shown)
}

fn is_layout(character: char) -> bool {
    matches!(character, '\n' | '\t')
}

/// The sequence that sets a colour at the start of a text (`ESC [ … m`, ECMA-48, 8.3.117), if it
/// starts with one.
///
/// Text from outside reaches a writer with its own escapes already shown, so what is left is ours.
fn colour(text: &str) -> Option<&str> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|character: char| !character.is_ascii_digit() && character != ';')?;
    parameters[end..].starts_with('m').then(|| &text[..end + 3])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(parts: &[&[u8]]) -> String {
        let mut out = Vec::new();
        let mut safe = SafeWriter::new(&mut out);
        for part in parts {
            safe.write_all(part).unwrap();
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_moves_a_cursor_or_turns_text_round_is_shown() {
        let hostile = "a\u{1b}]0;title\u{7}b\u{9b}2J\rc\u{202e}d\u{61c}\u{200f}";
        let shown = "a\\u{1b}]0;title\\u{7}b\\u{9b}2J\\rc\\u{202e}d\\u{61c}\\u{200f}";
        assert_eq!(written(&[hostile.as_bytes()]), shown);
    }

    #[test]
    fn layout_and_colours_pass_a_writer() {
        let line = "\u{1b}[1mhead\u{1b}[0m\tü 日本\n\u{1b}[38;5;1mred\u{1b}[0m\n";
        assert_eq!(written(&[line.as_bytes()]), line);
        assert_eq!(written(&[b"\x1b[2J\x1b[1"]), "\\u{1b}[2J\\u{1b}[1", "only colours");
    }

    #[test]
    fn a_character_may_come_in_two_writes_and_no_text_is_lost() {
        let (first, second) = "é".as_bytes().split_at(1);
        assert_eq!(written(&[b"a", first, second, b"b"]), "aéb");
        let (first, second) = "\u{9b}".as_bytes().split_at(1);
        assert_eq!(written(&[first, second]), "\\u{9b}");
        assert_eq!(
            written(&[b"\xff", b"x"]),
            "\u{fffd}x",
            "bytes that are no text are shown as such"
        );
    }

    proptest! {
        /// Whatever is written and however it is cut, no control reaches the terminal but layout
        /// and colours.
        #[test]
        fn nothing_unsafe_passes(text in any::<String>(), cut in 0usize..40) {
            let bytes = text.as_bytes();
            let shown = written(&[&bytes[..cut.min(bytes.len())], &bytes[cut.min(bytes.len())..]]);
            let bare = shown
                .split('\u{1b}')
                .skip(1)
                .all(|rest| colour(&format!("\u{1b}{rest}")).is_some());
            prop_assert!(bare);
            let is_harmless = |each| !is_unsafe(each) || is_layout(each) || each == '\u{1b}';
            prop_assert!(shown.chars().all(is_harmless));
        }
    }
}
