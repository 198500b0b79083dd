//! Holding what the service shows of settled windows against what is archived, and keeping what
//! came of it.

use crate::domain::{EntryKey, Interval, RequestId, Timestamp, count_to_i64, count_to_u64};
use crate::plan::verify::{Spending, VerificationWalk, Verified};
use crate::store::file::{Archive, StoreError};
use crate::store::sql::record::read_moment;
use crate::store::sql::{FunctionId, RunId, read_range};
use rusqlite::{Row, named_params};
use std::collections::HashSet;

/// How many runs back what was spent on verification is held against all that was asked: some days
/// of runs.
const RUNS_LOOKED_BACK: i64 = 1_000;

/// How many verifications are looked through for the one longest ago: years of them, at a few a
/// day.
const MOST_LOOKED_THROUGH: i64 = 10_000;

/// So many findings of a window are named; the rest is counted.
const MOST_NAMED: usize = 1_000;

/// What can be found in a settled window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Discrepancy {
    /// The service shows it, and it was not archived.
    Late,
    /// It was final, and the service shows it otherwise than it was archived.
    Changed,
    /// It is archived, and the service does not show it, although it shows older ones.
    Gone,
}

/// How a settled window compares with what the service shows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The function.
    pub function: FunctionId,
    /// The window.
    pub window: Interval,
    /// When its walk began, by the service's clock.
    pub verified_at: Timestamp,
    /// Records that the service showed.
    pub records: u64,
    /// Records that were not archived, and are now.
    pub late: u64,
    /// Records that were archived otherwise, and are now as shown.
    pub changed: u64,
    /// Archived records that the service should show and does not; they stay archived.
    pub gone: u64,
    /// Archived records that the service has forgotten by now, as it should.
    pub forgotten: u64,
    /// The first of the late, changed and gone.
    pub named: Vec<(Discrepancy, RequestId)>,
    /// Archived records that the walk did not show: gone, unless they are found when they are asked
    /// for by themselves.
    pub suspects: Vec<Suspect>,
}

/// A record that should have been shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// Its id.
    pub request_id: RequestId,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; when it began where that is not known.
    pub ended_at: Timestamp,
}

impl Comparison {
    /// Whether the window was not what was archived.
    pub fn differs(&self) -> bool {
        self.late + self.changed + self.gone > 0
    }

    /// Settles what became of the suspects: those of these ids are gone.
    pub fn conclude(&mut self, is_gone: impl Fn(&RequestId) -> bool) {
        for suspect in std::mem::take(&mut self.suspects) {
            if is_gone(&suspect.request_id) {
                self.gone += 1;
                self.name(Discrepancy::Gone, suspect.request_id);
            }
        }
    }

    fn name(&mut self, discrepancy: Discrepancy, request_id: RequestId) {
        if self.named.len() < MOST_NAMED {
            self.named.push((discrepancy, request_id));
        }
    }

    /// Takes in an archived record of the window, where the service may have forgotten what began
    /// before a moment; `revised` are those that changed although they were final.
    fn add(
        &mut self,
        archived: Archived,
        verification: &VerificationWalk,
        forgotten_until: Timestamp,
        revised: &mut HashSet<RequestId>,
    ) {
        let Archived { request_id, started_at, ended_at, is_late } = archived;
        if is_late {
            self.late += 1;
            self.name(Discrepancy::Late, request_id);
        } else if revised.remove(&request_id) {
            self.changed += 1;
            self.name(Discrepancy::Changed, request_id);
        } else if !verification.shown.contains(&EntryKey::of(request_id.as_str())) {
            // By its start, the earliest of its times: by which of them the service forgets is not
            // documented.
            if started_at < forgotten_until {
                self.forgotten += 1;
            } else {
                self.suspects.push(Suspect { request_id, started_at, ended_at });
            }
        }
    }
}

/// The records of a window, and whether this run brought them.
const SELECT: &str = "
SELECT request_id, start_time, first_run_id = :run AS is_late, end_time
  FROM invocations
 WHERE function_id = :function_id AND start_time >= :begin AND start_time < :end
 ORDER BY start_time";

/// A row of [`SELECT`].
struct Archived {
    request_id: RequestId,
    started_at: Timestamp,
    ended_at: Timestamp,
    is_late: bool,
}

impl Archived {
    fn read(row: &Row<'_>) -> Result<Option<Self>, StoreError> {
        let Some(started_at) = read_moment(row, "start_time")? else { return Ok(None) };
        let ended_at = read_moment(row, "end_time")?.unwrap_or(started_at);
        Ok(Some(Self {
            request_id: row.get("request_id")?,
            started_at,
            ended_at,
            is_late: row.get("is_late")?,
        }))
    }
}

impl Archive {
    /// What the latest runs of `sync` asked, and how much of it verified.
    pub fn load_spending(&self) -> Result<Spending, StoreError> {
        let select = "SELECT coalesce(sum(requests), 0), coalesce(sum(verify_requests), 0)
                        FROM runs WHERE command = 'sync' AND id > (SELECT max(id) FROM runs) - ?1";
        Ok(self.connection().query_row(select, [RUNS_LOOKED_BACK], |row| {
            Ok(Spending {
                requests: count_to_u64(row.get(0)?),
                verifying: count_to_u64(row.get(1)?),
            })
        })?)
    }

    /// What was verified of a function, the latest first.
    pub fn load_verified(&self, function: FunctionId) -> Result<Vec<Verified>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT begin_time, end_time, verified_at FROM verifications WHERE function_id = ?1
                 ORDER BY id DESC LIMIT ?2",
        )?;
        let rows = statement.query_and_then((function, MOST_LOOKED_THROUGH), |row| {
            Ok(Verified { window: read_range(row, 0)?, at: row.get(2)? })
        })?;
        rows.collect()
    }

    /// Compares a window with what walking it again showed; the pages of that walk are committed,
    /// and changed the `revised` records, of which those of the window are taken.
    pub fn compare(
        &self,
        run: RunId,
        function: FunctionId,
        verification: &VerificationWalk,
        revised: &mut HashSet<RequestId>,
    ) -> Result<Comparison, StoreError> {
        let mut comparison = Comparison {
            function,
            window: verification.window,
            verified_at: verification.began_at,
            records: verification.records,
            late: 0,
            changed: 0,
            gone: 0,
            forgotten: 0,
            named: Vec::new(),
            suspects: Vec::new(),
        };
        // A function that came back may have been made anew, and what it had done before went with
        // the old one.
        let forgotten_until =
            verification.reached.max(self.load_return(function)?.unwrap_or(Timestamp::MIN));
        let mut statement = self.connection().prepare_cached(SELECT)?;
        let parameters = named_params! {
            ":run": run,
            ":function_id": function,
            ":begin": verification.window.begin(),
            ":end": verification.window.end(),
        };
        for archived in statement.query_and_then(parameters, Archived::read)? {
            if let Some(archived) = archived? {
                comparison.add(archived, verification, forgotten_until, revised);
            }
        }
        Ok(comparison)
    }

    /// Keeps what verifying came to.
    pub fn save_verifications(
        &mut self,
        run: RunId,
        comparisons: &[Comparison],
    ) -> Result<(), StoreError> {
        self.transact(|transaction| {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO verifications
                     (function_id, begin_time, end_time, verified_at, records, late, changed, gone,
                      forgotten, run_id)
                 VALUES (:function_id, :begin, :end, :verified_at, :records, :late, :changed, :gone,
                     :forgotten, :run)",
            )?;
            for comparison in comparisons {
                insert.execute(named_params! {
                    ":function_id": comparison.function,
                    ":begin": comparison.window.begin(),
                    ":end": comparison.window.end(),
                    ":verified_at": comparison.verified_at,
                    ":records": count_to_i64(comparison.records),
                    ":late": count_to_i64(comparison.late),
                    ":changed": count_to_i64(comparison.changed),
                    ":gone": count_to_i64(comparison.gone),
                    ":forgotten": count_to_i64(comparison.forgotten),
                    ":run": run,
                })?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{Kept, at, record};

    fn window(begin: i64, end: i64) -> Interval {
        Interval::new(at(begin), at(end)).unwrap()
    }

    /// A walk of [10, 100) that showed these records, by a service that reaches back to 50.
    fn verification(shown: &[&str]) -> VerificationWalk {
        VerificationWalk {
            window: window(10, 100),
            shown: shown.iter().map(|id| EntryKey::of(id)).collect(),
            records: shown.len() as u64,
            pages: 1,
            began_at: at(5_000),
            reached: at(50),
        }
    }

    fn ids(ids: &[&str]) -> HashSet<RequestId> {
        ids.iter().map(|id| record(&format!("{id} - - - - - -")).request_id).collect()
    }

    #[test]
    fn what_a_window_should_hold_is_there_late_changed_forgotten_or_suspect() {
        let mut kept = Kept::new();
        for record in [
            "before SUCCESS - - 9 9 -",
            "forgotten SUCCESS - - 49 60 -",
            "missing SUCCESS - - 50 60 -",
            "there SUCCESS - - 60 60 -",
            "changed SUCCESS - - 70 70 -",
            "without SUCCESS - - - 60 -",
            "after SUCCESS - - 100 100 -",
        ] {
            kept.show(0, 1_000, record);
        }
        kept.show(1, 1_000, "theirs SUCCESS - - 60 60 -");
        kept.next_run(5_000);
        kept.show(0, 5_000, "late SUCCESS - - 20 20 -");
        let mut revised = ids(&["changed", "late", "after"]);
        let verification = verification(&["there", "changed", "late", "before", "after"]);
        let mut found =
            kept.archive.compare(kept.run, kept.functions[0], &verification, &mut revised).unwrap();
        assert_eq!(
            (found.records, found.late, found.changed, found.gone, found.forgotten),
            (5, 1, 1, 0, 1)
        );
        let suspects: Vec<_> = found
            .suspects
            .iter()
            .map(|suspect| (suspect.request_id.as_str(), suspect.started_at))
            .collect();
        assert_eq!(suspects, [("missing", at(50))]);
        let named = |found: &Comparison| -> Vec<(Discrepancy, String)> {
            found.named.iter().map(|(what, id)| (*what, id.to_string())).collect()
        };
        let expected =
            [(Discrepancy::Late, "late".to_owned()), (Discrepancy::Changed, "changed".to_owned())];
        assert_eq!(named(&found), expected);
        assert_eq!(revised, ids(&["late", "after"]), "each is taken with its own window");
        let mut there = found.clone();
        there.conclude(|_| false);
        assert_eq!((there.gone, there.suspects.len(), there.named.len()), (0, 0, 2));
        found.conclude(|id| id.as_str() == "missing");
        assert_eq!((found.gone, found.suspects.len()), (1, 0));
        assert_eq!(named(&found)[2], (Discrepancy::Gone, "missing".to_owned()));
        assert!(found.differs());
    }

    #[test]
    fn what_a_function_had_done_before_it_came_back_may_be_forgotten() {
        let mut kept = Kept::new();
        for record in ["old SUCCESS - - 70 70 -", "new SUCCESS - - 90 90 -"] {
            kept.show(0, 1_000, record);
        }
        for (id, from, until) in [(1, 60, 70), (1, 75, 80), (2, 85, 95)] {
            let (from, until) = (at(from).to_string(), at(until).to_string());
            kept.archive
                .connection()
                .execute("INSERT INTO absences VALUES (?1, ?2, ?3, NULL)", (id, from, until))
                .unwrap();
        }
        kept.next_run(5_000);
        let found = kept
            .archive
            .compare(kept.run, kept.functions[0], &verification(&[]), &mut HashSet::new())
            .unwrap();
        let suspects: Vec<_> =
            found.suspects.iter().map(|suspect| suspect.request_id.as_str()).collect();
        assert_eq!((found.forgotten, suspects), (1, vec!["new"]));
    }

    #[test]
    fn what_was_verified_is_handed_out_latest_first_by_function() {
        let mut kept = Kept::new();
        let compared = |function, begin| {
            let verification = VerificationWalk {
                window: window(begin, begin + 10),
                began_at: at(begin + 7_000),
                ..verification(&[])
            };
            let found = kept.archive.compare(
                kept.run,
                kept.functions[function],
                &verification,
                &mut HashSet::new(),
            );
            found.unwrap()
        };
        let comparisons = [compared(0, 10), compared(1, 20), compared(0, 30)];
        kept.archive.save_verifications(kept.run, &comparisons).unwrap();
        let verified =
            |begin| Verified { window: window(begin, begin + 10), at: at(begin + 7_000) };
        assert_eq!(
            kept.archive.load_verified(kept.functions[0]).unwrap(),
            [verified(30), verified(10)]
        );
        assert_eq!(kept.archive.load_verified(kept.functions[1]).unwrap(), [verified(20)]);
    }

    #[test]
    fn spending_is_that_of_the_latest_runs_of_sync() {
        let kept = Kept::new();
        let fill = "
            UPDATE runs SET requests = 5, verify_requests = 2;
            WITH RECURSIVE more (id) AS (SELECT 2 UNION ALL SELECT id + 1 FROM more WHERE id < 1001)
            INSERT INTO runs (id, command, started_at, updated_at, requests, verify_requests)
            SELECT id, iif(id = 3, 'verify', 'sync'), '', '', iif(id = 3, 100, 1),
                iif(id = 3, 50, id = 4) FROM more";
        kept.archive.connection().execute_batch(fill).unwrap();
        let spending = |kept: &Kept| kept.archive.load_spending().unwrap();
        assert_eq!(
            spending(&kept),
            Spending { requests: 999, verifying: 1 },
            "the first of 1,001 runs no longer counts"
        );
        kept.archive.connection().execute_batch("DELETE FROM runs WHERE id = 1001").unwrap();
        assert_eq!(spending(&kept), Spending { requests: 5 + 998, verifying: 3 });
    }
}
