//! What time it is, as far as this machine's clock and the service's answers tell.

use super::project::{Requester, lock};
use super::source::Source;
use crate::domain::Timestamp;
use crate::plan::clocks::{Answered, Moment, TOLERANCE};
use crate::plan::schedule::Present;
use std::sync::atomic::Ordering;
use std::time::Duration;

impl<S: Source> Requester<S> {
    /// The present by the machine's clock as it stood when the run began: that it is set meanwhile
    /// changes nothing.
    pub(crate) fn machine_now(&self) -> Timestamp {
        if self.clock.stands_still() {
            self.clock.now()
        } else {
            self.began_at + self.began.elapsed()
        }
    }

    /// The present by both clocks.
    pub(crate) fn now(&self) -> Moment {
        lock(&self.service_clock).at(self.machine_now())
    }

    /// When the run began, by both clocks as far as they are known by now.
    pub(crate) fn began_at(&self) -> Moment {
        lock(&self.service_clock).at(self.began_at)
    }

    /// What time it is, and was when the run began.
    pub(crate) fn present(&self) -> Present {
        Present { now: self.now(), began_at: self.began_at() }
    }

    /// The present by the service's clock, as far as its answers told.
    pub(crate) fn service_now(&self) -> Timestamp {
        lock(&self.service_clock).service(self.machine_now())
    }

    /// Whether the service has told its time.
    pub(crate) fn knows_service_time(&self) -> bool {
        lock(&self.service_clock).has_spoken()
    }

    /// The service's clock less ours, in seconds, as far as its answers told.
    pub(crate) fn skew(&self) -> Option<i64> {
        let clock = lock(&self.service_clock);
        clock.has_spoken().then(|| clock.offset())
    }

    /// When an answer was made that was asked for at `sent`; its date tells the service's time.
    pub(crate) fn learn_time(&self, sent: Timestamp, date: Option<Timestamp>) -> Moment {
        let answer = Answered { sent, received: self.machine_now(), date };
        let mut clock = lock(&self.service_clock);
        clock.learn(answer);
        let moment = clock.moment_of(answer);
        drop(clock);
        self.warn_of(answer);
        moment
    }

    /// Tells people once a run that the clocks differ: which of them is wrong, only they can find
    /// out.
    fn warn_of(&self, answer: Answered) {
        let (Some(date), Some(offset)) = (answer.date, answer.offset()) else { return };
        if offset.unsigned_abs() <= TOLERANCE.as_secs()
            || self.has_warned.swap(true, Ordering::Relaxed)
        {
            return;
        }
        let difference = humantime::format_duration(Duration::from_secs(offset.unsigned_abs()));
        tracing::warn!(
            skew_s = offset,
            "the clocks differ by {difference}: the service dated an answer {date} when this \
             machine's clock said {}; compare `date -u` with a third clock to see which is wrong. \
             Only what is past by both is called settled",
            answer.received
        );
    }
}
