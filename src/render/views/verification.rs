//! How settled windows compare with what the service shows now, and how much a settle delay
//! catches.

use super::ranges::{UnprovenRangeView, name_among};
use crate::domain::{Cell, RequestId};
use crate::render::{Renderer, Screen, Style, on_one_line};
use crate::store::reports::Settling;
use crate::store::write::{Comparison, Discrepancy};
use crate::sync::{FunctionReport, RunReport};
use serde::Serialize;
use std::io::{self, Write};
use std::time::Duration;

/// So many findings are named on a screen; JSON names more.
const MOST_SHOWN: usize = 20;

/// What `verify --json` prints.
#[derive(Debug, Default, Serialize)]
pub(crate) struct VerificationView<'a> {
    discrepancies: u64,
    exit_code: u8,
    failed: Vec<FailedView<'a>>,
    outcome: &'static str,
    requests: u64,
    run: i64,
    settle_delay_for_99_9_pct_s: Option<i64>,
    settling: Vec<SettlingView>,
    windows: Vec<WindowView<'a>>,
}

/// A function that could not be verified whole.
#[derive(Debug, Serialize)]
struct FailedView<'a> {
    error: Option<String>,
    function: String,
    unproven: Vec<UnprovenRangeView<'a>>,
}

#[derive(Debug, Serialize)]
struct SettlingView {
    caught_pct: f64,
    missed: i64,
    settle_delay_s: i64,
}

#[derive(Debug, Serialize)]
struct WindowView<'a> {
    begin_time: String,
    changed: u64,
    end_time: String,
    findings: Vec<FindingView<'a>>,
    forgotten: u64,
    function: Option<String>,
    gone: u64,
    late: u64,
    records: u64,
    verified_at: String,
}

#[derive(Debug, Serialize)]
struct FindingView<'a> {
    finding: &'static str,
    request_id: &'a str,
}

impl<'a> VerificationView<'a> {
    pub(crate) fn of(report: &'a RunReport, settling: &[Settling]) -> Self {
        Self {
            discrepancies: report.discrepancies(),
            exit_code: report.exit_code(),
            failed: report.functions().filter_map(FailedView::of).collect(),
            outcome: report.outcome(),
            requests: report.counts().requests.sent,
            run: report.run.number(),
            settle_delay_for_99_9_pct_s: enough(settling).map(|settling| settling.settle_delay_s),
            settling: settling.iter().map(SettlingView::of).collect(),
            windows: report
                .verified()
                .map(|window| WindowView::of(urn_of(report, window), window))
                .collect(),
        }
    }
}

fn urn_of(report: &RunReport, window: &Comparison) -> Option<String> {
    report
        .functions()
        .find(|function| function.id == window.function)
        .map(|found| found.urn.to_string())
}

/// The least delay that would have caught enough.
fn enough(settling: &[Settling]) -> Option<&Settling> {
    settling.iter().find(|settling| settling.is_enough)
}

impl<'a> FailedView<'a> {
    fn of(function: &'a FunctionReport) -> Option<Self> {
        let FunctionReport { urn, unproven, failure, .. } = function;
        let ranges = unproven.iter().map(|(range, reason)| UnprovenRangeView::of(range, reason));
        (failure.is_some() || !unproven.is_empty()).then(|| Self {
            error: failure.as_ref().map(ToString::to_string),
            function: urn.to_string(),
            unproven: ranges.collect(),
        })
    }
}

impl SettlingView {
    fn of(settling: &Settling) -> Self {
        let Settling { settle_delay_s, caught_pct, missed, .. } = *settling;
        Self { caught_pct, missed, settle_delay_s }
    }
}

impl<'a> WindowView<'a> {
    fn of(function: Option<String>, window: &'a Comparison) -> Self {
        Self {
            begin_time: window.window.begin().to_string(),
            changed: window.changed,
            end_time: window.window.end().to_string(),
            findings: window.named.iter().map(FindingView::of).collect(),
            forgotten: window.forgotten,
            function,
            gone: window.gone,
            late: window.late,
            records: window.records,
            verified_at: window.verified_at.to_string(),
        }
    }
}

impl<'a> FindingView<'a> {
    fn of((discrepancy, id): &'a (Discrepancy, RequestId)) -> Self {
        Self { finding: word(*discrepancy), request_id: id.as_str() }
    }
}

fn word(discrepancy: Discrepancy) -> &'static str {
    match discrepancy {
        Discrepancy::Late => "late",
        Discrepancy::Changed => "changed",
        Discrepancy::Gone => "gone",
    }
}

/// A table of the functions, the records that were otherwise, and which delay would have caught the
/// late ones.
pub(crate) fn write_verification(
    report: &RunReport,
    settling: &[Settling],
    screen: Screen,
    out: &mut dyn Write,
) -> io::Result<()> {
    write_functions(report, screen, out)?;
    write_findings(report, out)?;
    // Where nothing could be verified, the advice would look like what came of it.
    if report.verified().next().is_none() { Ok(()) } else { write_settling(settling, screen, out) }
}

fn write_functions(report: &RunReport, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let columns = ["function", "windows", "records", "late", "changed", "gone", "forgotten"];
    let mut renderer = Renderer::begin(Style::table(screen), &columns.map(str::to_owned), out)?;
    for function in report.functions().filter(|function| function.gone.is_none()) {
        let windows = || report.verified().filter(|window| window.function == function.id);
        let sum = |count: fn(&Comparison) -> u64| integer(windows().map(count).sum());
        renderer.row(&[
            Cell::Text(name_among(report.sources.len(), &function.urn).into()),
            integer(windows().count() as u64),
            sum(|window| window.records),
            sum(|window| window.late),
            sum(|window| window.changed),
            sum(|window| window.gone),
            sum(|window| window.forgotten),
        ])?;
    }
    renderer.finish()
}

fn integer(count: u64) -> Cell<'static> {
    Cell::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}

fn write_findings(report: &RunReport, out: &mut dyn Write) -> io::Result<()> {
    let named = || report.verified().flat_map(|window| &window.named);
    for (discrepancy, id) in named().take(MOST_SHOWN) {
        writeln!(out, "{:<8} {}", word(*discrepancy), on_one_line(id.as_str()))?;
    }
    let more = named().count().saturating_sub(MOST_SHOWN);
    if more > 0 { writeln!(out, "… and {more} more (--json names them)") } else { Ok(()) }
}

fn write_settling(settling: &[Settling], screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let Some(enough) = enough(settling) else {
        return writeln!(
            out,
            "\nno record was seen young enough to tell how late the service shows them"
        );
    };
    if settling.first().is_some_and(|none| none.missed == 0) {
        return writeln!(
            out,
            "\nevery record was shown to the first walk of its time: any settle delay would do"
        );
    }
    let columns = ["settle_delay", "caught_pct", "missed"];
    writeln!(out)?;
    let mut renderer = Renderer::begin(Style::table(screen), &columns.map(str::to_owned), out)?;
    let all_caught =
        settling.iter().position(|settling| settling.missed == 0).unwrap_or(settling.len());
    for Settling { settle_delay_s, caught_pct, missed, .. } in settling.iter().take(all_caught + 1)
    {
        let delay = Cell::Text(length(*settle_delay_s).into());
        renderer.row(&[delay, Cell::Real(*caught_pct), Cell::Integer(*missed)])?;
    }
    renderer.finish()?;
    writeln!(
        out,
        "\na settle delay of {} would have caught 99.9 % of the records",
        length(enough.settle_delay_s)
    )
}

fn length(seconds: i64) -> String {
    humantime::format_duration(Duration::from_secs(seconds.unsigned_abs())).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tests::json_line;
    use pretty_assertions::assert_eq;

    #[test]
    fn the_json_of_a_verification_stays_as_it_is() {
        let window = WindowView {
            begin_time: "b".to_owned(),
            changed: 1,
            end_time: "e".to_owned(),
            findings: vec![FindingView { finding: word(Discrepancy::Late), request_id: "r" }],
            forgotten: 2,
            function: Some("u".to_owned()),
            gone: 3,
            late: 4,
            records: 5,
            verified_at: "v".to_owned(),
        };
        let settling =
            Settling { settle_delay_s: 900, caught_pct: 99.95, missed: 1, is_enough: true };
        let view = VerificationView {
            discrepancies: 8,
            exit_code: 7,
            failed: vec![FailedView {
                error: Some("x".to_owned()),
                function: "u".to_owned(),
                unproven: Vec::new(),
            }],
            outcome: "found",
            requests: 9,
            run: 10,
            settle_delay_for_99_9_pct_s: Some(900),
            settling: vec![SettlingView::of(&settling)],
            windows: vec![window],
        };
        assert_eq!(
            json_line(&view),
            "{\"discrepancies\":8,\"exit_code\":7,\"failed\":[{\"error\":\"x\",\"function\":\"u\",\
             \"unproven\":[]}],\"outcome\":\"found\",\"requests\":9,\"run\":10,\
             \"settle_delay_for_99_9_pct_s\":900,\"settling\":[{\"caught_pct\":99.95,\"missed\":1,\
             \"settle_delay_s\":900}],\"windows\":[{\"begin_time\":\"b\",\"changed\":1,\
             \"end_time\":\"e\",\
             \"findings\":[{\"finding\":\"late\",\"request_id\":\"r\"}],\"forgotten\":2,\
             \"function\":\"u\",\
             \"gone\":3,\"late\":4,\"records\":5,\"verified_at\":\"v\"}]}\n"
        );
        assert_eq!(
            json_line(&VerificationView::default()),
            "{\"discrepancies\":0,\"exit_code\":0,\"failed\":[],\"outcome\":\"\",\"requests\":0,\
             \"run\":0,\"settle_delay_for_99_9_pct_s\":null,\"settling\":[],\"windows\":[]}\n"
        );
    }
}
