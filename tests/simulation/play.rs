//! Plays a schedule: the real `sync` on a real archive, with the world's service and the world's
//! time.

use crate::checks::{Checks, Finding, PlayedRun};
use crate::dice::{Draw, dice};
use crate::schedule::{Planned, Schedule};
use crate::service::{Call, Cut, InMemory, Service};
use fastrand::Rng;
use fgarchive::error::{Failure, FailureKind};
use fgarchive::store::file::Archive;
use fgarchive::sync::{RunPlan, RunReport, RunSource, Task, Unwatched, run};
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::sleep;

/// How a run ended.
#[derive(Debug)]
pub(crate) enum Ended {
    Reported(Box<RunReport>),
    Failed(Failure),
    Killed,
    Hung,
}

/// Far longer than any run of a small world: one that takes longer waits for something that never
/// comes.
const LONGEST_RUN: Duration = Duration::from_hours(24);

/// What came of a schedule.
#[derive(Debug, Default)]
pub(crate) struct Played {
    pub(crate) findings: Vec<Finding>,
    pub(crate) calls: Vec<Call>,
    /// The exit code of each run that was not killed.
    pub(crate) exits: Vec<u8>,
    pub(crate) counts: Counts,
}

impl Played {
    /// Something ended with a panic, which was printed.
    pub(crate) fn panicked() -> Self {
        let finding = Finding { invariant: "nothing panics", what: "see above".to_owned() };
        Self { findings: vec![finding], ..Self::default() }
    }
}

/// What the schedules met, to see that they are worth their time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) runs: u64,
    pub(crate) killed: u64,
    pub(crate) requests: u64,
    pub(crate) records: u64,
    /// Records that arrived after their window was settled: the service's lateness.
    pub(crate) late: u64,
    /// Records that were forgotten before a walk of their settled window.
    pub(crate) forgotten: u64,
    /// Schedules whose last run was not complete.
    pub(crate) incomplete: u64,
    /// Schedules in which everything can be proven.
    pub(crate) provable: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.killed += other.killed;
        self.requests += other.requests;
        self.records += other.records;
        self.late += other.late;
        self.forgotten += other.forgotten;
        self.incomplete += other.incomplete;
        self.provable += other.provable;
    }
}

/// Where the archives of schedules live: in memory where the system has such a place.
pub(crate) fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
    made.expect("a temporary directory")
}

/// Plays the schedule of a seed.
pub(crate) fn play(seed: u64, template: &Path) -> Played {
    play_schedule(Schedule::new(seed), seed, template)
}

/// Plays a schedule; the seed decides how long answers take, and what else is left open.
pub(crate) fn play_schedule(schedule: Schedule, seed: u64, template: &Path) -> Played {
    let Schedule { world, readings, naming, settings, runs, quiet_from } = schedule;
    let mut crash_dice = dice(seed, "crash");
    let service = Arc::new(Service::new(world, readings, naming, seed));
    let directory = scratch();
    let mut path = directory.path().join("0.db");
    // Most schedules begin with a new, empty archive; some make it themselves.
    if !crash_dice.percent(5.0) {
        fs::copy(template, &path).expect("a copy of the template");
    }
    let mut checks = Checks::new(Arc::clone(&service), settings.clone());
    let mut played = Played::default();
    let (mut now, mut is_misled) = (i64::MIN, false);
    let verbose = std::env::var_os("FGARCHIVE_SIM_SEED").is_some();
    for (number, planned) in runs.into_iter().enumerate() {
        let quiet = number >= quiet_from;
        let start = planned.at.max(now);
        let next = directory.path().join(format!("{}.db", number + 1));
        let begun = Planned { at: start, ..planned };
        if verbose {
            println!("run {number:2}: {begun:?}");
        }
        let (ended, until) =
            run_once(&service, &settings, (number, &begun), [&path, &next], &mut crash_dice);
        now = until;
        let (calls, shown) = service.take_log();
        played.counts.runs += 1;
        played.counts.requests += calls.len() as u64;
        if matches!(ended, Ended::Killed) {
            played.counts.killed += 1;
            path = next;
        }
        if let Ended::Reported(report) = &ended {
            played.exits.push(report.failure_kind().map_or(0, FailureKind::exit_code));
            report.failure().iter().for_each(|failure| println!("run {number:2}: {failure}"));
        }
        checks.after_run(&PlayedRun {
            number,
            planned: &begun,
            until,
            ended: &ended,
            calls: &calls,
            shown: &shown,
        });
        // Not after every run: after a kill the next run is to find the archive as it was left, and
        // looking costs time. Nor where no clock told the right time: what such a run claims is
        // wrong until right clocks mend it, or what it claimed is over.
        is_misled = begun.is_misled() || (is_misled && !begun.is_on_time());
        if (quiet || crash_dice.bool()) && !is_misled {
            checks.inspect(&path);
        }
        played.calls.extend(calls);
        if checks.has_findings() {
            break;
        }
    }
    if !checks.has_findings() {
        checks.at_the_end(&path, now, &mut played.counts);
    }
    played.counts.records = service.world.records.len() as u64;
    played.findings = checks.into_findings();
    played
}

/// One run from its start to its end, or to the moment it is killed; the archive is then left at
/// `after_kill`.
fn run_once(
    service: &Arc<Service>,
    settings: &fgarchive::sync::Settings,
    (number, planned): (usize, &Planned),
    [path, after_kill]: [&Path; 2],
    dice: &mut Rng,
) -> (Ended, i64) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut archive = match Archive::open(path) {
            Ok(archive) => archive,
            Err(error) => return (Ended::Failed(error.into_failure(path)), planned.at),
        };
        let (clock, cancel) = service.begin(number, planned);
        let mut watch = Unwatched;
        let source = RunSource {
            name: "world".into(),
            source: InMemory(Arc::clone(service)),
            settings: settings.clone(),
        };
        let plan = RunPlan { task: Task::SYNC, sources: vec![source], max_duration: None };
        let mut running = pin!(run(&mut archive, plan, &clock, &cancel, &mut watch));
        let mut wakes = 0;
        let step = std::future::poll_fn(|context| {
            service.now();
            if planned.cut == Some(Cut::KilledAtWake(wakes)) {
                return Poll::Ready(None);
            }
            wakes += 1;
            running.as_mut().poll(context).map(Some)
        });
        let ended = tokio::select! {
            biased;
            () = service.killed.notified() => None,
            ended = step => ended,
            () = sleep(LONGEST_RUN) => return (Ended::Hung, service.now() / 1000 + 1),
        };
        let ended = match ended {
            Some(Ok(report)) => Ended::Reported(Box::new(report)),
            Some(Err(failure)) => Ended::Failed(failure),
            None => {
                copy_as_killed(path, after_kill, dice);
                Ended::Killed
            }
        };
        (ended, service.now() / 1000 + 1)
    })
}

/// What a killed process leaves: the file and its log. What a power failure leaves: the log only up
/// to some byte, since nothing of it was made durable yet.
fn copy_as_killed(from: &Path, to: &Path, dice: &mut Rng) {
    let log = |path: &Path| PathBuf::from(format!("{}-wal", path.display()));
    fs::copy(from, to).expect("a copy of the archive");
    if log(from).exists() {
        let length = fs::copy(log(from), log(to)).expect("a copy of the log");
        if dice.bool() {
            let file = OpenOptions::new().write(true).open(log(to)).expect("the log");
            file.set_len(dice.u64(0..=length)).expect("a shorter log");
        }
    }
}

/// Does something with an archive of the newest schema that has nothing in it.
pub(crate) fn with_template<T>(work: impl FnOnce(&Path) -> T) -> T {
    let directory = scratch();
    let path = directory.path().join("template.db");
    drop(Archive::open(&path).expect("a new archive"));
    work(&path)
}
