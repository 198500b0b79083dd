//! One question that the page asks, and how a person asks the same.

use super::kept::Kept;
use super::subject::Subject;
use crate::domain::{Interval, Zone};
use crate::render::shell_word;
use std::fmt::Write as _;

/// A report with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ask {
    /// What figures name it by, unique on the page.
    pub(super) id: &'static str,
    /// The report.
    pub(super) report: &'static str,
    /// Its own parameters.
    pub(super) own: Vec<(&'static str, &'static str)>,
    /// From when to when.
    pub(super) range: Option<Interval>,
    /// Whether the report is about functions, so that some may be chosen.
    pub(super) is_of_functions: bool,
    /// What addresses keep, on a page whose figures lead to their records.
    pub(super) kept: Option<Kept>,
}

impl Ask {
    /// A question about the whole period.
    pub(super) fn new(id: &'static str, report: &'static str, subject: &Subject) -> Self {
        let (range, kept) = (Some(subject.period), subject.kept());
        Self { id, report, own: Vec::new(), range, is_of_functions: true, kept }
    }

    /// The same with a parameter of the report's own.
    pub(super) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.own.push((name, value));
        self
    }

    /// The same about another range.
    pub(super) fn during(mut self, range: Option<Interval>) -> Self {
        self.range = range;
        self
    }

    /// The same of a report that is not about functions.
    pub(super) fn of_no_function(mut self) -> Self {
        self.is_of_functions = false;
        self
    }

    /// The command that answers the same.
    pub(super) fn command(&self, subject: &Subject) -> String {
        let mut line = format!("fgarchive query {}", self.report);
        // Writing to a string cannot fail.
        for (name, value) in &self.own {
            let _ = write!(line, " --param {}", shell_word(&format!("{name}={value}")));
        }
        if let Some(range) = self.range {
            let _ = write!(line, " --since {} --until {}", range.begin(), range.end());
        }
        for function in subject.functions.iter().filter(|_| self.is_of_functions) {
            let _ = write!(line, " --function {}", shell_word(function));
        }
        if subject.zone != Zone::UTC {
            let _ = write!(line, " --tz {}", subject.zone);
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use pretty_assertions::assert_eq;

    fn subject(zone: &str, functions: &[&str]) -> Subject {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let range = (Some(at("2026-02-01T00:00:00Z")), Some(at("2026-03-01T00:00:00Z")));
        let functions = functions.iter().map(|name| (*name).to_owned()).collect();
        let now = at("2026-03-01T12:00:00Z");
        Subject::new(now, zone.parse().unwrap(), range, functions, String::new()).unwrap()
    }

    #[test]
    fn a_command_asks_the_same() {
        let plain = subject("UTC", &[]);
        let range = "--since 2026-02-01T00:00:00Z --until 2026-03-01T00:00:00Z";
        let summary = Ask::new("s", "summary", &plain);
        assert_eq!(summary.command(&plain), format!("fgarchive query summary {range}"));
        let narrow = subject("Europe/Berlin", &["billing:*", "it's"]);
        let ask = Ask::new("t", "throughput", &narrow).with("bucket", "day");
        assert_eq!(
            ask.command(&narrow),
            format!(
                "fgarchive query throughput --param bucket=day {range} --function 'billing:*' \
                 --function 'it'\\''s' --tz Europe/Berlin"
            )
        );
        let before = summary.during(plain.before()).command(&plain);
        assert!(before.ends_with("--since 2026-01-04T00:00:00Z --until 2026-02-01T00:00:00Z"));
        let runs = Ask::new("r", "runs", &narrow).during(None).of_no_function();
        assert_eq!(runs.command(&narrow), "fgarchive query runs --tz Europe/Berlin");
    }
}
