//! The forms of an answer as values of an option.

use crate::render::Format;
use clap::ValueEnum;
use clap::builder::PossibleValue;

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Table => "Columns for people",
            Self::Json => "One array of objects",
            Self::Ndjson => "One object a line",
            Self::Csv => "Comma-separated values with a header (RFC 4180)",
            Self::Markdown => "A table for a document or an issue",
        };
        Some(PossibleValue::new(self.as_str()).help(help))
    }
}
