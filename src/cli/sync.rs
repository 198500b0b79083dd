//! `fgarchive sync`: one run.

use super::progress::Progress;
use super::render::write_json_line;
use super::service::{self, ServiceArgs};
use super::signals::interrupt;
use super::terminal::on_one_line;
use super::{Globals, failure, runtime};
use crate::config::{self, Config, Flags, SourceConfig};
use crate::domain::{Counts, Interval, Reject};
use crate::error::Failure;
use crate::store::file::{Archive, Found, Reader, StoreError, inspect};
use crate::store::write::Comparison;
use crate::sync::{self, FunctionReport, ListReport, Preview, RunPlan, RunReport, RunSource, SourceReport, Task};
use serde_json::{Map, Value, json};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// The arguments of `sync`.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = service::VARIABLES, mut_args = service::tell_default)]
pub(super) struct Args {
    #[command(flatten)]
    service: ServiceArgs,
    /// From when on to archive: a time, a date, or an age such as 90m, 36h, 7d. Later runs go on from what is archived; an
    /// earlier time than before extends it backwards [default: 30d for the first run of a function]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// Until when to archive, in the same forms [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
    /// How long the service may take to show a record: ranges younger than this are walked again by every run
    ///
    /// `query lateness` shows how late records were, and so which delay would be safe.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, allow_hyphen_values = true)]
    settle_delay: Option<Duration>,
    /// The longest wait before a record that has not ended is asked for again; 0s asks every run
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, allow_hyphen_values = true)]
    open_recheck: Option<Duration>,
    /// Which part of the requests, in percent, may walk settled windows again, those looked at longest ago; 0 none
    #[arg(long, value_name = "PERCENT", value_parser = config::parse_percent, allow_negative_numbers = true)]
    verify_budget: Option<f64>,
    /// Show what would be asked, and ask nothing but the list of functions and their totals
    ///
    /// It prints the windows and about how many requests they take, and writes nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object about the run
    #[arg(long)]
    json: bool,
}

/// So many ranges of a function are named one by one.
const MOST_RANGES: usize = 10;

/// Does one run.
pub(super) fn run(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    args.service.check_functions()?;
    let Config { sources, run, .. } = service::load(&args.flags(), globals)?;
    if args.dry_run {
        return preview(args, sources, globals, out);
    }
    let plan = RunPlan { task: Task::Sync { verify_share: run.verify_share }, sources: service::to_sources(sources)? };
    let runtime = runtime()?;
    let cancel = interrupt(&runtime)?;
    let mut archive = open(&globals.db)?;
    let mut progress = Progress::start(globals);
    let clock = globals.clock();
    let report = runtime.block_on(sync::run(&mut archive, plan, &clock, &cancel, &mut progress))?;
    progress.finish();
    if args.json {
        write_json_line(&to_json(&report), out).map_err(failure::output)?;
    }
    conclude(&report)
}

fn open(path: &Path) -> Result<Archive, Failure> {
    Archive::open(path).map_err(|error| error.into_failure(path))
}

impl Args {
    /// What the command line says.
    fn flags(&self) -> Flags {
        Flags {
            since: self.since.clone(),
            until: self.until.clone(),
            settle_delay: self.settle_delay,
            open_recheck: self.open_recheck,
            verify_budget: self.verify_budget,
            ..self.service.flags()
        }
    }
}

/// So many of what cannot be read are named in a line; the others are counted.
const MOST_NAMED: usize = 3;

/// Says what is wrong with the list of functions, in a line each however much it is.
fn warn_of_list(list: &ListReport) {
    if let Some(problem) = &list.problem {
        tracing::warn!(known = list.functions.len(), "the list of functions could not be proven complete: {problem}");
    }
    if list.unreadable > 0 {
        let shown = |reject: &Reject| on_one_line(&reject.raw.chars().take(200).collect::<String>()).into_owned();
        let first: Vec<String> = list.rejects.iter().take(MOST_NAMED).map(shown).collect();
        let more = list.unreadable - list.unreadable.min(first.len() as u64);
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        tracing::warn!(
            entries = list.unreadable,
            "the list of functions holds entries that name no function, kept aside and not archived: {}{rest}",
            first.join(", "),
        );
    }
}

/// Says how the run ended: one line for cron's reader, and each function that was left incomplete.
fn conclude(report: &RunReport) -> Result<(), Failure> {
    for source in &report.sources {
        service::span(report, source).in_scope(|| conclude_source(source));
    }
    let Counts { requests, records, .. } = report.counts();
    tracing::info!(
        functions = report.functions().count(),
        requests = requests.sent,
        seen = records.seen,
        new = records.new,
        changed = records.changed,
        late = records.late,
        rejected = records.rejected,
        "run {} {}",
        report.run,
        report.outcome(),
    );
    report.failure().map_or(Ok(()), Err)
}

/// Says what was left incomplete of a source.
fn conclude_source(report: &SourceReport) {
    if let Some(list) = &report.list {
        warn_of_list(list);
    }
    service::tell_of_gone(&report.functions);
    for function in report.functions.iter().filter(|function| !function.is_complete()) {
        let FunctionReport { urn, unproven, lost, ledger_ahead, unclaimed, failure, .. } = function;
        for (range, reason) in unproven.iter().take(MOST_RANGES) {
            tracing::warn!(function = urn.full_name(), %range, "a range could not be proven complete: {reason}");
        }
        if let Some(more) = unproven.len().checked_sub(MOST_RANGES).filter(|&more| more > 0) {
            tracing::warn!(function = urn.full_name(), "{more} more ranges could not be proven complete");
        }
        for range in lost {
            tracing::warn!(function = urn.full_name(), %range, "lost: the service had forgotten it before it was archived");
        }
        for range in unclaimed {
            tracing::warn!(function = urn.full_name(), %range, "neither complete nor lost: the clocks disagree on its time");
        }
        if let Some(end) = ledger_ahead {
            tracing::warn!(function = urn.full_name(), "its ledger ended at {end}, which is after the present");
        }
        // What ended the run as a whole is said once, at its end.
        if let Some(failure) = failure.as_ref().filter(|failure| report.refusal.as_ref() != Some(*failure)) {
            tracing::warn!(function = urn.full_name(), "left incomplete: {failure}");
        }
    }
    for window in report.verified.iter().filter(|window| window.differs()) {
        let Comparison { window, late, changed, gone, .. } = window;
        tracing::warn!(%window, late, changed, gone, "a settled window was not as it was archived; what came is archived now");
    }
}

fn to_json(report: &RunReport) -> Value {
    let functions: Vec<_> = report.functions().map(function_to_json).collect();
    let sources: Vec<_> = report.sources.iter().map(source_to_json).collect();
    let mut object = counts_to_json(&report.counts());
    object.extend([
        ("run".to_owned(), json!(report.run.number())),
        ("outcome".to_owned(), json!(report.outcome())),
        ("exit_code".to_owned(), json!(report.exit_code())),
        ("windows_verified".to_owned(), json!(report.verified().count())),
        ("discrepancies".to_owned(), json!(report.discrepancies())),
        ("list".to_owned(), json!(report.list().map(list_to_json))),
        ("error".to_owned(), json!(report.failure().map(|failure| failure.to_string()))),
        ("sources".to_owned(), json!(sources)),
        ("functions".to_owned(), json!(functions)),
    ]);
    object.into()
}

/// What came of a project, with its part of the counts.
fn source_to_json(source: &SourceReport) -> Value {
    let mut object = counts_to_json(&source.counts);
    object.extend([
        ("name".to_owned(), json!(source.name)),
        ("outcome".to_owned(), json!(source.outcome())),
        ("exit_code".to_owned(), json!(source.exit_code())),
        ("functions".to_owned(), json!(source.functions.len())),
        ("list".to_owned(), json!(source.list.as_ref().map(list_to_json))),
        ("error".to_owned(), json!(source.failure().map(|failure| failure.to_string()))),
    ]);
    object.into()
}

fn counts_to_json(counts: &Counts) -> Map<String, Value> {
    let Counts { requests, records, functions_unreadable, .. } = counts;
    let counts = [
        ("requests", requests.sent),
        ("retries", requests.retries),
        ("throttled", requests.throttled),
        ("records_seen", records.seen),
        ("records_new", records.new),
        ("records_changed", records.changed),
        ("records_late", records.late),
        ("records_rejected", records.rejected),
        ("functions_unreadable", *functions_unreadable),
    ];
    counts.into_iter().map(|(name, count)| (name.to_owned(), count.into())).collect()
}

/// What came of the list of functions; of what cannot be read the first entries as they came, and how many there are.
fn list_to_json(list: &ListReport) -> Value {
    let unreadable: Vec<&str> = list.rejects.iter().map(|reject| reject.raw.as_str()).collect();
    json!({
        "proven": list.problem.is_none(),
        "reason": list.problem.as_ref().map(ToString::to_string),
        "functions": list.functions.len(),
        "unreadable": list.unreadable,
        "unreadable_entries": unreadable,
    })
}

fn interval_to_json(range: &Interval) -> Value {
    json!({ "begin_time": range.begin().to_string(), "end_time": range.end().to_string() })
}

fn function_to_json(function: &FunctionReport) -> Value {
    let lost: Vec<_> = function.lost.iter().map(interval_to_json).collect();
    let unproven: Vec<_> = function
        .unproven
        .iter()
        .map(|(window, reason)| {
            let (begin, end) = (window.begin().to_string(), window.end().to_string());
            json!({ "begin_time": begin, "end_time": end, "reason": &**reason })
        })
        .collect();
    json!({
        "urn": function.urn.to_string(),
        "begin_time": function.begin.to_string(),
        "end_time": function.end.to_string(),
        "complete": function.is_complete(),
        "gone_at": function.gone.map(|gone| gone.at.to_string()),
        "lost": lost,
        "unproven": unproven,
        "unclaimed": function.unclaimed.iter().map(interval_to_json).collect::<Vec<_>>(),
        "ledger_ahead": function.ledger_ahead.map(|end| end.to_string()),
        "error": function.failure.as_ref().map(ToString::to_string),
    })
}

fn preview(args: &Args, sources: Vec<SourceConfig>, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    let refused = |error: StoreError| error.into_failure(&globals.db);
    let reader = match inspect(&globals.db).map_err(refused)? {
        Found::Missing | Found::Empty => None,
        Found::Ours { .. } => Some(Reader::open(&globals.db).map_err(refused)?),
    };
    let count = sources.len();
    let previews = runtime()?.block_on(async {
        let mut all = Vec::new();
        for RunSource { source, settings, .. } in service::to_sources(sources)? {
            let (previews, list) = sync::preview(reader.as_ref(), source, &settings, &globals.clock()).await?;
            list.iter().for_each(warn_of_list);
            all.extend(previews);
        }
        Ok::<_, Failure>(all)
    })?;
    if args.json {
        let functions: Vec<_> = previews.iter().map(preview_to_json).collect();
        let requests: u64 = previews.iter().map(|preview| preview.requests).sum();
        let object = json!({ "requests": requests, "functions": functions });
        write_json_line(&object, out).map_err(failure::output)?;
    } else {
        let name = |preview: &Preview| service::name_among(count, &preview.urn);
        previews.iter().try_for_each(|preview| show_preview(&name(preview), preview, out)).map_err(failure::output)?;
    }
    let mut failures = previews.into_iter().filter_map(|preview| preview.failure);
    let Some(first) = failures.next() else { return Ok(()) };
    let others = failures.count();
    let mut failure = sync::to_failure(first);
    if others > 0 {
        failure.message = format!("{}; {others} more could not be asked", failure.message);
    }
    Err(failure)
}

fn show_preview(name: &str, preview: &Preview, out: &mut dyn Write) -> std::io::Result<()> {
    let Preview { pending, expected_records, requests, failure, .. } = preview;
    let records =
        expected_records.map_or_else(|| "an unknown number of".to_owned(), |records| format!("about {records}"));
    writeln!(out, "{}: {records} records, about {requests} requests", on_one_line(name))?;
    if let Some(failure) = failure {
        writeln!(out, "  could not be asked: {}", on_one_line(&failure.to_string()))?;
    }
    pending.iter().try_for_each(|window| writeln!(out, "  {window}"))
}

fn preview_to_json(preview: &Preview) -> Value {
    let pending: Vec<_> = preview.pending.iter().map(interval_to_json).collect();
    json!({
        "urn": preview.urn.to_string(),
        "pending": pending,
        "expected_records": preview.expected_records,
        "requests": preview.requests,
        "error": preview.failure.as_ref().map(ToString::to_string),
    })
}
