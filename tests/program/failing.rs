//! A page that always fails costs its second; a service that is down ends the run.

use crate::archive;
use crate::cloud::{Cloud, later, settled_world};
use crate::program::{Home, Program};
use crate::truth;
use fgarchive::domain::FunctionUrn;
use fgarchive::emulator::{BodyKind, Fault, Faults, Rule, Shown, WorldSpec};
use std::time::Duration;

/// A run over all functions.
fn run(home: &Home, cloud: &Cloud) -> Program {
    home.sync(cloud).args(["--json"])
}

/// A record in the middle of a function's.
fn chosen(cloud: &Cloud) -> Shown {
    let shown: Vec<Shown> = cloud.emulator.world().shown(0, cloud.now()).collect();
    shown[shown.len() / 2]
}

/// How many archived records are missing that began outside of this second.
fn missing_elsewhere(home: &Home, cloud: &Cloud, bad: &Shown) -> usize {
    let archived = archive::records(&home.db());
    let world = cloud.emulator.world();
    let elsewhere = |number: usize, shown: &Shown| number != 0 || shown.start != bad.start;
    let all = (0..world.functions().len())
        .flat_map(|number| world.shown(number, cloud.now()).map(move |shown| (number, shown)));
    all.filter(|(number, shown)| {
        elsewhere(*number, shown) && !archived.contains_key(&shown.id.to_string())
    })
    .count()
}

#[test]
fn a_page_that_always_fails_costs_its_second() {
    let cases = [
        (
            Fault::Status { code: 500, body: BodyKind::Json },
            "the service is unavailable (HTTP 500 FSS.0500",
        ),
        (Fault::Garbled, "the answer is broken (HTTP 200"),
        (
            Fault::Status { code: 413, body: BodyKind::Json },
            "the service refused the request (HTTP 413",
        ),
        (Fault::Status { code: 403, body: BodyKind::Json }, "access is refused (HTTP 403"),
        (Fault::Throttled { retry_after: None }, "the service asks to slow down (HTTP 429"),
    ];
    std::thread::scope(|scope| {
        for (fault, reason) in cases {
            scope.spawn(move || {
                let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
                let bad = chosen(&cloud);
                let holding = Some(bad.id.to_string());
                cloud.emulator.set_faults(Faults::rule(Rule { holding, ..fault.into() }));
                let said =
                    run(&home, &cloud).exits(3).says("could not be proven complete").says(reason);
                let report = said.json();
                let unproven = report["functions"][0]["unproven"].as_array().unwrap().clone();
                assert!(
                    unproven[0]["reason"].as_str().unwrap().starts_with(reason),
                    "{unproven:?}"
                );
                let windows = truth::unproven(&home.db(), &cloud.functions()[0]);
                let (from, until) = (later(bad.start, -1), later(bad.start, 2));
                assert!(
                    windows.iter().all(|window| from <= window.begin && window.end <= until),
                    "{windows:?}"
                );
                assert_eq!(missing_elsewhere(&home, &cloud, &bad), 0);
                assert!(cloud.listings() < 250, "{} requests", cloud.listings());
                home.run(["check"]).exits(0);
                let status = home.run(["status"]).exits(0);
                assert!(status.stdout.contains(reason), "{}", status.stdout);

                cloud.emulator.forget();
                run(&home, &cloud).exits(3).says(reason);
                assert!(cloud.listings() < 40, "{} requests", cloud.listings());

                cloud.emulator.set_faults(Faults::none());
                run(&home, &cloud).exits(0);
                truth::assert_whole(&cloud, &home.db());
                let gaps = "SELECT count(*) FROM windows WHERE reason IS NOT NULL";
                assert_eq!(archive::number(&home.db(), gaps), 0);
            });
        }
    });
}

#[test]
fn a_service_that_is_down_is_learnt_once_for_all_functions() {
    let cases = [Fault::Reset, Fault::Status { code: 503, body: BodyKind::Html }];
    std::thread::scope(|scope| {
        for fault in cases {
            scope.spawn(move || {
                let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
                let all =
                    Rule { on: Some(fgarchive::emulator::RouteName::Invocations), ..fault.into() };
                cloud.emulator.set_faults(Faults::rule(all));
                let said = run(&home, &cloud)
                    .exits(3)
                    .says("nothing else was answered either, so the run ended");
                assert!(said.took < Duration::from_mins(1), "{:?}", said.took);
                assert_eq!(
                    said.stderr.matches("cannot list invocations").count(),
                    1,
                    "{}",
                    said.stderr
                );
                assert!(cloud.listings() < 40, "{} requests", cloud.listings());
                cloud.emulator.set_faults(Faults::none());
                run(&home, &cloud).exits(0);
                truth::assert_whole(&cloud, &home.db());
            });
        }
    });
}

/// Half of the functions hang: the others are served meanwhile, those that hang are named, and
/// nothing is claimed of them.
#[test]
fn functions_that_hang_keep_no_other_waiting() {
    let spec = WorldSpec { functions: 12, ..settled_world() };
    let (home, cloud) = (Home::new(), Cloud::new(spec));
    let urns = cloud.functions();
    let hang: Vec<&str> = urns.iter().step_by(2).map(FunctionUrn::name).collect();
    let functions = hang.iter().map(|name| (*name).to_owned()).collect();
    cloud.emulator.set_faults(Faults::rule(Rule { functions, ..Fault::Silent.into() }));
    let said = run(&home, &cloud).args(["--request-timeout", "1s"]).exits(3);
    let said = said.says("the answer took too long; 5 more functions failed (`");
    assert!(said.took < Duration::from_secs(30), "{:?}", said.took);
    let report = said.json();
    for function in report["functions"].as_array().unwrap() {
        let hangs = hang.iter().any(|name| function["urn"].as_str().unwrap().ends_with(name));
        assert_eq!(function["complete"].as_bool().unwrap(), !hangs, "{function}");
        let error = function["error"].as_str().unwrap_or_default();
        assert_eq!(error.contains("the answer took too long"), hangs, "{function}");
    }
    let archived = archive::records(&home.db()).len();
    assert!(archived > 0);
    let claimed = "SELECT count(DISTINCT function_id) FROM windows";
    assert_eq!(archive::number(&home.db(), claimed), 6);
    home.run(["check"]).exits(0);

    cloud.emulator.set_faults(Faults::none());
    run(&home, &cloud).exits(0);
    truth::assert_whole(&cloud, &home.db());
}
