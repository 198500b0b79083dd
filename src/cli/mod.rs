//! The command line: one file a command, and what they share: logging, progress, failures.
//!
//! A command gets its arguments, the options that stand on every command, and where its data goes.
//! Everything else that it says goes to stderr.

mod aftermath;
mod alerting;
mod alerts;
mod answer;
mod archive;
mod backup;
mod check;
mod command_line;
mod compact;
mod completions;
mod config;
mod datasette;
#[cfg(feature = "emulator")]
mod demo;
mod doctor;
#[cfg(feature = "emulator")]
mod emulate;
mod every;
mod export;
mod failure;
mod form;
mod format;
mod globals;
mod hints;
mod init;
mod left_out;
mod log;
mod memory;
mod output;
mod page;
mod pager;
mod program;
mod progress;
mod prune;
mod query;
mod questions;
mod rules;
mod runtime;
mod schedule;
#[cfg(feature = "web")]
mod serve;
mod service;
mod signals;
mod stage;
mod statement;
mod status;
mod sync;
mod systemd;
mod telling;
mod terminal;
mod usage;
mod verify;
mod watchdog;

pub use command_line::Cli;
pub use program::main;
