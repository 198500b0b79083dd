//! The work of a run for one function, in order.

use super::active::ServedPage;
use super::events::{Answer, Answered, Effect, Note, Present, Question, ServiceFact};
use super::look_ups::LookUps;
use super::side_checks::SideChecks;
use super::walked::Walked;
use super::walks::{Knowledge, Purpose, Walks};
use crate::domain::{Interval, IntervalSet, Timestamp};
use crate::plan::clocks::Moment;
use crate::plan::emptiness::Emptiness;
use crate::plan::failing::Setback;
use crate::plan::horizon::Scope;
use crate::plan::ledger::Entry;
use crate::plan::paging::Habits;
use crate::plan::reach::{Measured, Obligation, Reach, ReachProbe};
use crate::plan::refresh::{self, OpenRecord, Refresh};
use crate::plan::retry::Effort;
use std::time::Duration;

/// How often a run goes on with what turned out to be left: once for each thing that its answers
/// can tell of the time, and once more.
const MOST_TIMES_CAUGHT_UP: u32 = 3;

/// What a run has to do for a function.
#[derive(Clone, Debug, Default)]
pub struct Work {
    /// What is to be walked.
    pub pending: Vec<Interval>,
    /// What of the function is to be archived, and what of that was done before; nothing where the
    /// run only verifies.
    pub scope: Option<(Scope, IntervalSet)>,
    /// What earlier runs walked in vain, in the order in which to try it again.
    pub again: Vec<Entry>,
    /// How to ask for the open records that are due.
    pub refreshes: Vec<Refresh>,
    /// Open records that are too old to be waited for, if the machine's clock is right.
    pub old: Vec<OpenRecord>,
    /// How long after its end a window may still change.
    pub settle_delay: Duration,
    /// What is known of the service's pages.
    pub habits: Habits,
    /// What was promised of the function's time.
    pub obligation: Obligation,
    /// What an earlier run found empty.
    pub emptiness: Emptiness,
    /// In how many lanes a long range may be walked.
    pub lanes: usize,
    /// Settled windows to walk again.
    pub verify: Vec<Interval>,
    /// Whether that is what the run is for, so that what cannot be had of it is missed.
    pub must_verify: bool,
    /// A record from before what is pending: if the service still shows it, it reaches all of that.
    pub reach_probe: Option<ReachProbe>,
    /// What to ask beside the records.
    pub side_checks: SideChecks,
}

/// Open records that are due, by how they are asked for.
#[derive(Debug, Default)]
struct OpenRecords {
    in_hours: Vec<OpenRecord>,
    by_id: Vec<OpenRecord>,
}

/// What is being done. A phase is over when everything that it asked was answered and it has
/// nothing more to ask.
#[derive(Debug)]
enum Phase<F> {
    /// Nothing was asked yet.
    Begin,
    /// A record from before what is pending is looked for: does the service reach back to it?
    LookBack,
    /// What is pending is walked, then what the answers show to be left.
    Pending(Walks<F>),
    /// The hours are walked in which open records lie; others are to be looked up then.
    Hours(Walks<F>, OpenRecords),
    /// Open records are looked up.
    LookUps(LookUps<F>),
    /// Settled windows are walked again.
    Verify(Walks<F>),
    /// It is measured how far back the service reaches, by an archived record.
    Measure(ReachProbe),
    /// It is asked whether the service records the function.
    Recording,
    /// Nothing is left to do.
    Over,
}

/// The work of a run for one function, as a state machine.
#[derive(Debug)]
pub struct Schedule<F> {
    work: Work,
    known: Knowledge,
    phase: Phase<F>,
    walked: Walked<F>,
    /// What is walked, or was before the run.
    covered: IntervalSet,
    times_caught_up: u32,
    /// Why an open record could not be asked for, the last of them.
    left: Option<F>,
    /// Why a side check could not be made, the last of them.
    unchecked: Option<F>,
    /// How many questions are not answered yet.
    unanswered: usize,
    effects: Vec<Effect<F>>,
}

impl<F> Schedule<F> {
    /// A schedule of this work; nothing is asked yet.
    pub fn new(work: Work) -> Self {
        let known = Knowledge {
            habits: work.habits,
            repeats: false,
            reach: Reach::default(),
            obligation: work.obligation.clone(),
            emptiness: work.emptiness.clone(),
            reach_unknown: None,
            most_lanes: work.lanes,
            settle_delay: work.settle_delay,
        };
        Self {
            work,
            known,
            phase: Phase::Begin,
            walked: Walked::default(),
            covered: IntervalSet::default(),
            times_caught_up: 0,
            left: None,
            unchecked: None,
            unanswered: 0,
            effects: Vec::new(),
        }
    }

    /// What to do first.
    pub fn begin(&mut self, present: Present) -> Vec<Effect<F>> {
        self.go_on(present)
    }

    /// What to do now that a question was answered.
    pub fn take(
        &mut self,
        question: &Question,
        answered: Answered<'_, F>,
        present: Present,
    ) -> Vec<Effect<F>> {
        self.unanswered = self.unanswered.saturating_sub(1);
        self.note(question, answered, present.now);
        self.go_on(present)
    }

    /// Whether nothing is left to do; what is still under way need not be waited for.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    /// What is known by now of how the service fills its answers.
    pub fn habits(&self) -> Habits {
        match &self.phase {
            Phase::Pending(walks) | Phase::Hours(walks, _) | Phase::Verify(walks) => {
                walks.known.habits
            }
            _ => self.known.habits,
        }
    }

    /// What the work came to. It is finished if it is over and nothing failed.
    pub fn into_walked(self) -> Walked<F> {
        let finished = self.is_over() && self.walked.failure.is_none();
        Walked { finished, ..self.walked }
    }

    fn note(&mut self, question: &Question, answered: Answered<'_, F>, now: Moment) {
        match (&mut self.phase, question) {
            (
                Phase::Pending(walks) | Phase::Hours(walks, _) | Phase::Verify(walks),
                Question::Page(id, query, _),
            ) => match answered {
                Ok(Answer::Page(page, seen_at)) => {
                    walks.take_page(*id, ServedPage { marker: query.marker, page, seen_at }, now);
                }
                Ok(_) => {}
                Err(setback) => walks.take_setback(*id, query.marker, setback, now),
            },
            (Phase::LookUps(look_ups), Question::Record(id, range, _)) => match answered {
                Ok(Answer::Page(page, _)) => look_ups.take_page(id, *range, page, now),
                Ok(_) => {}
                Err(setback) => {
                    if let Err(failure) = look_ups.take_setback(id, *range, setback) {
                        self.end_with(failure);
                    }
                }
            },
            (Phase::LookBack, _) => match answered {
                Ok(Answer::Page(page, seen_at)) => self.known.reach.learn_from(page, seen_at),
                Ok(_) => {}
                Err(Setback::Part(failed)) => self.known.reach_unknown = Some(failed.reason),
                Err(Setback::Whole(failed)) => self.end_with(failed.failure),
            },
            (Phase::Measure(probe), _) => match answered {
                Ok(Answer::Page(page, seen_at)) => {
                    let forgotten = (!page.shows(&probe.request_id)).then_some(probe.ended_at);
                    self.known.reach.learn_from(page, seen_at);
                    self.keep_measured(forgotten, now);
                }
                Ok(_) => {}
                Err(setback) => self.unchecked = Some(setback.into_failure()),
            },
            (Phase::Recording, _) => match answered {
                Ok(Answer::Recording(enabled)) => self.keep_recorded(enabled, now),
                Ok(_) => {}
                Err(setback) => self.unchecked = Some(setback.into_failure()),
            },
            _ => {}
        }
    }

    /// Keeps how far back the service was seen to reach, and when a record ended that it shows no
    /// more.
    fn keep_measured(&mut self, forgotten: Option<Timestamp>, now: Moment) {
        let age = |ended_at| u64::try_from(now.earlier().seconds_since(ended_at)).unwrap_or(0);
        let forgotten = forgotten.map(|ended_at| Duration::from_secs(age(ended_at)));
        let measured = Measured { shown: self.known.reach.shown(), forgotten };
        if measured != Measured::default() {
            self.effects.push(Effect::Keep(now.earlier(), ServiceFact::Reach(measured)));
        }
    }

    fn keep_recorded(&mut self, enabled: Option<bool>, now: Moment) {
        if enabled == Some(false) && self.work.side_checks.was_recorded != Some(false) {
            self.effects.push(Effect::Tell(Note::NotRecorded));
        }
        self.effects.push(Effect::Keep(now.earlier(), ServiceFact::Recording(enabled)));
    }

    /// Nothing further can be had of the function.
    fn end_with(&mut self, failure: F) {
        self.walked.failure = Some(failure);
        self.phase = Phase::Over;
    }

    /// Goes from phase to phase until there is something to wait for.
    fn go_on(&mut self, present: Present) -> Vec<Effect<F>> {
        self.open(present.now);
        while self.unanswered == 0 && !self.is_over() {
            self.enter_next_phase(present);
            self.open(present.now);
        }
        std::mem::take(&mut self.effects)
    }

    /// Asks what the phase has to ask by now.
    fn open(&mut self, now: Moment) {
        let effects = match &mut self.phase {
            Phase::Pending(walks) | Phase::Hours(walks, _) | Phase::Verify(walks) => {
                walks.open(now);
                std::mem::take(&mut walks.effects)
            }
            Phase::LookUps(look_ups) => {
                look_ups.open(now);
                std::mem::take(&mut look_ups.effects)
            }
            _ => return,
        };
        for effect in effects {
            self.push(effect);
        }
    }

    fn push(&mut self, effect: Effect<F>) {
        self.unanswered += usize::from(matches!(effect, Effect::Ask(_)));
        self.effects.push(effect);
    }

    fn ask(&mut self, question: Question) {
        self.push(Effect::Ask(question));
    }

    /// Enters the phase after the one that has nothing left to ask.
    fn enter_next_phase(&mut self, present: Present) {
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Begin => self.look_back(present),
            Phase::LookBack => self.walk_pending(),
            Phase::Pending(mut walks) => {
                if walks.try_again() || walks.walk_short_again() {
                    self.phase = Phase::Pending(walks);
                } else {
                    walks.resolve(present.now);
                    self.effects.append(&mut walks.effects);
                    self.catch_up(walks, present);
                }
            }
            Phase::Hours(walks, open) => self.end_hours(walks, open, present.now),
            Phase::LookUps(look_ups) => {
                self.left = look_ups.failure.or(self.left.take());
                self.verify(present.now);
            }
            Phase::Verify(walks) => self.end_verifying(walks, present.now),
            Phase::Measure(_) => self.ask_recording(),
            Phase::Recording => self.end(),
            Phase::Over => {}
        }
    }

    fn look_back(&mut self, present: Present) {
        self.phase = Phase::LookBack;
        if let Some(probe) = self.work.reach_probe.take() {
            self.ask_for(&probe, present.now);
        }
    }

    /// Asks for an archived record that is over; whether there is a time in which it can be looked
    /// for.
    fn ask_for(&mut self, probe: &ReachProbe, now: Moment) -> bool {
        let range = refresh::around_ended(probe.started_at, probe.ended_at, now.later());
        if let Some(range) = range {
            self.ask(Question::Record(probe.request_id.clone(), range, Effort::Whole));
        }
        range.is_some()
    }

    fn walk_pending(&mut self) {
        let pending = std::mem::take(&mut self.work.pending);
        let again = std::mem::take(&mut self.work.again);
        if let Some((_, done)) = &self.work.scope {
            let tried = again.iter().map(|row| row.window);
            self.covered = done.iter().chain(pending.iter().copied()).chain(tried).collect();
        }
        self.phase =
            Phase::Pending(Walks::new(self.known.clone(), Purpose::Archive, pending, again));
    }

    /// Takes in what walks have learnt and come to.
    fn learn_from(&mut self, walks: Walks<F>) -> Walked<F> {
        let Knowledge { habits, repeats, reach, .. } = walks.known;
        (self.known.habits, self.known.repeats, self.known.reach) = (habits, repeats, reach);
        walks.walked
    }

    /// Walks what the answers so far show to be left: what the service's clock adds to the horizon,
    /// and what an answer with a wrong date let nobody claim. Nothing where the clocks agree.
    fn catch_up(&mut self, walks: Walks<F>, present: Present) {
        let walked = self.learn_from(walks);
        self.walked = std::mem::take(&mut self.walked).and(walked);
        if self.walked.failure.is_some() {
            return;
        }
        let unclaimed = &self.walked.unclaimed;
        let left = match self.work.scope {
            Some((scope, _)) if self.times_caught_up < MOST_TIMES_CAUGHT_UP => {
                scope.left(&self.covered, unclaimed, present.began_at)
            }
            _ => Vec::new(),
        };
        if left.is_empty() {
            return self.refresh(present.now);
        }
        self.times_caught_up += 1;
        // What is not walked again now may be claimable when more answers have told the time.
        let again: IntervalSet = left.iter().copied().collect();
        let kept = unclaimed.iter().flat_map(|&range| again.gaps_in(range)).collect();
        for &range in &left {
            self.covered.insert(range);
        }
        let mut walks = Walks::new(self.known.clone(), Purpose::Archive, left, Vec::new());
        walks.walked.unclaimed = kept;
        self.phase = Phase::Pending(walks);
    }

    /// Gives up what is too old by both clocks, now that the service has told its time, and asks
    /// for the open records that no walk showed.
    fn refresh(&mut self, now: Moment) {
        let old = std::mem::take(&mut self.work.old).into_iter();
        let given_up = old.filter(|record| refresh::is_given_up(record, now.earlier()));
        let given_up: Vec<_> = given_up.map(|record| record.request_id).collect();
        if !given_up.is_empty() {
            self.effects.push(Effect::GiveUp(given_up));
        }
        let (mut hours, mut open) = (Vec::new(), OpenRecords::default());
        for refresh in std::mem::take(&mut self.work.refreshes) {
            match refresh {
                Refresh::LookUp(records) => open.by_id.extend(records),
                Refresh::Walk(hour, records) => {
                    hours.push(hour);
                    open.in_hours.extend(records);
                }
            }
        }
        let walks = Walks::new(self.known.clone(), Purpose::Refresh, hours, Vec::new());
        self.phase = Phase::Hours(walks, open);
    }

    /// Notes which open records were asked for by walking their hours, and looks up the others.
    fn end_hours(&mut self, walks: Walks<F>, open: OpenRecords, now: Moment) {
        let hours = self.learn_from(walks);
        if let Some(failure) = hours.failure {
            return self.end_with(failure);
        }
        let is_missed = |record: &OpenRecord| {
            hours.unproven.iter().any(|(range, _)| range.contains(record.opened_at))
        };
        let (missed, asked): (Vec<_>, Vec<_>) = open.in_hours.into_iter().partition(is_missed);
        let asked = asked.iter().filter_map(|record| refresh::asked(record, now.earlier()));
        self.effects.extend(asked.map(Effect::NoteAsked));
        self.left = hours.cause.filter(|_| !missed.is_empty());
        self.phase = Phase::LookUps(LookUps::new(open.by_id));
    }

    fn verify(&mut self, now: Moment) {
        let windows = std::mem::take(&mut self.work.verify);
        if windows.is_empty() {
            return self.measure(now);
        }
        // Settled windows were proven before: nothing was promised of them that could be lost now.
        let (obligation, emptiness) = (Obligation::default(), Emptiness::default());
        let known = Knowledge { obligation, emptiness, reach_unknown: None, ..self.known.clone() };
        self.phase = Phase::Verify(Walks::new(known, Purpose::Verify, windows, Vec::new()));
    }

    fn end_verifying(&mut self, walks: Walks<F>, now: Moment) {
        let verified = self.learn_from(walks);
        if self.work.must_verify {
            self.walked = verified;
        } else {
            self.effects
                .extend(verified.failure.map(|failure| Effect::Tell(Note::LeftForLater(failure))));
        }
        if self.walked.failure.is_none() {
            self.measure(now);
        }
    }

    /// Measures how far back the service reaches: by an archived record, where one tells more than
    /// the walks did.
    fn measure(&mut self, now: Moment) {
        match self.work.side_checks.probe.take() {
            Some(probe) if self.ask_for(&probe, now) => self.phase = Phase::Measure(probe),
            _ => {
                self.keep_measured(None, now);
                self.ask_recording();
            }
        }
    }

    fn ask_recording(&mut self) {
        self.phase = Phase::Recording;
        if self.work.side_checks.asks_recording {
            self.ask(Question::Recording);
        }
    }

    fn end(&mut self) {
        self.effects
            .extend(self.unchecked.take().map(|failure| Effect::Tell(Note::LeftForLater(failure))));
        self.walked.failure = self.left.take();
    }
}
