//! What other programs watch of a run and of the archive.
//!
//! - `metrics`: the text that Prometheus' textfile collector reads;
//! - `ping`: a dead man's switch, told of each run;
//! - `conditions`, `message`, `channels`: of what somebody is told, in which words, and where.

mod channels;
mod command;
mod conditions;
mod message;
mod metrics;
mod ping;
mod repeat;

pub(crate) use channels::Channels;
pub(crate) use conditions::{check_finding, conditions};
pub(crate) use message::Message;
pub(crate) use metrics::{LastRun, Metrics};
pub(crate) use ping::{Ended, Ping};
