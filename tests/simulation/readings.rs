//! What the vendor's page leaves open, one way of reading it a seed, and what goes wrong on the
//! way.

use crate::dice::{Draw, dice};
use crate::showing::Oddities;
use crate::world::World;
use fgarchive::domain::Marker;
use std::collections::{HashMap, HashSet};

/// What `count` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CountReading {
    /// How many records the query matches.
    Total,
    /// The same, but no more than the service hands out.
    TotalHandedOut,
    /// How many records the page holds.
    PageLength,
    /// It is missing.
    Absent,
    /// One less than the query matches.
    OneTooLow,
    /// One more than the query matches, even where that is nothing.
    OneTooHigh,
    /// Only records that have ended.
    LeavesOutOpen,
}

/// How many records an answer holds, of those that fit on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lengths {
    /// As many as fit.
    Full,
    /// From one up, without a pattern.
    Random,
    /// Always so few.
    Fixed(usize),
    /// As many as fit in most answers, from one up in the others.
    SometimesShort,
}

/// What `next_marker` says on the last page; on others it is the marker of the next page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextReading {
    Zero,
    Same,
    Onward,
    AbsentAtLast,
    AlwaysAbsent,
    /// The number of the next page instead of its position, of pages of ten; missing on the last.
    PageNumber,
    /// How many entries are left behind the page instead of where the next one begins.
    Left,
}

impl NextReading {
    /// All whose markers are positions.
    pub(crate) const ALL: [Self; 5] =
        [Self::Zero, Self::Same, Self::Onward, Self::AbsentAtLast, Self::AlwaysAbsent];

    /// All whose markers are none.
    pub(crate) const STRAYING: [Self; 2] = [Self::PageNumber, Self::Left];

    /// What a page says that was asked for at a marker and ends where `reached` tells, with so many
    /// entries left behind it.
    pub(crate) fn after(self, marker: u64, reached: u64, left: u64) -> Option<Marker> {
        match self {
            Self::AlwaysAbsent => None,
            Self::Left => Some(left),
            Self::PageNumber => (left > 0).then_some(reached / 10),
            _ if left > 0 => Some(reached),
            Self::Zero => Some(0),
            Self::Same => Some(marker),
            Self::Onward => Some(reached),
            Self::AbsentAtLast => None,
        }
        .map(Marker)
    }
}

/// One way the service may be.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a reading of its own that the vendor's page leaves open"
)]
#[derive(Clone, Debug)]
pub(crate) struct Readings {
    pub(crate) newest_first: bool,
    /// How many of a hundred answers put records of the same second in an order of their own.
    pub(crate) shuffled_ties: f64,
    /// One record of so many is listed twice, as a store shows it that takes in some of its entries
    /// twice.
    pub(crate) repeated: Option<usize>,
    /// How many of a hundred answers hold a record that cannot be read in them.
    pub(crate) spoilt: f64,
    /// How many of a hundred answers hold fewer records than fit, though more follow.
    pub(crate) hiccups: f64,
    pub(crate) lengths: Lengths,
    /// What `count` says instead, where it is wrong for ever.
    pub(crate) wrong_count: Option<CountReading>,
    pub(crate) begin_included: bool,
    pub(crate) end_included: bool,
    /// Whether a window selects by the end of a record, where it has one.
    pub(crate) by_end: bool,
    pub(crate) count: CountReading,
    pub(crate) next: NextReading,
    pub(crate) page_cap: usize,
    pub(crate) result_cap: usize,
    pub(crate) find_in_window: bool,
    /// Whether an id that is not shown is answered 404 instead of with an empty page.
    pub(crate) unknown_ids: bool,
    /// A longer window is answered 400.
    pub(crate) longest_window: Option<i64>,
    /// Whether an end beyond the present is answered 400.
    pub(crate) refuses_future: bool,
    /// How many of a hundred answers come from a copy that is behind, and how far at most, in
    /// seconds.
    pub(crate) stale: (f64, i64),
    /// What is odd about single records.
    pub(crate) odd: Oddities,
}

impl Readings {
    pub(crate) fn new(seed: u64, world: &World) -> Self {
        let mut dice = dice(seed, "readings");
        let crowded = world.records.len() > 1_500;
        // Of its own, so that the other readings of a seed stay what they are.
        let mut repeating = self::dice(seed, "repeated");
        let mut hiccups = self::dice(seed, "hiccups");
        let mut spoiling = self::dice(seed, "spoilt");
        let readings = Self {
            newest_first: dice.bool(),
            shuffled_ties: dice.pick(&[0.0, 0.0, 5.0, 100.0]),
            repeated: repeating.percent(20.0).then(|| repeating.pick(&[30, 100, 300])),
            spoilt: if spoiling.percent(15.0) { spoiling.pick(&[1.0, 5.0, 20.0]) } else { 0.0 },
            hiccups: 0.0,
            lengths: lengths(seed, crowded),
            wrong_count: wrong_count(seed),
            begin_included: dice.percent(70.0),
            end_included: dice.bool(),
            by_end: dice.percent(30.0),
            count: dice.pick(&[
                CountReading::Total,
                CountReading::Total,
                CountReading::TotalHandedOut,
                CountReading::PageLength,
                CountReading::Absent,
            ]),
            next: dice.pick(&[
                NextReading::Zero,
                NextReading::Same,
                NextReading::Onward,
                NextReading::AbsentAtLast,
                NextReading::AlwaysAbsent,
            ]),
            // Small pages make walks of many pages out of small worlds.
            page_cap: if crowded {
                dice.pick(&[100, 500, 500])
            } else {
                dice.pick(&[10, 50, 100, 500])
            },
            result_cap: match dice.pick(&[1_000, 2_500, 5_000, 5_000, usize::MAX]) {
                low if low < 2 * densest_second(world) => 5_000,
                cap => cap,
            },
            find_in_window: dice.bool(),
            unknown_ids: self::dice(seed, "unknown ids").percent(15.0),
            longest_window: dice.percent(15.0).then(|| dice.pick(&[2, 24, 24 * 7]) * 3_600),
            refuses_future: dice.percent(20.0),
            stale: if dice.percent(15.0) {
                (dice.pick(&[3.0, 30.0]), dice.spread(5, 600))
            } else {
                (0.0, 0)
            },
            odd: Oddities::new(seed, world),
        };
        // Where neither a total nor a marker tells that more follows, a page that comes short is
        // the last one to anybody.
        let tells_of_more =
            matches!(readings.count, CountReading::Total | CountReading::TotalHandedOut);
        let percent =
            if tells_of_more && hiccups.percent(20.0) { hiccups.pick(&[2.0, 20.0]) } else { 0.0 };
        // Where pages differ in length, a number that is no position looks like one now and then.
        let mut straying = self::dice(seed, "straying markers");
        let strays = readings.lengths == Lengths::Full && percent == 0.0 && straying.percent(10.0);
        let next = if strays { straying.pick(&NextReading::STRAYING) } else { readings.next };
        Self { hiccups: percent, next, ..readings }
    }

    /// Whether a query of these bounds selects this second.
    pub(crate) fn selects(&self, begin: i64, end: i64, second: i64) -> bool {
        let after = if self.begin_included { begin <= second } else { begin < second };
        let before = if self.end_included { second <= end } else { second < end };
        after && before
    }

    /// Whether answers are always of the present.
    pub(crate) fn is_fresh(&self) -> bool {
        self.stale.1 == 0
    }
}

/// How many records of a function may be filed within a second and its two neighbours. A lower cap
/// on what is shown of them, that is a round number and counted as such, cannot be told from there
/// being no more.
fn densest_second(world: &World) -> usize {
    let mut seconds: HashMap<(usize, i64), usize> = HashMap::new();
    for record in &world.records {
        let filed = record
            .stages
            .iter()
            .flat_map(|stage| [Some(stage.at), stage.start, stage.end])
            .flatten();
        let near: HashSet<i64> = filed.flat_map(|second| second - 1..=second + 1).collect();
        for second in near {
            *seconds.entry((record.function, second)).or_default() += 1;
        }
    }
    seconds.into_values().max().unwrap_or(0)
}

/// Worlds of many records would take a request for each where answers hold one.
fn lengths(seed: u64, is_crowded: bool) -> Lengths {
    let mut dice = dice(seed, "page lengths");
    match dice.u8(..100) {
        0..12 => Lengths::Random,
        12..20 => Lengths::SometimesShort,
        20..26 if !is_crowded => Lengths::Fixed(dice.usize(1..4)),
        _ => Lengths::Full,
    }
}

fn wrong_count(seed: u64) -> Option<CountReading> {
    let mut dice = dice(seed, "wrong count");
    let wrong = [CountReading::OneTooLow, CountReading::OneTooHigh, CountReading::LeavesOutOpen];
    dice.percent(12.0).then(|| dice.pick(&wrong))
}

/// How a service is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Down {
    /// It refuses connections.
    Refuses,
    /// It answers 503.
    Unavailable,
    /// It takes requests and never answers: a request takes a minute to fail.
    Silent,
}

/// What credentials may not see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Forbidden {
    /// These functions, by their numbers in the world.
    Functions(Vec<usize>),
    /// Anything.
    All,
}

/// What goes wrong, in hundredths of the requests.
#[derive(Clone, Debug)]
pub(crate) struct Faults {
    pub(crate) throttled: f64,
    pub(crate) unavailable: f64,
    pub(crate) cut: f64,
    pub(crate) slow: f64,
    /// How long a token is accepted, in seconds, where it ends at all.
    pub(crate) token_life: Option<i64>,
    /// How a renewal ends: with a new token in so many of a hundred.
    pub(crate) renewed: f64,
    /// Which window of a run is falsely shown empty, if one is.
    pub(crate) empty_at: Option<usize>,
    /// Which request of a run is refused, if one is.
    pub(crate) denied_at: Option<usize>,
    /// From which request of a run on nothing is answered, if that happens, and how.
    pub(crate) down_from: Option<(usize, Down)>,
    /// From which request of a run on access is refused, if that happens, and to whom.
    pub(crate) forbidden: Option<(usize, Forbidden)>,
    /// Every page with one of these records fails, by their numbers in the world.
    pub(crate) bad_records: Vec<usize>,
    /// Whether such a page is never answered.
    pub(crate) bad_records_hang: bool,
    /// Whether such a page is answered as if nothing were there.
    pub(crate) bad_records_blank: bool,
}

impl Faults {
    pub(crate) const NONE: Self = Self {
        throttled: 0.0,
        unavailable: 0.0,
        cut: 0.0,
        slow: 0.0,
        token_life: None,
        renewed: 100.0,
        empty_at: None,
        denied_at: None,
        down_from: None,
        forbidden: None,
        bad_records: Vec::new(),
        bad_records_hang: false,
        bad_records_blank: false,
    };

    /// The faults of a schedule; those of a run are drawn from these.
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = dice(seed, "faults");
        let level = dice.pick(&[0.0, 0.0, 1.0, 6.0]);
        Self {
            throttled: level * dice.f64(),
            unavailable: level * dice.f64(),
            cut: level * dice.f64(),
            slow: dice.pick(&[0.0, 2.0]),
            token_life: dice.percent(20.0).then(|| dice.spread(2, 7_200)),
            renewed: dice.pick(&[100.0, 100.0, 50.0]),
            empty_at: None,
            denied_at: dice.percent(3.0).then(|| dice.usize(0..12)),
            ..Self::NONE
        }
    }
}
