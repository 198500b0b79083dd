//! Care for a whole archive: whether it keeps its rules, and a copy that was seen to keep them.

mod backup;
mod check;
mod partial;

pub use backup::{BackupError, Copied, Replace};
pub use check::Finding;
