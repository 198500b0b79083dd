//! Secrets that cannot be told from ordinary text.
//!
//! Whoever chose the year or `default` for a password finds it in every time and in every URN. A
//! secret of this kind is covered in words only, where it stands as a word: to cover it in an id, a
//! time or a state would turn two records into one, or leave a function out, and hide nothing that
//! is hard to guess. A run says so.

use crate::api::regions;

/// A shorter secret is in every other text, in characters: eight letters of hexadecimal are the
/// first part of a request's id, seven are a word.
pub(super) const SHORTEST_UNLIKE_TEXT: usize = 8;

/// A number of at most so many digits, with the signs of a date between them, is taken for a day, a
/// second or a count.
const LONGEST_NUMBER: usize = 10;

/// Words that stand in every answer. A password such as `SUCCESS` is not covered there: it would
/// cost the archive its statuses, and the word alone gives nothing away.
pub(super) const VOCABULARY: [&str; 19] = [
    "invocations",
    "request_id",
    "status",
    "error_code",
    "error_msg",
    "error_message",
    "start_time",
    "end_time",
    "count",
    "next_marker",
    "function",
    "functions",
    "func_urn",
    "function_urn",
    "WAIT",
    "RUNNING",
    "SUCCESS",
    "FAIL",
    "DISCARD",
];

/// Whether a secret cannot be told from ordinary text.
pub(crate) fn is_ordinary(secret: &str) -> bool {
    let is_number = |secret: &str| {
        let is_of_a_date =
            |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b'.' | b'/');
        secret.len() <= LONGEST_NUMBER && secret.bytes().all(is_of_a_date)
    };
    secret.chars().count() < SHORTEST_UNLIKE_TEXT
        || is_number(secret)
        || VOCABULARY.contains(&secret)
        || regions::is_known_region(secret)
}
