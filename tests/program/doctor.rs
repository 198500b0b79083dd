//! `doctor`: every reading of the vendor's page is told apart, and everything that stands in the
//! way is named.

use crate::archive::rows;
use crate::cloud::{Cloud, later, now, settled_world, small_world};
use crate::program::{Home, Program, Said};
use fgarchive::clock::Clock;
use fgarchive::emulator::{
    ACCESS_KEY, Bounds, CappedCount, Count, ErrorForm, Fault, Faults, Filter, LastMarker, Lookup,
    MarkerForm, OpenTime, Order, OverLimit, Readings, RouteName, Rule, SECRET_KEY, Times,
    WorldSpec,
};
use fgarchive::store::file::Archive;
use serde_json::Value;

fn doctor(home: &Home, cloud: &Cloud) -> Program {
    home.run(["doctor", "--max-rps", "100000"]).signed().to(cloud)
}

/// What is answered to a question, the first time it is.
fn answer<'a>(checkup: &'a Value, question: &str) -> Option<&'a str> {
    let findings = checkup["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["question"] == question)?;
    finding["answer"].as_str()
}

/// The service as it is documented but for one switch, and so strict that a time in any other form
/// than the documented one is refused: a check-up asks for unusual windows.
fn reading(switch: impl Fn(&mut Readings)) -> Readings {
    let mut readings = Readings { times: Times::Strict, ..Readings::default() };
    switch(&mut readings);
    readings
}

/// Every switch of the stand-in that can be seen from outside, the question that it answers, and
/// how.
fn switches() -> Vec<(Readings, &'static str, &'static str)> {
    let window = "time that windows select by";
    let next = "next_marker on the last page";
    let unknown_end = "form of end_time until the end is known";
    let by_id = "window of a look-up by id";
    vec![
        (reading(|_| ()), "order", "oldest first, by start"),
        (reading(|it| it.order = Order::NewestFirst), "order", "newest first, by start"),
        (reading(|it| it.order = Order::ById), "order", "not by time"),
        (reading(|_| ()), "order of equals", "the same each time"),
        (
            reading(|it| it.order = Order::UnstableTies),
            "order of equals",
            "changes from answer to answer",
        ),
        (reading(|_| ()), "bounds of a window", "both included"),
        (
            reading(|it| it.bounds = Bounds::InclusiveExclusive),
            "bounds of a window",
            "the lower included, the upper not",
        ),
        (
            reading(|it| it.bounds = Bounds::ExclusiveInclusive),
            "bounds of a window",
            "the upper included, the lower not",
        ),
        (
            reading(|it| it.bounds = Bounds::ExclusiveExclusive),
            "bounds of a window",
            "neither included",
        ),
        (reading(|_| ()), window, "start"),
        (reading(|it| it.filter = Filter::End), window, "end"),
        (reading(|it| it.filter = Filter::End), "order", "oldest first, by end"),
        (reading(|_| ()), "count", "the records of the query"),
        (reading(|it| it.count = Count::PageLength), "count", "the records of the page"),
        (reading(|it| it.count = Count::Absent), "count", "absent"),
        (reading(|_| ()), "marker", "how many records to pass over"),
        (reading(|_| ()), next, "where another page would begin"),
        (reading(|it| it.last_marker = LastMarker::Zero), next, "zero"),
        (reading(|it| it.last_marker = LastMarker::Same), next, "the marker that was asked for"),
        (reading(|it| it.last_marker = LastMarker::Absent), next, "absent"),
        (
            reading(|it| it.marker_form = MarkerForm::String),
            "form of next_marker",
            "a number in a string",
        ),
        (reading(|it| it.marker_form = MarkerForm::Absent), "form of next_marker", "absent"),
        (reading(|_| ()), "form of error_code", "a number"),
        (
            reading(|it| it.error_form = ErrorForm::String),
            "form of error_code",
            "an empty string, a number in a string",
        ),
        (
            reading(|it| it.error_form = ErrorForm::StringOrAbsent),
            "form of error_code",
            "absent, a number in a string",
        ),
        (
            reading(|it| it.error_form = ErrorForm::StringOrNull),
            "form of error_code",
            "null, a number in a string",
        ),
        (reading(|_| ()), unknown_end, "an empty string"),
        (reading(|it| it.open_time = OpenTime::Null), unknown_end, "null"),
        (reading(|it| it.open_time = OpenTime::Absent), unknown_end, "absent"),
        (reading(|it| it.open_time = OpenTime::YearOne), unknown_end, "a time in year 1"),
        (reading(|it| it.open_time = OpenTime::Start), unknown_end, "the start"),
        (reading(|_| ()), by_id, "the given one; without one, the default"),
        (
            reading(|it| it.lookup = Lookup::GivenWindow),
            by_id,
            "the given one; without one, all time",
        ),
        (reading(|it| it.lookup = Lookup::Anywhere), by_id, "none"),
        (reading(|_| ()), "limit above 500", "means 500"),
        (reading(|it| it.over_limit = OverLimit::Refuse), "limit above 500", "refused"),
        (reading(|_| ()), "records on a page", "500"),
        (reading(|it| it.page_cap = Some(7)), "records on a page", "7 at most"),
        (reading(|_| ()), "records of a query", "all"),
        (reading(|it| it.result_cap = Some(900)), "records of a query", "the first 900"),
        (
            reading(|it| (it.result_cap, it.capped_count) = (Some(900), CappedCount::Capped)),
            "records of a query",
            "the first 900",
        ),
        (reading(|_| ()), "longest window", "720 h at least"),
        (
            reading(|it| it.max_window = Some("5d".parse().unwrap())),
            "longest window",
            "90 h at least",
        ),
        (reading(|_| ()), "window by default", "an hour at most"),
        (reading(|_| ()), "entries that are no records", "none"),
        (reading(|_| ()), "recording", "on"),
    ]
}

#[test]
fn every_reading_is_told_apart() {
    for (readings, question, expected) in switches() {
        // Dense enough that many records begin in one second, whatever the hour: a single pair may
        // keep its order by chance.
        let world = match question {
            "order of equals" => {
                fgarchive::emulator::WorldSpec { records: 40_000, ..small_world() }
            }
            _ => small_world(),
        };
        let (home, cloud) = (Home::new(), Cloud::reading(world, readings));
        let checkup = doctor(&home, &cloud).args(["--json", "--no-store"]).exits(0).json();
        assert_eq!(answer(&checkup, question), Some(expected), "{question}: {checkup}");
        assert!(checkup["requests"].as_u64().unwrap() <= 70, "{checkup}");
        assert_eq!(checkup["requests"], cloud.journal().total());
    }
}

#[test]
fn what_was_found_is_printed_and_kept_with_its_date() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let said = doctor(&home, &cloud).exits(0);
    assert!(said.stdout.starts_with("verdict  question "), "{}", said.stdout);
    let kept = rows(&home.db(), "SELECT DISTINCT probed_at, verdict FROM probes");
    let at = cloud.now();
    assert!(
        kept.iter().all(|row| row.starts_with(&at.to_string())) && !kept.is_empty(),
        "{kept:?} {at}"
    );
    let [printed, rows] =
        [said.stdout.lines().count() - 2, rows(&home.db(), "SELECT id FROM probes").len()];
    assert_eq!(printed, rows);
    home.run(["check"]).exits(0);
}

#[test]
fn a_run_at_work_keeps_nothing_from_being_told() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let held = Archive::open(&home.db()).unwrap();
    let said = doctor(&home, &cloud).exits(0);
    assert!(said.stderr.contains("not kept: another run holds the archive"), "{}", said.stderr);
    drop(held);
    assert_eq!(rows(&home.db(), "SELECT id FROM probes"), [] as [&str; 0]);
}

/// The exit code, the findings that are no `ok` or `unknown`, and what was said.
fn troubles(said: &Said) -> Vec<(String, String)> {
    let checkup: Value = serde_json::from_str(&said.stdout).unwrap();
    let findings = checkup["findings"].as_array().unwrap().clone();
    let text = |finding: &Value, field: &str| finding[field].as_str().unwrap().to_owned();
    let bad = findings
        .iter()
        .filter(|finding| !["ok", "unknown"].contains(&text(finding, "verdict").as_str()));
    bad.map(|finding| (text(finding, "question"), text(finding, "answer"))).collect()
}

#[test]
fn what_somebody_should_look_after_ends_it_with_7() {
    let odd = reading(|it| it.odd = Some(40));
    let skewed = Clock::fixed(later(now(), 400));
    let shared = skewed.clone();
    let off = WorldSpec { unlogged: 1, ..settled_world() };
    for (cloud, question) in [
        (Cloud::new(off), "recording"),
        (Cloud::reading(settled_world(), odd), "entries that are no records"),
        (Cloud::on(settled_world(), Readings::default(), skewed, move || shared.now()), "clock"),
    ] {
        let home = Home::new();
        let said = doctor(&home, &cloud).args(["--json"]).exits(7);
        let troubles = troubles(&said);
        assert!(
            matches!(&troubles[..], [(only, _)] if only == question),
            "{question}: {troubles:?}"
        );
        assert!(said.stderr.contains("error: one finding needs attention"), "{}", said.stderr);
        let told = doctor(&home, &cloud).exits(7).stdout;
        assert!(told.contains(&format!("\nhint: {question}: ")), "{told}");
    }
}

#[test]
fn a_refused_key_is_shown_once_and_never_printed() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let said = doctor(&home, &cloud)
        .env("HUAWEICLOUD_SDK_SK", "a-wrong-secret")
        .args(["--json", "-vv"])
        .exits(4);
    assert_eq!(troubles(&said), [("access".to_owned(), "refused".to_owned())]);
    assert_eq!(cloud.journal().total(), 1);
    let well = doctor(&home, &cloud).args(["-vv"]).exits(0);
    for secret in ["a-wrong-secret", SECRET_KEY] {
        assert!(
            !said.everything().contains(secret) && !well.everything().contains(secret),
            "{secret} was printed"
        );
    }
    assert!(!well.everything().contains(&format!("={ACCESS_KEY}")));
}

#[test]
fn a_service_that_fails_is_told_from_one_that_refuses() {
    let home = Home::new();
    let unavailable = Fault::Status { code: 400, body: fgarchive::emulator::BodyKind::Json };
    let rule = Rule { on: Some(RouteName::Functions), ..Rule::from(unavailable) };
    let cloud = Cloud::new(settled_world()).with_faults(Faults::rule(rule));
    let said = doctor(&home, &cloud).args(["--json"]).exits(3);
    assert_eq!(troubles(&said), [("service".to_owned(), "no answer to be used".to_owned())]);
    assert!(said.stderr.contains("the check-up ended early: "), "{}", said.stderr);
    let named = cloud.functions()[0].name().to_owned();
    let said = doctor(&home, &cloud).args(["--json", "--function", &named]).exits(0);
    assert_eq!(
        answer(&said.json(), "order"),
        Some("oldest first, by start"),
        "a named function needs no listing"
    );
}

#[test]
fn throttling_is_waited_out() {
    let (home, throttled) = (Home::new(), Fault::Throttled { retry_after: Some(0) });
    let rule = Rule { every: Some(5), ..Rule::from(throttled) };
    let cloud = Cloud::new(settled_world()).with_faults(Faults::rule(rule));
    doctor(&home, &cloud).exits(0);
}

#[test]
fn too_few_records_tell_too_little_and_that_is_said() {
    let few = WorldSpec { records: 2, functions: 1, bursts: 0, ..settled_world() };
    let (home, cloud) = (Home::new(), Cloud::new(few));
    let checkup = doctor(&home, &cloud).args(["--json"]).exits(0).json();
    for question in ["order", "order of equals", "records on a page"] {
        assert_eq!(answer(&checkup, question), Some("cannot be told"), "{checkup}");
    }
}
