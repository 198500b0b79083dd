//! What a check-up of the service found.

use crate::domain::{Cell, FunctionUrn};
use crate::render::{Renderer, Screen, Style, on_one_line};
use crate::sync::{Checkup, Finding};
use serde::Serialize;
use std::borrow::Cow;
use std::io::{self, Write};

/// What `doctor --json` prints.
#[derive(Debug, Serialize)]
pub(crate) struct CheckupView<'a> {
    error: Option<String>,
    findings: Vec<FindingView<'a>>,
    probed_at: String,
    requests: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    verdict: &'static str,
}

#[derive(Debug, Serialize)]
struct FindingView<'a> {
    answer: &'a str,
    evidence: &'a str,
    function_urn: Option<String>,
    hint: Option<&'a str>,
    question: &'a str,
    verdict: &'static str,
}

impl<'a> CheckupView<'a> {
    /// `source` is the name of what was looked at, where others are as well.
    pub(crate) fn of(checkup: &'a Checkup, source: Option<&'a str>) -> Self {
        Self {
            source,
            error: checkup.failure.as_ref().map(ToString::to_string),
            findings: checkup.findings.iter().map(FindingView::of).collect(),
            probed_at: checkup.at.to_string(),
            requests: checkup.requests,
            verdict: checkup.verdict().as_str(),
        }
    }
}

impl<'a> FindingView<'a> {
    fn of((function, finding): &'a (Option<FunctionUrn>, Finding)) -> Self {
        Self {
            answer: &finding.answer,
            evidence: &finding.evidence,
            function_urn: function.as_ref().map(ToString::to_string),
            hint: finding.hint,
            question: &finding.question,
            verdict: finding.verdict.as_str(),
        }
    }
}

/// A table of what was found, and each next step once.
pub(crate) fn write_checkup(
    checkup: &Checkup,
    screen: Screen,
    out: &mut dyn Write,
) -> io::Result<()> {
    let columns = ["verdict", "question", "answer", "function", "evidence"];
    let mut renderer = Renderer::begin(Style::table(screen), &columns.map(str::to_owned), out)?;
    for (function, finding) in &checkup.findings {
        renderer.row(&[
            Cell::Text(finding.verdict.as_str().into()),
            Cell::Text(Cow::Borrowed(&finding.question)),
            Cell::Text(Cow::Borrowed(&finding.answer)),
            name(function.as_ref()),
            Cell::Text(Cow::Borrowed(&finding.evidence)),
        ])?;
    }
    renderer.finish()?;
    let mut told: Vec<&str> = Vec::new();
    for (_, Finding { question, hint, .. }) in &checkup.findings {
        if let Some(hint) = hint.filter(|hint| !told.contains(hint)) {
            told.push(hint);
            writeln!(out, "\nhint: {}: {hint}", on_one_line(question))?;
        }
    }
    Ok(())
}

fn name(function: Option<&FunctionUrn>) -> Cell<'static> {
    function.map_or(Cell::Null, |urn| Cell::Text(urn.full_name().into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::render::tests::json_line;
    use crate::sync::Verdict;
    use pretty_assertions::assert_eq;

    #[test]
    fn the_json_of_a_check_up_stays_as_it_is() {
        let at: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let urn: FunctionUrn = "urn:fss:cn-north-4:p1:function:default:f".parse().unwrap();
        let clock = Finding::new("clock", Verdict::Warning, "slow", "a date").hint("set it");
        let findings = vec![
            (Some(urn), clock),
            (None, Finding::new("region", Verdict::Ok, "is", "an answer")),
        ];
        assert_eq!(
            json_line(&CheckupView::of(
                &Checkup { findings, failure: None, requests: 61, at },
                None
            )),
            "{\"error\":null,\"findings\":[{\"answer\":\"slow\",\"evidence\":\"a \
             date\",\"function_urn\":\"urn:fss:cn-north-4:p1:function:default:f\",\"hint\":\"set \
             it\",\"question\":\"clock\",\"verdict\":\"warning\"},{\"answer\":\"is\",\
             \"evidence\":\"an \
             answer\",\"function_urn\":null,\"hint\":null,\"question\":\"region\",\
             \"verdict\":\"ok\"}],\"probed_at\":\"2026-03-01T12:00:00Z\",\"requests\":61,\
             \"verdict\":\"warning\"}\n"
        );
        assert_eq!(
            json_line(&CheckupView::of(
                &Checkup { findings: Vec::new(), failure: None, requests: 0, at },
                Some("shop")
            )),
            "{\"error\":null,\"findings\":[],\"probed_at\":\"2026-03-01T12:00:00Z\",\"requests\":0,\
             \"source\":\"shop\",\"verdict\":\"ok\"}\n"
        );
    }
}
