//! How fast to ask: one pace for all functions of a run.
//!
//! Requests leave at least `1 / rate` apart, so that no second holds more than the rate. Being throttled halves the
//! rate; it comes back by a tenth of the full rate a second without being throttled. Moments are durations since the
//! run began.

use std::time::Duration;

/// The slowest pace: a run that is always throttled still asks once in ten seconds, and so learns when that ends.
const SLOWEST: f64 = 0.1;

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
    /// A pace of at most `full_rate` requests a second.
    pub fn new(full_rate: f64) -> Self {
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
        self.next_free = slot + Duration::from_secs_f64(1.0 / self.rate);
        slot
    }

    /// The service throttled a request; nothing leaves before `asked_for` has passed.
    ///
    /// Refusals of requests that were sent side by side count once: the rate is halved at most once a second.
    pub fn throttled(&mut self, now: Duration, asked_for: Option<Duration>) {
        if now >= self.rate_since + Duration::from_secs(1) || self.rate >= self.full_rate {
            self.recover(now);
            self.rate = (self.rate / 2.0).max(SLOWEST.min(self.full_rate));
            self.rate_since = now;
        }
        self.held_until = self.held_until.max(now.saturating_add(asked_for.unwrap_or_default()));
        self.next_free = self.next_free.max(self.held_until);
    }

    /// Before this moment nothing may leave, whatever was reserved before the service asked to wait.
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
            self.rate = (self.rate + passed.floor() * RECOVERY * self.full_rate).min(self.full_rate);
            self.rate_since += Duration::from_secs_f64(passed.floor());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    proptest! {
        /// Whatever the moments of asking and of being throttled, no second holds more than the rate allows.
        #[test]
        fn no_second_holds_more_than_the_rate(steps in prop::collection::vec((0u64..400, any::<bool>()), 1..200), rate in 1.0f64..50.0) {
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
                let within = sent[index..].iter().take_while(|&&other| other < slot + SECOND).count();
                prop_assert!(within as f64 <= rate + 1.0, "{within} requests within a second at {rate}");
            }
        }
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
