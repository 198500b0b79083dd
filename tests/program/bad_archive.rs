//! Archives that cannot be used: refused with exit 6, and left byte for byte as they were.

use crate::cloud::{Cloud, settled_world};
use crate::program::{BINARY, Home};
use crate::truth;
use rusqlite::Connection;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

fn sqlite(home: &Home, name: &str, sql: &str) {
    Connection::open(home.join(name)).unwrap().execute_batch(sql).unwrap();
}

/// Every command that takes an archive refuses this one, in these words, and changes nothing.
#[track_caller]
fn refused(home: &Home, db: &str, message: &str) {
    let cloud = Cloud::new(settled_world());
    let commands: [&[&str]; 5] = [
        &["sync", "--all-functions"],
        &["sync", "--all-functions", "--dry-run"],
        &["status"],
        &["query", "summary"],
        &["check"],
    ];
    for command in commands {
        let before = home.bytes();
        let said = home
            .run(command)
            .args(["--db", db])
            .signed()
            .to(&cloud)
            .exits(6)
            .says(message)
            .prints("");
        assert!(said.stderr.contains("\nhint: "), "{command:?}: {}", said.stderr);
        assert!(home.bytes() == before, "{command:?}: something has changed");
        assert_eq!(cloud.journal().total(), 0, "{command:?}: the service was asked");
    }
}

#[test]
fn a_text_file() {
    let home = Home::new();
    fs::write(home.join("letter.txt"), "Dear all,\n".repeat(100)).unwrap();
    refused(
        &home,
        "letter.txt",
        "error: cannot use the archive `letter.txt`: it is no SQLite file",
    );
    fs::write(home.join("short.txt"), "x").unwrap();
    refused(&home, "short.txt", "it is no SQLite file");
}

#[test]
fn the_file_of_another_program() {
    let home = Home::new();
    sqlite(&home, "theirs.db", "CREATE TABLE invocations (a); INSERT INTO invocations VALUES (1);");
    refused(&home, "theirs.db", "it is the SQLite file of another program");
    sqlite(&home, "logged.db", "PRAGMA journal_mode = WAL; CREATE TABLE t (a);");
    refused(&home, "logged.db", "it is the SQLite file of another program");
}

#[test]
fn a_newer_archive() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    home.sync(&cloud).exits(0);
    sqlite(
        &home,
        "fgarchive.db",
        "INSERT INTO refinery_schema_history VALUES (99, 'later', '2030-01-01T00:00:00Z', '1'); PRAGMA wal_checkpoint(TRUNCATE);",
    );
    refused(
        &home,
        "fgarchive.db",
        "its schema is version 99, and this program knows versions up to",
    );
}

#[test]
fn a_damaged_archive() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    home.sync(&cloud).exits(0);
    let mut bytes = fs::read(home.db()).unwrap();
    bytes[100..20_000].fill(0xff);
    fs::write(home.db(), bytes).unwrap();
    refused(&home, "fgarchive.db", "the file is damaged");
}

#[test]
fn a_directory() {
    let home = Home::new();
    fs::create_dir(home.join("here")).unwrap();
    refused(&home, "here", "error: cannot use the archive `here`: it is a directory");
}

#[test]
fn no_directory_to_put_it_in() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let sync = home.sync(&cloud).args(["--db", "no/such/place/a.db"]);
    sync.exits(6).says("it cannot be written to (there is no directory `no/such/place`)");
    assert!(home.bytes().is_empty() && cloud.journal().total() == 0);
    home.run(["status", "--db", "no/such/place/a.db"]).exits(6).says("there is no such file");
}

#[test]
fn no_archive_to_read() {
    let home = Home::new();
    for command in
        [&["status"][..], &["query", "summary"], &["query", "sql", "SELECT 1"], &["check"]]
    {
        home.run(command)
            .exits(6)
            .says("cannot use the archive `fgarchive.db`: there is no such file")
            .says("\nhint: ")
            .prints("");
        assert!(home.bytes().is_empty(), "{command:?} made something");
    }
}

/// Begins the program as somebody whom permissions bind: root is above them.
pub(crate) fn as_somebody(home: &Home) -> Command {
    let program = home.join("program");
    // Copied by another process: one that this one starts meanwhile would hold the file as being
    // written, and what is being written cannot be executed.
    assert!(Command::new("cp").arg(BINARY).arg(&program).status().unwrap().success());
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
    if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

pub(crate) fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

#[test]
fn a_directory_that_cannot_be_written() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let directory = home.join("locked");
    fs::create_dir(&directory).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o555)).unwrap();
    let command = as_somebody(&home);
    let sync = home
        .run_as(command, ["sync", "--all-functions", "--db", "locked/a.db"])
        .signed()
        .to(&cloud);
    sync.exits(6)
        .says("cannot use the archive `locked/a.db`: it cannot be written to (Permission denied")
        .says("\nhint: check who may write");
    assert_eq!((fs::read_dir(&directory).unwrap().count(), cloud.journal().total()), (0, 0));
}

#[test]
fn an_archive_that_cannot_be_written() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    let directory = home.join("open");
    fs::create_dir(&directory).unwrap();
    home.sync(&cloud).args(["--db", "open/a.db"]).exits(0);
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(directory.join("a.db"), fs::Permissions::from_mode(0o444)).unwrap();
    fs::set_permissions(directory.join("a.db.lock"), fs::Permissions::from_mode(0o666)).unwrap();
    let before = fs::read(directory.join("a.db")).unwrap();
    cloud.emulator.forget();
    let command = as_somebody(&home);
    let sync =
        home.run_as(command, ["sync", "--all-functions", "--db", "open/a.db"]).signed().to(&cloud);
    sync.exits(6)
        .says("cannot use the archive `open/a.db`: it cannot be written to")
        .says("\nhint: check who may write");
    assert!(fs::read(directory.join("a.db")).unwrap() == before);
    assert_eq!(cloud.journal().total(), 0);
}

#[test]
fn what_is_made_is_for_its_owner_alone() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    home.sync(&cloud).exits(0);
    for (path, _) in home.bytes() {
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", path.display());
    }
}

#[test]
fn an_empty_file_becomes_an_archive() {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    fs::write(home.db(), "").unwrap();
    home.run(["status"]).exits(6).says("it is empty");
    home.sync(&cloud).exits(0);
    truth::assert_whole(&cloud, &home.db());
}
