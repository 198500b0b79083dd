//! The calendar: a cell a day. Its colour is the share that failed; what is not a count has a look
//! of its own.

use super::answer::{Answer, AnswerRow};
use super::ledger::Known;
use super::link;
use super::scale::place;
use super::subject::Subject;
use super::text;
use chrono::{Datelike, Days, NaiveDate};
use std::collections::HashMap;
use std::time::Duration;

/// A calendar is as wide as a year; a longer period has several, one below the other.
const WEEKS: i64 = 53;
/// Older years are in the table only, so that the page stays small.
const MOST_CALENDARS: usize = 6;

const CELL: f64 = 13.0;
const GAP: f64 = 3.0;
/// What stands left of the cells, and above them.
const LEFT: f64 = 34.0;
const TOP: f64 = 18.0;

/// Where the steps of the share that failed begin, in percent.
const STEPS: [f64; 4] = [0.0, 1.0, 5.0, 20.0];

/// The steps with their words, for the legend.
pub(super) const NAMED_STEPS: [(&str, &str); 6] = [
    ("step-0", "none failed"),
    ("step-1", "up to 1 %"),
    ("step-2", "up to 5 %"),
    ("step-3", "up to 20 %"),
    ("step-4", "more failed"),
    ("step-none", "none has ended"),
];

/// The calendar of the period.
#[derive(Clone, Debug)]
pub(super) struct CalendarView {
    /// The latest year first.
    pub(super) years: Vec<YearView>,
    /// What is found in it, in words.
    pub(super) finding: String,
    /// So many days before are left out.
    pub(super) left_out: i64,
}

/// At most 53 weeks of it.
#[derive(Clone, Debug)]
pub(super) struct YearView {
    pub(super) width: String,
    pub(super) height: String,
    pub(super) name: String,
    pub(super) labels: Vec<Label>,
    pub(super) days: Vec<DayView>,
}

/// A text in a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) x: String,
    pub(super) y: String,
    pub(super) text: String,
}

/// One day.
#[derive(Clone, Debug)]
pub(super) struct DayView {
    pub(super) x: String,
    pub(super) y: String,
    /// The class of its colour.
    pub(super) fill: &'static str,
    /// The class of its pattern; empty for none.
    pub(super) look: &'static str,
    pub(super) title: String,
    /// Where its records are, on a live page.
    pub(super) href: Option<String>,
}

/// The class of a share that failed, in percent; none where no record ended.
pub(super) fn step(share: Option<f64>) -> &'static str {
    match share {
        None => "step-none",
        Some(share) if share <= STEPS[0] => "step-0",
        Some(share) if share <= STEPS[1] => "step-1",
        Some(share) if share <= STEPS[2] => "step-2",
        Some(share) if share <= STEPS[3] => "step-3",
        Some(_) => "step-4",
    }
}

impl CalendarView {
    pub(super) fn of(calendar: &Answer, subject: &Subject) -> Option<Self> {
        let (begin, end) = (subject.period.begin(), subject.period.end());
        let first = text::day_of(begin, subject.zone)?;
        let last = text::day_of(end - Duration::from_secs(1), subject.zone)?;
        let rows: HashMap<&str, AnswerRow<'_>> =
            calendar.rows().map(|row| (row.text("day"), row)).collect();
        let mut years = Vec::new();
        let mut upper = last;
        while upper >= first && years.len() < MOST_CALENDARS {
            let monday = monday_of(upper)?;
            let lower = monday.checked_sub_days(Days::new((WEEKS as u64 - 1) * 7))?.max(first);
            years.push(YearView::of(lower, upper, &rows)?);
            upper = lower.pred_opt()?;
        }
        let left_out = (upper - first).num_days() + 1;
        Some(Self { years, finding: finding(calendar), left_out: left_out.max(0) })
    }
}

fn monday_of(day: NaiveDate) -> Option<NaiveDate> {
    day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into()))
}

impl YearView {
    fn of(first: NaiveDate, last: NaiveDate, rows: &HashMap<&str, AnswerRow<'_>>) -> Option<Self> {
        let begin = monday_of(first)?;
        let column = |day: NaiveDate| (day - begin).num_days() / 7;
        let x = |column: i64| LEFT + column as f64 * (CELL + GAP);
        let y = |row: u32| TOP + f64::from(row) * (CELL + GAP);
        let days = first.iter_days().take_while(|day| *day <= last).map(|day| {
            let row = rows.get(day.to_string().as_str()).copied();
            let (fill, look) = look(row);
            DayView {
                x: place(x(column(day))),
                y: place(y(day.weekday().num_days_from_monday())),
                fill,
                look,
                title: title(day, row),
                href: row.and_then(|row| link::of_value(row, "records")),
            }
        });
        let weekdays = [(0, "Mon"), (2, "Wed"), (4, "Fri")].map(|(row, name)| Label {
            x: place(LEFT - 6.0),
            y: place(y(row) + CELL - 3.0),
            text: name.to_owned(),
        });
        let months = months(first, last, |day| x(column(day)));
        Some(Self {
            width: place(x(WEEKS)),
            height: place(y(7)),
            name: format!("{first} to {last}"),
            labels: weekdays.into_iter().chain(months).collect(),
            days: days.collect(),
        })
    }
}

/// The names of the months, each over the week that has its first day, where there is room.
fn months(first: NaiveDate, last: NaiveDate, x: impl Fn(NaiveDate) -> f64) -> Vec<Label> {
    const ROOM: f64 = 2.5 * (CELL + GAP);
    let mut labels: Vec<Label> = Vec::new();
    let mut room = f64::NEG_INFINITY;
    for day in first.iter_days().take_while(|day| *day <= last) {
        if day != first && day.day() != 1 {
            continue;
        }
        // A month that is almost over leaves the place to the next one.
        let is_short = day == first && day.day() > 15;
        if is_short && (last - first).num_days() > 31 {
            continue;
        }
        let is_january = day.month() == 1 || labels.is_empty();
        let format = if is_january { "%b %Y" } else { "%b" };
        let at = x(day);
        if at >= room {
            let text = day.format(format).to_string();
            labels.push(Label { x: place(at), y: place(TOP - 7.0), text });
            room = at + if is_january { 1.5 * ROOM } else { ROOM };
        }
    }
    labels
}

/// The classes of a day's colour and pattern.
fn look(row: Option<AnswerRow<'_>>) -> (&'static str, &'static str) {
    let Some(row) = row else { return ("outside", "") };
    let known = Known::parse(row.text("state"));
    let has_records = row.count("records") > 0;
    let fill = if has_records { step(row.number("failed_percent")) } else { "empty" };
    match known {
        Some(Known::Settled | Known::Proven) => (fill, ""),
        Some(known) => (if has_records { fill } else { "ground" }, known.class()),
        // Records were found of a day that no run set out to archive.
        None => (fill, Known::NotWalked.class()),
    }
}

fn title(day: NaiveDate, row: Option<AnswerRow<'_>>) -> String {
    let day = day.format("%a %Y-%m-%d");
    let Some(row) = row else { return format!("{day}: no run set out to archive it") };
    let state = match Known::parse(row.text("state")) {
        Some(known) if known.is_complete() || row.number("proven_percent") == Some(0.0) => {
            known.word().to_owned()
        }
        Some(known) => format!(
            "{} in part, {} proven",
            known.word(),
            text::percent(row.number("proven_percent").unwrap_or_default())
        ),
        None => "no run set out to archive it".to_owned(),
    };
    let records = row.count("records");
    if records == 0 {
        let words = if state == "settled" || state == "proven" { "empty, " } else { "" };
        return format!("{day}: {words}{state}");
    }
    let failed = match row.number("failed_percent") {
        Some(share) => {
            format!("{} failed ({})", text::count(row.count("failed")), text::percent(share))
        }
        None => "none has ended".to_owned(),
    };
    format!("{day}: {}, {failed}; {state}", text::counted(records, "record", "records"))
}

/// Whether a day is of a kind.
type IsMeant = fn(AnswerRow<'_>, Option<Known>) -> bool;

/// The kinds of days that are counted.
const KINDS: [(&str, IsMeant); 7] = [
    ("with records, proven", |row, known| {
        row.count("records") > 0 && known.is_some_and(Known::is_complete)
    }),
    ("proven empty", |row, known| {
        row.count("records") == 0 && matches!(known, Some(Known::Settled | Known::Proven))
    }),
    ("lost in part or whole", |_, known| known == Some(Known::Lost)),
    ("unproven", |_, known| known == Some(Known::Unproven)),
    ("not walked", |_, known| known == Some(Known::NotWalked)),
    ("switched off", |_, known| known == Some(Known::SwitchedOff)),
    ("of functions that were not there", |_, known| known == Some(Known::NotThere)),
];

/// What a look at the calendar tells.
fn finding(calendar: &Answer) -> String {
    let told: Vec<String> = KINDS
        .into_iter()
        .filter_map(|(words, is_meant)| {
            let is_meant = |row: &AnswerRow<'_>| is_meant(*row, Known::parse(row.text("state")));
            let days = calendar.rows().filter(is_meant).count();
            (days > 0).then(|| {
                let days = i64::try_from(days).unwrap_or(i64::MAX);
                format!("{} {words}", text::counted(days, "day", "days"))
            })
        })
        .collect();
    if told.is_empty() {
        return "No run set out to archive any of these days.".to_owned();
    }
    let share = |row: &AnswerRow<'_>| row.number("failed_percent").filter(|share| *share > 0.0);
    let worst = calendar
        .rows()
        .filter_map(|row| Some((share(&row)?, row)))
        .max_by(|one, other| one.0.total_cmp(&other.0));
    let worst = worst.map_or_else(String::new, |(share, row)| {
        format!(
            " On {} most failed: {} of {}.",
            row.text("day"),
            text::percent(share),
            text::counted(row.count("records"), "record", "records")
        )
    });
    format!("{}.{worst}", text::listed(&told))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Zone;
    use crate::page::testing::answer;
    use crate::page::testing::at;
    use pretty_assertions::assert_eq;
    use std::collections::BTreeSet;

    const DAYS: &str = "
        day | records | failed | state | proven_percent | failed_percent
        2026-03-02 | 5 | 0 | settled | 100.0 | 0.0
        2026-03-03 | 0 | 0 | settled | 100.0 |
        2026-03-04 | 0 | 0 | unproven | 0.0 |
        2026-03-05 | 8 | 2 | unproven | 50.0 | 25.0
        2026-03-06 | 0 | 0 | lost | 0.0 |
        2026-03-07 | 0 | 0 | switched off | 100.0 |
        2026-03-08 | 0 | 0 | not walked | 0.0 |
        2026-03-09 | 0 | 0 | not there | 100.0 |
        2026-03-10 | 3 | 0 | | |";

    fn view() -> CalendarView {
        let range = (Some(at("01T00")), Some(at("11T00")));
        let subject = Subject::new(at("31T00"), Zone::UTC, range, vec![], String::new()).unwrap();
        CalendarView::of(&answer("calendar", DAYS), &subject).unwrap()
    }

    #[test]
    fn what_is_no_count_has_a_look_of_its_own() {
        let view = view();
        let days = &view.years[0].days;
        let looks: Vec<(&str, &str)> = days.iter().map(|day| (day.fill, day.look)).collect();
        assert_eq!(
            looks,
            [
                ("outside", ""),
                ("step-0", ""),
                ("empty", ""),
                ("ground", "unproven"),
                ("step-4", "unproven"),
                ("ground", "lost"),
                ("ground", "switched-off"),
                ("ground", "not-walked"),
                ("ground", "not-there"),
                ("step-none", "not-walked"),
            ]
        );
        assert_eq!(looks.iter().collect::<BTreeSet<_>>().len(), looks.len(), "each its own");
        assert_eq!(days[2].title, "Tue 2026-03-03: empty, settled");
        assert_eq!(
            days[4].title,
            "Thu 2026-03-05: 8 records, 2 failed (25 %); unproven in part, 50 % proven"
        );
        assert_eq!(days[0].title, "Sun 2026-03-01: no run set out to archive it");
    }

    #[test]
    fn the_finding_is_said_in_words() {
        assert_eq!(
            view().finding,
            "1 day with records, proven, 1 day proven empty, 1 day lost in part or whole, 2 days \
             unproven, 1 day not walked, 1 day switched off and 1 day of functions that were not \
             there. On 2026-03-05 most failed: 25 % of 8 records."
        );
    }

    #[test]
    fn years_stand_one_below_the_other() {
        let range = (Some("2016-01-01T00:00:00Z".parse().unwrap()), Some(at("11T00")));
        let subject = Subject::new(at("31T00"), Zone::UTC, range, vec![], String::new()).unwrap();
        let view = CalendarView::of(&answer("calendar", DAYS), &subject).unwrap();
        assert_eq!((view.years.len(), view.years[1].days.len()), (6, 371));
        assert_eq!(view.years[0].days.len(), 52 * 7 + 2, "the last week has two days so far");
        let shown: usize = view.years.iter().map(|year| year.days.len()).sum();
        assert_eq!(shown + usize::try_from(view.left_out).unwrap(), 3_722);
        for year in &view.years {
            let mut places: Vec<_> =
                year.labels[3..].iter().map(|label| label.x.parse::<f64>().unwrap()).collect();
            places.dedup_by(|next, last| *next - *last > 35.0);
            assert_eq!(places.len(), 1, "labels do not collide: {:?}", year.labels);
        }
    }

    #[test]
    fn steps_are_told_apart() {
        let shares = [None, Some(0.0), Some(0.5), Some(1.01), Some(20.0), Some(100.0)];
        let classes = ["step-none", "step-0", "step-1", "step-2", "step-3", "step-4"];
        assert_eq!(shares.map(step), classes);
    }
}
