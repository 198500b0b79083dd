//! A stand-in for the service, for people to try the program against and for tests to trust.
//!
//! A [`World`] says which records exist and where each stands at a moment; [`Readings`] decide what
//! the vendor's page leaves open; [`Faults`] go wrong on purpose; [`serve`] puts it all on a
//! socket, under the real paths. It has its own wire types and its own reading of the signatures:
//! client and emulator must not share a mistake.
//!
//! Boundary: of the program it uses `domain` only, and nothing else uses `axum`.

mod auth;
mod chance;
mod dump;
mod faults;
mod iam;
mod journal;
mod listing;
mod oddity;
mod options;
mod query;
mod readings;
mod routes;
mod server;
mod service;
mod wire;
mod world;

pub use auth::{ACCESS_KEY, DOMAIN, PASSWORD, SECRET_KEY, TOKEN, USER};
pub use faults::{BodyKind, Fault, Faults, Framing, Rule};
pub use journal::{Journal, ListingRequest};
pub use oddity::Oddity;
pub use options::{Options, closing_help, export_lines};
pub use readings::{
    Bounds, CappedCount, Count, ErrorForm, Filter, LastMarker, Lookup, MarkerForm, OpenTime, Order,
    OverLimit, Readings, Times, WaitStart,
};
pub use routes::RouteName;
pub use server::serve;
pub use service::Emulator;
pub use world::{
    Failure, Function, ID_LENGTH, MAX_FUNCTIONS, MAX_RECORDS, MAX_SPAN, PROJECT_ID, Phase, Place,
    REGION, RecordId, Shown, World, WorldSpec,
};
