//! What ends a run before its end.

use crate::api::CallFailure;
use crate::store::file::StoreError;

/// What ends a run as a whole.
pub(super) enum Stop {
    Refused(CallFailure),
    Archive(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Archive(error)
    }
}
