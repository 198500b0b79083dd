//! Which open records to ask again, when, and how.
//!
//! A record can stay open for days: up to 24 hours in the queue, 72 hours a try, and three retries
//! (the vendor's pages on asynchronous configuration). The windows of a run show the young ones for
//! free; these are the others.

use super::reconcile::says_nothing;
use super::windows::{MAX_WINDOW, pages_for};
use crate::domain::{Interval, RequestId, Status, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;

/// A FAIL may still be retried; this long after its end it is taken as final, once it was seen
/// again.
pub const FAIL_IS_FINAL_AFTER: Duration = Duration::from_hours(1);

/// Longer than a record can stay open by the documented limits (about 13 days): its end was lost,
/// or never written.
pub const GIVE_UP_AFTER: Duration = Duration::from_hours(14 * 24);

/// How far around a record it is looked for: the service may file it under another of its times
/// than its start.
const LOOK_BACK: Duration = Duration::from_hours(1);

/// The first wait of the schedule.
const FIRST_WAIT: Duration = Duration::from_mins(1);

/// An open record as the archive knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRecord {
    /// Its id.
    pub request_id: RequestId,
    /// Its stored status.
    pub status: Status,
    /// Its start, or when it was first seen where that cannot be read.
    pub opened_at: Timestamp,
    /// Whether that is its start.
    pub start_is_known: bool,
    /// Its stored end, where it can be read.
    pub ended_at: Option<Timestamp>,
    /// When it was last seen, or last asked for.
    pub checked_at: Timestamp,
    /// Whether it was shown when it was last asked for.
    pub is_shown: bool,
}

/// Whether a record of this status and end, seen at `now`, may still change.
///
/// A status that nobody knows says nothing of an end, so the end itself does; without a status the
/// answer told too little to say that. A SUCCESS without an end may be shown whole when it is asked
/// for again, as a FAIL may be tried again.
pub fn stays_open(
    status: &Status,
    ended_at: Option<Timestamp>,
    opened_at: Timestamp,
    now: Timestamp,
) -> bool {
    match status {
        Status::Fail => now < ended_at.unwrap_or(opened_at) + FAIL_IS_FINAL_AFTER,
        Status::Success => ended_at.is_none() && now < opened_at + FAIL_IS_FINAL_AFTER,
        Status::Other(status) => says_nothing(status) || ended_at.is_none(),
        Status::Wait | Status::Running | Status::Discard => status.is_open(),
    }
}

/// Whether a record of this status is waited for until it is old enough to be final, and then asked
/// for once more.
fn is_provisional(status: &Status) -> bool {
    matches!(status, Status::Fail | Status::Success)
}

/// Whether the record is asked for at `now`.
///
/// An open one after 1, 2, 4 … minutes, up to `longest_wait`: the wait is the age it had when last
/// seen. A FAIL, or a SUCCESS without an end, once, when it is old enough to be final.
pub fn is_due(record: &OpenRecord, now: Timestamp, longest_wait: Duration) -> bool {
    if is_provisional(&record.status) {
        return !stays_open(&record.status, record.ended_at, record.opened_at, now);
    }
    let age = Duration::from_secs(
        record.checked_at.seconds_since(record.opened_at).try_into().unwrap_or(0),
    );
    let wait = age.max(FIRST_WAIT).min(longest_wait);
    now >= record.checked_at + wait
}

/// Whether it tells nothing yet that a record is not shown at `now`: a FAIL may still be tried
/// again.
fn is_early(record: &OpenRecord, now: Timestamp) -> bool {
    is_provisional(&record.status)
        && stays_open(&record.status, record.ended_at, record.opened_at, now)
}

/// That an open record was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recheck {
    /// Its id.
    pub request_id: RequestId,
    /// When it had last been seen or asked for: seen later, it was shown.
    pub last_checked_at: Timestamp,
}

/// What to note of a record that was asked for at `now`: nothing where it was too early for that.
pub fn asked(record: &OpenRecord, now: Timestamp) -> Option<Recheck> {
    let recheck =
        || Recheck { request_id: record.request_id.clone(), last_checked_at: record.checked_at };
    (!is_early(record, now)).then(recheck)
}

/// The range in which to look for a record that is over.
pub fn around_ended(
    started_at: Timestamp,
    ended_at: Timestamp,
    now: Timestamp,
) -> Option<Interval> {
    let from = started_at - LOOK_BACK;
    Interval::new(from, now.min(started_at.max(ended_at) + LOOK_BACK).min(from + MAX_WINDOW))
}

/// The range in which an open record is looked for: without one the service looks at the last hour.
/// Where no start is known, all the time in which an open record can have begun.
pub fn around(record: &OpenRecord, now: Timestamp) -> Option<Interval> {
    let from = if record.start_is_known { record.opened_at - LOOK_BACK } else { now - MAX_WINDOW };
    Interval::new(from, now.min(from + MAX_WINDOW))
}

/// Whether to stop waiting for an end.
pub fn is_given_up(record: &OpenRecord, now: Timestamp) -> bool {
    !is_provisional(&record.status) && now >= record.opened_at + GIVE_UP_AFTER
}

/// How to ask for due records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// Each by its id.
    LookUp(Vec<OpenRecord>),
    /// All at once, by walking the hour they lie in, as far as it has passed.
    Walk(Interval, Vec<OpenRecord>),
}

/// Chooses for every hour of the horizon that holds due records the way that costs fewer requests.
///
/// A record without a known start, or that was not shown when it was asked for, may be filed under
/// another hour: it is asked for by its id.
///
/// `archived_in` tells how many records of an hour are archived, from which follows how many pages
/// a walk takes.
pub fn choose<E>(
    due: Vec<OpenRecord>,
    horizon: Interval,
    limit: u32,
    archived_in: impl Fn(Interval) -> Result<u64, E>,
) -> Result<Vec<Refresh>, E> {
    let mut hours: BTreeMap<Option<Interval>, Vec<OpenRecord>> = BTreeMap::new();
    for record in due {
        let hour = hour_of(record.opened_at).and_then(|hour| hour.intersect(horizon));
        let hour = hour.filter(|hour| {
            record.start_is_known && record.is_shown && hour.contains(record.opened_at)
        });
        hours.entry(hour).or_default().push(record);
    }
    hours
        .into_iter()
        .map(|(hour, records)| match hour {
            Some(hour) if pages_for(archived_in(hour)?, limit) < records.len() as u64 => {
                Ok(Refresh::Walk(hour, records))
            }
            _ => Ok(Refresh::LookUp(records)),
        })
        .collect()
}

/// The hour a moment lies in; none in the last second of the year 9999, where no hour ends.
fn hour_of(moment: Timestamp) -> Option<Interval> {
    let begin = Timestamp::from_unix(moment.unix().div_euclid(3600) * 3600);
    Interval::new(begin, begin + Duration::from_hours(1))
}

/// How often it is asked whether the service records a function at all: seldom enough to cost
/// little beside a run every few minutes, often enough to date a switch within an hour.
const RECORDING_RECHECK: Duration = Duration::from_hours(1);

/// Whether to ask again if the service records a function, when it was last asked at some moment or
/// never.
pub fn is_recording_due(asked_at: Option<Timestamp>, now: Timestamp) -> bool {
    asked_at.is_none_or(|asked_at| asked_at + RECORDING_RECHECK <= now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix(second)
    }

    fn horizon(end: i64) -> Interval {
        Interval::new(at(0), at(end)).unwrap()
    }

    fn open(id: usize, opened: i64, checked: i64) -> OpenRecord {
        OpenRecord {
            request_id: RequestId::new(format!("r{id}")).unwrap(),
            status: Status::Running,
            opened_at: at(opened),
            start_is_known: true,
            ended_at: None,
            checked_at: at(checked),
            is_shown: true,
        }
    }

    /// Seconds after its start at which a record is asked for by runs every 30 s.
    fn asked_at(longest_wait: Duration, until: i64) -> Vec<i64> {
        let mut record = open(1, 0, 0);
        let mut asked = Vec::new();
        for now in (0..=until).step_by(30) {
            if is_due(&record, at(now), longest_wait) {
                record.checked_at = at(now);
                asked.push(now);
            }
        }
        asked
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        assert_eq!(asked_at(HOUR, 4 * 3600), [60, 120, 240, 480, 960, 1920, 3840, 7440, 11040]);
        assert_eq!(asked_at(Duration::ZERO, 60), [0, 30, 60]);
    }

    #[test]
    fn a_fail_is_asked_once_when_it_is_old_enough_to_be_final() {
        let fail = OpenRecord { status: Status::Fail, ended_at: Some(at(100)), ..open(1, 0, 100) };
        assert!(!is_due(&fail, at(3_699), Duration::ZERO));
        assert!(is_due(&fail, at(3_700), HOUR));
        assert!(stays_open(&Status::Fail, Some(at(100)), at(0), at(3_699)));
        assert!(!stays_open(&Status::Fail, Some(at(100)), at(0), at(3_700)));
        assert!(!stays_open(&Status::Success, Some(at(0)), at(0), at(0)));
    }

    #[test]
    fn a_record_is_given_up_after_fourteen_days() {
        let record = open(1, 0, 0);
        assert!(!is_given_up(&record, at(14 * 86_400 - 1)));
        assert!(is_given_up(&record, at(14 * 86_400)));
    }

    #[test]
    fn a_crowded_hour_is_walked_and_a_lonely_record_looked_up() {
        let crowd: Vec<_> = (0..10).map(|id| open(id, 3_601, 0)).collect();
        let lonely = open(99, 90_000, 0);
        let due: Vec<_> = crowd.iter().cloned().chain([lonely.clone()]).collect();
        let chosen = choose(due, horizon(90_001), 500, |_| Ok::<_, ()>(2_000)).unwrap();
        let hour = Interval::new(at(3_600), at(7_200)).unwrap();
        assert_eq!(chosen, [Refresh::Walk(hour, crowd), Refresh::LookUp(vec![lonely])]);
    }

    #[test]
    fn equal_costs_are_looked_up_and_what_has_no_start_always_is() {
        let two: Vec<_> = (0..2).map(|id| open(id, 3_601, 0)).collect();
        let choose = |due: &[OpenRecord], archived| {
            choose(due.to_vec(), horizon(90_001), 500, |_| Ok::<_, ()>(archived)).unwrap()
        };
        let walks = |due: &[OpenRecord], archived| {
            matches!(&choose(due, archived)[..], [Refresh::Walk(..)])
        };
        assert!(walks(&two, 500), "one page or two look-ups");
        assert!(!walks(&two, 900), "two pages or two look-ups");
        assert!(!walks(&two[..1], 1), "one page or one look-up");
        let unknown: Vec<_> = two
            .iter()
            .map(|record| OpenRecord { start_is_known: false, ..record.clone() })
            .collect();
        assert_eq!(choose(&unknown, 1), [Refresh::LookUp(unknown.clone())]);
        let beyond: Vec<_> = (0..9).map(|id| open(id, 90_002, 0)).collect();
        assert_eq!(
            choose(&beyond, 1),
            [Refresh::LookUp(beyond.clone())],
            "no walk reaches beyond the horizon"
        );
    }

    #[test]
    fn only_what_waits_for_its_end_is_given_up() {
        let fail = OpenRecord { status: Status::Fail, ..open(1, 0, 0) };
        assert!(!is_given_up(&fail, at(90 * 86_400)));
    }

    #[test]
    fn a_fail_without_an_end_counts_from_its_start() {
        assert!(stays_open(&Status::Fail, None, at(100), at(3_699)));
        assert!(!stays_open(&Status::Fail, None, at(100), at(3_700)));
        for status in [Status::Wait, Status::Running] {
            assert!(stays_open(&status, Some(at(0)), at(0), at(90 * 86_400)), "{status}");
        }
        assert!(!stays_open(&Status::Discard, None, at(0), at(0)));
    }

    #[test]
    fn a_status_that_nobody_knows_is_waited_for_until_an_end_is_shown() {
        let nothing =
            ["", " ", "null", "-", "unknown", r#"{"name":"SUCCESS"}"#].map(|text| (text, true));
        let words = ["PAUSED", "running", " RUNNING", "TIMEOUT"].map(|text| (text, false));
        for (text, is_nothing) in words.into_iter().chain(nothing) {
            let status = Status::Other(text.into());
            assert!(stays_open(&status, None, at(0), at(90 * 86_400)), "{status}");
            assert_eq!(stays_open(&status, Some(at(5)), at(0), at(5)), is_nothing, "{status}");
            let record = OpenRecord { status, ..open(1, 0, 60) };
            assert!(is_due(&record, at(120), HOUR) && !is_due(&record, at(119), HOUR));
            assert!(is_given_up(&record, at(14 * 86_400)));
        }
    }

    #[test]
    fn a_success_without_an_end_is_asked_for_once_more() {
        assert!(stays_open(&Status::Success, None, at(0), at(3_599)));
        assert!(!stays_open(&Status::Success, None, at(0), at(3_600)));
        let record = OpenRecord { status: Status::Success, ..open(1, 0, 60) };
        assert!(!is_due(&record, at(3_599), HOUR) && is_due(&record, at(3_600), HOUR));
        assert!(asked(&record, at(3_599)).is_none() && asked(&record, at(3_600)).is_some());
        assert!(!is_given_up(&record, at(90 * 86_400)));
    }

    #[test]
    fn a_record_is_looked_for_around_all_its_times() {
        let found = |start, end| around_ended(at(start), at(end), at(90 * 86_400)).unwrap();
        assert_eq!(found(10_000, 10_005), Interval::new(at(6_400), at(13_605)).unwrap());
        assert_eq!(found(10_000, 90_000), Interval::new(at(6_400), at(93_600)).unwrap());
        assert_eq!(
            found(10_000, 0),
            Interval::new(at(6_400), at(13_600)).unwrap(),
            "an end before its start"
        );
        assert_eq!(
            found(10_000, 80 * 86_400).seconds(),
            30 * 86_400,
            "no longer than the service can be asked for"
        );
    }

    #[test]
    fn the_setting_is_asked_for_once_an_hour() {
        assert!(is_recording_due(None, at(0)));
        assert!(!is_recording_due(Some(at(0)), at(3_599)));
        assert!(is_recording_due(Some(at(0)), at(3_600)));
    }

    #[test]
    fn an_hour_is_walked_as_far_as_it_has_passed() {
        let crowd: Vec<_> = (0..10).map(|id| open(id, 3_601, 0)).collect();
        let chosen = choose(crowd.clone(), horizon(4_000), 500, |_| Ok::<_, ()>(10)).unwrap();
        assert_eq!(chosen, [Refresh::Walk(Interval::new(at(3_600), at(4_000)).unwrap(), crowd)]);
    }

    #[test]
    fn a_record_that_its_hour_does_not_show_is_looked_up() {
        let hidden: Vec<_> =
            (0..10).map(|id| OpenRecord { is_shown: false, ..open(id, 3_601, 0) }).collect();
        let chosen = choose(hidden.clone(), horizon(9_000), 500, |_| Ok::<_, ()>(10)).unwrap();
        assert_eq!(chosen, [Refresh::LookUp(hidden)]);
    }

    proptest! {
        /// Every due record is asked for in one way or the other, and never at more requests than
        /// one each.
        #[test]
        fn no_due_record_is_dropped(
            opened in prop::collection::vec(0i64..40_000, 0..40),
            archived in 0u64..10_000,
        ) {
            let due: Vec<_> =
                opened.iter().enumerate().map(|(id, &second)| open(id, second, 0)).collect();
            let chosen =
                choose(due.clone(), horizon(39_000), 500, |_| Ok::<_, ()>(archived)).unwrap();
            for record in &due {
                let asked = chosen.iter().any(|refresh| match refresh {
                    Refresh::LookUp(records) => records.contains(record),
                    Refresh::Walk(hour, _) => {
                        hour.contains(record.opened_at) && horizon(39_000).covers(*hour)
                    }
                });
                prop_assert!(asked, "{record:?} is in none of {chosen:?}");
            }
        }
    }
}
