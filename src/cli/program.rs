//! The program: reads the command line, runs the command, and tells how it ended.

use super::command_line::{Cli, Command};
use super::globals::GlobalArgs;
#[cfg(feature = "web")]
use super::serve;
use super::{
    alerts, backup, check, compact, completions, config, doctor, every, export, failure, init, log,
    page, prune, query, schedule, signals, status, sync, terminal, usage, verify,
};
#[cfg(feature = "emulator")]
use super::{demo, emulate};
use crate::error::Failure;
use clap::CommandFactory;
use failure::is_closed_output;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

/// Does what the command line asks for, and returns the exit code.
pub fn main() -> ExitCode {
    failure::show_panics();
    let arguments: Vec<_> = std::env::args_os().collect();
    let cli = match usage::parse(&arguments) {
        Ok(cli) => cli,
        // `show` prints it.
        Err(error) => return exit_code(usage::show(&error, &arguments).as_ref()),
    };
    let format = cli.globals.log_format;
    let result = run(cli, &mut BufWriter::new(terminal::stdout()));
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

/// Runs the command; its data goes to `out`.
fn run(cli: Cli, out: &mut dyn Write) -> Result<(), Failure> {
    log::start(&cli.globals);
    signals::outlive_limit_on_files();
    let result = run_command(cli.command, &cli.globals, out);
    // What a command found is printed before its failure.
    let flushed = out.flush().map_err(failure::output);
    result.and(flushed)
}

fn run_command(command: Command, given: &GlobalArgs, out: &mut dyn Write) -> Result<(), Failure> {
    // Those that need no file, or have to say themselves what is wrong with it.
    match &command {
        Command::Init(args) => return init::run(args, given, out),
        Command::Config(args) => return config::run(args, given, out),
        #[cfg(feature = "emulator")]
        Command::Emulate(args) => return emulate::run(args, &given.without_file(), out),
        #[cfg(feature = "emulator")]
        Command::Demo(args) => return demo::run(args, &given.without_file(), out),
        _ => {}
    }
    let globals = &given.resolve()?;
    match command {
        Command::Sync(args) => match args.every() {
            Some(every) => every::run(&args, every, globals, out),
            None => sync::run(&args, globals, out),
        },
        Command::Status(args) => status::run(args, globals, out),
        Command::Alerts(args) => alerts::run(&args, globals, out),
        Command::Query(args) => query::run(&args, globals, out),
        Command::Page(args) => page::run(&args, globals, out),
        #[cfg(feature = "web")]
        Command::Serve(args) => serve::run(&args, globals, out),
        Command::Check(args) => check::run(&args, globals, out),
        Command::Backup(args) => backup::run(&args, globals, out),
        Command::Compact(args) => compact::run(&args, globals, out),
        Command::Export(args) => export::run(&args, globals, out),
        Command::Prune(args) => prune::run(&args, globals, out),
        Command::Verify(args) => verify::run(&args, globals, out),
        Command::Doctor(args) => doctor::run(&args, globals, out),
        Command::Completions(args) => completions::run(&args, Cli::command(), out),
        Command::Schedule(args) => schedule::run(&args, globals, out),
        Command::Init(_) | Command::Config(_) => Ok(()),
        #[cfg(feature = "emulator")]
        Command::Emulate(_) | Command::Demo(_) => Ok(()),
    }
}
