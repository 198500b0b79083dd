//! The file: found, told from others, locked, opened for writing or for reading, and what can be
//! wrong with it.
//!
//! `Archive::transact` is the only way to write to it; what is written is for the floors above to
//! say.

mod added;
mod archive;
mod connection;
mod disk_room;
mod error;
mod failure;
pub(super) mod header;
pub(super) mod identity;
pub(super) mod kept;
pub(super) mod lineage;
pub(super) mod lock;
pub(super) mod log;
mod mounts;
mod open_files;
mod owner;
pub(super) mod paths;
pub(super) mod place;
mod reader;
pub(super) mod schema;
mod snapshot;
mod stamp;
mod temporary;

pub use archive::Archive;
pub use disk_room::free_bytes;
pub use error::StoreError;
pub use identity::{Found, inspect};
pub use lineage::Other;
pub use open_files::check_open_files;
pub use paths::{directory_of, is_absence};
pub use place::{is_of_archive, is_same_file};
pub use reader::Reader;
pub use schema::{APPLICATION_ID, known_version};
pub use temporary::temporary_bytes;
