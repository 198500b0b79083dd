//! The n-th step fails, as on a disk that is full or broken: once, or from then on.

use crate::program::Said;
use crate::stage::Stage;
use crate::steps::{Blow, Strike, Trouble, writes};
use crate::trial::{Trial, Verdict};
use crate::workers::{assert_none, is_full, spread, tell};

/// Every blow, once and for good.
const KINDS: [(Blow, bool); 6] = [
    (Blow::Fail(Trouble::Full), false),
    (Blow::Fail(Trouble::Full), true),
    (Blow::Fail(Trouble::Broken), false),
    (Blow::Fail(Trouble::Broken), true),
    (Blow::Short(Trouble::Full), false),
    (Blow::Short(Trouble::Full), true),
];

/// Unless all are tried at every step, one in so many is, in turn: at least one at each.
const IN_TURN: usize = 5;

#[test]
fn whichever_write_fails_the_run_says_so_and_the_next_one_completes() {
    let stages = Stage::lifetime();
    let trials: Vec<_> = stages.iter().flat_map(strikes).collect();
    let results = spread(&trials, |(stage, strike)| fail(stage, *strike));
    let ended = results.iter().filter(|(code, _)| *code == 6).count();
    tell(&format!(
        "writes: {} failed, {ended} ended their run, at {} steps of {} runs",
        trials.len(),
        stages.iter().map(|stage| stage.steps.len()).sum::<usize>(),
        stages.len()
    ));
    assert_none(&results.into_iter().filter_map(|(_, verdict)| verdict.err()).collect::<Vec<_>>());
    assert!(ended > trials.len() / 2, "only {ended} of {} runs noticed", trials.len());
}

fn strikes(stage: &Stage) -> Vec<(&Stage, Strike)> {
    let steps = stage.steps.iter().zip(1..);
    let all = steps.flat_map(|(call, at)| {
        KINDS.iter().enumerate().map(move |(nth, kind)| (call, at, nth, kind))
    });
    all.filter(|(call, _, _, (blow, _))| writes(call) || !blow.halves())
        .filter(|(_, at, nth, _)| is_full() || (at + nth).is_multiple_of(IN_TURN))
        .map(|(_, at, _, &(blow, lasts))| (stage, Strike { at, blow, lasts }))
        .collect()
}

fn fail(stage: &Stage, strike: Strike) -> (i32, Verdict) {
    let trial = Trial::new(stage);
    let (said, steps) = trial.strike(strike);
    let verdict = judge(stage, &trial, &said, strike).and_then(|()| trial.completes());
    let call = steps.get(strike.at - 1);
    (
        said.code(),
        verdict.map_err(|wrong| format!("{}, {strike:?} at {call:?}: {wrong}", stage.name)),
    )
}

/// The run says what is wrong and has left a sound archive; or nothing is wrong, since SQLite could
/// do without the step.
fn judge(stage: &Stage, trial: &Trial<'_>, said: &Said, strike: Strike) -> Verdict {
    if said.code() == stage.exit {
        return trial.is_whole();
    }
    if said.code() != 6 {
        return Err(format!("exit {}: {}", said.code(), said.stderr));
    }
    let causes = causes(strike);
    if !causes.iter().any(|cause| said.stderr.contains(cause)) || !said.stderr.contains("\nhint: ")
    {
        return Err(format!("the hint or one of {causes:?} is missing: {}", said.stderr));
    }
    trial.is_sound()
}

/// How the run may name the cause. That a disk is full is found out again, as long as it is; of a
/// file that cannot be opened, SQLite has lost the cause.
fn causes(strike: Strike) -> &'static [&'static str] {
    match strike.blow {
        Blow::Fail(Trouble::Full) | Blow::Short(Trouble::Full) if strike.lasts => {
            &["no space is left on the disk"]
        }
        _ => &[
            "no space is left on the disk",
            "disk I/O error",
            "Input/output error",
            "unable to open database file",
            "attempt to write a readonly database",
        ],
    }
}
