//! What a run of `sync` did.

use super::ranges::{RangeView, UnprovenRangeView, time};
use crate::domain::Counts;
use crate::sync::{FunctionReport, ListReport, RunReport, SourceReport};
use serde::Serialize;

/// What `sync --json` prints.
#[derive(Debug, Default, Serialize)]
pub(crate) struct RunView<'a> {
    discrepancies: u64,
    error: Option<String>,
    exit_code: u8,
    functions: Vec<FunctionView<'a>>,
    functions_unreadable: u64,
    list: Option<ListView<'a>>,
    outcome: &'static str,
    records_changed: u64,
    records_late: u64,
    records_new: u64,
    records_rejected: u64,
    records_seen: u64,
    requests: u64,
    retries: u64,
    run: i64,
    sources: Vec<SourceView<'a>>,
    throttled: u64,
    windows_verified: usize,
}

/// What came of a project, with its part of the counts.
#[derive(Debug, Default, Serialize)]
struct SourceView<'a> {
    error: Option<String>,
    exit_code: u8,
    functions: usize,
    functions_unreadable: u64,
    list: Option<ListView<'a>>,
    name: &'a str,
    outcome: &'static str,
    records_changed: u64,
    records_late: u64,
    records_new: u64,
    records_rejected: u64,
    records_seen: u64,
    requests: u64,
    retries: u64,
    throttled: u64,
}

/// What came of the list of functions; of what cannot be read the first entries as they came, and
/// how many there are.
#[derive(Debug, Default, Serialize)]
struct ListView<'a> {
    functions: usize,
    proven: bool,
    reason: Option<String>,
    unreadable: u64,
    unreadable_entries: Vec<&'a str>,
}

#[derive(Debug, Default, Serialize)]
struct FunctionView<'a> {
    begin_time: String,
    complete: bool,
    end_time: String,
    error: Option<String>,
    gone_at: Option<String>,
    ledger_ahead: Option<String>,
    lost: Vec<RangeView>,
    unclaimed: Vec<RangeView>,
    unproven: Vec<UnprovenRangeView<'a>>,
    urn: String,
}

impl<'a> RunView<'a> {
    pub(crate) fn of(report: &'a RunReport) -> Self {
        let Counts { requests, records, functions_unreadable, .. } = report.counts();
        Self {
            discrepancies: report.discrepancies(),
            error: report.failure().map(|failure| failure.to_string()),
            exit_code: report.exit_code(),
            functions: report.functions().map(FunctionView::of).collect(),
            functions_unreadable,
            list: report.list().map(ListView::of),
            outcome: report.outcome(),
            records_changed: records.changed,
            records_late: records.late,
            records_new: records.new,
            records_rejected: records.rejected,
            records_seen: records.seen,
            requests: requests.sent,
            retries: requests.retries,
            run: report.run.number(),
            sources: report.sources.iter().map(SourceView::of).collect(),
            throttled: requests.throttled,
            windows_verified: report.verified().count(),
        }
    }
}

impl<'a> SourceView<'a> {
    fn of(source: &'a SourceReport) -> Self {
        let Counts { requests, records, functions_unreadable, .. } = source.counts;
        Self {
            error: source.failure().map(|failure| failure.to_string()),
            exit_code: source.exit_code(),
            functions: source.functions.len(),
            functions_unreadable,
            list: source.list.as_ref().map(ListView::of),
            name: &source.name,
            outcome: source.outcome(),
            records_changed: records.changed,
            records_late: records.late,
            records_new: records.new,
            records_rejected: records.rejected,
            records_seen: records.seen,
            requests: requests.sent,
            retries: requests.retries,
            throttled: requests.throttled,
        }
    }
}

impl<'a> ListView<'a> {
    fn of(list: &'a ListReport) -> Self {
        Self {
            functions: list.functions.len(),
            proven: list.problem.is_none(),
            reason: list.problem.as_ref().map(ToString::to_string),
            unreadable: list.unreadable,
            unreadable_entries: list.rejects.iter().map(|reject| reject.raw.as_str()).collect(),
        }
    }
}

impl<'a> FunctionView<'a> {
    fn of(function: &'a FunctionReport) -> Self {
        let unproven =
            function.unproven.iter().map(|(range, reason)| UnprovenRangeView::of(range, reason));
        Self {
            begin_time: function.begin.to_string(),
            complete: function.is_complete(),
            end_time: function.end.to_string(),
            error: function.failure.as_ref().map(ToString::to_string),
            gone_at: time(function.gone.map(|gone| gone.at)),
            ledger_ahead: time(function.ledger_ahead),
            lost: function.lost.iter().map(RangeView::of).collect(),
            unclaimed: function.unclaimed.iter().map(RangeView::of).collect(),
            unproven: unproven.collect(),
            urn: function.urn.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Interval, RecordCounts, Reject, RequestCounts};
    use crate::render::tests::json_line;
    use pretty_assertions::assert_eq;

    fn day() -> Interval {
        let moment = |text: &str| text.parse().unwrap();
        Interval::new(moment("2026-03-01T00:00:00Z"), moment("2026-03-02T00:00:00Z")).unwrap()
    }

    fn function() -> FunctionView<'static> {
        FunctionView {
            begin_time: day().begin().to_string(),
            complete: false,
            end_time: day().end().to_string(),
            error: Some("e".to_owned()),
            gone_at: Some("g".to_owned()),
            ledger_ahead: Some("l".to_owned()),
            lost: vec![RangeView::of(&day())],
            unclaimed: vec![RangeView::of(&day())],
            unproven: vec![UnprovenRangeView::of(&day(), "why")],
            urn: "u".to_owned(),
        }
    }

    #[test]
    fn the_json_of_a_run_stays_as_it_is() {
        let run = RunView {
            discrepancies: 1,
            error: Some("e".to_owned()),
            exit_code: 3,
            functions: vec![FunctionView::default()],
            functions_unreadable: 2,
            list: Some(ListView::default()),
            outcome: "incomplete",
            records_changed: 4,
            records_late: 5,
            records_new: 6,
            records_rejected: 7,
            records_seen: 8,
            requests: 9,
            retries: 10,
            run: 11,
            sources: vec![SourceView {
                name: "cn-north-4",
                outcome: "denied",
                ..SourceView::default()
            }],
            throttled: 12,
            windows_verified: 13,
        };
        assert_eq!(
            json_line(&run),
            "{\"discrepancies\":1,\"error\":\"e\",\"exit_code\":3,\
             \"functions\":[{\"begin_time\":\"\",\
             \"complete\":false,\"end_time\":\"\",\"error\":null,\"gone_at\":null,\
             \"ledger_ahead\":null,\
             \"lost\":[],\"unclaimed\":[],\"unproven\":[],\"urn\":\"\"}],\
             \"functions_unreadable\":2,\
             \"list\":{\"functions\":0,\"proven\":false,\"reason\":null,\"unreadable\":0,\
             \"unreadable_entries\":[]},\"outcome\":\"incomplete\",\"records_changed\":4,\
             \"records_late\":5,\
             \"records_new\":6,\"records_rejected\":7,\"records_seen\":8,\"requests\":9,\
             \"retries\":10,\
             \"run\":11,\"sources\":[{\"error\":null,\"exit_code\":0,\"functions\":0,\
             \"functions_unreadable\":0,\"list\":null,\"name\":\"cn-north-4\",\
             \"outcome\":\"denied\",\
             \"records_changed\":0,\"records_late\":0,\"records_new\":0,\"records_rejected\":0,\
             \"records_seen\":0,\"requests\":0,\"retries\":0,\"throttled\":0}],\"throttled\":12,\
             \"windows_verified\":13}\n"
        );
        assert_eq!(
            json_line(&RunView::default()),
            "{\"discrepancies\":0,\"error\":null,\"exit_code\":0,\"functions\":[],\
             \"functions_unreadable\":0,\"list\":null,\"outcome\":\"\",\"records_changed\":0,\
             \"records_late\":0,\"records_new\":0,\"records_rejected\":0,\"records_seen\":0,\
             \"requests\":0,\
             \"retries\":0,\"run\":0,\"sources\":[],\"throttled\":0,\"windows_verified\":0}\n"
        );
    }

    /// Each number and word of a source stands under its own name.
    #[test]
    fn the_json_of_a_source_stays_as_it_is() {
        let requests = RequestCounts { sent: 1, retries: 2, throttled: 3 };
        let records = RecordCounts { seen: 4, new: 5, changed: 6, late: 7, rejected: 8 };
        let counts = Counts { requests, records, functions_unreadable: 9, ..Counts::default() };
        let source = SourceReport {
            name: "cn-north-4".into(),
            began_at: day().begin().into(),
            functions: Vec::new(),
            verified: Vec::new(),
            list: Some(ListReport::default()),
            refusal: None,
            is_down: false,
            is_prepared: true,
            stopped: Some(crate::sync::Stopped::Interrupted),
            is_verification: false,
            counts,
        };
        assert_eq!(
            json_line(&SourceView::of(&source)),
            "{\"error\":\"the run was interrupted; what it fetched is \
             kept\",\"exit_code\":130,\"functions\":0,\"functions_unreadable\":9,\
             \"list\":{\"functions\":0,\"proven\":true,\"reason\":null,\"unreadable\":0,\
             \"unreadable_entries\":[]},\"name\":\"cn-north-4\",\"outcome\":\"interrupted\",\
             \"records_changed\":6,\"records_late\":7,\"records_new\":5,\"records_rejected\":8,\
             \"records_seen\":4,\"requests\":1,\"retries\":2,\"throttled\":3}\n"
        );
    }

    #[test]
    fn the_json_of_a_function_and_of_the_list_stays_as_it_is() {
        let range =
            "{\"begin_time\":\"2026-03-01T00:00:00Z\",\"end_time\":\"2026-03-02T00:00:00Z\"";
        assert_eq!(
            json_line(&function()),
            format!(
                "{{\"begin_time\":\"2026-03-01T00:00:00Z\",\"complete\":false,\
                 \"end_time\":\"2026-03-02T00:00:00Z\",\"error\":\"e\",\"gone_at\":\"g\",\
                 \"ledger_ahead\":\"l\",\"lost\":[{range}}}],\"unclaimed\":[{range}}}],\
                 \"unproven\":[{range},\"reason\":\"why\"}}],\"urn\":\"u\"}}\n"
            )
        );
        let rejects = vec![Reject { reason: "no name".to_owned(), raw: "{}".to_owned() }];
        let list = ListReport { unreadable: 1, rejects, ..ListReport::default() };
        assert_eq!(
            json_line(&ListView::of(&list)),
            "{\"functions\":0,\"proven\":true,\"reason\":null,\"unreadable\":1,\
             \"unreadable_entries\":[\"{}\"]}\n"
        );
    }
}
