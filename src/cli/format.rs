//! The forms of an answer as values of an option.

use crate::render::{Charset, Format};
use clap::ValueEnum;
use clap::builder::PossibleValue;

/// What a reader of tab-separated values must know to undo the escapes.
const TSV: &str = "Tab-separated values with a header, a row a line: a tab, a line feed, \
                   a carriage return and a backslash in a value are written `\\t`, `\\n`, `\\r` \
                   and `\\\\`";

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Table => "Columns for people",
            Self::Line => "A value a line as `name: value`, a blank line between records",
            Self::Chart => "A drawing in characters, for a report that has one",
            Self::Json => "One array of objects",
            Self::Ndjson => "One object a line",
            Self::Csv => "Comma-separated values with a header (RFC 4180)",
            Self::Tsv => TSV,
            Self::Markdown => "A table for a document or an issue",
            Self::Html => "A page of its own with one table, without scripts",
        };
        Some(PossibleValue::new(self.as_str()).help(help))
    }
}

impl ValueEnum for Charset {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Ascii, Self::Unicode]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Ascii => PossibleValue::new("ascii").help("Only ASCII"),
            Self::Unicode => PossibleValue::new("unicode").help("Blocks and shades as well"),
        })
    }
}
