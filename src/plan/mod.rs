//! The core: every decision as a function over values.
//!
//! Nothing here waits, reads a clock, or can fail because of the world; the present is an argument.

pub mod alerts;
pub mod clocks;
pub mod coverage;
pub mod emptiness;
mod extra;
pub mod failing;
pub mod forecast;
pub mod functions;
mod habits;
pub mod hanging;
pub mod horizon;
pub mod ledger;
pub mod listing;
pub mod outage;
pub mod pace;
pub mod paging;
pub mod probe;
mod proof;
pub mod reach;
pub mod reconcile;
pub mod refresh;
pub mod retention;
pub mod retry;
pub mod rhythm;
pub mod schedule;
mod seen;
pub mod turns;
pub mod verify;
pub mod windows;
