//! From the tasks that fetch to the one loop that commits.

use crate::domain::{Page, Reject, RequestId, Timestamp};
use crate::plan::clocks::Moment;
use crate::plan::ledger::Entry;
use crate::plan::paging::Habits;
use crate::plan::refresh::Recheck;
use crate::plan::schedule::ServiceFact;
use crate::plan::verify::VerificationWalk;
use crate::requester::PageSink;
use crate::store::sql::FunctionId;
use crate::store::write::Packed;
use std::sync::Arc;
use tokio::sync::mpsc::Sender;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How much memory, in KiB, the records may take that are on their way to the archive: some eight
/// hundred thousand usual ones, half of them in line while the other half is committed. It is this
/// that bounds the memory of a run.
pub(super) const MOST_IN_HAND: u32 = 56 * 1024;

/// One answer on its way to the archive.
#[derive(Debug)]
pub(super) struct FetchedPage {
    pub(super) records: Packed,
    pub(super) rejects: Vec<Reject>,
    /// How many entries the service put on the page.
    pub(super) entries: u64,
    /// What its function's task knew by then of how the service fills its answers.
    pub(super) habits: Habits,
    pub(super) seen_at: Moment,
    /// The share of [`MOST_IN_HAND`] that it takes until it is committed.
    pub(super) room: Option<OwnedSemaphorePermit>,
}

impl FetchedPage {
    pub(super) fn of(page: Page, habits: Habits, seen_at: Moment) -> Self {
        let (records, entries) = (Packed::of(&page.records), page.length());
        Self { records, rejects: page.rejects, entries, habits, seen_at, room: None }
    }

    /// How many bytes of memory it takes, about.
    pub(super) fn memory(&self) -> usize {
        let rejects: usize =
            self.rejects.iter().map(|reject| reject.reason.len() + reject.raw.len()).sum();
        size_of::<Message>() + self.records.memory() + rejects
    }
}

/// Something a function's task hands over.
#[derive(Debug)]
pub(super) enum Message {
    /// Records as the service showed them.
    Page(FetchedPage),
    /// What a walk lets the ledger say; its pages were handed over before.
    Walk(Vec<Entry>),
    /// What walking a settled window again showed; its pages were handed over before.
    VerificationWalk(VerificationWalk),
    /// An open record that was asked for. What a page shows of it was handed over before.
    Asked(Recheck),
    /// Open records that are no longer waited for.
    GivenUp(Vec<RequestId>),
    /// What the service told beside its records, and when.
    Fact(Timestamp, ServiceFact),
}

/// The way from a function's task to the writer: what it sends arrives in order.
#[derive(Clone, Debug)]
pub(super) struct MessageSender {
    pub(super) function: FunctionId,
    pub(super) sender: Sender<(FunctionId, Message)>,
    /// What is left of [`MOST_IN_HAND`].
    pub(super) room: Arc<Semaphore>,
}

impl MessageSender {
    /// Hands something over, waiting while the committing loop is behind.
    ///
    /// A loop that is gone has failed or was interrupted, and this task is about to be stopped.
    pub(super) async fn send(&self, message: Message) {
        let _ = self.sender.send((self.function, message)).await;
    }

    /// A sink for pages that are asked for beside what the run is about.
    pub(super) fn sink(&self) -> PageSink {
        let messages = self.clone();
        PageSink::new(move |page, seen_at| {
            let messages = messages.clone();
            async move { messages.send_page(page, Habits::default(), seen_at).await }
        })
    }

    /// Hands a page over, waiting while too much is on its way.
    pub(super) async fn send_page(&self, page: Page, habits: Habits, seen_at: Moment) {
        let mut page_message = FetchedPage::of(page, habits, seen_at);
        let room = u32::try_from(page_message.memory().div_ceil(1024))
            .unwrap_or(u32::MAX)
            .min(MOST_IN_HAND);
        page_message.room = Arc::clone(&self.room).acquire_many_owned(room).await.ok();
        self.send(Message::Page(page_message)).await;
    }
}
