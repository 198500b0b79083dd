//! `fgarchive init`: writes a configuration file, from options or from a few questions.

use super::globals::{DEFAULT_DB, GlobalArgs, Globals};
use super::questions::{ask, say};
use super::{doctor, failure, runtime, service};
use crate::api::{Client, known_regions};
use crate::config::{Answers, ConfigFile, ConfigPlace, Flags, NewLogin, SourceConfig, new_path};
use crate::domain::{FunctionUrn, Marker, nearest};
use crate::error::{Failure, FailureKind};
use crate::sync;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// The arguments of `init`.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Args {
    /// The source's name [default: the region]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The region, such as cn-north-4 [default: asked for on a terminal]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// The project's id [default: looked up by the region]
    #[arg(long, value_name = "ID")]
    project_id: Option<String>,
    /// The service's address [default: by the region]
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Functions to archive: `package:name[:version]` or a glob such as `billing:*`, with a `!`
    /// before it those to leave out; may be repeated [default: all of the project]
    #[arg(long = "function", value_name = "FUNCTION")]
    functions: Vec<String>,
    /// Log in by this section of the profile file of the vendor's SDKs
    #[arg(long, value_name = "SECTION", group = "login")]
    profile: Option<String>,
    /// Log in by variables that begin with this: with SHOP, by `SHOP_AK` and
    /// `SHOP_SK`
    #[arg(long, value_name = "PREFIX", group = "login")]
    env: Option<String>,
    /// Log in by the keys in this file
    #[arg(long, value_name = "FILE", group = "login")]
    credentials_file: Option<String>,
    /// Log in by what this command prints: a program and its arguments
    #[arg(long, value_name = "WORD", num_args = 1.., group = "login")]
    credentials_command: Option<Vec<String>>,
    /// Log in by the agency of this cloud server, as its metadata says
    #[arg(long, group = "login")]
    credentials_metadata: bool,
    /// Do not look whether the service can be reached with it
    #[arg(long)]
    no_check: bool,
}

/// Writes the file, and has the check-up look at what it says.
pub(super) fn run(args: &Args, given: &GlobalArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let path = target(given)?;
    // Before anything is asked, so that nobody answers in vain.
    if path.symlink_metadata().is_ok() {
        return Err(exists(&path));
    }
    let answers = answers(args, given, &path)?;
    let text = answers.to_toml();
    let file = ConfigFile::parse(&path, text.clone(), std::env::home_dir().as_deref())?;
    write_new(&path, &text)?;
    writeln!(out, "written: {}", path.display())
        .and_then(|()| out.flush())
        .map_err(failure::output)?;
    if args.no_check {
        return Ok(());
    }
    let looked = doctor::run(&doctor::Args::only_shown(), &given.with_file(Some(file)), out);
    if looked.is_err() {
        say("The file stays as it is written: edit it, and look again with `fgarchive doctor`.");
        return looked;
    }
    say("Next: `fgarchive sync` archives, `fgarchive schedule` prints what does it by itself.");
    Ok(())
}

fn usage(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Usage, message)
}

fn exists(path: &Path) -> Failure {
    usage(format!("`{}` is there already, and is left as it is", path.display()))
        .hint("edit it, or name another file with --config")
}

fn target(given: &GlobalArgs) -> Result<PathBuf, Failure> {
    let (env, home) = (|name: &str| std::env::var_os(name), std::env::home_dir());
    let place = ConfigPlace { given: given.config.as_deref(), env: &env, home: home.as_deref() };
    let nowhere = || {
        usage("there is no home directory that the file could be written to")
            .hint("--config names the file")
    };
    new_path(place).ok_or_else(nowhere)
}

/// What the options say; the rest is asked for, where somebody is there to answer.
fn answers(args: &Args, given: &GlobalArgs, path: &Path) -> Result<Answers, Failure> {
    let login = args.login(path);
    let answers = |region: String, functions: Vec<String>, login: Option<NewLogin>| Answers {
        archive: given.db.as_deref().map(absolute),
        name: args.name.clone().unwrap_or_else(|| region.clone()),
        region,
        project_id: args.project_id.clone(),
        endpoint: args.endpoint.clone(),
        functions,
        login,
    };
    if let Some(region) = &args.region {
        check_region(region, args.endpoint.is_some())
            .map_err(|(what, hint)| usage(format!("--region: {what}")).hint(hint))?;
        return Ok(answers(region.clone(), args.functions.clone(), login));
    }
    if !io::stdin().is_terminal() {
        return Err(usage("the region is not known")
            .hint("give --region; on a terminal, `fgarchive init` asks for it"));
    }
    let region = ask("Region, such as cn-north-4", |answer| {
        let checked = check_region(answer, args.endpoint.is_some());
        checked.map(|()| answer.to_owned()).map_err(|(what, hint)| format!("{what}; {hint}"))
    })?;
    let login = match login {
        Some(login) => Some(login),
        None => ask_login(path)?,
    };
    let functions = if args.functions.is_empty() {
        let soon = answers(region.clone(), Vec::new(), login.clone());
        ask_functions(&soon, given, path)?
    } else {
        args.functions.clone()
    };
    let answers = answers(region, functions, login);
    let archive = match answers.archive {
        Some(archive) => archive,
        None => ask_archive()?,
    };
    Ok(Answers { archive: Some(archive), ..answers })
}

/// Asks where the archive is to be: a relative path would be another with each directory.
fn ask_archive() -> Result<String, Failure> {
    let here = absolute(Path::new(DEFAULT_DB));
    ask(&format!("Archive [{here}]"), |answer| match answer {
        "" => Ok(here.clone()),
        path => Ok(absolute(Path::new(path))),
    })
}

/// A path that means the same wherever the program is run.
fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// The same, but for a file in the directory of the configuration, whose name alone lets a service
/// manager hand it over.
fn beside(config: &Path, file: &Path) -> String {
    let (path, config) = (absolute(file), absolute(config));
    let (path, config) = (Path::new(&path), Path::new(&config));
    let name = path.file_name().filter(|_| path.parent() == config.parent());
    name.map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// A region that is known, unless an address says where it is.
fn check_region(region: &str, has_address: bool) -> Result<(), (String, String)> {
    if known_regions().contains(&region) || has_address {
        return Ok(());
    }
    let near = nearest(region, known_regions().iter().copied()).next().unwrap_or_default();
    let what = format!("there is no region `{region}` with FunctionGraph");
    Err((what, format!("the nearest is `{near}`; a newer one needs --endpoint")))
}

fn ask_login(config: &Path) -> Result<Option<NewLogin>, Failure> {
    say("How to log in:\n  \
         1  as the variables or ~/.huaweicloud/credentials say\n  \
         2  by a section of ~/.huaweicloud/credentials\n  \
         3  by variables with a prefix, such as SHOP_AK and SHOP_SK\n  \
         4  by a file with keys\n  \
         5  by a command that prints keys\n  \
         6  by the agency of this cloud server");
    let way = ask("1 to 6 [1]", |answer| match answer {
        "" => Ok(1),
        other => match other.parse() {
            Ok(way @ 1..=6) => Ok(way),
            _ => Err("a number from 1 to 6".to_owned()),
        },
    })?;
    let told = |answer: &str| match answer {
        "" => Err("it cannot be empty".to_owned()),
        other => Ok(other.to_owned()),
    };
    Ok(match way {
        2 => Some(NewLogin::Profile(ask("Section", told)?)),
        3 => Some(NewLogin::Env(ask("Prefix", told)?)),
        4 => Some(NewLogin::File(beside(config, Path::new(&ask("File", told)?)))),
        5 => {
            let words = ask("Command and its arguments, with blanks between", told)?;
            Some(NewLogin::Command(words.split_whitespace().map(str::to_owned).collect()))
        }
        6 => Some(NewLogin::Metadata),
        _ => None,
    })
}

/// Asks which functions are meant; `?` lists them with what was answered so far.
fn ask_functions(soon: &Answers, given: &GlobalArgs, path: &Path) -> Result<Vec<String>, Failure> {
    loop {
        let answer = ask(
            "Functions: names or globs such as billing:*, with blanks between; ? lists them [all]",
            |answer| Ok(answer.to_owned()),
        )?;
        if answer != "?" {
            return Ok(answer.split_whitespace().map(str::to_owned).collect());
        }
        match list(soon, given, path) {
            Ok(names) => say(&names.join("\n")),
            Err(failure) => say(&format!("they cannot be listed: {failure}")),
        }
    }
}

/// The first page of the project's functions: enough to see how they are named.
fn list(soon: &Answers, given: &GlobalArgs, path: &Path) -> Result<Vec<String>, Failure> {
    let file = ConfigFile::parse(path, soon.to_toml(), std::env::home_dir().as_deref())?;
    let globals: Globals = given.with_file(Some(file));
    let loaded = service::load(&Flags::default(), &globals)?;
    let Some(SourceConfig { client, .. }) = loaded.sources.into_iter().next() else {
        return Ok(Vec::new());
    };
    let client = Client::new(client).map_err(sync::to_failure)?;
    let page =
        runtime::start()?.block_on(client.list_functions(Marker(0))).map_err(sync::to_failure)?;
    Ok(page.functions.iter().map(FunctionUrn::full_name).collect())
}

impl Args {
    fn login(&self, config: &Path) -> Option<NewLogin> {
        let Self { profile, env, credentials_file, credentials_command, .. } = self.clone();
        let by_profile = profile.map(NewLogin::Profile);
        let by_file = credentials_file.map(|path| NewLogin::File(beside(config, Path::new(&path))));
        let by_metadata = self.credentials_metadata.then_some(NewLogin::Metadata);
        let by_command = credentials_command.map(NewLogin::Command);
        let others = [env.map(NewLogin::Env), by_file, by_command, by_metadata];
        by_profile.or_else(|| others.into_iter().flatten().next())
    }
}

/// Writes a file that is not there, for its owner alone.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let cannot = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(path),
        _ => usage(format!("cannot write the configuration `{}`", path.display()))
            .because(error)
            .hint("--config names another file"),
    };
    if let Some(directory) = path.parent().filter(|path| !path.as_os_str().is_empty()) {
        fs::create_dir_all(directory).map_err(cannot)?;
    }
    let mut options = fs::File::options();
    options.write(true).create_new(true);
    private(&mut options);
    let mut file = options.open(path).map_err(cannot)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(cannot)
}

#[cfg(unix)]
fn private(options: &mut fs::OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

#[cfg(not(unix))]
fn private(_options: &mut fs::OpenOptions) {}
