//! Care for a whole archive: whether it keeps its rules, a copy that was seen to keep them,
//! what is removed of it on purpose, and a file without free space.

mod backup;
mod check;
mod compact;
mod finding;
mod partial;
mod prune;
mod rules;
mod values;

pub use crate::plan::retention::Kept;
pub use backup::{BackupError, Copied, Replace};
pub use compact::{CompactError, CompactStep, Compacted};
pub use finding::{Finding, Repair};
pub use prune::{FunctionPrune, PrunePlan, Retention};
