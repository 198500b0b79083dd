//! Which status the archive may hold of a record, told from what was shown alone.

use crate::service::Shown;
use fgarchive::domain::Status;
use std::fmt;

/// A set of statuses, one bit each; the lowest stands for a record that is not archived.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Possible(u8);

fn bit(status: Option<&Status>) -> u8 {
    match status {
        None => 1,
        Some(Status::Wait) => 2,
        Some(Status::Running) => 4,
        Some(Status::Success) => 8,
        Some(Status::Fail) => 16,
        Some(Status::Discard) => 32,
        Some(Status::Other(_)) => 64,
    }
}

/// How far along its way a status is. The only other one in these worlds is an absent one, which
/// says less than any.
fn rank(bit: u8) -> u8 {
    match bit {
        1 => 0,
        64 => 1,
        2 => 2,
        4 => 3,
        _ => 4,
    }
}

impl Possible {
    pub(crate) const ABSENT: Self = Self(1);

    pub(crate) fn only(status: Option<&Status>) -> Self {
        Self(bit(status))
    }

    pub(crate) fn allows(self, status: Option<&Status>) -> bool {
        self.0 & bit(status) != 0
    }

    /// After these sightings, earliest first. `certain` says that all of them were committed.
    pub(crate) fn after(self, sightings: &[&Shown], certain: bool) -> Self {
        let mut possible = self;
        for together in sightings.chunk_by(|one, other| one.served_at == other.served_at) {
            let mut orders: Vec<u8> = together.iter().map(|each| bit(Some(&each.status))).collect();
            orders.sort_unstable();
            orders.dedup();
            let forth = orders.iter().fold(possible, |sum, &seen| sum.seen(seen));
            let back = orders.iter().rev().fold(possible, |sum, &seen| sum.seen(seen));
            possible = Self(forth.0 | back.0 | if certain { 0 } else { possible.0 });
        }
        possible
    }

    /// The later status stands; an earlier one than the stored is no step forward.
    fn seen(self, seen: u8) -> Self {
        let each = (0..7).map(|at| 1 << at).filter(|bit| self.0 & bit != 0);
        Self(
            each.map(|stored| if rank(seen) >= rank(stored) { seen } else { stored })
                .fold(0, |sum, bit| sum | bit),
        )
    }
}

impl fmt::Debug for Possible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = ["nothing", "WAIT", "RUNNING", "SUCCESS", "FAIL", "DISCARD", "other"];
        let held = names
            .iter()
            .enumerate()
            .filter(|(at, _)| self.0 & (1 << at) != 0)
            .map(|(_, name)| *name);
        f.write_str(&held.collect::<Vec<_>>().join(" or "))
    }
}
