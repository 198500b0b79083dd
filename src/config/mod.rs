//! Variables, files and flags made into checked values. Credentials are read here and nowhere else, and
//! leave this room only in types that do not print them.
//!
//! A variable that is empty counts as unset: that is how scripts unset one.

mod credentials;
mod grouping;
mod moments;
mod profile;
mod proxy;
mod service;
mod variables;

pub use credentials::{LoadedCredentials, load_credentials, read_ca_cert, read_project_id};
pub use grouping::{RegionGroup, group_by_region, in_several_regions};
pub use moments::{parse_duration, parse_moment_or_age};
pub use proxy::load_proxies;
pub use service::{ServiceAddress, ServiceOptions, locate_service};
pub use variables::Environment;
