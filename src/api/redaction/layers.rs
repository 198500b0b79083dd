//! What a text says beneath its spellings: each reading of it, one layer beneath the other, to the
//! last.
//!
//! There are four readings: with spellings undone; with all folds taken out as well, before and
//! after each; without tags, too; and with letters that are written as others read as those, once
//! at each depth. What is taken out for one reading may be a part of a secret
//! in another, and a spelling may be folded in its middle, so that none of them stands for the
//! others.

use super::spelling::{Step, Undone};
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

/// The most bytes that the layers of a text may have in all, as a multiple of the text's length.
/// Twenty layers of honest text come to less, and each costs time and memory.
const MOST: usize = 64;

/// The same for a text longer than [`LONG`], whose layers fill memory.
const MOST_OF_LONG: usize = 12;
const LONG: usize = 1024 * 1024;

/// The most steps that may lead to a layer, however short it is: five for each of twenty layers.
const DEEPEST: usize = 100;

/// A text, or one that lies beneath it.
pub(super) struct Layer<'a> {
    pub(super) bytes: &'a [u8],
    above: Option<(&'a Undone, &'a Layer<'a>)>,
    depth: usize,
}

impl<'a> Layer<'a> {
    fn below(&'a self, undone: &'a Undone) -> Self {
        Self { bytes: &undone.bytes, above: Some((undone, self)), depth: self.depth + 1 }
    }

    /// The part of the text on top that a part of this one comes from; where layers are mapped.
    pub(super) fn source_of(&self, part: Range<usize>) -> Range<usize> {
        match self.above {
            Some((undone, above)) => above.source_of(undone.source_of(part)),
            None => part,
        }
    }
}

/// What is taken out of each layer of a reading.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Reading {
    Spelled,
    Folded,
    Tagged,
    Lettered,
}

impl Reading {
    /// The readings that branch off each layer where they differ. A tag may be folded itself, by a
    /// blank or by another tag.
    fn others(self) -> &'static [Self] {
        match self {
            Self::Spelled => &[Self::Folded, Self::Tagged, Self::Lettered],
            Self::Folded => &[Self::Tagged],
            // Where tags were folded themselves, or stand beside a `<` that opens none, what is a
            // tag only in what they leave may hold a secret.
            Self::Tagged => &[Self::Tagged, Self::Folded],
            Self::Lettered => &[Self::Folded],
        }
    }

    fn steps(self) -> &'static [Step] {
        match self {
            Self::Spelled => &[],
            Self::Folded => &[Step::Folds],
            Self::Tagged => &[Step::Tags, Step::Folds],
            Self::Lettered => &[Step::Letters],
        }
    }
}

/// Why no more layers are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// There are none.
    Bottom,
    /// The look was enough.
    Found,
    /// There are more than anybody writes who has something to say.
    TooDeep,
}

/// What a text is known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    /// The inside of a string of JSON: its own escapes are undone first, and all others after them.
    Json,
}

/// Looks at a text and at every layer beneath it, until a look is enough. `mapped` layers know
/// which part of the text theirs come from.
pub(super) fn read(
    text: &[u8],
    kind: Kind,
    mapped: bool,
    look: &mut dyn FnMut(&Layer<'_>) -> bool,
) -> End {
    let most = if text.len() > LONG { MOST_OF_LONG } else { MOST };
    let top = Layer { bytes: text, above: None, depth: 0 };
    let meant = if kind == Kind::Json { Step::Escapes.undo(text, mapped) } else { None };
    if meant.is_some() && look(&top) {
        return End::Found;
    }
    let (seen, digest) = (HashSet::new(), RandomState::new());
    let mut walk = Walk { mapped, left: text.len().saturating_mul(most), seen, digest, look };
    match &meant {
        Some(undone) => walk.at(&top.below(undone), Reading::Spelled),
        None => walk.at(&top, Reading::Spelled),
    }
}

struct Walk<'f> {
    mapped: bool,
    /// How many bytes may still be read.
    left: usize,
    /// What has been read, by a digest: most readings meet again beneath.
    seen: HashSet<(Reading, u64)>,
    digest: RandomState,
    look: &'f mut dyn FnMut(&Layer<'_>) -> bool,
}

impl Walk<'_> {
    /// Looks at a layer, at other readings of it, and at what is beneath.
    fn at(&mut self, layer: &Layer<'_>, reading: Reading) -> End {
        if reading != Reading::Spelled
            && !self.seen.insert((reading, self.digest.hash_one(layer.bytes)))
        {
            return End::Bottom;
        }
        if (self.look)(layer) {
            return End::Found;
        }
        let branches = reading.others().iter().map(|other| self.branch(layer, reading, *other));
        let end = branches.flatten().find(|end| *end != End::Bottom);
        end.unwrap_or_else(|| self.beneath(layer, reading))
    }

    /// Reads a layer in another way. `None` where that changes nothing, neither here nor beneath.
    fn branch(&mut self, layer: &Layer<'_>, from: Reading, to: Reading) -> Option<End> {
        let (step, rest) = to.steps().split_first()?;
        match step.undo(layer.bytes, self.mapped) {
            Some(undone) => Some(self.below(layer, &undone, to, rest)),
            None => (from == Reading::Tagged && to != from).then(|| self.at(layer, to)),
        }
    }

    /// The next layer of a reading.
    fn beneath(&mut self, layer: &Layer<'_>, reading: Reading) -> End {
        match Step::Spellings.undo(layer.bytes, self.mapped) {
            Some(undone) => self.below(layer, &undone, reading, reading.steps()),
            None => End::Bottom,
        }
    }

    fn below(
        &mut self,
        layer: &Layer<'_>,
        undone: &Undone,
        reading: Reading,
        steps: &[Step],
    ) -> End {
        match self.left.checked_sub(undone.bytes.len()) {
            Some(left) if layer.depth < DEEPEST => self.left = left,
            _ => return End::TooDeep,
        }
        self.without(&layer.below(undone), reading, steps)
    }

    /// Takes out of a layer what a reading does without.
    fn without(&mut self, layer: &Layer<'_>, reading: Reading, steps: &[Step]) -> End {
        let Some((step, rest)) = steps.split_first() else { return self.at(layer, reading) };
        match step.undo(layer.bytes, self.mapped) {
            Some(undone) => self.below(layer, &undone, reading, rest),
            None => self.without(layer, reading, rest),
        }
    }
}
