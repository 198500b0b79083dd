//! `prune` and `compact`, killed or failing at every step: the archive is sound, and the same command
//! run again leaves what an undisturbed one leaves.

use crate::archive;
use crate::cloud::{Cloud, later};
use crate::content::Content;
use crate::program::{Home, Program};
use crate::steps::{Blow, Report, Strike, Trouble, struck, watched, writes};
use crate::trial::Verdict;
use crate::workers::{assert_none, is_full, spread, tell};
use fgarchive::clock::Clock;
use fgarchive::domain::Timestamp;
use fgarchive::emulator::{Readings, WorldSpec};
use fgarchive::store::file::Reader;
use std::fs;

/// 2026-03-09T12:00:00Z.
const NOW: i64 = 1_773_057_600;

const DAY: i64 = 86_400;

/// Every blow, once and for good.
const KINDS: [(Blow, bool); 5] = [
    (Blow::Kill, false),
    (Blow::Tear, false),
    (Blow::Fail(Trouble::Full), true),
    (Blow::Fail(Trouble::Broken), false),
    (Blow::Short(Trouble::Full), true),
];

/// A command that is disturbed.
struct Case {
    command: &'static [&'static str],
    before: Home,
    steps: Vec<String>,
    after: (Content, Vec<String>),
}

/// Five days of records that do not change any more: few, since each trial runs the command twice
/// and a page more is a step more of the same kind.
fn archived() -> Home {
    let now = Timestamp::from_unix(NOW);
    let world = WorldSpec {
        records: 150,
        functions: 2,
        span: 5 * DAY.unsigned_abs(),
        slow: 0,
        retried: 100_000,
        ..WorldSpec::new(later(now, -DAY))
    };
    let cloud = Cloud::on(world, Readings::default(), Clock::fixed(now), move || now);
    let home = Home::in_memory();
    let run = home.sync_since(&cloud, &later(now, -7 * DAY).to_string());
    watched(run, home.path(), NOW, &Report::new()).exits(0);
    home
}

fn copy(from: &Home) -> Home {
    let home = Home::in_memory();
    for (path, bytes) in from.bytes() {
        fs::write(home.path().join(path.file_name().unwrap()), bytes).unwrap();
    }
    home
}

fn run(home: &Home, command: &[&str], report: &Report) -> Program {
    watched(home.run(command.iter().copied()), home.path(), NOW, report)
}

/// What an archive holds, and what of it was pruned.
fn content(home: &Home) -> (Content, Vec<String>) {
    let pruned = "SELECT function_id, day, records, digest, count_digest, bytes_digest,
                         duration_digest, status_changes FROM pruned_days ORDER BY 1, 2";
    (Content::of(&home.db()), archive::rows(&home.db(), pruned))
}

fn case(before: &Home, command: &'static [&'static str]) -> (Case, Home) {
    let (home, report) = (copy(before), Report::new());
    run(&home, command, &report).exits(0);
    let (steps, after) = (report.read(), content(&home));
    (Case { command, before: copy(before), steps, after }, home)
}

#[test]
fn struck_at_any_step_the_archive_is_sound_and_the_next_one_completes() {
    let archived = archived();
    let (prune, pruned) = case(&archived, &["prune", "--keep", "2d", "--apply"]);
    let (compact, _) = case(&pruned, &["compact"]);
    assert_eq!(compact.after, prune.after, "a compacted archive holds the same");
    assert!(prune.after.1.len() >= 4, "{:?}", prune.after.1);
    let cases = [prune, compact];
    let trials: Vec<_> = cases.iter().flat_map(strikes).collect();
    let verdicts = spread(&trials, |(case, strike)| try_case(case, *strike));
    let steps: Vec<usize> = cases.iter().map(|case| case.steps.len()).collect();
    tell(&format!("keeping: {} blows at {steps:?} steps of two commands", trials.len()));
    assert_none(&verdicts.into_iter().filter_map(Result::err).collect::<Vec<_>>());
}

fn strikes(case: &Case) -> Vec<(&Case, Strike)> {
    let all = case.steps.iter().zip(1..).flat_map(|(call, at)| {
        KINDS.iter().enumerate().map(move |(nth, kind)| (call, at, nth, kind))
    });
    all.filter(|(call, _, _, (blow, _))| writes(call) || !blow.halves())
        // A kill at every step, the others in turn.
        .filter(|(_, at, nth, _)| *nth == 0 || is_full() || (at + nth).is_multiple_of(KINDS.len()))
        .map(|(_, at, _, &(blow, lasts))| (case, Strike { at, blow, lasts }))
        .collect()
}

fn try_case(case: &Case, strike: Strike) -> Verdict {
    let home = copy(&case.before);
    let said = struck(run(&home, case.command, &Report::new()), strike).output();
    let wrong = |text: String| Err(format!("{:?}, {strike:?}: {text}", case.command));
    if !matches!(said.code(), 0 | 6 | -9) {
        return wrong(format!("it ended with {}: {}", said.code(), said.stderr));
    }
    match Reader::open(&home.db()).and_then(|mut reader| reader.check()) {
        Ok(findings) if findings.is_empty() => {}
        checked => return wrong(format!("the archive is not sound: {checked:?}")),
    }
    let again = run(&home, case.command, &Report::new()).output();
    if again.code() != 0 {
        return wrong(format!("the next one ended with {}: {}", again.code(), again.stderr));
    }
    let found = content(&home);
    if found != case.after {
        return wrong(format!("it differs: {}", found.0.difference(&case.after.0)));
    }
    let left: Vec<_> =
        fs::read_dir(home.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
    if left.iter().any(|name| name.to_string_lossy().contains("partial")) {
        return wrong(format!("it left {left:?}"));
    }
    Ok(())
}
