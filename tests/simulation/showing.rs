//! What a function shows of a record: at times with blanks, and at times it is the record of
//! another function.

use crate::dice::{Draw, dice};
use crate::world::{Record, Stage, World};
use fgarchive::domain::{Invocation, Status};

/// What the vendor's page does not promise: that a record is shown whole each time, and by one
/// function only.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Oddities {
    /// So many of a hundred times a record is shown, some of its fields are blank.
    pub(crate) blanks: f64,
    /// Whether records carry a field that the program does not know.
    pub(crate) has_extra: bool,
    /// One record of so many is shown by the next function as well.
    pub(crate) shared: Option<usize>,
}

impl Oddities {
    pub(crate) fn new(seed: u64, world: &World) -> Self {
        let (mut blank, mut shared) = (dice(seed, "blanks"), dice(seed, "shared"));
        let is_shared = world.functions.len() > 1 && shared.percent(15.0);
        Self {
            blanks: if blank.percent(20.0) { blank.pick(&[1.0, 10.0, 50.0]) } else { 0.0 },
            has_extra: blank.bool(),
            shared: is_shared.then(|| shared.pick(&[1, 3, 10])),
        }
    }

    /// The records that a function shows: its own, and those it shares with the one before it.
    pub(crate) fn shown_by(
        self,
        world: &World,
        function: usize,
    ) -> impl Iterator<Item = (usize, &Record)> {
        let before = (function + world.functions.len() - 1) % world.functions.len();
        let others = self.shared.into_iter().flat_map(move |of| {
            world
                .of(before)
                .filter(move |(number, _)| before != function && number.is_multiple_of(of))
        });
        world.of(function).chain(others)
    }

    /// The record as a function shows it at a moment. The same question at the same moment has the
    /// same answer.
    pub(crate) fn show(
        self,
        function: usize,
        (number, record, stage): (usize, &Record, &Stage),
        now: i64,
    ) -> Invocation {
        let mut shown = record.shown(stage);
        if self.has_extra {
            shown.extra = Some(format!(r#"{{"memory":{},"by":{function}}}"#, number % 7).into());
        }
        if function != record.function {
            make_another(&mut shown);
        }
        let mut dice = dice(now.unsigned_abs().rotate_left(20) ^ number as u64, "blank");
        if dice.percent(self.blanks) {
            blank_out(&mut shown, dice.u8(..));
        }
        shown
    }
}

/// What the second function shows differs wherever it can.
fn make_another(shown: &mut Invocation) {
    if shown.status == Status::Success {
        shown.status = Status::Discard;
    }
    shown.error_code = None;
    shown.error_message = Some("shown by another function".into());
}

/// Leaves out some fields, one for each bit.
fn blank_out(shown: &mut Invocation, which: u8) {
    let is_blank = |bit: u8| which & (1 << bit) != 0;
    if is_blank(0) {
        shown.start_time = None;
    }
    if is_blank(1) {
        shown.end_time = None;
    }
    if is_blank(2) {
        shown.error_message = None;
    }
    if is_blank(3) {
        shown.error_code = None;
    }
    if is_blank(4) {
        shown.extra = None;
    }
    if is_blank(5) && is_blank(6) {
        shown.status = Status::parse("");
    }
}

/// Which fields of a record are known, one bit each: start, fields of `extra`, code, message, end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields(pub(crate) u8);

impl Fields {
    pub(crate) const OF_RECORD: Self = Self(0b11);

    pub(crate) fn of(shown: &Invocation) -> Self {
        Self::known([
            shown.start_time.is_some(),
            shown.extra.is_some(),
            shown.error_code.is_some(),
            shown.error_message.is_some(),
            shown.end_time.is_some(),
        ])
    }

    pub(crate) fn known(are_known: [bool; 5]) -> Self {
        Self(are_known.iter().enumerate().map(|(bit, &is_known)| u8::from(is_known) << bit).sum())
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn only(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) fn covers(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}
