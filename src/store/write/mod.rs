//! What a run commits, and what it reads back to go on, by table. [`Archive::commit`] takes a
//! [`Batch`], and all that comes of it is in the file or nothing is.
//!
//! [`Archive::commit`]: crate::store::file::Archive::commit

mod accept;
mod alerts;
mod amendments;
mod batch;
mod commit;
pub(super) mod counts;
mod day;
pub(super) mod digest;
mod functions;
pub(super) mod ledger;
mod open_records;
mod packed;
mod probes;
pub(super) mod pruned;
pub(super) mod reach;
pub(super) mod recording;
mod records;
mod runs;
mod shared;
pub(super) mod sum;
pub(super) mod summaries;
pub(super) mod summary_sums;
mod verifications;
pub(super) mod young;

pub use alerts::KnownAlerts;
pub use batch::{Batch, RunFunction, RunFunctions, SeenPage};
pub use commit::RunNow;
pub use digest::Tampered;
pub use functions::Registered;
pub use packed::Packed;
pub use reach::ReachDay;
pub use runs::{BegunRun, Ending, Endings, SourceTally, Tally};
pub use verifications::{Comparison, Discrepancy, Suspect};
