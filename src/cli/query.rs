//! `fgarchive query`: the reports, and questions in SQL.

use super::failure;
use super::globals::Globals;
use super::memory::MemoryBound;
use super::output;
use super::terminal::screen;
use super::watchdog::Watchdog;
use crate::config;
use crate::domain::{Cell, Zone};
use crate::error::{Failure, FailureKind};
use crate::render::{Format, Renderer, Screen, Style};
use crate::store::file::{Reader, StoreError};
use crate::store::reports::{Arguments, Parameter, Question, Report};
use clap::builder::{PossibleValue, PossibleValuesParser};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a statement of the user's may work: enough to read ten million records once, and no
/// endless recursion.
const SQL_LIMIT: Duration = Duration::from_secs(30);

/// How long a report may work: all are known to end, the largest archives on slow disks take
/// minutes.
const REPORT_LIMIT: Duration = Duration::from_mins(10);

const BYTES_A_MIB: u64 = 1 << 20;

/// How much memory a statement of the user's may take, in MiB, and the most that can be asked for.
const SQL_MEMORY_MIB: u64 = 256;
const MOST_MEMORY_MIB: i64 = 1 << 20;

/// The arguments of `query`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// What to ask
    #[arg(value_name = "REPORT", value_parser = what())]
    what: String,
    /// The statement, for `sql`
    #[arg(value_name = "SQL")]
    statement: Option<String>,
    /// From this time on: RFC 3339 or `2026-03-01T12:00`, an age such as 90m, 36h, 7d, or the begin
    /// of a period: `2026-03-01`, `2026-03`, today, yesterday, this-week, last-week, this-month,
    /// last-month
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// Before this time, in the same forms; of a period its end, so that it is in the answer
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
    /// Only these functions: a name, `package:name`, a URN, or a glob such as `billing:*`; may be
    /// repeated
    #[arg(long, value_name = "FUNCTION")]
    function: Vec<String>,
    /// Only records of this status, for a report with the parameter `status`
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// So many rows, for a report with the parameter `limit`
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    limit: Option<String>,
    /// The time zone whose days and hours are meant, by its IANA name such as Europe/Berlin
    ///
    /// A period or a time without an offset is read in it, and what counts by hour, day, week or
    /// month counts those of it. Other times of an answer stay in UTC.
    #[arg(long, value_name = "ZONE", default_value_t = Zone::UTC)]
    tz: Zone,
    /// A parameter of the report, may be repeated; `query list` and --explain name them
    #[arg(long, value_name = "NAME=VALUE", value_parser = read_param)]
    param: Vec<(String, String)>,
    /// How the answer is written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Table)]
    format: Format,
    /// Write CSV or TSV so that a spreadsheet takes no text for a formula: an apostrophe stands
    /// before =, +, - and @
    #[arg(long)]
    csv_safe: bool,
    /// Write CSV or TSV without the line of names
    #[arg(long)]
    no_header: bool,
    /// Write the answer to this file, which takes its name when it is whole; `-` is stdout
    ///
    /// Only the user who runs this may read it (mode 0600). A regular file of that name is
    /// replaced; a failure leaves it as it was.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// End after this many rows
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(0..))]
    max_rows: Option<u64>,
    /// How long the question may work [default: 30s for `sql`, 10m for a report]
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, allow_hyphen_values = true)]
    timeout: Option<Duration>,
    /// How much memory a statement of your own may take, in MiB (on Linux)
    #[arg(long, value_name = "MIB", default_value_t = SQL_MEMORY_MIB, allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u64).range(16..=MOST_MEMORY_MIB.unsigned_abs()))]
    max_memory: u64,
    /// Show the report's help and its SQL, a start for your own, instead of running it
    #[arg(long)]
    explain: bool,
}

/// The reports with their titles, so that `--help` lists them and a typing mistake is answered with
/// the nearest.
fn what() -> PossibleValuesParser {
    let reports =
        Report::all().iter().map(|report| PossibleValue::new(report.name()).help(report.title()));
    let others = [
        PossibleValue::new("list").help("The reports, and what each takes."),
        PossibleValue::new("sql").help("A statement of your own, for reading only."),
    ];
    PossibleValuesParser::new(reports.chain(others))
}

fn read_param(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it has the form NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Answers one question, on stdout or in a file.
pub(super) fn run(args: Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    args.check()?;
    match output::file(args.output.as_ref()).map(Path::to_owned) {
        Some(file) => output::write_whole(&file, &globals.db, |out| reply(args, globals, out)),
        None => reply(args, globals, out),
    }
}

fn reply(args: Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    match args.what.as_str() {
        "list" => list(args.style(), out),
        "sql" => ask_sql(&args, globals, out),
        name => match Report::find(name) {
            Some(report) if args.explain => {
                out.write_all(report.explained().as_bytes()).map_err(failure::output)
            }
            Some(report) => ask_report(report, args, globals, out),
            None => Err(usage(format!("there is no report `{name}`"))),
        },
    }
}

impl Args {
    fn style(&self) -> Style {
        let is_file = output::file(self.output.as_ref()).is_some();
        let screen = if is_file { Screen::default() } else { screen() };
        Style { format: self.format, csv_safe: self.csv_safe, has_header: !self.no_header, screen }
    }

    /// Refuses the options of other formats.
    fn check_format(&self) -> Result<(), Failure> {
        if matches!(self.format, Format::Csv | Format::Tsv) {
            return Ok(());
        }
        let given = [("--csv-safe", self.csv_safe), ("--no-header", self.no_header)];
        match given.iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) => {
                let format = self.format.as_str();
                Err(usage(format!("{option} changes nothing of the format `{format}`"))
                    .hint("it goes with --format csv and --format tsv"))
            }
            None => Ok(()),
        }
    }

    /// Refuses what would otherwise be passed over in silence.
    fn check(&self) -> Result<(), Failure> {
        self.check_format()?;
        let narrowed = self.since.is_some()
            || self.until.is_some()
            || !self.function.is_empty()
            || self.status.is_some()
            || self.limit.is_some()
            || !self.param.is_empty();
        match (self.what.as_str(), &self.statement) {
            ("sql", None) => Err(usage("`query sql` needs a statement").hint(
                "fgarchive query sql \"SELECT status, count(*) FROM invocations GROUP BY status\"",
            )),
            ("sql" | "list", _) if narrowed || self.explain => {
                Err(usage(format!("`query {}` takes no options of a report", self.what))
                    .hint("narrow a statement of your own with its WHERE"))
            }
            ("sql", Some(_)) | (_, None) => Ok(()),
            (name, Some(_)) => Err(usage(format!("`query {name}` takes no statement"))
                .hint("a statement follows `sql`: fgarchive query sql \"SELECT …\"")),
        }
    }
}

fn usage(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Usage, message)
}

fn list(style: Style, out: &mut dyn Write) -> Result<(), Failure> {
    let columns = ["report", "answers", "parameters"].map(str::to_owned);
    let mut renderer = Renderer::begin(style, &columns, out).map_err(failure::output)?;
    for report in Report::all() {
        let parameters: Vec<String> = report.parameters().iter().map(shown_parameter).collect();
        let cells = [report.name().into(), report.title().into(), parameters.join(" ").into()]
            .map(Cell::Text);
        renderer.row(&cells).map_err(failure::output)?;
    }
    renderer.finish().map_err(failure::output)
}

fn shown_parameter(parameter: &Parameter) -> String {
    format!("{}={}", parameter.name, parameter.default)
}

fn ask_report(
    report: &Report,
    args: Args,
    globals: &Globals,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let now = globals.clock().now();
    let style = args.style();
    let zone = args.tz;
    let own = own_parameters(report, &args, &globals.db)?;
    let (since, until) =
        config::parse_range(args.since.as_deref(), args.until.as_deref(), now, zone)?;
    let arguments = Arguments { now, zone, since, until, functions: args.function, own };
    let refused = |error: StoreError| refused_argument(error, &globals.db);
    let mut reader = Reader::open(&globals.db).map_err(refused)?;
    let mut question =
        reader.ask(report, &arguments, args.timeout.unwrap_or(REPORT_LIMIT)).map_err(refused)?;
    let limits = Limits { rows: args.max_rows, memory: MemoryBound::default() };
    answer(&mut question, style, limits, &globals.db, out)
}

/// What `--param`, `--status` and `--limit` say; the latter two are parameters that many reports
/// have.
fn own_parameters(
    report: &Report,
    args: &Args,
    archive: &Path,
) -> Result<Vec<(String, String)>, Failure> {
    let mut own = args.param.clone();
    for (argument, given) in [("status", &args.status), ("limit", &args.limit)] {
        let Some(value) = given else { continue };
        if !report.parameters().iter().any(|parameter| parameter.name == argument) {
            let error = StoreError::NotTaken { report: report.name(), argument };
            return Err(refused_argument(error, archive));
        }
        own.push((argument.to_owned(), value.clone()));
    }
    Ok(own)
}

/// The failure of a report; an argument that it does not take is named as the option that gave it.
fn refused_argument(error: StoreError, archive: &Path) -> Failure {
    let StoreError::NotTaken { report, argument } = error else {
        return error.into_failure(archive);
    };
    error.into_failure(archive).because(format!("the report `{report}` does not take --{argument}"))
}

fn ask_sql(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    let refused = |error: StoreError| error.into_failure(&globals.db);
    let reader = Reader::open(&globals.db).map_err(refused)?;
    let sandbox =
        reader.into_sandbox(args.timeout.unwrap_or(SQL_LIMIT), args.tz).map_err(refused)?;
    let _watchdog = Watchdog::start(sandbox.watch(), globals.log_format)?;
    let memory = MemoryBound::beyond_present(args.max_memory * BYTES_A_MIB);
    let statement = args.statement.as_deref().unwrap_or_default();
    let mut question = memory.within(|| sandbox.ask(statement)).map_err(refused)?;
    let limits = Limits { rows: args.max_rows, memory };
    answer(&mut question, args.style(), limits, &globals.db, out)
}

/// What an answer may take.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// The most rows, where the user said so.
    rows: Option<u64>,
    memory: MemoryBound,
}

/// Writes an answer row by row, within its limits.
fn answer(
    question: &mut Question<'_>,
    style: Style,
    limits: Limits,
    archive: &Path,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let mut renderer = Renderer::begin(style, question.columns(), out).map_err(failure::output)?;
    let mut rows = question.rows();
    let mut shown = 0;
    let refused = |error: StoreError| error.into_failure(archive);
    while let Some(row) = limits.memory.within(|| rows.next_row()).map_err(refused)? {
        if limits.rows == Some(shown) {
            tracing::warn!("only the first {shown} rows are shown, as --max-rows says");
            break;
        }
        if !renderer.wants_more() {
            tracing::warn!("only the first {shown} rows are shown: every other format gives all");
            break;
        }
        limits.memory.check_room(row.copied_bytes()).map_err(refused)?;
        let cells: Vec<Cell<'_>> = row.cells().collect();
        limits.memory.check_room(renderer.held_bytes(&cells)).map_err(refused)?;
        renderer.row(&cells).map_err(failure::output)?;
        shown += 1;
    }
    renderer.finish().map_err(failure::output)
}
