//! The one writer: gathers what the tasks bring and commits it in large, sorted batches.

use super::delivery::{Delivery, MOST_IN_HAND, Parcel};
use super::target::Target;
use crate::domain::RequestId;
use crate::plan::verify::{Rewalk, asks_for_each};
use crate::requester::{Requester, Sent, Source};
use crate::store::file::{Archive, StoreError};
use crate::store::sql::RunId;
use crate::store::write::{Batch, Comparison, Showing, Tally};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until};

/// So many bytes are committed at once: half of what may be on its way, so that fetching goes on meanwhile. Ids are random,
/// so the more rows are sorted together, the more of them share a page of the file: at ten million records archived, four
/// times the rows cost half the time each.
const BYTES_A_COMMIT: usize = MOST_IN_HAND as usize * 1024 / 2;

/// So long a batch gathers after its first page; what comes while the one before is committed gathers as well, so batches grow
/// where the archive does not keep up. It is what is fetched twice after a crash, and what is left to do when the last page has
/// come. In smaller batches fewer rows share a page: with a third of the records, each costs half as much CPU again.
const GATHERING: Duration = Duration::from_millis(500);

/// So many changed records wait for the comparison of their window: far more than the windows under way hold.
const MOST_REVISED: usize = 100_000;

/// Owns the archive while the tasks fetch.
pub(super) struct Committer<'a> {
    archive: &'a mut Archive,
    run: RunId,
    targets: &'a [Target],
    tally: &'a mut Tally,
    batch: Batch,
    bytes: usize,
    /// The room of the pages in hand.
    rooms: Vec<OwnedSemaphorePermit>,
    due: Option<Instant>,
    /// Walks of settled windows whose pages are in the batch or committed.
    rewalks: Vec<(usize, Rewalk)>,
    comparisons: Vec<(usize, Comparison)>,
    suspects: usize,
    /// Records that changed although they were final, in windows that were not compared yet.
    revised: HashSet<RequestId>,
}

impl<'a> Committer<'a> {
    pub(super) fn new(
        archive: &'a mut Archive,
        run: RunId,
        targets: &'a [Target],
        tally: &'a mut Tally,
        batch: Batch,
    ) -> Self {
        Self {
            archive,
            run,
            targets,
            tally,
            batch,
            bytes: 0,
            rooms: Vec::new(),
            due: None,
            rewalks: Vec::new(),
            comparisons: Vec::new(),
            suspects: 0,
            revised: HashSet::new(),
        }
    }

    pub(super) fn tally(&self) -> &Tally {
        self.tally
    }

    /// Takes something in; it is committed later.
    pub(super) fn take(&mut self, function: usize, delivery: Delivery) {
        self.due.get_or_insert_with(|| Instant::now() + GATHERING);
        let target = &self.targets[function];
        match delivery {
            Delivery::Walk(entries) => self.batch.walks.extend(entries.into_iter().map(|entry| (target.id, entry))),
            Delivery::Rewalk(rewalk) => {
                self.tally.verifying += rewalk.pages;
                self.rewalks.push((function, rewalk));
            }
            Delivery::Asked(recheck) => self.batch.rechecks.push(recheck),
            Delivery::GivenUp(records) => self.batch.given_up.extend(records),
            Delivery::Fact(at, fact) => self.batch.facts.push((target.id, at, fact)),
            Delivery::Page(parcel) => {
                self.bytes += parcel.memory();
                let Parcel { records, rejects, entries, habits, seen_at, room } = parcel;
                self.rooms.extend(room);
                self.tally.pages += 1;
                self.tally.fetched += entries;
                self.tally.habits = self.tally.habits.and(habits);
                self.batch.rejects.extend(rejects.into_iter().map(|reject| (Some(target.id), reject)));
                let (function, ledger) = (target.id, Arc::clone(&target.ledger));
                self.batch.showings.push(Showing { function, records, seen_at, ledger });
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
    pub(super) fn commit<S: Source>(&mut self, requester: &Requester<S>) -> Result<(), StoreError> {
        note_sent(requester, self.tally);
        let mut batch = std::mem::take(&mut self.batch);
        batch.new_functions = self.targets.iter().filter(|target| target.is_new).map(|target| target.id).collect();
        let rooms = std::mem::take(&mut self.rooms);
        (self.bytes, self.due) = (0, None);
        let (pages, began) = (batch.showings.len(), Instant::now());
        let revised = self.archive.commit(self.run, requester.now(), &batch, self.tally)?;
        tracing::debug!(pages, elapsed_ms = began.elapsed().as_millis(), "a batch is committed");
        drop((batch, rooms));
        self.revised.extend(revised.into_iter().take(MOST_REVISED.saturating_sub(self.revised.len())));
        self.compare()
    }

    /// Compares the settled windows that were walked again with what is archived, now that their pages are.
    fn compare(&mut self) -> Result<(), StoreError> {
        for (function, rewalk) in std::mem::take(&mut self.rewalks) {
            let mut comparison =
                self.archive.compare(self.run, self.targets[function].id, &rewalk, &mut self.revised)?;
            if !asks_for_each(comparison.suspects.len(), self.suspects) {
                comparison.conclude(|_| true);
            }
            self.suspects += comparison.suspects.len();
            self.comparisons.push((function, comparison));
        }
        Ok(())
    }

    /// Commits what is in hand, if there is something, and hands out what was compared so far.
    pub(super) fn take_comparisons<S: Source>(
        &mut self,
        requester: &Requester<S>,
    ) -> Result<Vec<(usize, Comparison)>, StoreError> {
        self.commit_rest(requester)?;
        Ok(std::mem::take(&mut self.comparisons))
    }

    /// Commits what is left, and keeps what verifying came to.
    pub(super) fn finish<S: Source>(
        mut self,
        requester: &Requester<S>,
        comparisons: &[Comparison],
    ) -> Result<(), StoreError> {
        self.commit_rest(requester)?;
        if comparisons.is_empty() { Ok(()) } else { self.archive.save_verifications(self.run, comparisons) }
    }

    fn commit_rest<S: Source>(&mut self, requester: &Requester<S>) -> Result<(), StoreError> {
        if self.batch.is_empty() && self.rewalks.is_empty() { Ok(()) } else { self.commit(requester) }
    }
}

/// Brings a run's tally up to date with what was sent.
pub(super) fn note_sent<S: Source>(requester: &Requester<S>, tally: &mut Tally) {
    let Sent { requests, retries, throttled } = requester.sent();
    tally.started_at = Some(requester.began_at().earlier());
    (tally.requests, tally.retries, tally.throttled) = (requests, retries, throttled);
}
