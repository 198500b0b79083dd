//! The ways in which a text may be written so that it reads otherwise than it looks, each undone
//! once.

use super::entities;
use std::ops::{Range, RangeInclusive};

/// What is undone of a text at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// What a backslash does, as JSON and most programming languages have it: `\u0074`, `\/`,
    /// `\x74`.
    Escapes,
    /// The same, what `%74` means in a URL, and the entities of XML and HTML: `&#116;`, `&quot;`.
    Spellings,
    /// What a text is folded with, and what is not seen: blanks, line breaks and other control
    /// characters such as the zero bytes of UTF-16, soft hyphens, joiners.
    Folds,
    /// Tags, such as `<wbr>`.
    Tags,
    /// Letters that are written as others: as mails have them, `=74` with a soft line break `=`,
    /// and in full width, `ｔ`. In honest texts both stand for themselves as often, so that this
    /// is a reading of its own and takes nothing from the others.
    Letters,
}

/// Characters that are not seen, beside blanks and control characters (Unicode's category Cf and
/// what it calls ignorable, without those of single scripts).
const UNSEEN: [RangeInclusive<char>; 14] = [
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{202a}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{fff0}'..='\u{fffb}',
    '\u{e0000}'..='\u{e0fff}',
];

/// The byte between texts that are read together: part of no text, no spelling, no fold and no tag.
pub(super) const BETWEEN: u8 = 0xff;

/// Whether a byte begins a spelling, a fold or a tag, or may do so: a text without any reads as it
/// looks.
pub(super) fn is_odd(byte: u8) -> bool {
    ODD[usize::from(byte)]
}

/// Looked up, since every byte of many pages is asked for.
static ODD: [bool; 256] = odd_bytes();

const fn odd_bytes() -> [bool; 256] {
    let mut odd = [false; 256];
    let mut byte = 0_u8;
    loop {
        odd[byte as usize] = opens_any(byte);
        if byte == u8::MAX {
            return odd;
        }
        byte += 1;
    }
}

const fn opens_any(byte: u8) -> bool {
    opens_spelling(byte) || opens_fold(byte) || opens_letter(byte) || byte == b'<'
}

const fn opens_letter(byte: u8) -> bool {
    matches!(byte, b'=' | 0xef)
}

const fn opens_spelling(byte: u8) -> bool {
    matches!(byte, b'\\' | b'%' | b'&')
}

/// The bytes with which blanks, control and unseen characters begin in UTF-8.
const fn opens_fold(byte: u8) -> bool {
    matches!(byte, 0..=b' ' | 0x7f | 0xc2 | 0xcd | 0xd8 | 0xe1..=0xe3 | 0xef | 0xf3)
}

/// Whether any byte of a text is odd, told at the speed of memory.
pub(super) fn may_be_odd(text: &[u8]) -> bool {
    any_of(text, opens_any)
}

/// Without a branch for each byte, so that many are told at a time.
fn any_of(text: &[u8], is: impl Fn(u8) -> bool) -> bool {
    text.chunks(4096).any(|some| some.iter().fold(false, |found, byte| found | is(*byte)))
}

impl Step {
    fn opens(self, byte: u8) -> bool {
        match self {
            Self::Escapes => byte == b'\\',
            Self::Spellings => opens_spelling(byte),
            Self::Folds => opens_fold(byte),
            Self::Tags => byte == b'<',
            Self::Letters => opens_letter(byte),
        }
    }

    fn may_be_in(self, text: &[u8]) -> bool {
        match self {
            Self::Escapes => text.contains(&b'\\'),
            Self::Spellings => any_of(text, opens_spelling),
            Self::Folds => any_of(text, opens_fold),
            Self::Tags => text.contains(&b'<'),
            Self::Letters => any_of(text, opens_letter),
        }
    }

    /// What stands at the start of `rest`: how many bytes it takes, and what they mean.
    fn unit(self, rest: &[u8]) -> Option<(usize, Meant)> {
        match (self, rest.first()?) {
            (Self::Escapes | Self::Spellings, b'\\') => escape(rest),
            (Self::Spellings, b'%') => percent(rest),
            (Self::Spellings, b'&') => entity(rest),
            (Self::Folds, _) => fold(rest).map(|length| (length, Meant::nothing())),
            (Self::Letters, b'=') => quoted(rest),
            (Self::Letters, _) => wide(rest),
            (Self::Tags, _) => tag(rest).map(|length| (length, Meant::nothing())),
            _ => None,
        }
    }

    /// The text as it is meant; none where nothing of it is such. `mapped` keeps where each piece
    /// came from.
    pub(super) fn undo(self, text: &[u8], mapped: bool) -> Option<Undone> {
        if !self.may_be_in(text) {
            return None;
        }
        let mut undone: Option<Undone> = None;
        let (mut kept, mut at) = (0, 0);
        while let Some(opening) = text[at..].iter().position(|byte| self.opens(*byte)) {
            at += opening;
            let Some((taken, meant)) = self.unit(&text[at..]) else {
                at += 1;
                continue;
            };
            let undone = undone.get_or_insert_with(|| Undone::with_room_for(text.len()));
            undone.bytes.extend_from_slice(&text[kept..at]);
            if mapped {
                let begin = undone.bytes.len();
                undone.units.push(Unit {
                    begin,
                    end: begin + meant.length,
                    source: at..at + taken,
                });
            }
            undone.bytes.extend_from_slice(meant.bytes());
            at += taken;
            kept = at;
        }
        undone.as_mut()?.bytes.extend_from_slice(&text[kept..]);
        undone
    }
}

/// What a unit means: at most one character.
struct Meant {
    bytes: [u8; 4],
    length: usize,
}

impl Meant {
    fn nothing() -> Self {
        Self { bytes: [0; 4], length: 0 }
    }

    fn byte(byte: u8) -> Self {
        Self { bytes: [byte, 0, 0, 0], length: 1 }
    }

    fn code(code: u32) -> Self {
        let mut bytes = [0; 4];
        let letter = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        let length = letter.encode_utf8(&mut bytes).len();
        Self { bytes, length }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// A piece of a text that was written in another way: where it stands now, and where it stood.
struct Unit {
    begin: usize,
    end: usize,
    source: Range<usize>,
}

/// A text with one step undone.
pub(super) struct Undone {
    pub(super) bytes: Vec<u8>,
    units: Vec<Unit>,
}

impl Undone {
    fn with_room_for(length: usize) -> Self {
        Self { bytes: Vec::with_capacity(length), units: Vec::new() }
    }

    /// The part of the text as it was written that a part of it as it is meant comes from.
    pub(super) fn source_of(&self, part: Range<usize>) -> Range<usize> {
        self.source_from(part.start)..self.source_until(part.end)
    }

    fn source_from(&self, at: usize) -> usize {
        let before = self.units.partition_point(|unit| unit.begin <= at);
        match before.checked_sub(1).map(|last| &self.units[last]) {
            None => at,
            Some(unit) if at < unit.end => unit.source.start,
            Some(unit) => unit.source.end + (at - unit.end),
        }
    }

    fn source_until(&self, at: usize) -> usize {
        let before = self.units.partition_point(|unit| unit.begin < at);
        match before.checked_sub(1).map(|last| &self.units[last]) {
            None => at,
            Some(unit) => unit.source.end + at.saturating_sub(unit.end),
        }
    }

    /// A part of the text as it was written, made longer so that it cuts no unit of this step in
    /// two.
    pub(super) fn whole_units(&self, part: Range<usize>) -> Range<usize> {
        let unit_around = |at: usize| {
            let before = self.units.partition_point(|unit| unit.source.start < at);
            let last = before.checked_sub(1).map(|last| &self.units[last].source)?;
            (at < last.end).then(|| last.clone())
        };
        let start = unit_around(part.start).map_or(part.start, |unit| unit.start);
        start..unit_around(part.end).map_or(part.end, |unit| unit.end)
    }
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    u8::try_from(number(digits, 16)?).ok()
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let is_digit = |digit: &u8| char::from(*digit).is_digit(radix);
    let digits = std::str::from_utf8(digits)
        .ok()
        .filter(|digits| digits.bytes().all(|digit| is_digit(&digit)))?;
    u32::from_str_radix(digits, radix).ok()
}

/// What a backslash does. Where the letter behind it is spelled itself, that is undone first.
fn escape(rest: &[u8]) -> Option<(usize, Meant)> {
    let is_spelled = matches!(rest.get(1), Some(b'%' | b'&')) && next(&rest[1..]).is_some();
    if is_spelled { None } else { letter(rest) }
}

/// What a backslash and the letter behind it mean; nothing where that needs digits and lacks them,
/// since they may be spelled themselves.
fn letter(rest: &[u8]) -> Option<(usize, Meant)> {
    let short = |byte| Some((2, Meant::byte(byte)));
    match *rest.get(1)? {
        b'u' => unicode(rest),
        b'U' => Some((10, Meant::code(number(rest.get(2..10)?, 16)?))),
        b'x' => Some((4, Meant::byte(hex_byte(rest.get(2..4)?)?))),
        b'0'..=b'7' => octal(rest),
        b'n' => short(b'\n'),
        b'r' => short(b'\r'),
        b't' => short(b'\t'),
        b'b' => short(8),
        b'f' => short(12),
        other => short(other),
    }
}

/// `\164`; of fewer digits than three only `\0` is a number, and others may still be spelled.
fn octal(rest: &[u8]) -> Option<(usize, Meant)> {
    let length = rest[1..].iter().take(3).take_while(|digit| (b'0'..=b'7').contains(digit)).count();
    let whole = rest.get(1..4).and_then(|digits| u8::try_from(number(digits, 8)?).ok());
    match whole {
        Some(byte) => Some((4, Meant::byte(byte))),
        None if length < 3 && next_is_spelled(&rest[1 + length..]) => None,
        None if rest[1] == b'0' => Some((2, Meant::byte(0))),
        None => Some((2, Meant::byte(rest[1]))),
    }
}

/// Whether what stands at the start of a text is spelled, by a mere look.
fn next_is_spelled(rest: &[u8]) -> bool {
    match rest.first() {
        Some(b'\\') => rest.get(1).is_some_and(u8::is_ascii_alphanumeric),
        Some(b'%') => percent(rest).is_some(),
        Some(b'&') => entities::reference(&rest[1..]).is_some(),
        _ => false,
    }
}

/// `\u0074`, `\ud83d\ude00` or `\u{74}`.
fn unicode(rest: &[u8]) -> Option<(usize, Meant)> {
    if rest.get(2) == Some(&b'{') {
        let length = rest.iter().take(12).position(|byte| *byte == b'}')?;
        return Some((length + 1, Meant::code(number(&rest[3..length], 16)?)));
    }
    let unit = |at: usize| rest.get(at..at + 4).and_then(|digits| number(digits, 16));
    let first = unit(2)?;
    let second = unit(8).filter(|_| rest.get(6..8) == Some(b"\\u"));
    match (first, second) {
        (0xd800..0xdc00, Some(low @ 0xdc00..0xe000)) => {
            Some((12, Meant::code(0x1_0000 + ((first - 0xd800) << 10) + (low - 0xdc00))))
        }
        _ => Some((6, Meant::code(first))),
    }
}

/// `%74`, or `%u0074` as old scripts have it. A `%25` is a `%` that was written once more; however
/// often, it is undone at once, since a loop of redirects writes it dozens of times.
fn percent(rest: &[u8]) -> Option<(usize, Meant)> {
    let again = rest[1..].chunks_exact(2).take_while(|digits| digits == b"25").count();
    let (open, written) = (1 + 2 * again, &rest[1 + 2 * again..]);
    if let Some(byte) = written.get(..2).and_then(hex_byte) {
        return Some((open + 2, Meant::byte(byte)));
    }
    let wide = written.strip_prefix(b"u").and_then(|digits| number(digits.get(..4)?, 16));
    let wide = wide.map(|code| (open + 5, Meant::code(code)));
    wide.or_else(|| (again > 0).then(|| (open, Meant::byte(b'%'))))
}

/// An entity. A `&amp;` that only writes the `&` of another is undone with it, however often.
fn entity(rest: &[u8]) -> Option<(usize, Meant)> {
    let again = rest[1..].chunks_exact(4).take_while(|name| name == b"amp;").count();
    let open = 1 + 4 * again;
    match entities::reference(&rest[open..]) {
        Some((taken, code)) if !goes_on(&rest[open..], taken) => {
            Some((open + taken, Meant::code(code)))
        }
        _ => (again > 0).then(|| (open, Meant::byte(b'&'))),
    }
}

/// Whether a reference without `;` goes on in another spelling, or behind folds that are spelled:
/// that is undone first.
fn goes_on(reference: &[u8], taken: usize) -> bool {
    let is_open = reference[taken - 1] != b';';
    let (folds, rest) = if is_open { behind_folds(&reference[taken..]) } else { (0, &[][..]) };
    let is_more = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b';';
    match rest.first() {
        Some(b'\\' | b'%') => {
            next(rest).is_some_and(|(_, meant)| meant.bytes().iter().any(is_more))
        }
        first => folds > 0 && first.is_some_and(is_more),
    }
}

/// The folds that are spelled at the start of a text, as many as honest writers write, and what
/// follows.
fn behind_folds(text: &[u8]) -> (usize, &[u8]) {
    const MOST: usize = 4;
    (0..MOST).fold((0, text), |(folds, rest), _| match next(rest) {
        Some((taken, meant)) if fold(meant.bytes()).is_some() => (folds + 1, &rest[taken..]),
        _ => (folds, rest),
    })
}

/// `=74`, or a line break that only folds (RFC 2045, 6.7).
fn quoted(rest: &[u8]) -> Option<(usize, Meant)> {
    if let Some(byte) = rest.get(1..3).and_then(hex_byte) {
        return Some((3, Meant::byte(byte)));
    }
    let folds = [&b"=\r\n"[..], b"=\n"].into_iter().find(|fold| rest.starts_with(fold))?;
    Some((folds.len(), Meant::nothing()))
}

/// The ASCII letter, digit or sign that a full-width one stands for.
fn wide(rest: &[u8]) -> Option<(usize, Meant)> {
    const FIRST: u32 = 0xff01;
    let text = rest.get(..3).and_then(|bytes| std::str::from_utf8(bytes).ok())?;
    let code = u32::from(text.chars().next()?);
    (FIRST..=0xff5e).contains(&code).then(|| (3, Meant::code(code - FIRST + u32::from('!'))))
}

/// What stands at the start of a text, told without a look at what follows it.
fn next(rest: &[u8]) -> Option<(usize, Meant)> {
    match rest.first()? {
        b'\\' => letter(rest),
        b'%' => percent(rest),
        b'&' => entities::reference(&rest[1..]).map(|(taken, code)| (1 + taken, Meant::code(code))),
        _ => None,
    }
}

/// How long a run of folds at the start of a text is.
fn fold(rest: &[u8]) -> Option<usize> {
    let mut length = 0;
    while let Some(more) = fold_character(&rest[length..]) {
        length += more;
    }
    (length > 0).then_some(length)
}

fn fold_character(rest: &[u8]) -> Option<usize> {
    let first = *rest.first().filter(|byte| Step::Folds.opens(**byte))?;
    if first.is_ascii() {
        return Some(1);
    }
    let letter = rest[..rest.len().min(4)].utf8_chunks().next()?.valid().chars().next()?;
    let is_fold = letter.is_whitespace()
        || letter.is_control()
        || UNSEEN.iter().any(|unseen| unseen.contains(&letter));
    is_fold.then_some(letter.len_utf8())
}

/// How long a tag at the start of a text is.
fn tag(rest: &[u8]) -> Option<usize> {
    let is_name = rest
        .get(1)
        .is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'/' | b'!' | b'?'));
    let end = rest[1..]
        .iter()
        .position(|byte| matches!(*byte, b'<' | b'>' | BETWEEN))
        .filter(|_| is_name)?;
    (rest[1 + end] == b'>').then_some(end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    fn undone(step: Step, text: &str) -> String {
        let undone = step.undo(text.as_bytes(), false);
        undone.map_or_else(
            || text.to_owned(),
            |undone| String::from_utf8_lossy(&undone.bytes).into_owned(),
        )
    }

    #[test]
    fn each_spelling_is_undone_once() {
        for (step, written, meant) in [
            (Step::Escapes, r"\u0074\/\x74\\n\'\u{e9}", "t/t\\n'é"),
            (Step::Escapes, r"\ud83d\ude00 \ud83d \u00zz \", "😀 \u{fffd} \\u00zz \\"),
            (Step::Escapes, r"\164\0t\U00000074\7", "t\0tt7"),
            (Step::Escapes, r"\7\400 \1\u0036", "\\7400 \\16"),
            (Step::Spellings, "%74%2B+%C3%a9 %7 %", "t++é %7 %"),
            (Step::Spellings, "%2525252f%25%25zz%u0074", "/%%zzt"),
            (
                Step::Spellings,
                "&#116;&#x74;&quot;&eacute;&yuml;&sol; &none; &#;&",
                "tt\"éÿ/ &none; &#;&",
            ),
            (
                Step::Spellings,
                "&#116&#x74&amp;amp;lt;&ltb&copy &#0000000000000116;&lsq;",
                "tt<<b© t&lsq;",
            ),
            (Step::Spellings, r"&#11\u0036; &#116%2F", "&#116; t/"),
            (
                Step::Folds,
                "h\0u\r\n\tn\u{ad}t\u{200b}e\u{3000}r\u{7f}é\u{a0}2、",
                "huntéer2、".replace("éer", "eré").as_str(),
            ),
            (
                Step::Tags,
                "h<br>u<wbr/>n<span class=\"x\">t</span> < b> <!-- -->a<b<i>",
                "hunt < b> a<b",
            ),
            (Step::Letters, "=68=75n=\r\nt=\n=4a = a=b =zz =", "huntJ = a=b =zz ="),
            (Step::Letters, "ｈＵ～！２、\u{feff}é", "hU~!2、\u{feff}é"),
            (Step::Spellings, "nothing of it", "nothing of it"),
        ] {
            assert_eq!(undone(step, written), meant);
        }
    }

    #[test]
    fn a_part_leads_back_to_what_it_was_written_as() {
        let written = r"ab\u0074\u0065cd";
        let undone = Step::Escapes.undo(written.as_bytes(), true).unwrap();
        assert_eq!(undone.bytes, b"abtecd");
        let source = |part| &written[undone.source_of(part)];
        assert_eq!(source(0..2), "ab");
        assert_eq!(source(1..3), r"b\u0074");
        assert_eq!(source(2..4), r"\u0074\u0065");
        assert_eq!(source(3..5), r"\u0065c");
        assert_eq!(source(4..6), "cd");
        assert_eq!(&written[undone.whole_units(3..9)], r"\u0074\u0065");
        assert_eq!(&written[undone.whole_units(1..2)], "b");
    }

    proptest! {
        #[test]
        fn every_part_has_a_source(text in r#"[a-f\\u0-9%&;#x{}<> "\x00é\u{ad}=\nａ]{0,40}"#) {
            for step in
                [Step::Escapes, Step::Spellings, Step::Folds, Step::Tags, Step::Letters]
            {
                let Some(undone) = step.undo(text.as_bytes(), true) else { continue };
                let whole = undone.source_of(0..undone.bytes.len());
                prop_assert!(whole.end <= text.len());
                for at in 0..undone.bytes.len() {
                    let part = undone.source_of(at..at + 1);
                    prop_assert!(part.start < part.end && part.end <= text.len());
                }
            }
        }
    }
}
