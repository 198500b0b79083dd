//! Open records that no walk shows, each asked for by its id.

use super::events::{Effect, Question};
use crate::domain::{Interval, Page, RequestId};
use crate::plan::clocks::Moment;
use crate::plan::failing::Setback;
use crate::plan::refresh::{self, OpenRecord};
use crate::plan::retry::Effort;
use crate::plan::windows::MAX_WINDOW;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// How many look-ups wait for their place in line at once.
const LOOK_UPS_AT_ONCE: usize = 16;

/// A record that is being looked for.
#[derive(Debug)]
struct LookUp {
    record: OpenRecord,
    /// Where it may still be, what is asked for now included.
    range: Interval,
}

/// The records of a run that are looked up.
#[derive(Debug)]
pub(super) struct LookUps<F> {
    waiting: VecDeque<OpenRecord>,
    under_way: HashMap<RequestId, LookUp>,
    /// No longer range is asked for.
    longest: Duration,
    /// Why one could not be had, the first of them: others are asked for with little patience then.
    pub(super) failure: Option<F>,
    pub(super) effects: Vec<Effect<F>>,
}

impl<F> LookUps<F> {
    pub(super) fn new(records: Vec<OpenRecord>) -> Self {
        let (under_way, effects) = (HashMap::new(), Vec::new());
        Self { waiting: records.into(), under_way, longest: MAX_WINDOW, failure: None, effects }
    }

    /// Asks for the next records, as many at once as may be.
    pub(super) fn open(&mut self, now: Moment) {
        while self.under_way.len() < LOOK_UPS_AT_ONCE
            && let Some(record) = self.waiting.pop_front()
        {
            match refresh::around(&record, now.later()) {
                Some(range) => self.ask(LookUp { record, range }),
                None => self.note_asked(&record, now),
            }
        }
    }

    fn ask(&mut self, look_up: LookUp) {
        let effort = if self.failure.is_some() { Effort::Part } else { Effort::Whole };
        let id = look_up.record.request_id.clone();
        self.effects.push(Effect::Ask(Question::Record(
            id.clone(),
            self.next_part(look_up.range),
            effort,
        )));
        self.under_way.insert(id, look_up);
    }

    /// The start of a range that is not too long to be asked for.
    fn next_part(&self, range: Interval) -> Interval {
        range.split_at(range.begin() + self.longest).0.unwrap_or(range)
    }

    /// Takes in what the service shows of a record between `asked`.
    pub(super) fn take_page(&mut self, id: &RequestId, asked: Interval, page: &Page, now: Moment) {
        let Some(LookUp { record, range }) = self.under_way.remove(id) else { return };
        match range.split_at(asked.end()).1 {
            _ if page.shows(id) => {}
            Some(rest) => self.ask(LookUp { record, range: rest }),
            None => self.note_asked(&record, now),
        }
    }

    /// A record could not be had; that keeps no other from it. A failure of the function is handed
    /// back.
    pub(super) fn take_setback(
        &mut self,
        id: &RequestId,
        asked: Interval,
        setback: Setback<F>,
    ) -> Result<(), F> {
        let look_up = self.under_way.remove(id);
        match (setback, look_up) {
            (Setback::Whole(failed), _) => return Err(failed.failure),
            (Setback::Part(failed), Some(look_up)) if failed.is_too_long(asked) => {
                self.longest = asked.duration() / 2;
                self.ask(look_up);
            }
            (Setback::Part(failed), _) => {
                self.failure.get_or_insert(failed.failure);
            }
        }
        Ok(())
    }

    fn note_asked(&mut self, record: &OpenRecord, now: Moment) {
        self.effects.extend(refresh::asked(record, now.earlier()).map(Effect::NoteAsked));
    }
}
