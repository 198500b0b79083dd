//! A project that is asked, put together from where it is, how to log in and what is wanted of it.

use super::authorities::read_ca_cert;
use super::credentials::LoadedCredentials;
use super::layers::{CA_CERT, Layers};
use super::proxy::load_proxies;
use super::range::read_range;
use super::service::ServiceAddress;
use super::surroundings::Surroundings;
use super::tuning::{Shown, Tuning};
use super::variables::{shown, usage};
use crate::api::{ClientSettings, Credentials, Endpoint, Exemptions, Introductions, Proxies};
use crate::clock::Clock;
use crate::domain::{FunctionFilter, FunctionRef};
use crate::error::Failure;
use crate::sync::Settings;
use std::sync::Arc;

/// How we introduce ourselves to those whom we ask or tell.
pub(super) const USER_AGENT: &str = concat!("fgarchive/", env!("CARGO_PKG_VERSION"));

/// A project that is asked, and how.
pub struct SourceConfig {
    /// Its name, unique within a run.
    pub name: Box<str>,
    /// The way to it.
    pub client: ClientSettings,
    /// What it is asked for, and how.
    pub settings: Settings,
    /// Where its credentials were found.
    pub credentials: String,
    /// Why there are none, where the run goes on without this source.
    pub problem: Option<String>,
    /// The settings that have a default, for whoever asks why the program does what it does.
    pub shown: Vec<Shown>,
}

/// Where a source is.
pub(super) struct Asked {
    pub(super) region: String,
    pub(super) address: ServiceAddress,
    pub(super) project_id: Option<String>,
}

/// Which functions of it are meant.
#[derive(Clone, Debug, Default)]
pub(super) struct Chosen {
    pub(super) functions: Vec<FunctionRef>,
    pub(super) all_functions: bool,
    pub(super) filter: FunctionFilter,
}

/// How the sources of one login are asked.
pub(super) struct Way<'a> {
    loaded: LoadedCredentials,
    proxies: Proxies,
    ca_cert: Option<Vec<u8>>,
    authorities: Option<Vec<u8>>,
    tuning: Tuning,
    settings: Settings,
    clock: &'a Clock,
}

impl<'a> Way<'a> {
    pub(super) fn new(
        layers: Layers<'_>,
        loaded: LoadedCredentials,
        addresses: &[ServiceAddress],
        surroundings: &Surroundings<'a>,
    ) -> Result<Self, Failure> {
        let &Surroundings { clock, env, authorities, .. } = surroundings;
        let now = clock.now();
        let (since, until) = read_range(layers, now)?;
        let tuning = Tuning::of(layers);
        let ca_cert = layers.set(CA_CERT, layers.flags.ca_cert.clone(), |it| &it.ca_cert);
        let asked = all_addresses(addresses, &loaded.credentials);
        let needs_authorities = asked.iter().any(|it| it.is_encrypted());
        let authorities = if needs_authorities { authorities.read(env)? } else { None };
        Ok(Self {
            proxies: load_proxies(layers.env, &asked)?,
            authorities,
            ca_cert: ca_cert.map(|set| read_ca_cert(&set)).transpose()?,
            settings: Settings {
                since,
                until,
                seed: now.unix().unsigned_abs(),
                ..tuning.settings()
            },
            tuning,
            loaded,
            clock,
        })
    }

    pub(super) fn source(&self, name: String, asked: Asked, chosen: Chosen) -> SourceConfig {
        let Chosen { functions, all_functions, filter } = chosen;
        SourceConfig {
            name: name.into(),
            client: self.client(asked),
            settings: Settings { functions, all_functions, filter, ..self.settings.clone() },
            credentials: self.loaded.source.clone(),
            problem: self.loaded.problem(),
            shown: self.tuning.shown(),
        }
    }

    fn client(&self, asked: Asked) -> ClientSettings {
        let clock = self.clock.clone();
        let Asked { region, address, project_id } = asked;
        ClientSettings {
            functions_base: address.functions,
            iam_base: address.iam,
            region,
            credentials: self.loaded.credentials.of_project(project_id.as_deref()),
            project_id,
            timeouts: self.tuning.timeouts(),
            ca_cert: self.ca_cert.clone(),
            authorities: self.authorities.clone(),
            proxies: self.proxies.clone(),
            introductions: Introductions::default(),
            user_agent: USER_AGENT.to_owned(),
            now: Arc::new(move || clock.now()),
        }
    }

    /// What may be wrong with the login or the proxies although they can be used.
    pub(super) fn warnings(&self) -> Vec<String> {
        let found = self.loaded.passed_over.iter().chain(&self.loaded.exposed).cloned();
        let of_proxy = self.proxies.have_ordinary_password().then_some("the proxy's password");
        let ordinary = self.loaded.credentials.ordinary_secrets().into_iter().chain(of_proxy);
        // A secret that can be guessed stays where an archive holds the same word.
        let ordinary = ordinary.map(|name| {
            format!(
                "{name} is as short or usual as ordinary text: it is covered in messages, not in \
                 ids, times and states"
            )
        });
        let Proxies { https, http, exempt } = &self.proxies;
        let exempt = if https.is_some() || http.is_some() { exempt } else { "" };
        let misunderstood = Exemptions::read(exempt).misunderstood.into_iter().map(|entry| {
            format!(
                "NO_PROXY: {} is not understood, and names nobody; write a domain as .example.com, \
                 which holds for all ports, or an address, or a range such as 10.0.0.0/8",
                shown(entry)
            )
        });
        found.chain(ordinary).chain(misunderstood).collect()
    }
}

pub(super) fn unknown_project() -> Failure {
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
