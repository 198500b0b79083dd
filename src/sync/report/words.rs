//! Words that a run has in several sentences.

use super::function::FunctionReport;
use std::time::Duration;

/// The most functions that a sentence names; the others are counted.
const MOST_NAMED: usize = 3;

/// The first of some names, and how many more there are.
pub fn first_named(names: &[String]) -> String {
    first_named_of(names, names.len() as u64)
}

/// The same, where only some of so many names are known.
pub fn first_named_of(names: &[String], all: u64) -> String {
    let first = &names[..names.len().min(MOST_NAMED)];
    match all.saturating_sub(first.len() as u64) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// How much time functions lost, as the begin of a sentence: of several it is a sum, in which the
/// same hour counts once for each of them. None where nothing is lost.
pub fn lost_of(functions: &[&FunctionReport]) -> Option<String> {
    let of = functions.iter().filter(|function| !function.lost.is_empty()).count();
    let ranges = functions.iter().flat_map(|function| &function.lost);
    let seconds = ranges.map(|range| range.seconds().unsigned_abs()).sum();
    let length = humantime::format_duration(Duration::from_secs(seconds));
    match of {
        0 => None,
        1 => Some(format!("{length} were")),
        _ => Some(format!("{length} in all, over {of} functions, were")),
    }
}
