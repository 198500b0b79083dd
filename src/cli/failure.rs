//! How a failure is shown on stderr. A reader of stdout that has closed it, as `head` does, is
//! none.

use super::globals::LogFormat;
use super::hints;
use crate::error::{Failure, FailureKind, Place};
use crate::render::views::FailureView;
use crate::render::{on_one_line, write_json_line};
use std::io::{self, ErrorKind, Write};
use std::panic;

/// Data that could not be written to stdout. A type of its own, so that no other broken pipe is
/// taken for it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct OutputError(io::Error);

/// The failure of writing a command's data.
pub(super) fn output(error: io::Error) -> Failure {
    let message = "cannot write the output";
    match error.kind() {
        // As where a file of ours cannot be written: somebody has to make room.
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            Failure::new(FailureKind::Archive, message).because(error)
        }
        _ => Failure::new(FailureKind::Unexpected, message).because(OutputError(error)),
    }
}

/// Reports a panic as a defect of this program. By default a panic names the directories of the
/// machine that built the program; here only the name of the source file is shown. The directories
/// still stand in the binary, and a backtrace shows them: rustc's option that removes them has to
/// name them, and Cargo's `trim-paths` is not stable.
pub(super) fn show_panics() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panicked| {
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| !value.is_empty() && value != "0")
        {
            return usual(panicked);
        }
        let message = panicked.payload_as_str().unwrap_or("it said nothing");
        let place = panicked.location().map_or_else(String::new, |at| place(at.file(), at.line()));
        let line = on_one_line(&format!("a defect of the program: {message}{place}")).into_owned();
        // A write to stderr that fails is passed over: there is nowhere left to report it.
        let _ = writeln!(
            io::stderr(),
            "error: {line}\n\nhint: what was committed is kept; please report this line"
        );
    }));
}

/// Where in the sources, by the name of the file only.
fn place(file: &str, line: u32) -> String {
    let name = file.rsplit(['/', '\\']).next().unwrap_or_default();
    format!(" ({name}:{line})")
}

/// Whether the reader of our output has gone (`| head`), which is no failure.
pub(super) fn is_closed_output(failure: &Failure) -> bool {
    let source = failure.source.as_deref();
    source
        .and_then(|source| source.downcast_ref::<OutputError>())
        .is_some_and(|error| error.0.kind() == ErrorKind::BrokenPipe)
}

/// Writes a failure for the person, or the program, that reads stderr.
///
/// A write to stderr that fails is passed over: there is nowhere left to report it.
pub(super) fn show(failure: &Failure, format: LogFormat, err: &mut dyn Write) {
    let _ = match format {
        LogFormat::Text => show_text(failure, err),
        LogFormat::Json => {
            let hint = failure.hint.as_ref().map(hints::words);
            write_json_line(&FailureView::of(failure, hint.as_deref()), err)
        }
    };
}

fn show_text(failure: &Failure, err: &mut dyn Write) -> io::Result<()> {
    writeln!(err, "error: {}", on_one_line(&failure.to_string()))?;
    if let Some(place) = &failure.place {
        point(place, err)?;
    }
    match &failure.hint {
        Some(hint) => writeln!(err, "\nhint: {}", on_one_line(&hints::words(hint))),
        None => Ok(()),
    }
}

/// So many characters of a line are shown before and after the place that is meant.
const AROUND: usize = 40;

/// The line with a caret beneath the place.
fn point(place: &Place, err: &mut dyn Write) -> io::Result<()> {
    let before = place.column.saturating_sub(1);
    let left_out = before.saturating_sub(AROUND);
    let part = |skipped: usize, most: usize| {
        let part: String = place.text.chars().skip(skipped).take(most).collect();
        on_one_line(&part.replace('\t', " ")).into_owned()
    };
    let (start, end) = (part(left_out, before - left_out), part(before, AROUND));
    let number = place.line.to_string();
    let margin = " ".repeat(number.len());
    writeln!(err, "\n  {number} | {start}{end}")?;
    writeln!(err, "  {margin} | {}^", " ".repeat(start.chars().count()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    fn shown(format: LogFormat) -> String {
        let failure = Failure::new(FailureKind::Archive, "cannot use the archive `a.db`")
            .because(io::Error::other("disk full"))
            .hint("free some space");
        let mut err = Vec::new();
        show(&failure, format, &mut err);
        String::from_utf8(err).unwrap()
    }

    #[test]
    fn a_panic_is_placed_without_directories() {
        assert_eq!(
            place("/home/builder/.cargo/registry/src/index/some-crate/src/lib.rs", 7),
            " (lib.rs:7)"
        );
        assert_eq!(place("C:\\builder\\src\\main.rs", 7), " (main.rs:7)");
    }

    #[test]
    fn for_people_the_sentence_and_the_next_step() {
        assert_eq!(
            shown(LogFormat::Text),
            "error: cannot use the archive `a.db`: disk full\n\nhint: free some space\n"
        );
    }

    #[test]
    fn a_place_is_pointed_at() {
        let pointed = |text: &str, offset| {
            let mut err = Vec::new();
            point(&Place::at(text, offset), &mut err).unwrap();
            String::from_utf8(err).unwrap()
        };
        assert_eq!(pointed("SELECT nobody", 7), "\n  1 | SELECT nobody\n    |        ^\n");
        let long = format!("SELECT '{}' AS x, nobody", "x".repeat(1_000));
        let shown = pointed(&long, long.len() - 6);
        let [_, line, caret] = shown.lines().collect::<Vec<_>>()[..] else { panic!("{shown}") };
        assert_eq!(line.find("nobody"), caret.find('^'));
        assert!(line.len() < 100, "{line}");
        let hostile = pointed("SELECT '\u{1b}[2J', x", 15);
        assert!(!hostile.contains('\u{1b}'), "{hostile}");
    }

    #[test]
    fn for_programs_one_object_on_one_line() {
        let line = shown(LogFormat::Json);
        assert_eq!(line.lines().count(), 1);
        let object: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(object["exit_code"], 6);
        assert_eq!(object["causes"][0], "disk full");
    }

    #[test]
    fn only_our_own_output_may_close_early() {
        let broken = || io::Error::from(ErrorKind::BrokenPipe);
        assert!(is_closed_output(&output(broken())));
        assert!(!is_closed_output(&output(io::Error::from(ErrorKind::StorageFull))));
        assert!(!is_closed_output(
            &Failure::new(FailureKind::Incomplete, "cannot fetch a page").because(broken())
        ));
    }
}
