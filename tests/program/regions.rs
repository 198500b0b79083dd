//! One run that asks several regions, or several projects of one.

use crate::archive;
use crate::cloud::{Cloud, settled_world};
use crate::listener::{Listener, join};
use crate::program::{Home, Program};
use fgarchive::emulator::{BodyKind, Fault, Faults, RouteName, Rule, WorldSpec};
use pretty_assertions::assert_eq;
use std::net::TcpStream;

const NORTH: &str = "cn-north-4";
const EAST: &str = "cn-east-3";

fn region(region: &'static str, seed: u64) -> Cloud {
    Cloud::new(WorldSpec { region, seed, functions: 2, records: 1_200, ..settled_world() })
}

fn clouds() -> [Cloud; 2] {
    [region(NORTH, 1), region(EAST, 2)]
}

/// A command about all functions of these clouds, each of which answers in its own region.
fn about(home: &Home, command: &str, clouds: &[&Cloud]) -> Program {
    let urns = clouds.iter().flat_map(|cloud| cloud.functions());
    let functions = urns.flat_map(|urn| ["--function".to_owned(), urn.to_string()]);
    let program = home.run([command, "--max-rps", "100000"]).signed().args(functions);
    clouds.iter().fold(program, |program, cloud| {
        let region = cloud.functions()[0].region().replace('-', "_").to_ascii_uppercase();
        program.env(&format!("HUAWEICLOUD_SDK_REGION_FUNCTIONGRAPH_{region}"), &cloud.url)
    })
}

/// What the run tells of each source: name, outcome, exit code and new records.
fn told(report: &serde_json::Value) -> Vec<String> {
    let sources = report["sources"].as_array().unwrap();
    let show = |source: &serde_json::Value| {
        let [name, outcome] = ["name", "outcome"].map(|field| source[field].as_str().unwrap());
        format!("{name} {outcome} {} {}", source["exit_code"], source["records_new"])
    };
    sources.iter().map(show).collect()
}

/// The records of each region by a run of its own.
fn alone(cloud: &Cloud) -> archive::Records {
    let home = Home::new();
    about(&home, "sync", &[cloud]).exits(0);
    archive::records(&home.db())
}

#[test]
fn functions_of_two_regions_are_archived_by_one_run() {
    let (home, [north, east]) = (Home::new(), clouds());
    let report = about(&home, "sync", &[&north, &east]).args(["--json"]).exits(0).json();
    let (of_north, of_east) = (alone(&north), alone(&east));
    let expected = [
        format!("{NORTH} complete 0 {}", of_north.len()),
        format!("{EAST} complete 0 {}", of_east.len()),
    ];
    assert_eq!(told(&report), expected);
    assert_eq!(report["records_new"], of_north.len() + of_east.len());
    let mut both = of_north;
    both.extend(of_east);
    assert_eq!(archive::records(&home.db()), both);
    let kept = "SELECT name, outcome, exit_code, records_new FROM run_sources ORDER BY id";
    assert_eq!(archive::rows(&home.db(), kept), expected.map(|line| line.replace(' ', "|")));
    home.run(["check"]).exits(0);
    about(&home, "verify", &[&north, &east]).exits(0);
    let planned = about(&home, "sync", &[&north, &east]).args(["--dry-run"]).exits(0).stdout;
    for cloud in [&north, &east] {
        assert!(
            cloud.functions().iter().all(|urn| planned.contains(&urn.to_string())),
            "{planned}"
        );
    }
}

#[test]
fn a_region_that_refuses_or_is_down_leaves_the_others_alone() {
    let refused = Faults::rule(Rule::from(Fault::Status { code: 403, body: BodyKind::default() }));
    let reset = Faults::rule(Rule::from(Fault::Reset));
    for (faults, code, outcome) in [(refused, 4, "denied"), (reset, 3, "incomplete")] {
        let (home, [north, east]) = (Home::new(), clouds());
        let east = east.with_faults(faults);
        let said = about(&home, "sync", &[&north, &east]).args(["--json"]).exits(code);
        let report = said.json();
        let whole = alone(&north);
        let expected =
            [format!("{NORTH} complete 0 {}", whole.len()), format!("{EAST} {outcome} {code} 0")];
        assert_eq!(told(&report), expected);
        assert_eq!(archive::records(&home.db()), whole);
        let said = said.says(&format!("{EAST}: "));
        assert!(!said.stderr.contains(&format!("{NORTH}: ")), "{}", said.stderr);
        east.emulator.set_faults(Faults::none());
        let report = about(&home, "sync", &[&north, &east]).args(["--json"]).exits(0).json();
        assert_eq!(told(&report)[1], format!("{EAST} complete 0 {}", alone(&east).len()));
        home.run(["check"]).exits(0);
    }
}

/// The project of a function that is named without it is looked up, which only the source that
/// needs it waits for.
#[test]
fn a_project_that_cannot_be_told_ends_its_own_region_alone() {
    let (home, [north, east]) = (Home::new(), clouds());
    let refuses = Rule::from(Fault::Status { code: 403, body: BodyKind::default() });
    let north = north.with_faults(Faults::rule(Rule { on: Some(RouteName::Projects), ..refuses }));
    let name = north.functions()[0].full_name();
    let run = |command: &str| {
        let program = about(&home, command, &[&east])
            .args(["--function", &name])
            .env("FGARCHIVE_REGION", NORTH);
        let program = program.env("HUAWEICLOUD_SDK_REGION_FUNCTIONGRAPH_CN_NORTH_4", &north.url);
        program.without("HUAWEICLOUD_SDK_PROJECT_ID")
    };
    let failure = format!(
        "{NORTH}: cannot find the project of the region `{NORTH}`: access is refused (HTTP 403"
    );
    let said = run("sync").args(["--json"]).exits(4).says(&failure);
    let whole = alone(&east);
    let expected = [format!("{NORTH} denied 4 0"), format!("{EAST} complete 0 {}", whole.len())];
    assert_eq!(told(&said.json()), expected);
    assert_eq!(archive::records(&home.db()), whole);
    run("verify").exits(4).says(&failure);
    let planned = run("sync").args(["--dry-run"]).exits(4).says(&format!("error: {failure}"));
    for urn in east.functions() {
        assert!(planned.stdout.contains(&urn.to_string()), "{}", planned.stdout);
    }
    north.emulator.set_faults(Faults::none());
    run("sync").exits(0);
}

#[test]
fn what_is_about_one_service_refuses_two_regions() {
    let (home, [north, east]) = (Home::new(), clouds());
    let regions = format!("the functions lie in several regions: {NORTH}, {EAST}");
    about(&home, "sync", &[&north, &east])
        .env("FGARCHIVE_ENDPOINT", &north.url)
        .exits(2)
        .says(&regions);
    about(&home, "doctor", &[&north, &east]).exits(2).says(&regions);
    assert!(!home.db().exists());
}

const SHOP: &str = "0123456789abcdef0123456789abcdef";
const BOOKS: &str = "fedcba9876543210fedcba9876543210";

/// Two projects of one region, each with a cloud of its own behind the one address of the region.
fn projects() -> ([Cloud; 2], String) {
    let project = |project_id, seed| {
        Cloud::new(WorldSpec { project_id, seed, functions: 2, records: 1_200, ..settled_world() })
    };
    let clouds = [project(SHOP, 1), project(BOOKS, 2)];
    let gate = gate(
        clouds
            .iter()
            .map(|cloud| (cloud.functions()[0].project_id().to_owned(), cloud.url.clone())),
    );
    (clouds, gate)
}

/// An address that passes each connection on to the cloud of the project that its first request is
/// about. Sources share no connection.
fn gate(clouds: impl Iterator<Item = (String, String)>) -> String {
    let clouds: Vec<(String, String)> = clouds.collect();
    let gate = Listener::new(move |_, caller| {
        let mut head = [0; 256];
        let length = caller.peek(&mut head)?;
        let head = String::from_utf8_lossy(&head[..length]);
        let about = |project: &str| head.contains(&format!("/v2/{project}/"));
        // A connection that was opened ahead may end without a request.
        let Some((_, address)) = clouds.iter().find(|(project, _)| about(project)) else {
            return Ok(());
        };
        join(caller, TcpStream::connect(address.trim_start_matches("http://"))?)
    });
    gate.url()
}

#[test]
fn two_projects_of_one_region_are_two_sources_of_a_run() {
    let (home, ([shop, books], gate)) = (Home::new(), projects());
    let at_gate = |command: &str, clouds: &[&Cloud]| {
        about(&home, command, clouds).env("HUAWEICLOUD_SDK_REGION_FUNCTIONGRAPH_CN_NORTH_4", &gate)
    };
    let whole = alone(&shop);
    books.emulator.set_faults(Faults::rule(Rule::from(Fault::Status {
        code: 401,
        body: BodyKind::default(),
    })));
    let refused = at_gate("sync", &[&shop, &books])
        .args(["--json"])
        .exits(4)
        .says(&format!("{NORTH}/{BOOKS}: "));
    let expected = [
        format!("{NORTH}/{SHOP} complete 0 {}", whole.len()),
        format!("{NORTH}/{BOOKS} denied 4 0"),
    ];
    assert_eq!(told(&refused.json()), expected);
    assert_eq!(archive::records(&home.db()), whole);
    assert_eq!(books.journal().total(), 1, "a refused key is shown once");
    books.emulator.set_faults(Faults::none());
    at_gate("sync", &[&shop, &books]).exits(0);
    let mut both = whole;
    both.extend(alone(&books));
    assert_eq!(archive::records(&home.db()), both);
    let kept = "SELECT name, outcome FROM run_sources ORDER BY id DESC LIMIT 2";
    let expected = [format!("{NORTH}/{BOOKS}|complete"), format!("{NORTH}/{SHOP}|complete")];
    assert_eq!(archive::rows(&home.db(), kept), expected);
    at_gate("doctor", &[&shop, &books])
        .exits(2)
        .says(&format!("the functions lie in several projects: {SHOP}, {BOOKS}"));
    let report = at_gate("sync", &[&shop]).args(["--json"]).exits(0).json();
    assert_eq!(
        told(&report),
        [format!("{NORTH} complete 0 0")],
        "a single project is named by its region"
    );
}
