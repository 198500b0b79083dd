//! `fgarchive demo`: the whole program in one command, offline.
//!
//! The stand-in service and the runs share a clock that is set forward between the runs, so that
//! half an hour passes at once. What the reports print comes from the commands themselves.

use super::globals::{GlobalArgs, Globals};
use super::{backup, emulate, failure, query, runtime, signals};
use crate::api::{
    Client, ClientSettings, Credentials, Endpoint, Introductions, PlainHttp, Proxies, Timeouts,
};
use crate::clock::Clock;
use crate::config;
use crate::domain::{Counts, RecordCounts};
use crate::emulator::{self, Options};
use crate::error::{Failure, FailureKind};
use crate::store::file::{Archive, directory_of, is_absence};
use crate::store::maintain::Replace;
use crate::sync::{self, RunPlan, RunReport, RunSource, Settings, Task, Unwatched};
use clap::Parser;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What passes between the two runs.
const PAUSE: Duration = Duration::from_mins(30);

const SECONDS_A_DAY: u64 = 86_400;

/// The reports shown at the end.
const REPORTS: [&[&str]; 4] = [
    &["query", "summary"],
    &["query", "latency"],
    &["query", "coverage"],
    &[
        "query",
        "sql",
        "SELECT error_code, count(*) AS failed, max(start_time) AS last FROM invocations WHERE \
         status = 'FAIL' GROUP BY error_code ORDER BY failed DESC",
    ],
];

/// The arguments of `demo`.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Args {
    /// Keep the archive at this path, where nothing is yet, instead of deleting it at the end
    #[arg(long, value_name = "PATH")]
    keep: Option<PathBuf>,
    /// Set the demo's clock to this time, so that it shows the same every time it is run [default:
    /// now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<String>,
}

#[derive(Parser)]
struct Defaults {
    #[command(flatten)]
    options: Options,
}

/// A line of `query`, as the command line would have it.
#[derive(Parser)]
struct Question {
    #[command(flatten)]
    globals: GlobalArgs,
    #[command(flatten)]
    args: query::Args,
}

/// Shows the program.
pub(super) fn run(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    check_keep(args.keep.as_deref())?;
    // Listened for before the directory is made: a signal ends the demo in good order, which
    // removes it.
    let runtime = runtime::start()?;
    let interrupted = signals::interrupt(&runtime)?;
    let cannot = |error| {
        Failure::new(FailureKind::Archive, "cannot make a directory for the demo")
            .because(error)
            .hint(
                "TMPDIR names the directory for temporary files, which must be there and be \
                 writable",
            )
    };
    let directory = tempfile::tempdir().map_err(cannot)?;
    let path = directory.path().join("demo.db");
    let now = globals.clock().now();
    let at = args
        .at
        .as_deref()
        .map(|text| config::parse_moment_or_age("--at", text, now))
        .transpose()?;
    let clock = Clock::fixed(at.unwrap_or(now));
    runtime.block_on(archive(&path, &clock, &interrupted, out))?;
    for command in REPORTS {
        if interrupted.is_cancelled() {
            return Err(was_interrupted());
        }
        show(command, &path, out)?;
    }
    match &args.keep {
        Some(kept) => {
            backup::copy(&path, kept, Replace::EarlierCopies, out)?;
            let kept = kept.display();
            say(out, &format!("\nThe archive is kept: fgarchive --db {kept} query list"))
        }
        None => say(
            out,
            "\nThat was a stand-in; README.md shows the first run against the real service.",
        ),
    }
}

/// Refuses a path where something is: the demo's records are made up, and must not get into an
/// archive of real ones or overwrite another file. That nothing can be kept there at all is told
/// before the demo, not after it.
fn check_keep(keep: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = keep else { return Ok(()) };
    let cannot = format!("cannot keep the demo's archive at `{}`", path.display());
    if path.symlink_metadata().is_ok() {
        let message = format!("{cannot}: something is there already");
        return Err(Failure::new(FailureKind::Usage, message)
            .hint("it was left as it was; give a path where nothing is"));
    }
    match tempfile::tempfile_in(directory_of(path)) {
        Ok(_) => Ok(()),
        Err(error) if is_absence(error.kind()) => Err(Failure::new(FailureKind::Usage, cannot)
            .hint("its directory is not there; create it, or give another path")),
        Err(error) => Err(Failure::new(FailureKind::Archive, cannot)
            .because(error)
            .hint("give a path in a directory that can be written to")),
    }
}

/// Two runs against a stand-in, half an hour apart by its clock.
async fn archive(
    path: &Path,
    clock: &Clock,
    interrupted: &CancellationToken,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let options = Options { live: true, ..Defaults::parse_from(["emulate"]).options };
    let shared = clock.clone();
    let service = options
        .build(move || shared.now())
        .map_err(|cause| Failure::new(FailureKind::Unexpected, cause))?;
    let listener = emulate::listen(0).await?;
    let address = listener
        .local_addr()
        .map_err(|error| Failure::new(FailureKind::Unexpected, "cannot serve").because(error))?;
    let stop = CancellationToken::new();
    let server = tokio::spawn(emulator::serve(listener, service, stop.clone().cancelled_owned()));
    say(
        out,
        &format!(
            "A stand-in for FunctionGraph serves {} records of {} functions over {} days.",
            options.records,
            options.functions,
            options.span.as_secs() / SECONDS_A_DAY
        ),
    )?;
    let mut archive = Archive::open(path).map_err(|error| error.into_failure(path))?;
    for title in ["First run", "Second run, half an hour later"] {
        let client = client(&format!("http://{address}"), clock)?;
        let settings = Settings { all_functions: true, max_rps: 1_000.0, ..Settings::default() };
        let source = RunSource { name: emulator::REGION.into(), source: client, settings };
        let plan = RunPlan { task: Task::SYNC, sources: vec![source], max_duration: None };
        let report = sync::run(&mut archive, plan, clock, interrupted, &mut Unwatched).await?;
        say(out, &format!("{title}: {}", summary(&report)))?;
        match report.failure() {
            Some(failure) if failure.kind == FailureKind::Interrupted => {
                return Err(was_interrupted());
            }
            Some(failure) => return Err(failure),
            None => {}
        }
        clock.set(clock.now() + PAUSE);
    }
    stop.cancel();
    // The reports are printed by now, so an error of the server's end changes nothing.
    let _ = server.await;
    Ok(())
}

fn was_interrupted() -> Failure {
    Failure::new(FailureKind::Interrupted, "the demo was interrupted; nothing of it is kept")
}

fn client(base_url: &str, clock: &Clock) -> Result<Client, Failure> {
    let endpoint = Endpoint::parse(base_url, PlainHttp::LoopbackOnly).map_err(|problem| {
        Failure::new(FailureKind::Unexpected, "cannot reach the stand-in").because(problem)
    })?;
    let clock = clock.clone();
    let settings = ClientSettings {
        functions_base: endpoint.clone(),
        iam_base: Some(endpoint),
        region: emulator::REGION.to_owned(),
        project_id: Some(emulator::PROJECT_ID.to_owned()),
        credentials: Credentials::Keys {
            access_key: emulator::ACCESS_KEY.to_owned(),
            secret_key: emulator::SECRET_KEY.into(),
            security_token: None,
        },
        timeouts: Timeouts::default(),
        ca_cert: None,
        authorities: None,
        proxies: Proxies::default(),
        introductions: Introductions::default(),
        user_agent: concat!("fgarchive/", env!("CARGO_PKG_VERSION"), " demo").to_owned(),
        now: Arc::new(move || clock.now()),
    };
    Client::new(settings).map_err(sync::to_failure)
}

fn summary(report: &RunReport) -> String {
    let Counts { requests, records, .. } = report.counts();
    let (requests, RecordCounts { seen, new, changed, .. }) = (requests.sent, records);
    format!(
        "{}, {requests} requests, {seen} records seen, {new} new, {changed} changed.",
        report.outcome()
    )
}

/// Runs one of our own commands and shows it as it would be typed.
fn show(command: &[&str], path: &Path, out: &mut dyn Write) -> Result<(), Failure> {
    let typed = command
        .iter()
        .map(|word| if word.contains(' ') { format!("\"{word}\"") } else { (*word).to_owned() });
    say(out, &format!("\n$ fgarchive {}", typed.collect::<Vec<_>>().join(" ")))?;
    let archive = ["--db".into(), path.as_os_str().to_owned()];
    let Question { globals, args } = Question::try_parse_from(
        command.iter().map(Into::into).chain(archive),
    )
    .map_err(|error| {
        Failure::new(FailureKind::Unexpected, "cannot read a command of the demo").because(error)
    })?;
    query::run(&args, &globals.without_file(), out)
}

fn say(out: &mut dyn Write, line: &str) -> Result<(), Failure> {
    writeln!(out, "{line}").map_err(failure::output)
}
