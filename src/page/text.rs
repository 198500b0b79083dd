//! Numbers, lengths and times as the page writes them.

use crate::domain::{Timestamp, Zone};
use crate::render::in_two_units;
use chrono::NaiveDate;
use std::time::Duration;

/// `12,345,678`.
pub(super) fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = if number < 0 { "-".to_owned() } else { String::new() };
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1.5k`, `12M`: a number of an axis, in at most five characters.
pub(super) fn rough_count(number: f64) -> String {
    let units = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    let unit = units.iter().find(|(size, _)| number >= *size);
    let (size, name) = unit.copied().unwrap_or((1.0, ""));
    format!("{}{name}", without_zeros(&format!("{:.1}", number / size)))
}

/// `3.25 %`: at most two digits after the point.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", without_zeros(&format!("{share:.2}")))
}

fn without_zeros(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

/// `1h 30m`.
pub(super) fn seconds(length: i64) -> String {
    let sign = if length < 0 { "-" } else { "" };
    format!("{sign}{}", in_two_units(Duration::from_secs(length.unsigned_abs())))
}

/// A length of an axis, in one unit: `2m`, `18h`.
pub(super) fn rough_seconds(length: i64) -> String {
    seconds(length).split(' ').next().unwrap_or_default().to_owned()
}

/// `2026-03-01 12:00:30`, as clocks of the zone show it.
pub(super) fn second(moment: Timestamp, zone: Zone) -> String {
    const SECONDS: usize = 19;
    zone.local_text(moment).replace('T', " ").chars().take(SECONDS).collect()
}

/// `2026-03-01 12:00`, as clocks of the zone show it.
pub(super) fn time(moment: Timestamp, zone: Zone) -> String {
    const MINUTES: usize = 16;
    zone.local_text(moment).replace('T', " ").chars().take(MINUTES).collect()
}

/// `2 ranges`: a number with its noun.
pub(super) fn counted(number: i64, one: &str, several: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { several })
}

/// The day of a moment, in the zone.
pub(super) fn day_of(moment: Timestamp, zone: Zone) -> Option<NaiveDate> {
    let local = zone.local_text(moment);
    NaiveDate::parse_from_str(local.get(..10)?, "%Y-%m-%d").ok()
}

/// `a, b and c`.
pub(super) fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn large_numbers_can_be_read() {
        let numbers = [0, 999, 1_000, -1_234_567, i64::MAX];
        let texts = ["0", "999", "1,000", "-1,234,567", "9,223,372,036,854,775,807"];
        assert_eq!(numbers.map(count), texts);
        assert_eq!(
            [0.0, 1.5, 950.0, 1_500.0, 2e6].map(rough_count),
            ["0", "1.5", "950", "1.5k", "2M"]
        );
        assert_eq!([0.0, 3.25, 100.0, 0.1 + 0.2].map(percent), ["0 %", "3.25 %", "100 %", "0.3 %"]);
        assert_eq!([-5, 59, 5_430].map(seconds), ["-5s", "59s", "1h 30m"]);
        assert_eq!([1, 90, 131_072].map(rough_seconds), ["1s", "1m", "1d"]);
        let list = |words: &[&str]| {
            listed(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!([list(&[]), list(&["a"]), list(&["a", "b", "c"])], ["", "a", "a, b and c"]);
    }

    #[test]
    fn times_are_those_of_the_zone() {
        let moment: Timestamp = "2026-03-01T23:30:00Z".parse().unwrap();
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        assert_eq!(time(moment, Zone::UTC), "2026-03-01 23:30");
        assert_eq!(time(moment, berlin), "2026-03-02 00:30");
        assert_eq!(day_of(moment, berlin).unwrap().to_string(), "2026-03-02");
    }
}
