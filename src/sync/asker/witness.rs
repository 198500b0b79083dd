//! Whether the service answers at all, and whether a function does.
//!
//! When a request has no tries left and nothing was answered meanwhile, or nothing was for long, something small is asked
//! of the service beside the line, a witness. If that is not answered either, the run ends.

use super::{Asker, hold};
use crate::api::{CallFailure, Meaning};
use crate::domain::{FunctionUrn, Interval, Marker, PAGE_LIMIT, PageQuery};
use crate::plan::outage::Judgement;
use crate::plan::{failing, windows};
use crate::sync::delivery::Outbox;
use crate::sync::source::Source;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{sleep_until, timeout_at};

/// Who can be asked whether the service answers.
#[derive(Clone, Debug, Default)]
pub(in crate::sync) enum Witnesses {
    /// Nobody: a request that fails says nothing of the service.
    #[default]
    Nobody,
    /// The listing of functions, while that is what is asked for.
    Listing,
    /// These functions, each with the way on which a record that a witness shows is archived.
    Functions(Vec<(FunctionUrn, Option<Outbox>)>),
}

impl<S: Source> Asker<S> {
    /// Notes whether the service answered. A refusal is an answer.
    pub(super) fn note_answer(&self, sent_at: Duration, failure: Option<&CallFailure>) {
        let now = self.began.elapsed();
        if failure.is_some_and(is_silence) {
            return hold(&self.outage).failed(sent_at);
        }
        hold(&self.outage).answered(now);
        let took = u64::try_from(now.saturating_sub(sent_at).as_millis()).unwrap_or(u64::MAX);
        self.gauges.slowest.fetch_max(took, Ordering::Relaxed);
    }

    /// How long an answer about a part of something that failed is waited for.
    pub(in crate::sync) fn limit_of_a_part(&self) -> Duration {
        failing::limit(Duration::from_millis(self.gauges.slowest.load(Ordering::Relaxed)))
    }

    /// Names who can be asked whether the service answers at all.
    pub(in crate::sync) fn call_on(&self, witnesses: Witnesses) {
        *hold(&self.witnesses) = witnesses;
    }

    /// Waits until the service is found to be down, if it ever is.
    pub(in crate::sync) async fn is_down(&self) {
        self.down.cancelled().await;
    }

    /// Whether the service was found to be down, so that nothing more is asked.
    pub(in crate::sync) fn was_down(&self) -> bool {
        self.down.is_cancelled()
    }

    /// Since when nothing was answered, where a request that got no answer has to be judged.
    pub(super) fn doubted_since(&self, failure: &CallFailure, first_sent: Duration, is_over: bool) -> Option<Duration> {
        if !is_silence(failure) || matches!(*hold(&self.witnesses), Witnesses::Nobody) {
            return None;
        }
        hold(&self.outage).doubted_since(self.began.elapsed(), first_sent, is_over)
    }

    /// Finds out whether the service answers anybody since this moment; one request does so for all.
    pub(super) async fn answers_since(&self, silent_since: Duration, failure: &CallFailure) -> bool {
        let _judging = self.judging.lock().await;
        while !self.was_down() {
            let judgement = hold(&self.outage).judge(self.began.elapsed(), silent_since);
            match judgement {
                Judgement::Answers => return true,
                Judgement::Wait(until) => sleep_until(self.began + until).await,
                Judgement::Ask(until) => self.ask_witness(until).await,
                Judgement::Down => {
                    hold(&self.refused).get_or_insert_with(|| failure.clone());
                    self.down.cancel();
                }
            }
        }
        false
    }

    /// Asks one witness, and waits for it until this moment at most.
    async fn ask_witness(&self, until: Duration) {
        let asked_at = self.began.elapsed();
        let witness = self.next_witness();
        let look = async {
            match &witness {
                Some((form, outbox)) => self.look_at(form, self.newest_second(), outbox.as_ref()).await,
                None => self.send_once(&|| self.source.functions(Marker(0))).await.map(|_| ()),
            }
        };
        let answer = timeout_at(self.began + until, look).await;
        tracing::debug!(?answer, "a witness was asked whether the service answers");
        if let (Some((form, _)), false) = (witness, matches!(answer, Ok(Ok(())))) {
            *hold(&self.silent).entry(form).or_default() += 1;
        }
        hold(&self.outage).witness_failed(asked_at, self.began.elapsed());
    }

    /// A function that another witness was not about, in a form that may be known; none where it is the listing of
    /// functions that is asked.
    fn next_witness(&self) -> Option<(FunctionUrn, Option<Outbox>)> {
        match &mut *hold(&self.witnesses) {
            Witnesses::Functions(functions) => {
                // Drawn once, then in turn.
                let turns =
                    if self.turns.fetch_add(1, Ordering::Relaxed) == 0 { hold(&self.draws).usize(..) } else { 1 };
                let turns = turns % functions.len().max(1);
                functions.rotate_left(turns);
                let (silent, heard) = (hold(&self.silent), hold(&self.heard));
                let trust = |form: &FunctionUrn| (silent.get(form), !heard.contains_key(form));
                let known = functions.iter().filter_map(|(urn, outbox)| Some((self.forms.of_witness(urn)?, outbox)));
                // One that is not being asked, and was heard before, tells most; one that was silent tells least.
                known.min_by_key(|(form, _)| trust(form)).map(|(form, outbox)| (form, outbox.clone()))
            }
            Witnesses::Nobody | Witnesses::Listing => None,
        }
    }

    /// The last second that has passed: what is pending is rarely in it.
    pub(in crate::sync) fn newest_second(&self) -> Option<Interval> {
        let now = self.now().earlier();
        Interval::new(now - Duration::from_secs(1), now)
    }

    /// Looks at a second of a function for a request that failed; where that brings no answer either after a long
    /// silence, it is found out whether anybody gets one.
    pub(in crate::sync) async fn look_for(
        &self,
        first_sent: Duration,
        urn: &FunctionUrn,
        second: Option<Interval>,
        outbox: &Outbox,
    ) {
        if let Err(failure) = self.look_at(urn, second, Some(outbox)).await
            && let Some(since) = self.doubted_since(&failure, first_sent, false)
        {
            self.answers_since(since, &failure).await;
        }
    }

    /// Lists a second of a function once, beside the line. What it shows is archived like everything else.
    pub(in crate::sync) async fn look_at(
        &self,
        urn: &FunctionUrn,
        second: Option<Interval>,
        outbox: Option<&Outbox>,
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
        let served_at = self.learn_time(sent, page.served_at);
        self.forms.note_answered(urn);
        self.hear(urn);
        if let Some(outbox) = outbox {
            outbox.send_page(Marker(0), page, served_at).await;
        }
        Ok(())
    }

    /// Notes that a function is asked.
    pub(super) fn note_asked(&self, urn: &FunctionUrn) {
        let mut silent = hold(&self.silent);
        if !silent.contains_key(urn) {
            silent.insert(urn.clone(), 0);
        }
    }

    /// Notes that a function answered with a page.
    pub(in crate::sync) fn hear(&self, urn: &FunctionUrn) {
        hold(&self.silent).remove(urn);
        hold(&self.heard).insert(urn.clone(), self.began.elapsed());
    }

    /// Whether a function answered with a page after this moment.
    pub(in crate::sync) fn heard_since(&self, urn: &FunctionUrn, moment: Duration) -> bool {
        hold(&self.heard).get(urn).is_some_and(|&heard| heard > moment)
    }
}

/// Whether a failure may be one of a service that is down: the service itself said nothing that can be understood.
fn is_silence(failure: &CallFailure) -> bool {
    matches!(
        failure.meaning,
        Meaning::Unavailable { .. } | Meaning::Unreachable | Meaning::Timeout | Meaning::BrokenAnswer
    )
}
