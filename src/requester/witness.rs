//! Whether the service answers at all, and whether a function does.
//!
//! When a request has no tries left and nothing was answered meanwhile, or nothing was for long,
//! something small is asked of the service beside the line, a witness. If that is not answered
//! either, the run ends.

use super::project::{Requester, lock};
use super::sink::PageSink;
use super::source::Source;
use super::witnesses::{Witness, Witnesses};
use crate::api::{CallFailure, Meaning};
use crate::domain::{FunctionUrn, Interval, Marker, PAGE_LIMIT, PageQuery};
use crate::plan::outage::{BETWEEN_WITNESSES, Judgement};
use crate::plan::windows;
use std::cmp::Reverse;
use std::future::pending;
use std::time::Duration;
use tokio::time::{sleep, sleep_until, timeout, timeout_at};

impl<S: Source> Requester<S> {
    /// Notes whether the service answered. A refusal is an answer.
    pub(crate) fn note_answer(&self, sent_at: Duration, failure: Option<&CallFailure>) {
        let now = self.began.elapsed();
        if failure.is_some_and(is_silence) {
            return lock(&self.outage).failed(sent_at);
        }
        lock(&self.outage).answered(now);
    }

    /// How long an answer about a part of something that failed is waited for.
    pub(crate) fn limit_of_a_part(&self, urn: &FunctionUrn) -> Duration {
        lock(&self.hanging).limit_of_a_part(urn)
    }

    /// Names who can be asked whether the service answers at all.
    pub(crate) fn call_on(&self, witnesses: Witnesses) {
        *lock(&self.witnesses) = witnesses;
    }

    /// Waits until the service is found to be down, if it ever is.
    pub(crate) async fn is_down(&self) {
        self.down.cancelled().await;
    }

    /// Whether the service was found to be down, so that nothing more is asked.
    pub(crate) fn was_down(&self) -> bool {
        self.down.is_cancelled()
    }

    /// Since when nothing was answered, where a request that got no answer has to be judged.
    pub(crate) fn doubted_since(
        &self,
        failure: &CallFailure,
        first_sent: Duration,
        is_over: bool,
    ) -> Option<Duration> {
        if !is_silence(failure) || matches!(*lock(&self.witnesses), Witnesses::Nobody) {
            return None;
        }
        lock(&self.outage).doubted_since(self.began.elapsed(), first_sent, is_over)
    }

    /// Finds out whether the service answers anybody since this moment; one request does so for
    /// all.
    pub(crate) async fn answers_since(
        &self,
        silent_since: Duration,
        failure: &CallFailure,
    ) -> bool {
        let _judging = self.judging.lock().await;
        while !self.was_down() {
            let judgement = lock(&self.outage).judge(self.began.elapsed(), silent_since);
            match judgement {
                Judgement::Answers => return true,
                Judgement::Wait(until) => sleep_until(self.began + until).await,
                // Apart, since every request may come here, and few do.
                Judgement::Ask(until) => Box::pin(self.ask_witnesses(until)).await,
                Judgement::Down => {
                    lock(&self.refused).get_or_insert_with(|| failure.clone());
                    self.down.cancel();
                }
            }
        }
        false
    }

    /// Asks a witness, and waits for it until this moment at most. Of one that takes long it is not
    /// known whether it is the service or the witness, so that others are asked beside it.
    async fn ask_witnesses(&self, until: Duration) {
        let later = async |number: u32| {
            sleep(BETWEEN_WITNESSES * number).await;
            // One that fails tells nothing of those that are waited for.
            if number > self.others_of_run() || !self.ask_witness(until).await {
                pending::<()>().await;
            }
        };
        tokio::select! {
            _ = self.ask_witness(until) => {}
            () = later(1) => {}
            () = later(2) => {}
        }
    }

    /// Asks one witness, and waits for it until this moment at most; whether it answered.
    async fn ask_witness(&self, until: Duration) -> bool {
        let asked_at = self.began.elapsed();
        let witness = self.next_witness();
        let look = async {
            match &witness {
                Some((form, sink)) => self.look_at(form, self.newest_second(), sink.as_ref()).await,
                None => self.send_once(&|| self.source.functions(Marker(0))).await.map(|_| ()),
            }
        };
        if let Some((form, _)) = &witness {
            // Others are asked meanwhile, if any.
            *lock(&self.silent).entry(form.clone()).or_default() += 1;
        }
        let answer = timeout_at(self.began + until, look).await;
        tracing::debug!(?answer, "a witness was asked whether the service answers");
        lock(&self.outage).witness_failed(asked_at, self.began.elapsed());
        matches!(answer, Ok(Ok(())))
    }

    /// The function that the next witness asks about, in a form that may be known. One that has
    /// answered before goes first. `None` where the list of functions is asked for
    /// instead.
    fn next_witness(&self) -> Option<(FunctionUrn, Option<PageSink>)> {
        match &mut *lock(&self.witnesses) {
            Witnesses::Functions(functions) => {
                // Drawn each time: those beside one that hangs may hang with it.
                let turns = lock(&self.draws).usize(..functions.len().max(1));
                functions.rotate_left(turns);
                let (silent, heard) = (lock(&self.silent), lock(&self.heard));
                let trust = |witness: &Witness| {
                    let Witness { urn, archived_until, .. } = witness;
                    (silent.get(urn), !heard.contains_key(urn), Reverse(*archived_until))
                };
                let known = functions
                    .iter()
                    .filter_map(|witness| Some((witness, self.forms.of_witness(&witness.urn)?)));
                // One that is not being asked, and was heard before, in this run or in the last
                // one, tells most; one that was silent tells least.
                let best = known.min_by_key(|(witness, _)| trust(witness));
                best.map(|(witness, form)| (form, witness.sink.clone()))
            }
            Witnesses::Nobody | Witnesses::Listing => None,
        }
    }

    /// The last second that has passed: what is pending is rarely in it.
    pub(crate) fn newest_second(&self) -> Option<Interval> {
        let now = self.now().earlier();
        Interval::new(now - Duration::from_secs(1), now)
    }

    /// Looks at a second of a function for a request that failed; where that brings no answer
    /// either after a long silence, it is found out whether anybody gets one.
    pub(crate) async fn look_for(
        &self,
        first_sent: Duration,
        urn: &FunctionUrn,
        second: Option<Interval>,
        sink: &PageSink,
    ) {
        if let Err(failure) = self.look_at(urn, second, Some(sink)).await
            && let Some(since) = self.doubted_since(&failure, first_sent, false)
        {
            self.answers_since(since, &failure).await;
        }
    }

    /// Looks whether a function answers that hangs, in a place behind the others: it is not waited
    /// for in full once more.
    pub(crate) async fn look_behind(&self, urn: &FunctionUrn, look: impl Future<Output = ()>) {
        self.line.give_way(urn);
        let draw = lock(&self.draws).u64(..);
        let _place = self.line.place_behind(draw).await;
        if lock(&self.hanging).is_spent(urn) {
            return;
        }
        let limit = self.limit_of_a_part(urn);
        if timeout(limit, look).await.is_err() {
            lock(&self.hanging).timed_out(urn, limit);
        }
    }

    /// Lists a second of a function once, beside the line. What it shows is archived like
    /// everything else.
    pub(crate) async fn look_at(
        &self,
        urn: &FunctionUrn,
        second: Option<Interval>,
        sink: Option<&PageSink>,
    ) -> Result<(), CallFailure> {
        let Some(second) = second else { return Ok(()) };
        let (begin, end) = windows::bounds(second);
        let query = PageQuery { begin, end, marker: Marker(0), limit: PAGE_LIMIT };
        let answer = self.send_once(&|| self.timed(self.source.list(urn, query))).await;
        if let Err(failure) = &answer
            && failure.meaning == Meaning::NotFound
        {
            self.forms.note_not_found(urn, failure);
        }
        let (page, sent) = answer?;
        let seen_at = self.learn_time(sent, page.served_at);
        self.forms.note_answered(urn);
        self.hear(urn);
        if let Some(sink) = sink {
            sink.take(page, seen_at).await;
        }
        Ok(())
    }

    /// Notes that a function is asked.
    pub(crate) fn note_asked(&self, urn: &FunctionUrn) {
        let mut silent = lock(&self.silent);
        if !silent.contains_key(urn) {
            silent.insert(urn.clone(), 0);
        }
    }

    /// Notes that a function answered with a page.
    pub(crate) fn hear(&self, urn: &FunctionUrn) {
        lock(&self.silent).remove(urn);
        lock(&self.hanging).heard(urn);
        lock(&self.heard).insert(urn.clone(), self.began.elapsed());
    }

    /// Whether a function answered with a page after this moment.
    pub(crate) fn heard_since(&self, urn: &FunctionUrn, moment: Duration) -> bool {
        lock(&self.heard).get(urn).is_some_and(|&heard| heard > moment)
    }
}

/// Whether a failure may be one of a service that is down: the service itself said nothing that can
/// be understood.
pub(super) fn is_silence(failure: &CallFailure) -> bool {
    matches!(
        failure.meaning,
        Meaning::Unavailable { .. }
            | Meaning::Unreachable
            | Meaning::Timeout
            | Meaning::BrokenAnswer
    )
}
