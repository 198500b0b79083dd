//! From the tasks that fetch to the one loop that commits.

use crate::domain::{Page, Timestamp};
use crate::plan::ledger::Entry;
use crate::plan::verify::Rewalk;
use crate::store::{Check, Observed};
use tokio::sync::mpsc::Sender;

/// Something a function's task hands over.
#[derive(Debug)]
pub(super) enum Delivery {
    /// Records as the service showed them.
    Page { page: Page, seen_at: Timestamp },
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
}

impl Outbox {
    /// Hands something over, waiting while the committing loop is behind.
    ///
    /// A loop that is gone has failed or was interrupted, and this task is about to be stopped.
    pub(super) async fn send(&self, delivery: Delivery) {
        let _ = self.sender.send((self.function, delivery)).await;
    }
}
