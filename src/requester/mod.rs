//! One project and how it is asked: pace, retries, refusal, the difference of the clocks, the
//! renewal of tokens.
//!
//! What is asked, and what is made of the answers, is decided elsewhere. Nothing here writes to the
//! archive.

mod about;
mod admission;
mod clocks;
mod form;
mod forms;
mod function;
mod line;
mod list;
mod lock;
mod project;
mod send;
mod sink;
mod source;
#[cfg(test)]
mod testing;
mod witness;
mod witnesses;

pub(crate) use function::{FunctionRequester, Setback};
pub(crate) use list::list_functions;
pub use list::{ListProblem, ListReport};
pub(crate) use project::{Politeness, Requester};
pub(crate) use sink::PageSink;
pub use source::Source;
pub(crate) use witnesses::{Witness, Witnesses};
