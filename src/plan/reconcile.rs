//! What a seen record means for the stored one.

use crate::domain::{Invocation, Status};

/// The meaning of an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The same as stored: nothing is written.
    Unchanged,
    /// The same status, other fields: they are replaced.
    Amended,
    /// A later status on the way `WAIT → RUNNING → SUCCESS | FAIL | DISCARD`.
    Advanced,
    /// Another end than the stored one, or a status that is not known: accepted, with history.
    Revised,
    /// An earlier status than the stored one: kept in the history as an anomaly, the stored one stands.
    Regressed,
}

impl Change {
    /// Whether the stored record takes on what was seen.
    pub fn is_accepted(self) -> bool {
        matches!(self, Self::Amended | Self::Advanced | Self::Revised)
    }

    /// Whether the status differs from the stored one.
    pub fn moves_status(self) -> bool {
        matches!(self, Self::Advanced | Self::Revised | Self::Regressed)
    }
}

/// Compares a stored record with the same record as it was seen later.
pub fn reconcile(stored: &Invocation, seen: &Invocation) -> Change {
    if stored.status == seen.status {
        return if stored == seen { Change::Unchanged } else { Change::Amended };
    }
    match (step(&stored.status), step(&seen.status)) {
        (Some(from), Some(to)) if from < to => Change::Advanced,
        (Some(from), Some(to)) if from > to => Change::Regressed,
        _ => Change::Revised,
    }
}

/// How far along its way a status is; none for one that is not documented.
fn step(status: &Status) -> Option<u8> {
    match status {
        Status::Wait => Some(0),
        Status::Running => Some(1),
        Status::Success | Status::Fail | Status::Discard => Some(2),
        Status::Other(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RequestId;
    use Change::{Advanced, Amended, Regressed, Revised, Unchanged};

    fn record(status: &str, message: Option<&str>) -> Invocation {
        Invocation {
            request_id: RequestId::new("a").unwrap(),
            status: Status::parse(status),
            error_code: None,
            error_message: message.map(Into::into),
            start_time: None,
            end_time: None,
            extra: None,
        }
    }

    /// Rows: stored. Columns: seen as WAIT, RUNNING, SUCCESS, FAIL, DISCARD, PAUSED (unknown).
    #[test]
    fn every_pair_of_statuses_has_a_meaning() {
        let statuses = ["WAIT", "RUNNING", "SUCCESS", "FAIL", "DISCARD", "PAUSED"];
        let expected = [
            [Unchanged, Advanced, Advanced, Advanced, Advanced, Revised],
            [Regressed, Unchanged, Advanced, Advanced, Advanced, Revised],
            [Regressed, Regressed, Unchanged, Revised, Revised, Revised],
            [Regressed, Regressed, Revised, Unchanged, Revised, Revised],
            [Regressed, Regressed, Revised, Revised, Unchanged, Revised],
            [Revised, Revised, Revised, Revised, Revised, Unchanged],
        ];
        for (stored, row) in statuses.iter().zip(expected) {
            for (seen, expected) in statuses.iter().zip(row) {
                assert_eq!(reconcile(&record(stored, None), &record(seen, None)), expected, "{stored} seen as {seen}");
            }
        }
    }

    #[test]
    fn the_same_status_with_other_fields_is_amended() {
        assert_eq!(reconcile(&record("FAIL", None), &record("FAIL", Some("out of memory"))), Amended);
    }
}
