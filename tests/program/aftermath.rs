//! What a run leaves for other programs, however it ends: `--summary-file`, `--metrics-file`; and
//! `--lock-wait`.

use crate::cloud::{Cloud, pause, settled_world};
use crate::program::{Home, Program};
use fgarchive::store::file::Archive;
use pretty_assertions::assert_eq;
use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::{Duration, Instant};

const FILES: [&str; 4] = ["--summary-file", "run.json", "--metrics-file", "fgarchive.prom"];

fn watched(home: &Home, cloud: &Cloud) -> Program {
    home.sync_since(cloud, "2d").args(FILES)
}

fn summary(home: &Home) -> Value {
    serde_json::from_slice(&fs::read(home.join("run.json")).unwrap()).unwrap()
}

/// The values of metrics by name, those of functions without their labels.
fn metrics(home: &Home) -> HashMap<String, i64> {
    let text = fs::read_to_string(home.join("fgarchive.prom")).unwrap();
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        let name = name.split('{').next().unwrap().strip_prefix("fgarchive_").unwrap();
        (name.to_owned(), value.parse().unwrap())
    };
    samples.map(sample).collect()
}

#[test]
fn a_good_run_and_a_bad_one_are_told_apart() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let printed = watched(&home, &cloud).args(["--json"]).exits(0).stdout;
    let told = summary(&home);
    assert_eq!(told["run"], serde_json::from_str::<Value>(&printed).unwrap());
    assert_eq!(
        (&told["exit_code"], &told["error"], &told["version"]),
        (&0.into(), &Value::Null, &1.into())
    );
    let good = metrics(&home);
    assert_eq!((good["last_run_exit_code"], good["functions"]), (0, 3));
    assert_eq!(good["last_run_requests"], told["run"]["requests"].as_i64().unwrap());
    assert_eq!(
        good["archive_bytes"],
        i64::try_from(fs::metadata(home.db()).unwrap().len()).unwrap()
    );
    assert!(good["records"] > 0 && good["covered_through_timestamp_seconds"] > 0, "{good:?}");
    assert!(good["last_good_run_timestamp_seconds"] <= good["last_run_timestamp_seconds"]);
    let mode = |name: &str| fs::metadata(home.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("run.json"), mode("fgarchive.prom")), (0o600, 0o644));

    watched(&home, &cloud).args(["--function", "no:such"]).exits(3);
    let (told, bad) = (summary(&home), metrics(&home));
    assert_eq!((&told["exit_code"], bad["last_run_exit_code"]), (&3.into(), 3));
    assert!(told["error"].is_string(), "{told}");
    // What the archive holds is told as before, and when the last good run was.
    for name in ["records", "last_good_run_timestamp_seconds", "covered_through_timestamp_seconds"]
    {
        assert_eq!(bad[name], good[name], "{name}");
    }
}

#[test]
fn a_run_that_cannot_begin_is_told_as_well() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    fs::write(home.db(), "no archive").unwrap();
    watched(&home, &cloud).exits(6);
    let told = summary(&home);
    assert_eq!((&told["exit_code"], &told["run"]), (&6.into(), &Value::Null));
    let bad = metrics(&home);
    assert_eq!((bad["last_run_exit_code"], bad["last_run_requests"]), (6, 0));
    assert!(!bad.contains_key("records"), "{bad:?}");
}

#[test]
fn files_that_cannot_be_written_fail_no_run() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let gone = ["--summary-file", "gone/run.json", "--metrics-file", "gone/fgarchive.prom", "-q"];
    let said = home.sync_since(&cloud, "2d").args(gone).exits(0);
    let said = said.says("cannot write `gone/run.json`: there is no directory `gone`");
    said.says("cannot write `gone/fgarchive.prom`: there is no directory `gone`");
    let named = home.sync_since(&cloud, "2d").args(["--metrics-file", "fgarchive.txt"]);
    named.exits(2).says("the name must end in `.prom`");
}

#[test]
fn a_run_waits_for_another_as_long_as_it_may() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let held = Archive::open(&home.db()).unwrap();
    let begun = Instant::now();
    home.sync_since(&cloud, "2d").args(["--lock-wait", "600ms"]).exits(5);
    assert!(begun.elapsed() >= Duration::from_millis(600), "it did not wait");
    let free = thread::spawn(move || {
        pause(Duration::from_secs(1));
        drop(held);
    });
    home.sync_since(&cloud, "2d").args(["--lock-wait", "1m"]).exits(0);
    free.join().unwrap();
}
