//! How an archive stands: how far every function is covered, what is not proven of it, and what may
//! be lost; what is archived of a range; and what runs changed.

mod changes;
mod description;
mod forecast;
mod records;
mod runs;
mod status;
mod trouble;
mod unproven;

pub use crate::plan::coverage::{Coverage, Extent};
pub use changes::{CHANGE_COLUMNS, Cursor};
pub use description::{Column, Table, describe};
pub use status::{ArchiveStatus, FunctionStatus, PrunedRecords, Stale};
pub use trouble::Trouble;
pub use unproven::Unproven;
