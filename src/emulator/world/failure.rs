//! Why a record failed: a code, and words such as functions and runtimes leave behind.

use super::Phase;
use crate::emulator::chance::{mix, scale};
use std::fmt;

/// Codes with the text that comes with them. 4208 is documented (API reference, cancelling an
/// invocation); the others are made up in its manner. The texts hold what makes a reader of JSON
/// stumble: quotes, backslashes, line ends and characters beyond ASCII.
const CAUSES: [(u32, &str); 8] = [
    (
        4208,
        "function invocation canceled by a request of type force; other requests in the same \
         instance end with it",
    ),
    (
        4211,
        "the function did not finish within 30000 ms and was stopped; raise its time limit or \
         split the work",
    ),
    (
        4201,
        "Traceback (most recent call last):\n  File \"/opt/function/code/index.py\", line 41, in \
         handler\n    order = json.loads(event[\"body\"])\n  File \
         \"/usr/lib/python3.9/json/__init__.py\", line 346, in loads\n    return \
         _default_decoder.decode(s)\nKeyError: 'body'",
    ),
    (
        4201,
        "{\"errorType\":\"TypeError\",\"errorMessage\":\"Cannot read properties of undefined \
         (reading 'amount')\",\"stackTrace\":[\"at exports.handler \
         (/opt/function/code/index.js:12:31)\",\"at Runtime.invoke \
         (/opt/function/runtime/nodejs14.18/main.js:88:15)\"]}",
    ),
    (
        4213,
        "内存超出限制:函数实例使用了 512 MB 以上的内存,已被终止。请调大内存或减少并发 (memory limit exceeded)",
    ),
    (
        4227,
        "dial tcp 192.168.10.21:3306: connect: connection refused\tafter 3 attempts; the subnet of \
         the function has no route to the database, or the security group of the database refuses \
         port 3306",
    ),
    (
        429,
        "too many requests: the reserved concurrency of this function, 10 instances, is in use and \
         its queue is full",
    ),
    (
        500,
        "internal error: C:\\fss\\agent\\worker.log could not be opened for the instance of this \
         invocation; the platform has recorded the failure and will try again where the retry \
         policy allows it",
    ),
];

/// Why a record ended as FAIL or DISCARD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    chance: u64,
    discarded: bool,
}

impl Failure {
    /// The failure of a record in this phase; none where it has not failed.
    pub(super) fn of(phase: Phase, chance: u64) -> Option<Self> {
        matches!(phase, Phase::Fail | Phase::Discard)
            .then_some(Self { chance, discarded: phase == Phase::Discard })
    }

    fn cause(self) -> (u32, &'static str) {
        const EXPIRED: (u32, &str) = (
            4228,
            "the event waited longer than max_async_event_age_in_seconds (3600) and was discarded \
             unexecuted",
        );
        let which = usize::try_from(scale(mix(self.chance), CAUSES.len() as u64)).unwrap_or(0);
        if self.discarded { EXPIRED } else { CAUSES[which] }
    }

    /// The code, an integer.
    pub fn code(self) -> u32 {
        self.cause().0
    }

    /// The words before the trace.
    pub(in crate::emulator) fn text(self) -> &'static str {
        self.cause().1
    }

    /// What tells this failure from others of its cause.
    pub(in crate::emulator) fn trace(self) -> u64 {
        self.chance
    }
}

/// The message, 80 to 400 bytes.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [trace {:016x}]", self.text(), self.trace())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_the_length_of_real_ones() {
        for chance in 0..200 {
            for phase in [Phase::Fail, Phase::Discard] {
                let length = Failure::of(phase, chance).unwrap().to_string().len();
                assert!((80..=400).contains(&length), "{length}");
            }
        }
    }
}
