//! Counts cross two borders with different integers: SQLite speaks `i64`, Rust collections `usize`.
//! And they are told to people.

use std::fmt::Display;

/// A count as SQLite stores it; a count beyond `i64::MAX` cannot occur in memory and saturates.
pub fn count_to_i64(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

/// A stored count back as a number of things; SQLite cannot hold a count below zero that we wrote.
pub fn count_to_u64(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

/// A count of things in words, by the name of one: `one record`, `2 records`, `2 entries`.
pub fn counted<N: Copy + Display + PartialEq + From<u8>>(count: N, thing: &str) -> String {
    if count == N::from(1) {
        return format!("one {thing}");
    }
    match thing.strip_suffix('y') {
        Some(stem) => format!("{count} {stem}ies"),
        None => format!("{count} {thing}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_told_as_one() {
        let told = [0_u64, 1, 2].map(|count| counted(count, "more function"));
        assert_eq!(told, ["0 more functions", "one more function", "2 more functions"]);
        assert_eq!(counted(3_usize, "entry"), "3 entries");
    }
}
