//! What a run would ask.

use super::ranges::{RangeView, name_among};
use crate::domain::counted;
use crate::render::on_one_line;
use crate::sync::Preview;
use serde::Serialize;
use std::io::{self, Write};

/// What `sync --dry-run --json` prints.
#[derive(Debug, Serialize)]
pub(crate) struct PreviewsView {
    functions: Vec<PreviewView>,
    requests: u64,
}

#[derive(Debug, Serialize)]
struct PreviewView {
    error: Option<String>,
    expected_records: Option<u64>,
    pending: Vec<RangeView>,
    requests: u64,
    urn: String,
}

impl PreviewsView {
    pub(crate) fn of(previews: &[Preview]) -> Self {
        let requests = previews.iter().map(|preview| preview.requests).sum();
        Self { functions: previews.iter().map(PreviewView::of).collect(), requests }
    }
}

impl PreviewView {
    fn of(preview: &Preview) -> Self {
        Self {
            error: preview.failure.as_ref().map(ToString::to_string),
            expected_records: preview.expected_records,
            pending: preview.pending.iter().map(RangeView::of).collect(),
            requests: preview.requests,
            urn: preview.urn.to_string(),
        }
    }
}

/// Each function with the windows that would be walked, where a run asks so many sources.
pub(crate) fn write_previews(
    previews: &[Preview],
    sources: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    previews
        .iter()
        .try_for_each(|preview| write_preview(&name_among(sources, &preview.urn), preview, out))
}

fn write_preview(name: &str, preview: &Preview, out: &mut dyn Write) -> io::Result<()> {
    let Preview { pending, expected_records, requests, failure, .. } = preview;
    let records = expected_records.map_or_else(
        || "an unknown number of records".to_owned(),
        |records| format!("about {}", counted(records, "record")),
    );
    let requests = counted(*requests, "request");
    writeln!(out, "{}: {records}, about {requests}", on_one_line(name))?;
    if let Some(failure) = failure {
        writeln!(out, "  could not be asked: {}", on_one_line(&failure.to_string()))?;
    }
    pending.iter().try_for_each(|window| writeln!(out, "  {window}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Interval;
    use crate::render::tests::json_line;
    use pretty_assertions::assert_eq;

    #[test]
    fn the_json_of_a_preview_stays_as_it_is() {
        let moment = |text: &str| text.parse().unwrap();
        let pending =
            Interval::new(moment("2026-03-01T00:00:00Z"), moment("2026-03-02T00:00:00Z")).unwrap();
        let known = Preview {
            urn: "urn:fss:cn-north-4:p1:function:default:f".parse().unwrap(),
            pending: vec![pending],
            expected_records: Some(700),
            requests: 3,
            failure: None,
        };
        let unknown =
            Preview { pending: Vec::new(), expected_records: None, requests: 0, ..known.clone() };
        assert_eq!(
            json_line(&PreviewsView::of(&[known, unknown])),
            "{\"functions\":[{\"error\":null,\"expected_records\":700,\
             \"pending\":[{\"begin_time\":\"2026-03-01T00:00:00Z\",\
             \"end_time\":\"2026-03-02T00:00:00Z\"}],\
             \"requests\":3,\"urn\":\"urn:fss:cn-north-4:p1:function:default:f\"},\
             {\"error\":null,\"expected_records\":null,\"pending\":[],\"requests\":0,\
             \"urn\":\"urn:fss:cn-north-4:p1:function:default:f\"}],\"requests\":3}\n"
        );
        assert_eq!(json_line(&PreviewsView::of(&[])), "{\"functions\":[],\"requests\":0}\n");
    }
}
