//! The configuration file: where it is, what it holds, and what is wrong with it.

mod alerts;
mod checks;
mod document;
mod locate;
mod place;
mod read;
mod section;
mod template;

pub use alerts::{AlertRule, Notify, RulePart};
pub use locate::{ConfigPlace, find_config, new_path};
pub use read::ConfigFile;
pub(super) use section::{FileSource, Login, Section};
pub use template::{Answers, NewLogin};
