//! Every value that the program would use, and where it comes from. No secret is among them, and no
//! command is run to get one.

use super::credentials::LoadedCredentials;
use super::file::{FileSource, Login};
use super::flags::Flags;
use super::grouping::region_that_is_set;
use super::layers::{CA_CERT, Layers, PLAIN_HTTP, SINCE};
use super::login::log_in;
use super::origin::{Origin, Setting};
use super::project::project_that_is_set;
use super::selection::select;
use super::service::endpoint_that_is_set;
use super::surroundings::Surroundings;
use super::tuning::Tuning;
use crate::error::Failure;
use crate::sync::Settings;

/// A setting with its value, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownSetting {
    /// The source that it is of; none where no file has sources, or where it holds for the run.
    pub source: Option<String>,
    /// Its key in the configuration file.
    pub setting: String,
    /// What it is.
    pub value: String,
    /// Where it comes from.
    pub origin: String,
}

/// The setting that holds for a run as a whole.
const OF_RUN: &str = "verify_budget";

/// What the service would be asked with, source by source.
pub fn show(flags: &Flags, surroundings: &Surroundings<'_>) -> Result<Vec<ShownSetting>, Failure> {
    let &Surroundings { env, file, .. } = surroundings;
    let common = Layers { flags, env, source: None, defaults: file.map(|file| &file.defaults) };
    let Some(file) = file.filter(|file| !file.sources.is_empty()) else {
        return of_source(None, common, surroundings);
    };
    let mut all = Vec::new();
    for (source, _) in select(flags, file)? {
        all.extend(of_source(Some(source), common, surroundings)?);
    }
    // It is of the run, whatever the source.
    let budget = all.iter().find(|it| it.setting == OF_RUN).cloned();
    all.retain(|it| it.setting != OF_RUN);
    all.extend(budget.map(|budget| ShownSetting { source: None, ..budget }));
    Ok(all)
}

fn of_source(
    source: Option<&FileSource>,
    common: Layers<'_>,
    surroundings: &Surroundings<'_>,
) -> Result<Vec<ShownSetting>, Failure> {
    let layers = Layers { source, ..common };
    let flags = layers.flags;
    let nothing = |value: &str| Setting { value: value.to_owned(), origin: Origin::Default };
    let region = region_that_is_set(layers)?.unwrap_or_else(|| nothing("(none)"));
    let endpoint = endpoint_that_is_set(layers)?.unwrap_or_else(|| nothing("(by the region)"));
    let project = project_that_is_set(layers)?.unwrap_or_else(|| nothing("(looked up)"));
    let since = layers.set(SINCE, flags.since.clone(), |it| &it.since);
    let ca_cert = layers.set(CA_CERT, flags.ca_cert.clone(), |it| &it.ca_cert);
    let ca_cert = ca_cert
        .map(|Setting { value, origin }| Setting { value: value.display().to_string(), origin });
    let plain = Some(true).filter(|_| flags.allow_plain_http);
    let plain = layers.value(PLAIN_HTTP, plain, false, |it| &it.allow_plain_http);
    let plain = Setting { value: plain.value.to_string(), origin: plain.origin };
    let name = source.map(|source| source.name.clone());
    let shown = |(setting, set): (&str, Setting<String>)| ShownSetting {
        source: name.clone(),
        setting: setting.to_owned(),
        value: set.value,
        origin: set.origin.to_string(),
    };
    let settings = [
        ("region", region),
        ("endpoint", endpoint),
        ("project_id", project),
        ("functions", source.map_or_else(|| nothing("(none)"), |source| source.written.clone())),
        ("since", since.unwrap_or_else(|| nothing(&first_reach()))),
        ("ca_cert", ca_cert.unwrap_or_else(|| nothing("(none)"))),
        ("allow_plain_http", plain),
    ];
    let (value, origin) = credentials(source, layers, surroundings);
    let of_login =
        ShownSetting { source: name.clone(), setting: "credentials".to_owned(), value, origin };
    let tuned = Tuning::of(layers).shown().into_iter().map(|it| ShownSetting {
        source: name.clone(),
        setting: it.flag.trim_start_matches('-').replace('-', "_"),
        value: it.value,
        origin: it.origin.to_string(),
    });
    Ok(settings.into_iter().map(shown).chain([of_login]).chain(tuned).collect())
}

/// How far back the first run of a function goes by default.
fn first_reach() -> String {
    humantime::format_duration(Settings::default().first_reach).to_string()
}

/// Whether there are credentials, and where.
fn credentials(
    source: Option<&FileSource>,
    layers: Layers<'_>,
    surroundings: &Surroundings<'_>,
) -> (String, String) {
    let login = source.and_then(|source| source.login.as_ref());
    // What is asked for only when it is needed is not known here.
    let later = login.and_then(|Setting { value, origin }| match value {
        Login::Command(argv) => {
            let program = argv.first().map(String::as_str).unwrap_or_default();
            Some((format!("(by the command `{program}`)"), origin))
        }
        Login::Metadata => Some(("(by the metadata of this server)".to_owned(), origin)),
        _ => None,
    });
    if let Some((value, origin)) = later {
        return (value, origin.to_string());
    }
    match log_in(login, layers, surroundings) {
        Ok(LoadedCredentials { source, .. }) => ("(set)".to_owned(), source),
        Err(failure) => ("(not set)".to_owned(), failure.to_string()),
    }
}
