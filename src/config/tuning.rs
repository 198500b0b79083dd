//! The settings that have a default: how hard the service is asked, and when a record is believed.
//! The defaults stand with the types of the engine that own them, and nowhere else.

use super::flags::Flags;
use super::layers::{Layers, Names};
use super::origin::{Origin, Setting};
use super::values::PERCENT;
use crate::api::Timeouts;
use crate::sync::{Settings, VERIFY_SHARE};
use humantime::format_duration;
use std::time::Duration;

/// A setting as it is shown to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its flag, with the dashes.
    pub flag: &'static str,
    /// Its value, as a flag would say it.
    pub value: String,
    /// Where the value comes from.
    pub origin: Origin,
}

/// The settings that have a default.
#[derive(Clone, Debug)]
pub(super) struct Tuning {
    concurrency: Setting<usize>,
    max_rps: Setting<f64>,
    request_timeout: Setting<Duration>,
    settle_delay: Setting<Duration>,
    open_recheck: Setting<Duration>,
    /// In percent of the requests.
    verify_budget: Setting<f64>,
}

const CONCURRENCY: Names = Names::flag("--concurrency");
const MAX_RPS: Names = Names::flag("--max-rps");
const REQUEST_TIMEOUT: Names = Names::flag("--request-timeout");
const SETTLE_DELAY: Names = Names::flag("--settle-delay");
const OPEN_RECHECK: Names = Names::flag("--open-recheck");
const VERIFY_BUDGET: Names = Names::flag("--verify-budget");

impl Tuning {
    pub(super) fn of(layers: Layers<'_>) -> Self {
        let default = Settings::default();
        let (timeout, share) = (Timeouts::default().total, VERIFY_SHARE * PERCENT);
        let Flags { concurrency, max_rps, request_timeout, .. } = *layers.flags;
        let Flags { settle_delay, open_recheck, verify_budget, .. } = *layers.flags;
        let delay = default.settle_delay;
        Self {
            concurrency: layers
                .value(CONCURRENCY, concurrency, default.concurrency, |it| &it.concurrency),
            max_rps: layers.value(MAX_RPS, max_rps, default.max_rps, |it| &it.max_rps),
            request_timeout: layers
                .value(REQUEST_TIMEOUT, request_timeout, timeout, |it| &it.request_timeout),
            settle_delay: layers.value(SETTLE_DELAY, settle_delay, delay, |it| &it.settle_delay),
            open_recheck: layers
                .value(OPEN_RECHECK, open_recheck, default.open_recheck, |it| &it.open_recheck),
            verify_budget: layers
                .value(VERIFY_BUDGET, verify_budget, share, |it| &it.verify_budget),
        }
    }

    /// How the functions of a source are asked; which they are is for others to say.
    pub(super) fn settings(&self) -> Settings {
        let settings = Settings {
            concurrency: self.concurrency.value,
            max_rps: self.max_rps.value,
            settle_delay: self.settle_delay.value,
            open_recheck: self.open_recheck.value,
            ..Settings::default()
        };
        settings.with_answers_after(self.request_timeout.value)
    }

    pub(super) fn timeouts(&self) -> Timeouts {
        Timeouts { total: self.request_timeout.value, ..Timeouts::default() }
    }

    /// Which share of the requests, 0 to 1, may walk settled windows again.
    pub(super) fn verify_share(&self) -> f64 {
        self.verify_budget.value / PERCENT
    }

    pub(super) fn shown(&self) -> Vec<Shown> {
        vec![
            shown(CONCURRENCY, &self.concurrency, ToString::to_string),
            shown(MAX_RPS, &self.max_rps, ToString::to_string),
            shown(REQUEST_TIMEOUT, &self.request_timeout, |it| format_duration(*it).to_string()),
            shown(SETTLE_DELAY, &self.settle_delay, |it| format_duration(*it).to_string()),
            shown(OPEN_RECHECK, &self.open_recheck, |it| format_duration(*it).to_string()),
            shown(VERIFY_BUDGET, &self.verify_budget, ToString::to_string),
        ]
    }
}

fn shown<T>(names: Names, setting: &Setting<T>, show: impl FnOnce(&T) -> String) -> Shown {
    Shown { flag: names.flag, value: show(&setting.value), origin: setting.origin.clone() }
}

/// What the settings are that nobody said anything about, for the help of the flags.
pub fn defaults() -> Vec<Shown> {
    Tuning::of(Layers { flags: &Flags::default(), env: &|_| None, source: None, defaults: None })
        .shown()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    fn of(flags: &Flags) -> Tuning {
        Tuning::of(Layers::of(flags, &|_| None))
    }

    /// What people read in the help and in docs/commands.md.
    #[test]
    fn the_defaults_are_those_of_the_engine() {
        let told: Vec<String> =
            defaults().into_iter().map(|it| format!("{} {}", it.flag, it.value)).collect();
        let expected = [
            "--concurrency 4",
            "--max-rps 5",
            "--request-timeout 1m",
            "--settle-delay 15m",
            "--open-recheck 1h",
            "--verify-budget 2",
        ];
        assert_eq!(told, expected);
        let (settings, untouched) = (of(&Flags::default()).settings(), Settings::default());
        assert_eq!(format!("{settings:?}"), format!("{untouched:?}"));
    }

    #[test]
    fn a_flag_comes_before_the_default_and_is_named() {
        let settle_delay = Some(Duration::from_secs(90));
        let tuning = of(&Flags { settle_delay, verify_budget: Some(50.0), ..Flags::default() });
        let shown = |flag| tuning.shown().into_iter().find(|it| it.flag == flag).unwrap();
        let origin = Origin::Flag("--settle-delay");
        assert_eq!(
            shown("--settle-delay"),
            Shown { flag: "--settle-delay", value: "1m 30s".to_owned(), origin }
        );
        assert_eq!(shown("--max-rps").origin, Origin::Default);
        assert_eq!((tuning.settings().settle_delay.as_secs(), tuning.verify_share()), (90, 0.5));
    }
}
