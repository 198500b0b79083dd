//! README.md and the pages in docs/ are true: their commands run, their answers are what the
//! program prints, their tables list what exists, and their links lead somewhere.
//!
//! The shell blocks of a page run in order in one sealed directory, with the stand-in service in
//! place of the cloud; no page needs what another one did. What needs a toolchain or a tool of
//! others is not run here; a test makes sure that `.ci/run` does. docs/commands.md is made from the
//! command line's own definition. After a change that moves it, or the answers to the questions in
//! SQL, `UPDATE_DOCS=1 cargo test --test docs` writes them anew.

#![cfg(feature = "emulator")]
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod commands;
mod links;
mod page;
mod runs;
mod sealed;
mod tables;
