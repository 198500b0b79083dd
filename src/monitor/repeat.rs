//! Telling somebody who may hear it a little later.

use crate::api::Deaf;
use std::time::Duration;
use tokio::time::sleep;

/// How long to wait before the second try and the third.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];

/// Tells it, and again for a few times where that may help.
pub(super) async fn repeat<F: Future<Output = Result<(), Deaf>>>(
    tell: impl Fn() -> F,
) -> Result<(), Deaf> {
    for pause in PAUSES {
        match tell().await {
            Err(Deaf::ForNow(_)) => sleep(pause).await,
            told => return told,
        }
    }
    tell().await
}
