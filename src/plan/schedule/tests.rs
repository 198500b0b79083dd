//! A function's part of a run, played against a service in memory: named cases for each rule, and
//! what holds whatever the service answers.

mod reading;

use super::testing::{
    DAY, HOUR, MINUTE, MONTH, MOST_QUESTIONS, Played, Service, at, id, in_vain, month_is_over,
    open, part, pending, play, probe, range, record, spread, whole,
};
use super::*;
use crate::domain::{IntervalSet, Invocation, Status, Timestamp};
use crate::plan::clocks::{self, Moment, ServiceClock};
use crate::plan::emptiness::Emptiness;
use crate::plan::failing::{self, Refusal, Setback};
use crate::plan::horizon::Scope;
use crate::plan::ledger::{self, State};
use crate::plan::paging::{Doubt, Habits, Proof};
use crate::plan::reach::{Measured, Obligation};
use crate::plan::refresh::{OpenRecord, Refresh};
use crate::plan::retry::Effort;
use pretty_assertions::assert_eq;
use proptest::prelude::*;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

#[test]
fn a_month_without_records_costs_one_request_and_is_settled() {
    let played = play(pending(&[(0, MONTH)]), &Service::with(Vec::new()));
    assert_eq!((played.questions.len(), played.settled()), (1, vec![range(0, MONTH)]));
    assert!(played.walked.finished && played.walked.unproven.is_empty());
}

#[test]
fn what_is_pending_costs_little_more_than_its_pages() {
    for records in [1, 499, 501, 3_000, 12_345, 40_000] {
        let played = play(pending(&[(0, MONTH)]), &Service::with(spread(records, 0, MONTH)));
        assert_eq!(
            (played.settled(), played.premature.len()),
            (vec![range(0, MONTH)], 0),
            "{records} records"
        );
        assert_eq!(played.shown.len(), usize::try_from(records).unwrap());
        let least = played.shown.len().div_ceil(500);
        let most = least + 2 + least / 5;
        assert!(
            played.questions.len() <= most,
            "{records} records: {} requests",
            played.questions.len()
        );
    }
}

/// The count tells where such a list ends, once one page shows that it is a total; without one
/// nothing does.
#[test]
fn a_service_that_knows_no_marker_behind_its_list_costs_few_requests() {
    for (records, refusal) in
        [2, 60, 499, 1_200].into_iter().zip([Refusal::BadRequest, Refusal::NotFound].repeat(2))
    {
        let records = spread(records, 0, MONTH);
        let service = Service { refuses_behind: Some(refusal), ..Service::with(records) };
        let played = play(pending(&[(0, MONTH)]), &service);
        assert_eq!((played.settled(), played.premature), (vec![range(0, MONTH)], vec![]));
        assert!(played.questions.len() <= 8, "{refusal:?}: {}", played.questions.len());
    }
    let refuses_behind = Some(Refusal::BadRequest);
    let uncounted = Service { refuses_behind, counts: false, ..Service::with(spread(3, 0, MONTH)) };
    let played = play(pending(&[(0, MONTH)]), &uncounted);
    assert!(!played.walked.unproven.is_empty() && played.premature.is_empty());
}

#[test]
fn a_list_that_looks_cut_off_is_walked_in_parts() {
    let played = play(pending(&[(0, MONTH)]), &Service::with(spread(500, 0, MONTH)));
    assert_eq!((played.settled(), played.has("Capped")), (vec![range(0, MONTH)], true));
    assert!(played.questions.len() < 10, "{} requests", played.questions.len());
}

#[test]
fn what_may_still_change_is_proven_and_what_has_not_happened_is_left() {
    let mut service = Service::with(spread(10, 0, MONTH));
    service.clock = |_| at(MONTH - HOUR).into();
    let played = play(pending(&[(0, MONTH)]), &service);
    assert_eq!(played.settled(), [range(0, MONTH - HOUR - 15 * MINUTE)]);
    let proven = played.in_state(|state| matches!(state, State::Proven(_)));
    assert_eq!(proven, [range(MONTH - HOUR - 15 * MINUTE, MONTH - HOUR)]);
    assert_eq!(played.walked.unclaimed, [range(MONTH - HOUR, MONTH)]);
}

#[test]
fn a_long_dense_range_is_walked_in_several_lanes_once_it_is_known_to_be_long() {
    let service = Service::with(spread(200_000, 0, MONTH));
    let one = play(pending(&[(0, MONTH)]), &service);
    let four = play(Work { lanes: 4, ..pending(&[(0, MONTH)]) }, &service);
    assert_eq!((one.settled(), four.settled()), (vec![range(0, MONTH)], vec![range(0, MONTH)]));
    assert!(
        four.most_at_once > one.most_at_once,
        "{} and {} at once",
        four.most_at_once,
        one.most_at_once
    );
    let begins = |played: &Played| {
        let begin = |question: &Question| match question {
            Question::Page(_, query, _) => query.begin,
            _ => unreachable!(),
        };
        played.questions.iter().map(begin).take(60).max().unwrap()
    };
    assert!(begins(&four) > at(MONTH / 2) && begins(&one) < at(MONTH / 2), "lanes begin apart");
}

#[test]
fn windows_are_walked_one_by_one_until_it_is_known_that_the_service_reaches_them() {
    let ledger = [in_vain(0, DAY, HOUR)];
    let obligation = Obligation::of(&ledger, at(0), month_is_over(0));
    let service = Service::with(spread(60_000, 20 * DAY, MONTH));
    let played = play(Work { obligation, ..pending(&[(0, MONTH)]) }, &service);
    // The first record shown tells what came before it to be lost.
    let first_end = 20 * DAY + 1;
    assert_eq!(played.walked.lost, [range(0, first_end)]);
    assert_eq!(played.in_state(|state| state == State::Lost), [range(0, first_end)]);
    assert_eq!(played.settled(), [range(first_end, MONTH)]);
}

#[test]
fn a_second_that_cannot_be_had_costs_itself_and_its_neighbours() {
    for second in [0, 1, 77_777, MONTH / 2, MONTH - 1] {
        let service = Service { bad: vec![second], ..Service::with(spread(5_000, 0, MONTH)) };
        let played = play(pending(&[(0, MONTH)]), &service);
        let left = played.unproven();
        assert!(left.iter().map(|range| range.seconds()).sum::<i64>() <= 3, "{second}: {left:?}");
        assert!(left.iter().any(|range| range.contains(at(second))), "{second}: {left:?}");
        assert_eq!(played.walked.cause, Some("part"));
        assert!(played.walked.unproven.iter().all(|(_, reason)| **reason == *"HTTP 500"));
        assert!(played.walked.finished, "the rest is asked for");
        assert!(
            played.questions.iter().any(|question| matches!(question, Question::Around { .. }))
        );
        let done: IntervalSet = played.settled().into_iter().chain(left).collect();
        assert!(done.covers(range(0, MONTH)));
    }
}

#[test]
fn what_failed_is_asked_for_with_less_effort() {
    let service = Service { bad: vec![77_777], ..Service::with(Vec::new()) };
    let played = play(pending(&[(0, MONTH)]), &service);
    let efforts = played.efforts();
    assert_eq!(efforts[0], Effort::Whole);
    assert!(efforts[1..].iter().all(|effort| *effort == Effort::Part), "{efforts:?}");
}

#[test]
fn a_function_that_cannot_be_had_is_asked_for_nothing_more() {
    let service = Service::with(spread(40_000, 0, MONTH)).faulty(|question| {
        let is_late = |query: &crate::domain::PageQuery| query.begin > at(10 * DAY);
        matches!(question, Question::Page(_, query, _) if is_late(query)).then(whole)
    });
    let work = Work {
        refreshes: vec![Refresh::LookUp(vec![open(5, Status::Wait, 6)])],
        verify: vec![range(0, HOUR)],
        side_checks: SideChecks::plan(
            Recorded::default(),
            Measured::default(),
            Some(probe(0)),
            at(MONTH),
        ),
        old: vec![open(5, Status::Wait, 6)],
        ..pending(&[(0, MONTH)])
    };
    let played = play(work, &service);
    assert_eq!((played.walked.failure, played.walked.finished), (Some("whole"), false));
    assert_eq!((played.order(), played.premature.len()), (vec!["page"], 0));
    assert!(!played.settled().is_empty() && played.unproven().is_empty());
    assert!(!played.has("GiveUp"));
}

/// However often it does so: halves show what one page of the whole does not.
#[test]
fn a_record_in_whose_place_another_comes_twice_is_found() {
    for records in [3, 4, 9] {
        let service = Service { stands_in: true, ..Service::with(spread(records, 0, MONTH)) };
        let played = play(pending(&[(0, MONTH)]), &service);
        assert_eq!(played.premature, [], "{records} records");
        assert_eq!(played.settled(), [range(0, MONTH)], "{records} records");
    }
}

#[test]
fn a_refusal_of_a_long_window_is_a_limit_on_its_length() {
    let service = Service::with(spread(100, 0, MONTH)).faulty(|question| {
        let seconds = |query: &crate::domain::PageQuery| query.end.seconds_since(query.begin);
        let is_long =
            matches!(question, Question::Page(_, query, _) if seconds(query) > 7 * DAY + 1);
        is_long.then(|| part(Some(Refusal::BadRequest)))
    });
    let played = play(pending(&[(0, MONTH)]), &service);
    assert_eq!(played.settled(), [range(0, MONTH)]);
    let refused = played.effects.iter().filter(|effect| effect.contains("TooLong")).count();
    assert!(
        refused == 3 && !played.has("CannotBeHad"),
        "a month is halved three times to be a week at most"
    );
    assert!(played.questions.len() <= 3 + 2 * 8, "{} requests", played.questions.len());
}

#[test]
fn a_refused_window_of_the_future_is_left_at_once() {
    let mut service = Service::with(spread(100, 0, 20 * DAY)).faulty(|question| {
        matches!(question, Question::Page(_, query, _) if query.end > at(25 * DAY))
            .then(|| part(Some(Refusal::Other)))
    });
    service.clock = |_| at(25 * DAY).into();
    let played = play(pending(&[(0, MONTH)]), &service);
    let left: IntervalSet = played.walked.unclaimed.iter().copied().collect();
    assert!(
        left.covers(range(25 * DAY, MONTH)) && played.questions.len() < 10,
        "{:?}",
        played.walked
    );
    assert_eq!(played.settled(), [range(0, 25 * DAY - 15 * MINUTE)]);
}

#[test]
fn whether_the_service_reaches_back_is_asked_before_anything_is_called_lost() {
    let ledger = [in_vain(0, DAY, HOUR)];
    let work = || Work {
        obligation: Obligation::of(&ledger, at(0), month_is_over(0)),
        reach_probe: Some(probe(-HOUR)),
        ..pending(&[(0, MONTH)])
    };
    let shown = Service::with(vec![record(-HOUR, 0)]);
    let played = play(work(), &shown);
    assert_eq!((played.order(), played.settled()), (vec!["record", "page"], vec![range(0, MONTH)]));

    let forgotten = Service::with(vec![record(MONTH - HOUR, 0)]);
    let played = play(work(), &forgotten);
    let certain = MONTH + HOUR - DAY;
    assert_eq!(
        (played.walked.lost.clone(), played.settled()),
        (vec![range(0, certain)], vec![range(certain, MONTH)])
    );

    // Where that cannot be told, nothing is lost yet.
    let silent = Service::with(vec![record(MONTH - HOUR, 0)])
        .faulty(|question| matches!(question, Question::Record(..)).then(|| part(None)));
    let played = play(work(), &silent);
    assert_eq!((played.walked.lost.clone(), played.unproven()), (vec![], vec![range(0, certain)]));
    assert_eq!(played.walked.unproven, [(range(0, certain), "HTTP 500".into())]);

    let gone = Service::with(Vec::new())
        .faulty(|question| matches!(question, Question::Record(..)).then(whole));
    let played = play(work(), &gone);
    assert_eq!((played.order(), played.walked.failure), (vec!["record"], Some("whole")));
}

/// A ledger row of a window that an earlier run proved, with so many records in it.
fn proven(begin: i64, end: i64, records: u64, walked_at: i64) -> ledger::Entry {
    let state = State::Proven(Proof::Both);
    ledger::Entry {
        state,
        distinct: records,
        pages: 1,
        reason: None,
        ..in_vain(begin, end, walked_at)
    }
}

#[test]
fn what_is_empty_once_is_settled_when_it_is_empty_again() {
    let empty = Service::with(Vec::new());
    let (prev, now) = (MONTH, MONTH + HOUR);
    let first =
        Work { emptiness: Emptiness::of(&[], Duration::from_mins(15)), ..pending(&[(0, now)]) };
    let played = play(first, &empty);
    assert_eq!(played.settled(), []);
    let young = prev - 15 * MINUTE;
    let ledger = [proven(0, young, 0, prev), proven(young, prev, 0, prev)];
    let second =
        Work { emptiness: Emptiness::of(&ledger, Duration::from_mins(15)), ..pending(&[(0, now)]) };
    let played = play(second, &empty);
    assert_eq!(
        played.settled(),
        [range(0, young)],
        "what was young when it was found empty is not"
    );
    assert_eq!(played.questions.len(), 2, "no more than the least for so long a range");
}

#[test]
fn a_range_that_is_empty_where_records_were_shown_proves_nothing() {
    let (young, prev, now) = (MONTH - 15 * MINUTE, MONTH, MONTH + HOUR);
    let emptiness = || Emptiness::of(&[proven(young, prev, 3, prev)], Duration::from_mins(15));
    let work = || Work { emptiness: emptiness(), ..pending(&[(young, now)]) };
    let played = play(work(), &Service::with(Vec::new()));
    assert_eq!((played.settled(), played.unproven()), (vec![], vec![range(young, now)]));
    assert_eq!(&*played.walked.unproven[0].1, Doubt::Vanished.to_string());
    let shown = play(work(), &Service::with(vec![record(young + 5, 0)]));
    assert_eq!(
        (shown.settled(), shown.unproven()),
        (vec![range(young, now - 15 * MINUTE)], vec![])
    );
    // What is older than the service certainly keeps may be forgotten.
    let old = Emptiness::of(&[proven(0, HOUR, 3, HOUR)], Duration::from_mins(15));
    let played = play(Work { emptiness: old, ..pending(&[(0, now)]) }, &Service::with(Vec::new()));
    assert_eq!(played.unproven(), []);
}

#[test]
fn what_earlier_runs_walked_in_vain_comes_last() {
    let work = Work { again: vec![in_vain(0, HOUR, 2 * HOUR)], ..pending(&[(HOUR, MONTH)]) };
    let played = play(work, &Service::with(spread(3_000, 0, MONTH)));
    let Some(Question::Page(_, last, _)) = played.questions.last() else {
        panic!("{:?}", played.questions)
    };
    assert_eq!(last.end, at(HOUR));
    assert_eq!(played.settled(), [range(0, MONTH)]);
}

#[test]
fn so_many_ranges_that_fail_again_and_no_more() {
    let again: Vec<_> =
        (0..300).map(|second| in_vain(second * 10, second * 10 + 1, MONTH)).collect();
    let service = Service { bad: (0..3_000).collect(), ..Service::with(Vec::new()) };
    let played = play(Work { again, ..pending(&[(HOUR, MONTH)]) }, &service);
    let pages =
        played.questions.iter().filter(|question| matches!(question, Question::Page(..))).count();
    assert_eq!(pages, 1 + failing::MOST_TRIED_AGAIN);
    assert_eq!(played.walked.unproven.len(), 300, "what is left as it is is told of as well");
    assert!(played.efforts()[1..].iter().all(|effort| *effort == Effort::Once));
    // Their last walk came late enough to have seen what is around them.
    assert_eq!(played.order(), ["page"]);
}

#[test]
fn what_the_answers_show_to_be_left_is_walked_too() {
    fn clock(answered: usize) -> Moment {
        let machine = at(MONTH);
        let mut service = ServiceClock::default();
        if answered > 0 {
            let date = Some(at(MONTH + 10 * DAY));
            service.learn(clocks::Answered { sent: machine, received: machine, date });
        }
        service.at(machine)
    }
    let scope = Scope { archived_from: Some(at(0)), ..Scope::default() };
    let service = Service { clock, ..Service::with(spread(3_000, 0, MONTH + 5 * DAY)) };
    let work = Work { scope: Some((scope, IntervalSet::default())), ..pending(&[(0, MONTH)]) };
    let played = play(work, &service);
    let walked: IntervalSet = played.ledger.iter().map(|row| row.window).collect();
    assert!(walked.covers(range(0, MONTH)));
    let Some(Question::Page(_, last, _)) = played.questions.last() else {
        panic!("{:?}", played.questions)
    };
    assert_eq!(last.end, at(MONTH + 10 * DAY), "the service's clock adds to the horizon");
    assert!(played.questions.len() < 30, "and is not asked for over and over");
}

#[test]
fn open_records_come_after_what_is_pending_and_before_the_side_checks() {
    let work = Work {
        refreshes: vec![
            Refresh::Walk(range(0, HOUR), vec![open(10, Status::Running, 20)]),
            Refresh::LookUp(vec![open(2 * HOUR, Status::Wait, 3 * HOUR)]),
        ],
        verify: vec![range(3 * HOUR, 4 * HOUR)],
        side_checks: SideChecks::plan(
            Recorded::default(),
            Measured::default(),
            Some(probe(9 * HOUR)),
            at(MONTH),
        ),
        ..pending(&[(DAY, MONTH)])
    };
    let played = play(work, &Service::with(vec![record(10, 0)]));
    assert_eq!(played.order(), ["page", "record", "page", "record", "recording"]);
    let told: Vec<&str> =
        played.effects.iter().map(|effect| effect.split(['(', ' ']).next().unwrap()).collect();
    assert_eq!(
        told.iter().filter(|name| **name != "Tell").collect::<Vec<_>>(),
        [&"NoteAsked", &"NoteAsked", &"Compare", &"Keep", &"Keep"]
    );
    assert!(played.walked.finished);
}

#[test]
fn records_are_looked_up_a_few_at_once_each_until_it_is_shown() {
    let records: Vec<_> =
        (0..100).map(|hour| open(hour * HOUR, Status::Running, hour * HOUR + 60)).collect();
    let service = Service::with((0..50).map(|hour| record(hour * HOUR, 0)).collect());
    let played = play(Work { refreshes: vec![Refresh::LookUp(records)], ..pending(&[]) }, &service);
    assert_eq!((played.questions.len(), played.most_at_once), (100, 16));
    let noted = played.effects.iter().filter(|effect| effect.starts_with("NoteAsked")).count();
    assert_eq!(noted, 50, "those that were not shown");
}

#[test]
fn a_fail_that_may_be_tried_again_is_not_noted_as_asked_for() {
    let fail = OpenRecord {
        ended_at: Some(at(MONTH + HOUR - 30 * MINUTE)),
        ..open(DAY, Status::Fail, DAY)
    };
    let old = OpenRecord { ended_at: Some(at(MONTH - HOUR)), ..open(2 * DAY, Status::Fail, DAY) };
    let work = Work { refreshes: vec![Refresh::LookUp(vec![fail, old.clone()])], ..pending(&[]) };
    let played = play(work, &Service::with(Vec::new()));
    assert_eq!(played.effects.len(), 1);
    assert!(played.has(old.request_id.as_str()));
}

#[test]
fn a_record_that_cannot_be_had_keeps_no_other_from_it() {
    let records: Vec<_> =
        (0..40).map(|hour| open(hour * HOUR, Status::Running, hour * HOUR + 60)).collect();
    let service = Service::with(Vec::new()).faulty(|question| {
        matches!(question, Question::Record(asked, ..) if *asked == id(0, 0)).then(|| part(None))
    });
    let played = play(Work { refreshes: vec![Refresh::LookUp(records)], ..pending(&[]) }, &service);
    assert_eq!((played.questions.len(), played.walked.failure), (40, Some("part")));
    let efforts = played.efforts();
    assert_eq!((efforts[0], efforts[39]), (Effort::Whole, Effort::Part));
    assert!(!played.walked.finished);
}

#[test]
fn a_range_that_is_too_long_to_look_in_is_looked_through_in_parts() {
    let record = OpenRecord { start_is_known: false, ..open(DAY, Status::Wait, DAY) };
    let service = Service::with(Vec::new()).faulty(|question| {
        let is_long =
            matches!(question, Question::Record(_, range, _) if range.seconds() > 8 * DAY);
        is_long.then(|| part(Some(Refusal::BadRequest)))
    });
    let played =
        play(Work { refreshes: vec![Refresh::LookUp(vec![record])], ..pending(&[]) }, &service);
    assert_eq!(played.questions.len(), 2 + 4, "a month, half of it, and four quarters");
    assert!(played.has("NoteAsked") && played.walked.finished);
}

#[test]
fn what_is_too_old_by_both_clocks_is_waited_for_no_longer() {
    let old = vec![open(0, Status::Wait, 0), open(20 * DAY, Status::Running, 0)];
    let played = play(Work { old, ..pending(&[]) }, &Service::with(Vec::new()));
    assert_eq!(played.effects, [r#"GiveUp([RequestId("0-0")])"#]);
}

#[test]
fn settled_windows_are_compared_and_the_ledger_stays() {
    let work = Work {
        verify: vec![range(0, DAY), range(2 * DAY, 3 * DAY)],
        must_verify: true,
        ..pending(&[])
    };
    let played = play(work.clone(), &Service::with(spread(1_000, 0, 3 * DAY)));
    let compared = played.effects.iter().filter(|effect| effect.starts_with("Compare")).count();
    assert!(compared >= 2 && played.ledger.is_empty() && played.walked.finished);

    let service = Service { bad: vec![HOUR], ..Service::with(spread(1_000, 0, 3 * DAY)) };
    let played = play(work.clone(), &service);
    assert!(played.ledger.is_empty() && !played.walked.unproven.is_empty());

    let down = Service::with(Vec::new()).faulty(|_| Some(whole()));
    assert_eq!(play(work.clone(), &down).walked.failure, Some("whole"));
    let beside = play(Work { must_verify: false, ..work }, &down);
    assert!(beside.walked.finished && beside.has("LeftForLater"), "no record is missing by that");
}

#[test]
fn side_checks_tell_what_is_news_and_fail_without_harm() {
    let plan = |enabled, probe| {
        let recorded = Recorded { asked_at: None, enabled };
        SideChecks::plan(recorded, Measured::default(), probe, at(MONTH))
    };
    let with = |side_checks| Work { side_checks, ..pending(&[]) };
    let off = Service { records_invocations: Some(false), ..Service::with(Vec::new()) };
    assert!(play(with(plan(None, None)), &off).has("NotRecorded"));
    assert!(!play(with(plan(Some(false), None)), &off).has("NotRecorded"), "it was told before");

    let played = play(with(plan(None, Some(probe(0)))), &Service::with(Vec::new()));
    assert!(played.has("Reach(Measured { shown: None, forgotten: Some("), "{:?}", played.effects);
    let played = play(with(plan(None, Some(probe(0)))), &Service::with(vec![record(0, 0)]));
    assert!(played.has("Reach(Measured { shown: Some("), "{:?}", played.effects);

    let down = Service::with(Vec::new()).faulty(|_| Some(whole()));
    let played = play(with(plan(None, Some(probe(0)))), &down);
    assert_eq!((played.order(), played.walked.finished), (vec!["record", "recording"], true));
    assert!(played.has("LeftForLater") && !played.has("Keep"));
}

#[test]
fn a_recent_answer_is_not_asked_for_again() {
    let today = Measured { shown: None, forgotten: Some(Duration::from_hours(24)) };
    let recorded = Recorded { asked_at: Some(at(MONTH - 60)), enabled: Some(true) };
    let side_checks = SideChecks::plan(recorded, today, Some(probe(DAY)), at(MONTH));
    let played = play(Work { side_checks, ..pending(&[]) }, &Service::with(Vec::new()));
    assert_eq!(played.questions, []);
}

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
