//! The reports: one `.sql` file each, whose first comment is its help and declares its parameters.
//!
//! The form of that comment: a title line, an explanation, then lines of the form
//! `param name=default (type): meaning`. A type is `text`, `id`, `status`, `time`, `int`, `share`,
//! `duration`, the last three with bounds if there are any (`int 1..100`, `duration 1h..`), or a
//! list of choices (`hour|day`). An `id` has to be given. Any other parameter without a default may
//! be left out, and is then NULL; a text may be empty, which is NULL as well. One line may be
//! `chart FORM: role=column …`, in one of the forms of [`Chart`]. `:since`, `:until`, `:functions`
//! (the ids of those that are asked for, as a JSON array) and `:now` need no declaration: a report
//! takes those that its statement uses. Most use them by reading from what is
//! [`chosen`], such as `chosen_records`.

use super::{Parameter, chosen};
use crate::domain::Chart;
use std::borrow::Cow;
use std::path::PathBuf;

/// How a line of the first comment begins that declares a chart.
pub(super) const CHART: &str = "chart ";

/// A named question.
#[derive(Clone, Debug)]
pub struct Report {
    name: Cow<'static, str>,
    text: Cow<'static, str>,
    /// Where it was read from; none of ours is read.
    pub(super) file: Option<PathBuf>,
}

macro_rules! report {
    ($name:literal) => {
        Report {
            name: Cow::Borrowed($name),
            text: Cow::Borrowed(include_str!(concat!($name, ".sql"))),
            file: None,
        }
    };
}

/// In the order of `query list`: what happened, then what went wrong, then what the archive knows
/// of itself.
const REPORTS: &[Report] = &[
    report!("totals"),
    report!("summary"),
    report!("compare"),
    report!("throughput"),
    report!("trend"),
    report!("heatmap"),
    report!("latency"),
    report!("duration-histogram"),
    report!("slowest"),
    report!("records"),
    report!("record"),
    report!("errors"),
    report!("error-trend"),
    report!("failures"),
    report!("discards"),
    report!("incidents"),
    report!("open"),
    report!("waiting"),
    report!("transitions"),
    report!("anomalies"),
    report!("calendar"),
    report!("coverage"),
    report!("late"),
    report!("lateness"),
    Report::SETTLING,
    report!("rejects"),
    report!("growth"),
    report!("runs"),
];

impl Report {
    /// How much a settle delay catches, which is also read as values.
    pub(super) const SETTLING: Self = report!("settling");

    /// Every report.
    pub fn all() -> &'static [Self] {
        REPORTS
    }

    /// A report that was read from a file.
    pub(super) fn read(name: String, text: String, file: PathBuf) -> Self {
        Self { name: name.into(), text: text.into(), file: Some(file) }
    }

    /// Whether it is somebody's own, to be asked in a sandbox.
    pub fn is_own(&self) -> bool {
        self.file.is_some()
    }

    /// The report of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        REPORTS.iter().find(|report| report.name == name)
    }

    /// What `query NAME` calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole file, help and statement, with what it reads from written out: a start for a
    /// statement of one's own.
    pub fn explained(&self) -> String {
        chosen::written_out(&self.text)
    }

    /// Its lines, as they stand in its file.
    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.lines()
    }

    /// What SQLite is given. Its lines are those of the file.
    pub(super) fn statement(&self) -> String {
        chosen::on_its_line(&self.text)
    }

    /// What it answers, in one line.
    pub fn title(&self) -> &str {
        self.comment().next().unwrap_or_default()
    }

    /// Its own parameters.
    pub fn parameters(&self) -> Vec<Parameter<'_>> {
        self.comment()
            .filter_map(|line| Parameter::declared(line.strip_prefix("param ")?))
            .collect()
    }

    /// The parameter by which a report says how many rows it gives.
    pub const LIMIT: &'static str = "limit";

    /// How many rows it gives without being told; nothing where it gives all.
    pub fn usual_limit(&self) -> Option<u64> {
        let parameters = self.parameters();
        let limit = parameters.iter().find(|parameter| parameter.name == Self::LIMIT);
        limit.and_then(|limit| limit.default.parse().ok())
    }

    /// The drawing of its answer, if it has one.
    pub fn chart(&self) -> Option<Chart<'_>> {
        self.comment().find_map(|line| Chart::declared(line.strip_prefix(CHART)?))
    }

    /// The lines of the first comment, without their dashes.
    pub(super) fn comment(&self) -> impl Iterator<Item = &str> {
        self.text.lines().map_while(|line| line.strip_prefix("--")).map(str::trim)
    }
}
