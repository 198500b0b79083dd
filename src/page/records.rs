//! The records behind a figure, a screen of them at a time, the latest first.

use super::answer::{Answer, AnswerRow, Value};
use super::ask::Ask;
use super::link::{address, to_record};
use super::policy::STYLE;
use super::text;
use crate::domain::{Status, Timestamp, Zone};
use crate::render::on_one_line;
use crate::store::file::{Reader, StoreError};
use crate::store::reports::{Arguments, Report};
use askama::Template;
use std::borrow::Cow;
use std::io::{self, Write};
use std::time::Duration;

/// The report that shows records.
const REPORT: &str = "records";

/// So many are shown where nothing else is asked for: the default of the report.
const USUALLY: usize = 100;

/// What an address says of where a screen begins.
const CURSOR: [&str; 2] = ["before", "before_id"];

/// What the form has a field for, and what a form that is sent anew leaves out.
const FIELDS: [&str; 8] =
    ["since", "until", "function", "status", "tz", "which", CURSOR[0], CURSOR[1]];

/// What narrows the page that tells a period as well.
const OF_THE_PAGE: [&str; 4] = ["since", "until", "function", "tz"];

/// A screen of records.
#[derive(Debug)]
pub(crate) struct Records {
    answer: Answer,
    zone: Zone,
    /// What the address says, as it was given.
    given: Vec<(String, String)>,
}

#[derive(Debug, Template)]
#[template(path = "records.html")]
struct RecordsPage<'a> {
    style: &'static str,
    archive: &'a str,
    about: String,
    /// What the form shows.
    since: &'a str,
    until: &'a str,
    function: &'a str,
    status: &'a str,
    zone: String,
    is_failed_only: bool,
    statuses: Vec<&'static str>,
    /// What the form has no field for, and keeps.
    kept: Vec<(&'a str, &'a str)>,
    shape: Option<Cow<'a, str>>,
    without_shape: String,
    /// Whether there is a screen before this one.
    is_further: bool,
    rows: Vec<RowView>,
    next: Option<String>,
    page: String,
    json: String,
}

#[derive(Debug)]
struct RowView {
    id: String,
    href: String,
    started: String,
    function: String,
    status: String,
    class: &'static str,
    took: String,
    code: String,
    message: String,
}

impl Records {
    /// Asks for a screen of them.
    pub(crate) fn load(
        reader: &mut Reader,
        arguments: &Arguments,
        given: Vec<(String, String)>,
        limit: Duration,
    ) -> Result<Self, StoreError> {
        let ask = Ask {
            id: REPORT,
            report: REPORT,
            own: Vec::new(),
            range: None,
            is_of_functions: true,
            kept: None,
        };
        let report = Report::find(REPORT).ok_or(StoreError::Empty)?;
        let mut question = reader.ask(report, arguments, limit)?;
        let answer = Answer::read(ask, &mut question, |_| true)?;
        Ok(Self { answer, zone: arguments.zone, given })
    }

    /// Writes the screen.
    pub(crate) fn write(&self, archive: &str, out: &mut dyn Write) -> io::Result<()> {
        let page = self.page(archive).render().map_err(io::Error::other)?;
        out.write_all(page.as_bytes())
    }

    fn page<'a>(&'a self, archive: &'a str) -> RecordsPage<'a> {
        let functions: Vec<&str> = self.all("function").collect();
        // The field shows one function; others are kept beside it.
        let (function, beside) = match functions.split_last() {
            Some((last, rest)) => (*last, rest),
            None => ("", &[][..]),
        };
        let beside = beside.iter().map(|name| ("function", *name));
        RecordsPage {
            style: STYLE,
            archive,
            about: match &functions[..] {
                [] => "all functions".to_owned(),
                some => on_one_line(&some.join(", ")).into_owned(),
            },
            since: self.last("since").unwrap_or_default(),
            until: self.last("until").unwrap_or_default(),
            function,
            status: self.last("status").unwrap_or_default(),
            zone: self.zone.to_string(),
            is_failed_only: self.last("which") == Some("failed"),
            statuses: Status::KNOWN.iter().map(Status::as_str).collect(),
            kept: beside.chain(self.others(&FIELDS)).collect(),
            shape: self.last("shape").map(on_one_line),
            without_shape: self.but(&["shape", "code", "before", "before_id"], "/records"),
            is_further: CURSOR.iter().any(|name| self.last(name).is_some()),
            rows: self.answer.rows().map(|row| RowView::of(row, self.zone)).collect(),
            next: self.next(),
            page: address("/", self.given().filter(|(name, _)| OF_THE_PAGE.contains(name))),
            json: self.but(&[], "/api/records.json"),
        }
    }

    /// The address of the screen behind this one, where this one is full.
    fn next(&self) -> Option<String> {
        let limit = self.last("limit").and_then(|limit| limit.parse().ok()).unwrap_or(USUALLY);
        let last = self.answer.rows().last().filter(|_| self.answer.len() >= limit)?;
        let before = [("before", last.text("start_time")), ("before_id", last.text("request_id"))];
        let others = self.others(&CURSOR).chain(before);
        Some(address("/records", others))
    }

    fn given(&self) -> impl Iterator<Item = (&str, &str)> {
        self.given.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.given().filter(move |(known, _)| *known == name).map(|(_, value)| value)
    }

    fn last(&self, name: &str) -> Option<&str> {
        self.all(name).last()
    }

    fn others<'a>(&'a self, left_out: &'a [&'a str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.given().filter(|(name, _)| !left_out.contains(name))
    }

    /// An address with all that is given but this.
    fn but(&self, left_out: &[&str], path: &str) -> String {
        address(path, self.others(left_out))
    }
}

impl RowView {
    fn of(row: AnswerRow<'_>, zone: Zone) -> Self {
        let id = row.text("request_id");
        let started = row.text("start_time");
        let seconds = match row.value("seconds") {
            Value::Integer(seconds) => text::seconds(*seconds),
            _ => "–".to_owned(),
        };
        Self {
            id: id.to_owned(),
            href: to_record(id, zone),
            started: moment(started, zone),
            function: row.text("function").to_owned(),
            status: row.text("status").to_owned(),
            class: class_of(row.text("status")),
            took: seconds,
            code: row.value("error_code").raw(),
            message: row.text("error_message").to_owned(),
        }
    }
}

/// A time as clocks of the zone show it; as it is where it is none.
pub(super) fn moment(text: &str, zone: Zone) -> String {
    text.parse::<Timestamp>().map_or_else(|_| text.to_owned(), |at| text::second(at, zone))
}

/// The look of a status.
pub(super) fn class_of(status: &str) -> &'static str {
    match Status::parse(status) {
        Status::Wait => "wait",
        Status::Running => "running",
        Status::Success => "success",
        Status::Fail => "fail",
        Status::Discard => "discard",
        Status::Other(_) => "other",
    }
}
