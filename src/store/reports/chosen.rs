//! What most reports read from: the records, or the functions, that are asked for.
//!
//! A report says `FROM chosen_records` or `JOIN chosen_functions f`, and SQLite is given a subquery
//! in that place. It is no common table expression, whose unused columns SQLite reads as well
//! (`disableUnusedSubqueryResultColumns` in its source): half as slow again where messages are
//! long. It is no view either, since a view has no parameters.

use regex::{Captures, Regex};
use std::sync::LazyLock;

/// The functions of `:functions`, or all.
const FUNCTIONS: &str = "(SELECT *
          FROM functions
         WHERE :functions IS NULL OR id IN (SELECT value FROM json_each(:functions)))";

/// The records of `:functions` that started from `:since` on and before `:until`. Without both
/// bounds those without a start are among them, and the whole table is read; with one of them the
/// index is used.
const RECORDS: &str = "(SELECT *
          FROM invocations
         WHERE :since IS NULL
           AND :until IS NULL
           AND (:functions IS NULL OR function_id IN (SELECT value FROM json_each(:functions)))
         UNION ALL
        SELECT *
          FROM invocations
         WHERE start_time >= coalesce(:since, '')
           AND start_time < coalesce(:until, '~')
           AND NOT (:since IS NULL AND :until IS NULL)
           AND (:functions IS NULL OR function_id IN (SELECT value FROM json_each(:functions))))";

/// The part of an expression that leads to one of the names, and the name.
const PLACE: &str = r"(?i)\b(?P<before>(?:FROM|JOIN)\s+)(?:chosen_)(?P<what>records|functions)\b";

static EXPRESSION: LazyLock<Result<Regex, regex::Error>> = LazyLock::new(|| Regex::new(PLACE));

/// The text with subqueries as people read them.
pub(super) fn written_out(text: &str) -> String {
    filled_in(text, str::to_owned)
}

/// The text with each subquery on the line of its name, so that the place of an error is still that
/// in the file.
pub(super) fn on_its_line(text: &str) -> String {
    filled_in(text, |subquery| subquery.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn filled_in(text: &str, written: impl Fn(&str) -> String) -> String {
    let Ok(expression) = EXPRESSION.as_ref() else { return text.to_owned() };
    let subquery = |place: &Captures<'_>| {
        let what = if place["what"].eq_ignore_ascii_case("records") { RECORDS } else { FUNCTIONS };
        format!("{}{}", &place["before"], written(what))
    };
    expression.replace_all(text, subquery).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn names_are_filled_in_where_they_are_read_from() {
        let functions = on_its_line("SELECT 1\nFROM chosen_functions f");
        assert!(functions.starts_with("SELECT 1\nFROM (SELECT * FROM functions WHERE"));
        assert!(functions.ends_with("json_each(:functions))) f"), "{functions}");
        let both = "select 1 from chosen_records r join  CHOSEN_FUNCTIONS f";
        assert_eq!(on_its_line(both).matches("(SELECT *").count(), 1 + 1);
        assert_eq!(on_its_line(both).lines().count(), 1);
        assert!(written_out(both).lines().count() > 10);
        for text in ["SELECT 'chosen_records'", "FROM chosen_records_of_mine", "FROM invocations"] {
            assert_eq!(on_its_line(text), text);
        }
    }
}
