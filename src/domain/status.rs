//! The status of an asynchronous invocation.

use std::fmt;

/// What the service says of an invocation (`WAIT → RUNNING → SUCCESS | FAIL | DISCARD`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Accepted, not yet started.
    Wait,
    /// Being executed.
    Running,
    /// Ended well.
    Success,
    /// Ended badly; may still change while the service retries.
    Fail,
    /// Dropped by the service.
    Discard,
    /// A status this program does not know, kept as it came. An absent status is an empty one.
    Other(Box<str>),
}

impl Status {
    /// The five documented statuses, in the order a record can pass through them.
    pub const KNOWN: [Self; 5] =
        [Self::Wait, Self::Running, Self::Success, Self::Fail, Self::Discard];

    /// Reads a status exactly as the service spells it; never fails.
    pub fn parse(text: &str) -> Self {
        match text {
            "WAIT" => Self::Wait,
            "RUNNING" => Self::Running,
            "SUCCESS" => Self::Success,
            "FAIL" => Self::Fail,
            "DISCARD" => Self::Discard,
            other => Self::Other(other.into()),
        }
    }

    /// The service's spelling.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Wait => "WAIT",
            Self::Running => "RUNNING",
            Self::Success => "SUCCESS",
            Self::Fail => "FAIL",
            Self::Discard => "DISCARD",
            Self::Other(text) => text,
        }
    }

    /// Whether an end is still to come: WAIT and RUNNING.
    ///
    /// Whether a record with this status has not ended. An unknown status is not open: there the
    /// record's end time decides.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Wait | Self::Running)
    }

    /// Whether this is one of the three documented ends.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Success | Self::Fail | Self::Discard)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_survives_a_round_trip() {
        for text in ["WAIT", "RUNNING", "SUCCESS", "FAIL", "DISCARD", "PAUSED", "success", ""] {
            assert_eq!(Status::parse(text).as_str(), text);
        }
        assert_eq!(Status::parse("success"), Status::Other("success".into()));
    }
}
