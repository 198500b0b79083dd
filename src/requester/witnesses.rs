//! Who can be asked whether the service answers at all.

use super::sink::PageSink;
use crate::domain::FunctionUrn;

/// Who can be asked whether the service answers.
#[derive(Clone, Debug, Default)]
pub(crate) enum Witnesses {
    /// Nobody: a request that fails says nothing of the service.
    #[default]
    Nobody,
    /// The listing of functions, while that is what is asked for.
    Listing,
    /// These functions, each with who takes what a witness shows, so that it is archived.
    Functions(Vec<(FunctionUrn, Option<PageSink>)>),
}
