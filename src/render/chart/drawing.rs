//! A chart that is being made: rows are collected, and drawn when all are known.

use super::bars::Bars;
use super::calendar::Calendar;
use super::heat::Heat;
use super::ink::Ink;
use crate::domain::{Cell, Chart};
use crate::render::style::Screen;
use std::io::{self, Write};

/// The most rows of a chart, whose scale is known when all rows are: as many as a table has.
const MOST_ROWS: usize = 10_000;

/// A chart and where it is written to.
pub(in crate::render) struct Drawing<'w> {
    form: Form,
    ink: Ink,
    rows: usize,
    out: &'w mut dyn Write,
}

enum Form {
    Bars(Bars),
    Heat(Heat),
    Calendar(Calendar),
}

impl<'w> Drawing<'w> {
    /// Begins a chart of an answer, which has the columns that the chart is made of.
    pub(in crate::render) fn begin(
        chart: &Chart<'_>,
        screen: Screen,
        columns: &[String],
        out: &'w mut dyn Write,
    ) -> Self {
        let ink = Ink::of(screen);
        let form = match chart {
            Chart::Bars(bars) => Form::Bars(Bars::of(bars, columns)),
            Chart::Heat { label } => Form::Heat(Heat::of(label, columns)),
            Chart::Calendar { day, records, failed_percent, state } => {
                Form::Calendar(Calendar::of([day, records, failed_percent, state], columns))
            }
        };
        Self { form, ink, rows: 0, out }
    }

    pub(in crate::render) fn wants_more(&self) -> bool {
        self.rows < MOST_ROWS
    }

    pub(in crate::render) fn row(&mut self, cells: &[Cell<'_>]) {
        self.rows += 1;
        match &mut self.form {
            Form::Bars(bars) => bars.row(cells, self.ink),
            Form::Heat(heat) => heat.row(cells, self.ink),
            Form::Calendar(calendar) => calendar.row(cells),
        }
    }

    pub(in crate::render) fn finish(self) -> io::Result<()> {
        if self.rows == 0 {
            return self.out.write_all(b"(no rows)\n");
        }
        let lines = match self.form {
            Form::Bars(bars) => bars.lines(self.ink),
            Form::Heat(heat) => heat.lines(self.ink),
            Form::Calendar(calendar) => calendar.lines(self.ink),
        };
        lines.iter().try_for_each(|line| writeln!(self.out, "{}", line.trim_end()))
    }
}
