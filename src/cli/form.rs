//! How an answer of `query` is shown: the form that was asked for, or the one that suits the place
//! it is shown in.

use super::failure;
use crate::domain::Chart;
use crate::error::{Failure, FailureKind};
use crate::render::{Charset, Format, Renderer, Style};
use crate::store::reports::Report;
use std::io::Write;

/// The options that say how an answer is shown to people.
#[derive(clap::Args, Debug)]
pub(super) struct Shown {
    /// How the answer is written [default: a chart on a terminal, for a report that has one, and
    /// else a table]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(super) format: Option<Format>,
    /// Which characters a chart is drawn with, and a cut is marked with [default: by the locale]
    #[arg(long, value_enum, value_name = "CHARSET")]
    pub(super) charset: Option<Charset>,
    /// Start no pager, which an answer for people that is taller than the terminal is shown in
    ///
    /// The pager is what the variable `PAGER` says, else `less -FRSX`.
    #[arg(long)]
    pub(super) no_pager: bool,
}

/// A form with its options, and what is drawn.
#[derive(Debug)]
pub(super) struct Form<'r> {
    style: Style,
    chart: Option<Chart<'r>>,
}

impl<'r> Form<'r> {
    /// The form of a report's answer: where none is asked for, its chart on a terminal.
    pub(super) fn of_report(
        asked: Option<Format>,
        style: Style,
        report: &'r Report,
    ) -> Result<Self, Failure> {
        let chart = report.chart();
        let format = match asked {
            Some(format) => format,
            None if style.screen.is_terminal && chart.is_some() => Format::Chart,
            None => Format::Table,
        };
        if format != Format::Chart {
            return Ok(Self { style: Style { format, ..style }, chart: None });
        }
        match chart {
            Some(chart) => Ok(Self { style: Style { format, ..style }, chart: Some(chart) }),
            None => Err(no_chart(&format!("the report `{}`", report.name()))),
        }
    }

    /// The form of any other answer, which has no chart.
    pub(super) fn of_other(
        asked: Option<Format>,
        style: Style,
        what: &str,
    ) -> Result<Self, Failure> {
        match asked.unwrap_or(Format::Table) {
            Format::Chart => Err(no_chart(&format!("`{what}`"))),
            format => Ok(Self { style: Style { format, ..style }, chart: None }),
        }
    }

    /// Begins an answer with these columns.
    pub(super) fn begin<'w>(
        &self,
        columns: &[String],
        out: &'w mut dyn Write,
    ) -> Result<Renderer<'w>, Failure> {
        let Some(chart) = &self.chart else {
            return Renderer::begin(self.style, columns, out).map_err(failure::output);
        };
        let is_there = |name: &str| columns.iter().any(|column| column == name);
        if let Some(missing) = chart.columns().into_iter().find(|name| !is_there(name)) {
            let message = format!("the answer has no column `{missing}`, which its chart names");
            let hint = "the line `chart` of the report says what is drawn";
            return Err(Failure::new(FailureKind::Usage, message).hint(hint));
        }
        Ok(Renderer::draw(chart, self.style.screen, columns, out))
    }
}

fn no_chart(what: &str) -> Failure {
    let drawn = Report::all().iter().filter(|report| report.chart().is_some());
    let names: Vec<&str> = drawn.map(Report::name).collect();
    Failure::new(FailureKind::Usage, format!("--format: {what} has no chart"))
        .hint(format!("these reports have one: {}", names.join(", ")))
}
