//! `fgarchive completions`: what makes a shell complete commands and options.

use super::failure;
use crate::error::Failure;
use clap::Command;
use clap_complete::Shell;
use std::io::Write;

/// The arguments of `completions`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

/// Prints the script of a shell for the whole command line.
pub(super) fn run(args: &Args, mut line: Command, out: &mut dyn Write) -> Result<(), Failure> {
    // `generate` panics where it cannot write, as to a pipe that is closed.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut line, "fgarchive", &mut script);
    out.write_all(&script).map_err(failure::output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::{CommandFactory, ValueEnum};

    #[test]
    fn every_shell_is_told_every_command() {
        for shell in Shell::value_variants() {
            let mut script = Vec::new();
            run(&Args { shell: *shell }, Cli::command(), &mut script).unwrap();
            let script = String::from_utf8(script).unwrap();
            for command in Cli::command().get_subcommands() {
                assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
            }
        }
    }
}
