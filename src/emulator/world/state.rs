//! Functions and their records, at any moment.

use super::failure::Failure;
use super::function::Function;
use super::id::{Place, RecordId};
use super::life::{Habits, ORDINARY_LIFE, Phase};
use super::spec::WorldSpec;
use crate::domain::{FunctionUrn, Timestamp};
use crate::emulator::chance::draw;
use std::ops::Range;

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
        let begin =
            Timestamp::from_unix(spec.anchor.unix() - i64::try_from(spec.span).unwrap_or(0));
        let habits = Habits {
            seed: spec.seed,
            lateness: spec.lateness,
            slow: spec.slow,
            retried: spec.retried,
        };
        let functions =
            (0..spec.functions).map(|number| Function::new(&spec, begin, habits, number)).collect();
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
            failure: Failure::of(
                phase,
                draw(self.spec.seed, place.function as u64, place.index as u64),
            ),
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
    pub(in crate::emulator) fn between(
        &self,
        function: usize,
        from: Timestamp,
        to: Timestamp,
    ) -> Range<usize> {
        let Some(found) = self.functions.get(function) else { return 0..0 };
        let position = |moment: Timestamp| {
            let offset = moment.seconds_since(self.begin);
            found.starts.partition_point(|&start| i64::from(start) < offset)
        };
        let first = position(from);
        first..position(to).max(first)
    }

    /// From this start on, a record may not be listed yet; every earlier one is, unless it has
    /// expired.
    pub(in crate::emulator) fn listed_before(&self, now: Timestamp) -> Timestamp {
        Timestamp::from_unix(now.unix() - i64::from(self.spec.lateness) + 1)
    }

    /// A record with an earlier start is no longer listed.
    pub(in crate::emulator) fn kept_from(&self, now: Timestamp) -> Timestamp {
        let kept = self.spec.retention.map(|kept| i64::try_from(kept).unwrap_or(i64::MAX));
        kept.map_or(Timestamp::MIN, |kept| {
            Timestamp::from_unix(now.unix().saturating_sub(kept).saturating_add(1))
        })
    }

    /// The earliest start an ordinary record can have that ends at this moment or later.
    pub(in crate::emulator) fn ordinary_reach(moment: Timestamp) -> Timestamp {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::world::MAX_RECORDS;
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
        let spec = WorldSpec {
            records: 3_000,
            span: 7_200,
            retention: Some(86_400),
            ..WorldSpec::new(anchor())
        };
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
        let spec =
            WorldSpec { records: 1_001, functions: 12, unlogged: 2, ..WorldSpec::new(anchor()) };
        let world = World::new(spec).unwrap();
        let counts: Vec<usize> = world.functions().iter().map(Function::records).collect();
        assert_eq!(counts.iter().sum::<usize>(), 1_001);
        assert!(counts[0] > 3 * counts[4], "{counts:?}");
        assert_eq!(counts[10..], [0, 0]);
        let names: HashSet<_> =
            world.functions().iter().map(|function| function.urn().to_string()).collect();
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
