//! The command line: one file a command, and what they share: logging, progress, failures.
//!
//! A command gets its arguments, the options that stand on every command, and where its data goes. Everything else that it
//! says goes to stderr.

mod backup;
mod check;
#[cfg(feature = "emulator")]
mod demo;
mod doctor;
#[cfg(feature = "emulator")]
mod emulate;
mod failure;
mod format;
mod log;
mod memory;
mod progress;
mod query;
mod service;
mod signals;
mod status;
mod sync;
mod terminal;
mod usage;
mod verify;
mod watchdog;

use crate::clock::Clock;
use crate::error::{Failure, FailureKind};
use crate::store::file::{Archive, Found, StoreError, check_open_files, inspect};
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use failure::is_closed_output;
use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::runtime::{self, Runtime};

/// Archives the asynchronous invocation records of Huawei Cloud FunctionGraph into one SQLite file, and proves which time
/// ranges are complete.
#[derive(Debug, Parser)]
#[command(name = "fgarchive", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = AFTERWORD)]
pub struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// What scripts rely on; any other code is a failure too.
const AFTERWORD: &str = "\
Exit codes:
  0    complete
  1    unexpected failure
  2    usage or configuration
  3    incomplete, safe to run again
  4    access refused by the service
  5    another run holds the archive
  6    the archive cannot be used
  7    a check found something
  130  interrupted, what was fetched is kept

NO_COLOR, when it is set and not empty, turns colours off.";

/// The variable that names the archive where no option does.
const DB_VARIABLE: &str = "FGARCHIVE_DB";

/// The archive's path when none is given.
const DEFAULT_DB: &str = "fgarchive.db";

/// The options that stand on every command.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "On every command")]
pub struct Globals {
    /// The archive: one SQLite file, made by the first `sync`
    #[arg(long, global = true, value_name = "PATH", env = DB_VARIABLE, default_value = DEFAULT_DB)]
    #[arg(value_parser = OsStringValueParser::new().map(or_default_db))]
    pub db: PathBuf,
    /// Say more on stderr; repeat it for still more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Say nothing on stderr but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// How stderr is written: for people, or as one JSON object a line
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

/// An empty path counts as not given, and an empty variable as unset.
fn or_default_db(given: OsString) -> PathBuf {
    let is_told = |path: &OsString| !path.is_empty();
    let told = Some(given).filter(is_told).or_else(|| std::env::var_os(DB_VARIABLE).filter(is_told));
    told.map_or_else(|| PathBuf::from(DEFAULT_DB), PathBuf::from)
}

impl Globals {
    /// Where the present comes from.
    pub fn clock(&self) -> Clock {
        Clock::System
    }
}

/// How logs and errors are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring the archive up to date
    ///
    /// One run walks what is pending and asks again for records that have not ended. It can be stopped
    /// or killed at any moment; the next one goes on from what was committed.
    Sync(Box<sync::Args>),
    /// Show how far each function is covered
    ///
    /// It also shows what is missing, what is open, whether the service records the function, how far
    /// back the service was seen to reach, and how long no run may come before something that is
    /// pending falls behind that. It reads the archive alone and asks the service nothing.
    Status(status::Args),
    /// Run a report, or a read-only statement in SQL
    ///
    /// A statement of your own can only read. It has one function more than SQLite,
    /// `percentile_disc(value, 0.9)`, and may use 30 seconds, 256 MiB of memory and 4 GiB of temporary
    /// files (the last two on Linux); one that needs more is ended and says so.
    Query(query::Args),
    /// Check the archive file: that it is sound, keeps its rules, and holds what was written
    ///
    /// It reads the whole file and asks the service nothing. On a finding it exits 7, and says where
    /// it is and what to do.
    Check(check::Args),
    /// Copy the archive, even while a run writes to it, and verify the copy
    ///
    /// The copy is verified before it takes its name, so a bad copy never replaces a good one. It
    /// replaces nothing but an empty file or an earlier copy of the same archive.
    Backup(backup::Args),
    /// Compare settled windows with what the service shows now
    ///
    /// Records that came late or changed are repaired, with their history; records that are gone stay
    /// archived. On a finding it exits 7. Without --function it walks every archived function of the
    /// project, and a function that is named must be archived.
    Verify(Box<verify::Args>),
    /// Diagnose access, and probe how the service behaves
    ///
    /// It checks credentials, clock, project, permissions and the recording of each function, then asks
    /// the function with the most records what the service's documentation leaves open. It only reads:
    /// some sixty requests, and two for each function. Without --function it checks every function. It
    /// exits 7 when something needs attention, and says what to do.
    Doctor(Box<doctor::Args>),
    /// Serve a stand-in for the service to try the program against
    #[cfg(feature = "emulator")]
    Emulate(Box<emulate::Args>),
    /// Show the whole program at work, offline: a stand-in service, two runs, reports
    #[cfg(feature = "emulator")]
    Demo(demo::Args),
}

/// The program: reads the command line, runs the command, and tells how it ended.
pub fn main() -> ExitCode {
    failure::show_panics();
    let arguments: Vec<_> = std::env::args_os().collect();
    let cli = match usage::parse(&arguments) {
        Ok(cli) => cli,
        // What clap has to say is printed there.
        Err(error) => return exit_code(usage::show(&error, &arguments).as_ref()),
    };
    let format = cli.globals.log_format;
    let result = cli.run(&mut BufWriter::new(terminal::stdout()));
    if let Err(failure) = &result
        && !is_closed_output(failure)
    {
        failure::show(failure, format, &mut io::stderr());
    }
    exit_code(result.as_ref())
}

fn exit_code(result: Result<&(), &Failure>) -> ExitCode {
    match result {
        Err(failure) if !is_closed_output(failure) => ExitCode::from(failure.kind.exit_code()),
        Ok(()) | Err(_) => ExitCode::SUCCESS,
    }
}

impl Cli {
    /// Runs the command; its data goes to `out`.
    pub fn run(self, out: &mut dyn Write) -> Result<(), Failure> {
        log::start(&self.globals);
        signals::outlive_limit_on_files();
        let globals = &self.globals;
        let result = match self.command {
            Command::Sync(args) => sync::run(&args, globals, out),
            Command::Status(args) => status::run(args, globals, out),
            Command::Query(args) => query::run(args, globals, out),
            Command::Check(args) => check::run(&args, globals, out),
            Command::Backup(args) => backup::run(&args, globals, out),
            Command::Verify(args) => verify::run(&args, globals, out),
            Command::Doctor(args) => doctor::run(&args, globals, out),
            #[cfg(feature = "emulator")]
            Command::Emulate(args) => emulate::run(&args, globals, out),
            #[cfg(feature = "emulator")]
            Command::Demo(args) => demo::run(&args, globals, out),
        };
        // What a command found is printed before its failure.
        let flushed = out.flush().map_err(failure::output);
        result.and(flushed)
    }
}

/// The archive, to be changed: one that is there, since only `sync` makes one.
fn open_archive(globals: &Globals) -> Result<Archive, Failure> {
    let refused = |error: StoreError| error.into_failure(&globals.db);
    match inspect(&globals.db).map_err(refused)? {
        Found::Missing => Err(refused(StoreError::Missing)),
        Found::Empty => Err(refused(StoreError::Empty)),
        Found::Ours { .. } => Archive::open(&globals.db).map_err(refused),
    }
}

/// The runtime of the commands that speak to the network. Two threads fetch and decode beside the one that commits.
fn runtime() -> Result<Runtime, Failure> {
    let cannot = |error| {
        Failure::new(FailureKind::Unexpected, "cannot start the runtime")
            .because(error)
            .hint("raise the limit on open files: ulimit -n 1024")
    };
    // Asked beforehand: tokio panics where it cannot make the pipe over which signals come.
    check_open_files(Path::new("/")).map_err(cannot)?;
    runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(cannot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_of_every_command_may_follow_it() {
        let cli =
            Cli::try_parse_from(["fgarchive", "query", "list", "--db", "x.db", "-vv", "--log-format", "json"]).unwrap();
        assert_eq!(cli.globals.db, PathBuf::from("x.db"));
        assert_eq!((cli.globals.verbose, cli.globals.log_format), (2, LogFormat::Json));
    }
}
