//! The few records that may still change, and when each was last asked for.

use crate::domain::{RequestId, Status, Timestamp};
use crate::plan::clocks::Moment;
use crate::plan::refresh::{OpenRecord, Recheck};
use crate::store::file::{Archive, StoreError};
use crate::store::sql::RunId;
use crate::store::sql::ids::FunctionId;
use crate::store::sql::record::read_moment;
use rusqlite::{OptionalExtension, Row, Transaction, named_params};

impl Archive {
    /// The open records of a function, oldest first.
    pub fn load_open(&self, function: FunctionId) -> Result<Vec<OpenRecord>, StoreError> {
        let mut statement = self.connection().prepare_cached(&format!(
            "SELECT o.request_id, o.opened_at, o.seen_at, o.checked_at,
                 coalesce({}, i.status) AS status, i.start_time,
                    i.end_time
               FROM open_records o
               JOIN invocations i USING (request_id)
              WHERE o.function_id = ?1
              ORDER BY o.opened_at, o.request_id",
            stepped_back("o.request_id"),
        ))?;
        statement.query_and_then([function], load_record)?.collect()
    }
}

fn load_record(row: &Row<'_>) -> Result<OpenRecord, StoreError> {
    let start = read_moment(row, "start_time")?;
    Ok(OpenRecord {
        request_id: row.get("request_id")?,
        status: Status::parse(&row.get::<_, String>("status")?),
        // A start that was not known when the record was first seen counts as soon as it is.
        opened_at: start.map_or_else(|| row.get("opened_at"), Ok)?,
        start_is_known: start.is_some(),
        is_shown: row.get::<_, Timestamp>("seen_at")? >= row.get("checked_at")?,
        ended_at: read_moment(row, "end_time")?,
        checked_at: row.get("checked_at")?,
    })
}

/// Notes that a record may still change, as seen at `now`: after that moment for certain, whichever
/// clock is right.
pub(in crate::store) fn save_open(
    transaction: &Transaction<'_>,
    request_id: &RequestId,
    function: FunctionId,
    opened_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO open_records (request_id, function_id, opened_at, seen_at, checked_at)
         VALUES (:request_id, :function_id, :opened_at, :now, :now)
             ON CONFLICT (request_id) DO UPDATE
            SET opened_at = min(opened_at, excluded.opened_at),
                seen_at = max(seen_at, excluded.seen_at),
                checked_at = max(checked_at, excluded.checked_at)",
        )?
        .execute(named_params! {
            ":request_id": request_id.as_str(),
            ":function_id": function,
            ":opened_at": opened_at,
            ":now": now,
        })?;
    Ok(())
}

/// Notes that a record will not change any more; returns nothing, since it may not have been open.
pub(in crate::store) fn close(
    transaction: &Transaction<'_>,
    request_id: &RequestId,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached("DELETE FROM open_records WHERE request_id = ?1")?
        .execute([request_id.as_str()])?;
    Ok(())
}

/// Lets go of records that were given up and shown again as they were: their last status stands
/// until it changes. Those of a function that is gone are kept, since they are waited for again if
/// it comes back.
pub(in crate::store) fn let_go(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "DELETE FROM open_records WHERE request_id IN
                (SELECT o.request_id
                   FROM open_records o
                   JOIN invocations i USING (request_id)
                   JOIN functions f ON f.id = o.function_id
                  WHERE i.given_up_at IS NOT NULL AND f.gone_at IS NULL)",
        )?
        .execute([])?;
    Ok(())
}

/// When the record was last seen, if it is open.
pub(in crate::store) fn load_seen_at(
    transaction: &Transaction<'_>,
    request_id: &RequestId,
) -> Result<Option<Timestamp>, StoreError> {
    let mut select =
        transaction.prepare_cached("SELECT seen_at FROM open_records WHERE request_id = ?1")?;
    Ok(select.query_row([request_id], |row| row.get(0)).optional()?)
}

/// The status in which a record was last shown, where that is one that goes on although an outcome
/// of it stands: a FAIL that runs again has not ended, whatever its row says. Else NULL. `id` tells
/// the record.
fn stepped_back(id: &str) -> String {
    format!(
        "(SELECT CASE WHEN accepted = 0 AND to_status NOT IN ('SUCCESS', 'FAIL', 'DISCARD', '')
          THEN to_status END
            FROM status_changes WHERE request_id = {id} ORDER BY id DESC LIMIT 1)"
    )
}

/// Notes that records were asked for: those that were not shown are asked for again later.
///
/// A FAIL, or a SUCCESS without an end, is asked for once, when it is old enough to be final; not
/// shown then, it is final as it stands. One that was shown is left as it was seen: it may have
/// become a FAIL, or run again, just now. What became a FAIL in this run was shown in it, whatever
/// its clocks say.
///
/// Where its start is not known, it began at the latest when it was asked for: a clock that was
/// ahead when it was first seen may have said otherwise.
pub(in crate::store) fn save_rechecks(
    transaction: &Transaction<'_>,
    run: RunId,
    now: Moment,
    rechecks: &[Recheck],
) -> Result<(), StoreError> {
    let mut close = transaction.prepare_cached(&format!(
        "DELETE FROM open_records WHERE request_id = ?1 AND seen_at <= ?2 AND {} IS NULL
            AND EXISTS (SELECT 1 FROM invocations i
                         WHERE i.request_id = ?1 AND i.status IN ('FAIL', 'SUCCESS')
                             AND i.changed_run_id <> ?3)",
        stepped_back("?1"),
    ))?;
    let mut update = transaction.prepare_cached(
        "UPDATE open_records SET checked_at = max(checked_at, ?3), opened_at = min(opened_at, ?4)
          WHERE request_id = ?1 AND seen_at <= ?2",
    )?;
    for Recheck { request_id, last_checked_at } in rechecks {
        close.execute((request_id, last_checked_at, run))?;
        update.execute((request_id, last_checked_at, now.earlier(), now.later()))?;
    }
    Ok(())
}

/// Stops waiting for the end of records; their last status stands. One that was shown to have ended
/// since that was decided has its end: it is open no more, or only because it may be tried again.
pub(in crate::store) fn give_up(
    transaction: &Transaction<'_>,
    now: Timestamp,
    given_up: &[RequestId],
) -> Result<(), StoreError> {
    let mut update = transaction.prepare_cached(
        "UPDATE invocations SET given_up_at = ?2
          WHERE request_id = ?1 AND status NOT IN ('SUCCESS', 'FAIL', 'DISCARD')
            AND (status IN ('WAIT', 'RUNNING')
                 OR coalesce(end_time, '') NOT GLOB '????-??-??T??:??:??Z')
            AND request_id IN (SELECT request_id FROM open_records)",
    )?;
    // Its outcome stands, since no other was shown; and its end, if no status ever came with it.
    let let_go_again = format!(
        "DELETE FROM open_records
          WHERE request_id = ?1
            AND ({} IS NOT NULL
                 OR EXISTS (SELECT 1 FROM invocations i
                             WHERE i.request_id = ?1
                               AND i.status NOT IN ('WAIT', 'RUNNING', 'SUCCESS', 'FAIL', 'DISCARD')
                               AND i.end_time GLOB '????-??-??T??:??:??Z'))",
        stepped_back("?1")
    );
    let mut let_go_again = transaction.prepare_cached(&let_go_again)?;
    for request_id in given_up {
        if update.execute((request_id, now))? > 0 {
            close(transaction, request_id)?;
        }
        let_go_again.execute([request_id.as_str()])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Invocation, RecordTime};
    use crate::plan::clocks::{Answered, ServiceClock};
    use crate::store::testing::{Kept, at};
    use crate::store::write::{Batch, Ending, Endings, Packed, SeenPage, Tally};

    /// An archive that knows one record, RUNNING at 100 s.
    fn with_a_running_record() -> Kept {
        let mut kept = Kept::new();
        kept.next_run(100);
        kept.take(100, Some(record(Status::Running, None)), None);
        kept
    }

    impl Kept {
        /// The record as it was shown at a moment, and a check of what was last checked at another.
        fn take(&mut self, now: i64, shown: Option<Invocation>, last_checked: Option<i64>) {
            let function = self.functions[0];
            let page = |record| SeenPage {
                function,
                records: Packed::of(&[record]),
                seen_at: at(now).into(),
            };
            let recheck = |second| Recheck { request_id: id(), last_checked_at: at(second) };
            let batch = Batch {
                pages: shown.map(page).into_iter().collect(),
                rechecks: last_checked.map(recheck).into_iter().collect(),
                ..Batch::default()
            };
            self.commit(now, &batch);
        }

        fn open(&self) -> Vec<OpenRecord> {
            self.archive.load_open(self.functions[0]).unwrap()
        }
    }

    fn id() -> RequestId {
        RequestId::new("a").unwrap()
    }

    fn record(status: Status, end: Option<i64>) -> Invocation {
        Invocation {
            request_id: id(),
            status,
            error_code: None,
            error_message: None,
            start_time: Some(RecordTime::At(at(50))),
            end_time: end.map(|end| RecordTime::At(at(end))),
            extra: None,
        }
    }

    #[test]
    fn a_record_that_was_asked_for_and_not_shown_is_asked_for_later_or_final() {
        let mut kept = with_a_running_record();
        kept.take(200, None, Some(100));
        assert!(matches!(&kept.open()[..], [open] if !open.is_shown && open.checked_at == at(200)));
        kept.take(300, Some(record(Status::Fail, Some(290))), None);
        kept.next_run(4_000);
        kept.take(4_000, None, Some(300));
        assert_eq!(kept.open(), []);
    }

    #[test]
    fn a_record_that_became_a_fail_when_it_was_asked_for_may_still_be_tried_again() {
        let mut kept = with_a_running_record();
        kept.take(200, Some(record(Status::Fail, Some(190))), Some(100));
        assert!(matches!(&kept.open()[..], [open] if open.is_shown && open.status == Status::Fail));
    }

    #[test]
    fn open_records_are_handed_out_oldest_first() {
        let mut kept = Kept::new();
        for record in
            ["a RUNNING - - 30 - -", "d WAIT - - 10 - -", "b WAIT - - 10 - -", "c WAIT - - - - -"]
        {
            kept.show(0, 20, record);
        }
        kept.show(1, 20, "e RUNNING - - 1 - -");
        let open = kept.archive.load_open(kept.functions[0]).unwrap();
        let told: Vec<_> =
            open.iter().map(|open| (open.request_id.as_str(), open.start_is_known)).collect();
        assert_eq!(told, [("b", true), ("d", true), ("c", false), ("a", true)]);
        kept.show(0, 40, "c RUNNING - - 5 - -");
        let open = kept.archive.load_open(kept.functions[0]).unwrap();
        let known = open.iter().find(|open| open.request_id.as_str() == "c").unwrap();
        assert_eq!(
            (known.opened_at, known.start_is_known),
            (at(5), true),
            "a start counts once it is known"
        );
    }

    #[test]
    fn a_fail_that_runs_again_when_it_was_asked_for_is_waited_for() {
        let mut kept = with_a_running_record();
        kept.take(200, Some(record(Status::Fail, Some(190))), None);
        kept.take(4_000, Some(record(Status::Running, None)), Some(200));
        assert!(
            matches!(&kept.open()[..], [open] if open.is_shown && open.checked_at == at(4_000))
        );
    }

    /// The machine's clock at one second, the service's at another.
    fn apart(machine: i64, service: i64) -> Moment {
        let mut clock = ServiceClock::default();
        clock.learn(Answered { sent: at(machine), received: at(machine), date: Some(at(service)) });
        clock.at(at(machine))
    }

    impl Kept {
        fn show_when(&mut self, when: Moment, shown: Invocation) {
            let page = SeenPage {
                function: self.functions[0],
                records: Packed::of(&[shown]),
                seen_at: when,
            };
            self.commit_when(when, &Batch { pages: vec![page], ..Batch::default() });
        }

        fn text(&self, sql: &str) -> String {
            self.archive.connection().query_row(sql, [], |row| row.get(0)).unwrap()
        }
    }

    #[test]
    fn history_is_bounded_by_both_clocks() {
        for (seen, changed) in
            [(apart(200, 5_000), apart(300, 90)), (apart(5_000, 200), apart(90, 300))]
        {
            let mut kept = with_a_running_record();
            kept.show_when(seen, record(Status::Running, None));
            kept.show_when(changed, record(Status::Success, Some(250)));
            let bounds = kept.text("SELECT after_time || ' ' || by_time FROM status_changes");
            assert_eq!(bounds, format!("{} {}", at(200), at(300)));
        }
    }

    #[test]
    fn what_was_dated_after_a_change_does_not_bound_it() {
        let mut kept = with_a_running_record();
        kept.show_when(at(9_000).into(), record(Status::Running, None));
        kept.show_when(at(300).into(), record(Status::Success, Some(250)));
        assert_eq!(
            kept.text("SELECT after_time FROM status_changes"),
            at(100).to_string(),
            "when the run began"
        );
        kept.archive
            .connection()
            .execute("UPDATE runs SET started_at = '2030-01-01T00:00:00Z'", [])
            .unwrap();
        kept.show_when(at(400).into(), record(Status::Fail, Some(250)));
        let unknown = kept.text("SELECT after_time FROM status_changes ORDER BY id DESC LIMIT 1");
        assert_eq!(unknown, Timestamp::MIN.to_string());
    }

    #[test]
    fn a_record_that_was_given_up_is_waited_for_again_only_when_it_changes() {
        let mut kept = with_a_running_record();
        let batch = Batch { given_up: vec![id()], ..Batch::default() };
        kept.commit(2_000_000, &batch);
        kept.take(2_000_100, Some(record(Status::Running, None)), None);
        assert_eq!(kept.open(), []);
        kept.take(2_000_200, Some(record(Status::Fail, Some(2_000_150))), None);
        assert_eq!(kept.open().len(), 1);
    }

    /// The page that shows its end may be committed with the decision, or before it.
    #[test]
    fn a_record_that_ended_meanwhile_is_not_given_up() {
        for shown in [Status::Success, Status::Fail] {
            let mut kept = with_a_running_record();
            kept.take(2_000_000, Some(record(shown.clone(), Some(1_999_999))), None);
            let batch = Batch { given_up: vec![id()], ..Batch::default() };
            kept.commit(2_000_000, &batch);
            assert_eq!(kept.text("SELECT count(given_up_at) || '' FROM invocations"), "0");
            assert_eq!(
                kept.open().len(),
                usize::from(shown == Status::Fail),
                "a FAIL may be tried again"
            );
        }
    }

    #[test]
    fn a_fail_that_was_last_shown_running_is_waited_for_until_it_is_given_up() {
        let mut kept = with_a_running_record();
        kept.take(200, Some(record(Status::Fail, Some(190))), None);
        kept.next_run(2_000);
        kept.take(2_000, Some(record(Status::Running, None)), Some(200));
        kept.next_run(6_000);
        kept.take(6_000, None, Some(2_000));
        assert!(
            matches!(&kept.open()[..], [open] if open.status == Status::Running),
            "shown empty once"
        );
        kept.take(9_000, Some(record(Status::Success, Some(8_000))), Some(6_000));
        assert_eq!(kept.text("SELECT status FROM invocations"), "SUCCESS");
        kept.take(9_100, Some(record(Status::Fail, Some(190))), None);
        kept.take(9_200, Some(record(Status::Running, None)), None);
        kept.commit(2_000_000, &Batch { given_up: vec![id()], ..Batch::default() });
        assert_eq!(kept.open(), []);
    }

    #[test]
    fn whatever_waits_for_an_end_is_given_up() {
        for status in ["WAIT", "RUNNING", "QUEUED", "running", "-"] {
            let mut kept = Kept::new();
            kept.show(0, 100, &format!("b {status} - - 10 - -"));
            assert_eq!(kept.archive.load_open(kept.functions[0]).unwrap().len(), 1, "{status}");
            let given_up = vec![RequestId::new("b").unwrap()];
            kept.commit(2_000_000, &Batch { given_up, ..Batch::default() });
            assert_eq!(kept.archive.load_open(kept.functions[0]).unwrap(), [], "{status}");
            assert_eq!(kept.ask("SELECT given_up_at FROM invocations"), ["2000000"], "{status}");
            kept.assert_sound();
        }
    }

    #[test]
    fn what_has_an_end_and_no_status_is_let_go_as_it_is() {
        let mut kept = Kept::new();
        kept.show(0, 100, "b unknown - - 10 20 -");
        assert_eq!(kept.archive.load_open(kept.functions[0]).unwrap().len(), 1);
        let given_up = vec![RequestId::new("b").unwrap()];
        kept.commit(2_000_000, &Batch { given_up, ..Batch::default() });
        assert_eq!(kept.archive.load_open(kept.functions[0]).unwrap(), []);
        assert_eq!(kept.text("SELECT count(given_up_at) || '' FROM invocations"), "0");
        kept.assert_sound();
    }

    /// It is asked for after as long as it is known to be open; a start that lies ahead would leave
    /// that at nothing.
    #[test]
    fn a_record_without_a_start_began_before_it_was_asked_for() {
        let mut kept = with_a_running_record();
        let without_start = Invocation {
            request_id: RequestId::new("b").unwrap(),
            start_time: None,
            ..record(Status::Wait, None)
        };
        kept.show_when(apart(200, 900_000), without_start);
        let recheck = |second| Recheck {
            request_id: RequestId::new("b").unwrap(),
            last_checked_at: at(second),
        };
        for (now, last) in [(10_000, 200), (20_000, 10_000)] {
            let batch = Batch { rechecks: vec![recheck(last)], ..Batch::default() };
            kept.commit(now, &batch);
        }
        let open = kept.open().pop().unwrap();
        assert_eq!(
            (open.opened_at, open.checked_at, open.start_is_known),
            (at(10_000), at(20_000), false)
        );
    }

    #[test]
    fn a_fail_of_this_run_stays_open_whatever_its_answers_are_dated() {
        let mut kept = with_a_running_record();
        kept.take(4_000, Some(record(Status::Running, None)), None);
        kept.archive
            .end_run(
                kept.run,
                at(4_000),
                &Tally::default(),
                &Endings { run: Ending { outcome: "complete", exit_code: 0 }, sources: Vec::new() },
            )
            .unwrap();
        kept.next_run(50);
        kept.show_when(apart(50, 60), record(Status::Fail, Some(40)));
        kept.take(60, None, Some(4_000));
        assert!(matches!(&kept.open()[..], [open] if open.status == Status::Fail));
    }
}
