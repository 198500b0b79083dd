//! The program: parse, call, exit code.

use fgarchive::cli;
use fgarchive::error::Failure;
use std::io::{self, BufWriter};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let cli = match cli::parse(&arguments) {
        Ok(cli) => cli,
        // What clap has to say is printed there.
        Err(error) => return exit_code(cli::show_usage(&error, &arguments).as_ref()),
    };
    let format = cli.log_format();
    let result = cli.run(&mut BufWriter::new(cli::stdout()));
    if let Err(failure) = &result
        && !cli::is_closed_output(failure)
    {
        cli::show(failure, format, &mut io::stderr());
    }
    exit_code(result.as_ref())
}

fn exit_code(result: Result<&(), &Failure>) -> ExitCode {
    match result {
        Err(failure) if !cli::is_closed_output(failure) => ExitCode::from(failure.kind.exit_code()),
        Ok(()) | Err(_) => ExitCode::SUCCESS,
    }
}
