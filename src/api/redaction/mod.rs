//! No secret is shown or stored, whatever way it comes back: in a header, in a message, in a record,
//! in an error of a library.
//!
//! A text is searched for each secret in its usual forms (as it is, base64, hexadecimal, other
//! character sets), and again with each spelling undone, up to three deep: escapes of JSON, of URLs
//! and of HTML, control characters in between.
//!
//! A secret of fewer than four characters is not looked for: it is in every text, and whoever wants it
//! has guessed it sooner. One of fewer than eight is covered where it stands as a word of its own, so
//! that the password `test` does not cut into `latest`. Of a longer one the first sixteen bytes are
//! enough, since a service may show the beginning only.

mod spelling;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use spelling::{Spelling, Undone};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// What stands in the place of a secret: the first of these that is no part of one.
const MARKS: [&str; 3] = ["[REDACTED]", "***", ""];

/// A shorter secret is not looked for, in characters.
const SHORTEST: usize = 4;

/// A shorter secret is covered only as a word of its own, in characters.
const SHORTEST_ANYWHERE: usize = 8;

/// By so many of its first bytes a secret is found.
const PREFIX: usize = 16;

/// A text cut off within a secret is covered from so many of the secret's first bytes on.
const SHORTEST_CUT: usize = 3;

/// How many spellings are undone one after the other, and for a longer text than [`LONG`].
const DEPTH: usize = 3;
const DEPTH_OF_LONG: usize = 2;
const LONG: usize = 64 * 1024;

/// A longer text that mentions a secret is covered as a whole: telling the places takes several times
/// its length in memory.
const LONGEST_MAPPED: usize = 1024 * 1024;

/// So many tokens are remembered: the newest ones, far more than are valid at a time.
const MOST_TOKENS: usize = 16;

/// What every answer holds tells nothing of a secret; a password such as `SUCCESS` must not cost the
/// archive its statuses.
const VOCABULARY: [&str; 17] = [
    "invocations",
    "request_id",
    "status",
    "error_code",
    "error_msg",
    "error_message",
    "start_time",
    "end_time",
    "count",
    "next_marker",
    "functions",
    "func_urn",
    "WAIT",
    "RUNNING",
    "SUCCESS",
    "FAIL",
    "DISCARD",
];

/// Covers secrets in texts.
#[derive(Clone, Default)]
pub(super) struct Redactor {
    /// Finds the prefixes of all forms.
    finder: Option<AhoCorasick>,
    /// The forms of each prefix, in the finder's order.
    forms: Vec<Vec<Form>>,
    mark: &'static str,
}

/// A secret in one of its forms.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Form {
    bytes: Box<[u8]>,
    /// Whether it must stand as a word of its own.
    alone: bool,
}

/// Shows nothing of what it looks for.
impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

impl Redactor {
    /// Covers these secrets.
    pub(super) fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let forms: BTreeSet<Form> = secrets.into_iter().flat_map(|secret| forms(secret.expose_secret())).collect();
        let mut by_prefix: BTreeMap<Box<[u8]>, Vec<Form>> = BTreeMap::new();
        for form in forms {
            by_prefix.entry(form.prefix().into()).or_default().push(form);
        }
        // Building fails only for patterns of gigabytes; a program that cannot cover its secrets has none.
        let finder = (!by_prefix.is_empty()).then(|| AhoCorasick::new(by_prefix.keys()).ok()).flatten();
        let unmarked = Self { finder, forms: by_prefix.into_values().collect(), mark: "" };
        let mark = MARKS.into_iter().find(|mark| !unmarked.mentions(mark)).unwrap_or_default();
        Self { mark, ..unmarked }
    }

    /// What stands in the place of a secret.
    pub(super) fn mark(&self) -> &'static str {
        self.mark
    }

    /// Whether a text shows a secret.
    pub(super) fn mentions(&self, text: &str) -> bool {
        let depth = if text.len() > LONG { DEPTH_OF_LONG } else { DEPTH };
        self.finder.is_some() && self.is_in(text.as_bytes(), depth)
    }

    fn is_in(&self, text: &[u8], depth: usize) -> bool {
        let undone = |spelling: Spelling| spelling.undo(text, false);
        let is_deeper =
            || Spelling::ALL.into_iter().filter_map(undone).any(|undone| self.is_in(&undone.bytes, depth - 1));
        !self.as_written(text).is_empty() || (depth > 0 && is_deeper())
    }

    /// A text without secrets.
    pub(super) fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.redact_spans(text, |spans| spans)
    }

    /// A text that was cut off: the beginning of a secret at its end is covered as well.
    pub(super) fn redact_cut<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.redact(text) {
            Cow::Owned(text) => Cow::Owned(self.without_cut_end(&text).to_owned()),
            Cow::Borrowed(text) => Cow::Borrowed(self.without_cut_end(text)),
        }
    }

    fn without_cut_end<'t>(&self, text: &'t str) -> &'t str {
        // An escape that is cut itself may hold the secret's next letter.
        let open = text.char_indices().rev().take(8).find(|(_, letter)| matches!(letter, '\\' | '%' | '&'));
        let text = &text[..open.map_or(text.len(), |(at, _)| at)];
        &text[..text.floor_char_boundary(self.begun_at(text.as_bytes(), DEPTH_OF_LONG))]
    }

    /// Where a secret begins that the end of a text cuts off; the end if there is none.
    fn begun_at(&self, text: &[u8], depth: usize) -> usize {
        let begun = |form: &Form| {
            (SHORTEST_CUT..form.prefix().len()).rev().find(|length| text.ends_with(&form.bytes[..*length]))
        };
        let here = text.len() - self.forms.iter().flatten().filter_map(begun).max().unwrap_or(0);
        let deeper =
            |undone: Undone| undone.source_of(self.begun_at(&undone.bytes, depth - 1)..undone.bytes.len()).start;
        let spellings = Spelling::ALL.into_iter().filter(|_| depth > 0);
        spellings.filter_map(|spelling| spelling.undo(text, true)).map(deeper).fold(here, usize::min)
    }

    /// A JSON text without secrets, whose structure stays as it is: a string keeps its quotes, and a
    /// number that shows a secret becomes a string.
    pub(super) fn redact_json<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if !self.mentions(text) {
            return Cow::Borrowed(text);
        }
        let mut redacted = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(quote) = rest.find('"') {
            redacted.push_str(&self.redact_bare(&rest[..quote]));
            let content = &rest[quote + 1..];
            let end = end_of_string(content);
            redacted.push('"');
            redacted.push_str(&self.redact_content(&content[..end]));
            rest = &content[end..];
            if let Some(after) = rest.strip_prefix('"') {
                redacted.push('"');
                rest = after;
            }
        }
        redacted.push_str(&self.redact_bare(rest));
        Cow::Owned(redacted)
    }

    /// What stands between the quotes of a string of JSON.
    fn redact_content<'t>(&self, content: &'t str) -> Cow<'t, str> {
        if VOCABULARY.contains(&content) {
            return Cow::Borrowed(content);
        }
        self.redact_spans(content, |spans| match Spelling::Escapes.undo(content.as_bytes(), true) {
            Some(undone) => spans.into_iter().map(|span| undone.whole_units(span)).collect(),
            None => spans,
        })
    }

    /// What stands between two strings of JSON: numbers and punctuation.
    fn redact_bare<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if !self.mentions(text) {
            return Cow::Borrowed(text);
        }
        let is_inside = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.');
        let token = |token: &str| {
            let word = token.trim_end_matches(|letter| !is_inside(letter));
            if self.mentions(word) { format!("\"{}\"{}", self.mark, &token[word.len()..]) } else { token.to_owned() }
        };
        Cow::Owned(text.split_inclusive(|letter| !is_inside(letter)).map(token).collect())
    }

    fn redact_spans<'t>(
        &self,
        text: &'t str,
        widen: impl FnOnce(Vec<Range<usize>>) -> Vec<Range<usize>>,
    ) -> Cow<'t, str> {
        if !self.mentions(text) {
            return Cow::Borrowed(text);
        }
        if text.len() > LONGEST_MAPPED {
            return Cow::Borrowed(self.mark);
        }
        let depth = if text.len() > LONG { DEPTH_OF_LONG } else { DEPTH };
        let redacted = self.replaced(text, widen(self.spans(text.as_bytes(), depth)));
        // What is left may stand together with the mark so that it reads like a secret again.
        Cow::Owned(if self.mentions(&redacted) { self.mark.to_owned() } else { redacted })
    }

    fn replaced(&self, text: &str, mut spans: Vec<Range<usize>>) -> String {
        spans.sort_unstable_by_key(|span| span.start);
        let mut redacted = String::with_capacity(text.len());
        let mut done = 0;
        for span in spans {
            let (start, end) = (text.floor_char_boundary(span.start), text.ceil_char_boundary(span.end));
            if start >= done {
                redacted.push_str(&text[done..start]);
                redacted.push_str(self.mark);
            }
            done = done.max(end);
        }
        redacted.push_str(&text[done..]);
        redacted
    }

    /// Where secrets stand in a text, in no order.
    fn spans(&self, text: &[u8], depth: usize) -> Vec<Range<usize>> {
        let mut spans = self.as_written(text);
        if depth > 0 {
            for undone in Spelling::ALL.into_iter().filter_map(|spelling| spelling.undo(text, true)) {
                spans.extend(self.spans(&undone.bytes, depth - 1).into_iter().map(|span| undone.source_of(span)));
            }
        }
        spans
    }

    /// Where secrets stand in a text as it is written.
    fn as_written(&self, text: &[u8]) -> Vec<Range<usize>> {
        let Some(finder) = self.finder.as_ref().filter(|finder| finder.is_match(text)) else { return Vec::new() };
        let found = finder.find_overlapping_iter(text).filter_map(|found| {
            let forms = &self.forms[found.pattern().as_usize()];
            let length = forms.iter().filter_map(|form| form.length_at(text, found.start())).max()?;
            Some(found.start()..found.start() + length)
        });
        found.collect()
    }
}

/// Where a string of JSON ends that this is the inside of.
fn end_of_string(content: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in content.bytes().enumerate() {
        match byte {
            b'"' if !escaped => return at,
            _ => escaped = byte == b'\\' && !escaped,
        }
    }
    content.len()
}

impl Form {
    fn prefix(&self) -> &[u8] {
        &self.bytes[..self.bytes.len().min(PREFIX)]
    }

    /// How much of it stands in a text, where its prefix stands at `start`; none where it counts as no mention.
    fn length_at(&self, text: &[u8], start: usize) -> Option<usize> {
        let length = self.bytes.iter().zip(&text[start..]).take_while(|(ours, theirs)| ours == theirs).count();
        let is_word = |byte: Option<&u8>| {
            byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii())
        };
        let before = start.checked_sub(1).and_then(|at| text.get(at));
        let inside_a_word = is_word(before) || is_word(text.get(start + length));
        (!self.alone || (length == self.bytes.len() && !inside_a_word)).then_some(length)
    }
}

/// The forms in which a secret is looked for.
fn forms(secret: &str) -> Vec<Form> {
    let characters = secret.chars().count();
    if characters < SHORTEST {
        return Vec::new();
    }
    let alone = characters < SHORTEST_ANYWHERE;
    let texts = in_character_sets(secret);
    let mut forms: Vec<Vec<u8>> = texts.iter().flat_map(|text| encoded(text, alone)).collect();
    forms.extend(texts);
    // A form of a URL has `+` for a blank.
    forms.push(secret.replace(' ', "+").into_bytes());
    forms.into_iter().map(|bytes| Form { bytes: bytes.into(), alone }).collect()
}

/// The bytes of a secret in the character sets that services confuse: UTF-8, Latin-1, and one read as the other.
fn in_character_sets(secret: &str) -> Vec<Vec<u8>> {
    let mut texts = vec![secret.as_bytes().to_vec()];
    if secret.is_ascii() {
        return texts;
    }
    texts.push(secret.bytes().map(char::from).collect::<String>().into_bytes());
    if let Ok(latin) = secret.chars().map(u8::try_from).collect::<Result<Vec<u8>, _>>() {
        // What is read of an answer in Latin-1 has replacement characters.
        texts.push(String::from_utf8_lossy(&latin).into_owned().into_bytes());
        texts.push(latin);
    }
    texts.push(
        secret.chars().map(|letter| if letter.is_ascii() { letter } else { '?' }).collect::<String>().into_bytes(),
    );
    texts
}

/// In hexadecimal, and in base64 by itself or, where that cannot be mistaken, as a part of more.
fn encoded(text: &[u8], alone: bool) -> Vec<Vec<u8>> {
    let mut forms = vec![hex::encode(text), hex::encode_upper(text), STANDARD.encode(text), URL_SAFE.encode(text)];
    forms.extend([STANDARD_NO_PAD.encode(text), URL_SAFE_NO_PAD.encode(text)]);
    if !alone {
        for shift in 0..3 {
            let shifted = [&vec![0; shift], text].concat();
            // Letters that hold bits of what stands before or behind are left out.
            let (skipped, cut) = ((shift * 8).div_ceil(6), usize::from(shifted.len() % 3 != 0));
            for letters in [STANDARD_NO_PAD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)] {
                forms.push(letters[skipped..letters.len() - cut].to_owned());
            }
        }
    }
    forms.into_iter().map(String::into_bytes).collect()
}

/// All secrets of a client: those it was given, and the tokens it was issued since.
#[derive(Debug)]
pub(super) struct Secrets {
    given: Vec<SecretString>,
    issued: Mutex<Issued>,
}

#[derive(Debug)]
struct Issued {
    tokens: Vec<SecretString>,
    redactor: Arc<Redactor>,
}

impl Secrets {
    pub(super) fn new(given: Vec<SecretString>) -> Self {
        let redactor = Arc::new(Redactor::new(&given));
        Self { given, issued: Mutex::new(Issued { tokens: Vec::new(), redactor }) }
    }

    /// Notes a token; those before it stay secret.
    pub(super) fn learn(&self, token: &SecretString) {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        issued.tokens.push(token.clone());
        let surplus = issued.tokens.len().saturating_sub(MOST_TOKENS);
        issued.tokens.drain(..surplus);
        issued.redactor = Arc::new(Redactor::new(self.given.iter().chain(&issued.tokens)));
    }

    /// Covers all secrets known by now.
    pub(super) fn redactor(&self) -> Arc<Redactor> {
        Arc::clone(&self.issued.lock().unwrap_or_else(PoisonError::into_inner).redactor)
    }

    /// Covers one secret more, which is not kept.
    pub(super) fn redactor_with(&self, other: &SecretString) -> Arc<Redactor> {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::new(Redactor::new(self.given.iter().chain(&issued.tokens).chain([other])))
    }
}

#[cfg(test)]
mod tests;
