//! The command line as clap reads it: the options of every command, and the commands with their
//! own.

use super::globals::GlobalArgs;
#[cfg(feature = "web")]
use super::serve;
use super::{
    alerts, backup, check, compact, completions, config, doctor, export, init, page, prune, query,
    schedule, status, sync, verify,
};
#[cfg(feature = "emulator")]
use super::{demo, emulate};
use clap::{Parser, Subcommand};

/// Archives the asynchronous invocation records of Huawei Cloud FunctionGraph into one SQLite file,
/// and proves which time ranges are complete.
#[derive(Debug, Parser)]
#[command(name = "fgarchive", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = AFTERWORD)]
pub struct Cli {
    #[command(flatten)]
    pub(super) globals: GlobalArgs,
    #[command(subcommand)]
    pub(super) command: Command,
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

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Bring the archive up to date
    ///
    /// One run walks what is pending and asks again for records that have not ended. It can be
    /// stopped or killed at any moment; the next one goes on from what was committed.
    Sync(Box<sync::Args>),
    /// Show how far each function is covered
    ///
    /// It also shows what is missing, what is open, whether the service records the function, how
    /// far back the service was seen to reach, and how long no run may come before something that
    /// is pending falls behind that. It reads the archive alone and asks the service nothing.
    Status(status::Args),
    /// List the alerts: of what `--notify` tells somebody, since when, and when it was told
    ///
    /// One `waits` until it has held for as long as it has to before it is told, `holds`, or is
    /// `over`; those that are over stay listed for 90 days. Whom to tell, and of what, is said in
    /// the configuration, in the tables `[notify]` and `[[alert]]`.
    Alerts(alerts::Args),
    /// Run a report, or a read-only statement in SQL
    ///
    /// A statement of your own can only read. It has functions that SQLite lacks, such as
    /// `percentile_disc(value, 0.9)`, `median(value)`, `fold(text)`, `local_time(time)` and
    /// `day_begin(day)`, and may use 30 seconds, 256 MiB of memory and 4 GiB of temporary files
    /// (the last two on Linux); one that needs more is ended and says so.
    Query(Box<query::Args>),
    /// Write one HTML page that tells a year, or another period
    ///
    /// It says what may be believed, how the period compares with the one before it, when and what
    /// failed, and how long records took. It has no script and asks for nothing, so that it can be
    /// sent and kept. Every figure is that of a report, and the page names the command that tells
    /// the same.
    Page(page::Args),
    /// Show the page live in a browser of this machine, with the records behind its figures
    ///
    /// It reads only, answers nobody but this machine unless told otherwise, and works while a run
    /// writes. The period, the functions and the time zone stand in the address:
    /// `/?since=2026-03&function=billing:*&tz=Europe/Berlin`. Each report is at
    /// `/api/REPORT.json`, with its parameters as in `query`; `/healthz` tells whether the archive
    /// can be read. The first line of stdout is the address.
    #[cfg(feature = "web")]
    Serve(serve::Args),
    /// Check the archive file: that it is sound, keeps its rules, and holds what was written
    ///
    /// It reads the whole file and asks the service nothing. On a finding it exits 7, and says
    /// where it is and what to do.
    Check(check::Args),
    /// Copy the archive, even while a run writes to it, and verify the copy
    ///
    /// The copy is verified before it takes its name, so a bad copy never replaces a good one. It
    /// replaces nothing but an empty file or an earlier copy of the same archive.
    Backup(backup::Args),
    /// Export what runs brought or changed, for another system
    ///
    /// `export changes` writes every record that is new or has changed since a run, once, as it
    /// stands now, in the order of the runs that changed them; the last line is the `cursor` to go
    /// on from with --after. A run that is under way comes with the next export.
    Export(export::Args),
    /// Remove the records of old days, and keep what they sum up to
    ///
    /// Only whole days (UTC) go, of a function of which they are settled and hold no record that
    /// may still change. Their counts and durations stay, so that most reports still tell them, and
    /// `query coverage` answers `pruned`. What the service shows of such a day later is left out.
    /// Without --apply nothing is changed. The file stays as large as it is; its free space is used
    /// again.
    Prune(prune::Args),
    /// Give the free space of the archive back to the disk
    ///
    /// The archive is written anew into a file beside it, which is checked and then takes its
    /// place. That needs room for both. Readers are waited for, half a minute at most; a kill at
    /// any moment leaves the old file or the new one, which hold the same.
    Compact(compact::Args),
    /// Compare settled windows with what the service shows now
    ///
    /// Records that came late or changed are repaired, with their history; records that are gone
    /// stay archived. On a finding it exits 7. Without --function it walks every archived function
    /// of the project, and a function that is named must be archived.
    Verify(Box<verify::Args>),
    /// Diagnose access, and probe how the service behaves
    ///
    /// It checks credentials, clock, project, permissions and the recording of each function, then
    /// asks the function with the most records what the service's documentation leaves open. It
    /// only reads: some sixty requests, and two for each function. Without --function it checks
    /// every function. It exits 7 when something needs attention, and says what to do.
    Doctor(Box<doctor::Args>),
    /// Write a configuration file, from options or from a few questions
    ///
    /// Without --region it asks, on a terminal, for what no option says: the region, how to log in,
    /// which functions, where the archive is. It writes the user's own file, or the one that
    /// --config names, for its owner alone, and never over one that is there. Then it has
    /// `fgarchive doctor` look at it.
    Init(Box<init::Args>),
    /// Check the configuration file, or show what holds and why
    Config(config::Args),
    /// Print what makes systemd or cron run `sync`
    ///
    /// For systemd a service, hardened so that it can write to the archive's directory and nowhere
    /// else, and a timer that makes up for a time at which the machine was off. What `sync` is told
    /// follows `--`: `fgarchive schedule systemd -- --all-functions --region cn-north-4`.
    Schedule(schedule::Args),
    /// Print what makes a shell complete commands and options
    ///
    /// For bash, in `~/.bashrc`: `source <(fgarchive completions bash)`.
    Completions(completions::Args),
    /// Serve a stand-in for the service to try the program against
    #[cfg(feature = "emulator")]
    Emulate(Box<emulate::Args>),
    /// Show the whole program at work, offline: a stand-in service, two runs, reports
    #[cfg(feature = "emulator")]
    Demo(demo::Args),
}

#[cfg(test)]
mod tests {
    use super::super::globals::LogFormat;
    use super::*;
    use clap::CommandFactory;
    use pretty_assertions::assert_eq;
    use std::path::PathBuf;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_of_every_command_may_follow_it() {
        let line = ["fgarchive", "query", "list", "--db", "x.db", "-vv", "--log-format", "json"];
        let globals = Cli::try_parse_from(line).unwrap().globals;
        assert_eq!(globals.db, Some(PathBuf::from("x.db")));
        assert_eq!((globals.verbose, globals.log_format), (2, LogFormat::Json));
    }
}
