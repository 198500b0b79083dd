//! `fgarchive sync`: one run.

use super::aftermath::{AftermathArgs, Tried};
use super::globals::Globals;
use super::progress::Progress;
use super::service::{self, ServiceArgs};
use super::stage::{Stage, open};
use super::systemd::with_signs_of_life;
use super::telling::Telling;
use super::{failure, runtime};
use crate::api::CallFailure;
use crate::config::{self, Config, ConfigFile, Flags, SourceConfig, parse_duration};
use crate::domain::{Counts, FunctionUrn, Reject, counted};
use crate::error::{Failure, FailureKind};
use crate::plan::rhythm;
use crate::render::views::{PreviewsView, RunView, write_previews};
use crate::render::{on_one_line, write_json_line};
use crate::store::file::{Found, Reader, StoreError, inspect};
use crate::store::write::Comparison;
use crate::sync::{
    self, FunctionReport, ListReport, Preview, RunPlan, RunReport, RunSource, SourceReport, Task,
};
use std::collections::HashMap;
use std::io::Write;
use std::time::Duration;

/// The arguments of `sync`.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = service::VARIABLES, mut_args = service::tell_default)]
pub(super) struct Args {
    #[command(flatten)]
    service: ServiceArgs,
    /// From when on to archive: a time, an age such as 90m, 36h, 7d, or the begin of a period
    /// (`2026-03-01`, `2026-03`, yesterday, last-week, this-month), in UTC. Later runs go on
    /// from what is archived; an earlier time than before extends it backwards [default: 30d for
    /// the first run of a function]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// Until when to archive, in the same forms; of a period its end [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
    /// How long the service may take to show a record: ranges younger than this are walked again by
    /// every run
    ///
    /// `query lateness` shows how late records were, and so which delay would be safe.
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = parse_duration,
        allow_hyphen_values = true
    )]
    settle_delay: Option<Duration>,
    /// The longest wait before a record that has not ended is asked for again; 0s asks every run
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = parse_duration,
        allow_hyphen_values = true
    )]
    open_recheck: Option<Duration>,
    /// Which part of the requests, in percent, may walk settled windows again, those looked at
    /// longest ago; 0 none
    #[arg(
        long,
        value_name = "PERCENT",
        value_parser = config::parse_percent,
        allow_negative_numbers = true
    )]
    verify_budget: Option<f64>,
    /// Show what would be asked, and ask nothing but the list of functions and their totals
    ///
    /// It prints the windows and about how many requests they take, and writes nothing.
    #[arg(long)]
    dry_run: bool,
    /// Wait so long for another run that holds the archive, instead of failing at once (exit 5)
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = parse_duration,
        allow_hyphen_values = true,
        conflicts_with = "dry_run"
    )]
    lock_wait: Option<Duration>,
    /// End in good order after so long (exit 3 where something is left); the next run begins with
    /// the functions that have waited longest
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = parse_duration,
        allow_hyphen_values = true,
        conflicts_with = "dry_run"
    )]
    max_duration: Option<Duration>,
    /// Stay, and begin a run each time so much has passed, such as 5m, until SIGTERM or SIGINT
    ///
    /// Settings, credentials among them, are read anew for each run; SIGHUP begins one at once.
    /// While no service answers, runs are up to an hour apart. Under systemd it tells when it is
    /// ready, what it does, and that it is alive (`Type=notify`, `WatchdogSec`).
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = parse_every,
        allow_hyphen_values = true,
        conflicts_with_all = ["dry_run", "until"]
    )]
    every: Option<Duration>,
    /// Print one JSON object about each run
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    aftermath: AftermathArgs,
    /// Tell whom the configuration names in the table `[notify]`: `ping` that a run begins and how
    /// it ended, `command` and `webhook` of alerts
    ///
    /// Without this nobody is told, so that a run by hand alarms nobody. That somebody cannot be
    /// told is said, and changes no exit code.
    #[arg(long, conflicts_with = "dry_run")]
    notify: bool,
}

/// The most ranges of a function that are named one by one.
const MOST_RANGES: usize = 10;

fn parse_every(text: &str) -> Result<Duration, String> {
    let every = parse_duration(text)?;
    if every < rhythm::SHORTEST {
        return Err(format!("it is shorter than {}", humantime::format_duration(rhythm::SHORTEST)));
    }
    Ok(every)
}

/// Archives what is pending once, and reports how that went.
pub(super) fn run(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    if args.dry_run {
        let Config { sources, .. } = args.load(globals)?;
        return preview(args, sources, globals, out);
    }
    let telling = args.telling(globals)?;
    let stage = Stage::set()?;
    let started_at = globals.clock().now();
    telling.begin(&stage);
    let report = args.load(globals).and_then(|config| archive(args, config, &stage, globals));
    let tried = Tried { started_at, report: report.as_ref() };
    args.leave(&tried, &telling, &stage, globals);
    let report = report?;
    args.print(&report, out)?;
    conclude(&report)
}

/// Archives what is pending.
pub(super) fn archive(
    args: &Args,
    config: Config,
    stage: &Stage,
    globals: &Globals,
) -> Result<RunReport, Failure> {
    let Config { sources, run, .. } = config;
    let plan = RunPlan {
        task: Task::Sync { verify_share: run.verify_share },
        sources: service::to_sources(sources)?,
        max_duration: args.max_duration,
    };
    let Stage { runtime, cancel } = stage;
    let patience = args.lock_wait.unwrap_or_default();
    let clock = globals.clock();
    runtime.block_on(with_signs_of_life(async {
        let mut archive = open(&globals.db, patience, cancel).await?;
        let mut progress = Progress::start(globals);
        sync::run(&mut archive, plan, &clock, cancel, &mut progress).await
    }))
}

impl Args {
    /// How far apart runs begin, where it stays.
    pub(super) fn every(&self) -> Option<Duration> {
        self.every
    }

    /// Reads the settings.
    pub(super) fn load(&self, globals: &Globals) -> Result<Config, Failure> {
        self.service.check_functions(globals)?;
        service::load(&self.flags(), globals)
    }

    /// Who is told of each run.
    pub(super) fn telling(&self, globals: &Globals) -> Result<Telling, Failure> {
        if self.notify { Telling::of(globals) } else { Ok(Telling::NOBODY) }
    }

    /// Leaves the files that are asked for about a run, and tells how it ended.
    pub(super) fn leave(
        &self,
        tried: &Tried<'_>,
        telling: &Telling,
        stage: &Stage,
        globals: &Globals,
    ) {
        self.aftermath.leave(tried, globals);
        let of_file = globals.file.as_ref().and_then(ConfigFile::longest_settle_delay);
        let by_default = || sync::Settings::default().settle_delay;
        let settle_delay = self.settle_delay.or(of_file).unwrap_or_else(by_default);
        telling.end(tried, settle_delay, stage, globals);
    }

    /// Prints what is asked for about a run.
    pub(super) fn print(&self, report: &RunReport, out: &mut dyn Write) -> Result<(), Failure> {
        if self.json {
            write_json_line(&RunView::of(report), out).map_err(failure::output)?;
        }
        Ok(())
    }

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

/// Says what is wrong with the list of functions, in a line each however much it is.
fn warn_of_list(list: &ListReport) {
    if let Some(problem) = &list.problem {
        tracing::warn!(
            known = list.functions.len(),
            "the list of functions could not be proven complete: {problem}"
        );
    }
    if list.unreadable > 0 {
        let shown = |reject: &Reject| {
            on_one_line(&reject.raw.chars().take(200).collect::<String>()).into_owned()
        };
        let known: Vec<String> = list.rejects.iter().map(shown).collect();
        tracing::warn!(
            entries = list.unreadable,
            "the list of functions holds entries that name no function, kept aside and not \
             archived: {}",
            sync::first_named_of(&known, list.unreadable),
        );
    }
}

/// Says how the run ended: one line for cron's reader, and each function that was left incomplete.
pub(super) fn conclude(report: &RunReport) -> Result<(), Failure> {
    for source in &report.sources {
        service::span(report, source).in_scope(|| conclude_source(source));
    }
    let Counts { requests, records, .. } = report.counts();
    if records.rejected > 0 {
        tracing::warn!(
            "kept aside: {}; `fgarchive query rejects` shows what came",
            counted(records.rejected, "unreadable entry")
        );
    }
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
            tracing::warn!(
                function = urn.full_name(),
                %range,
                "a range could not be proven complete: {reason}"
            );
        }
        if let Some(more) = unproven.len().checked_sub(MOST_RANGES).filter(|&more| more > 0) {
            tracing::warn!(
                function = urn.full_name(),
                "{} could not be proven complete",
                counted(more, "more range")
            );
        }
        for range in lost {
            tracing::warn!(
                function = urn.full_name(),
                %range,
                "lost: the service had forgotten it before it was archived"
            );
        }
        for range in unclaimed {
            tracing::warn!(
                function = urn.full_name(),
                %range,
                "neither complete nor lost: the clocks disagree on its time"
            );
        }
        if let Some(end) = ledger_ahead {
            tracing::warn!(
                function = urn.full_name(),
                "its ledger claims what had not come yet, until {end}; it is walked again"
            );
        }
        // What ended the run as a whole is said once, at its end.
        if let Some(failure) =
            failure.as_ref().filter(|failure| report.refusal.as_ref() != Some(*failure))
        {
            tracing::warn!(function = urn.full_name(), "left incomplete: {failure}");
        }
    }
    for window in report.verified.iter().filter(|window| window.differs()) {
        let Comparison { window, late, changed, gone, .. } = window;
        tracing::warn!(
            %window,
            late,
            changed,
            gone,
            "a settled window was not as it was archived; what came is archived now"
        );
    }
}

fn preview(
    args: &Args,
    sources: Vec<SourceConfig>,
    globals: &Globals,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let refused = |error: StoreError| error.into_failure(&globals.db);
    let reader = match inspect(&globals.db).map_err(refused)? {
        Found::Missing | Found::Empty => None,
        Found::Ours { .. } => Some(Reader::open(&globals.db).map_err(refused)?),
    };
    let count = sources.len();
    let (mut previews, mut failed) = (Vec::new(), Vec::new());
    let mut owners: HashMap<FunctionUrn, Box<str>> = HashMap::new();
    runtime::start()?.block_on(async {
        for RunSource { name, source, settings } in service::to_sources(sources)? {
            match sync::preview(reader.as_ref(), source, &settings, &globals.clock()).await {
                Ok((of_source, list)) => {
                    list.iter().for_each(warn_of_list);
                    for Preview { urn, .. } in &of_source {
                        if let Some(other) = owners.insert(urn.clone(), name.clone()) {
                            return Err(sync::held_twice(urn, &other, &name));
                        }
                    }
                    previews.extend(of_source);
                }
                Err(failure) if count > 1 => failed.push((Some(name), failure)),
                Err(failure) => return Err(failure),
            }
        }
        Ok::<_, Failure>(())
    })?;
    let written = if args.json {
        write_json_line(&PreviewsView::of(&previews), out)
    } else {
        write_previews(&previews, count, out)
    };
    written.map_err(failure::output)?;
    if failed.is_empty() { conclude_previews(previews) } else { service::worst_of(failed) }
}

/// Fails where functions could not be asked; what is known of the others was shown.
fn conclude_previews(previews: Vec<Preview>) -> Result<(), Failure> {
    let are_all_refused =
        previews.iter().all(|it| it.failure.as_ref().is_some_and(CallFailure::is_denied));
    let mut failures = previews.into_iter().filter_map(|preview| preview.failure);
    let Some(first) = failures.next() else { return Ok(()) };
    let others = failures.count();
    let mut failure = sync::to_failure(first);
    if !are_all_refused {
        failure.kind = FailureKind::Incomplete;
    }
    if others > 0 {
        let more = counted(others, "more function");
        failure.message = format!("{}; {more} could not be asked", failure.message);
    }
    Err(failure)
}
