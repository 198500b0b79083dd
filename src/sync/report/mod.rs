//! What a run reports: of each function, of each source, and of all together.

mod function;
mod run;
mod source;
mod words;

pub use function::{FunctionReport, Gone};
pub use run::RunReport;
pub use source::{SourceReport, Stopped};
pub use words::{first_named, first_named_of, lost_of};
