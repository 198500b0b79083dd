//! What time it is when two clocks may be wrong: the machine's, and the service's, which dates its
//! answers.
//!
//! Which of two clocks is wrong cannot be told from here, so each decision follows the one that can
//! do no harm: what is called settled or lost, given up or final, follows the earlier; what is
//! asked follows the later; history is bounded by both. Where the clocks agree, both are the same
//! moment.

use crate::domain::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// Clocks that differ by no more than this are left to themselves: NTP keeps within a second, and a
/// machine without it drifts by seconds a day. Beyond it people are told; from 15 minutes on the
/// gateway refuses signatures.
pub const TOLERANCE: Duration = Duration::from_mins(5);

/// Both clocks tell whole seconds, and each cuts off its own fraction.
const ROUNDING: i64 = 1;

/// How many answers vote on the difference of the clocks: enough that a few with a wrong date are
/// outvoted, few enough to follow a service whose clock is set during a run.
const VOTES: usize = 31;

/// A moment, as far as the two clocks tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    earlier: Timestamp,
    later: Timestamp,
    /// Between which moments of the machine's clock it lies.
    machine: (Timestamp, Timestamp),
}

impl From<Timestamp> for Moment {
    /// A moment on which both clocks agree.
    fn from(at: Timestamp) -> Self {
        Self { earlier: at, later: at, machine: (at, at) }
    }
}

impl Moment {
    /// No clock says that it was earlier.
    pub fn earlier(self) -> Timestamp {
        self.earlier
    }

    /// No clock says that it was later.
    pub fn later(self) -> Timestamp {
        self.later
    }

    /// The machine's clock said this at the latest; within a run it runs evenly, whether it is
    /// right or not.
    pub fn by_machine(self) -> Timestamp {
        self.machine.1
    }

    /// The machine's clock had said this already.
    pub fn after_machine(self) -> Timestamp {
        self.machine.0
    }

    /// How far the clocks are apart.
    pub fn disagreement(self) -> Duration {
        Duration::from_secs(self.later.seconds_since(self.earlier).unsigned_abs())
    }

    /// Whether the clocks tell the same, within [`TOLERANCE`].
    pub fn is_agreed(self) -> bool {
        self.disagreement() <= TOLERANCE
    }

    /// The same moment by other clocks as well, of which each may be wrong.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let machine = (self.machine.0.min(other.machine.0), self.machine.1.max(other.machine.1));
        Self {
            earlier: self.earlier.min(other.earlier),
            later: self.later.max(other.later),
            machine,
        }
    }

    /// The same moment, held to what an answer says that belongs to it: nothing in it is younger
    /// than that answer.
    #[must_use]
    pub fn not_after(self, other: Self) -> Self {
        Self { earlier: self.earlier.min(other.earlier), ..self }
    }
}

/// An answer, with the moments of the machine's clock between which it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// When it was asked for.
    pub sent: Timestamp,
    /// When it had come.
    pub received: Timestamp,
    /// How the service dated it, if it did.
    pub date: Option<Timestamp>,
}

impl Answered {
    /// The service's clock less the machine's in seconds, as small as this answer allows; none
    /// without a date.
    pub fn offset(self) -> Option<i64> {
        let date = self.date?;
        let ahead = date.seconds_since(self.received);
        let behind = date.seconds_since(self.sent);
        Some(if ahead > ROUNDING {
            ahead
        } else if behind < -ROUNDING {
            behind
        } else {
            0
        })
    }

    /// Between which moments it was made, by this answer alone.
    fn bounds(self) -> (Timestamp, Timestamp) {
        let Some((date, offset)) = self.date.zip(self.offset()) else {
            return (self.sent, self.received);
        };
        match offset.signum() {
            1 => (self.sent, date),
            -1 => (date, self.received),
            _ => (date, date),
        }
    }
}

/// The service's clock, as the answers of a run tell it.
#[derive(Clone, Debug, Default)]
pub struct ServiceClock {
    /// The offsets of the last answers, latest last.
    recent: VecDeque<i64>,
}

impl ServiceClock {
    /// Learns from an answer.
    pub fn learn(&mut self, answer: Answered) {
        let Some(offset) = answer.offset() else { return };
        if self.recent.len() == VOTES {
            self.recent.pop_front();
        }
        self.recent.push_back(offset);
    }

    /// Whether any answer had a date.
    pub fn has_spoken(&self) -> bool {
        !self.recent.is_empty()
    }

    /// The service's clock less the machine's, in seconds, as most answers have it: their median,
    /// so that one with a wrong date changes nothing among others. Between two in the middle the
    /// machine's clock decides.
    pub fn offset(&self) -> i64 {
        let mut sorted: Vec<i64> = self.recent.iter().copied().collect();
        sorted.sort_unstable();
        let upper = sorted.get(sorted.len() / 2).copied().unwrap_or(0);
        let lower = sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(0);
        if lower.unsigned_abs() <= upper.unsigned_abs() { lower } else { upper }
    }

    /// The service's moment at this one of the machine's.
    pub fn service(&self, machine: Timestamp) -> Timestamp {
        shifted(machine, self.offset())
    }

    /// What both clocks tell of this moment of the machine's.
    pub fn at(&self, machine: Timestamp) -> Moment {
        let service = self.service(machine);
        Moment {
            earlier: machine.min(service),
            later: machine.max(service),
            machine: (machine, machine),
        }
    }

    /// When an answer was made. Its own date counts whatever the others say: one that lags may come
    /// from a copy that lags as much.
    pub fn moment_of(&self, answer: Answered) -> Moment {
        let (mut earlier, mut later) = answer.bounds();
        let machine = if answer.offset() == Some(0) {
            (earlier, later)
        } else {
            (answer.sent, answer.received)
        };
        let others = self.offset();
        match others.signum() {
            -1 => earlier = earlier.min(shifted(answer.sent, others)),
            1 => later = later.max(shifted(answer.received, others)),
            _ => {}
        }
        Moment { earlier, later, machine }
    }
}

fn shifted(moment: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_unix(moment.unix().saturating_add(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: i64 = 86_400;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix(second)
    }

    fn answered(sent: i64, received: i64, date: i64) -> Answered {
        Answered { sent: at(sent), received: at(received), date: Some(at(date)) }
    }

    fn heard(answers: &[Answered]) -> ServiceClock {
        let mut clock = ServiceClock::default();
        for &answer in answers {
            clock.learn(answer);
        }
        clock
    }

    #[test]
    fn clocks_that_agree_are_one_and_the_date_is_the_moment() {
        for (date, what) in [
            (100, "as it was sent"),
            (104, "under way"),
            (109, "as it came"),
            (110, "a second cut off"),
        ] {
            let answer = answered(100, 109, date);
            let moment = heard(&[answer]).moment_of(answer);
            assert_eq!(moment, Moment::from(at(date)), "{what}");
        }
    }

    #[test]
    fn a_date_ahead_is_bounded_by_the_machine_from_below_and_one_behind_from_above() {
        let ahead = answered(1_000, 1_002, 1_000 + DAY);
        let moment = heard(&[ahead]).moment_of(ahead);
        assert_eq!((moment.earlier(), moment.later()), (at(1_000), at(1_000 + DAY)));
        let behind = answered(1_000_000, 1_000_002, 1_000_000 - DAY);
        let moment = heard(&[behind]).moment_of(behind);
        assert_eq!((moment.earlier(), moment.later()), (at(1_000_000 - DAY), at(1_000_002)));
        assert!(!moment.is_agreed());
    }

    #[test]
    fn one_answer_with_a_wrong_date_moves_nobody_s_clock_but_its_own() {
        let good = |sent| answered(sent, sent + 1, sent);
        for wrong in [DAY, -DAY, 365 * DAY] {
            let mad = answered(1_010, 1_011, 1_010 + wrong);
            for order in [[mad, good(1_020), good(1_030)], [good(1_000), mad, good(1_020)]] {
                let clock = heard(&order);
                assert_eq!(clock.offset(), 0, "{wrong}");
                assert_eq!(clock.moment_of(good(1_030)), Moment::from(at(1_030)));
                assert!(!clock.moment_of(mad).is_agreed(), "its own date counts for it");
            }
            assert_eq!(
                heard(&[good(1_000), mad]).offset(),
                0,
                "of two, the machine's clock has the last word"
            );
        }
    }

    #[test]
    fn a_right_date_does_not_hide_that_the_other_answers_differ() {
        let behind = |sent: i64| answered(sent, sent + 1, sent - DAY);
        let clock = heard(&[behind(DAY), behind(2 * DAY), behind(3 * DAY)]);
        let agrees = answered(4 * DAY, 4 * DAY + 1, 4 * DAY);
        assert_eq!(clock.moment_of(agrees).earlier(), at(3 * DAY));
        let now = clock.at(at(5 * DAY));
        assert_eq!(
            (now.earlier(), now.later(), clock.service(at(5 * DAY))),
            (at(4 * DAY), at(5 * DAY), at(4 * DAY))
        );
    }

    #[test]
    fn without_a_date_the_machine_s_clock_is_all_there_is() {
        let silent = Answered { sent: at(10), received: at(14), date: None };
        let clock = heard(&[silent]);
        assert!(!clock.has_spoken());
        assert_eq!(
            (clock.moment_of(silent).earlier(), clock.moment_of(silent).later()),
            (at(10), at(14))
        );
    }

    proptest! {
        /// Whatever one of the clocks says, while the other is right: the true moment lies between
        /// the bounds.
        #[test]
        fn the_true_moment_lies_between_the_bounds(
            waits in prop::collection::vec((0i64..20, 0i64..20), 1..12),
            wrong in prop::collection::vec(-400 * DAY..400 * DAY, 12),
            is_machine in any::<bool>(),
        ) {
            let mut now = 1_000 * DAY;
            let mut clock = ServiceClock::default();
            let machine_off = if is_machine { wrong[0] } else { 0 };
            for ((there, back), wrong) in waits.into_iter().zip(wrong) {
                let (sent, made, received) = (now, now + there, now + there + back);
                let date = if is_machine { made } else { made + wrong };
                let answer = answered(sent + machine_off, received + machine_off, date);
                clock.learn(answer);
                let moment = clock.moment_of(answer);
                prop_assert!(moment.earlier() <= at(made + 1) && at(made - 1) <= moment.later());
                prop_assert!(
                    moment.after_machine() <= moment.by_machine()
                        && moment.earlier() <= moment.later()
                );
                now = received + 3;
            }
        }
    }
}
