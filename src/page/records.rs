//! The records behind a figure, a screen of them at a time, the latest first.

use super::answer::{Answer, AnswerRow, Value};
use super::ask::Ask;
use super::form_value::FormValue;
use super::link::{address, to_record};
use super::policy::STYLE;
use super::text;
use super::week::DAYS;
use crate::domain::{Status, Timestamp, Zone};
use crate::render::on_one_line;
use crate::store::file::{Reader, StoreError};
use crate::store::reports::{Arguments, Report};
use askama::Template;
use std::io::{self, Write};
use std::time::Duration;

/// The report that shows records.
const REPORT: &str = "records";

/// What an address says of where a screen begins.
const CURSOR: [&str; 2] = ["before", "before_id"];

/// What the form has a field for, and what a form that is sent anew leaves out.
const FIELDS: [&str; 8] =
    ["since", "until", "function", "status", "tz", "which", CURSOR[0], CURSOR[1]];

/// Which records are shown, and how the form calls them.
const WHICH: [(&str, &str); 3] = [("all", "all"), ("failed", "failed"), ("open", "still open")];

/// What narrows the page that tells a period as well.
const OF_THE_PAGE: [&str; 4] = ["since", "until", "function", "tz"];

/// A screen of records.
#[derive(Debug)]
pub(crate) struct Records {
    answer: Answer,
    /// So many are on a screen where nothing else is asked for, as the report declares.
    usually: Option<u64>,
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
    since: FormValue,
    until: FormValue,
    function: FormValue,
    status: FormValue,
    zone: String,
    which: Vec<ChoiceView>,
    statuses: Vec<&'static str>,
    /// What the form has no field for, and keeps.
    kept: Vec<(&'a str, FormValue)>,
    narrowed: Vec<NarrowedView>,
    /// Whether there is a screen before this one.
    is_further: bool,
    rows: Vec<RowView>,
    next: Option<String>,
    page: String,
    json: String,
}

/// A choice of the form.
#[derive(Debug)]
struct ChoiceView {
    value: &'static str,
    name: &'static str,
    is_chosen: bool,
}

/// What narrows the records and has no field in the form.
#[derive(Debug)]
struct NarrowedView {
    /// What is said before the value.
    words: &'static str,
    value: String,
    /// Where the records are without it, and how that is called.
    without: String,
    all: &'static str,
}

#[derive(Debug)]
struct RowView {
    id: String,
    /// Missing where the id is too long for an address.
    href: Option<String>,
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
        let usually = report.usual_limit();
        let mut question = reader.ask(report, arguments, limit)?;
        let answer = Answer::read(ask, &mut question, |_| true)?;
        Ok(Self { answer, usually, zone: arguments.zone, given })
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
            since: self.field("since"),
            until: self.field("until"),
            function: FormValue::of(function).unwrap_or_default(),
            status: self.field("status"),
            zone: self.zone.to_string(),
            which: WHICH.map(|choice| self.choice(choice)).into(),
            statuses: Status::KNOWN.iter().map(Status::as_str).collect(),
            kept: beside
                .chain(self.others(&FIELDS))
                .filter_map(|(name, value)| Some((name, FormValue::of(value)?)))
                .collect(),
            narrowed: self.narrowed(),
            is_further: CURSOR.iter().any(|name| self.last(name).is_some()),
            rows: self.answer.rows().map(|row| RowView::of(row, self.zone)).collect(),
            next: self.next(),
            page: address("/", self.given().filter(|(name, _)| OF_THE_PAGE.contains(name))),
            json: self.but(&[], "/api/records.json"),
        }
    }

    fn field(&self, name: &str) -> FormValue {
        self.last(name).and_then(FormValue::of).unwrap_or_default()
    }

    fn choice(&self, (value, name): (&'static str, &'static str)) -> ChoiceView {
        ChoiceView { value, name, is_chosen: self.last("which").unwrap_or("all") == value }
    }

    fn narrowed(&self) -> Vec<NarrowedView> {
        let view = |words, value: Option<String>, names: &[&str], all| {
            let left_out: Vec<&str> = names.iter().copied().chain(CURSOR).collect();
            value.map(|value| {
                let value = on_one_line(&value).into_owned();
                NarrowedView { words, value, without: self.but(&left_out, "/records"), all }
            })
        };
        let shape = self.last("shape").map(str::to_owned);
        let took = spread(self.last("took_from"), self.last("took_below"));
        let started = hour_of_week(self.last("weekday"), self.last("hour"));
        let views = [
            view("failures of the shape", shape, &["shape", "code"], "All shapes"),
            view("records that took", took, &["took_from", "took_below"], "All durations"),
            view("records that started on", started, &["weekday", "hour"], "All hours"),
        ];
        views.into_iter().flatten().collect()
    }

    /// The address of the screen behind this one, where this one is full.
    fn next(&self) -> Option<String> {
        let given = self.last(Report::LIMIT).and_then(|limit| limit.parse().ok());
        let limit = given.or(self.usually)?;
        let last = self.answer.rows().last().filter(|_| self.answer.len() as u64 >= limit)?;
        let (start, id) = (last.text("start_time"), last.original("request_id")?);
        let before = [("before", start), ("before_id", id)];
        // Those without a start are the last.
        if start.is_empty() {
            return None;
        }
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
            href: row.original("request_id").map(|id| to_record(id, zone)),
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

/// Durations from one on and below another, in words.
fn spread(from: Option<&str>, below: Option<&str>) -> Option<String> {
    // An address may have other forms as well, which are shown as they were given.
    let told = |given: &str| {
        let seconds = given.strip_suffix('s').and_then(|seconds| seconds.parse().ok());
        seconds.map_or_else(|| given.to_owned(), text::seconds)
    };
    match (from.map(told), below.map(told)) {
        (Some(from), Some(below)) => Some(format!("{from} to less than {below}")),
        (Some(from), None) => Some(format!("{from} or longer")),
        (None, Some(below)) => Some(format!("less than {below}")),
        (None, None) => None,
    }
}

/// An hour of the week, in words.
fn hour_of_week(weekday: Option<&str>, hour: Option<&str>) -> Option<String> {
    let day = weekday.map_or("any day", |given| {
        DAYS.iter().find(|(day, _)| *day == given).map_or(given, |(_, name)| *name)
    });
    match hour {
        Some(hour) => Some(format!("{day} at {hour:0>2}:00 to {hour:0>2}:59")),
        None => weekday.map(|_| day.to_owned()),
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
