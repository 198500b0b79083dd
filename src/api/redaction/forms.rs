//! The forms in which a secret is looked for: as it is, in other character sets, in hexadecimal, in
//! base64.

use super::layers::{self, Kind};
use super::ordinary::{SHORTEST_UNLIKE_TEXT, is_ordinary};
use super::spelling::BETWEEN;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use std::collections::BTreeSet;

/// A shorter secret is not looked for, in characters.
const SHORTEST: usize = 4;

/// How many of its first bytes a secret is looked for by.
const PREFIX: usize = 16;

/// The longest unfinished spelling at the end of a secret, in bytes. A longer one is plain text.
const LONGEST_OPEN: usize = 8;

/// Where a secret is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// In what people read.
    Words,
    /// In ids, times, states and numbers, in which an ordinary secret is no secret.
    Values,
}

/// A secret in one of its forms.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Form {
    bytes: Box<[u8]>,
    /// Whether it must stand as a word of its own.
    alone: bool,
    /// Whether it is looked for in words only.
    only_in_words: bool,
}

impl Form {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn prefix(&self) -> &[u8] {
        &self.bytes[..self.bytes.len().min(PREFIX)]
    }

    pub(super) fn is_of(&self, scope: Scope) -> bool {
        scope == Scope::Words || !self.only_in_words
    }

    /// Whether more of it may stand in a text than what it is found by.
    pub(super) fn is_long(&self) -> bool {
        self.bytes.len() > PREFIX
    }

    /// How much of it stands in a text, where its prefix stands at `start`; none where it counts as
    /// no mention.
    pub(super) fn length_at(&self, text: &[u8], start: usize) -> Option<usize> {
        let both = self.bytes.iter().zip(&text[start..]);
        let length = both.take_while(|(ours, theirs)| ours == theirs).count();
        let before = start.checked_sub(1).and_then(|at| text.get(at));
        let inside_a_word = is_of_a_word(before) || is_of_a_word(text.get(start + length));
        let counts = !self.alone || (length == self.bytes.len() && !inside_a_word);
        counts.then_some(length)
    }
}

fn is_of_a_word(byte: Option<&u8>) -> bool {
    byte.is_some_and(|byte| {
        byte.is_ascii_alphanumeric() || *byte == b'_' || !(byte.is_ascii() || *byte == BETWEEN)
    })
}

/// All forms of a secret.
pub(super) fn forms(secret: &str) -> BTreeSet<Form> {
    if is_too_short(secret.as_bytes()) {
        return BTreeSet::new();
    }
    let (alone, only_in_words) = (is_short(secret.as_bytes()), is_ordinary(secret));
    let texts = in_character_sets(secret);
    let encoded = texts.iter().flat_map(|text| encoded(text, alone));
    // A form of a URL has `+` for a blank.
    let written = texts.iter().cloned().chain([secret.replace(' ', "+").into_bytes()]);
    // Some services tell what they were given in letters of one case.
    let written = written.chain([secret.to_lowercase(), secret.to_uppercase()].map(Into::into));
    let meant = written.flat_map(|text| undone(&text));
    let form = |bytes: Vec<u8>| {
        let alone = alone || is_short(&bytes);
        Form { bytes: bytes.into(), alone, only_in_words }
    };
    encoded.chain(meant).map(form).collect()
}

fn characters(text: &[u8]) -> usize {
    String::from_utf8_lossy(text).chars().count()
}

fn is_too_short(text: &[u8]) -> bool {
    characters(text) < SHORTEST
}

fn is_short(text: &[u8]) -> bool {
    characters(text) < SHORTEST_UNLIKE_TEXT
}

/// A secret, and what it reads like in a text that is undone further than it was spelled: a
/// password may hold blanks, or what would be a spelling elsewhere, and with what stands around it
/// its first letter or its last ones may be a part of one.
fn undone(secret: &[u8]) -> BTreeSet<Vec<u8>> {
    let mut all = readings(secret);
    let contexts: Vec<_> = all.iter().flat_map(|reading| in_context(reading)).collect();
    let holds = |text: &[u8], part: &[u8]| text.windows(part.len()).any(|window| window == part);
    let others: Vec<_> =
        contexts.into_iter().filter(|text| !all.iter().any(|known| holds(text, known))).collect();
    all.extend(others);
    all
}

/// What a text reads like behind the beginning of a spelling, and before the end of one.
fn in_context(text: &[u8]) -> BTreeSet<Vec<u8>> {
    let behind = [b"\\", b"%"].into_iter().flat_map(|before| readings(&[before, text].concat()));
    behind.chain(open_at(text).into_iter().flat_map(|at| readings(&text[..at]))).collect()
}

/// Where a spelling begins that may end behind a text.
fn open_at(text: &[u8]) -> Option<usize> {
    let last = text.iter().rposition(|byte| matches!(byte, b'\\' | b'%' | b'&'))?;
    (text.len() - last < LONGEST_OPEN).then_some(last)
}

fn readings(text: &[u8]) -> BTreeSet<Vec<u8>> {
    let mut readings = BTreeSet::new();
    let _ = layers::read(text, Kind::Plain, false, &mut |layer| {
        readings.extend((!is_too_short(layer.bytes)).then(|| layer.bytes.to_vec()));
        false
    });
    readings
}

/// The bytes of a secret in the character sets that services confuse: UTF-8, Latin-1, and one read
/// as the other.
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
        secret
            .chars()
            .map(|letter| if letter.is_ascii() { letter } else { '?' })
            .collect::<String>()
            .into_bytes(),
    );
    texts
}

/// Two digits at a time, as dumps and fingerprints have it. Blanks between them are folds.
fn separated(digits: &str, separator: char) -> String {
    let mut separated = String::with_capacity(digits.len() / 2 * 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && at % 2 == 0 {
            separated.push(separator);
        }
        separated.push(digit);
    }
    separated
}

/// In hexadecimal, and in base64 by itself or, where that cannot be mistaken, as a part of more.
fn encoded(text: &[u8], alone: bool) -> Vec<Vec<u8>> {
    let mut forms = vec![
        hex::encode(text),
        hex::encode_upper(text),
        separated(&hex::encode(text), ':'),
        separated(&hex::encode_upper(text), ':'),
        separated(&hex::encode(text), '-'),
        separated(&hex::encode_upper(text), '-'),
        STANDARD.encode(text),
        URL_SAFE.encode(text),
    ];
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
