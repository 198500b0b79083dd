//! The sources of the configuration file, made ready to be asked.

use super::file::{ConfigFile, FileSource};
use super::flags::Flags;
use super::grouping::region_that_is_set;
use super::layers::Layers;
use super::loaded::{Config, RunConfig};
use super::login::log_in;
use super::origin::Origin;
use super::project::project_that_is_set;
use super::selection::select;
use super::service::{ServiceAddress, locate_service};
use super::source::{Asked, Chosen, SourceConfig, Way, unknown_project};
use super::surroundings::Surroundings;
use crate::api::{Credentials, known_regions};
use crate::domain::nearest;
use crate::error::Failure;
use std::collections::{HashMap, HashSet};

/// Reads everything that the sources need which a command is about.
pub(super) fn load(
    flags: &Flags,
    file: &ConfigFile,
    surroundings: &Surroundings<'_>,
) -> Result<Config, Failure> {
    let defaults = Some(&file.defaults);
    let common = Layers { flags, env: surroundings.env, source: None, defaults };
    let run = RunConfig::of(common, surroundings.clock.now())?;
    let selected = select(flags, file)?;
    let is_only = selected.len() == 1;
    let (mut sources, mut warnings, mut told) = (Vec::new(), Vec::new(), HashSet::new());
    for (source, chosen) in selected {
        let layers = Layers { source: Some(source), ..common };
        let reading = Reading { layers, file, source, surroundings, is_only };
        let (config, warned) = reading.load(chosen)?;
        // What is wrong with the surroundings is wrong for each source, and told with the first.
        let news = warned.into_iter().filter(|warning| told.insert(warning.clone()));
        warnings.extend(news.map(|warning| format!("{}: {warning}", source.name)));
        sources.push(config);
    }
    share_pace(&mut sources);
    Ok(Config { sources, run, warnings })
}

/// A source that is being made ready.
struct Reading<'a> {
    layers: Layers<'a>,
    file: &'a ConfigFile,
    source: &'a FileSource,
    surroundings: &'a Surroundings<'a>,
    /// Whether no other source is asked beside it.
    is_only: bool,
}

impl Reading<'_> {
    fn load(&self, chosen: Chosen) -> Result<(SourceConfig, Vec<String>), Failure> {
        let Self { layers, source, surroundings, .. } = *self;
        let (region, address) = self.locate()?;
        let loaded = match log_in(source.login.as_ref(), layers, surroundings) {
            Ok(loaded) => loaded,
            // Whoever cannot log in leaves the other sources alone.
            Err(failure) if !self.is_only => super::credentials::unusable(&failure),
            Err(failure) => return Err(self.of_source(failure)),
        };
        // One that stands beside the keys of several sources can be that of one of them at most.
        let is_own = source.login.is_some() || self.file.sources.len() == 1;
        let beside = loaded.project_id.clone().filter(|_| is_own).map(|set| set.value);
        let project_id = self.project()?.or(beside);
        let is_password = matches!(loaded.credentials, Credentials::Password(_));
        if project_id.is_none() && address.iam.is_none() && !is_password {
            return Err(self.of_source(unknown_project()));
        }
        let addresses = [address.clone()];
        let way = Way::new(layers, loaded, &addresses, surroundings)?;
        let warnings = way.warnings();
        let asked = Asked { region, address, project_id };
        Ok((way.source(source.name.clone(), asked, chosen), warnings))
    }

    /// Where the source is. A region that nobody knows is most often mistyped, and who asks a new
    /// one can give its address.
    fn locate(&self) -> Result<(String, ServiceAddress), Failure> {
        let Self { layers, file, source, .. } = *self;
        let Some(region) = region_that_is_set(layers)? else {
            let what = format!("the source `{}` has no region", source.name);
            return Err(file
                .wrong(&source.span, &what)
                .hint("write its id: region = \"cn-north-4\""));
        };
        let address = locate_service(&region.value, layers)?;
        if address.warning.is_some() {
            let what = format!(
                "the source `{}`: there is no region `{}` with FunctionGraph",
                source.name, region.value
            );
            let is_here = matches!(region.origin, Origin::File { .. });
            let span = source.region_span.as_ref().filter(|_| is_here).unwrap_or(&source.span);
            let near = nearest(&region.value, known_regions().iter().copied()).next();
            let near = near.unwrap_or_default();
            return Err(file.wrong(span, &what).hint(format!(
                "the nearest is `{near}`; a region newer than this program needs `endpoint`"
            )));
        }
        Ok((region.value, address))
    }

    /// The project that is named for the source. The variable for it belongs to the login of the
    /// other variables, and to one region: it is that of a source which is alone in the file.
    fn project(&self) -> Result<Option<String>, Failure> {
        let Self { layers, file, source, .. } = *self;
        let is_of_variable = file.sources.len() == 1 && source.login.is_none();
        let layers = if is_of_variable { layers } else { Layers { env: &|_| None, ..layers } };
        Ok(project_that_is_set(layers)?.map(|set| set.value))
    }

    fn of_source(&self, failure: Failure) -> Failure {
        Failure { message: format!("{}: {}", self.source.name, failure.message), ..failure }
    }
}

/// Sources of one project share what it is asked a second: each gets its part.
fn share_pace(sources: &mut [SourceConfig]) {
    let project = |source: &SourceConfig| {
        let client = &source.client;
        (client.functions_base.to_string(), client.region.clone(), client.project_id.clone())
    };
    let mut sharing = HashMap::new();
    for source in &*sources {
        *sharing.entry(project(source)).or_insert(0_u32) += 1;
    }
    for source in sources {
        let parts = sharing.get(&project(source)).copied().unwrap_or(1);
        source.settings.max_rps /= f64::from(parts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::config::Authorities;
    use pretty_assertions::assert_eq;
    use std::path::Path;

    /// Region, project and requests a second of each source.
    fn loaded(text: &str, set: &[(&str, &str)]) -> Vec<String> {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".huaweicloud")).unwrap();
        let profile = "[basic]\nak = AK\nsk = s\nproject_id = basic\n[own]\nak = AK\nsk = s\n\
                       project_id = own\n";
        std::fs::write(home.path().join(".huaweicloud/credentials"), profile).unwrap();
        let env =
            |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into());
        let file = ConfigFile::parse(Path::new("/c.toml"), text.to_owned(), None).unwrap();
        let clock = &Clock::System;
        let surroundings = Surroundings {
            env: &env,
            home: Some(home.path()),
            file: Some(&file),
            clock,
            authorities: &Authorities::default(),
        };
        let config = load(&Flags::default(), &file, &surroundings).unwrap();
        let shown = |source: &SourceConfig| {
            let project = source.client.project_id.as_deref().unwrap_or("(looked up)");
            format!("{} {project} {}", source.client.region, source.settings.max_rps)
        };
        config.sources.iter().map(shown).collect()
    }

    const SET: [(&str, &str); 2] =
        [("HUAWEICLOUD_SDK_PROJECT_ID", "set"), ("FGARCHIVE_REGION", "cn-south-1")];

    #[test]
    fn a_project_that_is_said_once_is_that_of_one_source() {
        let one = "[[source]]\nname = \"a\"\nregion = \"cn-north-4\"\n";
        let other = "[[source]]\nname = \"b\"\nregion = \"cn-east-3\"\n";
        assert_eq!(loaded(one, &SET), ["cn-north-4 set 5"]);
        assert_eq!(loaded(one, &[]), ["cn-north-4 basic 5"]);
        let both = format!("{one}{other}");
        assert_eq!(loaded(&both, &SET), ["cn-north-4 (looked up) 5", "cn-east-3 (looked up) 5"]);
        let own = format!("{both}credentials = {{ profile = \"own\" }}\n");
        assert_eq!(loaded(&own, &SET), ["cn-north-4 (looked up) 5", "cn-east-3 own 5"]);
    }

    #[test]
    fn sources_of_one_project_share_its_pace() {
        let source = |name: &str, project: &str, more: &str| {
            format!(
                "[[source]]\nname = \"{name}\"\nproject_id = \"{project}\"\n\
                 functions = [\"{name}:*\"]\n{more}"
            )
        };
        let text = [
            source("a", "p", ""),
            source("b", "p", "max_rps = 3\n"),
            source("c", "q", "region = \"cn-north-4\"\n"),
        ];
        assert_eq!(
            loaded(&text.concat(), &SET),
            ["cn-south-1 p 2.5", "cn-south-1 p 1.5", "cn-north-4 q 5"]
        );
    }
}
