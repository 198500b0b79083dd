//! The options that stand on every command.

use crate::clock::Clock;
use crate::config::{Authorities, ConfigFile, ConfigPlace, Origin, Setting, find_config};
use crate::error::Failure;
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// The variable that names the archive where no option does.
const DB_VARIABLE: &str = "FGARCHIVE_DB";

/// The archive's path when none is given.
pub(super) const DEFAULT_DB: &str = "fgarchive.db";

/// The variable that names the configuration file where no option does.
const CONFIG_VARIABLE: &str = "FGARCHIVE_CONFIG";

/// The options that stand on every command, as they are given.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "On every command")]
pub(super) struct GlobalArgs {
    /// The archive: one SQLite file, made by the first `sync` [default: `archive` of the
    /// configuration file, or fgarchive.db]
    #[arg(long, global = true, value_name = "PATH", env = DB_VARIABLE)]
    #[arg(value_parser = OsStringValueParser::new().map(PathBuf::from))]
    pub(super) db: Option<PathBuf>,
    /// The configuration file [default: `fgarchive/config.toml` in `$XDG_CONFIG_HOME` or ~/.config,
    /// or else in /etc, where it is there]
    #[arg(long, global = true, value_name = "FILE", env = CONFIG_VARIABLE)]
    #[arg(value_parser = OsStringValueParser::new().map(PathBuf::from))]
    pub(super) config: Option<PathBuf>,
    /// Read no configuration file
    #[arg(long, global = true)]
    pub(super) no_config: bool,
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

/// What holds for every command, from all layers.
#[derive(Clone, Debug)]
pub(super) struct Globals {
    /// What was given, to be read again.
    given: GlobalArgs,
    /// The archive.
    pub(super) db: PathBuf,
    /// Where its path comes from.
    pub(super) db_origin: Origin,
    /// The configuration file, where there is one.
    pub(super) file: Option<ConfigFile>,
    /// Who is trusted to vouch for those who are asked and told.
    pub(super) authorities: Authorities,
    pub(super) quiet: bool,
    pub(super) log_format: LogFormat,
}

impl GlobalArgs {
    /// Reads the configuration file, where there is one, and takes from it what no option and no
    /// variable says.
    pub(super) fn resolve(&self) -> Result<Globals, Failure> {
        let file = if self.no_config { None } else { self.find_file()? };
        Ok(self.with_file(file))
    }

    /// The same for a command that needs no file, so that a broken one does not stop it.
    #[cfg(feature = "emulator")]
    pub(super) fn without_file(&self) -> Globals {
        self.with_file(None)
    }

    /// The configuration file, which may be broken.
    fn find_file(&self) -> Result<Option<ConfigFile>, Failure> {
        let env = |name: &str| std::env::var_os(name);
        let home = std::env::home_dir();
        let given = self.config.as_deref();
        find_config(ConfigPlace { given, env: &env, home: home.as_deref() })
    }

    /// The same with a file that is at hand.
    pub(super) fn with_file(&self, file: Option<ConfigFile>) -> Globals {
        let Self { quiet, log_format, .. } = *self;
        let of_file = file.as_ref().and_then(ConfigFile::archive).cloned();
        let by_default = || Setting { value: PathBuf::from(DEFAULT_DB), origin: Origin::Default };
        let Setting { value, origin } = self.given_db().or(of_file).unwrap_or_else(by_default);
        Globals {
            given: self.clone(),
            db: value,
            db_origin: origin,
            file,
            authorities: Authorities::default(),
            quiet,
            log_format,
        }
    }

    /// The archive that an option or a variable names. An empty path counts as not given, and an
    /// empty variable as unset.
    fn given_db(&self) -> Option<Setting<PathBuf>> {
        let is_told = |path: &&Path| !path.as_os_str().is_empty();
        let set = std::env::var_os(DB_VARIABLE).map(PathBuf::from);
        let set = set.as_deref().filter(is_told);
        // clap gives the variable's value as it gives the option's.
        let flag = self.db.as_deref().filter(is_told).filter(|path| Some(*path) != set);
        let by_flag =
            flag.map(|path| Setting { value: path.to_owned(), origin: Origin::Flag("--db") });
        let variable = || Origin::Variable(DB_VARIABLE.to_owned());
        by_flag.or_else(|| set.map(|path| Setting { value: path.to_owned(), origin: variable() }))
    }
}

#[cfg(test)]
impl GlobalArgs {
    /// Nothing is given.
    pub(super) fn nothing() -> Self {
        Self {
            db: None,
            config: None,
            no_config: false,
            verbose: 0,
            quiet: false,
            log_format: LogFormat::Text,
        }
    }
}

impl Globals {
    /// Whether the configuration file says what is asked.
    pub(super) fn has_sources(&self) -> bool {
        self.file.as_ref().is_some_and(|file| !file.source_names().is_empty())
    }

    /// The same, with the configuration file as it is now.
    pub(super) fn again(&self) -> Result<Self, Failure> {
        self.given.resolve()
    }

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
