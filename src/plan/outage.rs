//! Whether the service is down for everybody, or only what one request asked for cannot be had.
//!
//! A request that fails says nothing of the others. So, once nothing has been answered since it was
//! first tried, something small is asked of the service instead, a witness: if that is answered,
//! the trouble is with the request; if several are not, it is with the service, and the run ends.
//! An answer of any kind counts, a refusal too. Moments are durations since the run began.

use std::time::Duration;

/// Trouble that is over within this time ends no run: a restart behind the service takes some
/// seconds.
pub const PASSES_WITHIN: Duration = Duration::from_secs(25);

/// Without any answer for so long the service is down, however few requests could be made
/// meanwhile: one that never answers takes a minute a request by default. It leaves 50 s to the
/// witness, and ends the run within two minutes.
pub const LONGEST_SILENCE: Duration = Duration::from_secs(110);

/// So many witnesses have to fail where they fail fast. They are about different functions where
/// there are more than one, so that two functions that cannot be had are not taken for the service.
const FEWEST_WITNESSES: u32 = 3;

/// The pause between two witnesses, and how long one is waited for before another is asked beside
/// it.
pub const BETWEEN_WITNESSES: Duration = Duration::from_secs(7);

/// What to do about a request that got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The service answers: the trouble is with the request.
    Answers,
    /// Ask a witness, and wait for it until this moment at most.
    Ask(Duration),
    /// Look again at this moment.
    Wait(Duration),
    /// The service is down.
    Down,
}

/// What was answered, and what was not, since the run began.
#[derive(Clone, Copy, Debug)]
pub struct Outage {
    longest_silence: Duration,
    answered_at: Option<Duration>,
    /// When the first request was sent of those that failed since the last answer.
    failing_since: Option<Duration>,
    /// Witnesses that failed since the last answer, and when the last of them did.
    witnesses: u32,
    last_witness: Duration,
}

impl Outage {
    /// Nothing was asked yet.
    pub fn new(longest_silence: Duration) -> Self {
        Self {
            longest_silence,
            answered_at: None,
            failing_since: None,
            witnesses: 0,
            last_witness: Duration::ZERO,
        }
    }

    /// The service answered.
    pub fn answered(&mut self, now: Duration) {
        *self = Self { answered_at: Some(now), ..Self::new(self.longest_silence) };
    }

    /// A request that was sent at this moment was not answered.
    pub fn failed(&mut self, sent_at: Duration) {
        let since = sent_at.max(self.answered_at.unwrap_or_default());
        self.failing_since = Some(self.failing_since.map_or(since, |before| before.min(since)));
    }

    /// A witness that was asked at this moment brought no answer by now, unless something was
    /// answered meanwhile.
    pub fn witness_failed(&mut self, asked_at: Duration, now: Duration) {
        if !self.answered_since(asked_at) {
            self.witnesses += 1;
            self.last_witness = now;
        }
    }

    /// Since when nothing was answered, where a request that was first sent at `first_sent` and
    /// failed has to be judged: it has no tries left and nothing was answered since it was sent, or
    /// the silence is long.
    ///
    /// An answer that came while the request waited tells nothing of what happened to the service
    /// after that answer.
    pub fn doubted_since(
        &self,
        now: Duration,
        first_sent: Duration,
        is_over: bool,
    ) -> Option<Duration> {
        let since = first_sent.max(self.answered_at.unwrap_or_default());
        let is_unanswered = is_over && !self.answered_since(first_sent);
        (is_unanswered || now >= since + PASSES_WITHIN).then_some(since)
    }

    /// When the first request was sent of those that were not answered since the last answer.
    pub fn failing_since(&self) -> Option<Duration> {
        self.failing_since
    }

    /// What to do about a request that got no answer, when nothing is known to have been answered
    /// since this moment.
    pub fn judge(&self, now: Duration, silent_since: Duration) -> Judgement {
        let since = self.failing_since.unwrap_or(silent_since);
        let (soon, last) = (since + PASSES_WITHIN, since + self.longest_silence);
        let next_witness = self.last_witness + BETWEEN_WITNESSES;
        match self.witnesses {
            _ if self.answered_since(silent_since) => Judgement::Answers,
            0 => Judgement::Ask(last.max(now + PASSES_WITHIN)),
            _ if now >= last => Judgement::Down,
            FEWEST_WITNESSES.. if self.last_witness >= soon => Judgement::Down,
            // Whatever was over by then is over: the last word is asked for at the end of that
            // time.
            FEWEST_WITNESSES.. if now >= soon => Judgement::Ask(last),
            FEWEST_WITNESSES.. => Judgement::Wait(soon),
            _ if now >= next_witness => Judgement::Ask(last),
            _ => Judgement::Wait(next_witness.min(last)),
        }
    }

    /// Whether the service answered lately, as far as is known: trouble that is longer is judged.
    pub fn answers(&self, now: Duration) -> bool {
        self.answered_at.is_some_and(|answered| now < answered + PASSES_WITHIN)
    }

    /// Whether anything was answered after this moment.
    pub fn answered_since(&self, moment: Duration) -> bool {
        self.answered_at.is_some_and(|answered| answered > moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn second(second: u64) -> Duration {
        Duration::from_secs(second)
    }

    fn new() -> Outage {
        Outage::new(LONGEST_SILENCE)
    }

    /// Plays a request that failed for good at `gave_up`, with witnesses that take so long and all
    /// fail; when it is over.
    fn plays(mut outage: Outage, gave_up: u64, witness_takes: u64) -> (Judgement, Duration, u32) {
        let mut now = second(gave_up);
        let mut asked = 0;
        loop {
            match outage.judge(now, second(0)) {
                Judgement::Ask(until) => {
                    asked += 1;
                    let asked_at = now;
                    now = until.min(now + second(witness_takes));
                    outage.witness_failed(asked_at, now);
                }
                Judgement::Wait(until) => {
                    assert!(until > now, "waiting ends");
                    now = until;
                }
                over => return (over, now, asked),
            }
        }
    }

    fn failing() -> Outage {
        let mut outage = new();
        outage.failed(second(0));
        outage
    }

    #[test]
    fn refusing_connections_is_down_after_three_witnesses_and_some_patience() {
        assert_eq!(plays(failing(), 1, 0), (Judgement::Down, second(25), 4));
        assert_eq!(plays(failing(), 15, 0), (Judgement::Down, second(29), 3));
    }

    /// A service that is back after 20 s is asked once more before the run ends.
    #[test]
    fn the_last_word_is_asked_for_when_patience_is_over() {
        let mut outage = failing();
        for at in [5, 12, 19] {
            assert_eq!(outage.judge(second(at), second(0)), Judgement::Ask(second(110)));
            outage.witness_failed(second(at), second(at));
        }
        assert_eq!(outage.judge(second(19), second(0)), Judgement::Wait(second(25)));
        assert_eq!(outage.judge(second(25), second(0)), Judgement::Ask(second(110)));
        outage.answered(second(26));
        assert_eq!(outage.judge(second(26), second(0)), Judgement::Answers);
    }

    #[test]
    fn never_answering_is_down_within_two_minutes() {
        assert_eq!(plays(failing(), 60, 60), (Judgement::Down, second(110), 1));
        assert_eq!(plays(failing(), 60, 20), (Judgement::Down, second(110), 2));
        let long_after = plays(failing(), 200, 60);
        assert_eq!(
            long_after,
            (Judgement::Down, second(225), 1),
            "a witness is always given some time"
        );
    }

    #[test]
    fn an_answer_to_anything_clears_the_service() {
        let mut outage = failing();
        outage.witness_failed(second(9), second(10));
        outage.answered(second(12));
        assert_eq!(outage.judge(second(13), second(0)), Judgement::Answers);
        assert_eq!(
            outage.judge(second(13), second(12)),
            Judgement::Ask(second(122)),
            "nothing was answered since"
        );
    }

    /// An outage in the middle counts from what was sent after the last answer.
    #[test]
    fn silence_begins_after_the_last_answer() {
        let mut outage = new();
        outage.answered(second(1_000));
        outage.failed(second(990));
        assert_eq!(outage.judge(second(1_050), second(1_010)), Judgement::Ask(second(1_110)));
        outage.failed(second(1_020));
        outage.witness_failed(second(1_050), second(1_060));
        assert_eq!(outage.judge(second(1_109), second(1_010)), Judgement::Ask(second(1_110)));
        assert_eq!(outage.judge(second(1_110), second(1_010)), Judgement::Down);
    }

    #[test]
    fn a_request_with_tries_left_is_doubted_only_after_a_while() {
        let outage = new();
        assert_eq!(outage.doubted_since(second(24), second(0), false), None);
        assert_eq!(outage.doubted_since(second(25), second(0), false), Some(second(0)));
        assert_eq!(outage.doubted_since(second(1), second(0), true), Some(second(0)));
    }

    #[test]
    fn an_answer_from_before_the_silence_clears_no_request_for_good() {
        let mut outage = new();
        outage.answered(second(3));
        assert_eq!(outage.doubted_since(second(27), second(0), false), None);
        assert_eq!(outage.doubted_since(second(27), second(0), true), None);
        let since = outage.doubted_since(second(60), second(0), false);
        assert_eq!(since, Some(second(3)));
        outage.failed(second(0));
        assert_eq!(outage.judge(second(60), second(3)), Judgement::Ask(second(113)));
        outage.answered(second(61));
        assert_eq!(outage.judge(second(62), second(3)), Judgement::Answers);
    }

    proptest! {
        /// Whatever fails how fast: it ends, within the limits, and never without a witness.
        #[test]
        fn judging_ends(gave_up in 0u64..110, witness_takes in 0u64..60) {
            let (over, at, asked) = plays(failing(), gave_up, witness_takes);
            prop_assert_eq!(over, Judgement::Down);
            prop_assert!(asked >= 1 && at >= PASSES_WITHIN);
            prop_assert!(at <= LONGEST_SILENCE.max(second(gave_up) + PASSES_WITHIN), "{:?}", at);
        }
    }
}
