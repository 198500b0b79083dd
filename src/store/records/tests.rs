//! What sightings make of an archive, told by SQL.

use super::*;
use crate::domain::{EntryKey, FunctionRef, Interval};
use crate::plan::ledger::{Entry, State};
use crate::plan::paging::Proof;
use crate::plan::verify::Rewalk;
use crate::store::{Archive, Batch, Check, Packed, Reader};
use std::collections::HashSet;

/// The moments of these tests, in seconds after this one.
const BEGIN: i64 = 1_772_323_200;

fn at(second: i64) -> Timestamp {
    Timestamp::from_unix(BEGIN + second)
}

/// An archive of two functions.
struct Kept {
    directory: tempfile::TempDir,
    archive: Archive,
    run: RunId,
    tally: Tally,
    functions: [FunctionId; 2],
}

impl Kept {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut archive = Archive::open(&directory.path().join("a.db")).unwrap();
        let run = archive.begin_run("sync", at(0)).unwrap();
        let urn =
            |name: &str| FunctionRef::Name { package: "default".to_owned(), name: name.to_owned() }.resolve("r", "p");
        let registered = archive.register(&[urn("f"), urn("g")], at(0)).unwrap();
        let functions = [registered[0].id, registered[1].id];
        Self { directory, archive, run, tally: Tally::default(), functions }
    }

    /// A function shows a record at a moment: id, status, code, message, start, end and other fields, `-` for nothing.
    /// Returns the records that changed although they were final.
    fn show(&mut self, function: usize, second: i64, record: &str) -> Vec<RequestId> {
        self.commit(second, Batch { showings: vec![self.showing(function, second, &[record])], ..Batch::default() })
    }

    fn showing(&self, function: usize, second: i64, records: &[&str]) -> Showing {
        let records: Vec<Invocation> = records.iter().map(|text| record(text)).collect();
        let (function, records) = (self.functions[function], Packed::of(&records));
        Showing { function, records, seen_at: at(second), ledger: Vec::new().into() }
    }

    fn commit(&mut self, second: i64, batch: Batch) -> Vec<RequestId> {
        self.archive.commit(self.run, at(second), &batch, &mut self.tally).unwrap()
    }

    fn next_run(&mut self, second: i64) {
        self.run = self.archive.begin_run("sync", at(second)).unwrap();
        self.tally = Tally::default();
    }

    /// The rows of an answer, their values separated by blanks.
    fn ask(&self, sql: &str) -> Vec<String> {
        let mut statement = self.archive.connection().prepare(sql).unwrap();
        let columns = statement.column_count();
        let read = |row: &Row<'_>| {
            let value = |column| match row.get_ref(column).unwrap() {
                ValueRef::Null => "-".to_owned(),
                ValueRef::Integer(number) => number.to_string(),
                ValueRef::Text(text) => show_time(str::from_utf8(text).unwrap()),
                other => format!("{other:?}"),
            };
            Ok((0..columns).map(value).collect::<Vec<_>>().join(" "))
        };
        statement.query_map([], read).unwrap().map(Result::unwrap).collect()
    }

    /// The one row of the archive.
    fn row(&self) -> String {
        self.ask("SELECT request_id, status, error_code, error_message, start_time, end_time, extra FROM invocations")
            .join("; ")
    }

    fn amendments(&self) -> Vec<String> {
        self.ask("SELECT field, stood, shown, accepted, seen_at, run_id FROM amendments ORDER BY id")
    }

    fn changes(&self) -> Vec<String> {
        self.ask("SELECT from_status, to_status, after_time, by_time, accepted FROM status_changes ORDER BY id")
    }

    /// What another function shows of the records.
    fn shared(&self) -> Vec<String> {
        self.ask(
            "SELECT request_id, function_id, status, error_code, error_message, start_time, end_time, extra,
                    first_run_id, changed_run_id
               FROM shared_records ORDER BY 1, 2",
        )
    }

    fn digests(&self) -> Vec<String> {
        self.ask("SELECT function_id, records FROM digests ORDER BY 1, 2")
    }

    #[track_caller]
    fn assert_sound(&self) {
        let mut reader = Reader::open(&self.directory.path().join("a.db")).unwrap();
        assert_eq!(reader.check().unwrap(), []);
    }
}

/// A time of the tests as its second, any other text as it is.
fn show_time(text: &str) -> String {
    match text.parse::<Timestamp>() {
        Ok(moment) => moment.seconds_since(at(0)).to_string(),
        Err(_) => text.to_owned(),
    }
}

fn record(text: &str) -> Invocation {
    let words: Vec<Option<&str>> = text.split_whitespace().map(|word| (word != "-").then_some(word)).collect();
    let time = |word: Option<&str>| word.map(|second| RecordTime::At(at(second.parse().unwrap())));
    Invocation {
        request_id: RequestId::new(words[0].unwrap()).unwrap(),
        status: Status::parse(words[1].unwrap_or_default()),
        error_code: words[2].map(|code| ErrorCode::Number(code.parse().unwrap())),
        error_message: words[3].map(Into::into),
        start_time: time(words[4]),
        end_time: time(words[5]),
        extra: words[6].map(Into::into),
    }
}

#[test]
fn a_blank_takes_nothing_and_is_noted_once() {
    let full = "a FAIL 7 boom 10 20 {\"n\":1}";
    let mut kept = Kept::new();
    kept.show(0, 5_000, full);
    for blank in ["a FAIL - - - - -", "a FAIL - boom 10 20 {\"n\":1}", "a FAIL 7 - 10 20 {\"n\":null}"] {
        for run in 0..2 {
            kept.next_run(6_000 + run);
            assert_eq!(kept.show(0, 6_100 + run, blank), [], "nothing that is final changed");
            assert_eq!((kept.tally.changed, kept.row()), (0, full.to_owned()), "{blank}");
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

#[test]
fn what_a_blank_left_out_is_learnt_later() {
    let mut kept = Kept::new();
    kept.show(0, 5_000, "a SUCCESS - - - - -");
    kept.next_run(6_000);
    assert_eq!(kept.show(0, 6_000, "a SUCCESS 0 - 10 20 {\"n\":1}").len(), 1);
    assert_eq!((kept.row(), kept.tally.changed), ("a SUCCESS 0 - 10 20 {\"n\":1}".to_owned(), 1));
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
    let noted =
        ["extra {\"n\":1} {\"n\":2} 1 200 1", "extra {\"n\":2} {\"n\":1} 1 300 1", "extra {\"n\":1} {\"n\":2} 1 400 1"];
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
    assert_eq!(kept.ask("SELECT seen_at, checked_at FROM open_records"), ["100 100"], "its status was not seen");
    kept.show(0, 300, "a SUCCESS - - 10 250 -");
    assert_eq!(kept.changes(), ["RUNNING  100 200 0", "RUNNING SUCCESS 100 300 1"]);
    assert_eq!(kept.ask("SELECT * FROM open_records"), [""; 0]);
    kept.assert_sound();
}

#[test]
fn a_record_that_was_given_up_stays_so_when_it_is_shown_without_a_status() {
    let mut kept = Kept::new();
    kept.show(0, 100, "a RUNNING - - 10 - -");
    kept.commit(200, Batch { given_up: vec![record("a - - - - - -").request_id], ..Batch::default() });
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
    assert_eq!((kept.row(), kept.tally.changed), ("a FAIL - - 10 - {\"n\":1}".to_owned(), 1));
    assert_eq!(kept.changes(), ["FAIL RUNNING 5000 6000 0"]);
    assert_eq!(kept.ask("SELECT changed_run_id FROM invocations"), ["1"]);
    assert_eq!(kept.ask("SELECT request_id, seen_at FROM open_records"), ["a 6000"], "it runs again");
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
    assert_eq!(kept.ask("SELECT function_id, seen_at, checked_at FROM open_records"), ["1 100 100"]);
    assert_eq!(kept.shared(), ["a 2 FAIL 7 theirs 90000 90001 {\"m\":2} 2 2"]);
    assert_eq!((kept.tally.seen, kept.tally.new, kept.tally.changed), (1, 0, 0));
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
    let check = Check { request_id: record("a - - - - - -").request_id, last_checked_at: at(100) };
    kept.commit(300, Batch { checks: vec![check], ..Batch::default() });
    assert_eq!(kept.ask("SELECT function_id, seen_at, checked_at FROM open_records"), ["1 100 300"]);
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
    let showings = vec![kept.showing(1, 100, &new), kept.showing(0, 100, &new)];
    kept.commit(100, Batch { showings, ..Batch::default() });
    assert_eq!(kept.ask("SELECT DISTINCT function_id FROM invocations"), ["2"]);
    assert_eq!(kept.ask("SELECT function_id, count(*) FROM shared_records"), ["1 20"]);
    assert_eq!((kept.tally.new, kept.tally.seen), (20, 20));
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
        let rewalk = Rewalk {
            window,
            records: shown.len() as u64,
            shown: shown.into_iter().map(EntryKey::of).collect(),
            pages: 1,
            began_at: at(200),
            reached: at(0),
        };
        let found = kept.archive.compare(kept.run, kept.functions[1], &rewalk, &mut HashSet::new()).unwrap();
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
    let walk =
        Entry { window, state: State::Proven(Proof::Both), reported: None, distinct: 0, pages: 1, walked_at: at(60) };
    let ledger: std::sync::Arc<[Entry]> = vec![walk].into();
    let late = |kept: &Kept, function, text: &str| Showing {
        ledger: std::sync::Arc::clone(&ledger),
        ..kept.showing(function, 100, &[text])
    };
    let showings = vec![
        late(&kept, 0, "a SUCCESS - - 10 20 -"),
        late(&kept, 1, "a SUCCESS - - 10 20 -"),
        late(&kept, 0, "b SUCCESS - - 50 60 -"),
        late(&kept, 0, "c SUCCESS - - - 20 -"),
    ];
    kept.commit(100, Batch { showings, ..Batch::default() });
    assert_eq!(kept.ask("SELECT request_id, function_id, missed_at, seen_at FROM late_records"), ["a 1 60 100"]);
    assert_eq!((kept.tally.new, kept.tally.late), (3, 1));
}
