//! Every way in which the service may answer, each point a switch.
//!
//! A client that is right under every combination is right about the real service, whichever
//! reading that one follows. The defaults are what the vendor's page (the API reference of
//! `ListAsyncInvocations`) says, so that the samples on it run; where it is silent, they are the
//! likeliest reading, and the reason stands at the default.

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use std::fmt;
use std::str::FromStr;

/// The order of a listing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Order {
    /// By the time that is filtered on, earliest first: the default of the log service that is
    /// likely to hold the records.
    #[default]
    OldestFirst,
    /// By the time that is filtered on, latest first.
    NewestFirst,
    /// By id, which has nothing to do with time.
    ById,
    /// Oldest first, but records of one second change places from request to request.
    UnstableTies,
}

/// Which of the window's two bounds belong to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Bounds {
    /// Both: the lower was seen to, and a search form usually means both.
    #[default]
    InclusiveInclusive,
    /// The lower only.
    InclusiveExclusive,
    /// The upper only.
    ExclusiveInclusive,
    /// Neither.
    ExclusiveExclusive,
}

/// The time of a record that a window filters on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Filter {
    /// Its start: the one time that every record has.
    #[default]
    Start,
    /// Its end, or its start while it has not ended: the time of its last event.
    End,
}

/// What `count` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Count {
    /// How many records the query has: the page says so, and a sibling's example.
    #[default]
    Total,
    /// How many records this page has.
    PageLength,
    /// Nothing: the field is missing, as in the page's example.
    Absent,
}

/// What `next_marker` says on the last page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LastMarker {
    /// Where the next page would begin, which is the total: the siblings' examples.
    #[default]
    Total,
    /// Zero.
    Zero,
    /// The marker that was asked for.
    Same,
    /// Nothing: the field is missing.
    Absent,
}

/// How `next_marker` is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum MarkerForm {
    /// As a JSON number: documented.
    #[default]
    Number,
    /// As a JSON string: what the only published client reads.
    String,
    /// Never: the published example has none.
    Absent,
}

/// How `error_code` and `error_message` are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ErrorForm {
    /// The code as a number, 0 for no error: documented.
    #[default]
    Number,
    /// The code as a string, empty for no error: what a test against the real service needs.
    String,
    /// The code as a string; without an error both fields are missing.
    StringOrAbsent,
    /// The code as a string; without an error both fields are null.
    StringOrNull,
}

/// How a time that does not exist yet is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OpenTime {
    /// As an empty string: the likeliest reason for the vendor's SDKs to have made it one.
    #[default]
    Empty,
    /// As null.
    Null,
    /// Not at all: the field is missing.
    Absent,
    /// As `0001-01-01T00:00:00`.
    YearOne,
    /// As the record's start.
    Start,
}

/// What `start_time` says of a record that waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum WaitStart {
    /// When it was accepted.
    #[default]
    Known,
    /// Nothing yet, written as `--open-time` says.
    Open,
}

/// Which window applies when a record is asked for by its id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Lookup {
    /// The same as without an id, the default of the last hour included: the page names no
    /// exception.
    #[default]
    Window,
    /// The bounds that are given; without any, all time.
    GivenWindow,
    /// None.
    Anywhere,
}

/// What a limit above 500 does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OverLimit {
    /// It means 500.
    #[default]
    Cap,
    /// It is refused with 400.
    Refuse,
}

/// Which forms of a time are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Times {
    /// Only the documented one, `YYYY-MM-DDTHH:MM:SS`, so that a client sending another is found
    /// out.
    Strict,
    /// Also with a fraction, `Z` or an offset: the samples of the page send these.
    #[default]
    Lenient,
}

/// What `count` says of a query that has more records than the service hands out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum CappedCount {
    /// All of them, which tells the client that some are missing.
    #[default]
    True,
    /// Only those it hands out: the silent form.
    Capped,
}

/// One reading of the vendor's page, a choice on every open point.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(next_help_heading = "Readings of the vendor's page (the defaults are what it says)")]
pub struct Readings {
    /// The order of a listing
    #[arg(long, value_enum, default_value_t)]
    pub order: Order,
    /// Which of the window's bounds belong to it
    #[arg(long, value_enum, default_value_t)]
    pub bounds: Bounds,
    /// The time of a record that a window filters on
    #[arg(long, value_enum, default_value_t)]
    pub filter: Filter,
    /// What `count` says
    #[arg(long, value_enum, default_value_t)]
    pub count: Count,
    /// What `next_marker` says on the last page
    #[arg(long, value_enum, default_value_t)]
    pub last_marker: LastMarker,
    /// How `next_marker` is written
    #[arg(long, value_enum, default_value_t)]
    pub marker_form: MarkerForm,
    /// How `error_code` and `error_message` are written
    #[arg(long, value_enum, default_value_t)]
    pub error_form: ErrorForm,
    /// How a time that does not exist yet is written
    #[arg(long, value_enum, default_value_t)]
    pub open_time: OpenTime,
    /// What `start_time` says of a record that waits
    #[arg(long, value_enum, default_value_t)]
    pub wait_start: WaitStart,
    /// Which window applies when a record is asked for by its id
    #[arg(long, value_enum, default_value_t)]
    pub lookup: Lookup,
    /// What a limit above 500 does
    #[arg(long, value_enum, default_value_t)]
    pub over_limit: OverLimit,
    /// Which forms of a time are read
    #[arg(long, value_enum, default_value_t)]
    pub times: Times,
    /// The most records of a page, whatever the limit
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub page_cap: Option<u64>,
    /// The most records of a query; those beyond are not handed out
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub result_cap: Option<u64>,
    /// What `count` says of a query that has more
    #[arg(long, value_enum, default_value_t)]
    pub capped_count: CappedCount,
    /// The longest window that is not refused with 400, such as 30d
    #[arg(long, value_name = "SPAN", allow_hyphen_values = true)]
    pub max_window: Option<humantime::Duration>,
    /// One record of so many is written in a way that nobody documented
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub odd: Option<u64>,
    /// The most functions of a page of the functions
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub function_page_cap: Option<u64>,
}

/// What the vendor's page says, without any cap.
impl Default for Readings {
    fn default() -> Self {
        Self {
            order: Order::default(),
            bounds: Bounds::default(),
            filter: Filter::default(),
            count: Count::default(),
            last_marker: LastMarker::default(),
            marker_form: MarkerForm::default(),
            error_form: ErrorForm::default(),
            open_time: OpenTime::default(),
            wait_start: WaitStart::default(),
            lookup: Lookup::default(),
            over_limit: OverLimit::default(),
            times: Times::default(),
            page_cap: None,
            result_cap: None,
            capped_count: CappedCount::default(),
            max_window: None,
            odd: None,
            function_page_cap: None,
        }
    }
}

/// Each switch is written and read as on the command line: `oldest-first`.
macro_rules! switches {
    ($($switch:ident),+) => {$(
        impl fmt::Display for $switch {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.to_possible_value().as_ref().map_or("", PossibleValue::get_name))
            }
        }

        impl FromStr for $switch {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                <Self as ValueEnum>::from_str(text, false)
            }
        }
    )+};
}

switches!(
    Order,
    Bounds,
    Filter,
    Count,
    LastMarker,
    MarkerForm,
    ErrorForm,
    OpenTime,
    WaitStart,
    Lookup,
    OverLimit,
    Times,
    CappedCount
);

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        readings: Readings,
    }

    #[test]
    fn the_command_line_without_switches_is_the_default() {
        assert_eq!(Line::parse_from(["emulate"]).readings, Readings::default());
    }

    #[test]
    fn a_switch_is_read_as_it_is_written() {
        for order in Order::value_variants() {
            assert_eq!(order.to_string().parse::<Order>().as_ref(), Ok(order));
        }
        assert_eq!(Bounds::InclusiveExclusive.to_string(), "inclusive-exclusive");
        assert!("sideways".parse::<Order>().is_err());
        let line =
            Line::parse_from(["emulate", "--error-form", "string-or-null", "--max-window", "30d"]);
        assert_eq!(line.readings.error_form, ErrorForm::StringOrNull);
        assert_eq!(line.readings.max_window.map(|span| span.as_secs()), Some(30 * 86_400));
    }
}
