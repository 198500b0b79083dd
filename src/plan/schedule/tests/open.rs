//! Records that are waited for: when they are looked up, and when no longer.

use super::super::testing::{
    DAY, HOUR, MINUTE, MONTH, Service, at, id, open, part, pending, play, probe, range, record,
};
use super::super::*;
use crate::domain::Status;
use crate::plan::failing::Refusal;
use crate::plan::reach::Measured;
use crate::plan::refresh::{OpenRecord, Refresh};
use crate::plan::retry::Effort;
use pretty_assertions::assert_eq;

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
