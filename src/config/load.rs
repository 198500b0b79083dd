//! All layers together, made into one checked value that a command only passes on.

use super::credentials::{LoadedCredentials, load_credentials, read_ca_cert};
use super::flags::Flags;
use super::grouping::{ProjectGroup, group_by_region};
use super::layers::Layers;
use super::moments::read_range;
use super::project::project_that_is_set;
use super::proxy::{load_proxies, misunderstood_exemptions};
use super::service::{ServiceAddress, locate_service};
use super::tuning::{Shown, Tuning};
use super::variables::{Environment, shown, usage};
use crate::api::{ClientSettings, Credentials, Endpoint, Proxies};
use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::error::Failure;
use crate::sync::Settings;
use std::path::Path;
use std::sync::Arc;

/// Where the other layers are found.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The environment.
    pub env: Environment<'a>,
    /// The user's home directory, where one is known.
    pub home: Option<&'a Path>,
    /// Where the present comes from.
    pub clock: &'a Clock,
}

/// What a command that asks the service was told, by all layers together.
pub struct Config {
    /// Whom it asks.
    pub sources: Vec<SourceConfig>,
    /// What holds for all of them.
    pub run: RunConfig,
    /// Where the credentials were found.
    pub credentials: String,
    /// What may be wrong although it can be used.
    pub warnings: Vec<String>,
    /// The settings that have a default, for whoever asks why the program does what it does.
    pub shown: Vec<Shown>,
}

/// A project that is asked, and how.
pub struct SourceConfig {
    /// Its name, unique within a run.
    pub name: Box<str>,
    /// The way to it.
    pub client: ClientSettings,
    /// What it is asked for, and how.
    pub settings: Settings,
}

/// What holds for a run as a whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunConfig {
    /// From when on it was asked for.
    pub since: Option<Timestamp>,
    /// Until when it was asked for.
    pub until: Option<Timestamp>,
    /// Which share of the requests, 0 to 1, may walk settled windows again.
    pub verify_share: f64,
}

/// Reads and checks everything. Nothing is asked, and nothing written.
pub fn load(flags: &Flags, surroundings: &Surroundings<'_>) -> Result<Config, Failure> {
    let &Surroundings { env, home, clock } = surroundings;
    let layers = Layers { flags, env };
    let now = clock.now();
    let (since, until) = read_range(layers, now)?;
    let groups = group_by_region(layers)?;
    let addresses = groups.iter().map(|group| locate_service(&group.region, layers));
    let addresses: Vec<ServiceAddress> = addresses.collect::<Result<_, _>>()?;
    let loaded = load_credentials(env, home, layers.plain_http())?;
    let tuning = Tuning::of(flags);
    let common = Common {
        project_id: project_that_is_set(layers)?.or(loaded.project_id.clone()).map(|set| set.value),
        proxies: load_proxies(env, &all_addresses(&addresses, &loaded.credentials))?,
        ca_cert: flags.ca_cert.as_deref().map(read_ca_cert).transpose()?,
        settings: Settings { since, until, seed: now.unix().unsigned_abs(), ..tuning.settings() },
        credentials: &loaded.credentials,
        tuning: &tuning,
        flags,
        clock,
    };
    let warnings = warnings(&addresses, &loaded, &common.proxies);
    let mut sources = Vec::new();
    for (region, address) in groups.iter().zip(addresses) {
        for group in region.by_project(common.project_id.as_deref(), flags.all_functions)? {
            sources.push(common.source(&region.region, group, address.clone())?);
        }
    }
    Ok(Config {
        sources,
        run: RunConfig { since, until, verify_share: tuning.verify_share() },
        warnings,
        shown: tuning.shown(),
        credentials: loaded.source,
    })
}

/// What all sources have in common.
struct Common<'a> {
    project_id: Option<String>,
    proxies: Proxies,
    ca_cert: Option<Vec<u8>>,
    settings: Settings,
    credentials: &'a Credentials,
    tuning: &'a Tuning,
    flags: &'a Flags,
    clock: &'a Clock,
}

impl Common<'_> {
    fn source(
        &self,
        region: &str,
        group: ProjectGroup,
        address: ServiceAddress,
    ) -> Result<SourceConfig, Failure> {
        let ProjectGroup { name, project_id, functions, is_default } = group;
        let can_be_told =
            address.iam.is_some() || matches!(self.credentials, Credentials::Password(_));
        if is_default && project_id.is_none() && !can_be_told {
            return Err(unknown_project());
        }
        let all_functions = is_default && self.flags.all_functions;
        let settings = Settings { functions, all_functions, ..self.settings.clone() };
        let client = self.client(address, region.to_owned(), project_id);
        Ok(SourceConfig { name: name.into(), client, settings })
    }

    fn client(
        &self,
        address: ServiceAddress,
        region: String,
        project_id: Option<String>,
    ) -> ClientSettings {
        let clock = self.clock.clone();
        ClientSettings {
            functions_base: address.functions,
            iam_base: address.iam,
            region,
            credentials: self.credentials.of_project(project_id.as_deref()),
            project_id,
            timeouts: self.tuning.timeouts(),
            ca_cert: self.ca_cert.clone(),
            proxies: self.proxies.clone(),
            user_agent: concat!("fgarchive/", env!("CARGO_PKG_VERSION")).to_owned(),
            now: Arc::new(move || clock.now()),
        }
    }
}

fn unknown_project() -> Failure {
    usage(
        "the project is not known, and no IAM is named for the service of --endpoint to ask for it",
    )
    .hint(
        "give --project-id or set HUAWEICLOUD_SDK_PROJECT_ID, or name the IAM that belongs to the \
         service in HUAWEICLOUD_SDK_IAM_ENDPOINT or OS_AUTH_URL; credentials are sent to no other",
    )
}

/// Everything that is asked, the logging in among it.
fn all_addresses<'a>(
    addresses: &'a [ServiceAddress],
    credentials: &'a Credentials,
) -> Vec<&'a Endpoint> {
    let login = match credentials {
        Credentials::Password(login) => Some(&login.auth_url),
        _ => None,
    };
    let of_services =
        addresses.iter().flat_map(|address| [Some(&address.functions), address.iam.as_ref()]);
    of_services.chain([login]).flatten().collect()
}

fn warnings(
    addresses: &[ServiceAddress],
    loaded: &LoadedCredentials,
    proxies: &Proxies,
) -> Vec<String> {
    let of_addresses = addresses.iter().filter_map(|address| address.warning.as_ref());
    let found = of_addresses.chain(&loaded.passed_over).chain(&loaded.exposed).cloned();
    let of_proxy = proxies.have_ordinary_password().then_some("the proxy's password");
    // A secret that can be guessed stays where an archive holds the same word.
    let ordinary = loaded.credentials.ordinary_secrets().into_iter().chain(of_proxy).map(|name| {
        format!(
            "{name} is as short or usual as ordinary text: it is covered in messages, not in ids, \
             times and states"
        )
    });
    let exempt =
        if proxies.https.is_some() || proxies.http.is_some() { &*proxies.exempt } else { "" };
    let misunderstood = misunderstood_exemptions(exempt).into_iter().map(|entry| {
        format!(
            "NO_PROXY: {} is not understood, and names nobody; write a domain as .example.com, \
             which holds for all ports, or an address, or a range such as 10.0.0.0/8",
            shown(entry)
        )
    });
    found.chain(ordinary).chain(misunderstood).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ProjectScope;
    use pretty_assertions::assert_eq;

    /// A token is good for one project, so that each source logs in to its own.
    #[test]
    fn a_password_logs_in_to_the_project_that_is_asked() {
        let urn = |region: &str, project: &str| {
            format!("urn:fss:{region}:{project}:function:default:f").parse().unwrap()
        };
        let flags = Flags {
            functions: vec![urn("cn-north-4", "p"), urn("cn-east-3", "q")],
            ..Flags::default()
        };
        let set = [
            ("OS_AUTH_URL", "https://iam.example/v3"),
            ("OS_USERNAME", "user"),
            ("OS_PASSWORD", "a long password"),
            ("OS_USER_DOMAIN_NAME", "domain"),
            ("OS_PROJECT_NAME", "cn-north-4"),
        ];
        let env =
            |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into());
        let surroundings = Surroundings { env: &env, home: None, clock: &Clock::System };
        let config = load(&flags, &surroundings).unwrap();
        let scopes: Vec<ProjectScope> = config
            .sources
            .into_iter()
            .map(|source| match source.client.credentials {
                Credentials::Password(login) => login.project,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(scopes, ["p", "q"].map(|id| ProjectScope::Id(id.to_owned())));
    }
}
