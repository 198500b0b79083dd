//! The world: which functions and records exist, and where each record stands at a moment.
//!
//! A pure function of a [`WorldSpec`] and time. It knows nothing of HTTP, of how a listing orders
//! or bounds what it shows, or of faults; a test computes from it what an archive must hold.

mod failure;
mod function;
mod id;
mod life;
mod spec;
mod starts;
mod state;

pub use failure::Failure;
pub use function::Function;
pub use id::{ID_LENGTH, Place, RecordId};
pub use life::Phase;
pub use spec::{MAX_FUNCTIONS, MAX_RECORDS, MAX_SPAN, PROJECT_ID, REGION, WorldSpec};
pub use state::{Shown, World};
