//! Times every report of the catalogue, for the last seven days and for everything, beside the same
//! question asked of Parquet files of the same rows in DuckDB, in one run.
//!
//! `cargo bench --bench reports` asks a million records; `FGARCHIVE_BENCH=full` asks ten million,
//! which are the goals' and take some ten minutes to be made. `FGARCHIVE_BENCH_DB` names an archive
//! that is there already. DuckDB is asked where `duckdb` is on the path (`pip install duckdb-cli`).
//! Each figure is that of a process, from its start to its end, in milliseconds, and the median of
//! three. The records are asked for by each of their filters as well, and the page is made.

use std::env;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use tempfile::TempDir;

type Outcome<T> = Result<T, Box<dyn Error>>;

const PROGRAM: &str = env!("CARGO_BIN_EXE_fgarchive");

const ROUNDS: usize = 3;

/// What a report of a week and one of everything may take, in milliseconds.
const GOALS: [f64; 2] = [200.0, 1_000.0];

/// What a look at the state of the archive may take, in milliseconds.
const STATUS_GOAL: f64 = 50.0;

/// What the page may take, of a week or of everything, in milliseconds.
const PAGE_GOAL: f64 = 2_000.0;

/// What narrows the records that `serve` shows, a hundred at a time. The last ones are rare.
const FILTERS: [&[&str]; 15] = [
    &["which=failed"],
    &["which=open"],
    &["status=SUCCESS"],
    &["status=DISCARD"],
    &["code=4211"],
    &["took_from=10m"],
    &["took_from=1m", "took_below=2m", "status=SUCCESS"],
    &["weekday=mon", "hour=3"],
    &["which=failed", "weekday=sun", "hour=12"],
    &["before=2020-01-01"],
    &["took_from=30d"],
    &["took_from=10m", "weekday=mon", "hour=3"],
    &["shape=no such shape"],
    &["code=4211", "took_from=1m"],
    &["shape=no such shape", "took_from=1m"],
];

/// What DuckDB is asked instead of a report. `rows` are the records of the range, with `f` for the
/// function, `start`, `seconds` and the columns of the archive.
const DUCKDB: [(&str, &str); 11] = [
    (
        "summary",
        "SELECT f, count(*), count(*) FILTER (status = 'SUCCESS'), count(*) FILTER (status = 'FAIL'),
                count(*) FILTER (status = 'DISCARD'), min(start), max(start) FROM rows GROUP BY f",
    ),
    (
        "throughput",
        "SELECT date_trunc('hour', start), status, count(*) FROM rows GROUP BY ALL ORDER BY 1",
    ),
    ("heatmap", "SELECT hour(start), dayofweek(start), count(*) FROM rows GROUP BY ALL"),
    (
        "latency",
        "SELECT f, count(*), min(seconds), quantile_disc(seconds, [0.5, 0.9, 0.99]), max(seconds)
           FROM rows WHERE status = 'SUCCESS' GROUP BY f",
    ),
    (
        "duration-histogram",
        "SELECT f, floor(log2(greatest(seconds, 0) + 1)), count(*) FROM rows
          WHERE status = 'SUCCESS' GROUP BY ALL ORDER BY ALL",
    ),
    ("slowest", "FROM rows ORDER BY seconds DESC, request_id LIMIT 20"),
    (
        "failures",
        "SELECT error_code, error_message, count(*) AS n, count(DISTINCT f), min(start), max(start),
                min(request_id)
           FROM rows WHERE status = 'FAIL' GROUP BY ALL ORDER BY n DESC LIMIT 50",
    ),
    (
        "discards",
        "SELECT f, count(*) FILTER (status = 'DISCARD'), min(start) FILTER (status = 'DISCARD'),
                max(start) FILTER (status = 'DISCARD') FROM rows GROUP BY f",
    ),
    (
        "growth",
        "SELECT date_trunc('month', start), count(*), sum(strlen(request_id) + strlen(status)
                + coalesce(strlen(error_message), 0)) FROM rows GROUP BY 1",
    ),
    (
        "calendar",
        "SELECT date_trunc('day', start), count(*), count(*) FILTER (status IN ('FAIL', 'DISCARD'))
           FROM rows GROUP BY 1",
    ),
    (
        "open",
        "FROM rows WHERE status IN ('WAIT', 'RUNNING') ORDER BY start",
    ),
];

fn main() -> Outcome<()> {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let archive = match env::var_os("FGARCHIVE_BENCH_DB") {
        Some(named) => PathBuf::from(named),
        None => filled(&directory)?,
    };
    let parquet = directory.path().join("rows.parquet");
    let has_duckdb = exported(&archive, &parquet)?;
    let told = ask(&archive, &["query", "sql", "SELECT count(*) FROM invocations"])?;
    println!("{} records, milliseconds, medians of {ROUNDS}", told.lines().last().unwrap_or("?"));
    println!("\n{:<20} {:>16} {:>16}   missed", "report", "7 days (DuckDB)", "all (DuckDB)");
    for line in ask(&archive, &["query", "list", "--format", "tsv", "--no-header"])?.lines() {
        let name = line.split('\t').next().unwrap_or_default();
        let mut cells = Vec::new();
        let mut missed = Vec::new();
        for (range, goal) in [&["--since", "7d"][..], &[]].into_iter().zip(GOALS) {
            let arguments = [&["query", name, "--format", "csv"], range].concat();
            let Ok(own) = timed(|| ask(&archive, &arguments)) else {
                cells.push("-".to_owned());
                continue;
            };
            let theirs =
                if has_duckdb { in_duckdb(name, &parquet, !range.is_empty())? } else { None };
            cells.push(match theirs {
                Some(theirs) => format!("{own:.0} ({theirs:.0})"),
                None => format!("{own:.0}"),
            });
            if own > goal || theirs.is_some_and(|theirs| own > theirs) {
                missed.push(if range.is_empty() { "all" } else { "7 days" });
            }
        }
        println!("{name:<20} {:>16} {:>16}   {}", cells[0], cells[1], missed.join(", "));
    }
    let own = timed(|| ask(&archive, &["status"]))?;
    let missed = if own > STATUS_GOAL { "all" } else { "" };
    println!("{:<20} {:>16} {:>16}   {missed}", "status", "", format!("{own:.0}"));
    let page = directory.path().join("page.html");
    let page = page.to_str().ok_or("the directory has an odd name")?;
    let goals = [PAGE_GOAL; 2];
    line("page", goals, |since| {
        let range = since.map_or(vec![], |since| vec!["--since", since]);
        ask(&archive, &[&["page", "--output", page], &range[..]].concat())
    })?;
    println!("\nrecords, 100 of them by");
    for filter in FILTERS {
        let name = filter.join(" ");
        line(&name, GOALS, |since| {
            let mut arguments = vec!["query", "records", "--format", "csv"];
            arguments.extend(filter.iter().flat_map(|each| ["--param", each]));
            arguments.extend(since.iter().flat_map(|since| ["--since", since]));
            ask(&archive, &arguments)
        })?;
    }
    Ok(())
}

/// Times what is asked of seven days and of everything, and prints both.
fn line<T>(name: &str, goals: [f64; 2], work: impl Fn(Option<&str>) -> Outcome<T>) -> Outcome<()> {
    let (week, all) = (timed(|| work(Some("7d")))?, timed(|| work(None))?);
    let missed: Vec<&str> = [("7 days", week, goals[0]), ("all", all, goals[1])]
        .into_iter()
        .filter_map(|(range, own, goal)| (own > goal).then_some(range))
        .collect();
    println!("{name:<44} {week:>8.0} {all:>8.0}   {}", missed.join(", "));
    Ok(())
}

/// An archive of a million records of twenty functions, or of ten million.
fn filled(directory: &TempDir) -> Outcome<PathBuf> {
    let is_full = env::var("FGARCHIVE_BENCH").is_ok_and(|size| size == "full");
    let records = if is_full { "10000000" } else { "1000000" };
    let world = ["--functions", "20", "--span", "30d", "--records", records];
    let mut service = Service(
        Command::new(PROGRAM)
            .args(["--quiet", "emulate"])
            .args(world)
            .stdout(Stdio::piped())
            .spawn()?,
    );
    let archive = directory.path().join("archive.db");
    let mut sync = Command::new(PROGRAM);
    sync.args(["--quiet", "sync", "--all-functions", "--max-rps", "100000", "--db"]).arg(&archive);
    let stdout = service.0.stdout.take().ok_or("the service has no output")?;
    // The base URL, then a line a variable.
    for line in BufReader::new(stdout).lines().skip(1).take(5) {
        let line = line?;
        let export = line.strip_prefix("export ").and_then(|pair| pair.split_once('='));
        let (name, value) = export.ok_or_else(|| format!("the service printed `{line}`"))?;
        sync.env(name, value);
    }
    if sync.stdout(Stdio::null()).status()?.success() { Ok(archive) } else { Err("no sync".into()) }
}

/// A stand-in cloud in a process of its own; it ends with this value.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended by itself, and there is nobody to tell.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the program prints.
fn ask(archive: &Path, arguments: &[&str]) -> Outcome<String> {
    let output = Command::new(PROGRAM).args(arguments).arg("--db").arg(archive).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The median of how long it takes, in milliseconds.
fn timed<T>(work: impl Fn() -> Outcome<T>) -> Outcome<f64> {
    let mut figures = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        work()?;
        figures.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    figures.sort_by(f64::total_cmp);
    Ok(figures[ROUNDS / 2])
}

/// Writes the rows as Parquet, sorted by time as an export would be; tells whether DuckDB is there.
fn exported(archive: &Path, parquet: &Path) -> Outcome<bool> {
    let rows = "SELECT f.full_name AS f, i.request_id, i.status, i.error_code, i.error_message,
                       i.start_time AS start, unixepoch(i.end_time) - unixepoch(i.start_time) AS seconds
                  FROM invocations i JOIN functions f ON f.id = i.function_id";
    let Ok(mut duckdb) = Command::new("duckdb")
        .arg("-c")
        .arg(format!(
            "COPY (SELECT * REPLACE (start::TIMESTAMP AS start)
                     FROM read_csv('/dev/stdin', all_varchar = false) ORDER BY start)
               TO '{}' (FORMAT parquet, COMPRESSION zstd)",
            parquet.display()
        ))
        .stdin(Stdio::piped())
        .spawn()
    else {
        println!("DuckDB is not on the path");
        return Ok(false);
    };
    let input = duckdb.stdin.take().ok_or("DuckDB takes no input")?;
    let arguments = ["query", "sql", rows, "--format", "csv", "--timeout", "30m", "--db"];
    let is_told =
        Command::new(PROGRAM).args(arguments).arg(archive).stdout(input).status()?.success();
    if is_told && duckdb.wait()?.success() { Ok(true) } else { Err("no Parquet".into()) }
}

/// How long DuckDB takes for the same, where it can be asked for it.
fn in_duckdb(report: &str, parquet: &Path, is_week: bool) -> Outcome<Option<f64>> {
    let Some((_, question)) = DUCKDB.iter().find(|(name, _)| *name == report) else {
        return Ok(None);
    };
    let file = parquet.display();
    let week = if is_week { "WHERE start >= now()::TIMESTAMP - INTERVAL 7 DAY" } else { "" };
    let statement = format!("CREATE VIEW rows AS FROM '{file}' {week}; {question}");
    let ask = || -> Outcome<()> {
        let status = Command::new("duckdb")
            .args(["-csv", "-c", &statement])
            .stdout(Stdio::null())
            .status()?;
        if status.success() { Ok(()) } else { Err(format!("DuckDB: {report}").into()) }
    };
    timed(ask).map(Some)
}
