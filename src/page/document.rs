//! The page as a whole: what its template is given.

use super::answer::{Answer, AnswerRow, shortened};
use super::answers::Answers;
use super::archive::ArchiveView;
use super::buckets::BucketSpan;
use super::calendar::{CalendarView, NAMED_STEPS};
use super::comparison::ComparisonView;
use super::durations::DurationsView;
use super::figure::Figure;
use super::form_value::FormValue;
use super::functions::FunctionsView;
use super::gaps::GapsView;
use super::hours::{HoursView, Told};
use super::incidents::IncidentsView;
use super::kept::Kept;
use super::ledger::{Known, Ledger};
use super::link;
use super::policy::{STYLE, policy};
use super::spark::SparkView;
use super::standing::{Standing, standing};
use super::subject::Subject;
use super::table::TableView;
use super::text;
use super::throughput::ThroughputView;
use super::verdict::Verdict;
use crate::domain::Zone;
use askama::Template;
use std::io::{self, Write};

/// So many rows of an answer stand behind a chart; the command shows all.
const MOST_ROWS: usize = 400;

/// The page.
#[derive(Debug, Template)]
#[template(path = "page.html")]
struct Document {
    policy: String,
    style: &'static str,
    archive_name: String,
    /// What narrows the page, where it is live.
    form: Option<FormView>,
    /// What charts are to a screen reader: one picture, or a group of links, which a picture hides.
    chart_role: &'static str,
    functions_asked: String,
    period: String,
    zone: String,
    made_at: String,
    verdict: Verdict,
    comparison: ComparisonView,
    incidents: IncidentsView,
    standing: Vec<Standing>,
    calendar: Option<CalendarView>,
    steps: [(&'static str, &'static str); 6],
    looks: [(&'static str, &'static str); 6],
    throughput: ThroughputView,
    functions: FunctionsView,
    tables: Tables,
    gaps: GapsView,
    durations: Option<DurationsView>,
    records_by_hour: Option<HoursView>,
    failed_by_hour: Option<HoursView>,
    open_records: Option<Figure>,
    archive: ArchiveView,
    sources: Sources,
}

/// Columns of a report, each with its label.
type Columns<'a> = &'a [(&'a str, &'a str)];

const ERRORS: Columns<'_> = &[
    ("shape", "shape"),
    ("code", "code"),
    ("records", "records"),
    ("functions", "functions"),
    ("first", "first"),
    ("last", "last"),
    ("example", "an example"),
];

/// Small charts stand before the times.
const SPARKS_AT: usize = 4;

const SLOWEST: Columns<'_> = &[
    ("seconds", "took"),
    ("function", "function"),
    ("status", "status"),
    ("start_time", "started"),
    ("request_id", "record"),
];

const OPEN: Columns<'_> = &[
    ("age_s", "for"),
    ("function", "function"),
    ("status", "status"),
    ("start_time", "started"),
    ("checked_at", "last look"),
    ("request_id", "record"),
];

const LATENESS: Columns<'_> = &[
    ("function", "function"),
    ("late_records", "late records"),
    ("missed_max_s", "not shown yet after"),
    ("shown_p50_s", "half shown within"),
    ("shown_p99_s", "99 % within"),
    ("shown_max_s", "all within"),
];

const RUNS: Columns<'_> = &[
    ("id", "run"),
    ("command", "command"),
    ("started_at", "started"),
    ("seconds", "took"),
    ("outcome", "outcome"),
    ("requests", "requests"),
    ("records_new", "new"),
    ("records_changed", "changed"),
    ("records_late", "late"),
];

/// Answers that are shown as they are.
#[derive(Debug)]
struct Tables {
    errors: TableView,
    discards: TableView,
    slowest: TableView,
    open: TableView,
    lateness: TableView,
    runs: TableView,
}

impl Tables {
    fn of(answers: &Answers, ledger: &Ledger, zone: Zone) -> Self {
        let whole = |answer: &Answer, columns| {
            TableView::of(answer, columns, answer.rows(), MOST_ROWS, zone)
        };
        let buckets = answers.rough_bucket.list(answers.charted, zone);
        Self {
            errors: whole(&answers.errors, ERRORS)
                .with_sparks(SPARKS_AT, |row| error_spark(answers, ledger, &buckets, row)),
            discards: whole(&answers.discards, ERRORS),
            slowest: whole(&answers.slowest, SLOWEST),
            open: whole(&answers.open, OPEN),
            lateness: whole(&answers.lateness, LATENESS),
            runs: whole(&answers.runs, RUNS),
        }
    }
}

/// When the records of a shape of errors started.
fn error_spark(
    answers: &Answers,
    ledger: &Ledger,
    buckets: &[BucketSpan],
    row: usize,
) -> Option<SparkView> {
    let shape = answers.errors.row(row)?;
    let is_of_shape = |other: &AnswerRow<'_>| {
        ["code", "shape"].into_iter().all(|column| other.value(column) == shape.value(column))
    };
    let own = answers.error_trend.rows().filter(is_of_shape);
    Some(SparkView::of(own, ledger, buckets, answers.charted))
}

/// How each block can be asked for again.
#[derive(Debug)]
struct Sources {
    comparison: Vec<Source>,
    standing: Vec<Source>,
    calendar: Vec<Source>,
    throughput: Vec<Source>,
    functions: Vec<Source>,
    errors: Vec<Source>,
    durations: Vec<Source>,
    hours: Vec<Source>,
    open: Vec<Source>,
    archive: Vec<Source>,
}

/// A question with the command that asks it, and its answer where the block only draws it.
#[derive(Debug)]
struct Source {
    ask: &'static str,
    report: &'static str,
    command: String,
    table: Option<TableView>,
}

/// What narrows a live page.
#[derive(Debug)]
struct FormView {
    since: String,
    until: String,
    function: FormValue,
    /// What there is no field for.
    functions: Vec<FormValue>,
    /// Where all records of the page are.
    records: String,
}

impl FormView {
    fn of(kept: &Kept, subject: &Subject) -> Self {
        let (function, functions) = match &subject.functions[..] {
            [] => (None, Vec::new()),
            [rest @ .., last] => {
                (FormValue::of(last), rest.iter().filter_map(|name| FormValue::of(name)).collect())
            }
        };
        Self {
            since: subject.period.begin().to_string(),
            until: if subject.period.end() == subject.now {
                String::new()
            } else {
                subject.period.end().to_string()
            },
            function: function.unwrap_or_default(),
            functions,
            records: link::to_records(kept, None, &[], Some(subject.period)),
        }
    }
}

/// Writes the page.
pub(crate) fn write(answers: &Answers, subject: &Subject, out: &mut dyn Write) -> io::Result<()> {
    let document = Document::of(answers, subject);
    let page = document.render().map_err(io::Error::other)?;
    out.write_all(page.as_bytes())
}

impl Document {
    fn of(answers: &Answers, subject: &Subject) -> Self {
        let zone = subject.zone;
        let ledger = Ledger::of(&answers.coverage, subject.period);
        let (begin, end) = (subject.period.begin(), subject.period.end());
        Self {
            policy: policy(if subject.is_live { "'self'" } else { "'none'" }),
            style: STYLE,
            form: subject.kept().map(|kept| FormView::of(&kept, subject)),
            chart_role: if subject.is_live { "group" } else { "img" },
            archive_name: shortened(&subject.archive),
            functions_asked: match &subject.functions[..] {
                [] => "all functions".to_owned(),
                some => shortened(&text::listed(some)),
            },
            period: format!("{} to {}", text::time(begin, zone), text::time(end, zone)),
            zone: zone.to_string(),
            made_at: text::time(subject.now, zone),
            verdict: Verdict::of(&ledger, &answers.status, subject),
            comparison: ComparisonView::of(answers, subject),
            incidents: IncidentsView::of(&answers.incidents, subject),
            standing: standing(&answers.compare, subject),
            calendar: CalendarView::of(&answers.calendar, subject),
            steps: NAMED_STEPS,
            looks: [
                ("empty", "empty: proven that nothing happened"),
                (Known::Unproven.class(), "unproven: there may be more"),
                (Known::NotWalked.class(), "not walked: nobody looked"),
                (Known::Lost.class(), "lost: forgotten before it was settled"),
                (Known::SwitchedOff.class(), "switched off: nothing was recorded"),
                (Known::NotThere.class(), "not there: there was no such function"),
            ],
            throughput: ThroughputView::of(answers, &ledger, subject),
            functions: FunctionsView::of(answers, &ledger, subject),
            tables: Tables::of(answers, &ledger, zone),
            gaps: GapsView::of(&answers.coverage, zone),
            durations: DurationsView::of(answers, subject),
            records_by_hour: HoursView::of(&answers.records_by_hour, Told::Records),
            failed_by_hour: HoursView::of(&answers.failed_by_hour, Told::FailedPercent),
            open_records: answers.totals.row(0).map(|row| Figure::of(row, "open", zone)),
            archive: ArchiveView::of(&answers.status, subject),
            sources: Sources::of(answers, subject),
        }
    }
}

impl Sources {
    fn of(answers: &Answers, subject: &Subject) -> Self {
        let zone = subject.zone;
        let drawn = |answer: &Answer| {
            let table = TableView::whole(answer, MOST_ROWS, zone);
            Source { table: Some(table), ..Source::of(answer, subject) }
        };
        let shown = |answer: &Answer| Source::of(answer, subject);
        Self {
            comparison: vec![
                shown(&answers.totals),
                shown(&answers.totals_before),
                shown(&answers.coverage_before),
            ],
            standing: vec![shown(&answers.incidents), shown(&answers.compare)],
            calendar: vec![drawn(&answers.calendar)],
            throughput: vec![drawn(&answers.throughput)],
            functions: vec![
                drawn(&answers.compare),
                shown(&answers.latency),
                shown(&answers.trend),
            ],
            errors: vec![
                shown(&answers.errors),
                shown(&answers.error_trend),
                shown(&answers.discards),
            ],
            durations: vec![drawn(&answers.histogram), shown(&answers.slowest)],
            hours: vec![drawn(&answers.records_by_hour), drawn(&answers.failed_by_hour)],
            open: vec![shown(&answers.open)],
            archive: vec![shown(&answers.coverage), shown(&answers.lateness), shown(&answers.runs)],
        }
    }
}

impl Source {
    fn of(answer: &Answer, subject: &Subject) -> Self {
        let ask = &answer.ask;
        Self { ask: ask.id, report: ask.report, command: ask.command(subject), table: None }
    }
}
