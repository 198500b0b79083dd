//! What goes wrong on purpose: a script of rules, each naming the requests it strikes and what it
//! does to them. Which requests are struck follows from the script's seed and their number alone.

use super::chance::{MILLION, draw, scale};
use super::routes::RouteName;
use serde::Deserialize;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

/// The most rules of a script.
const MOST_RULES: usize = 100;

/// The scripts that have a name.
const PRESETS: [(&str, &str); 6] = [
    ("none", r#"{ "rules": [] }"#),
    (
        "flaky",
        r#"{ "rules": [{ "on": "invocations", "share": 0.2, "faults": [
            { "throttled": { "retry_after": 1 } }, { "status": { "code": 500 } },
            { "status": { "code": 503, "body": "html" } }, "reset", { "cut": "length" }
        ] }] }"#,
    ),
    (
        "throttled",
        r#"{ "rules": [{ "share": 0.3,
           "faults": [{ "throttled": { "retry_after": 1 } }, { "throttled": {} }] }] }"#,
    ),
    (
        "slow",
        r#"{ "rules": [
            { "faults": [{ "latency": { "ms": 50 } }] },
            { "on": "invocations", "every": 10, "faults": [{ "slow": { "ms": 2000 } }] }
        ] }"#,
    ),
    (
        "expiring",
        r#"{ "rules": [
            { "on": "invocations", "every": 20, "faults": ["expired_token"] },
            { "on": "invocations", "share": 0.1, "faults": [{ "slid": { "records": 1 } }] }
        ] }"#,
    ),
    (
        "hostile",
        r#"{ "rules": [
            { "faults": [{ "clock_skew": { "seconds": 200 } }] },
            { "on": "invocations", "share": 0.1, "faults": [
                "stuck_marker", "repeated_marker", { "slid": { "records": 3 } }
            ] },
            { "share": 0.25, "faults": [
                { "throttled": { "retry_after": 1 } }, { "throttled": {} },
                { "status": { "code": 500 } },
                { "status": { "code": 502, "body": "html" } },
                { "status": { "code": 503, "body": "empty" } },
                "reset", { "cut": "length" }, { "cut": "chunked" },
                { "slow": { "ms": 500 } }, "garbled"
            ] }
        ] }"#,
    ),
];

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// 429, with the seconds to wait where they are given.
    Throttled {
        /// `Retry-After`, seconds.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// Another status, with a body of the kind.
    Status {
        /// The HTTP status.
        code: u16,
        /// What the body holds.
        #[serde(default)]
        body: BodyKind,
    },
    /// The connection is reset before an answer.
    Reset,
    /// Half of the body, then the connection ends.
    Cut(Framing),
    /// The body comes in drops over this time.
    Slow {
        /// Milliseconds until it is complete.
        ms: u64,
    },
    /// No answer, until the client gives up.
    Silent,
    /// 200, and a body that is no JSON.
    Garbled,
    /// `next_marker` is the one that was asked for.
    StuckMarker,
    /// `next_marker` leads back by a page.
    RepeatedMarker,
    /// The oldest matches have just expired, and all others have moved up.
    Slid {
        /// How many.
        records: u64,
    },
    /// 401, the token must be updated (`APIG.0307`); a signature is not asked for one and passes.
    ExpiredToken,
    /// The `Date` header is off.
    ClockSkew {
        /// Seconds ahead.
        seconds: i64,
    },
    /// The answer is held back.
    Latency {
        /// Milliseconds.
        ms: u64,
    },
}

/// What the body of an error holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyKind {
    /// The service's own form of an error.
    #[default]
    Json,
    /// A page as proxies write it.
    Html,
    /// Nothing.
    Empty,
}

/// How the length of a cut body was announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// By `Content-Length`.
    Length,
    /// By chunks.
    Chunked,
}

/// Which requests a rule strikes, and with what. Conditions that are not given always hold.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Requests of this kind; without it, every request.
    #[serde(default)]
    pub on: Option<RouteName>,
    /// Pages that hold the record of this id; other requests are not counted.
    #[serde(default)]
    pub holding: Option<String>,
    /// Requests about the functions of these names; other requests are not counted.
    #[serde(default)]
    pub functions: Vec<String>,
    /// How many matching requests are left alone first.
    #[serde(default)]
    pub skip: u64,
    /// Then every so manieth is struck.
    #[serde(default)]
    pub every: Option<u64>,
    /// Or this part of them, from 0 to 1.
    #[serde(default)]
    pub share: Option<f64>,
    /// The most requests that are struck.
    #[serde(default)]
    pub times: Option<u64>,
    /// What they are struck with: one of these.
    pub faults: Vec<Fault>,
}

/// A script of faults.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Faults {
    /// Same seed, same requests struck.
    #[serde(default)]
    pub seed: u64,
    /// The rules; more than one may strike a request.
    pub rules: Vec<Rule>,
}

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::default()
    }

    /// One rule.
    pub fn rule(rule: Rule) -> Self {
        Self { seed: 0, rules: vec![rule] }
    }

    /// The script of this name.
    pub fn preset(name: &str) -> Option<Self> {
        let (_, script) = PRESETS.iter().find(|(preset, _)| *preset == name)?;
        script.parse().ok()
    }

    /// The names of scripts.
    pub fn presets() -> impl Iterator<Item = &'static str> {
        PRESETS.iter().map(|(name, _)| *name)
    }
}

/// Reads the JSON form.
impl FromStr for Faults {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let faults: Self = serde_json::from_str(text)
            .map_err(|error| format!("not a script of faults: {error}"))?;
        let fits = |rule: &Rule| {
            !rule.faults.is_empty()
                && rule.every != Some(0)
                && rule.share.is_none_or(|share| (0.0..=1.0).contains(&share))
        };
        match faults.rules.iter().position(|rule| !fits(rule)) {
            _ if faults.rules.len() > MOST_RULES => {
                Err(format!("a script has at most {MOST_RULES} rules"))
            }
            Some(nth) => Err(format!(
                "rule {nth} needs a fault, an `every` above 0 and a `share` from 0 to 1"
            )),
            None => Ok(faults),
        }
    }
}

/// Everything by route and without conditions.
impl From<Fault> for Rule {
    fn from(fault: Fault) -> Self {
        Self {
            on: None,
            holding: None,
            functions: Vec::new(),
            skip: 0,
            every: None,
            share: None,
            times: None,
            faults: vec![fault],
        }
    }
}

/// A script at work: it counts what it has seen.
#[derive(Debug, Default)]
pub(super) struct Engine {
    faults: Faults,
    counters: Vec<Counter>,
}

#[derive(Debug, Default)]
struct Counter {
    seen: AtomicU64,
    struck: AtomicU64,
}

impl Engine {
    pub(super) fn new(faults: Faults) -> Self {
        let counters = faults.rules.iter().map(|_| Counter::default()).collect();
        Self { faults, counters }
    }

    /// What goes wrong with the next request of this kind; `holds` tells whether its page holds a
    /// record, `is_about` whether it is about the function of a name.
    pub(super) fn strike(
        &self,
        route: RouteName,
        holds: impl Fn(&str) -> bool,
        is_about: impl Fn(&str) -> bool,
    ) -> Vec<Fault> {
        let rules = self.faults.rules.iter().zip(&self.counters).enumerate();
        let fits = |rule: &Rule| {
            let functions = &rule.functions;
            (functions.is_empty() || functions.iter().any(|name| is_about(name)))
                && rule.holding.as_deref().is_none_or(&holds)
        };
        let rules = rules.filter(|(_, (rule, _))| fits(rule));
        rules
            .filter_map(|(nth, (rule, counter))| self.apply(nth as u64, rule, counter, route))
            .collect()
    }

    fn apply(&self, nth: u64, rule: &Rule, counter: &Counter, route: RouteName) -> Option<Fault> {
        if rule.on.is_some_and(|on| on != route) {
            return None;
        }
        let number = counter.seen.fetch_add(1, Ordering::SeqCst).checked_sub(rule.skip)?;
        let chosen = draw(self.faults.seed, nth, number);
        let due = rule.every.is_none_or(|every| number % every == every - 1);
        #[expect(clippy::cast_precision_loss, reason = "a million is exact")]
        let lucky =
            rule.share.is_none_or(|share| (scale(chosen, MILLION) as f64) < share * MILLION as f64);
        if !due || !lucky {
            return None;
        }
        let left = rule.times.is_none_or(|times| counter.struck.load(Ordering::SeqCst) < times);
        counter.struck.fetch_add(u64::from(left), Ordering::SeqCst);
        let which = scale(draw(chosen, 6, number), rule.faults.len() as u64);
        rule.faults.get(usize::try_from(which).ok()?).copied().filter(|_| left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(faults: Faults, requests: usize) -> Vec<Vec<Fault>> {
        let engine = Engine::new(faults);
        (0..requests).map(|_| engine.strike(RouteName::Invocations, |_| false, |_| false)).collect()
    }

    fn rule(text: &str) -> Faults {
        format!(r#"{{ "rules": [{text}] }}"#).parse().unwrap()
    }

    #[test]
    fn every_preset_is_a_script_and_strikes_the_same_again() {
        for name in Faults::presets() {
            let struck = run(Faults::preset(name).unwrap(), 200);
            assert_eq!(struck, run(Faults::preset(name).unwrap(), 200), "{name}");
            assert_eq!(struck.iter().all(Vec::is_empty), name == "none", "{name}");
        }
        assert!(Faults::preset("other").is_none());
    }

    #[test]
    fn flaky_strikes_one_request_of_five() {
        let struck = run(Faults::preset("flaky").unwrap(), 1_000)
            .into_iter()
            .filter(|faults| !faults.is_empty())
            .count();
        assert!((160..240).contains(&struck), "{struck}");
    }

    #[test]
    fn conditions_hold_together() {
        let faults = rule(
            r#"{ "on": "invocations", "skip": 1, "every": 2, "times": 2, "faults": ["reset"] }"#,
        );
        let struck: Vec<usize> = run(faults.clone(), 9).iter().map(Vec::len).collect();
        assert_eq!(struck, [0, 0, 1, 0, 1, 0, 0, 0, 0]);
        assert_eq!(Engine::new(faults).strike(RouteName::Tokens, |_| true, |_| true), []);
    }

    #[test]
    fn a_record_that_is_named_strikes_the_pages_that_hold_it() {
        let faults: Faults =
            r#"{ "rules": [{ "holding": "a1", "faults": ["garbled"] }] }"#.parse().unwrap();
        let engine = Engine::new(faults);
        let strike = |id| engine.strike(RouteName::Invocations, |named| named == id, |_| false);
        assert_eq!((strike("a1"), strike("b2")), (vec![Fault::Garbled], vec![]));
    }

    #[test]
    fn functions_that_are_named_are_struck_alone() {
        let faults: Faults =
            r#"{ "rules": [{ "functions": ["a", "b"], "faults": ["silent"] }] }"#.parse().unwrap();
        let engine = Engine::new(faults);
        let strike = |name| engine.strike(RouteName::Invocations, |_| false, |named| named == name);
        assert_eq!(["b", "c"].map(strike), [vec![Fault::Silent], vec![]]);
    }

    #[test]
    fn a_script_that_says_nothing_is_refused() {
        for text in [
            "",
            "{}",
            r#"{ "rules": [{ "faults": [] }] }"#,
            r#"{ "rules": [{ "faults": ["explode"] }] }"#,
            r#"{ "rules": [{ "every": 0, "faults": ["reset"] }] }"#,
            r#"{ "rules": [{ "share": 2, "faults": ["reset"] }] }"#,
            r#"{ "rules": [{ "often": 2, "faults": ["reset"] }] }"#,
        ] {
            assert!(text.parse::<Faults>().is_err(), "{text}");
        }
    }
}
