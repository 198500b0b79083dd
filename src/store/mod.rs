//! The archive: the only place that speaks to SQLite.
//!
//! Writing: an [`Archive`] is locked, and takes a [`Batch`] at a time. Reading: [`inspect`] tells what a file is,
//! [`Reader`] opens one, a [`Report`] or a statement of the user's becomes a [`Question`] whose rows are streamed;
//! [`Reader::status`] and [`Reader::check`] say how far and how well it is filled.

mod amendments;
mod archive;
mod backup;
mod batch;
mod budget;
mod check;
mod digest;
mod error;
mod functions;
mod header;
mod identity;
mod kept;
mod ledger;
mod lineage;
mod lock;
mod log;
mod mounts;
mod open_records;
mod outlook;
mod owner;
mod packed;
mod percentile;
mod place;
mod probes;
mod question;
mod reach;
mod reader;
mod recording;
mod records;
mod reports;
mod room;
mod runs;
mod sandbox;
mod schema;
mod shared;
mod snapshot;
mod stamp;
mod status;
mod temporary;
#[cfg(test)]
pub(crate) mod testing;
mod unproven;
mod verifications;

pub use archive::Archive;
pub use backup::{BackupError, Copied, Replace};
pub use batch::{Batch, Check, Observation, Observed, Showing};
pub use budget::Watch;
pub use check::Finding;
pub use digest::Tampered;
pub use error::StoreError;
pub use functions::{FunctionId, Registered};
pub use identity::{Found, inspect};
pub use lineage::Other;
pub use outlook::Outlook;
pub use packed::Packed;
pub use place::is_same_file;
pub use question::{Cell, Question, Row, Rows};
pub use reach::{ReachDay, ReachProbe};
pub use reader::Reader;
pub use recording::Recording;
pub use reports::{Arguments, Parameter, Report};
pub use runs::{Ending, RunId, Tally};
pub use sandbox::Sandbox;
pub use schema::{APPLICATION_ID, known_version};
pub use status::{ArchiveStatus, Extent, FunctionStatus, Stale};
pub use temporary::temporary_bytes;
pub use unproven::Unproven;
pub use verifications::{Comparison, Discrepancy, Suspect};
