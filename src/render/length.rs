//! Lengths of time in words, for tables and sentences.

use std::time::Duration;

/// `13d 4h`: a length by its two largest units, rounded down.
pub(crate) fn in_two_units(length: Duration) -> String {
    let units = [(86_400, 'd'), (3_600, 'h'), (60, 'm'), (1, 's')];
    let mut rest = length.as_secs();
    let largest = units.iter().position(|(seconds, _)| *seconds <= rest).unwrap_or(units.len() - 1);
    let mut parts = Vec::new();
    for (seconds, unit) in units.into_iter().skip(largest).take(2) {
        parts.push(format!("{}{unit}", rest / seconds));
        rest %= seconds;
    }
    parts.join(" ")
}

/// `2 (1h 30m)`: how many ranges of time, and how long they are together.
pub(crate) fn number_and_length(ranges: i64, length: Duration) -> String {
    format!("{ranges} ({})", in_two_units(length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn a_length_is_told_by_its_two_largest_units() {
        let told = |seconds| in_two_units(Duration::from_secs(seconds));
        let lengths = [0, 59, 60, 5_430, 86_399, 86_400, 2_591_999, 34_560_000];
        let words = ["0s", "59s", "1m 0s", "1h 30m", "23h 59m", "1d 0h", "29d 23h", "400d 0h"];
        assert_eq!(lengths.map(told), words);
        assert_eq!(number_and_length(2, Duration::from_secs(5_430)), "2 (1h 30m)");
    }
}
