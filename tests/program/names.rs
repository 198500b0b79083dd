//! One archive by all its names, what is no name of an archive, and what became of a file between
//! two looks.

use crate::archive;
use crate::cloud::{Cloud, settled_world};
use crate::kills::many_pages;
use crate::program::{BINARY, Home, Program, Said};
use crate::truth;
use fgarchive::emulator::{Fault, Faults};
use rusqlite::Connection;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

const READERS: [&[&str]; 4] =
    [&["status"], &["query", "summary"], &["check"], &["backup", "elsewhere.db"]];

fn synced() -> (Home, Cloud) {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    home.sync_since(&cloud, "2d").exits(0);
    (home, cloud)
}

fn make_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Links to the archive and other spellings of its path.
fn names(home: &Home) -> Vec<String> {
    fs::create_dir(home.join("there")).unwrap();
    symlink("fgarchive.db", home.join("link.db")).unwrap();
    symlink("link.db", home.join("chain.db")).unwrap();
    symlink(home.path(), home.join("there/back")).unwrap();
    let whole = home.db().display().to_string();
    let spelled = [
        "fgarchive.db",
        "./fgarchive.db",
        "there/../fgarchive.db",
        "link.db",
        "chain.db",
        "there/back/fgarchive.db",
    ];
    spelled.iter().map(|&name| name.to_owned()).chain([format!("/{whole}"), whole]).collect()
}

#[test]
fn all_names_of_an_archive_are_one_archive() {
    let (home, cloud) = (Home::new(), many_pages().struck_by(Fault::Latency { ms: 5 }));
    let names = names(&home);
    // By a link that leads to nothing yet.
    let mut run = home.sync_since(&cloud, "3d").args(["--db", "chain.db"]).start();
    run.until("it commits", |_| {
        home.run(["status"]).output().code() == 0
            && archive::number(&home.db(), "SELECT count(*) FROM invocations") > 0
    });
    for name in &names {
        home.sync(&cloud).args(["--db", name]).exits(5).says("another run holds it");
    }
    run.signal("KILL");
    run.wait().exits(-9);
    let count = "SELECT count(*) AS n FROM invocations";
    let counts: Vec<String> = names
        .iter()
        .map(|name| {
            home.run(["--db", name, "query", "sql", count, "--format", "csv"]).exits(0).stdout
        })
        .collect();
    assert!(counts.iter().all(|each| *each == counts[0]), "{counts:?}");
    for name in &names {
        assert!(!home.join(&format!("{name}-wal")).is_symlink());
    }
    let logs = home
        .bytes()
        .into_iter()
        .filter(|(path, _)| path.to_string_lossy().ends_with("-wal"))
        .count();
    assert_eq!(logs, 1, "one file has one log");
    cloud.emulator.set_faults(Faults::none());
    home.sync_since(&cloud, "3d").args(["--db", "there/back/link.db"]).exits(0);
    truth::assert_whole(&cloud, &home.db());
}

#[test]
fn what_names_no_file_is_refused_and_makes_none() {
    let (home, cloud) = synced();
    Connection::open(home.join("theirs.db")).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    make_pipe(&home.join("pipe.db"));
    cloud.emulator.forget();
    let before = home.kept();
    let odd = [
        (":memory:", "names that begin with a colon"),
        ("file:theirs.db", "its name is a URI"),
        ("file:new.db?mode=rwc", "its name is a URI"),
        ("fgarchive.db/", "its name is that of a directory"),
        ("new.db/", "its name is that of a directory"),
        ("fgarchive.db-wal", "a file that lies beside an archive"),
        ("fgarchive.db.lock", "a file that lies beside an archive"),
        ("pipe.db", "it is not a regular file"),
        ("/dev/null", "it is not a regular file"),
        (".", "it is a directory"),
    ];
    for (name, why) in odd {
        home.sync(&cloud).args(["--db", name]).exits(6).says(why).says("\nhint: ");
        for reader in READERS {
            home.run(reader).args(["--db", name]).exits(6).says(why);
        }
        home.run(["backup", name]).exits(6).says(why).says("cannot copy the archive to");
    }
    assert!(home.kept() == before && cloud.journal().total() == 0, "something was made or asked");
}

#[test]
fn an_archive_with_two_names_is_refused() {
    let (home, cloud) = synced();
    home.run(["backup", "copy.db"]).exits(0);
    for name in ["fgarchive.db", "copy.db"] {
        fs::hard_link(home.join(name), home.join(&format!("second-{name}"))).unwrap();
    }
    cloud.emulator.forget();
    let before = home.bytes();
    for name in ["fgarchive.db", "second-fgarchive.db"] {
        home.sync(&cloud)
            .args(["--db", name])
            .exits(6)
            .says("the file has 2 names (hard links)")
            .says("\nhint: ");
        home.run(["--db", name, "status"]).exits(6).says("the file has 2 names (hard links)");
    }
    // A copy has no log; nobody writes to it while it has two names.
    home.run(["--db", "second-copy.db", "check"]).exits(0);
    home.sync(&cloud).args(["--db", "copy.db"]).exits(6).says("the file has 2 names (hard links)");
    let left: Vec<_> =
        home.bytes().into_iter().filter(|(path, _)| !path.ends_with("copy.db.lock")).collect();
    assert!(left == before && cloud.journal().total() == 0, "something changed");
    fs::remove_file(home.join("second-fgarchive.db")).unwrap();
    home.sync_since(&cloud, "2d").exits(0);
}

/// Where mounts may be made: a file that is mounted without its directory, and a file system that
/// nobody can write to.
#[test]
fn mounts_are_told_apart() {
    let (home, _cloud) = synced();
    let script = r#"
        touch alone.db && mount --bind fgarchive.db alone.db || exit 77
        "$0" --db alone.db status; alone=$?
        mkdir dir disk && mount --bind . dir || exit 77
        "$0" --db dir/fgarchive.db status >&2; directory=$?
        mount -t tmpfs -o size=64m fgarchive-test disk && cp fgarchive.db disk/a.db || exit 77
        mount -o remount,ro disk || exit 77
        "$0" --db disk/a.db check >&2; disk=$?
        ls -A disk
        echo "alone $alone, directory $directory, disk $disk"
    "#;
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c", script, BINARY]);
    let said = home.run_as(command, [""; 0]).output();
    if said.code() == 77 || said.stderr.contains("unshare failed") {
        eprintln!("no file system may be mounted here: {}", said.stderr);
        return;
    }
    said.exits(0)
        .prints("a.db\nalone 6, directory 0, disk 0\n")
        .says("the file is mounted by itself")
        .says("\nhint: mount the directory");
}

#[test]
fn an_archive_that_is_moved_or_removed_during_a_run_is_no_success() {
    let moved = |change: &str| -> (Home, Said) {
        let (home, cloud) = (Home::new(), many_pages().struck_by(Fault::Latency { ms: 3 }));
        let mut run = home.sync_since(&cloud, "3d").start();
        run.until("it has begun", |_| cloud.listings() > 30);
        let changed =
            Command::new("sh").args(["-c", change]).current_dir(home.path()).status().unwrap();
        assert!(changed.success());
        let said =
            run.wait().exits(6).says("cannot use the archive `fgarchive.db`: ").says("\nhint: ");
        (home, said)
    };
    let (home, said) = moved("sleep 1; mv fgarchive.db elsewhere.db");
    said.says("it was moved from `").says("/elsewhere.db` while it was written to");
    let kept = archive::number(&home.join("elsewhere.db"), "SELECT count(*) FROM invocations");
    assert!(kept > 0, "what was committed went along");
    moved("rm fgarchive.db").1.says("was removed or replaced while it was written to");
    moved("cp fgarchive.db b.db && mv b.db fgarchive.db")
        .1
        .says("was removed or replaced while it was written to");
}

/// A link that leads to another archive meanwhile would have its reader told that the records are
/// there.
#[test]
fn an_archive_whose_name_leads_elsewhere_during_a_run_is_no_success() {
    let (home, cloud) = (Home::new(), many_pages().struck_by(Fault::Latency { ms: 3 }));
    let sh = |commands: &str| {
        let status = Command::new("sh").args(["-c", commands]).current_dir(home.path()).status();
        assert!(status.unwrap().success());
    };
    sh("mkdir one other; ln -s one current");
    let by_link = |run: Program| run.args(["--db", "current/a.db"]);
    let mut run = by_link(home.sync_since(&cloud, "3d")).start();
    run.until("it has begun", |_| cloud.listings() > 30);
    sh("ln -sfn other current");
    run.wait().exits(6).says("`current/a.db` leads elsewhere").says("/one/a.db`");
    by_link(home.sync_since(&cloud, "3d")).exits(0);
    home.run(["check", "--db", "one/a.db"]).exits(0);
}

/// A run whose lock file was removed still holds the archive itself.
#[test]
fn without_its_lock_file_a_run_still_excludes_another() {
    let (home, cloud) = synced();
    cloud.emulator.set_faults(Faults::rule(Fault::Silent.into()));
    cloud.emulator.forget();
    let mut first = home.sync(&cloud).start();
    first.until("it asks", |_| cloud.journal().total() > 0);
    fs::remove_file(home.join("fgarchive.db.lock")).unwrap();
    home.sync(&cloud).exits(5).says("another run holds it");
    first.signal("KILL");
    first.wait().exits(-9);
}

#[test]
fn a_copy_put_back_beside_an_old_log_is_refused_until_the_log_is_moved() {
    let (home, cloud) = (Home::new(), many_pages());
    home.sync_since(&cloud, "10h").exits(0);
    home.run(["backup", "copy.db"]).exits(0);
    fs::copy(home.db(), home.join("raw.db")).unwrap();
    home.sync_since(&cloud, "14h").exits(0);
    let mut run = home.sync_since(&cloud, "3d").start();
    let log = home.join("fgarchive.db-wal");
    run.until("its log grows", |_| fs::metadata(&log).map_or(0, |log| log.len()) > 200_000);
    run.signal("KILL");
    run.wait().exits(-9);
    home.run(["check"]).exits(0);
    let (own, left) = (fs::read(home.db()).unwrap(), fs::read(&log).unwrap());
    cloud.emulator.forget();
    for copy in ["copy.db", "raw.db"] {
        fs::copy(home.join(copy), home.db()).unwrap();
        let before = home.kept();
        for reader in READERS {
            home.run(reader)
                .exits(6)
                .says("the log `fgarchive.db-wal` beside it is not its own")
                .says("mv ");
        }
        home.sync(&cloud).exits(6).says("the log `fgarchive.db-wal` beside it is not its own");
        assert!(home.kept() == before && cloud.journal().total() == 0, "something changed");
    }
    fs::write(home.db(), &own).unwrap();
    fs::write(&log, &left).unwrap();
    home.run(["check"]).exits(0);
    fs::copy(home.join("copy.db"), home.db()).unwrap();
    fs::rename(&log, home.join("old.log")).unwrap();
    home.run(["check"]).exits(0);
    home.sync_since(&cloud, "3d").exits(0);
    truth::assert_whole(&cloud, &home.db());
}

#[test]
fn what_was_there_before_is_made_private_or_warned_of() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    fs::write(home.db(), "").unwrap();
    fs::set_permissions(home.db(), Permissions::from_mode(0o644)).unwrap();
    home.sync_since(&cloud, "2d").exits(0);
    assert_eq!(fs::metadata(home.db()).unwrap().mode() & 0o777, 0o600);
    fs::set_permissions(home.db(), Permissions::from_mode(0o644)).unwrap();
    home.sync_since(&cloud, "2d")
        .exits(0)
        .says("every user of this machine may read the archive (mode 644)");
    fs::create_dir(home.join(".huaweicloud")).unwrap();
    let profile = home.join(".huaweicloud/credentials");
    fs::write(&profile, "[basic]\nak = emulator\nsk = emulator-secret\n").unwrap();
    fs::set_permissions(&profile, Permissions::from_mode(0o644)).unwrap();
    let by_profile = || {
        let program = home
            .sync_since(&cloud, "2d")
            .without("HUAWEICLOUD_SDK_AK")
            .without("HUAWEICLOUD_SDK_SK");
        program.exits(0).stderr
    };
    assert_eq!(by_profile().matches("others than its owner may read the profile file").count(), 1);
    fs::set_permissions(&profile, Permissions::from_mode(0o600)).unwrap();
    assert!(!by_profile().contains("may read the profile file"));
    fs::remove_file(&profile).unwrap();
    make_pipe(&profile);
    let piped = home.sync(&cloud).without("HUAWEICLOUD_SDK_AK").without("HUAWEICLOUD_SDK_SK");
    piped.exits(2).says("cannot be read: it is not a regular file");
    home.sync(&cloud)
        .args(["--ca-cert", ".huaweicloud/credentials"])
        .exits(2)
        .says("it is not a regular file");
}

#[test]
fn the_demo_and_the_stand_in_write_over_nothing() {
    let home = Home::new();
    fs::write(home.join("mine.txt"), "Dear all").unwrap();
    fs::write(home.join("empty.db"), "").unwrap();
    symlink("nowhere.db", home.join("dangling.db")).unwrap();
    for name in ["mine.txt", "empty.db", "dangling.db"] {
        home.run(["demo", "--keep", name])
            .exits(2)
            .says("something is there already")
            .says("\nhint: ");
        home.run(["emulate", "--port", "0", "--records", "9", "--dump-world", name])
            .exits(2)
            .says(&format!("cannot write the world to `{name}`"))
            .says("\nhint: ");
    }
    assert_eq!(fs::read_to_string(home.join("mine.txt")).unwrap(), "Dear all");
    assert!(home.bytes().len() == 2 && !home.join("nowhere.db").exists());
    home.run(["demo", "--keep", "nowhere/demo.db"]).exits(2).says("its directory is not there");
    home.run(["demo"])
        .env("TMPDIR", "/nonexistent")
        .exits(6)
        .says("cannot make a directory for the demo")
        .says("TMPDIR");
}
