//! A run over its sources: asks `plan` what to do, calls each service through a requester of its
//! own, and commits to the archive. It has no rule of its own.
//!
//! Sources are made ready side by side, and the functions of each are fetched in tasks from when it
//! is, whatever the others do. What they bring flows through one bounded channel into the one loop
//! that writes to the archive. That loop runs on the thread that called [`run()`], so a commit
//! blocks no fetch.

mod absence;
mod committer;
mod discovery;
mod doctor;
mod failure;
mod fetch;
mod function;
mod job;
mod message;
mod planning;
mod preparation;
mod prepared;
mod preview;
mod report;
mod run;
mod settings;
mod shared;
mod source;
mod stop;
mod targets;
mod verification;
mod watch;

pub use crate::plan::pace::LEAST_RATE;
pub use crate::plan::probe::{Finding, Verdict};
pub use crate::requester::{ListProblem, ListReport, Source};
pub use doctor::{Checkup, examine};
pub use failure::to_failure;
pub use preparation::held_twice;
pub use preview::{Preview, preview};
pub use report::{
    FunctionReport, Gone, RunReport, SourceReport, Stopped, first_named, first_named_of, lost_of,
};
pub use run::{RunPlan, run};
pub use settings::{Selection, Settings, Task, VERIFY_SHARE};
pub use source::RunSource;
pub use watch::{Unwatched, Watch};
