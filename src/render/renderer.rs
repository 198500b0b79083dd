//! One answer in one form, row by row.

use super::style::{Format, Screen, Style};
use super::{chart, csv, html, json, line, markdown, table, tsv};
use crate::domain::{Cell, Chart};
use std::io::{self, Write};

/// Writes one answer.
pub(crate) struct Renderer<'w>(Form<'w>);

enum Form<'w> {
    Table(table::Table<'w>),
    Line(line::Lines<'w>),
    Chart(chart::Drawing<'w>),
    Json(json::Json<'w>),
    Csv(csv::Csv<'w>),
    Tsv(tsv::Tsv<'w>),
    Markdown(markdown::Markdown<'w>),
    Html(html::Html<'w>),
}

impl<'w> Renderer<'w> {
    /// Begins an answer with these columns.
    pub(crate) fn begin(
        style: Style,
        columns: &[String],
        out: &'w mut dyn Write,
    ) -> io::Result<Self> {
        Ok(Self(match style.format {
            // What has no chart is shown as a table.
            Format::Table | Format::Chart => {
                Form::Table(table::Table::begin(columns, style.screen, out))
            }
            Format::Line => Form::Line(line::Lines::begin(columns, style.screen, out)),
            Format::Json => Form::Json(json::Json::begin(columns, json::Layout::Array, out)?),
            Format::Ndjson => Form::Json(json::Json::begin(columns, json::Layout::Lines, out)?),
            Format::Csv => Form::Csv(csv::Csv::begin(columns, style, out)?),
            Format::Tsv => Form::Tsv(tsv::Tsv::begin(columns, style, out)?),
            Format::Markdown => Form::Markdown(markdown::Markdown::begin(columns, out)?),
            Format::Html => Form::Html(html::Html::begin(columns, out)?),
        }))
    }

    /// Begins a chart of an answer, which has the columns that the chart is made of.
    pub(crate) fn draw(
        chart: &Chart<'_>,
        screen: Screen,
        columns: &[String],
        out: &'w mut dyn Write,
    ) -> Self {
        Self(Form::Chart(chart::Drawing::begin(chart, screen, columns, out)))
    }

    /// Whether another row would be written: a table and a chart end somewhere.
    pub(crate) fn wants_more(&self) -> bool {
        match &self.0 {
            Form::Table(table) => table.wants_more(),
            Form::Chart(chart) => chart.wants_more(),
            _ => true,
        }
    }

    /// How many bytes it would hold at once for the rows so far and this one, beside the cells
    /// themselves. A table, which grows with every row, tells it from time to time only.
    pub(crate) fn held_bytes(&mut self, cells: &[Cell<'_>]) -> u64 {
        match &mut self.0 {
            Form::Table(table) => table.held_bytes(cells),
            Form::Csv(csv) => csv.held_bytes(cells),
            // Written piece by piece; of a chart, as many rows as a table has, in short.
            Form::Chart(_)
            | Form::Line(_)
            | Form::Json(_)
            | Form::Tsv(_)
            | Form::Markdown(_)
            | Form::Html(_) => 0,
        }
    }

    /// Writes one row.
    pub(crate) fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        match &mut self.0 {
            Form::Table(table) => {
                table.row(cells);
                Ok(())
            }
            Form::Chart(chart) => {
                chart.row(cells);
                Ok(())
            }
            Form::Line(lines) => lines.row(cells),
            Form::Json(json) => json.row(cells),
            Form::Csv(csv) => csv.row(cells),
            Form::Tsv(tsv) => tsv.row(cells),
            Form::Markdown(markdown) => markdown.row(cells),
            Form::Html(html) => html.row(cells),
        }
    }

    /// Ends the answer.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self.0 {
            Form::Table(table) => table.finish(),
            Form::Chart(chart) => chart.finish(),
            Form::Line(lines) => lines.finish(),
            Form::Json(json) => json.finish(),
            Form::Csv(csv) => csv.finish(),
            Form::Tsv(_) | Form::Markdown(_) => Ok(()),
            Form::Html(html) => html.finish(),
        }
    }
}
