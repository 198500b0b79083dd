//! Where the output goes, and what is known of it: only here is it asked whether a terminal is
//! there.

use crate::render::{Charset, SafeWriter, Screen};
use std::io::{self, IsTerminal, Write};

/// Standard output: as it is into a file or a pipe, made safe on a terminal.
pub(super) fn stdout() -> Box<dyn Write> {
    let stdout = io::stdout().lock();
    if stdout.is_terminal() { Box::new(SafeWriter::new(stdout)) } else { Box::new(stdout) }
}

/// Where log lines go: stderr, made safe whatever it is, since a log file is shown on a terminal
/// sooner or later.
pub(super) fn log_lines() -> SafeWriter<io::Stderr> {
    SafeWriter::new(io::stderr())
}

/// Whether lines on stderr are coloured.
pub(super) fn stderr_has_colour() -> bool {
    io::stderr().is_terminal() && !no_colour()
}

/// The screen that standard output is shown on, if it is one.
pub(super) fn screen() -> Screen {
    let charset = charset();
    if io::stdout().is_terminal() {
        let (columns, _) = size();
        Screen { is_terminal: true, columns, has_colour: !no_colour(), charset }
    } else {
        Screen { charset, ..Screen::default() }
    }
}

/// How many lines a terminal shows, for an answer that a person reads there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) rows: usize,
}

/// The height of the terminal that standard output is, where it tells.
pub(super) fn height() -> Option<Size> {
    let (_, rows) = if io::stdout().is_terminal() { size() } else { (None, None) };
    rows.map(|rows| Size { rows: usize::from(rows) })
}

/// How wide and high standard output is. A terminal that does not know says 0, as under some
/// schedulers and serial lines.
#[cfg(unix)]
fn size() -> (Option<u16>, Option<u16>) {
    let known = |number: u16| Some(number).filter(|number| *number > 0);
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok();
    size.map_or((None, None), |size| (known(size.ws_col), known(size.ws_row)))
}

/// The size is known on Unix only. Elsewhere a row stays one line, and the terminal wraps it.
#[cfg(not(unix))]
fn size() -> (Option<u16>, Option<u16>) {
    (None, None)
}

/// The characters that the locale can show: the first of its variables that is set and not empty
/// counts (locale(7)). Without any, it is ASCII.
fn charset() -> Charset {
    let variables = ["LC_ALL", "LC_CTYPE", "LANG"].map(std::env::var_os);
    let set = variables.into_iter().flatten().find(|value| !value.is_empty());
    let locale = set.unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    if locale.contains("utf-8") || locale.contains("utf8") {
        Charset::Unicode
    } else {
        Charset::Ascii
    }
}

/// Whether colour is unwanted (no-color.org: set, and not empty).
fn no_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}
