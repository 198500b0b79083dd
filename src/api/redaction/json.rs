//! Covers secrets in the strings of a JSON text, each judged by itself: how deep a secret is
//! spelled in a message has nothing to do with how long the page around it is.

use super::forms::Scope;
use super::layers::Kind;
use super::ordinary::VOCABULARY;
use super::redactor::Redactor;
use super::spelling::{BETWEEN, Step, is_odd, may_be_odd};
use std::borrow::Cow;

/// The fields that are read as something else than words: what identifies a record or a function,
/// what dates it, its state, and what a list says of itself. An ordinary secret is not covered in
/// them.
const VALUES: [&str; 9] = [
    "request_id",
    "status",
    "error_code",
    "start_time",
    "end_time",
    "count",
    "next_marker",
    "func_urn",
    "function_urn",
];

/// So much is read together when a text is searched for secrets: little beside the text, much
/// beside what each search costs at first.
const BATCH: usize = 128 * 1024;

impl Redactor {
    /// A JSON text without secrets, whose structure stays as it is: a string keeps its quotes, and
    /// a number that shows a secret becomes a string.
    pub(crate) fn redact_json<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if !self.is_seen_in(text.as_bytes()) && !self.is_beneath_any_string(text) {
            return Cow::Borrowed(text);
        }
        let mut redacted = String::with_capacity(text.len());
        let mut of_field = Scope::Words;
        for piece in Pieces(Some(text)) {
            // A name is no word either.
            let scope = if piece.name.is_some() { Scope::Values } else { of_field };
            redacted.push_str(&self.redact_bare(piece.bare, of_field));
            redacted.push_str(piece.open);
            redacted.push_str(&self.redact_content(piece.content, scope));
            redacted.push_str(piece.close);
            of_field = piece.name.map_or(of_field, scope_of);
        }
        Cow::Owned(redacted)
    }

    /// Whether any string may show a secret otherwise than as it is written. The odd ones are few
    /// on a usual page, and are read many at a time.
    fn is_beneath_any_string(&self, text: &str) -> bool {
        if !may_be_odd(text.as_bytes()) {
            return false;
        }
        let mut batch: Vec<u8> = Vec::new();
        let mut odd = Pieces(Some(text))
            .map(|piece| piece.content)
            .filter(|content| content.bytes().any(is_odd));
        let is_found = odd.any(|content| {
            let is_full = batch.len() + content.len() > BATCH;
            let before = is_full.then(|| std::mem::take(&mut batch));
            batch.extend_from_slice(content.as_bytes());
            batch.push(BETWEEN);
            before.is_some_and(|before| self.is_in(&before, Kind::Json, Scope::Words))
        });
        is_found || self.is_in(&batch, Kind::Json, Scope::Words)
    }

    /// What stands between the quotes of a string of JSON.
    fn redact_content<'t>(&self, content: &'t str, scope: Scope) -> Cow<'t, str> {
        if VOCABULARY.contains(&content) {
            return Cow::Borrowed(content);
        }
        self.redact_places(content, Kind::Json, scope, |places| {
            match Step::Escapes.undo(content.as_bytes(), true) {
                Some(undone) => places.into_iter().map(|place| undone.whole_units(place)).collect(),
                None => places,
            }
        })
    }

    /// What stands between two strings of JSON: numbers and punctuation.
    fn redact_bare<'t>(&self, text: &'t str, scope: Scope) -> Cow<'t, str> {
        if !self.is_in(text.as_bytes(), Kind::Plain, scope) {
            return Cow::Borrowed(text);
        }
        let is_inside =
            |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.');
        let token = |token: &str| {
            let word = token.trim_end_matches(|letter| !is_inside(letter));
            let is_secret = self.is_in(word.as_bytes(), Kind::Plain, scope);
            if is_secret {
                format!("\"{}\"{}", self.mark(), &token[word.len()..])
            } else {
                token.to_owned()
            }
        };
        Cow::Owned(text.split_inclusive(|letter| !is_inside(letter)).map(token).collect())
    }
}

fn scope_of(name: &str) -> Scope {
    if VALUES.contains(&name) { Scope::Values } else { Scope::Words }
}

/// What stands before a string, and the string: both may be empty at the end of a text.
struct Piece<'t> {
    bare: &'t str,
    open: &'t str,
    content: &'t str,
    close: &'t str,
    /// The content, where it is the name of a field.
    name: Option<&'t str>,
}

/// Takes a JSON text apart; nothing of it is lost.
struct Pieces<'t>(Option<&'t str>);

impl<'t> Iterator for Pieces<'t> {
    type Item = Piece<'t>;

    fn next(&mut self) -> Option<Piece<'t>> {
        let text = self.0.take()?;
        let (bare, rest) = text.split_at(text.find('"').unwrap_or(text.len()));
        let (open, rest) = rest.split_at(usize::from(!rest.is_empty()));
        let (content, rest) = rest.split_at(end_of_string(rest));
        let (close, rest) = rest.split_at(usize::from(!rest.is_empty()));
        let name = rest.trim_start().starts_with(':').then_some(content);
        self.0 = (!rest.is_empty()).then_some(rest);
        Some(Piece { bare, open, content, close, name })
    }
}

/// Where a string of JSON ends that this is the inside of.
fn end_of_string(content: &str) -> usize {
    let bytes = content.as_bytes();
    let stop = |byte: &u8| matches!(byte, b'"' | b'\\');
    let mut at = 0;
    while let Some(next) = bytes.get(at..).and_then(|rest| rest.iter().position(stop)) {
        at += next;
        if bytes[at] == b'"' {
            return at;
        }
        // The letter behind a backslash ends nothing.
        at += 2;
    }
    bytes.len()
}
