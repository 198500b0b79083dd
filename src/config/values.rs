//! What a value may be, wherever it is given.

use crate::sync::LEAST_RATE;
use std::time::Duration;

/// More requests side by side than this gain nothing from a service that is metered by the minute.
pub const MOST_CONCURRENT: u32 = 64;

pub(super) const PERCENT: f64 = 100.0;

/// Reads how many requests a second may leave.
pub fn parse_rate(text: &str) -> Result<f64, String> {
    check_rate(text.parse().map_err(|_| "it is no number".to_owned())?)
}

pub(super) fn check_rate(rate: f64) -> Result<f64, String> {
    match rate {
        _ if rate.is_nan() => Err("it is no number".to_owned()),
        _ if rate <= 0.0 => Err("must be greater than 0".to_owned()),
        _ if rate.is_infinite() => Err("must be finite".to_owned()),
        _ if rate < LEAST_RATE => Err(format!("must be at least {LEAST_RATE:.7}, once a day")),
        _ => Ok(rate),
    }
}

/// Reads how long something takes: numbers with their units.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let is_negative = text.trim_start().starts_with('-');
    let read = humantime::parse_duration(text);
    read.map_err(|error| if is_negative { "it is negative".to_owned() } else { error.to_string() })
        .map_err(|why| format!("no duration such as 15m or 36h: {why}"))
}

/// Reads how long a request may take.
pub fn parse_timeout(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        Duration::ZERO => Err("no time at all".to_owned()),
        timeout => Ok(timeout),
    }
}

/// Reads a part in percent.
pub fn parse_percent(text: &str) -> Result<f64, String> {
    check_percent(text.parse().map_err(|_| "it is no number".to_owned())?)
}

pub(super) fn check_percent(percent: f64) -> Result<f64, String> {
    if (0.0..=PERCENT).contains(&percent) {
        Ok(percent)
    } else {
        Err("it lies between 0 and 100".to_owned())
    }
}

/// Whether a text has only what an id has.
pub(super) fn is_project(id: &str) -> bool {
    id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
