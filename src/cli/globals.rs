//! The options that stand on every command.

use crate::clock::Clock;
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// The variable that names the archive where no option does.
const DB_VARIABLE: &str = "FGARCHIVE_DB";

/// The archive's path when none is given.
const DEFAULT_DB: &str = "fgarchive.db";

/// The options that stand on every command.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "On every command")]
pub(super) struct Globals {
    /// The archive: one SQLite file, made by the first `sync`
    #[arg(long, global = true, value_name = "PATH", env = DB_VARIABLE, default_value = DEFAULT_DB)]
    #[arg(value_parser = OsStringValueParser::new().map(or_default_db))]
    pub(super) db: PathBuf,
    /// Say more on stderr; repeat it for still more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// Say nothing on stderr but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// How stderr is written: for people, or as one JSON object a line
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "FORMAT",
        default_value_t = LogFormat::Text
    )]
    pub(super) log_format: LogFormat,
}

/// An empty path counts as not given, and an empty variable as unset.
fn or_default_db(given: OsString) -> PathBuf {
    let is_told = |path: &OsString| !path.is_empty();
    let told =
        Some(given).filter(is_told).or_else(|| std::env::var_os(DB_VARIABLE).filter(is_told));
    told.map_or_else(|| PathBuf::from(DEFAULT_DB), PathBuf::from)
}

impl Globals {
    /// Where the present comes from.
    #[expect(
        clippy::unused_self,
        reason = "commands take the time from their options, as they take the archive"
    )]
    pub(super) fn clock(&self) -> Clock {
        Clock::System
    }
}

/// How logs and errors are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}
