//! What cannot be had: a second, a window, a function, and what earlier runs walked in vain.

use super::super::testing::{
    DAY, HOUR, MINUTE, MONTH, Played, Service, at, in_vain, open, part, pending, play, probe,
    range, spread, whole,
};
use super::super::*;
use crate::domain::{IntervalSet, Status};
use crate::plan::failing::{self, Refusal};
use crate::plan::paging::Doubt;
use crate::plan::reach::Measured;
use crate::plan::refresh::Refresh;
use crate::plan::retry::Effort;
use pretty_assertions::assert_eq;

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

/// The halves of a window that cannot be had are shown empty, and the window began to be shown.
#[test]
fn what_is_empty_where_the_run_was_shown_records_is_not_believed() {
    let records = spread(3_000, 0, MONTH);
    let bad = 2_000 * MONTH / 3_000;
    let failing = Service { counts: false, failing: vec![bad], ..Service::with(records) };
    let work = || pending(&[(0, MONTH)]);
    let unproven = |played: &Played| played.unproven().iter().map(|it| it.seconds()).sum::<i64>();
    assert!(unproven(&play(work(), &failing)) < HOUR);
    let played = play(work(), &Service { empties: 20 * DAY, ..failing });
    assert!(unproven(&played) >= MONTH / 2, "{:?}", played.unproven());
    let reasons = played.walked.unproven.iter().map(|(_, reason)| &**reason);
    assert!(reasons.clone().any(|reason| reason == Doubt::Vanished.to_string()));
}
