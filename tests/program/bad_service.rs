//! A service that answers with something else, with half of it, or not at all.

use crate::archive;
use crate::cloud::{Cloud, settled_world};
use crate::program::{Home, Program};
use crate::truth;
use fgarchive::emulator::{BodyKind, Fault, Faults, Framing, RouteName, Rule};
use std::time::Duration;

/// A run of one function, with which every case of lasting trouble ends.
fn one(home: &Home, cloud: &Cloud) -> Program {
    home.run(["sync", "--function", "order-export", "--max-rps", "100000"]).signed().to(cloud)
}

#[test]
fn what_lasts_ends_the_run_and_the_next_one_completes_it() {
    let cases: Vec<(&str, Fault, &str)> = vec![
        (
            "html",
            Fault::Status { code: 200, body: BodyKind::Html },
            "the answer is broken (HTTP 200",
        ),
        (
            "html as a failure",
            Fault::Status { code: 503, body: BodyKind::Html },
            "the service is unavailable (HTTP 503",
        ),
        (
            "nothing",
            Fault::Status { code: 200, body: BodyKind::Empty },
            "the answer is broken (HTTP 200",
        ),
        ("cut", Fault::Cut(Framing::Length), "the answer is broken (HTTP 200"),
        ("cut in chunks", Fault::Cut(Framing::Chunked), "the answer is broken (HTTP 200"),
        ("garbled", Fault::Garbled, "the answer is broken (HTTP 200"),
        ("reset", Fault::Reset, "the service cannot be reached"),
        ("internal", Fault::Status { code: 500, body: BodyKind::Json }, "(HTTP 500, FSS.0500"),
        (
            "throttled",
            Fault::Throttled { retry_after: None },
            "the service asks to slow down (HTTP 429, APIGW.0308",
        ),
    ];
    // The waits between tries take seconds, so the cases wait side by side.
    std::thread::scope(|scope| {
        for (name, fault, message) in cases {
            scope.spawn(move || {
                let (home, cloud) = (Home::new(), Cloud::new(settled_world()).struck_by(fault));
                let said = one(&home, &cloud)
                    .exits(3)
                    .says("error: cannot list invocations of `default:order-export`: ");
                assert!(
                    said.stderr.contains(message) && said.stderr.contains("\nhint: "),
                    "{name}: {}",
                    said.stderr
                );
                assert!(said.took < Duration::from_secs(40), "{name}: {:?}", said.took);
                let asked = cloud.listings();
                assert!((2..=10).contains(&asked), "{name}: asked {asked} times");
                assert!(
                    archive::records(&home.db()).is_empty()
                        && archive::rows(&home.db(), "SELECT * FROM windows").is_empty(),
                    "{name}"
                );
                cloud.emulator.set_faults(Faults::none());
                home.sync(&cloud).exits(0);
                truth::assert_whole(&cloud, &home.db());
            });
        }
    });
}

#[test]
fn a_service_that_never_answers_is_waited_for_as_long_as_was_said() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()).struck_by(Fault::Silent));
    let said = one(&home, &cloud)
        .args(["--request-timeout", "1s"])
        .exits(3)
        .says("the answer took too long");
    assert!(
        (Duration::from_secs(5)..Duration::from_secs(40)).contains(&said.took),
        "{:?}",
        said.took
    );
}

#[test]
fn nobody_at_the_address_is_unreachable() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    // Nobody listens on the port of a service that has gone.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let program = one(&home, &cloud).env("FGARCHIVE_ENDPOINT", gone);
    program.exits(3).says("the service cannot be reached").says("hint: check --endpoint");
}

/// What was fetched before the trouble began is kept, and proven where its windows were whole.
#[test]
fn trouble_in_the_middle_keeps_what_came_before() {
    let (home, cloud) = (Home::new(), Cloud::new(crate::kills::many_pages_world()));
    let later = Rule { on: Some(RouteName::Invocations), skip: 12, ..Fault::Garbled.into() };
    cloud.emulator.set_faults(Faults::rule(later));
    one(&home, &cloud).exits(3).says("the answer is broken");
    let kept = archive::number(&home.db(), "SELECT count(*) FROM invocations");
    assert!(kept > 2_000, "{kept} records are kept");
    home.run(["check"]).exits(0);
    cloud.emulator.set_faults(Faults::none());
    cloud.emulator.forget();
    home.sync(&cloud).exits(0);
    truth::assert_whole(&cloud, &home.db());
}

/// A mistyped name is told, and does not keep `status` alarmed for good.
#[test]
fn a_function_that_the_service_never_knew_is_not_kept() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let mistyped = ["sync", "--function", "thumbnal", "--max-rps", "100000"];
    home.run(mistyped).signed().to(&cloud).exits(3).says("`default:thumbnal`: it was not found");
    home.sync(&cloud).exits(0);
    home.run(["status", "--max-age", "1h"]).exits(0);
    assert_eq!(
        crate::archive::number(
            &home.db(),
            "SELECT count(*) FROM functions WHERE name = 'thumbnal'"
        ),
        0
    );
}

#[test]
fn an_unknown_function_does_not_stop_the_good_ones() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let names = ["order-export", "no-such-function", "thumbnail", "billing:invoice-mail"];
    let args = names.iter().flat_map(|name| ["--function", name]);
    let said =
        home.run(["sync", "--max-rps", "100000", "--json"]).args(args).signed().to(&cloud).exits(3);
    let said = said
        .says(
            "error: cannot list invocations of `default:no-such-function`: it was not found (HTTP \
             404, FSS.0404",
        )
        .says("request id ")
        .says("\nhint: check the function's URN");
    let complete: Vec<_> = said.json()["functions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|function| function["complete"].as_bool().unwrap())
        .collect();
    assert_eq!(complete, [true, false, true, true]);
    truth::assert_whole(&cloud, &home.db());
}

#[test]
fn a_proxy_is_not_asked_for_this_machine() {
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
        let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
        home.sync(&cloud).env(name, "http://127.0.0.1:9").exits(0);
        truth::assert_whole(&cloud, &home.db());
    }
}
