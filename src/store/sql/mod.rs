//! How our own types are bound and read, the one form of a record, its error, and what SQLite is
//! taught: a percentile and a median, sums of durations, how likely failures are, the shape of a
//! message, the days of a time zone, and a limit on the time of a question. It knows connections,
//! and no archive.

pub(super) mod budget;
pub(super) mod error;
pub(super) mod fold;
pub(super) mod functions;
pub(super) mod histogram;
pub(super) mod ids;
pub(super) mod median;
pub(super) mod percentile;
pub(super) mod record;
mod room;
pub(super) mod tail;
mod types;
pub(super) mod zone;

pub use budget::Watch;
pub(super) use histogram::Histogram;
pub(super) use types::read_range;

pub use ids::{FunctionId, RunId, SourceId};
