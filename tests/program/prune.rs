//! `prune` and `compact`: what is old goes, what it sums up to stays, and the file gets smaller.

use crate::archive;
use crate::cloud::{Cloud, later, now, pause};
use crate::program::Home;
use fgarchive::emulator::WorldSpec;
use rusqlite::Connection;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

const DAY: i64 = 86_400;

/// Six days of records, the last of them a day ago, and nothing that changes any more.
fn archived() -> (Home, Cloud) {
    let world = WorldSpec {
        records: 3_000,
        functions: 2,
        span: 6 * 86_400,
        slow: 0,
        ..WorldSpec::new(later(now(), -DAY))
    };
    let (home, cloud) = (Home::new(), Cloud::new(world));
    home.sync_since(&cloud, "8d").exits(0);
    (home, cloud)
}

fn count(home: &Home, sql: &str) -> i64 {
    archive::number(&home.db(), sql)
}

const RECORDS: &str = "SELECT count(*) FROM invocations";

/// What clocks of whole hours and days tell: nothing of it is read from a single record.
fn sums(home: &Home) -> Vec<String> {
    let throughput = home.run(["query", "throughput", "--format", "csv"]).exits(0);
    let latency = home.run(["query", "latency", "--format", "csv"]).exits(0);
    vec![throughput.stdout, latency.stdout]
}

#[test]
fn old_days_go_when_that_is_asked_for_and_their_sums_stay() {
    let (home, cloud) = archived();
    let (before, sums_before) = (count(&home, RECORDS), sums(&home));
    let kept = home.kept();
    let dry = home.run(["prune", "--keep", "3d", "--json"]).exits(0).json();
    assert_eq!((&dry["applied"], &dry["functions"].as_array().unwrap().len()), (&false.into(), &2));
    assert!(home.kept() == kept, "a dry run changed something");
    let told = |command: &[&str]| home.run(command.iter().copied()).exits(0).stdout;
    let dry_told = told(&["prune", "--keep", "3d"]);
    assert!(dry_told.contains("\nwould prune ") && dry_told.ends_with("; --apply does it\n"));
    let applied = home.run(["prune", "--keep", "3d", "--json", "--apply"]).exits(0).says("").json();
    let removed = applied["records"].as_i64().unwrap();
    assert!(removed > 0 && dry["records"] == applied["records"], "{applied}");
    assert_eq!(count(&home, RECORDS), before - removed);
    assert_eq!(sums(&home), sums_before);
    home.run(["check"]).exits(0);
    let again = home.run(["prune", "--keep", "3d", "--json", "--apply"]).exits(0).json();
    assert_eq!(again["records"], 0);
    let status = home.run(["status", "--json"]).exits(0).json();
    let of = |field: &str| {
        let functions = status["functions"].as_array().unwrap();
        functions.iter().map(|it| it["pruned"][field].as_i64().unwrap()).sum::<i64>()
    };
    assert_eq!(of("records"), removed);
    let line = format!("\npruned: {removed} records of 2 functions, from before ");
    assert!(told(&["status"]).contains(&line));
    assert!(told(&["query", "coverage"]).contains("  pruned  "));
    home.run(["query", "failures"]).exits(0).says("were pruned: what this report tells of single");
    let half = "2020-01-01T00:00:00Z";
    let whole = home.run(["query", "throughput", "--since", half]).exits(0);
    assert_eq!(whole.stderr, "");
    // Nobody asks for pruned days again, calls them lost, or takes them for gone.
    home.run(["verify"]).to(&cloud).signed().exits(0);
    home.sync_since(&cloud, "8d").exits(0);
    assert_eq!(count(&home, RECORDS), before - removed);
    assert_eq!(count(&home, "SELECT count(*) FROM gaps"), 0);
    home.run(["check"]).exits(0);
    // An earlier copy is one still.
    home.run(["backup", "copy.db"]).exits(0);
}

#[test]
fn an_earlier_copy_with_the_pruned_records_is_replaced() {
    let (home, _cloud) = archived();
    home.run(["backup", "copy.db"]).exits(0);
    home.run(["prune", "--keep", "2d", "--apply"]).exits(0);
    home.run(["backup", "copy.db"]).exits(0);
    assert_eq!(archive::number(&home.join("copy.db"), RECORDS), count(&home, RECORDS));
}

#[test]
fn what_cannot_be_pruned_is_refused() {
    let (home, _cloud) = archived();
    home.run(["prune"]).exits(2).says("--keep");
    home.run(["prune", "--keep", "1h"]).exits(2).says("it is less than a day");
    home.run(["prune", "--keep", "3d", "--function", "nobody:*"]).exits(2).says("nobody:*");
    home.run(["--db", "none.db", "prune", "--keep", "3d", "--apply"]).exits(6);
    let held = fs::File::options().write(true).open(home.join("fgarchive.db.lock")).unwrap();
    held.lock().unwrap();
    home.run(["prune", "--keep", "3d", "--apply"]).exits(5);
    home.run(["compact"]).exits(5);
    home.run(["prune", "--keep", "3d"]).exits(0);
}

#[test]
fn a_compacted_archive_is_smaller_holds_the_same_and_is_as_private() {
    let (home, cloud) = archived();
    home.run(["prune", "--keep", "2d", "--apply"]).exits(0);
    fs::set_permissions(home.db(), fs::Permissions::from_mode(0o640)).unwrap();
    let (records, told) = (archive::records(&home.db()), sums(&home));
    let before = fs::metadata(home.db()).unwrap().len();
    let dry = home.run(["compact", "--dry-run"]).exits(0);
    assert!(dry.stdout.ends_with(" MiB are in use\n"), "{}", dry.stdout);
    assert_eq!(fs::metadata(home.db()).unwrap().len(), before);
    let compacted = home.run(["compact", "--json"]).exits(0).says("").json();
    let after = fs::metadata(home.db()).unwrap().len();
    assert!(after < before, "{after} of {before} bytes");
    assert_eq!(compacted["bytes_after"], after);
    assert_eq!(fs::metadata(home.db()).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!((archive::records(&home.db()), sums(&home)), (records, told));
    home.run(["check"]).exits(0);
    home.sync_since(&cloud, "8d").exits(0);
    let names = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| !name.to_string_lossy().contains("partial")));
}

/// SQLite would play a log of one file into the other.
#[test]
fn an_archive_that_somebody_reads_is_not_exchanged_under_them() {
    let (home, _cloud) = archived();
    let reader = Connection::open(home.db()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM runs").unwrap();
    let mut compacting = home.run(["compact"]).start();
    compacting.until("the new file waits", |_| fs::read_dir(home.path()).unwrap().count() > 4);
    home.run(["status"]).exits(0);
    // Many times as long as it takes to write the file, so that it waits for the reader by now.
    pause(Duration::from_secs(2));
    assert!(!compacting.has_ended());
    drop(reader);
    compacting.wait().exits(0);
    home.run(["check"]).exits(0);
}

#[test]
fn a_link_leads_to_the_compacted_file_and_a_second_name_is_refused() {
    let (home, _cloud) = archived();
    symlink("fgarchive.db", home.join("link.db")).unwrap();
    home.run(["--db", "link.db", "compact"]).exits(0);
    assert!(home.join("link.db").is_symlink() && !home.db().is_symlink());
    fs::hard_link(home.db(), home.join("second.db")).unwrap();
    home.run(["compact"]).exits(6).says("hard links");
}

#[test]
fn an_archive_that_breaks_its_rules_is_not_compacted() {
    let (home, _cloud) = archived();
    Connection::open(home.db()).unwrap().execute_batch("DELETE FROM digests").unwrap();
    let before = fs::metadata(home.db()).unwrap().len();
    home.run(["compact"]).exits(7).says("breaks its rules, and was not compacted");
    assert_eq!(fs::metadata(home.db()).unwrap().len(), before);
}
