//! When runs begin that follow each other.
//!
//! They begin on beats: the first begin, and whole multiples of a time after it. So they do not
//! drift, however long a run lasts; a beat that passes during a run is left out, since the run that
//! follows archives what it would have. While nothing answers, beats are left out too: twice as
//! many with each run in vain. Moments are durations since the first run began.

use std::time::Duration;

/// The longest pause while nothing answers, unless beats are further apart: what a service
/// forgets is kept for days, and whoever mends a key does not want to wait for longer.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// The shortest time between beats.
pub const SHORTEST: Duration = Duration::from_secs(1);

/// The beats of runs that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rhythm {
    every: Duration,
    /// How many runs one after the other were in vain, up to now.
    in_vain: u32,
}

impl Rhythm {
    /// A beat each time so much has passed, [`SHORTEST`] at least.
    pub fn new(every: Duration) -> Self {
        Self { every: every.max(SHORTEST), in_vain: 0 }
    }

    /// Notes whether anybody answered a run.
    pub fn note(&mut self, is_answered: bool) {
        self.in_vain = if is_answered { 0 } else { self.in_vain.saturating_add(1) };
    }

    /// How long a pause is after runs that were in vain. `None` while there were none.
    pub fn pause(&self) -> Option<Duration> {
        let longest = LONGEST_PAUSE.max(self.every);
        let doubled = 1u32
            .checked_shl(self.in_vain)
            .map_or(Duration::MAX, |times| self.every.saturating_mul(times));
        (self.in_vain > 0).then(|| doubled.min(longest))
    }

    /// When the run after this one begins: at the first beat that is still to come when the run
    /// has ended, and not before the pause has passed.
    pub fn next(&self, began: Duration, ended: Duration) -> Duration {
        let earliest = began.saturating_add(self.pause().unwrap_or_default()).max(ended);
        let beats = earliest.as_nanos() / self.every.as_nanos();
        // A pause ends on a beat; a run that ends on one leaves it to the next.
        let is_on_beat =
            earliest > ended && earliest.as_nanos().is_multiple_of(self.every.as_nanos());
        let beats = u32::try_from(if is_on_beat { beats } else { beats + 1 }).unwrap_or(u32::MAX);
        self.every.saturating_mul(beats)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn after(rhythm: &Rhythm, began: u32, ended: u32) -> u128 {
        rhythm.next(began * MINUTE, ended * MINUTE).as_secs().div_ceil(60).into()
    }

    #[test]
    fn runs_begin_on_beats_and_a_beat_that_has_passed_is_left_out() {
        let rhythm = Rhythm::new(5 * MINUTE);
        for (began, ended, next) in [(0, 0, 5), (0, 4, 5), (0, 5, 10), (5, 12, 15), (5, 31, 35)] {
            assert_eq!(after(&rhythm, began, ended), next, "{began} to {ended}");
        }
    }

    #[test]
    fn while_nothing_answers_pauses_double_up_to_an_hour() {
        let mut rhythm = Rhythm::new(5 * MINUTE);
        let pauses: Vec<u64> = (0..7)
            .map(|_| {
                rhythm.note(false);
                rhythm.pause().unwrap_or_default().as_secs() / 60
            })
            .collect();
        assert_eq!(pauses, [10, 20, 40, 60, 60, 60, 60]);
        assert_eq!(after(&rhythm, 5, 7), 65);
        rhythm.note(true);
        assert_eq!((rhythm.pause(), after(&rhythm, 65, 66)), (None, 70));

        let mut daily = Rhythm::new(24 * 60 * MINUTE);
        daily.note(false);
        assert_eq!(daily.pause(), Some(24 * 60 * MINUTE));
        let mut for_ever = Rhythm { every: MINUTE, in_vain: u32::MAX };
        for_ever.note(false);
        assert_eq!(for_ever.pause(), Some(60 * MINUTE));
    }

    proptest! {
        /// Thirty days of runs of any length: each begins on a beat, after the one before has
        /// ended, and without failures none comes later than the next beat.
        #[test]
        fn nothing_drifts(
            every in 1_u32..7_200,
            lengths in prop::collection::vec((0_u32..20_000_000, any::<bool>()), 1..200),
        ) {
            let every = Duration::from_secs(every.into());
            let mut rhythm = Rhythm::new(every);
            let mut began = Duration::ZERO;
            for (length, is_answered) in lengths {
                let ended = began + Duration::from_micros(length.into());
                rhythm.note(is_answered);
                let next = rhythm.next(began, ended);
                prop_assert_eq!(next.as_nanos() % every.as_nanos(), 0);
                prop_assert!(next > ended);
                let allowed = began + rhythm.pause().unwrap_or_default();
                prop_assert!(next <= ended.max(allowed) + every && next >= allowed);
                began = next;
            }
        }
    }
}
