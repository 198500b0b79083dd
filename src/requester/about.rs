//! What a request is about.

use crate::domain::FunctionUrn;
use crate::plan::retry::Effort;

/// What a request is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    pub(super) effort: Effort,
    /// The function; none where it is about something else.
    pub(super) urn: Option<&'a FunctionUrn>,
}

impl<'a> About<'a> {
    pub(crate) fn function(urn: &'a FunctionUrn, effort: Effort) -> Self {
        Self { effort, urn: Some(urn) }
    }
}
