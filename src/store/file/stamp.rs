//! Which process wrote a file last: what tells a file's own log from that of another file.
//!
//! A log does not name its file. So every transaction of ours writes a stamp into the first page,
//! where SQLite keeps `user_version`: a random number for each process that writes, and the number
//! of the one before. The stamp of a file is then found in its own log: it is the stamp that the
//! log began upon, or one of those that were written since.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// Bits of the number of a process; two of them and a flag fit in a positive `user_version`.
const NUMBER: u32 = 0x7fff;

/// Set in the first transaction of a process.
const FIRST: u32 = 1 << 15;

/// Before this many bits stands the number of the process before.
const BEFORE: u32 = 16;

/// `BEFORE FIRST NUMBER`, of 15, 1 and 15 bits. A file that nobody wrote to has 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Stamp(u32);

impl Stamp {
    pub(in crate::store) fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    pub(in crate::store) fn bits(self) -> u32 {
        self.0
    }

    fn number(self) -> u32 {
        self.0 & NUMBER
    }

    fn before(self) -> u32 {
        (self.0 >> BEFORE) & NUMBER
    }

    fn is_first(self) -> bool {
        self.0 & FIRST != 0
    }

    /// The stamp of the first transaction of another process, whose number follows from `random`.
    pub(in crate::store) fn next(self, random: u64) -> Self {
        // Neither nothing nor the number before.
        let numbers = (1..=NUMBER).filter(|number| *number != self.number());
        let places = u64::from(NUMBER) - u64::from(self.number() != 0);
        let number =
            usize::try_from(random % places).ok().and_then(|place| numbers.clone().nth(place));
        Self(self.number() << BEFORE | FIRST | number.unwrap_or(1))
    }

    /// The stamp of the process's later transactions.
    pub(in crate::store) fn later(self) -> Self {
        Self(self.0 & !FIRST)
    }

    /// Whether the same process wrote both.
    fn is_of_same_process(self, other: Self) -> bool {
        self.later() == other.later()
    }

    /// Whether a file with this stamp can have a log in which `logged` is found; `begins` where it
    /// is the first there.
    pub(in crate::store) fn fits(self, logged: Self, begins: bool) -> bool {
        self.is_of_same_process(logged)
            || (begins && logged.is_first() && logged.before() == self.number())
    }
}

/// A number that no other process draws, but by chance: the standard library seeds its hashers with
/// the system's.
pub(in crate::store) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_log_fits_the_file_it_began_upon_and_the_one_it_was_moved_into() {
        let base = Stamp(0).next(7).later();
        let first = base.next(8);
        let log = [first, first.later(), first.later().next(9)];
        let fits =
            |file: Stamp| log.iter().enumerate().any(|(at, logged)| file.fits(*logged, at == 0));
        assert!(fits(base) && !fits(base.next(1).later().next(8)));
        assert!(log.iter().all(|stamp| fits(*stamp)));
        assert!(fits(first.later().next(9).later()));
        // Older, newer, and one that was written to by another process after the same beginning.
        assert!(!fits(Stamp(0)) && !fits(log[2].later().next(10)) && !fits(base.next(11)));
    }

    #[test]
    fn a_log_that_was_begun_anew_in_the_middle_fits_no_earlier_file() {
        let base = Stamp(0).next(7).later();
        let restarted = base.next(8).later();
        assert!(!base.fits(restarted, true));
        // The first transaction may have been moved into the file before the log began anew.
        assert!(base.next(8).fits(restarted, true));
    }

    #[test]
    fn two_draws_differ() {
        assert_ne!(random(), random());
    }

    proptest! {
        #[test]
        fn a_stamp_is_a_positive_number_that_differs_from_the_one_before(
            bits in 0u32..=0x7fff_ffff,
            random: u64,
        ) {
            let (stamp, next) = (Stamp(bits), Stamp(bits).next(random));
            prop_assert!(i32::try_from(next.bits()).is_ok() && next.number() != 0);
            prop_assert_ne!(next.number(), stamp.number());
            prop_assert!(next.is_first() && !next.later().is_first());
            prop_assert!(stamp.fits(next, true) && next.fits(next.later(), true));
        }
    }
}
