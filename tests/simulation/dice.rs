//! Draws that a seed decides.

use fastrand::Rng;

/// A stream of draws of its own for each part of a schedule, so that changing one part leaves the
/// others as they were.
pub(crate) fn dice(seed: u64, part: &str) -> Rng {
    let label = part.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    let mut rng = Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ label);
    // Neighbouring seeds begin alike; the first draws are thrown away.
    for _ in 0..4 {
        rng.u64(..);
    }
    rng
}

/// What a test asks of dice.
pub(crate) trait Draw {
    /// True in `percent` of all draws.
    fn percent(&mut self, percent: f64) -> bool;
    /// One of these.
    fn pick<T: Copy>(&mut self, of: &[T]) -> T;
    /// Between the ends, small numbers as likely as large ones: each factor of two has the same
    /// chance.
    fn spread(&mut self, least: i64, most: i64) -> i64;
}

impl Draw for Rng {
    fn percent(&mut self, percent: f64) -> bool {
        self.f64() * 100.0 < percent
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.usize(..of.len())]
    }

    fn spread(&mut self, least: i64, most: i64) -> i64 {
        let (low, high) = ((least as f64 + 1.0).ln(), (most as f64 + 1.0).ln());
        (((low + (high - low) * self.f64()).exp() - 1.0).round() as i64).clamp(least, most)
    }
}
