//! What other programs watch of a run and of the archive.
//!
//! - `metrics`: the text that Prometheus' textfile collector reads.

mod metrics;

pub(crate) use metrics::{LastRun, Metrics};
