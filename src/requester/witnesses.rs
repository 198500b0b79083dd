//! Who can be asked whether the service answers at all.

use super::sink::PageSink;
use crate::domain::{FunctionUrn, Timestamp};

/// Who can be asked whether the service answers.
#[derive(Clone, Debug, Default)]
pub(crate) enum Witnesses {
    /// Nobody: a request that fails says nothing of the service.
    #[default]
    Nobody,
    /// The listing of functions, while that is what is asked for.
    Listing,
    /// These functions.
    Functions(Vec<Witness>),
}

/// A function that can be asked.
#[derive(Clone, Debug)]
pub(crate) struct Witness {
    pub(crate) urn: FunctionUrn,
    /// Who takes what it shows, so that it is archived.
    pub(crate) sink: Option<PageSink>,
    /// Until when it was archived before: what answered last is likely to answer again.
    pub(crate) archived_until: Option<Timestamp>,
}

impl Witness {
    /// A function of which nothing more is known.
    pub(crate) fn new(urn: FunctionUrn) -> Self {
        Self { urn, sink: None, archived_until: None }
    }
}
