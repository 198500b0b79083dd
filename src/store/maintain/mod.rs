//! Care for a whole archive: whether it keeps its rules, and a copy that was seen to keep them.

mod backup;
mod check;
mod finding;
mod partial;
mod rules;
mod values;

pub use backup::{BackupError, Copied, Replace};
pub use finding::{Finding, Repair};
