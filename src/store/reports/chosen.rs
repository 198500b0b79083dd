//! What most reports read from: the records that are asked for, what is counted of them already,
//! or the functions.
//!
//! A report says `FROM chosen_records` or `JOIN chosen_functions f`, and SQLite is given a subquery
//! in that place; so it is with `bucket_of(local)` and an expression. The subquery is no common
//! table expression, whose unused columns SQLite reads as well
//! (`disableUnusedSubqueryResultColumns` in its source): half as slow again where messages are
//! long. It is no view either, since a view has no parameters.

use regex::{Captures, Regex};
use std::sync::LazyLock;

/// The functions of `:functions`, or all.
const FUNCTIONS: &str = "(SELECT *
          FROM functions
         WHERE :functions IS NULL OR id IN (SELECT value FROM json_each(:functions)))";

/// The records of `:functions` that started from `:since` on and before `:until`. Without both
/// bounds those without a readable start are among them, and the whole table is read; with one of
/// them the index is used.
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
           AND is_time(start_time)
           AND (:functions IS NULL OR function_id IN (SELECT value FROM json_each(:functions))))";

/// What the summary by hour tells of the range, as `{columns}`: of whole hours at once, with the
/// hour as `start_time`, and of the edges of the range each record by itself. In a zone whose hours
/// are not those of UTC all records are edges. Without both bounds, those without a readable start
/// have an empty `start_time`.
const HOURS: &str = "(SELECT {columns}
          FROM hourly_counts
          LEFT JOIN error_shapes ON error_shapes.id = shape_id
         WHERE hour = ''
           AND :since IS NULL
           AND :until IS NULL
           AND (:functions IS NULL OR function_id IN (SELECT value FROM json_each(:functions)))
         UNION ALL
        SELECT {columns}
          FROM hourly_counts
          LEFT JOIN error_shapes ON error_shapes.id = shape_id
         WHERE hour >= {first}
           AND hour < {end}
           AND hour <> ''
           AND (:functions IS NULL OR function_id IN (SELECT value FROM json_each(:functions)))
         UNION ALL
        {edges})";

/// How many records there are, `records`, by function, `status`, `error_code` and `shape`.
const COUNTS: &str = "function_id, hour AS start_time, status, error_code, shape, records";

/// The records of an edge of the range, from `{from}` to `{to}`: the failed ones, of which there
/// are few, and all others, of which the index tells enough.
const COUNTS_OF_AN_EDGE: &str =
    "SELECT function_id, start_time, status, error_code, fold(error_message), 1
          FROM invocations
         WHERE status IN ('FAIL', 'DISCARD')
           AND start_time >= {from}
           AND start_time < {to}
           AND is_time(start_time)
           AND (:functions IS NULL OR function_id IN (SELECT value FROM json_each(:functions)))
         UNION ALL
        SELECT function_id, start_time, status, NULL, NULL, 1
          FROM record_times
         WHERE start_time >= {from}
           AND start_time < {to}
           AND is_time(start_time)
           AND status NOT IN ('FAIL', 'DISCARD')
           AND (:functions IS NULL OR function_id IN (SELECT value FROM json_each(:functions)))";

/// How many records there are, `records`, and how many bytes their values have, `value_bytes`.
const BYTES: &str = "hour AS start_time, records, value_bytes";

/// The records of an edge of the range, from `{from}` to `{to}`.
///
/// They are found in the index and read in the order of the table, by `rowid IN`: a page of the
/// table is then read once, which halves the time.
const BYTES_OF_AN_EDGE: &str = "SELECT start_time,
               1,
               octet_length(request_id)
                   + octet_length(status)
                   + coalesce(octet_length(error_code), 0)
                   + coalesce(octet_length(error_message), 0)
                   + octet_length(start_time)
                   + coalesce(octet_length(end_time), 0)
                   + coalesce(octet_length(extra), 0)
          FROM invocations
         WHERE rowid IN (SELECT rowid
                           FROM invocations
                          WHERE start_time >= {from}
                            AND start_time < {to}
                            AND (:functions IS NULL
                                 OR function_id IN (SELECT value FROM json_each(:functions))))
           AND is_time(start_time)";

/// The first whole hour of the range, and the hour in which it ends.
const FIRST_HOUR: &str = "iif(has_whole_hours(),
               coalesce(strftime('%Y-%m-%dT%H:00:00Z', unixepoch(:since) + 3599, 'unixepoch'), ''),
               '~')";
const END_HOUR: &str = "coalesce(substr(:until, 1, 13) || ':00:00Z', '~')";

/// How many records, `records`, of a function and status took so many `seconds`: of whole spans of
/// three hours from the summary, of the edges of the range each record by itself. Those are read
/// from the index alone.
///
/// The texts of a function and status are added up before they are taken apart: a number of seconds
/// that occurs in each of them is then one row, not hundreds.
const DURATIONS: &str =
    "(SELECT function_id, status, CAST(key AS INTEGER) AS seconds, value AS records
          FROM (SELECT function_id, status, sum_durations(durations) AS durations
                  FROM three_hour_durations
                 WHERE three_hours >= {first}
                   AND three_hours < {end}
                   AND (:functions IS NULL
                        OR function_id IN (SELECT value FROM json_each(:functions)))
                 GROUP BY function_id, status),
               json_each(durations)
         UNION ALL
        {edges})";

/// Those of an edge of the range, from `{from}` to `{to}`.
const DURATIONS_OF_AN_EDGE: &str = "SELECT function_id, status, duration_s, 1
          FROM record_times
         WHERE start_time >= {from}
           AND start_time < {to}
           AND duration_s IS NOT NULL
           AND (:functions IS NULL OR function_id IN (SELECT value FROM json_each(:functions)))";

/// The first whole span of the range, and the one in which it ends.
const FIRST_SPAN: &str = "coalesce(
               strftime('%Y-%m-%dT', unixepoch(:since) + 10799, 'unixepoch')
                   || printf('%02d:00:00Z',
                             strftime('%H', unixepoch(:since) + 10799, 'unixepoch') / 3 * 3),
               '')";
const END_SPAN: &str = "coalesce(
               substr(:until, 1, 11) || printf('%02d:00:00Z', substr(:until, 12, 2) / 3 * 3),
               '~')";

/// The records that may still change, `record` by its place in `invocations`: of functions that are
/// not gone, those that started in the range. Without both bounds those without a readable start
/// are among them.
const OPEN: &str = "(SELECT o.request_id, o.function_id, o.opened_at, o.checked_at,
               i.rowid AS record, i.status, i.start_time
          FROM open_records o
          JOIN functions f ON f.id = o.function_id
          LEFT JOIN invocations i ON i.request_id = o.request_id
         WHERE f.gone_at IS NULL
           AND (:functions IS NULL OR f.id IN (SELECT value FROM json_each(:functions)))
           AND ((:since IS NULL AND :until IS NULL)
                OR (i.start_time >= coalesce(:since, '')
                    AND i.start_time < coalesce(:until, '~')
                    AND is_time(i.start_time))))";

/// The hour, day, week or month, as `:bucket` says, of a time as clocks show it. A week begins on
/// Monday and is named by that day; an hour has its offset, since two may have one name.
const BUCKET: &str = "CASE :bucket
           WHEN 'hour' THEN substr({local}, 1, 13) || ':00:00' || substr({local}, 20)
           WHEN 'day' THEN substr({local}, 1, 10)
           WHEN 'week' THEN date(substr({local}, 1, 10), 'weekday 0', '-6 days')
           ELSE substr({local}, 1, 7)
       END";

/// The part of an expression that leads to one of the names, and the name; or a time whose bucket
/// is asked for. A text, a quoted name and a comment stay as they are.
const PLACE: &str = concat!(
    r"(?is)(?P<kept>'[^']*'|\x22[^\x22]*\x22|--[^\n]*|/\*.*?\*/)",
    r"|\b(?P<before>(?:FROM|JOIN)\s+)chosen_",
    r"(?P<what>records|functions|counts|bytes|durations|open)\b",
    r"|\bbucket_of\((?P<local>[a-z_.]+)\)"
);

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
    let filled_in = |place: &Captures<'_>| match (place.name("kept"), place.name("local")) {
        (Some(kept), _) => kept.as_str().to_owned(),
        (None, Some(local)) => written(&BUCKET.replace("{local}", local.as_str())),
        (None, None) => format!("{}{}", &place["before"], written(&of_name(&place["what"]))),
    };
    expression.replace_all(text, filled_in).into_owned()
}

fn of_name(name: &str) -> String {
    match name.to_ascii_lowercase().as_str() {
        "records" => RECORDS.to_owned(),
        "open" => OPEN.to_owned(),
        "counts" => of_hours(COUNTS, COUNTS_OF_AN_EDGE),
        "bytes" => of_hours(BYTES, BYTES_OF_AN_EDGE),
        "durations" => with_edges(DURATIONS, DURATIONS_OF_AN_EDGE, [FIRST_SPAN, END_SPAN]),
        _ => FUNCTIONS.to_owned(),
    }
}

/// A subquery of these columns of the summary by hour.
fn of_hours(columns: &str, edge: &str) -> String {
    with_edges(&HOURS.replace("{columns}", columns), edge, [FIRST_HOUR, END_HOUR])
}

/// A subquery of what lies whole within the range, from the first bound to the last, with the edges
/// before and behind that. A range without anything whole is one edge.
fn with_edges(whole: &str, edge: &str, [first, end]: [&str; 2]) -> String {
    let edge = |from: &str, to: &str| edge.replace("{from}", from).replace("{to}", to);
    let before = edge("coalesce(:since, '')", &format!("min({first}, coalesce(:until, '~'))"));
    let behind = edge(&format!("max({first}, {end})"), "coalesce(:until, '~')");
    let edges = format!("{before}\n         UNION ALL\n        {behind}");
    whole.replace("{first}", first).replace("{end}", end).replace("{edges}", &edges)
}

#[cfg(test)]
mod tests;
