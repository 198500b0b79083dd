//! The layers that the value of a setting may come from. The first that has one wins: flags, then
//! what the configuration file says of the very source, then variables, then the file's
//! `[defaults]`, then the defaults of the program. A value keeps its origin, so that an error can
//! name it.
//!
//! A variable comes after a source's own words since it would change all sources alike: two that
//! lie in two regions would become one.

use super::file::{FileSource, Section};
use super::flags::Flags;
use super::origin::{Origin, Setting};
use super::variables::{Environment, variable};
use crate::api::PlainHttp;
use crate::error::Failure;

/// What a setting is called in each layer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    /// The flag, with its dashes.
    pub(super) flag: &'static str,
    /// The variables, the first that is set wins.
    pub(super) variables: &'static [&'static str],
}

impl Names {
    /// A setting that has no variable.
    pub(super) const fn flag(flag: &'static str) -> Self {
        Self { flag, variables: &[] }
    }
}

pub(super) const REGION: Names =
    Names { flag: "--region", variables: &["FGARCHIVE_REGION", "HUAWEICLOUD_REGION"] };
pub(super) const ENDPOINT: Names = Names { flag: "--endpoint", variables: &["FGARCHIVE_ENDPOINT"] };
pub(super) const PROJECT_ID: Names =
    Names { flag: "--project-id", variables: &["HUAWEICLOUD_SDK_PROJECT_ID"] };
pub(super) const PLAIN_HTTP: Names = Names::flag("--allow-plain-http");
pub(super) const CA_CERT: Names = Names::flag("--ca-cert");
pub(super) const SINCE: Names = Names::flag("--since");

/// All layers but the defaults, which stand with the settings that have one.
#[derive(Clone, Copy)]
pub(super) struct Layers<'a> {
    /// The command line.
    pub(super) flags: &'a Flags,
    /// The environment.
    pub(super) env: Environment<'a>,
    /// What the configuration file says of the source that is asked.
    pub(super) source: Option<&'a FileSource>,
    /// What it says of all of them.
    pub(super) defaults: Option<&'a Section>,
}

impl Layers<'_> {
    /// A text in the first layer that has it, those of the file after the flag and after the
    /// variables; an empty one counts as not given. What comes after is not looked at.
    pub(super) fn text(
        &self,
        names: Names,
        given: Option<&str>,
        of_file: [Option<&Setting<String>>; 2],
    ) -> Result<Option<Setting<String>>, Failure> {
        let [of_source, of_defaults] = of_file;
        if let Some(text) = given.filter(|text| !text.is_empty()) {
            return Ok(Some(Setting { value: text.to_owned(), origin: Origin::Flag(names.flag) }));
        }
        if let Some(set) = of_source {
            return Ok(Some(set.clone()));
        }
        for &name in names.variables {
            if let Some(value) = variable(self.env, name)? {
                return Ok(Some(Setting { value, origin: Origin::Variable(name.to_owned()) }));
            }
        }
        Ok(of_defaults.cloned())
    }

    /// A value that a flag or the file may give, where it has no variable.
    pub(super) fn set<T: Clone>(
        &self,
        names: Names,
        given: Option<T>,
        of_file: impl Fn(&Section) -> &Option<Setting<T>>,
    ) -> Option<Setting<T>> {
        let by_flag = given.map(|value| Setting { value, origin: Origin::Flag(names.flag) });
        let sections = [self.source.map(|source| &source.section), self.defaults];
        let by_file =
            || sections.into_iter().flatten().find_map(|section| of_file(section).clone());
        by_flag.or_else(by_file)
    }

    /// The same, or else its default.
    pub(super) fn value<T: Clone>(
        &self,
        names: Names,
        given: Option<T>,
        default: T,
        of_file: impl Fn(&Section) -> &Option<Setting<T>>,
    ) -> Setting<T> {
        let by_default = || Setting { value: default, origin: Origin::Default };
        self.set(names, given, of_file).unwrap_or_else(by_default)
    }

    /// Whether credentials may be sent in the clear.
    pub(super) fn plain_http(&self) -> PlainHttp {
        let given = Some(true).filter(|_| self.flags.allow_plain_http);
        let is_set = self.value(PLAIN_HTTP, given, false, |section| &section.allow_plain_http);
        if is_set.value { PlainHttp::Anywhere } else { PlainHttp::LoopbackOnly }
    }
}

#[cfg(test)]
impl<'a> Layers<'a> {
    /// The layers where there is no file.
    pub(super) fn of(flags: &'a Flags, env: Environment<'a>) -> Self {
        Self { flags, env, source: None, defaults: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn the_first_layer_that_has_a_value_wins_and_is_named() {
        let region = |flag: Option<&str>, set: &[(&str, &str)]| {
            let env = |name: &str| {
                set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into())
            };
            let flags = Flags::default();
            let layers = Layers::of(&flags, &env);
            layers
                .text(REGION, flag, [None, None])
                .unwrap()
                .map(|found| format!("{} {}", found.value, found.origin))
        };
        let set = [("FGARCHIVE_REGION", "ours"), ("HUAWEICLOUD_REGION", "theirs")];
        assert_eq!(region(Some("flag"), &set).as_deref(), Some("flag --region"));
        assert_eq!(region(Some(""), &set).as_deref(), Some("ours FGARCHIVE_REGION"));
        assert_eq!(region(None, &set[1..]).as_deref(), Some("theirs HUAWEICLOUD_REGION"));
        assert_eq!(region(None, &[("FGARCHIVE_REGION", "")]), None);
    }
}
