//! Throughput: records by status over time, with the share that failed on a strip below, on a
//! ground that tells where the counts are not whole.

use super::answer::AnswerRow;
use super::answers::Answers;
use super::buckets::{Bucket, BucketSpan};
use super::calendar::Label;
use super::ground::{self, GroundView};
use super::ledger::{Known, Ledger};
use super::link;
use super::scale::{Column, Scale, place, stairs, stride, ticks};
use super::subject::Subject;
use super::text;
use chrono::NaiveDate;
use std::collections::HashMap;

const LEFT: f64 = 52.0;
const RIGHT: f64 = 952.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 210.0;
const STRIP_TOP: f64 = 228.0;
const STRIP_BOTTOM: f64 = 268.0;
/// Where the names of times stand.
const NAMES: f64 = 286.0;

/// The statuses in the order in which they are stacked: column, class, word.
const STACK: [(&str, &str, &str); 6] = [
    ("success", "success", "SUCCESS"),
    ("fail", "fail", "FAIL"),
    ("discard", "discard", "DISCARD"),
    ("running", "running", "RUNNING"),
    ("wait", "wait", "WAIT"),
    ("other", "other", "other"),
];

/// The chart.
#[derive(Clone, Debug)]
pub(super) struct ThroughputView {
    /// `hour`, `day`, `week` or `month`.
    pub(super) bucket: &'static str,
    pub(super) finding: String,
    pub(super) grounds: Vec<GroundView>,
    pub(super) stacks: Vec<Stack>,
    /// The share that failed.
    pub(super) strip: String,
    pub(super) lines: Vec<GridLine>,
    pub(super) marks: Vec<Mark>,
    pub(super) names: Vec<Label>,
}

/// One status.
#[derive(Clone, Debug)]
pub(super) struct Stack {
    pub(super) class: &'static str,
    pub(super) word: &'static str,
    pub(super) path: String,
}

/// A line across the chart, with the number that it stands for.
#[derive(Clone, Debug)]
pub(super) struct GridLine {
    pub(super) y: String,
    pub(super) text: String,
}

/// What the mouse meets over a bucket.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) x: String,
    pub(super) width: String,
    pub(super) title: String,
    /// Where its records are, on a live page.
    pub(super) href: Option<String>,
}

impl ThroughputView {
    pub(super) fn of(answers: &Answers, ledger: &Ledger, subject: &Subject) -> Self {
        let (bucket, charted, zone) = (answers.bucket, answers.charted, subject.zone);
        let buckets = bucket.list(charted, zone);
        let rows: HashMap<&str, AnswerRow<'_>> =
            answers.throughput.rows().map(|row| (row.text("bucket"), row)).collect();
        let rows: Vec<Option<AnswerRow<'_>>> =
            buckets.iter().map(|bucket| rows.get(bucket.label.as_str()).copied()).collect();
        let known = ground::of_buckets(ledger, &buckets, charted);
        let across = Scale::of_time(charted, (LEFT, RIGHT));
        let greatest =
            rows.iter().flatten().map(|row| row.count("records")).max().unwrap_or_default();
        let levels = ticks(greatest as f64, true);
        let up = Scale::new((0.0, levels.last().copied().unwrap_or(1.0)), (BOTTOM, TOP));
        let chart = Chart { buckets: &buckets, rows: &rows, known: &known, across };
        let shares = chart.shares();
        let most = shares.iter().flatten().copied().fold(0.0, f64::max);
        let strip_levels = ticks(if most == 0.0 { 1.0 } else { most }, false);
        let strip_top = strip_levels.last().copied().unwrap_or(1.0);
        let strip_up = Scale::new((0.0, strip_top), (STRIP_BOTTOM, STRIP_TOP));
        let line = |y: f64, text: String| GridLine { y: place(y), text };
        let strip_lines = [(STRIP_BOTTOM, 0.0), (STRIP_TOP, strip_top)]
            .map(|(y, share)| line(y, text::percent(share)));
        Self {
            bucket: bucket.name(),
            finding: finding(&chart, bucket, &shares),
            grounds: ground::ground(&known, &buckets, across, zone),
            stacks: chart.stacks(up),
            strip: chart.strip(&shares, strip_up),
            lines: levels
                .iter()
                .map(|level| line(up.at(*level), text::rough_count(*level)))
                .chain(strip_lines)
                .collect(),
            marks: chart.marks(),
            names: names(&buckets, bucket, across),
        }
    }
}

/// What a chart is drawn from.
struct Chart<'a> {
    buckets: &'a [BucketSpan],
    rows: &'a [Option<AnswerRow<'a>>],
    known: &'a [Option<Known>],
    across: Scale,
}

impl Chart<'_> {
    fn edges(&self, at: usize) -> (f64, f64) {
        let span = self.buckets[at].span;
        (self.across.at_time(span.begin()), self.across.at_time(span.end()))
    }

    /// Whether a bucket without a record has none: where it is not proven the line breaks.
    fn is_told(&self, at: usize) -> bool {
        self.rows[at].is_some() || self.known[at].is_some_and(Known::is_complete)
    }

    fn stacks(&self, up: Scale) -> Vec<Stack> {
        let mut below: Vec<i64> = vec![0; self.buckets.len()];
        let mut stacks = Vec::new();
        for (column, class, word) in STACK {
            let path = stairs((0..self.buckets.len()).map(|at| {
                let (left, right) = self.edges(at);
                let count = self.rows[at].map_or(0, |row| row.count(column));
                let bottom = up.at(below[at] as f64);
                below[at] += count;
                let top = up.at(below[at] as f64);
                self.is_told(at).then_some(Column { left, right, bottom, top })
            }));
            if !path.is_empty() {
                stacks.push(Stack { class, word, path });
            }
        }
        stacks
    }

    /// The share of the records that ended which failed, in percent.
    fn shares(&self) -> Vec<Option<f64>> {
        let share = |row: &Option<AnswerRow<'_>>| {
            let row = row.as_ref()?;
            let failed = row.count("fail") + row.count("discard");
            let ended = failed + row.count("success");
            (ended > 0).then(|| 100.0 * failed as f64 / ended as f64)
        };
        self.rows.iter().map(share).collect()
    }

    fn strip(&self, shares: &[Option<f64>], up: Scale) -> String {
        stairs(shares.iter().enumerate().map(|(at, share)| {
            let (left, right) = self.edges(at);
            share.map(|share| Column { left, right, bottom: up.at(0.0), top: up.at(share) })
        }))
    }

    fn marks(&self) -> Vec<Mark> {
        (0..self.buckets.len())
            .map(|at| {
                let (left, right) = self.edges(at);
                let span = self.buckets[at].span;
                let href = self.rows[at].and_then(|row| link::of_span(row, span));
                let title = self.title(at);
                Mark { x: place(left), width: place(right - left), title, href }
            })
            .collect()
    }

    fn title(&self, at: usize) -> String {
        let label = self.buckets[at].label.get(..16).unwrap_or(&self.buckets[at].label);
        let known = self.known[at].map_or("no run set out to archive it", Known::word);
        let Some(row) = self.rows[at] else {
            let empty = if self.is_told(at) { "empty, " } else { "" };
            return format!("{}: {empty}{known}", label.replace('T', " "));
        };
        let failed = row.count("fail") + row.count("discard");
        format!(
            "{}: {}, {} failed; {known}",
            label.replace('T', " "),
            text::counted(row.count("records"), "record", "records"),
            text::count(failed)
        )
    }
}

fn finding(chart: &Chart<'_>, bucket: Bucket, shares: &[Option<f64>]) -> String {
    let count = |at: usize| chart.rows[at].map_or(0, |row| row.count("records"));
    let Some(busiest) = (0..chart.buckets.len()).rev().max_by_key(|at| count(*at)) else {
        return "There is nothing to show.".to_owned();
    };
    if count(busiest) == 0 {
        return "No record started in this time.".to_owned();
    }
    let name = |at: usize| {
        chart.buckets[at].label.get(..16).unwrap_or(&chart.buckets[at].label).replace('T', " ")
    };
    let worst = (0..shares.len())
        .filter_map(|at| Some((shares[at].filter(|share| *share > 0.0)?, at)))
        .max_by(|one, other| one.0.total_cmp(&other.0));
    let worst = worst.map_or_else(
        || " None failed.".to_owned(),
        |(share, at)| {
            format!(" The largest share failed in that of {}: {}.", name(at), text::percent(share))
        },
    );
    let broken = chart.known.iter().filter(|known| !known.is_some_and(Known::is_complete)).count();
    let broken = if broken == 0 {
        String::new()
    } else {
        let broken = i64::try_from(broken).unwrap_or(i64::MAX);
        let several = format!("{}s", bucket.name());
        format!(" Of {} not all is proven.", text::counted(broken, bucket.name(), &several))
    };
    format!(
        "Most records started in the {} of {}: {}.{worst}{broken}",
        bucket.name(),
        name(busiest),
        text::count(count(busiest))
    )
}

/// The names of times below the chart, where there is room for each, with the year where it begins.
fn names(buckets: &[BucketSpan], bucket: Bucket, across: Scale) -> Vec<Label> {
    const ROOM: f64 = 74.0;
    /// The last name must end within the chart.
    const LAST: f64 = RIGHT - 30.0;
    let mut names: Vec<Label> = Vec::new();
    let mut room = LEFT;
    let mut year = String::new();
    let stride = stride(buckets.len(), RIGHT - LEFT, ROOM);
    let is_named = |at: usize, label: &str| match bucket {
        Bucket::Hour => {
            label.get(11..13) == Some("00") || buckets.len() <= 48 && at.is_multiple_of(stride)
        }
        Bucket::Day if buckets.len() > 62 => label.get(8..10) == Some("01"),
        _ => at.is_multiple_of(stride),
    };
    for (at, bucket_span) in buckets.iter().enumerate() {
        let x = across.at_time(bucket_span.span.begin());
        let label = bucket_span.label.as_str();
        if !is_named(at, label) || x < room || x > LAST {
            continue;
        }
        let this = label.get(..4).unwrap_or_default();
        let has_year = this != year;
        let text = name(label, bucket, has_year);
        this.clone_into(&mut year);
        names.push(Label { x: place(x), y: place(NAMES), text });
        room = x + if has_year { ROOM } else { ROOM - 22.0 };
    }
    names
}

fn name(label: &str, bucket: Bucket, has_year: bool) -> String {
    let day = label.get(..10).and_then(|day| NaiveDate::parse_from_str(day, "%Y-%m-%d").ok());
    match (bucket, day) {
        (Bucket::Hour, Some(day)) => match label.get(11..16) {
            Some("00:00") | None => {
                day.format(if has_year { "%-d %b %Y" } else { "%-d %b" }).to_string()
            }
            Some(hour) => hour.to_owned(),
        },
        (_, Some(day)) => day.format(if has_year { "%-d %b %Y" } else { "%-d %b" }).to_string(),
        (_, None) => label.to_owned(),
    }
}
