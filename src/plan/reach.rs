//! How far back the service still shows records, as far as that is known.
//!
//! The service forgets, and documents no retention. An empty answer about a time it has forgotten looks like an empty
//! window, so a range that was pending for long is believed only where something shows that the service still reaches
//! it: a record, by its latest time, since what expires is the newest event of it. Everything younger is then shown too.

use crate::domain::{Interval, Invocation, RecordTime, Timestamp};
use std::time::Duration;

/// What the service certainly still shows: the shortest retention that the store behind it can be set to (vendor's
/// page on LTS, `CreateLogGroup`: 1 to 365 days).
pub const LEAST_REACH: Duration = Duration::from_hours(24);

/// How far back the service reaches, at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach(Duration);

impl Default for Reach {
    fn default() -> Self {
        Self(LEAST_REACH)
    }
}

impl Reach {
    /// Learns from a record that was shown at `served_at`.
    ///
    /// One that has not ended tells nothing: a service may keep it for as long as it is open.
    pub fn learn(&mut self, record: &Invocation, served_at: Timestamp) {
        if record.status.is_final()
            && let Some(latest) = latest_time(record)
        {
            let age = u64::try_from(served_at.seconds_since(latest)).unwrap_or(0);
            self.0 = self.0.max(Duration::from_secs(age));
        }
    }

    /// The earliest moment that the service certainly reached at `now`.
    pub fn begin(self, now: Timestamp) -> Timestamp {
        now - self.0
    }

    /// Whether the service certainly reached all of a range at `now`.
    pub fn covers(self, range: Interval, now: Timestamp) -> bool {
        self.begin(now) <= range.begin()
    }
}

/// The latest time a record carries: the earliest moment at which it can have expired counts from there.
fn latest_time(record: &Invocation) -> Option<Timestamp> {
    let moment = |time: &Option<RecordTime>| time.as_ref().and_then(RecordTime::moment);
    moment(&record.start_time).max(moment(&record.end_time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{RequestId, Status};

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_unix(hour * 3600)
    }

    fn record(start: i64, end: Option<i64>) -> Invocation {
        Invocation {
            request_id: RequestId::new("a").unwrap(),
            status: Status::Success,
            error_code: None,
            error_message: None,
            start_time: Some(RecordTime::At(at(start))),
            end_time: end.map(|end| RecordTime::At(at(end))),
            extra: None,
        }
    }

    #[test]
    fn a_record_shows_the_reach_by_its_latest_time() {
        let now = at(1_000);
        let mut reach = Reach::default();
        assert_eq!(reach.begin(now), at(976));
        reach.learn(&record(900, Some(950)), now);
        assert_eq!(reach.begin(now), at(950), "its start may be older than what the service keeps");
        reach.learn(&record(990, None), now);
        assert_eq!(reach.begin(now), at(950), "a younger record takes nothing back");
        assert!(reach.covers(Interval::new(at(950), at(951)).unwrap(), now));
        assert!(!reach.covers(Interval::new(at(949), at(951)).unwrap(), now));
        assert_eq!(reach.begin(at(1_010)), at(960), "the reach moves on with the clock");
        reach.learn(&Invocation { status: Status::Running, ..record(100, None) }, now);
        assert_eq!(reach.begin(now), at(950), "a record may be kept for as long as it is open");
    }
}
