//! When runs happen, with which settings, and how each is cut short.

use crate::dice::{Draw, dice};
use crate::functions::Naming;
use crate::readings::{Down, Faults, Forbidden, Readings};
use crate::service::Cut;
use crate::world::{EPOCH, World};
use fgarchive::domain::Timestamp;
use fgarchive::sync::Settings;
use std::time::Duration;

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// Runs before the quiet ones at the end.
const MOST_RUNS: usize = 7;

/// One run.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    /// When it begins, unless the one before still goes on.
    pub(crate) at: i64,
    /// The local clock less the service's.
    pub(crate) skew: i64,
    /// What else is wrong with the clocks.
    pub(crate) clocks: Clocks,
    pub(crate) faults: Faults,
    pub(crate) cut: Option<Cut>,
}

/// What is wrong with the clocks of a run, beside a machine's that is off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clocks {
    /// Whether the service dates none of its answers.
    pub(crate) is_undated: bool,
    /// By how many seconds every date of the service is off.
    pub(crate) date: i64,
    /// So many of a hundred answers are off by so many seconds more.
    pub(crate) strays: (u8, i64),
    /// So many seconds after the start the machine's clock is set by so many.
    pub(crate) jump: Option<(i64, i64)>,
}

impl Planned {
    /// A run at this second, with which nothing goes wrong.
    pub(crate) fn at(at: i64) -> Self {
        Self { at, skew: 0, clocks: Clocks::default(), faults: Faults::NONE, cut: None }
    }

    /// Whether every clock is right.
    pub(crate) fn is_on_time(&self) -> bool {
        self.skew == 0 && self.clocks == Clocks::default()
    }

    /// Whether all clocks are wrong alike, or the only one is: nobody can tell.
    pub(crate) fn is_misled(&self) -> bool {
        self.skew != 0 && (self.clocks.is_undated || self.skew == self.clocks.date)
    }

    /// Whether no clock is off by more than minutes, nor by a different time in each answer.
    pub(crate) fn is_about_on_time(&self) -> bool {
        self.skew.abs() <= 10 * MINUTE && self.clocks == Clocks::default()
    }

    /// One of the two clocks goes wrong, by minutes to years. The other is right, or wrong in the
    /// other direction: two that are wrong alike cannot be told from two that are right.
    fn with_bad_clocks(mut self, dice: &mut fastrand::Rng) -> Self {
        let mut off = || dice.pick(&[-1, 1]) * dice.spread(MINUTE, 500 * DAY);
        let (machine, date, stray, jump) = (off(), off(), off(), off());
        let opposite = |off: i64, to: i64| if to == 0 { off } else { -off.abs() * to.signum() };
        match dice.u8(..4) {
            0 => self.skew = machine,
            1 => self.clocks.date = opposite(date, self.skew),
            2 => self.clocks.strays = (dice.pick(&[2, 10, 40]), opposite(stray, self.skew)),
            _ => {
                self.skew = machine;
                self.clocks.strays = (dice.pick(&[2, 10, 40]), opposite(stray, machine));
            }
        }
        self.clocks.jump = dice.percent(30.0).then(|| (dice.i64(1..20), jump));
        self
    }
}

/// What one seed stands for.
#[derive(Debug)]
pub(crate) struct Schedule {
    pub(crate) world: World,
    pub(crate) readings: Readings,
    pub(crate) naming: Naming,
    pub(crate) settings: Settings,
    pub(crate) runs: Vec<Planned>,
    /// From which run on nothing goes wrong any more.
    pub(crate) quiet_from: usize,
}

impl Schedule {
    pub(crate) fn new(seed: u64) -> Self {
        let world = World::new(seed);
        let readings = Readings::new(seed, &world);
        let settings = settings(seed, &world);
        let faults = Faults::new(seed);
        let mut dice = dice(seed, "schedule");
        let skew = if dice.percent(25.0) { dice.i64(-600..600) } else { 0 };
        let cuts = dice.pick(&[0.0, 30.0, 60.0]);
        // Of their own, so that the other draws of a seed stay what they are.
        let mut clocks = self::dice(seed, "clocks");
        let bad_clocks = if clocks.percent(30.0) { 40.0 } else { 0.0 };
        let mut runs: Vec<Planned> = Vec::new();
        let mut at = EPOCH + (world.span as f64 * dice.f64() * 0.9) as i64;
        while runs.len() < MOST_RUNS && at < EPOCH + world.span + HOUR {
            let cut = dice.percent(cuts).then(|| cut(&mut dice));
            let faults = if dice.percent(70.0) { faults.clone() } else { Faults::NONE };
            let run = Planned { skew, faults, cut, ..Planned::at(at) };
            runs.push(if clocks.percent(bad_clocks) {
                run.with_bad_clocks(&mut clocks)
            } else {
                run
            });
            at += match dice.u8(..100) {
                0..60 => 5 * MINUTE,
                60..90 => dice.spread(10 * MINUTE, 12 * HOUR),
                _ => dice.spread(12 * HOUR, 60 * DAY),
            };
        }
        let mut empty = self::dice(seed, "empty");
        if empty.percent(25.0)
            && let Some(first) = runs.first_mut()
        {
            first.faults.empty_at = Some(empty.pick(&[0, 0, 1, 2, 5]));
        }
        let quiet_from = runs.len();
        let mut at = at.max(EPOCH + world.span) + 3 * HOUR;
        for pause in [2 * HOUR, 2 * HOUR, 5 * MINUTE, 0] {
            runs.push(Planned::at(at));
            at += pause;
        }
        let naming = Naming::new(seed, &world);
        trouble(seed, &world, &mut runs, quiet_from);
        forbid(seed, &world, &mut runs, quiet_from);
        Self { world, readings, naming, settings, runs, quiet_from }
    }
}

/// Records whose pages fail, for good or for some runs, and a service that goes down in the middle
/// of a run.
fn trouble(seed: u64, world: &World, runs: &mut [Planned], quiet_from: usize) {
    let mut dice = dice(seed, "trouble");
    if dice.percent(15.0) && !world.records.is_empty() {
        let bad: Vec<usize> =
            (0..dice.spread(1, 5)).map(|_| dice.usize(..world.records.len())).collect();
        let (from, until) = (dice.usize(0..3), dice.pick(&[quiet_from, quiet_from, runs.len()]));
        for run in runs.iter_mut().take(until).skip(from) {
            run.faults.bad_records.clone_from(&bad);
        }
    }
    if dice.percent(10.0) && quiet_from > 0 {
        let down = dice.pick(&[Down::Refuses, Down::Unavailable, Down::Silent]);
        let run = &mut runs[dice.usize(..quiet_from)];
        run.faults.down_from = Some((dice.spread(0, 40) as usize, down));
    }
}

/// Access that is refused to some functions, or to all, for a run or for good.
fn forbid(seed: u64, world: &World, runs: &mut [Planned], quiet_from: usize) {
    let mut dice = dice(seed, "forbidden");
    if !dice.percent(8.0) || quiet_from == 0 {
        return;
    }
    let forbidden = match dice.usize(..3) {
        0 => Forbidden::All,
        _ => Forbidden::Functions((0..world.functions.len()).filter(|_| dice.bool()).collect()),
    };
    let first = dice.usize(..quiet_from);
    let until = dice.pick(&[first + 1, first + 1, quiet_from]);
    for run in &mut runs[first..until] {
        run.faults.forbidden = Some((dice.spread(0, 40) as usize, forbidden.clone()));
    }
}

fn cut(dice: &mut fastrand::Rng) -> Cut {
    let at = dice.spread(0, 60) as usize;
    dice.pick(&[
        Cut::KilledAtRequest(at),
        Cut::KilledAtWake(at),
        Cut::KilledAtWake(at),
        Cut::CancelledAtRequest(at),
    ])
}

fn settings(seed: u64, world: &World) -> Settings {
    let mut dice = dice(seed, "settings");
    let all_functions = dice.bool();
    Settings {
        functions: if all_functions {
            Vec::new()
        } else {
            world.functions.iter().cloned().map(Into::into).collect()
        },
        all_functions,
        since: dice.bool().then(|| Timestamp::from_unix(EPOCH - 10)),
        settle_delay: Duration::from_secs(dice.pick(&[5, 15, 15, 60]) * 60),
        open_recheck: Duration::from_secs(dice.pick(&[0, 10, 60, 60]) * 60),
        concurrency: dice.pick(&[1, 4, 4, 8]),
        max_rps: dice.pick(&[5.0, 50.0]),
        seed,
        ..Settings::default()
    }
}
