#!/usr/bin/env python3
"""Breaks the engine on purpose, one way at a time, and asks whether the simulation notices.

    python3 tests/simulation/mutate.py [NAME ...]
    python3 tests/simulation/mutate.py --check

Each mutation is applied to a copy of the sources in a temporary directory, and the simulation is played there: the first
FEW schedules, and where none of them notices, the default run. The table tells which invariant notices first and in how
many of the schedules. What no schedule notices is left to the unit tests, which are named: another check then makes good
in every world what this one lets through. A mutation that nobody notices ends the script with 1. One to four minutes a
mutation; CARGO_TARGET_DIR is honoured. docs/proof.md quotes the table.

With --check nothing is built or played: it fails if a mutation no longer fits the sources, or docs/proof.md tells of one
that is not here.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# So many schedules notice most mutations.
FEW = 200

SEAM = ("src/plan/paging.rs",
        "if page.first() != self.last {", "if page.first().is_none() {")
DISTINCT = ("src/plan/paging.rs", "if self.pages_joined > 1 && self.repeats() {", "if self.pages_joined > usize::MAX - 1 {")
COUNT = ("src/plan/paging.rs", "    fn count(&self) -> Count {\n",
         "    fn count(&self) -> Count {\n        if self.asked < usize::MAX { return Count::Silent; }\n")

# name: what is broken, and the edits as (file, old, new).
MUTATIONS = {
    "no-seams": ("no seam is checked", [SEAM]),
    "no-distinct": ("repeated entries are believed", [DISTINCT]),
    "no-count": ("the total is ignored", [COUNT]),
    "no-seams-no-distinct": ("neither seams nor repetitions", [SEAM, DISTINCT]),
    "no-proof": ("neither seams, repetitions, nor the total", [SEAM, DISTINCT, COUNT]),
    "count-moves": ("a total that changes is believed",
                    [("src/plan/paging.rs", "{ Count::Total(first) } else { Count::Moving }",
                      "{ Count::Total(first) } else { Count::Total(first) }")]),
    "no-cap": ("a list that looks cut off is believed",
               [("src/plan/proof.rs", "length >= RESULT_CAP || is_round(length)", "length > u64::MAX - 1"),
                ("src/plan/paging/verdict.rs", "(self.divisible && (is_capped || self.reach >= RESULT_CAP)).then_some(Doubt::Capped)",
                 "(self.divisible && is_capped).then_some(Doubt::Capped)"),
                ("src/plan/paging/verdict.rs", "Count::Total(RESULT_CAP) => Err(Doubt::Capped),", ""),
                ("src/plan/paging/verdict.rs", "if self.reach >= RESULT_CAP || self.looks_cut_off()", "if self.looks_cut_off()")]),
    "short-page-ends": ("a page shorter than others ends a list",
                        [("src/plan/paging.rs", "self.habits.points_on && !self.habits.strays && self.tip.is_some_and(|tip| !tip.points_on)",
                          "self.tip.is_some_and(|tip| tip.length < self.habits.longest_page)")]),
    "silence-ends": ("a service that never points on ends a list by not doing so",
                     [("src/plan/paging.rs", "self.habits.points_on && !self.habits.strays && self.tip.is_some_and(|tip| !tip.points_on)",
                       "self.tip.is_some_and(|tip| !tip.points_on)")]),
    "stray-markers-end": ("a marker that is no position tells the end of a list",
                          [("src/plan/paging.rs", "self.habits.points_on && !self.habits.strays && self.tip", "self.habits.points_on && self.tip")]),
    "alone-ends": ("a page of nothing but the shared entry ends a list",
                   [("src/plan/paging.rs", "End::Alone if self.says_end() => Vec::new(),", "End::Alone => Vec::new(),")]),
    "empty-ends": ("an empty page ends a list, whatever slid before it",
                   [("src/plan/paging.rs", "behind.entries.is_empty() && (behind.points_on || (stood_still && !self.habits.miscounts))",
                     "behind.entries.is_empty() && (behind.points_on || stood_still || !self.habits.miscounts)")]),
    "count-ends": ("a count ends a list that points on",
                   [("src/plan/paging.rs", "            End::Open if self.longest == 1 => behind(),",
                     "            End::Open if self.total() == Some(self.reach) => Vec::new(),\n"
                     "            End::Open if self.longest == 1 => behind(),")]),
    "unjoined": ("a page that shares no entry is joined at once",
                 [("src/plan/paging.rs", "            self.end = End::Behind(page);", "            self.extend(&page, 0);")]),
    "too-high": ("a count that is too high is passed over like one that is too low",
                 [("src/plan/paging/verdict.rs", "if most > Some(self.reach) {", "if most > Some(u64::MAX - 1) {"),
                  ("src/plan/paging/verdict.rs", "Count::Total(total) if total > self.reach => Err(Doubt::CountDiffers),",
                   "Count::Total(total) if total > self.reach && self.shows_miscount() => self.by_seams(),")]),
    "miscount-at-once": ("a count that is too low is passed over at the first walk",
                         [("src/plan/paging.rs", "Earlier::Nothing => false,",
                           "Earlier::Nothing => self.contradiction().is_some(),")]),
    "empty-vouches": ("a window without records sets the walks in vain back",
                      [("src/plan/windows.rs", "        if records > 0 {", "        if records < u64::MAX {")]),
    "dropped-counts": ("entries behind a hole count as seen",
                       [("src/plan/paging.rs", "            self.is_irregular |= page.length() > 0;",
                         "            self.keys.extend(page.entries.iter().map(|entry| entry.0));")]),
    "narrow-keeps-counts": ("a cut window keeps the counts of the longer one",
                            [("src/plan/paging.rs", "        self.counts.clear();\n        self.end = End::Open;", "        self.end = End::Open;")]),
    "ledger-first": ("the ledger is committed before the rows",
                     [("src/store/write/commit.rs", "        let revised = self.transact(|transaction| {\n",
                       "        self.transact(|transaction| {\n"
                       "            for (function, entry) in &batch.walks {\n"
                       "                ledger::save_walk(transaction, *function, *entry)?;\n"
                       "            }\n"
                       "            Ok(())\n"
                       "        })?;\n"
                       "        let revised = self.transact(|transaction| {\n")]),
    "ledger-before-pages": ("a walk is entered before its last page",
                            [("src/sync/committer.rs",
                              "                self.batch.pages.push(SeenPage { function, records, seen_at });",
                              "                let page = SeenPage { function, records, seen_at };\n"
                              "                if let Some(before) = self.held.replace(page) { self.batch.pages.push(before); }"),
                             ("src/sync/committer.rs", "    suspects: usize,\n    /// Records",
                              "    suspects: usize,\n    held: Option<SeenPage>,\n    /// Records"),
                             ("src/sync/committer.rs", "            suspects: 0,\n", "            suspects: 0,\n            held: None,\n")]),
    "no-settle-delay": ("what was walked is settled at once",
                        [("src/plan/windows.rs", "split(shown, began_at - settle_delay)",
                          "split(shown, began_at - settle_delay.mul_f64(0.0))")]),
    "bounds": ("windows are asked for without the second before them",
               [("src/plan/windows.rs", "(window.begin() - Duration::from_secs(1), window.end())",
                 "(window.begin(), window.end())")]),
    "claims-future": ("a walk speaks of what came after it began",
                      [("src/plan/windows.rs", "let (past, future) = window.split_at(began_at);",
                        "let (past, future) = (Some(window), None);"),
                       ("src/plan/windows.rs", "split(shown, began_at - settle_delay)",
                        "split(shown, began_at)")]),
    "last-page-time": ("a walk counts from its last page",
                       [("src/plan/schedule/active.rs", "self.began_at = Some(self.began_at.map_or(seen_at, |began_at| began_at.not_after(seen_at)));",
                         "self.began_at = Some(seen_at);")]),
    "regress": ("an older status overwrites a newer one",
                [("src/plan/reconcile.rs", "matches!(self, Self::Amended | Self::Advanced | Self::Revised)",
                  "matches!(self, Self::Amended | Self::Advanced | Self::Revised | Self::Regressed)")]),
    "blank-erases": ("a blank replaces what was known",
                     [("src/plan/reconcile.rs", "Self::Renew => seen >= stored,", "Self::Renew => true,")]),
    "outcome-stays": ("another outcome keeps the message of the one before",
                      [("src/plan/reconcile.rs", "Self::Replace => true,", "Self::Replace => seen >= stored,")]),
    "absent-status": ("an absent status is believed",
                      [("src/plan/reconcile.rs", "_ if is_absent(seen) => Some(Change::Regressed),",
                        "_ if is_absent(seen) => Some(Change::Revised),")]),
    "step-back-is-empty": ("a step back adds nothing that was not known",
                           [("src/plan/reconcile.rs", "Some(Change::Regressed) => (Rule::Fill, Rule::Keep),",
                             "Some(Change::Regressed) => (Rule::Keep, Rule::Keep),")]),
    "extra-vanishes": ("fields in extra that are not shown again are dropped",
                       [("src/plan/extra.rs", "        stored.map(Into::into)\n", "        seen.map(Into::into)\n")]),
    "extra-frozen": ("fields in extra that are shown with other values stay as they were",
                     [("src/plan/extra.rs", "known().filter(differs).collect();", "known().filter(differs).take(0).collect();")]),
    "noted-every-run": ("a blank is noted each time",
                        [("src/store/write/amendments.rs", "WHERE ?5 = 1 OR NOT EXISTS", "WHERE ?5 < 9 OR NOT EXISTS")]),
    "anothers-row": ("another function changes a row",
                     [("src/store/write/records.rs", "if row.get::<_, FunctionId>(7)? != page.function {",
                       "if row.get::<_, i64>(7)? + page.function.0 < 0 {")]),
    "anothers-is-dropped": ("what a second function shows is not kept",
                            [("src/store/write/records.rs", "                shared::save_shared(self.transaction, self.run, seen_record)?;\n",
                              "")]),
    "digest-elsewhere": ("a digest is entered under another function than the row's",
                         [("src/store/write/records.rs", "self.count(function, &merged.stands, runs.first)?;",
                           "self.count(FunctionId(function.0 % 2 + 1), &merged.stands, runs.first)?;")]),
    "fill-bounds-history": ("what a step back adds bounds the next change of status",
                            [("src/store/write/records.rs", "            self.fill(&merged.stands)?;\n",
                              "            write_hashed_record(&mut self.update, function, &merged.stands, self.run)?;\n")]),
    "half-a-character": ("two ids with lone surrogates become one",
                         [("src/api/wire/scalar.rs", "Self::Replaced(..) => None, Self::Raw(raw) if", "Self::Raw(raw) if")]),
    "verify-youngest": ("what was looked at last is verified first",
                        [("src/plan/verify.rs", "next.min_by_key(|(_, next)| next.at)", "next.max_by_key(|(_, next)| next.at)")]),
    "verify-forgotten": ("what may be forgotten is verified",
                         [("src/plan/verify.rs", "candidate.horizon.split_at(now - windows::MAX_WINDOW).1?",
                           "candidate.horizon.split_at(now - windows::MAX_WINDOW * 9).1?")]),
    "forgotten-is-gone": ("a record at the edge of the reach is called forgotten",
                          [("src/store/write/verifications.rs", "if started_at < forgotten_until {", "if started_at <= verification.reached {")]),
    "vouches-a-day": ("a proven walk vouches for a whole day",
                      [("src/plan/reach.rs", "WALK_VOUCHES_FOR: Duration = Duration::from_hours(12)",
                        "WALK_VOUCHES_FOR: Duration = Duration::from_hours(24)")]),
    "equal-costs-walk": ("an hour is walked where looking up costs the same",
                         [("src/plan/refresh.rs", "pages_for(archived_in(hour)?, limit) < records.len() as u64",
                           "pages_for(archived_in(hour)?, limit) <= records.len() as u64")]),
    "no-unseen": ("that a record was asked for in vain is not noted",
                  [("src/store/write/commit.rs", "open_records::save_rechecks(transaction, run, now, &batch.rechecks)?;", "")]),
    "no-refresh": ("open records are not asked for again",
                   [("src/plan/refresh.rs", "    now >= record.checked_at + wait\n", "    now >= record.checked_at + wait && wait.is_zero()\n")]),
    "reach-believed": ("any empty answer is believed",
                       [("src/plan/reach.rs", "        is_promised && !self.vouched.covers(window)\n",
                         "        is_promised && !self.vouched.covers(window) && window.seconds() < 0\n")]),
    "reach-by-open": ("an unfinished record shows the reach",
                      [("src/plan/reach.rs", "if record.status.is_final()\n            && has_end\n            && let", "if let")]),
    "settled-again": ("what is settled is overwritten by a later walk",
                      [("src/plan/ledger.rs", "        if row.state.is_done() {\n            result.push(row.clone());",
                        "        if row.state.is_done() && row.window.seconds() < 0 {\n            result.push(row.clone());"),
                       ("src/plan/ledger.rs",
                        "let done: IntervalSet = rows.iter().filter(|row| row.state.is_done()).map(|row| row.window).collect();",
                        "let done = IntervalSet::default();")]),
    "merge-gaps": ("settled rows are merged over a gap",
                   [("src/plan/ledger.rs", "if first.window.end() != second.window.begin() {",
                     "if first.window.end() > second.window.begin() {")]),
    "token-again": ("an expired token is sent again",
                    [("src/requester/send.rs", "            return self.renew(failure, renewals).await;",
                      "            if request.tries < 3 { return Next::Again; }\n            return self.renew(failure, renewals).await;")]),
    "denied-again": ("a refused key is shown again",
                     [("src/requester/send.rs", "if failure.concerns_all_calls() {\n", "if failure.status == Some(999) {\n")]),
    "double-pace": ("twice as many requests leave",
                    [("src/plan/pace.rs", "Duration::from_secs_f64(1.0 / self.rate)", "Duration::from_secs_f64(0.5 / self.rate)")]),
    "no-retry-after": ("Retry-After is passed over",
                       [("src/plan/pace.rs", "now.saturating_add(asked_for.unwrap_or_default())", "now.saturating_add(asked_for.unwrap_or_default().mul_f64(0.0))"),
                        ("src/plan/retry.rs", ".max(asked_for.unwrap_or_default());", ";")]),
    "history-now": ("a change is said to lie in the run that saw it",
                    [("src/store/write/records.rs", "let bounds = [began, open_records::load_seen_at(self.transaction, &stored.request_id)?];",
                      "let bounds = [began, Some(seen_record.page.seen_at.later().to_string())];")]),
    "drop-late": ("a record of a proven window is not taken in",
                  [("src/store/write/records.rs", "    fn save(&mut self, seen_record: &SeenRecord<'_>) -> Result<Outcome, StoreError> {\n",
                    "    fn save(&mut self, seen_record: &SeenRecord<'_>) -> Result<Outcome, StoreError> {\n"
                    "        if seen_record.walked_before().is_some() { return Ok(Outcome::Unchanged); }\n")]),
    "list-ends-early": ("a short page ends a list of functions",
                        [("src/plan/listing.rs", "let is_end = self.told_end && !self.counts.more_than(self.reach);",
                          "let is_end = !points_on;")]),
    "list-no-seams": ("a list of functions that moves is believed",
                      [("src/plan/listing.rs",
                        "self.doubt_if(shares && page.keys.first() != self.last.as_ref(), Doubt::Moved);", "")]),
    "list-no-count": ("a list of functions may show fewer than it counts",
                      [("src/plan/listing.rs", "if self.counts.more_than(self.reach) && !self.counts.changed() {",
                        "if self.counts.more_than(u64::MAX) {")]),
    "list-unseamed": ("a list in pages of one function is believed at once",
                      [("src/plan/listing.rs",
                        "self.suspect_if(marker > 0 && !shares, Doubt::Unseamed);", "")]),
    "one-form": ("the other form of a URN is never tried",
                 [("src/requester/forms.rs", "let other = self.current.other_form().filter(|_| !self.is_other_tried);",
                   "let other: Option<FunctionUrn> = None;")]),
    "form-forgotten": ("the form that answered is not remembered",
                       [("src/sync/run.rs", "        save_forms(archive, source, &jobs).await?;\n", "")]),
    "sources-in-step": ("a source waits until all are ready",
                        [("src/sync/run.rs", "fetching.fetch(preparation.all(self.sources)).await?",
                          "fetching.fetch(futures_util::stream::iter(futures_util::StreamExt::collect::<Vec<_>>("
                          "preparation.all(self.sources)).await)).await?")]),
    "gone-by-half-a-list": ("a list that may not be whole takes functions away",
                            [("src/plan/functions.rs", "self.is_whole && self.speaks_of(urn, was_listed)", "self.speaks_of(urn, was_listed)")]),
    "gone-for-good": ("what is listed again stays gone",
                      [("src/plan/functions.rs", "(true, _) if is_listed => Part::Return,",
                        "(true, _) if is_listed => Part::Rest,")]),
    "gone-though-listed": ("what is listed and not found is gone",
                           [("src/plan/functions.rs", "Answered::NotFound if is_archived && !is_listed => Fate::Gone",
                             "Answered::NotFound if is_archived => Fate::Gone")]),
    "gone-unwitnessed": ("a list without most functions is believed",
                         [("src/plan/functions.rs", "Answered::All if is_left_out && needs_witness => Fate::Contradicts,\n", "")]),
    "gone-though-alive": ("a function that a list leaves out is gone, although new records come of it",
                          [("src/plan/functions.rs", "Answered::All if is_left_out && !is_alive =>", "Answered::All if is_left_out =>")]),
    "foreign-404": ("anybody's 404 says that there is no such function",
                    [("src/api/refusal.rs", "404 => Meaning::Refused,", "404 => Meaning::NotFound,")]),
    "page-is-function": ("a page that is not found is a function that is not found",
                         [("src/requester/function.rs", "            | Meaning::NotFound\n", "")]),
    "hangs-on": ("a request that times out is sent as often as any other",
                 [("src/plan/hanging.rs", "const MOST_TIMEOUTS: u32 = 2;", "const MOST_TIMEOUTS: u32 = 200;")]),
    "zero-erases": ("a code of zero replaces another",
                    [("src/plan/reconcile.rs", "if is_zero { 1 } else { 2 }", "if is_zero { 2 } else { 2 }")]),
    "anew-is-gone": ("what a function did before it came back must still be shown",
                     [("src/store/write/verifications.rs", "verification.reached.max(self.load_return(function)?.unwrap_or(Timestamp::MIN))",
                       "verification.reached.max(self.load_return(function)?.filter(|_| false).unwrap_or(Timestamp::MIN))")]),
    "made-anew": ("a function that comes back is taken for the one that went",
                  [("src/plan/functions.rs", "now - LEAST_REACH < ended_at", "now < ended_at")]),
    "gone-open": ("open records of what came back are not waited for",
                  [("src/store/write/functions.rs", "\"UPDATE invocations SET given_up_at = NULL\n", "\"UPDATE invocations SET given_up_at = given_up_at\n")]),
    "failure-stops": ("a page that cannot be had ends its function",
                      [("src/plan/schedule/verdicts.rs", "            Setback::Part(failed) => {\n                self.failed += 1;",
                        "            Setback::Part(failed) if self.failed > 0 || self.purpose == Purpose::Archive => {\n"
                        "                self.walked.failure.get_or_insert(failed.failure);\n"
                        "            }\n            Setback::Part(failed) => {\n                self.failed += 1;")]),
    "no-halving": ("a window that cannot be had is left whole",
                   [("src/plan/failing.rs", "Some((first, second)) if failed < MOST_FAILED",
                     "Some((first, second)) if failed > MOST_FAILED")]),
    "no-edges": ("what is beside a second that cannot be had is not asked for",
                 [("src/plan/schedule/verdicts.rs", "                    self.ask_around(piece.range);", "")]),
    "not-set-aside": ("what was walked in vain is walked with what is pending",
                      [("src/plan/failing.rs", "filter(|row| row.state.is_unproven());",
                        "filter(|row| row.state.is_unproven() && row.state.is_done());")]),
    "whole-effort": ("the parts of what failed are asked for with all patience",
                     [("src/plan/schedule/lanes.rs", "Trouble::None if failed < PATIENT_FAILURES => Effort::Whole,",
                       "_ if failed < u32::MAX => Effort::Whole,")]),
    "no-outage": ("a service that is down is asked for every function",
                  [("src/plan/outage.rs", "_ if now >= last => Judgement::Down,", "_ if now >= last => Judgement::Answers,"),
                   ("src/plan/outage.rs", "FEWEST_WITNESSES.. if self.last_witness >= soon => Judgement::Down,",
                    "FEWEST_WITNESSES.. if self.last_witness >= soon => Judgement::Answers,")]),
    "no-witness": ("one request that fails is taken for the service",
                   [("src/plan/outage.rs", "            0 => Judgement::Ask(last.max(now + PASSES_WITHIN)),\n",
                     "            0 => Judgement::Down,\n")]),
    "no-elapsed": ("retries pass over the time since the first try",
                   [("src/requester/send.rs", "(request.tries, request.began.elapsed());", "(request.tries, Duration::ZERO);")]),
    "horizon": ("a later run begins where the last one ended",
                [("src/sync/job.rs", "ledger.iter().filter(|row| row.state.is_done()).map(|row| row.window).collect()",
                  "ledger.iter().map(|row| row.window).collect()")]),
    "since-narrows": ("a later beginning narrows the horizon",
                      [("src/plan/horizon.rs", "archived_from.min(since)", "since.max(archived_from)")]),
    "date-believed": ("what is claimed follows the service's date alone",
                      [("src/plan/clocks.rs", "1 => (self.sent, date),", "1 => (date, date),"),
                       ("src/plan/clocks.rs", "let machine = if answer.offset() == Some(0) {", "let machine = if answer.date.is_some() {")]),
    "machine-believed": ("what is claimed follows the machine's clock alone",
                         [("src/plan/clocks.rs", "-1 => (date, self.received),", "-1 => (self.received, self.received),"),
                          ("src/plan/clocks.rs", "-1 => earlier = earlier.min(shifted(answer.sent, others)),", "-1 => {}")]),
    "asked-by-the-earlier": ("a clock that is behind bounds what is asked",
                             [("src/plan/horizon.rs", "now.later().min(now.by_machine().max(begin) + MOST_DISBELIEVED)", "now.earlier()")]),
    "latest-date": ("one answer with a wrong date moves the run's clock",
                    [("src/plan/clocks.rs", "const VOTES: usize = 31;", "const VOTES: usize = 1;")]),
    "asks-nobody": ("a run asks nothing where the ledger leaves nothing to ask",
                    [("src/sync/targets.rs", "    if requester.knows_service_time() {\n        return Ok(None);", "    if !known.is_empty() {\n        return Ok(None);")]),
    "doubts-are-forgotten": ("what was claimed of time to come is not walked again when it is over",
                             [("src/sync/job.rs", "verify: job.doubted_windows(settings.settle_delay, now).unwrap_or_default(),", "verify: Vec::new(),")]),
    "ahead-is-silent": ("a ledger that ends after the present is not said",
                        [("src/sync/report/function.rs", "let ledger_ahead = job.ledger_end.filter(is_ahead);", "let ledger_ahead = job.ledger_end.filter(is_ahead).filter(|_| false);")]),
    "future-stays": ("what was claimed of the future is never taken back",
                     [("src/sync/targets.rs", "if !(requester.knows_service_time() && now.is_agreed()) {", "if !requester.knows_service_time() || now.is_agreed() {")]),
    "unclaimed-is-silent": ("what no clock allows to claim counts as complete",
                            [("src/sync/report/function.rs", "walked.unclaimed = missed;", "walked.unclaimed.clear();"),
                             ("src/plan/horizon.rs", "again.into_iter().chain(beyond)", "again.into_iter().take(0).chain(beyond)")]),
    "history-by-one": ("history is bounded by the service's date alone",
                       [("src/plan/clocks.rs", "-1 => (date, self.received),", "-1 => (date, date),"),
                        ("src/plan/clocks.rs", "1 => later = later.max(shifted(answer.received, others)),", "1 => {}")]),
    "vanished-is-believed": ("an answer is believed that is empty where records were shown",
                             [("src/plan/schedule/verdicts.rs", "if self.has_vanished(&active, began_at) {", "if self.has_vanished(&active, began_at) && pages == 0 {")]),
    "unknown-is-final": ("a status that nobody knows is never asked for again",
                         [("src/plan/refresh.rs", "says_nothing(status) || ended_at.is_none(),", "false && says_nothing(status),")]),
    "put-off-waits": ("a service that asks to wait for an hour is waited for",
                      [("src/requester/send.rs", "failure.retry_after().is_some_and(|wait| wait > self.patience.total)",
                        "failure.retry_after().is_some_and(|wait| wait > self.patience.total * 1_000_000)")]),
    "repeats-at-once": ("an entry that comes twice on the only page is believed at once",
                        [("src/plan/paging/verdict.rs", "if self.repeats() && self.repetition == Repetition::Doubtful {",
                          "if self.reach > u64::MAX - 1 {")]),
    "spoilt-is-believed": ("an entry that cannot be read is believed at once",
                           [("src/plan/paging/verdict.rs", "match self.unreadable {", "match self.unreadable.min(0) {")]),
    "summaries-only-grow": ("a record that changes stays in the summaries as it was",
                            [("src/store/write/records.rs", "self.summaries.remove(function, columns, is_young)", "Ok(())")]),
    "young-for-ever": ("a record that changes still counts as one that was seen young",
                       [("src/store/write/records.rs", "self.summaries.remove(function, columns, is_young)",
                         "self.summaries.remove(function, columns, is_young && function.0 < 0)")]),
    "forbidden-is-all": ("access that is refused to a function is refused to all",
                         [("src/requester/admission.rs", "if is_forbidden(&failure) && !self.admits_to_another(urn).await {",
                           "if is_forbidden(&failure) {")]),
    "moving-counts-judge": ("counts that move alike in every walk are held against the list",
                            [("src/plan/paging.rs", "self.earlier = Earlier::MovedAlike;", "")]),
    "no-lanes": ("a long range is walked in one lane",
                 [("src/plan/schedule/lanes.rs", "if lanes < 2 ||", "if lanes < 200 ||")]),
    "again-first": ("what earlier runs walked in vain is all tried at once",
                    [("src/plan/schedule/walks.rs", "let some = left.min(OPEN_WALKS).min(self.again.len());", "let some = self.again.len();")]),
    "no-catching-up": ("what the service's clock adds to the horizon is left for later",
                       [("src/plan/schedule/function.rs", "if self.times_caught_up < MOST_TIMES_CAUGHT_UP", "if self.times_caught_up > MOST_TIMES_CAUGHT_UP")]),
    "length-is-no-limit": ("a window that is refused for its length is a window that fails",
                           [("src/plan/schedule/verdicts.rs", "if active.began_at.is_none() && failed.is_too_long(range)", "if active.began_at.is_some() && failed.is_too_long(range)")]),
    "trims-on": ("windows are cut to full pages though that broke a seam",
                 [("src/plan/schedule/verdicts.rs", "self.trims &= !(active.trimmed && doubt.is_of_seam());", "")]),
    "reach-unasked": ("what cannot be asked of the reach is called lost",
                      [("src/plan/schedule/function.rs", "self.known.reach_unknown = Some(failed.reason)", "drop(failed)")]),
    "part-ends-look-ups": ("a record that cannot be looked up ends its function",
                           [("src/plan/schedule/look_ups.rs", "            (Setback::Part(failed), _) => {\n                self.failure.get_or_insert(failed.failure);\n            }\n",
                             "            (Setback::Part(failed), _) => return Err(failed.failure),\n")]),
    "side-checks-fail-runs": ("a side check that fails is a failure of the function",
                              [("src/plan/schedule/function.rs", "        self.walked.failure = self.left.take();", "        self.walked.failure = self.left.take().or(self.unchecked.take());"),
                               ("src/plan/schedule/function.rs", "self.unchecked.take().map(|failure| Effect::Tell", "None.map(|failure| Effect::Tell")]),
    "verify-writes": ("verifying enters what it could not prove in the ledger",
                      [("src/plan/schedule/verdicts.rs", "        if self.purpose == Purpose::Archive {\n            self.enter(vec![active.unproven", "        if self.purpose == Purpose::Archive || !self.walked.unproven.is_empty() {\n            self.enter(vec![active.unproven")]),
    "empty-at-once": ("what one run is shown empty is settled",
                      [("src/plan/emptiness.rs", "if self.confirms { self.seen.gaps_in(settled) }", "if self.confirms && settled.seconds() < 0 { self.seen.gaps_in(settled) }")]),
    "shown-then-empty": ("a window is empty in which this run was shown records",
                         [("src/plan/emptiness.rs", "|| self.ended.is_listed_in(part)", "|| (part.seconds() < 0 && self.ended.is_listed_in(part))")]),
    "archived-then-empty": ("a window is empty of which records are archived",
                            [("src/plan/emptiness.rs", "|part| self.archived.is_listed_in(part)", "|part| part.seconds() < 0 && self.archived.is_listed_in(part)")]),
    "to-come-untold": ("a ledger of which all is still to come is not told",
                       [("src/plan/horizon.rs", "ledger_begin.filter(|&begin| now.later() <= begin)", "ledger_begin.filter(|&begin| now.later() < begin && begin < now.later())")]),
    "empty-is-lost": ("what is empty again after a day is called lost",
                      [("src/plan/schedule/verdicts.rs", "if active.walk.distinct() == 0 && self.known.emptiness.was_seen(window) {",
                        "if active.walk.distinct() == 0 && self.known.emptiness.was_seen(window) && window.seconds() < 0 {")]),
    "parts-alone": ("what a walk in vain told is not held against the parts of its window",
                    [("src/plan/schedule/wholes.rs", "(self.told.hides || shown < self.told(parts))", "shown > u64::MAX - self.told(parts)")]),
    "vain-parts-tell-nothing": ("a part that was walked in vain tells nothing of the whole",
                                [("src/plan/schedule/wholes.rs", "    pub(super) fn hold(&mut self, part: Part) {\n",
                                  "    pub(super) fn hold(&mut self, part: Part) {\n        if part.doubt.is_some() { return; }\n")]),
    "sources-share-pages": ("what was learnt of one source's pages is believed of the others",
                            [("src/store/write/runs.rs", "FROM run_sources WHERE name = ?1", "FROM run_sources WHERE ?1 <> ''")]),
}


def places(old, text):
    """Where a text holds these words, however its lines are broken."""
    return list(re.finditer(r"\s+".join(map(re.escape, old.split())), text))


def apply(copy, edits):
    """Makes the edits; the files as they were."""
    before = {}
    for name, old, new in edits:
        path = copy / name
        text = path.read_text()
        found = places(old, text)
        if len(found) != 1:
            raise SystemExit(f"{name} holds this {len(found)} times: {old}")
        before.setdefault(path, text)
        path.write_text(text[:found[0].start()] + new.strip() + text[found[0].end():])
    return before


def test(copy, target, *arguments, env=None):
    """The output of some tests of the copy."""
    command = ["cargo", "test", "--locked", *arguments]
    env = {**os.environ, "CARGO_TARGET_DIR": str(target), "RUST_BACKTRACE": "0", **(env or {})}
    run = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True)
    output = run.stdout + run.stderr
    if "could not compile" in output:
        raise SystemExit(output)
    return output


# By how many schedules a mutation is judged: some are met once in a thousand.
SEEDS = 2_000


def play(copy, target, seeds):
    """What schedules find in the copy, in words: the invariants that most of them break, and the named worlds."""
    limit = {"FGARCHIVE_SIM_SEEDS": str(seeds or SEEDS)}
    arguments = ["--test", "simulation", "--", "--nocapture", "--skip", "simpler", "--skip", "same_seed"]
    output = test(copy, target, *arguments, env=limit)
    found = re.findall(r"^(\d+) seeds: (.+)$", output, re.MULTILINE)
    findings = sorted(((int(count), invariant) for count, invariant in found), reverse=True)
    named = sorted(set(re.findall(r"^test (?:named|sources)::(\S+) \.\.\. FAILED$", output, re.MULTILINE)))
    of = seeds or f"{SEEDS:,}"
    told = [f"{invariant} ({count} of {of})" for count, invariant in findings[:2]] + [f"`{name}`" for name in named[:2]]
    more = [f"{len(named) - 2} more named worlds"] if len(named) > 2 else []
    return "; ".join(told + more)


def ask_units(copy, target):
    """The unit tests that fail, in words."""
    output = test(copy, target, "--lib")
    names = sorted(set(re.findall(r"^---- (\S+) stdout ----$", output, re.MULTILINE)))
    return "no schedule; " + ", ".join(f"`{name.split('::')[-1]}`" for name in names[:2]) if names else ""


def check():
    """Whether every mutation fits the sources, and those that docs/proof.md tells of are here."""
    wrong = []
    for name, (_, edits) in MUTATIONS.items():
        for file, old, new in edits:
            found = len(places(old, (ROOT / file).read_text()))
            if found != 1 or old == new:
                wrong.append(f"{name}: {file} holds this {found} times: {old}")
    told = re.findall(r"^\| `([a-z-]+)` \|.*\|.*\|$", (ROOT / "docs/proof.md").read_text(), re.MULTILINE)
    wrong += [f"docs/proof.md tells of {name}, which is not here" for name in told if name not in MUTATIONS]
    if wrong:
        sys.exit("\n".join(wrong))


def main():
    if sys.argv[1:] == ["--check"]:
        return check()
    names = sys.argv[1:] or list(MUTATIONS)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "mutations"
    unnoticed = []
    scratch = tempfile.TemporaryDirectory()
    copy = Path(scratch.name) / "fgarchive"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns("target", ".git"))
    print("| mutation | what is broken | noticed by (in so many schedules) |\n|---|---|---|")
    for name in names:
        what, edits = MUTATIONS[name]
        before = apply(copy, edits)
        noticed = play(copy, target, FEW) or play(copy, target, None) or ask_units(copy, target)
        for path, text in before.items():
            path.write_text(text)
        print(f"| `{name}` | {what} | {noticed or '**nobody**'} |", flush=True)
        if not noticed:
            unnoticed.append(name)
    if unnoticed:
        sys.exit(f"nobody notices: {', '.join(unnoticed)}")


if __name__ == "__main__":
    main()
