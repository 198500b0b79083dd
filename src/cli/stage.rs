//! What a run needs of the process, and the archive that it writes to.

use super::runtime;
use super::signals::interrupt;
use crate::error::{Failure, FailureKind};
use crate::store::file::{Archive, StoreError};
use std::path::Path;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How often a run that waits for another looks whether it has ended.
const LOCK_RETRY: Duration = Duration::from_millis(250);

/// What a run needs of the process.
pub(super) struct Stage {
    pub(super) runtime: Runtime,
    /// Tells a run to end in good order.
    pub(super) cancel: CancellationToken,
}

impl Stage {
    pub(super) fn set() -> Result<Self, Failure> {
        let runtime = runtime::start()?;
        let cancel = interrupt(&runtime)?;
        Ok(Self { runtime, cancel })
    }
}

/// Opens the archive, once no other run holds it, or `patience` has passed.
pub(super) async fn open(
    path: &Path,
    patience: Duration,
    cancel: &CancellationToken,
) -> Result<Archive, Failure> {
    let waiting = sleep(patience);
    tokio::pin!(waiting);
    loop {
        match Archive::open(path) {
            Err(StoreError::Held) if !waiting.is_elapsed() => {}
            opened => return opened.map_err(|error| error.into_failure(path)),
        }
        tokio::select! {
            () = cancel.cancelled() => {
                let message = "interrupted while another run held the archive";
                return Err(Failure::new(FailureKind::Interrupted, message));
            }
            () = sleep(LOCK_RETRY) => {}
            () = &mut waiting => {}
        }
    }
}
