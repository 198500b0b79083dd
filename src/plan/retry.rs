//! Whether and when to ask again after a request failed.
//!
//! Exponential backoff with full jitter ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015): the wait is
//! drawn between nothing and the ceiling, which spreads clients that were refused together.

use std::time::Duration;

/// How patient to be with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How often one request is sent at most.
    pub tries: u32,
    /// The ceiling of the first wait.
    pub first_wait: Duration,
    /// The ceiling of every wait.
    pub longest_wait: Duration,
    /// No wait begins that would end later than this after the first try.
    pub total: Duration,
}

/// Six tries over at most three minutes: a deployment or a failover on the other side passes, and a run by cron every
/// five minutes still ends before the next one begins.
impl Default for Patience {
    fn default() -> Self {
        Self {
            tries: 6,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(30),
            total: Duration::from_mins(3),
        }
    }
}

/// The wait before the next try, or none when it is time to give up.
///
/// `tries` were made (at least one), `elapsed` since the first; `asked_for` is what `Retry-After` said, and is never
/// cut short; `draw` is a random number in `0.0..1.0`.
pub fn wait_before_next(
    patience: Patience,
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
        let patience = Patience { tries: 20, total: Duration::MAX, ..Patience::default() };
        let waits: Vec<u128> = (1..10)
            .map(|tries| wait_before_next(patience, tries, Duration::ZERO, None, 1.0).unwrap().as_millis())
            .collect();
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    }

    #[test]
    fn a_wait_that_was_asked_for_is_kept_or_given_up_on() {
        let patience = Patience::default();
        let asked = Some(Duration::from_mins(1));
        assert_eq!(wait_before_next(patience, 1, Duration::ZERO, asked, 0.5), asked);
        assert_eq!(wait_before_next(patience, 2, Duration::from_secs(121), asked, 0.5), None);
    }

    proptest! {
        #[test]
        fn retrying_ends(draws in prop::collection::vec(0.0f64..1.0, 50)) {
            let patience = Patience::default();
            let (mut elapsed, mut tries) = (Duration::ZERO, 1);
            while let Some(wait) = wait_before_next(patience, tries, elapsed, None, draws[tries as usize % 50]) {
                prop_assert!(wait <= patience.longest_wait);
                elapsed += wait;
                tries += 1;
            }
            prop_assert!(tries <= patience.tries && elapsed <= patience.total);
        }
    }
}
