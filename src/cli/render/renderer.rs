//! One answer in one form, row by row.

use super::{csv, json, markdown, table};
use crate::store::reports::Cell;
use clap::ValueEnum;
use std::io::{self, Write};

/// The forms of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
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
pub(in crate::cli) struct Style {
    pub(in crate::cli) format: Format,
    /// Whether CSV is written so that a spreadsheet runs no text of it as a formula.
    pub(in crate::cli) csv_safe: bool,
}

impl From<Format> for Style {
    fn from(format: Format) -> Self {
        Self { format, csv_safe: false }
    }
}

/// Writes one answer.
pub(in crate::cli) struct Renderer<'w>(Form<'w>);

enum Form<'w> {
    Table(table::Table<'w>),
    Json(json::Json<'w>),
    Csv(csv::Csv<'w>),
    Markdown(markdown::Markdown<'w>),
}

impl<'w> Renderer<'w> {
    /// Begins an answer with these columns.
    pub(in crate::cli) fn begin(
        style: impl Into<Style>,
        columns: &[String],
        out: &'w mut dyn Write,
    ) -> io::Result<Self> {
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
    pub(in crate::cli) fn wants_more(&self) -> bool {
        match &self.0 {
            Form::Table(table) => table.wants_more(),
            _ => true,
        }
    }

    /// How many bytes it would hold at once for the rows so far and this one, beside the cells themselves. A table, which grows
    /// with every row, tells it from time to time only.
    pub(in crate::cli) fn held_bytes(&mut self, cells: &[Cell<'_>]) -> u64 {
        match &mut self.0 {
            Form::Table(table) => table.held_bytes(cells),
            Form::Csv(csv) => csv.held_bytes(cells),
            Form::Json(_) | Form::Markdown(_) => 0,
        }
    }

    /// Writes one row.
    pub(in crate::cli) fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
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
    pub(in crate::cli) fn finish(self) -> io::Result<()> {
        match self.0 {
            Form::Table(table) => table.finish(),
            Form::Json(json) => json.finish(),
            Form::Csv(csv) => csv.finish(),
            Form::Markdown(_) => Ok(()),
        }
    }
}
