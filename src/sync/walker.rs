//! Walking the windows of one function: asks what `plan` says, hands over what comes.

use super::Source;
use super::delivery::Delivery;
use super::line::{self, Line, Setback, is_too_long};
use super::piece::{ActiveWalk, Lane, Piece, Trouble, effort};
use super::settings::PAGE_LIMIT;
use super::walked::Walked;
use crate::api::{CallFailure, Meaning};
use crate::domain::{Interval, Marker, Page, PageQuery, Timestamp};
use crate::plan::clocks::Moment;
use crate::plan::emptiness::Emptiness;
use crate::plan::failing::{self, MOST_FAILED, MOST_TRIED_AGAIN};
use crate::plan::ledger::{Entry, State};
use crate::plan::paging::{Doubt, Habits, Proof, Step, Walk};
use crate::plan::reach::{Promise, Reach};
use crate::plan::windows::{self, Belief, Density, InVain, Remedy, Trimmed};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// How many windows of a lane are walked at once: enough to keep the places in line busy across the end of a window, few
/// enough to bound the pages under way.
const OPEN_WALKS: usize = 5;

/// So many pages are asked for around a second that cannot be had: it has few neighbours.
const MOST_PAGES_AROUND: u64 = 20;

/// A page of a walk; nothing where pages went straight to the archive.
type Fetched = Option<(u64, Marker, line::Answer)>;
type Fetch<'a> = Pin<Box<dyn Future<Output = Fetched> + Send + 'a>>;

/// Walks ranges of one function.
pub(super) struct Walker<'a, S> {
    line: Line<'a, S>,
    settle_delay: Duration,
    lanes: Vec<Lane>,
    /// What earlier runs walked in vain: it is tried again when all else is done.
    again: VecDeque<Entry>,
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
    /// Windows that failed for good.
    failed: u32,
    /// How many ranges that earlier runs walked in vain failed again.
    failed_again: usize,
    /// Why it is not known how far back the service reaches, where that had to be asked.
    reach_unknown: Option<Arc<str>>,
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
    /// Why it is not known how far back the service reaches, where that had to be asked.
    pub(super) reach_unknown: Option<Arc<str>>,
    /// How many lanes may be walked side by side.
    pub(super) lanes: usize,
}

impl<'a, S: Source> Walker<'a, S> {
    pub(super) fn new(line: Line<'a, S>, settle_delay: Duration, known: Knowledge) -> Self {
        Self {
            line,
            settle_delay,
            lanes: vec![Lane::default()],
            again: VecDeque::new(),
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
            failed: 0,
            failed_again: 0,
            reach_unknown: known.reach_unknown,
            walked: Walked { habits: known.habits, ..Walked::default() },
        }
    }

    /// The same, for settled windows: the ledger stays as it is, and what the walks showed is handed over to be compared.
    pub(super) fn verifying(self) -> Self {
        Self { verifies: true, ..self }
    }

    /// The same, with what earlier runs walked in vain to be tried again when all else is done.
    pub(super) fn trying_again(self, rows: Vec<Entry>) -> Self {
        Self { again: rows.into(), ..self }
    }

    /// Walks the ranges, earliest first: what the service forgets next is asked for first. What turns out to be long is
    /// walked in several lanes.
    pub(super) async fn walk(mut self, ranges: impl IntoIterator<Item = Interval>) -> Walked {
        self.lanes[0].pieces = ranges.into_iter().map(Piece::new).collect();
        let mut fetches = FuturesUnordered::new();
        loop {
            self.open_walks(&mut fetches);
            match fetches.next().await {
                Some(Some((id, marker, Ok((page, served_at))))) => {
                    self.receive(id, marker, page, served_at, &mut fetches).await;
                }
                Some(Some((id, _, Err(setback)))) => self.fail(id, setback, &mut fetches).await,
                Some(None) => {}
                None if self.try_again() => {}
                None => return Walked { reach: self.reach, ..self.walked },
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

    /// Takes up some of what earlier runs walked in vain; whether there was any. What a run has no requests left for stays
    /// as it is.
    fn try_again(&mut self) -> bool {
        if self.walked.failure.is_some() {
            return false;
        }
        let left = if self.failed < MOST_FAILED { MOST_TRIED_AGAIN.saturating_sub(self.failed_again) } else { 0 };
        if left == 0 {
            let rows = self.again.drain(..).map(|row| (row.window, row.reason.unwrap_or_default()));
            self.walked.unproven.extend(rows);
            return false;
        }
        let some = left.min(OPEN_WALKS).min(self.again.len());
        let settled = |row: &Entry| row.walked_at >= row.window.end() + self.settle_delay;
        let piece = |row: Entry| Piece { trouble: Trouble::Known { settled: settled(&row) }, ..Piece::new(row.window) };
        let pieces: Vec<Piece> = self.again.drain(..some).map(piece).collect();
        self.lanes[0].pieces.extend(pieces);
        some > 0
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
        let now = self.line.asker.now();
        piece.is_none_or(|piece| self.promise.believes(piece.range, self.reach, now))
    }

    /// Spreads what is left over several lanes, once it is known to be long: a lane waits for the first page of each of
    /// its windows, and the others fill the places in line meanwhile.
    fn spread(&mut self) {
        let [Lane { pieces, density: Some(density) }] = &self.lanes[..] else { return };
        let ranges: Vec<Interval> = pieces.iter().map(|piece| piece.range).collect();
        let lanes = windows::lanes(&ranges, *density, self.walked.habits.longest_page).min(self.most_lanes);
        let is_fresh = |piece: &Piece| piece.is_fresh() && self.reaches(Some(piece));
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
        let now = self.line.asker.now();
        let range = self.promise.uniform(piece.range, self.reach, now);
        let range = if self.reach.covers(range, now) { range } else { self.emptiness.uniform(range) };
        let range = windows::next_window(range, density, self.longest);
        let settled_until = now.earlier() - self.settle_delay;
        let range = windows::cut_at_settled(range, density, settled_until, PAGE_LIMIT);
        if let Some(rest) = piece.range.split_at(range.end()).1 {
            self.put_back(lane, piece.with(rest));
        }
        Some(piece.with(range))
    }

    fn put_back(&mut self, lane: usize, piece: Piece) {
        self.lanes[lane].pieces.push_front(piece);
    }

    /// Asks what the walk wants next; whether it is over, and how.
    fn advance(&mut self, id: u64, fetches: &mut FuturesUnordered<Fetch<'a>>) -> Option<Result<Proof, Doubt>> {
        let active = self.active.get_mut(&id)?;
        match active.walk.step() {
            Step::Ask(markers) => {
                let (begin, end) = windows::bounds(active.piece.range);
                let effort = effort(active.piece, self.failed);
                for marker in markers {
                    let query = PageQuery { begin, end, marker, limit: PAGE_LIMIT };
                    let line = self.line.clone();
                    fetches.push(Box::pin(async move { Some((id, marker, line.list(query, effort).await)) }));
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
        self.line.outbox.send_page(marker, page, served_at).await;
        if let Some(verdict) = self.advance(id, fetches)
            && let Some(active) = self.active.remove(&id)
        {
            self.conclude(active, verdict).await;
        }
    }

    /// Cuts a window that holds too many records, or whose last page would come nearly empty; what is cut off is walked
    /// with what follows it.
    fn trim(&mut self, id: u64) {
        let Some(active) = self.active.get_mut(&id).filter(|active| self.trims && active.piece.is_fresh()) else {
            return;
        };
        let whole = active.piece.range;
        let Some(Trimmed { window, expected }) = active.prefix().and_then(|prefix| windows::trimmed(whole, prefix))
        else {
            return;
        };
        let Some(cut_off) = Interval::new(window.end(), whole.end()) else { return };
        let pieces = &mut self.lanes[active.lane].pieces;
        match pieces.front_mut().filter(|next| next.range.begin() == whole.end() && next.is_fresh()) {
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
                tracing::debug!(function = self.line.urn.full_name(), %window, pages, records, ?proof, "a walk is believed");
                if self.verifies {
                    let rewalk = active.rewalk(began_at, self.reach);
                    return self.line.outbox.send(Delivery::Rewalk(rewalk)).await;
                }
                let belief = self.belief(&active, began_at);
                let claims = windows::claims(window, belief, began_at.earlier(), self.settle_delay);
                self.walked.unclaimed.extend(claims.future);
                self.walked.disputed.extend(claims.disputed);
                self.tell_of_records_in_the_empty(&active);
                let unconfirmed =
                    if records == 0 { claims.settled.map(|settled| self.emptiness.unconfirmed(settled)) } else { None };
                let mut rows = active.rows(claims, &unconfirmed.unwrap_or_default(), proof, began_at);
                match &self.reach_unknown {
                    Some(reason) => {
                        self.walked.unproven.extend(claims.lost.map(|lost| (lost, Arc::clone(reason))));
                        for row in &mut rows {
                            leave_open(row, reason);
                        }
                    }
                    None => self.walked.lost.extend(claims.lost),
                }
                self.enter(rows).await;
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
                    function = self.line.urn.full_name(),
                    %range,
                    records,
                    "the service shows records where it showed none to an earlier run; they are archived"
                );
            }
        }
    }

    async fn remedy(&mut self, active: ActiveWalk, doubt: Doubt) {
        let (lane, piece) = (active.lane, active.piece);
        let Piece { range, walks, .. } = piece;
        self.trims &= !(active.trimmed && doubt == Doubt::SeamBroken);
        tracing::debug!(function = self.line.urn.full_name(), window = %range, ?doubt, "a walk proved nothing");
        self.in_vain.add(doubt);
        match windows::remedy(doubt, range, walks + 1, self.in_vain) {
            Remedy::WalkAgain => {
                let contradiction = active.walk.contradiction().filter(|_| doubt.is_of_count());
                self.put_back(lane, Piece { walks: walks + 1, contradiction, ..piece });
            }
            Remedy::Shorten => self.shorten(lane, piece),
            Remedy::Halve => self.halve(lane, piece),
            Remedy::GiveUp => {
                self.leave_unproven(&active, doubt.to_string().into()).await;
            }
        }
    }

    async fn leave_unproven(&mut self, active: &ActiveWalk, reason: Arc<str>) {
        self.walked.unproven.push((active.piece.range, Arc::clone(&reason)));
        if !self.verifies {
            let row = active.unproven(reason, self.line.asker.now().earlier());
            self.enter(vec![row]).await;
        }
    }

    /// Cuts at once: until the piece is taken, another walk may have told another density.
    fn shorten(&mut self, lane: usize, piece: Piece) {
        let range = piece.range;
        let density = Some(windows::shortened(range, self.lanes[lane].density));
        self.lanes[lane].density = density;
        let first = windows::next_window(range, density, self.longest);
        if let Some(rest) = range.split_at(first.end()).1 {
            self.put_back(lane, piece.with(rest));
        }
        self.put_back(lane, piece.with(first));
    }

    fn halve(&mut self, lane: usize, piece: Piece) {
        if let Some((first, second)) = windows::halves(piece.range) {
            self.put_back(lane, piece.with(second));
            self.put_back(lane, piece.with(first));
        }
    }

    async fn enter(&mut self, entries: Vec<Entry>) {
        if !entries.is_empty() {
            self.line.outbox.send(Delivery::Walk(entries)).await;
        }
    }

    /// A page could not be had. What was asked beside it is still taken in; where the function itself cannot be had,
    /// nothing further is asked.
    async fn fail(&mut self, id: u64, setback: Setback, fetches: &mut FuturesUnordered<Fetch<'a>>) {
        let Some(active) = self.active.remove(&id) else { return };
        let (range, function) = (active.piece.range, self.line.urn.full_name());
        match setback {
            Setback::Part(failure) if active.began_at.is_none() && is_too_long(&failure, range) => {
                tracing::debug!(function, window = %range, "the service refused a window; asking for half of it");
                self.longest = Duration::from_secs(range.seconds().unsigned_abs() / 2);
                self.put_back(active.lane, active.piece.with(range));
            }
            Setback::Part(failure) if self.reaches_ahead(&failure, range) => {
                self.put_back(active.lane, active.piece.with(range));
                self.leave_after(self.line.asker.now().earlier());
            }
            Setback::Part(failure) => {
                tracing::debug!(function, window = %range, "a window cannot be had: {failure}");
                self.failed += 1;
                self.failed_again += usize::from(matches!(active.piece.trouble, Trouble::Known { .. }));
                self.make_do(active, &failure, fetches).await;
            }
            Setback::Whole(failure) => {
                self.walked.failure.get_or_insert(failure);
            }
        }
    }

    /// Whether a window was refused that ends after the present, as the service tells it.
    fn reaches_ahead(&self, failure: &CallFailure, range: Interval) -> bool {
        failure.meaning == Meaning::Refused && self.line.asker.now().earlier() < range.end()
    }

    /// Leaves what lies after this moment, of which a part was refused: nothing may be there yet, and nothing is claimed.
    fn leave_after(&mut self, moment: Timestamp) {
        for lane in &mut self.lanes {
            for piece in std::mem::take(&mut lane.pieces) {
                let (past, ahead) = piece.range.split_at(moment);
                self.walked.unclaimed.extend(ahead);
                let is_whole = ahead.is_none();
                lane.pieces.extend(past.map(|past| if is_whole { piece } else { piece.with(past) }));
            }
        }
    }

    /// Walks the halves of a window that failed for good, or leaves it unproven.
    async fn make_do(&mut self, active: ActiveWalk, failure: &CallFailure, fetches: &mut FuturesUnordered<Fetch<'a>>) {
        let (lane, piece) = (active.lane, active.piece);
        match failing::remedy(piece.range, self.failed) {
            failing::Remedy::Halve(first, second) => {
                let part = |range| Piece { trouble: Trouble::Part, ..Piece::new(range) };
                self.put_back(lane, part(second));
                self.put_back(lane, part(first));
            }
            failing::Remedy::GiveUp => {
                if !windows::is_divisible(piece.range) && piece.trouble != (Trouble::Known { settled: true }) {
                    self.glean(piece.range, fetches);
                }
                self.walked.cause = Some(failure.clone());
                self.leave_unproven(&active, failure.reason_in_short().into()).await;
            }
        }
    }

    /// Asks for what can be had around a second that fails: it is asked for with its neighbours, and they fail with it.
    fn glean(&self, second: Interval, fetches: &mut FuturesUnordered<Fetch<'a>>) {
        for (begin, end) in failing::edges(second) {
            let line = self.line.clone();
            fetches.push(Box::pin(async move {
                line.take_all(begin, end, MOST_PAGES_AROUND).await;
                None
            }));
        }
    }
}

/// A row that would call a range lost, when it is not known whether it is.
fn leave_open(row: &mut Entry, reason: &Arc<str>) {
    if row.state == State::Lost {
        (row.state, row.reason) = (State::Unproven, Some(Arc::clone(reason)));
    }
}
