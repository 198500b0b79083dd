//! A dead man's switch: somebody who is told that a run begins and how it ended, and raises an
//! alarm when that stays away. In the form that healthchecks.io made common: the address itself for
//! a run that went well, `/start` and `/fail` below it, `rid` to tell runs apart, and a text to
//! read (<https://healthchecks.io/docs/http_api/>).

use super::repeat::repeat;
use crate::api::{Deaf, Listener};
use crate::clock::Clock;
use crate::error::FailureKind;
use uuid::{Builder, Uuid};

/// The longest text that is taken, in bytes.
const LONGEST_TEXT: usize = 100_000;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Its exit code.
    pub(crate) exit_code: u8,
    /// Whether the run before it went well, where there was one.
    pub(crate) before: Option<bool>,
    /// What people are to read.
    pub(crate) text: String,
}

impl Ended {
    /// Whether it alarms. A run that left something incomplete does not, after one that went well:
    /// the next run goes on with it, and most often all is well again by then.
    fn is_alarming(&self) -> bool {
        if self.exit_code == FailureKind::Incomplete.exit_code() {
            return self.before == Some(false);
        }
        self.exit_code != 0
    }
}

/// Tells somebody of one run.
#[derive(Debug)]
pub(crate) struct Ping {
    listener: Listener,
    clock: Clock,
    run: Uuid,
}

impl Ping {
    /// Nothing is told yet.
    pub(crate) fn new(listener: Listener, clock: Clock) -> Self {
        let run = Builder::from_random_bytes(fastrand::u128(..).to_be_bytes()).into_uuid();
        Self { listener, clock, run }
    }

    /// The run begins, and waits for this: it is told once.
    pub(crate) async fn begin(&self) {
        self.say(self.tell("/start", "").await);
    }

    /// The run has ended.
    pub(crate) async fn end(&self, ended: &Ended) {
        let path = if ended.is_alarming() { "/fail" } else { "" };
        self.say(repeat(|| self.tell(path, cut(&ended.text))).await);
    }

    async fn tell(&self, path: &str, text: &str) -> Result<(), Deaf> {
        let query = format!("rid={}", self.run);
        self.listener.tell((path, &query), text.to_owned(), self.clock.now()).await
    }

    /// That nobody heard it is said, and fails nothing.
    fn say(&self, told: Result<(), Deaf>) {
        if let Err(deaf) = told {
            tracing::error!("cannot tell {} of the run: {deaf}", self.listener.host());
        }
    }
}

/// As much of a text as is taken.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST_TEXT)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn a_run_that_left_something_alarms_the_second_time() {
        let is_alarming =
            |exit_code, before| Ended { exit_code, before, text: String::new() }.is_alarming();
        let told: Vec<bool> = [
            (0, None),
            (0, Some(false)),
            (3, None),
            (3, Some(true)),
            (3, Some(false)),
            (1, Some(true)),
            (4, Some(true)),
            (5, None),
        ]
        .into_iter()
        .map(|(exit_code, before)| is_alarming(exit_code, before))
        .collect();
        assert_eq!(told, [false, false, false, false, true, true, true, true]);
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("short"), "short");
        let long = format!("a{}", "é".repeat(LONGEST_TEXT));
        assert_eq!(cut(&long).len(), LONGEST_TEXT - 1);
    }
}
