//! What the command line says.

use crate::domain::FunctionRef;
use std::path::PathBuf;
use std::time::Duration;

/// The flags of a command that asks the service; what was not given is left to the other layers.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--source`: the names of the sources in the configuration file that are meant; all, where
    /// there are none.
    pub sources: Vec<String>,
    /// `--function`: the functions that are named, some by URNs, which name a region and a project.
    pub functions: Vec<FunctionRef>,
    /// `--all-functions`.
    pub all_functions: bool,
    /// `--region`.
    pub region: Option<String>,
    /// `--project-id`.
    pub project_id: Option<String>,
    /// `--endpoint`.
    pub endpoint: Option<String>,
    /// `--concurrency`.
    pub concurrency: Option<usize>,
    /// `--max-rps`.
    pub max_rps: Option<f64>,
    /// `--request-timeout`.
    pub request_timeout: Option<Duration>,
    /// `--ca-cert`.
    pub ca_cert: Option<PathBuf>,
    /// `--allow-plain-http`.
    pub allow_plain_http: bool,
    /// `--strict`: what may be wrong although it can be used is refused.
    pub strict: bool,
    /// `--since`.
    pub since: Option<String>,
    /// `--until`.
    pub until: Option<String>,
    /// `--settle-delay`.
    pub settle_delay: Option<Duration>,
    /// `--open-recheck`.
    pub open_recheck: Option<Duration>,
    /// `--verify-budget`, in percent.
    pub verify_budget: Option<f64>,
}
