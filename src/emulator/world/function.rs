//! A function of the world, and when its records begin.

use super::life::Habits;
use super::spec::{MAX_RECORDS, WorldSpec};
use super::starts::Shape;
use crate::domain::{FunctionRef, FunctionUrn, Timestamp};
use crate::emulator::chance::draw;

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

/// A function and when its records begin.
#[derive(Clone, Debug)]
pub struct Function {
    pub(super) urn: FunctionUrn,
    logged: bool,
    /// Seconds after the world's begin, sorted.
    pub(super) starts: Vec<u32>,
    /// Positions of the records that run for hours or days.
    slow: Vec<usize>,
}

impl Function {
    /// The function of a world of this spec that has this number.
    pub(super) fn new(spec: &WorldSpec, begin: Timestamp, habits: Habits, number: usize) -> Self {
        let logged = number < spec.functions - spec.unlogged;
        let starts = if logged { starts(spec, begin, number) } else { Vec::new() };
        let slow = (0..starts.len()).filter(|&index| habits.is_slow(number, index)).collect();
        Self { urn: name(spec, number), logged, starts, slow }
    }

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
    pub(in crate::emulator) fn slow(&self) -> &[usize] {
        &self.slow
    }
}

fn name(spec: &WorldSpec, number: usize) -> FunctionUrn {
    let (package, name) = NAMES[number % NAMES.len()];
    let round = number / NAMES.len();
    let name = if round == 0 { name.to_owned() } else { format!("{name}-{}", round + 1) };
    FunctionRef::Name { package: package.to_owned(), name, qualifier: None }
        .resolve(spec.region, spec.project_id)
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
        let count =
            u64::try_from(rate).unwrap_or(MAX_RECORDS).clamp(LIVE_SPAN / LIVE_PACE, MAX_RECORDS);
        let seed = draw(spec.seed, 4, number as u64);
        let second_of_day = spec.anchor.unix().rem_euclid(86_400).unsigned_abs();
        let coming = Shape {
            seed,
            second_of_day,
            span: LIVE_SPAN,
            count: share(spec, count, number),
            ..past
        };
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
    let part =
        |upto: usize| u128::from(total) * u128::from(weight(upto)) / u128::from(weight(logged));
    u64::try_from(part(number + 1) - part(number)).unwrap_or(0)
}
