//! Whether and when to ask again after a request failed.
//!
//! Exponential backoff with full jitter ("Exponential Backoff And Jitter", AWS Architecture Blog,
//! 2015): the wait is drawn between nothing and the ceiling, which spreads clients that were
//! refused together.

use super::outage::LONGEST_SILENCE;
use std::time::Duration;

/// How patient to be with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often one request is sent at most.
    pub tries: u32,
    /// The ceiling of the first wait.
    pub first_wait: Duration,
    /// The ceiling of every wait.
    pub longest_wait: Duration,
    /// No wait begins that would end later than this after the first try.
    pub total: Duration,
    /// Without any answer for so long, the service is taken to be down.
    pub silence: Duration,
}

/// How much a request is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// All the patience there is.
    Whole,
    /// It is a part of something that failed: a failure that stays is likely, and there are more of
    /// its kind.
    Part,
    /// It failed in earlier runs.
    Once,
}

/// How often a part of something that failed is asked for.
const TRIES_OF_A_PART: u32 = 2;

/// No try of a part begins later than this after its first: a page that hangs is asked for once.
const TOTAL_OF_A_PART: Duration = Duration::from_secs(8);

/// A service that answers as slowly as it may is asked once more before it is taken to be down.
const SILENCE_AFTER_A_TIMEOUT: Duration = Duration::from_secs(50);

impl RetryPolicy {
    /// The patience with a request that is worth so much.
    #[must_use]
    pub fn for_effort(self, effort: Effort) -> Self {
        match effort {
            Effort::Whole => self,
            Effort::Part => Self {
                tries: self.tries.min(TRIES_OF_A_PART),
                total: self.total.min(TOTAL_OF_A_PART),
                ..self
            },
            Effort::Once => Self { tries: 1, ..self },
        }
    }

    /// The patience with a service that may take so long for an answer.
    #[must_use]
    pub fn with_answers_after(self, longest_answer: Duration) -> Self {
        Self {
            silence: self.silence.max(longest_answer.saturating_add(SILENCE_AFTER_A_TIMEOUT)),
            ..self
        }
    }
}

/// Six tries over at most three minutes: a deployment or a failover on the other side passes, and a
/// run by cron every five minutes still ends before the next one begins.
impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            tries: 6,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(30),
            total: Duration::from_mins(3),
            silence: LONGEST_SILENCE,
        }
    }
}

/// The wait before the next try, or none when it is time to give up.
///
/// `tries` were made (at least one), `elapsed` since the first; `asked_for` is what `Retry-After`
/// said, and is never cut short; `draw` is a random number in `0.0..1.0`.
pub fn wait_before_next(
    patience: RetryPolicy,
    tries: u32,
    elapsed: Duration,
    asked_for: Option<Duration>,
    draw: f64,
) -> Option<Duration> {
    if tries >= patience.tries {
        return None;
    }
    let doublings = tries.saturating_sub(1).min(16);
    let ceiling = patience.first_wait.saturating_mul(1 << doublings).min(patience.longest_wait);
    let wait = ceiling.mul_f64(draw.clamp(0.0, 1.0)).max(asked_for.unwrap_or_default());
    (elapsed.saturating_add(wait) <= patience.total).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn waits_grow_up_to_the_ceiling() {
        let patience = RetryPolicy { tries: 20, total: Duration::MAX, ..RetryPolicy::default() };
        let waits: Vec<u128> = (1..10)
            .map(|tries| {
                wait_before_next(patience, tries, Duration::ZERO, None, 1.0).unwrap().as_millis()
            })
            .collect();
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    }

    #[test]
    fn a_wait_that_was_asked_for_is_kept_or_given_up_on() {
        let patience = RetryPolicy::default();
        let asked = Some(Duration::from_mins(1));
        assert_eq!(wait_before_next(patience, 1, Duration::ZERO, asked, 0.5), asked);
        assert_eq!(wait_before_next(patience, 2, Duration::from_secs(121), asked, 0.5), None);
    }

    #[test]
    fn a_part_of_what_failed_is_asked_for_twice_and_one_that_hangs_once() {
        let part = RetryPolicy::default().for_effort(Effort::Part);
        let next =
            |tries, elapsed| wait_before_next(part, tries, Duration::from_secs(elapsed), None, 1.0);
        assert_eq!((next(1, 0), next(2, 1)), (Some(part.first_wait), None));
        assert_eq!(next(1, 10), None);
        let once = RetryPolicy::default().for_effort(Effort::Once);
        assert_eq!(wait_before_next(once, 1, Duration::ZERO, None, 0.0), None);
    }

    #[test]
    fn who_lets_an_answer_take_longer_waits_longer_before_the_service_is_down() {
        let silence = |seconds| {
            RetryPolicy::default()
                .with_answers_after(Duration::from_secs(seconds))
                .silence
                .as_secs()
        };
        assert_eq!([1, 60, 300].map(silence), [110, 110, 350]);
    }

    proptest! {
        #[test]
        fn retrying_ends(draws in prop::collection::vec(0.0f64..1.0, 50)) {
            let patience = RetryPolicy::default();
            let (mut elapsed, mut tries) = (Duration::ZERO, 1);
            while let Some(wait) =
                wait_before_next(patience, tries, elapsed, None, draws[tries as usize % 50])
            {
                prop_assert!(wait <= patience.longest_wait);
                elapsed += wait;
                tries += 1;
            }
            prop_assert!(tries <= patience.tries && elapsed <= patience.total);
        }
    }
}
