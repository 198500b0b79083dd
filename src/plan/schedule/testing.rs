//! Plays a function's part of a run against a service in memory, for the tests of the schedule.

use super::{Answer, Effect, Present, Question, Schedule, Walked, Work};
use crate::domain::{
    Entry, Interval, IntervalSet, Invocation, Marker, Page, RecordTime, Reject, RequestId, Status,
    Timestamp,
};
use crate::plan::clocks::Moment;
use crate::plan::failing::{Failed, Refusal, Setback};
use crate::plan::ledger::{self, State};
use crate::plan::reach::ReachProbe;
use crate::plan::refresh::OpenRecord;
use crate::plan::retry::Effort;
use std::collections::HashSet;
use std::time::Duration;

pub(super) const MINUTE: i64 = 60;
pub(super) const HOUR: i64 = 3_600;
pub(super) const DAY: i64 = 24 * HOUR;
pub(super) const MONTH: i64 = 30 * DAY;

/// No schedule of these tests takes more questions.
pub(super) const MOST_QUESTIONS: usize = 20_000;

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_unix(second)
}

pub(super) fn range(begin: i64, end: i64) -> Interval {
    Interval::new(at(begin), at(end)).unwrap()
}

pub(super) fn id(second: i64, number: u64) -> RequestId {
    RequestId::new(format!("{second}-{number}")).unwrap()
}

/// A record that began in this second and ended in the next.
pub(super) fn record(second: i64, number: u64) -> Invocation {
    let time = |second| Some(RecordTime::At(at(second)));
    Invocation {
        request_id: id(second, number),
        status: Status::Success,
        error_code: None,
        error_message: None,
        start_time: time(second),
        end_time: time(second + 1),
        extra: None,
    }
}

/// Records spread evenly over a range.
pub(super) fn spread(number: i64, begin: i64, end: i64) -> Vec<Invocation> {
    (0..number)
        .map(|one| record(begin + one * (end - begin) / number, u64::try_from(one).unwrap()))
        .collect()
}

pub(super) fn open(second: i64, status: Status, checked: i64) -> OpenRecord {
    OpenRecord {
        request_id: id(second, 0),
        status,
        opened_at: at(second),
        start_is_known: true,
        ended_at: None,
        checked_at: at(checked),
        is_shown: true,
    }
}

pub(super) fn probe(second: i64) -> ReachProbe {
    ReachProbe { request_id: id(second, 0), started_at: at(second), ended_at: at(second + 1) }
}

/// Work that has these ranges pending, for runs that began with the month over.
pub(super) fn pending(ranges: &[(i64, i64)]) -> Work {
    let pending = ranges.iter().map(|&(begin, end)| range(begin, end)).collect();
    Work { pending, settle_delay: Duration::from_mins(15), lanes: 1, ..Work::default() }
}

/// A ledger row of a window that an earlier run walked in vain at a second.
pub(super) fn in_vain(begin: i64, end: i64, walked_at: i64) -> ledger::Entry {
    ledger::Entry {
        window: range(begin, end),
        state: State::Unproven,
        reported: None,
        distinct: 0,
        pages: 0,
        walked_at: at(walked_at),
        reason: Some("HTTP 500".into()),
    }
}

/// What the service makes of a question, where it does not answer it as it should.
pub(super) type Fault = fn(&Question) -> Option<Setback<&'static str>>;

pub(super) fn part(refusal: Option<Refusal>) -> Setback<&'static str> {
    Setback::Part(Failed { failure: "part", refusal, reason: "HTTP 500".into() })
}

pub(super) fn whole() -> Setback<&'static str> {
    Setback::Whole(Failed { failure: "whole", refusal: None, reason: "no answer".into() })
}

/// A service in memory that shows records from the earliest on.
pub(super) struct Service {
    pub(super) records: Vec<Invocation>,
    /// How many records a page holds at most, and whether it counts all of them.
    pub(super) page: u64,
    pub(super) counts: bool,
    /// Whether a page of more than two records shows its first one twice, in place of the last.
    pub(super) stands_in: bool,
    /// How a marker behind the list is refused, where the last page points there all the same.
    pub(super) refuses_behind: Option<Refusal>,
    /// A page that holds a record of one of these seconds, or would, cannot be had.
    pub(super) bad: Vec<i64>,
    /// A page that would hold a record of one of these seconds cannot be had; others can.
    pub(super) failing: Vec<i64>,
    /// Records of these seconds come in a form that cannot be read.
    pub(super) unreadable: Vec<i64>,
    /// A page that would hold a record of one of these seconds is answered as an empty list, or as
    /// one of this entry alone, without a count.
    pub(super) hidden: Vec<i64>,
    pub(super) hidden_behind: Option<&'static str>,
    /// Ranges that are no longer than so many seconds are answered as empty ones, without a count.
    pub(super) empties: i64,
    pub(super) fault: Fault,
    /// What time it is, by machine and service, once so many questions were answered.
    pub(super) clock: fn(usize) -> Moment,
    pub(super) records_invocations: Option<bool>,
    /// Chooses which of the questions under way is answered next.
    pub(super) turn: u64,
}

pub(super) fn month_is_over(_: usize) -> Moment {
    at(MONTH + HOUR).into()
}

impl Service {
    pub(super) fn with(mut records: Vec<Invocation>) -> Self {
        records.sort_by_key(|record| (record.started_at(), record.request_id.clone()));
        Self {
            records,
            page: 500,
            counts: true,
            stands_in: false,
            refuses_behind: None,
            bad: Vec::new(),
            failing: Vec::new(),
            unreadable: Vec::new(),
            hidden: Vec::new(),
            hidden_behind: None,
            empties: 0,
            fault: |_| None,
            clock: month_is_over,
            records_invocations: Some(true),
            turn: 0,
        }
    }

    pub(super) fn faulty(self, fault: Fault) -> Self {
        Self { fault, ..self }
    }

    pub(super) fn between(&self, begin: Timestamp, end: Timestamp) -> Vec<&Invocation> {
        let lies_in = |record: &&Invocation| {
            record.started_at().is_some_and(|start| (begin..=end).contains(&start))
        };
        self.records.iter().filter(lies_in).collect()
    }

    pub(super) fn page(&self, question: &Question) -> Result<Page, Setback<&'static str>> {
        let (found, from, limit) = match question {
            Question::Page(_, query, _) => {
                if self.bad.iter().any(|&second| (query.begin..=query.end).contains(&at(second))) {
                    return Err(part(None));
                }
                if query.end.seconds_since(query.begin) <= self.empties {
                    return Ok(Page::default());
                }
                (self.between(query.begin, query.end), query.marker.0, self.page)
            }
            Question::Record(id, range, _) => {
                let found = self.between(range.begin(), range.end());
                (found.into_iter().filter(|record| record.request_id == *id).collect(), 0, 1)
            }
            Question::Around { .. } | Question::Recording => unreachable!(),
        };
        if from > 0 && from >= found.len() as u64 && self.refuses_behind.is_some() {
            return Err(part(self.refuses_behind));
        }
        let (total, from) = (found.len() as u64, usize::try_from(from).unwrap());
        let shown = found.into_iter().skip(from).take(usize::try_from(limit).unwrap()).cloned();
        let mut shown: Vec<Invocation> = shown.collect();
        if self.stands_in && shown.len() > 2 {
            shown.pop();
            shown.extend(shown.first().cloned());
        }
        let is_of = |record: &Invocation, seconds: &[i64]| {
            record.started_at().is_some_and(|start| seconds.contains(&start.unix()))
        };
        if shown.iter().any(|record| is_of(record, &self.failing)) {
            return Err(part(None));
        }
        if shown.iter().any(|record| is_of(record, &self.hidden)) {
            let empty = Page { count: Some(0), ..Page::default() };
            let reject = |raw: &str| Reject { reason: "no record".to_owned(), raw: raw.to_owned() };
            return Ok(self
                .hidden_behind
                .map_or(empty, |raw| Page::from_entries([Entry::Reject(reject(raw))])));
        }
        let entry = |record: Invocation| {
            if is_of(&record, &self.unreadable) {
                let raw = format!(r#"{{"requestId":"{}"}}"#, record.request_id);
                Entry::Reject(Reject { reason: "no request_id".to_owned(), raw })
            } else {
                Entry::Record(record)
            }
        };
        let mut page = Page::from_entries(shown.into_iter().map(entry));
        page.count = self.counts.then_some(total);
        let next = from as u64 + page.length();
        let points_on = next < total || self.refuses_behind.is_some();
        page.next_marker = points_on.then_some(Marker(next));
        Ok(page)
    }
}

/// What came of a schedule.
#[derive(Debug)]
pub(super) struct Played {
    pub(super) questions: Vec<Question>,
    /// The ledger as it is at the end.
    pub(super) ledger: Vec<ledger::Entry>,
    /// What was archived when each row came.
    pub(super) shown: HashSet<RequestId>,
    /// Rows that came before a record of theirs.
    pub(super) premature: Vec<Interval>,
    pub(super) effects: Vec<String>,
    pub(super) walked: Walked<&'static str>,
    pub(super) most_at_once: usize,
}

impl Played {
    /// The ranges of the ledger in this state, joined.
    pub(super) fn in_state(&self, is_meant: fn(State) -> bool) -> Vec<Interval> {
        let rows: IntervalSet =
            self.ledger.iter().filter(|row| is_meant(row.state)).map(|row| row.window).collect();
        rows.iter().collect()
    }

    pub(super) fn settled(&self) -> Vec<Interval> {
        self.in_state(|state| matches!(state, State::Settled(_)))
    }

    pub(super) fn unproven(&self) -> Vec<Interval> {
        self.in_state(State::is_unproven)
    }

    /// The kinds of questions in the order in which they came first.
    pub(super) fn order(&self) -> Vec<&'static str> {
        let mut kinds: Vec<&'static str> = Vec::new();
        for question in &self.questions {
            let kind = match question {
                Question::Page(..) => "page",
                Question::Record(..) => "record",
                Question::Around { .. } => "around",
                Question::Recording => "recording",
            };
            if kinds.last() != Some(&kind) {
                kinds.push(kind);
            }
        }
        kinds
    }

    pub(super) fn efforts(&self) -> Vec<Effort> {
        let effort = |question: &Question| match question {
            Question::Page(.., effort) | Question::Record(.., effort) => Some(*effort),
            Question::Around { .. } | Question::Recording => None,
        };
        self.questions.iter().filter_map(effort).collect()
    }

    pub(super) fn has(&self, effect: &str) -> bool {
        self.effects.iter().any(|text| text.contains(effect))
    }
}

pub(super) fn play(work: Work, service: &Service) -> Played {
    let present =
        |answered| Present { now: (service.clock)(answered), began_at: (service.clock)(answered) };
    let mut schedule = Schedule::new(work);
    let (mut under_way, mut turn): (Vec<Question>, u64) = (Vec::new(), service.turn);
    let mut played = Played {
        questions: Vec::new(),
        ledger: Vec::new(),
        shown: HashSet::new(),
        premature: Vec::new(),
        effects: Vec::new(),
        walked: Walked::default(),
        most_at_once: 0,
    };
    let mut effects = schedule.begin(present(0));
    loop {
        for effect in effects {
            match effect {
                Effect::Ask(question) => {
                    played.questions.push(question.clone());
                    under_way.push(question);
                }
                Effect::Enter(rows) => rows.iter().for_each(|row| enter(&mut played, service, row)),
                other => played.effects.push(format!("{other:?}")),
            }
        }
        played.most_at_once = played.most_at_once.max(under_way.len());
        assert!(played.questions.len() <= MOST_QUESTIONS, "{} questions", played.questions.len());
        if schedule.is_over() || under_way.is_empty() {
            break;
        }
        turn = turn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let next = if service.turn == 0 {
            0
        } else {
            usize::try_from(turn >> 33).unwrap() % under_way.len()
        };
        let question = under_way.remove(next);
        let present = present(played.questions.len() - under_way.len());
        let failed = (service.fault)(&question);
        effects = match (&question, failed) {
            (_, Some(setback)) => schedule.take(&question, Err(setback), present),
            (Question::Around { .. }, None) => {
                schedule.take(&question, Ok(Answer::Around), present)
            }
            (Question::Recording, None) => schedule.take(
                &question,
                Ok(Answer::Recording(service.records_invocations)),
                present,
            ),
            (Question::Page(..) | Question::Record(..), None) => match service.page(&question) {
                Ok(page) => {
                    played
                        .shown
                        .extend(page.records.iter().map(|record| record.request_id.clone()));
                    schedule.take(&question, Ok(Answer::Page(&page, present.now)), present)
                }
                Err(setback) => schedule.take(&question, Err(setback), present),
            },
        };
    }
    assert!(schedule.is_over(), "it waits for nothing");
    played.walked = schedule.into_walked();
    played
}

/// Enters a row as the archive does; what it claims must have been shown before.
pub(super) fn enter(played: &mut Played, service: &Service, row: &ledger::Entry) {
    let is_missing = |record: &&Invocation| {
        record.started_at().is_some_and(|start| row.window.contains(start))
            && !played.shown.contains(&record.request_id)
    };
    if row.state.proof().is_some() && service.records.iter().any(|record| is_missing(&record)) {
        played.premature.push(row.window);
    }
    let (near, far): (Vec<_>, Vec<_>) = played.ledger.drain(..).partition(|old| {
        old.window.begin() <= row.window.end() && row.window.begin() <= old.window.end()
    });
    played.ledger = far.into_iter().chain(ledger::apply(&near, row)).collect();
    played.ledger.sort_by_key(|row| row.window.begin());
}
