//! Flags, variables and files made into checked values. Credentials are read here and nowhere else,
//! and leave this room only in types that do not print them.
//!
//! A variable that is empty counts as unset: that is how scripts unset one.

mod credentials;
mod flags;
mod grouping;
mod layers;
mod load;
mod moments;
mod profile;
mod project;
mod proxy;
mod service;
mod tuning;
mod variables;

pub use flags::Flags;
pub use grouping::{in_several_projects, in_several_regions};
pub use layers::{Origin, Setting};
pub use load::{Config, RunConfig, SourceConfig, Surroundings, load};
pub use moments::{parse_moment_or_age, parse_range};
pub use tuning::{MOST_CONCURRENT, Shown, defaults, parse_percent, parse_rate, parse_timeout};
pub use variables::Environment;
