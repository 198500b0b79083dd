//! The walks of ranges of a function: which window is opened when, and what its pages lead to.

use super::active::{ActiveWalk, ServedPage};
use super::events::{Effect, Note, Question, WalkId};
use super::lanes::{Lane, Piece, Trouble};
use super::walked::Walked;
use super::wholes::{Resolved, Wholes};
use crate::domain::{Interval, IntervalSet, PAGE_LIMIT, PageQuery};
use crate::plan::clocks::Moment;
use crate::plan::emptiness::Emptiness;
use crate::plan::failing::{MOST_FAILED, MOST_TRIED_AGAIN};
use crate::plan::ledger::Entry;
use crate::plan::paging::{Doubt, Habits, Proof, Step};
use crate::plan::reach::{Obligation, Reach};
use crate::plan::windows::{self, InVain, Trimmed};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How many windows of a lane are walked at once: enough to keep the places in line busy across the
/// end of a window, few enough to bound the pages under way.
const OPEN_WALKS: usize = 5;

/// What is known of the service and the function when walks begin, and what they learn.
#[derive(Clone, Debug)]
pub(super) struct Knowledge {
    pub(super) habits: Habits,
    /// Whether the service was seen to list a record twice where nothing was missing: in two walks
    /// of one second.
    pub(super) repeats: bool,
    pub(super) reach: Reach,
    pub(super) obligation: Obligation,
    /// What an earlier run found empty.
    pub(super) emptiness: Emptiness,
    /// Why it is not known how far back the service reaches, where that had to be asked.
    pub(super) reach_unknown: Option<Arc<str>>,
    /// How many lanes may be walked side by side.
    pub(super) most_lanes: usize,
    pub(super) settle_delay: Duration,
}

/// What windows are walked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To archive them, and to enter in the ledger what is proven.
    Archive,
    /// To see what became of open records in them: the ledger says all there is to say of their
    /// time.
    Refresh,
    /// To see whether settled windows still are what was archived: the ledger stays as it is.
    Verify,
}

/// The walks of some ranges.
#[derive(Debug)]
pub(super) struct Walks<F> {
    pub(super) known: Knowledge,
    pub(super) purpose: Purpose,
    pub(super) lanes: Vec<Lane>,
    /// What earlier runs walked in vain: it is tried again when all else is done.
    again: VecDeque<Entry>,
    pub(super) active: HashMap<WalkId, ActiveWalk>,
    next_walk: u64,
    pub(super) longest: Duration,
    /// Whether windows are cut to full pages; not any more once that broke a seam.
    pub(super) trims: bool,
    pub(super) in_vain: InVain,
    /// What walks in vain told of windows whose parts are walked.
    pub(super) wholes: Wholes,
    /// Whether those that were short of records were walked once more.
    walked_short_again: bool,
    /// Where an earlier run looked for what such windows are short of.
    pub(super) looked_for: IntervalSet,
    /// Windows that failed for good.
    pub(super) failed: u32,
    /// How many ranges that earlier runs walked in vain failed again.
    pub(super) failed_again: usize,
    pub(super) walked: Walked<F>,
    /// What is to be done next, in order.
    pub(super) effects: Vec<Effect<F>>,
}

impl<F> Walks<F> {
    /// Walks of these ranges, earliest first: what the service forgets next is asked for first.
    /// What turns out to be long is walked in several lanes. When all is done, it is the turn of
    /// what earlier runs walked in vain.
    pub(super) fn new(
        known: Knowledge,
        purpose: Purpose,
        ranges: impl IntoIterator<Item = Interval>,
        again: Vec<Entry>,
    ) -> Self {
        let mut lane = Lane::default();
        lane.append(ranges.into_iter().map(Piece::new));
        Self {
            known,
            purpose,
            lanes: vec![lane],
            again: again.into(),
            active: HashMap::new(),
            next_walk: 0,
            longest: windows::MAX_WINDOW,
            trims: true,
            in_vain: InVain::default(),
            wholes: Wholes::default(),
            walked_short_again: false,
            looked_for: IntervalSet::default(),
            failed: 0,
            failed_again: 0,
            walked: Walked::default(),
            effects: Vec::new(),
        }
    }

    /// Opens further walks in every lane while its density tells how long their windows may be.
    pub(super) fn open(&mut self, now: Moment) {
        for lane in 0..self.lanes.len() {
            while self.walked.failure.is_none() && self.may_open(lane, now) {
                let Some(piece) = self.take_window(lane, now) else { break };
                let id = WalkId(self.next_walk);
                self.next_walk += 1;
                self.active.insert(
                    id,
                    ActiveWalk::new(lane, piece, self.known.habits, self.known.repeats),
                );
                self.advance(id);
            }
        }
    }

    /// Takes up some of what earlier runs walked in vain; whether there was any. What a run has no
    /// requests left for stays as it is.
    pub(super) fn try_again(&mut self) -> bool {
        if self.walked.failure.is_some() {
            return false;
        }
        let left = if self.failed < MOST_FAILED {
            MOST_TRIED_AGAIN.saturating_sub(self.failed_again)
        } else {
            0
        };
        if left == 0 {
            let rows = self.again.drain(..).map(|row| (row.window, row.reason.unwrap_or_default()));
            self.walked.unproven.extend(rows);
            return false;
        }
        let some = left.min(OPEN_WALKS).min(self.again.len());
        let settle_delay = self.known.settle_delay;
        let piece = |row: Entry| {
            let trouble = Trouble::Known { settled: row.was_old_enough(settle_delay) };
            // One more walk of a second tells whether it still is as it was.
            let walks = u32::from(!windows::is_divisible(row.window));
            Piece { walks, trouble, ..Piece::new(row.window) }
        };
        self.lanes[0].append(self.again.drain(..some).map(piece));
        some > 0
    }

    /// Walks windows once more that are short of records, then their parts in halves; whether
    /// there are any.
    pub(super) fn walk_short_again(&mut self) -> bool {
        if self.walked.failure.is_some() {
            return false;
        }
        let lane = &mut self.lanes[0];
        if !std::mem::replace(&mut self.walked_short_again, true) {
            let short = self.wholes.short();
            lane.append(short.iter().copied().map(Piece::again));
            return !short.is_empty();
        }
        let split = self.wholes.split(|window| !self.looked_for.covers(window));
        let halves = split.iter().filter_map(|&part| windows::halves(part));
        lane.append(halves.flat_map(|(first, second)| [first, second]).map(Piece::new));
        !split.is_empty()
    }

    /// Concludes what waited for other parts of a window that was walked in vain, when nothing is
    /// under way.
    pub(super) fn resolve(&mut self, now: Moment) {
        let Resolved { rows, unproven } = self.wholes.resolve(now.earlier());
        self.walked.unproven.extend(unproven);
        self.enter(rows);
    }

    fn may_open(&self, lane: usize, now: Moment) -> bool {
        let active = || self.active.values().filter(|active| active.lane == lane);
        match active().count() {
            0 => true,
            open => {
                let lane = &self.lanes[lane];
                open < OPEN_WALKS
                    && lane.density().is_some()
                    && active().all(ActiveWalk::has_begun)
                    && lane.next().is_none_or(|piece| self.reaches(piece, now))
            }
        }
    }

    /// Whether the service certainly reaches a range. Until it does, windows are walked one by one,
    /// earliest first: the first record shown tells what came before it to be lost.
    fn reaches(&self, piece: &Piece, now: Moment) -> bool {
        self.known.obligation.believes(piece.range, self.known.reach, now)
    }

    /// Spreads what is left over several lanes, once it is known to be long: a lane waits for the
    /// first page of each of its windows, and the others fill the places in line meanwhile.
    fn spread(&mut self, now: Moment) {
        let [lane] = &self.lanes[..] else { return };
        let is_ready = |piece: &Piece| piece.is_fresh() && self.reaches(piece, now);
        if let Some(lanes) =
            lane.spread(self.known.habits.longest_page, self.known.most_lanes, is_ready)
        {
            self.lanes = lanes;
        }
    }

    /// The next window of a lane: as long as its density lets expect full pages, and of one kind in
    /// what is known of it.
    fn take_window(&mut self, lane: usize, now: Moment) -> Option<Piece> {
        let density =
            self.lanes[lane].density().filter(|density| windows::may_size(*density, self.in_vain));
        let piece = self.lanes[lane].take_next()?;
        if piece.walks > 0 {
            return Some(piece);
        }
        let Knowledge { obligation, reach, emptiness, settle_delay, .. } = &self.known;
        let range = obligation.uniform(piece.range, *reach, now);
        let range = if reach.covers(range, now) { range } else { emptiness.uniform(range) };
        let range = windows::next_window(range, density, self.longest);
        let settled_until = now.earlier() - *settle_delay;
        let range = windows::cut_at_settled(range, density, settled_until, PAGE_LIMIT);
        if let Some(rest) = piece.range.split_at(range.end()).1 {
            self.lanes[lane].put_back(piece.with(rest));
        }
        Some(piece.with(range))
    }

    /// Asks what the walk wants next; whether it is over, and how.
    pub(super) fn advance(&mut self, id: WalkId) -> Option<Result<Proof, Doubt>> {
        let active = self.active.get_mut(&id)?;
        match active.walk.step() {
            Step::Ask(markers) => {
                let (begin, end) = windows::bounds(active.piece.range);
                let effort = active.piece.effort(self.failed);
                for marker in markers {
                    let query = PageQuery { begin, end, marker, limit: PAGE_LIMIT };
                    self.effects.push(Effect::Ask(Question::Page(id, query, effort)));
                }
                None
            }
            Step::Wait => None,
            Step::Over(verdict) => Some(verdict),
        }
    }

    /// Takes in a page of a walk.
    pub(super) fn take_page(&mut self, id: WalkId, served: ServedPage<'_>, now: Moment) {
        self.known.reach.learn_from(served.page, served.seen_at);
        if let Some(active) = self.active.get_mut(&id) {
            let density = active.take(served);
            self.known.habits = self.known.habits.and(active.walk.habits());
            self.lanes[active.lane].learn(density);
        }
        self.trim(id);
        self.spread(now);
        // Before the further pages of this walk are asked for: the first page of a window tells the
        // others, so waiting behind them it would leave most places in line empty when its turn
        // comes.
        self.open(now);
        if let Some(verdict) = self.advance(id)
            && let Some(active) = self.active.remove(&id)
        {
            self.conclude(active, verdict, now);
        }
    }

    /// Cuts a window that holds too many records, or whose last page would come nearly empty; what
    /// is cut off is walked with what follows it.
    fn trim(&mut self, id: WalkId) {
        let Some(active) =
            self.active.get_mut(&id).filter(|active| self.trims && active.piece.is_fresh())
        else {
            return;
        };
        let whole = active.piece.range;
        let Some(Trimmed { window, expected }) =
            active.prefix().and_then(|prefix| windows::trimmed(whole, prefix))
        else {
            return;
        };
        let Some(cut_off) = Interval::new(window.end(), whole.end()) else { return };
        let lane = &mut self.lanes[active.lane];
        if !lane.prepend(cut_off) {
            // With nothing to walk it with, a few records less are not worth a window of their own.
            if expected.is_some() {
                return;
            }
            lane.put_back(Piece::new(cut_off));
        }
        active.narrow(window, expected);
    }

    pub(super) fn tell(&mut self, note: Note<F>) {
        self.effects.push(Effect::Tell(note));
    }
}
