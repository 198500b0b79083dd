//! Questions: the reports, each a `.sql` file, and statements of the user's in a [`Sandbox`].
//! Either becomes a [`Question`], whose rows are streamed.

mod arguments;
mod ask;
mod catalogue;
mod chosen;
mod datasette;
mod functions;
mod own;
mod parameter;
mod pruned;
mod question;
mod rehearsal;
mod sandbox;
mod settling;

pub use arguments::Arguments;
pub use catalogue::Report;
pub use parameter::Parameter;
pub use pruned::LeftOut;
pub use question::{Question, Row, Rows};
pub use sandbox::Sandbox;
pub use settling::Settling;

#[cfg(test)]
mod tests;
