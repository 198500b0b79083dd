//! The program: parse, call, exit code.

use clap::Parser;
use fgarchive::cli::{self, Cli};
use std::io::{self, BufWriter};
use std::process::ExitCode;

/// The exit code of a wrong command line, the same as of a wrong configuration.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are printed to stdout, and are no failure. Nobody is left to tell if printing fails.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let format = cli.log_format();
    match cli.run(&mut BufWriter::new(io::stdout().lock())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if cli::is_closed_output(&failure) => ExitCode::SUCCESS,
        Err(failure) => {
            cli::show(&failure, format, &mut io::stderr());
            ExitCode::from(failure.kind.exit_code())
        }
    }
}
