//! The entities of XML and HTML: `&#116;`, `&#x74;`, `&quot;`, and what browsers take for one.

/// What a reference without its `&` means, by the number of a character, and how many bytes it
/// takes. The `;` may be wanting where browsers do without it.
pub(super) fn reference(text: &[u8]) -> Option<(usize, u32)> {
    match text {
        [b'#', b'x' | b'X', digits @ ..] => {
            numbered(digits, 16).map(|(taken, code)| (taken + 2, code))
        }
        [b'#', digits @ ..] => numbered(digits, 10).map(|(taken, code)| (taken + 1, code)),
        _ => named(text),
    }
}

/// A character by its number, however many zeros stand before it.
fn numbered(text: &[u8], radix: u32) -> Option<(usize, u32)> {
    let digits = text.iter().map_while(|digit| char::from(*digit).to_digit(radix));
    let (length, code) = digits.fold((0, 0_u32), |(length, code), digit| {
        (length + 1, code.saturating_mul(radix).saturating_add(digit))
    });
    (length > 0).then(|| (length + usize::from(text.get(length) == Some(&b';')), code))
}

fn named(text: &[u8]) -> Option<(usize, u32)> {
    let length =
        text.iter().take(LONGEST_NAME).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let name = std::str::from_utf8(&text[..length]).ok()?;
    let whole = if text.get(length) == Some(&b';') { by_name(name) } else { None };
    whole.map(|code| (length + 1, code)).or_else(|| open_name(name))
}

fn by_name(name: &str) -> Option<u32> {
    let mut all = NAMES.iter().copied().chain(latin());
    all.find(|(known, _)| *known == name).map(|(_, code)| code)
}

/// The longest name at the start of a text that needs no `;`.
fn open_name(text: &str) -> Option<(usize, u32)> {
    let all =
        OPEN_NAMES.iter().copied().chain(latin()).filter(|(known, _)| text.starts_with(known));
    all.map(|(known, code)| (known.len(), code)).max()
}

fn latin() -> impl Iterator<Item = (&'static str, u32)> {
    LATIN_NAMES.into_iter().zip(160..)
}

/// The longest name that is looked for.
const LONGEST_NAME: usize = 32;

/// Names that browsers know without `;`, beside those of Latin-1 (the HTML standard, 13.5).
const OPEN_NAMES: [(&str, u32); 8] = [
    ("amp", 38),
    ("AMP", 38),
    ("lt", 60),
    ("LT", 60),
    ("gt", 62),
    ("GT", 62),
    ("quot", 34),
    ("QUOT", 34),
];

/// Names of punctuation, of blanks and of what is not seen (the HTML standard, 13.5).
#[rustfmt::skip]
const NAMES: [(&str, u32); 73] = [
    ("Tab", 9), ("NewLine", 10), ("excl", 33), ("quot", 34), ("QUOT", 34), ("num", 35),
    ("dollar", 36), ("percnt", 37), ("amp", 38), ("AMP", 38), ("apos", 39), ("lpar", 40),
    ("rpar", 41), ("ast", 42), ("midast", 42), ("plus", 43), ("comma", 44), ("period", 46),
    ("sol", 47), ("colon", 58), ("semi", 59), ("lt", 60), ("LT", 60), ("equals", 61), ("gt", 62),
    ("GT", 62), ("quest", 63), ("commat", 64), ("lsqb", 91), ("lbrack", 91), ("bsol", 92),
    ("rsqb", 93), ("rbrack", 93), ("Hat", 94), ("lowbar", 95), ("UnderBar", 95), ("grave", 96),
    ("DiacriticalGrave", 96), ("lcub", 123), ("lbrace", 123), ("verbar", 124), ("vert", 124),
    ("VerticalLine", 124), ("rcub", 125), ("rbrace", 125), ("NonBreakingSpace", 160),
    ("ensp", 0x2002), ("emsp", 0x2003), ("emsp13", 0x2004), ("emsp14", 0x2005), ("numsp", 0x2007),
    ("puncsp", 0x2008), ("thinsp", 0x2009), ("ThinSpace", 0x2009), ("hairsp", 0x200a),
    ("VeryThinSpace", 0x200a), ("ZeroWidthSpace", 0x200b), ("NegativeVeryThinSpace", 0x200b),
    ("NegativeThinSpace", 0x200b), ("NegativeMediumSpace", 0x200b), ("NegativeThickSpace", 0x200b),
    ("zwnj", 0x200c), ("zwj", 0x200d), ("lrm", 0x200e), ("rlm", 0x200f), ("MediumSpace", 0x205f),
    ("NoBreak", 0x2060), ("af", 0x2061), ("ApplyFunction", 0x2061), ("it", 0x2062),
    ("InvisibleTimes", 0x2062), ("ic", 0x2063), ("InvisibleComma", 0x2063),
];

/// Names of the characters from 160 to 255, in order (the HTML 4.01 specification, 24.2.1).
#[rustfmt::skip]
const LATIN_NAMES: [&str; 96] = [
    "nbsp", "iexcl", "cent", "pound", "curren", "yen", "brvbar", "sect", "uml", "copy", "ordf",
    "laquo", "not", "shy", "reg", "macr", "deg", "plusmn", "sup2", "sup3", "acute", "micro",
    "para", "middot", "cedil", "sup1", "ordm", "raquo", "frac14", "frac12", "frac34", "iquest",
    "Agrave", "Aacute", "Acirc", "Atilde", "Auml", "Aring", "AElig", "Ccedil", "Egrave", "Eacute",
    "Ecirc", "Euml", "Igrave", "Iacute", "Icirc", "Iuml", "ETH", "Ntilde", "Ograve", "Oacute",
    "Ocirc", "Otilde", "Ouml", "times", "Oslash", "Ugrave", "Uacute", "Ucirc", "Uuml", "Yacute",
    "THORN", "szlig", "agrave", "aacute", "acirc", "atilde", "auml", "aring", "aelig", "ccedil",
    "egrave", "eacute", "ecirc", "euml", "igrave", "iacute", "icirc", "iuml", "eth", "ntilde",
    "ograve", "oacute", "ocirc", "otilde", "ouml", "divide", "oslash", "ugrave", "uacute", "ucirc",
    "uuml", "yacute", "thorn", "yuml",
];
