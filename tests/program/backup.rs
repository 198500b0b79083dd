//! `backup`: a verified copy, never in the place of a good one unless it is good.

use crate::archive;
use crate::cloud::{Cloud, settled_world};
use crate::kills::many_pages;
use crate::program::Home;
use fgarchive::emulator::Fault;
use rusqlite::Connection;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

fn synced() -> (Home, Cloud) {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    home.sync_since(&cloud, "2d").exits(0);
    (home, cloud)
}

/// What lies in the directory, by name; what SQLite keeps beside an archive that was read aside.
fn names(home: &Home) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(home.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.retain(|name| !name.ends_with("-wal") && !name.ends_with("-shm"));
    names.sort();
    names
}

#[test]
fn a_copy_is_whole_private_and_goes_on_where_the_archive_was() {
    let (home, cloud) = synced();
    let before = names(&home);
    let copied = home.run(["backup", "copy.db", "--json"]).exits(0).json();
    assert_eq!((&copied["records"], &copied["verified"]), (&2_400.into(), &true.into()));
    assert!(archive::records(&home.join("copy.db")) == archive::records(&home.db()));
    let mode = fs::metadata(home.join("copy.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let added: Vec<String> =
        names(&home).into_iter().filter(|name| !before.contains(name)).collect();
    assert_eq!(added, ["copy.db"]);
    assert_eq!(archive::rows(&home.join("copy.db"), "PRAGMA journal_mode"), ["delete"]);
    // It is an archive like any other.
    home.run(["--db", "copy.db", "check"]).exits(0);
    home.sync_since(&cloud, "2d").args(["--db", "copy.db"]).exits(0);
    assert_eq!(
        archive::number(
            &home.join("copy.db"),
            "SELECT records_new FROM runs ORDER BY id DESC LIMIT 1"
        ),
        0
    );
}

#[test]
fn a_copy_of_an_archive_that_is_written_to_is_one_moment_of_it() {
    let (home, cloud) = (Home::new(), many_pages().struck_by(Fault::Latency { ms: 5 }));
    let mut run = home.sync_since(&cloud, "3d").start();
    let records = || archive::number(&home.db(), "SELECT count(*) FROM invocations");
    run.until("something is archived", |_| {
        home.run(["status"]).output().code() == 0 && records() > 0
    });
    let mut sizes = Vec::new();
    for round in 0..3 {
        let name = format!("copy{round}.db");
        sizes.push(
            home.run(["backup", &name, "--json"]).exits(0).json()["records"].as_i64().unwrap(),
        );
        home.run(["--db", &name, "check"]).exits(0);
    }
    assert!(!run.has_ended(), "the copies were made while it ran");
    assert!(sizes.is_sorted() && sizes[0] > 0, "{sizes:?}");
    run.wait().exits(0);
    assert!(sizes[2] <= records());
}

#[test]
fn a_good_copy_is_replaced_by_a_good_one_only() {
    let (home, _cloud) = synced();
    home.run(["backup", "copy.db"]).exits(0).says("");
    let good = fs::read(home.join("copy.db")).unwrap();
    Connection::open(home.db())
        .unwrap()
        .execute_batch("DELETE FROM invocations WHERE rowid < 9")
        .unwrap();
    let before = names(&home);
    home.run(["backup", "copy.db"])
        .exits(7)
        .says("breaks its rules, and was not copied")
        .says("hint: an earlier copy is left");
    assert!(fs::read(home.join("copy.db")).unwrap() == good, "the good copy was replaced");
    assert_eq!(names(&home), before, "something was left behind");
    home.run(["check", "--accept"]).exits(0);
    // The copy has what was deleted.
    home.run(["backup", "copy.db"])
        .exits(6)
        .says("what lies there holds 2400 records, and this archive 2392");
    home.run(["backup", "copy.db", "--force"]).exits(0);
    assert_eq!(archive::number(&home.join("copy.db"), "SELECT count(*) FROM invocations"), 2_392);
}

#[test]
fn what_is_no_copy_is_left_alone() {
    let (home, _cloud) = synced();
    fs::write(home.join("letter.txt"), "Dear all").unwrap();
    Connection::open(home.join("other.db")).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    let before = home.kept();
    home.run(["backup", "letter.txt"])
        .exits(6)
        .says("cannot copy the archive to `letter.txt`")
        .says("no SQLite file");
    home.run(["backup", "other.db"]).exits(6).says("the SQLite file of another program");
    home.run(["backup", "."]).exits(6).says("a directory");
    home.run(["backup", "nowhere/copy.db"])
        .exits(6)
        .says("cannot copy the archive to `nowhere/copy.db`");
    home.run(["backup", "fgarchive.db"]).exits(2).says("is the archive itself");
    home.run(["backup", "./fgarchive.db"]).exits(2).says("is the archive itself");
    home.run(["--db", "missing.db", "backup", "copy.db"]).exits(6).says("there is no such file");
    assert!(home.kept() == before, "something changed");
}

/// A copy that another run writes to has a log, which would be played into whatever takes its
/// place.
#[test]
fn an_archive_in_use_is_not_replaced() {
    let (home, _cloud) = synced();
    home.run(["backup", "copy.db"]).exits(0);
    let used = Connection::open(home.join("copy.db")).unwrap();
    used.execute_batch("PRAGMA journal_mode = WAL; UPDATE runs SET retries = 1").unwrap();
    home.run(["backup", "copy.db"]).exits(6).says("an archive in use");
    assert_eq!(
        used.query_row("SELECT max(retries) FROM runs", [], |row| row.get::<_, i64>(0)).unwrap(),
        1
    );
}

/// With the paths exchanged, the copy would take the place of the archive, and what came since
/// would be gone.
#[test]
fn only_an_earlier_copy_of_the_same_archive_is_replaced() {
    let (home, cloud) = synced();
    home.run(["backup", "copy.db"]).exits(0);
    home.run(["backup", "copy.db"]).exits(0);
    home.sync_since(&cloud, "3d").exits(0);
    let before = home.kept();
    let said = home.run(["--db", "copy.db", "backup", "fgarchive.db"]).exits(6);
    said.says(
        "cannot copy the archive to `fgarchive.db`: what lies there has runs that this archive \
         does not have",
    )
    .says(
        "hint: it was left as it was; see whether the two paths are exchanged, or replace it with \
         --force",
    );
    home.sync_since(&cloud, "2d").args(["--db", "other.db"]).exits(0);
    home.run(["backup", "other.db"])
        .exits(6)
        .says("what lies there is another archive, no copy of this one");
    // A copy that went on by itself.
    fs::copy(home.join("copy.db"), home.join("fork.db")).unwrap();
    home.sync_since(&cloud, "4d").args(["--db", "fork.db"]).exits(0);
    home.run(["backup", "fork.db"]).exits(6).says("has runs that this archive does not have");
    fs::write(home.join("rotten.db"), &fs::read(home.join("copy.db")).unwrap()[..20_000]).unwrap();
    home.run(["backup", "rotten.db"]).exits(6).says("what lies there is damaged");
    let after = home.kept();
    assert!(before.iter().all(|file| after.contains(file)), "something changed");
    for name in ["other.db", "fork.db", "rotten.db", "copy.db"] {
        home.run(["backup", name, "--force"]).exits(0);
        assert!(archive::records(&home.join(name)) == archive::records(&home.db()), "{name}");
    }
    fs::write(home.join("empty.db"), "").unwrap();
    fs::set_permissions(home.join("empty.db"), fs::Permissions::from_mode(0o644)).unwrap();
    home.run(["backup", "empty.db"]).exits(0);
    assert_eq!(fs::metadata(home.join("empty.db")).unwrap().permissions().mode() & 0o777, 0o600);
    fs::write(home.join("letter.txt"), "Dear all").unwrap();
    home.run(["backup", "letter.txt", "--force"]).exits(6).says("no SQLite file");
}

#[test]
fn a_copy_goes_where_a_link_leads_and_the_place_is_told() {
    let (home, _cloud) = synced();
    fs::create_dir(home.join("disk")).unwrap();
    symlink("disk/real.db", home.join("link.db")).unwrap();
    for _ in 0..2 {
        let told = home.run(["backup", "link.db", "--json"]).exits(0).json()["file"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(told.ends_with("/disk/real.db"), "{told}");
        assert!(home.join("link.db").is_symlink());
        assert!(archive::records(&home.join("disk/real.db")) == archive::records(&home.db()));
    }
    symlink("fgarchive.db", home.join("itself.db")).unwrap();
    home.run(["backup", "itself.db"]).exits(2).says("is the archive itself");
    symlink("gone/real.db", home.join("lost.db")).unwrap();
    home.run(["backup", "lost.db"]).exits(6).says("there is no directory `").says("/gone`");
}

#[test]
fn what_a_killed_backup_left_is_removed_by_the_next() {
    let (home, _cloud) = synced();
    home.run(["backup", "copy.db"]).exits(0);
    // Half a copy.
    let copied = fs::read(home.join("copy.db")).unwrap();
    fs::write(home.join(".copy.db.Abc123.partial"), &copied[..copied.len() / 2]).unwrap();
    fs::write(home.join(".copy.db.Abc124.partial"), "somebody's notes").unwrap();
    for beside in ["-journal", "-wal", "-shm"] {
        fs::write(home.join(&format!(".copy.db.Abc123.partial{beside}")), "of it").unwrap();
        fs::write(home.join(&format!(".copy.db.Gone77.partial{beside}")), "of one that is gone")
            .unwrap();
    }
    fs::write(home.join(".else.db.Abc123.partial"), "half of something else").unwrap();
    let held = fs::File::create(home.join(".copy.db.Held42.partial")).unwrap();
    held.lock().unwrap();
    home.run(["backup", "copy.db"]).exits(0);
    let left: Vec<String> =
        names(&home).into_iter().filter(|name| name.contains(".partial")).collect();
    let others = [".copy.db.Abc124.partial", ".copy.db.Held42.partial", ".else.db.Abc123.partial"];
    assert_eq!(left, others, "one is at work, two are another's");
}
