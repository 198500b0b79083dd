//! What seen records make of an archive, told by SQL.

use super::*;
use crate::domain::{EntryKey, Interval};
use crate::plan::ledger::{Entry, State};
use crate::plan::paging::Proof;
use crate::plan::refresh::Recheck;
use crate::plan::verify::VerificationWalk;
use crate::store::testing::{Kept, at, record};
use crate::store::write::Batch;
use std::collections::HashSet;

#[test]
fn a_blank_takes_nothing_and_is_noted_once() {
    let full = "a FAIL 7 boom 10 20 {\"n\":1}";
    let mut kept = Kept::new();
    kept.show(0, 5_000, full);
    for blank in
        ["a FAIL - - - - -", "a FAIL - boom 10 20 {\"n\":1}", "a FAIL 7 - 10 20 {\"n\":null}"]
    {
        for run in 0..2 {
            kept.next_run(6_000 + run);
            assert_eq!(kept.show(0, 6_100 + run, blank), [], "nothing that is final changed");
            assert_eq!((kept.counts().changed, kept.row()), (0, full.to_owned()), "{blank}");
        }
    }
    let noted = [
        "error_code 7 - 0 6100 2",
        "error_message boom - 0 6100 2",
        "start_time 10 - 0 6100 2",
        "end_time 20 - 0 6100 2",
        "extra {\"n\":1} - 0 6100 2",
    ];
    assert_eq!(kept.amendments(), noted);
    assert_eq!(kept.ask("SELECT changed_run_id FROM invocations"), ["1"]);
    assert_eq!(kept.changes(), [""; 0]);
    kept.assert_sound();
}

/// A service may list a record once for each of its statuses, in either order.
#[test]
fn an_answer_with_several_stages_of_a_record_tells_the_last_of_them() {
    let stages = ["a WAIT - - 10 - -", "a RUNNING - - 10 - -", "a SUCCESS 0 - 10 20 -"];
    let reversed: Vec<&str> = stages.into_iter().rev().collect();
    for stages in [&stages[..], &reversed] {
        let mut kept = Kept::new();
        for (second, shown) in [(100, &stages[1..2]), (200, stages), (300, stages)] {
            let batch = Batch { pages: vec![kept.page(0, second, shown)], ..Batch::default() };
            kept.commit(second, &batch);
        }
        assert_eq!(kept.row(), "a SUCCESS 0 - 10 20 -");
        assert_eq!(kept.changes(), ["RUNNING SUCCESS 100 200 1"]);
        assert_eq!(kept.ask("SELECT * FROM open_records"), [""; 0]);
        assert_eq!(kept.amendments(), [""; 0]);
        kept.assert_sound();
    }
}

#[test]
fn what_a_blank_left_out_is_learnt_later() {
    let mut kept = Kept::new();
    kept.show(0, 5_000, "a SUCCESS - - - - -");
    kept.next_run(6_000);
    assert_eq!(
        kept.show(0, 6_000, "a SUCCESS 0 - 10 20 {\"n\":1}").len(),
        0,
        "an end was waited for"
    );
    assert_eq!(
        (kept.row(), kept.counts().changed),
        ("a SUCCESS 0 - 10 20 {\"n\":1}".to_owned(), 1)
    );
    assert_eq!(kept.amendments(), [""; 0]);
    kept.assert_sound();
}

#[test]
fn another_value_stands_and_the_one_before_is_noted_each_time() {
    let mut kept = Kept::new();
    for (second, record) in [
        (100, "a WAIT - - 10 - {\"n\":1}"),
        (200, "a WAIT - - 10 - {\"n\":2}"),
        (300, "a WAIT - - 10 - {\"n\":1}"),
        (400, "a WAIT - - 10 - {\"n\":2}"),
    ] {
        kept.show(0, second, record);
        assert_eq!(kept.row(), record);
    }
    let noted = [
        "extra {\"n\":1} {\"n\":2} 1 200 1",
        "extra {\"n\":2} {\"n\":1} 1 300 1",
        "extra {\"n\":1} {\"n\":2} 1 400 1",
    ];
    assert_eq!(kept.amendments(), noted);
    kept.assert_sound();
}

#[test]
fn another_outcome_takes_the_one_before_with_it_into_the_history() {
    let mut kept = Kept::new();
    kept.show(0, 100, "a FAIL 7 boom 10 20 {\"n\":1}");
    kept.show(0, 200, "a SUCCESS - - - 150 -");
    assert_eq!(kept.row(), "a SUCCESS - - 10 150 {\"n\":1}");
    assert_eq!(kept.changes(), ["FAIL SUCCESS 100 200 1"]);
    let noted = [
        "error_code 7 - 1 200 1",
        "error_message boom - 1 200 1",
        "start_time 10 - 0 200 1",
        "end_time 20 150 1 200 1",
        "extra {\"n\":1} - 0 200 1",
    ];
    assert_eq!(kept.amendments(), noted);
    kept.assert_sound();
}

#[test]
fn an_absent_status_leaves_a_record_as_it_was_and_is_noted() {
    let mut kept = Kept::new();
    kept.show(0, 100, "a RUNNING - - 10 - -");
    kept.next_run(200);
    for second in [200, 210] {
        kept.show(0, second, "a - - - - - -");
    }
    assert_eq!(kept.row(), "a RUNNING - - 10 - -");
    assert_eq!(kept.changes(), ["RUNNING  100 200 0"]);
    assert_eq!(
        kept.ask("SELECT seen_at, checked_at FROM open_records"),
        ["100 100"],
        "its status was not seen"
    );
    kept.show(0, 300, "a SUCCESS - - 10 250 -");
    assert_eq!(kept.changes(), ["RUNNING  100 200 0", "RUNNING SUCCESS 100 300 1"]);
    assert_eq!(kept.ask("SELECT * FROM open_records"), [""; 0]);
    kept.assert_sound();
}

#[test]
fn a_record_that_was_given_up_stays_so_when_it_is_shown_without_a_status() {
    let mut kept = Kept::new();
    kept.show(0, 100, "a RUNNING - - 10 - -");
    kept.commit(
        200,
        &Batch { given_up: vec![record("a - - - - - -").request_id], ..Batch::default() },
    );
    kept.show(0, 300, "a - - - - - {\"n\":1}");
    assert_eq!(kept.row(), "a RUNNING - - 10 - {\"n\":1}");
    assert_eq!(kept.ask("SELECT given_up_at FROM invocations"), ["200"]);
    kept.assert_sound();
    kept.show(0, 400, "a RUNNING - - 10 - {\"n\":2}");
    assert_eq!(kept.ask("SELECT given_up_at FROM invocations"), ["-"]);
    assert_eq!(kept.ask("SELECT request_id, seen_at FROM open_records"), ["a 400"]);
    kept.assert_sound();
}

#[test]
fn a_step_back_adds_what_was_not_known_and_bounds_no_change() {
    let mut kept = Kept::new();
    kept.show(0, 5_000, "a FAIL - - - - -");
    kept.next_run(6_000);
    kept.show(0, 6_000, "a RUNNING 7 boom 10 20 {\"n\":1}");
    assert_eq!((kept.row(), kept.counts().changed), ("a FAIL - - 10 - {\"n\":1}".to_owned(), 1));
    assert_eq!(kept.changes(), ["FAIL RUNNING 5000 6000 0"]);
    assert_eq!(kept.ask("SELECT changed_run_id FROM invocations"), ["1"]);
    assert_eq!(
        kept.ask("SELECT request_id, seen_at FROM open_records"),
        ["a 6000"],
        "it runs again"
    );
    kept.assert_sound();
}

/// A FAIL is waited for by what stands of it: a blank end makes it neither younger nor older.
#[test]
fn a_blank_end_changes_nothing_about_how_long_a_fail_is_waited_for() {
    let mut kept = Kept::new();
    kept.show(0, 3_700, "a FAIL - - 10 3600 -");
    assert_eq!(kept.ask("SELECT request_id, seen_at FROM open_records"), ["a 3700"]);
    kept.show(0, 4_000, "a FAIL - - 10 - -");
    assert_eq!(kept.ask("SELECT request_id, seen_at FROM open_records"), ["a 4000"]);
    kept.show(0, 7_200, "a FAIL - - - - -");
    assert_eq!(kept.ask("SELECT * FROM open_records"), [""; 0]);
}

#[test]
fn a_row_is_changed_by_its_own_function_only() {
    let mut kept = Kept::new();
    kept.show(0, 100, "a RUNNING - - 10 - {\"n\":1}");
    kept.next_run(200);
    kept.show(1, 200, "a FAIL 7 theirs 90000 90001 {\"m\":2}");
    assert_eq!(kept.row(), "a RUNNING - - 10 - {\"n\":1}");
    assert_eq!((kept.changes(), kept.amendments()), (Vec::new(), Vec::new()));
    assert_eq!(
        kept.ask("SELECT function_id, seen_at, checked_at FROM open_records"),
        ["1 100 100"]
    );
    assert_eq!(kept.shared(), ["a 2 FAIL 7 theirs 90000 90001 {\"m\":2} 2 2"]);
    assert_eq!((kept.counts().seen, kept.counts().new, kept.counts().changed), (1, 0, 0));
    assert_eq!(kept.digests(), ["1 1"]);
    kept.assert_sound();
    kept.show(0, 300, "a SUCCESS - - 10 250 {\"n\":1}");
    assert_eq!(kept.changes(), ["RUNNING SUCCESS 100 300 1"]);
    assert_eq!(kept.digests(), ["1 1"]);
    assert_eq!(kept.shared(), ["a 2 FAIL 7 theirs 90000 90001 {\"m\":2} 2 2"]);
    kept.assert_sound();
}

#[test]
fn a_look_up_by_another_function_closes_no_open_record() {
    let mut kept = Kept::new();
    kept.show(0, 100, "a RUNNING - - 10 - -");
    kept.show(1, 200, "a SUCCESS - - 10 150 -");
    assert_eq!(kept.archive.load_open(kept.functions[0]).unwrap().len(), 1);
    assert_eq!(kept.archive.load_open(kept.functions[1]).unwrap(), []);
    let recheck =
        Recheck { request_id: record("a - - - - - -").request_id, last_checked_at: at(100) };
    kept.commit(300, &Batch { rechecks: vec![recheck], ..Batch::default() });
    assert_eq!(
        kept.ask("SELECT function_id, seen_at, checked_at FROM open_records"),
        ["1 100 300"]
    );
    kept.assert_sound();
}

#[test]
fn what_another_function_shows_is_kept_as_its_own() {
    let mut kept = Kept::new();
    kept.show(0, 100, "a SUCCESS - - 10 20 -");
    kept.show(1, 200, "a RUNNING - - 10 - -");
    kept.next_run(300);
    kept.show(1, 300, "a RUNNING - - 10 - -");
    assert_eq!(kept.shared(), ["a 2 RUNNING - - 10 - - 1 1"], "seen again it is not written again");
    kept.show(1, 400, "a SUCCESS - - - 20 -");
    assert_eq!(kept.shared(), ["a 2 SUCCESS - - 10 20 - 1 2"], "a blank takes nothing here either");
    kept.show(1, 500, "a RUNNING - - 10 - -");
    assert_eq!(kept.shared(), ["a 2 SUCCESS - - 10 20 - 1 2"]);
    kept.show(0, 600, "a SUCCESS - - 10 20 -");
    assert_eq!(kept.shared().len(), 1, "its own function adds nothing");
    assert_eq!(kept.digests(), ["1 1"]);
    kept.assert_sound();
}

/// In one batch as well, the row is that of the function that showed it first.
#[test]
fn the_first_to_show_a_record_keeps_it() {
    let mut kept = Kept::new();
    let new: Vec<String> = (0..20).map(|id| format!("b{id:02} SUCCESS - - 10 20 -")).collect();
    let new: Vec<&str> = new.iter().map(String::as_str).collect();
    let pages = vec![kept.page(1, 100, &new), kept.page(0, 100, &new)];
    kept.commit(100, &Batch { pages, ..Batch::default() });
    assert_eq!(kept.ask("SELECT DISTINCT function_id FROM invocations"), ["2"]);
    assert_eq!(kept.ask("SELECT function_id, count(*) FROM shared_records"), ["1 20"]);
    assert_eq!((kept.counts().new, kept.counts().seen), (20, 20));
    kept.assert_sound();
}

#[test]
fn verifying_the_second_function_finds_its_shared_records_neither_late_nor_gone() {
    let mut kept = Kept::new();
    kept.show(0, 100, "a SUCCESS - - 10 20 -");
    kept.next_run(200);
    kept.show(1, 200, "a SUCCESS - other 10 20 -");
    let window = Interval::new(at(0), at(50)).unwrap();
    for shown in [vec!["a"], vec![]] {
        let verification = VerificationWalk {
            window,
            records: shown.len() as u64,
            shown: shown.into_iter().map(EntryKey::of).collect(),
            pages: 1,
            began_at: at(200),
            reached: at(0),
        };
        let found = kept
            .archive
            .compare(kept.run, kept.functions[1], &verification, &mut HashSet::new())
            .unwrap();
        assert_eq!((found.late, found.changed, found.gone, found.suspects.len()), (0, 0, 0, 0));
    }
}

#[test]
fn a_shared_record_counts_where_a_function_is_asked() {
    let mut kept = Kept::new();
    kept.show(0, 100, "a SUCCESS - - 10 20 -");
    kept.show(1, 100, "a SUCCESS - - 10 20 -");
    let range = Interval::new(at(0), at(50)).unwrap();
    for function in kept.functions {
        assert_eq!(kept.archive.count_started(function, range).unwrap(), 1);
        assert!(kept.archive.load_reach_probe(function, at(30)).unwrap().is_some());
        assert_eq!(kept.archive.load_reach_probe(function, at(20)).unwrap(), None);
    }
}

#[test]
fn a_record_is_late_where_an_earlier_proven_walk_of_its_own_function_missed_it() {
    let mut kept = Kept::new();
    let window = Interval::new(at(0), at(50)).unwrap();
    let walk = Entry {
        window,
        state: State::Proven(Proof::Both),
        reported: None,
        distinct: 0,
        pages: 1,
        walked_at: at(60),
        reason: None,
    };
    for function in [0, 1] {
        kept.find_ledger(function, std::slice::from_ref(&walk));
    }
    let pages = vec![
        kept.page(0, 100, &["a SUCCESS - - 10 20 -"]),
        kept.page(1, 100, &["a SUCCESS - - 10 20 -"]),
        kept.page(0, 100, &["b SUCCESS - - 50 60 -"]),
        kept.page(0, 100, &["c SUCCESS - - - 20 -"]),
    ];
    kept.commit(100, &Batch { pages, ..Batch::default() });
    assert_eq!(
        kept.ask("SELECT request_id, function_id, missed_at, seen_at FROM late_records"),
        ["a 1 60 100"]
    );
    assert_eq!((kept.counts().new, kept.counts().late), (3, 1));
}

#[test]
fn what_had_ended_for_good_and_changed_is_handed_out() {
    let mut kept = Kept::new();
    kept.show(0, 100, "a RUNNING - - 10 - -");
    assert_eq!(kept.show(0, 200, "a FAIL - - 10 150 -"), [], "it had not ended");
    assert_eq!(
        kept.show(0, 300, "a SUCCESS - - 10 290 -"),
        [],
        "a FAIL may be tried again for an hour"
    );
    assert_eq!(kept.show(0, 400, "a SUCCESS 7 - 10 290 -").len(), 1);
    kept.show(0, 400, "b FAIL - - 10 20 -");
    kept.show(0, 9_000, "b FAIL - - 10 20 -");
    assert_eq!(kept.show(0, 9_100, "b SUCCESS - - 10 20 -").len(), 1);
    assert_eq!((kept.counts().new, kept.counts().changed, kept.counts().seen), (2, 4, 7));
}

#[test]
fn seen_again_a_record_that_may_change_is_dated_and_one_that_may_not_is_let_go() {
    let open = "SELECT request_id, opened_at, seen_at, checked_at FROM open_records ORDER BY 1";
    let mut kept = Kept::new();
    for record in ["a RUNNING - - 10 - -", "b FAIL - - 10 90 -", "c WAIT - - - - -"] {
        kept.show(0, 100, record);
        kept.show(0, 300, record);
        kept.show(0, 200, record);
    }
    assert_eq!(
        kept.ask(open),
        ["a 10 300 300", "b 10 300 300", "c 100 300 300"],
        "an older answer takes nothing back"
    );
    kept.show(0, 3_690, "b FAIL - - 10 90 -");
    assert_eq!(kept.ask(open), ["a 10 300 300", "c 100 300 300"]);
}

#[test]
fn a_step_back_is_noted_once_and_not_for_an_answer_that_was_overtaken() {
    let mut kept = Kept::new();
    kept.show(0, 100, "a RUNNING - - 10 - -");
    kept.show(0, 300, "a SUCCESS - - 10 250 -");
    kept.show(0, 200, "a RUNNING - - 10 - -");
    assert_eq!(kept.changes(), ["RUNNING SUCCESS 100 300 1"]);
    for second in [300, 310, 320] {
        kept.show(0, second, "a RUNNING - - 10 - -");
    }
    kept.show(0, 330, "a WAIT - - 10 - -");
    let noted =
        ["RUNNING SUCCESS 100 300 1", "SUCCESS RUNNING 200 300 0", "SUCCESS WAIT 320 330 0"];
    assert_eq!(kept.changes(), noted);
    kept.assert_sound();
}

#[test]
fn a_change_came_after_the_run_that_wrote_the_status_began_and_never_after_it_was_seen() {
    let mut kept = Kept::new();
    kept.show(0, 5_000, "a FAIL - - 10 20 -");
    kept.next_run(6_000);
    kept.show(0, 6_100, "a SUCCESS - - 10 30 -");
    kept.next_run(8_000);
    kept.show(0, 8_100, "a FAIL - - 10 40 -");
    kept.show(0, 7_900, "a DISCARD - - 10 50 -");
    kept.assert_sound();
    // By its clocks, the last was seen before the run began: nothing is known of when it came, but
    // that it was before.
    let unknown = "FAIL DISCARD -63907920000 7900 1";
    assert_eq!(kept.changes(), ["FAIL SUCCESS 0 6100 1", "SUCCESS FAIL 6000 8100 1", unknown]);
}

#[test]
fn nothing_bounds_a_change_from_no_status() {
    let mut kept = Kept::new();
    kept.show(0, 100, "a - - - 10 - -");
    kept.next_run(200);
    kept.show(0, 200, "a SUCCESS - - 10 20 -");
    let changes =
        kept.archive
            .connection()
            .query_row("SELECT after_time FROM status_changes", [], |row| row.get(0));
    assert_eq!(changes, Ok(Timestamp::MIN.to_string()));
    kept.assert_sound();
}
