//! How the service lists functions and which forms of their URNs it knows: one way a seed.

use crate::dice::{Draw, dice};
use crate::readings::{CountReading, NextReading};
use crate::world::{EPOCH, World};
use fastrand::Rng;
use fgarchive::domain::{FunctionPage, FunctionUrn};
use std::ops::Range;

/// Which form of a URN is known to the calls about one function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Both,
    WithLatest,
    WithoutLatest,
}

/// One way of naming and listing functions.
#[derive(Clone, Debug)]
pub(crate) struct Naming {
    known: Known,
    /// Whether the list writes `latest` out.
    lists_latest: bool,
    /// The most functions of a page; each answer may hold fewer, down to one.
    page_cap: usize,
    is_irregular: bool,
    count: CountReading,
    next: NextReading,
    /// When the service does not know a function, as seconds from the first to behind the last.
    absences: Vec<(usize, Range<i64>)>,
}

impl Naming {
    /// The vendor's own examples: one page, a total, and every form is known.
    pub(crate) const PLAIN: Self = Self {
        known: Known::Both,
        lists_latest: false,
        page_cap: 400,
        is_irregular: false,
        count: CountReading::Total,
        next: NextReading::AbsentAtLast,
        absences: Vec::new(),
    };

    pub(crate) fn new(seed: u64, world: &World) -> Self {
        let mut dice = dice(seed, "functions");
        let counts = [CountReading::Total, CountReading::PageLength, CountReading::Absent];
        Self {
            known: dice.pick(&[Known::Both, Known::WithLatest, Known::WithoutLatest]),
            lists_latest: dice.bool(),
            page_cap: dice.pick(&[1, 2, 400]),
            is_irregular: dice.percent(30.0),
            count: dice.pick(&counts),
            next: dice.pick(&NextReading::ALL),
            absences: absences(seed, world),
        }
    }

    /// The same, with a function that is not known for a time.
    pub(crate) fn absent(self, function: usize, when: Range<i64>) -> Self {
        Self { absences: vec![(function, when)], ..self }
    }

    /// Whether a function is not known at a second. Its records are there all the same: the service
    /// is mistaken.
    pub(crate) fn is_absent(&self, function: usize, at: i64) -> bool {
        self.absences.iter().any(|(absent, when)| *absent == function && when.contains(&at))
    }

    /// Whether a function is not known at some second of a time.
    pub(crate) fn is_absent_in(&self, function: usize, from: i64, until: i64) -> bool {
        let meets = |when: &Range<i64>| when.start <= until && from < when.end;
        self.absences.iter().any(|(absent, when)| *absent == function && meets(when))
    }

    /// Whether a call in this form of a URN is answered.
    pub(crate) fn knows(&self, urn: &FunctionUrn) -> bool {
        let says_latest = urn.as_given() != urn.to_string();
        match self.known {
            Known::Both => true,
            Known::WithLatest => says_latest,
            Known::WithoutLatest => !says_latest,
        }
    }

    fn listed(&self, urn: &FunctionUrn) -> FunctionUrn {
        urn.other_form().filter(|_| self.lists_latest).unwrap_or_else(|| urn.clone())
    }

    /// A page of the list of these functions at a second.
    pub(crate) fn page(
        &self,
        all: &[FunctionUrn],
        marker: usize,
        at: i64,
        dice: &mut Rng,
    ) -> FunctionPage {
        let there = all.iter().enumerate().filter(|(function, _)| !self.is_absent(*function, at));
        let functions: Vec<&FunctionUrn> = there.map(|(_, urn)| urn).collect();
        let rest = functions.get(marker..).unwrap_or_default();
        let fits = if self.is_irregular { dice.usize(1..=self.page_cap) } else { self.page_cap };
        let mut page = FunctionPage::of(rest.iter().take(fits).map(|urn| self.listed(urn)));
        let reached = (marker as u64) + page.length();
        page.count = match self.count {
            CountReading::Total | CountReading::TotalHandedOut | CountReading::LeavesOutOpen => {
                Some(functions.len() as u64)
            }
            CountReading::OneTooLow => Some((functions.len() as u64).saturating_sub(1)),
            CountReading::OneTooHigh => Some(functions.len() as u64 + 1),
            CountReading::PageLength => Some(page.length()),
            CountReading::Absent => None,
        };
        let left = rest.len() as u64 - page.length();
        page.next_marker = self.next.after(marker as u64, reached, left);
        page
    }
}

/// Functions go away for minutes or days in some worlds, and all are back when the world ends.
fn absences(seed: u64, world: &World) -> Vec<(usize, Range<i64>)> {
    let mut dice = dice(seed, "absences");
    if !dice.percent(25.0) {
        return Vec::new();
    }
    let mut absence = |function: usize| {
        let from = EPOCH + dice.i64(0..world.span);
        (function, from..(from + dice.spread(60, 3 * 86_400)).min(EPOCH + world.span))
    };
    (0..world.functions.len()).map(&mut absence).collect()
}
