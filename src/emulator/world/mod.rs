//! The world: which functions and records exist, and where each record stands at a moment.
//!
//! A pure function of a [`WorldSpec`] and time. It knows nothing of HTTP, of how a listing orders
//! or bounds what it shows, or of faults; a test computes from it what an archive must hold.

mod failure;
mod id;
mod life;
mod starts;

pub use failure::Failure;
pub use id::{ID_LENGTH, RecordId};
pub use life::Phase;

use super::chance::draw;
use crate::domain::{FunctionRef, FunctionUrn, Timestamp};
use life::{Habits, ORDINARY_LIFE};
use starts::Shape;
use std::ops::Range;

/// The region the world lies in.
pub const REGION: &str = "cn-north-4";
/// The project all functions belong to.
pub const PROJECT_ID: &str = "0123456789abcdef0123456789abcdef";

/// The most functions of a world; the default quota of an account is 400.
pub const MAX_FUNCTIONS: usize = 10_000;
/// The most records of a world: 400 MB of start times.
pub const MAX_RECORDS: u64 = 100_000_000;
/// The longest span, seconds: ten years, far beyond what the service keeps.
pub const MAX_SPAN: u64 = 3_650 * 86_400;
/// How long a live world goes on, seconds; after that it is quiet.
const LIVE_SPAN: u64 = 86_400;
/// A live world shows a new record at least this often, seconds, so that a person sees one come.
const LIVE_PACE: u64 = 2;

/// Functions a team might have; further ones get a number.
const NAMES: [(&str, &str); 8] = [
    ("default", "order-export"),
    ("default", "thumbnail"),
    ("billing", "invoice-mail"),
    ("default", "log-compact"),
    ("billing", "ledger-close"),
    ("default", "webhook-relay"),
    ("media", "transcode"),
    ("default", "nightly-report"),
];

/// What a world is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldSpec {
    /// Same seed, same world.
    pub seed: u64,
    /// How many functions; the first has the most records.
    pub functions: usize,
    /// Of those, how many have no status log: no configuration, and no records.
    pub unlogged: usize,
    /// Records of all functions that begin before the anchor.
    pub records: u64,
    /// The end of the span, normally the moment the emulator was started.
    pub anchor: Timestamp,
    /// How far before the anchor the first records begin, seconds.
    pub span: u64,
    /// Whether records go on appearing for a day after the anchor.
    pub live: bool,
    /// The longest time until a record is listed, seconds; most are listed much sooner.
    pub lateness: u32,
    /// How long a record is listed after its start, seconds; nothing for ever.
    pub retention: Option<u64>,
    /// How many seconds of each function hold a burst.
    pub bursts: u64,
    /// Records in each of those seconds.
    pub burst_size: u64,
    /// Records that run for hours or days, parts per million.
    pub slow: u64,
    /// Records that fail, then succeed when tried again, parts per million.
    pub retried: u64,
}

impl WorldSpec {
    /// Thirty days before the anchor, 20,000 records, 3 functions, and a little of everything.
    pub fn new(anchor: Timestamp) -> Self {
        Self {
            seed: 1,
            functions: 3,
            unlogged: 0,
            records: 20_000,
            anchor,
            span: 30 * 86_400,
            live: false,
            lateness: 120,
            retention: None,
            bursts: 3,
            burst_size: 40,
            slow: 500,
            retried: 5_000,
        }
    }

    fn check(&self) -> Result<(), String> {
        if self.functions == 0 || self.functions > MAX_FUNCTIONS {
            return Err(format!("a world has 1 to {MAX_FUNCTIONS} functions, not {}", self.functions));
        }
        if self.unlogged >= self.functions {
            return Err(format!("{} of {} functions cannot be without a status log", self.unlogged, self.functions));
        }
        if self.records > MAX_RECORDS {
            return Err(format!("a world has at most {MAX_RECORDS} records, not {}", self.records));
        }
        if self.span == 0 || self.span > MAX_SPAN {
            return Err(format!("a world spans 1 to {MAX_SPAN} seconds, not {}", self.span));
        }
        Ok(())
    }
}

/// Where a record is: the number of its function, and how many of that function's records begin before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Position in [`World::functions`].
    pub function: usize,
    /// Position among the function's records by start.
    pub index: usize,
}

/// A function and when its records begin.
#[derive(Clone, Debug)]
pub struct Function {
    urn: FunctionUrn,
    logged: bool,
    /// Seconds after the world's begin, sorted.
    starts: Vec<u32>,
    /// Positions of the records that run for hours or days.
    slow: Vec<usize>,
}

impl Function {
    /// Its name.
    pub fn urn(&self) -> &FunctionUrn {
        &self.urn
    }

    /// Whether the status of its invocations is logged; if not, nothing is listed.
    pub fn is_logged(&self) -> bool {
        self.logged
    }

    /// How many records it will ever have.
    pub fn records(&self) -> usize {
        self.starts.len()
    }

    /// Positions of the records that run for hours or days, in order.
    pub(super) fn slow(&self) -> &[usize] {
        &self.slow
    }
}

/// A record as it stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its id.
    pub id: RecordId,
    /// Its status.
    pub phase: Phase,
    /// Why it failed, where it did.
    pub failure: Option<Failure>,
    /// When it began.
    pub start: Timestamp,
    /// When it ended; nothing while it has not.
    pub end: Option<Timestamp>,
}

/// Functions and their records, at any moment.
#[derive(Clone, Debug)]
pub struct World {
    spec: WorldSpec,
    begin: Timestamp,
    habits: Habits,
    functions: Vec<Function>,
}

impl World {
    /// The world of a spec; an error says in a sentence what no world can have.
    pub fn new(spec: WorldSpec) -> Result<Self, String> {
        spec.check()?;
        let begin = Timestamp::from_unix(spec.anchor.unix() - i64::try_from(spec.span).unwrap_or(0));
        let habits = Habits { seed: spec.seed, lateness: spec.lateness, slow: spec.slow, retried: spec.retried };
        let functions = (0..spec.functions).map(|number| make_function(&spec, begin, habits, number)).collect();
        Ok(Self { spec, begin, habits, functions })
    }

    /// What it was made from.
    pub fn spec(&self) -> &WorldSpec {
        &self.spec
    }

    /// The earliest second a record may begin in.
    pub fn begin(&self) -> Timestamp {
        self.begin
    }

    /// Its functions, the one with the most records first.
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// The number of the function with this name.
    pub fn find(&self, urn: &FunctionUrn) -> Option<usize> {
        self.functions.iter().position(|function| function.urn == *urn)
    }

    /// The place of the record with this id.
    pub fn locate(&self, id: RecordId) -> Option<Place> {
        let place = id.place(self.spec.seed)?;
        (place.index < self.functions.get(place.function)?.starts.len()).then_some(place)
    }

    /// The record as it stands; nothing while it is not listed yet, and once it is no longer.
    pub fn state_at(&self, place: Place, now: Timestamp) -> Option<Shown> {
        let start = self.start(place)?;
        let age = u32::try_from(now.seconds_since(start)).ok()?;
        let life = self.habits.life(place.function, place.index);
        let expired = self.spec.retention.is_some_and(|kept| u64::from(age) >= kept);
        if age < life.late || expired {
            return None;
        }
        let (phase, ended_after) = life.at(age);
        let id = RecordId::of(self.spec.seed, place);
        Some(Shown {
            id,
            phase,
            failure: Failure::of(phase, draw(self.spec.seed, place.function as u64, place.index as u64)),
            start,
            end: ended_after.map(|after| Timestamp::from_unix(start.unix() + i64::from(after))),
        })
    }

    /// Every record of a function that is listed at the moment, by start.
    pub fn shown(&self, function: usize, now: Timestamp) -> impl Iterator<Item = Shown> + '_ {
        let records = self.functions.get(function).map_or(0, Function::records);
        (0..records)
            .map_while(move |index| self.begun(Place { function, index }, now))
            .filter_map(move |place| self.state_at(place, now))
    }

    /// The places whose records begin in `[from, to)`, listed or not.
    pub(super) fn between(&self, function: usize, from: Timestamp, to: Timestamp) -> Range<usize> {
        let Some(found) = self.functions.get(function) else { return 0..0 };
        let position = |moment: Timestamp| {
            let offset = moment.seconds_since(self.begin);
            found.starts.partition_point(|&start| i64::from(start) < offset)
        };
        let first = position(from);
        first..position(to).max(first)
    }

    /// From this start on, a record may not be listed yet; every earlier one is, unless it has expired.
    pub(super) fn listed_before(&self, now: Timestamp) -> Timestamp {
        Timestamp::from_unix(now.unix() - i64::from(self.spec.lateness) + 1)
    }

    /// A record with an earlier start is no longer listed.
    pub(super) fn kept_from(&self, now: Timestamp) -> Timestamp {
        let kept = self.spec.retention.map(|kept| i64::try_from(kept).unwrap_or(i64::MAX));
        kept.map_or(Timestamp::MIN, |kept| Timestamp::from_unix(now.unix().saturating_sub(kept).saturating_add(1)))
    }

    /// The earliest start an ordinary record can have that ends at this moment or later.
    pub(super) fn ordinary_reach(moment: Timestamp) -> Timestamp {
        Timestamp::from_unix(moment.unix() - i64::from(ORDINARY_LIFE))
    }

    /// When a record begins, listed or not.
    pub fn start(&self, place: Place) -> Option<Timestamp> {
        let offset = self.functions.get(place.function)?.starts.get(place.index)?;
        Some(Timestamp::from_unix(self.begin.unix() + i64::from(*offset)))
    }

    fn begun(&self, place: Place, now: Timestamp) -> Option<Place> {
        self.start(place).filter(|&start| start <= now).map(|_| place)
    }
}

fn make_function(spec: &WorldSpec, begin: Timestamp, habits: Habits, number: usize) -> Function {
    let logged = number < spec.functions - spec.unlogged;
    let starts = if logged { starts(spec, begin, number) } else { Vec::new() };
    let slow = (0..starts.len()).filter(|&index| habits.is_slow(number, index)).collect();
    Function { urn: name(number), logged, starts, slow }
}

fn name(number: usize) -> FunctionUrn {
    let (package, name) = NAMES[number % NAMES.len()];
    let round = number / NAMES.len();
    let name = if round == 0 { name.to_owned() } else { format!("{name}-{}", round + 1) };
    FunctionRef::Name { package: package.to_owned(), name }.resolve(REGION, PROJECT_ID)
}

/// The function's part of the span, and in a live world its part of the day after.
fn starts(spec: &WorldSpec, begin: Timestamp, number: usize) -> Vec<u32> {
    let past = Shape {
        seed: draw(spec.seed, 3, number as u64),
        second_of_day: begin.unix().rem_euclid(86_400).unsigned_abs(),
        span: spec.span,
        count: share(spec, spec.records, number),
        bursts: spec.bursts,
        burst_size: spec.burst_size,
    };
    let mut starts = past.starts();
    if spec.live {
        let rate = u128::from(spec.records) * u128::from(LIVE_SPAN) / u128::from(spec.span);
        let count = u64::try_from(rate).unwrap_or(MAX_RECORDS).clamp(LIVE_SPAN / LIVE_PACE, MAX_RECORDS);
        let seed = draw(spec.seed, 4, number as u64);
        let second_of_day = spec.anchor.unix().rem_euclid(86_400).unsigned_abs();
        let coming = Shape { seed, second_of_day, span: LIVE_SPAN, count: share(spec, count, number), ..past };
        let offset = u32::try_from(spec.span).unwrap_or(u32::MAX);
        starts.extend(coming.starts().into_iter().map(|start| start.saturating_add(offset)));
    }
    starts
}

/// What falls to a function of `total`: the n-th gets the n-th part of what the first gets.
fn share(spec: &WorldSpec, total: u64, number: usize) -> u64 {
    const UNIT: u64 = 720_720;
    let logged = spec.functions - spec.unlogged;
    let weight = |upto: usize| (1..=upto as u64).map(|nth| UNIT / nth).sum::<u64>();
    let part = |upto: usize| u128::from(total) * u128::from(weight(upto)) / u128::from(weight(logged));
    u64::try_from(part(number + 1) - part(number)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn anchor() -> Timestamp {
        Timestamp::from_unix(1_772_366_400)
    }

    fn all(world: &World, now: Timestamp) -> Vec<Shown> {
        (0..world.functions().len()).flat_map(|function| world.shown(function, now)).collect()
    }

    #[test]
    fn a_world_is_its_seed() {
        let spec = WorldSpec { records: 2_000, ..WorldSpec::new(anchor()) };
        let world = World::new(spec.clone()).unwrap();
        let later = Timestamp::from_unix(anchor().unix() + 10 * 86_400);
        let shown = all(&world, later);
        assert_eq!(shown, all(&World::new(spec.clone()).unwrap(), later));
        assert_ne!(shown, all(&World::new(WorldSpec { seed: 2, ..spec }).unwrap(), later));
        assert_eq!(shown.len(), 2_000);
        assert_eq!(shown.iter().map(|record| record.id).collect::<HashSet<_>>().len(), 2_000);
    }

    #[test]
    fn every_listed_record_is_found_by_its_id() {
        let world = World::new(WorldSpec { records: 500, ..WorldSpec::new(anchor()) }).unwrap();
        for function in 0..3 {
            for index in 0..world.functions()[function].records() {
                let place = Place { function, index };
                let id = RecordId::of(world.spec().seed, place);
                assert_eq!(world.locate(id), Some(place));
            }
        }
        let beyond = RecordId::of(1, Place { function: 0, index: 500 });
        assert_eq!(world.locate(beyond), None);
    }

    #[test]
    fn records_come_late_change_and_expire() {
        let spec = WorldSpec { records: 3_000, span: 7_200, retention: Some(86_400), ..WorldSpec::new(anchor()) };
        let world = World::new(spec).unwrap();
        let at = |seconds: i64| all(&world, Timestamp::from_unix(anchor().unix() + seconds));
        let open = |shown: &[Shown]| shown.iter().filter(|record| record.phase.is_open()).count();
        let (first, second) = (at(0), at(120));
        assert!(first.len() < 3_000, "some are late");
        assert_eq!(second.len(), 3_000);
        assert!(open(&first) > open(&second), "some end meanwhile");
        assert!(at(86_400 - 7_200 / 2).len() < 3_000, "the oldest expire");
        assert_eq!(at(86_400), []);
    }

    #[test]
    fn a_live_world_goes_on() {
        let spec = WorldSpec { live: true, ..WorldSpec::new(anchor()) };
        let world = World::new(spec).unwrap();
        let at = |seconds: i64| all(&world, Timestamp::from_unix(anchor().unix() + seconds)).len();
        assert!(at(600) > at(0) + 100, "{} {}", at(0), at(600));
        assert_eq!(at(2 * 86_400), at(3 * 86_400));
    }

    #[test]
    fn shares_are_uneven_and_add_up() {
        let spec = WorldSpec { records: 1_001, functions: 12, unlogged: 2, ..WorldSpec::new(anchor()) };
        let world = World::new(spec).unwrap();
        let counts: Vec<usize> = world.functions().iter().map(Function::records).collect();
        assert_eq!(counts.iter().sum::<usize>(), 1_001);
        assert!(counts[0] > 3 * counts[4], "{counts:?}");
        assert_eq!(counts[10..], [0, 0]);
        let names: HashSet<_> = world.functions().iter().map(|function| function.urn().to_string()).collect();
        assert_eq!(names.len(), 12);
    }

    #[test]
    fn refuses_what_no_world_can_have() {
        let spec = WorldSpec::new(anchor());
        for wrong in [
            WorldSpec { functions: 0, ..spec.clone() },
            WorldSpec { unlogged: 3, ..spec.clone() },
            WorldSpec { records: MAX_RECORDS + 1, ..spec.clone() },
            WorldSpec { span: 0, ..spec.clone() },
        ] {
            assert!(World::new(wrong).is_err());
        }
    }
}
