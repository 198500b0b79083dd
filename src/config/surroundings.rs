//! Where the layers of settings are found.

use super::authorities::Authorities;
use super::file::ConfigFile;
use super::variables::Environment;
use crate::clock::Clock;
use std::path::Path;

/// Where the other layers are found.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The environment.
    pub env: Environment<'a>,
    /// The user's home directory, where one is known.
    pub home: Option<&'a Path>,
    /// The configuration file, where there is one.
    pub file: Option<&'a ConfigFile>,
    /// Where the present comes from.
    pub clock: &'a Clock,
    /// Who is trusted to vouch for a service, read once.
    pub authorities: &'a Authorities,
}
