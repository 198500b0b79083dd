//! A check-up: what stands in the way of archiving, and what the service does where its
//! documentation is silent.
//!
//! Asks by read-only calls alone, at a run's pace and with its patience; what the answers mean is
//! for [`plan::probe`](crate::plan::probe) to say. Every loop here is bounded: some sixty requests
//! and two a function. A question that fails is a finding, and the others are asked all the same;
//! only where nothing can be asked, the check-up ends.

mod examiner;
mod prober;
mod question;

pub use examiner::{Checkup, examine};
