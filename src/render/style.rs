//! The forms of an answer, and what a form is told of the place it is written to.

/// The forms of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Columns for people.
    Table,
    /// One array of objects.
    Json,
    /// One object a line.
    Ndjson,
    /// Comma-separated values with a header (RFC 4180).
    Csv,
    /// A table for a document or an issue.
    Markdown,
}

impl Format {
    /// All of them, in the order in which they are named to people.
    pub(crate) const ALL: [Self; 5] = [Self::Table, Self::Json, Self::Ndjson, Self::Csv, Self::Markdown];

    /// The word by which a form is chosen.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Markdown => "markdown",
        }
    }
}

/// What an answer is shown on. The default is a file or a pipe.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Screen {
    /// Whether it is a terminal, which obeys what it is sent.
    pub(crate) is_terminal: bool,
    /// How many characters stand side by side on a terminal, where it tells.
    pub(crate) columns: Option<u16>,
    /// Whether a terminal may be sent colours and bold text.
    pub(crate) has_colour: bool,
}

/// A form with its options.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) format: Format,
    /// Whether CSV is written so that a spreadsheet runs no text of it as a formula.
    pub(crate) csv_safe: bool,
    pub(crate) screen: Screen,
}

impl Style {
    /// A table on this screen.
    pub(crate) fn table(screen: Screen) -> Self {
        Self { format: Format::Table, csv_safe: false, screen }
    }
}
