//! SIGKILL at random moments, SIGINT, SIGTERM and SIGHUP, and two runs at once.

use crate::archive;
use crate::cloud::{Cloud, now, pause, settled_world};
use crate::program::{BINARY, Home};
use crate::truth;
use fastrand::Rng;
use fgarchive::emulator::{Fault, Readings, WorldSpec};
use std::process::Command;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;

/// Kills at random moments, over several archives, so many of which are filled side by side: each
/// run mostly waits for its turn to ask.
const KILLS: usize = 36;
const SIDE_BY_SIDE: usize = 4;

/// A run over every function and three days.
const ALL_SINCE: [&str; 6] = ["sync", "--all-functions", "--max-rps", "100000", "--since", "3d"];

/// After so many kills of one archive a run has at least the time that an undisturbed one takes:
/// where the last page of a window comes late in it, hardly a run would come so far.
const PATIENCE: f64 = 12.0;

/// Requests a second at which a run over [`many_pages`] makes several commits on the fastest of
/// machines: one is made every half a second, and there are some 2,400 pages.
pub(crate) const SEVERAL_COMMITS: u32 = 1_600;

/// Small pages, so that there are many.
pub(crate) fn many_pages() -> Cloud {
    Cloud::reading(many_pages_world(), Readings { page_cap: Some(6), ..Readings::default() })
}

pub(crate) fn many_pages_world() -> WorldSpec {
    WorldSpec { records: 12_000, functions: 3, ..settled_world() }
}

/// What two archives of the same world share, whichever runs filled them.
fn content(home: &Home) -> (archive::Records, Vec<String>, Vec<String>) {
    // What one run found empty waits for another to settle it; how often that was depends on the
    // kills.
    let windows = "SELECT function_id, min(begin_time), max(end_time),
                       sum(unixepoch(end_time) - unixepoch(begin_time))
                     FROM windows
                    WHERE state = 'settled' OR (distinct_count = 0
                        AND unixepoch(walked_at) - unixepoch(end_time) >= 900)
                    GROUP BY 1 ORDER BY 1";
    let changes = "SELECT request_id, from_status, to_status FROM status_changes ORDER BY 1";
    (
        archive::records(&home.db()),
        archive::rows(&home.db(), windows),
        archive::rows(&home.db(), changes),
    )
}

#[test]
fn killed_at_any_moment_and_run_again_it_equals_an_undisturbed_archive() {
    let cloud = many_pages();
    // An age would begin each run's horizon elsewhere.
    let since = crate::cloud::later(now(), -3 * 86_400).to_string();
    let undisturbed = Home::in_memory();
    let whole =
        undisturbed.sync_at(SEVERAL_COMMITS, &cloud).args(["--since", &since]).exits(0).took;
    let (killed, halfway) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let fill = |seed: u64| {
        let (mut rng, home) = (Rng::with_seed(seed), Home::in_memory());
        let mut of_this = 0;
        while kill_or_complete(
            &home,
            &cloud,
            &since,
            whole.mul_f64(rng.f64() + f64::from(of_this) / PATIENCE),
        ) {
            of_this += 1;
            killed.fetch_add(1, Relaxed);
            if check_what_it_left(&home, &cloud) {
                let records = archive::number(&home.db(), "SELECT count(*) FROM invocations");
                halfway.fetch_add(usize::from((1..12_000).contains(&records)), Relaxed);
            }
        }
        home.run(["check"]).exits(0);
        truth::assert_whole(&cloud, &home.db());
        assert!(content(&home) == content(&undisturbed), "seed {seed}");
        assert_eq!(archive::number(&home.db(), "SELECT count(*) FROM late_records"), 0);
    };
    thread::scope(|scope| {
        for first in 0..SIDE_BY_SIDE {
            let (fill, killed) = (&fill, &killed);
            scope.spawn(move || {
                let seeds = (first as u64..).step_by(SIDE_BY_SIDE);
                seeds.take_while(|_| killed.load(Relaxed) < KILLS).for_each(fill);
            });
        }
    });
    let (killed, halfway) = (killed.into_inner(), halfway.into_inner());
    assert!(halfway >= 5, "{halfway} of {killed} kills left an archive that was partly filled");
}

/// Begins a run and kills it after so long; false when it was complete by then.
fn kill_or_complete(home: &Home, cloud: &Cloud, since: &str, after: Duration) -> bool {
    let run = home.sync_at(SEVERAL_COMMITS, cloud).args(["--since", since]).start();
    pause(after);
    run.signal("KILL");
    match run.wait().code() {
        -9 => true,
        0 => false,
        code => panic!("exit {code}"),
    }
}

/// Checks what a killed run left; false when it had not committed its first transaction, the one
/// that makes the schema.
fn check_what_it_left(home: &Home, cloud: &Cloud) -> bool {
    let begun =
        home.db().exists() && archive::number(&home.db(), "SELECT count(*) FROM sqlite_schema") > 0;
    home.run(["check"]).exits(if begun { 0 } else { 6 });
    if begun {
        truth::assert_missing_is_told(cloud, &home.db());
    }
    begun
}

/// Killed while it is about to commit: a write-ahead log that grows says that a commit is under
/// way.
#[test]
fn killed_in_the_middle_of_a_commit_it_equals_an_undisturbed_archive() {
    let cloud = many_pages();
    let mut caught = 0;
    for seed in 0..6 {
        let home = Home::in_memory();
        let mut run = home.sync_since(&cloud, "3d").start();
        let log = home.join("fgarchive.db-wal");
        let size = || std::fs::metadata(&log).map_or(0, |log| log.len());
        run.until("its log grows", |_| size() > 200_000 + seed * 300_000);
        run.signal("KILL");
        caught += usize::from(run.wait().code() == -9);
        check_what_it_left(&home, &cloud);
        home.sync_since(&cloud, "3d").exits(0);
        truth::assert_whole(&cloud, &home.db());
        home.run(["check"]).exits(0);
    }
    assert!(caught > 0);
}

#[test]
fn told_to_stop_it_keeps_what_it_fetched() {
    for signal in ["INT", "TERM", "HUP"] {
        let (home, cloud) = (Home::in_memory(), many_pages().struck_by(Fault::Latency { ms: 10 }));
        // Whoever runs the tests in the background has INT ignored, and a program keeps it so.
        let mut heeding = Command::new("env");
        heeding.args(["--default-signal=INT,TERM,HUP", BINARY]);
        let mut run = home.run_as(heeding, ALL_SINCE).signed().to(&cloud).start();
        run.until("some pages are asked", |_| cloud.listings() > 40);
        run.signal(signal);
        let said = run
            .wait()
            .exits(130)
            .says("the run was interrupted; what it fetched is kept")
            .says("hint: run it again");
        assert!(said.took < Duration::from_secs(10), "{:?}", said.took);
        let kept = archive::number(&home.db(), "SELECT count(*) FROM invocations");
        assert!(kept >= 100, "{kept} records of 40 pages are kept");
        assert_eq!(
            archive::rows(&home.db(), "SELECT outcome, exit_code FROM runs"),
            ["interrupted|130"]
        );
        cloud.emulator.set_faults(fgarchive::emulator::Faults::none());
        home.sync_since(&cloud, "3d").exits(0);
        truth::assert_whole(&cloud, &home.db());
    }
}

/// As under `nohup`: what is ignored when it begins stays so.
#[test]
fn a_signal_that_is_ignored_stops_no_run() {
    let (home, cloud) = (Home::in_memory(), many_pages().struck_by(Fault::Latency { ms: 10 }));
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' HUP; exec \"$0\" \"$@\"", BINARY]);
    let mut run = home.run_as(shell, ALL_SINCE).signed().to(&cloud).start();
    run.until("some pages are asked", |_| cloud.listings() > 40);
    run.signal("HUP");
    pause(Duration::from_millis(300));
    cloud.emulator.set_faults(fgarchive::emulator::Faults::none());
    run.wait().exits(0);
    truth::assert_whole(&cloud, &home.db());
}

#[test]
fn a_run_that_waits_for_a_silent_service_stops_when_told() {
    let (home, cloud) = (Home::in_memory(), Cloud::new(settled_world()).struck_by(Fault::Silent));
    let mut run = home.sync(&cloud).start();
    run.until("it asks", |_| cloud.journal().total() > 0);
    run.signal("TERM");
    let said = run.wait().exits(130);
    assert!(said.took < Duration::from_secs(5), "{:?}", said.took);
}

#[test]
fn a_second_run_leaves_at_once_and_a_killed_one_blocks_nobody() {
    let (home, cloud) = (Home::in_memory(), Cloud::new(settled_world()));
    home.sync(&cloud).exits(0);
    cloud.emulator.set_faults(fgarchive::emulator::Faults::rule(Fault::Silent.into()));
    let mut first = home.sync(&cloud).start();
    cloud.emulator.forget();
    first.until("it asks", |_| cloud.journal().total() > 0);
    let (before, asked) = (home.kept(), cloud.journal().total());
    let second = home
        .sync(&cloud)
        .exits(5)
        .says("cannot begin a run on the archive `fgarchive.db`: another run holds it");
    assert!(second.took < Duration::from_secs(3), "{:?}", second.took);
    assert_eq!(cloud.journal().total(), asked, "the second run asked the service");
    assert!(home.kept() == before, "the second run changed something");
    // Readers are not held up.
    home.run(["status"]).exits(0);
    home.run(["query", "summary"]).exits(0);
    first.signal("KILL");
    first.wait().exits(-9);
    cloud.emulator.set_faults(fgarchive::emulator::Faults::none());
    home.sync(&cloud).exits(0);
    home.run(["check"]).exits(0);
}
