//! The archive: the only place that speaks to SQLite.

mod archive;
mod batch;
mod error;
mod functions;
mod identity;
mod ledger;
mod lock;
mod open_records;
mod records;
mod runs;
mod schema;

pub use archive::Archive;
pub use batch::{Batch, Sighting};
pub use error::StoreError;
pub use functions::FunctionId;
pub use identity::{Found, inspect};
pub use runs::{Ending, RunId, Tally};
pub use schema::{APPLICATION_ID, known_version};
