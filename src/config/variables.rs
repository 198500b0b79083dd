//! Reading a variable, and showing a value in an error.

use crate::error::{Failure, FailureKind};
use std::ffi::OsString;

/// The most characters of a value that are shown.
const MOST_SHOWN: usize = 100;

/// How a variable is looked up; a test gives its own.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The value of a variable that is set and not empty.
pub(super) fn variable(env: Environment<'_>, name: &str) -> Result<Option<String>, Failure> {
    let Some(value) = env(name).filter(|value| !value.is_empty()) else { return Ok(None) };
    // The value may be a secret, and stays unsaid.
    let foreign =
        |_| usage(format!("the value of {name} is not UTF-8")).hint("set it again, in UTF-8");
    value.into_string().map(Some).map_err(foreign)
}

/// A value that is no secret, for an error: quoted, and cut where it is long.
pub(super) fn shown(value: &str) -> String {
    let mut characters = value.chars();
    let begin: String = characters.by_ref().take(MOST_SHOWN).collect();
    if characters.next().is_none() { format!("{begin:?}") } else { format!("{begin:?}…") }
}

pub(super) fn usage(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Usage, message)
}
