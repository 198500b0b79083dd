//! A value and where it comes from.

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
        /// The line, from 1 on, where it is known.
        line: Option<usize>,
    },
    /// It was set nowhere.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => f.write_str(name),
            Self::Variable(name) => f.write_str(name),
            Self::File { path, key, line: None } => {
                write!(f, "{key} in the file `{}`", path.display())
            }
            Self::File { path, key, line: Some(line) } => {
                write!(f, "{key} in the file `{}`, line {line}", path.display())
            }
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
