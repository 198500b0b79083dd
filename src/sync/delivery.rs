//! From the tasks that fetch to the one loop that commits.

use crate::domain::{Page, Timestamp};
use crate::plan::ledger::Entry;
use crate::plan::verify::Rewalk;
use crate::store::{Check, Observed};
use std::sync::Arc;
use tokio::sync::mpsc::Sender;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How much text, in KiB, may be on its way to the archive: six hundred times what a usual page has. Where records are long,
/// it is this that bounds the memory of a run, and not how many pages are in line.
pub(super) const MOST_TEXT_IN_HAND: u32 = 64 * 1024;

/// Something a function's task hands over.
#[derive(Debug)]
pub(super) enum Delivery {
    /// Records as the service showed them, with the room that they take until they are committed.
    Page { page: Page, seen_at: Timestamp, room: Option<OwnedSemaphorePermit> },
    /// What a walk lets the ledger say; its pages were handed over before.
    Walk(Vec<Entry>),
    /// What walking a settled window again showed; its pages were handed over before.
    Rewalk(Rewalk),
    /// An open record that was asked for. What a page shows of it was handed over before.
    Asked(Check),
    /// What was learnt about the service beside its records.
    Observed(Observed),
}

/// The way out of one function's task: what it sends arrives in order, behind the number of the function.
#[derive(Clone, Debug)]
pub(super) struct Outbox {
    pub(super) function: usize,
    pub(super) sender: Sender<(usize, Delivery)>,
    /// What is left of [`MOST_TEXT_IN_HAND`].
    pub(super) room: Arc<Semaphore>,
}

impl Outbox {
    /// Hands something over, waiting while the committing loop is behind.
    ///
    /// A loop that is gone has failed or was interrupted, and this task is about to be stopped.
    pub(super) async fn send(&self, delivery: Delivery) {
        let _ = self.sender.send((self.function, delivery)).await;
    }

    /// Hands a page over, waiting while too much text is on its way.
    pub(super) async fn send_page(&self, page: Page, seen_at: Timestamp) {
        let text = u32::try_from(page.text_bytes() / 1024).unwrap_or(u32::MAX).min(MOST_TEXT_IN_HAND);
        let room = Arc::clone(&self.room).acquire_many_owned(text).await.ok();
        self.send(Delivery::Page { page, seen_at, room }).await;
    }
}
