//! How an answer is written: a table for people, JSON, CSV and Markdown for their tools.
//!
//! All but the table are written row by row, so that an answer of any length passes through. NULL is `null` in JSON and
//! nothing elsewhere.

mod csv;
mod json;
mod markdown;
mod table;
mod text;

pub(super) use json::write_line as write_json_line;

use crate::store::reports::Cell;
use clap::ValueEnum;
use std::io::{self, Write};

/// The forms of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Columns for people
    Table,
    /// One array of objects
    Json,
    /// One object a line
    Ndjson,
    /// Comma-separated values with a header (RFC 4180)
    Csv,
    /// A table for a document or an issue
    Markdown,
}

/// A form with its options.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) format: Format,
    /// Whether CSV is written so that a spreadsheet runs no text of it as a formula.
    pub(super) csv_safe: bool,
}

impl From<Format> for Style {
    fn from(format: Format) -> Self {
        Self { format, csv_safe: false }
    }
}

/// Writes one answer.
pub(super) struct Renderer<'w>(Form<'w>);

enum Form<'w> {
    Table(table::Table<'w>),
    Json(json::Json<'w>),
    Csv(csv::Csv<'w>),
    Markdown(markdown::Markdown<'w>),
}

impl<'w> Renderer<'w> {
    /// Begins an answer with these columns.
    pub(super) fn begin(style: impl Into<Style>, columns: &[String], out: &'w mut dyn Write) -> io::Result<Self> {
        let Style { format, csv_safe } = style.into();
        Ok(Self(match format {
            Format::Table => Form::Table(table::Table::begin(columns, out)),
            Format::Json => Form::Json(json::Json::begin(columns, json::Layout::Array, out)?),
            Format::Ndjson => Form::Json(json::Json::begin(columns, json::Layout::Lines, out)?),
            Format::Csv => Form::Csv(csv::Csv::begin(columns, csv_safe, out)?),
            Format::Markdown => Form::Markdown(markdown::Markdown::begin(columns, out)?),
        }))
    }

    /// Whether another row would be written: a table ends somewhere.
    pub(super) fn wants_more(&self) -> bool {
        match &self.0 {
            Form::Table(table) => table.wants_more(),
            _ => true,
        }
    }

    /// Writes one row.
    pub(super) fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        match &mut self.0 {
            Form::Table(table) => {
                table.row(cells);
                Ok(())
            }
            Form::Json(json) => json.row(cells),
            Form::Csv(csv) => csv.row(cells),
            Form::Markdown(markdown) => markdown.row(cells),
        }
    }

    /// Ends the answer.
    pub(super) fn finish(self) -> io::Result<()> {
        match self.0 {
            Form::Table(table) => table.finish(),
            Form::Json(json) => json.finish(),
            Form::Csv(csv) => csv.finish(),
            Form::Markdown(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
