//! What simpler archivers lose in the same worlds, and what they ask: the argument for the design,
//! measured.
//!
//! `FGARCHIVE_SIM_WORLDS=1000 cargo test --test simulation simpler -- --nocapture` prints the table
//! that docs/proof.md quotes. Nothing goes wrong on the way here: no request fails, no run is
//! killed, every clock is right.

use crate::functions::Naming;
use crate::play::{Counts, play_schedule, with_template};
use crate::readings::Lengths;
use crate::schedule::{Planned, Schedule};
use crate::service::{Served, Service};
use crate::showing::Oddities;
use fgarchive::domain::{EntryKey, Interval, IntervalSet, Marker, PageQuery, Timestamp};
use std::collections::HashSet;
use std::env;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// How many worlds unless told otherwise: enough that each archiver meets what it cannot cope with.
const DEFAULT_WORLDS: u64 = 150;

/// How long a request takes, in milliseconds: no more leave than may by default.
const REQUEST: i64 = 200;

/// How often a walk that was not believed is tried again.
const TRIES: usize = 3;

/// No walk asks more pages.
const MOST_PAGES: usize = 3_000;

/// What a simpler archiver goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Belief {
    /// Pages follow each other until one is empty.
    Anything,
    /// And the service's total, where it gives one, is how many distinct records came.
    Count,
    /// And each page opens with the record that closed the one before.
    Seams,
}

/// A simpler archiver.
#[derive(Clone, Copy, Debug)]
struct Archiver {
    name: &'static str,
    belief: Belief,
    /// Whether what is younger than the settle delay is walked again.
    settles: bool,
}

const ARCHIVERS: [Archiver; 4] = [
    Archiver {
        name: "offset walk from the last run's end",
        belief: Belief::Anything,
        settles: false,
    },
    Archiver {
        name: "the same, the settle delay walked again",
        belief: Belief::Anything,
        settles: true,
    },
    Archiver { name: "count alone", belief: Belief::Count, settles: true },
    Archiver { name: "seams alone", belief: Belief::Seams, settles: true },
];

/// Records that an archiver calls complete without having them, and what it asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Score {
    /// Shown all through the walk that should have brought them.
    skipped: u64,
    /// Shown only after it.
    late: u64,
    /// Forgotten before it, after the first run.
    forgotten: u64,
    requests: u64,
    /// Worlds in which something was lost without a word.
    silent: u64,
    /// Worlds in which something was left to do at the end, and said to be.
    told: u64,
}

impl Score {
    fn add(&mut self, other: Self) {
        self.skipped += other.skipped;
        self.late += other.late;
        self.forgotten += other.forgotten;
        self.requests += other.requests;
        self.silent += u64::from(other.skipped + other.late + other.forgotten > 0);
        self.told += u64::from(other.told > 0);
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { skipped, late, forgotten, requests, silent, told } = self;
        write!(f, "{skipped} | {late} | {forgotten} | {silent} | {told} | {requests}")
    }
}

/// The fault-free schedule of a seed, of a service that answers of the present, in full pages, and
/// counts right.
fn schedule(seed: u64) -> Schedule {
    let mut schedule = Schedule::new(seed);
    schedule.readings.odd = Oddities::default();
    schedule.readings.stale = (0.0, 0);
    schedule.readings.lengths = Lengths::Full;
    schedule.readings.wrong_count = None;
    for run in &mut schedule.runs {
        *run = Planned::at(run.at);
    }
    schedule
}

/// A walk that was believed: its range, and when its first and its last page were served, in
/// seconds.
#[derive(Clone, Copy, Debug)]
struct Believed {
    range: Interval,
    from: i64,
    to: i64,
}

/// One archiver at work on one function.
struct Work<'a> {
    archiver: Archiver,
    service: &'a Service,
    function: usize,
    delay: i64,
    /// In milliseconds.
    now: i64,
    requests: u64,
    archived: HashSet<usize>,
    done: IntervalSet,
    believed: Vec<Believed>,
}

impl Work<'_> {
    fn run(&mut self, at: i64, since: i64) {
        self.now = self.now.max(at * 1000);
        let now = Timestamp::from_unix(self.now / 1000);
        let Some(horizon) = Interval::new(Timestamp::from_unix(since), now) else { return };
        let mut pending = self.done.gaps_in(horizon);
        while let Some(range) = pending.pop() {
            match (0..TRIES).find_map(|_| self.walk(range)) {
                Some(Ok(believed)) => self.settle(believed),
                Some(Err(())) => pending.extend(halves(range)),
                None => {}
            }
        }
    }

    /// What is old enough is never walked again.
    fn settle(&mut self, believed: Believed) {
        let delay = if self.archiver.settles { self.delay } else { 0 };
        if let Some(range) = believed.range.split_at(Timestamp::from_unix(believed.from - delay)).0
        {
            self.done = self.done.iter().chain([range]).collect();
            self.believed.push(Believed { range, ..believed });
        }
    }

    /// Nothing where the walk is not believed; an error where the service refuses the range.
    fn walk(&mut self, range: Interval) -> Option<Result<Believed, ()>> {
        let (mut marker, mut distinct, mut last, mut from) = (0, HashSet::new(), None, None);
        let (mut total, mut shares) = (None, false);
        for _ in 0..MOST_PAGES {
            let Ok(served) = self.ask(range, marker) else { return Some(Err(())) };
            let at = self.now / 1000;
            from.get_or_insert(at);
            let keys: &[EntryKey] = &served.page.keys;
            distinct.extend(keys.iter().copied());
            if marker == 0 {
                total = served.page.count.filter(|&count| count > keys.len() as u64);
            }
            if shares && keys.first() != last.as_ref() {
                return None;
            }
            if keys.len() <= usize::from(shares) {
                let counted = total.is_none_or(|total| total == distinct.len() as u64);
                let believed = Believed { range, from: from.unwrap_or(at), to: at };
                return (self.archiver.belief != Belief::Count || counted).then_some(Ok(believed));
            }
            // A page of one record leaves nothing to go on with.
            shares = self.archiver.belief == Belief::Seams && keys.len() > 1;
            marker += (keys.len() - usize::from(shares)) as u64;
            last = keys.last().copied();
        }
        None
    }

    fn ask(&mut self, range: Interval, marker: u64) -> Result<Served, ()> {
        self.now += REQUEST;
        self.requests += 1;
        let query = PageQuery {
            begin: range.begin(),
            end: range.end(),
            marker: Marker(marker),
            limit: 500,
        };
        let served =
            self.service.serve_list(self.function, query, self.now / 1000).map_err(|_| ())?;
        self.archived.extend(served.shown.iter().map(|shown| shown.record));
        Ok(served)
    }

    /// What it lost without a word, by why.
    fn score(&self, began: i64, since: i64, last: i64) -> Score {
        // Young ranges are always left to do.
        let old =
            Interval::new(Timestamp::from_unix(since), Timestamp::from_unix(last - 2 * self.delay));
        let told = old.map_or(0, |old| self.done.gaps_in(old).len() as u64);
        let mut score = Score { requests: self.requests, told, ..Score::default() };
        for (number, record) in self.service.world.of(self.function) {
            let seen_last =
                record.stage(self.now / 1000).or_else(|| record.stage(record.forgotten));
            let Some(stage) = seen_last.filter(|stage| stage.at <= self.now / 1000) else {
                continue;
            };
            let second = Timestamp::from_unix(self.service.second_of(record, stage));
            let Some(walk) = self.believed.iter().find(|walk| walk.range.contains(second)) else {
                continue;
            };
            if self.archived.contains(&number) {
                continue;
            }
            // Filed under another of its times before, it was somewhere else during the walk.
            if stage.at > walk.from {
                score.late += 1;
            } else if record.forgotten >= walk.to {
                score.skipped += 1;
            } else if record.forgotten >= began {
                score.forgotten += 1;
            }
        }
        score
    }
}

fn halves(range: Interval) -> impl Iterator<Item = Interval> {
    let middle = range.begin() + Duration::from_secs(range.seconds().unsigned_abs() / 2);
    let (first, second) = range.split_at(middle);
    let is_split = first.is_some() && second.is_some();
    [first, second].into_iter().flatten().filter(move |_| is_split)
}

fn play(archiver: Archiver, seed: u64) -> Score {
    let Schedule { world, readings, settings, runs, .. } = schedule(seed);
    let service = Service::new(world, readings, Naming::PLAIN, seed);
    let delay = i64::try_from(settings.settle_delay.as_secs()).expect("a short delay");
    let began = runs[0].at;
    let month = began - 30 * 86_400;
    let since = settings.since.map_or(month, Timestamp::unix);
    let mut score = Score::default();
    for function in 0..service.world.functions.len() {
        let mut work = Work {
            archiver,
            service: &service,
            function,
            delay,
            now: i64::MIN,
            requests: 0,
            archived: HashSet::new(),
            done: IntervalSet::default(),
            believed: Vec::new(),
        };
        for run in &runs {
            work.run(run.at, since);
        }
        let last = runs.last().map_or(began, |run| run.at);
        score.add(work.score(began, since, last));
    }
    score
}

/// The real one; whatever it lost without a word but by lateness is a finding.
fn play_real(seed: u64) -> Score {
    let played = with_template(|template| play_schedule(schedule(seed), seed, template));
    assert!(played.findings.is_empty(), "seed {seed}: {:?}", played.findings);
    let Counts { late, requests, incomplete, .. } = played.counts;
    Score { late, requests, told: incomplete, ..Score::default() }
}

/// How many worlds somebody asks for, to see the table.
fn asked_worlds() -> Option<u64> {
    let text = env::var("FGARCHIVE_SIM_WORLDS").ok().filter(|text| !text.is_empty());
    text.map(|text| text.parse().expect("FGARCHIVE_SIM_WORLDS is a number"))
}

fn total(worlds: u64, play: impl Fn(u64) -> Score + Sync) -> Score {
    let (next, score) = (AtomicU64::new(0), Mutex::new(Score::default()));
    let seeds = || {
        std::iter::from_fn(|| {
            Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < worlds)
        })
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                for seed in seeds() {
                    let played = play(seed);
                    score.lock().expect("the score").add(played);
                }
            });
        }
    });
    score.into_inner().expect("the score")
}

#[test]
fn simpler_archivers_lose_records_without_a_word() {
    let asked = asked_worlds();
    let worlds = asked.unwrap_or(DEFAULT_WORLDS);
    println!("| archiver | skipped | late | forgotten | silent | told | requests |");
    println!("|---|---|---|---|---|---|---|");
    for archiver in ARCHIVERS {
        let score = total(worlds, |seed| play(archiver, seed));
        println!("| {} | {score} |", archiver.name);
        assert!(score.silent > 0, "{}: {score:?}", archiver.name);
    }
    // Otherwise only the table would need it: these worlds are among those that
    // `no_schedule_loses_a_record` plays.
    if asked.is_some() {
        println!("| fgarchive | {} |", total(worlds, play_real));
    }
}
