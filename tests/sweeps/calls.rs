//! The n-th request fails, in every way a request can: once, or from then on.

use crate::program::Said;
use crate::stage::Stage;
use crate::steps::hurried;
use crate::trial::{Trial, Verdict};
use crate::workers::{assert_none, is_full, spread, tell};
use fgarchive::emulator::{BodyKind, Fault, Faults, Framing, Rule};

/// What passes by itself, so that a run asks again.
const KINDS: [Fault; 10] = [
    Fault::Throttled { retry_after: None },
    Fault::Throttled { retry_after: Some(0) },
    Fault::Throttled { retry_after: Some(1) },
    Fault::Status { code: 500, body: BodyKind::Json },
    Fault::Status { code: 503, body: BodyKind::Html },
    Fault::Status { code: 502, body: BodyKind::Empty },
    Fault::Reset,
    Fault::Cut(Framing::Length),
    Fault::Cut(Framing::Chunked),
    Fault::Garbled,
];

/// Unless all are tried at every request, one in so many is, in turn: at least one at each.
const IN_TURN: u64 = 17;

/// How many times as fast a run's timers run where a fault lasts: the waits of minutes pass in
/// seconds, and a request that a busy machine answers too late fails as all the others do.
const HASTE: u32 = 50;

/// The same where a fault passes: the waits are of seconds, and a busy machine still has the second
/// that a connection takes at most.
const HASTE_OF_ONE: u32 = 10;

/// How many requests fewer than the undisturbed run a run may make: how long a window is depends on
/// what others have told by then, and one that is too long is walked in parts.
const FEWER: u64 = 12;

/// What a run says that has archived everything, and could not also ask what may be asked later.
const LATER: &str = "left for the next run, no record is missing";

#[derive(Clone, Copy, Debug)]
struct Strike {
    /// The request, from 1.
    at: u64,
    fault: Fault,
    lasts: bool,
}

/// What came of a strike.
struct Outcome {
    /// Whether the run made the request at all. The moments that windows begin and end at are those
    /// of the run, whose time is hurried: it may make a request less than the undisturbed run did.
    struck: bool,
    lasts: bool,
    /// Whether the run ended as if nothing had happened.
    coped: bool,
    verdict: Verdict,
}

#[test]
fn whichever_request_fails_the_run_copes_or_the_next_one_completes() {
    let stages = Stage::lifetime();
    let trials: Vec<_> = stages.iter().flat_map(strikes).collect();
    let results = spread(&trials, |(stage, strike)| fail(stage, *strike));
    let incomplete = results.iter().filter(|outcome| !outcome.coped).count();
    tell(&format!(
        "requests: {} failed, {incomplete} left their run incomplete, at {} requests of {} runs",
        trials.len(),
        stages.iter().map(|stage| stage.requests).sum::<u64>(),
        stages.len()
    ));
    let lasting = results.iter().filter(|outcome| outcome.struck && outcome.lasts).count();
    assert_none(
        &results.into_iter().filter_map(|outcome| outcome.verdict.err()).collect::<Vec<_>>(),
    );
    assert_eq!(incomplete, lasting, "what lasts leaves a run incomplete, what passes does not");
}

fn strikes(stage: &Stage) -> Vec<(&Stage, Strike)> {
    let kinds = KINDS.iter().flat_map(|fault| [(*fault, false), (*fault, true)]);
    let all = (1..=stage.requests)
        .flat_map(|at| kinds.clone().zip(at..).map(move |(kind, turn)| (at, kind, turn)));
    all.filter(|(_, _, turn)| is_full() || turn.is_multiple_of(IN_TURN))
        .map(|(at, (fault, lasts), _)| (stage, Strike { at, fault, lasts }))
        .collect()
}

fn fail(stage: &Stage, strike: Strike) -> Outcome {
    let trial = Trial::new(stage);
    let Strike { at, fault, lasts } = strike;
    let rule = Rule { skip: at - 1, times: (!lasts).then_some(1), ..Rule::from(fault) };
    let cloud = stage.another_cloud().with_faults(Faults::rule(rule));
    let said = hurried(trial.run(&cloud), if lasts { HASTE } else { HASTE_OF_ONE }).output();
    let struck = cloud.journal().faults() > 0;
    let coped =
        trial.is_whole().is_ok() && said.code() == stage.exit && !said.stderr.contains(LATER);
    let verdict = if struck || at + FEWER > stage.requests {
        judge(stage, &trial, &said, coped, struck && lasts).and_then(|()| trial.completes())
    } else {
        Err(format!("the run made {} requests: {}", cloud.journal().total(), said.stderr))
    };
    Outcome {
        struck,
        lasts,
        coped,
        verdict: verdict.map_err(|wrong| format!("{}, {strike:?}: {wrong}", stage.name)),
    }
}

/// A run that could not cope says so; whether it could, the archive is sound.
fn judge(stage: &Stage, trial: &Trial<'_>, said: &Said, coped: bool, lasts: bool) -> Verdict {
    let incomplete = said.code() == 3 && said.stderr.contains("\nhint: ");
    let told = incomplete || (said.code() == stage.exit && said.stderr.contains(LATER));
    if (coped && !lasts) || (!coped && told) {
        return trial.is_sound();
    }
    Err(format!("exit {}: {}{:?}", said.code(), said.stderr, trial.is_whole()))
}
