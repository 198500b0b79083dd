//! What other reports count, `records` shows, and each record once.

use super::*;
use pretty_assertions::assert_eq;
use proptest::prelude::*;

/// The day before clocks change in Berlin.
const BEGIN: &str = "2026-03-28T00:00:00Z";
const LENGTH: i64 = 10 * 86_400;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn at(second: i64) -> Timestamp {
    Timestamp::from_unix(moment(BEGIN).unix() + second)
}

/// Records, each by its start, duration, status, function and whether it is open.
type Row = (i64, Option<i64>, usize, usize, bool);

fn archived(records: &[Row]) -> Fixture {
    let line = |(number, (start, seconds, status, function, _)): (usize, &Row)| {
        let status = ["SUCCESS", "SUCCESS", "FAIL", "DISCARD", "RUNNING"][*status];
        let end = seconds.map_or_else(|| "-".to_owned(), |seconds| at(start + seconds).to_string());
        format!("r{number:02} {status} {} {end} {function}", at(*start))
    };
    let lines: Vec<String> = records.iter().enumerate().map(line).collect();
    let open = records.iter().enumerate().filter(|(_, row)| row.4).map(|(number, row)| {
        let (id, function) = (format!("r{number:02}"), row.3);
        format!(
            "INSERT INTO open_records VALUES ('{id}', {function}, '{BEGIN}', '{BEGIN}', '{BEGIN}');"
        )
    });
    Fixture::new().with_records(&lines.join("\n")).with(&open.collect::<String>())
}

fn rows_of(
    world: &Fixture,
    report: &str,
    asked: &Arguments,
    own: &[(&str, &str)],
) -> Vec<Vec<String>> {
    let own = own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let answer =
        answer_of(world, report, |arguments| *arguments = Arguments { own, ..asked.clone() });
    let cells = |line: &str| line.split(" | ").map(|cell| cell.trim().to_owned()).collect();
    answer.unwrap().lines().skip(1).map(cells).collect()
}

/// The ids that are shown, a screen of three after another.
fn shown_on_screens(world: &Fixture, asked: &Arguments, own: &[(&str, &str)]) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    let mut behind: Option<(String, String)> = None;
    loop {
        let mut own = own.to_vec();
        own.push(("limit", "3"));
        if let Some((start, id)) = &behind {
            own.extend([("before", start.as_str()), ("before_id", id.as_str())]);
        }
        let rows = rows_of(world, "records", asked, &own);
        ids.extend(rows.iter().map(|row| row[0].clone()));
        match rows.last().filter(|_| rows.len() == 3) {
            Some(last) => behind = Some((last[3].clone(), last[0].clone())),
            None => return ids,
        }
    }
}

/// How many there are, whether they are asked for at once or screen after screen.
fn number(world: &Fixture, asked: &Arguments, own: &[(&str, &str)]) -> String {
    let rows = rows_of(world, "records", asked, own);
    let ids: Vec<&String> = rows.iter().map(|row| &row[0]).collect();
    assert_eq!(shown_on_screens(world, asked, own).iter().collect::<Vec<_>>(), ids, "{own:?}");
    ids.len().to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn what_a_figure_counts_is_shown(
        records in prop::collection::vec(
            (
                // Seconds of few hours, so that some begin at once.
                (0..LENGTH / 3_600, 0..3i64).prop_map(|(hour, third)| hour / 9 * 32_400 + third * 1_200),
                prop::option::weighted(0.8, prop::sample::select(vec![-5, 0, 1, 3, 4, 900, 100_000])),
                0usize..5,
                1usize..3,
                prop::bool::weighted(0.3),
            ),
            0..40,
        ),
        bounds in (prop::option::of(0..LENGTH / 2), prop::option::of(LENGTH / 2..LENGTH)),
        zone in prop::sample::select(&["UTC", "Europe/Berlin", "Asia/Kolkata"][..]),
        is_narrowed: bool,
    ) {
        let world = archived(&records);
        let mut asked = Arguments::at(at(LENGTH));
        asked.zone = zone.parse::<Zone>().unwrap();
        asked.since = bounds.0.map(at);
        asked.until = bounds.1.map(at);
        if is_narrowed {
            asked.functions = vec!["invoice".to_owned()];
        }
        for (of, which) in [("records", "all"), ("failed", "failed")] {
            for row in rows_of(&world, "heatmap", &asked, &[("of", of)]) {
                let hour = row[0][..2].to_owned();
                for (day, told) in DAYS.iter().zip(&row[1..]).filter(|(_, told)| *told != "0") {
                    let own = [("which", which), ("weekday", *day), ("hour", hour.as_str())];
                    prop_assert_eq!(&number(&world, &asked, &own), told, "{:?}", own);
                }
            }
        }
        for row in rows_of(&world, "duration-histogram", &asked, &[("of", "all")]) {
            let (from, below) = (format!("{}s", row[1]), format!("{}s", row[2]));
            let mut own = vec![("status", "SUCCESS"), ("took_below", below.as_str())];
            own.extend((!row[1].is_empty()).then_some(("took_from", from.as_str())));
            prop_assert_eq!(&number(&world, &asked, &own), &row[3], "{:?}", own);
        }
        let totals = rows_of(&world, "totals", &asked, &[]).remove(0);
        prop_assert_eq!(&number(&world, &asked, &[]), &totals[0]);
        prop_assert_eq!(&number(&world, &asked, &[("which", "open")]), &totals[11]);
    }
}

/// What a record says of an error: a message, a code, both, or nothing.
const ERRORS: [&str; 5] = [
    "error_message = NULL",
    "error_message = 'no order 7', error_code = 4",
    "error_message = 'no order 8', error_code = 5",
    "error_code = 5",
    "error_message = 'too late'",
];

/// What can be asked for, and how a plain statement asks for it in a zone 330 minutes ahead of UTC
/// or in none.
const FILTERS: [[(&str, &str, &str); 3]; 8] = [
    [
        ("which", "all", "true"),
        ("which", "failed", "status IN ('FAIL', 'DISCARD')"),
        ("which", "failed", "status IN ('FAIL', 'DISCARD')"),
    ],
    [
        ("status", "SUCCESS", "status = 'SUCCESS'"),
        ("status", "FAIL", "status = 'FAIL'"),
        ("status", "RUNNING", "status = 'RUNNING'"),
    ],
    [
        (
            "shape",
            "no order <number>",
            "status IN ('FAIL', 'DISCARD') AND error_message LIKE 'no order %'",
        ),
        ("shape", "too late", "status IN ('FAIL', 'DISCARD') AND error_message = 'too late'"),
        ("shape", "too early", "false"),
    ],
    [
        ("code", "4", "status IN ('FAIL', 'DISCARD') AND error_code = 4"),
        ("code", "5", "status IN ('FAIL', 'DISCARD') AND error_code = 5"),
        ("code", "6", "false"),
    ],
    [
        ("took_from", "1s", "seconds >= 1"),
        ("took_from", "4s", "seconds >= 4"),
        ("took_from", "1d", "seconds >= 86400"),
    ],
    [
        ("took_below", "1s", "seconds < 1"),
        ("took_below", "15m", "seconds < 900"),
        ("took_below", "2d", "seconds < 172800"),
    ],
    [
        ("weekday", "sun", "strftime('%w', local) = '0'"),
        ("weekday", "mon", "strftime('%w', local) = '1'"),
        ("weekday", "sat", "strftime('%w', local) = '6'"),
    ],
    [
        ("hour", "0", "strftime('%H', local) = '00'"),
        ("hour", "9", "strftime('%H', local) = '09'"),
        ("hour", "14", "strftime('%H', local) = '14'"),
    ],
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn whatever_narrows_it_is_what_a_plain_statement_finds(
        records in prop::collection::vec(
            (
                (0..LENGTH / 10_800).prop_map(|third| third * 10_800),
                prop::option::weighted(0.8, prop::sample::select(vec![0, 1, 4, 900, 100_000])),
                0usize..5,
                1usize..3,
                Just(false),
            ),
            0..40,
        ),
        errors in prop::collection::vec(0usize..5, 40),
        asked_for in prop::collection::vec(prop::option::weighted(0.3, 0usize..3), 8),
        bounds in (prop::option::of(0..LENGTH / 2), prop::option::of(LENGTH / 2..LENGTH)),
        is_ahead: bool,
        unreadable in prop::collection::vec(0usize..40, 0..4),
        pruned in prop::collection::vec((0..10i64, 1i64..3), 0..3),
    ) {
        let told: Vec<String> = errors
            .iter()
            .enumerate()
            .map(|(number, error)| {
                format!("UPDATE invocations SET {} WHERE request_id = 'r{number:02}'", ERRORS[*error])
            })
            .collect();
        let world =
            archived(&records).with(&told.join(";")).with(&cut(&unreadable)).accepted().with(&prune(&pruned));
        let mut asked = Arguments::at(at(LENGTH));
        asked.zone = (if is_ahead { "Asia/Kolkata" } else { "UTC" }).parse::<Zone>().unwrap();
        asked.since = bounds.0.map(at);
        asked.until = bounds.1.map(at);
        let filters: Vec<_> = FILTERS
            .iter()
            .zip(&asked_for)
            .filter_map(|(choices, choice)| choice.map(|choice| choices[choice]))
            .collect();
        let own: Vec<_> = filters.iter().map(|(name, value, _)| (*name, *value)).collect();
        let conditions: Vec<_> = filters.iter().map(|(_, _, plain)| *plain).collect();
        let in_range = format!(
            "length(start_time) = 20 AND start_time >= '{}' AND start_time < '{}'",
            at(bounds.0.unwrap_or(0)),
            at(bounds.1.unwrap_or(2 * LENGTH)),
        );
        let found = |conditions: &[&str], order: &str| -> Vec<String> {
            let statement = format!(
                "SELECT request_id
                   FROM (SELECT *,
                                unixepoch(end_time) - unixepoch(start_time) AS seconds,
                                datetime(start_time, '{} minutes') AS local
                           FROM invocations)
                  WHERE {}
                  ORDER BY {order}",
                if is_ahead { 330 } else { 0 },
                [&[in_range.as_str()], conditions].concat().join(" AND "),
            );
            let mut found = world.connection.prepare(&statement).unwrap();
            found.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        let latest = found(&conditions, "start_time DESC, request_id DESC");
        prop_assert_eq!(shown_on_screens(&world, &asked, &own), latest, "{:?}", own);
        let slowest = rows_of(&world, "slowest", &asked, &[("limit", "3"), ("status", "SUCCESS")]);
        let slowest: Vec<String> = slowest.into_iter().map(|mut row| row.remove(0)).collect();
        let conditions = ["seconds IS NOT NULL", "status = 'SUCCESS'"];
        prop_assert_eq!(slowest, found(&conditions, "seconds DESC, request_id LIMIT 3"));
    }
}

/// Leaves records without the seconds of their start, which is then none that can be read.
fn cut(numbers: &[usize]) -> String {
    let cut = |number| {
        format!(
            "UPDATE invocations SET start_time = substr(start_time, 1, 16)
              WHERE request_id = 'r{number:02}';"
        )
    };
    numbers.iter().map(cut).collect()
}

/// Removes days of a function, each but for some records, as `prune` leaves them: what they sum up
/// to stays.
fn prune(days: &[(i64, i64)]) -> String {
    let prune = |(day, function): &(i64, i64)| {
        let day = &at(day * 86_400).to_string()[..10];
        format!(
            "DELETE FROM invocations
              WHERE function_id = {function} AND substr(start_time, 1, 10) = '{day}'
                AND length(start_time) = 20 AND rowid % 4 > 0;
             INSERT OR IGNORE INTO pruned_days
             VALUES ({function}, '{day}', '{day}T00:00:00Z', '{day}T23:59:59Z', '{BEGIN}', 0, 0, 0,
                     0, 0, 0, 0, NULL, NULL, NULL);"
        )
    };
    days.iter().map(prune).collect()
}

/// A message is looked at one by one, whatever else narrows.
#[test]
fn a_shape_narrows_beside_all_else() {
    let world = archived(&[(0, Some(9), 2, 1, true), (60, Some(9), 2, 1, true), (120, Some(2), 2, 1, true)])
        .with("UPDATE invocations SET error_message = 'no order 7', error_code = 4 WHERE request_id <> 'r01'")
        // A code without a message has no shape.
        .with("UPDATE invocations SET error_code = 5 WHERE request_id = 'r01'")
        .accepted();
    let asked = Arguments::at(at(LENGTH));
    let ids = |own: &[(&str, &str)]| shown_on_screens(&world, &asked, own);
    let shape = ("shape", "no order <number>");
    assert_eq!(ids(&[shape, ("took_from", "5s")]), ["r00"]);
    assert_eq!(ids(&[("code", "5"), ("took_from", "5s")]), ["r01"]);
    assert_eq!(ids(&[("code", "4"), ("took_below", "5s")]), ["r02"]);
    assert_eq!(ids(&[("code", "5"), ("took_below", "5s")]), Vec::<String>::new());
    assert_eq!(ids(&[("code", "4"), ("which", "open")]), ["r02", "r00"]);
    assert_eq!(ids(&[("weekday", "sat"), ("took_from", "9s")]), ["r01", "r00"]);
    assert_eq!(ids(&[("weekday", "sun")]), Vec::<String>::new());
}

/// As `status` counts them.
#[test]
fn open_records_without_a_start_are_shown_where_no_range_is_asked_for() {
    let world = world();
    let mut asked = Arguments::at(at(LENGTH));
    assert_eq!(shown_on_screens(&world, &asked, &[("which", "open")]), ["a7", "b2"]);
    asked.since = Some(moment("2026-03-01T00:00:00Z"));
    assert_eq!(shown_on_screens(&world, &asked, &[("which", "open")]), ["a7"]);
}
