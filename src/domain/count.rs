//! Counts cross two borders with different integers: SQLite speaks `i64`, Rust collections `usize`.

/// A count as SQLite stores it; a count beyond `i64::MAX` cannot occur in memory and saturates.
pub fn count_to_i64(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

/// A stored count back as a number of things; SQLite cannot hold a count below zero that we wrote.
pub fn count_to_u64(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
