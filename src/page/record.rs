//! One record: all that is known of it, and how it came to its status.

use super::link::{address, named};
use super::policy::STYLE;
use super::records::{class_of, moment};
use super::text;
use crate::domain::{Cell, Zone};
use crate::render::on_one_line;
use crate::store::file::{Reader, StoreError};
use crate::store::reports::{Arguments, Report};
use askama::Template;
use std::borrow::Cow;
use std::io::{self, Write};
use std::time::Duration;

/// So many characters of a text are shown; JSON has the rest.
const MOST_CHARACTERS: usize = 20_000;

/// A record with its history.
#[derive(Debug)]
pub(crate) struct Record {
    id: String,
    zone: Zone,
    /// Columns and values of the report `record`.
    fields: Vec<(String, String)>,
    /// The same of each row of `transitions`.
    steps: Vec<Vec<(String, String)>>,
}

#[derive(Debug, Template)]
#[template(path = "record.html")]
struct RecordPage<'a> {
    style: &'static str,
    id: Cow<'a, str>,
    function: &'a str,
    zone: String,
    fields: Vec<FieldView>,
    steps: Vec<StepView>,
    records: String,
    json: String,
    json_history: String,
}

#[derive(Debug)]
struct FieldView {
    name: String,
    shown: String,
    is_state: bool,
    class: &'static str,
}

#[derive(Debug)]
struct StepView {
    from: String,
    to: String,
    class: &'static str,
    after: String,
    by: String,
    run: String,
    is_believed: bool,
}

impl Record {
    /// Asks for a record by its id; nothing where there is none.
    pub(crate) fn load(
        reader: &mut Reader,
        id: &str,
        arguments: &Arguments,
        limit: Duration,
    ) -> Result<Option<Self>, StoreError> {
        reader.hold_still()?;
        let own = vec![("id".to_owned(), id.to_owned())];
        let arguments = Arguments { own, ..arguments.clone() };
        let mut ask = |report| rows(reader, report, &arguments, limit);
        let Some(fields) = ask("record")?.into_iter().next() else { return Ok(None) };
        let steps = ask("transitions")?;
        Ok(Some(Self { id: id.to_owned(), zone: arguments.zone, fields, steps }))
    }

    /// Writes its page.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let page = self.page().render().map_err(io::Error::other)?;
        out.write_all(page.as_bytes())
    }

    fn page(&self) -> RecordPage<'_> {
        let function = value(&self.fields, "function");
        let by_id = |path| address(path, [("id", self.id.as_str())]);
        RecordPage {
            style: STYLE,
            id: on_one_line(&self.id),
            function,
            zone: self.zone.to_string(),
            fields: self.fields.iter().map(|(name, value)| self.field(name, value)).collect(),
            steps: self.steps.iter().map(|step| self.step(step)).collect(),
            records: address("/records", [("function", function), ("tz", &named(self.zone))]),
            json: by_id("/api/record.json"),
            json_history: by_id("/api/transitions.json"),
        }
    }

    fn field(&self, name: &str, value: &str) -> FieldView {
        let shown = match name {
            _ if value.is_empty() => "–".to_owned(),
            "seconds" => value.parse().map_or_else(|_| value.to_owned(), text::seconds),
            name if name.ends_with("_time") || name.ends_with("_at") => moment(value, self.zone),
            _ => value.to_owned(),
        };
        let is_state = name == "status";
        FieldView { name: name.replace('_', " "), shown, is_state, class: class_of(value) }
    }

    fn step(&self, step: &[(String, String)]) -> StepView {
        let text = |name| value(step, name).to_owned();
        let time = |name| match value(step, name) {
            "" => "–".to_owned(),
            at => moment(at, self.zone),
        };
        let from = value(step, "from_status");
        StepView {
            from: if from.is_empty() { "first seen".to_owned() } else { from.to_owned() },
            to: text("to_status"),
            class: class_of(value(step, "to_status")),
            after: time("after_time"),
            by: time("by_time"),
            run: text("run_id"),
            is_believed: value(step, "accepted") != "0",
        }
    }
}

fn value<'a>(row: &'a [(String, String)], column: &str) -> &'a str {
    row.iter().find(|(name, _)| name == column).map_or("", |(_, value)| value)
}

/// The rows of a report, each value as text with its column.
fn rows(
    reader: &mut Reader,
    report: &str,
    arguments: &Arguments,
    limit: Duration,
) -> Result<Vec<Vec<(String, String)>>, StoreError> {
    let report = Report::find(report).ok_or(StoreError::Empty)?;
    let mut question = reader.ask(report, arguments, limit)?;
    let columns = question.columns().to_vec();
    let mut all = Vec::new();
    let mut rows = question.rows();
    while let Some(row) = rows.next_row()? {
        let values = row.cells().map(|cell| shown(&cell));
        all.push(columns.iter().cloned().zip(values).collect());
    }
    Ok(all)
}

/// A value with its line breaks, and nothing else that a text could do to what stands beside it.
fn shown(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Integer(number) => number.to_string(),
        Cell::Real(number) => number.to_string(),
        Cell::Text(text) => {
            let end = text.char_indices().nth(MOST_CHARACTERS).map(|(end, _)| end);
            let lines = text[..end.unwrap_or(text.len())].split('\n').map(on_one_line);
            let lines = lines.collect::<Vec<_>>().join("\n");
            if end.is_some() { format!("{lines}…") } else { lines }
        }
        Cell::Blob(bytes) => format!("{} bytes", bytes.len()),
    }
}
