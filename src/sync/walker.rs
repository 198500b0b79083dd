//! Walking the windows of one function: asks what `plan` says, hands over what comes.

use super::Source;
use super::asker::Asker;
use super::delivery::{Delivery, Outbox};
use super::settings::PAGE_LIMIT;
use super::walked::Walked;
use crate::api::{CallFailure, Meaning};
use crate::domain::{FunctionUrn, Interval, IntervalSet, Marker, Page, PageQuery, Timestamp};
use crate::plan::clocks::Moment;
use crate::plan::emptiness::Emptiness;
use crate::plan::ledger::{Entry, State};
use crate::plan::paging::{Contradiction, Doubt, Habits, Proof, Step, Walk};
use crate::plan::reach::{Promise, Reach};
use crate::plan::verify::Rewalk;
use crate::plan::windows::{self, Belief, Claims, Density, InVain, Prefix, Remedy, Trimmed};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::time::Duration;

/// How many windows of a lane are walked at once: enough to keep the places in line busy across the end of a window, few
/// enough to bound the pages under way.
const OPEN_WALKS: usize = 5;

/// A refusal of a window longer than this is taken for a limit on its length.
const REFUSABLE_LENGTH: Duration = Duration::from_hours(1);

/// A range still to walk.
#[derive(Clone, Copy, Debug)]
struct Piece {
    range: Interval,
    /// How often it was walked in vain as a whole.
    walks: u32,
    /// How the last of these walks contradicted the service's count, if it did.
    contradiction: Option<Contradiction>,
}

impl Piece {
    fn new(range: Interval) -> Self {
        Self { range, walks: 0, contradiction: None }
    }
}

/// Ranges that are walked one after the other: the first page of a window tells how long the next one may be.
#[derive(Debug, Default)]
struct Lane {
    pieces: VecDeque<Piece>,
    density: Option<Density>,
}

/// A window being walked.
struct ActiveWalk {
    lane: usize,
    piece: Piece,
    walk: Walk,
    /// Whether its window was cut after the first page was asked.
    trimmed: bool,
    /// Whether its next page may cut it again.
    undecided: bool,
    /// When the service answered first.
    began_at: Option<Moment>,
}

type Answer = (u64, Marker, Result<(Page, Moment), CallFailure>);
type Fetch<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// Walks ranges of one function.
pub(super) struct Walker<'a, S> {
    asker: &'a Asker<S>,
    urn: &'a FunctionUrn,
    outbox: Outbox,
    settle_delay: Duration,
    lanes: Vec<Lane>,
    most_lanes: usize,
    active: HashMap<u64, ActiveWalk>,
    next_walk: u64,
    longest: Duration,
    /// Whether windows are cut to full pages; not any more once that broke a seam.
    trims: bool,
    reach: Reach,
    promise: Promise,
    emptiness: Emptiness,
    /// Whether the windows are settled ones, walked to see whether they still are what was archived.
    verifies: bool,
    in_vain: InVain,
    walked: Walked,
}

/// What is known when the walking begins.
#[derive(Clone, Debug)]
pub(super) struct Knowledge {
    pub(super) habits: Habits,
    pub(super) reach: Reach,
    pub(super) promise: Promise,
    /// What an earlier run found empty.
    pub(super) emptiness: Emptiness,
    /// How many lanes may be walked side by side.
    pub(super) lanes: usize,
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
            lanes: vec![Lane::default()],
            most_lanes: known.lanes,
            active: HashMap::new(),
            next_walk: 0,
            longest: windows::MAX_WINDOW,
            trims: true,
            reach: known.reach,
            promise: known.promise,
            emptiness: known.emptiness,
            verifies: false,
            in_vain: InVain::default(),
            walked: Walked { habits: known.habits, ..Walked::default() },
        }
    }

    /// The same, for settled windows: the ledger stays as it is, and what the walks showed is handed over to be compared.
    pub(super) fn verifying(self) -> Self {
        Self { verifies: true, ..self }
    }

    /// Walks the ranges, earliest first: what the service forgets next is asked for first. What turns out to be long is
    /// walked in several lanes.
    pub(super) async fn walk(mut self, ranges: impl IntoIterator<Item = Interval>) -> Walked {
        self.lanes[0].pieces = ranges.into_iter().map(Piece::new).collect();
        let mut fetches = FuturesUnordered::new();
        loop {
            self.open_walks(&mut fetches);
            let Some((id, marker, answer)) = fetches.next().await else {
                return Walked { reach: self.reach, ..self.walked };
            };
            match answer {
                Ok((page, served_at)) => self.receive(id, marker, page, served_at, &mut fetches).await,
                Err(failure) => self.fail(id, failure),
            }
        }
    }

    /// Opens further walks in every lane while its density tells how long their windows may be.
    fn open_walks(&mut self, fetches: &mut FuturesUnordered<Fetch<'a>>) {
        for lane in 0..self.lanes.len() {
            while self.walked.failure.is_none() && self.may_open(lane) {
                let Some(piece) = self.take_window(lane) else { break };
                let id = self.next_walk;
                self.next_walk += 1;
                let walk = Walk::new(self.walked.habits, windows::is_divisible(piece.range)).after(piece.contradiction);
                self.active
                    .insert(id, ActiveWalk { lane, piece, walk, trimmed: false, undecided: false, began_at: None });
                self.advance(id, fetches);
            }
        }
    }

    fn may_open(&self, lane: usize) -> bool {
        let active = || self.active.values().filter(|active| active.lane == lane);
        let all_have_begun = active().all(|active| active.began_at.is_some() && !active.undecided);
        let Lane { pieces, density } = &self.lanes[lane];
        let side_by_side = density.is_some() && all_have_begun && self.reaches(pieces.front());
        match active().count() {
            0 => true,
            open => open < OPEN_WALKS && side_by_side,
        }
    }

    /// Whether the service certainly reaches the next window. Until it does, windows are walked one by one, earliest
    /// first: the first record shown tells what came before it to be lost.
    fn reaches(&self, piece: Option<&Piece>) -> bool {
        let now = self.asker.now();
        piece.is_none_or(|piece| self.promise.believes(piece.range, self.reach, now))
    }

    /// Spreads what is left over several lanes, once it is known to be long: a lane waits for the first page of each of
    /// its windows, and the others fill the places in line meanwhile.
    fn spread(&mut self) {
        let [Lane { pieces, density: Some(density) }] = &self.lanes[..] else { return };
        let ranges: Vec<Interval> = pieces.iter().map(|piece| piece.range).collect();
        let lanes = windows::lanes(&ranges, *density, self.walked.habits.longest_page).min(self.most_lanes);
        let is_fresh = |piece: &Piece| piece.walks == 0 && self.reaches(Some(piece));
        if lanes > 1 && pieces.iter().all(is_fresh) {
            let density = Some(*density);
            let parts = windows::in_parts(&ranges, lanes).into_iter();
            self.lanes =
                parts.map(|part| Lane { pieces: part.into_iter().map(Piece::new).collect(), density }).collect();
        }
    }

    fn take_window(&mut self, lane: usize) -> Option<Piece> {
        let density = self.lanes[lane].density.filter(|density| windows::may_size(*density, self.in_vain));
        let piece = self.lanes[lane].pieces.pop_front()?;
        if piece.walks > 0 {
            return Some(piece);
        }
        let now = self.asker.now();
        let range = self.promise.uniform(piece.range, self.reach, now);
        let range = if self.reach.covers(range, now) { range } else { self.emptiness.uniform(range) };
        let range = windows::next_window(range, density, self.longest);
        let settled_until = now.earlier() - self.settle_delay;
        let range = windows::cut_at_settled(range, density, settled_until, PAGE_LIMIT);
        if let Some(rest) = piece.range.split_at(range.end()).1 {
            self.put_back(lane, rest);
        }
        Some(Piece::new(range))
    }

    fn put_back(&mut self, lane: usize, range: Interval) {
        self.lanes[lane].pieces.push_front(Piece::new(range));
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
        served_at: Moment,
        fetches: &mut FuturesUnordered<Fetch<'a>>,
    ) {
        self.walked.habits.learn(marker, &page);
        page.records.iter().for_each(|record| self.reach.learn(record, served_at));
        if let Some(active) = self.active.get_mut(&id) {
            // An answer that is dated before the first one may come from a copy that is as old.
            active.began_at = Some(active.began_at.map_or(served_at, |began_at| began_at.not_after(served_at)));
            active.walk.take(marker, &page);
            active.undecided = false;
            // Further pages tell a density only by their total; without one they are too few to go by.
            if marker.0 == 0 || active.walk.announced().is_some() {
                let before = self.lanes[active.lane].density;
                let density = active.density(&page);
                self.lanes[active.lane].density = density.map(|density| density.after(before)).or(before);
            }
        }
        self.trim(id);
        self.spread();
        // Before the further pages of this walk are asked for: the first page of a window tells the others, so waiting
        // behind them it would leave most places in line empty when its turn comes.
        self.open_walks(fetches);
        // Records are kept whatever becomes of the walk.
        self.outbox.send_page(marker, page, served_at).await;
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
        let pieces = &mut self.lanes[active.lane].pieces;
        match pieces.front_mut().filter(|next| next.range.begin() == whole.end() && next.walks == 0) {
            Some(next) => next.range = Interval::new(cut_off.begin(), next.range.end()).unwrap_or(next.range),
            // With nothing to walk it with, a few records less are not worth a window of their own.
            None if expected.is_some() => return,
            None => pieces.push_front(Piece::new(cut_off)),
        }
        active.walk.narrow(expected);
        active.piece.range = window;
        active.trimmed = true;
        active.undecided = expected.is_none();
    }

    async fn conclude(&mut self, active: ActiveWalk, verdict: Result<Proof, Doubt>) {
        self.walked.habits.miscounts |= active.walk.shows_miscount();
        let has_ended = verdict.is_ok() || verdict.is_err_and(Doubt::is_of_count);
        if has_ended && active.walk.announced().is_none() {
            let density = &mut self.lanes[active.lane].density;
            *density = Some(Density::of(active.walk.distinct(), active.piece.range).after(*density));
        }
        match verdict {
            Ok(proof) => {
                self.in_vain.end_with(active.walk.distinct());
                let Some(began_at) = active.began_at else { return };
                let (window, pages, records) = (active.piece.range, active.walk.pages(), active.walk.distinct());
                tracing::debug!(function = self.urn.full_name(), %window, pages, records, ?proof, "a walk is believed");
                if self.verifies {
                    let rewalk = active.rewalk(began_at, self.reach);
                    return self.outbox.send(Delivery::Rewalk(rewalk)).await;
                }
                let belief = self.belief(&active, began_at);
                let claims = windows::claims(window, belief, began_at.earlier(), self.settle_delay);
                self.walked.lost.extend(claims.lost);
                self.walked.unclaimed.extend(claims.future);
                self.walked.disputed.extend(claims.disputed);
                self.tell_of_records_in_the_empty(&active);
                let unconfirmed =
                    if records == 0 { claims.settled.map(|settled| self.emptiness.unconfirmed(settled)) } else { None };
                self.enter(active.rows(claims, &unconfirmed.unwrap_or_default(), proof, began_at)).await;
            }
            Err(doubt) => self.remedy(active, doubt).await,
        }
    }

    /// From where on a walk is believed. What was empty twice is: when it was first, the service was not too late to ask.
    fn belief(&self, active: &ActiveWalk, began_at: Moment) -> Belief {
        let window = active.piece.range;
        if active.walk.distinct() == 0 && self.emptiness.was_seen(window) {
            return Belief { lost_until: window.begin(), from: window.begin() };
        }
        Belief {
            lost_until: self.promise.lost_until(window, self.reach, began_at),
            from: self.promise.believed_from(window, self.reach, began_at),
        }
    }

    /// An answer that said that nothing happened was wrong.
    fn tell_of_records_in_the_empty(&self, active: &ActiveWalk) {
        for range in self.emptiness.seen_in(active.piece.range) {
            let records = active.walk.distinct_in(range);
            if records > 0 {
                tracing::warn!(
                    function = self.urn.full_name(),
                    %range,
                    records,
                    "the service shows records where it showed none to an earlier run; they are archived"
                );
            }
        }
    }

    async fn remedy(&mut self, active: ActiveWalk, doubt: Doubt) {
        let (lane, Piece { range, walks, .. }) = (active.lane, active.piece);
        self.trims &= !(active.trimmed && doubt == Doubt::SeamBroken);
        tracing::debug!(function = self.urn.full_name(), window = %range, ?doubt, "a walk proved nothing");
        self.in_vain.add(doubt);
        match windows::remedy(doubt, range, walks + 1, self.in_vain) {
            Remedy::WalkAgain => {
                let contradiction = active.walk.contradiction().filter(|_| doubt.is_of_count());
                self.lanes[lane].pieces.push_front(Piece { range, walks: walks + 1, contradiction });
            }
            Remedy::Shorten => self.shorten(lane, range),
            Remedy::Halve => self.halve(lane, range),
            Remedy::GiveUp => {
                self.walked.unproven.push((range, doubt));
                if !self.verifies {
                    self.enter(active.unproven()).await;
                }
            }
        }
    }

    /// Cuts at once: until the piece is taken, another walk may have told another density.
    fn shorten(&mut self, lane: usize, range: Interval) {
        let density = Some(windows::shortened(range, self.lanes[lane].density));
        self.lanes[lane].density = density;
        let first = windows::next_window(range, density, self.longest);
        if let Some(rest) = range.split_at(first.end()).1 {
            self.put_back(lane, rest);
        }
        self.put_back(lane, first);
    }

    fn halve(&mut self, lane: usize, range: Interval) {
        if let Some((first, second)) = windows::halves(range) {
            self.put_back(lane, second);
            self.put_back(lane, first);
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
        let range = active.piece.range;
        if active.began_at.is_none() && is_too_long(&failure, range) {
            tracing::debug!(function = self.urn.full_name(), window = %range, "the service refused a window; asking for half of it");
            self.longest = Duration::from_secs(range.seconds().unsigned_abs() / 2);
            self.put_back(active.lane, range);
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
    /// The density that a first page tells: by the total, or by how close its records lie when it
    /// is full. One that is not full tells it only where nothing follows.
    fn density(&self, page: &Page) -> Option<Density> {
        match self.walk.announced() {
            Some(total) => Some(Density::of(total, self.piece.range)),
            None if page.length() >= u64::from(PAGE_LIMIT) => Density::of_page(page),
            None if self.walk.goes_on() => None,
            None => Some(Density::of(page.length(), self.piece.range)),
        }
    }

    /// What was seen so far, where it is the start of a list that runs from the earliest record to the latest.
    fn prefix(&self) -> Option<Prefix> {
        let (total, seen) = self.walk.announced().zip(self.walk.prefix())?;
        let starts: Option<Vec<Timestamp>> = self.walk.starts().iter().copied().collect();
        let starts = starts.filter(|starts| starts.is_sorted())?;
        Some(Prefix { total, seen, until: *starts.last()?, stride: self.walk.stride() })
    }

    /// The rows of the ledger for what is claimed; the unconfirmed is only proven.
    fn rows(&self, claims: Claims, unconfirmed: &[Interval], proof: Proof, began_at: Moment) -> Vec<Entry> {
        let row = |window: Option<Interval>, state| {
            window.map(|window| {
                let distinct = self.walk.distinct_in(window);
                // A count that the seams had to contradict is no witness for them.
                let reported = self.walk.reported().filter(|_| proof != Proof::Seams).map(|_| distinct);
                Entry { window, state, reported, distinct, pages: self.walk.pages(), walked_at: began_at.earlier() }
            })
        };
        let Claims { lost, settled, proven, .. } = claims;
        let not_settled: IntervalSet = unconfirmed.iter().copied().collect();
        let settled = settled.map_or_else(Vec::new, |settled| not_settled.gaps_in(settled)).into_iter();
        let settled = settled.map(|part| row(Some(part), State::Settled(proof)));
        let proven = unconfirmed.iter().copied().chain(proven).map(|part| row(Some(part), State::Proven(proof)));
        [row(lost, State::Lost)].into_iter().chain(settled).chain(proven).flatten().collect()
    }

    fn rewalk(self, began_at: Moment, reach: Reach) -> Rewalk {
        let window = self.piece.range;
        let (records, pages, reached) = (self.walk.distinct_in(window), self.walk.pages(), reach.begin(began_at));
        Rewalk { window, shown: self.walk.into_keys(), records, pages, began_at: began_at.earlier(), reached }
    }

    fn unproven(&self) -> Vec<Entry> {
        let Some(walked_at) = self.began_at.map(Moment::earlier) else { return Vec::new() };
        let (reported, distinct, pages) = (self.walk.reported(), self.walk.distinct(), self.walk.pages());
        vec![Entry { window: self.piece.range, state: State::Unproven, reported, distinct, pages, walked_at }]
    }
}
