//! The ways in which a text may be written so that it reads otherwise than it looks, each undone once.

use std::ops::Range;

/// One way to write a text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Spelling {
    /// With a backslash, as JSON and most programming languages have it: `\u0074`, `\/`, `\"`, `\x74`.
    Escapes,
    /// As in a URL: `%74`.
    Percent,
    /// As in XML and HTML: `&#116;`, `&#x74;`, `&quot;`.
    Entities,
    /// With line breaks or other control characters in between, such as the zero bytes of UTF-16.
    Controls,
}

impl Spelling {
    pub(super) const ALL: [Self; 4] = [Self::Escapes, Self::Percent, Self::Entities, Self::Controls];

    fn opens(self, byte: u8) -> bool {
        match self {
            Self::Escapes => byte == b'\\',
            Self::Percent => byte == b'%',
            Self::Entities => byte == b'&',
            Self::Controls => byte.is_ascii_control(),
        }
    }

    /// Whether any of a text can be written this way, told at the speed of memory.
    fn may_be_in(self, text: &[u8]) -> bool {
        match self {
            Self::Escapes => text.contains(&b'\\'),
            Self::Percent => text.contains(&b'%'),
            Self::Entities => text.contains(&b'&'),
            Self::Controls => text.iter().fold(false, |found, byte| found | byte.is_ascii_control()),
        }
    }

    /// What stands at the start of `rest`: how many bytes it takes, and what they mean.
    fn unit(self, rest: &[u8]) -> Option<(usize, Meant)> {
        match self {
            Self::Escapes => escape(rest),
            Self::Percent => Some((3, Meant::byte(hex_byte(rest.get(1..3)?)?))),
            Self::Entities => entity(rest),
            Self::Controls => Some((1, Meant::nothing())),
        }
    }

    /// The text as it is meant; none where nothing of it is written this way. `mapped` keeps where each
    /// piece came from.
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
                undone.units.push(Unit { begin, end: begin + meant.length, source: at..at + taken });
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
        let length = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER).encode_utf8(&mut bytes).len();
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

/// A text with one spelling undone.
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

    /// A part of the text as it was written, made longer so that it cuts no unit of this spelling in two.
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
    let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|digit| is_digit(&digit)))?;
    u32::from_str_radix(digits, radix).ok()
}

fn escape(rest: &[u8]) -> Option<(usize, Meant)> {
    let unit = match *rest.get(1)? {
        b'u' => unicode(rest),
        b'x' => rest.get(2..4).and_then(hex_byte).map(|byte| (4, Meant::byte(byte))),
        b'n' => Some((2, Meant::byte(b'\n'))),
        b'r' => Some((2, Meant::byte(b'\r'))),
        b't' => Some((2, Meant::byte(b'\t'))),
        b'b' => Some((2, Meant::byte(8))),
        b'f' => Some((2, Meant::byte(12))),
        other => Some((2, Meant::byte(other))),
    };
    unit.or_else(|| Some((2, Meant::byte(*rest.get(1)?))))
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

/// The longest entity that is looked for, `&` and `;` included.
const LONGEST_ENTITY: usize = 12;

fn entity(rest: &[u8]) -> Option<(usize, Meant)> {
    let end = rest.iter().take(LONGEST_ENTITY).position(|byte| *byte == b';')?;
    let code = match &rest[1..end] {
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16),
        [b'#', digits @ ..] => number(digits, 10),
        name => named(std::str::from_utf8(name).ok()?),
    };
    Some((end + 1, Meant::code(code?)))
}

/// The character of a named entity, by its number.
fn named(name: &str) -> Option<u32> {
    let of_ascii = ASCII_ENTITIES.iter().find(|(known, _)| *known == name).map(|(_, meant)| u32::from(*meant));
    of_ascii.or_else(|| (160..).zip(LATIN_ENTITIES).find(|(_, known)| *known == name).map(|(code, _)| code))
}

/// Names of punctuation (the HTML standard, "Named character references").
const ASCII_ENTITIES: [(&str, char); 31] = [
    ("quot", '"'),
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("apos", '\''),
    ("sol", '/'),
    ("bsol", '\\'),
    ("colon", ':'),
    ("semi", ';'),
    ("excl", '!'),
    ("num", '#'),
    ("dollar", '$'),
    ("percnt", '%'),
    ("lpar", '('),
    ("rpar", ')'),
    ("ast", '*'),
    ("plus", '+'),
    ("comma", ','),
    ("period", '.'),
    ("equals", '='),
    ("quest", '?'),
    ("commat", '@'),
    ("lsqb", '['),
    ("rsqb", ']'),
    ("Hat", '^'),
    ("lowbar", '_'),
    ("grave", '`'),
    ("lcub", '{'),
    ("lbrace", '{'),
    ("verbar", '|'),
    ("rcub", '}'),
];

/// Names of the characters from 160 to 255, in order (the HTML 4.01 specification, 24.2.1).
#[rustfmt::skip]
const LATIN_ENTITIES: [&str; 96] = [
    "nbsp", "iexcl", "cent", "pound", "curren", "yen", "brvbar", "sect", "uml", "copy", "ordf", "laquo",
    "not", "shy", "reg", "macr", "deg", "plusmn", "sup2", "sup3", "acute", "micro", "para", "middot",
    "cedil", "sup1", "ordm", "raquo", "frac14", "frac12", "frac34", "iquest", "Agrave", "Aacute", "Acirc",
    "Atilde", "Auml", "Aring", "AElig", "Ccedil", "Egrave", "Eacute", "Ecirc", "Euml", "Igrave", "Iacute",
    "Icirc", "Iuml", "ETH", "Ntilde", "Ograve", "Oacute", "Ocirc", "Otilde", "Ouml", "times", "Oslash",
    "Ugrave", "Uacute", "Ucirc", "Uuml", "Yacute", "THORN", "szlig", "agrave", "aacute", "acirc", "atilde",
    "auml", "aring", "aelig", "ccedil", "egrave", "eacute", "ecirc", "euml", "igrave", "iacute", "icirc",
    "iuml", "eth", "ntilde", "ograve", "oacute", "ocirc", "otilde", "ouml", "divide", "oslash", "ugrave",
    "uacute", "ucirc", "uuml", "yacute", "thorn", "yuml",
];

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    fn undone(spelling: Spelling, text: &str) -> String {
        let undone = spelling.undo(text.as_bytes(), false);
        undone.map_or_else(|| text.to_owned(), |undone| String::from_utf8_lossy(&undone.bytes).into_owned())
    }

    #[test]
    fn each_spelling_is_undone_once() {
        for (spelling, written, meant) in [
            (Spelling::Escapes, r"\u0074\/\x74\\n\'\u{e9}", "t/t\\n'é"),
            (Spelling::Escapes, r"\ud83d\ude00 \ud83d \u00zz \", "😀 \u{fffd} u00zz \\"),
            (Spelling::Percent, "%74%2B+%C3%a9 %7 %", "t++é %7 %"),
            (Spelling::Entities, "&#116;&#x74;&quot;&eacute;&yuml;&sol; &none; &#;&", "tt\"éÿ/ &none; &#;&"),
            (Spelling::Controls, "h\0u\r\n", "hu"),
            (Spelling::Percent, "nothing of it", "nothing of it"),
        ] {
            assert_eq!(undone(spelling, written), meant);
        }
    }

    #[test]
    fn a_part_leads_back_to_what_it_was_written_as() {
        let written = r"ab\u0074\u0065cd";
        let undone = Spelling::Escapes.undo(written.as_bytes(), true).unwrap();
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
        fn every_part_has_a_source(text in r#"[a-f\\u0-9%&;#x{}"\x00é]{0,40}"#) {
            for spelling in Spelling::ALL {
                let Some(undone) = spelling.undo(text.as_bytes(), true) else { continue };
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
