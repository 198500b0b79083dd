//! `fgarchive verify`: whether the service still shows what was archived of settled windows.

use super::progress::Progress;
use super::render::{Format, Renderer};
use super::service::{self, ServiceArgs};
use super::signals::interrupt;
use super::{Globals, failure, open_archive, runtime};
use crate::config::{Config, Flags, RunConfig};
use crate::domain::Timestamp;
use crate::error::Failure;
use crate::store::file::{Reader, StoreError};
use crate::store::reports::{Arguments, Cell, Report};
use crate::store::write::{Comparison, Discrepancy};
use crate::sync::{self, FunctionReport, RunPlan, RunReport, Selection, SourceReport, Task};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::time::Duration;

/// The report that says how much a settle delay catches.
const SETTLING: &str = "settling";

/// How long that report may work.
const REPORT_LIMIT: Duration = Duration::from_mins(5);

/// So many findings are named on a screen; `--json` names more.
const MOST_SHOWN: usize = 20;

/// The arguments of `verify`.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = service::VARIABLES, mut_args = service::tell_default)]
pub(super) struct Args {
    #[command(flatten)]
    service: ServiceArgs,
    /// From when on to verify: a time, a date, or an age such as 7d [default: all that is settled]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// Until when to verify, in the same forms
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
    /// Only so many windows of each function, drawn at random, of about a page each
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    sample: Option<usize>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Walks settled windows again, repairs the archive by what they show, and tells what was otherwise; finding something is
/// a failure of its own kind.
pub(super) fn run(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    let now = globals.clock().now();
    let flags = Flags { since: args.since.clone(), until: args.until.clone(), ..args.service.flags() };
    let Config { sources, run: RunConfig { since, until, .. }, .. } = service::load(&flags, globals)?;
    let selection = Selection { since, until, sample: args.sample };
    let plan = RunPlan { task: Task::Verify(selection), sources: service::to_sources(sources)? };
    let runtime = runtime()?;
    let cancel = interrupt(&runtime)?;
    let mut archive = open_archive(globals)?;
    let mut progress = Progress::start(globals);
    let clock = globals.clock();
    let report = runtime.block_on(sync::run(&mut archive, plan, &clock, &cancel, &mut progress))?;
    progress.finish();
    drop(archive);
    let settling = load_settling(globals, &Arguments { since, until, ..Arguments::at(now) })?;
    let written = if args.json { write_json(&report, &settling, out) } else { write_text(&report, &settling, out) };
    written.map_err(failure::output)?;
    conclude(&report)
}

/// How much a settle delay catches.
#[derive(Debug)]
struct Caught {
    delay_s: i64,
    percent: f64,
    missed: i64,
    is_enough: bool,
}

fn load_settling(globals: &Globals, arguments: &Arguments) -> Result<Vec<Caught>, Failure> {
    let refused = |error: StoreError| error.into_failure(&globals.db);
    let Some(report) = Report::find(SETTLING) else { return Ok(Vec::new()) };
    let mut reader = Reader::open(&globals.db).map_err(refused)?;
    let mut question = reader.ask(report, arguments, REPORT_LIMIT).map_err(refused)?;
    let mut rows = question.rows();
    let mut settling = Vec::new();
    while let Some(row) = rows.next_row().map_err(refused)? {
        let cells: Vec<Cell<'_>> = row.cells().collect();
        if let [Cell::Integer(delay_s), _, Cell::Integer(missed), Cell::Real(percent), note] = &cells[..] {
            let is_enough = *note != Cell::Null;
            settling.push(Caught { delay_s: *delay_s, percent: *percent, missed: *missed, is_enough });
        }
    }
    Ok(settling)
}

fn conclude(report: &RunReport) -> Result<(), Failure> {
    for source in &report.sources {
        service::span(report, source).in_scope(|| conclude_source(source));
    }
    if report.verified().next().is_none() && report.failure_kind().is_none() {
        tracing::warn!("no settled window was there to verify");
    }
    report.failure().map_or(Ok(()), Err)
}

fn conclude_source(report: &SourceReport) {
    service::tell_of_gone(&report.functions);
    for FunctionReport { urn, unproven, failure, .. } in &report.functions {
        for (range, doubt) in unproven {
            tracing::warn!(function = urn.full_name(), %range, "a range could not be verified: {doubt}");
        }
        if let Some(failure) = failure {
            tracing::warn!(function = urn.full_name(), "left unverified: {failure}");
        }
    }
}

fn write_text(report: &RunReport, settling: &[Caught], out: &mut dyn Write) -> io::Result<()> {
    write_functions(report, out)?;
    write_findings(report, out)?;
    // Where nothing could be verified, the advice would look like what came of it.
    if report.verified().next().is_none() { Ok(()) } else { write_settling(settling, out) }
}

fn write_functions(report: &RunReport, out: &mut dyn Write) -> io::Result<()> {
    let columns = ["function", "windows", "records", "late", "changed", "gone", "forgotten"];
    let mut renderer = Renderer::begin(Format::Table, &columns.map(str::to_owned), out)?;
    for function in report.functions().filter(|function| function.gone.is_none()) {
        let windows = || report.verified().filter(|window| window.function == function.id);
        let sum = |count: fn(&Comparison) -> u64| integer(windows().map(count).sum());
        renderer.row(&[
            Cell::Text(service::name_among(report.sources.len(), &function.urn).into()),
            integer(windows().count() as u64),
            sum(|window| window.records),
            sum(|window| window.late),
            sum(|window| window.changed),
            sum(|window| window.gone),
            sum(|window| window.forgotten),
        ])?;
    }
    renderer.finish()
}

fn integer(count: u64) -> Cell<'static> {
    Cell::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}

fn write_findings(report: &RunReport, out: &mut dyn Write) -> io::Result<()> {
    let named = || report.verified().flat_map(|window| &window.named);
    for (discrepancy, id) in named().take(MOST_SHOWN) {
        writeln!(out, "{:<8} {}", word(*discrepancy), super::terminal::on_one_line(id.as_str()))?;
    }
    let more = named().count().saturating_sub(MOST_SHOWN);
    if more > 0 { writeln!(out, "… and {more} more (--json names them)") } else { Ok(()) }
}

fn word(discrepancy: Discrepancy) -> &'static str {
    match discrepancy {
        Discrepancy::Late => "late",
        Discrepancy::Changed => "changed",
        Discrepancy::Gone => "gone",
    }
}

fn write_settling(settling: &[Caught], out: &mut dyn Write) -> io::Result<()> {
    let Some(enough) = settling.iter().find(|caught| caught.is_enough) else {
        return writeln!(out, "\nno record was seen young enough to tell how late the service shows them");
    };
    if settling.first().is_some_and(|none| none.missed == 0) {
        return writeln!(out, "\nevery record was shown to the first walk of its time: any settle delay would do");
    }
    let columns = ["settle_delay", "caught_pct", "missed"];
    writeln!(out)?;
    let mut renderer = Renderer::begin(Format::Table, &columns.map(str::to_owned), out)?;
    let all_caught = settling.iter().position(|caught| caught.missed == 0).unwrap_or(settling.len());
    for caught in settling.iter().take(all_caught + 1) {
        let delay = Cell::Text(length(caught.delay_s).into());
        renderer.row(&[delay, Cell::Real(caught.percent), Cell::Integer(caught.missed)])?;
    }
    renderer.finish()?;
    writeln!(out, "\na settle delay of {} would have caught 99.9 % of the records", length(enough.delay_s))
}

fn length(seconds: i64) -> String {
    humantime::format_duration(Duration::from_secs(seconds.unsigned_abs())).to_string()
}

fn write_json(report: &RunReport, settling: &[Caught], out: &mut dyn Write) -> io::Result<()> {
    let windows: Vec<Value> = report.verified().map(|window| window_to_json(report, window)).collect();
    let curve: Vec<Value> = settling
        .iter()
        .map(
            |caught| json!({ "settle_delay_s": caught.delay_s, "caught_pct": caught.percent, "missed": caught.missed }),
        )
        .collect();
    let enough = settling.iter().find(|caught| caught.is_enough).map(|caught| caught.delay_s);
    let object = json!({
        "run": report.run.number(),
        "outcome": report.outcome(),
        "exit_code": report.exit_code(),
        "requests": report.counts().requests.sent,
        "discrepancies": report.discrepancies(),
        "windows": windows,
        "settling": curve,
        "settle_delay_for_99_9_pct_s": enough,
    });
    super::render::write_json_line(&object, out)
}

fn window_to_json(report: &RunReport, window: &Comparison) -> Value {
    let urn = report.functions().find(|function| function.id == window.function).map(|found| found.urn.to_string());
    let time = |moment: Timestamp| moment.to_string();
    let named: Vec<Value> = window
        .named
        .iter()
        .map(|(discrepancy, id)| json!({ "request_id": id.as_str(), "finding": word(*discrepancy) }))
        .collect();
    json!({
        "function": urn,
        "begin_time": time(window.window.begin()),
        "end_time": time(window.window.end()),
        "verified_at": time(window.verified_at),
        "records": window.records,
        "late": window.late,
        "changed": window.changed,
        "gone": window.gone,
        "forgotten": window.forgotten,
        "findings": named,
    })
}
