//! What every command that asks the service is told: which functions, where, and how hard to ask.

use super::globals::Globals;
use crate::api::{Client, ClientSettings, Introductions};
use crate::config::{self, Config, Flags, MOST_CONCURRENT, Shown, SourceConfig, Surroundings};
use crate::domain::FunctionRef;
use crate::error::{Failure, FailureKind};
use crate::sync::{self, FunctionReport, Gone, RunReport, RunSource, SourceReport};
use clap::Arg;
use clap::builder::StyledStr;
use std::path::PathBuf;
use std::time::Duration;
use tracing::Span;

/// Where credentials and addresses come from: never from an argument, which every user of the
/// machine can read.
pub(super) const VARIABLES: &str = "\
Credentials come from the first of these that is complete; an empty variable counts as unset:
  1. FGARCHIVE_AUTH_TOKEN, a ready token
  2. HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK; HUAWEICLOUD_SDK_SECURITY_TOKEN with temporary keys
  3. CLOUD_SDK_AK and CLOUD_SDK_SK, the names in the samples of the vendor's documentation
  4. ak and sk (and security_token, project_id) under [basic] in ~/.huaweicloud/credentials, or in
     the file that HUAWEICLOUD_SDK_CREDENTIALS_FILE names
  5. OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, OS_USER_DOMAIN_NAME, and OS_PROJECT_ID or
     OS_PROJECT_NAME (with OS_PROJECT_DOMAIN_NAME where it is another domain)

Other variables:
  FGARCHIVE_REGION, HUAWEICLOUD_REGION    the region, the first that is set
  FGARCHIVE_ENDPOINT                      the service's address, as --endpoint
  HUAWEICLOUD_SDK_REGION_FUNCTIONGRAPH_*  the same for the region whose id, such as CN_NORTH_4,
                                          stands for the asterisk: a URL or a host;
                                          of a list, the first
  HUAWEICLOUD_SDK_PROJECT_ID              the project's id
  HUAWEICLOUD_SDK_IAM_ENDPOINT            the address of IAM, instead of the region's:
                                          a URL or a host
  FGARCHIVE_METADATA_ENDPOINT             the address of a cloud server's metadata, where a source
                                          logs in by it: http://169.254.169.254
  HTTPS_PROXY, HTTP_PROXY, ALL_PROXY      a proxy for the service
  NO_PROXY                                who is asked without it";

/// Where the options that every such command shares stand in its help.
const HEADING: &str = "The service";

/// The arguments about the service.
#[derive(clap::Args, Clone, Debug, Default)]
pub(super) struct ServiceArgs {
    /// Only this source of the configuration file; may be repeated [default: all of them]
    #[arg(long = "source", value_name = "NAME", help_heading = HEADING)]
    sources: Vec<String>,
    /// A function of the project: its name, `package:name[:version]`, or URN; may be repeated
    #[arg(long = "function", value_name = "FUNCTION", value_parser = read_function)]
    functions: Vec<FunctionRef>,
    /// Every function of the project
    #[arg(long)]
    all_functions: bool,
    /// The region, such as cn-north-4 [default: FGARCHIVE_REGION, HUAWEICLOUD_REGION, or the region
    /// in the functions' URNs]
    #[arg(long, value_name = "REGION", help_heading = HEADING)]
    region: Option<String>,
    /// The project's id [default: HUAWEICLOUD_SDK_PROJECT_ID, or looked up by the region]
    #[arg(long, value_name = "ID", help_heading = HEADING)]
    project_id: Option<String>,
    /// The service's address [default: FGARCHIVE_ENDPOINT, or by the region]
    #[arg(long, value_name = "URL", help_heading = HEADING)]
    endpoint: Option<String>,
    /// Requests under way at once, 1 to 64
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_CONCURRENT)),
        help_heading = HEADING
    )]
    concurrency: Option<u32>,
    /// The most requests a second, over all functions, once a day at least; throttling lowers it,
    /// and it recovers
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        value_parser = config::parse_rate,
        help_heading = HEADING
    )]
    max_rps: Option<f64>,
    /// How long one request may take
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = config::parse_timeout,
        allow_hyphen_values = true,
        help_heading = HEADING
    )]
    request_timeout: Option<Duration>,
    /// A certificate authority to trust beside the system's, in PEM
    #[arg(long, value_name = "FILE", help_heading = HEADING)]
    ca_cert: Option<PathBuf>,
    /// Accept plain http for other machines than this one: credentials are then sent in the clear
    #[arg(long, help_heading = HEADING)]
    allow_plain_http: bool,
    /// Refuse settings that are otherwise warned of, such as a file with secrets that others may
    /// read
    #[arg(long, help_heading = HEADING)]
    strict: bool,
}

fn read_function(text: &str) -> Result<FunctionRef, String> {
    text.parse().map_err(|unreadable: crate::domain::UnreadableFunction| unreadable.to_string())
}

impl ServiceArgs {
    /// Refuses a command that names no function.
    pub(super) fn check_functions(&self, globals: &Globals) -> Result<(), Failure> {
        let has_sources = globals.has_sources();
        let is_named = !self.functions.is_empty() || self.all_functions;
        if is_named || has_sources || !self.sources.is_empty() {
            return Ok(());
        }
        Err(Failure::new(FailureKind::Usage, "no function was named").hint(
            "name functions with --function, or all of the project with --all-functions, or \
                 sources in a configuration file",
        ))
    }

    /// What these flags say.
    pub(super) fn flags(&self) -> Flags {
        Flags {
            sources: self.sources.clone(),
            functions: self.functions.clone(),
            all_functions: self.all_functions,
            region: self.region.clone(),
            project_id: self.project_id.clone(),
            endpoint: self.endpoint.clone(),
            concurrency: self.concurrency.map(|requests| requests as usize),
            max_rps: self.max_rps,
            request_timeout: self.request_timeout,
            ca_cert: self.ca_cert.clone(),
            allow_plain_http: self.allow_plain_http,
            strict: self.strict,
            ..Flags::default()
        }
    }
}

/// Tells the default of a flag in its help, as clap does it where the default is its own.
pub(super) fn tell_default(arg: Arg) -> Arg {
    let flag = arg.get_long().map(|name| format!("--{name}"));
    let Some(known) = config::defaults().into_iter().find(|it| Some(it.flag) == flag.as_deref())
    else {
        return arg;
    };
    let (short, long) = (arg.get_help().cloned(), arg.get_long_help().or(arg.get_help()).cloned());
    let told = |help: Option<StyledStr>, between: &str| {
        format!("{}{between}[default: {}]", help.unwrap_or_default(), known.value)
    };
    arg.help(told(short, " ")).long_help(told(long, "\n\n"))
}

/// Reads the settings of a command from its flags, from variables and from files.
pub(super) fn load(flags: &Flags, globals: &Globals) -> Result<Config, Failure> {
    let env = |name: &str| std::env::var_os(name);
    let home = std::env::home_dir();
    let (file, clock) = (globals.file.as_ref(), &globals.clock());
    let authorities = &globals.authorities;
    let surroundings = Surroundings { env: &env, home: home.as_deref(), file, clock, authorities };
    let config = config::load(flags, &surroundings)?;
    let is_only = config.sources.len() == 1;
    for SourceConfig { name, credentials, shown, .. } in &config.sources {
        let of_source = if is_only { Span::none() } else { tracing::error_span!("source", %name) };
        of_source.in_scope(|| {
            tracing::debug!("using the credentials of {credentials}");
            for Shown { flag, value, origin } in shown {
                tracing::debug!("{flag} is {value}, by {origin}");
            }
        });
    }
    tell_of(&config.warnings, flags.strict)?;
    Ok(config)
}

/// Warns of settings that can be used and had better not; where that is asked for, refuses the
/// first of them.
fn tell_of(warnings: &[String], is_strict: bool) -> Result<(), Failure> {
    let refused = warnings.first().filter(|_| is_strict);
    for warning in warnings.iter().skip(usize::from(refused.is_some())) {
        tracing::warn!("{warning}");
    }
    let refuse = |warning: &String| {
        Err(Failure::new(FailureKind::Usage, warning.as_str())
            .hint("without --strict this is a warning, and the command goes on"))
    };
    refused.map_or(Ok(()), refuse)
}

/// Fails with the worst of what failed, and says the others beforehand. What several sources have
/// in common, such as a wrong key, is said once for all of them.
pub(super) fn worst_of(failures: Vec<(Option<Box<str>>, Failure)>) -> Result<(), Failure> {
    let rank = |failure: &Failure| match failure.kind {
        FailureKind::Finding => 0,
        FailureKind::Incomplete => 1,
        FailureKind::Denied => 2,
        _ => 3,
    };
    let mut told: Vec<(Vec<String>, Failure)> = Vec::new();
    for (name, failure) in failures {
        let name = name.map(String::from);
        let is_same = |(_, other): &&mut (_, Failure)| other.to_string() == failure.to_string();
        match told.iter_mut().find(is_same) {
            Some((names, _)) => names.extend(name),
            None => told.push((name.into_iter().collect(), failure)),
        }
    }
    let named = |(names, failure): (Vec<String>, Failure)| match &names[..] {
        [] => failure,
        names => {
            let message = format!("{}: {}", sync::first_named(names), failure.message);
            Failure { message, ..failure }
        }
    };
    let mut told: Vec<Failure> = told.into_iter().map(named).collect();
    let Some(worst) = (0..told.len()).rev().max_by_key(|&place| rank(&told[place])) else {
        return Ok(());
    };
    let worst = told.remove(worst);
    for other in told {
        tracing::warn!("{other}");
    }
    Err(worst)
}

/// The sources of a run.
pub(super) fn to_sources(sources: Vec<SourceConfig>) -> Result<Vec<RunSource<Client>>, Failure> {
    let introductions = Introductions::default();
    let to_source = |SourceConfig { name, client, settings, .. }| {
        let client = ClientSettings { introductions: introductions.clone(), ..client };
        Ok(RunSource { name, source: Client::new(client).map_err(sync::to_failure)?, settings })
    };
    sources.into_iter().map(to_source).collect()
}

/// Names a source in all lines about it, where the run has others.
pub(super) fn span(report: &RunReport, source: &SourceReport) -> Span {
    if report.sources.len() > 1 {
        tracing::error_span!("source", name = %source.name)
    } else {
        Span::none()
    }
}

/// Tells of functions that are gone, in a line for those that are newly so and one for the others,
/// however many they are.
pub(super) fn tell_of_gone(functions: &[FunctionReport]) {
    let of = |is_news: bool| {
        let gone = functions.iter().filter_map(|function| Some((function, function.gone?)));
        gone.filter(move |(_, gone)| gone.is_news == is_news).collect::<Vec<_>>()
    };
    let news = of(true);
    let of_news: Vec<&FunctionReport> = news.iter().map(|(function, _)| *function).collect();
    let lost = sync::lost_of(&of_news).map_or_else(String::new, |lost| {
        format!("; {lost} not archived before that, and are lost")
    });
    if let Some((_, gone)) = news.first() {
        let names = named(&news);
        tracing::warn!(
            functions = news.len(),
            since = %gone.at,
            "gone: the service knows it no more: {names}{lost}"
        );
    }
    let before = of(false);
    if let Some((_, gone)) = before.first() {
        tracing::info!(
            functions = before.len(),
            since = %gone.at,
            "gone, and nothing more is asked for: {}",
            named(&before)
        );
    }
}

fn named(gone: &[(&FunctionReport, Gone)]) -> String {
    let names: Vec<String> = gone.iter().map(|(function, _)| function.urn.full_name()).collect();
    sync::first_named(&names)
}
