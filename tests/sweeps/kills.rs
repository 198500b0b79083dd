//! SIGKILL at every step, before it and in the middle of a write, and again while the next run
//! recovers.

use crate::stage::Stage;
use crate::steps::{Blow, Strike, writes};
use crate::trial::{Trial, Verdict};
use crate::workers::{assert_none, is_full, spread, tell};

/// As many as the promise that a run can be killed anywhere deserves.
const LEAST_KILLS: usize = 1_000;

/// Spreads the second kill over the steps of a run; a prime, so that it takes no pattern from the
/// first.
const STRIDE: usize = 37;

/// One in so many writes is also cut in two.
const TORN: usize = 2;

#[test]
fn killed_at_any_step_and_run_again_it_equals_an_undisturbed_archive() {
    let mut stages = Stage::lifetime();
    stages.push(Stage::long(&stages[0]));
    let trials: Vec<_> = stages.iter().flat_map(strikes).collect();
    let results = spread(&trials, |(stage, strike)| kill_twice(stage, *strike));
    let kills: usize = results.iter().map(|(kills, _)| kills).sum();
    tell(&format!(
        "kills: {kills} of the binary, at {} steps of {} runs and while they recovered",
        stages.iter().map(|stage| stage.steps.len() + 1 - stage.from).sum::<usize>(),
        stages.len()
    ));
    assert_none(&results.into_iter().filter_map(|(_, verdict)| verdict.err()).collect::<Vec<_>>());
    assert!(kills >= LEAST_KILLS, "{kills} kills");
}

/// Killing a run after a step is killing it before the next one.
fn strikes(stage: &Stage) -> Vec<(&Stage, Strike)> {
    let steps = stage.steps.iter().zip(1..).skip(stage.from - 1);
    let blows = steps.flat_map(|(call, at)| [Blow::Kill, Blow::Tear].map(|blow| (call, at, blow)));
    let fitting = blows.filter(|(call, at, blow)| !blow.halves() || (writes(call) && is_torn(*at)));
    fitting.map(|(_, at, blow)| (stage, Strike { at, blow, lasts: false })).collect()
}

/// Unless every write is also cut in two, one in so many is.
fn is_torn(at: usize) -> bool {
    is_full() || at.is_multiple_of(TORN)
}

/// How often the binary was killed, and what is wrong.
fn kill_twice(stage: &Stage, strike: Strike) -> (usize, Verdict) {
    let trial = Trial::new(stage);
    let (first, steps) = trial.strike(strike);
    let again = Strike { at: 1 + strike.at * STRIDE % stage.steps.len(), ..strike };
    let judge = || {
        // When it commits depends on time: under load a long run may take a step less.
        let is_reached = steps.len() >= strike.at;
        if is_reached && first.code() != -9 {
            return Err(format!(
                "it was not killed: exit {} after {} steps",
                first.code(),
                steps.len()
            ));
        }
        // To look at the archive must neither help nor harm.
        if strike.at.is_multiple_of(2) { trial.is_sound() } else { Ok(()) }
    };
    let verdict = judge();
    let (second, _) = trial.strike(again);
    let kills = [&first, &second].iter().filter(|said| said.code() == -9).count();
    let verdict = verdict.and_then(|()| trial.completes());
    (
        kills,
        verdict.map_err(|wrong| {
            format!("{}, {strike:?} at {:?}, then {again:?}: {wrong}", stage.name, steps.last())
        }),
    )
}
