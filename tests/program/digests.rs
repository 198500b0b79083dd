//! `check` finds what was changed below the program although SQLite finds the file sound.

use crate::archive;
use crate::cloud::{Cloud, settled_world};
use crate::program::Home;
use rusqlite::Connection;
use std::fs;

fn synced() -> (Home, Cloud) {
    let (home, cloud) = (Home::new(), Cloud::new(settled_world()));
    home.sync_since(&cloud, "2d").exits(0);
    home.run(["check"]).exits(0).prints("ok\n");
    (home, cloud)
}

fn edit(home: &Home, sql: &str) {
    Connection::open(home.db()).unwrap().execute_batch(sql).unwrap();
}

/// The day of a record, and its function.
fn place_of(home: &Home, id: &str) -> String {
    let place = "SELECT package || ':' || name || ' ' || substr(start_time, 1, 10)
                   FROM invocations JOIN functions ON functions.id = function_id
                       WHERE request_id = ";
    archive::rows(&home.db(), &format!("{place}'{id}'"))[0].clone()
}

#[test]
fn an_edit_is_found_with_its_day_until_it_is_accepted() {
    let (home, _cloud) = synced();
    let id = archive::rows(
        &home.db(),
        "SELECT request_id FROM invocations ORDER BY start_time LIMIT 1 OFFSET 700",
    )[0]
    .clone();
    let place = place_of(&home, &id);
    edit(
        &home,
        &format!(
            "UPDATE invocations SET error_message = 'nothing happened' WHERE request_id = '{id}'"
        ),
    );
    let said = home.run(["check"]).exits(7).says("breaks its rules: digests");
    assert!(said.everything().contains(&format!("  {place}: ")), "{}", said.everything());
    assert!(
        said.everything().contains("records, not all of them as they were written"),
        "{}",
        said.everything()
    );
    assert!(
        said.everything().contains("repair: compare these days with the service"),
        "{}",
        said.everything()
    );
    let accepted = home.run(["check", "--accept"]).exits(0);
    assert!(
        accepted.everything().starts_with(&format!("accepted {place}: ")),
        "{}",
        accepted.everything()
    );
    home.run(["check"]).exits(0);
    home.run(["check", "--accept"])
        .exits(0)
        .prints("nothing to accept: the records are as they were written\n");
}

#[test]
fn deleted_and_inserted_rows_are_counted() {
    let (home, _cloud) = synced();
    edit(&home, "DELETE FROM invocations WHERE rowid % 1000 = 7");
    let said = home.run(["check"]).exits(7);
    assert!(said.everything().contains(" were written\n"), "{}", said.everything());
}

/// What the service shows again comes back through the same transactions, and then there is nothing
/// to accept.
#[test]
fn an_edit_that_verify_takes_back_leaves_the_day_in_doubt_until_it_is_accepted() {
    let (home, cloud) = synced();
    edit(&home, "UPDATE invocations SET status = 'DISCARD' WHERE rowid = 99");
    home.run(["verify", "--max-rps", "100000"]).to(&cloud).signed().exits(7);
    home.run(["check"]).exits(7).says("digests");
    home.run(["check", "--accept"]).exits(0);
    home.run(["check"]).exits(0);
    home.run(["verify", "--max-rps", "100000"]).to(&cloud).signed().exits(0);
}

/// A bit of a stored text that no index holds, in the file: SQLite finds nothing.
#[test]
fn a_flipped_bit_is_found() {
    let (home, _cloud) = synced();
    let failed = "FROM invocations WHERE status = 'FAIL' LIMIT 1";
    let told =
        |column: &str| archive::rows(&home.db(), &format!("SELECT {column} {failed}"))[0].clone();
    let (id, message) = (told("request_id"), told("error_message"));
    let mut bytes = fs::read(home.db()).unwrap();
    let beginning = &message.as_bytes()[..8];
    let places: Vec<usize> = bytes
        .windows(beginning.len())
        .enumerate()
        .filter(|(_, text)| *text == beginning)
        .map(|(at, _)| at)
        .collect();
    // The same words stand in other rows, and where rows stood before they were moved.
    let query = format!("SELECT error_message FROM invocations WHERE request_id = '{id}'");
    let is_changed = places.into_iter().any(|at| {
        bytes[at] ^= 1;
        fs::write(home.db(), &bytes).unwrap();
        let is_changed = archive::rows(&home.db(), &query)[0] != message;
        if !is_changed {
            bytes[at] ^= 1;
        }
        is_changed
    });
    assert!(is_changed, "the message is not in the file");
    assert_eq!(archive::rows(&home.db(), "PRAGMA integrity_check"), ["ok"]);
    home.run(["check"]).exits(7).says("breaks its rules: digests");
}

/// Whoever wrote, and however often a record changed: the digests are those of what is there.
#[test]
fn digests_hold_after_runs_in_which_records_change() {
    let live =
        crate::live::Live::amid(crate::live::going_on(), fgarchive::emulator::Readings::default());
    let home = Home::new();
    for moment in [0, 1_200, 5_000, 86_400] {
        live.complete_at(moment);
        fs::copy(live.db(), home.db()).unwrap();
        home.run(["check"]).exits(0);
    }
    assert!(archive::number(&live.db(), "SELECT count(*) FROM status_changes") > 10);
}
