//! What may be lost: how far back the service reaches, since when a function's records are pending,
//! and whether the service records them at all.

use super::reach::Measured;
use crate::domain::Timestamp;
use std::fmt;
use std::time::Duration;

/// What the service said last of recording a function's invocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Whether `enable_async_status_log` is on; none where it could not be told.
    pub enabled: Option<bool>,
    /// When it said so first, in an unbroken row of the same answer.
    pub since: Timestamp,
    /// When it said so last.
    pub asked_at: Timestamp,
}

/// How a function stands against the service's forgetting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LossForecast {
    /// What the service said last of recording the function; none where it was never asked.
    pub recording: Option<Recording>,
    /// How far back it was seen to reach on the last day on which that was measured.
    pub reach: Measured,
    /// When that was; none where nothing but the least is known.
    pub reach_noted_at: Option<Timestamp>,
    /// The earliest moment that is neither settled nor lost; none where nothing was walked yet.
    pub pending_since: Option<Timestamp>,
}

/// What somebody should look after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The service records nothing of the function, seen first at this moment.
    NotRecorded {
        /// Since when.
        since: Timestamp,
    },
    /// What is pending may be forgotten before a run comes.
    FallsSoon {
        /// Since when it is pending.
        since: Timestamp,
        /// When it falls behind the service's reach.
        falls_at: Timestamp,
    },
    /// What is pending may have been forgotten already.
    MayHaveFallen {
        /// Since when it is pending.
        since: Timestamp,
        /// When it fell behind the service's reach.
        fell_at: Timestamp,
    },
}

impl LossForecast {
    /// How long no run may come from now on until something that is pending falls behind the
    /// service's reach. Zero where that may have happened; none where nothing was walked yet.
    pub fn survives(&self, now: Timestamp) -> Option<Duration> {
        let pending_for = now.seconds_since(self.pending_since?);
        Some(
            self.reach
                .least()
                .saturating_sub(Duration::from_secs(u64::try_from(pending_for).unwrap_or(0))),
        )
    }

    /// What somebody should look after.
    pub fn warnings(&self, now: Timestamp) -> impl Iterator<Item = Warning> {
        [self.recording_warning(), self.reach_warning(now)].into_iter().flatten()
    }

    fn recording_warning(&self) -> Option<Warning> {
        let off = self.recording.filter(|recording| recording.enabled == Some(false))?;
        Some(Warning::NotRecorded { since: off.since })
    }

    /// While half of the reach is left, the next run comes early enough, or a person does who is
    /// told.
    fn reach_warning(&self, now: Timestamp) -> Option<Warning> {
        let (since, survives) = (self.pending_since?, self.survives(now)?);
        let falls_at = since + self.reach.least();
        if survives.is_zero() {
            return Some(Warning::MayHaveFallen { since, fell_at: falls_at });
        }
        (survives <= self.reach.least() / 2).then_some(Warning::FallsSoon { since, falls_at })
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRecorded { since } => {
                write!(
                    f,
                    "the service records nothing of it, first seen at {since}: switch on \
                     enable_async_status_log"
                )
            }
            Self::FallsSoon { since, falls_at } => {
                write!(
                    f,
                    "pending since {since}, which the service may forget from {falls_at} on: run \
                     sync before"
                )
            }
            Self::MayHaveFallen { since, fell_at } => {
                write!(
                    f,
                    "pending since {since}, which the service may have forgotten since {fell_at}: \
                     run sync"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_unix(hour * 3_600)
    }

    fn hours(hours: u64) -> Duration {
        Duration::from_hours(hours)
    }

    fn pending(since: i64, shown: Option<u64>) -> LossForecast {
        let reach = Measured { shown: shown.map(hours), forgotten: None };
        LossForecast { reach, pending_since: Some(at(since)), ..LossForecast::default() }
    }

    fn warnings(forecast: LossForecast, now: i64) -> Vec<Warning> {
        forecast.warnings(at(now)).collect()
    }

    #[test]
    fn an_outage_is_survived_until_what_is_pending_falls_behind_the_reach() {
        assert_eq!(LossForecast::default().survives(at(1_000)), None);
        for (since, shown, now, survived, why) in [
            (1_000, None, 1_001, 23, "a day is certain"),
            (1_000, Some(72), 1_001, 71, "what was measured counts"),
            (1_000, Some(72), 1_100, 0, "it may be lost by now"),
            (1_001, None, 1_000, 24, "a clock that is ahead takes nothing away"),
        ] {
            assert_eq!(pending(since, shown).survives(at(now)), Some(hours(survived)), "{why}");
        }
    }

    #[test]
    fn what_comes_near_the_edge_is_told_before_it_falls_and_after() {
        let forecast = pending(1_000, Some(72));
        let (since, fall) = (at(1_000), at(1_072));
        assert_eq!(warnings(forecast, 1_035), []);
        assert_eq!(warnings(forecast, 1_036), [Warning::FallsSoon { since, falls_at: fall }]);
        assert_eq!(warnings(forecast, 1_072), [Warning::MayHaveFallen { since, fell_at: fall }]);
    }

    #[test]
    fn only_what_is_certainly_not_recorded_is_warned_of() {
        let said = |enabled| LossForecast {
            recording: Some(Recording { enabled, since: at(5), asked_at: at(9) }),
            ..LossForecast::default()
        };
        assert_eq!(warnings(said(Some(true)), 10), []);
        assert_eq!(warnings(said(None), 10), []);
        assert_eq!(warnings(said(Some(false)), 10), [Warning::NotRecorded { since: at(5) }]);
    }
}
