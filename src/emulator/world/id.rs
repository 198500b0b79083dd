//! Ids that look like random UUIDs, though each is computed from the record's place and can be
//! turned back into it: ten million records need no table of ids.

use crate::emulator::chance::mix;
use std::fmt;

/// Characters of an id: `xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx`.
pub const ID_LENGTH: usize = 36;

/// Bits of a place that its index takes; the function's number takes the others of sixty.
const INDEX_BITS: u32 = 40;
/// The lower half of the sixty bits that a place is shuffled in.
const HALF: u64 = (1 << 30) - 1;
/// Rounds of shuffling; with four, neighbours share no digits.
const ROUNDS: u64 = 4;
/// The bits that make it version 4 and variant 1 of RFC 9562.
const VERSION: u64 = 0x4000;
const VARIANT: u64 = 1 << 63;

/// Where a record is: the number of its function, and how many of that function's records begin
/// before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Position in [`World::functions`](super::World::functions).
    pub function: usize,
    /// Position among the function's records by start.
    pub index: usize,
}

/// The service's id of an invocation, a UUID of version 4 in shape; ordered as its text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    high: u64,
    low: u64,
}

impl RecordId {
    /// The id of a place in the world of a seed.
    pub(super) fn of(seed: u64, place: Place) -> Self {
        let shuffled = shuffle(seed, ((place.function as u64) << INDEX_BITS) | place.index as u64);
        let high = ((shuffled >> 12) << 16) | VERSION | (shuffled & 0xfff);
        Self { high, low: VARIANT | (mix(seed ^ shuffled) >> 2) }
    }

    /// The place that has this id. The caller checks whether the world has such a place.
    pub(super) fn place(self, seed: u64) -> Option<Place> {
        let shuffled = ((self.high >> 16) << 12) | (self.high & 0xfff);
        let plain = restore(seed, shuffled);
        let index = usize::try_from(plain & ((1 << INDEX_BITS) - 1)).ok()?;
        let place = Place { function: usize::try_from(plain >> INDEX_BITS).ok()?, index };
        (Self::of(seed, place) == self).then_some(place)
    }

    /// Reads an id in exactly the form it is written in.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.split('-').collect();
        let high = u64::from_str_radix(digits.get(..16)?, 16).ok()?;
        let low = u64::from_str_radix(digits.get(16..)?, 16).ok()?;
        let id = Self { high, low };
        (id.to_string() == text).then_some(id)
    }

    /// Digits of it as a number that looks drawn.
    pub(in crate::emulator) fn digits(self) -> u64 {
        self.low << 2
    }

    /// The text, without an allocation.
    pub fn to_text(self) -> [u8; ID_LENGTH] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |number: u64, at: usize| DIGITS[(number >> (60 - 4 * at) & 15) as usize];
        let mut text = [b'-'; ID_LENGTH];
        let slots = (0..ID_LENGTH).filter(|at| !matches!(at, 8 | 13 | 18 | 23));
        for (count, at) in slots.enumerate() {
            text[at] =
                if count < 16 { digit(self.high, count) } else { digit(self.low, count - 16) };
        }
        text
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.to_text()).unwrap_or_default())
    }
}

/// A bijection of sixty bits (a Feistel network), so that every place has an id of its own.
fn shuffle(seed: u64, plain: u64) -> u64 {
    let (left, right) = (0..ROUNDS).fold((plain >> 30, plain & HALF), |(left, right), round| {
        (right, left ^ (mix(seed ^ mix(right << 3 | round)) & HALF))
    });
    (left << 30) | right
}

fn restore(seed: u64, shuffled: u64) -> u64 {
    let (left, right) =
        (0..ROUNDS).rev().fold((shuffled >> 30, shuffled & HALF), |(left, right), round| {
            (right ^ (mix(seed ^ mix(left << 3 | round)) & HALF), left)
        });
    (left << 30) | right
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_id_leads_back_to_its_place(
            seed: u64,
            function in 0usize..1_000_000,
            index in 0usize..(1 << 40),
        ) {
            let place = Place { function, index };
            let id = RecordId::of(seed, place);
            prop_assert_eq!(id.place(seed), Some(place));
            prop_assert_eq!(RecordId::parse(&id.to_string()), Some(id));
        }
    }

    #[test]
    fn an_id_is_a_version_4_uuid_in_shape() {
        let text = RecordId::of(1, Place { function: 2, index: 3 }).to_string();
        let groups: Vec<usize> = text.split('-').map(str::len).collect();
        assert_eq!(groups, [8, 4, 4, 4, 12]);
        assert_eq!(&text[14..15], "4");
        assert!("89ab".contains(&text[19..20]), "{text}");
    }

    #[test]
    fn a_foreign_id_has_no_place() {
        for text in
            ["", "403fcbd6-ec41-401f-9fa7-386f3d3d****", "403fcbd6ec41401f9fa7386f3d3d0000", "é"]
        {
            assert_eq!(RecordId::parse(text), None, "{text}");
        }
        let foreign = RecordId::parse("403fcbd6-ec41-401f-9fa7-386f3d3d0000").unwrap();
        assert_eq!(foreign.place(1), None);
    }
}
