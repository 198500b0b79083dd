//! `fgarchive query`: the reports, and questions in SQL.

use super::answer::{self, Limits};
use super::form::{Form, Shown};
use super::globals::Globals;
use super::memory::MemoryBound;
use super::output::{self, Readers};
use super::terminal::{height, screen};
use super::watchdog::Watchdog;
use super::{datasette, failure, left_out, pager, statement};
use crate::config::{self, ConfigFile, parse_duration};
use crate::domain::{Cell, Zone, nearest};
use crate::error::{Failure, FailureKind};
use crate::render::{Format, Screen, Style};
use crate::store::file::{Reader, StoreError};
use crate::store::read;
use crate::store::reports::{Arguments, Parameter, Question, Report, Sandbox};
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a statement of the user's may work: enough to read ten million records once, and no
/// endless recursion.
const SQL_LIMIT: Duration = Duration::from_secs(30);

/// How long a report may work: all are known to end, the largest archives on slow disks take
/// minutes.
pub(super) const REPORT_LIMIT: Duration = Duration::from_mins(10);

const BYTES_A_MIB: u64 = 1 << 20;

/// How much memory a statement of the user's may take, in MiB, and the most that can be asked for.
const SQL_MEMORY_MIB: u64 = 256;
const MOST_MEMORY_MIB: i64 = 1 << 20;

/// The variable that names the directory of own reports where no option does.
const REPORTS_VARIABLE: &str = "FGARCHIVE_REPORTS";

/// So many names that may have been meant are told.
const MOST_NEAREST: usize = 3;

/// The arguments of `query`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// What to ask
    #[arg(value_name = "REPORT", value_parser = What)]
    what: String,
    /// The statement, for `sql`, or - to read it from stdin; the table, for `schema`
    #[arg(value_name = "SQL|TABLE")]
    statement: Option<String>,
    /// The file that holds the statement, for `sql`; - is stdin
    #[arg(short, long, value_name = "FILE", conflicts_with = "statement")]
    file: Option<PathBuf>,
    /// A directory with reports of your own, files NAME.sql of the form that --explain shows
    #[arg(long, value_name = "DIR", env = REPORTS_VARIABLE)]
    reports: Option<OsString>,
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
    /// A parameter of the report, which `query list` and --explain name, or of the statement, where
    /// it is written `:NAME`; may be repeated
    ///
    /// It is bound and never pasted into the SQL. For a statement, what is written as a number is
    /// one, and all else is text.
    #[arg(long, value_name = "NAME=VALUE", value_parser = read_param)]
    param: Vec<(String, String)>,
    #[command(flatten)]
    shown: Shown,
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
    /// replaced and keeps its mode, unless it is an SQLite database; a failure leaves it as it was.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// End after this many rows
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u64).range(0..))]
    max_rows: Option<u64>,
    /// How long the question may work [default: 10m for a report, 30s for one of your own and for
    /// `sql`]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    #[arg(value_parser = parse_duration)]
    timeout: Option<Duration>,
    /// How much memory a statement or report of your own may take, in MiB (on Linux)
    #[arg(long, value_name = "MIB", default_value_t = SQL_MEMORY_MIB)]
    #[arg(allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u64).range(16..=MOST_MEMORY_MIB.unsigned_abs()))]
    max_memory: u64,
    /// The version of Datasette, for `datasette-metadata`
    #[arg(long = "for", value_enum, value_name = "VERSION")]
    datasette_version: Option<datasette::Version>,
    /// Show the report's help and its SQL, a start for your own, instead of running it
    #[arg(long)]
    explain: bool,
}

/// Any name, since people's own reports are found later; help and completion list ours.
#[derive(Clone, Debug)]
struct What;

impl TypedValueParser for What {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let reports = Report::all();
        let reports =
            reports.iter().map(|report| PossibleValue::new(report.name()).help(report.title()));
        let others = OTHERS.iter().map(|(name, help)| PossibleValue::new(*name).help(*help));
        Some(Box::new(reports.chain(others)))
    }
}

/// What is asked that is no report.
const OTHERS: [(&str, &str); 4] = [
    ("list", "The reports, and what each takes."),
    ("schema", "The tables and views, or the columns of one, and what they mean."),
    ("sql", "A statement of your own, for reading only."),
    (datasette::NAME, "What Datasette is to know: meanings, and reports as canned queries."),
];

fn read_param(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it has the form NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Answers one question, on stdout or in a file.
pub(super) fn run(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    args.check(globals)?;
    match output::file(args.output.as_ref()).map(Path::to_owned) {
        Some(file) => {
            output::write_whole(&file, &globals.db, Readers::Owner, |out| reply(args, globals, out))
        }
        None => match height().filter(|_| args.is_for_people()) {
            Some(size) => pager::page(size, out, |out| reply(args, globals, out)),
            None => reply(args, globals, out),
        },
    }
}

fn reply(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    match args.what.as_str() {
        "list" => list(args, globals, out),
        "schema" => describe(args, out),
        "sql" => ask_sql(args, globals, out),
        datasette::NAME => datasette::write(args.datasette_version, &globals.db, out),
        _ => {
            let report = args.find_report(globals)?;
            if args.explain {
                out.write_all(report.explained().as_bytes()).map_err(failure::output)
            } else if report.is_own() {
                ask_own(&report, args, globals, out)
            } else {
                ask_report(&report, args, globals, out)
            }
        }
    }
}

impl Args {
    fn style(&self) -> Style {
        let is_file = output::file(self.output.as_ref()).is_some();
        let told = screen();
        let charset = self.shown.charset.unwrap_or(told.charset);
        let screen = Screen { charset, ..if is_file { Screen::default() } else { told } };
        let csv_safe = self.csv_safe;
        Style { csv_safe, has_header: !self.no_header, ..Style::table(screen) }
    }

    /// Whether a pager suits the answer.
    fn is_for_people(&self) -> bool {
        let format = self.shown.format.unwrap_or(Format::Table);
        !self.shown.no_pager && matches!(format, Format::Table | Format::Line | Format::Chart)
    }

    fn form(&self) -> Result<Form<'_>, Failure> {
        Form::of_other(self.shown.format, self.style(), &format!("query {}", self.what))
    }

    /// Where reports of people's own are: as an option or the variable says, else as the
    /// configuration file does; an empty path counts as not given.
    fn own_reports<'a>(&'a self, globals: &'a Globals) -> Vec<&'a Path> {
        if let Some(given) = self.reports.as_deref().filter(|path| !path.is_empty()) {
            return vec![Path::new(given)];
        }
        let of_file = globals.file.as_ref().and_then(ConfigFile::reports);
        of_file.map_or_else(Vec::new, |set| set.value.iter().map(PathBuf::as_path).collect())
    }

    fn find_report(&self, globals: &Globals) -> Result<Report, Failure> {
        let refused = |error: StoreError| error.into_failure(&globals.db);
        let name = &self.what;
        let own = self.own_reports(globals);
        if let Some(report) = Report::find_among(&own, name).map_err(refused)? {
            return Ok(report);
        }
        let own = own.into_iter().map(Report::own_names).collect::<Result<Vec<_>, _>>();
        let own = own.map_err(refused)?.concat();
        let ours = Report::all().iter().map(Report::name).chain(OTHERS.map(|(name, _)| name));
        let names = nearest(name, ours.chain(own.iter().map(String::as_str)));
        let names = names.take(MOST_NEAREST).collect::<Vec<_>>().join(", ");
        Err(usage(format!("there is no report `{name}`"))
            .hint(format!("the nearest names: {names}; `fgarchive query list` shows all")))
    }

    /// What a report is asked with.
    fn arguments(&self, report: &Report, globals: &Globals) -> Result<Arguments, Failure> {
        let (now, zone) = (globals.clock().now(), self.tz);
        let own = own_parameters(report, self, &globals.db)?;
        let (since, until) =
            config::parse_range(self.since.as_deref(), self.until.as_deref(), now, zone)?;
        Ok(Arguments { now, zone, since, until, functions: self.function.clone(), own })
    }

    /// Says of an answer that others read that there may be more; people who look at a list of
    /// the first know that.
    fn tell_of_limit(&self, report: &Report, arguments: &Arguments, rows: u64) {
        let is_in_file = output::file(self.output.as_ref()).is_some();
        if !self.is_for_people() || is_in_file || !screen().is_terminal {
            left_out::tell_of_limit(report, arguments, rows);
        }
    }

    /// Refuses the options of other formats.
    fn check_format(&self) -> Result<(), Failure> {
        let format = self.shown.format.unwrap_or(Format::Table);
        if matches!(format, Format::Csv | Format::Tsv) {
            return Ok(());
        }
        let given = [("--csv-safe", self.csv_safe), ("--no-header", self.no_header)];
        match given.iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) => {
                let format = format.as_str();
                Err(usage(format!("{option} changes nothing of the format `{format}`"))
                    .hint("it goes with --format csv and --format tsv"))
            }
            None => Ok(()),
        }
    }

    /// Refuses a directory of reports that is none, where reports are asked for.
    fn check_reports(&self, globals: &Globals) -> Result<(), Failure> {
        if matches!(self.what.as_str(), "sql" | "schema" | datasette::NAME) {
            return Ok(());
        }
        match self.own_reports(globals).into_iter().find(|directory| !directory.is_dir()) {
            None => Ok(()),
            Some(missing) => {
                let is_given = self.reports.as_ref().is_some_and(|path| !path.is_empty());
                let of_file = globals.file.as_ref().and_then(ConfigFile::reports);
                let origin = of_file
                    .filter(|_| !is_given)
                    .map_or_else(|| "--reports".to_owned(), |set| set.origin.to_string());
                let message = format!("{origin}: there is no directory `{}`", missing.display());
                Err(usage(message).hint(format!("{REPORTS_VARIABLE} names it as well")))
            }
        }
    }

    /// Refuses what would otherwise be passed over in silence.
    fn check(&self, globals: &Globals) -> Result<(), Failure> {
        self.check_format()?;
        self.check_reports(globals)?;
        let narrows = self.since.is_some()
            || self.until.is_some()
            || !self.function.is_empty()
            || self.status.is_some()
            || self.limit.is_some()
            || self.explain;
        let is_no_question = matches!(self.what.as_str(), "list" | "schema" | datasette::NAME);
        let is_bounded = self.max_rows.is_some() || self.timeout.is_some() || self.tz != Zone::UTC;
        if self.datasette_version.is_some() && self.what != datasette::NAME {
            return Err(usage(format!("--for goes with `query {}`", datasette::NAME)));
        }
        let has_text = self.statement.is_some() || self.file.is_some();
        match self.what.as_str() {
            "sql" if !has_text => Err(usage("`query sql` needs a statement").hint(
                "fgarchive query sql \"SELECT status, count(*) FROM invocations GROUP BY status\"",
            )),
            "sql" if narrows => Err(usage("`query sql` takes no options of a report").hint(
                "narrow a statement of your own with its WHERE, by --param NAME=VALUE for `:NAME`",
            )),
            name if is_no_question && (narrows || is_bounded || !self.param.is_empty()) => {
                Err(usage(format!("`query {name}` takes no options of a report")))
            }
            "sql" => Ok(()),
            "schema" if self.file.is_none() => Ok(()),
            name if has_text => Err(usage(format!("`query {name}` takes no statement"))
                .hint("a statement follows `sql`: fgarchive query sql \"SELECT …\"")),
            _ => Ok(()),
        }
    }
}

fn usage(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Usage, message)
}

fn list(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    let own = args.own_reports(globals).into_iter().map(Report::all_own);
    let own = own.collect::<Result<Vec<_>, StoreError>>();
    let own = own.map_err(|error| error.into_failure(&globals.db))?.concat();
    let reports = Report::all().iter().chain(&own).map(|report| {
        let shown = |parameter: &Parameter<'_>| format!("{}={}", parameter.name, parameter.default);
        let parameters: Vec<String> = report.parameters().iter().map(shown).collect();
        [report.name().to_owned(), report.title().to_owned(), parameters.join(" ")]
    });
    write_texts(&args.form()?, ["report", "answers", "parameters"], reports, out)
}

/// The tables, or the columns of one.
fn describe(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let unforeseen = |error: StoreError| {
        Failure::new(FailureKind::Unexpected, "cannot tell the schema").because(error)
    };
    let tables = read::describe().map_err(unforeseen)?;
    let Some(name) = &args.statement else {
        let rows = tables.into_iter().map(|table| [table.name, table.kind, table.holds]);
        return write_texts(&args.form()?, ["name", "kind", "holds"], rows, out);
    };
    let Some(table) = tables.iter().find(|table| table.name.eq_ignore_ascii_case(name)) else {
        let names = nearest(name, tables.iter().map(|table| table.name.as_str()));
        let names = names.take(MOST_NEAREST).collect::<Vec<_>>().join(", ");
        return Err(usage(format!("the archive has no table or view `{name}`"))
            .hint(format!("the nearest names: {names}; `fgarchive query schema` shows all")));
    };
    let columns = table.columns.iter().cloned();
    let rows = columns.map(|column| [column.name, column.kind, column.meaning]);
    write_texts(&args.form()?, ["column", "type", "meaning"], rows, out)
}

fn write_texts<const N: usize>(
    form: &Form<'_>,
    columns: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let columns = columns.map(str::to_owned);
    let mut renderer = form.begin(&columns, out)?;
    for row in rows {
        let cells = row.map(|text| Cell::Text(text.into()));
        renderer.row(&cells).map_err(failure::output)?;
    }
    renderer.finish().map_err(failure::output)
}

fn ask_report(
    report: &Report,
    args: &Args,
    globals: &Globals,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let arguments = args.arguments(report, globals)?;
    let refused = |error: StoreError| refused_argument(error, &globals.db);
    let mut reader = Reader::open(&globals.db).map_err(refused)?;
    left_out::tell(&reader, report, &arguments).map_err(refused)?;
    let form = Form::of_report(args.shown.format, args.style(), report)?;
    let mut question =
        reader.ask(report, &arguments, args.timeout.unwrap_or(REPORT_LIMIT)).map_err(refused)?;
    let limits = Limits { rows: args.max_rows, memory: MemoryBound::default() };
    let rows = answer::write(&mut question, &form, limits, &globals.db, out)?;
    args.tell_of_limit(report, &arguments, rows);
    Ok(())
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
            let error = StoreError::NotTaken { report: report.name().to_owned(), argument };
            return Err(refused_argument(error, archive));
        }
        own.push((argument.to_owned(), value.clone()));
    }
    Ok(own)
}

/// The failure of a report; an argument that it does not take is named as the option that gave it.
fn refused_argument(error: StoreError, archive: &Path) -> Failure {
    let StoreError::NotTaken { report, argument } = &error else {
        return error.into_failure(archive);
    };
    let message = format!("the report `{report}` does not take --{argument}");
    let hint = format!("`fgarchive query {report} --explain` shows what it takes");
    error.into_failure(archive).because(message).hint(hint)
}

fn ask_sql(args: &Args, globals: &Globals, out: &mut dyn Write) -> Result<(), Failure> {
    let statement = statement::read(args.statement.as_deref(), args.file.as_deref())?;
    let statement = statement.unwrap_or_default();
    let form = args.form()?;
    ask_in_sandbox(args, globals, &form, out, |sandbox| sandbox.ask(&statement, &args.param))?;
    Ok(())
}

fn ask_own(
    report: &Report,
    args: &Args,
    globals: &Globals,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let arguments = args.arguments(report, globals)?;
    let form = Form::of_report(args.shown.format, args.style(), report)?;
    Reader::open(&globals.db)
        .and_then(|reader| left_out::tell(&reader, report, &arguments))
        .map_err(|error| refused_argument(error, &globals.db))?;
    let rows = ask_in_sandbox(args, globals, &form, out, |sandbox| {
        sandbox.ask_report(report, &arguments)
    })?;
    args.tell_of_limit(report, &arguments, rows);
    Ok(())
}

/// Asks what somebody else than us wrote, in little memory and time.
fn ask_in_sandbox(
    args: &Args,
    globals: &Globals,
    form: &Form<'_>,
    out: &mut dyn Write,
    ask: impl for<'s> FnOnce(&'s Sandbox) -> Result<Question<'s>, StoreError>,
) -> Result<u64, Failure> {
    let refused = |error: StoreError| refused_argument(error, &globals.db);
    let reader = Reader::open(&globals.db).map_err(refused)?;
    let limit = args.timeout.unwrap_or(SQL_LIMIT);
    let sandbox = reader.into_sandbox(limit, args.tz).map_err(refused)?;
    let _watchdog = Watchdog::start(sandbox.watch(), globals.log_format)?;
    let memory = MemoryBound::beyond_present(args.max_memory * BYTES_A_MIB);
    let mut question = memory.within(|| ask(&sandbox)).map_err(refused)?;
    let limits = Limits { rows: args.max_rows, memory };
    answer::write(&mut question, form, limits, &globals.db, out)
}
