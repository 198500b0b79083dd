//! All layers together, made into one checked value that a command only passes on.

use super::credentials::load_credentials;
use super::file::ConfigFile;
use super::file_sources;
use super::flags::Flags;
use super::grouping::group_by_region;
use super::layers::Layers;
use super::loaded::{Config, RunConfig};
use super::project::project_that_is_set;
use super::service::{ServiceAddress, locate_service};
use super::source::{Asked, Chosen, Way, unknown_project};
use super::surroundings::Surroundings;
use super::variables::usage;
use crate::api::Credentials;
use crate::error::Failure;

/// Reads and checks everything. Nothing is asked of the service, and nothing written.
///
/// Where the file has sources, they are what is asked; otherwise flags and variables say it.
pub fn load(flags: &Flags, surroundings: &Surroundings<'_>) -> Result<Config, Failure> {
    let file = surroundings.file.filter(|file| !file.sources.is_empty());
    if let Some(file) = file {
        return file_sources::load(flags, file, surroundings);
    }
    if let Some(name) = flags.sources.first() {
        return Err(no_sources(name, surroundings.file));
    }
    load_without_sources(flags, surroundings)
}

fn no_sources(name: &str, file: Option<&ConfigFile>) -> Failure {
    let message = match file {
        Some(file) => {
            format!("the configuration `{}` has no source, so none `{name}`", file.path().display())
        }
        None => format!("there is no configuration file that could have a source `{name}`"),
    };
    usage(message).hint("a source is a table [[source]] of the file that --config names")
}

fn load_without_sources(flags: &Flags, surroundings: &Surroundings<'_>) -> Result<Config, Failure> {
    let &Surroundings { env, home, clock, file, .. } = surroundings;
    let layers = Layers { flags, env, source: None, defaults: file.map(|file| &file.defaults) };
    let now = clock.now();
    let run = RunConfig::of(layers, now)?;
    let groups = group_by_region(layers)?;
    let addresses = groups.iter().map(|group| locate_service(&group.region, layers));
    let addresses: Vec<ServiceAddress> = addresses.collect::<Result<_, _>>()?;
    let loaded = load_credentials(env, home, layers.plain_http())?;
    let set = project_that_is_set(layers)?.or(loaded.project_id.clone()).map(|set| set.value);
    let is_password = matches!(loaded.credentials, Credentials::Password(_));
    let way = Way::new(layers, loaded, &addresses, surroundings)?;
    let mut sources = Vec::new();
    for (region, address) in groups.iter().zip(&addresses) {
        for group in region.by_project(set.as_deref(), flags.all_functions)? {
            let can_be_told = address.iam.is_some() || is_password;
            if group.is_default && group.project_id.is_none() && !can_be_told {
                return Err(unknown_project());
            }
            let chosen = Chosen {
                all_functions: group.is_default && flags.all_functions,
                functions: group.functions,
                ..Chosen::default()
            };
            let (region, address) = (region.region.clone(), address.clone());
            let asked = Asked { region, address, project_id: group.project_id };
            sources.push(way.source(group.name, asked, chosen));
        }
    }
    let of_addresses = addresses.iter().filter_map(|address| address.warning.clone());
    let warnings = of_addresses.chain(way.warnings()).collect();
    Ok(Config { sources, run, warnings })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ProjectScope;
    use crate::clock::Clock;
    use crate::config::Authorities;
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
        let surroundings = Surroundings {
            env: &env,
            home: None,
            file: None,
            clock: &Clock::System,
            authorities: &Authorities::default(),
        };
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
