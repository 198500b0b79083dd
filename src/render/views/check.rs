//! What a check of the archive found.

use crate::render::on_one_line;
use crate::store::maintain::{Finding, Repair};
use serde::Serialize;
use std::io::{self, Write};

/// So many places of a finding are shown to people; the first tell what is wrong.
const MOST_SHOWN: usize = 5;

/// Puts a repair into words, which name the options of the program that shows them.
type RepairWords = fn(Repair) -> &'static str;

/// What `check --json` prints.
#[derive(Debug, Serialize)]
pub(crate) struct CheckView<'a> {
    findings: Vec<FindingView<'a>>,
    ok: bool,
}

#[derive(Debug, Serialize)]
struct FindingView<'a> {
    count: u64,
    message: &'a str,
    places: &'a [String],
    repair: &'a str,
    rule: &'a str,
}

impl<'a> CheckView<'a> {
    /// The findings, each with its repair in words.
    pub(crate) fn of(findings: &'a [Finding], repair: RepairWords) -> Self {
        let views = findings.iter().map(|finding| FindingView::of(finding, repair(finding.repair)));
        Self { findings: views.collect(), ok: findings.is_empty() }
    }
}

impl<'a> FindingView<'a> {
    fn of(finding: &'a Finding, repair: &'a str) -> Self {
        let Finding { rule, message, count, places, .. } = finding;
        Self { count: *count, message, places, repair, rule }
    }
}

/// What `check --accept --json` prints.
#[derive(Debug, Serialize)]
pub(crate) struct AcceptedView<'a> {
    accepted: &'a [String],
}

impl<'a> AcceptedView<'a> {
    /// The days whose records were noted as they are.
    pub(crate) fn of(days: &'a [String]) -> Self {
        Self { accepted: days }
    }
}

/// Each finding with its places and what to do.
pub(crate) fn write_findings(
    findings: &[Finding],
    repair: RepairWords,
    out: &mut dyn Write,
) -> io::Result<()> {
    if findings.is_empty() {
        return writeln!(out, "ok");
    }
    for finding in findings {
        writeln!(out, "{}: {} ({})", finding.rule, finding.message, finding.count)?;
        for place in finding.places.iter().take(MOST_SHOWN) {
            writeln!(out, "  {}", on_one_line(place))?;
        }
        match finding.count.saturating_sub(MOST_SHOWN as u64) {
            0 => {}
            more => writeln!(out, "  … and {more} more; --json names them")?,
        }
        writeln!(out, "  repair: {}", repair(finding.repair))?;
    }
    Ok(())
}

/// The days whose records were noted as they are.
pub(crate) fn write_accepted(days: &[String], out: &mut dyn Write) -> io::Result<()> {
    if days.is_empty() {
        return writeln!(out, "nothing to accept: the records are as they were written");
    }
    days.iter().try_for_each(|day| writeln!(out, "accepted {}", on_one_line(day)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tests::json_line;
    use pretty_assertions::assert_eq;

    #[test]
    fn the_json_of_a_check_stays_as_it_is() {
        let places = vec!["row 1".to_owned(), "row 2".to_owned()];
        let finding =
            Finding { rule: "r", message: "m", count: 2, places, repair: Repair::CompareDays };
        assert_eq!(
            json_line(&CheckView::of(&[finding], |_| "do")),
            "{\"findings\":[{\"count\":2,\"message\":\"m\",\"places\":[\"row 1\",\"row 2\"],\
             \"repair\":\"do\",\"rule\":\"r\"}],\"ok\":false}\n"
        );
        assert_eq!(json_line(&CheckView::of(&[], |_| "do")), "{\"findings\":[],\"ok\":true}\n");
    }

    #[test]
    fn the_json_of_what_was_accepted_stays_as_it_is() {
        let days = ["2026-03-01 of `f`".to_owned()];
        assert_eq!(json_line(&AcceptedView::of(&days)), "{\"accepted\":[\"2026-03-01 of `f`\"]}\n");
        assert_eq!(json_line(&AcceptedView::of(&[])), "{\"accepted\":[]}\n");
    }
}
