//! Every way to be struck, one after the other: the n-th write to a file, the n-th step towards a
//! durable file, the n-th request, for every n. Whatever strikes, the run says so, and the next one
//! ends in the archive of an undisturbed run.
//!
//! The real binary runs against the stand-in cloud, on a clock that stands still, so that what it
//! writes is the same each time. `steps.c` numbers its calls to the system. `FGARCHIVE_SWEEP=full`
//! tries every kind of failure at every place; without it, the kinds take turns.
#![cfg(all(feature = "emulator", target_os = "linux"))]
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

#[path = "../program/archive.rs"]
mod archive;
mod calls;
#[path = "../program/cloud.rs"]
#[expect(dead_code, reason = "shared with `program`, which asks more of it")]
mod cloud;
mod content;
mod keeping;
mod kills;
#[path = "../program/program.rs"]
#[expect(dead_code, reason = "shared with `program`, which asks more of it")]
mod program;
mod stage;
mod steps;
mod trial;
#[path = "../program/truth.rs"]
#[expect(dead_code, reason = "shared with `program`, which asks more of it")]
mod truth;
mod workers;
mod writes;
