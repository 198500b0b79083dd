//! The layers that the value of a setting may come from. The first that has one wins: flags, then
//! variables, then defaults. A value keeps its origin, so that an error can name it.

use super::flags::Flags;
use super::variables::{Environment, variable};
use crate::api::PlainHttp;
use crate::error::Failure;
use std::fmt;
use std::path::PathBuf;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag, with its dashes.
    Flag(&'static str),
    /// An environment variable.
    Variable(String),
    /// A key in a file.
    File {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
    },
    /// It was set nowhere.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => f.write_str(name),
            Self::Variable(name) => f.write_str(name),
            Self::File { path, key } => write!(f, "{key} in the file `{}`", path.display()),
            Self::Default => f.write_str("the default"),
        }
    }
}

/// A value and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}

impl<T> Setting<T> {
    /// The same setting with its value read or checked, which may fail by its origin.
    pub(super) fn try_map<U>(
        self,
        read: impl FnOnce(T, &Origin) -> Result<U, Failure>,
    ) -> Result<Setting<U>, Failure> {
        let Self { value, origin } = self;
        Ok(Setting { value: read(value, &origin)?, origin })
    }
}

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
pub(super) const CA_CERT: Names = Names::flag("--ca-cert");
pub(super) const SINCE: Names = Names::flag("--since");
pub(super) const UNTIL: Names = Names::flag("--until");

/// All layers but the defaults, which stand with the settings that have one.
#[derive(Clone, Copy)]
pub(super) struct Layers<'a> {
    /// The command line.
    pub(super) flags: &'a Flags,
    /// The environment.
    pub(super) env: Environment<'a>,
}

impl Layers<'_> {
    /// A text in the first layer that has it; an empty one counts as not given. What comes after is
    /// not looked at.
    pub(super) fn text(
        &self,
        names: Names,
        given: Option<&str>,
    ) -> Result<Option<Setting<String>>, Failure> {
        if let Some(text) = given.filter(|text| !text.is_empty()) {
            return Ok(Some(Setting { value: text.to_owned(), origin: Origin::Flag(names.flag) }));
        }
        for &name in names.variables {
            if let Some(value) = variable(self.env, name)? {
                return Ok(Some(Setting { value, origin: Origin::Variable(name.to_owned()) }));
            }
        }
        Ok(None)
    }

    /// A text that only a flag gives, and that an empty one does not take back.
    pub(super) fn given(names: Names, given: Option<&str>) -> Option<Setting<String>> {
        given.map(|text| Setting { value: text.to_owned(), origin: Origin::Flag(names.flag) })
    }

    /// A value that a flag may give, or else its default.
    pub(super) fn value<T>(names: Names, given: Option<T>, default: T) -> Setting<T> {
        match given {
            Some(value) => Setting { value, origin: Origin::Flag(names.flag) },
            None => Setting { value: default, origin: Origin::Default },
        }
    }

    /// Whether credentials may be sent in the clear.
    pub(super) fn plain_http(&self) -> PlainHttp {
        if self.flags.allow_plain_http { PlainHttp::Anywhere } else { PlainHttp::LoopbackOnly }
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
            let layers = Layers { flags: &Flags::default(), env: &env };
            layers
                .text(REGION, flag)
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
