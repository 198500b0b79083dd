//! `fgarchive config`: whether the configuration file can be used, and what holds.

use super::failure;
use super::globals::{GlobalArgs, Globals};
use super::rules;
use super::service;
use super::terminal::screen;
use crate::config::{self, ConfigFile, Flags, Notify, Origin, SourceConfig, Surroundings};
use crate::domain::counted;
use crate::error::{Failure, FailureKind};
use crate::render::views::{SettingView, SettingsView, write_settings};
use crate::render::write_json_line;
use std::io::Write;

/// The arguments of `config`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

/// What is done with the file.
#[derive(clap::Subcommand, Debug)]
enum What {
    /// Check the configuration file, and that each of its sources can log in
    ///
    /// It runs the commands that print credentials, and asks the service nothing: `fgarchive
    /// doctor` does that.
    Check,
    /// Show every setting with its value and where it comes from
    ///
    /// A secret is shown as `(set)`, and no command that prints one is run.
    Show(ShowArgs),
}

#[derive(clap::Args, Debug)]
struct ShowArgs {
    /// Only this source; may be repeated
    #[arg(long = "source", value_name = "NAME")]
    sources: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Checks or shows the configuration.
pub(super) fn run(args: &Args, given: &GlobalArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let globals = given.resolve()?;
    match &args.what {
        What::Check => check(&globals, out),
        What::Show(args) => show(args, &globals, out),
    }
}

fn check(globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    let Some(file) = &globals.file else {
        return Err(Failure::new(FailureKind::Usage, "there is no configuration file").hint(
            "`fgarchive init` writes one; --config names one, `fgarchive config show` tells what \
             holds without",
        ));
    };
    let names = file.source_names();
    if !names.is_empty() {
        let loaded = service::load(&Flags::default(), globals)?;
        let problem = |source: SourceConfig| {
            let SourceConfig { name, problem, .. } = source;
            problem.map(|why| (Some(name), Failure::new(FailureKind::Usage, why)))
        };
        service::worst_of(loaded.sources.into_iter().filter_map(problem).collect())?;
    }
    rules::check(file, globals.clock().now())?;
    let of_alerts = match file.alerts().len() {
        0 => String::new(),
        count => format!("; {}", counted(count, "alert")),
    };
    let of_sources = match names.len() {
        0 => "no source, so that options and variables say what is asked".to_owned(),
        count => format!("{}: {}", counted(count, "source"), names.join(", ")),
    };
    writeln!(out, "{} can be used; {of_sources}{of_alerts}", file.path().display())
        .map_err(failure::output)
}

fn show(args: &ShowArgs, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    let flags = Flags { sources: args.sources.clone(), ..Flags::default() };
    let (env, home) = (|name: &str| std::env::var_os(name), std::env::home_dir());
    let (file, clock) = (globals.file.as_ref(), &globals.clock());
    let authorities = &globals.authorities;
    let surroundings = Surroundings { env: &env, home: home.as_deref(), file, clock, authorities };
    let shown = config::show(&flags, &surroundings)?;
    let (archive, origin) = (globals.db.display().to_string(), globals.db_origin.to_string());
    let of_file = file.map(settings_of_file).unwrap_or_default();
    let archive =
        SettingView { origin: &origin, setting: "archive", source: None, value: &archive };
    let of_file = of_file.iter().map(|(setting, value, origin)| SettingView {
        origin,
        setting,
        source: None,
        value,
    });
    let of_sources = shown.iter().map(|it| SettingView {
        origin: &it.origin,
        setting: &it.setting,
        source: it.source.as_deref(),
        value: &it.value,
    });
    let view = SettingsView {
        file: file.map(|file| file.path().display().to_string()),
        settings: [archive].into_iter().chain(of_file).chain(of_sources).collect(),
    };
    let written =
        if args.json { write_json_line(&view, out) } else { write_settings(&view, screen(), out) };
    written.map_err(failure::output)
}

/// A setting with its value and where it comes from.
type Told = (String, String, String);

/// What the file says of the program as a whole: reports, who is told, and of what.
fn settings_of_file(file: &ConfigFile) -> Vec<Told> {
    let told =
        |key: &str, value: String, origin: &Origin| (key.to_owned(), value, origin.to_string());
    let reports = file.reports().map(|set| {
        let paths: Vec<String> = set.value.iter().map(|path| path.display().to_string()).collect();
        told("reports", paths.join(", "), &set.origin)
    });
    let Notify { ping, command, webhook, max_age, ignore } = file.notify();
    // Who knows the address can tell of runs that never were; an argument may be a secret.
    let set = || "(set)".to_owned();
    let ping = ping.as_ref().map(|it| told("ping", set(), &it.origin));
    let webhook = webhook.as_ref().map(|it| told("webhook", set(), &it.origin));
    let command = command.as_ref().map(|it| {
        let program = it.value.first().cloned().unwrap_or_default();
        told("command", format!("`{program}`"), &it.origin)
    });
    let is_told = file.notify().is_of_alerts();
    let max_age = is_told.then(|| {
        let age = humantime::format_duration(max_age.value).to_string();
        told("max_age", age, &max_age.origin)
    });
    let ignore = ignore.as_ref().map(|it| {
        let names: Vec<&str> = it.value.iter().map(|condition| condition.as_str()).collect();
        told("ignore", names.join(", "), &it.origin)
    });
    let alerts = file.alerts().iter().map(|rule| {
        told(&format!("alert {}", rule.name), rule.when.value.to_string(), &rule.when.origin)
    });
    let notify = [reports, ping, command, webhook, max_age, ignore].into_iter().flatten();
    notify.chain(alerts).collect()
}
