//! The forms of an answer, and what a form is told of the place it is written to.

/// The forms of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Columns for people.
    Table,
    /// A value a line, with its name.
    Line,
    /// A drawing, of a report that has one.
    Chart,
    /// One array of objects.
    Json,
    /// One object a line.
    Ndjson,
    /// Comma-separated values with a header (RFC 4180).
    Csv,
    /// Tab-separated values with a header, a row a line.
    Tsv,
    /// A table for a document or an issue.
    Markdown,
    /// A page for a browser.
    Html,
}

impl Format {
    /// All of them, in the order in which they are named to people.
    pub(crate) const ALL: [Self; 9] = [
        Self::Table,
        Self::Line,
        Self::Chart,
        Self::Json,
        Self::Ndjson,
        Self::Csv,
        Self::Tsv,
        Self::Markdown,
        Self::Html,
    ];

    /// The word by which a form is chosen.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Line => "line",
            Self::Chart => "chart",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Markdown => "markdown",
            Self::Html => "html",
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
    /// Which characters of our own may be shown; the texts of an answer are shown as they are.
    pub(crate) charset: Charset,
}

/// The characters that are shown beside the texts of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Charset {
    /// Only those that every terminal and every encoding has.
    Ascii,
    /// Blocks, shades and the ellipsis as well.
    #[default]
    Unicode,
}

impl Charset {
    /// What stands for the rest of a text that is cut.
    pub(super) fn ellipsis(self) -> &'static str {
        match self {
            Self::Ascii => "...",
            Self::Unicode => "…",
        }
    }
}

/// A form with its options.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) format: Format,
    /// Whether CSV and TSV are written so that a spreadsheet runs no text of them as a formula.
    pub(crate) csv_safe: bool,
    /// Whether CSV and TSV begin with the names of their columns.
    pub(crate) has_header: bool,
    pub(crate) screen: Screen,
}

impl Style {
    /// A table on this screen.
    pub(crate) fn table(screen: Screen) -> Self {
        Self { format: Format::Table, csv_safe: false, has_header: true, screen }
    }
}
