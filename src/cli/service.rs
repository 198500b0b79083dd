//! What every command that asks the service is told: which functions, where, and how hard to ask.

use super::globals::Globals;
use crate::api::{Client, ClientSettings, Credentials, Endpoint, PlainHttp, Proxies, Timeouts};
use crate::clock::Clock;
use crate::config::{self, LoadedCredentials, RegionGroup, ServiceAddress, ServiceOptions};
use crate::domain::{FunctionRef, FunctionUrn, Timestamp};
use crate::error::{Failure, FailureKind};
use crate::sync::{self, FunctionReport, Gone, LEAST_RATE, RunReport, RunSource, Settings, SourceReport};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tracing::Span;

/// More requests side by side than this gain nothing from a service that is metered by the minute.
const MOST_CONCURRENT: u32 = 64;

/// Where credentials and addresses come from: never from an argument, which every user of the machine can read.
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
  HUAWEICLOUD_SDK_REGION_FUNCTIONGRAPH_*  the same for the region whose id, such as CN_NORTH_4, stands
                                          for the asterisk: a URL or a host; of a list, the first
  HUAWEICLOUD_SDK_PROJECT_ID              the project's id
  HUAWEICLOUD_SDK_IAM_ENDPOINT            the address of IAM, instead of the region's: a URL or a host
  HTTPS_PROXY, HTTP_PROXY, ALL_PROXY      a proxy for the service
  NO_PROXY                                who is asked without it";

/// Where the options that every such command shares stand in its help.
const HEADING: &str = "The service";

/// The arguments about the service.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct ServiceArgs {
    /// A function of the project: its name, `package:name`, or URN; may be repeated
    #[arg(long = "function", value_name = "FUNCTION", value_parser = read_function)]
    functions: Vec<FunctionRef>,
    /// Every function of the project
    #[arg(long)]
    all_functions: bool,
    /// The region, such as cn-north-4 [default: FGARCHIVE_REGION, HUAWEICLOUD_REGION, or the region in
    /// the functions' URNs]
    #[arg(long, value_name = "REGION", help_heading = HEADING)]
    region: Option<String>,
    /// The project's id [default: HUAWEICLOUD_SDK_PROJECT_ID, or looked up by the region]
    #[arg(long, value_name = "ID", help_heading = HEADING)]
    project_id: Option<String>,
    /// The service's address [default: FGARCHIVE_ENDPOINT, or by the region]
    #[arg(long, value_name = "URL", help_heading = HEADING)]
    endpoint: Option<String>,
    /// Requests under way at once, 1 to 64
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_CONCURRENT)), help_heading = HEADING)]
    concurrency: u32,
    /// The most requests a second, over all functions, once a day at least; throttling lowers it, and it
    /// recovers
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 5.0, value_parser = read_rate, help_heading = HEADING)]
    max_rps: f64,
    /// How long one request may take
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = humantime::parse_duration, allow_hyphen_values = true, help_heading = HEADING)]
    request_timeout: Duration,
    /// A certificate authority to trust beside the system's, in PEM
    #[arg(long, value_name = "FILE", help_heading = HEADING)]
    ca_cert: Option<PathBuf>,
    /// Accept plain http for other machines than this one: credentials are then sent in the clear
    #[arg(long, help_heading = HEADING)]
    allow_plain_http: bool,
}

fn read_function(text: &str) -> Result<FunctionRef, String> {
    text.parse().map_err(|unreadable: crate::domain::UnreadableFunction| unreadable.to_string())
}

fn read_rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "it is no number".to_owned())?;
    match rate {
        _ if rate.is_nan() || rate.is_infinite() || rate <= 0.0 => Err("must be greater than 0".to_owned()),
        _ if rate < LEAST_RATE => Err(format!("must be at least {LEAST_RATE:.7}, once a day")),
        _ => Ok(rate),
    }
}

impl ServiceArgs {
    /// Refuses a command that names no function.
    pub(super) fn check_functions(&self) -> Result<(), Failure> {
        if self.names_functions() || self.all_functions {
            return Ok(());
        }
        Err(Failure::new(FailureKind::Usage, "no function was named")
            .hint("name functions with --function, or all of the project with --all-functions"))
    }

    /// Whether functions are named one by one.
    pub(super) fn names_functions(&self) -> bool {
        !self.functions.is_empty()
    }

    /// How to ask, but for the functions.
    pub(super) fn settings(&self, now: Timestamp) -> Settings {
        Settings {
            concurrency: self.concurrency as usize,
            max_rps: self.max_rps,
            seed: now.unix().unsigned_abs(),
            ..Settings::default()
        }
        .with_answers_after(self.request_timeout)
    }

    /// The services of the regions that are asked, by what was told here, in variables and in files.
    pub(super) fn services(&self, globals: &Globals) -> Result<Vec<Service>, Failure> {
        let env = |name: &str| std::env::var_os(name);
        let plain_http = if self.allow_plain_http { PlainHttp::Anywhere } else { PlainHttp::LoopbackOnly };
        let options = ServiceOptions {
            endpoint: self.endpoint.as_deref(),
            region: self.region.as_deref(),
            plain_http,
            functions: &self.functions,
            all_functions: self.all_functions,
        };
        let groups = config::group_by_region(&options, &env)?;
        let addresses = groups.iter().map(|group| config::locate_service(&group.region, &options, &env));
        let addresses: Vec<ServiceAddress> = addresses.collect::<Result<_, _>>()?;
        let home = std::env::home_dir();
        let LoadedCredentials { credentials, project_id, source, passed_over, exposed } =
            config::load_credentials(&env, home.as_deref(), plain_http)?;
        tracing::debug!("using the credentials of {source}");
        let warnings = addresses.iter().filter_map(|address| address.warning.as_ref());
        for text in warnings.chain(&passed_over).chain(&exposed) {
            tracing::warn!("{text}");
        }
        let project_id = config::read_project_id(self.project_id.as_deref())?.or(project_id);
        let common = Common {
            proxies: config::load_proxies(&env, &all_addresses(&addresses, &credentials))?,
            ca_cert: self.ca_cert.as_deref().map(config::read_ca_cert).transpose()?,
            timeouts: Timeouts { total: self.request_timeout, ..Timeouts::default() },
            clock: globals.clock(),
            credentials,
            source,
        };
        warn_of_ordinary_secrets(&common.credentials, &common.proxies);
        let service = |(group, address): (RegionGroup, ServiceAddress)| {
            let project_id = if group.is_default { project_id.clone() } else { project_of(&group.functions) };
            let all_functions = group.is_default && self.all_functions;
            Ok(Service {
                client: common.client(address, &group.region, project_id)?,
                credentials: common.source.clone(),
                functions: group.functions,
                all_functions,
            })
        };
        groups.into_iter().zip(addresses).map(service).collect()
    }

    /// The same for a command that may have to look projects up: refused where one cannot be told, before anything is
    /// asked or written.
    pub(super) fn services_of_project(&self, globals: &Globals) -> Result<Vec<Service>, Failure> {
        let services = self.services(globals)?;
        services.iter().try_for_each(Service::check_project)?;
        Ok(services)
    }
}

/// What the services of several regions have in common.
struct Common {
    credentials: Credentials,
    /// Where the credentials were found.
    source: String,
    timeouts: Timeouts,
    ca_cert: Option<Vec<u8>>,
    proxies: Proxies,
    clock: Clock,
}

impl Common {
    fn client(&self, address: ServiceAddress, region: &str, project_id: Option<String>) -> Result<Client, Failure> {
        let clock = self.clock.clone();
        let settings = ClientSettings {
            functions_base: address.functions,
            iam_base: address.iam,
            region: region.to_owned(),
            project_id,
            credentials: self.credentials.clone(),
            timeouts: self.timeouts,
            ca_cert: self.ca_cert.clone(),
            proxies: self.proxies.clone(),
            user_agent: concat!("fgarchive/", env!("CARGO_PKG_VERSION")).to_owned(),
            now: Arc::new(move || clock.now()),
        };
        Client::new(settings).map_err(sync::to_failure)
    }
}

/// Everything that is asked, the logging in among it.
fn all_addresses<'a>(addresses: &'a [ServiceAddress], credentials: &'a Credentials) -> Vec<&'a Endpoint> {
    let login = match credentials {
        Credentials::Password(login) => Some(&login.auth_url),
        _ => None,
    };
    let of_services = addresses.iter().flat_map(|address| [Some(&address.functions), address.iam.as_ref()]);
    of_services.chain([login]).flatten().collect()
}

/// The project that URNs name, where it is one.
fn project_of(functions: &[FunctionRef]) -> Option<String> {
    let mut projects = functions.iter().filter_map(|function| match function {
        FunctionRef::Urn(urn) => Some(urn.project_id()),
        FunctionRef::Name { .. } => None,
    });
    let first = projects.next()?;
    projects.all(|other| other == first).then(|| first.to_owned())
}

/// The service of a region, and what is asked of it.
pub(super) struct Service {
    pub(super) client: Client,
    /// Where its credentials were found.
    pub(super) credentials: String,
    functions: Vec<FunctionRef>,
    all_functions: bool,
}

impl Service {
    /// Refuses to go on where the project is needed and cannot be told.
    fn check_project(&self) -> Result<(), Failure> {
        let is_needed = self.all_functions || self.functions.iter().any(|it| matches!(it, FunctionRef::Name { .. }));
        if !is_needed || self.client.can_tell_project() {
            return Ok(());
        }
        let message = "the project is not known, and no IAM is named for the service of --endpoint to ask for it";
        Err(Failure::new(FailureKind::Usage, message).hint(
            "give --project-id or set HUAWEICLOUD_SDK_PROJECT_ID, or name the IAM that belongs to the service in \
             HUAWEICLOUD_SDK_IAM_ENDPOINT or OS_AUTH_URL; credentials are sent to no other",
        ))
    }

    /// The source of a run; functions that are named without their project are completed.
    pub(super) async fn into_source(self, settings: &Settings) -> Result<RunSource<Client>, Failure> {
        let Self { client, functions: named, all_functions, .. } = self;
        let mut functions: Vec<FunctionUrn> = Vec::with_capacity(named.len());
        for function in named {
            functions.push(match function {
                FunctionRef::Urn(urn) => urn,
                name @ FunctionRef::Name { .. } => {
                    let project_id = client.project_id().await.map_err(sync::to_failure)?;
                    name.resolve(client.region(), &project_id)
                }
            });
        }
        let settings = Settings { functions, all_functions, ..settings.clone() };
        Ok(RunSource { name: client.region().into(), source: client, settings })
    }
}

/// The sources of a run that asks these services.
pub(super) async fn to_sources(services: Vec<Service>, settings: &Settings) -> Result<Vec<RunSource<Client>>, Failure> {
    let mut sources = Vec::with_capacity(services.len());
    for service in services {
        sources.push(service.into_source(settings).await?);
    }
    Ok(sources)
}

/// Names a source in all lines about it, where the run has others.
pub(super) fn span(report: &RunReport, source: &SourceReport) -> Span {
    if report.sources.len() > 1 { tracing::error_span!("source", name = %source.name) } else { Span::none() }
}

/// Says that a secret can be guessed, and why it stays where an archive holds the same word.
fn warn_of_ordinary_secrets(credentials: &Credentials, proxies: &Proxies) {
    let of_proxy = proxies.have_ordinary_password().then_some("the proxy's password");
    for name in credentials.ordinary_secrets().into_iter().chain(of_proxy) {
        tracing::warn!(
            "{name} is as short or usual as ordinary text: it is covered in messages, not in ids, times and states"
        );
    }
}

/// So many functions are named in a line; the others are counted.
const MOST_NAMED: usize = 3;

/// Tells of functions that are gone, in a line for those that are newly so and one for the others, however many they are.
pub(super) fn tell_of_gone(functions: &[FunctionReport]) {
    let of = |is_news: bool| {
        let gone = functions.iter().filter_map(|function| Some((function, function.gone?)));
        gone.filter(move |(_, gone)| gone.is_news == is_news).collect::<Vec<_>>()
    };
    let news = of(true);
    let lost = news.iter().flat_map(|(function, _)| &function.lost).map(|range| range.seconds().unsigned_abs()).sum();
    let length = humantime::format_duration(Duration::from_secs(lost));
    let lost = if lost > 0 { format!("; {length} before that were not archived and are lost") } else { String::new() };
    if let Some((_, gone)) = news.first() {
        let names = named(&news);
        tracing::warn!(functions = news.len(), since = %gone.at, "gone: the service knows it no more: {names}{lost}");
    }
    let before = of(false);
    if let Some((_, gone)) = before.first() {
        tracing::info!(functions = before.len(), since = %gone.at, "gone, and nothing more is asked for: {}", named(&before));
    }
}

fn named(gone: &[(&FunctionReport, Gone)]) -> String {
    let first: Vec<String> = gone.iter().take(MOST_NAMED).map(|(function, _)| function.urn.full_name()).collect();
    let more = gone.len() - first.len();
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", first.join(", "))
}

/// The range between `--since` and `--until`, each a time or an age, where they are given.
pub(super) fn read_range(
    since: Option<&str>,
    until: Option<&str>,
    now: Timestamp,
) -> Result<(Option<Timestamp>, Option<Timestamp>), Failure> {
    let moment =
        |option, text: Option<&str>| text.map(|text| config::parse_moment_or_age(option, text, now)).transpose();
    let (since, until) = (moment("--since", since)?, moment("--until", until)?);
    check_range(since, until, now)?;
    Ok((since, until))
}

fn check_range(since: Option<Timestamp>, until: Option<Timestamp>, now: Timestamp) -> Result<(), Failure> {
    if let Some(since) = since.filter(|&since| since >= now) {
        return Err(Failure::new(FailureKind::Usage, format!("--since {since} is not in the past")));
    }
    check_order(since, until)
}

/// Refuses a range that ends before it begins: nothing lies in it.
pub(super) fn check_order(since: Option<Timestamp>, until: Option<Timestamp>) -> Result<(), Failure> {
    match (since, until) {
        (Some(since), Some(until)) if until <= since => {
            Err(Failure::new(FailureKind::Usage, format!("--until {until} is not after --since {since}"))
                .hint("an age counts back from now: --since 7d --until 1d"))
        }
        _ => Ok(()),
    }
}
