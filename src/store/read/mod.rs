//! How an archive stands: how far every function is covered, what is not proven of it, and what may be lost.

mod outlook;
mod status;
mod unproven;

pub use outlook::Outlook;
pub use status::{ArchiveStatus, Extent, FunctionStatus, Stale};
pub use unproven::Unproven;
