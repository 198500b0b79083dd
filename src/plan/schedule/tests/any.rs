//! What holds whatever a service answers, in whatever order.

use super::super::testing::{
    DAY, HOUR, MONTH, MOST_QUESTIONS, Service, at, in_vain, open, part, pending, play, probe,
    range, record, whole,
};
use super::super::*;
use crate::domain::{IntervalSet, Invocation, Status, Timestamp};
use crate::plan::clocks::{self, ServiceClock};
use crate::plan::failing::{Refusal, Setback};
use crate::plan::horizon::Scope;
use crate::plan::paging::Habits;
use crate::plan::reach::Measured;
use crate::plan::refresh::Refresh;
use proptest::prelude::*;
use std::collections::{BTreeMap, HashSet};

/// Seconds, each with how many records begin in it: some far apart, some crowded.
fn seconds() -> impl Strategy<Value = BTreeMap<i64, u64>> {
    let crowd = prop_oneof![8 => 1u64..4, 1 => 400u64..1_200];
    prop::collection::btree_map(0..3 * DAY, crowd, 0..30)
}

fn records_of(seconds: &BTreeMap<i64, u64>) -> Vec<Invocation> {
    seconds
        .iter()
        .flat_map(|(&second, &number)| (0..number).map(move |one| record(second, one)))
        .collect()
}

/// What a service may make of any question.
fn any_setback() -> impl Strategy<Value = Option<Setback<&'static str>>> {
    prop_oneof![
        6 => Just(None),
        2 => Just(Some(part(None))),
        1 => Just(Some(part(Some(Refusal::BadRequest)))),
        1 => Just(Some(part(Some(Refusal::Other)))),
        1 => Just(Some(whole())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever the order of the answers and the length of the pages: what is claimed was shown,
    /// and what is pending is settled, or unproven for a second that cannot be had.
    #[test]
    fn what_is_pending_is_claimed_once_it_is_shown(
        seconds in seconds(),
        page in prop_oneof![1u64..8, 100u64..=500],
        counts: bool,
        turn: u64,
        bad in prop::collection::vec(0..3 * DAY, 0..3),
        lanes in 1usize..4,
        knows: bool,
    ) {
        let page = if seconds.values().any(|&number| number > 4) { page.max(100) } else { page };
        let habits = Habits { longest_page: page, count_is_total: counts, ..Habits::default() };
        let habits = if knows { habits } else { Habits::default() };
        let service =
            Service { page, counts, bad: bad.clone(), turn, ..Service::with(records_of(&seconds)) };
        let played =
            play(Work { habits, lanes, ..pending(&[(0, DAY), (2 * DAY, 3 * DAY)]) }, &service);
        prop_assert_eq!(&played.premature, &[]);
        prop_assert!(played.walked.finished);
        let told: IntervalSet = played.settled().into_iter().chain(played.unproven()).collect();
        prop_assert!(told.covers(range(0, DAY)) && told.covers(range(2 * DAY, 3 * DAY)));
        let is_near =
            |second: Timestamp| bad.iter().any(|&bad| (at(bad).seconds_since(second)).abs() <= 1);
        let is_crowded =
            |second: Timestamp| seconds.get(&second.unix()).is_some_and(|&number| number > 4);
        for left in played.unproven() {
            let mut seconds = (left.begin().unix()..left.end().unix()).map(at);
            prop_assert!(
                seconds.all(|second| is_near(second) || is_crowded(second)),
                "{} is left",
                left
            );
        }
    }

    /// Whatever the service answers: a schedule ends, and claims nothing that was not shown.
    #[test]
    fn a_schedule_ends_whatever_is_answered(
        seconds in seconds(),
        answers in prop::collection::vec(any_setback(), 1..40),
        turn: u64,
        must_verify: bool,
        probes in (any::<bool>(), any::<bool>()),
        ahead in 0i64..10 * DAY,
    ) {
        let records = records_of(&seconds);
        let mut service = Service::with(records);
        service.turn = turn;
        let probe_of = |is_there: bool| is_there.then(|| probe(HOUR));
        let scope = Scope { archived_from: Some(at(0)), ..Scope::default() };
        let mut schedule: Schedule<&'static str> = Schedule::new(Work {
            again: vec![
                in_vain(4 * DAY, 4 * DAY + 5, 4 * DAY),
                in_vain(5 * DAY, 5 * DAY + 1, 6 * DAY),
            ],
            refreshes: vec![
                Refresh::Walk(range(0, HOUR), vec![open(10, Status::Running, 20)]),
                Refresh::LookUp((0..20).map(|hour| open(hour * HOUR, Status::Wait, DAY)).collect()),
            ],
            verify: vec![range(3 * HOUR, 4 * HOUR)],
            must_verify,
            scope: Some((scope, IntervalSet::default())),
            reach_probe: probe_of(probes.0),
            side_checks: SideChecks::plan(
                Recorded::default(),
                Measured::default(),
                probe_of(probes.1),
                at(MONTH),
            ),
            ..pending(&[(0, DAY), (2 * DAY, 3 * DAY)])
        });
        let machine = at(MONTH);
        let mut clock = ServiceClock::default();
        clock.learn(clocks::Answered {
            sent: machine,
            received: machine,
            date: Some(at(MONTH + ahead)),
        });
        let present = Present { now: clock.at(machine), began_at: clock.at(machine) };
        let (mut under_way, mut asked, mut shown) = (Vec::new(), 0, HashSet::new());
        let mut effects = schedule.begin(present);
        loop {
            for effect in effects {
                match effect {
                    Effect::Ask(question) => under_way.push(question),
                    Effect::Enter(rows) => {
                        for row in rows.iter().filter(|row| row.state.proof().is_some()) {
                            let begun = service.records.iter().filter(|record| {
                                record.started_at().is_some_and(|start| row.window.contains(start))
                            });
                            for record in begun {
                                prop_assert!(
                                    shown.contains(&record.request_id),
                                    "{} came too soon",
                                    row.window
                                );
                            }
                        }
                    }
                    _ => {}
                }
            }
            if schedule.is_over() {
                break;
            }
            prop_assert!(!under_way.is_empty(), "it waits for nothing");
            asked += 1;
            prop_assert!(asked < MOST_QUESTIONS);
            let question =
                under_way.swap_remove(usize::try_from(turn % under_way.len() as u64).unwrap());
            let answer = match answers[asked % answers.len()].clone() {
                Some(setback) => Err(setback),
                None => match question {
                    Question::Page(..) | Question::Record(..) => service.page(&question).map(Some),
                    Question::Around { .. } | Question::Recording => Ok(None),
                },
            };
            effects = match (&answer, &question) {
                (Err(setback), _) => schedule.take(&question, Err(setback.clone()), present),
                (Ok(Some(page)), _) => {
                    shown.extend(page.records.iter().map(|record| record.request_id.clone()));
                    schedule.take(&question, Ok(Answer::Page(page, present.now)), present)
                }
                (Ok(None), Question::Recording) => {
                    schedule.take(&question, Ok(Answer::Recording(None)), present)
                }
                (Ok(None), _) => schedule.take(&question, Ok(Answer::Around), present),
            };
        }
    }
}
