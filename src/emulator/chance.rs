//! Numbers that look random and are the same whenever they are asked for: the whole world is
//! computed from them, so nothing about a record needs to be kept in memory.

/// A million, the whole that shares of records are given in.
pub(super) const MILLION: u64 = 1_000_000;

/// Spreads one number over all 64 bits (the finaliser of `SplitMix64`, a published bijection).
pub(super) fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// The number that belongs to a seed and two coordinates.
pub(super) fn draw(seed: u64, first: u64, second: u64) -> u64 {
    mix(seed ^ mix(first ^ mix(second)))
}

/// Maps a drawn number evenly onto `0..below`; nothing lies below zero or one but zero.
pub(super) fn scale(drawn: u64, below: u64) -> u64 {
    let wide = (u128::from(drawn) * u128::from(below)) >> 64;
    u64::try_from(wide).unwrap_or(u64::MAX)
}

/// Maps a drawn number onto `0..=most` so that small values are common and large ones rare: with
/// the sixth power of an even draw, half of the values are below `most / 64`, one in ten above
/// `most / 2`.
pub(super) fn skewed(drawn: u64, most: u32) -> u32 {
    let even = u128::from(drawn >> 48);
    let sixth = (even * even * even * even * even * even) >> 64;
    u32::try_from((sixth * (u128::from(most) + 1)) >> 32).unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skewed_reaches_both_ends_and_favours_the_small() {
        assert_eq!((skewed(0, 900), skewed(u64::MAX, 900)), (0, 900));
        let values: Vec<u32> = (0..10_000).map(|n| skewed(mix(n), 640)).collect();
        let below_ten = values.iter().filter(|&&value| value < 10).count();
        let above_half = values.iter().filter(|&&value| value > 320).count();
        assert!((4_500..5_600).contains(&below_ten), "{below_ten}");
        assert!((800..1_400).contains(&above_half), "{above_half}");
    }

    #[test]
    fn scale_stays_below_its_bound() {
        assert_eq!(
            (scale(u64::MAX, 7), scale(0, 7), scale(u64::MAX, 1), scale(u64::MAX, 0)),
            (6, 0, 0, 0)
        );
    }
}
