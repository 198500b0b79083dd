//! The core: every decision as a function over values.
//!
//! Nothing here waits, reads a clock, or can fail because of the world; the present is an argument.

mod extra;
pub mod functions;
pub mod ledger;
pub mod listing;
pub mod pace;
pub mod paging;
pub mod probe;
pub mod reach;
pub mod reconcile;
pub mod refresh;
pub mod retry;
pub mod verify;
pub mod windows;
