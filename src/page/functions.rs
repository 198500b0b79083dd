//! The functions, worst first: who is it?

use super::answer::{AnswerRow, shortened};
use super::answers::{Answers, MOST_FUNCTIONS};
use super::bar::BarView;
use super::buckets::BucketSpan;
use super::comparison::Change;
use super::figure::Figure;
use super::ledger::Ledger;
use super::link;
use super::spark::SparkView;
use super::subject::Subject;
use std::collections::HashMap;

/// The functions.
#[derive(Clone, Debug)]
pub(super) struct FunctionsView {
    pub(super) rows: Vec<FunctionView>,
    /// So many functions are not shown.
    pub(super) left_out: usize,
    /// Whether functions of one name were met, of which reports cannot be told apart.
    pub(super) has_doubles: bool,
}

/// One function.
#[derive(Clone, Debug)]
pub(super) struct FunctionView {
    pub(super) name: Figure,
    pub(super) records: Figure,
    pub(super) failed: Figure,
    pub(super) change: Change,
    /// Missing where no successful record has both times.
    pub(super) p50: Option<Figure>,
    pub(super) p99: Option<Figure>,
    pub(super) open: Option<Figure>,
    pub(super) spark: Option<SparkView>,
    pub(super) bar: Option<BarView>,
}

impl FunctionsView {
    pub(super) fn of(answers: &Answers, ledger: &Ledger, subject: &Subject) -> Self {
        let mut met: HashMap<&str, usize> = HashMap::new();
        for row in answers.compare.rows() {
            *met.entry(row.text("function")).or_default() += 1;
        }
        let buckets = answers.rough_bucket.list(answers.charted, subject.zone);
        let source = Source { answers, ledger, subject, buckets: &buckets };
        let rows = answers.compare.rows().take(MOST_FUNCTIONS);
        let rows = rows.map(|row| source.view(row, met.get(row.text("function")) == Some(&1)));
        Self {
            rows: rows.collect(),
            left_out: answers.compare.len().saturating_sub(MOST_FUNCTIONS),
            has_doubles: met.values().any(|times| *times > 1),
        }
    }
}

/// What a line of the table is made from.
struct Source<'a> {
    answers: &'a Answers,
    ledger: &'a Ledger,
    subject: &'a Subject,
    buckets: &'a [BucketSpan],
}

impl Source<'_> {
    /// A line; of a name that several functions have, only what its own row tells.
    fn view(&self, row: AnswerRow<'_>, is_only: bool) -> FunctionView {
        let (zone, name) = (self.subject.zone, row.text("function"));
        let figure = |column| Figure::of(row, column, zone);
        let latency =
            is_only.then(|| self.answers.latency.only_row_with("function", name)).flatten();
        let latency_figure = |column| latency.map(|row| Figure::of(row, column, zone));
        let charted = self.answers.charted;
        let ledger = is_only.then(|| self.ledger.of_function(name));
        FunctionView {
            name: figure("function"),
            records: figure("records"),
            failed: figure("failed_pct"),
            change: Change::of_share(row.number("was_failed_pct"), row.number("failed_pct")),
            p50: latency_figure("p50_s"),
            p99: latency_figure("p99_s"),
            open: is_only.then(|| self.open(name)).flatten(),
            spark: ledger.as_ref().map(|ledger| {
                let own = self.answers.trend.rows().filter(|row| row.text("function") == name);
                SparkView::of(own, ledger, self.buckets, charted)
            }),
            bar: ledger
                .filter(|ledger| !ledger.ranges.is_empty())
                .map(|ledger| BarView::of(&ledger, charted)),
        }
    }

    /// How many records are open now, as `status` tells it.
    fn open(&self, name: &str) -> Option<Figure> {
        let functions = self.answers.status.functions.iter().enumerate();
        let (row, function) =
            functions.into_iter().find(|(_, function)| shortened(&function.name) == name)?;
        Some(Figure {
            ask: super::archive::STATUS,
            row,
            column: "open".to_owned(),
            raw: function.open.to_string(),
            shown: super::text::count(function.open),
            href: self.subject.kept().map(|kept| link::to_open(&kept, &function.name)),
        })
    }
}
