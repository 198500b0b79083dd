//! Readers and runs of different users on one archive. Only root can be somebody else: elsewhere
//! these tests do nothing.

use crate::archive;
use crate::bad_archive::{as_somebody, is_root};
use crate::cloud::{Cloud, settled_world};
use crate::kills::many_pages;
use crate::program::Home;
use fgarchive::emulator::Fault;
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

/// The user that `as_somebody` is.
const SOMEBODY: u32 = 65_534;

/// One answer out of one state: as many records as the digests say.
const ONE_STATE: &str = "SELECT (SELECT count(*) FROM invocations) -
                                (SELECT coalesce(sum(records), 0) FROM digests) AS n";

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// An archive in a directory with this mode, which everybody may read.
fn shared(mode: u32) -> (Home, Cloud) {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    fs::create_dir(home.join("shared")).unwrap();
    home.sync_since(&cloud, "2d").args(["--db", "shared/a.db"]).exits(0);
    set_mode(&home.join("shared/a.db"), 0o644);
    set_mode(&home.join("shared"), mode);
    (home, cloud)
}

fn in_directory(home: &Home) -> Vec<String> {
    let entries = fs::read_dir(home.join("shared")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_guest_reads_and_leaves_nothing_beside_the_archive() {
    if !is_root() {
        return;
    }
    for mode in [0o755, 0o777] {
        let (home, cloud) = shared(mode);
        fs::create_dir(home.join("tmp")).unwrap();
        set_mode(&home.join("tmp"), 0o777);
        let before = in_directory(&home);
        for command in
            [&["status"][..], &["check"], &["query", "sql", ONE_STATE, "--format", "csv"]]
        {
            let reader = home.run_as(as_somebody(&home), command).args(["--db", "shared/a.db"]);
            reader.env("TMPDIR", home.join("tmp")).exits(0);
            assert_eq!(in_directory(&home), before, "{command:?} in a directory of mode {mode:o}");
        }
        assert_eq!(fs::read_dir(home.join("tmp")).unwrap().count(), 0, "a copy was left");
        let homeless = home
            .run_as(as_somebody(&home), ["status", "--db", "shared/a.db"])
            .env("TMPDIR", "/nonexistent");
        homeless
            .exits(6)
            .says("temporary files cannot be written")
            .says("\nhint: SQLITE_TMPDIR and TMPDIR");
        home.sync_since(&cloud, "2d").args(["--db", "shared/a.db"]).exits(0);
    }
}

#[test]
fn a_guest_beside_a_run_sees_one_state() {
    if !is_root() {
        return;
    }
    let (home, cloud) = (Home::new(), many_pages().struck_by(Fault::Latency { ms: 2 }));
    fs::create_dir(home.join("shared")).unwrap();
    home.sync_since(&cloud, "2h").args(["--db", "shared/a.db"]).exits(0);
    set_mode(&home.join("shared/a.db"), 0o644);
    set_mode(&home.join("shared"), 0o755);
    let mut run = home.sync_since(&cloud, "3d").args(["--db", "shared/a.db"]).start();
    let mut answers = 0;
    while !run.has_ended() {
        let asked = home.run_as(as_somebody(&home), ["query", "sql", ONE_STATE, "--format", "csv"]);
        let said = asked.args(["--db", "shared/a.db"]).env("TMPDIR", "/tmp").output();
        match said.code() {
            0 => assert_eq!(said.stdout, "n\n0\n"),
            6 => drop(said.says("it cannot be read (a run writes to it")),
            code => panic!("exit {code}: {}", said.stderr),
        }
        answers += 1;
    }
    assert!(answers > 0);
    run.wait().exits(0);
    assert_eq!(archive::number(&home.join("shared/a.db"), ONE_STATE), 0);
}

/// What a killed run left is read too, though its reader may make nothing beside it.
#[test]
fn a_guest_reads_what_a_killed_run_left() {
    if !is_root() {
        return;
    }
    let (home, cloud) = (Home::new(), many_pages().struck_by(Fault::Latency { ms: 5 }));
    fs::create_dir(home.join("shared")).unwrap();
    let db = home.join("shared/a.db");
    let mut run = home.sync_since(&cloud, "3d").args(["--db", "shared/a.db"]).start();
    let log = home.join("shared/a.db-wal");
    // Making the tables alone fills more of a log than some commits do.
    let has_records = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let count = "SELECT count(*) FROM invocations";
        let archive = Connection::open_with_flags(&db, flags);
        archive
            .and_then(|archive| archive.query_row(count, [], |row| row.get::<_, i64>(0)))
            .is_ok_and(|count| count > 0)
    };
    run.until("records are in its log", |_| {
        fs::metadata(&log).map_or(0, |log| log.len()) > 200_000 && has_records()
    });
    run.signal("KILL");
    run.wait().exits(-9);
    for (path, mode) in [(&db, 0o644), (&log, 0o644), (&home.join("shared"), 0o755)] {
        set_mode(path, mode);
    }
    fs::remove_file(home.join("shared/a.db-shm")).unwrap();
    let before = in_directory(&home);
    let asked = home.run_as(
        as_somebody(&home),
        ["query", "sql", "SELECT count(*) AS n FROM invocations", "--format", "csv"],
    );
    let said = asked.args(["--db", "shared/a.db"]).env("TMPDIR", "/tmp").exits(0);
    assert_eq!(in_directory(&home), before);
    assert_eq!(
        said.stdout,
        format!("n\n{}\n", archive::number(&db, "SELECT count(*) FROM invocations"))
    );
}

#[test]
fn what_another_user_left_beside_it_is_named_with_what_to_do() {
    if !is_root() {
        return;
    }
    let (home, cloud) = shared(0o777);
    for name in ["a.db", "a.db.lock"] {
        chown(home.join("shared").join(name), Some(SOMEBODY), Some(SOMEBODY)).unwrap();
    }
    let words =
        ["sync", "--all-functions", "--db", "shared/a.db", "--since", "2d", "--max-rps", "100000"];
    let sync = || home.run_as(as_somebody(&home), words).signed().to(&cloud);
    for name in ["a.db-shm", "a.db-wal"] {
        let left = home.join("shared").join(name);
        fs::write(&left, "").unwrap();
        set_mode(&left, 0o644);
        let said = sync().exits(6);
        said.says(&format!("/shared/{name}` cannot be written to, and belongs to user 0"))
            .says("remove it: rm /");
        fs::remove_file(&left).unwrap();
    }
    let lock = home.join("shared/a.db.lock");
    chown(&lock, Some(0), Some(0)).unwrap();
    let said = sync().exits(6);
    said.says("its lock file `a.db.lock` cannot be opened (Permission denied")
        .says("it belongs to the user with the id 0");
    set_mode(&lock, 0o644);
    sync().exits(0);
}
