//! How far each function is covered, and how the latest runs went.

use super::outlook::{Outlook, load_outlooks};
use super::unproven::{Unproven, load_unproven};
use crate::domain::{Interval, Timestamp};
use crate::plan::clocks::TOLERANCE;
use crate::store::file::{Reader, StoreError};
use crate::store::reports::Arguments;
use rusqlite::{Connection, OptionalExtension, Row};
use std::collections::HashMap;

/// How the archive stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveStatus {
    /// When the last `sync` ended that left nothing to do.
    pub last_good_run: Option<Timestamp>,
    /// When the last `sync` began, however it went.
    pub last_run: Option<Timestamp>,
    /// The functions, by name.
    pub functions: Vec<FunctionStatus>,
}

/// How one function stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionStatus {
    /// Its name, `package:name`, with the version or alias where it has one.
    pub name: String,
    /// The full name.
    pub urn: String,
    /// Since when it is gone: the service knows it no more, and its coverage ends there.
    pub gone_at: Option<Timestamp>,
    /// Up to when everything from the horizon on is proven; what was lost for good does not hold it back, and is counted.
    pub covered_through: Option<Timestamp>,
    /// The same, for what is settled and will not be walked again.
    pub settled_through: Option<Timestamp>,
    /// When a window of it was last walked.
    pub last_walk: Option<Timestamp>,
    /// Ranges that the next run will walk: unproven, or never walked.
    pub gaps: Extent,
    /// Ranges that no run can walk any more.
    pub lost: Extent,
    /// What could not be proven, and why.
    pub unproven: Option<Unproven>,
    /// Records archived.
    pub records: i64,
    /// Records that may still change.
    pub open: i64,
    /// What may be lost, and when.
    pub outlook: Outlook,
}

/// How many ranges, and how long they are together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Ranges.
    pub count: i64,
    /// Seconds.
    pub seconds: i64,
}

impl Extent {
    fn add(&mut self, range: Interval) {
        self.count += 1;
        self.seconds += range.seconds();
    }
}

/// What is older than it may be, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stale {
    /// The last good run.
    pub run: Option<String>,
    /// Functions that are not covered until then.
    pub functions: Vec<String>,
}

impl ArchiveStatus {
    /// What is older than `oldest`: the last good run, and every function not covered until then. Those that are gone have
    /// no later coverage to wait for.
    pub fn stale(&self, oldest: Timestamp) -> Stale {
        let is_old = |moment: Option<Timestamp>| moment.is_none_or(|moment| moment < oldest);
        self.told_of(is_old)
    }

    /// What is dated after `now`, in words: a clock is wrong, or was, and how old the archive is cannot be told. Clocks that
    /// are right still differ a little.
    pub fn ahead(&self, now: Timestamp) -> Stale {
        self.told_of(|moment| moment.is_some_and(|moment| moment > now + TOLERANCE))
    }

    fn told_of(&self, is_meant: impl Fn(Option<Timestamp>) -> bool) -> Stale {
        let told = |moment: Option<Timestamp>| moment.map_or_else(|| "never".to_owned(), |moment| moment.to_string());
        let run = is_meant(self.last_good_run).then(|| format!("last good run: {}", told(self.last_good_run)));
        let there = self.functions.iter().filter(|function| function.gone_at.is_none());
        let functions = there
            .filter(|function| is_meant(function.covered_through))
            .map(|function| format!("{} covered through: {}", function.name, told(function.covered_through)))
            .collect();
        Stale { run, functions }
    }
}

impl FunctionStatus {
    /// What somebody should look after, in words.
    pub fn warnings(&self, now: Timestamp) -> Vec<String> {
        if self.gone_at.is_some() {
            return Vec::new();
        }
        let unproven = self.unproven.as_ref().map(Unproven::warning);
        self.outlook
            .warnings(now)
            .into_iter()
            .chain(unproven)
            .map(|warning| format!("{}: {warning}", self.name))
            .collect()
    }
}

impl Reader {
    /// How the archive stands, for one function (as in [`Arguments::function`]) or for all.
    pub fn status(&mut self, arguments: &Arguments) -> Result<ArchiveStatus, StoreError> {
        // One transaction: a run that commits between two statements must not be seen by half.
        let transaction = self.connection.transaction()?;
        arguments.check_function(&transaction)?;
        let mut functions = load_functions(&transaction, arguments.function_text().as_deref())?;
        let mut unproven = load_unproven(&transaction)?;
        for function in &mut functions {
            function.unproven = unproven.remove(&function.urn);
        }
        Ok(ArchiveStatus {
            last_good_run: load_moment(
                &transaction,
                "SELECT ended_at FROM runs WHERE exit_code = 0 AND command = 'sync' ORDER BY id DESC LIMIT 1",
            )?,
            last_run: load_moment(
                &transaction,
                "SELECT started_at FROM runs WHERE command = 'sync' ORDER BY id DESC LIMIT 1",
            )?,
            functions,
        })
    }
}

fn load_moment(connection: &Connection, sql: &str) -> Result<Option<Timestamp>, StoreError> {
    let text: Option<Option<String>> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    Ok(read_moment(text.flatten()))
}

fn read_moment(text: Option<String>) -> Option<Timestamp> {
    text.and_then(|text| text.parse().ok())
}

/// The counts of one scan of each table, rather than one a function: `invocations` has no index that begins with it. The
/// open records of a function that is gone are not waited for.
const FUNCTIONS: &str = "
WITH records AS (SELECT function_id, count(*) AS n FROM invocations GROUP BY function_id),
     open AS (SELECT function_id, count(*) AS n FROM open_records GROUP BY function_id),
     walked AS (SELECT function_id, max(walked_at) AS at FROM windows WHERE state <> 'lost' GROUP BY function_id)
SELECT f.id,
       f.full_name AS name,
       f.urn,
       walked.at,
       coalesce(records.n, 0),
       iif(f.gone_at IS NULL, coalesce(open.n, 0), 0),
       f.gone_at,
       f.horizon_begin,
       f.horizon_end
  FROM functions f
  LEFT JOIN records ON records.function_id = f.id
  LEFT JOIN open ON open.function_id = f.id
  LEFT JOIN walked ON walked.function_id = f.id
 WHERE ?1 IS NULL OR ?1 IN (f.name, f.package || ':' || f.name, f.full_name, f.urn)
 ORDER BY name, f.id";

/// One statement for each thing that is told, however many functions there are.
fn load_functions(connection: &Connection, chosen: Option<&str>) -> Result<Vec<FunctionStatus>, StoreError> {
    let mut ranges = load_ranges(connection)?;
    let mut outlooks = load_outlooks(connection)?;
    let mut statement = connection.prepare(FUNCTIONS)?;
    let horizon = |row: &Row<'_>| Ok::<_, rusqlite::Error>(read_moment(row.get(7)?).zip(read_moment(row.get(8)?)));
    let rows = statement.query_map([chosen], |row| Ok((row.get::<_, i64>(0)?, horizon(row)?, read_function(row)?)))?;
    rows.map(|row| {
        let (id, horizon, mut function) = row?;
        function.outlook = outlooks.remove(&id).unwrap_or_default();
        let ranges = ranges.remove(&id).unwrap_or_default();
        Coverage::of(&with_gaps(&ranges, horizon, function.gone_at)).fill(&mut function);
        Ok(function)
    })
    .collect()
}

fn read_function(row: &Row<'_>) -> rusqlite::Result<FunctionStatus> {
    Ok(FunctionStatus {
        name: row.get(1)?,
        urn: row.get(2)?,
        last_walk: read_moment(row.get(3)?),
        records: row.get(4)?,
        open: row.get(5)?,
        gone_at: read_moment(row.get(6)?),
        outlook: Outlook::default(),
        covered_through: None,
        settled_through: None,
        gaps: Extent::default(),
        lost: Extent::default(),
        unproven: None,
    })
}

/// The ledgers, by function, earliest window first. What was found empty before the function was taken up waits for a second
/// look: nothing of it can be lost.
fn load_ranges(connection: &Connection) -> Result<HashMap<i64, Vec<(Interval, String)>>, StoreError> {
    let sql = "SELECT w.function_id, w.begin_time, w.end_time,
                      iif(w.state = 'proven' AND w.pages > 0 AND w.distinct_count = 0
                          AND w.end_time < min(f.first_seen_at, w.walked_at), 'unconfirmed', w.state)
                 FROM windows w JOIN functions f ON f.id = w.function_id
                ORDER BY w.function_id, w.begin_time";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        Ok((row.get(0)?, read_moment(row.get(1)?), read_moment(row.get(2)?), row.get::<_, String>(3)?))
    })?;
    let mut ranges: HashMap<i64, Vec<(Interval, String)>> = HashMap::new();
    for row in rows {
        if let (function, Some(begin), Some(end), state) = row?
            && let Some(range) = Interval::new(begin, end)
        {
            ranges.entry(function).or_default().push((range, state));
        }
    }
    Ok(ranges)
}

/// A ledger with the ranges of the horizon that no row covers. Of a function that is gone, what is not proven until then is
/// lost, as the view `coverage` has it.
fn with_gaps(
    ledger: &[(Interval, String)],
    horizon: Option<(Timestamp, Timestamp)>,
    gone_at: Option<Timestamp>,
) -> Vec<(Interval, String)> {
    let missing = if gone_at.is_some() { "lost" } else { "not walked" };
    let (begin, end) = (horizon.map(|(begin, _)| begin), gone_at.or(horizon.map(|(_, end)| end)));
    let mut ranges = Vec::with_capacity(ledger.len() + 2);
    let gap = |from: Option<Timestamp>, until: Option<Timestamp>| {
        let gap = from.zip(until).and_then(|(from, until)| Interval::new(from, until));
        gap.map(|gap| (gap, missing.to_owned()))
    };
    let mut told_until = begin;
    for (range, state) in ledger {
        ranges.extend(gap(told_until, Some(range.begin())));
        told_until = Some(range.end());
        let state = if gone_at.is_some() && state == "unproven" { "lost" } else { state };
        ranges.push((*range, state.to_owned()));
    }
    ranges.extend(gap(told_until, end));
    ranges
}

/// What the ranges of a function, the gaps between them among them, say together.
#[derive(Debug, Default, PartialEq, Eq)]
struct Coverage {
    covered_through: Option<Timestamp>,
    settled_through: Option<Timestamp>,
    pending_since: Option<Timestamp>,
    gaps: Extent,
    lost: Extent,
}

impl Coverage {
    fn of(ranges: &[(Interval, String)]) -> Self {
        let mut coverage = Self::default();
        let (mut covered, mut settled) = (true, true);
        for (range, state) in ranges {
            match state.as_str() {
                "settled" => {}
                "unconfirmed" => settled = false,
                "proven" => {
                    settled = false;
                    coverage.pending_since.get_or_insert(range.begin());
                }
                "lost" => {
                    coverage.lost.add(*range);
                    // Not covered, and nothing can be done: what comes after it is what counts.
                    continue;
                }
                _ => {
                    coverage.gaps.add(*range);
                    (covered, settled) = (false, false);
                    coverage.pending_since.get_or_insert(range.begin());
                }
            }
            if covered {
                coverage.covered_through = Some(range.end());
            }
            if settled {
                coverage.settled_through = Some(range.end());
            }
        }
        coverage.pending_since = coverage.pending_since.or(ranges.last().map(|(range, _)| range.end()));
        coverage
    }

    fn fill(self, function: &mut FunctionStatus) {
        function.covered_through = self.covered_through;
        function.settled_through = self.settled_through;
        // Of what is gone nothing is pending.
        function.outlook.pending_since = self.pending_since.filter(|_| function.gone_at.is_none());
        function.gaps = self.gaps;
        function.lost = self.lost;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Fixture;
    use pretty_assertions::assert_eq;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Ranges of an hour each, from midnight on, by the first letter of their state; a dot was not walked.
    fn coverage(states: &str) -> Coverage {
        let begin = at("2026-03-01T00:00:00Z").unix();
        let hour = |index: usize| Timestamp::from_unix(begin + 3600 * i64::try_from(index).unwrap());
        let ranges: Vec<_> = states
            .chars()
            .enumerate()
            .map(|(index, letter)| {
                let state = match letter {
                    's' => "settled",
                    'p' => "proven",
                    'e' => "unconfirmed",
                    'u' => "unproven",
                    'l' => "lost",
                    _ => "not walked",
                };
                (Interval::new(hour(index), hour(index + 1)).unwrap(), state.to_owned())
            })
            .collect();
        Coverage::of(&ranges)
    }

    fn through(states: &str) -> (Option<String>, Option<String>) {
        let hour = |moment: Option<Timestamp>| moment.map(|moment| moment.to_string()[11..13].to_owned());
        let coverage = coverage(states);
        (hour(coverage.covered_through), hour(coverage.settled_through))
    }

    #[test]
    fn covered_ends_at_the_first_gap_and_settled_at_the_first_range_that_is_not() {
        let hours = |covered: &str, settled: &str| {
            (
                Some(covered.to_owned()).filter(|hour| !hour.is_empty()),
                Some(settled.to_owned()).filter(|hour| !hour.is_empty()),
            )
        };
        assert_eq!(through(""), hours("", ""));
        assert_eq!(through("sspp"), hours("04", "02"));
        assert_eq!(through("s.ss"), hours("01", "01"));
        assert_eq!(through("spus"), hours("02", "01"));
        assert_eq!(through("u"), hours("", ""));
        assert_eq!(through("lsp"), hours("03", "02"), "what is lost is counted, and holds nothing back");
        assert_eq!(through("sl.s"), hours("01", "01"));
        assert_eq!(through("esp"), hours("03", ""), "what waits for a second look is covered, and not settled");
    }

    #[test]
    fn pending_is_what_comes_after_the_settled_and_the_lost() {
        let since = |states: &str| coverage(states).pending_since.map(|moment| moment.to_string()[11..13].to_owned());
        assert_eq!(since(""), None);
        assert_eq!(since("ssp").as_deref(), Some("02"));
        assert_eq!(since("s.s").as_deref(), Some("01"));
        assert_eq!(since("lls").as_deref(), Some("03"), "what is lost is pending no more");
        assert_eq!(since("lup").as_deref(), Some("01"));
        assert_eq!(since("sl").as_deref(), Some("02"));
        assert_eq!(since("esp").as_deref(), Some("02"), "what was found empty cannot be lost while it waits");
        assert_eq!(since("es").as_deref(), Some("02"));
    }

    #[test]
    fn gaps_and_losses_are_counted_apart() {
        let coverage = coverage("sl.us");
        assert_eq!(coverage.gaps, Extent { count: 2, seconds: 7200 });
        assert_eq!(coverage.lost, Extent { count: 1, seconds: 3600 });
    }

    fn archive() -> Fixture {
        Fixture::new().with_records("a1 SUCCESS 2026-03-01T10:00:00Z -\na2 WAIT 2026-03-01T11:00:00Z -").with(
            "INSERT INTO open_records VALUES ('a2', 1, '2026-03-01T12:00:00Z', '2026-03-01T12:00:00Z', '2026-03-01T12:00:00Z');
             INSERT INTO windows VALUES
                 (1, '2026-03-01T00:00:00Z', '2026-03-01T11:00:00Z', 'settled', 'both', 1, 1, 1, '2026-03-01T12:00:00Z', NULL),
                 (1, '2026-03-01T11:00:00Z', '2026-03-01T12:00:00Z', 'proven', 'both', 1, 1, 1, '2026-03-01T12:00:05Z', NULL),
                 (1, '2026-03-01T13:00:00Z', '2026-03-01T14:00:00Z', 'unproven', NULL, 1, 1, 1, '2026-03-01T12:00:01Z', 'it moved');",
        )
    }

    fn status_of(function: Option<&str>) -> Result<ArchiveStatus, StoreError> {
        let archive = archive();
        let mut arguments = Arguments::at(at("2026-03-02T12:00:00Z"));
        arguments.function = function.map(str::to_owned);
        archive.reader().status(&arguments)
    }

    #[test]
    fn the_archive_tells_how_each_function_stands() {
        let status = status_of(None).unwrap();
        assert_eq!(status.last_good_run, Some(at("2026-03-01T12:00:30Z")));
        assert_eq!(status.last_run, Some(at("2026-03-02T12:00:00Z")), "the run that was killed is the last one");
        let [invoice, report] = &status.functions[..] else { panic!("two functions: {status:?}") };
        assert_eq!((invoice.name.as_str(), invoice.covered_through, invoice.records), ("billing:invoice", None, 0));
        let expected = FunctionStatus {
            name: "default:report".to_owned(),
            urn: "urn:fss:cn-north-4:0123:function:default:report".to_owned(),
            covered_through: Some(at("2026-03-01T12:00:00Z")),
            settled_through: Some(at("2026-03-01T11:00:00Z")),
            last_walk: Some(at("2026-03-01T12:00:05Z")),
            gaps: Extent { count: 2, seconds: 7200 },
            lost: Extent::default(),
            unproven: Some(Unproven {
                ranges: 1,
                first: Interval::new(at("2026-03-01T13:00:00Z"), at("2026-03-01T14:00:00Z")).unwrap(),
                reason: "it moved".to_owned(),
            }),
            records: 2,
            open: 1,
            gone_at: None,
            outlook: Outlook { pending_since: Some(at("2026-03-01T11:00:00Z")), ..Outlook::default() },
        };
        assert_eq!(report, &expected);
    }

    #[test]
    fn one_function_or_an_unknown_one() {
        let chosen = status_of(Some("report")).unwrap();
        assert_eq!(chosen.functions.len(), 1);
        assert!(matches!(status_of(Some("other")), Err(StoreError::BadArgument { .. })));
    }

    #[test]
    fn stale_is_what_is_older_than_allowed() {
        let status = status_of(Some("report")).unwrap();
        assert_eq!(status.stale(at("2026-03-01T12:00:00Z")), Stale::default());
        let later = status.stale(at("2026-03-01T12:00:01Z"));
        assert_eq!(later.functions, ["default:report covered through: 2026-03-01T12:00:00Z"]);
        let much_later = status.stale(at("2026-03-02T00:00:00Z"));
        assert_eq!((much_later.run.is_some(), much_later.functions.len()), (true, 1));
        let never = status_of(Some("invoice")).unwrap().stale(Timestamp::MIN);
        assert_eq!(never.functions, ["billing:invoice covered through: never"]);
        let ahead = |now| status.ahead(at(now));
        assert_eq!(ahead("2026-03-01T11:55:30Z"), Stale::default(), "within what clocks may differ by");
        assert_eq!(ahead("2026-03-01T11:55:00Z").run.as_deref(), Some("last good run: 2026-03-01T12:00:30Z"));
        assert_eq!(ahead("2025-03-01T11:55:00Z").functions.len(), 1);
    }

    /// The status and the view `coverage` must not tell two stories.
    #[test]
    fn a_ledger_and_its_gaps_are_what_the_view_tells() {
        let day = |hour: &str| format!("2026-03-{hour}:00:00Z");
        let horizons = [
            None,
            Some(("01T00", "01T13")),
            Some(("01T02", "01T20")),
            Some(("01T00", "01T14")),
            Some(("01T05", "01T05")),
        ];
        for (gone_at, horizon) in
            [None, Some("01T15"), Some("01T14")].into_iter().flat_map(|gone| horizons.map(|horizon| (gone, horizon)))
        {
            let text = |moment: Option<&str>| moment.map_or("NULL".to_owned(), |moment| format!("'{}'", day(moment)));
            // Of the second function nothing was walked.
            let set = format!(
                "UPDATE functions SET gone_at = {}, horizon_begin = {}, horizon_end = {}",
                text(gone_at),
                text(horizon.map(|(begin, _)| begin)),
                text(horizon.map(|(_, end)| end)),
            );
            let archive = archive().with(&set);
            let reader = archive.reader();
            let sql = "SELECT function_id || ' ' || begin_time || ' ' || end_time || ' ' || state
                         FROM coverage ORDER BY function_id, begin_time";
            let mut select = reader.connection.prepare(sql).unwrap();
            let viewed: Vec<String> = select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
            let mut ledgers = load_ranges(&reader.connection).unwrap();
            let moment = |text: &str| at(&day(text));
            let told: Vec<String> = [1, 2]
                .into_iter()
                .flat_map(|id| {
                    let horizon = horizon.map(|(begin, end)| (moment(begin), moment(end)));
                    let ranges = with_gaps(&ledgers.remove(&id).unwrap_or_default(), horizon, gone_at.map(moment));
                    ranges
                        .into_iter()
                        .map(move |(range, state)| format!("{id} {} {} {state}", range.begin(), range.end()))
                })
                .collect();
            assert_eq!(told, viewed, "{gone_at:?} {horizon:?}");
        }
    }

    #[test]
    fn what_a_run_set_out_to_archive_and_did_not_reach_is_a_gap() {
        let set = "UPDATE functions SET horizon_begin = '2026-03-01T00:00:00Z', horizon_end = '2026-03-01T20:00:00Z'";
        let status = archive().with(set).reader().status(&Arguments::at(at("2026-03-02T12:00:00Z"))).unwrap();
        let [invoice, report] = &status.functions[..] else { panic!("two functions: {status:?}") };
        assert_eq!(invoice.gaps, Extent { count: 1, seconds: 20 * 3600 });
        assert_eq!(invoice.outlook.pending_since, Some(at("2026-03-01T00:00:00Z")));
        assert_eq!(
            (report.gaps, report.covered_through),
            (Extent { count: 3, seconds: 8 * 3600 }, Some(at("2026-03-01T12:00:00Z")))
        );
    }

    #[test]
    fn what_is_gone_is_covered_until_then_and_worries_nobody() {
        let archive = archive().with("UPDATE functions SET gone_at = '2026-03-01T15:00:00Z' WHERE id = 1");
        let status = archive.reader().status(&Arguments::at(at("2026-03-02T12:00:00Z"))).unwrap();
        let report = status.functions.iter().find(|function| function.name == "default:report").unwrap();
        assert_eq!((report.gone_at, report.open), (Some(at("2026-03-01T15:00:00Z")), 0));
        assert_eq!(report.covered_through, Some(at("2026-03-01T12:00:00Z")));
        assert_eq!((report.gaps, report.lost), (Extent::default(), Extent { count: 3, seconds: 3 * 3600 }));
        assert_eq!(report.outlook.pending_since, None);
        assert_eq!(report.warnings(at("2026-03-20T12:00:00Z")), [""; 0]);
        let stale = status.stale(at("2026-03-02T12:00:00Z"));
        assert_eq!(stale.functions, ["billing:invoice covered through: never"]);
    }
}
