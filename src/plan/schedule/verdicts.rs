//! What a walk that is over lets the ledger say, and what is done about one that proved nothing or
//! could not be had.

use super::active::ActiveWalk;
use super::events::{Effect, Note, Question, WalkId};
use super::lanes::{Piece, Trouble};
use super::walks::{Purpose, Walks};
use super::wholes::{NARROWEST, Part, Told};
use crate::domain::{Interval, Marker, Timestamp};
use crate::plan::clocks::Moment;
use crate::plan::failing::{self, Failed, Setback};
use crate::plan::ledger::{Entry, State};
use crate::plan::paging::{Doubt, Proof};
use crate::plan::windows::{self, Belief, Density, Remedy};
use std::sync::Arc;

/// So many pages are asked for around a second that cannot be had: it has few neighbours.
const MOST_PAGES_AROUND: u64 = 20;

impl<F> Walks<F> {
    /// A walk is over.
    pub(super) fn conclude(
        &mut self,
        active: ActiveWalk,
        verdict: Result<Proof, Doubt>,
        now: Moment,
    ) {
        self.known.habits.miscounts |= active.walk.shows_miscount();
        self.known.repeats |= verdict.is_ok() && active.walk.repeats();
        let is_ended = |doubt: Doubt| doubt.is_of_count() || doubt.is_of_reading();
        let has_ended = verdict.is_ok() || verdict.is_err_and(is_ended);
        if has_ended && active.walk.announced().is_none() {
            let density = Density::of(active.walk.distinct(), active.piece.range);
            self.lanes[active.lane].learn(Some(density));
        }
        if active.piece.trouble == Trouble::Short {
            let hides = active.walk.hidden_behind().is_some();
            return self.wholes.take_again(active.piece.range, told(&active, hides));
        }
        match verdict {
            Ok(proof) => self.believe(active, proof),
            Err(doubt) => self.doubt(&active, doubt, now),
        }
    }

    fn believe(&mut self, active: ActiveWalk, proof: Proof) {
        let (window, pages, records) =
            (active.piece.range, active.walk.pages(), active.walk.distinct());
        self.in_vain.end_with(records);
        let Some(began_at) = active.began_at else { return };
        if self.has_vanished(&active, began_at) {
            self.tell(Note::Doubted(window, Doubt::Vanished));
            let reason: Arc<str> = Doubt::Vanished.to_string().into();
            if self.purpose == Purpose::Archive && self.wholes.awaits(window) {
                // What it does not show may be shown by its halves.
                let rows = vec![active.unproven(reason, began_at.earlier())];
                return self.wholes.hold(Part { rows, ..part(&active, None) });
            }
            return self.leave_unproven(&active, reason, began_at);
        }
        self.tell(Note::Believed { window, pages, records, proof });
        match self.purpose {
            Purpose::Archive => self.claim(&active, proof, began_at),
            Purpose::Refresh => {}
            Purpose::Verify => {
                self.effects.push(Effect::Compare(active.verification(began_at, self.known.reach)));
            }
        }
    }

    /// Enters what a walk lets the ledger say.
    fn claim(&mut self, active: &ActiveWalk, proof: Proof, began_at: Moment) {
        let (window, records) = (active.piece.range, active.walk.distinct());
        let belief = self.belief(active, began_at);
        let claims = windows::claims(window, belief, began_at.earlier(), self.known.settle_delay);
        self.walked.unclaimed.extend(claims.future);
        self.walked.disputed.extend(claims.disputed);
        self.tell_of_records_in_the_empty(active);
        let settled = claims.settled.filter(|_| records == 0);
        let unconfirmed =
            settled.map(|settled| self.known.emptiness.unconfirmed(settled)).unwrap_or_default();
        let mut rows = active.rows(claims, &unconfirmed, proof, began_at);
        match self.known.reach_unknown.clone() {
            Some(reason) => {
                self.walked.unproven.extend(claims.lost.map(|lost| (lost, Arc::clone(&reason))));
                for row in &mut rows {
                    leave_open(row, &reason);
                }
            }
            None => self.walked.lost.extend(claims.lost),
        }
        if self.wholes.awaits(window) {
            self.wholes.hold(Part { rows, ..part(active, None) });
        } else {
            self.enter(rows);
        }
    }

    /// Whether a window is empty by this walk in which records were shown before.
    fn has_vanished(&self, active: &ActiveWalk, began_at: Moment) -> bool {
        if active.walk.distinct() > 0 {
            return false;
        }
        let (kept, believed) =
            (self.known.reach.begin(began_at), self.belief(active, began_at).from);
        self.known.emptiness.contradicts(active.piece.range, kept, believed)
    }

    /// From where on a walk is believed. What was empty twice is: when it was first, the service
    /// was not too late to ask.
    fn belief(&self, active: &ActiveWalk, began_at: Moment) -> Belief {
        let window = active.piece.range;
        if active.walk.distinct() == 0 && self.known.emptiness.was_seen(window) {
            return Belief { lost_until: window.begin(), from: window.begin() };
        }
        Belief {
            lost_until: self.known.obligation.lost_until(window, self.known.reach, began_at),
            from: self.known.obligation.believed_from(window, self.known.reach, began_at),
        }
    }

    /// An answer that said that nothing happened was wrong.
    fn tell_of_records_in_the_empty(&mut self, active: &ActiveWalk) {
        for range in self.known.emptiness.seen_in(active.piece.range) {
            let records = active.walk.distinct_in(range);
            if records > 0 {
                self.tell(Note::RecordsInTheEmpty(range, records));
            }
        }
    }

    fn doubt(&mut self, active: &ActiveWalk, doubt: Doubt, now: Moment) {
        let piece = active.piece;
        self.known.emptiness.learn(active.walk.lasted().iter().copied());
        let (range, walks, lane) = (piece.range, piece.walks + 1, &mut self.lanes[active.lane]);
        self.trims &= !(active.trimmed && doubt.is_of_seam());
        // One answer may have been spoilt: only what another walk cannot read either is in vain.
        if !doubt.is_of_reading() || walks > 1 {
            self.in_vain.add(doubt);
        }
        // What an earlier run could not read, and is as it was, is not looked through again.
        let is_known = matches!(piece.trouble, Trouble::Known { .. });
        let is_narrow = range.seconds() <= NARROWEST && doubt.is_of_reading();
        let is_as_it_was = is_known && (is_narrow || doubt == Doubt::NothingRead);
        match windows::remedy(doubt, range, walks, self.in_vain) {
            Remedy::Halve if is_as_it_was => self.give_up(active, doubt, now),
            Remedy::WalkAgain => {
                let contradiction = active.walk.contradiction().filter(|_| doubt.may_be_habit());
                let repeated = doubt == Doubt::Repeated;
                let hidden_behind = active.walk.hidden_behind();
                lane.put_back(Piece { walks, contradiction, hidden_behind, repeated, ..piece });
            }
            Remedy::Shorten => lane.put_back_shortened(piece, self.longest),
            Remedy::Halve => {
                // What cannot be read in the whole can be read in neither half.
                let walks = if doubt.is_of_reading() { walks - 1 } else { 0 };
                lane.put_back_halves(piece, walks);
                // A list that becomes shorter ends elsewhere each time.
                let hidden_behind = active.walk.hidden_behind();
                let hides = hidden_behind.is_some() && hidden_behind == piece.hidden_behind;
                self.wholes.note(range, told(active, hides));
                if piece.trouble == (Trouble::Known { settled: true }) {
                    self.looked_for.insert(range);
                }
            }
            Remedy::GiveUp => self.give_up(active, doubt, now),
        }
        self.tell(Note::Doubted(range, doubt));
    }

    /// Leaves a window unproven that was walked in vain.
    fn give_up(&mut self, active: &ActiveWalk, doubt: Doubt, now: Moment) {
        self.failed_again += usize::from(matches!(active.piece.trouble, Trouble::Known { .. }));
        if self.wholes.awaits(active.piece.range) {
            self.wholes.hold(part(active, Some(doubt)));
        }
        self.leave_unproven(active, doubt.to_string().into(), now);
    }

    fn leave_unproven(&mut self, active: &ActiveWalk, reason: Arc<str>, now: Moment) {
        self.walked.unproven.push((active.piece.range, Arc::clone(&reason)));
        if self.purpose == Purpose::Archive {
            self.enter(vec![active.unproven(reason, now.earlier())]);
        }
    }

    pub(super) fn enter(&mut self, rows: Vec<Entry>) {
        if !rows.is_empty() {
            self.effects.push(Effect::Enter(rows));
        }
    }

    /// Whether a walk goes on, or is over, though a page behind its list was refused.
    fn goes_on_without(&mut self, id: WalkId, marker: Marker, now: Moment) -> bool {
        let Some(active) = self.active.get_mut(&id) else { return false };
        if !active.walk.refuse_behind(marker) {
            return false;
        }
        if let Some(verdict) = self.advance(id)
            && let Some(active) = self.active.remove(&id)
        {
            self.conclude(active, verdict, now);
        }
        true
    }

    /// A page could not be had. What was asked beside it is still taken in; where the function
    /// itself cannot be had, nothing further is asked.
    pub(super) fn take_setback(
        &mut self,
        id: WalkId,
        marker: Marker,
        setback: Setback<F>,
        now: Moment,
    ) {
        if matches!(&setback, Setback::Part(failed) if failed.is_behind_the_end())
            && self.goes_on_without(id, marker, now)
        {
            return;
        }
        let Some(active) = self.active.remove(&id) else { return };
        if active.piece.trouble == Trouble::Short && matches!(setback, Setback::Part(_)) {
            // What its parts hold is known; that it is short of more stands.
            return;
        }
        let (lane, range) = (&mut self.lanes[active.lane], active.piece.range);
        match setback {
            Setback::Whole(failed) => {
                self.walked.failure.get_or_insert(failed.failure);
            }
            Setback::Part(failed) if active.began_at.is_none() && failed.is_too_long(range) => {
                self.longest = range.duration() / 2;
                lane.put_back(active.piece.with(range));
                self.tell(Note::TooLong(range));
            }
            // A window was refused that ends after the present, as the service tells it.
            Setback::Part(failed) if failed.is_refused() && now.earlier() < range.end() => {
                lane.put_back(active.piece.with(range));
                self.leave_after(now.earlier());
            }
            Setback::Part(failed) => {
                self.failed += 1;
                self.failed_again +=
                    usize::from(matches!(active.piece.trouble, Trouble::Known { .. }));
                self.tell(Note::CannotBeHad(range, Arc::clone(&failed.reason)));
                self.make_do(&active, failed, now);
            }
        }
    }

    /// Leaves what lies after this moment, of which a part was refused: nothing may be there yet,
    /// and nothing is claimed.
    fn leave_after(&mut self, moment: Timestamp) {
        let left_out = self.lanes.iter_mut().flat_map(|lane| lane.leave_after(moment));
        self.walked.unclaimed.extend(left_out);
    }

    /// Walks the halves of a window that failed for good, or leaves it unproven.
    fn make_do(&mut self, active: &ActiveWalk, failed: Failed<F>, now: Moment) {
        let piece = active.piece;
        self.known.emptiness.learn(active.walk.lasted().iter().copied());
        match failing::remedy(piece.range, self.failed) {
            failing::Remedy::Halve(first, second) => {
                let part = |range| Piece { trouble: Trouble::Part, ..Piece::new(range) };
                let lane = &mut self.lanes[active.lane];
                lane.put_back(part(second));
                lane.put_back(part(first));
            }
            failing::Remedy::GiveUp => {
                if !windows::is_divisible(piece.range)
                    && piece.trouble != (Trouble::Known { settled: true })
                {
                    self.ask_around(piece.range);
                }
                self.leave_unproven(active, failed.reason, now);
                self.walked.cause = Some(failed.failure);
            }
        }
    }

    /// Asks for what can be had around a second that fails: it is asked for with its neighbours,
    /// and they fail with it.
    fn ask_around(&mut self, second: Interval) {
        for (begin, end) in failing::edges(second) {
            self.effects.push(Effect::Ask(Question::Around {
                begin,
                end,
                most_pages: MOST_PAGES_AROUND,
            }));
        }
    }
}

/// What a walk in vain told of its window.
fn told(active: &ActiveWalk, hides: bool) -> Told {
    Told { counted: active.walk.most_counted(), shown: active.walk.least(), hides }
}

/// What a walk tells of its window as a part of another. All entries count, those of the seconds
/// beside it as well: so they do in the walk of the whole.
fn part(active: &ActiveWalk, doubt: Option<Doubt>) -> Part {
    Part {
        window: active.piece.range,
        shown: active.walk.records().collect(),
        unreadable: active.walk.unreadable(),
        counted: active.walk.most_counted(),
        doubt,
        rows: Vec::new(),
    }
}

/// A row that would call a range lost, when it is not known whether it is.
fn leave_open(row: &mut Entry, reason: &Arc<str>) {
    if row.state == State::Lost {
        (row.state, row.reason) = (State::Unproven, Some(Arc::clone(reason)));
    }
}
