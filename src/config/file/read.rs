//! Reading the file as a whole.

use super::alerts::{self, AlertRule, Notify, RulePart};
use super::checks;
use super::document::Document;
use super::place::Written;
use super::section::{FileSource, Login, Section, path};
use crate::config::origin::Setting;
use crate::config::profile::read_limited;
use crate::config::variables::usage;
use crate::error::Failure;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The largest file read: a source is a few hundred bytes, so that this holds thousands.
const MAX_FILE: u64 = 1024 * 1024;

/// The configuration file, read and checked as far as that can be done without asking anybody.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    path: PathBuf,
    text: String,
    archive: Option<Setting<PathBuf>>,
    reports: Option<Setting<Vec<PathBuf>>>,
    notify: Notify,
    alerts: Vec<AlertRule>,
    pub(in crate::config) defaults: Section,
    pub(in crate::config) sources: Vec<FileSource>,
}

impl ConfigFile {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The archive that it names.
    pub fn archive(&self) -> Option<&Setting<PathBuf>> {
        self.archive.as_ref()
    }

    /// The directories with reports that it names.
    pub fn reports(&self) -> Option<&Setting<Vec<PathBuf>>> {
        self.reports.as_ref()
    }

    /// Who is told of runs and alerts.
    pub fn notify(&self) -> &Notify {
        &self.notify
    }

    /// Of what somebody is told beside what the program knows itself.
    pub fn alerts(&self) -> &[AlertRule] {
        &self.alerts
    }

    /// What is wrong with a rule, at its place.
    pub fn wrong_alert(&self, rule: &AlertRule, part: RulePart, what: &str) -> Failure {
        let what = format!("the alert `{}`: {what}", rule.name);
        self.wrong(rule.place(part), &what)
    }

    /// The longest settle delay that it names.
    pub fn longest_settle_delay(&self) -> Option<Duration> {
        let sections = self.sources.iter().map(|source| &source.section).chain([&self.defaults]);
        sections.filter_map(|it| it.settle_delay.as_ref()).map(|set| set.value).max()
    }

    /// The names of its sources.
    pub fn source_names(&self) -> Vec<&str> {
        self.sources.iter().map(|source| source.name.as_str()).collect()
    }

    /// The files with keys beside it that its sources name without a directory, each once: a
    /// service manager may hand them over instead.
    pub fn key_files(&self) -> Vec<&Path> {
        let logins = self.sources.iter().filter_map(|source| source.login.as_ref());
        let mut files = Vec::new();
        for login in logins {
            if let Login::File(file) = &login.value
                && file.components().count() == 1
                && !files.contains(&&**file)
            {
                files.push(file.as_path());
            }
        }
        files
    }

    /// Reads the text of a file that is, or shall be, at a path. `home` is what `~/` at the begin
    /// of a path stands for.
    pub fn parse(path: &Path, text: String, home: Option<&Path>) -> Result<Self, Failure> {
        parse(path, text, home)
    }

    /// What is wrong at a place in it.
    pub(in crate::config) fn wrong(&self, span: &Range<usize>, what: &str) -> Failure {
        Written { path: &self.path, text: &self.text, home: None }.wrong(span, what)
    }
}

pub(super) fn read(path: &Path, home: Option<&Path>) -> Result<ConfigFile, Failure> {
    let named =
        |why: &str| usage(format!("cannot read the configuration `{}`{why}", path.display()));
    let bytes = read_limited(path, MAX_FILE).map_err(|error| {
        let failure = named("").because(error);
        failure.hint("--config names another file, and --no-config reads none")
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..good].split(|byte| *byte == b'\n').count();
        named(&format!(": line {line} is not UTF-8"))
    })?;
    parse(path, text, home)
}

/// Reads the text of a file.
pub(super) fn parse(path: &Path, text: String, home: Option<&Path>) -> Result<ConfigFile, Failure> {
    let written = Written { path, text: &text, home };
    let document: Document = toml::from_str(&text).map_err(|error| written.unreadable(&error))?;
    let Document { archive, reports, defaults, notify, alert, source } = document;
    let archive =
        archive.map(|it| written.setting("archive", &it, |text| self::path(text, written)));
    let reports = reports.map(|directories| {
        let read = |it| written.setting("reports", it, |text: &String| self::path(text, written));
        let all = directories.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let origin = all.first().map(|first| first.origin.clone());
        let value = all.into_iter().map(|it| it.value).collect();
        Ok(origin.map(|origin| Setting { value, origin }))
    });
    let notify = notify.map(|notify| Notify::read(&notify, written)).transpose()?;
    let alerts = alerts::read_rules(&alert.unwrap_or_default(), written)?;
    let defaults = defaults.map(|defaults| Section::of_defaults(&defaults, written)).transpose()?;
    let read = |source: &_| checks::read_source(source, written);
    let sources = source.unwrap_or_default().iter().map(read).collect::<Result<Vec<_>, _>>()?;
    checks::check_sources(&sources, written)?;
    Ok(ConfigFile {
        path: path.to_owned(),
        archive: archive.transpose()?,
        reports: reports.transpose()?.flatten(),
        notify: notify.unwrap_or_default(),
        alerts,
        defaults: defaults.unwrap_or_default(),
        sources,
        text,
    })
}

#[cfg(test)]
mod tests;
