//! `fgarchive sync`: one run.

use super::progress::Progress;
use super::{Globals, failure, interrupt, runtime};
use crate::api::{Client, ClientSettings, PlainHttp, Timeouts};
use crate::config::{self, LoadedCredentials, ServiceAddress, ServiceOptions};
use crate::domain::{FunctionRef, FunctionUrn, Interval, Timestamp};
use crate::error::{Failure, FailureKind};
use crate::store::{Archive, Found, Reader, StoreError, inspect};
use crate::sync::{self, FunctionReport, Preview, RunReport, Settings};
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// More requests side by side than this gain nothing from a service that is metered by the minute.
const MOST_CONCURRENT: u32 = 64;

/// Where credentials and addresses come from: never from an argument, which every user of the machine can read.
const VARIABLES: &str = "\
Credentials come from the first of these that is complete; an empty variable counts as unset:
  1. FGARCHIVE_AUTH_TOKEN, a ready token
  2. HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK; HUAWEICLOUD_SDK_SECURITY_TOKEN with temporary keys
  3. ak and sk (and security_token, project_id) under [basic] in ~/.huaweicloud/credentials, or in
     the file that HUAWEICLOUD_SDK_CREDENTIALS_FILE names
  4. OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, OS_USER_DOMAIN_NAME, and OS_PROJECT_ID or
     OS_PROJECT_NAME (with OS_PROJECT_DOMAIN_NAME where it is another domain)

Other variables:
  FGARCHIVE_REGION, HUAWEICLOUD_REGION    the region, the first that is set
  HUAWEICLOUD_SDK_PROJECT_ID              the project's id
  HUAWEICLOUD_SDK_IAM_ENDPOINT            the address of IAM, instead of the region's
  HTTPS_PROXY, NO_PROXY                   a proxy for the service, and who is asked without it";

/// The arguments of `sync`.
#[expect(clippy::struct_excessive_bools, reason = "a field a flag")]
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = VARIABLES)]
pub(super) struct Args {
    /// A function to archive: its name, `package:name`, or URN; may be repeated
    #[arg(long = "function", value_name = "FUNCTION", value_parser = read_function)]
    functions: Vec<FunctionRef>,
    /// Archive every function of the project
    #[arg(long)]
    all_functions: bool,
    /// The region, such as cn-north-4 [default: FGARCHIVE_REGION, HUAWEICLOUD_REGION, or the region in
    /// the functions' URNs]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// The project's id [default: HUAWEICLOUD_SDK_PROJECT_ID, or looked up by the region]
    #[arg(long, value_name = "ID")]
    project_id: Option<String>,
    /// The service's address [default: by the region]
    #[arg(long, value_name = "URL", env = "FGARCHIVE_ENDPOINT")]
    endpoint: Option<String>,
    /// From when on to archive: a time, a date, or an age such as 90m, 36h, 7d. Later runs go on from what is archived; an
    /// earlier time than before extends it backwards [default: 30d for the first run of a function]
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Until when to archive, in the same forms [default: now]
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// How long the service may take to show a record: ranges younger than this are walked again by every run
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = humantime::parse_duration)]
    settle_delay: Duration,
    /// The longest wait before a record that has not ended is asked for again; 0s asks every run
    #[arg(long, value_name = "DURATION", default_value = "60m", value_parser = humantime::parse_duration)]
    open_recheck: Duration,
    /// Requests under way at once, 1 to 64
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_CONCURRENT)))]
    concurrency: u32,
    /// The most requests a second, over all functions; throttling lowers it
    #[arg(long, value_name = "N", default_value_t = 5.0, value_parser = read_rate)]
    max_rps: f64,
    /// How long one request may take
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = humantime::parse_duration)]
    request_timeout: Duration,
    /// A certificate authority to trust beside the system's, in PEM
    #[arg(long, value_name = "FILE")]
    ca_cert: Option<PathBuf>,
    /// Accept plain http for other machines than this one: credentials are then sent in the clear
    #[arg(long)]
    allow_plain_http: bool,
    /// Show what would be asked, and ask nothing but the list of functions and their totals
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object about the run
    #[arg(long)]
    json: bool,
}

fn read_function(text: &str) -> Result<FunctionRef, String> {
    text.parse().map_err(|unreadable: crate::domain::UnreadableFunction| unreadable.to_string())
}

fn read_rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "it is no number".to_owned())?;
    if rate.is_finite() && rate > 0.0 { Ok(rate) } else { Err("a run has to ask something".to_owned()) }
}

/// Does one run.
pub(super) fn run(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    let settings = args.settings(globals)?;
    let client = args.client(globals)?;
    if args.dry_run {
        return preview(args, &settings, client, globals, out);
    }
    let mut archive = open(&globals.db)?;
    let mut progress = Progress::start(globals);
    let report = runtime()?.block_on(async {
        let settings = args.resolve(settings, &client).await?;
        sync::run(&mut archive, client, &settings, &globals.clock(), &interrupt()?, &mut progress).await
    })?;
    progress.finish();
    if args.json {
        writeln!(out, "{}", to_json(&report)).map_err(failure::output)?;
    }
    conclude(&report)
}

fn open(path: &Path) -> Result<Archive, Failure> {
    Archive::open(path).map_err(|error| error.into_failure(path))
}

impl Args {
    /// The settings of the run, but for the functions that are named by half.
    fn settings(&self, globals: &Globals) -> Result<Settings, Failure> {
        if self.functions.is_empty() && !self.all_functions {
            return Err(Failure::new(FailureKind::Usage, "no function was named")
                .hint("name functions with --function, or archive every one with --all-functions"));
        }
        let now = globals.clock().now();
        let moment =
            |text: &Option<String>| text.as_deref().map(|text| config::parse_moment_or_age(text, now)).transpose();
        let (since, until) = (moment(&self.since)?, moment(&self.until)?);
        check_range(since, until, now)?;
        Ok(Settings {
            all_functions: self.all_functions,
            since,
            until,
            settle_delay: self.settle_delay,
            open_recheck: self.open_recheck,
            concurrency: self.concurrency as usize,
            max_rps: self.max_rps,
            seed: now.unix().unsigned_abs(),
            ..Settings::default()
        })
    }

    fn client(&self, globals: &Globals) -> Result<Client, Failure> {
        let env = |name: &str| std::env::var(name).ok();
        let plain_http = if self.allow_plain_http { PlainHttp::Anywhere } else { PlainHttp::LoopbackOnly };
        let options = ServiceOptions {
            endpoint: self.endpoint.as_deref(),
            region: self.region.as_deref(),
            plain_http,
            functions: &self.functions,
        };
        let ServiceAddress { region, functions, iam, warning } = config::locate_service(&options, &env)?;
        let home = std::env::home_dir();
        let LoadedCredentials { credentials, project_id, source, passed_over } =
            config::load_credentials(&env, home.as_deref(), plain_http)?;
        tracing::debug!("using the credentials of {source}");
        for text in warning.into_iter().chain(passed_over) {
            tracing::warn!("{text}");
        }
        let clock = globals.clock();
        let settings = ClientSettings {
            functions_base: functions,
            iam_base: iam,
            region,
            project_id: self.project_id.clone().or(project_id),
            credentials,
            timeouts: Timeouts { total: self.request_timeout, ..Timeouts::default() },
            ca_cert: self.ca_cert.as_deref().map(config::read_ca_cert).transpose()?,
            user_agent: concat!("fgarchive/", env!("CARGO_PKG_VERSION")).to_owned(),
            now: Arc::new(move || clock.now()),
        };
        Client::new(settings).map_err(sync::to_failure)
    }

    /// Completes functions that are named without their project.
    async fn resolve(&self, settings: Settings, client: &Client) -> Result<Settings, Failure> {
        let mut functions: Vec<FunctionUrn> = Vec::with_capacity(self.functions.len());
        for function in &self.functions {
            functions.push(match function {
                FunctionRef::Urn(urn) => urn.clone(),
                name @ FunctionRef::Name { .. } => {
                    let project_id = client.project_id().await.map_err(sync::to_failure)?;
                    name.clone().resolve(client.region(), &project_id)
                }
            });
        }
        Ok(Settings { functions, ..settings })
    }
}

fn check_range(since: Option<Timestamp>, until: Option<Timestamp>, now: Timestamp) -> Result<(), Failure> {
    let usage = |message: String| Failure::new(FailureKind::Usage, message);
    match (since, until) {
        (Some(since), _) if since >= now => Err(usage(format!("--since {since} is not in the past"))),
        (Some(since), Some(until)) if until <= since => {
            Err(usage(format!("--until {until} is not after --since {since}"))
                .hint("an age counts back from now: --since 7d --until 1d"))
        }
        _ => Ok(()),
    }
}

/// Says how the run ended: one line for cron's reader, and each function that was left incomplete.
fn conclude(report: &RunReport) -> Result<(), Failure> {
    for function in report.functions.iter().filter(|function| !function.is_complete()) {
        let FunctionReport { urn, unproven, lost, failure, .. } = function;
        for (window, doubt) in unproven {
            tracing::warn!(function = urn.name(), %window, "a window could not be proven complete: {doubt}");
        }
        for range in lost {
            tracing::warn!(function = urn.name(), %range, "lost: the service had forgotten it before it was archived");
        }
        if let Some(failure) = failure {
            tracing::warn!(function = urn.name(), "left incomplete: {failure}");
        }
    }
    let tally = &report.tally;
    tracing::info!(
        functions = report.functions.len(),
        requests = tally.requests,
        seen = tally.seen,
        new = tally.new,
        changed = tally.changed,
        late = tally.late,
        rejected = tally.rejected,
        "run {} {}",
        report.run,
        report.outcome(),
    );
    report.failure().map_or(Ok(()), Err)
}

fn to_json(report: &RunReport) -> serde_json::Value {
    let functions: Vec<_> = report.functions.iter().map(function_to_json).collect();
    let tally = &report.tally;
    json!({
        "run": report.run.to_string(),
        "outcome": report.outcome(),
        "exit_code": report.failure_kind().map_or(0, FailureKind::exit_code),
        "requests": tally.requests,
        "retries": tally.retries,
        "throttled": tally.throttled,
        "records_seen": tally.seen,
        "records_new": tally.new,
        "records_changed": tally.changed,
        "records_late": tally.late,
        "records_rejected": tally.rejected,
        "functions": functions,
    })
}

fn interval_to_json(range: &Interval) -> serde_json::Value {
    json!({ "begin_time": range.begin().to_string(), "end_time": range.end().to_string() })
}

fn function_to_json(function: &FunctionReport) -> serde_json::Value {
    let lost: Vec<_> = function.lost.iter().map(interval_to_json).collect();
    let unproven: Vec<_> = function
        .unproven
        .iter()
        .map(|(window, doubt)| json!({ "begin_time": window.begin().to_string(), "end_time": window.end().to_string(), "reason": doubt.to_string() }))
        .collect();
    json!({
        "urn": function.urn.to_string(),
        "begin_time": function.horizon.begin().to_string(),
        "end_time": function.horizon.end().to_string(),
        "complete": function.is_complete(),
        "lost": lost,
        "unproven": unproven,
        "error": function.failure.as_ref().map(ToString::to_string),
    })
}

fn preview(
    args: &Args,
    settings: &Settings,
    client: Client,
    globals: &Globals,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let refused = |error: StoreError| error.into_failure(&globals.db);
    let reader = match inspect(&globals.db).map_err(refused)? {
        Found::Missing | Found::Empty => None,
        Found::Ours { .. } => Some(Reader::open(&globals.db).map_err(refused)?),
    };
    let previews = runtime()?.block_on(async {
        let settings = args.resolve(settings.clone(), &client).await?;
        sync::preview(reader.as_ref(), client, &settings, &globals.clock()).await
    })?;
    if args.json {
        let functions: Vec<_> = previews.iter().map(preview_to_json).collect();
        let requests: u64 = previews.iter().map(|preview| preview.requests).sum();
        return writeln!(out, "{}", json!({ "requests": requests, "functions": functions })).map_err(failure::output);
    }
    previews.iter().try_for_each(|preview| show_preview(preview, out)).map_err(failure::output)
}

fn show_preview(preview: &Preview, out: &mut dyn Write) -> std::io::Result<()> {
    let Preview { urn, pending, expected_records, requests } = preview;
    let records =
        expected_records.map_or_else(|| "an unknown number of".to_owned(), |records| format!("about {records}"));
    writeln!(out, "{}: {records} records, about {requests} requests", urn.name())?;
    pending.iter().try_for_each(|window| writeln!(out, "  {window}"))
}

fn preview_to_json(preview: &Preview) -> serde_json::Value {
    let pending: Vec<_> = preview.pending.iter().map(interval_to_json).collect();
    json!({
        "urn": preview.urn.to_string(),
        "pending": pending,
        "expected_records": preview.expected_records,
        "requests": preview.requests,
    })
}
