//! Which functions a run is about.

use crate::domain::FunctionUrn;

/// A region's project, which a list of functions speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// The region's id.
    pub region: String,
    /// The project's id.
    pub id: String,
}

impl Project {
    /// Whether its list of functions should hold a function. It lists neither versions nor aliases.
    pub fn lists(&self, urn: &FunctionUrn) -> bool {
        urn.region() == self.region && urn.project_id() == self.id && urn.other_form().is_some()
    }
}
