//! A function's part of a run, played against a service in memory: named cases for each rule, and
//! what holds whatever the service answers.

mod any;
mod failing;
mod open;
mod reading;

use super::testing::{
    DAY, HOUR, MINUTE, MONTH, Played, Service, at, in_vain, month_is_over, part, pending, play,
    probe, range, record, spread, whole,
};
use super::*;
use crate::domain::IntervalSet;
use crate::plan::clocks::{self, Moment, ServiceClock};
use crate::plan::emptiness::Emptiness;
use crate::plan::failing::Refusal;
use crate::plan::horizon::Scope;
use crate::plan::ledger::{self, State};
use crate::plan::paging::{Doubt, Proof};
use crate::plan::reach::{Measured, Obligation};
use pretty_assertions::assert_eq;
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
