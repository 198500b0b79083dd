//! What other programs watch of a run and of the archive.
//!
//! - `metrics`: the text that Prometheus' textfile collector reads;
//! - `ping`: a dead man's switch, told of each run.

mod metrics;
mod ping;

pub(crate) use metrics::{LastRun, Metrics};
pub(crate) use ping::{Ended, Ping};
