//! Walking the windows of one function: asks what `plan` says, hands over what comes.

use super::Source;
use super::asker::Asker;
use super::delivery::{Delivery, Outbox};
use super::settings::PAGE_LIMIT;
use crate::api::{CallFailure, Meaning};
use crate::domain::{FunctionUrn, Interval, Marker, Page, PageQuery, Timestamp};
use crate::plan::ledger::{Entry, State};
use crate::plan::paging::{Doubt, Habits, Proof, Step, Walk};
use crate::plan::reach::{Promise, Reach};
use crate::plan::verify::Rewalk;
use crate::plan::windows::{self, Claims, Density, Prefix, Remedy, Trimmed};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::pin::Pin;
use std::time::Duration;

/// How many windows of a function are walked at once: enough to keep the places in line busy across the end of a
/// window, few enough to bound the pages under way.
const OPEN_WALKS: usize = 5;

/// A refusal of a window longer than this is taken for a limit on its length.
const REFUSABLE_LENGTH: Duration = Duration::from_hours(1);

/// What walking a function came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Walked {
    /// Whether everything was asked that was to be asked.
    pub(super) finished: bool,
    /// Windows that could not be proven.
    pub(super) unproven: Vec<(Interval, Doubt)>,
    /// Ranges that fell behind the service's reach before they were settled.
    pub(super) lost: Vec<Interval>,
    /// What ended the walking early.
    pub(super) failure: Option<CallFailure>,
    /// What was learnt about the service's pages.
    pub(super) habits: Habits,
}

/// A range still to walk.
#[derive(Clone, Copy, Debug)]
struct Piece {
    range: Interval,
    /// How often it was walked in vain as a whole.
    walks: u32,
}

/// A window being walked.
struct ActiveWalk {
    piece: Piece,
    walk: Walk,
    /// Whether its window was cut after the first page was asked.
    trimmed: bool,
    /// Whether its next page may cut it again.
    undecided: bool,
    /// When the service answered first.
    began_at: Option<Timestamp>,
    /// The start times on each page, to tell the windows that share a walk apart.
    starts: BTreeMap<Marker, Vec<Option<Timestamp>>>,
}

type Answer = (u64, Marker, Result<(Page, Timestamp), CallFailure>);
type Fetch<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// Walks ranges of one function.
pub(super) struct Walker<'a, S> {
    asker: &'a Asker<S>,
    urn: &'a FunctionUrn,
    outbox: Outbox,
    settle_delay: Duration,
    pieces: VecDeque<Piece>,
    active: HashMap<u64, ActiveWalk>,
    next_walk: u64,
    density: Option<Density>,
    longest: Duration,
    /// Whether windows are cut to full pages; not any more once that broke a seam.
    trims: bool,
    reach: Reach,
    promise: Promise,
    /// Whether the windows are settled ones, walked to see whether they still are what was archived.
    verifies: bool,
    walked: Walked,
}

/// What is known when the walking begins.
#[derive(Clone, Debug)]
pub(super) struct Knowledge {
    pub(super) habits: Habits,
    pub(super) reach: Reach,
    pub(super) promise: Promise,
}

impl<'a, S: Source> Walker<'a, S> {
    pub(super) fn new(
        asker: &'a Asker<S>,
        urn: &'a FunctionUrn,
        outbox: Outbox,
        settle_delay: Duration,
        known: Knowledge,
    ) -> Self {
        Self {
            asker,
            urn,
            outbox,
            settle_delay,
            pieces: VecDeque::new(),
            active: HashMap::new(),
            next_walk: 0,
            density: None,
            longest: windows::MAX_WINDOW,
            trims: true,
            reach: known.reach,
            promise: known.promise,
            verifies: false,
            walked: Walked { habits: known.habits, ..Walked::default() },
        }
    }

    /// The same, for settled windows: the ledger stays as it is, and what the walks showed is handed over to be compared.
    pub(super) fn verifying(self) -> Self {
        Self { verifies: true, ..self }
    }

    /// Walks the ranges, earliest first: what the service forgets next is asked for first.
    pub(super) async fn walk(mut self, ranges: impl IntoIterator<Item = Interval>) -> Walked {
        self.pieces = ranges.into_iter().map(|range| Piece { range, walks: 0 }).collect();
        let mut fetches = FuturesUnordered::new();
        loop {
            self.open_walks(&mut fetches);
            let Some((id, marker, answer)) = fetches.next().await else { return self.walked };
            match answer {
                Ok((page, served_at)) => self.receive(id, marker, page, served_at, &mut fetches).await,
                Err(failure) => self.fail(id, failure),
            }
        }
    }

    /// Opens further walks while the density tells how long their windows may be.
    fn open_walks(&mut self, fetches: &mut FuturesUnordered<Fetch<'a>>) {
        while self.walked.failure.is_none() && self.may_open() {
            let Some(piece) = self.take_window() else { return };
            let id = self.next_walk;
            self.next_walk += 1;
            let walk = Walk::new(self.walked.habits, windows::is_divisible(piece.range));
            self.active.insert(
                id,
                ActiveWalk { piece, walk, trimmed: false, undecided: false, began_at: None, starts: BTreeMap::new() },
            );
            self.advance(id, fetches);
        }
    }

    fn may_open(&self) -> bool {
        let all_have_begun = self.active.values().all(|active| active.began_at.is_some() && !active.undecided);
        let side_by_side =
            self.active.len() < OPEN_WALKS && all_have_begun && self.density.is_some() && self.reaches_next();
        self.active.is_empty() || side_by_side
    }

    /// Whether the service certainly reaches the next window. Until it does, windows are walked one by one, earliest
    /// first: the first record shown tells what came before it to be lost.
    fn reaches_next(&self) -> bool {
        let now = self.asker.now();
        self.pieces.front().is_none_or(|piece| self.promise.believes(piece.range, self.reach, now))
    }

    fn take_window(&mut self) -> Option<Piece> {
        let piece = self.pieces.pop_front()?;
        if piece.walks > 0 {
            return Some(piece);
        }
        let now = self.asker.now();
        let range = self.promise.uniform(piece.range, self.reach, now);
        let range = windows::next_window(range, self.density, self.longest);
        let settled_until = now - self.settle_delay;
        let range = windows::cut_at_settled(range, self.density, settled_until, PAGE_LIMIT);
        if let Some(rest) = piece.range.split_at(range.end()).1 {
            self.pieces.push_front(Piece { range: rest, walks: 0 });
        }
        Some(Piece { range, walks: 0 })
    }

    /// Asks what the walk wants next; whether it is over, and how.
    fn advance(&mut self, id: u64, fetches: &mut FuturesUnordered<Fetch<'a>>) -> Option<Result<Proof, Doubt>> {
        let active = self.active.get_mut(&id)?;
        match active.walk.step() {
            Step::Ask(markers) => {
                let (begin, end) = windows::bounds(active.piece.range);
                for marker in markers {
                    let query = PageQuery { begin, end, marker, limit: PAGE_LIMIT };
                    let (asker, urn) = (self.asker, self.urn);
                    fetches.push(Box::pin(async move { (id, marker, asker.list(urn, query).await) }));
                }
                None
            }
            Step::Wait => None,
            Step::Over(verdict) => Some(verdict),
        }
    }

    async fn receive(
        &mut self,
        id: u64,
        marker: Marker,
        page: Page,
        served_at: Timestamp,
        fetches: &mut FuturesUnordered<Fetch<'a>>,
    ) {
        self.walked.habits.learn(&page);
        page.records.iter().for_each(|record| self.reach.learn(record, served_at));
        if let Some(active) = self.active.get_mut(&id) {
            active.began_at.get_or_insert(served_at);
            active.starts.insert(marker, page.records.iter().map(crate::domain::Invocation::started_at).collect());
            active.walk.take(marker, &page);
            active.undecided = false;
            // Further pages tell a density only by their total; without one they are too few to go by.
            if marker.0 == 0 || active.walk.reported().is_some() {
                let density = active.density(&page);
                self.density = density.map(|density| density.after(self.density)).or(self.density);
            }
        }
        self.trim(id);
        // Before the further pages of this walk are asked for: the first page of a window tells the others, so waiting
        // behind them it would leave most places in line empty when its turn comes.
        self.open_walks(fetches);
        // Records are kept whatever becomes of the walk.
        self.outbox.send(Delivery::Page { page, seen_at: served_at }).await;
        if let Some(verdict) = self.advance(id, fetches)
            && let Some(active) = self.active.remove(&id)
        {
            self.conclude(active, verdict).await;
        }
    }

    /// Cuts a window that holds too many records, or whose last page would come nearly empty; what is cut off is walked
    /// with what follows it.
    fn trim(&mut self, id: u64) {
        let Some(active) = self.active.get_mut(&id).filter(|active| self.trims && active.piece.walks == 0) else {
            return;
        };
        let whole = active.piece.range;
        let Some(Trimmed { window, expected }) = active.prefix().and_then(|prefix| windows::trimmed(whole, prefix))
        else {
            return;
        };
        let Some(cut_off) = Interval::new(window.end(), whole.end()) else { return };
        match self.pieces.front_mut().filter(|next| next.range.begin() == whole.end() && next.walks == 0) {
            Some(next) => next.range = Interval::new(cut_off.begin(), next.range.end()).unwrap_or(next.range),
            // With nothing to walk it with, a few records less are not worth a window of their own.
            None if expected.is_some() => return,
            None => self.pieces.push_front(Piece { range: cut_off, walks: 0 }),
        }
        active.walk.narrow(expected);
        active.piece.range = window;
        active.trimmed = true;
        active.undecided = expected.is_none();
    }

    async fn conclude(&mut self, active: ActiveWalk, verdict: Result<Proof, Doubt>) {
        match verdict {
            Ok(proof) => {
                let Some(began_at) = active.began_at else { return };
                if self.verifies {
                    let rewalk = active.rewalk(began_at, self.reach);
                    return self.outbox.send(Delivery::Rewalk(rewalk)).await;
                }
                let window = active.piece.range;
                let believed_from = self.promise.believed_from(window, self.reach, began_at);
                let claims = windows::claims(window, believed_from, began_at, self.settle_delay);
                self.walked.lost.extend(claims.lost);
                self.enter(active.rows(claims, proof, began_at)).await;
            }
            Err(doubt) => self.remedy(active, doubt).await,
        }
    }

    async fn remedy(&mut self, active: ActiveWalk, doubt: Doubt) {
        let Piece { range, walks } = active.piece;
        self.trims &= !(active.trimmed && doubt == Doubt::SeamBroken);
        tracing::debug!(function = self.urn.name(), window = %range, ?doubt, "a walk proved nothing");
        match windows::remedy(doubt, range, walks + 1) {
            Remedy::WalkAgain => self.pieces.push_front(Piece { range, walks: walks + 1 }),
            Remedy::Shorten => self.shorten(range),
            Remedy::Halve => self.halve(range),
            Remedy::GiveUp => {
                self.walked.unproven.push((range, doubt));
                if !self.verifies {
                    self.enter(active.unproven()).await;
                }
            }
        }
    }

    /// Cuts at once: until the piece is taken, another walk may have told another density.
    fn shorten(&mut self, range: Interval) {
        self.density = Some(windows::shortened(range, self.density));
        let first = windows::next_window(range, self.density, self.longest);
        if let Some(rest) = range.split_at(first.end()).1 {
            self.pieces.push_front(Piece { range: rest, walks: 0 });
        }
        self.pieces.push_front(Piece { range: first, walks: 0 });
    }

    fn halve(&mut self, range: Interval) {
        if let Some((first, second)) = windows::halves(range) {
            self.pieces.push_front(Piece { range: second, walks: 0 });
            self.pieces.push_front(Piece { range: first, walks: 0 });
        }
    }

    async fn enter(&mut self, entries: Vec<Entry>) {
        if !entries.is_empty() {
            self.outbox.send(Delivery::Walk(entries)).await;
        }
    }

    /// A page could not be had: what was asked beside it is still taken in, nothing further is asked.
    fn fail(&mut self, id: u64, failure: CallFailure) {
        let Some(active) = self.active.remove(&id) else { return };
        let Piece { range, .. } = active.piece;
        if active.began_at.is_none() && is_too_long(&failure, range) {
            tracing::debug!(function = self.urn.name(), window = %range, "the service refused a window; asking for half of it");
            self.longest = Duration::from_secs(range.seconds().unsigned_abs() / 2);
            self.pieces.push_front(Piece { range, walks: 0 });
        } else {
            self.walked.failure.get_or_insert(failure);
        }
    }
}

/// Whether a refusal may be about the length of the range that was asked for.
pub(super) fn is_too_long(failure: &CallFailure, range: Interval) -> bool {
    let refused = failure.meaning == Meaning::Refused && failure.status == Some(400);
    refused && range.seconds().unsigned_abs() > REFUSABLE_LENGTH.as_secs()
}

impl ActiveWalk {
    /// The density that a first page tells: by the total, or by how close its records lie when it is full.
    fn density(&self, page: &Page) -> Option<Density> {
        match self.walk.reported() {
            Some(total) => Some(Density::of(total, self.piece.range)),
            None if page.length() >= u64::from(PAGE_LIMIT) => Density::of_page(page),
            None => Some(Density::of(page.length(), self.piece.range)),
        }
    }

    /// What was seen so far, where it is the start of a list that runs from the earliest record to the latest.
    fn prefix(&self) -> Option<Prefix> {
        let (total, seen) = self.walk.reported().zip(self.walk.prefix())?;
        let starts: Option<Vec<Timestamp>> = self.starts.values().flatten().copied().collect();
        let starts = starts.filter(|starts| starts.is_sorted())?;
        let stride = self.starts.values().next()?.len().saturating_sub(1) as u64;
        Some(Prefix { total, seen, until: *starts.last()?, stride })
    }

    /// The rows of the ledger for what is claimed.
    fn rows(&self, claims: Claims, proof: Proof, began_at: Timestamp) -> Vec<Entry> {
        let row = |window: Option<Interval>, state| {
            window.map(|window| {
                let distinct = self.distinct_in(window);
                let reported = self.walk.reported().map(|_| distinct);
                Entry { window, state, reported, distinct, pages: self.walk.pages(), walked_at: began_at }
            })
        };
        let Claims { lost, settled, proven } = claims;
        let rows = [row(lost, State::Lost), row(settled, State::Settled(proof)), row(proven, State::Proven(proof))];
        rows.into_iter().flatten().collect()
    }

    fn rewalk(self, began_at: Timestamp, reach: Reach) -> Rewalk {
        let window = self.piece.range;
        let (records, pages, reached) = (self.distinct_in(window), self.walk.pages(), reach.begin(began_at));
        Rewalk { window, shown: self.walk.into_keys(), records, pages, began_at, reached }
    }

    fn unproven(&self) -> Vec<Entry> {
        let Some(walked_at) = self.began_at else { return Vec::new() };
        let (reported, distinct, pages) = (self.walk.reported(), self.walk.distinct(), self.walk.pages());
        vec![Entry { window: self.piece.range, state: State::Unproven, reported, distinct, pages, walked_at }]
    }

    /// How many records of the walk began in a part of it. The first entry of a further page is the seam, seen before.
    fn distinct_in(&self, part: Interval) -> u64 {
        let began_inside = |start: &&Option<Timestamp>| start.is_some_and(|start| part.contains(start));
        let on_page = |(marker, starts): (&Marker, &Vec<Option<Timestamp>>)| {
            let seams = usize::from(marker.0 > 0);
            starts.iter().skip(seams).filter(began_inside).count() as u64
        };
        self.starts.iter().map(on_page).sum()
    }
}
