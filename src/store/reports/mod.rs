//! The reports: what they are, what they are asked with, and how they are asked.

mod arguments;
mod ask;
mod catalogue;

pub use arguments::Arguments;
pub use catalogue::{Parameter, Report};

#[cfg(test)]
mod tests;
