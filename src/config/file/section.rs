//! The tables of the file with their values read: settings that know where they come from.

use super::document::{self, Settings, Text};
use super::place::Written;
use crate::config::moments::check_moment_or_age;
use crate::config::origin::Setting;
use crate::config::values::{
    MOST_CONCURRENT, check_percent, check_rate, parse_duration, parse_timeout,
};
use crate::config::variables::shown;
use crate::domain::{FunctionFilter, FunctionRef};
use crate::error::Failure;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The settings of a table; what it does not give is left to the other layers.
#[derive(Clone, Debug, Default)]
pub(in crate::config) struct Section {
    pub(in crate::config) region: Option<Setting<String>>,
    pub(in crate::config) since: Option<Setting<String>>,
    pub(in crate::config) settle_delay: Option<Setting<Duration>>,
    pub(in crate::config) open_recheck: Option<Setting<Duration>>,
    pub(in crate::config) max_rps: Option<Setting<f64>>,
    pub(in crate::config) concurrency: Option<Setting<usize>>,
    pub(in crate::config) request_timeout: Option<Setting<Duration>>,
    pub(in crate::config) ca_cert: Option<Setting<PathBuf>>,
    pub(in crate::config) allow_plain_http: Option<Setting<bool>>,
    /// In percent; of the run as a whole, so that no source has one.
    pub(in crate::config) verify_budget: Option<Setting<f64>>,
}

/// How a source logs in, where it does not do it as the environment says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) enum Login {
    /// By the keys of this section of the SDKs' profile file.
    Profile(String),
    /// By variables with this prefix.
    Variables(String),
    /// By a file of keys.
    File(PathBuf),
    /// By what a command prints: the program, and its arguments.
    Command(Vec<String>),
    /// By the metadata of the cloud server that this is.
    Metadata,
}

/// A source of the file.
#[derive(Clone, Debug)]
pub(in crate::config) struct FileSource {
    /// Its name, unique in the file.
    pub(in crate::config) name: String,
    pub(in crate::config) section: Section,
    pub(in crate::config) project_id: Option<Setting<String>>,
    pub(in crate::config) endpoint: Option<Setting<String>>,
    /// Functions that are named, and asked for whether they are listed or not.
    pub(in crate::config) functions: Vec<FunctionRef>,
    /// Whether functions are listed.
    pub(in crate::config) is_listing: bool,
    /// Which of the listed functions are meant.
    pub(in crate::config) filter: FunctionFilter,
    /// What of `functions` and `exclude` is written, to be shown.
    pub(in crate::config) written: Setting<String>,
    pub(in crate::config) login: Option<Setting<Login>>,
    /// Where it stands in the file.
    pub(in crate::config) span: Range<usize>,
    /// Where its region stands, if it has one.
    pub(in crate::config) region_span: Option<Range<usize>>,
}

impl Section {
    pub(super) fn read(settings: &Settings<'_>, written: Written<'_>) -> Result<Self, Failure> {
        let text = |key, set: Option<&Text>| {
            set.map(|it| written.setting(key, it, |text| told(text))).transpose()
        };
        let duration = |key, set: Option<&Text>| {
            set.map(|it| written.setting(key, it, |text| duration(text))).transpose()
        };
        let path = |text: &String| path(text, written);
        let timeout = |text: &String| parse_timeout(text).map_err(|why| is_a_bad_one(text, &why));
        let since = |text: &String| check_moment_or_age(text).map(|()| text.clone());
        Ok(Self {
            region: text("region", settings.region)?,
            since: settings.since.map(|it| written.setting("since", it, since)).transpose()?,
            settle_delay: duration("settle_delay", settings.settle_delay)?,
            open_recheck: duration("open_recheck", settings.open_recheck)?,
            max_rps: settings
                .max_rps
                .map(|it| written.setting("max_rps", it, |rate| check_rate(*rate)))
                .transpose()?,
            concurrency: settings
                .concurrency
                .map(|it| written.setting("concurrency", it, |number| concurrency(*number)))
                .transpose()?,
            request_timeout: settings
                .request_timeout
                .map(|it| written.setting("request_timeout", it, timeout))
                .transpose()?,
            ca_cert: settings.ca_cert.map(|it| written.setting("ca_cert", it, path)).transpose()?,
            allow_plain_http: settings
                .allow_plain_http
                .map(|it| written.setting("allow_plain_http", it, |is_set| Ok(*is_set)))
                .transpose()?,
            verify_budget: None,
        })
    }

    pub(super) fn of_defaults(
        defaults: &document::Defaults,
        written: Written<'_>,
    ) -> Result<Self, Failure> {
        let budget = defaults.verify_budget.as_ref();
        let verify_budget = budget
            .map(|it| written.setting("verify_budget", it, |percent| check_percent(*percent)));
        let section = Self::read(&defaults.settings(), written)?;
        Ok(Self { verify_budget: verify_budget.transpose()?, ..section })
    }
}

/// A text that says something.
pub(super) fn told(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("it is empty".to_owned()) } else { Ok(text.to_owned()) }
}

/// A path: `~/` is the user's home, and a relative one begins at the directory of the file.
pub(super) fn path(text: &str, written: Written<'_>) -> Result<PathBuf, String> {
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    if let Some(rest) = text.strip_prefix("~/") {
        let home = written.home.ok_or("there is no home directory that `~` could stand for")?;
        return Ok(home.join(rest));
    }
    let directory = written.path.parent().unwrap_or(Path::new(""));
    Ok(directory.join(text))
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|why| is_a_bad_one(text, &why))
}

fn is_a_bad_one(text: &str, why: &str) -> String {
    format!("{} is {why}", shown(text))
}

fn concurrency(number: i64) -> Result<usize, String> {
    let is_fit = |number: &usize| (1..=MOST_CONCURRENT as usize).contains(number);
    let out = || format!("{number} is not between 1 and {MOST_CONCURRENT}");
    usize::try_from(number).ok().filter(is_fit).ok_or_else(out)
}
