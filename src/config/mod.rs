//! Flags, variables and files made into checked values. Credentials are read here and nowhere else,
//! and leave this room only in types that do not print them.
//!
//! A variable that is empty counts as unset: that is how scripts unset one.

mod authorities;
mod command;
mod credentials;
mod file;
mod file_sources;
mod flags;
mod grouping;
mod keys;
mod layers;
mod load;
mod loaded;
mod login;
mod moments;
mod notify;
mod origin;
mod profile;
mod project;
mod proxy;
mod range;
mod selection;
mod service;
mod show;
mod source;
mod surroundings;
mod tuning;
mod values;
mod variables;

pub use authorities::Authorities;
#[cfg(feature = "web")]
pub(crate) use credentials::exposed;
pub use file::{
    AlertRule, Answers, ConfigFile, ConfigPlace, NewLogin, Notify, RulePart, find_config, new_path,
};
pub use flags::Flags;
pub use grouping::{in_several_projects, in_several_regions};
pub use load::load;
pub use loaded::{Config, RunConfig};
pub use moments::{parse_moment_or_age, parse_range};
pub use notify::{Told, load_told};
pub use origin::{Origin, Setting};
pub use show::{ShownSetting, show};
pub use source::SourceConfig;
pub use surroundings::Surroundings;
pub use tuning::{Shown, defaults};
pub use values::{MOST_CONCURRENT, parse_duration, parse_percent, parse_rate, parse_timeout};
pub use variables::Environment;
