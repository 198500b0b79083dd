//! What a run reports: of each function, of each source, and of all together.

mod function;
mod run;
mod source;

pub use function::{FunctionReport, Gone};
pub use run::RunReport;
pub use source::{SourceReport, Stopped};
