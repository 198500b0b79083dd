//! The reports: one `.sql` file each, whose first comment is its help and declares its parameters.
//!
//! The form of that comment: a title line, an explanation, then `param name=default: meaning` lines. `name=a (a|b|c)` allows
//! these values only; a default that is a number makes the parameter one. `:since`, `:until`, `:function` and `:now` need no
//! declaration: a report takes those that its statement uses.

/// A named question.
#[derive(Debug)]
pub struct Report {
    name: &'static str,
    text: &'static str,
}

/// One of a report's own parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// What `--param name=value` calls it.
    pub name: &'static str,
    /// Its value when none is given; nothing where it is empty.
    pub default: &'static str,
    /// The only values it takes; any if empty.
    pub choices: Vec<&'static str>,
    /// What it does.
    pub meaning: &'static str,
}

macro_rules! report {
    ($name:literal) => {
        Report { name: $name, text: include_str!(concat!($name, ".sql")) }
    };
}

/// In the order of `query list`: what happened, then what went wrong, then what the archive knows of itself.
const REPORTS: &[Report] = &[
    report!("summary"),
    report!("throughput"),
    report!("latency"),
    report!("slowest"),
    report!("failures"),
    report!("open"),
    report!("transitions"),
    report!("anomalies"),
    report!("coverage"),
    report!("late"),
    report!("lateness"),
    Report::SETTLING,
    report!("rejects"),
    report!("runs"),
];

impl Report {
    /// How much a settle delay catches, which is also read as values.
    pub(super) const SETTLING: Self = report!("settling");

    /// Every report.
    pub fn all() -> &'static [Self] {
        REPORTS
    }

    /// The report of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        REPORTS.iter().find(|report| report.name == name)
    }

    /// What `query NAME` calls it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The whole file: help and statement.
    pub fn text(&self) -> &'static str {
        self.text
    }

    /// What it answers, in one line.
    pub fn title(&self) -> &'static str {
        self.comment().next().unwrap_or_default()
    }

    /// Its own parameters.
    pub fn parameters(&self) -> Vec<Parameter> {
        self.comment().filter_map(|line| read_parameter(line.strip_prefix("param ")?)).collect()
    }

    /// The lines of the first comment, without their dashes.
    fn comment(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.text.lines().map_while(|line| line.strip_prefix("--")).map(str::trim)
    }
}

/// Reads `name=default: meaning` or `name=default (one|other): meaning`.
fn read_parameter(line: &'static str) -> Option<Parameter> {
    let (declared, meaning) = line.split_once(": ")?;
    let (name, value) = declared.split_once('=')?;
    let (default, choices) = match value.split_once(" (") {
        Some((default, choices)) => (default, choices.strip_suffix(')')?.split('|').collect()),
        None => (value, Vec::new()),
    };
    Some(Parameter { name, default, choices, meaning })
}
