//! `sync --every`: one run after the other in one process, as a service of systemd; and
//! `--max-duration`, after which the next run goes on.

use crate::cloud::{Cloud, settled_world};
use crate::program::{Home, Program};
use fgarchive::emulator::Fault;
use pretty_assertions::assert_eq;
use serde_json::Value;
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

/// How long a test waits for what comes within seconds.
const PATIENCE: Duration = Duration::from_mins(1);

/// The other end of what a service tells systemd.
struct Manager(UnixDatagram);

impl Manager {
    fn new(home: &Home) -> Self {
        let socket = UnixDatagram::bind(home.join("notify")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    /// Waits for the next thing that is told of this kind.
    fn hears(&self, kind: &str) -> String {
        let began = Instant::now();
        let mut bytes = [0; 4096];
        while began.elapsed() < PATIENCE {
            let length = self.0.recv(&mut bytes).unwrap();
            let said = std::str::from_utf8(&bytes[..length]).unwrap().trim();
            if let Some(rest) = said.strip_prefix(kind) {
                return rest.to_owned();
            }
        }
        panic!("`{kind}` was never told");
    }
}

fn stays(home: &Home, cloud: &Cloud, every: &str) -> Program {
    home.sync_since(cloud, "2d")
        .args(["--every", every, "--json"])
        .env("NOTIFY_SOCKET", home.join("notify"))
}

/// The runs that were printed, an object a line.
fn runs(stdout: &str) -> Vec<Value> {
    stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn runs_follow_each_other_until_it_is_told_to_stop() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let manager = Manager::new(&home);
    let service = stays(&home, &cloud, "1s").env("WATCHDOG_USEC", "300000").start();
    manager.hears("READY=1");
    for number in 1..=3 {
        let told = manager.hears("STATUS=run ");
        assert!(
            told.starts_with(&format!("{number} complete; the next run begins at 20")),
            "{told}"
        );
    }
    // Of a third of the time after which systemd ends a service without a sign of life.
    manager.hears("WATCHDOG=1");
    service.signal("TERM");
    manager.hears("STOPPING=1");
    let said = service.wait();
    assert_eq!(said.code(), 0, "{}", said.stderr);
    let runs = runs(&said.stdout);
    assert!(runs.len() >= 3 && runs.iter().all(|run| run["exit_code"] == 0), "{}", said.stdout);
    assert!(runs[0]["records_new"].as_u64() > Some(0) && runs[1]["records_new"] == 0);
}

#[test]
fn a_reload_begins_a_run_with_the_settings_as_they_are_by_then() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let manager = Manager::new(&home);
    fs::write(home.join("own.pem"), fs::read(authority()).unwrap()).unwrap();
    let service = stays(&home, &cloud, "1h").args(["--ca-cert", "own.pem"]).start();
    assert!(manager.hears("STATUS=run ").starts_with("1 complete"));
    fs::write(home.join("own.pem"), "no certificate").unwrap();
    service.signal("HUP");
    assert!(manager.hears("STATUS=no run: ").starts_with("cannot use the certificates"));
    fs::write(home.join("own.pem"), fs::read(authority()).unwrap()).unwrap();
    service.signal("HUP");
    assert!(manager.hears("STATUS=run ").starts_with("2 complete"));
    service.signal("INT");
    let said = service.wait();
    assert_eq!((said.code(), runs(&said.stdout).len()), (0, 2), "{}", said.stderr);
    assert_eq!(said.stderr.matches("error: cannot use the certificates").count(), 1);
}

fn authority() -> std::path::PathBuf {
    std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls/ca.pem")
}

/// Somebody else's run, and one that nobody answers, end nothing; the second makes pauses longer.
#[test]
fn runs_in_vain_are_told_and_followed_by_a_pause() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let manager = Manager::new(&home);
    let held = fgarchive::store::file::Archive::open(&home.db()).unwrap();
    let service = stays(&home, &cloud, "1s").env("HUAWEICLOUD_SDK_SK", "of-somebody-else").start();
    let told = manager.hears("STATUS=no run: ");
    assert!(told.starts_with("cannot begin a run on the archive"), "{told}");
    drop(held);
    let told = manager.hears("STATUS=run ");
    assert!(told.starts_with("1 "), "{told}");
    service.signal("TERM");
    let said = service.wait();
    assert_eq!(said.code(), 0, "{}", said.stderr);
    assert!(said.stderr.contains("nothing answers: the next run begins at"), "{}", said.stderr);
}

/// Whoever starts it stands by.
#[test]
fn settings_that_are_wrong_at_the_beginning_end_it() {
    let home = Home::new();
    home.run(["sync", "--every", "5m", "--function", "f", "--region", "a b"]).signed().exits(2);
    for (value, said) in
        [("100ms", "it is shorter than 1s"), ("-5m", "--every"), ("soon", "--every")]
    {
        home.run(["sync", "--all-functions", "--every", value]).exits(2).says(said);
    }
}

/// Many functions at a slow pace: no run has time for all, and each begins where the one before
/// ended.
#[test]
fn a_run_ends_in_time_and_the_next_one_begins_with_who_was_left() {
    let mut world = settled_world();
    world.functions = 9;
    let (home, cloud) = (Home::new(), Cloud::new(world));
    let short = || home.sync_at(6, &cloud).args(["--since", "2d", "--concurrency", "1", "--json"]);
    let mut left = Vec::new();
    for _ in 0..20 {
        let said = short().args(["--max-duration", "2s"]).output();
        assert!(said.took < Duration::from_secs(30), "{:?}", said.took);
        assert!([0, 3].contains(&said.code()), "{}", said.stderr);
        let run = said.json();
        let functions = run["functions"].as_array().unwrap();
        left.push(functions.iter().filter(|function| function["complete"] == false).count());
        let is_covered = home.run(["query", "coverage", "--format", "json"]).exits(0).json();
        let names: std::collections::BTreeSet<&str> = is_covered
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["state"] == "settled")
            .filter_map(|row| row["function"].as_str())
            .collect();
        if names.len() == 9 {
            break;
        }
        assert_eq!(said.code(), 3, "{}", said.stderr);
        assert!(said.stderr.contains("the time for the run was over before"), "{}", said.stderr);
    }
    assert!(left.len() > 2 && left.len() < 20, "{left:?}");
}

/// A service that answers nothing until the time is over: what it has was not even listed.
#[test]
fn a_run_whose_time_ends_before_it_knows_what_to_do_is_not_complete() {
    let cases = [
        ("--all-functions", "before it was known what there is to do"),
        ("--function=default:orders", "before 1 of one function were done"),
    ];
    for (selection, said) in cases {
        let cloud = Cloud::new(settled_world()).struck_by(Fault::Silent);
        let run = ["sync", selection, "--max-duration", "2s", "--json"];
        let ended = Home::new().run(run).signed().to(&cloud).exits(3);
        assert_eq!(ended.json()["outcome"], "incomplete");
        ended.says(&format!("the time for the run was over {said}"));
    }
}
