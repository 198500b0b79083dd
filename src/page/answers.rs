//! Everything that the page asks, asked of one moment of the archive.

use super::answer::Answer;
use super::ask::Ask;
use super::buckets::Bucket;
use super::ledger::Ledger;
use super::subject::Subject;
use crate::domain::{Cell, Interval, Timestamp};
use crate::store::file::{Reader, StoreError};
use crate::store::read::ArchiveStatus;
use crate::store::reports::Report;
use std::collections::HashSet;
use std::time::Duration;

/// So many functions are shown one by one; the others are counted.
pub(super) const MOST_FUNCTIONS: usize = 50;

/// What the reports answered.
#[derive(Debug)]
pub(crate) struct Answers {
    pub(super) totals: Answer,
    pub(super) totals_before: Answer,
    pub(super) coverage_before: Answer,
    pub(super) incidents: Answer,
    pub(super) compare: Answer,
    pub(super) calendar: Answer,
    pub(super) throughput: Answer,
    pub(super) trend: Answer,
    pub(super) latency: Answer,
    pub(super) errors: Answer,
    pub(super) error_trend: Answer,
    pub(super) discards: Answer,
    pub(super) histogram: Answer,
    pub(super) slowest: Answer,
    pub(super) records_by_hour: Answer,
    pub(super) failed_by_hour: Answer,
    pub(super) open: Answer,
    pub(super) coverage: Answer,
    pub(super) lateness: Answer,
    pub(super) runs: Answer,
    pub(super) status: ArchiveStatus,
    /// What charts count by.
    pub(super) bucket: Bucket,
    /// What the small charts of the functions count by.
    pub(super) rough_bucket: Bucket,
    /// The part of the period that charts are about: from when on anything is known.
    pub(super) charted: Interval,
}

impl Answers {
    /// Asks everything; each report may work for `limit`.
    pub(crate) fn load(
        reader: &mut Reader,
        subject: &Subject,
        limit: Duration,
    ) -> Result<Self, StoreError> {
        reader.hold_still()?;
        let mut asking = Asking { reader, subject, limit };
        let before = subject.before();
        let of_period = |id, report| Ask::new(id, report, subject);
        let calendar = asking.ask(of_period("calendar", "calendar"))?;
        let coverage = asking.ask(of_period("coverage", "coverage"))?;
        let charted = charted(&calendar, &coverage, subject);
        let (bucket, rough_bucket) = (Bucket::of(charted), Bucket::rough(charted));
        let compare = asking.ask(of_period("compare", "compare"))?;
        let shown: HashSet<String> = compare
            .rows()
            .take(MOST_FUNCTIONS)
            .map(|row| row.text("function").to_owned())
            .collect();
        let trend = of_period("trend", "trend").with("bucket", rough_bucket.name());
        Ok(Self {
            totals: asking.ask(of_period("totals", "totals"))?,
            totals_before: asking.ask(of_period("totals-before", "totals").during(before))?,
            coverage_before: asking.ask(of_period("coverage-before", "coverage").during(before))?,
            incidents: asking.ask(of_period("incidents", "incidents"))?,
            throughput: asking
                .ask(of_period("throughput", "throughput").with("bucket", bucket.name()))?,
            trend: asking.ask_for(trend, |cells| is_text_among(cells.first(), &shown))?,
            latency: asking.ask(of_period("latency", "latency"))?,
            errors: asking.ask(of_period("errors", "errors").with("limit", "20"))?,
            error_trend: asking.ask(
                of_period("error-trend", "error-trend")
                    .with("bucket", rough_bucket.name())
                    .with("limit", "20"),
            )?,
            discards: asking.ask(
                of_period("discards", "errors").with("status", "DISCARD").with("limit", "5"),
            )?,
            histogram: asking
                .ask(of_period("histogram", "duration-histogram").with("of", "all"))?,
            slowest: asking.ask(of_period("slowest", "slowest").with("limit", "10"))?,
            records_by_hour: asking.ask(of_period("records-by-hour", "heatmap"))?,
            failed_by_hour: asking
                .ask(of_period("failed-by-hour", "heatmap").with("of", "failed_percent"))?,
            open: asking.ask(of_period("open", "open").with("limit", "20"))?,
            lateness: asking.ask(of_period("lateness", "lateness"))?,
            runs: asking.ask(
                Ask::new("runs", "runs", subject).during(None).of_no_function().with("limit", "10"),
            )?,
            status: asking.reader.status(&subject.arguments(None, &[]))?,
            calendar,
            coverage,
            compare,
            bucket,
            rough_bucket,
            charted,
        })
    }
}

struct Asking<'r> {
    reader: &'r mut Reader,
    subject: &'r Subject,
    limit: Duration,
}

impl Asking<'_> {
    fn ask(&mut self, ask: Ask) -> Result<Answer, StoreError> {
        self.ask_for(ask, |_| true)
    }

    /// The rows that are wanted.
    fn ask_for(
        &mut self,
        ask: Ask,
        is_wanted: impl Fn(&[Cell<'_>]) -> bool,
    ) -> Result<Answer, StoreError> {
        let mut arguments = self.subject.arguments(ask.range, &ask.own);
        if !ask.is_of_functions {
            arguments.functions.clear();
        }
        let Some(report) = Report::find(ask.report) else {
            let message = format!("there is no report `{}`", ask.report);
            return Err(StoreError::BadArgument { message, hint: String::new() });
        };
        let mut question = self.reader.ask(report, &arguments, self.limit)?;
        Answer::read(ask, &mut question, is_wanted)
    }
}

fn is_text_among(cell: Option<&Cell<'_>>, texts: &HashSet<String>) -> bool {
    matches!(cell, Some(Cell::Text(text)) if texts.contains(text.as_ref()))
}

/// The period without what comes before the first day or range of which anything is known: a chart
/// of a month should not be a strip at the end of a year.
fn charted(calendar: &Answer, coverage: &Answer, subject: &Subject) -> Interval {
    let first_day = calendar.rows().next().and_then(|row| subject.zone.read_day(row.text("day")));
    let first_range = Ledger::of(coverage, subject.period).begin();
    let first: Option<Timestamp> = first_day.into_iter().chain(first_range).min();
    let begin = first.map_or(subject.period.begin(), |first| first.max(subject.period.begin()));
    Interval::new(begin, subject.period.end()).unwrap_or(subject.period)
}
