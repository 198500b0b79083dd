//! What an answer leaves out since its records were pruned. Counts by hour and durations by
//! three hours are kept of pruned days; single records are not.

use super::{Arguments, Report};
use crate::domain::{Timestamp, count_to_u64};
use crate::store::file::StoreError;
use regex::Regex;
use rusqlite::Connection;
use rusqlite::types::Value;
use std::sync::LazyLock;
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
const SPAN: Duration = Duration::from_hours(3);

/// Records that an answer may leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// How many were pruned of the days concerned.
    pub records: u64,
    /// When the last of these days ended.
    pub until: Timestamp,
    /// Whether only those are left out that began in the hour, or the three hours, in which the
    /// range begins or ends.
    pub at_the_edges: bool,
}

/// Where a statement reads single records, or what belongs to one.
const SINGLE: &str = concat!(
    r"(?i)\b(?:FROM|JOIN)\s+(?:chosen_records|invocations|invocation_details|record_times|",
    r"transitions|status_changes|amendments|late_records)\b"
);

/// Reports that read single records beside the summaries, and whose figures are those of the
/// summaries all the same: the records are those of the edges of the range, or name a moment or an
/// example, which stays empty where it was pruned; or they are open, and those are never pruned.
const OF_SUMS: [&str; 5] = ["totals", "summary", "compare", "errors", "discards"];

/// Where it reads counts, which are summed up by hour, in a zone with whole hours.
const COUNTS: &str = r"(?i)\b(?:FROM|JOIN)\s+chosen_(?:counts|bytes)\b";

/// Where it reads durations, which are summed up by three hours.
const DURATIONS: &str = r"(?i)\b(?:FROM|JOIN)\s+(?:chosen_durations|three_hour_durations)\b";

static EXPRESSIONS: LazyLock<Result<[Regex; 3], regex::Error>> =
    LazyLock::new(|| Ok([Regex::new(SINGLE)?, Regex::new(COUNTS)?, Regex::new(DURATIONS)?]));

/// What a report makes its figures of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sources {
    records: bool,
    counts: bool,
    durations: bool,
}

impl Sources {
    fn of(report: &Report) -> Self {
        let Ok([single, counts, durations]) = EXPRESSIONS.as_ref() else {
            return Self { records: true, counts: false, durations: false };
        };
        let text: String =
            report.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
        let is_of_sums = !report.is_own() && OF_SUMS.contains(&report.name());
        Self {
            records: single.is_match(&text) && !is_of_sums,
            counts: counts.is_match(&text) || report.name() == COMPARE,
            durations: durations.is_match(&text),
        }
    }
}

/// The one report of two periods.
const COMPARE: &str = "compare";

/// What the answer of a report leaves out.
pub(super) fn left_out(
    connection: &Connection,
    report: &Report,
    arguments: &Arguments,
) -> Result<Option<LeftOut>, StoreError> {
    let exists = "SELECT EXISTS (SELECT 1 FROM pruned_days)";
    if !connection.query_row(exists, [], |row| row.get::<_, bool>(0))? {
        return Ok(None);
    }
    let functions = arguments.load_functions(connection)?;
    let load = |ranges: &[[String; 2]]| load_pruned(connection, ranges, functions.as_deref());
    let Sources { records, counts, durations } = Sources::of(report);
    let is_compare = report.name() == COMPARE && !report.is_own();
    if records || (counts && !is_compare && !arguments.zone.has_whole_hours()) {
        let text =
            |edge: Option<Timestamp>, or: &str| edge.map_or(or.to_owned(), |it| it.to_string());
        let told = load(&[[text(arguments.since, ""), text(arguments.until, "~")]])?;
        return Ok(told.map(|(records, until)| LeftOut { records, until, at_the_edges: false }));
    }
    let step = match (durations, counts) {
        (true, _) => SPAN,
        (false, true) => HOUR,
        // Nothing is cut.
        (false, false) => return Ok(None),
    };
    let edges = if is_compare {
        edges_of_periods(report, arguments)?
    } else {
        [arguments.since, arguments.until].into_iter().flatten().collect()
    };
    let cut: Vec<_> = edges.into_iter().filter_map(|edge| cut_by(edge, step)).collect();
    let told = load(&cut)?;
    Ok(told.map(|(records, until)| LeftOut { records, until, at_the_edges: true }))
}

/// Where the two periods of `compare` begin and end, by its help.
fn edges_of_periods(report: &Report, arguments: &Arguments) -> Result<Vec<Timestamp>, StoreError> {
    let length = match arguments.value_of(report, "length")? {
        Value::Integer(seconds) => seconds,
        _ => 0,
    };
    let against = match arguments.value_of(report, "against")? {
        Value::Text(text) => text.parse().ok(),
        _ => None,
    };
    let end = arguments.until.unwrap_or(arguments.now);
    let begin =
        arguments.since.unwrap_or_else(|| Timestamp::from_unix(end.unix().saturating_sub(length)));
    let long = end.seconds_since(begin);
    let was = against.unwrap_or_else(|| Timestamp::from_unix(begin.unix().saturating_sub(long)));
    Ok(vec![begin, end, was, Timestamp::from_unix(was.unix().saturating_add(long))])
}

/// The hour or the three hours that an edge cuts in two, if it does.
fn cut_by(edge: Timestamp, step: Duration) -> Option<[String; 2]> {
    let into = edge.unix().rem_euclid(i64::try_from(step.as_secs()).ok()?);
    let begin = Timestamp::from_unix(edge.unix() - into);
    (into > 0).then(|| [begin, begin + step].map(|moment| moment.to_string()))
}

/// How many records were pruned of the days that any of the ranges touches, and until when.
fn load_pruned(
    connection: &Connection,
    ranges: &[[String; 2]],
    functions: Option<&str>,
) -> Result<Option<(u64, Timestamp)>, StoreError> {
    let select = "SELECT sum(records), max(end_time) FROM pruned_days
                   WHERE EXISTS (SELECT 1 FROM json_each(?1)
                                  WHERE end_time > value ->> 0 AND begin_time < value ->> 1)
                     AND (?2 IS NULL OR function_id IN (SELECT value FROM json_each(?2)))";
    let ranges = ranges.iter().map(|[begin, end]| format!("[\"{begin}\",\"{end}\"]"));
    let ranges = format!("[{}]", ranges.collect::<Vec<_>>().join(","));
    Ok(connection.query_row(select, (ranges, functions), |row| {
        let records = row.get::<_, Option<i64>>(0)?.map(count_to_u64);
        Ok(records.zip(row.get(1)?))
    })?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Zone;
    use crate::store::testing::Fixture;
    use pretty_assertions::assert_eq;

    fn at(text: &str) -> Timestamp {
        format!("2026-03-{text}:00Z").parse().unwrap()
    }

    /// What a report leaves out of an archive whose 1 March was pruned.
    fn told(report: &str, since: Option<&str>, until: Option<&str>) -> Option<LeftOut> {
        let archive = Fixture::new().with(
            "INSERT INTO pruned_days VALUES (1, '2026-03-01', '2026-03-01T00:00:00Z',
                 '2026-03-02T00:00:00Z', '2026-03-09T00:00:00Z', 7, 0, 0, 0, 0, 0, 0,
                 NULL, NULL, NULL)",
        );
        let arguments = Arguments {
            since: since.map(at),
            until: until.map(at),
            zone: Zone::UTC,
            ..Arguments::at(at("09T00:00"))
        };
        let report = Report::find(report).unwrap();
        left_out(&archive.reader().connection, report, &arguments).unwrap()
    }

    #[test]
    fn a_report_of_single_records_leaves_out_all_that_were_pruned() {
        let all = LeftOut { records: 7, until: at("02T00:00"), at_the_edges: false };
        for report in ["records", "failures", "slowest", "settling", "transitions", "late"] {
            assert_eq!(told(report, None, None), Some(all), "{report}");
            assert_eq!(told(report, Some("02T00:00"), None), None, "{report}");
        }
    }

    #[test]
    fn a_report_of_sums_leaves_out_what_an_edge_cuts() {
        let cut = LeftOut { records: 7, until: at("02T00:00"), at_the_edges: true };
        for report in ["throughput", "trend", "heatmap", "latency", "summary", "totals", "errors"] {
            assert_eq!(told(report, None, None), None, "{report}");
            assert_eq!(told(report, Some("01T10:30"), None), Some(cut), "{report}");
            assert_eq!(told(report, None, Some("02T10:30")), None, "{report}");
        }
        assert_eq!(told("summary", Some("01T10:30"), Some("01T21:30")), Some(cut), "both, once");
        assert_eq!(told("incidents", Some("01T10:30"), None), None, "it tells of whole hours");
        // From 1 March 12:00 to the 9th; the other period is as long, and so before all that.
        assert_eq!(told("compare", Some("01T12:00"), None), None);
        assert_eq!(told("compare", Some("01T10:00"), None), Some(cut), "durations are of three");
        assert_eq!(told("compare", Some("05T00:00"), None), None, "1 March is all of it");
        assert_eq!(told("compare", Some("05T03:00"), Some("09T00:00")), None);
        assert_eq!(told("compare", Some("05T07:00"), Some("09T00:00")), Some(cut), "1 March 14:00");
        assert_eq!(told("throughput", Some("01T10:00"), None), None, "hours are summed up");
        assert_eq!(
            told("latency", Some("01T10:00"), None),
            Some(cut),
            "durations are by three hours"
        );
    }

    /// Whoever adds a report that reads both has to say which it is.
    #[test]
    fn it_is_known_of_what_reads_both_which_its_figures_are_made_of() {
        let of_records = ["slowest", "records", "settling"];
        for report in Report::all() {
            let Sources { records, counts, durations } = Sources::of(report);
            let is_named = OF_SUMS.contains(&report.name()) || of_records.contains(&report.name());
            let reads_sums = counts || durations || report.explained().contains("hourly_counts");
            assert!(!(records && reads_sums) || is_named, "{}", report.name());
            assert!(!OF_SUMS.contains(&report.name()) || reads_sums, "{}", report.name());
        }
    }
}
