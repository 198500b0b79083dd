//! What a run left for a program that looks later: the run, or why there was none.

use super::RunView;
use crate::domain::Timestamp;
use crate::error::Failure;
use crate::sync::RunReport;
use serde::Serialize;

/// The form of the file; raised when a field goes or changes its meaning.
const VERSION: u32 = 1;

/// What `sync --summary-file` writes.
#[derive(Debug, Default, Serialize)]
pub(crate) struct SummaryView<'a> {
    ended_at: String,
    error: Option<String>,
    exit_code: u8,
    /// What `sync --json` prints; nothing where the run could not begin.
    run: Option<RunView<'a>>,
    started_at: String,
    version: u32,
}

impl<'a> SummaryView<'a> {
    pub(crate) fn of(
        [started_at, ended_at]: [Timestamp; 2],
        report: Result<&'a RunReport, &Failure>,
    ) -> Self {
        let failed = report.as_ref().err().map(ToString::to_string);
        Self {
            ended_at: ended_at.to_string(),
            error: failed.or_else(|| Some(report.ok()?.failure()?.to_string())),
            exit_code: match report {
                Ok(report) => report.exit_code(),
                Err(failure) => failure.kind.exit_code(),
            },
            run: report.ok().map(RunView::of),
            started_at: started_at.to_string(),
            version: VERSION,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::FailureKind;
    use crate::render::tests::json_line;
    use pretty_assertions::assert_eq;

    #[test]
    fn the_json_of_a_summary_stays_as_it_is() {
        let at = |text: &str| text.parse().unwrap();
        let failure = Failure::new(FailureKind::Busy, "another run holds it");
        let times = [at("2026-03-01T12:00:00Z"), at("2026-03-01T12:00:01Z")];
        assert_eq!(
            json_line(&SummaryView::of(times, Err(&failure))),
            "{\"ended_at\":\"2026-03-01T12:00:01Z\",\"error\":\"another run holds it\",\
             \"exit_code\":5,\"run\":null,\"started_at\":\"2026-03-01T12:00:00Z\",\"version\":1}\n"
        );
    }
}
