//! Who watches a run.

use crate::domain::Counts;

/// Tells whoever watches how a run comes along.
pub trait Watch: Send {
    /// Called after every page, with what was done so far.
    fn progress(&mut self, counts: &Counts);
}

/// Watches nothing.
#[derive(Clone, Copy, Debug)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn progress(&mut self, _counts: &Counts) {}
}
