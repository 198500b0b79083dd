//! Variables, files and flags made into checked values. Credentials are read here and nowhere else, and
//! leave this room only in types that do not print them.
//!
//! A variable that is empty counts as unset: that is how scripts unset one.

mod credentials;
mod moments;
mod profile;
mod service;

pub use credentials::{LoadedCredentials, load_credentials, read_ca_cert};
pub use moments::{parse_duration, parse_moment_or_age};
pub use service::{ServiceAddress, ServiceOptions, locate_service};

use crate::error::{Failure, FailureKind};

/// How a variable is looked up; a test gives its own.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The value of a variable that is set and not empty.
fn variable(env: Environment<'_>, name: &str) -> Option<String> {
    env(name).filter(|value| !value.is_empty())
}

fn usage(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Usage, message)
}
