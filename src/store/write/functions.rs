//! The functions that are archived.

use super::ledger;
use crate::domain::{FunctionUrn, Interval, Timestamp};
use crate::plan::clocks::Moment;
use crate::plan::functions::{Known, Sight};
use crate::plan::ledger::Entry;
use crate::store::file::{Archive, Reader, StoreError};
use crate::store::sql::ids::{FunctionId, RunId};
use rusqlite::{Connection, Row, Transaction, named_params};
use std::time::Duration;

/// A function that is archived, or is to be from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Its row.
    pub id: FunctionId,
    /// When a run first took it up.
    pub first_seen_at: Timestamp,
    /// Its URN in the form to ask with: the one that was answered before, else as it was given.
    pub urn: FunctionUrn,
    /// From where on earlier runs set out to archive it, if any did.
    pub horizon_begin: Option<Timestamp>,
    /// What its ledger claimed of time that had not come, and was not walked again since.
    pub doubted: Option<Interval>,
    /// Whether it was added just now.
    pub is_new: bool,
}

impl Archive {
    /// The rows of these functions, which are added where they are new.
    pub fn register(
        &mut self,
        urns: &[FunctionUrn],
        now: impl Into<Moment>,
    ) -> Result<Vec<Registered>, StoreError> {
        let now = now.into().earlier();
        self.transact(|transaction| {
            urns.iter().map(|urn| save_function(transaction, urn, now)).collect()
        })
    }

    /// Notes what a run sets out to archive of each function, before it asks for the first page:
    /// what it does not reach is missing, however it ends. What earlier runs noted of time after
    /// `present` came from clocks that were ahead.
    pub fn save_horizons(
        &mut self,
        horizons: &[(FunctionId, Interval)],
        present: Timestamp,
    ) -> Result<(), StoreError> {
        self.transact(|transaction| {
            let mut update = transaction.prepare_cached(
                "UPDATE functions
                    SET horizon_begin = iif(horizon_begin < :present, min(horizon_begin, :begin),
                        :begin),
                        horizon_end = iif(horizon_end < :present, max(horizon_end, :end), :end)
                  WHERE id = :id",
            )?;
            for (id, horizon) in horizons {
                update.execute(named_params! {
                    ":id": id,
                    ":begin": horizon.begin(),
                    ":end": horizon.end(),
                    ":present": present,
                })?;
            }
            Ok(())
        })
    }

    /// Notes what the ledgers of functions claim of time that has not come, beside what was noted
    /// before. With it goes what the same runs may have claimed of time before.
    pub fn save_doubts(
        &mut self,
        doubts: &[(FunctionId, Interval)],
        settle_delay: Duration,
    ) -> Result<(), StoreError> {
        self.transact(|transaction| {
            let mut update = transaction.prepare_cached(
                "UPDATE functions
                    SET doubted_begin = max(min(coalesce(doubted_begin, :begin), :begin),
                                            coalesce(horizon_begin, :begin)),
                        doubted_end = max(coalesce(doubted_end, :end), :end)
                  WHERE id = :id",
            )?;
            for (id, doubted) in doubts {
                let begin = ledger::claimed_from(transaction, doubted.begin(), settle_delay)?;
                let parameters =
                    named_params! { ":id": id, ":begin": begin, ":end": doubted.end() };
                update.execute(parameters)?;
            }
            Ok(())
        })
    }

    /// Notes that what was doubted of these functions was walked again.
    pub fn clear_doubts(&mut self, walked: &[FunctionId]) -> Result<(), StoreError> {
        self.transact(|transaction| {
            let mut update = transaction.prepare_cached(
                "UPDATE functions SET doubted_begin = NULL, doubted_end = NULL WHERE id = ?1",
            )?;
            walked.iter().try_for_each(|id| update.execute([id]).map(drop))?;
            Ok(())
        })
    }

    /// The forms of URNs that were answered before.
    pub fn load_forms(&self) -> Result<Vec<(FunctionId, String)>, StoreError> {
        let select = "SELECT id, asked_as FROM functions WHERE asked_as IS NOT NULL";
        let mut statement = self.connection().prepare_cached(select)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Notes in which form of its URN each of these functions was answered.
    pub fn save_forms(&mut self, answered: &[(FunctionId, FunctionUrn)]) -> Result<(), StoreError> {
        self.transact(|transaction| {
            let mut update =
                transaction.prepare_cached("UPDATE functions SET asked_as = ?2 WHERE id = ?1")?;
            answered
                .iter()
                .try_for_each(|(id, urn)| update.execute((id, urn.as_given())).map(drop))?;
            Ok(())
        })
    }

    /// Notes that the list of functions held these versions and aliases.
    pub fn save_listed(&mut self, listed: &[FunctionId]) -> Result<(), StoreError> {
        self.transact(|transaction| {
            let mut update =
                transaction.prepare_cached("UPDATE functions SET was_listed = 1 WHERE id = ?1")?;
            listed.iter().try_for_each(|id| update.execute([id]).map(drop))?;
            Ok(())
        })
    }

    /// The functions that are archived, in the order in which they were taken up.
    pub fn load_functions(&self) -> Result<Vec<(FunctionId, FunctionUrn)>, StoreError> {
        load_all(self.connection())
    }
}

impl Archive {
    /// Notes that functions are gone, and how that was seen: what was open of them is given up,
    /// until they come back.
    pub fn save_gone(
        &mut self,
        gone: &[(FunctionId, Sight)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.transact(|transaction| {
            let mut mark = transaction.prepare_cached(
                "UPDATE functions SET gone_at = ?2, absent_at = iif(?3, ?2, NULL)
                  WHERE id = ?1 AND gone_at IS NULL",
            )?;
            let mut give_up = transaction.prepare_cached(
                "UPDATE invocations SET given_up_at = ?2
                  WHERE request_id IN (SELECT request_id FROM open_records WHERE function_id = ?1)",
            )?;
            for (id, sight) in gone {
                mark.execute((id, now, *sight == Sight::NotFound))?;
                give_up.execute((id, now))?;
            }
            Ok(())
        })
    }

    /// Notes that functions are still gone, and how that was seen. What only lists leave out is
    /// known to be absent where it was not found before.
    pub fn save_still_gone(
        &mut self,
        gone: &[(FunctionId, Sight)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if gone.is_empty() {
            return Ok(());
        }
        self.transact(|transaction| {
            let mut mark = transaction.prepare_cached(
                "UPDATE functions SET absent_at = max(?2, coalesce(absent_at, ?2))
                  WHERE id = ?1 AND gone_at IS NOT NULL AND (?3 OR absent_at IS NOT NULL)",
            )?;
            for (id, sight) in gone {
                mark.execute((id, now, *sight == Sight::NotFound))?;
            }
            Ok(())
        })
    }

    /// Whether a record of the function that began after a moment came for the first time in a run.
    pub fn has_news(
        &self,
        function: FunctionId,
        run: RunId,
        since: Timestamp,
    ) -> Result<bool, StoreError> {
        let select = "SELECT EXISTS (SELECT 1 FROM invocations
                                      WHERE start_time > :since AND function_id = :function
                                          AND first_run_id = :run)";
        let parameters = named_params! { ":since": since, ":function": function, ":run": run };
        Ok(self.connection().prepare_cached(select)?.query_row(parameters, |row| row.get(0))?)
    }

    /// Forgets a function that the service does not know: a mistyped name would be called uncovered
    /// for ever. One of which anything is archived stays. Whether it is forgotten.
    pub fn forget_unknown(&mut self, unknown: FunctionId) -> Result<bool, StoreError> {
        self.transact(|transaction| {
            let mut forget = transaction.prepare_cached(
                "DELETE FROM functions WHERE id = ?1 AND gone_at IS NULL AND NOT EXISTS (
                    SELECT 1 FROM windows WHERE function_id = ?1 UNION ALL
                    SELECT 1 FROM invocations WHERE function_id = ?1 UNION ALL
                    SELECT 1 FROM shared_records WHERE function_id = ?1 UNION ALL
                    SELECT 1 FROM recording WHERE function_id = ?1 UNION ALL
                    SELECT 1 FROM reach WHERE function_id = ?1 UNION ALL
                    SELECT 1 FROM absences WHERE function_id = ?1 UNION ALL
                    SELECT 1 FROM rejects WHERE function_id = ?1)",
            )?;
            Ok(forget.execute([unknown])? > 0)
        })
    }

    /// Notes that a function that was gone is there again, and what was lost by that; what was open
    /// of it is waited for again. It was away for a second at least: by the clock it may come back
    /// as it went, or before, and what it did until then is forgotten by the service all the same.
    pub fn save_return(
        &mut self,
        id: FunctionId,
        now: Timestamp,
        lost: &[Entry],
    ) -> Result<(), StoreError> {
        self.transact(|transaction| {
            transaction.execute(
                "INSERT INTO absences (function_id, from_time, until_time, absent_at)
                 SELECT id, gone_at, max(:now, strftime('%FT%TZ', gone_at, '+1 second')), absent_at
                   FROM functions WHERE id = :id AND gone_at IS NOT NULL
                     ON CONFLICT (function_id, from_time) DO UPDATE
                         SET until_time = excluded.until_time, absent_at = excluded.absent_at",
                named_params! { ":id": id, ":now": now },
            )?;
            transaction.execute(
                "UPDATE functions SET gone_at = NULL, absent_at = NULL WHERE id = ?1",
                [id],
            )?;
            transaction.execute(
                "UPDATE invocations SET given_up_at = NULL
                  WHERE request_id IN (SELECT request_id FROM open_records WHERE function_id = ?1)",
                [id],
            )?;
            lost.iter().try_for_each(|entry| ledger::save_walk(transaction, id, entry))
        })
    }

    /// When a function came back last, if it was ever gone.
    pub fn load_return(&self, id: FunctionId) -> Result<Option<Timestamp>, StoreError> {
        let select = "SELECT max(until_time) FROM absences WHERE function_id = ?1";
        Ok(self.connection().prepare_cached(select)?.query_row([id], |row| row.get(0))?)
    }

    /// While a function was seen not to be there.
    pub fn load_absences(&self, id: FunctionId) -> Result<Vec<Interval>, StoreError> {
        let mut select = self.connection().prepare_cached(
            "SELECT from_time, absent_at FROM absences
              WHERE function_id = ?1 AND absent_at > from_time",
        )?;
        let rows = select.query_map([id], |row| Ok(Interval::new(row.get(0)?, row.get(1)?)))?;
        Ok(rows.filter_map(Result::transpose).collect::<Result<_, _>>()?)
    }

    /// What is known of every function.
    pub fn load_known(&self) -> Result<Vec<(FunctionId, Known)>, StoreError> {
        load_known(self.connection())
    }
}

impl Reader {
    /// What is known of every function.
    pub fn load_known(&self) -> Result<Vec<(FunctionId, Known)>, StoreError> {
        load_known(&self.connection)
    }
}

fn load_all(connection: &Connection) -> Result<Vec<(FunctionId, FunctionUrn)>, StoreError> {
    Ok(load_known(connection)?.into_iter().map(|(id, known)| (id, known.urn)).collect())
}

fn load_known(connection: &Connection) -> Result<Vec<(FunctionId, Known)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, coalesce(asked_as, urn),
                horizon_begin IS NOT NULL OR EXISTS (SELECT 1 FROM windows w
                    WHERE w.function_id = f.id),
                gone_at, horizon_begin, was_listed
           FROM functions f
          ORDER BY id",
    )?;
    let rows = statement.query_map([], |row| {
        let known = Known {
            urn: row.get(1)?,
            is_archived: row.get(2)?,
            gone_at: row.get(3)?,
            horizon_begin: row.get(4)?,
            was_listed: row.get(5)?,
        };
        Ok((row.get(0)?, known))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn save_function(
    transaction: &Transaction<'_>,
    urn: &FunctionUrn,
    now: Timestamp,
) -> Result<Registered, StoreError> {
    let added = transaction
        .prepare_cached(
            "INSERT INTO functions (urn, region, project_id, package, name, qualifier,
                 first_seen_at)
         VALUES (:urn, :region, :project_id, :package, :name, :qualifier, :first_seen_at)
             ON CONFLICT (urn) DO NOTHING",
        )?
        .execute(named_params! {
            ":urn": urn,
            ":region": urn.region(),
            ":project_id": urn.project_id(),
            ":package": urn.package(),
            ":name": urn.name(),
            ":qualifier": urn.qualifier(),
            ":first_seen_at": now,
        })?;
    let mut select = transaction.prepare_cached(
        "SELECT id, first_seen_at, asked_as, horizon_begin, doubted_begin, doubted_end
           FROM functions WHERE urn = ?1",
    )?;
    let registered = select.query_row([urn], |row| {
        let answered: Option<FunctionUrn> = row.get(2)?;
        Ok(Registered {
            id: row.get(0)?,
            first_seen_at: row.get(1)?,
            urn: answered.filter(|answered| answered == urn).unwrap_or_else(|| urn.clone()),
            horizon_begin: row.get(3)?,
            doubted: read_doubt(row)?,
            is_new: added > 0,
        })
    })?;
    Ok(registered)
}

fn read_doubt(row: &Row<'_>) -> rusqlite::Result<Option<Interval>> {
    let bounds: [Option<Timestamp>; 2] = [row.get("doubted_begin")?, row.get("doubted_end")?];
    Ok(match bounds {
        [Some(begin), Some(end)] => Interval::new(begin, end),
        _ => None,
    })
}

/// Holds functions that a run was the first to know of to when it began, as far as its clocks are
/// known by now.
pub(in crate::store) fn date_first_sight(
    transaction: &Transaction<'_>,
    run: RunId,
    functions: impl Iterator<Item = FunctionId>,
) -> Result<(), StoreError> {
    let mut update = transaction.prepare_cached(
        "UPDATE functions SET first_seen_at = r.started_at FROM runs r
          WHERE functions.id = ?1 AND r.id = ?2 AND r.started_at < functions.first_seen_at",
    )?;
    for function in functions {
        update.execute((function, run))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::Fixture;
    use pretty_assertions::assert_eq;

    fn at(text: &str) -> Timestamp {
        format!("2026-03-01T{text}:00Z").parse().unwrap()
    }

    /// Function 1 with a record that has not ended, settled until 11:00, proven until 12:00.
    fn archive() -> (tempfile::TempDir, Archive) {
        let directory = Fixture::new()
            .with_records("a1 SUCCESS 2026-03-01T10:00:00Z -\na2 RUNNING 2026-03-01T11:30:00Z -")
            .with(
                "INSERT INTO open_records VALUES
                     ('a2', 1, '2026-03-01T11:30:00Z', '2026-03-01T12:00:00Z',
                      '2026-03-01T12:00:00Z');
                 INSERT INTO windows VALUES
                     (1, '2026-03-01T00:00:00Z', '2026-03-01T11:00:00Z', 'settled', 'both', 1, 1, 1,
                      '2026-03-01T12:00:00Z', NULL),
                     (1, '2026-03-01T11:00:00Z', '2026-03-01T12:00:00Z', 'proven', 'both', 1, 1, 1,
                      '2026-03-01T12:00:00Z', NULL);",
            )
            .closed();
        let archive = Archive::open(&directory.path().join("archive.db")).unwrap();
        (directory, archive)
    }

    fn rows(archive: &Archive, sql: &str) -> Vec<String> {
        let mut statement = archive.connection().prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    const COVERAGE: &str =
        "SELECT substr(begin_time, 12, 5) || ' ' || substr(end_time, 12, 5) || ' ' || state || ' '
             || answer
         FROM coverage WHERE function_id = 1 ORDER BY begin_time";

    const OPEN: &str =
        "SELECT request_id || ' ' || coalesce(given_up_at, 'waited for') FROM invocations
         WHERE request_id IN (SELECT request_id FROM open_records)";

    #[test]
    fn coverage_and_open_records_end_where_a_function_goes() {
        let (_directory, mut archive) = archive();
        for _ in 0..2 {
            archive.save_gone(&[(FunctionId(1), Sight::NotFound)], at("13:00")).unwrap();
        }
        assert_eq!(
            rows(&archive, COVERAGE),
            ["00:00 11:00 settled records", "11:00 12:00 proven records", "12:00 13:00 lost lost"]
        );
        assert_eq!(rows(&archive, OPEN), ["a2 2026-03-01T13:00:00Z"]);
        let known = archive.load_known().unwrap();
        assert_eq!((known[0].1.gone_at, known[0].1.is_archived), (Some(at("13:00")), true));
        assert_eq!((known[1].1.gone_at, known[1].1.is_archived), (None, false));
    }

    /// What was asked for once and not found is absent for as long as lists leave it out, too.
    #[test]
    fn until_when_a_function_was_seen_not_to_be_there() {
        let later = |sights: &[Sight]| {
            let (_directory, mut archive) = archive();
            let id = FunctionId(1);
            archive.save_gone(&[(id, sights[0])], at("13:00")).unwrap();
            for (hour, &sight) in (14..).zip(&sights[1..]) {
                archive.save_still_gone(&[(id, sight)], at(&format!("{hour}:00"))).unwrap();
            }
            archive.save_return(id, at("20:00"), &[]).unwrap();
            // Nothing is known of it while it is there.
            archive.save_still_gone(&[(id, Sight::NotFound)], at("21:00")).unwrap();
            let known = rows(&archive, "SELECT coalesce(absent_at, 'there') FROM functions");
            assert_eq!(known[0], "there");
            archive.load_absences(id).unwrap()
        };
        let range = |from, until| vec![Interval::new(at(from), at(until)).unwrap()];
        let (found, left_out) = (Sight::NotFound, Sight::LeftOut);
        assert_eq!(later(&[found]), [], "at one moment alone");
        assert_eq!(later(&[found, left_out, left_out]), range("13:00", "15:00"));
        assert_eq!(later(&[left_out, left_out]), [], "it may be for want of rights");
        assert_eq!(later(&[left_out, found]), range("13:00", "14:00"));
    }

    #[test]
    fn a_function_that_comes_back_goes_on_and_was_not_there_between() {
        let (_directory, mut archive) = archive();
        archive.save_gone(&[(FunctionId(1), Sight::NotFound)], at("13:00")).unwrap();
        archive.save_return(FunctionId(1), at("15:00"), &[]).unwrap();
        assert_eq!(rows(&archive, "SELECT from_time FROM absences"), ["2026-03-01T13:00:00Z"]);
        assert_eq!(rows(&archive, OPEN), ["a2 waited for"]);
        assert_eq!(
            rows(&archive, COVERAGE).len(),
            2,
            "what is pending is not walked yet, and not lost"
        );
        let walked =
            "INSERT INTO windows VALUES (1, '2026-03-01T12:00:00Z', '2026-03-01T16:00:00Z',
                 'settled', 'both', 0, 0, 1,
                                                  '2026-03-01T17:00:00Z', NULL)";
        archive.connection().execute(walked, []).unwrap();
        assert_eq!(
            rows(&archive, COVERAGE)[2..],
            [
                "12:00 13:00 settled empty",
                "13:00 15:00 settled not there",
                "15:00 16:00 settled empty"
            ]
        );
    }

    #[test]
    fn a_function_that_comes_back_by_a_clock_behind_was_away_too() {
        for back in ["12:00", "13:00"] {
            let (_directory, mut archive) = archive();
            archive.save_gone(&[(FunctionId(1), Sight::NotFound)], at("13:00")).unwrap();
            archive.save_return(FunctionId(1), at(back), &[]).unwrap();
            let absences = rows(&archive, "SELECT from_time || ' ' || until_time FROM absences");
            assert_eq!(absences, ["2026-03-01T13:00:00Z 2026-03-01T13:00:01Z"], "back at {back}");
        }
    }

    #[test]
    fn horizons_grow_and_what_a_clock_ahead_noted_is_forgotten() {
        let (_directory, mut archive) = archive();
        let mut after = |begin: &str, end: &str, present: &str| {
            let horizon = Interval::new(at(begin), at(end)).unwrap();
            archive.save_horizons(&[(FunctionId(1), horizon)], at(present)).unwrap();
            let sql = "SELECT substr(horizon_begin, 12, 5) || ' ' || substr(horizon_end, 12, 5)
                           FROM functions WHERE id = 1";
            rows(&archive, sql).remove(0)
        };
        assert_eq!(after("10:00", "20:00", "20:10"), "10:00 20:00");
        assert_eq!(after("11:00", "12:00", "20:20"), "10:00 20:00");
        assert_eq!(after("09:00", "21:00", "21:10"), "09:00 21:00");
        assert_eq!(after("11:00", "12:00", "12:10"), "09:00 12:00", "the clocks had been ahead");
        assert_eq!(after("07:00", "08:00", "08:10"), "07:00 08:00");
    }

    #[test]
    fn the_form_that_answered_is_the_one_to_ask_with() {
        let (_directory, mut archive) = archive();
        let urn = archive.load_known().unwrap()[0].1.urn.clone();
        let full = urn.other_form().unwrap();
        archive.save_forms(&[(FunctionId(1), full.clone())]).unwrap();
        let registered = archive.register(std::slice::from_ref(&urn), at("13:00")).unwrap();
        assert_eq!(
            (registered[0].id, registered[0].urn.as_given()),
            (FunctionId(1), full.as_given())
        );
        assert_eq!(archive.load_functions().unwrap()[0].1.as_given(), full.as_given());
        assert_eq!(archive.load_forms().unwrap(), [(FunctionId(1), full.as_given())]);
    }
}
