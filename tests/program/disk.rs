//! A disk that fills up in the middle of a run: exit 6, what was committed stays, and with room the
//! next run completes.

use crate::archive;
use crate::cloud::Cloud;
use crate::kills::{SEVERAL_COMMITS, many_pages};
use crate::program::{BINARY, Home, Said};
use crate::truth;
use std::process::Command;

/// Room for some of the commits of [`many_pages`], not for all: the whole archive has several
/// megabytes, a commit at [`SEVERAL_COMMITS`] at most 1.4. The first two are too little for the
/// empty one.
const ROOM: [u64; 5] = [40, 200, 700, 1_200, 2_000];

/// A run whose files may not grow beyond so many KiB, which is how a quota looks to a program.
fn sync_within(home: &Home, cloud: &Cloud, kib: u64) -> Said {
    let mut command = Command::new("sh");
    // The signal that comes with the limit is ignored, so that a write fails as it does on a full
    // disk. POSIX counts in blocks of 512 bytes.
    command.args([
        "-c",
        "trap '' XFSZ; ulimit -f \"$1\"; shift; exec \"$@\"",
        "sh",
        &(kib * 2).to_string(),
        BINARY,
    ]);
    home.run_as(
        command,
        ["sync", "--all-functions", "--max-rps", &SEVERAL_COMMITS.to_string(), "--since", "3d"],
    )
    .signed()
    .to(cloud)
    .output()
}

#[test]
fn a_limit_on_its_files_ends_the_run_and_harms_nothing() {
    let mut halfway = 0;
    for kib in ROOM {
        let (home, cloud) = (Home::new(), many_pages());
        let said = sync_within(&home, &cloud, kib);
        assert_eq!(said.code(), 6, "{kib} KiB: {}", said.stderr);
        said.says("error: cannot use the archive `fgarchive.db`: a file may not grow any further")
            .says("\nhint: raise the limit");
        if kib > 400 {
            home.run(["check"]).exits(0);
            halfway +=
                usize::from(archive::number(&home.db(), "SELECT count(*) FROM invocations") > 0);
        }
        home.sync_since(&cloud, "3d").exits(0);
        home.run(["check"]).exits(0);
        truth::assert_whole(&cloud, &home.db());
    }
    assert!(halfway > 0, "no limit let a commit through and stopped a later one");
}

/// The limit comes with a signal that kills a process which does not listen for it.
#[test]
fn a_limit_on_its_files_kills_no_command() {
    let (home, cloud) = (Home::new(), many_pages());
    home.sync_since(&cloud, "3d").exits(0);
    home.run(["check"]).exits(0);
    let before = home.kept();
    let within = |args: &[&str]| {
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -f 200; exec \"$@\"", "sh", BINARY]);
        home.run_as(command, args.to_vec()).signed().to(&cloud).output()
    };
    within(&["backup", "copy.db"])
        .exits(6)
        .says("error: cannot copy the archive to `copy.db`: a file may not grow any further")
        .says("hint: raise the limit on the size of files");
    within(&["emulate", "--dump-world", "world"])
        .exits(2)
        .says("cannot write the world to `world`: File too large");
    within(&["demo"]).exits(6).says("the limit on the size of files is reached");
    assert!(home.kept() == before, "something was left behind");
    within(&["sync", "--all-functions", "--db", "new.db"])
        .exits(6)
        .says("the limit on the size of files is reached");
}

/// As few open files as a command may have: what it lacks is told, not who may read.
#[test]
fn a_limit_on_open_files_is_named() {
    let (home, cloud) = (Home::new(), many_pages());
    home.sync_since(&cloud, "1d").exits(0);
    let mut refused = 0;
    for limit in 4..14 {
        for args in [&["status"][..], &["check"], &["query", "summary"], &["backup", "copy.db"]] {
            let mut command = Command::new("sh");
            command.args([
                "-c",
                "ulimit -n \"$1\"; shift; exec \"$@\"",
                "sh",
                &limit.to_string(),
                BINARY,
            ]);
            let said = home.run_as(command, args.to_vec()).output();
            if said.code() != 0 && said.stderr.contains("error: ") {
                refused += 1;
                said.exits(6)
                    .says("too few files can be opened at once")
                    .says("hint: raise the limit on open files");
            }
        }
    }
    assert!(refused > 3, "no limit was met");
}

/// A disk with room and without inodes, where this test may mount one.
#[test]
fn a_disk_without_inodes_is_named() {
    let (home, cloud) = (Home::new(), many_pages());
    std::fs::create_dir(home.join("disk")).unwrap();
    let script = r#"
        mount -t tmpfs -o size=64m,nr_inodes=4 fgarchive-test disk || exit 77
        touch disk/1 disk/2
        exec "$0" "$@" --db disk/a.db
    "#;
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c", script, BINARY]);
    let said = home.run_as(command, ["sync", "--all-functions"]).signed().to(&cloud).output();
    if said.code() == 77 || said.stderr.contains("unshare failed") {
        eprintln!("no file system may be mounted here: {}", said.stderr);
        return;
    }
    said.exits(6).says("it has no inodes left").says("hint: remove some files from that disk");
}

/// A real full disk, where this test may mount one: a small file system in a mount namespace of its
/// own, which is filled, looked at, and given room.
#[test]
fn a_full_disk_ends_the_run_and_harms_nothing() {
    let (home, cloud) = (Home::new(), many_pages());
    std::fs::create_dir(home.join("disk")).unwrap();
    let script = r#"
        mount -t tmpfs -o size=1200k fgarchive-test disk || exit 77
        "$0" "$@" --db disk/a.db; first=$?
        "$0" check --db disk/a.db >&2; checked=$?
        mount -o remount,size=64m disk || exit 77
        "$0" "$@" --db disk/a.db; second=$?
        cp disk/a.db fgarchive.db
        echo "first $first, checked $checked, second $second"
    "#;
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c", script, BINARY]);
    let said = home
        .run_as(command, ["sync", "--all-functions", "--max-rps", "100000", "--since", "3d"])
        .signed()
        .to(&cloud)
        .output();
    if said.code() == 77 || said.stderr.contains("unshare failed") {
        eprintln!("no file system may be mounted here: {}", said.stderr);
        return;
    }
    let said = said.exits(0).prints("first 6, checked 0, second 0\n");
    said.says(
        "error: cannot use the archive `disk/a.db`: no space is left on the disk\n\nhint: free \
         some space",
    );
    truth::assert_whole(&cloud, &home.db());
}
