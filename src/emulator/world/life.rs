//! One record's life: how long it waits and runs, how it ends, and when it can be seen.
//!
//! Drawn from the record's place alone, so a test can compute it without asking the server.

use crate::emulator::chance::{MILLION, draw, scale, skewed};

/// Records that end as FAIL, parts per million.
const FAILED: u64 = 60_000;
/// Records that end as DISCARD, parts per million; the others end as SUCCESS.
const DISCARDED: u64 = 20_000;
/// Seconds a record may wait before it is discarded: the default age limit of an asynchronous
/// event.
const EVENT_AGE: u32 = 3_600;
/// The longest wait of an ordinary record, seconds.
const LONGEST_WAIT: u32 = 60;
/// The longest run of an ordinary record, seconds: the usual limit of a function's time.
const LONGEST_RUN: u32 = 900;
/// The longest pause between a failed attempt and its retry, seconds.
const LONGEST_PAUSE: u32 = 600;
/// The longest run of a slow record, seconds: three days, the service's limit.
const SLOWEST_RUN: u32 = 259_200;

/// No ordinary record is unfinished this many seconds after its start.
pub(super) const ORDINARY_LIFE: u32 = EVENT_AGE + LONGEST_WAIT + 2 * LONGEST_RUN + LONGEST_PAUSE;

/// The status of a record at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Accepted, not yet started.
    Wait,
    /// Being executed.
    Running,
    /// Ended well.
    Success,
    /// Ended badly; where the world retries, it may run again.
    Fail,
    /// Dropped unexecuted.
    Discard,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 5] =
        [Self::Wait, Self::Running, Self::Success, Self::Fail, Self::Discard];

    /// The vendor's spelling (API reference, table 5 of `ListAsyncInvocations`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wait => "WAIT",
            Self::Running => "RUNNING",
            Self::Success => "SUCCESS",
            Self::Fail => "FAIL",
            Self::Discard => "DISCARD",
        }
    }

    /// Whether the record has not ended.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Wait | Self::Running)
    }
}

/// Shares and bounds that all records of a world draw their lives by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habits {
    pub(super) seed: u64,
    /// The longest time until a record is listed, seconds.
    pub(super) lateness: u32,
    /// Records that run for hours or days, parts per million.
    pub(super) slow: u64,
    /// Records that fail, then succeed when tried again, parts per million.
    pub(super) retried: u64,
}

/// All lengths in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    /// From the start until it is listed.
    pub(super) late: u32,
    wait: u32,
    run: u32,
    ending: Ending,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Success,
    Fail,
    Discard,
    /// Fails, pauses, runs again and succeeds.
    Retried {
        pause: u32,
        run: u32,
    },
}

impl Habits {
    /// The life of the record at a place of the function with this number.
    pub(super) fn life(self, function: usize, index: usize) -> Life {
        let number = |nth: u64| draw(self.seed, (function as u64) << 8 | nth, index as u64);
        let ending = self.ending(number(0), number(1));
        let late = skewed(number(2), self.lateness);
        if ending == Ending::Discard {
            return Life { late, wait: EVENT_AGE, run: 0, ending };
        }
        let lengths = number(3);
        let run = if self.is_slow(function, index) {
            LONGEST_RUN + skewed(lengths, SLOWEST_RUN - LONGEST_RUN)
        } else {
            skewed(lengths, LONGEST_RUN)
        };
        Life { late, wait: skewed(lengths << 16, LONGEST_WAIT), run, ending }
    }

    /// Whether this record runs for hours or days.
    pub(super) fn is_slow(self, function: usize, index: usize) -> bool {
        scale(draw(self.seed, (function as u64) << 8 | 4, index as u64), MILLION) < self.slow
    }

    fn ending(self, kind: u64, lengths: u64) -> Ending {
        let kind = scale(kind, MILLION);
        if kind < DISCARDED {
            Ending::Discard
        } else if kind < DISCARDED + FAILED {
            Ending::Fail
        } else if kind < DISCARDED + FAILED + self.retried {
            Ending::Retried {
                pause: 1 + skewed(lengths, LONGEST_PAUSE - 1),
                run: skewed(lengths << 16, LONGEST_RUN),
            }
        } else {
            Ending::Success
        }
    }
}

impl Life {
    /// Where the record stands `age` seconds after its start, and after how many seconds it ended.
    pub(super) fn at(self, age: u32) -> (Phase, Option<u32>) {
        let first_end = self.wait + self.run;
        if age < self.wait {
            return (Phase::Wait, None);
        }
        if age < first_end {
            return (Phase::Running, None);
        }
        match self.ending {
            Ending::Success => (Phase::Success, Some(first_end)),
            Ending::Fail => (Phase::Fail, Some(first_end)),
            Ending::Discard => (Phase::Discard, Some(first_end)),
            Ending::Retried { pause, .. } if age < first_end + pause => {
                (Phase::Fail, Some(first_end))
            }
            Ending::Retried { pause, run } if age < first_end + pause + run => {
                (Phase::Running, None)
            }
            Ending::Retried { pause, run } => (Phase::Success, Some(first_end + pause + run)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HABITS: Habits = Habits { seed: 1, lateness: 120, slow: 500, retried: 5_000 };

    #[test]
    fn endings_come_in_their_shares() {
        let ends = |phase| {
            (0..100_000).filter(|&index| HABITS.life(0, index).at(u32::MAX).0 == phase).count()
        };
        assert!((5_700..6_300).contains(&ends(Phase::Fail)), "{}", ends(Phase::Fail));
        assert!((1_850..2_150).contains(&ends(Phase::Discard)), "{}", ends(Phase::Discard));
        assert_eq!(ends(Phase::Wait) + ends(Phase::Running), 0);
    }

    #[test]
    fn only_slow_records_are_open_after_an_ordinary_life() {
        for index in 0..100_000 {
            let open = HABITS.life(0, index).at(ORDINARY_LIFE).0.is_open();
            assert!(!open || HABITS.is_slow(0, index), "{index}");
        }
        let slow = (0..100_000).filter(|&index| HABITS.is_slow(0, index)).count();
        assert!((20..90).contains(&slow), "{slow}");
    }

    #[test]
    fn a_life_goes_through_its_phases_in_order() {
        let life = Life { late: 0, wait: 2, run: 3, ending: Ending::Retried { pause: 4, run: 5 } };
        let phases: Vec<_> = [0, 1, 2, 4, 5, 8, 9, 13, 14].map(|age| life.at(age)).into();
        let open = |phase| (phase, None);
        assert_eq!(
            phases,
            [
                open(Phase::Wait),
                open(Phase::Wait),
                open(Phase::Running),
                open(Phase::Running),
                (Phase::Fail, Some(5)),
                (Phase::Fail, Some(5)),
                open(Phase::Running),
                open(Phase::Running),
                (Phase::Success, Some(14)),
            ]
        );
    }
}
