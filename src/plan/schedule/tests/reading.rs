//! What is shown in a form that cannot be read, and what is shown as if it were not there.

use super::super::testing::{DAY, MONTH, Played, Service, at, id, pending, play, range, spread};
use crate::domain::IntervalSet;
use crate::plan::schedule::Work;
use crate::plan::windows::MOST_UNREADABLE;

/// A first run and one after it, as far as the ledger of the first leaves it work.
fn two_runs(service: &Service) -> [Played; 2] {
    let first = play(pending(&[(0, MONTH)]), service);
    let again = first.ledger.iter().filter(|row| row.state.is_unproven()).cloned().collect();
    let second = play(Work { again, ..pending(&[]) }, service);
    [first, second]
}

/// Where no other record lies near it, the range is not halved further: that would show nothing.
#[test]
fn what_may_be_a_record_keeps_unproven_what_lies_between_its_neighbours() {
    let bad = 2_000 * MONTH / 3_000;
    let service = Service { unreadable: vec![bad], ..Service::with(spread(3_000, 0, MONTH)) };
    let [first, second] = two_runs(&service);
    let apart = MONTH / 3_000;
    for played in [&first, &second] {
        let [unproven] = played.unproven()[..] else { panic!("{:?}", played.unproven()) };
        assert!(range(bad - apart, bad + apart).covers(unproven), "{unproven}");
        assert!(unproven.contains(at(bad)));
    }
    assert_eq!((first.settled().len(), first.shown.len()), (2, 2_999));
    assert!(first.questions.len() < 60, "{} requests", first.questions.len());
    assert_eq!(second.questions.len(), 4, "two walks of two pages");
}

#[test]
fn in_a_dense_list_it_keeps_its_second_and_those_beside_it_unproven() {
    let service = Service { unreadable: vec![600], ..Service::with(spread(3_600, 0, 3_600)) };
    let [first, second] = two_runs(&service);
    assert_eq!(first.unproven(), [range(599, 602)]);
    assert_eq!(first.settled(), [range(0, 599), range(602, MONTH)]);
    assert_eq!(second.unproven(), [range(599, 602)]);
    assert_eq!(second.questions.len(), 4, "two walks of two pages");
}

#[test]
fn a_service_of_which_nothing_can_be_read_is_not_empty_and_costs_few_walks() {
    let unreadable = spread(3_000, 0, MONTH);
    let seconds = unreadable.iter().map(|record| record.started_at().unwrap().unix()).collect();
    let service = Service { unreadable: seconds, ..Service::with(unreadable) };
    let [first, second] = two_runs(&service);
    for (played, most) in [(&first, 40), (&second, 20)] {
        assert_eq!((played.unproven(), played.settled()), (vec![range(0, MONTH)], vec![]));
        assert!(played.questions.len() <= most, "{} requests", played.questions.len());
    }
    assert_eq!(first.ledger.len(), 1, "of which the same is said is one row");
    // Well again, it is archived as if nothing had been.
    let service = Service { unreadable: Vec::new(), ..service };
    let played = play(Work { again: first.ledger, ..pending(&[]) }, &service);
    assert_eq!((played.settled(), played.shown.len()), (vec![range(0, MONTH)], 3_000));
}

/// A quarter of all records, so that no window of use is without one.
#[test]
fn so_many_windows_are_halved_for_what_cannot_be_read_and_no_more() {
    let records = spread(40_000, 0, MONTH);
    let seconds = records.iter().map(|record| record.started_at().unwrap().unix());
    let service = Service { unreadable: seconds.step_by(4).collect(), ..Service::with(records) };
    let played = play(pending(&[(0, MONTH)]), &service);
    assert_eq!((played.shown.len(), played.premature.len()), (30_000, 0));
    let most = 2 * usize::try_from(MOST_UNREADABLE).unwrap() + 1_000;
    assert!(played.questions.len() < most, "{} requests", played.questions.len());
}

/// Whatever it asks for, a page that would hold that record is answered as an empty list, or as one
/// of something else. Were the empty one the first of its window, nothing would tell.
#[test]
fn of_a_page_that_is_answered_otherwise_all_but_what_it_hides_is_had() {
    let empty = [600u32, 1_234, 2_001, 2_999].map(|number| (number, None));
    let other = [2, 499, 1_234, 2_999].map(|number| (number, Some("null")));
    for (number, hidden_behind) in empty.into_iter().chain(other) {
        let hidden = i64::from(number) * MONTH / 3_000;
        let records = spread(3_000, 0, MONTH);
        let service = Service { hidden: vec![hidden], hidden_behind, ..Service::with(records) };
        let played = play(pending(&[(0, MONTH)]), &service);
        let ids = service.records.iter().map(|record| &record.request_id);
        let missing: Vec<_> = ids.filter(|id| !played.shown.contains(id)).take(2).collect();
        assert_eq!(missing, [&id(hidden, number.into())]);
        assert_eq!(played.premature, [], "hidden at {hidden}");
        let unproven: IntervalSet = played.unproven().into_iter().collect();
        assert!(unproven.covers(range(hidden, hidden + 1)), "{unproven:?}");
        assert!(unproven.iter().all(|it| it.duration().as_secs() <= 15 * DAY.unsigned_abs()));
        assert!(played.questions.len() < 250, "{} requests", played.questions.len());
    }
}
