//! Reading the command line: one that cannot be read, and the help that was asked for.

use super::command_line::Cli;
use super::failure;
use super::globals::LogFormat;
use super::terminal::log_lines;
use crate::error::{Failure, FailureKind};
use crate::render::views::FailureView;
use crate::render::{is_unsafe, write_json_line};
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use std::any::TypeId;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

/// Reads the command line.
///
/// A statement in SQL may begin with a comment, whose two dashes clap takes for an option's: a
/// blank before them, which means nothing in SQL, makes it a value.
pub(super) fn parse(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    let parsed = Cli::try_parse_from(arguments.iter().map(|argument| match argument.to_str() {
        Some(text) if is_comment(text) => OsString::from(format!(" {text}")),
        _ => argument.clone(),
    }));
    parsed.map_err(|error| match error.kind() {
        ErrorKind::InvalidUtf8 => not_utf8(arguments).unwrap_or(error),
        _ => error,
    })
}

/// The mistake that a text is not UTF-8, which names the option and the text. A path may have any
/// bytes, and is no mistake. None where no such text is found.
fn not_utf8(arguments: &[OsString]) -> Option<clap::Error> {
    let place = (1..arguments.len())
        .find(|&place| arguments[place].to_str().is_none() && !is_path(&arguments[place - 1]))?;
    let (before, text) =
        (arguments[place - 1].to_string_lossy(), arguments[place].to_string_lossy());
    let subject = match text.split_once('=').filter(|_| text.starts_with("--")) {
        Some((option, value)) => format!("{option}: {value:?}"),
        None if before.starts_with('-') => format!("{before}: {text:?}"),
        None => format!("{text:?}"),
    };
    Some(Cli::command().error(ErrorKind::InvalidUtf8, format!("{subject} is not UTF-8")))
}

/// Whether an argument is an option whose value is a path.
fn is_path(option: &OsString) -> bool {
    let command = Cli::command();
    let all = command.get_subcommands().chain([&command]).flat_map(clap::Command::get_arguments);
    let mut paths =
        all.filter(|known| known.get_value_parser().type_id() == TypeId::of::<PathBuf>());
    let name = option.to_str().and_then(|option| option.strip_prefix("--"));
    name.is_some_and(|name| paths.any(|known| known.get_long() == Some(name)))
}

/// Whether a text that begins with two dashes is a comment in SQL: a blank follows them, or its
/// first line ends before an option would have its value.
fn is_comment(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("--") else { return false };
    let name = rest.split('=').next().unwrap_or_default();
    rest.starts_with(char::is_whitespace) || name.contains('\n')
}

/// Prints what clap answers to a command line that does not run a command: help and version to
/// stdout, which is no failure, and mistakes to stderr in the form that `--log-format` asked for.
/// A failure that it returns has been shown already.
pub(super) fn show(error: &clap::Error, arguments: &[OsString]) -> Result<(), Failure> {
    let format = asked_format(arguments);
    if !error.use_stderr() {
        let printed = error.print().and_then(|()| io::stdout().flush()).map_err(failure::output);
        if let Err(failure) = &printed
            && !failure::is_closed_output(failure)
        {
            failure::show(failure, format, &mut io::stderr());
        }
        return printed;
    }
    // A write to stderr that fails is passed over: there is nowhere left to report it.
    let _ = match format {
        LogFormat::Text => print(error),
        LogFormat::Json => {
            let (message, hint) = message_and_hint(error);
            write_json_line(&FailureView::of_usage(&message, &hint), &mut io::stderr())
        }
    };
    Err(Failure::new(FailureKind::Usage, "the command line cannot be read"))
}

/// Prints a mistake as clap does, with colours on a terminal; one that quotes what no terminal
/// should see is made safe.
fn print(error: &clap::Error) -> io::Result<()> {
    let plain = error.render().to_string();
    if plain.chars().any(|character| is_unsafe(character) && character != '\n') {
        return log_lines().write_all(plain.as_bytes());
    }
    error.print()
}

/// The form that a command line asks for, although it could not be read as a whole.
fn asked_format(arguments: &[OsString]) -> LogFormat {
    let given = |argument: &OsString, next: Option<&OsString>| match argument.to_str()? {
        "--log-format" => Some(next? == "json"),
        other => other.strip_prefix("--log-format=").map(|format| format == "json"),
    };
    let nexts = arguments.iter().skip(1).map(Some).chain([None]);
    let asked =
        arguments.iter().zip(nexts).filter_map(|(argument, next)| given(argument, next)).last();
    if asked == Some(true) { LogFormat::Json } else { LogFormat::Text }
}

/// The mistake in one line; what clap says below it (values that are possible, the usage) is the
/// hint.
fn message_and_hint(error: &clap::Error) -> (String, String) {
    let text = error.render().to_string();
    let (message, rest) = text.split_once("\n\n").unwrap_or((&text, ""));
    let message = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "no command was given",
        _ => message.strip_prefix("error: ").unwrap_or(message),
    };
    (lines(message).join(" "), lines(rest).join("; "))
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format_of(arguments: &[&str]) -> LogFormat {
        asked_format(&arguments.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn the_form_of_errors_is_found_on_a_line_that_cannot_be_read() {
        assert_eq!(format_of(&["fgarchive", "sinc"]), LogFormat::Text);
        assert_eq!(format_of(&["fgarchive", "sinc", "--log-format", "json"]), LogFormat::Json);
        assert_eq!(
            format_of(&["fgarchive", "--log-format=json", "status", "--nothing"]),
            LogFormat::Json
        );
        assert_eq!(
            format_of(&["fgarchive", "--log-format=json", "--log-format", "text"]),
            LogFormat::Text
        );
        assert_eq!(format_of(&["fgarchive", "--log-format"]), LogFormat::Text);
    }

    #[test]
    fn a_comment_in_sql_is_no_option() {
        for sql in ["-- why\nSELECT 1", "--why\nSELECT 1", "--\nSELECT '=' AS x", "SELECT 1 -- why"]
        {
            assert!(
                parse(&["fgarchive", "query", "sql", sql].map(OsString::from)).is_ok(),
                "{sql}"
            );
        }
        for option in ["--fromat", "--param=x=a\nb c", "--no such", "-"] {
            assert!(!is_comment(option), "{option}");
        }
        let mistyped = ["fgarchive", "query", "summary", "--fromat", "json"].map(OsString::from);
        let error = parse(&mistyped).unwrap_err().to_string();
        assert!(error.contains("'--fromat'") && error.contains("'--format'"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_text_that_is_not_utf8_is_named_with_its_option() {
        use std::os::unix::ffi::OsStringExt;
        let arguments = |texts: &[&[u8]]| {
            let texts = texts.iter().map(|text| OsString::from_vec(text.to_vec()));
            [OsString::from("fgarchive")].into_iter().chain(texts).collect::<Vec<_>>()
        };
        let cases: [(&[&[u8]], &str); 4] = [
            (&[b"sync", b"--since", b"7\xff"], "--since: \"7\u{fffd}\" is not UTF-8"),
            (&[b"sync", b"--region=\xff"], "--region: \"\u{fffd}\" is not UTF-8"),
            (&[b"query", b"sql", b"select '\xff'"], "\"select '\u{fffd}'\" is not UTF-8"),
            (
                &[b"--db", b"\xff.db", b"sync", b"--function", b"f\xff"],
                "--function: \"f\u{fffd}\" is not UTF-8",
            ),
        ];
        for (texts, expected) in cases {
            let error = parse(&arguments(texts)).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert!(
            parse(&arguments(&[b"--db", b"\xff.db", b"status"])).is_ok(),
            "a path has any bytes"
        );
    }

    /// A number or a time below nothing is answered by what reads the value, which names the
    /// option.
    #[test]
    fn a_value_that_begins_with_a_dash_is_a_value() {
        let command = Cli::command();
        let all = command.get_subcommands().flat_map(clap::Command::get_arguments);
        let is_measure = |name: &str| {
            ["N", "PORT", "MIB", "PERCENT", "SPAN", "TIME", "DURATION"].contains(&name)
        };
        let of_measure = |known: &&clap::Arg| {
            known.get_value_names().unwrap_or_default().iter().any(|name| is_measure(name))
        };
        let refused = all.filter(of_measure).filter(|known| {
            !known.is_allow_hyphen_values_set() && !known.is_allow_negative_numbers_set()
        });
        assert_eq!(refused.map(|known| known.get_id().as_str()).collect::<Vec<_>>(), [""; 0]);
    }

    #[test]
    fn a_mistake_is_one_line_with_what_to_do() {
        let mistyped =
            Cli::try_parse_from(["fgarchive", "query", "runs", "--format", "jsn"]).unwrap_err();
        let (error, hint) = message_and_hint(&mistyped);
        assert!(
            error.starts_with("invalid value 'jsn' for '--format <FORMAT>'")
                && !error.contains('\n'),
            "{error}"
        );
        assert!(hint.contains("'json'"), "{hint}");
    }
}
