//! What the service writes, read into the words of the domain.
//!
//! The published types cannot be trusted (`error_code` is documented as an integer and seen as a
//! string), so every field may be a number, a string, null or absent. Two readers give the same
//! result: a quick one for pages made only of what is usual, and a careful one for all others,
//! which keeps each value as raw JSON and sets aside the records that are none. Nothing here does
//! I/O.

mod body;
mod careful;
mod errors;
mod fields;
mod listing;
mod others;
mod page;
mod quick;
mod scalar;
mod shape;
mod surrogates;

pub(crate) use body::{BadBody, MAX_RECORDS, is_of_wide_letters};
pub(crate) use errors::{ErrorFields, error_fields};
pub(crate) use others::{
    AgencyKeys, NamedProject, ProjectsPage, decode_agency_keys, decode_functions, decode_projects,
    decode_status_log, decode_token_project,
};
pub(crate) use page::decode_page;
pub(crate) use shape::read_shape;
