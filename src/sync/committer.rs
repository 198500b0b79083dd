//! The one writer: gathers what the tasks bring and commits it in large, sorted batches.

use super::message::{FetchedPage, MOST_IN_HAND, Message};
use super::shared::SharedArchive;
use super::source::Standing;
use crate::domain::{Counts, Reject, RequestId};
use crate::plan::verify::{VerificationWalk, asks_for_each};
use crate::store::file::StoreError;
use crate::store::sql::{FunctionId, RunId, SourceId};
use crate::store::write::{
    Batch, Comparison, RunFunction, RunFunctions, RunNow, SeenPage, SourceTally, Tally,
};
use std::collections::HashSet;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until};

/// So many bytes are committed at once: half of what may be on its way, so that fetching goes on
/// meanwhile. Ids are random, so the more rows are sorted together, the more of them share a page
/// of the file: at ten million records archived, four times the rows cost half the time each.
const BYTES_A_COMMIT: usize = MOST_IN_HAND as usize * 1024 / 2;

/// So long a batch gathers after its first page; what comes while the one before is committed
/// gathers as well, so batches grow where the archive does not keep up. It is what is fetched twice
/// after a crash, and what is left to do when the last page has come. In smaller batches fewer rows
/// share a page: with a third of the records, each costs half as much CPU again.
const GATHERING: Duration = Duration::from_millis(500);

/// So many changed records wait for the comparison of their window: far more than the windows under
/// way hold.
const MOST_REVISED: usize = 100_000;

/// What is known of a source when its functions begin to be fetched.
#[derive(Debug, Default)]
pub(super) struct Begun {
    /// Its functions.
    pub(super) functions: Vec<(FunctionId, RunFunction)>,
    /// What was shown meanwhile.
    pub(super) page: Option<SeenPage>,
    /// What its list of functions holds that names no function, as much as is kept of it.
    pub(super) rejects: Vec<Reject>,
    /// How much there was of that.
    pub(super) unreadable: u64,
}

/// Writes to the archive while the tasks fetch.
pub(super) struct Committer<'a> {
    archive: &'a SharedArchive<'a>,
    run: RunId,
    functions: RunFunctions,
    tally: &'a mut Tally,
    batch: Batch,
    bytes: usize,
    /// The room of the pages in hand.
    rooms: Vec<OwnedSemaphorePermit>,
    due: Option<Instant>,
    /// Walks of settled windows whose pages are in the batch or committed.
    verifications: Vec<(FunctionId, VerificationWalk)>,
    comparisons: Vec<Comparison>,
    /// How many records were asked for, each by its id, since a walk missed them.
    suspects: usize,
    /// Records that changed although they were final, in windows that were not compared yet.
    revised: HashSet<RequestId>,
}

impl<'a> Committer<'a> {
    pub(super) fn new(archive: &'a SharedArchive<'a>, run: RunId, tally: &'a mut Tally) -> Self {
        Self {
            archive,
            run,
            functions: RunFunctions::default(),
            tally,
            batch: Batch::default(),
            bytes: 0,
            rooms: Vec::new(),
            due: None,
            verifications: Vec::new(),
            comparisons: Vec::new(),
            suspects: 0,
            revised: HashSet::new(),
        }
    }

    /// What the run did so far.
    pub(super) fn counts(&self) -> Counts {
        self.tally.total()
    }

    /// Takes in what is known of a source, before anything that its functions show.
    pub(super) fn begin(&mut self, source: SourceId, begun: Begun) {
        let Begun { functions, page, rejects, unreadable } = begun;
        self.functions.extend(functions);
        self.batch.pages.extend(page);
        self.batch.rejects.extend(rejects.into_iter().map(|reject| (None, reject)));
        self.tally.of(source).counts.functions_unreadable += unreadable;
    }

    /// Takes something in; it is committed later.
    pub(super) fn take(&mut self, function: FunctionId, message: Message) {
        self.due.get_or_insert_with(|| Instant::now() + GATHERING);
        let SourceTally { counts, habits: known } = self.tally.of(self.functions[function].source);
        let counts = &mut counts.pages;
        match message {
            Message::Walk(entries) => {
                self.batch.walks.extend(entries.into_iter().map(|entry| (function, entry)));
            }
            Message::VerificationWalk(verification) => {
                counts.verifying += verification.pages;
                self.verifications.push((function, verification));
            }
            Message::Asked(recheck) => self.batch.rechecks.push(recheck),
            Message::GivenUp(records) => self.batch.given_up.extend(records),
            Message::Fact(at, fact) => self.batch.facts.push((function, at, fact)),
            Message::Page(page_message) => {
                self.bytes += page_message.memory();
                let FetchedPage { records, rejects, entries, habits, seen_at, room } = page_message;
                self.rooms.extend(room);
                counts.pages += 1;
                counts.entries += entries;
                *known = known.and(habits);
                self.batch
                    .rejects
                    .extend(rejects.into_iter().map(|reject| (Some(function), reject)));
                self.batch.pages.push(SeenPage { function, records, seen_at });
            }
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes >= BYTES_A_COMMIT
    }

    /// Waits until the oldest page in hand has waited long enough; for ever when there is none.
    pub(super) async fn is_due(&self) {
        match self.due {
            Some(due) => sleep_until(due).await,
            None => std::future::pending().await,
        }
    }

    /// Commits what is in hand.
    pub(super) fn commit(&mut self, standing: &Standing) -> Result<(), StoreError> {
        note_standing(standing, self.tally);
        let batch = std::mem::take(&mut self.batch);
        let rooms = std::mem::take(&mut self.rooms);
        (self.bytes, self.due) = (0, None);
        let (pages, began) = (batch.pages.len(), Instant::now());
        let run = RunNow { id: self.run, now: standing.now };
        let (functions, tally) = (&self.functions, &mut *self.tally);
        let revised = self.archive.with(|archive| archive.commit(run, functions, &batch, tally))?;
        tracing::debug!(pages, elapsed_ms = began.elapsed().as_millis(), "a batch is committed");
        drop((batch, rooms));
        self.revised
            .extend(revised.into_iter().take(MOST_REVISED.saturating_sub(self.revised.len())));
        self.compare()
    }

    /// Compares the settled windows that were walked again with what is archived, now that their
    /// pages are.
    fn compare(&mut self) -> Result<(), StoreError> {
        for (function, verification) in std::mem::take(&mut self.verifications) {
            let (run, revised) = (self.run, &mut self.revised);
            let mut comparison = self
                .archive
                .with(|archive| archive.compare(run, function, &verification, revised))?;
            if !asks_for_each(comparison.suspects.len(), self.suspects) {
                comparison.conclude(|_| true);
            }
            self.suspects += comparison.suspects.len();
            self.comparisons.push(comparison);
        }
        Ok(())
    }

    /// Whether anything waits to be committed or compared.
    pub(super) fn has_something(&self) -> bool {
        !(self.batch.is_empty() && self.verifications.is_empty())
    }

    /// Hands out what was compared so far.
    pub(super) fn take_comparisons(&mut self) -> Vec<Comparison> {
        std::mem::take(&mut self.comparisons)
    }

    /// Keeps what verifying came to.
    pub(super) fn save_verifications(self, comparisons: &[Comparison]) -> Result<(), StoreError> {
        if comparisons.is_empty() {
            return Ok(());
        }
        self.archive.with(|archive| archive.save_verifications(self.run, comparisons))
    }
}

/// Brings a run's tally up to date with when it began and what was sent.
pub(super) fn note_standing(standing: &Standing, tally: &mut Tally) {
    tally.started_at = Some(standing.began_at.earlier());
    for &(source, sent) in &standing.sent {
        tally.of(source).counts.requests = sent;
    }
}
