//! How far back the service reaches, and whether it records at all: asked beside the records, kept,
//! and told.

use crate::archive::rows;
use crate::cloud::{Cloud, later, now, settled_world};
use crate::live::{Live, Settings, going_on};
use crate::program::Home;
use fgarchive::emulator::{BodyKind, Fault, Faults, Readings, RouteName, Rule, WorldSpec};
use serde_json::Value;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Two functions that are recorded and one that is not.
fn partly_recorded() -> WorldSpec {
    WorldSpec { functions: 3, unlogged: 1, ..settled_world() }
}

fn status(home: &Home) -> Value {
    home.run(["status", "--json"]).exits(0).json()
}

/// What is said of a function, by a part of its name.
fn of<'a>(status: &'a Value, name: &str) -> &'a Value {
    let functions = status["functions"].as_array().unwrap();
    functions.iter().find(|function| function["function"].as_str().unwrap().contains(name)).unwrap()
}

#[test]
fn a_function_that_is_not_recorded_is_told_once_and_shown_for_good() {
    let (home, cloud) = (Home::new(), Cloud::new(partly_recorded()));
    let off = cloud.functions()[2].name().to_owned();
    let said = home.sync(&cloud).exits(0);
    let warnings: Vec<&str> = said
        .stderr
        .lines()
        .filter(|line| line.contains("enable_async_status_log is off"))
        .collect();
    assert!(matches!(&warnings[..], [one] if one.contains(&off)), "{}", said.stderr);
    let again = home.sync(&cloud).exits(0);
    assert!(!again.stderr.contains("enable_async_status_log"), "{}", again.stderr);
    let status = status(&home);
    let on = cloud.functions()[0].name().to_owned();
    assert_eq!(
        (&of(&status, &off)["recording"], &of(&status, &on)["recording"]),
        (&false.into(), &true.into())
    );
    let warnings = status["warnings"].as_array().unwrap();
    assert!(
        warnings.len() == 1
            && warnings[0].as_str().unwrap().contains(&format!(":{off}: the service records")),
        "{warnings:?}"
    );
    let table = home.run(["status"]).exits(0).stdout;
    assert!(
        table.contains("\nwarning: ") && table.contains("switch on enable_async_status_log"),
        "{table}"
    );
}

#[test]
fn the_setting_is_read_once_an_hour() {
    let live = Live::new(partly_recorded(), Readings::default());
    let asked = || live.cloud.journal().requests(RouteName::AsyncConfig);
    for minutes in [0, 5, 30, 59] {
        live.complete_at(minutes * MINUTE);
        assert_eq!(asked(), 3, "after {minutes} minutes");
    }
    live.complete_at(61 * MINUTE);
    assert_eq!(asked(), 6);
    let answers = rows(
        &live.db(),
        "SELECT function_id, enabled, unixepoch(until_time) - unixepoch(from_time) FROM recording",
    );
    assert_eq!(answers.len(), 3, "the same answer is one row: {answers:?}");
    assert!(answers.iter().all(|answer| answer.ends_with("|3660")), "{answers:?}");
}

/// `empty` is what was asked for and not there; before anybody asked, nothing is known of the
/// setting.
#[test]
fn empty_not_recorded_unproven_and_never_walked_are_different_answers() {
    let live = Live::new(partly_recorded(), Readings::default());
    for hour in [0, 2, 4] {
        live.complete_at(hour * HOUR);
    }
    let began = later(live.cloud.now(), -4 * HOUR);
    let answers = |name: &str| {
        let select = format!(
            "SELECT begin_time, end_time, state, answer FROM coverage WHERE function_name = '{name}'
                 ORDER BY begin_time"
        );
        rows(&live.db(), &select)
    };
    let functions = live.cloud.functions();
    let recorded = answers(functions[0].name());
    assert!(
        recorded.iter().all(|row| row.ends_with("|records") || row.ends_with("|empty")),
        "{recorded:?}"
    );
    assert!(recorded[0].ends_with("|settled|records"), "{recorded:?}");
    let [before, off, rest @ ..] = &answers(functions[2].name())[..] else {
        panic!("two pieces at least")
    };
    assert!(before.ends_with(&format!("|{began}|settled|empty")), "{before}");
    assert!(
        off.starts_with(&format!("{began}|")) && off.ends_with("|settled|switched off"),
        "{off}"
    );
    assert!(rest.iter().all(|row| row.ends_with("|proven|switched off")), "{rest:?}");
    // The pieces of a range are as long as the range, and no range is told twice.
    let [whole, pieces] = ["windows", "coverage"].map(|table| {
        rows(
            &live.db(),
            &format!(
                "SELECT function_id, sum(unixepoch(end_time) - unixepoch(begin_time))
                          FROM {table} GROUP BY 1"
            ),
        )
    });
    assert_eq!(whole, pieces);
}

#[test]
fn who_may_not_read_settings_archives_all_the_same() {
    let home = Home::new();
    let denied = Fault::Status { code: 403, body: BodyKind::Json };
    let rule = Rule { on: Some(RouteName::AsyncConfig), ..Rule::from(denied) };
    let cloud = Cloud::new(partly_recorded()).with_faults(Faults::rule(rule));
    let said = home.sync(&cloud).exits(0);
    assert_eq!(said.stderr.lines().count(), 1, "{}", said.stderr);
    assert_eq!(rows(&home.db(), "SELECT DISTINCT typeof(enabled) FROM recording"), ["null"]);
    assert_eq!(of(&status(&home), "order")["recording"], Value::Null);
    crate::truth::assert_whole(&cloud, &home.db());
}

/// The service keeps records for five days; nobody told the program.
#[test]
fn the_reach_is_measured_by_what_is_still_shown_and_what_is_not() {
    let spec = WorldSpec {
        records: 4_000,
        functions: 1,
        span: 12 * DAY.unsigned_abs(),
        retention: Some(5 * DAY.unsigned_abs()),
        slow: 0,
        ..going_on()
    };
    let live = Live::amid(spec, Readings::default());
    let begin = -(12 * DAY - 2 * HOUR);
    let settings = |live: &Live| Settings {
        since: Some(later(live.cloud.now(), -3 * DAY)),
        ..live.settings()
    };
    // From the third day of the world on, so that everything archived was there to be shown.
    live.cloud.clock.set(later(live.cloud.now(), begin + 3 * DAY));
    live.sync_with(&settings(&live));
    for _ in 0..(9 * 24 / 3) {
        live.cloud.clock.set(later(live.cloud.now(), 3 * HOUR));
        live.sync_with(&settings(&live));
    }
    let days = rows(&live.db(), "SELECT reach_s, forgotten_s FROM reach ORDER BY day");
    let last: Vec<i64> = days[days.len() - 2].split('|').map(|age| age.parse().unwrap()).collect();
    assert!(last[0] <= 5 * DAY && 5 * DAY <= last[1], "{days:?}");
    assert!(last[1] - last[0] <= last[0] / 4 + HOUR, "known within a quarter: {days:?}");
}

#[test]
fn what_comes_near_the_edge_of_the_reach_is_warned_of_before_it_is_lost() {
    let spec = WorldSpec { anchor: later(now(), -20 * HOUR), ..settled_world() };
    let live = Live::new(spec, Readings::default());
    live.complete();
    let status = live.run(["status", "--json"]).exits(0).json();
    let survives = status["functions"][0]["survives_seconds"].as_i64().unwrap();
    assert!((3 * HOUR..4 * HOUR).contains(&survives), "{status}");
    assert_eq!(
        status["functions"][0]["reach_seconds"].as_i64(),
        Some(DAY),
        "no record older than a day was shown"
    );
    let warnings = status["warnings"].as_array().unwrap();
    assert!(
        warnings.len() == 3 && warnings[0].as_str().unwrap().contains("may forget from"),
        "{warnings:?}"
    );
}
