//! The archive: the only place that speaks to SQLite.
//!
//! Six floors. Each may use those beneath it and none above; `tests/architecture.rs` holds it.
//!
//! ```text
//! maintain   check, backup, prune, compact        care for a whole archive
//! read       status, forecast, unproven          how it stands, for whoever asks
//! reports    catalogue, arguments, sandbox       questions, and their rows
//! write      batch, commit, a file a table       what a run commits, and reads back to go on
//! file       archive, reader, identity, log      the file, and who may open it how
//! sql        record, ids, budget, percentile     our types in SQLite
//! ```
//!
//! Writing: a [`file::Archive`] is locked, and takes a [`write::Batch`] at a time. Reading:
//! [`file::inspect`] tells what a file is, [`file::Reader`] opens one, a [`reports::Report`] or a
//! statement of the user's becomes a [`reports::Question`] whose rows are streamed;
//! [`file::Reader::status`] and [`file::Reader::check`] say how far and how well it is filled.

pub mod file;
pub mod maintain;
pub mod read;
pub mod reports;
pub mod sql;
#[cfg(test)]
pub(crate) mod testing;
pub mod write;
