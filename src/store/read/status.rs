//! How far each function is covered, and how the latest runs went.

use super::forecast::load_forecasts;
use super::unproven::{Unproven, load_unproven};
use crate::domain::{Interval, Timestamp};
use crate::plan::clocks::TOLERANCE;
use crate::plan::coverage::{Coverage, Horizon, RangeState};
use crate::plan::forecast::LossForecast;
use crate::store::file::{Reader, StoreError};
use crate::store::reports::Arguments;
use crate::store::sql::{FunctionId, read_range};
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

/// How one function stands. The default is one of which nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionStatus {
    /// Its name, `package:name`, with the version or alias where it has one.
    pub name: String,
    /// The full name.
    pub urn: String,
    /// Since when it is gone: the service knows it no more, and its coverage ends there.
    pub gone_at: Option<Timestamp>,
    /// How far it is covered.
    pub coverage: Coverage,
    /// When a window of it was last walked.
    pub last_walk: Option<Timestamp>,
    /// What could not be proven, and why.
    pub unproven: Option<Unproven>,
    /// Records archived, without those that were pruned.
    pub records: i64,
    /// What was pruned of it, if anything.
    pub pruned: Option<PrunedRecords>,
    /// Records that may still change.
    pub open: i64,
    /// What may be lost, and when.
    pub forecast: LossForecast,
}

/// What was removed of a function on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrunedRecords {
    /// Days of which records were removed.
    pub days: i64,
    /// Records.
    pub records: i64,
    /// When the first of them begins.
    pub begin: Timestamp,
    /// When the last of them ends.
    pub end: Timestamp,
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
    /// What is older than `oldest`: the last good run, and every function not covered until then.
    /// Those that are gone have no later coverage to wait for.
    pub fn stale(&self, oldest: Timestamp) -> Stale {
        let is_old = |moment: Option<Timestamp>| moment.is_none_or(|moment| moment < oldest);
        self.told_of(is_old)
    }

    /// What is dated after `now`, in words: a clock is wrong, or was, and how old the archive is
    /// cannot be told. Clocks that are right still differ a little.
    pub fn ahead(&self, now: Timestamp) -> Stale {
        self.told_of(|moment| moment.is_some_and(|moment| moment > now + TOLERANCE))
    }

    fn told_of(&self, is_meant: impl Fn(Option<Timestamp>) -> bool) -> Stale {
        let told = |moment: Option<Timestamp>| {
            moment.map_or_else(|| "never".to_owned(), |moment| moment.to_string())
        };
        let run = is_meant(self.last_good_run)
            .then(|| format!("last good run: {}", told(self.last_good_run)));
        let there = self.functions.iter().filter(|function| function.gone_at.is_none());
        let functions = there
            .filter(|function| is_meant(function.coverage.covered_through))
            .map(|function| {
                format!(
                    "{} covered through: {}",
                    function.name,
                    told(function.coverage.covered_through)
                )
            })
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
        self.forecast
            .warnings(now)
            .map(|warning| warning.to_string())
            .chain(unproven)
            .map(|warning| format!("{}: {warning}", self.name))
            .collect()
    }
}

impl Reader {
    /// How the archive stands, for some functions (as in [`Arguments::functions`]) or for all.
    pub fn status(&mut self, arguments: &Arguments) -> Result<ArchiveStatus, StoreError> {
        // One transaction: a run that commits between two statements must not be seen by half. A
        // savepoint is one as well, and may stand in that of `hold_still`.
        let transaction = self.connection.savepoint()?;
        let chosen = arguments.load_functions(&transaction)?;
        let mut functions = load_functions(&transaction, chosen.as_deref())?;
        let mut unproven = load_unproven(&transaction)?;
        for function in &mut functions {
            function.unproven = unproven.remove(&function.urn);
        }
        Ok(ArchiveStatus {
            last_good_run: load_moment(
                &transaction,
                "SELECT ended_at FROM runs WHERE exit_code = 0 AND command = 'sync'
                  ORDER BY id DESC LIMIT 1",
            )?,
            last_run: load_moment(
                &transaction,
                "SELECT started_at FROM runs WHERE command = 'sync'
                  ORDER BY id DESC LIMIT 1",
            )?,
            functions,
        })
    }
}

fn load_moment(connection: &Connection, sql: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(connection.query_row(sql, [], |row| row.get(0)).optional()?.flatten())
}

/// The counts of one scan of each table, rather than one a function; those of the records are kept
/// with their digests. The open records of a function that is gone are not waited for.
const FUNCTIONS: &str = "
WITH records AS (SELECT function_id, sum(records) AS n FROM digests GROUP BY function_id),
     open AS (SELECT function_id, count(*) AS n FROM open_records GROUP BY function_id),
     pruned AS (SELECT function_id, count(*) AS days, sum(records) AS n,
                       min(begin_time) AS begin_time, max(end_time) AS end_time
                  FROM pruned_days GROUP BY function_id),
     walked AS (SELECT function_id, max(walked_at) AS at FROM windows WHERE state <> 'lost'
         GROUP BY function_id)
SELECT f.id,
       f.full_name AS name,
       f.urn,
       walked.at,
       coalesce(records.n, 0) - coalesce(pruned.n, 0),
       iif(f.gone_at IS NULL, coalesce(open.n, 0), 0),
       f.gone_at,
       f.horizon_begin,
       f.horizon_end,
       pruned.days,
       pruned.n,
       pruned.begin_time,
       pruned.end_time
  FROM functions f
  LEFT JOIN pruned ON pruned.function_id = f.id
  LEFT JOIN records ON records.function_id = f.id
  LEFT JOIN open ON open.function_id = f.id
  LEFT JOIN walked ON walked.function_id = f.id
 WHERE ?1 IS NULL OR f.id IN (SELECT value FROM json_each(?1))
 ORDER BY name, f.id";

/// One statement for each thing that is told, however many functions there are.
fn load_functions(
    connection: &Connection,
    chosen: Option<&str>,
) -> Result<Vec<FunctionStatus>, StoreError> {
    let mut ledgers = load_ledgers(connection)?;
    let mut forecasts = load_forecasts(connection)?;
    let mut statement = connection.prepare(FUNCTIONS)?;
    let rows = statement
        .query_map([chosen], |row| Ok((row.get(0)?, read_horizon(row)?, read_function(row)?)))?;
    rows.map(|row| {
        let (id, horizon, mut function) = row?;
        let ledger = ledgers.remove(&id).unwrap_or_default();
        function.coverage = Coverage::of(&ledger, horizon, function.gone_at);
        function.forecast = forecasts.remove(&id).unwrap_or_default();
        function.forecast.pending_since = function.coverage.pending_since;
        Ok(function)
    })
    .collect()
}

/// None where no run set out to archive the function.
fn read_horizon(row: &Row<'_>) -> rusqlite::Result<Option<Horizon>> {
    let (begin, end): (Option<Timestamp>, Option<Timestamp>) = (row.get(7)?, row.get(8)?);
    Ok(begin.zip(end).map(|(begin, end)| Horizon { begin, end }))
}

fn read_function(row: &Row<'_>) -> rusqlite::Result<FunctionStatus> {
    Ok(FunctionStatus {
        name: row.get(1)?,
        urn: row.get(2)?,
        last_walk: row.get(3)?,
        records: row.get(4)?,
        open: row.get(5)?,
        gone_at: row.get(6)?,
        pruned: read_pruned(row)?,
        forecast: LossForecast::default(),
        coverage: Coverage::default(),
        unproven: None,
    })
}

fn read_pruned(row: &Row<'_>) -> rusqlite::Result<Option<PrunedRecords>> {
    let Some(days) = row.get(9)? else { return Ok(None) };
    let (records, begin, end) = (row.get(10)?, row.get(11)?, row.get(12)?);
    Ok(Some(PrunedRecords { days, records, begin, end }))
}

/// The ranges of a ledger, earliest first.
type Ledger = Vec<(Interval, RangeState)>;

/// The ledgers, by function. What was found empty before the function was taken up waits for a
/// second look: nothing of it can be lost.
fn load_ledgers(connection: &Connection) -> Result<HashMap<FunctionId, Ledger>, StoreError> {
    let sql = "SELECT w.function_id, w.begin_time, w.end_time, w.state,
                      w.pages > 0 AND w.distinct_count = 0
                          AND w.end_time < min(f.first_seen_at, w.walked_at)
                 FROM windows w JOIN functions f ON f.id = w.function_id
                ORDER BY w.function_id, w.begin_time";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut ledgers: HashMap<FunctionId, Ledger> = HashMap::new();
    while let Some(row) = rows.next()? {
        let range = read_range(row, 1)?;
        let state = match row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)? {
            "settled" => RangeState::Settled,
            "proven" if row.get(4)? => RangeState::Unconfirmed,
            "proven" => RangeState::Proven,
            "unproven" => RangeState::Unproven,
            "lost" => RangeState::Lost,
            other => {
                return Err(StoreError::Damaged(format!(
                    "the ledger holds a range that is `{other}`"
                )));
            }
        };
        ledgers.entry(row.get(0)?).or_default().push((range, state));
    }
    Ok(ledgers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::coverage::{Extent, with_gaps};
    use crate::store::testing::Fixture;
    use pretty_assertions::assert_eq;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn archive() -> Fixture {
        Fixture::new()
            .with_records("a1 SUCCESS 2026-03-01T10:00:00Z -\na2 WAIT 2026-03-01T11:00:00Z -")
            .with(
                "INSERT INTO open_records VALUES ('a2', 1, '2026-03-01T12:00:00Z',
                 '2026-03-01T12:00:00Z', '2026-03-01T12:00:00Z');
             INSERT INTO windows VALUES
                 (1, '2026-03-01T00:00:00Z', '2026-03-01T11:00:00Z', 'settled', 'both', 1, 1, 1,
                  '2026-03-01T12:00:00Z', NULL),
                 (1, '2026-03-01T11:00:00Z', '2026-03-01T12:00:00Z', 'proven', 'both', 1, 1, 1,
                  '2026-03-01T12:00:05Z', NULL),
                 (1, '2026-03-01T13:00:00Z', '2026-03-01T14:00:00Z', 'unproven', NULL, 1, 1, 1,
                  '2026-03-01T12:00:01Z', 'it moved');",
            )
    }

    fn status_of(function: Option<&str>) -> Result<ArchiveStatus, StoreError> {
        let archive = archive();
        let mut arguments = Arguments::at(at("2026-03-02T12:00:00Z"));
        arguments.functions = function.into_iter().map(str::to_owned).collect();
        archive.reader().status(&arguments)
    }

    #[test]
    fn the_archive_tells_how_each_function_stands() {
        let status = status_of(None).unwrap();
        assert_eq!(status.last_good_run, Some(at("2026-03-01T12:00:30Z")));
        assert_eq!(
            status.last_run,
            Some(at("2026-03-02T12:00:00Z")),
            "the run that was killed is the last one"
        );
        let [invoice, report] = &status.functions[..] else { panic!("two functions: {status:?}") };
        assert_eq!(
            (invoice.name.as_str(), invoice.coverage.covered_through, invoice.records),
            ("billing:invoice", None, 0)
        );
        let expected = FunctionStatus {
            name: "default:report".to_owned(),
            urn: "urn:fss:cn-north-4:0123:function:default:report".to_owned(),
            coverage: Coverage {
                covered_through: Some(at("2026-03-01T12:00:00Z")),
                settled_through: Some(at("2026-03-01T11:00:00Z")),
                pending_since: Some(at("2026-03-01T11:00:00Z")),
                gaps: Extent { count: 2, seconds: 7200 },
                lost: Extent::default(),
            },
            last_walk: Some(at("2026-03-01T12:00:05Z")),
            unproven: Some(Unproven {
                ranges: 1,
                first: Interval::new(at("2026-03-01T13:00:00Z"), at("2026-03-01T14:00:00Z"))
                    .unwrap(),
                reason: "it moved".to_owned(),
            }),
            records: 2,
            pruned: None,
            open: 1,
            gone_at: None,
            forecast: LossForecast {
                pending_since: Some(at("2026-03-01T11:00:00Z")),
                ..LossForecast::default()
            },
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
        assert_eq!(
            ahead("2026-03-01T11:55:30Z"),
            Stale::default(),
            "within what clocks may differ by"
        );
        assert_eq!(
            ahead("2026-03-01T11:55:00Z").run.as_deref(),
            Some("last good run: 2026-03-01T12:00:30Z")
        );
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
        for (gone_at, horizon) in [None, Some("01T15"), Some("01T14")]
            .into_iter()
            .flat_map(|gone| horizons.map(|horizon| (gone, horizon)))
        {
            let text = |moment: Option<&str>| {
                moment.map_or("NULL".to_owned(), |moment| format!("'{}'", day(moment)))
            };
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
            let viewed: Vec<String> =
                select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
            let mut ledgers = load_ledgers(&reader.connection).unwrap();
            let moment = |text: &str| at(&day(text));
            let told: Vec<String> = [1, 2]
                .into_iter()
                .flat_map(|id| {
                    let horizon = horizon
                        .map(|(begin, end)| Horizon { begin: moment(begin), end: moment(end) });
                    let ledger = ledgers.remove(&FunctionId(id)).unwrap_or_default();
                    let ranges = with_gaps(&ledger, horizon, gone_at.map(moment));
                    ranges.into_iter().map(move |(range, state)| {
                        format!("{id} {} {} {}", range.begin(), range.end(), state.as_str())
                    })
                })
                .collect();
            assert_eq!(told, viewed, "{gone_at:?} {horizon:?}");
        }
    }

    #[test]
    fn what_is_gone_is_covered_until_then_and_worries_nobody() {
        let archive =
            archive().with("UPDATE functions SET gone_at = '2026-03-01T15:00:00Z' WHERE id = 1");
        let status = archive.reader().status(&Arguments::at(at("2026-03-02T12:00:00Z"))).unwrap();
        let report =
            status.functions.iter().find(|function| function.name == "default:report").unwrap();
        assert_eq!((report.gone_at, report.open), (Some(at("2026-03-01T15:00:00Z")), 0));
        assert_eq!(report.coverage.covered_through, Some(at("2026-03-01T12:00:00Z")));
        assert_eq!(report.coverage.gaps, Extent::default());
        assert_eq!(report.coverage.lost, Extent { count: 3, seconds: 3 * 3600 });
        assert_eq!(report.forecast.pending_since, None);
        assert_eq!(report.warnings(at("2026-03-20T12:00:00Z")), [""; 0]);
        let stale = status.stale(at("2026-03-02T12:00:00Z"));
        assert_eq!(stale.functions, ["billing:invoice covered through: never"]);
    }
}
