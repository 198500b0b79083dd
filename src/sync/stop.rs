//! What ends a source before its end, or the run with it.

use super::failure::to_failure;
use crate::api::CallFailure;
use crate::error::Failure;
use crate::store::file::StoreError;
use std::path::Path;

/// What ends a source before its end, or the run with it.
#[derive(Debug)]
pub(super) enum Stop {
    /// The source refuses; others go on.
    Refused(CallFailure),
    /// The archive cannot be used any more.
    Archive(StoreError),
    /// What was asked for cannot be done.
    Failed(Failure),
}

impl Stop {
    /// The failure of a run in this archive.
    pub(super) fn into_failure(self, archive: &Path) -> Failure {
        match self {
            Self::Refused(failure) => to_failure(failure),
            Self::Archive(error) => error.into_failure(archive),
            Self::Failed(failure) => failure,
        }
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Archive(error)
    }
}
