//! The settings that have a default: how hard the service is asked, and when a record is believed.
//! The defaults stand with the types of the engine that own them, and nowhere else.

use super::flags::Flags;
use super::layers::{Layers, Names, Origin, Setting};
use crate::api::Timeouts;
use crate::sync::{LEAST_RATE, Settings, VERIFY_SHARE};
use humantime::format_duration;
use std::time::Duration;

/// More requests side by side than this gain nothing from a service that is metered by the minute.
pub const MOST_CONCURRENT: u32 = 64;

const PERCENT: f64 = 100.0;

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
    pub(super) fn of(flags: &Flags) -> Self {
        let default = Settings::default();
        let timeout = Timeouts::default().total;
        Self {
            concurrency: Layers::value(CONCURRENCY, flags.concurrency, default.concurrency),
            max_rps: Layers::value(MAX_RPS, flags.max_rps, default.max_rps),
            request_timeout: Layers::value(REQUEST_TIMEOUT, flags.request_timeout, timeout),
            settle_delay: Layers::value(SETTLE_DELAY, flags.settle_delay, default.settle_delay),
            open_recheck: Layers::value(OPEN_RECHECK, flags.open_recheck, default.open_recheck),
            verify_budget: Layers::value(
                VERIFY_BUDGET,
                flags.verify_budget,
                VERIFY_SHARE * PERCENT,
            ),
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
    Tuning::of(&Flags::default()).shown()
}

/// Reads how many requests a second may leave.
pub fn parse_rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "it is no number".to_owned())?;
    match rate {
        _ if rate.is_nan() => Err("it is no number".to_owned()),
        _ if rate <= 0.0 => Err("must be greater than 0".to_owned()),
        _ if rate.is_infinite() => Err("must be finite".to_owned()),
        _ if rate < LEAST_RATE => Err(format!("must be at least {LEAST_RATE:.7}, once a day")),
        _ => Ok(rate),
    }
}

/// Reads how long a request may take.
pub fn parse_timeout(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(timeout) if timeout.is_zero() => Err("must be longer than nothing".to_owned()),
        other => other.map_err(|error| error.to_string()),
    }
}

/// Reads a part in percent.
pub fn parse_percent(text: &str) -> Result<f64, String> {
    let percent: f64 = text.parse().map_err(|_| "it is no number".to_owned())?;
    if (0.0..=PERCENT).contains(&percent) {
        Ok(percent)
    } else {
        Err("it lies between 0 and 100".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

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
        let (settings, untouched) = (Tuning::of(&Flags::default()).settings(), Settings::default());
        assert_eq!(format!("{settings:?}"), format!("{untouched:?}"));
    }

    #[test]
    fn a_flag_comes_before_the_default_and_is_named() {
        let settle_delay = Some(Duration::from_secs(90));
        let tuning =
            Tuning::of(&Flags { settle_delay, verify_budget: Some(50.0), ..Flags::default() });
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
