//! How the service lists functions and which forms of their URNs it knows: one way a seed.

use crate::dice::{Draw, dice};
use crate::readings::{CountReading, NextReading};
use fastrand::Rng;
use fgarchive::domain::{FunctionPage, FunctionUrn, Marker};

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
    };

    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = dice(seed, "functions");
        let counts = [CountReading::Total, CountReading::PageLength, CountReading::Absent];
        let nexts = [
            NextReading::Zero,
            NextReading::Same,
            NextReading::Onward,
            NextReading::AbsentAtLast,
            NextReading::AlwaysAbsent,
        ];
        Self {
            known: dice.pick(&[Known::Both, Known::WithLatest, Known::WithoutLatest]),
            lists_latest: dice.bool(),
            page_cap: dice.pick(&[1, 2, 400]),
            is_irregular: dice.percent(30.0),
            count: dice.pick(&counts),
            next: dice.pick(&nexts),
        }
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

    /// A page of the list of these functions.
    pub(crate) fn page(&self, functions: &[FunctionUrn], marker: usize, dice: &mut Rng) -> FunctionPage {
        let rest = functions.get(marker..).unwrap_or_default();
        let fits = if self.is_irregular { dice.usize(1..=self.page_cap) } else { self.page_cap };
        let mut page = FunctionPage::of(rest.iter().take(fits).map(|urn| self.listed(urn)));
        let reached = (marker as u64) + page.length();
        page.count = match self.count {
            CountReading::Total | CountReading::TotalHandedOut => Some(functions.len() as u64),
            CountReading::PageLength => Some(page.length()),
            CountReading::Absent => None,
        };
        let is_last = page.length() == rest.len() as u64;
        page.next_marker = match self.next {
            NextReading::AlwaysAbsent => None,
            _ if !is_last => Some(reached),
            NextReading::Zero => Some(0),
            NextReading::Same => Some(marker as u64),
            NextReading::Onward => Some(reached),
            NextReading::AbsentAtLast => None,
        }
        .map(Marker);
        page
    }
}
