//! How fast to ask: one pace for all functions of a run.
//!
//! Requests leave at least `1 / rate` apart, so that no second holds more than the rate. Being
//! throttled halves the rate; it comes back by a tenth of the full rate a second without being
//! throttled. Moments are durations since the run began.

use std::time::Duration;

/// The slowest pace: a run that is always throttled still asks once in ten seconds, and so learns
/// when that ends.
const SLOWEST: f64 = 0.1;

/// The lowest full rate, once a day: whoever asks more seldom than a run may last asks nothing at
/// all.
pub const LEAST_RATE: f64 = 1.0 / 86_400.0;

/// The share of the full rate that comes back with every second.
const RECOVERY: f64 = 0.1;

/// The pace of a run.
#[derive(Clone, Debug)]
pub struct Pace {
    full_rate: f64,
    rate: f64,
    rate_since: Duration,
    next_free: Duration,
    held_until: Duration,
}

impl Pace {
    /// A pace of at most `full_rate` requests a second, and of [`LEAST_RATE`] at least.
    pub fn new(full_rate: f64) -> Self {
        let full_rate = full_rate.max(LEAST_RATE);
        Self {
            full_rate,
            rate: full_rate,
            rate_since: Duration::ZERO,
            next_free: Duration::ZERO,
            held_until: Duration::ZERO,
        }
    }

    /// Takes the next place in line: the moment at which the request may leave.
    pub fn reserve(&mut self, now: Duration) -> Duration {
        self.recover(now);
        let slot = self.next_free.max(now);
        self.next_free = slot.saturating_add(Duration::from_secs_f64(1.0 / self.rate));
        slot
    }

    /// The service throttled a request; nothing leaves before `asked_for` has passed.
    ///
    /// Refusals of requests that were sent side by side count once: the rate is halved at most once
    /// a second.
    pub fn throttled(&mut self, now: Duration, asked_for: Option<Duration>) {
        if now >= self.rate_since.saturating_add(Duration::from_secs(1))
            || self.rate >= self.full_rate
        {
            self.recover(now);
            self.rate = (self.rate / 2.0).max(SLOWEST.min(self.full_rate));
            self.rate_since = now;
        }
        self.held_until = self.held_until.max(now.saturating_add(asked_for.unwrap_or_default()));
        self.next_free = self.next_free.max(self.held_until);
    }

    /// Before this moment nothing may leave, whatever was reserved before the service asked to
    /// wait.
    pub fn held_until(&self) -> Duration {
        self.held_until
    }

    /// Requests a second at this moment.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    fn recover(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.rate_since).as_secs_f64();
        if passed >= 1.0 {
            self.rate =
                (self.rate + passed.floor() * RECOVERY * self.full_rate).min(self.full_rate);
            // Whole seconds of what has passed, and not what a number with a fraction makes of very
            // many.
            self.rate_since += Duration::from_secs(now.saturating_sub(self.rate_since).as_secs());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    proptest! {
        /// Whatever the moments of asking and of being throttled, no second holds more than the
        /// rate allows.
        #[test]
        fn no_second_holds_more_than_the_rate(
            steps in prop::collection::vec((0u64..400, any::<bool>()), 1..200),
            rate in 1.0f64..50.0,
        ) {
            let mut pace = Pace::new(rate);
            let mut now = Duration::ZERO;
            let mut sent = Vec::new();
            for (millis, throttled) in steps {
                now += Duration::from_millis(millis);
                if throttled {
                    pace.throttled(now, None);
                }
                sent.push(pace.reserve(now));
            }
            for (index, &slot) in sent.iter().enumerate() {
                let within =
                    sent[index..].iter().take_while(|&&other| other < slot + SECOND).count();
                prop_assert!(
                    within as f64 <= rate + 1.0,
                    "{within} requests within a second at {rate}"
                );
            }
        }
    }

    proptest! {
        /// Whatever the rate and the moments, a place in line is found.
        #[test]
        fn no_rate_is_too_slow_and_no_moment_too_late(
            rate in prop_oneof![
                prop::num::f64::POSITIVE,
                Just(f64::MIN_POSITIVE),
                Just(1e-19),
                Just(f64::INFINITY),
            ],
            steps in prop::collection::vec(
                (any::<u64>(), 0u32..1_000_000_000, any::<Option<u64>>()),
                1..20,
            ),
        ) {
            let mut pace = Pace::new(rate);
            for (seconds, nanos, asked_for) in steps {
                let now = Duration::new(seconds, nanos);
                prop_assert!(pace.reserve(now) >= now);
                pace.throttled(now, asked_for.map(Duration::from_secs));
                prop_assert!(pace.rate() > 0.0 && pace.held_until() >= now);
                prop_assert!(pace.reserve(now) >= pace.held_until());
            }
        }
    }

    #[test]
    fn the_slowest_pace_is_once_a_day() {
        let mut pace = Pace::new(1e-300);
        assert_eq!(pace.reserve(SECOND), SECOND);
        let day = Duration::from_hours(24);
        assert!(pace.reserve(SECOND).abs_diff(SECOND + day) < SECOND);
        pace.throttled(SECOND * 2, None);
        assert!(pace.reserve(SECOND).abs_diff(SECOND + day * 2) < SECOND);
    }

    #[test]
    fn being_throttled_halves_the_pace_and_it_comes_back() {
        let mut pace = Pace::new(8.0);
        pace.throttled(SECOND, None);
        pace.throttled(SECOND, None);
        assert!((pace.rate() - 4.0).abs() < 1e-9, "refusals side by side count once");
        pace.reserve(SECOND * 3);
        assert!((pace.rate() - 5.6).abs() < 1e-9);
        pace.reserve(SECOND * 30);
        assert!((pace.rate() - 8.0).abs() < 1e-9);
    }

    #[test]
    fn nothing_leaves_before_the_wait_that_was_asked_for() {
        let mut pace = Pace::new(100.0);
        pace.throttled(SECOND, Some(SECOND * 5));
        assert_eq!(pace.reserve(SECOND), SECOND * 6);
    }
}
