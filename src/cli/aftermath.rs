//! What a run leaves for other programs, however it ended: a summary, and metrics.
//!
//! A file that cannot be written is told and fails nothing: the records are archived all the same,
//! and whoever reads the file sees by its times that it is old.

use super::failure;
use super::globals::Globals;
use super::output::{self, Readers};
use crate::config::ConfigFile;
use crate::domain::{FunctionUrn, Timestamp};
use crate::error::Failure;
use crate::monitor::{LastRun, Metrics};
use crate::render::views::SummaryView;
use crate::render::write_json_line;
use crate::store::file::Reader;
use crate::store::read::{ArchiveStatus, FunctionStatus};
use crate::store::reports::Arguments;
use crate::sync::RunReport;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The arguments of `sync` that name the files.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct AftermathArgs {
    /// Write a JSON object about the run to this file, also when the run fails
    ///
    /// It holds what --json prints, when the run began and ended, and its exit code and error.
    #[arg(long, value_name = "FILE", value_parser = parse_summary_file)]
    summary_file: Option<PathBuf>,
    /// Write metrics to this file, also when the run fails, for the textfile collector of
    /// Prometheus' node exporter
    ///
    /// Its name must end in `.prom`. Everybody may read it (mode 0644), since the exporter is
    /// another user.
    #[arg(long, value_name = "FILE", value_parser = parse_metrics_file)]
    metrics_file: Option<PathBuf>,
    /// How many functions the metrics tell one by one, the first by name
    #[arg(long, value_name = "N", default_value_t = 1_000, allow_negative_numbers = true)]
    metrics_functions: usize,
}

/// A dash stands for standard output elsewhere; a file of that name would surprise.
fn parse_summary_file(given: &str) -> Result<PathBuf, String> {
    match given {
        "-" => Err("it names a file; --json prints the same to standard output".to_owned()),
        path => Ok(PathBuf::from(path)),
    }
}

/// The collector passes over files with other names, which nobody would notice.
fn parse_metrics_file(given: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(given);
    if path.extension().is_some_and(|extension| extension == "prom") {
        Ok(path)
    } else {
        Err("the name must end in `.prom`, or the collector does not read it".to_owned())
    }
}

/// A run that was tried.
pub(super) struct Tried<'a> {
    pub(super) started_at: Timestamp,
    /// What it did, or why it could not begin.
    pub(super) report: Result<&'a RunReport, &'a Failure>,
}

impl AftermathArgs {
    /// Writes the files that are asked for.
    pub(super) fn leave(&self, tried: &Tried<'_>, globals: &Globals) {
        let ended_at = globals.clock().now();
        if let Some(file) = &self.summary_file {
            let view = SummaryView::of([tried.started_at, ended_at], tried.report);
            warn(output::write_whole(file, &globals.db, Readers::Owner, |out| {
                write_json_line(&view, out).map_err(failure::output)
            }));
        }
        if let Some(file) = &self.metrics_file {
            warn(self.write_metrics(file, tried, ended_at, globals));
        }
    }

    fn write_metrics(
        &self,
        file: &Path,
        tried: &Tried<'_>,
        ended_at: Timestamp,
        globals: &Globals,
    ) -> Result<(), Failure> {
        let db = &globals.db;
        let arguments = Arguments::at(ended_at);
        let archive = Reader::open(db).and_then(|mut reader| reader.status(&arguments));
        let of = |status: &ArchiveStatus| sources(globals.file.as_ref()?, status, tried);
        let sources = archive.as_ref().ok().and_then(of);
        let counts = tried.report.map(RunReport::counts).unwrap_or_default();
        let metrics = Metrics {
            last_run: LastRun {
                at: ended_at,
                duration: Duration::from_secs(
                    u64::try_from(ended_at.seconds_since(tried.started_at)).unwrap_or(0),
                ),
                exit_code: match tried.report {
                    Ok(report) => report.exit_code(),
                    Err(failure) => failure.kind.exit_code(),
                },
                requests: counts.requests.sent,
                throttled: counts.requests.throttled,
            },
            archive: archive.as_ref().ok(),
            sources: sources.as_ref(),
            bytes: fs::metadata(db).ok().map(|metadata| metadata.len()),
            most_functions: self.metrics_functions,
        };
        output::write_whole(file, db, Readers::Everybody, |out| {
            metrics.write(out).map_err(failure::output)
        })
    }
}

/// The source of each function, where the file names sources: as the file tells it, and where that
/// leaves several, the one that asked for it just now.
fn sources(
    file: &ConfigFile,
    status: &ArchiveStatus,
    tried: &Tried<'_>,
) -> Option<HashMap<String, String>> {
    if file.source_names().is_empty() {
        return None;
    }
    let reports = tried.report.ok().into_iter().flat_map(|report| &report.sources);
    let asked = reports
        .flat_map(|source| source.functions.iter().map(|function| (&function.urn, &*source.name)));
    let asked: HashMap<&FunctionUrn, &str> = asked.collect();
    let source = |function: &FunctionStatus| {
        let urn: FunctionUrn = function.urn.parse().ok()?;
        let name = match file.sources_of(&urn)[..] {
            [name] => name,
            _ => asked.get(&urn).copied()?,
        };
        Some((function.urn.clone(), name.to_owned()))
    };
    Some(status.functions.iter().filter_map(source).collect())
}

fn warn(written: Result<(), Failure>) {
    if let Err(failure) = written {
        tracing::error!("{failure}");
    }
}
