//! When the records of a function begin: more by day than by night, uneven from one ten minutes to
//! the next, and with bursts of many records in one second.

use crate::emulator::chance::{draw, scale};

/// Length of a stretch of even density, seconds: short enough that windows of an hour differ.
const STRETCH: u64 = 600;
const DAY: u64 = 86_400;

/// What one function's records look like in time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Where its randomness comes from.
    pub(super) seed: u64,
    /// Second of the day at which the span begins.
    pub(super) second_of_day: u64,
    /// Length of the span, seconds.
    pub(super) span: u64,
    /// Records in the span.
    pub(super) count: u64,
    /// How many seconds hold a burst.
    pub(super) bursts: u64,
    /// Records in each of those seconds.
    pub(super) burst_size: u64,
}

impl Shape {
    /// Seconds after the span's begin, sorted.
    pub(super) fn starts(self) -> Vec<u32> {
        let in_bursts = (self.bursts * self.burst_size).min(self.count);
        let mut starts = Vec::with_capacity(usize::try_from(self.count).unwrap_or(0));
        self.spread(self.count - in_bursts, &mut starts);
        starts
            .extend((0..in_bursts).map(|n| seconds(self.burst_second(n / self.burst_size.max(1)))));
        starts.sort_unstable();
        starts
    }

    fn burst_second(self, burst: u64) -> u64 {
        scale(draw(self.seed, u64::MAX, burst), self.span)
    }

    /// Deals `count` records to the stretches by weight; rounding follows the running sum, so that
    /// none is lost.
    fn spread(self, count: u64, starts: &mut Vec<u32>) {
        let stretches = self.span.div_ceil(STRETCH);
        let whole: u64 = (0..stretches).map(|n| self.weight(n)).sum();
        let (mut weight, mut dealt) = (0, 0);
        for stretch in 0..stretches {
            weight += self.weight(stretch);
            let due = u64::try_from(u128::from(count) * u128::from(weight) / u128::from(whole))
                .unwrap_or(count);
            let begin = stretch * STRETCH;
            let length = STRETCH.min(self.span - begin);
            starts.extend(
                (dealt..due).map(|n| seconds(begin + scale(draw(self.seed, 1, n), length))),
            );
            dealt = due;
        }
    }

    /// Between 200 at midnight and 1,000 at noon, plus up to 400 of noise.
    fn weight(self, stretch: u64) -> u64 {
        let second = (self.second_of_day + stretch * STRETCH) % DAY;
        let from_midnight = second.min(DAY - second);
        200 + 1_600 * from_midnight / DAY + scale(draw(self.seed, 2, stretch), 400)
    }
}

/// A span is at most [`super::MAX_SPAN`], which fits.
fn seconds(offset: u64) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEEK: Shape = Shape {
        seed: 1,
        second_of_day: 0,
        span: 7 * DAY,
        count: 70_000,
        bursts: 2,
        burst_size: 700,
    };

    #[test]
    fn every_record_begins_inside_the_span() {
        for shape in [
            WEEK,
            Shape { span: 1, ..WEEK },
            Shape { count: 0, ..WEEK },
            Shape { span: 601, count: 5, ..WEEK },
        ] {
            let starts = shape.starts();
            assert_eq!(starts.len() as u64, shape.count);
            assert!(starts.is_sorted());
            assert!(starts.iter().all(|&start| u64::from(start) < shape.span));
        }
    }

    #[test]
    fn noon_is_busier_than_midnight_and_bursts_stand_out() {
        let starts = WEEK.starts();
        let in_hour = |hour: u64| {
            starts.iter().filter(|&&start| u64::from(start) % DAY / 3600 == hour).count()
        };
        assert!(in_hour(12) > 2 * in_hour(0), "{} {}", in_hour(12), in_hour(0));
        let busiest = starts.chunk_by(|a, b| a == b).map(<[u32]>::len).max();
        assert!(busiest >= Some(700), "{busiest:?}");
    }
}
