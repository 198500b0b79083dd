//! Keeps the records of Huawei Cloud FunctionGraph's asynchronous invocations in one SQLite
//! file, and proves which time ranges of them are complete.
//!
//! The modules in reading order:
//!
//! - [`domain`]: the words as types.
//! - [`error`]: what goes wrong, and the exit codes.
//! - [`clock`]: the only reader of system time.
//! - [`config`]: variables, files and flags made into checked values.
//! - [`plan`]: the core, every decision as a function over values.
//! - [`store`]: the archive, the only place that speaks to SQLite.
//! - [`api`]: the service over HTTP, a single attempt a call.
//! - `requester`: one project asked politely: pace, retries, refusal, clocks.
//! - [`sync`]: the shell that asks `plan`, calls `api` and commits to `store`.
//! - [`emulator`]: a stand-in for the service, to try the program against and to test it with.
//! - `render`: how an answer is written: tables, lines, JSON, CSV, TSV, Markdown, HTML.
//! - `page`: HTML: the page that tells a period, the records behind it, one record.
//! - `web`: the same live, on a port.
//! - `process`: commands of people's own that are run beside us.
//! - `monitor`: what other programs watch: metrics; who is told of runs and alerts.
//! - [`cli`]: the commands, and how they show what they find.

pub mod api;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
#[cfg(feature = "emulator")]
pub mod emulator;
pub mod error;
mod monitor;
mod page;
pub mod plan;
mod process;
mod render;
mod requester;
pub mod store;
pub mod sync;
#[cfg(feature = "web")]
mod web;
