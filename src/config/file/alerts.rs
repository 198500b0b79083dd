//! Who is told, and of what: `[notify]` and the rules `[[alert]]`.

use super::checks::{checked_command, checked_name};
use super::document::{self, Text};
use super::place::{Written, are_alike};
use super::section::{duration, told};
use crate::api::{Endpoint, ListenerAddress, PlainHttp};
use crate::config::origin::{Origin, Setting};
use crate::domain::{BuiltIn, Condition, FunctionPattern, nearest};
use crate::error::Failure;
use std::ops::Range;
use std::time::Duration;
use toml::{Spanned, Value};

/// The report of a rule that names none: what happened, of each function.
const REPORT: &str = "summary";

/// How long no run may have been good until somebody is told.
const MAX_AGE: Duration = Duration::from_hours(2);

/// The most rules: each is a question at the end of every run.
const MOST_RULES: usize = 100;

/// Who is told.
#[derive(Clone, Debug)]
pub struct Notify {
    /// Who is told that a run begins, and how it ended.
    pub ping: Option<Setting<Endpoint>>,
    /// The command that is told of alerts: a program and its arguments.
    pub command: Option<Setting<Vec<String>>>,
    /// The address that is told of alerts.
    pub webhook: Option<Setting<ListenerAddress>>,
    /// How long no run may have been good.
    pub max_age: Setting<Duration>,
    /// Conditions that nobody is told of.
    pub ignore: Option<Setting<Vec<BuiltIn>>>,
}

impl Default for Notify {
    fn default() -> Self {
        let max_age = Setting { value: MAX_AGE, origin: Origin::Default };
        Self { ping: None, command: None, webhook: None, max_age, ignore: None }
    }
}

impl Notify {
    /// Whether there is anybody who is told.
    pub fn is_anybody(&self) -> bool {
        self.ping.is_some() || self.is_of_alerts()
    }

    /// Whether there is anybody who is told of alerts.
    pub fn is_of_alerts(&self) -> bool {
        self.command.is_some() || self.webhook.is_some()
    }

    /// Whether nobody is told of a condition.
    pub fn ignores(&self, condition: BuiltIn) -> bool {
        self.ignore.as_ref().is_some_and(|set| set.value.contains(&condition))
    }

    pub(super) fn read(notify: &document::Notify, written: Written<'_>) -> Result<Self, Failure> {
        let document::Notify { ping, command, webhook, max_age, ignore } = notify;
        let ping = ping.as_ref().map(|it| written.setting("ping", it, |text| ping_address(text)));
        let webhook = webhook.as_ref().map(|it| written.setting("webhook", it, |text| hook(text)));
        let command =
            command.as_ref().map(|it| written.setting("command", it, |argv| checked_command(argv)));
        let max_age = max_age.as_ref().map(|it| written.setting("max_age", it, |it| duration(it)));
        Ok(Self {
            ping: ping.transpose()?,
            command: command.transpose()?,
            webhook: webhook.transpose()?,
            max_age: max_age.transpose()?.unwrap_or(Self::default().max_age),
            ignore: ignore.as_ref().map(|names| ignored(names, written)).transpose()?,
        })
    }
}

/// No secret of ours is sent there: plain http will do.
fn ping_address(text: &str) -> Result<Endpoint, String> {
    Endpoint::parse(text, PlainHttp::Anywhere)
        .map_err(|problem| format!("it cannot be used: {problem}"))
}

fn hook(text: &str) -> Result<ListenerAddress, String> {
    ListenerAddress::parse(text).map_err(|problem| format!("it cannot be used: {problem}"))
}

fn ignored(
    names: &Spanned<Vec<Text>>,
    written: Written<'_>,
) -> Result<Setting<Vec<BuiltIn>>, Failure> {
    let read = |name: &Text| {
        let known = BuiltIn::named(name.get_ref());
        known.ok_or_else(|| no_such_condition(name, written))
    };
    let value = names.get_ref().iter().map(read).collect::<Result<_, _>>()?;
    Ok(Setting { value, origin: written.origin("ignore", &names.span()) })
}

fn no_such_condition(name: &Text, written: Written<'_>) -> Failure {
    let what = format!("`ignore`: there is no condition `{}`", name.get_ref());
    let failure = written.wrong(&name.span(), what);
    let names = BuiltIn::ALL.map(BuiltIn::as_str);
    match nearest(name.get_ref(), names).next().filter(|near| are_alike(name.get_ref(), near)) {
        Some(near) => failure.hint(format!("the nearest is `{near}`")),
        None => failure.hint(format!("the conditions are {}", names.join(", "))),
    }
}

/// A rule: of which answer of a report somebody is told.
#[derive(Clone, Debug)]
pub struct AlertRule {
    /// Its name, unique in the file.
    pub name: String,
    /// What has to hold of a row.
    pub when: Setting<Condition>,
    /// The report.
    pub report: String,
    /// The report's own parameters.
    pub parameters: Vec<(String, String)>,
    /// Of which time the report is asked, until now; of all where there is none.
    pub over: Option<Duration>,
    /// Of which functions it is asked; of all where there are none.
    pub functions: Vec<String>,
    /// Whether only the first row counts.
    pub is_first: bool,
    /// So long it has to hold until somebody is told.
    pub patience: Duration,
    places: Places,
}

/// Where the parts of a rule stand in the file.
#[derive(Clone, Debug)]
struct Places {
    name: Range<usize>,
    when: Range<usize>,
    report: Option<Range<usize>>,
}

/// A part of a rule that turns out to be wrong where the report is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RulePart {
    /// The condition.
    When,
    /// The report, or what it is asked with.
    Report,
}

impl AlertRule {
    pub(super) fn place(&self, part: RulePart) -> &Range<usize> {
        let Places { name, when, report } = &self.places;
        match part {
            RulePart::When => when,
            RulePart::Report => report.as_ref().unwrap_or(name),
        }
    }

    fn read(alert: &document::Alert, written: Written<'_>) -> Result<Self, Failure> {
        let name = written.setting("name", &alert.name, |text| checked_rule_name(text))?.value;
        let when = written.setting("when", &alert.when, |text| text.parse::<Condition>())?;
        let report = alert.report.as_ref();
        let report_name = report.map(|it| written.setting("report", it, |text| told(text)));
        let span = |key, it: &Option<Text>| -> Result<Option<Duration>, Failure> {
            let set = it.as_ref().map(|it| written.setting(key, it, |text| duration(text)));
            Ok(set.transpose()?.map(|set| set.value))
        };
        let rows = alert.rows.as_ref().map(|it| written.setting("rows", it, |text| rows(text)));
        let functions = alert.functions.iter().flatten().map(|it| {
            let check = |text: &String| match text.parse::<FunctionPattern>() {
                _ if text.trim().is_empty() => Err("it is empty".to_owned()),
                Err(why) if FunctionPattern::is_glob(text) => Err(why.to_string()),
                _ => Ok(text.clone()),
            };
            written.setting("functions", it, check).map(|set| set.value)
        });
        Ok(Self {
            name,
            when,
            report: report_name.transpose()?.map_or_else(|| REPORT.to_owned(), |set| set.value),
            parameters: parameters(alert.parameters.as_ref(), written)?,
            over: span("over", &alert.over)?,
            functions: functions.collect::<Result<_, _>>()?,
            is_first: rows.transpose()?.is_some_and(|set| set.value),
            patience: span("for", &alert.patience)?.unwrap_or_default(),
            places: Places {
                name: alert.name.span(),
                when: alert.when.span(),
                report: report.map(Spanned::span),
            },
        })
    }
}

fn checked_rule_name(text: &str) -> Result<String, String> {
    if BuiltIn::named(text).is_some() {
        return Err(format!("`{text}` is a condition of the program's own"));
    }
    checked_name(text)
}

/// Whether only the first row counts.
fn rows(text: &str) -> Result<bool, String> {
    match text {
        "any" => Ok(false),
        "first" => Ok(true),
        _ => Err("it is `any`, a row of which the condition holds, or `first`".to_owned()),
    }
}

fn parameters(
    set: Option<&Spanned<toml::Table>>,
    written: Written<'_>,
) -> Result<Vec<(String, String)>, Failure> {
    let Some(set) = set else { return Ok(Vec::new()) };
    let read = |(name, value): (&String, &Value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            _ => {
                let what = format!("`parameters`: `{name}` is neither a text nor a number");
                return Err(written.wrong(&set.span(), what));
            }
        };
        Ok((name.clone(), text))
    };
    set.get_ref().iter().map(read).collect()
}

pub(super) fn read_rules(
    alerts: &[document::Alert],
    written: Written<'_>,
) -> Result<Vec<AlertRule>, Failure> {
    if let Some(alert) = alerts.get(MOST_RULES) {
        let what = format!("there are more than {MOST_RULES} alerts");
        return Err(written.wrong(&alert.name.span(), what));
    }
    let mut rules: Vec<AlertRule> = Vec::new();
    for alert in alerts {
        let rule = AlertRule::read(alert, written)?;
        if rules.iter().any(|other| other.name == rule.name) {
            let what = format!("two alerts are named `{}`", rule.name);
            return Err(written.wrong(&rule.places.name, what));
        }
        rules.push(rule);
    }
    Ok(rules)
}
