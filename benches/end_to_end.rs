//! Measures the goals of speed against the emulator and prints them as one table.
//!
//! `cargo bench --bench end_to_end` takes about three minutes; `FGARCHIVE_BENCH=full` adds ten
//! million records and takes about seven. Service and client are processes of their own on this
//! machine and share its cores; CPU time and peak memory are those of the client alone, as the
//! kernel counted them. Figures are medians, with the range in brackets.

use fgarchive::clock::Clock;
use serde_json::Value;
use std::error::Error;
use std::fmt;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use tempfile::TempDir;
use wait4::Wait4;

type Outcome<T> = Result<T, Box<dyn Error>>;

const PROGRAM: &str = env!("CARGO_BIN_EXE_fgarchive");

/// Records on a full page, the service's maximum.
const PAGE: f64 = 500.0;

/// How long the slow service holds back each answer, seconds, and how many requests are then under
/// way.
const LATENCY: f64 = 0.05;
const AT_ONCE: f64 = 8.0;

/// How often each figure is taken: enough for a median on a machine that does other things as well.
const ROUNDS: usize = 3;

fn main() -> Outcome<()> {
    let full = std::env::var("FGARCHIVE_BENCH").is_ok_and(|size| size == "full");
    let cores = std::thread::available_parallelism()?;
    println!(
        "{cores} cores shared with the service, {}, medians of {ROUNDS} runs\n",
        Clock::System.now()
    );
    println!("{:<58} {:>12}   measured", "what", "goal");
    first_sync(100_000)?;
    first_sync(1_000_000)?;
    slow_service()?;
    unchanged()?;
    nothing_new(if full { 10_000_000 } else { 1_000_000 })?;
    growth(if full { 10_000_000 } else { 1_000_000 })
}

/// A backfill into an empty archive.
fn first_sync(records: u64) -> Outcome<()> {
    let service = Service::start(records, &[])?;
    let mut runs = Vec::new();
    let mut bytes = Figures::default();
    for _ in 0..ROUNDS {
        let archive = Archive::empty()?;
        runs.push(archive.sync(&service, &[])?);
        bytes.push(archive.bytes()? / records as f64);
    }
    let figure = |of: fn(&Run) -> f64| runs.iter().map(of).collect::<Figures>();
    let title = format!("first sync of {records} records");
    report(&format!("{title}, records/s"), Goal::AtLeast(100_000.0), &figure(Run::rate));
    let cpu_goal = Goal::AtMost(8.0 * records as f64 / 1e6);
    report(&format!("{title}, CPU-s"), cpu_goal, &figure(|run| run.cpu_seconds));
    report(&format!("{title}, peak MiB"), Goal::AtMost(96.0), &figure(|run| run.peak_mib));
    report(&format!("{title}, bytes a record"), Goal::AtMost(190.0), &bytes);
    report(
        &format!("{title}, requests but two / full pages"),
        Goal::AtMost(1.05),
        &figure(|run| (run.count("requests") - 2.0) / (run.count("records_new") / PAGE).ceil()),
    );
    Ok(())
}

/// The same where the service is slow: only the number of requests under way counts.
fn slow_service() -> Outcome<()> {
    let service = Service::start(1_000_000, &["--latency", "50ms"])?;
    let possible = AT_ONCE * PAGE / LATENCY;
    let mut shares = Figures::default();
    for _ in 0..ROUNDS {
        let run = Archive::empty()?.sync(&service, &["--concurrency", "8"])?;
        shares.push(100.0 * run.rate() / possible);
    }
    report(
        "first sync of 1000000 at 50 ms, 8 at once, % of possible",
        Goal::AtLeast(80.0),
        &shares,
    );
    Ok(())
}

/// Nothing settles within the settle delay, so that the second run walks everything again.
fn unchanged() -> Outcome<()> {
    const NEVER_SETTLED: [&str; 2] = ["--settle-delay", "400d"];
    let service = Service::start(1_000_000, &[])?;
    let archive = Archive::empty()?;
    archive.sync(&service, &NEVER_SETTLED)?;
    let before = archive.bytes()?;
    let (mut rates, mut growths) = (Figures::default(), Figures::default());
    for _ in 0..ROUNDS {
        rates.push(archive.sync(&service, &NEVER_SETTLED)?.rate());
        growths.push(100.0 * (archive.bytes()? - before) / before);
    }
    report("unchanged second sync of 1000000 records, records/s", Goal::AtLeast(300_000.0), &rates);
    report(
        "unchanged second sync of 1000000 records, file grows by %",
        Goal::AtMost(1.0),
        &growths,
    );
    Ok(())
}

/// What a run costs that finds nothing new, beside the same run of an archive that is nearly empty.
fn nothing_new(records: u64) -> Outcome<()> {
    let (large, small) = (Service::start(records, &[])?, Service::start(1, &[])?);
    let (filled, bare) = (Archive::empty()?, Archive::empty()?);
    let title = format!("filling an archive with {records} records, peak MiB");
    report(&title, Goal::AtMost(96.0), &Figures::from_iter([filled.sync(&large, &[])?.peak_mib]));
    bare.sync(&small, &[])?;
    let (mut milliseconds, mut requests) = (Figures::default(), Figures::default());
    for _ in 0..ROUNDS {
        let quiet = filled.sync(&large, &[])?;
        milliseconds.push(1000.0 * (quiet.seconds - bare.sync(&small, &[])?.seconds));
        requests.push(quiet.count("requests"));
    }
    let title = format!("a run with nothing new, {records} archived");
    report(&format!("{title}, ms more than empty"), Goal::AtMost(50.0), &milliseconds);
    // One lists the functions.
    report(&format!("{title}, requests"), Goal::AtMost(4.0), &requests);
    Ok(())
}

/// The last tenth of a world, into the archive of all before it and into an empty one.
fn growth(records: u64) -> Outcome<()> {
    let service = Service::start(records / 9 * 10, &[])?;
    let mut shares = Figures::default();
    for _ in 0..if records > 1_000_000 { 1 } else { ROUNDS } {
        let archive = Archive::empty()?;
        archive.sync(&service, &["--until", "3d"])?;
        let into_large = archive.sync(&service, &[])?;
        let into_empty = Archive::empty()?.sync(&service, &["--since", "3d"])?;
        shares.push(100.0 * into_large.rate() / into_empty.rate());
    }
    report(
        &format!("rate into an archive of {records}, % of into empty"),
        Goal::AtLeast(40.0),
        &shares,
    );
    Ok(())
}

/// A stand-in cloud in a process of its own, with one function; it ends with this value.
struct Service {
    process: Child,
    exports: Vec<(String, String)>,
}

impl Service {
    fn start(records: u64, options: &[&str]) -> Outcome<Self> {
        let mut process = Command::new(PROGRAM)
            .args([
                "--quiet",
                "emulate",
                "--functions",
                "1",
                "--span",
                "30d",
                "--records",
                &records.to_string(),
            ])
            .args(options)
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = process.stdout.take().ok_or("the service has no output")?;
        let mut service = Self { process, exports: Vec::new() };
        // The base URL, then a line a variable.
        for line in BufReader::new(stdout).lines().skip(1).take(5) {
            let line = line?;
            let export = line.strip_prefix("export ").and_then(|pair| pair.split_once('='));
            let (name, value) = export.ok_or_else(|| format!("the service printed `{line}`"))?;
            service.exports.push((name.to_owned(), value.to_owned()));
        }
        Ok(service)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended by itself, and there is nobody to tell.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An archive in a directory of its own, removed with this value.
struct Archive {
    directory: TempDir,
}

impl Archive {
    fn empty() -> Outcome<Self> {
        // Beside the build, on a disk: the system's temporary directory may be memory.
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        Ok(Self { directory })
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("archive.db")
    }

    fn bytes(&self) -> Outcome<f64> {
        Ok(fs::metadata(self.path())?.len() as f64)
    }

    /// One run as a process of its own, asking as fast as the service answers.
    fn sync(&self, service: &Service, options: &[&str]) -> Outcome<Run> {
        let began = Instant::now();
        let mut client = Command::new(PROGRAM)
            .args(["--quiet", "sync", "--all-functions", "--json", "--max-rps", "100000"])
            .arg("--db")
            .arg(self.path())
            .args(options)
            .envs(service.exports.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .spawn()?;
        let mut summary = String::new();
        client.stdout.take().ok_or("the client has no output")?.read_to_string(&mut summary)?;
        let used = client.wait4()?;
        if !used.status.success() {
            return Err(format!("a sync ended with {}: {summary}", used.status).into());
        }
        Ok(Run {
            seconds: began.elapsed().as_secs_f64(),
            cpu_seconds: (used.rusage.utime + used.rusage.stime).as_secs_f64(),
            peak_mib: used.rusage.maxrss as f64 / f64::from(1 << 20),
            summary: serde_json::from_str(&summary)?,
        })
    }
}

/// What one sync took.
struct Run {
    seconds: f64,
    cpu_seconds: f64,
    peak_mib: f64,
    summary: Value,
}

impl Run {
    fn count(&self, name: &str) -> f64 {
        self.summary[name].as_f64().unwrap_or(f64::NAN)
    }

    /// Records a second, new or not.
    fn rate(&self) -> f64 {
        self.count("records_seen") / self.seconds
    }
}

/// The same figure of several runs.
#[derive(Default)]
struct Figures(Vec<f64>);

impl Figures {
    fn push(&mut self, figure: f64) {
        self.0.push(figure);
        self.0.sort_by(f64::total_cmp);
    }

    fn median(&self) -> f64 {
        self.0[self.0.len() / 2]
    }
}

impl FromIterator<f64> for Figures {
    fn from_iter<I: IntoIterator<Item = f64>>(figures: I) -> Self {
        let mut all = Self::default();
        figures.into_iter().for_each(|figure| all.push(figure));
        all
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = if self.median().abs() < 10.0 { 2 } else { 0 };
        let (low, high) = (self.0[0], self.0[self.0.len() - 1]);
        write!(f, "{:.places$} ({low:.places$} to {high:.places$})", self.median())
    }
}

/// What a figure should be.
#[derive(Clone, Copy)]
enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    fn is_met(self, figure: f64) -> bool {
        match self {
            Self::AtLeast(least) => figure >= least,
            Self::AtMost(most) => figure <= most,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&match self {
            Self::AtLeast(least) => format!("≥ {least}"),
            Self::AtMost(most) => format!("≤ {most}"),
        })
    }
}

fn report(what: &str, goal: Goal, figures: &Figures) {
    let verdict = if goal.is_met(figures.median()) { "" } else { "   missed" };
    println!("{what:<58} {goal:>12}   {figures}{verdict}");
}
